"""Centring against automatic differentiation of the centred energy, and of a whole machine."""

import torch

from untaught.model import Batch
from untaught.models.rbm import RBM
from untaught.nn.energy.centring import centred
from untaught.randomness import seeded


def energy(v: torch.Tensor, hidden: torch.Tensor, mean: torch.Tensor, *own: torch.Tensor) -> torch.Tensor:
    """Equation (1), mean over rows, with b left out."""
    weight, biases = own
    return -(hidden @ biases + (((v - mean) @ weight) * hidden).sum(1)).mean()


def test_steps_are_those_of_the_centred_energy() -> None:
    """One step of size 1 along the gradient by W and c', taken back to W and c by (2)."""
    with seeded(0):
        v, hidden = torch.rand(6, 4).double(), torch.rand(6, 3).double()
        f, imagined = torch.rand(5, 4).double(), torch.rand(5, 3).double()
        weight, biases = torch.randn(4, 3).double(), torch.randn(3).double()
    mean = v.mean(0)
    own = weight.requires_grad_(), (biases + mean @ weight).detach().requires_grad_()
    down = torch.autograd.grad(energy(v, hidden, mean, *own) - energy(f, imagined, mean, *own), own)
    stepped = [value.detach() - slope for value, slope in zip(own, down, strict=True)]
    plain = f.T @ imagined / 5 - v.T @ hidden / 6, imagined.mean(0) - hidden.mean(0)
    by_weight, by_hidden = centred(*plain, v)
    torch.testing.assert_close(weight.detach() - by_weight, stepped[0])
    torch.testing.assert_close(biases - by_hidden, stepped[1] - mean @ stepped[0])


def test_one_example_has_no_mean_to_count_from() -> None:
    slopes = torch.ones(2, 3), torch.ones(3)
    assert centred(*slopes, torch.ones(1, 2)) == slopes


def gradients(centre: bool) -> list[torch.Tensor]:
    with seeded(1):
        machine = RBM(RBM.Config(hidden=5, persistent_chains=0, initial_scale=0.5, centred=centre), (1, 2, 3)).double()
        x = torch.rand(7, 1, 2, 3).double()
    with seeded(2):
        machine.loss(Batch.of(x), "model", torch.zeros(())).total.backward()
    return [p.grad for p in (machine.weight, machine.visible_bias, machine.hidden_bias) if p.grad is not None]


def test_a_machine_learns_by_it() -> None:
    with seeded(1):
        RBM(RBM.Config(hidden=5, persistent_chains=0, initial_scale=0.5), (1, 2, 3))
        x = torch.rand(7, 1, 2, 3).double().flatten(1)
    weight, visible, hidden = gradients(centre=False)
    own = centred(weight, hidden, x)
    for found, expected in zip(gradients(centre=True), (own[0], visible, own[1]), strict=True):
        torch.testing.assert_close(found, expected)
    assert not torch.allclose(own[0], weight)
