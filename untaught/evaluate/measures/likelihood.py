r"""How probable the test examples are, in nats per example, and what kind of number that is.

For a machine with free energy F and partition function Z, and for a model with a lower bound that lacks only log Z,

    log p(x)  = -F(x) - log Z                                                              (1)
    log p(x) >= bound(x) - log Z                                                           (2)

Other models give their own. Z is exact where the smaller side has at most 20 units, 25 on a GPU (`partition`).
Elsewhere annealed importance sampling estimates it (`annealing`): on a GPU by 100 runs at Salakhutdinov's and Murray's
14,500 temperatures, else by 20 runs at half as many; machines of fewer than 784 units take fewer in proportion, as the
spread of the weights grows with the units. `log_likelihood_nats_low` and `_high` are (1) or (2) at the ends of log Z's
error bars; null is an infinite end. Backward runs give `log_likelihood_nats_backward`, which errs downwards where the
others err upwards: where the two differ, annealing was too fast for the machine, whatever the error bars say. Backward
runs begin at training examples, or at states inferred from these, after 300 steps of the chain. The two estimates
bracket the truth if these are draws of the machine. The pseudo-likelihood needs no Z and is exact, over all units of
100 examples:

    sum_i log p(x_i | x without i) = -sum_i log(1 + exp(F(x) - F(x with i flipped)))        (3)

A model with latent variables gives no likelihood, but draws from its approximate posterior do (`importance`): 5,000 for
each example on a GPU, else 500. Their number is `importance_samples`; `evidence_lower_bound_nats` is what one draw
would give, and `effective_samples` how many carry the estimate, on average over examples. The estimate is a lower bound
in expectation, and the more draws the higher.

Where the view binarises, each pixel is drawn once as 0 or 1 with its grey value as the probability. Baselines are
independent pixels with the training part's means, and coin flips. Where pixels are not binary, the independent pixels
also have its standard deviations, at least 0.1; then numbers are densities of what the model sees.

References:
    Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief networks. ICML.
    Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders. ICLR.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from untaught.errors import ConfigError
from untaught.evaluate.judgement.paired import beside_model
from untaught.evaluate.likelihood.annealing import Estimate, backward, forward, resampled, schedule, stepped
from untaught.evaluate.likelihood.importance import importance_bounds
from untaught.evaluate.likelihood.partition import LARGEST, exact_partition, smallest_side
from untaught.evaluate.measure import Groups, Headline, Measure, Quantities
from untaught.evaluate.quantity import Measured, Quantity, facts
from untaught.evaluate.subject import EXAMPLES, Subject
from untaught.model import Energy, LatentVariable, LowerBound, Model, Scores
from untaught.nn.noise import bernoulli
from untaught.shapes import Examples, PerExample


@dataclass(frozen=True)
class Effort:
    """Computation that a partition function may take."""

    runs: int = 20
    """Runs of annealed importance sampling, in each direction."""
    fineness: float = 0.5
    """Part of the paper's temperatures that a machine of 784 units takes; fewer units take fewer in proportion."""
    most_summed: int = 20
    """Units whose states are summed over at most."""
    draws: int = 500
    """Draws of each example's latent variables."""

    def tempers(self, energy: Energy) -> list[float]:
        """Temperatures for a machine."""
        return schedule(self.fineness * min(1.0, energy.base_rate().numel() / 784))


EFFORTS = {"cuda": Effort(100, 1.0, LARGEST, 5_000)}
"""By device; elsewhere the usual one: 30 seconds for 784-500 on one processor core."""
BURNT_IN = 300
"""Steps from training examples to approximate draws of the machine."""
LED = 1_000
"""Training examples whose states stand for draws of a bound's machine."""
FEW = 100
"""Examples of the pseudo-likelihood: each costs as many free energies as it has units."""
LEAST_DEVIATION = 0.1
QUICK, QUICK_FITTED = 200, 5_000
"""Test and training examples of the quick measure of a likelihood."""
QUICK_FREE_ENERGIES, FEWEST = 20_000, 4
"""Free energies of its pseudo-likelihood, one for each unit of each example, and the fewest examples."""
QUICK_DRAWS = 100
"""Draws of each example's latent variables in the quick measure."""
FEW_DRAWS = 2.0
"""Effective samples below which a likelihood hangs on one draw."""
APART = 2.0
"""Nats between both directions of annealing up to which their estimate is taken to be resolved."""
FEW_RUNS = 0.25
"""Part of the runs below which an estimate hangs on a few."""

