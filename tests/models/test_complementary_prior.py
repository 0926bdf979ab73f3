"""Why a belief network can be learnt greedily: a restricted Boltzmann machine is one with infinitely many tied layers.

Hinton, Osindero, Teh (2006), A fast learning algorithm for deep belief nets, sections 2 to 4, by sums over all states.
"""

import pytest
import torch
from torch import Tensor

from tests.oracles import rbm_joint, states
from untaught.models.rbm import RBM
from untaught.nn.belief.inference import Exact, Recognition
from untaught.nn.belief.network import BeliefNetwork, independent
from untaught.randomness import seeded

VISIBLE, HIDDEN = states(4), states(3)


def machine(scale: float = 1.0) -> RBM:
    with seeded(1):
        made = RBM(RBM.Config(hidden=3, persistent_chains=0, initial_scale=scale), (4,)).double()
        with torch.no_grad():
            made.visible_bias.copy_(torch.randn(4))
            made.hidden_bias.copy_(torch.randn(3))
    return made


def joint(made: RBM) -> Tensor:
    return rbm_joint(made.weight, made.visible_bias, made.hidden_bias).detach()


def unrolled(made: RBM, layers: int, top: Tensor) -> BeliefNetwork:
    """As many layers below a top with any biases, every one with the machine's weights, in turn W and its transpose."""
    units = [(4, 3)[layer % 2] for layer in range(layers + 1)]
    network = BeliefNetwork(units).double()
    with torch.no_grad():
        for layer in range(layers):
            network.weights[layer].copy_(made.weight if layer % 2 == 0 else made.weight.T)
            network.biases[layer].copy_(made.visible_bias if layer % 2 == 0 else made.hidden_bias)
        network.biases[layers].copy_(top[: units[-1]])
    return network


@pytest.mark.parametrize("top", [[9.0, -9.0, 9.0, -9.0], [0.0, 0.0, 0.0, 0.0], [-5.0, 1.0, 3.0, 8.0]])
def test_the_deeper_the_tied_network_the_nearer_the_machine(top: list[float]) -> None:
    made = machine()
    exact = joint(made).sum(1)
    far = [
        float((unrolled(made, layers, torch.tensor(top)).marginal(0).exp() - exact).abs().sum().detach())
        for layers in (1, 2, 5, 10, 20, 40, 80)
    ]
    assert far[0] > 0.05
    assert all(after < before for before, after in zip(far[:6], far[1:6], strict=False))
    assert far[-1] < 1e-10


def test_under_the_complementary_prior_the_posterior_is_factorial() -> None:
    """p(h | v) ~ p(v | h) p(h) with the machine's own p(h): the prior's correlations undo those of the likelihood."""
    made = machine()
    p = joint(made)
    prior, likelihood = p.sum(0), p / p.sum(0)
    posterior = prior * likelihood / (prior * likelihood).sum(1, keepdim=True)
    torch.testing.assert_close(posterior, independent(HIDDEN, made.hidden_given(VISIBLE).detach()))
    deep = unrolled(made, 81, torch.zeros(4))
    torch.testing.assert_close(deep.posterior(0, VISIBLE), posterior)


def test_under_a_factorial_prior_it_is_not() -> None:
    """The same weights with one hidden layer of independent units: causes explain each other away."""
    made = machine(2.0)
    shallow = unrolled(made, 1, made.hidden_bias.detach())
    posterior = shallow.posterior(0, VISIBLE).detach()
    mean = torch.cat(Exact(shallow).means(VISIBLE), 1).detach()
    divergence = (posterior * (posterior / independent(HIDDEN, mean)).log()).sum(1)
    assert divergence.max() > 0.01


def test_transposed_weights_recognise_as_well_as_can_be_in_the_tied_network() -> None:
    made = machine()
    deep, up = unrolled(made, 80, torch.zeros(4)), Recognition((4, 3)).double()
    with torch.no_grad():
        up.weights[0].copy_(made.weight.T)
        up.biases[0].copy_(made.hidden_bias)
    torch.testing.assert_close(independent(HIDDEN, up.means(VISIBLE)[0]), deep.posterior(0, VISIBLE))


def bound(made: RBM, log_prior: Tensor, data: Tensor) -> Tensor:
    """Mean over the data of sum_h q(h | v) (log p(h) + log p(v | h) - log q(h | v)), the machine's q and p(v | h)."""
    q = independent(HIDDEN, made.hidden_given(VISIBLE))
    on = made.visible_given(HIDDEN)
    log_likelihood = torch.where(VISIBLE[:, None].bool(), on, 1 - on).log().sum(2)
    return data @ (q * (log_prior + log_likelihood - q.log())).sum(1)


def likelihood(made: RBM, log_prior: Tensor, data: Tensor) -> Tensor:
    """Mean over the data of log sum_h p(h) p(v | h)."""
    on = made.visible_given(HIDDEN)
    log_likelihood = torch.where(VISIBLE[:, None].bool(), on, 1 - on).log().sum(2)
    return data @ torch.logsumexp(log_prior + log_likelihood, 1)


def pictures() -> Tensor:
    """A distribution over the visible states that is not the machine's."""
    with seeded(2):
        return torch.softmax(2 * torch.randn(16).double(), 0)


def test_with_the_second_layer_tied_the_bound_is_the_likelihood() -> None:
    made, data = machine(), pictures()
    tied = rbm_joint(made.weight.T, made.hidden_bias, made.visible_bias).sum(1)
    torch.testing.assert_close(tied, joint(made).sum(0))  # over h it is the same machine upside down
    exact = (data * joint(made).sum(1).log()).sum()
    torch.testing.assert_close(bound(made, tied.log(), data).detach(), exact)


@pytest.mark.slow
def test_learning_the_second_layer_never_lowers_the_bound() -> None:
    """Exact gradient steps on p(h), from tied weights and one unit more that as good as does nothing."""
    made, data = machine().requires_grad_(False), pictures()
    weight = torch.cat([made.weight.T, torch.zeros(3, 1).double()], 1).requires_grad_()
    hidden, visible = made.hidden_bias.clone(), torch.cat([made.visible_bias, torch.zeros(1).double()])
    second = [weight, hidden.requires_grad_(), visible.requires_grad_()]
    with torch.no_grad():
        weight[:, 4] += torch.tensor([0.1, -0.1, 0.1])
        hidden -= torch.tensor([0.05, -0.05, 0.05])
    first = joint(made).sum(1).log() @ data
    bounds: list[Tensor] = []
    for _ in range(300):
        log_prior = rbm_joint(*second).sum(1).log()
        bounds.append(bound(made, log_prior, data))
        assert likelihood(made, log_prior, data) >= bounds[-1]
        slopes = torch.autograd.grad(bounds[-1], second)
        with torch.no_grad():
            for value, slope in zip(second, slopes, strict=True):
                value += 0.2 * slope
    gained = torch.stack(bounds).detach()
    assert (gained.diff() >= 0).all()
    assert abs(float(gained[0] - first)) < 0.01 and gained[-1] > first + 0.05
