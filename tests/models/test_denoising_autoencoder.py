"""The denoising autoencoder: each damage by its statistics, what is learnt from it by solutions in closed form."""

from typing import Any

import pytest
import torch
from torch import Tensor

from untaught.errors import ConfigError
from untaught.model import Batch
from untaught.models.denoising_autoencoder import DenoisingAutoencoder
from untaught.randomness import seeded

START = torch.zeros(())
DRAWS = 40_000


def autoencoder(shape: tuple[int, ...] = (6,), **fields: Any) -> DenoisingAutoencoder:
    """A small one in float64."""
    with seeded(1):
        return DenoisingAutoencoder(DenoisingAutoencoder.Config(**({"hidden": (5,)} | fields)), shape).double()


def linear(**fields: Any) -> DenoisingAutoencoder:
    """As many linear hidden units as values: V W is any matrix."""
    return autoencoder(hidden=(6,), activation="linear", output="linear", tied=False, **fields)


def data(count: int = 9, shape: tuple[int, ...] = (6,)) -> Tensor:
    with seeded(2):
        mixed = torch.rand(count, 3, dtype=torch.float64) @ torch.rand(3, 6, dtype=torch.float64)
        return (mixed / mixed.max()).reshape(count, *shape)


def damaged(model: DenoisingAutoencoder, x: Tensor) -> Tensor:
    """One example damaged many times."""
    with seeded(3):
        return model.corrupted(x.expand(DRAWS, -1))


@pytest.mark.parametrize("level", [0.1, 0.25, 0.6, 1.0])
def test_masking_loses_each_value_with_its_probability_and_independently(level: float) -> None:
    x = torch.linspace(0.1, 1, 6).double()
    lost = damaged(autoencoder(level=level), x) == 0
    assert torch.equal(damaged(autoencoder(level=level), x)[~lost], x.expand(DRAWS, -1)[~lost])
    slack = 4.5 * (level * (1 - level) / DRAWS) ** 0.5 + 1e-12
    assert (lost.double().mean(0) - level).abs().max() <= slack
    together = lost.double().T @ lost.double() / DRAWS
    apart = together[~torch.eye(6, dtype=torch.bool)]
    assert (apart - level**2).abs().max() <= 4.5 * (level**2 * (1 - level**2) / DRAWS) ** 0.5 + 1e-12


@pytest.mark.parametrize("level", [0.3, 2.0])
def test_gaussian_noise_has_its_deviation(level: float) -> None:
    x = torch.linspace(-1, 1, 6).double()
    noise = (damaged(autoencoder(corruption="gaussian", level=level), x) - x) / level
    assert noise.mean(0).abs().max() < 4.5 / DRAWS**0.5
    assert (noise.T @ noise / DRAWS - torch.eye(6)).abs().max() < 4.5 * (2 / DRAWS) ** 0.5
    fourth = noise.pow(4).mean()
    assert abs(float(fourth) - 3) < 4.5 * (96 / (6 * DRAWS)) ** 0.5


@pytest.mark.parametrize("ends", [(0.0, 1.0), (-3.0, 2.0)])
def test_salt_and_pepper_sends_values_to_both_ends_of_the_data_alike(ends: tuple[float, float]) -> None:
    model = autoencoder(corruption="salt-and-pepper", level=0.4, output="sigmoid")
    model.prepare(Batch.of(torch.tensor([[*ends, 0.5, 0.5, 0.5, 0.5]]).double()))
    x = torch.linspace(0.1, 0.9, 6).double()
    seen = damaged(model, x)
    slack = 4.5 * (0.2 * 0.8 / DRAWS) ** 0.5
    for end in ends:
        assert ((seen == end).double().mean(0) - 0.2).abs().max() < slack
    assert ((seen == x).double().mean(0) - 0.6).abs().max() < 4.5 * (0.24 / DRAWS) ** 0.5


@pytest.mark.parametrize("corruption", ["masking", "gaussian", "salt-and-pepper"])
def test_level_zero_leaves_examples_whole(corruption: str) -> None:
    x = data()
    assert torch.equal(autoencoder(corruption=corruption, level=0.0).corrupted(x), x)


@pytest.mark.parametrize("corruption", ["masking", "gaussian", "salt-and-pepper"])
def test_draws_are_the_same_in_every_precision(corruption: str) -> None:
    model, x = autoencoder(corruption=corruption, level=0.3), data()
    with seeded(4):
        wide = model.corrupted(x)
    with seeded(4):
        narrow = model.float().corrupted(x.float())
    assert narrow.dtype == torch.float32
    torch.testing.assert_close(narrow.double(), wide, rtol=1e-6, atol=1e-6)


