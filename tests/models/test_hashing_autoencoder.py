"""The hashing autoencoder: equations by hand, gradients by finite differences, and codes that learn."""

from typing import Any

import numpy as np
import oracles
import pytest
import torch
from torch import Tensor, nn

from untaught.errors import ConfigError, DataError
from untaught.model import Batch
from untaught.models.hashing_autoencoder import HashingAutoencoder
from untaught.nn.fixed_noise import fixed_normal
from untaught.randomness import seeded

START = torch.zeros(())
SHAPE = (1, 4, 5)


def hashing(shape: tuple[int, ...] = SHAPE, **fields: Any) -> HashingAutoencoder:
    """A small one in float64."""
    chosen: dict[str, Any] = {"latent": 6, "hidden": (7,)} | fields
    with seeded(1):
        return HashingAutoencoder(HashingAutoencoder.Config(**chosen), shape).double()


def data(count: int = 9, shape: tuple[int, ...] = SHAPE) -> Tensor:
    with seeded(2):
        return torch.rand(count, *shape).double()


def by_hand(model: HashingAutoencoder, x: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of the code units, and copies through bits, in NumPy: one hidden ReLU layer each way."""
    w = {name: value.detach().numpy() for name, value in model.named_parameters()}
    hidden = np.maximum(x.flatten(1).numpy() @ w["encoder.layers.0.weight"].T + w["encoder.layers.0.bias"], 0)
    inputs = hidden @ w["encoder.layers.1.weight"].T + w["encoder.layers.1.bias"]
    return inputs, decoded_by_hand(model, (inputs > 0).astype(float))


def decoded_by_hand(model: HashingAutoencoder, code: np.ndarray) -> np.ndarray:
    w = {name: value.detach().numpy() for name, value in model.named_parameters()}
    above = np.maximum(code @ w["decoder.layers.0.weight"].T + w["decoder.layers.0.bias"], 0)
    return above @ w["decoder.layers.1.weight"].T + w["decoder.layers.1.bias"] + model.offset.flatten().numpy()


def logistic(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def test_codes_and_copies_by_hand() -> None:
    model, x = hashing(output="linear").eval(), data()
    model.prepare(Batch.of(x))
    inputs, copies = by_hand(model, x)
    assert np.array_equal(model.encode(x).numpy(), (inputs > 0).astype(float))
    np.testing.assert_allclose(model.reconstruct(x).detach().flatten(1).numpy(), copies)


@pytest.mark.parametrize("rounding", [False, True])
@pytest.mark.parametrize("noise", [0.0, 4.0])
def test_what_the_decoder_learns_from(noise: float, rounding: bool) -> None:
    """Equations (1) and (2), and the squared error (4) of what follows."""
    model, x = hashing(output="linear", noise=noise, rounding=rounding), data()
    inputs, _ = by_hand(model, x)
    probability = logistic(inputs + noise * fixed_normal(x, 6).double().numpy())
    code = np.round(probability) if rounding else probability
    np.testing.assert_allclose(model.noisy_code(x).detach().numpy(), code, atol=1e-12)
    errors = ((decoded_by_hand(model, code) - x.flatten(1).numpy()) ** 2).sum(1)
    assert model.loss(Batch.of(x), "model", START).total.item() == pytest.approx(errors.mean())


def test_held_out_examples_are_judged_through_their_bits() -> None:
    model, x = hashing(output="linear", noise=4.0, rounding=False).eval(), data()
    errors = ((by_hand(model, x)[1] - x.flatten(1).numpy()) ** 2).sum(1)
    assert model.held_out(Batch.of(x), "model").total.item() == pytest.approx(errors.mean())


def test_noise_is_the_same_in_each_pass_and_moves_with_its_example() -> None:
    model, x = hashing(noise=4.0, rounding=False), data()
    with seeded(1):
        first = model.noisy_code(x)
    with seeded(2):
        assert torch.equal(model.noisy_code(x), first)
    torch.testing.assert_close(model.noisy_code(x.flip(0)), first.flip(0))
    assert not torch.allclose(hashing(noise=0.0, rounding=False).noisy_code(x), first)


def test_gradient_without_rounding() -> None:
    """Against finite differences, noise held fixed by the examples themselves."""
    model, x = hashing(noise=2.0, rounding=False, activation="tanh"), data()
    weight = model.encoder.get_submodule("layers.1").get_parameter("weight")
    (found,) = torch.autograd.grad(model.loss(Batch.of(x), "model", START).total, weight)
    for place in ((0, 0), (3, 2), (5, 6)):
        values: list[float] = []
        for step in (1e-5, -2e-5):
            with torch.no_grad():
                weight[place] += step
            values.append(model.loss(Batch.of(x), "model", START).total.item())
        with torch.no_grad():
            weight[place] += 1e-5
        assert found[place].item() == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-5)


def test_gradient_passes_rounding_as_if_it_were_not_there() -> None:
    """dJ/ds = p (1 - p) dJ/db, with dJ/db taken where the decoder stands: at the bits."""
    model, x = hashing(output="linear"), data()
    inputs = torch.from_numpy(by_hand(model, x)[0])
    bits = (inputs > 0).double().requires_grad_()
    error = (model.decode(bits) - x).square().sum() / len(x)
    (by_bit,) = torch.autograd.grad(error, bits)
    probability = torch.sigmoid(inputs)
    expected = (by_bit * probability * (1 - probability)).sum(0)
    bias = model.encoder.get_submodule("layers.1").get_parameter("bias")
    (found,) = torch.autograd.grad(model.loss(Batch.of(x), "model", START).total, bias)
    torch.testing.assert_close(found, expected)


def test_cross_entropy_of_binary_pixels_and_of_words() -> None:
    grey, model = data(), hashing(output="bernoulli")
    nats = oracles.bernoulli_nats(grey, torch.logit(model.reconstruct(grey)).detach())
    assert model.eval().loss(Batch.of(grey), "model", START).total.item() == pytest.approx(nats)
    words = data(shape=(20,)) / data(shape=(20,)).sum(1, keepdim=True)
    model = hashing((20,), output="softmax").eval()
    y = model.reconstruct(words).detach()
    torch.testing.assert_close(y.sum(1), torch.ones(9).double())
    expected = -(words * y.log()).sum(1).mean()
    torch.testing.assert_close(model.loss(Batch.of(words), "model", START).total, expected)
    with pytest.raises(DataError, match="do not sum to 1"):
        model.prepare(Batch.of(2 * words))


@pytest.mark.parametrize("output", ["linear", "sigmoid", "bernoulli"])
def test_outputs_begin_at_the_mean_of_the_data(output: str) -> None:
    model, x = hashing(output=output), data(50)
    model.prepare(Batch.of(x))
    with torch.no_grad():
        for value in model.decoder.parameters():
            value.zero_()
    torch.testing.assert_close(model.reconstruct(x[:1])[0], x.mean(0))


def test_layers_by_name() -> None:
    model, x = hashing(), data()
    found = model.activations(x)
    assert list(found) == ["encoder.1", "probability", "code", "decoder.1"]
    assert torch.equal(found["code"], model.encode(x)) and torch.equal(found["probability"].round(), found["code"])
    with pytest.raises(ConfigError, match="'encoder.9'"):
        model.activations(x, ["encoder.9"])


def test_the_callers_own_encoder() -> None:
    own = nn.Sequential(nn.Flatten(), nn.Linear(20, 6))
    model = HashingAutoencoder(HashingAutoencoder.Config(latent=6, hidden=(7,)), SHAPE, encoder=own)
    x = data().float()
    assert torch.equal(model.encode(x), (own(x) > 0).float())
    with pytest.raises(ConfigError, match="tied"):
        HashingAutoencoder(HashingAutoencoder.Config(latent=6, tied=True), SHAPE, encoder=own)


def test_the_stack_of_2011() -> None:
    """3072-8192-4096-2048-1024-512-256 and its mirror: 139.8 million weights, counted without making them."""
    widths = (3072, 8192, 4096, 2048, 1024, 512, 256)
    with torch.device("meta"):
        model = HashingAutoencoder(HashingAutoencoder.Config(hidden=widths[1:-1]), (3, 32, 32))
    weights = 2 * sum(a * b for a, b in zip(widths, widths[1:], strict=False))
    biases = sum(widths[1:]) + sum(widths[:-1])
    assert sum(value.numel() for value in model.parameters()) == weights + biases
    assert weights / 1e6 == pytest.approx(139.7, abs=0.1)


@pytest.mark.parametrize("fields", [{}, {"noise": 4.0, "rounding": False}])
def test_four_shapes_get_codes_of_their_own(fields: dict[str, Any]) -> None:
    """Two bits suffice for four pictures; the best single picture, their mean, leaves an error of 12."""
    x = torch.zeros(4, 1, 8, 8)
    for place in range(4):
        x[place, 0, 2 * place : 2 * place + 2] = 1
    with seeded(0):
        model = HashingAutoencoder(HashingAutoencoder.Config(latent=8, hidden=(30,), **fields), (1, 8, 8))
        optimiser = torch.optim.Adam(model.parameters(), 0.01)
        model.prepare(Batch.of(x))
        for _ in range(200):
            optimiser.zero_grad()
            model.loss(Batch.of(x), "model", START).total.backward()
            optimiser.step()
    assert len(model.eval().encode(x).unique(dim=0)) == 4
    assert model.loss(Batch.of(x), "model", START).total < 1


def test_settings_are_those_of_2011() -> None:
    """256 bits, to the nearest whole; noise of deviation 4, where asked for, takes the place of rounding."""
    config = HashingAutoencoder.Config()
    assert (config.coders.latent, config.rounding, config.noise) == (256, True, 0.0)
