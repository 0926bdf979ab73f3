"""Accuracy among neighbours on a plane, from codes made by hand, and the picture of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from tests.evaluate.fakes import Linear, blobs, subject_of
from untaught.data.part import Part
from untaught.data.view import View
from untaught.evaluate.baselines.planes import plane_codes
from untaught.evaluate.measures import codes as module
from untaught.evaluate.measures.codes import MEASURE, applies, drawn, neighbours_accuracy, picture
from untaught.evaluate.subject import Subject
from untaught.randomness import seeded


def subject(latent: int = 2, classes: int = 3) -> Subject:
    with seeded(0):
        model = Linear(Linear.Config(latent=latent), (1, 4, 4)).eval()
    return subject_of(model, blobs(60, classes), blobs(45, classes, seed=1))


def test_neighbours_are_scikit_learns_with_each_example_left_out() -> None:
    codes = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    label = (codes[:, 0] > 0).long() + torch.arange(40) % 2
    right = []
    for left in range(40):
        rest = np.arange(40) != left
        voted = KNeighborsClassifier(5).fit(codes.numpy()[rest], label.numpy()[rest])
        right.append(voted.predict(codes.numpy()[left : left + 1])[0] == int(label[left]))
    assert neighbours_accuracy(codes, label) == pytest.approx(float(np.mean(right)))


def test_classes_that_lie_apart_are_told_and_chance_is_not() -> None:
    label = torch.arange(300) % 3
    spread = torch.randn(300, 2, generator=torch.Generator().manual_seed(0))
    assert neighbours_accuracy(spread + 100 * label[:, None], label) == 1.0
    assert neighbours_accuracy(spread, label) < 0.45


def test_where_there_are_few_all_others_are_neighbours() -> None:
    """Of three examples of one class and one of another, each of the three has two of its own among three."""
    codes, label = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.4, 0.4]]), torch.tensor([0, 0, 0, 1])
    assert neighbours_accuracy(codes, label) == 0.75


def test_planes_and_chance_stand_beside_the_model() -> None:
    held = subject()
    found = MEASURE.take(held)
    test = held.tested()
    planes = plane_codes(held.parts.train.frames.read(torch.arange(60)).flatten(1), test.x.flatten(1), 2)
    expected = {name: neighbours_accuracy(codes, test.label) for name, codes in planes.items()}
    assert found["baselines"] == {**expected, "chance": pytest.approx(1 / 3)}
    assert found["neighbours_accuracy"] == neighbours_accuracy(held.features(test.x), test.label)
    assert set(expected) == {"pca", "logistic_pca"} and found["examples"] == 45


def test_documents_stand_beside_latent_semantic_analysis() -> None:
    words = torch.rand(40, 16, generator=torch.Generator().manual_seed(0)).pow(4)
    part = Part.of(words / words.sum(1, keepdim=True), torch.arange(40) % 2)
    found = MEASURE.take(subject_of(Linear(Linear.Config(latent=2), (16,)).eval(), part, part))
    assert list(found["baselines"]) == ["pca", "lsa", "chance"]


def test_components_that_there_are_not_are_zero() -> None:
    codes = plane_codes(torch.rand(2, 7), torch.rand(4, 7), 2)
    assert list(codes) == ["pca"] and codes["pca"].shape == (4, 2) and not codes["pca"][:, 1].any()


def test_examples_without_a_label_are_left_out() -> None:
    held = subject()
    test = blobs(45, seed=1)
    half = replace(test, label=torch.where(torch.arange(45) < 30, test.label, -1))
    assert MEASURE.take(replace(held, parts=replace(held.parts, test=half)))["examples"] == 30


def test_the_picture_has_a_panel_for_each_plane() -> None:
    codes = torch.randn(60, 2)
    label = torch.arange(60) % 3
    one, two = drawn({"model": codes}, label), drawn({"model": codes, "pca": codes}, label)
    assert two.shape[0] == one.shape[0] and two.shape[1] - one.shape[1] == 4 * 110
    assert (drawn({"model": codes}, label, ("cat", "dog", "a very long name")).shape[1]) > one.shape[1]
    assert (drawn({"model": codes}, 2 - label) != one).any()
    assert picture(subject()).shape[1] > two.shape[1], "the model, PCA and logistic PCA"


def test_many_classes_and_codes_on_one_point_are_drawn() -> None:
    many = torch.arange(60) % 25
    assert drawn({"model": torch.zeros(60, 2)}, many).ndim == 3


def test_it_says_why_it_does_not_apply() -> None:
    assert applies(subject()) is None
    assert applies(subject(latent=3)) == "the model has 3 features, and codes are two"
    assert applies(subject(classes=1)) == "the test part has no labels"
    assert "video" in str(applies(replace(subject(), view=View(frames=3))))


def test_planes_are_fitted_on_the_training_part_and_chance_is_the_most_frequent_class() -> None:
    """Training pictures that vary along another direction than the test pictures' classes."""
    generator = torch.Generator().manual_seed(0)
    label = (torch.arange(90) % 5 == 0).long()
    test, train = (torch.rand(90, 6, generator=generator) / 50 + 0.5 for _ in range(2))
    test[:, 0] += 0.3 * label
    train[:, 1] += 0.4 * torch.rand(90, generator=generator)
    train[:, 2] += 0.4 * torch.rand(90, generator=generator)
    with seeded(0):
        model = Linear(Linear.Config(latent=2), (6,)).eval()
    found = MEASURE.take(subject_of(model, Part.of(train), Part.of(test, label)))["baselines"]
    assert found["chance"] == pytest.approx(72 / 90)
    expected = neighbours_accuracy(plane_codes(train, test, 2)["pca"], label)
    assert found["pca"] == pytest.approx(expected) and expected < 0.9
    assert neighbours_accuracy(plane_codes(test, test, 2)["pca"], label) == 1


def test_as_many_examples_are_used_as_described() -> None:
    assert (module.EXAMPLES, module.FITTED, module.NEIGHBOURS) == (5_000, 5_000, 5)
