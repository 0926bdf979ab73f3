"""Values outside [0, 1]: what models take for them where nothing is said, and that what is said wins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from untaught.config import to_json
from untaught.data.part import Part
from untaught.data.source import Source
from untaught.data.view import View
from untaught.model import Batch, Classifies, Example, Recipe, Reconstructs, Usual, model_class
from untaught.models.rbm import GAUSSIAN_RATE, RBM
from untaught.randomness import seeded
from untaught.runs.settings import Training
from untaught.training.fit import train
from untaught.training.plan import Asked, Plan, plan, plan_of, usual_for

LINEAR = (
    "autoencoder",
    "sparse-autoencoder",
    "denoising-autoencoder",
    "contractive-autoencoder",
    "hashing-autoencoder",
)
SMALL: dict[str, dict[str, Any]] = {
    **dict.fromkeys(LINEAR, {"hidden": (6,)}),
    "autoencoder": {"hidden": (6,), "latent": 3},
    "rbm": {"hidden": 6},
    "softmax": {"classes": 2},
    "finetuned-classifier": {"classes": 2, "hidden": (6,)},
}
CHOSEN = {**dict.fromkeys(LINEAR, {"output": "linear"}), "rbm": {"visible": "gaussian"}}


def values(*shape: int) -> Tensor:
    """Examples of two classes, each number on a scale of its own, all within [0, 1], whose ends occur."""
    with seeded(1):
        x = (torch.rand(60, *shape) + (torch.arange(60) % 2).view(-1, *(1,) * len(shape))) / 2
    x = x * torch.linspace(0.1, 1, x[0].numel()).view(shape)
    x[0].flatten()[0], x[1].flatten()[0] = 0.0, 1.0
    return x


def source(x: Tensor) -> Source:
    return Source("made", Part.of(x, torch.arange(60) % 2))


def planned(name: str, x: Tensor, **fields: Any) -> Plan:
    return plan(
        Asked(name, {**SMALL[name], **fields}, Training(epochs=40, batch_size=16, learning_rate=0.02, threads=1)),
        source(x),
    )


@pytest.mark.parametrize("name", [*sorted({*SMALL} - {"autoencoder"}), "convolutional-rbm", "convolutional-dbn"])
def test_within_zero_and_one_nothing_is_unusual(name: str) -> None:
    assert usual_for(model_class(name), source(values(1, 4, 4))) == Usual()


@pytest.mark.parametrize("name", SMALL)
def test_values_of_any_range_are_standardised(name: str) -> None:
    made = planned(name, 1000 * values(5) - 300)
    assert made.settings.because == "values run from -300 to 700, not from 0 to 1"
    assert made.settings.view == View(standardise="pixel")
    chosen = CHOSEN.get(name, {})
    assert chosen.items() <= made.settings.config.items() and chosen.items() <= made.settings.chosen.items()


@pytest.mark.parametrize("name", ["autoencoder", "denoising-autoencoder", "rbm", "softmax", "finetuned-classifier"])
def test_values_of_any_range_are_learnt_from(name: str) -> None:
    made = planned(name, 1000 * values(5) - 300)
    train(made)
    subject, model = made.subject(), made.model
    batch = subject.pixels(subject.parts.train, 60)
    if isinstance(model, Classifies):
        wrong = subject.apply(model.class_probabilities, batch.x).argmax(1) != batch.label
        assert wrong.float().mean() < 0.2
    else:
        assert isinstance(model, Reconstructs)
        deviations = (subject.shown(subject.apply(model.reconstruct, batch.x)) - batch.x) / batch.x.std(0)
        assert deviations.square().mean() < 0.9  # the mean of the data is wrong by 1


@pytest.mark.parametrize("name", ["convolutional-rbm", "convolutional-dbn"])
def test_pictures_of_any_range_are_gaussian(name: str) -> None:
    asked = Asked(name, {"kernel" if name.endswith("rbm") else "kernels": 2 if name.endswith("rbm") else (2,)})
    made = plan(asked, source(4 * values(1, 9, 9) - 2))
    assert made.settings.chosen == {"visible": "gaussian"} and made.settings.view == View(standardise="all")


def test_pictures_are_standardised_as_a_whole() -> None:
    assert planned("autoencoder", 2 * values(1, 4, 4)).settings.view == View(standardise="all")


def test_what_is_said_wins_and_takes_the_view_with_it() -> None:
    x = 2 * values(5) - 1
    said = planned("denoising-autoencoder", x, output="tanh").settings
    assert (said.config["output"], said.view, said.chosen, said.because) == ("tanh", View(), {}, "")
    again = planned("denoising-autoencoder", x, output="linear").settings
    assert again.view == View(standardise="pixel")
    asked = Asked("denoising-autoencoder", {"hidden": (6,)}, Training(view={"standardise": "none"}))
    assert plan(asked, source(x)).settings.view == View()


def test_in_python_defaults_stay() -> None:
    for name in LINEAR:
        cls = model_class(name)
        assert cls(replace(cls.smoke.config, output="linear"), (5,)).view == View() == cls((cls.Config)(), (5,)).view


def test_what_was_said_is_not_what_the_data_chose() -> None:
    x = 2 * values(5) - 1
    view = {"view": {"standardise": "pixel"}}
    assert planned("autoencoder", x).settings.chosen == {"output": "linear", **view}
    assert planned("autoencoder", x, output="linear").settings.chosen == view


class Slow(RBM):
    """A machine that is trained otherwise than others, whatever the data."""

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Few examples at once."""
        return Usual(recipe=Recipe(batch_size=7))


def test_a_recipe_that_suits_the_data_is_trained_by() -> None:
    made = plan_of(Slow, Asked("rbm", {"hidden": 6}, Training(epochs=1)), source(values(5)))
    assert made.stages[0].recipe == Recipe(batch_size=7) and made.stages[0].main.batch_size == 7
    assert made.settings.chosen == {"recipe": to_json(Recipe(batch_size=7))}


def test_a_continued_run_keeps_its_recipe() -> None:
    first = plan_of(Slow, Asked("rbm", {"hidden": 6}, Training(epochs=1)), source(values(5)))
    going_on = Asked("rbm", training=Training(epochs=2), held=first.settings)
    assert plan_of(Slow, going_on, source(values(5))).stages[0].main.batch_size == 7


@pytest.mark.slow
def test_columns_of_one_cause_do_not_diverge() -> None:
    with seeded(1):
        x = 500 + 30 * torch.randn(500, 1) * torch.linspace(0.5, 2, 300) + torch.randn(500, 300)
    made = plan(Asked("rbm", training=Training(epochs=60, device="cpu")), Source("made", Part.of(x)))
    last = train(made)
    assert made.stages[0].recipe.optimiser.learning_rate == GAUSSIAN_RATE < RBM.recipe.optimiser.learning_rate
    assert last.held_out["squared_error_per_image"] < 150, "of 300, which the mean of every column leaves"