def test_the_loss_compares_what_comes_of_damage_with_what_was_whole() -> None:
    """And does so on held-out data too: evaluation changes nothing."""
    model, x = autoencoder(output="linear", level=0.5), data()
    with seeded(5):
        seen = model.corrupted(x)
    y = model.decode(torch.sigmoid(seen @ model.weight.T + model.hidden_bias))
    for mode in (model.train(), model.eval()):
        with seeded(5):
            found = mode.loss(Batch.of(x), "model", START)
        torch.testing.assert_close(found.total, (y - x).square().sum(1).mean() / 2)
    assert (y - seen).square().sum(1).mean() != (y - x).square().sum(1).mean()


def test_features_are_of_what_is_given() -> None:
    model, x = autoencoder(level=0.9), data()
    torch.testing.assert_close(model.train().encode(x), torch.sigmoid(x @ model.weight.T + model.hidden_bias))
    stage = autoencoder(hidden=(5, 4), level=0.9).stages()[1]
    assert stage.sees is not None
    assert torch.equal(stage.sees(x), stage.sees(x))


def expected_loss(model: DenoisingAutoencoder, x: Tensor, level: float) -> Tensor:
    """Of linear units, mean over masks: half of |x - (1 - p) A x - a|^2 + p (1 - p) sum_i x_i^2 |A_i|^2."""
    whole = model.decoder_weight @ model.weight
    constant = model.decoder_weight @ model.hidden_bias + model.visible_bias
    bias = (x - (1 - level) * x @ whole.T - constant).square().sum(1)
    return (bias + level * (1 - level) * x.square() @ whole.square().sum(0)).mean() / 2


def test_the_loss_of_linear_units_is_its_expectation_over_masks() -> None:
    model, x = linear(level=0.3), data()
    with torch.no_grad(), seeded(6):
        model.hidden_bias.normal_()
        losses = torch.stack([model.loss(Batch.of(x), "model", START).total for _ in range(1000)])
        far = (losses.mean() - expected_loss(model, x, 0.3)) / (losses.std() / 1000**0.5)
    assert abs(float(far)) < 4.5


def marginalised(x: Tensor, level: float) -> tuple[Tensor, Tensor]:
    """Chen et al. 2012: the matrix and constant that repair masked values best, W = P Q^-1, the constant not masked."""
    with_one = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)
    kept = torch.full((7,), 1 - level, dtype=x.dtype)
    kept[-1] = 1
    scatter = with_one.T @ with_one / len(x)
    q = scatter * torch.outer(kept, kept)
    q.diagonal().copy_(kept * scatter.diagonal())
    solution = torch.linalg.solve(q, (scatter * kept)[:-1].T).T
    return solution[:, :-1], solution[:, -1]


@pytest.mark.parametrize("level", [pytest.param(0.2, marks=pytest.mark.slow), 0.5])
def test_linear_units_learn_the_marginalised_solution(level: float) -> None:
    """From one large sample of masks, by L-BFGS on fixed draws: as near as its size allows."""
    model, x = linear(level=level), data(40)
    many = Batch.of(x.repeat(500, 1))
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        with seeded(7):
            total = model.loss(many, "model", START).total
        total.backward()
        return total

    optimiser.step(closure)  # type: ignore[arg-type]
    best, constant = marginalised(x, level)
    torch.testing.assert_close((model.decoder_weight @ model.weight).detach(), best, rtol=0, atol=0.02)
    found = expected_loss(model, x, level).item()
    with torch.no_grad():
        model.untied = torch.nn.Parameter(best @ torch.linalg.inv(model.weight))
        model.visible_bias.copy_(constant - model.decoder_weight @ model.hidden_bias)
    least = expected_loss(model, x, level).item()
    assert least <= found <= least * 1.005


def test_gaussian_noise_on_linear_units_is_a_penalty_on_weights() -> None:
    """E |x - A (x + s e) - a|^2 = |x - A x - a|^2 + s^2 |A|^2."""
    model, x = linear(corruption="gaussian", level=0.4), data()
    whole = model.decoder_weight @ model.weight
    with seeded(8), torch.no_grad():
        losses = torch.stack([model.loss(Batch.of(x), "model", START).total for _ in range(1000)])
        clean = (x @ whole.T - x).square().sum(1).mean()
        exact = (clean + 0.16 * whole.square().sum()) / 2
    assert abs(float((losses.mean() - exact) / (losses.std() / 1000**0.5))) < 4.5


@pytest.mark.parametrize("corruption", ["masking", "salt-and-pepper"])
def test_levels_that_are_no_probabilities_are_refused(corruption: str) -> None:
    with pytest.raises(ConfigError, match=r"level = 1.5: under .* from 0 to 1"):
        autoencoder(corruption=corruption, level=1.5)
    autoencoder(corruption="gaussian", level=1.5)
