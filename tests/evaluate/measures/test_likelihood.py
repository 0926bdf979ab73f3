"""Log-likelihoods as measures give them, against sums over all states."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import oracles
import pytest
import torch
from torch import Tensor

from tests.evaluate import machines
from tests.evaluate.fakes import Linear, subject_of
from untaught.data.part import Part
from untaught.data.view import View
from untaught.evaluate.evaluate import evaluate
from untaught.evaluate.measures import likelihood as measure_file
from untaught.evaluate.measures.likelihood import (
    MEASURE,
    Effort,
    applies,
    binary_units,
    independent,
    likelihood,
    partition_function,
    pseudo_log_likelihood,
)
from untaught.evaluate.quantity import facts
from untaught.evaluate.subject import Subject
from untaught.model import Energy, LogLikelihood, LowerBound, Model, Scores, Smoke, Stage
from untaught.models.rbm import RBM
from untaught.nn.noise import bernoulli
from untaught.randomness import seeded

GREY = torch.rand(400, 6, generator=torch.Generator().manual_seed(0))


def subject(model: Model, x: Tensor = GREY, view: View | None = None) -> Subject:
    return subject_of(model.eval(), Part.of(x), Part.of(x), view or View(binarise=True))


def single(seed: int = 0, **sizes: int) -> RBM:
    """As training leaves a machine: float32."""
    return machines.machine(seed=seed, **sizes).float()


class Flat(Model, Scores):
    """Every state of binary units is as likely."""

    def __init__(self) -> None:
        super().__init__()

    def stages(self) -> Sequence[Stage]:
        """Nothing is trained."""
        return ()

    def log_likelihood(self, x: Tensor) -> LogLikelihood:
        """The same for all."""
        return LogLikelihood(torch.full((len(x),), -x[0].numel() * math.log(2.0), dtype=x.dtype), "exact")


class TwoLayers(Model, LowerBound):
    """A machine over h, below it units x with p(x_i = 1 | h) = s((U h)_i), and q(h|x) with means s(U' x)."""

    smoke = Smoke(config=None, shape=(1, 2, 3), binary=True)

    def __init__(self) -> None:
        super().__init__()
        self.config = None
        self.top = machines.machine(visible=4, hidden=3, seed=1)
        with seeded(2):
            self.down = torch.nn.Parameter(torch.randn(6, 4))

    def stages(self) -> Sequence[Stage]:
        """Nothing is trained."""
        return ()

    def machine(self) -> Energy:
        """The machine over h."""
        return self.top

    def below(self, x: Tensor, h: Tensor) -> Tensor:
        """Log p(x|h) of every pair, `(x, h)`."""
        p = torch.sigmoid(h @ self.down.T.to(h))
        return x @ p.log().T + (1 - x) @ (1 - p).log().T

    def states_of(self, x: Tensor) -> Tensor:
        """Draws from q."""
        return bernoulli(torch.sigmoid(x.flatten(1) @ self.down))

    def unnormalised_bound(self, x: Tensor) -> Tensor:
        """The expectation over all 16 states of h."""
        h = oracles.states(4)
        mean = torch.sigmoid(x @ self.down.to(x))
        q = (mean[:, None] * h + (1 - mean[:, None]) * (1 - h)).prod(2)
        return (q * (self.below(x, h) - self.top.free_energy(h) - q.log())).sum(1)

    def exact(self, x: Tensor) -> Tensor:
        """Log p(x) by the sum over h."""
        h = oracles.states(4)
        return torch.logsumexp(self.below(x, h) - self.top.free_energy(h), 1) - machines.log_z(self.top)


def exact_mean(rbm: RBM, x: Tensor) -> float:
    double = rbm.double()
    p = oracles.rbm_joint(double.weight, double.visible_bias, double.hidden_bias).sum(1)
    return float(p.log()[oracles.state_numbers(x)].mean())


def test_a_small_machine_is_exact() -> None:
    found = evaluate(subject(single()), ["likelihood"])["likelihood"]
    with seeded(0):
        x = (torch.rand(400, 6) < GREY).double()
    assert found["log_likelihood_nats"] == pytest.approx(exact_mean(single(), x), abs=1e-6)
    assert found["kind"] == found["log_partition_kind"] == "exact"
    assert found["log_partition_nats"] == pytest.approx(machines.log_z(machines.machine()), abs=1e-5)
    assert "log_likelihood_nats_low" not in found and "runs" not in found
    assert found["examples"] == 400 and found["pixels"].startswith("drawn")
    assert next(iter(found)) == "log_likelihood_nats"


def test_a_large_machine_is_estimated_and_its_error_bars_hold_the_truth() -> None:
    rbm, x = single(seed=7), GREY.round()
    with seeded(1):
        found = MEASURE.as_json(likelihood(subject(rbm, x, View()), Effort(100, 2.6, most_summed=3)))
    exact = exact_mean(single(seed=7), x)
    assert found["kind"] == "estimate"
    assert found["log_likelihood_nats_low"] < exact < found["log_likelihood_nats_high"]
    assert found["log_likelihood_nats_low"] < found["log_likelihood_nats"] < found["log_likelihood_nats_high"]
    assert found["log_partition_nats_backward"] == pytest.approx(found["log_partition_nats"], abs=0.5)
    gap = found["log_partition_nats_backward"] - found["log_partition_nats"]
    assert found["log_likelihood_nats_backward"] == pytest.approx(found["log_likelihood_nats"] - gap)
    assert (found["runs"], found["temperatures"]) == (100, 289) and 1 <= found["effective_runs"] <= 100
    assert found["pixels"] == "0 or 1 as they are"


def test_a_bound_is_below_the_exact_value_and_says_so() -> None:
    model, x = TwoLayers(), GREY.round()
    found = evaluate(subject(model, x, View()), ["likelihood"])["likelihood"]
    with torch.no_grad():
        exact = model.double().exact(x.double())
        bound = model.unnormalised_bound(x.double()) - machines.log_z(model.top)
    assert (bound < exact).all()
    assert found["kind"] == "lower bound" and found["log_partition_kind"] == "exact"
    assert found["log_likelihood_nats"] == pytest.approx(float(bound.mean()), abs=1e-5)
    assert "pseudo_log_likelihood_nats" not in found


def test_a_bounds_machine_is_annealed_both_ways_without_examples_of_it() -> None:
    top = machines.machine(visible=4, hidden=3, seed=1)
    with seeded(0):
        estimate, about = partition_function(top, Effort(100, 4.0, most_summed=2))
    assert estimate.low < machines.log_z(top) < estimate.high
    assert about["log_partition_nats_backward"] == pytest.approx(machines.log_z(top), abs=0.3)


def test_models_that_score_are_asked_and_coin_flips_are_flat() -> None:
    found = evaluate(subject(Flat()), ["likelihood"])["likelihood"]
    assert found["kind"] == "exact"
    assert found["log_likelihood_nats"] == pytest.approx(-6 * math.log(2))
    assert found["baselines"]["coin_flips"] == pytest.approx(-6 * math.log(2))
    assert found["log_likelihood_nats_std_error"] == pytest.approx(0, abs=1e-9)


def test_independent_pixels_are_one_bernoulli_each() -> None:
    train, x = GREY[:300].double(), GREY[300:].round().double()
    rate = (train.sum(0) + 1) / 302
    expected = [sum(math.log(p if v else 1 - p) for v, p in zip(row, rate.tolist(), strict=True)) for row in x.tolist()]
    torch.testing.assert_close(independent(train, x, True).tolist(), expected)
    constant = torch.cat([torch.zeros(300, 1).double(), train], 1)
    assert independent(constant, torch.cat([torch.ones(100, 1).double(), x], 1), True).isfinite().all()


def test_densities_are_told_and_have_gaussian_baselines() -> None:
    x = 0.3 + 0.2 * torch.randn(4000, 3, generator=torch.Generator().manual_seed(1)).double()
    entropy = 3 * (0.5 * math.log(2 * math.pi * math.e) + math.log(0.2))
    assert float(independent(x, x, False).mean()) == pytest.approx(-entropy, abs=0.05)


def test_coin_flips_are_a_baseline_of_binary_values_alone() -> None:
    x = torch.rand(20, 3).double()
    assert set(measure_file._trivial(x, x, True)) == {"independent_pixels", "coin_flips"}
    assert set(measure_file._trivial(x, x, False)) == {"independent_pixels"}


@pytest.mark.parametrize(("value", "binary"), [(0.0, True), (1.0, True), (0.5, False)])
def test_values_are_binary_where_all_are_zero_or_one(value: float, binary: bool) -> None:
    x = torch.tensor([[0.0, 1.0], [1.0, value]])
    assert measure_file._is_binary(Flat(), x) is binary


def test_grey_values_under_binary_units_are_no_log_probability() -> None:
    found = evaluate(subject(single(), view=View()), ["likelihood"])["likelihood"]
    assert "no log-probability" in found["pixels"]
    drawn = evaluate(subject(single()), ["likelihood"])["likelihood"]
    assert found["log_likelihood_nats"] > drawn["log_likelihood_nats"]


def test_pseudo_likelihood_is_the_product_of_conditionals() -> None:
    rbm = machines.machine(seed=8)
    x = GREY[:5].round().double()
    p = oracles.rbm_joint(rbm.weight, rbm.visible_bias, rbm.hidden_bias).sum(1)
    expected = torch.zeros(5, dtype=torch.float64)
    for unit in range(6):
        flipped = x.clone()
        flipped[:, unit] = 1 - flipped[:, unit]
        here, there = p[oracles.state_numbers(x)], p[oracles.state_numbers(flipped)]
        expected += (here / (here + there)).log()
    torch.testing.assert_close(pseudo_log_likelihood(rbm, x), expected)


def test_binary_units_are_recognised_by_their_base_partition() -> None:
    assert binary_units(machines.machine())
    gaussian = RBM(replace(RBM.smoke.config, visible="gaussian"), (6,)).double()
    softmax = RBM(replace(RBM.smoke.config, visible="softmax"), (6,)).double()
    assert not binary_units(gaussian) and not binary_units(softmax)


def test_one_test_example_has_no_standard_error() -> None:
    found = evaluate(replace(subject(single()), limit=1), ["likelihood"])["likelihood"]
    assert found["log_likelihood_nats_std_error"] is None and math.isfinite(found["log_likelihood_nats"])


def test_the_model_is_left_as_it_was() -> None:
    rbm = single()
    before = {key: value.clone() for key, value in rbm.state_dict().items()}
    evaluate(subject(rbm), ["likelihood"])
    assert all(torch.equal(value, before[key]) for key, value in rbm.state_dict().items())
    assert rbm.weight.dtype == torch.float32


def test_it_says_why_it_does_not_apply() -> None:
    assert applies(subject(single())) is applies(subject(TwoLayers())) is applies(subject(Flat())) is None
    assert "no likelihood" in str(applies(subject(Linear(Linear.Config(), (6,)))))
    rectified = RBM(replace(RBM.smoke.config, hidden_units="relu"), (6,))
    assert "energy" in str(applies(subject(rectified)))


def test_a_gpu_makes_more_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure_file, "likelihood", lambda held, effort: [facts(effort=effort)])
    usual, larger = (MEASURE.take(replace(subject(single()), device=device)) for device in ("cpu", "cuda"))
    assert usual == {"effort": Effort(20, 0.5, 20)} and larger == {"effort": Effort(100, 1.0, 25, 5_000)}


