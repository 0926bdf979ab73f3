"""The ladder against a plain network, formulas with loops, its variants and its convolutions."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from untaught.errors import ConfigError, DataError
from untaught.model import Batch
from untaught.models.ladder import Climb, Ladder
from untaught.nn.mirrors.rungs import LEAST, SLOWEST, Combinator, Moments
from untaught.randomness import seeded

ONE = torch.ones(())
X = torch.rand(7, 1, 3, 4, generator=torch.Generator().manual_seed(0))
LABEL = torch.tensor([1, -1, 2, 0, -1, 2, 1])


def small(shape: tuple[int, ...] = (1, 3, 4), **config: Any) -> Ladder:
    """A small ladder away from the point where it begins."""
    with seeded(0):
        net = Ladder(Ladder.Config(classes=3, **{"hidden": (6, 5), "noise": 0.0, **config}), shape)
        with torch.no_grad():
            for weight in net.parameters():
                weight.add_(0.2 * torch.randn(weight.shape))
    return net


def plain(net: Ladder) -> nn.Sequential:
    """The same layers as torch's own, without a way back."""
    layers: list[nn.Module] = []
    for rung in net.rungs:
        weight: Tensor = rung.up.weight.detach()  # type: ignore[assignment]
        linear, norm = nn.Linear(*weight.shape[::-1], bias=False), nn.BatchNorm1d(len(weight), eps=LEAST, momentum=1.0)
        with torch.no_grad():
            linear.weight.copy_(weight)
            scale = rung.scale if rung.top else torch.ones(len(weight))
            norm.weight.copy_(scale)
            norm.bias.copy_(scale * rung.shift)
        layers += [linear, norm, nn.ReLU()]
    return nn.Sequential(nn.Flatten(), *layers[:-1])


def clean(net: Ladder, x: Tensor = X) -> Climb:
    return net.climbed((x, False))[0]


def noisy(net: Ladder, x: Tensor = X) -> Climb:
    return net.climbed((x, True))[0]


def costs(net: Ladder, x: Tensor = X) -> dict[int, Tensor]:
    """Of one batch, all layers' without noise and with it."""
    return net.costs(*net.climbed((x, False), (x, True)))


def test_path_without_noise_is_the_plain_network() -> None:
    """In training under moments of the batch, in use under the running ones."""
    net = small()
    network = plain(net)
    z = clean(net).z
    torch.testing.assert_close(net.rungs[-1].activate(z[-1]), network(X))
    costs(net)  # the first batch counts whole in the running moments
    for rung, norm in zip(net.rungs, (m for m in network if isinstance(m, nn.BatchNorm1d)), strict=True):
        torch.testing.assert_close(rung.mean[0], norm.running_mean)
        norm.running_var = rung.variance[0]
    torch.testing.assert_close(net.class_probabilities(X[:2]), network.eval()(X[:2]).softmax(1))


def test_without_noise_both_paths_are_one() -> None:
    net = small()
    one, other = net.climbed((X, False), (X, True))
    for a, b in zip(one.z, other.z, strict=True):
        torch.testing.assert_close(a, b)
    torch.testing.assert_close(net.rungs[-1].activate(one.z[-1]), other.top)


def test_batches_that_climb_together_climb_as_if_alone() -> None:
    """Each is normalised under its own moments, whatever stands beside it."""
    net, near = small().double(), X.double()
    far = 5 * near[:4] - 9
    for alone, beside in zip(
        (clean(net, near), clean(net, far)), net.climbed((near, False), (far, False)), strict=True
    ):
        torch.testing.assert_close([*beside.z, *beside.before, beside.top], [*alone.z, *alone.before, alone.top])


