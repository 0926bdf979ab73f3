"""Measures are found by looking, chosen by name, and leave everything as it was."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import untaught.evaluate
from tests.evaluate.fakes import Forecast, Linear, blobs, subject_of
from untaught.data.view import View
from untaught.errors import ConfigError
from untaught.evaluate.evaluate import evaluate, measures, reasons
from untaught.evaluate.subject import Subject
from untaught.models.finetuned_classifier import FinetunedClassifier
from untaught.randomness import seeded


def subject() -> Subject:
    return subject_of(Linear(Linear.Config(), (1, 4, 4)), blobs(60), blobs(30, seed=1))


def test_every_file_that_defines_a_measure_is_found() -> None:
    folder = Path(untaught.evaluate.measures.__path__[0])
    defining = {path.stem for path in folder.glob("*.py") if "\ndef measure(" in path.read_text()}
    assert set(measures()) == defining >= {"prediction", "reconstruction", "probe", "cluster", "decode"}


def test_what_applies_is_measured_and_is_json() -> None:
    found = evaluate(subject())
    assert (
        set(found)
        == {"active_units", "reconstruction", "probe", "cluster", "map", "retrieval"}
        == {k for k, v in reasons(subject()).items() if not v and not measures()[k].by_name}
    )
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert all("baselines" in measure for measure in found.values())


def test_named_measures_only() -> None:
    assert list(evaluate(subject(), ["cluster"])) == ["cluster"]


def test_an_unknown_measure_is_refused_with_a_close_name() -> None:
    with pytest.raises(ConfigError, match="no measure is called 'clusters'; did you mean 'cluster'"):
        evaluate(subject(), ["clusters"])
    with pytest.raises(ConfigError, match="there are: active_units, classification, cluster, codes"):
        evaluate(subject(), ["xyzzy"])


def test_a_measure_that_does_not_apply_is_refused_with_the_reason() -> None:
    with pytest.raises(ConfigError, match="prediction cannot be measured: the model does not predict"):
        evaluate(subject(), ["prediction"])


def test_model_and_generator_are_left_as_they_were() -> None:
    held = subject()
    held.model.train()
    before, precision = torch.get_rng_state(), torch.get_float32_matmul_precision()
    evaluate(held, ["reconstruction"])
    assert held.model.training and torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), before) and torch.get_float32_matmul_precision() == precision


def test_measures_are_taken_in_float32() -> None:
    """`Linear.encode` refuses anything but float32 in evaluation mode."""
    with torch.autocast("cpu", torch.bfloat16):
        inside = evaluate(subject(), ["reconstruction"])
    assert inside == evaluate(subject(), ["reconstruction"])


@pytest.mark.slow
def test_results_are_the_same_every_time() -> None:
    held = subject()
    torch.rand(3)
    assert evaluate(held) == evaluate(held)


def test_features_of_a_model_without_features() -> None:
    class Blind(untaught.model.Model):
        def stages(self) -> tuple[()]:
            return ()

    with pytest.raises(TypeError, match="Blind does not encode"):
        replace(subject(), model=Blind()).features(torch.zeros(1, 1, 4, 4))


def test_the_seen_is_undone_by_the_shown() -> None:
    x = torch.rand(3, 1, 4, 4)
    statistics = untaught.data.view.Statistics(torch.rand(1, 4, 4), torch.rand(1, 4, 4) + 0.1)
    held = replace(subject(), statistics=statistics, view=View(standardise="pixel"))
    assert torch.allclose(held.shown(held.seen(x)), x, atol=1e-6)
    assert torch.allclose(held.seen(x), (x - statistics.mean) / statistics.deviation)


def test_an_untrained_network_has_other_weights() -> None:
    held = subject_of(Forecast(Forecast.Config(), (1, 4, 4)), blobs(3), blobs(3))
    fresh = held.untrained().model
    assert isinstance(fresh, Forecast) and not torch.equal(fresh.weight, held.model.weight)
    assert torch.equal(fresh.weight, held.untrained().model.weight)
    with seeded(held.seed):
        begun = Forecast(Forecast.Config(), (1, 4, 4))
    assert not torch.equal(fresh.weight, begun.weight), "a run of the same seed may have begun there"


def test_neither_reasons_nor_measures_move_running_means() -> None:
    """A forward pass in training mode would: batch normalisation averages what it sees."""
    config = FinetunedClassifier.Config(classes=3, hidden=(4, 2), normalise=True)
    held = subject_of(FinetunedClassifier(config, (1, 4, 4)).train(), blobs(60), blobs(30, seed=1))
    before = {name: value.clone() for name, value in held.model.named_buffers()}
    reasons(held)
    evaluate(held, ["classification"])
    assert before and all(torch.equal(value, before[name]) for name, value in held.model.named_buffers())
    assert held.model.training