def test_smaller_machines_take_fewer_temperatures() -> None:
    assert len(Effort(fineness=1.0).tempers(RBM(RBM.Config(hidden=5), (1, 28, 28)))) == 14_501
    assert len(Effort().tempers(RBM(RBM.Config(hidden=5), (1, 56, 28)))) == 7_251
    assert len(Effort().tempers(RBM(RBM.Config(hidden=5), (1, 14, 14)))) == 62 + 500 + 1250 + 1


def apart(model: Model, view: View | None = None) -> tuple[Subject, Tensor, Tensor]:
    """Training pictures that are darker than the test pictures."""
    train, test = GREY[:200].square().square(), GREY[200:]
    return subject_of(model.eval(), Part.of(train), Part.of(test), view or View(binarise=True)), train, test


def test_independent_pixels_have_the_means_of_the_training_part() -> None:
    held, train, test = apart(single())
    found = evaluate(held, ["likelihood"])["likelihood"]["baselines"]["independent_pixels"]
    rate = train.double().mean(0)
    expected = (test.double() * rate.log() + (1 - test.double()) * (1 - rate).log()).sum(1).mean()
    assert found == pytest.approx(float(expected), rel=0.05)
    (quick,) = MEASURE.headline.quick(held) if MEASURE.headline else ()
    assert quick[0].baselines["independent_pixels"].value == pytest.approx(float(expected), rel=0.15)
    own = test.double().mean(0)
    best = (own * own.log() + (1 - own) * (1 - own).log()).sum()
    assert expected < best - 1