def test_noise_has_its_deviation_in_every_layer() -> None:
    net = small(noise=0.5, hidden=(40, 30))
    x = torch.rand(400, 1, 3, 4)
    with seeded(0):
        z = noisy(net, x).z
    assert float((z[0] - x.flatten(1)).std()) == pytest.approx(0.5, rel=0.05)
    for layer in z[1:]:
        assert float(layer.detach().var()) == pytest.approx(1.25, rel=0.1), (
            "a normalised layer of variance 1, and the noise's"
        )


def test_noise_goes_up_with_its_layer() -> None:
    """Equation (2) by hand, with the same draws: each layer sees the noise of the one below."""
    net = small(noise=0.4)
    with seeded(3):
        seen = noisy(net)
    with seeded(3):
        h = X.flatten(1) + 0.4 * torch.randn(7, 12)
        for rung, given in zip(net.rungs, seen.z[1:], strict=True):
            z = normed(rung.up(h))
            z = z + 0.4 * torch.randn(z.shape)
            torch.testing.assert_close(given, z)
            h = rung.activate(z)
    torch.testing.assert_close(seen.top, h)


def test_running_moments_forget_slowly() -> None:
    rung, zero, one = small().rungs[0], torch.zeros(1, 6), torch.ones(1, 6)
    for _ in range(2 * round(1 / SLOWEST)):
        rung.follow(Moments(zero, one))
    rung.follow(Moments(one, one))
    torch.testing.assert_close(rung.mean, SLOWEST * one)


def test_in_use_there_is_no_noise_and_features_lie_below_the_classes() -> None:
    net = small(noise=0.4)
    costs(net)
    held_out = net.held_out(Batch(X, LABEL), "model").total
    right = net.class_probabilities(X)[[0, 2, 3, 5, 6], [1, 2, 0, 2, 1]]
    torch.testing.assert_close(held_out, -right.log().mean())
    top, features = net.rungs[-1], net.encode(X)
    torch.testing.assert_close(top.activate(top.running.norm(top.up(features))).softmax(1), net.class_probabilities(X))


@pytest.mark.parametrize("kind", ["gaussian", "vanilla"])
def test_combinators_are_their_formulas(kind: Any) -> None:
    with seeded(0):
        combinator, z, u = Combinator((2,), kind), torch.randn(3, 2), torch.randn(3, 2)
        a = torch.randn(len(combinator.weights), 2)
    with torch.no_grad():
        for own, value in zip(combinator.weights, a, strict=True):
            own.copy_(value)
        made = combinator(z, u)
    for n in range(3):
        for j in range(2):
            p, at, above = a[:, j].tolist(), float(z[n, j]), float(u[n, j])
            if kind == "gaussian":
                mean = p[0] * sigmoid(p[1] * above + p[2]) + p[3] * above + p[4]
                rest = p[5] * sigmoid(p[6] * above + p[7]) + p[8] * above + p[9]
                wanted = (at - mean) * rest + mean
            else:
                inner = p[5] + p[6] * at + p[7] * above + p[8] * at * above
                wanted = p[0] + p[1] * at + p[2] * above + p[3] * at * above + p[4] * sigmoid(inner)
            assert float(made[n, j]) == pytest.approx(wanted, rel=1e-4)


def sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a))


def normed(a: Tensor) -> Tensor:
    return (a - a.mean(0)) / (a.var(0, correction=0) + LEAST).sqrt()


def test_costs_are_their_formula() -> None:
    """The way back by hand, from the softmax of the noisy top down to the example."""
    net = small(noise=0.4)
    with seeded(3):
        one, other = net.climbed((X, False), (X, True))
    found = net.costs(one, other)
    above, h = other.top.softmax(1), X.flatten(1)
    before = [h]
    for rung in net.rungs:
        before.append(rung.up(h))
        h = rung.activate(normed(before[-1]))
    for layer in (3, 2, 1, 0):
        given = net.combinators[str(layer)](other.z[layer], normed(above))
        spread = (before[layer].var(0, correction=0) + LEAST).sqrt() if layer else 1.0
        shifted = (given - (before[layer].mean(0) if layer else 0.0)) / spread
        torch.testing.assert_close(found[layer], (shifted - one.z[layer]).square().mean(), rtol=1e-4, atol=1e-6)
        above = net.rungs[layer - 1].down(given) if layer else given


