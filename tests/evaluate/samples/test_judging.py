"""Score, coverage and nearness against brute force; a generator that copies is found out."""

import math
from pathlib import Path

import pytest
import torch

from untaught.evaluate.samples.judge import judge_for, opinion
from untaught.evaluate.samples.nearest import AT_ONCE, copied, copying, nearest
from untaught.evaluate.samples.precision import precision_and_recall
from untaught.evaluate.samples.score import classifier_score
from untaught.randomness import seeded


def test_score_is_the_mean_divergence_from_the_mean_answer() -> None:
    with seeded(1):
        answers = torch.softmax(3 * torch.randn(40, 5), 1)
    answers[0] = torch.tensor([1.0, 0, 0, 0, 0])
    mean = answers.double().mean(0)
    nats = 0.0
    for each in answers.double():
        nats += sum(float(p) * math.log(float(p) / float(q)) for p, q in zip(each, mean, strict=True) if p > 0) / 40
    assert classifier_score(answers) == pytest.approx(math.exp(nats))
    assert classifier_score(torch.eye(5).repeat(3, 1)) == pytest.approx(5)
    assert classifier_score(torch.eye(5)[:1].repeat(9, 1)) == pytest.approx(1)


def test_nearest_is_that_of_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    with seeded(2):
        x, among = torch.randn(17, 3), torch.randn(23, 3)
    monkeypatch.setattr("untaught.evaluate.samples.nearest.AT_ONCE", 3 * 23)
    found = nearest(x, among, 2)
    for own, distance, place in zip(x, found.distance, found.place, strict=True):
        expected = sorted((float((own - other).norm()), number) for number, other in enumerate(among))[:2]
        assert distance.tolist() == pytest.approx([value for value, _ in expected], rel=1e-5)
        assert place.tolist() == [number for _, number in expected]
    assert AT_ONCE == 2**24


def test_a_copy_has_distance_zero() -> None:
    """Also far from the origin, where the form by products loses small distances."""
    with seeded(3):
        far = 100 + torch.rand(2000, 784)
    assert nearest(far[:5], far).distance.max() == 0


def test_copying_is_the_probability_of_being_nearer() -> None:
    with seeded(4):
        sampled, unseen = torch.randint(0, 6, (31,)).float(), torch.randint(0, 6, (17,)).float()
    pairs = [(a < b) + 0.5 * (a == b) for a in sampled.tolist() for b in unseen.tolist()]
    assert copying(sampled, unseen) == pytest.approx(sum(pairs) / len(pairs))
    assert copied(sampled, unseen + 1) == pytest.approx(float((sampled <= unseen.min() + 1).float().mean()))
    one_is_known = torch.cat([torch.zeros(1), torch.ones(200)])
    assert copied(torch.zeros(5), one_is_known) == 1, "one test example in the training set hides no copies"


def test_precision_and_recall_are_those_of_loops() -> None:
    with seeded(5):
        data, samples = torch.randn(40, 2), 0.4 * torch.randn(30, 2) + 0.3

    def within(x: torch.Tensor, balls: torch.Tensor) -> float:
        radii = [sorted(float((a - b).norm()) for b in balls)[3] for a in balls]
        inside = [any(float((own - a).norm()) <= r for a, r in zip(balls, radii, strict=True)) for own in x]
        return sum(inside) / len(inside)

    expected = within(samples, data), within(data, samples)
    assert precision_and_recall(data, samples, 3) == pytest.approx(expected)
    assert expected[0] > expected[1] + 0.1, "narrow samples are precise, and recall little"
    with pytest.raises(ValueError, match="more than 3"):
        precision_and_recall(data, samples[:3], 3)


def bars(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures of one noisy bar: the class is the row."""
    label = torch.randint(0, 4, (count,))
    x = 0.2 * torch.rand(count, 1, 8, 8)
    x[torch.arange(count), 0, 2 * label] += 0.8
    return x, label


@pytest.mark.slow
def test_the_judge_learns_the_classes_and_is_kept(tmp_path: Path) -> None:
    with seeded(6):
        (x, label), (new, new_label) = bars(300), bars(100)
        state = torch.get_rng_state()
        judge = judge_for(x, label, tmp_path)
        assert torch.equal(state, torch.get_rng_state()), "its seed is its own"
    first = opinion(judge, new)
    assert (first.probabilities.argmax(1) == new_label).float().mean() > 0.95
    (kept,) = tmp_path.iterdir()
    written = kept.stat().st_mtime_ns
    again = opinion(judge_for(x, label, tmp_path), new)
    assert torch.equal(first.features, again.features) and kept.stat().st_mtime_ns == written
    kept.write_bytes(kept.read_bytes()[:100])
    assert torch.equal(opinion(judge_for(x, label, tmp_path), new).features, first.features), "trained again"
    judge_for(x, label.flip(0), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2, "other labels have a judge of their own"
