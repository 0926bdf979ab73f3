"""The autoencoder against derivatives and optima that are known in closed form."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import oracles
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli

from untaught.errors import ConfigError, DataError, SizeError
from untaught.model import Batch
from untaught.models.autoencoder import Autoencoder
from untaught.randomness import seeded

START = torch.zeros(())


def autoencoder(shape: tuple[int, ...] = (1, 4, 5), **fields: Any) -> Autoencoder:
    """A small one in float64."""
    chosen: dict[str, Any] = {"latent": 3, "hidden": (6,)} | fields
    with seeded(1):
        return Autoencoder(Autoencoder.Config(**chosen), shape).double()


def data(count: int = 9, shape: tuple[int, ...] = (1, 4, 5)) -> Tensor:
    with seeded(2):
        return torch.rand(count, *shape, dtype=torch.float64)


def test_gradient_of_the_linear_tied_autoencoder() -> None:
    """Of sum |Wᵀ(W x + b) + c - x|^2: 2 (W x + b) rᵀ + 2 (W r) xᵀ by W, 2 W r by b, 2 r by c, r the residual."""
    model = autoencoder(hidden=(), activation="linear", output="linear", tied=True)
    encoder, decoder = model.encoder.get_submodule("layers.0"), model.decoder.get_submodule("layers.0")
    w, b, c = encoder.get_parameter("weight"), encoder.get_parameter("bias"), decoder.get_parameter("bias")
    with torch.no_grad(), seeded(3):
        b.copy_(torch.randn(3))
        c.copy_(torch.randn(20))
    x = data()
    found = torch.autograd.grad(model.loss(Batch.of(x), "model", START).total, (w, b, c))
    by_weight, by_code, by_output = torch.zeros_like(w), torch.zeros_like(b), torch.zeros_like(c)
    for example in x.flatten(1):
        code = w @ example + b
        residual = w.T @ code + c - example
        by_weight += 2 * torch.outer(code, residual) + 2 * torch.outer(w @ residual, example)
        by_code += 2 * w @ residual
        by_output += 2 * residual
    for ours, theirs in zip(found, (by_weight, by_code, by_output), strict=True):
        torch.testing.assert_close(ours, theirs.detach() / len(x))


@pytest.mark.parametrize("tied", [False, True])
def test_linear_autoencoder_reaches_the_error_of_pca(tied: bool) -> None:
    with seeded(4):
        scales = torch.tensor([3.0, 2.0, 1.5, 0.5, 0.3, 0.2, 0.1, 0.1], dtype=torch.float64)
        x = torch.randn(60, 8, dtype=torch.float64) * scales @ torch.linalg.qr(torch.randn(8, 8).double())[0] + 1
    model = autoencoder((8,), hidden=(), activation="linear", output="linear", tied=tied)
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        total = model.loss(Batch.of(x), "model", START).total
        total.backward()
        return total

    for _ in range(3):
        optimiser.step(closure)  # type: ignore[arg-type]
    best = oracles.pca_error(x.numpy(), 3)
    assert best * (1 - 1e-9) <= closure().item() <= best * 1.01


def test_squared_error_is_the_sum_over_pixels() -> None:
    model, x = autoencoder(output="sigmoid"), data()
    found = model.loss(Batch.of(x), "model", START)
    expected = np.mean([((a - b) ** 2).sum() for a, b in zip(model.reconstruct(x).detach(), x, strict=True)])
    assert found.total.item() == pytest.approx(expected)
    assert found.parts["squared_error_per_image"].item() == pytest.approx(expected)


def test_bernoulli_loss_is_the_negative_log_probability() -> None:
    model = autoencoder(output="bernoulli")
    x = (data() > 0.5).double()
    found = model.loss(Batch.of(x), "model", START)
    y = model.reconstruct(x).detach()
    log_probability = Bernoulli(probs=y).log_prob(x).flatten(1).sum(1)
    torch.testing.assert_close(found.total, -log_probability.mean())
    torch.testing.assert_close(found.parts["reconstruction_nats"], found.total.detach())
    grey = data()
    nats = oracles.bernoulli_nats(grey, torch.logit(model.reconstruct(grey)).detach())
    assert model.loss(Batch.of(grey), "model", START).total.item() == pytest.approx(nats)


def test_bernoulli_loss_stays_finite_where_the_output_is_certain_and_wrong() -> None:
    model = autoencoder(output="bernoulli").float()
    with torch.no_grad():
        model.decoder.get_submodule("layers.1").get_parameter("bias").fill_(-200.0)
    assert model.loss(Batch.of(torch.ones(2, 1, 4, 5)), "model", START).total.item() == pytest.approx(4000, rel=0.05)


def test_networks_are_mirrored() -> None:
    model = autoencoder((3, 8, 8), hidden=(20, 10, 5), latent=2)
    below, above = (
        [tuple(p.shape) for name, p in net.named_parameters() if name.endswith("weight")]
        for net in (model.encoder, model.decoder)
    )
    assert below == [(20, 192), (10, 20), (5, 10), (2, 5)]
    assert above == [shape[::-1] for shape in reversed(below)]


def test_tied_weights_are_one_parameter() -> None:
    """Also after a copy, a move to another precision and a round trip of the weights."""
    model = copy.deepcopy(autoencoder(tied=True)).float()
    assert [name for name in model.state_dict() if name.startswith("decoder") and name.endswith("weight")] == []
    other = autoencoder(tied=True).float()
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.1)
    other.load_state_dict(model.state_dict())
    x = data().float()
    torch.testing.assert_close(other.reconstruct(x), model.reconstruct(x), rtol=0, atol=0)


@pytest.mark.parametrize("fields", [{"normalise": True}, {"network": "convolution", "normalise": True, "tied": True}])
def test_batch_normalisation_is_deterministic_in_use(fields: dict[str, Any]) -> None:
    model, x = autoencoder(**fields), data()
    for _ in range(3):
        model.train().loss(Batch.of(x), "model", START)
    before = copy.deepcopy(model.state_dict())
    model.eval()
    together, alone = model.reconstruct(x), model.reconstruct(x[4:5])
    torch.testing.assert_close(together[4:5], alone)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not torch.allclose(model.train().reconstruct(x), together)


@pytest.mark.parametrize("network", ["dense", "convolution"])
@pytest.mark.parametrize("normalise", [False, True])
def test_a_batch_of_one_can_be_learnt_from(network: str, normalise: bool) -> None:
    model = autoencoder((1, 8, 8), network=network, normalise=normalise, hidden=(6, 5))
    total = model.train().loss(Batch.of(data(1, (1, 8, 8))), "model", START).total
    total.backward()
    assert total.isfinite()
    assert all(value.grad is not None and value.grad.isfinite().all() for value in model.parameters())


@pytest.mark.parametrize("fields", [{}, {"network": "convolution"}, {"tied": True, "output": "bernoulli"}])
def test_float64_agrees_with_float32(fields: dict[str, Any]) -> None:
    double = autoencoder(**fields)
    single = copy.deepcopy(double).float()
    wide = double.loss(Batch.of(data()), "model", START).total
    narrow = single.loss(Batch.of(data().float()), "model", START).total
    torch.testing.assert_close(narrow.double(), wide, rtol=1e-5, atol=1e-5)


def test_the_error_is_summed_in_full_precision_under_autocast() -> None:
    model = autoencoder().float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = model.loss(Batch.of(data().float()), "model", START)
    assert loss.total.dtype == torch.float32
    exact = model.loss(Batch.of(data().float()), "model", START).total
    torch.testing.assert_close(loss.total, exact, rtol=0.03, atol=0)


@pytest.mark.parametrize("value", [-0.25, 1.5])
def test_values_out_of_range_are_refused_under_cross_entropy(value: float) -> None:
    x = data().float()
    x[0, 0, 0, 0] = value
    with pytest.raises(DataError, match=str(value)):
        autoencoder(output="bernoulli").prepare(Batch.of(x))


@pytest.mark.parametrize("output", ["linear", "sigmoid", "bernoulli"])
def test_prepared_outputs_begin_at_the_mean_of_the_data(output: str) -> None:
    model, x = autoencoder(output=output), data(50)
    model.prepare(Batch.of(x))
    with torch.no_grad():
        for value in model.decoder.parameters():
            value.zero_()
    torch.testing.assert_close(model.reconstruct(x[:1])[0], x.mean(0))


def test_logistic_outputs_reach_as_far_as_the_data() -> None:
    model, x = autoencoder(output="sigmoid"), 10 * data() - 3
    model.prepare(Batch.of(x))
    with torch.no_grad():
        model.offset.fill_(100.0)
        torch.testing.assert_close(model.reconstruct(x), x.max().expand_as(x))
        model.offset.fill_(-100.0)
        torch.testing.assert_close(model.reconstruct(x), x.min().expand_as(x))
    model.prepare(Batch.of(data() / 2))
    assert (model.outputs.low, model.outputs.high) == (0, 1)


def test_small_pictures_are_refused_by_convolutions() -> None:
    with pytest.raises(SizeError, match="2x9 is too small"):
        autoencoder((1, 2, 9), network="convolution", pool=2)


def test_activations_are_those_of_every_layer() -> None:
    model, x = autoencoder(hidden=(7, 6), output="linear"), data()
    found = model.activations(x)
    shapes = {name: tuple(value.shape[1:]) for name, value in found.items()}
    assert shapes == {"encoder.1": (7,), "encoder.2": (6,), "code": (3,), "decoder.1": (6,), "decoder.2": (7,)}
    assert torch.equal(found["code"], model.encode(x))
    last = model.decoder.get_submodule("layers.2")
    torch.testing.assert_close(last(found["decoder.2"]).reshape(x.shape), model.reconstruct(x))
    with pytest.raises(ConfigError, match="'encoder.3'; there are: encoder.1, encoder.2, code"):
        model.activations(x, ["code", "encoder.3"])


class Halves(nn.Module):
    """An encoder of the caller's own: the means of the left and of the right half, twice."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """Four numbers for each picture."""
        left, right = x[..., :2].mean((1, 2, 3)), x[..., 2:].mean((1, 2, 3))
        return self.scale * torch.stack([left, right, left, right], 1)


