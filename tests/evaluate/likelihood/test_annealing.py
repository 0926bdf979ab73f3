"""Annealed importance sampling against exact partition functions."""

import math

import pytest
import torch

from tests.evaluate.machines import draws, log_z, machine
from untaught.evaluate.likelihood.annealing import (
    RUNS,
    Estimate,
    annealed,
    backward,
    forward,
    log_mean,
    resampled,
    schedule,
    stepped,
)
from untaught.randomness import seeded

COARSE = [0.0, 0.4, 0.8, 1.0]


def test_the_schedule_is_the_papers() -> None:
    tempers = torch.tensor(schedule(), dtype=torch.float64)
    expected = [torch.linspace(a, b, n + 1, dtype=torch.float64) for a, b, n in (
        (0, 0.5, 500), (0.5, 0.9, 4000), (0.9, 1, 10000))]  # fmt: skip
    torch.testing.assert_close(tempers, torch.cat([expected[0], expected[1][1:], expected[2][1:]]))
    tenth = schedule(0.1)
    assert (tenth[0], tenth[-1], len(tenth)) == (0.0, 1.0, 1451)
    assert tenth == sorted(tenth)
    assert RUNS == 100


@pytest.mark.slow
def test_twenty_machines_within_three_standard_errors() -> None:
    """And not too well: the deviations are those of the error bars, so these are neither too wide nor too narrow."""
    far: list[float] = []
    for seed in range(20):
        rbm = machine(visible=8 + seed % 5, hidden=3 + seed % 4, scale=1.5, seed=seed)
        with seeded(100 + seed):
            found, _, _ = forward(rbm, schedule(0.01), runs=100)
        exact = log_z(rbm)
        assert found.low < exact < found.high
        error = (math.exp(found.high - found.value) - 1) / 3
        far.append((1 - math.exp(exact - found.value)) / error)
    spread = sum(z * z for z in far) / len(far)
    assert 0.3 < spread < 2.2  # of 20 squared normal deviates, once in 2,000 seeds each


def test_weights_are_unbiased_however_coarse_the_path() -> None:
    rbm = machine(seed=3)
    ratio = log_z(rbm) - float(rbm.base_partition())
    with seeded(0):
        start = rbm.gibbs_step(torch.zeros(40_000, 6, dtype=torch.float64), 0.0)
        _, weights = annealed(rbm, COARSE, start)
    relative = (weights - ratio).exp()
    error = float(relative.std()) / 200
    assert abs(float(relative.mean()) - 1) < 4 * error < 0.1
    assert float(weights.mean()) < ratio - 0.05  # a single run errs downwards


def test_weights_of_the_way_down_are_unbiased_too() -> None:
    rbm = machine(seed=3)
    ratio = float(rbm.base_partition()) - log_z(rbm)
    with seeded(0):
        _, weights = annealed(rbm, COARSE[::-1], draws(rbm, 40_000))
    relative = (weights - ratio).exp()
    error = float(relative.std()) / 200
    assert abs(float(relative.mean()) - 1) < 4 * error < 0.1


def test_forward_and_backward_bracket_the_exact_value_in_expectation() -> None:
    rbm = machine(seed=4, scale=1.5)
    exact, up, down = log_z(rbm), list[float](), list[float]()
    with seeded(0):
        for _ in range(100):
            up.append(forward(rbm, COARSE, runs=5)[0].value)
            down.append(backward(rbm, COARSE, draws(rbm, 5)).value)
    for values, sign in ((up, -1), (down, 1)):
        values = torch.tensor(values)
        assert sign * (float(values.mean()) - exact) > 3 * float(values.std()) / 10


def test_error_bars_contain_the_truth_as_often_as_they_say() -> None:
    rbm = machine(seed=5)
    exact = log_z(rbm)
    with seeded(0):
        found = [forward(rbm, schedule(0.005), runs=50)[0] for _ in range(30)]
    assert sum(each.low < exact < each.high for each in found) >= 28


def test_ends_of_runs_chosen_by_weight_are_draws_of_the_machine() -> None:
    rbm = machine(seed=6, scale=2.0)
    with seeded(0):
        _, ends, weights = forward(rbm, [0.0, 1.0], runs=40_000)
        mean, exact = resampled(ends, weights).mean(0), draws(rbm, 40_000).mean(0)
    assert (mean - exact).abs().max() < 0.02
    assert (ends.mean(0) - exact).abs().max() > 0.03  # unweighted they are not


def test_the_logarithm_of_a_mean_survives_weights_of_any_size() -> None:
    weights = torch.tensor([1.0, 2.0, 3.0, 6.0], dtype=torch.float64)
    found = log_mean(weights.log() + 5000)
    error = float(weights.std()) / 2
    assert found.value == pytest.approx(5000 + math.log(3))
    assert found.high == pytest.approx(5000 + math.log(3 + 3 * error))
    assert found.low == -math.inf  # three standard errors reach below zero
    assert found.effective == pytest.approx(12**2 / (1 + 4 + 9 + 36))
    assert log_mean(torch.full((7,), -3.0)) == Estimate(-3.0, -3.0, -3.0, 7.0)
    assert log_mean(torch.tensor([0.0, 0.01])).inverse().high > 0 > log_mean(torch.tensor([0.0, 0.01])).inverse().low


def test_steps_are_gibbs_steps() -> None:
    rbm = machine()
    begin = torch.ones(3, 6, dtype=torch.float64)
    with seeded(1):
        there = stepped(rbm, begin, 2)
    with seeded(1):
        assert torch.equal(there, rbm.gibbs_step(rbm.gibbs_step(begin)))