def test_grey_values_are_drawn_and_not_cut() -> None:
    """Each pixel is 1 as often as its grey value says: of a value of 0.2 in one of five pictures."""
    grey = torch.full((4000, 6), 0.2)
    held = subject_of(Flat().eval(), Part.of(grey), Part.of(grey), View(binarise=True))
    with seeded(0):
        seen = measure_file._seen(held, grey)
    assert seen.unique().tolist() == [0, 1]
    assert (seen.mean(0) - 0.2).abs().max() < 4.5 * 0.4 / 4000**0.5


def test_standard_error_is_that_of_the_mean_over_examples() -> None:
    rbm, x = single(), GREY.round()
    found = evaluate(subject(rbm, x, View()), ["likelihood"])["likelihood"]
    p = oracles.rbm_joint(*(value.double() for value in (rbm.weight, rbm.visible_bias, rbm.hidden_bias))).sum(1)
    each = p.log()[oracles.state_numbers(x)]
    assert found["log_likelihood_nats_std_error"] == pytest.approx(float(each.std()) / 400**0.5, rel=1e-4)


def test_runs_backwards_begin_at_training_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or at states inferred from these, after 300 steps of the chain."""
    begun: list[tuple[Tensor, int]] = []

    def stepped(energy: Energy, visible: Tensor, steps: int) -> Tensor:
        begun.append((visible, steps))
        return visible

    monkeypatch.setattr(measure_file, "stepped", stepped)
    effort = Effort(20, 0.5, most_summed=2)
    held, train, _ = apart(single(), View())
    binary = replace(held, parts=replace(held.parts, train=Part.of(train.round())))
    likelihood(binary, effort)
    assert torch.equal(begun[0][0], train.round()[:20].double()) and begun[0][1] == 300
    model = TwoLayers()
    inferred: list[Tensor] = []
    model.states_of = lambda x: (inferred.append(x), torch.ones(len(x), 4).double())[1]  # type: ignore[method-assign]
    monkeypatch.setattr(measure_file, "deepcopy", lambda own: own)
    likelihood(replace(binary, model=model), effort)
    assert torch.equal(inferred[0], train.round().double())


@pytest.mark.parametrize(("effective", "told"), [(4.9, True), (5.1, False)])
def test_an_estimate_that_hangs_on_a_few_runs_is_not_to_be_trusted(effective: float, told: bool) -> None:
    """Fewer than a quarter of the runs."""
    quantities = {one.name: one for one in facts(runs=20, effective_runs=effective)}
    assert bool(measure_file.caution(quantities)) == told


@pytest.mark.parametrize(("backward", "told"), [(101.9, ""), (102.1, "2.1 nats away"), (97.0, "3.0 nats away")])
def test_directions_of_annealing_that_differ_are_told(backward: float, told: str) -> None:
    """By more than two nats, whatever the error bars say."""
    directions = {"log_partition_nats": 100.0, "log_partition_nats_backward": backward}
    said = measure_file.caution({one.name: one for one in facts(runs=20, effective_runs=19.0, **directions)})
    assert told in said and bool(said) == bool(told)


def test_deviations_of_constant_values_have_a_floor() -> None:
    """0.1: a value that never varied in training would make every other one impossible."""
    found = independent(torch.zeros(9, 1).double(), torch.tensor([[0.0], [0.2]]).double(), False)
    expected = torch.distributions.Normal(0.0, 0.1).log_prob(torch.tensor([0.0, 0.2]).double())
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
