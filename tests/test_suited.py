"""Defaults that several systems share: patches of few large pictures, units for documents."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from untaught.data.part import Part
from untaught.data.source import Source
from untaught.data.view import View
from untaught.layerwise.from_components import COMPONENTS, FEW, LARGE, PATCH, few_and_large
from untaught.layerwise.latent_outputs import BEGUN
from untaught.layerwise.suited import CONVOLVED, LIT, are_documents
from untaught.model import Batch, Example, Usual, model_class
from untaught.models import boltzmann
from untaught.models.autoencoder import Autoencoder
from untaught.models.dbn import DBN
from untaught.models.rbm import GAUSSIAN_RATE
from untaught.runs.settings import Training
from untaught.training.plan import Asked, Plan, plan, usual_for

CONVOLUTIONAL = ("convolutional-rbm", "convolutional-dbn")
DENSE: dict[str, dict[str, Any]] = {
    "sparse-autoencoder": {"hidden": (4,)},
    "denoising-autoencoder": {"hidden": (4,)},
    "contractive-autoencoder": {"hidden": (4,)},
    "hashing-autoencoder": {"hidden": (4,), "latent": 3},
    "rbm": {"hidden": 4},
    "dbn": {"hidden": (4, 3)},
    "dbm": {"hidden": (4, 3)},
    "sigmoid-belief": {"hidden": (4,)},
    "boltzmann": {"hidden": 4},
}
SIDES = {"boltzmann": boltzmann.PATCH, **dict.fromkeys(CONVOLUTIONAL, CONVOLVED)}
BINARISED = ("rbm", "dbm", "sigmoid-belief", "boltzmann", *CONVOLUTIONAL)


def pictures(side: int = LARGE, count: int = 5) -> Tensor:
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(0))


def source(x: Tensor, labelled: bool = False) -> Source:
    part = Part.of(x, torch.arange(len(x)) % 2 if labelled else None)
    return Source("made", part, validation=part, test=part)


def planned(name: str, held: Source, **fields: Any) -> Plan:
    return plan(Asked(name, {**DENSE.get(name, {}), **fields}, Training(epochs=1, threads=1)), held)


@pytest.mark.parametrize("name", [*DENSE, *CONVOLUTIONAL])
def test_few_large_pictures_are_learnt_from_in_patches(name: str) -> None:
    found, side = planned(name, source(pictures())), SIDES.get(name, PATCH)
    assert found.settings.shape == (1, side, side)
    assert found.settings.view == View(patch=side, binarise=name in BINARISED)
    assert found.settings.because.endswith("5 training pictures are few, their patches are many")
    assert found.settings.chosen["view"] == {"patch": side}
    assert "patch" in model_class(name).adapts


@pytest.mark.parametrize("name", [*DENSE, *CONVOLUTIONAL])
def test_large_frames_of_a_film_are_learnt_from_in_patches(name: str) -> None:
    """However many there are, since they are alike; small ones stay whole."""
    large, small = (Part.of(torch.rand(1, FEW, 1, side, side)) for side in (LARGE, LARGE // 2))
    cls, side = model_class(name), SIDES.get(name, PATCH)
    found = usual_for(cls, Source("film", large, validation=large, test=large))
    assert found.view is not None and found.view.patch == side
    assert "frames of a film are alike, their patches are many" in found.because
    view = usual_for(cls, Source("film", small, validation=small, test=small)).view
    assert view is None or view.patch is None


@pytest.mark.parametrize("name", [*DENSE, *CONVOLUTIONAL])
def test_small_pictures_and_many_stay_whole(name: str) -> None:
    cls = model_class(name)
    for few_or_large in (pictures(LARGE - 1), pictures(LARGE, FEW)):
        view = usual_for(cls, source(few_or_large)).view
        assert view is None or view.patch is None


@pytest.mark.parametrize("name", ["rbm", *CONVOLUTIONAL])
def test_patches_of_other_units_are_standardised(name: str) -> None:
    """What was chosen for binary units is not kept where Gaussian ones are asked for, except the patch."""
    held = source(pictures())
    side = SIDES.get(name, PATCH)
    kind = "all" if name in CONVOLUTIONAL else "pixel"
    assert planned(name, held, visible="gaussian").settings.view == View(patch=side, standardise=kind)
    wide = planned(name, source(4 * pictures() - 2)).settings
    assert (wide.view, wide.config["visible"]) == (View(patch=side, standardise=kind), "gaussian")
    assert wide.because.startswith("values run from -2 to 2, not from 0 to 1; 5 training pictures")


@pytest.mark.parametrize(("name", "labelled"), [("dbn", True), ("dbm", True), ("rbm", True), ("dbn", False)])
def test_what_can_learn_classes_sees_labelled_pictures_whole(name: str, labelled: bool) -> None:
    found = usual_for(model_class(name), source(pictures(), labelled))
    assert (found.view is None) == (labelled and name != "rbm")


def documents(count: int = 40, words: int = 30) -> Tensor:
    counts = torch.poisson(torch.rand(count, words, generator=torch.Generator().manual_seed(2))) + torch.eye(
        count, words
    )
    counts[:, 0] += 1
    return counts / counts.sum(1, keepdim=True)


@pytest.mark.parametrize(
    ("x", "shape", "found"),
    [
        (documents(), (30,), True),
        (2 * documents(), (30,), False),
        (documents() - documents().roll(1, 1) + 1 / 30, (30,), False),
        (torch.ones(4, 1), (1,), False),
        (torch.full((3, 1, 2, 2), 0.25), (1, 2, 2), False),
    ],
    ids=["documents", "sums of 2", "below 0", "one value", "pictures"],
)
def test_what_counts_as_documents(x: Tensor, shape: tuple[int, ...], found: bool) -> None:
    assert are_documents(Example(shape), Batch.of(x)) == found


@pytest.mark.parametrize(
    ("name", "field", "chosen", "other"),
    [
        ("hashing-autoencoder", "output", "softmax", "bernoulli"),
        ("sparse-autoencoder", "output", "linear", "bernoulli"),
        ("rbm", "visible", "gaussian", "bernoulli"),
        ("vae", "output", "gaussian", "bernoulli"),
        ("iwae", "output", "gaussian", "bernoulli"),
        ("monte-carlo-generator", "output", "gaussian", "bernoulli"),
    ],
)
def test_documents_have_units_of_their_own(name: str, field: str, chosen: str, other: str) -> None:
    found = planned(name, source(documents())).settings
    assert (found.config[field], found.chosen[field]) == (chosen, chosen)
    assert found.because.startswith("examples are documents, whose words each have a small share")
    said = planned(name, source(documents()), **{field: other}).settings
    assert said.config[field] == other and field not in said.chosen


def test_colours_are_gaussian_at_a_lower_rate() -> None:
    coloured = torch.rand(9, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    found = planned("rbm", source(coloured))
    assert found.settings.view == View(standardise="pixel") and found.settings.chosen["visible"] == "gaussian"
    assert found.settings.because == "pictures have colours, whose values are seldom near 0 or 1"
    assert found.stages[0].recipe.optimiser.learning_rate == GAUSSIAN_RATE
    said = planned("rbm", source(coloured), visible="bernoulli")
    assert said.settings.view == View(binarise=True) and said.stages[0].recipe.optimiser.learning_rate > GAUSSIAN_RATE
    assert usual_for(model_class("rbm"), source(coloured[:, :1])) == Usual()


@pytest.mark.parametrize(("value", "rate"), [(0.2, 0.1), (0.8, 0.1 * LIT / 320)])
def test_the_more_units_are_on_the_lower_is_a_nets_rate(value: float, rate: float) -> None:
    """Of 400 pixels 80 or 320 are on; every layer is trained at the rate that was found."""
    found = planned("dbn", source(torch.full((9, 1, 20, 20), value)))
    assert [own.recipe.optimiser.learning_rate for own in found.stages] == pytest.approx([rate, rate])
    assert {own.recipe.schedule for own in found.stages} == {"linear"} and DBN.recipe.schedule == "cosine"


def test_bits_of_bright_pictures_see_them_standardised() -> None:
    """Of 400 pixels 320 are on, which is many, or 80, which is not."""
    bright = planned("hashing-autoencoder", source(torch.full((9, 1, 20, 20), 0.8))).settings
    assert (bright.config["output"], bright.view) == ("linear", View(standardise="pixel"))
    assert bright.because == "the values of an example sum to 320"
    assert usual_for(model_class("hashing-autoencoder"), source(torch.full((9, 1, 20, 20), 0.2))) == Usual()


@pytest.mark.parametrize(("total", "documents"), [(1.0, True), (1.0005, True), (1.01, False), (0.98, False)])
def test_shares_of_words_sum_to_one_but_for_rounding(total: float, documents: bool) -> None:
    x = torch.tensor([[0.5, 0.25, 0.25], [0.2, 0.0, 0.8]]) * total
    assert are_documents(Example((3,)), Batch.of(x)) == documents


@pytest.mark.parametrize(
    ("count", "side", "few"), [(249, 96, True), (250, 96, False), (249, 95, False), (9, 200, True)]
)
def test_pictures_are_few_and_large_within_limits(count: int, side: int, few: bool) -> None:
    """Fewer than 250 of at least 96 x 96, as the help says."""
    sample = Batch.of(torch.zeros(count, 1, 1, 1))
    assert few_and_large(Example((1, side, side + 5)), sample) == few
    assert COMPONENTS["patch"].startswith("16 where there are fewer than 250 pictures of at least 96 x 96")


def test_a_start_at_components_has_networks_beside_it_and_a_slow_beginning() -> None:
    """As wide as the help says; the rate rises over a tenth of the training."""
    chosen = Autoencoder.usual(Example((1, 20, 20)), Batch.of(torch.rand(300, 1, 20, 20)))
    assert chosen.config["start"] == "pca" and chosen.config["hidden"] == (512, 512)
    assert COMPONENTS["hidden"].startswith("512, 512 ")
    assert chosen.recipe is not None and chosen.recipe.warm_up == 0.1


@pytest.mark.parametrize("name", ["vae", "iwae", "monte-carlo-generator"])
def test_grey_and_coloured_pictures_have_gaussian_outputs_within_their_range(name: str) -> None:
    """Values that are nearly all 0 or 1 are probabilities of ones; others are amounts."""
    cls, grey = model_class(name), torch.rand(100, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    black = grey.round() * 0.98
    for x, output in ((grey, "squashed"), (black, None), (black.expand(-1, 3, -1, -1), "squashed")):
        usual = cls.usual(Example(tuple(x.shape[1:])), Batch.of(x))
        assert usual.config.get("output") == output, usual.because
        begun = usual.config.get("start") == "pca"
        assert begun == (output is not None and "start" in cls.adapts)


def test_few_pictures_do_not_begin_at_their_components() -> None:
    """Components as many as examples leave nothing over: of other examples that is far too little."""
    grey = torch.rand(99, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    for name in ("vae", "iwae"):
        usual = model_class(name).usual(Example((1, 6, 6)), Batch.of(grey))
        assert usual.config["output"] == "squashed" and "start" not in usual.config
    assert "at least 100" in BEGUN["start"]


@pytest.mark.parametrize("name", ["gan", "cycle-gan"])
def test_another_output_keeps_the_patches(name: str) -> None:
    held = source(4 * pictures() - 2)
    other = held if name == "cycle-gan" else None
    for said in ({}, {"output": "sigmoid"}):
        found = plan(Asked(name, dict(said), Training(epochs=1, threads=1)), held, other=other).settings
        assert found.shape == (1, CONVOLVED, CONVOLVED)
