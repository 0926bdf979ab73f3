"""Parallel tempering against the exact distribution of a machine that a single chain does not cross."""

import oracles
import torch
from torch import Tensor

from untaught.models.rbm import RBM
from untaught.nn.energy.tempering import tempered_step
from untaught.randomness import seeded

VISIBLE = oracles.states(6)


def machine_of(hidden: int, scale: float = 0.01) -> RBM:
    return RBM(RBM.Config(hidden=hidden, initial_scale=scale), (6,)).double()


def two_valleys() -> RBM:
    """All units agree: nearly all probability is on two opposite states, far apart."""
    machine = machine_of(2)
    with torch.no_grad():
        machine.weight.fill_(3.0)
        machine.hidden_bias.fill_(-9.0)
        machine.visible_bias.fill_(-3.0)
    return machine


def frequencies(visible: Tensor) -> Tensor:
    return torch.bincount(oracles.state_numbers(visible), minlength=64) / len(visible)


def test_every_temperature_keeps_its_own_distribution() -> None:
    """From exact draws at each temperature one step, exchanges included, leaves exact draws at each."""
    with seeded(0):
        machine = machine_of(3, scale=1.0)
        machine.base.copy_(torch.randn(6))
        tempers = torch.linspace(0, 1, 4)
        exact = [torch.softmax(-machine.free_energy(VISIBLE, float(t)).detach(), 0) for t in tempers]
        start = torch.cat([VISIBLE[torch.multinomial(p, 20_000, replacement=True)] for p in exact])
        after = tempered_step(start, 4, machine.gibbs_step, machine.free_energy).unflatten(0, (4, -1))
    for p, found in zip(exact, after, strict=True):
        far = (frequencies(found) - p) / oracles.standard_error(p, 20_000)
        assert far.abs().max() < 4.5


def test_exchanges_happen_and_only_between_neighbours() -> None:
    machine = machine_of(2)  # without weights every exchange is accepted
    start = torch.arange(5.0).double().repeat_interleave(3)[:, None].expand(-1, 6)
    with seeded(1):
        after = tempered_step(start, 5, lambda states, tempers: states, machine.free_energy)
    # (0 1)(2 3) 4 become 1 0 3 2 4, then 1 (0 3)(2 4) become 1 3 0 4 2.
    assert after[::3, 0].tolist() == [1, 3, 0, 4, 2]


def test_tempered_chains_cross_where_one_chain_stays() -> None:
    machine = two_valleys()
    start = torch.zeros(200 * 8, 6, dtype=torch.float64)
    alone, tempered = start[:200], start
    with seeded(2):
        for _ in range(30):
            alone = machine.gibbs(alone)
            tempered = tempered_step(tempered, 8, machine.gibbs_step, machine.free_energy)
    exact = torch.softmax(-machine.free_energy(VISIBLE).detach(), 0)
    high = VISIBLE.sum(1) > 3
    assert 0.3 < float(exact[high].sum()) < 0.7
    assert (alone.sum(1) > 3).double().mean() < 0.1
    assert abs(float((tempered[-200:].sum(1) > 3).double().mean() - exact[high].sum())) < 0.15
