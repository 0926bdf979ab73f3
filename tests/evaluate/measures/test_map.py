"""Order on maps, from hand-made maps, and what a map of known features says."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from tests.evaluate.fakes import Linear, Watcher, blobs, subject_of, turning
from untaught.data.part import Part
from untaught.data.view import View
from untaught.errors import ConfigError
from untaught.evaluate.baselines.logistic_principal import logistic_principal
from untaught.evaluate.embeddings import distances, stress
from untaught.evaluate.measures import map as module
from untaught.evaluate.measures.map import (
    MEASURE,
    applies,
    drawn,
    jointly,
    neighbours_accuracy,
    neighbours_r2,
    ordered,
    picture,
)
from untaught.evaluate.subject import Subject
from untaught.nn.principal import principal
from untaught.randomness import seeded


def watched(count: int = 60) -> Subject:
    model = Watcher(Watcher.Config(), (1, 12, 12)).eval()
    return subject_of(model, turning(9), turning(count, seed=2), View(frames=6))


def test_neighbours_are_scikit_learns_with_each_example_left_out() -> None:
    generator = torch.Generator().manual_seed(0)
    found = torch.randn(30, 2, generator=generator).double()
    values, label = found[:, 0] + 0.3 * found[:, 1] ** 2, torch.arange(30) % 3
    guesses, classes = [], []
    for left in range(30):
        rest = np.arange(30) != left
        x, one = found.numpy()[rest], found.numpy()[left : left + 1]
        guesses.append(KNeighborsRegressor(10).fit(x, values.numpy()[rest]).predict(one)[0])
        classes.append(KNeighborsClassifier(10).fit(x, label.numpy()[rest]).predict(one)[0])
    expected = 1 - float(((values.numpy() - guesses) ** 2).sum() / ((values - values.mean()) ** 2).sum())
    assert neighbours_r2(found, values) == pytest.approx(expected)
    assert neighbours_accuracy(found, label) == pytest.approx(float(np.mean(np.array(classes) == label.numpy())))


def test_a_line_is_in_order_and_chance_is_not() -> None:
    along = torch.linspace(0, 1, 200).double()
    line = torch.stack([along, torch.zeros(200)], 1)
    assert neighbours_r2(line, along) > 0.99
    shuffled = along[torch.randperm(200, generator=torch.Generator().manual_seed(0))]
    assert neighbours_r2(line, shuffled) < 0.15


def test_variables_and_baselines_are_judged() -> None:
    found = MEASURE.take(watched())
    assert set(found["stress"]) == set(found["neighbours_r2"]) == {"classical_mds", "smacof", "pca", "tsne"}
    assert set(found["neighbours_r2"]["pca"]) == {"angle", "speed", "shape_1"}
    assert set(found["baselines"]) == {"raw_pixels", "random_weights", "pca", "logistic_pca"}
    assert set(found["baselines"]["pca"]["neighbours_r2"]["pca"]) == {"angle", "speed", "shape_1"}
    assert found["neighbours_r2"]["tsne"]["angle"] > 0.3 + found["neighbours_r2"]["tsne"]["shape_1"]
    assert "neighbours_accuracy" not in found and found["examples"] == 60


def test_classes_are_judged() -> None:
    with seeded(0):
        model = Linear(Linear.Config(latent=8), (1, 4, 4)).eval()
    found = MEASURE.take(subject_of(model, blobs(90), blobs(90)))
    assert found["neighbours_accuracy"]["pca"] > 0.9 and "neighbours_r2" not in found
    assert found["baselines"]["raw_pixels"]["neighbours_accuracy"]["pca"] > 0.9


def test_planes_are_fitted_on_the_training_part() -> None:
    with seeded(0):
        held = subject_of(Linear(Linear.Config(latent=8), (1, 4, 4)).eval(), blobs(60), blobs(90, seed=1))
    found, batch = MEASURE.take(held)["baselines"], held.tested(500)
    train, x = held.parts.train.frames.read(torch.arange(60)).flatten(1), batch.x.flatten(1)
    codes = principal(train, 2).encode(x).double()
    assert found["pca"]["neighbours_accuracy"] == {"pca": pytest.approx(neighbours_accuracy(codes, batch.label))}
    assert found["pca"]["stress"] == {"pca": pytest.approx(stress(distances(x), codes))}
    bent = logistic_principal(train, 2).encode(x).double()
    assert found["logistic_pca"]["neighbours_accuracy"] == {"pca": neighbours_accuracy(bent, batch.label)}


def test_documents_are_mapped_by_latent_semantic_analysis() -> None:
    words = torch.rand(40, 16, generator=torch.Generator().manual_seed(0)).pow(4)
    part = Part.of(words / words.sum(1, keepdim=True), torch.arange(40) % 2)
    found = MEASURE.take(subject_of(Linear(Linear.Config(), (16,)).eval(), part, part))
    assert list(found["baselines"]) == ["raw_pixels", "random_weights", "pca", "lsa"]


def test_two_networks_share_one_map() -> None:
    """The same features in another scale and place lie at the same points."""
    x = torch.randn(20, 5)
    first, second = jointly("classical_mds", x, 3 * x + 1)
    assert torch.allclose(first, second, atol=1e-4)
    other = jointly("classical_mds", x, torch.randn(20, 5))[1]
    assert not torch.allclose(first, other, atol=0.1)


def test_the_picture_has_a_panel_for_each_map_and_variable() -> None:
    batch = watched().tested(frames=5)
    rows = {**ordered(batch), "class": torch.arange(60) % 3}
    maps = {name: (torch.rand(60, 2).double(), torch.rand(60, 2).double()) for name in ("pca", "tsne")}
    one, all_rows = drawn(maps, {"angle": rows["angle"]}), drawn(maps, rows)
    assert all_rows.shape[1] == one.shape[1] and all_rows.shape[0] > 3 * one.shape[0] - 200
    assert (drawn(maps, {"angle": -rows["angle"]}) != one).any()


@pytest.mark.slow
def test_a_picture_is_drawn_of_variables_or_of_nothing() -> None:
    held = watched(20)
    assert picture(held).ndim == 3
    bare = replace(held.parts.test, latents={})
    assert picture(replace(held, parts=replace(held.parts, test=bare))).ndim == 3


@pytest.mark.slow
def test_any_variable_gives_the_colour() -> None:
    held = watched()
    every = list(ordered(held.tested(500), 10))
    assert picture(held, every[:1]).shape[0] < picture(held, every[:2]).shape[0]
    with pytest.raises(ConfigError, match=f"there are: {every[0]}"):
        picture(held, ["shoe_size"])


def test_it_says_why_it_does_not_apply() -> None:
    held = watched()
    assert applies(held) is None
    assert "at least 4" in str(applies(watched(3)))
    assert applies(subject_of(held.model, blobs(9), blobs(9), View(frames=3))) == "the data are not video"


def test_maps_are_of_as_many_examples_as_described() -> None:
    """500 test examples and 10 neighbours, planes of 1,000 training examples."""
    assert (module.EXAMPLES, module.FITTED, module.NEIGHBOURS) == (500, 1000, 10)
