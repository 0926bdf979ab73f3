"""Trials: as many updates as asked, fair moments, weights that features depend on."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from untaught import open_data
from untaught.data.part import Part
from untaught.data.source import Source
from untaught.data.view import View
from untaught.errors import ConfigError, DataError, RunError
from untaught.evaluate.measures.decode import three_batches
from untaught.experiments.trial import Trials, encoder_weights, ends_of_windows
from untaught.experiments.variant import Budget, Variant
from untaught.runs.settings import Training
from untaught.training.plan import Asked, plan

BALLS = "balls?clips=12&validation=4&test=4&frames=12&size=12&balls=1"
SMALL = {"units": 4, "filters": (3,), "kernels": (4,), "strides": (3,), "core_kernel": 3}
PGN = Variant("pgn", "pgn", SMALL)
CODE = Variant("code", "autoencoder", {"hidden": (6,), "latent": 2})
CPU = torch.device("cpu")


def trials(source: Source, folder: Path, frames: int | None = None, updates: int = 13) -> Trials:
    training = Training(threads=1, precision="float32", device="cpu")
    return Trials(source, Budget(source.spec, None, updates, 4, frames), CPU, folder, training)


def quietly(records: Any) -> Any:
    return deque(records, maxlen=1).pop()


@pytest.mark.parametrize(
    "updates", [pytest.param(1, marks=pytest.mark.slow), 13, pytest.param(49, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("variant", [PGN, CODE])
def test_a_trial_makes_exactly_the_updates(variant: Variant, updates: int, tmp_path: Path) -> None:
    told: list[Any] = []

    def follow(records: Any) -> Any:
        told.extend(records)
        return told[-1]

    trials(open_data(BALLS), tmp_path, updates=updates).run(variant, 0, [], follow)
    assert told[-1].step == updates


@pytest.mark.parametrize("shorter", [CODE, Variant("predictive-encoder", "predictive-encoder")])
def test_all_are_judged_at_the_ends_of_the_longest_windows(shorter: Variant, tmp_path: Path) -> None:
    source = open_data(BALLS)
    asked = trials(source, tmp_path, frames=20)
    windows = three_batches(asked._judged(asked._plan(PGN, 0).subject(), "decode"))
    ends = three_batches(asked._judged(asked._plan(shorter, 0).subject(), "decode"))
    for seen, beside in zip(windows, ends, strict=True):
        last = beside.x if beside.x.ndim == 4 else beside.x[:, -1]
        assert torch.equal(seen.x[:, -1], last)
        for name, value in seen.latents.items():
            own = beside.latents[name]
            assert torch.equal(value[:, -1], own if own.ndim == 2 else own[:, -1])


def test_all_look_at_whole_frames(tmp_path: Path) -> None:
    subject = trials(open_data(BALLS), tmp_path)._plan(Variant("predictive-encoder", "predictive-encoder"), 0).subject()
    assert subject.view.patch is None and subject.view.frames == 3


def test_units_decide_what_a_variant_sees(tmp_path: Path) -> None:
    """Gaussian units are shown standardised values in a comparison too, and binary ones draws."""
    asked = trials(open_data("digits"), tmp_path)
    gaussian = asked._plan(Variant("g", "rbm", {"hidden": 3, "visible": "gaussian"}), 0)
    assert gaussian.settings.view == View(standardise="pixel") and gaussian.statistics is not None
    assert asked._plan(Variant("b", "rbm", {"hidden": 3}), 0).settings.view == View(binarise=True)


def test_frames_stay_as_they_are_where_nobody_looks_at_windows(tmp_path: Path) -> None:
    asked = trials(open_data(BALLS), tmp_path)
    subject = asked._plan(CODE, 0).subject()
    assert asked._judged(subject, "decode") is subject


def test_ends_of_windows_by_hand() -> None:
    part = Part.over(Part.of(torch.zeros(11, 1, 2, 2)).frames, torch.tensor([5, 6]))
    last, two = ends_of_windows(part, 3, 1), ends_of_windows(part, 3, 2)
    assert last.first.tolist() == [2, 7, 10] and last.length.tolist() == [1, 1, 1]
    assert two.first.tolist() == [1, 6, 9] and two.length.tolist() == [2, 2, 2]


def test_weights_of_an_encoder_by_hand() -> None:
    """Of an autoencoder 64-6-2: both layers below the code with their biases, nothing of the decoder."""
    source = open_data("digits")
    config = {**CODE.network}
    subject = plan(Asked("autoencoder", config), source).subject()
    assert encoder_weights(subject, torch.rand(2, 1, 8, 8)) == 64 * 6 + 6 + 6 * 2 + 2


def test_what_a_variant_is_before_it_learns(tmp_path: Path) -> None:
    source = open_data(BALLS)
    assert trials(source, tmp_path).look(PGN)["frames"] == 12
    assert trials(source, tmp_path).look(CODE) == {
        "encoder_weights": 144 * 6 + 6 + 6 * 2 + 2,
        "features": 2,
        "frames": None,
        "measures": ["decode"],
    }
    assert trials(open_data("digits"), tmp_path).look(CODE)["measures"] == ["probe"]


def test_a_finished_trial_is_kept_and_another_budget_refuses_it(tmp_path: Path) -> None:
    own = trials(open_data(BALLS), tmp_path / "trials")
    assert own.finished(CODE, 1) is None
    done = own.run(CODE, 1, ["decode"], quietly)
    assert own.finished(CODE, 1) == done and own.all(CODE, 2) == [done]
    for changed in (replace(own.budget, updates=14), replace(own.budget, batch_size=5), replace(own.budget, frames=3)):
        with pytest.raises(RunError, match="other arguments"):
            replace(own, budget=changed).finished(CODE, 1)
    with pytest.raises(RunError, match="other arguments"):
        own.finished(replace(CODE, config={"latent": 3}), 1)


def alike(one: Any, other: Any) -> bool:
    """Whether measures are the same but for what eigenvalues lose where another number of threads finds them."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == pytest.approx(other, rel=1e-9, abs=1e-12)


def test_a_trial_is_the_same_every_time(tmp_path: Path) -> None:
    first, second = (trials(open_data(BALLS), tmp_path / name).run(CODE, 0, ["decode"], quietly) for name in "ab")
    other = trials(open_data(BALLS), tmp_path / "c").run(CODE, 1, ["decode"], quietly)
    assert alike(first["measures"], second["measures"]) and not alike(first["measures"], other["measures"])


def test_nothing_to_ask_and_wrong_fields_are_refused(tmp_path: Path) -> None:
    numbers = Source("numbers", Part.of(torch.rand(20, 1, 8, 8)))
    with pytest.raises(DataError, match="neither labels nor true variables"):
        trials(numbers, tmp_path).look(CODE)
    with pytest.raises(ConfigError, match="did you mean 'latent'"):
        trials(numbers, tmp_path).look(Variant("code", "autoencoder", {"latnt": 3}))
