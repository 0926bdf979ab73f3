"""A training made ready: shapes from the data, weights from the seed, statistics of the training part."""

from __future__ import annotations

import pytest
import torch

from untaught import open_data
from untaught.data.view import View
from untaught.errors import ConfigError
from untaught.runs.settings import Settings, Training
from untaught.training.plan import built, completed, subject_to_train

CPU = torch.device("cpu")


def settings(**training: object) -> Settings:
    source = open_data("digits")
    told = Settings(model="rbm", shape=(), config={"hidden": 5}, data="digits", training=Training(**training))  # type: ignore[arg-type]
    return completed(told, source)


def test_shape_is_what_the_network_will_see() -> None:
    assert settings().shape == (1, 8, 8)
    assert settings(view=View(patch=4)).shape == (1, 4, 4)


def test_weights_are_the_seeds_and_the_callers_generator_stays() -> None:
    before = torch.get_rng_state()
    one, again, other = (built(settings(seed=seed), CPU).state_dict()["weight"] for seed in (3, 3, 4))
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_subject_is_standardised_as_training_will_be() -> None:
    source = open_data("digits")
    subject = subject_to_train(settings(seed=2, view=View(standardise="all")), source, CPU)
    pixels = source.parts().train.frames.read(subject.parts.train.first).float()
    pixels = pixels / 255 if source.train.frames.dtype == torch.uint8 else pixels
    assert subject.statistics is not None and subject.seed == 2
    assert float(subject.statistics.mean) == pytest.approx(float(pixels.mean()), rel=1e-4)
    assert float(subject.statistics.deviation) == pytest.approx(float(pixels.std(correction=0)), rel=1e-4)


def test_a_stage_that_there_is_not_is_named() -> None:
    with pytest.raises(ConfigError, match="rbm has no stage 'trian'; did you mean 'train'"):
        built(settings(stage_epochs={"trian": 2.0}), CPU)