@pytest.mark.parametrize("weights", [(3.0, 2.0, 0.5, 0.5), ()])
def test_loss_is_its_formula(weights: tuple[float, ...]) -> None:
    """Examples with labels climb with noise, all others without and, where layers have costs, with it too."""
    net = small(noise=0.4, costs=weights)
    with seeded(3):
        loss = net.loss(Batch(X, LABEL), "model", ONE)
    with seeded(3):
        labelled, one, *other = net.climbed(*[(X, True), (X, False), (X, True)][: 3 if weights else 2])
    cost = net.costs(one, *(other or [None]))
    nats = -labelled.top.log_softmax(1)[[0, 2, 3, 5, 6], [1, 2, 0, 2, 1]].mean()
    torch.testing.assert_close(loss.total, nats + sum(w * cost[layer] for layer, w in enumerate(weights)))
    wrong = (labelled.top.argmax(1) != LABEL)[LABEL >= 0]
    torch.testing.assert_close(loss.parts["classification_error"], wrong.float().mean())
    beside = Batch(X, torch.full((7,), -1), beside={"labelled": Batch(X, LABEL)})
    with seeded(3):
        torch.testing.assert_close(net.loss(beside, "model", ONE).total, loss.total)


@pytest.mark.parametrize(
    ("config", "weights", "back"),
    [
        ({"variant": "full"}, {0: 1000, 1: 10, 2: 0.1, 3: 0.1}, 3),
        ({"variant": "bottom"}, {0: 1000}, 3),
        ({"variant": "gamma"}, {3: 0.1}, 0),
        ({"costs": ()}, {}, 0),
        ({"costs": (0.0, 0.0, 1.0)}, {2: 1, 3: 1}, 1),
    ],
)
def test_variants_have_their_costs_and_no_more_way_back_than_these_need(
    config: dict[str, Any], weights: dict[int, float], back: int
) -> None:
    net = small(noise=0.1, **config)
    assert net.weights == weights and costs(net).keys() == weights.keys()
    assert sum(name.startswith("rungs") and ".down." in name for name, _ in net.named_parameters()) == back
    net.loss(Batch(X, LABEL), "model", ONE).total.backward()
    without = [name for name, weight in net.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert not without, "away from where combinators begin, a gradient reaches everything"


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 7)])
def test_convolutions_halve_and_come_back(shape: tuple[int, ...]) -> None:
    net = small(shape, network="convolution", hidden=(4, 5), noise=0.2)
    x = torch.rand(6, *shape)
    assert [tuple(z.shape[1:]) for z in clean(net, x).z] == [
        shape, (4, -(-shape[1] // 2), -(-shape[2] // 2)), (5, -(-shape[1] // 4), -(-shape[2] // 4)), (3,),
    ]  # fmt: skip
    seen = noisy(net, x)
    assert net.denoised(seen.z, seen.top)[0].shape == x.shape
    net.loss(Batch(x, torch.tensor([0, 1, 2, -1, 0, 1])), "model", ONE).total.backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in net.parameters())


@pytest.mark.parametrize(
    ("shape", "units"),
    [
        ((4,), (500, 250, 100)),
        ((1, 64, 64), (500, 250, 100)),
        ((1, 65, 64), (32, 64, 128, 256)),
        ((3, 250, 160), (32, 64, 128, 256, 256)),
    ],
)
def test_layers_suit_the_size_of_examples(shape: tuple[int, ...], units: tuple[int, ...]) -> None:
    """Dense ones up to 4,096 numbers; above, halvings that leave at least four pixels of the shorter side."""
    with seeded(0):
        net = Ladder(Ladder.Config(classes=7), shape)
    assert tuple(len(rung.shift) for rung in net.rungs) == (*units, 7)
    filters = {1: (500, 1, 1, *shape), 3: (units[0], *(shape if units[0] == 500 else (shape[0], 3, 3)))}
    assert net.filters().shape == filters[len(shape)]


def test_hidden_layers_are_counted_from_one() -> None:
    net, x = small().eval(), X[:3]
    layers = net.activations(x)
    assert list(layers) == [*(f"hidden.{n}" for n in range(1, len(net.rungs))), "logits"]
    assert torch.equal(layers[f"hidden.{len(net.rungs) - 1}"].flatten(1), net.encode(x))


def test_a_step_draws_labelled_examples_beside_all() -> None:
    (stage,) = small().stages()
    assert not stage.stream.labelled and stage.beside["labelled"].labelled


@pytest.mark.slow
def test_unlabelled_clusters_spread_few_labels() -> None:
    """Three noisy pictures, one label each: with the others unlabelled more are named right than without them."""
    with seeded(0):
        pictures, true = torch.rand(3, 36), torch.arange(300) % 3
        x = pictures[true] + 0.35 * torch.randn(300, 36)
    right = {}
    for costs in ((10.0, 1.0, 0.1), ()):
        with seeded(1):
            net = Ladder(Ladder.Config(classes=3, hidden=(30, 20), costs=costs), (36,))
            optimiser = torch.optim.Adam(net.parameters(), 0.01)
            batch = Batch(x, torch.full((300,), -1), beside={"labelled": Batch(x[:6], true[:6])})
            for _ in range(100):
                optimiser.zero_grad()
                net.loss(batch, "model", ONE).total.backward()
                optimiser.step()
        right[bool(costs)] = float((net.eval().class_probabilities(x).argmax(1) == true).float().mean())
    assert right[True] > right[False], right


def test_bad_input() -> None:
    with pytest.raises(DataError, match="no example has a label"):
        small().prepare(Batch.of(X))
    with pytest.raises(ConfigError, match="at least one width"):
        Ladder(Ladder.Config(hidden=()), (4,))
    with pytest.raises(ConfigError, match="convolutions need pictures"):
        Ladder(Ladder.Config(network="convolution"), (4,))


def test_running_moments_end_as_averages_over_a_hundred_batches() -> None:
    """The share of a batch is 1/n of the first n, and 1/100 ever after."""
    rung = small().rungs[0]
    zero, one = (Moments(torch.full_like(rung.mean, value), torch.ones_like(rung.variance)) for value in (0.0, 1.0))
    for _ in range(300):
        rung.follow(zero)
    rung.follow(one)
    torch.testing.assert_close(rung.mean, torch.full_like(rung.mean, 0.01))


def test_costs_pull_on_the_path_without_noise_too() -> None:
    """As in the authors' code: the target of the way back is not held fixed. By finite differences, in float64."""
    net = small().double()
    x, weight = X.double(), net.rungs[0].up.weight
    assert isinstance(weight, Tensor)

    def cost() -> Tensor:
        return torch.stack([*costs(net, x).values()]).sum()

    (slope,) = torch.autograd.grad(cost(), weight)
    for place in ((0, 0), (2, 5), (5, 11)):
        around: list[float] = []
        for step in (-1e-5, 1e-5):
            with torch.no_grad():
                before = weight[place].clone()
                weight[place] += step
                around.append(float(cost()))
                weight[place] = before
        assert float(slope[place]) == pytest.approx((around[1] - around[0]) / 2e-5, rel=1e-4)


def test_what_is_put_in_a_layers_place_begins_at_zero() -> None:
    """Both of the Gaussian combinator's parts of u, by which z is weighed and moved, begin without effect."""
    z, u = torch.rand(5, 3), torch.rand(5, 3)
    assert torch.equal(Combinator((3,), "gaussian")(z, u), torch.zeros(5, 3))
