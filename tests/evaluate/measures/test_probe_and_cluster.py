"""Probes and clusters on classes that are easy, and on ones that are noise."""

from dataclasses import replace
from math import log

import pytest
import torch
from sklearn.linear_model import LogisticRegression

from tests.evaluate.fakes import Linear, blobs, subject_of
from untaught.data.part import Part
from untaught.evaluate.measures import cluster, probe
from untaught.evaluate.representations import representations, scaled
from untaught.evaluate.subject import Subject


def subject(spread: float = 0.02, latent: int = 4) -> Subject:
    model = Linear(Linear.Config(latent=latent), (1, 4, 4)).eval()
    return subject_of(model, blobs(60, spread=spread), blobs(45, spread=spread, seed=1))


def test_easy_classes_are_found_in_every_way() -> None:
    found = probe.MEASURE.take(subject())
    for scores in (found, *found["baselines"].values()):
        named = {key: value for key, value in scores.items() if key.endswith("_accuracy")}
        assert len(named) == 4 and min(named.values()) > 0.95
    assert list(found["few_labels"]) == ["1", "3", "10"]
    assert set(found["baselines"]) == {"raw_pixels", "pca", "random_weights"}
    assert (found["train_examples"], found["test_examples"]) == (60, 45)


def test_noise_is_not_found() -> None:
    noise = Part.of(torch.rand(300, 1, 4, 4), torch.arange(300) % 3)
    found = probe.MEASURE.take(
        subject_of(subject().model, noise, Part.of(torch.rand(300, 1, 4, 4), torch.arange(300) % 3))
    )
    # a third by chance; the standard error of 300 guesses is 0.027
    assert all(abs(found[f"{name}_accuracy"] - 1 / 3) < 5 * 0.027 for name in probe.CLASSIFIERS)


def test_few_labels_are_that_many_of_each_class() -> None:
    label = torch.arange(40) % 2
    draws = probe.few_draws(label, seed=0)
    assert list(draws) == [1, 3, 10] and {len(each) for each in draws.values()} == {probe.DRAWS}
    for count, each in draws.items():
        assert all(label[some].bincount().tolist() == [count, count] for some in each)
        assert len({tuple(some.tolist()) for some in each}) > 1


def test_few_labels_report_the_mean_and_spread_over_draws() -> None:
    held = subject(spread=0.3)
    found = probe.MEASURE.take(held)["few_labels"]["3"]
    train, test = held.pixels(held.parts.train, 100), held.tested()
    fit, judged = scaled([held.features(train.x), held.features(test.x)])
    scores = torch.tensor([
        LogisticRegression(C=100 / 9, max_iter=100).fit(fit[some], train.label[some]).score(judged, test.label)
        for some in probe.few_draws(train.label, held.seed)[3]
    ])  # fmt: skip
    assert found["accuracy"] == pytest.approx(float(scores.mean()))
    assert found["accuracy_std"] == pytest.approx(float(scores.std(correction=0)))
    assert found["accuracy_std"] > 0


def test_examples_without_a_label_are_left_out() -> None:
    held = subject()
    label = held.parts.train.label.clone()
    label[::2] = -1
    found = probe.MEASURE.take(replace(held, parts=replace(held.parts, train=replace(held.parts.train, label=label))))
    assert found["train_examples"] == 30


@pytest.mark.parametrize("module", [probe, cluster])
def test_they_need_labels_and_features(module: object) -> None:
    assert module.applies(subject()) is None
    unlabelled = Part.of(torch.rand(4, 1, 4, 4))
    assert "labels" in module.applies(subject_of(subject().model, unlabelled, unlabelled))


def test_easy_groups_are_the_classes() -> None:
    found = cluster.MEASURE.take(subject())
    assert found["normalised_mutual_information"] == found["adjusted_rand_index"] == pytest.approx(1)
    assert found["clusters"] == 3 and set(found["baselines"]) == {"raw_pixels", "pca", "random_weights"}


def test_agreement_is_its_formula() -> None:
    """Mutual information, entropies and pairs counted in plain loops."""
    features = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    label = (features[:, 0] + torch.randn(60, generator=torch.Generator().manual_seed(1)) > 0).long()
    group = torch.as_tensor(cluster.grouped(features, 2, 0)).long()
    joint = [[int(((label == u) & (group == v)).sum()) for v in (0, 1)] for u in (0, 1)]
    rows, columns = [sum(row) for row in joint], [sum(column) for column in zip(*joint, strict=True)]
    cells = [(u, v) for u in (0, 1) for v in (0, 1) if joint[u][v]]
    mutual = sum(joint[u][v] / 60 * log(60 * joint[u][v] / rows[u] / columns[v]) for u, v in cells)
    entropy = [-sum(n / 60 * log(n / 60) for n in side) for side in (rows, columns)]
    pairs = [(i, j) for i in range(60) for j in range(i)]
    same = [(bool(label[i] == label[j]), bool(group[i] == group[j])) for i, j in pairs]
    both, one, other = (sum(f(a, b) for a, b in same) for f in (lambda a, b: a and b, lambda a, b: a, lambda a, b: b))
    expected = one * other / len(pairs)
    found = cluster.agreement(features, label, seed=0)
    assert found["normalised_mutual_information"] == pytest.approx(2 * mutual / sum(entropy))
    assert found["adjusted_rand_index"] == pytest.approx((both - expected) / ((one + other) / 2 - expected))


def test_scaling_centres_and_divides_by_one_number() -> None:
    generator = torch.Generator().manual_seed(0)
    fit, other = 5 + torch.randn(50, 4, generator=generator) * torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.ones(2, 4)
    first, second = scaled([fit, other])
    assert torch.allclose(first.mean(0), torch.zeros(4), atol=1e-5)
    assert float(first.square().mean()) == pytest.approx(1)
    ratio = (fit - fit.mean(0)) / first
    assert torch.allclose(ratio, ratio[0, 0].expand_as(ratio), rtol=1e-3)
    assert torch.allclose(second, (other - fit.mean(0)) / ratio[0, 0], atol=1e-5)


def test_random_weights_are_other_weights_of_the_same_network() -> None:
    held = subject()
    batch = held.tested()
    described = representations(held, [batch])
    assert described["random_weights"][0].shape == described["model"][0].shape == (45, 4)
    assert not torch.allclose(described["random_weights"][0], described["model"][0])
    again = representations(held, [batch])
    assert torch.equal(described["random_weights"][0], again["random_weights"][0])
    assert described["pca"][0].shape == (45, 4) and described["raw_pixels"][0].shape == (45, 16)


def test_bits_have_the_signs_of_components_beside_them() -> None:
    """The signs by hand: of the projections of centred pixels on the eigenvectors of their covariance."""
    held = subject()
    assert isinstance(held.model, Linear)
    batch = held.tested()
    assert "pca_bits" not in representations(held, [batch])
    held.model.encode = lambda x: (x.flatten(1)[:, :4] > 0.5).to(x.dtype)  # type: ignore[method-assign]
    bits = representations(held, [batch])["pca_bits"][0]
    centred = batch.x.flatten(1) - batch.x.flatten(1).mean(0)
    largest = torch.linalg.eigh(centred.T @ centred)[1][:, -4:].flip(1)
    agreement = (bits == (centred @ largest > 0)).float().mean(0)
    assert ((agreement > 0.99) | (agreement < 0.01)).all(), "an eigenvector is known but for its sign"
