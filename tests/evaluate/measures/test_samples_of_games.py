"""Parzen windows, nearest examples and reconstructions, against loops and numbers that are known."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from tests.evaluate.fakes import Linear, blobs, subject_of
from untaught.data.part import Part
from untaught.data.source import Parts
from untaught.evaluate.evaluate import evaluate
from untaught.evaluate.measures.nearest_class import nearest_accuracy
from untaught.evaluate.measures.parzen import DEVIATIONS, best_deviation, window_nats
from untaught.models.autoencoder import Autoencoder
from untaught.randomness import seeded


def test_parzen_window_against_a_double_loop() -> None:
    with seeded(0):
        samples, x = torch.rand(6, 3), torch.rand(4, 3)
    found = window_nats(samples, x, (0.2, 0.7))
    for row, sigma in enumerate((0.2, 0.7)):
        for column, one in enumerate(x):
            bumps = [torch.distributions.Normal(s.double(), sigma).log_prob(one.double()).sum().exp() for s in samples]
            assert float(found[row, column]) == pytest.approx(math.log(sum(map(float, bumps)) / 6), abs=1e-4)


def test_the_width_is_the_one_under_which_examples_are_most_probable() -> None:
    """Of one sample at the middle and examples with a deviation of 0.36, the nearest value of the grid."""
    with seeded(0):
        x = 0.36 * torch.randn(4000, 4)
    assert best_deviation(torch.zeros(1, 4), x) == pytest.approx(min(DEVIATIONS, key=lambda own: abs(own - 0.36)))


def test_real_examples_are_the_anchor() -> None:
    """A model whose samples are noise is below training examples; the width comes from the validation part alone."""
    with seeded(0):
        subject = subject_of(Linear(Linear.Config(), (1, 4, 4)).eval(), blobs(60), blobs(30, seed=1))
    found = evaluate(subject, ["parzen"])["parzen"]
    assert found["parzen_nats"] < found["baselines"]["training_examples"]
    assert found["deviation"] in DEVIATIONS and found["samples"] == len(subject.parts.train)
    assert found["parzen_nats_std_error"] > 0


def test_the_width_does_not_see_the_test_part() -> None:
    """Validation examples are training examples again, so that the narrowest bumps are best; test examples are not."""
    with seeded(0):
        train, test = blobs(60), Part.of(torch.rand(30, 1, 4, 4))
        subject = subject_of(Linear(Linear.Config(), (1, 4, 4)).eval(), train, test)
        subject = replace(subject, parts=Parts(train, train, test))
        x, other = (subject.pixels(part, 60).x.flatten(1) for part in (train, test))
    assert best_deviation(x, x) == DEVIATIONS[0] < best_deviation(x, other)
    with seeded(0):
        told = evaluate(subject, ["parzen"])["parzen"]
    expected = window_nats(x, other, (DEVIATIONS[0],)).mean()
    assert told["baselines"]["training_examples"] == pytest.approx(float(expected), rel=1e-4)


def test_nearest_class_against_a_double_loop() -> None:
    with seeded(0):
        known, asked = torch.randn(20, 3), torch.randn(12, 3)
        labels = torch.randint(3, (20,)), torch.randint(3, (12,))
    right = 0
    for one, label in zip(asked, labels[1], strict=True):
        apart = [float((one - other).norm()) for other in known]
        right += int(labels[0][apart.index(min(apart))] == label)
    assert nearest_accuracy([known, asked], labels) == pytest.approx(right / 12)


def test_own_reconstruction_of_a_model_that_halves() -> None:
    with seeded(0):
        train, test = blobs(60), blobs(30, seed=1)
        found = evaluate(
            subject_of(Linear(Linear.Config(keep=0.5), (1, 4, 4)).eval(), train, test), ["own_reconstruction"]
        )
    x = test.frames.read(test.first).float()
    x = x.div(255) if x.max() > 1 else x
    own, other = (x / 2).flatten(1).norm(dim=1).mean(), (x - x.roll(1, 0) / 2).flatten(1).norm(dim=1).mean()
    told = found["own_reconstruction"]
    assert told["own_distance"] == pytest.approx(float(own), rel=1e-4)
    assert told["baselines"]["another_example"] == pytest.approx(float(other), rel=1e-4)


def test_nearest_class_of_features_and_their_baselines() -> None:
    with seeded(0):
        subject = subject_of(Linear(Linear.Config(latent=3), (1, 4, 4)).eval(), blobs(60), blobs(30, seed=1))
    found = evaluate(subject, ["nearest_class"])["nearest_class"]
    assert 0 <= found["one_nearest_accuracy"] <= 1
    assert set(found["baselines"]) == {"raw_pixels", "random_weights", "pca"}


def test_nearest_class_by_each_layer() -> None:
    config = Autoencoder.Config(latent=2, hidden=(5,))
    with seeded(0):
        model = Autoencoder(config, (1, 4, 4)).eval()
    train, test = blobs(60), blobs(30, seed=1)
    found = evaluate(subject_of(model, train, test), ["nearest_class"])["nearest_class"]["of_layers"]
    (known, asked) = (part.frames.read(part.first) for part in (train, test))
    with torch.no_grad():
        layers = model.activations(known)
        assert set(found) == {name.replace(".", "_") for name in layers}
        for name in layers:
            pair = [model.activations(x, [name])[name].flatten(1) for x in (known, asked)]
            assert found[name.replace(".", "_")] == pytest.approx(nearest_accuracy(pair, (train.label, test.label)))