NATS = Quantity(
    "log_likelihood_nats",
    title="log-likelihood",
    unit="nats per example",
    better="higher",
    spread_is="std_error",
    spoken="the log-likelihood",
    meaning="The mean logarithm of the probability that the model gives a test example ± its standard error over "
    "examples; near 0 is best. The ends of its error bar are three standard errors of the estimate of log Z away.",
)
LOW = Quantity(
    "log_likelihood_nats_low", title="log-likelihood, lower end of its error bar", unit="nats", absent="infinite"
)
HIGH = Quantity(
    "log_likelihood_nats_high", title="log-likelihood, upper end of its error bar", unit="nats", absent="infinite"
)
BACKWARD = Quantity(
    "log_likelihood_nats_backward", title="log-likelihood by runs backwards, which err downwards", unit="nats"
)
PSEUDO = Quantity(
    "pseudo_log_likelihood_nats",
    title="pseudo-log-likelihood",
    unit="nats per example",
    better="higher",
    spoken="the pseudo-log-likelihood",
    meaning="The sum of the logarithms of each value's probability given all others.",
)
ELBO = Quantity(
    "evidence_lower_bound_nats",
    title="evidence lower bound",
    unit="nats per example",
    meaning="What a single draw of the latent variables gives on average: the bound that a variational autoencoder "
    "ascends. It lacks the divergence of the approximate posterior from the true one.",
)
EFFECTIVE = Quantity(
    "effective_samples",
    title="draws that carry the likelihood",
    meaning="Of the draws of an example's latent variables so many carry the estimate, on average; 1 is the fewest.",
)
OTHERS = (
    Quantity("log_partition_nats", title="log Z", unit="nats"),
    Quantity("log_partition_kind", title="kind of log Z"),
    Quantity("log_partition_nats_low", title="log Z, lower end of its error bar", unit="nats", absent="infinite"),
    Quantity("log_partition_nats_high", title="log Z, upper end of its error bar", unit="nats", absent="infinite"),
    Quantity("log_partition_nats_backward", title="log Z from runs backwards", unit="nats"),
    Quantity("effective_runs"),
    Quantity("kind", title="kind of log-likelihood"),
)


def applies(subject: Subject) -> str | None:
    """None for models with a log-likelihood, a bound on it, an energy or latent variables."""
    model = subject.model
    if not isinstance(model, (Scores, LowerBound, Energy, LatentVariable)):
        return "the model has no likelihood, no bound on it, no energy and no latent variables"
    if isinstance(model, Energy) and not isinstance(model, (Scores, LowerBound)):
        try:
            model.free_energy(model.base_rate()[None])
        except ConfigError as error:  # a kind of unit without one
            return str(error)
    return None


def measure(subject: Subject) -> Groups:
    """Log-likelihood of the test part with error bars, and of trivial models, all in float64."""
    return likelihood(subject, EFFORTS.get(torch.device(subject.device).type, Effort()))


def likelihood(subject: Subject, effort: Effort) -> Groups:
    """The measure, at another cost."""
    device = subject.device if torch.device(subject.device).type != "mps" else "cpu"  # which has no float64
    model = deepcopy(subject.model).to(device, torch.float64)
    test, train = _seen(subject, subject.tested().x), _seen(subject, subject.pixels(subject.parts.train, EXAMPLES).x)
    binary = _is_binary(model, test)
    nats, kind, log_z, about = _judged(model, test.to(device), train.to(device), effort)
    trivial = _trivial(train, test, binary)
    mean = float(nats.mean())
    error = float(nats.std()) / math.sqrt(len(nats)) if len(nats) > 1 else None
    given = [NATS.of(mean - log_z.value, error, _beside(nats.cpu() - log_z.value, trivial)), *facts(kind=kind)]
    found: list[Quantity] = []
    if log_z.low < log_z.high:
        found += [LOW.of(_finite(mean - log_z.high)), HIGH.of(_finite(mean - log_z.low))]
        found += [BACKWARD.of(mean - about["log_partition_nats_backward"])]
    found += facts(**about)
    if isinstance(model, Energy) and not isinstance(model, LowerBound) and binary_units(model):
        few = torch.linspace(0, len(test) - 1, min(FEW, len(test))).long()
        own = pseudo_log_likelihood(model, test[few].to(device)).cpu()
        found += [PSEUDO.of(float(own.mean()), None, _beside(own, {name: one[few] for name, one in trivial.items()}))]
    return [given, found, facts(examples=len(test), pixels=_pixels(subject, test, binary))]


def speaks(subject: Subject) -> bool:
    """Whether a number that is no estimate of log Z can be had in seconds."""
    model = subject.model
    return isinstance(model, (Scores, LatentVariable)) or (isinstance(model, Energy) and binary_units(model))


