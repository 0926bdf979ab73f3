"""The divergence of models whose distribution over all pictures can be summed another way."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.evaluate.fakes import Linear, subject_of
from tests.oracles import rbm_joint, state_numbers, states
from untaught.config import configuration
from untaught.data.part import Distribution, Part
from untaught.data.sets.bars import Options, distribution
from untaught.data.source import open_data
from untaught.data.view import View
from untaught.evaluate.measures.divergence import MEASURE, applies, divergence_bits, independent_pixels
from untaught.evaluate.subject import Subject
from untaught.model import Example, LogLikelihood, Model, Scores, Stage
from untaught.models.rbm import RBM
from untaught.models.sigmoid_belief import SigmoidBelief
from untaught.randomness import seeded

SMALL = "bars?size=2&examples=20&validation=5&test=5"
SHAPE = (1, 2, 2)


class Coin(Model, Scores):
    """Every pixel is on with one probability."""

    @configuration
    class Config:
        """The probability."""

        on: float = 0.5
        """Of each pixel."""
        exact: bool = True
        """Whether it says that it is exact."""

    config: Config

    def __init__(self, config: Config, example: Example | tuple[int, ...]) -> None:
        super().__init__()
        self.config, self.example = config, Example.of(example)

    def stages(self) -> tuple[Stage, ...]:
        """Nothing is trained."""
        return ()

    def log_likelihood(self, x: Tensor) -> LogLikelihood:
        """Of coins."""
        count = x.flatten(1).sum(1)
        nats = count * math.log(self.config.on) + (x[0].numel() - count) * math.log(1 - self.config.on)
        return LogLikelihood(nats, "exact" if self.config.exact else "lower bound")


def subject(model: Model, view: View | None = None) -> Subject:
    parts = open_data(SMALL).parts()
    return subject_of(model.eval(), parts.train, parts.test, view)


def by_hand(known: Distribution, q: dict[int, float]) -> float:
    """The sum over pictures, one by one; q by the number of the picture."""
    numbers = state_numbers(known.examples.flatten(1)).tolist()
    return sum(p * math.log2(p / q[n]) for p, n in zip(known.probability.tolist(), numbers, strict=True))


def test_of_coins_and_of_baselines() -> None:
    known = distribution(Options(size=2))
    found = MEASURE.take(subject(Coin(Coin.Config(on=0.3), SHAPE)))
    coins = {n: math.prod(0.3 if bit else 0.7 for bit in row) for n, row in enumerate(states(4).tolist())}
    assert found["divergence_bits"] == pytest.approx(by_hand(known, coins), rel=1e-6)
    assert found["baselines"]["uniform"] == pytest.approx(4 - found["entropy_bits"])
    # Every pixel is part of one bar of either orientation, so it is on with probability 0.2.
    best = {n: math.prod(0.2 if bit else 0.8 for bit in row) for n, row in enumerate(states(4).tolist())}
    assert found["baselines"]["independent_pixels"] == pytest.approx(by_hand(known, best))
    assert found["pictures"] == 6


def test_independent_pixels_are_the_best_of_their_kind() -> None:
    known = distribution(Options(size=2))
    least = divergence_bits(known.probability, independent_pixels(known))
    with seeded(0):
        for mean in torch.rand(200, 4).double():
            other = torch.where(known.examples.flatten(1).bool(), mean, 1 - mean).log().sum(1)
            assert divergence_bits(known.probability, other) > least


@torch.no_grad()
def test_of_a_machine_whose_partition_function_is_summed() -> None:
    with seeded(3):
        machine = RBM(replace(RBM.smoke.config, initial_scale=1.0), SHAPE)
        with torch.no_grad():
            machine.visible_bias.copy_(torch.randn(4))
            machine.hidden_bias.copy_(torch.randn(4))
    joint = rbm_joint(*(value.double() for value in (machine.weight, machine.visible_bias, machine.hidden_bias)))
    expected = by_hand(distribution(Options(size=2)), dict(enumerate(joint.sum(1).tolist())))
    assert MEASURE.take(subject(machine))["divergence_bits"] == pytest.approx(expected, rel=1e-5)


@torch.no_grad()
def test_of_a_sigmoid_belief_network() -> None:
    with seeded(3):
        network = SigmoidBelief(SigmoidBelief.Config(hidden=(3, 2), initial_scale=1.0), SHAPE)
    q = network.generative.marginal(0).exp().tolist()
    expected = by_hand(distribution(Options(size=2)), dict(enumerate(q)))
    assert MEASURE.take(subject(network))["divergence_bits"] == pytest.approx(expected, rel=1e-5)


def test_nothing_is_left_where_model_and_data_agree() -> None:
    p = distribution(Options()).probability
    assert divergence_bits(p, p.log()) == 0


def test_it_says_why_it_does_not_apply() -> None:
    coin, part = Coin(Coin.Config(), SHAPE), Part.of(torch.zeros(5, *SHAPE))
    large = SigmoidBelief(SigmoidBelief.Config(hidden=(20,)), SHAPE)
    machine = RBM(RBM.Config(hidden=30), SHAPE)
    assert applies(subject(coin)) is None and applies(subject(machine)) is None
    assert applies(subject_of(coin, part, part)) == "the distribution of the data is not known"
    assert "no likelihood" in str(applies(subject(Linear(Linear.Config(), SHAPE))))
    assert "a lower bound" in str(applies(subject(Coin(Coin.Config(exact=False), SHAPE))))
    assert "a lower bound" in str(applies(subject(large)))
    grey = RBM(RBM.Config(hidden=4, visible="gaussian"), SHAPE)
    assert "not one of binary pictures" in str(applies(subject(grey)))
    assert "cannot be summed" in str(applies(subject(RBM(RBM.Config(hidden=30, visible="gaussian"), SHAPE))))
    assert "standardised" in str(applies(subject(coin, View(standardise="all"))))
