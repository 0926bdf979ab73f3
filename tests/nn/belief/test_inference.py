"""Ways to infer hidden units against the true posterior, and what each cannot represent."""

import math

import pytest
import torch
from torch import Tensor

from tests.nn.belief.test_network import UNITS, joint, network
from tests.oracles import standard_error, state_numbers, states
from untaught.nn.belief.inference import Exact, Factorial, Inference, Recognition
from untaught.nn.belief.network import BeliefNetwork, independent
from untaught.randomness import seeded

VISIBLE = states(4)
HIDDEN = states(7)
SEEN = torch.ones(1, 1, dtype=torch.float64)


def posterior() -> Tensor:
    """p(all hidden units | visible) of every visible state, `(16, 128)`."""
    both = joint().flatten(1)
    return both / both.sum(1, keepdim=True)


def factorial(sweeps: int = 20) -> Factorial:
    return Factorial(network(), sweeps)


def recognition() -> Recognition:
    with seeded(5):
        return Recognition(UNITS, 1.0).double()


def house() -> BeliefNetwork:
    """A house jumps (20 to -20 in logits) if a truck hits it or the earth quakes, each once in 20,000 days or so."""
    made = BeliefNetwork((1, 2)).double()
    with torch.no_grad():
        made.weights[0].fill_(20)
        made.biases[0].fill_(-20)
        made.biases[1].fill_(-10)
    return made


def test_exact_means_are_those_of_the_posterior() -> None:
    torch.testing.assert_close(torch.cat(Exact(network()).means(VISIBLE), 1), posterior() @ HIDDEN)


@pytest.mark.parametrize("inference", [Exact(network()), factorial(3), recognition()])
def test_draws_have_the_density_that_they_say(inference: Inference) -> None:
    """Of one visible state: how often each hidden state is drawn, and what it was said to be worth."""
    count = 4_000
    with seeded(6), torch.no_grad():
        hidden, density = inference.draw(VISIBLE[[11]].expand(count, -1))
    number = state_numbers(torch.cat(hidden, 1))
    said = torch.zeros(128, dtype=torch.float64)
    said[number] = density.exp()
    rate = torch.bincount(number, minlength=128) / count
    far = (rate - said) / standard_error(said, count).clamp_min(1 / count)
    assert far.abs().max() < 4.5
    assert 0.98 < float(said.sum()) < 1.0001


def test_exact_draws_have_the_density_of_the_posterior() -> None:
    with seeded(6):
        hidden, density = Exact(network()).draw(VISIBLE)
    torch.testing.assert_close(density.exp(), posterior()[torch.arange(16), state_numbers(torch.cat(hidden, 1))])


def test_bound_is_below_the_likelihood_by_the_divergence() -> None:
    inference = factorial(3)
    means = inference.means(VISIBLE)
    q, p = independent(HIDDEN, torch.cat(means, 1)), posterior()
    divergence = (q * (q / p).log()).sum(1)
    assert (divergence > 0).all()
    likelihood = joint().sum((1, 2, 3)).log()
    torch.testing.assert_close(inference.bound(VISIBLE, means), likelihood - divergence)


def test_no_sweep_lowers_the_bound() -> None:
    bounds = torch.stack([factorial(sweeps).bound(VISIBLE, factorial(sweeps).means(VISIBLE)) for sweeps in range(6)])
    assert (bounds.diff(dim=0) > -1e-12).all()
    assert (bounds[1] > bounds[0]).all()


def test_factorial_means_are_a_maximum_of_the_bound() -> None:
    """Where gradient ascent has nothing left to gain: autograd finds no slope along any logit."""
    inference = factorial(40)
    logits = [torch.logit(mean).detach().requires_grad_() for mean in inference.means(VISIBLE)]
    bound = inference.bound(VISIBLE, [torch.sigmoid(logit) for logit in logits]).sum()
    assert all(slope.abs().max() < 1e-6 for slope in torch.autograd.grad(bound, logits))


def test_recognition_goes_up_layer_by_layer() -> None:
    up = recognition()
    first, second, third = up.means(VISIBLE)
    torch.testing.assert_close(first, torch.sigmoid(VISIBLE @ up.weights[0].T + up.biases[0]))
    torch.testing.assert_close(second, torch.sigmoid(first @ up.weights[1].T + up.biases[1]))
    torch.testing.assert_close(third, torch.sigmoid(second @ up.weights[2].T + up.biases[2]))


def test_one_cause_explains_the_other_away() -> None:
    """Causes that are independent before the house jumps exclude each other afterwards: e^-10 was the odds of both."""
    made = house()
    before = made.marginal(1).exp().view(2, 2)
    torch.testing.assert_close(before, before.sum(1, keepdim=True) * before.sum(0, keepdim=True))
    after = made.posterior(0, SEEN)[0].view(2, 2)
    # Unnormalised: nothing s(-20), one cause e^-10 / 2 each, both e^-20 s(20).
    nothing, one, both = 1 / (1 + math.exp(20)), math.exp(-10) / 2, math.exp(-20) / (1 + math.exp(-20))
    expected = torch.tensor([[nothing, one], [one, both]]).double() / (nothing + 2 * one + both)
    torch.testing.assert_close(after, expected)
    truck, truck_and_quake = after[1].sum(), after[1, 1] / after[:, 1].sum()
    assert 0.4999 < truck < 0.5001  # a jump is a truck as often as a quake
    assert truck_and_quake < 1e-4  # but if the earth quaked, hardly ever


@torch.no_grad()
def test_independent_units_cannot_explain_away() -> None:
    """The best factorial posterior believes in one of the causes alone and pays a bit; the true means cost 5.7."""
    made = house()
    after = made.posterior(0, SEEN)[0]
    means = Factorial(made, 50).means(SEEN)

    def divergence(mean: Tensor) -> float:
        q = independent(states(2), mean)[0]
        return float(torch.special.xlogy(q, q / after).sum())

    assert sorted(means[0][0].tolist()) == pytest.approx([0, 1], abs=1e-3)
    assert divergence(means[0]) == pytest.approx(math.log(2), abs=1e-3)
    assert divergence(Exact(made).means(SEEN)[0]) == pytest.approx(5 - 1.5 * math.log(2), abs=1e-3)
    grid = torch.cartesian_prod(*(torch.linspace(0, 1, 101).double(),) * 2)
    assert min(divergence(mean[None]) for mean in grid) > math.log(2) - 1e-3