def quick(subject: Subject) -> Groups:
    """The likelihood, or the pseudo-likelihood of a machine, of fewer examples and beside the trivial models."""
    model, device = subject.model, subject.device
    train = _seen(subject, subject.pixels(subject.parts.train, QUICK_FITTED).x)
    if isinstance(model, Scores):
        test = _seen(subject, subject.tested(QUICK).x)
        own, quantity = _each(lambda x: model.log_likelihood(x).nats, test.float().to(device)), NATS
    elif isinstance(model, LatentVariable):
        test = _seen(subject, subject.tested(QUICK).x)
        own, quantity = importance_bounds(model.log_weights, test.float().to(device), QUICK_DRAWS).nats, NATS
    else:
        assert isinstance(model, Energy)
        examples = max(FEWEST, QUICK_FREE_ENERGIES // model.base_rate().numel())
        test = _seen(subject, subject.tested(min(FEW, examples)).x)
        own, quantity = pseudo_log_likelihood(model, test.float().to(device)).double().cpu(), PSEUDO
    trivial = _trivial(train, test, _is_binary(model, test))
    return [[quantity.of(float(own.mean()), None, _beside(own, trivial)), *facts(examples=len(test))]]


def caution(found: Quantities) -> str:
    """Whether annealing was too fast for the machine, or draws of latent variables too few."""
    if EFFECTIVE.name in found and found[EFFECTIVE.name].value < FEW_DRAWS:
        return (
            f"This likelihood is too low: of {found['importance_samples'].value:,} draws of an example's latent "
            f"variables {found[EFFECTIVE.name].value:.1f} carry it, so more draws would raise it."
        )
    runs, effective = (found[name].value if name in found else None for name in ("runs", "effective_runs"))
    if runs is None or effective is None:
        return ""
    if effective <= FEW_RUNS * runs:
        return (
            f"This likelihood is not to be trusted: of {runs} annealing runs {effective:.1f} carry the estimate of log "
            "Z, so it errs, most likely in the model's favour. Compare it with the runs backwards, which err the other "
            "way."
        )
    directions = [found[one].value for one in ("log_partition_nats", "log_partition_nats_backward") if one in found]
    if len(directions) < 2 or (apart := abs(directions[0] - directions[1])) <= APART:
        return ""
    return (
        f"This likelihood is not resolved: runs backwards put it {apart:.1f} nats away. More runs or temperatures "
        "would bring the two together."
    )


def _beside(own: PerExample, nats: dict[str, PerExample]) -> dict[str, Measured]:
    """Trivial models' log-likelihoods, with the model's lead."""
    return {name: beside_model(own, one.cpu(), "higher") for name, one in nats.items()}


def _judged(
    model: Model, test: Tensor, train: Tensor, effort: Effort
) -> tuple[PerExample, str, Estimate, dict[str, Any]]:
    """What is known of each test example, what kind it is, the log Z that it lacks, and how that was found."""
    if isinstance(model, Scores):
        scores = model
        kind = scores.log_likelihood(test[:1]).kind
        return _each(lambda x: scores.log_likelihood(x).nats, test), kind, Estimate(0.0, 0.0, 0.0, math.inf), {}
    if isinstance(model, LowerBound):
        log_z, about = partition_function(model.machine(), effort, model.states_of(train[:LED]))
        kind = "lower bound" if about["log_partition_kind"] == "exact" else "estimate of a lower bound"
        return _each(model.unnormalised_bound, test), kind, log_z, about
    if isinstance(model, LatentVariable):
        # Single precision is enough for a draw: what the logarithm of a weight loses is far below its spread.
        found = importance_bounds(model.float().log_weights, test.float(), effort.draws)
        about = {
            ELBO.name: float(found.single.mean()),
            EFFECTIVE.name: float(found.effective.mean()),
            "importance_samples": effort.draws,
        }
        return found.nats, "lower bound", Estimate(0.0, 0.0, 0.0, math.inf), about
    assert isinstance(model, Energy)
    log_z, about = partition_function(model, effort, train)
    energy = model
    nats = -_each(lambda x: energy.free_energy(x), test)
    return nats, about["log_partition_kind"], log_z, about


def partition_function(energy: Energy, effort: Effort, near: Examples | None = None) -> tuple[Estimate, dict[str, Any]]:
    """Log Z in nats, exact where a side is small, else estimated, and how it was found.

    Args:
        energy: The machine, best in float64.
        effort: What it may cost.
        near: Examples from which chains soon reach draws of the machine; none takes the forward runs' ends.
    """
    side = smallest_side(energy)
    if side is not None and side.units <= effort.most_summed:
        exact = float(exact_partition(energy))
        return Estimate(exact, exact, exact, math.inf), {"log_partition_nats": exact, "log_partition_kind": "exact"}
    tempers = effort.tempers(energy)
    up, ends, weights = forward(energy, tempers, effort.runs)
    draws = resampled(ends, weights) if near is None else stepped(energy, near[: effort.runs], BURNT_IN)
    down = backward(energy, tempers, draws)
    return up, {
        "log_partition_nats": up.value,
        "log_partition_kind": "estimate",
        "log_partition_nats_low": _finite(up.low),
        "log_partition_nats_high": _finite(up.high),
        "log_partition_nats_backward": down.value,
        "effective_runs": up.effective,
        "runs": len(ends),
        "temperatures": len(tempers) - 1,
    }


def pseudo_log_likelihood(energy: Energy, x: Examples) -> PerExample:
    """Equation (3), of binary units, in nats."""
    found: list[Tensor] = []
    for one in x:
        units = one.numel()
        flipped = (one.flatten().expand(units, units) - torch.eye(units, dtype=x.dtype, device=x.device)).abs()
        gain = energy.free_energy(flipped.reshape(units, *one.shape)) - energy.free_energy(one[None])
        found.append(F.logsigmoid(gain).sum())
    return torch.stack(found)


def binary_units(energy: Energy) -> bool:
    """Whether every state of 0 and 1 is one of the visible units': then Z_0 = exp(-F_0(0)) prod (1 + exp(logit))."""
    rate = energy.base_rate()
    alone = F.softplus(rate).sum() - energy.free_energy(torch.zeros_like(rate)[None], 0.0)[0]
    return bool(torch.isclose(alone, torch.as_tensor(energy.base_partition()).to(alone), rtol=1e-6, atol=1e-6))


def independent(train: Tensor, x: Tensor, binary: bool) -> PerExample:
    """Log-likelihood of examples `x` under independent units with the mean, and the deviation, of others, in nats."""
    seen, x = train.flatten(1), x.flatten(1)
    if binary:
        rate = (seen.sum(0) + 1) / (len(seen) + 2)
        return x @ rate.log() + (1 - x) @ (-rate).log1p()
    deviation = seen.std(0, correction=0).clamp_min(LEAST_DEVIATION)
    return torch.distributions.Normal(seen.mean(0), deviation).log_prob(x).sum(1)


def _trivial(train: Tensor, test: Tensor, binary: bool) -> dict[str, PerExample]:
    found = {"independent_pixels": independent(train, test, binary)}
    if binary:
        found["coin_flips"] = torch.full((len(test),), -test[0].numel() * math.log(2), dtype=test.dtype)
    return found


def _seen(subject: Subject, pixels: Examples) -> Examples:
    """Examples as the model was trained on them, float64; drawn as 0 or 1 where it was, or where states are binary."""
    return subject.seen(bernoulli(pixels) if _draws(subject) else pixels).double()


def _draws(subject: Subject) -> bool:
    """Whether grey values are drawn: a likelihood of binary units is one of their states."""
    model, view = subject.model, subject.view
    energy = isinstance(model, Energy) and not isinstance(model, LowerBound)
    return view.binarise or (view.standardise == "none" and not energy and model.takes_probabilities(model.config))


def _is_binary(model: Model, x: Examples) -> bool:
    if bool(((x == 0) | (x == 1)).all()):
        return True
    return isinstance(model, Energy) and not isinstance(model, LowerBound) and binary_units(model)


def _pixels(subject: Subject, x: Examples, binary: bool) -> str:
    if _draws(subject):
        return "drawn as 0 or 1, each with its grey value as the probability"
    if binary:
        states = bool(((x == 0) | (x == 1)).all())
        return "0 or 1 as they are" if states else "grey values as they are, which makes no log-probability"
    return "numbers as the model sees them; log-likelihoods are of densities"


def _each(function: Callable[[Tensor], PerExample], x: Examples) -> PerExample:
    return torch.cat([function(some).double().cpu() for some in x.split(512)])


def _finite(value: float) -> float | None:
    """JSON has no infinity."""
    return value if math.isfinite(value) else None


MEASURE = Measure(
    title="How probable the data are",
    meaning="How probable the test examples are under the model, in nats, and what kind of number that is.",
    applies=applies,
    measure=measure,
    quantities=(NATS, PSEUDO, ELBO, EFFECTIVE, LOW, HIGH, BACKWARD, *OTHERS),
    headline=Headline((PSEUDO.name, NATS.name), ("independent_pixels", "coin_flips"), "examples", speaks, quick),
    caution=caution,
)
