"""The convolutional machine against loops over places, sums over all of its states, and the dense machine."""

from __future__ import annotations

import itertools
from dataclasses import replace

import oracles
import pytest
import torch
from torch import Tensor

from untaught.errors import ConfigError, DataError, SizeError
from untaught.model import Batch
from untaught.models.convolutional_rbm import ConvolutionalRBM
from untaught.nn.noise import bernoulli
from untaught.randomness import seeded

SHAPE = (1, 3, 2)
VISIBLE = oracles.states(6).unflatten(1, SHAPE)
START = torch.zeros(())


def machine(shape: tuple[int, ...] = SHAPE, **changes: object) -> ConvolutionalRBM:
    """A machine with weights and biases that matter, in float64; by default two maps of two windows each."""
    with seeded(1):
        config = replace(ConvolutionalRBM.smoke.config, **{"initial_scale": 1.6, "sparsity": 0.05, **changes})
        model = ConvolutionalRBM(config, shape).double()
        with torch.no_grad():
            for vector in (model.visible_bias, model.hidden_bias, model.base):
                vector.copy_(torch.randn(len(vector)))
    return model


def window_states(filters: int, rows: int, columns: int, pool: int) -> Tensor:
    """All states of maps with at most one unit of each window on, `(state, filter, row, column)`."""
    every: list[Tensor] = []
    windows = filters * (rows // pool) * (columns // pool)
    for chosen in itertools.product(range(pool * pool + 1), repeat=windows):
        h = torch.zeros(filters, rows, columns, dtype=torch.float64)
        places = itertools.product(range(filters), range(0, rows, pool), range(0, columns, pool))
        for unit, (k, i, j) in zip(chosen, places, strict=True):
            if unit:
                h[k, i + (unit - 1) // pool, j + (unit - 1) % pool] = 1
        every.append(h)
    return torch.stack(every)


def interaction(model: ConvolutionalRBM, v: Tensor, h: Tensor) -> Tensor:
    """Sum of v W h of every pair, weight by weight and place by place, `(pictures, states)`."""
    total = torch.zeros(len(v), len(h), dtype=torch.float64)
    before = (model.config.kernel - 1) // 2
    places = itertools.product(*map(range, model.weight.shape))
    for (k, channel, a, b), weight in zip(places, model.weight.flatten(), strict=True):
        for i, j in itertools.product(range(h.shape[2]), range(h.shape[3])):
            row, column = i + a - before, j + b - before
            if 0 <= row < v.shape[2] and 0 <= column < v.shape[3]:
                total = total + weight * v[:, None, channel, row, column] * h[None, :, k, i, j]
    return total


def energy(model: ConvolutionalRBM, v: Tensor, h: Tensor) -> Tensor:
    """Equation (2) of every pair for binary pixels, by loops."""
    seen = torch.einsum("bcij,c->b", v, model.visible_bias)[:, None] + torch.einsum("nkij,k->n", h, model.hidden_bias)
    return -interaction(model, v, h) - seen


HIDDEN = window_states(2, 4, 2, 2)
"""625 states: four windows of five."""


def joint(model: ConvolutionalRBM) -> Tensor:
    total = -energy(model, VISIBLE, HIDDEN)
    return torch.exp(total - torch.logsumexp(total.flatten(), 0))


def test_windows_allow_one_unit() -> None:
    assert HIDDEN.shape == (625, 2, 4, 2)
    assert len(HIDDEN.flatten(1).unique(dim=0)) == 625


@pytest.mark.parametrize(("kernel", "pool", "shape"), [(2, 2, (1, 3, 2)), (3, 2, (2, 4, 5)), (5, 3, (1, 4, 3))])
def test_up_and_down_are_transposes(kernel: int, pool: int, shape: tuple[int, ...]) -> None:
    """<W * v, h> = <v, W *' h>, and both are the sum over places."""
    model = machine(shape, kernel=kernel, pool=pool)
    v = torch.rand(3, *shape).double()
    up = model.hidden_input(v) - model.hidden_bias.view(-1, 1, 1)
    assert all(side % pool == 0 for side in up.shape[2:])
    h = torch.rand(2, *up.shape[1:]).double()
    down = model.visible_input(h, *shape[1:])
    expected = interaction(model, v, h)
    torch.testing.assert_close(torch.einsum("bkij,nkij->bn", up, h), expected)
    torch.testing.assert_close(torch.einsum("bcij,ncij->bn", v, down), expected)


def test_free_energy_is_the_sum_over_hidden_states() -> None:
    model = machine()
    expected = -torch.logsumexp(-energy(model, VISIBLE, HIDDEN), 1)
    torch.testing.assert_close(model.free_energy(VISIBLE), expected)
    torch.testing.assert_close(model.free_energy(VISIBLE.flatten(1)), expected)


def test_conditionals_are_ratios_of_joint_sums() -> None:
    model = machine()
    p = joint(model).detach()
    given = p / p.sum(1, keepdim=True)
    torch.testing.assert_close(
        model.hidden_mean(model.hidden_input(VISIBLE)), torch.einsum("bn,nkij->bkij", given, HIDDEN)
    )
    on = torch.einsum("bn,nkij->bkij", given, HIDDEN.unflatten(2, (2, 2)).sum((3, 4))[..., None])
    torch.testing.assert_close(model.pooled(VISIBLE), on)
    below = (p / p.sum(0)).T @ VISIBLE.flatten(1)
    torch.testing.assert_close(model.visible_mean(HIDDEN, 3, 2).flatten(1), below)


def test_window_is_a_softmax_with_one_state_more() -> None:
    """Probabilities of a window's units and of none sum to one; the pooled unit's is the sum over its units."""
    model = machine((2, 6, 9), pool=3, kernel=3)
    v = torch.rand(4, 2, 6, 9).double()
    x = model.hidden_input(v)
    units = model.hidden_mean(x).unfold(2, 3, 3).unfold(3, 3, 3).sum((4, 5))
    none = 1 / (1 + x.exp().unfold(2, 3, 3).unfold(3, 3, 3).sum((4, 5)))
    torch.testing.assert_close(units + none, torch.ones_like(none))
    torch.testing.assert_close(model.pooled(v), units)


def test_draws_follow_the_softmax() -> None:
    model = machine()
    x = model.hidden_input(VISIBLE[37:38]).expand(40_000, -1, -1, -1)
    with seeded(2):
        drawn = model.hidden_draw(x)
    assert drawn.unfold(2, 2, 2).unfold(3, 2, 2).sum((4, 5)).max() == 1
    p = model.hidden_mean(x[:1])[0]
    assert ((drawn.mean(0) - p) / oracles.standard_error(p, 40_000)).abs().max() < 4


@pytest.mark.parametrize("temper", [1.0, 0.4])
def test_gibbs_kernel_leaves_the_exact_distribution_unchanged(temper: float) -> None:
    model, draws = machine(), 40_000
    p = torch.softmax(-model.free_energy(VISIBLE, temper).detach(), 0)
    with seeded(3):
        first = VISIBLE[torch.multinomial(p, draws, replacement=True)].flatten(1)
        after = model.gibbs_step(first, temper)
    assert not torch.equal(first, after)
    frequency = torch.bincount(oracles.state_numbers(after), minlength=64) / draws
    assert ((frequency - p) / oracles.standard_error(p, draws)).abs().max() < 4.5


def test_gibbs_kernel_from_one_state_is_the_exact_one() -> None:
    model, draws = machine(), 40_000
    expected = oracles.gibbs_kernel(joint(model).detach())[37]
    with seeded(4):
        after = model.gibbs_step(VISIBLE[37:38].expand(draws, -1, -1, -1).flatten(1))
    frequency = torch.bincount(oracles.state_numbers(after), minlength=64) / draws
    assert ((frequency - expected) / oracles.standard_error(expected, draws)).abs().max() < 4.5


def test_base_partition_is_the_sum_over_states() -> None:
    model = machine()
    torch.testing.assert_close(model.base_partition(), torch.logsumexp(-model.free_energy(VISIBLE, 0.0), 0))
    (side,) = model.sides()
    assert side.units == 6
    torch.testing.assert_close(
        torch.logsumexp(-side.free_energy(VISIBLE.flatten(1)), 0),
        torch.logsumexp(-energy(model, VISIBLE, HIDDEN).flatten(), 0),
    )


def test_base_partition_of_gaussian_pixels_is_the_integral() -> None:
    """Over pixels in the data's own units, of which each is two deviations wide in the machine's."""
    model = machine((1, 1, 1), visible="gaussian", deviation=2.0)
    grid = torch.linspace(-40, 40, 8001).double()
    total = torch.logsumexp(-model.free_energy(grid[:, None], 0.0), 0) + torch.tensor(0.01).double().log()
    torch.testing.assert_close(model.base_partition(), total, rtol=1e-6, atol=1e-6)
    assert model.sides() == []
    base = torch.softmax(-model.free_energy(grid[:, None], 0.0), 0) @ grid
    torch.testing.assert_close(base, model.base_rate()[0])


def test_a_filter_as_large_as_the_picture_is_a_dense_machine() -> None:
    """Of a picture of one pixel only the middle weight is left: the free energy is that of softplus."""
    model = machine((3, 1, 1), pool=1, kernel=1, filters=4)
    v = torch.rand(5, 3).double()
    x = v @ model.weight[:, :, 0, 0].T + model.hidden_bias
    torch.testing.assert_close(model.free_energy(v), -v @ model.visible_bias - torch.nn.functional.softplus(x).sum(1))
    torch.testing.assert_close(model.encode(v[:, :, None, None]), torch.sigmoid(x))


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_gradient_is_contrastive_divergence_for_the_same_draws(visible: str) -> None:
    """That of F(v+) - F(v-) a pixel, by autograd through the free energy (6) with both pictures held fixed."""
    model = machine((2, 5, 4), visible=visible, kernel=3, gibbs_steps=2, sparsity=None, deviation=0.7)
    x = torch.rand(3, 2, 5, 4).double().round()
    with seeded(5):
        model.loss(Batch.of(x), "model", START).total.backward()
    with seeded(5), torch.no_grad():
        chain = x / model.deviation
        for _ in range(2):
            chain = model.gibbs(chain)
    difference = model.free_energy(x) - model.free_energy(chain * model.deviation)
    expected = torch.autograd.grad(difference.mean() / 20, list(model.parameters()))
    for (name, ours), theirs in zip(model.named_parameters(), expected, strict=True):
        torch.testing.assert_close(ours.grad, theirs, msg=name)


def test_sparsity_moves_only_the_hidden_biases_towards_the_target() -> None:
    x, gradients = bernoulli(torch.full((6, *SHAPE), 0.4)).double(), list[list[Tensor]]()
    for target in (None, 0.05):
        model = machine(sparsity=target, sparsity_cost=3.0)
        with seeded(6):
            total = model.loss(Batch.of(x), "model", START).total
        gradients.append(list(torch.autograd.grad(total, [model.weight, model.visible_bias, model.hidden_bias])))
    on = machine().hidden_mean(machine().hidden_input(x)).mean((0, 2, 3))
    torch.testing.assert_close(gradients[0][:2], gradients[1][:2])
    torch.testing.assert_close(gradients[1][2] - gradients[0][2], 3 * (on - 0.05).detach())


def dependent() -> ConvolutionalRBM:
    """A machine whose pixels depend on one another: one filter wants all of a patch, the other an edge."""
    model = machine()
    with torch.no_grad():
        model.weight[0] = 2.5
        model.weight[1] = torch.tensor([[[3.0, -3.0], [3.0, -3.0]]])
        model.hidden_bias.copy_(torch.tensor([-5.0, -3.0]))
        model.visible_bias.fill_(-1.5)
    return model


def test_training_recovers_a_machine_from_its_samples() -> None:
    truth = joint(dependent()).sum(1).detach()
    with seeded(7):
        x = VISIBLE[torch.multinomial(truth, 300, replacement=True)]
        model = ConvolutionalRBM(
            ConvolutionalRBM.Config(filters=2, kernel=2, gibbs_steps=3, sparsity=None, initial_scale=0.2), SHAPE
        ).double()
        model.prepare(Batch.of(x))
        optimiser = torch.optim.Adam(model.parameters(), 0.1)
        slower = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, 100)
        before = (truth * (truth / joint(model).sum(1)).log()).sum()
        for _ in range(100):
            optimiser.zero_grad()
            model.loss(Batch.of(x), "model", START).total.backward()
            optimiser.step()
            slower.step()
    after = (truth * (truth / joint(model).sum(1)).log()).sum()
    assert before > 0.5
    assert after < before / 4


@pytest.mark.parametrize("side", [1, 3, 8, 13])
def test_pictures_of_any_size_go_through(side: int) -> None:
    model = ConvolutionalRBM(ConvolutionalRBM.Config(filters=3, kernel=5, pool=3), (2, 7, 7))
    x = torch.rand(2, 2, side, 2 * side)
    assert model.reconstruct(x).shape == x.shape
    assert model.pooled(x).shape == (2, 3, -(-side // 3), -(-2 * side // 3))


def test_decoding_spreads_a_pooled_unit_over_its_window() -> None:
    model = machine((1, 6, 6))
    pooled = torch.rand(2, 2, 3, 3).double()
    spread = model.unpooled(pooled)
    torch.testing.assert_close(spread[:, :, ::2, ::2], spread[:, :, 1::2, 1::2])
    features = torch.rand(2, 18).double()
    expected = model.visible_mean(model.unpooled(features.unflatten(1, (2, 3, 3))), 6, 6)
    torch.testing.assert_close(model.decode(features), expected)
    torch.testing.assert_close(spread.unfold(2, 2, 2).unfold(3, 2, 2).sum((4, 5)), pooled)


def test_prepared_machine_begins_at_the_means() -> None:
    model, x = machine(sparsity=0.05, initial_scale=1e-9), bernoulli(torch.full((500, *SHAPE), 0.3)).double()
    model.prepare(Batch.of(x))
    torch.testing.assert_close(torch.sigmoid(model.visible_bias), x.mean((0, 2, 3)), rtol=0, atol=1e-3)
    on = model.hidden_mean(model.hidden_input(x)).mean((0, 2, 3))
    torch.testing.assert_close(on, torch.full_like(on, 0.05))


def test_bad_input_is_named() -> None:
    model = ConvolutionalRBM(ConvolutionalRBM.smoke.config, SHAPE)
    with pytest.raises(DataError, match="binary units need 0 to 1"):
        model.prepare(Batch.of(torch.rand(5, *SHAPE) * 3))
    with pytest.raises(ConfigError, match="'pool'; there are: hidden, pooled"):
        model.activations(torch.rand(5, *SHAPE), ["pool"])
    with pytest.raises(ConfigError, match="below 0.25"):
        machine(sparsity=0.3)
    with pytest.raises(SizeError, match="not at shape"):
        ConvolutionalRBM(ConvolutionalRBM.smoke.config, (6,))


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("steps", [1, 2])
def test_a_sample_is_so_many_steps_from_the_base_rates(visible: str, steps: int) -> None:
    """Chains of the same draws, one step after the other; in the data's own units."""
    model = machine(visible=visible, deviation=0.5, sample_steps=steps)
    with seeded(8):
        found = model.sample(50)
    with seeded(8):
        v = model.units.draw(model.base.view(1, 1, 1).expand(50, *SHAPE))
        for _ in range(steps - 1):
            v = model.gibbs(v)
        hidden = model.hidden_draw(model.hidden_input(v))
    mean = model.visible_mean(hidden, *SHAPE[1:])
    torch.testing.assert_close(found, mean * (0.5 if visible == "gaussian" else 1.0))


def test_gaussian_pixels_are_seen_and_given_in_deviations() -> None:
    """Everything of pictures x is what a machine of deviation 1 says of x / 0.4, given back times 0.4."""
    model, plain = (machine(visible="gaussian", deviation=value) for value in (0.4, 1.0))
    x = torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(0)).double()
    torch.testing.assert_close(model.encode(x), plain.encode(x / 0.4))
    torch.testing.assert_close(model.reconstruct(x), 0.4 * plain.reconstruct(x / 0.4))
    torch.testing.assert_close(model.decode(model.encode(x)), 0.4 * plain.decode(plain.encode(x / 0.4)))
    torch.testing.assert_close(model.activations(x)["hidden"], plain.activations(x / 0.4)["hidden"])
    with seeded(9):
        step = model.gibbs_step(x)
    with seeded(9):
        torch.testing.assert_close(step, 0.4 * plain.gibbs_step(x / 0.4))
    with seeded(9):
        error = model.loss(Batch.of(x), "model", START).parts["squared_error_per_image"]
    with seeded(9):
        own = plain.loss(Batch.of(x / 0.4), "model", START).parts["squared_error_per_image"]
    torch.testing.assert_close(error, 0.16 * own)
    with seeded(9):
        told = plain.loss(Batch.of(x), "model", START).parts["squared_error_per_image"]
    with seeded(9):
        back = plain.visible_mean(plain.hidden_draw(plain.hidden_input(x)), *SHAPE[1:])
    torch.testing.assert_close(told, (x - back).square().sum((1, 2, 3)).mean().detach())
    model.prepare(Batch.of(x))
    torch.testing.assert_close(model.visible_bias.detach(), x.mean((0, 2, 3)) / 0.4)


def test_binary_pixels_have_no_deviation() -> None:
    x = bernoulli(torch.full((4, *SHAPE), 0.4)).double()
    torch.testing.assert_close(machine(deviation=0.3).encode(x), machine().encode(x))


@pytest.mark.parametrize("channels", [1, 4])
def test_first_inputs_have_their_deviation(channels: int) -> None:
    """For pixels of variance 1, whatever the number of weights of a filter."""
    with seeded(10):
        model = ConvolutionalRBM(ConvolutionalRBM.Config(filters=60, kernel=5, initial_scale=1.5), (channels, 20, 20))
        x = model.hidden_input(torch.randn(4, channels, 20, 20))[:, :, 4:-4, 4:-4]
    assert x.std().item() == pytest.approx(1.5, rel=0.1)


def test_mean_activation_is_that_of_a_single_unit() -> None:
    model, x = machine(), VISIBLE[:9]
    found = model.loss(Batch.of(x), "model", START).parts["mean_activation"]
    torch.testing.assert_close(found, model.hidden_mean(model.hidden_input(x)).mean().detach())


def test_settings_are_those_of_2009() -> None:
    """Lee et al.: 24 filters of 10 x 10, windows of 2 x 2, CD-1, a sparsity target below that of one unit a window."""
    config = ConvolutionalRBM.Config()
    assert (config.filters, config.kernel, config.pool, config.gibbs_steps) == (24, 10, 2, 1)
    assert config.sparsity == 0.03 and config.sparsity * config.pool**2 < 0.5
