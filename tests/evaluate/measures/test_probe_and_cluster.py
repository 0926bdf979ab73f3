"""Probes and clusters on classes that are easy, and on ones that are noise."""

from dataclasses import replace
from math import log
from typing import Any

import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from tests.evaluate.fakes import Linear, blobs, subject_of
from untaught.data.part import Part
from untaught.evaluate.measures import cluster, probe
from untaught.evaluate.representations import representations, scaled
from untaught.evaluate.subject import Subject
from untaught.nn.principal import principal
from untaught.randomness import seeded


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


def test_classifiers_are_scikit_learns_with_these_settings() -> None:
    """On classes that overlap, so that a penalty or a number of neighbours shows."""
    held = subject(spread=0.35)
    train, test = held.pixels(held.parts.train, 100), held.tested()
    fit, judged = (some.numpy() for some in scaled([held.features(train.x), held.features(test.x)]))
    theirs = {
        "ridge": RidgeClassifier(alpha=1.0), "linear_svm": LinearSVC(C=100 / 60, dual="auto", tol=1e-2, random_state=0),
        "logistic_regression": LogisticRegression(C=100 / 60), "nearest_neighbours": KNeighborsClassifier(5),
    }  # fmt: skip
    found = probe.MEASURE.take(held)
    for name, classifier in theirs.items():
        assert found[f"{name}_accuracy"] == pytest.approx(classifier.fit(fit, train.label).score(judged, test.label))


@pytest.mark.parametrize("count", [10, 5000])
def test_penalties_are_weaker_for_more_examples(count: int) -> None:
    """A hundredth of |w|^2 / 2 beside the mean loss, whatever the number: C = 100 / n; ridge has 1 throughout."""
    for name in ("logistic_regression", "linear_svm"):
        assert probe.CLASSIFIERS[name](0, count).get_params()["C"] == pytest.approx(100 / count)
    assert probe.CLASSIFIERS["ridge"](0, count).get_params()["alpha"] == 1
    assert probe.CLASSIFIERS["nearest_neighbours"](0, count).get_params()["n_neighbors"] == 5


def test_what_is_fitted_is_fitted_on_training_examples() -> None:
    """Classes of the training part in another order: nothing of the test part has taught them."""
    held = subject()
    turned = replace(held.parts.train, label=(held.parts.train.label + 1) % 3)
    wrong = replace(held, parts=replace(held.parts, train=turned))
    found = probe.MEASURE.take(wrong)
    assert max(found[f"{name}_accuracy"] for name in probe.CLASSIFIERS) < 0.05
    assert max(value["accuracy"] for value in found["few_labels"].values()) < 0.2
    (quick,) = probe.quick(wrong)
    assert quick[0].value < 0.05 and quick[0].baselines["raw_pixels"].value < 0.05
    mean = [held.features(held.tested().x).mean(0), held.features(held.pixels(turned, 100).x).mean(0)]
    first, second = scaled([held.features(held.pixels(turned, 100).x), held.features(held.tested().x)])
    assert first.mean(0).abs().max() < 1e-5 and not torch.allclose(mean[0], mean[1])
    assert second.mean(0).abs().max() > 1e-4


def test_groups_are_the_best_of_ten_starts() -> None:
    features = torch.randn(300, 8, generator=torch.Generator().manual_seed(0))
    theirs = KMeans(9, n_init=10, random_state=3).fit_predict(features.numpy())
    assert (cluster.grouped(features, 9, 3) == theirs).all()


def test_protocols_are_those_described() -> None:
    assert (probe.FEW, probe.DRAWS) == ((1, 3, 10, 100), 5)
    assert list(probe.few_draws(torch.arange(404) % 4, 0)) == [1, 3, 10, 100]


def test_untrained_networks_have_a_seed_of_their_own() -> None:
    """Weights drawn from the seed of the training would be those that the model began from, and near them still."""
    held = subject()
    with seeded(held.seed):
        begun = Linear(held.model.config, held.model.example)  # type: ignore[attr-defined]
    other = held.untrained().model
    assert isinstance(other, Linear) and not torch.equal(begun.weight, other.weight)


def test_principal_components_are_those_of_the_first_batch() -> None:
    held = subject(spread=0.3)
    first, second = held.pixels(held.parts.train, 100), held.tested()
    found = representations(held, [first, second])["pca"]
    plane = principal(first.x.flatten(1), 4)
    for ours, batch in zip(found, (first, second), strict=True):
        torch.testing.assert_close(ours, plane.encode(batch.x.flatten(1)))


@pytest.mark.parametrize("module", [probe, cluster], ids=["probe", "cluster"])
def test_classes_of_other_parts_do_not_count(module: Any) -> None:
    """All parts share one table of labels; a part whose own examples are of one class has nothing to be told apart."""
    whole = Part.of(torch.rand(20, 1, 4, 4), torch.tensor([0] * 10 + [1] * 10))
    first, last = whole.clips(torch.arange(10)), whole.clips(torch.arange(10, 20))
    assert module.applies(subject_of(subject().model, first, last)) is not None
    assert module.applies(subject_of(subject().model, whole, whole)) is None