def test_the_callers_own_networks_take_the_place_of_ours() -> None:
    config = Autoencoder.Config(latent=4, hidden=(6,))
    x = data().float()
    own = Autoencoder(config, (1, 4, 5), encoder=Halves())
    torch.testing.assert_close(own.encode(x)[:, 1], x[..., 2:].mean((1, 2, 3)))
    assert own.reconstruct(x).shape == x.shape
    both = Autoencoder(config, (1, 4, 5), encoder=Halves(), decoder=nn.Sequential(nn.Linear(4, 20)))
    both.loss(Batch.of(x), "model", START).total.backward()
    assert all(value.grad is not None for value in both.parameters())
    again = Autoencoder(config, (1, 4, 5), encoder=Halves(), decoder=nn.Sequential(nn.Linear(4, 20)))
    again.load_state_dict(both.state_dict())
    assert torch.equal(again.reconstruct(x), both.reconstruct(x))


@pytest.mark.parametrize(
    ("config", "networks", "message"),
    [
        ({"latent": 5}, {"encoder": Halves}, "gives 4 numbers, but latent is 5"),
        ({"latent": 4, "tied": True}, {"encoder": Halves}, "tied"),
        ({"latent": 4}, {"decoder": lambda: nn.Linear(4, 19)}, r"gives \(19,\) for examples of \(1, 4, 5\)"),
    ],
)
def test_networks_that_do_not_fit_are_refused(
    config: dict[str, Any], networks: dict[str, Callable[[], nn.Module]], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Autoencoder(
            Autoencoder.Config(hidden=(6,), **config), (1, 4, 5), **{name: make() for name, make in networks.items()}
        )


def test_convolutions_learn_two_shapes_apart() -> None:
    """Bars across and bars down: two code numbers suffice to give either back."""
    x = torch.zeros(2, 1, 12, 12)
    x[0, 0, 5:7], x[1, 0, :, 5:7] = 1, 1
    model = autoencoder((1, 12, 12), network="convolution", hidden=(4, 8), latent=2).float()
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    model.prepare(Batch.of(x))
    for _ in range(200):
        optimiser.zero_grad()
        model.loss(Batch.of(x), "model", START).total.backward()
        optimiser.step()
    assert model.loss(Batch.of(x), "model", START).total < 0.5  # the mean of both leaves 10
