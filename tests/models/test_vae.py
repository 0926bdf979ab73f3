"""The variational autoencoder: its bound against quadrature and probabilistic PCA, its gradient against another."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from untaught.errors import ConfigError, DataError
from untaught.model import Batch
from untaught.models.vae import VAE
from untaught.nn.latent.densities import divergence, normal_log_density, standard_log_density
from untaught.nn.latent.stochastic import Networks
from untaught.randomness import seeded

ONE = torch.ones(())


def made(latent: int, shape: tuple[int, ...] = (6,), seed: int = 0, scale: float = 3.0, **fields: object) -> VAE:
    """A small model in float64 whose latents matter."""
    config = VAE.Config(networks=Networks(latent=latent, hidden=(7,), activation="tanh"), **fields)  # type: ignore[arg-type]
    with seeded(seed):
        model = VAE(config, shape).double()
        for weight in model.decoder.parameters():
            weight.data.mul_(scale)
    return model.eval()


def binary(rows: int = 5, values: int = 6) -> Tensor:
    return torch.rand(rows, values, generator=torch.Generator().manual_seed(1)).round().double()


def lattice(latent: int, points: int = 400, reach: float = 9.0) -> tuple[Tensor, float]:
    """A fine lattice of latents, and the logarithm of the volume of a cell."""
    line = torch.linspace(-reach, reach, points, dtype=torch.float64)
    nodes = torch.cartesian_prod(*[line] * latent).view(-1, latent)
    return nodes, latent * math.log(2 * reach / (points - 1))


# -------- the bound


@torch.no_grad()
@pytest.mark.parametrize("output", ["bernoulli", "squashed"])
@pytest.mark.parametrize("latent", [1, 2])
def test_identity_of_encoder_and_decoder(latent: int, output: str) -> None:
    """log p(x) - KL(q(z|x) || p(z|x)) = <log p(x|z)> - KL(q(z|x) || p(z)), all but the last term by quadrature."""
    model, x = made(latent, output=output), binary()
    nodes, cell = lattice(latent)
    for one in x:
        rows = one.expand(len(nodes), -1)
        joint = model.log_joint(rows, nodes)
        log_p = torch.logsumexp(joint + cell, 0)
        mean, log_variance = model.posterior(one[None])
        log_q = normal_log_density(nodes, mean, log_variance)
        q = (log_q + cell).exp()
        apart = (q * (log_q - (joint - log_p))).sum()
        error = (q * (joint - standard_log_density(nodes))).sum()
        left, right = log_p - apart, error - divergence(mean, log_variance).sum()
        assert (left - right).abs() < 1e-6
        assert apart > 0.01, "the encoder is exact, so that nothing is tested"


@torch.no_grad()
def test_bound_is_below_the_likelihood_and_more_draws_come_closer() -> None:
    model, x = made(2), binary()
    nodes, cell = lattice(2)
    exact = torch.stack([torch.logsumexp(model.log_joint(one.expand(len(nodes), -1), nodes) + cell, 0) for one in x])
    with seeded(0):
        weights = model.log_weights(x, 40_000).view(len(x), 400, 100)
    bounds = [torch.logsumexp(weights[..., :k], 2) - math.log(k) for k in (1, 10, 100)]
    means = torch.stack([bound.mean(1) for bound in bounds])
    errors = torch.stack([bound.std(1) / 20 for bound in bounds])
    assert (means[1:] > means[:-1] - 3 * errors[:-1]).all() and (means < exact + 3 * errors).all()
    with seeded(1):
        single = torch.stack([model.bound(x) for _ in range(400)])
    assert ((single.mean(0) - means[0]).abs() < 4.5 * (single.std(0) / 20 + errors[0])).all()
    everything = torch.logsumexp(weights.flatten(1), 1) - math.log(40_000)
    relative = weights.flatten(1).softmax(1)
    error = (relative.square().sum(1)).sqrt()  # of the logarithm of the mean, by the delta method
    assert ((everything - exact).abs() < 4.5 * error).all()


def principal(x: np.ndarray, latent: int) -> tuple[VAE, PCA]:
    """A linear VAE with the weights of probabilistic PCA, and scikit-learn's."""
    pca = PCA(latent).fit(x)
    noise = float(pca.noise_variance_)
    gain = torch.from_numpy(pca.explained_variance_ - noise).sqrt()
    basis, mean = torch.from_numpy(pca.components_), torch.from_numpy(pca.mean_)
    networks = Networks(latent=latent, hidden=())
    config = VAE.Config(networks=networks, output="gaussian", deviation=math.sqrt(noise))
    model = VAE(config, (x.shape[1],)).double()
    up, down = model.encoder.network.layers[0], model.decoder.network.layers[0]  # type: ignore[union-attr]
    with torch.no_grad():
        narrow = gain / torch.from_numpy(pca.explained_variance_)
        up.weight.copy_(torch.cat([narrow[:, None] * basis, torch.zeros_like(basis)]))
        spread = (noise / torch.from_numpy(pca.explained_variance_)).log()
        up.bias.copy_(torch.cat([-(narrow[:, None] * basis) @ mean, spread]))
        down.weight.copy_(basis.T * gain)
        model.outputs.offset.copy_(mean)
    return model, pca


@torch.no_grad()
def test_linear_model_with_the_right_encoder_is_probabilistic_pca() -> None:
    """Every single weight is the likelihood, so the bounds (5) and (7) are equal to it; judged by scikit-learn."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(200, 3)) @ generator.normal(size=(3, 6)) + generator.normal(size=(200, 6)) / 3
    model, pca = principal(x, 2)
    expected = torch.from_numpy(pca.score_samples(x))
    seen = torch.from_numpy(x)
    with seeded(0):
        for draws in (1, 5):
            weights = model.log_weights(seen, draws)
            torch.testing.assert_close(weights, expected[:, None].expand_as(weights), rtol=1e-8, atol=1e-8)
        elbo = torch.stack([model.bound(seen) for _ in range(300)]).mean(0)
    assert abs(float(elbo.mean()) - pca.score(x)) < 0.02
    model.encoder.network.layers[0].bias.add_(0.3)  # type: ignore[union-attr]
    with seeded(0):
        wrong = torch.stack([model.bound(seen) for _ in range(300)]).mean(0)
        several = torch.logsumexp(model.log_weights(seen, 300), 1) - math.log(300)
    assert float(wrong.mean()) < float(several.mean()) < pca.score(x) + 0.02
    assert float(wrong.mean()) < pca.score(x) - 0.1


# -------- learning


def test_gradient_by_draws_is_that_of_the_score_function_in_expectation() -> None:
    """d/dm <log p(x|z)>: through z = m + s e, and as <log p(x|z) d log q / dm>."""
    model, draws = made(2), 60_000
    x = binary(1).expand(draws, -1)
    moments = [part.detach().expand(draws, -1).clone().requires_grad_() for part in model.posterior(x[:1])]
    with seeded(0):
        latent = model.drawn((moments[0], moments[1]))
    value = model.log_joint(x, latent) - standard_log_density(latent)
    through = torch.autograd.grad(value.sum(), moments)
    z, mean, log_variance = latent.detach(), *(part.detach() for part in moments)
    centred = (value.detach() - value.detach().mean())[:, None]  # a constant leaves the expectation as it is
    away = (z - mean) * (-log_variance).exp()
    scored = (centred * away, centred * 0.5 * (away * (z - mean) - 1))
    for ours, other in zip(through, scored, strict=True):
        apart = (ours.mean(0) - other.mean(0)).abs()
        assert (apart < 4.5 * (ours.var(0) + other.var(0)).div(draws).sqrt()).all()
        assert (ours.mean(0).abs() > 10 * ours.std(0) / math.sqrt(draws)).any()


def test_loss_is_the_bound_and_its_parts_add_up() -> None:
    model, batch = made(2), Batch.of(binary())
    with seeded(3):
        loss = model.loss(batch, "model", ONE)
    with seeded(3):
        bound = model.bound(batch.x)
    torch.testing.assert_close(loss.total, -bound.mean())
    torch.testing.assert_close(loss.parts["upper_bound_nats"], loss.total.detach())


def test_weight_of_the_divergence() -> None:
    batch = Batch.of(binary())

    def parts(progress: float, **fields: object) -> tuple[float, float, float]:
        with seeded(3):
            loss = made(2, **fields).loss(batch, "model", torch.tensor(progress))
        error, kl = loss.parts["reconstruction_nats"], loss.parts["kl_nats"]
        return loss.total.item(), float(error), float(kl)

    total, error, kl = parts(1.0, beta=4.0)
    assert total == pytest.approx(error + 4 * kl)
    total, error, kl = parts(0.25, kl_warm_up=0.5)
    assert total == pytest.approx(error + 0.5 * kl)
    total, error, kl = parts(0.75, kl_warm_up=0.5)
    assert total == pytest.approx(error + kl)
    each = divergence(*made(2).posterior(batch.x)).mean(0).detach()
    free = each.mean().item()
    total, error, kl = parts(1.0, free_bits=free)
    assert total == pytest.approx(error + float(each.clamp_min(free).sum())) and kl == pytest.approx(float(each.sum()))


# -------- classes


def test_classes_decide_what_is_drawn() -> None:
    """Pictures of class 0 are dark, of class 1 bright; drawn by class they are too, and any without."""
    label = torch.arange(64) % 2
    x = label.float()[:, None, None, None].expand(-1, 1, 4, 4).clone()
    with seeded(0):
        model = VAE(VAE.Config(networks=Networks(latent=2, hidden=(8,)), classes=2), (1, 4, 4))
        model.prepare(Batch(x, label))
        optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
        for _ in range(300):
            optimiser.zero_grad()
            model.loss(Batch(x, label), "model", ONE).total.backward()
            optimiser.step()
        dark, bright = (model.sample(50, label).mean() for label in (0, 1))
        both = model.sample(200).flatten(1).mean(1)
    assert dark < 0.1 and bright > 0.9
    assert (both < 0.3).any() and (both > 0.7).any()


def test_labels_are_hidden_in_part_while_it_learns() -> None:
    """With nearly all labels hidden, here all of them, it is trained as a model of examples without label."""
    x, label = torch.rand(20, 1, 4, 4), torch.arange(20) % 3
    losses: dict[tuple[float, bool], float] = {}
    for hidden in (0.0, 0.9999):
        with seeded(0):
            model = VAE(VAE.Config(hidden=(5,), latent=2, classes=3, hidden_labels=hidden), (1, 4, 4))
        for known in (True, False):
            with seeded(1):
                batch = Batch(x, label if known else torch.full_like(label, -1))
                losses[hidden, known] = float(model.loss(batch, "model", torch.ones(())).total.detach())
    assert losses[0.9999, True] == pytest.approx(losses[0.9999, False], rel=1e-5)
    assert losses[0.0, True] != pytest.approx(losses[0.0, False], rel=1e-5)


@pytest.mark.parametrize("network", ["dense", "convolution"])
def test_both_networks_see_the_class(network: str) -> None:
    config = VAE.Config(networks=Networks(latent=3, hidden=(4,), network=network), classes=3)  # type: ignore[arg-type]
    with seeded(0):
        model = VAE(config, (2, 9, 7)).eval()
    x, z = torch.rand(4, 2, 9, 7), torch.randn(4, 3)
    one, two, none = torch.zeros(4).long(), torch.ones(4).long(), torch.full((4,), -1)
    assert not torch.allclose(model.posterior(x, one)[0], model.posterior(x, two)[0])
    assert not torch.allclose(model.decoded(z, one), model.decoded(z, two))
    torch.testing.assert_close(model.posterior(x, none)[0], model.encode(x))
    assert model.filters().shape[1:] == ((2, 4, 4) if network == "convolution" else (2, 9, 7))


# -------- any size, bad input


@pytest.mark.parametrize("output", ["bernoulli", "squashed"])
@pytest.mark.parametrize(("shape", "network"), [((3, 37, 51), "convolution"), ((1, 5, 3), "dense"), ((9,), "auto")])
def test_any_size(shape: tuple[int, ...], network: str, output: str) -> None:
    config = VAE.Config(networks=Networks(latent=3, network=network), output=output)  # type: ignore[arg-type]
    model = VAE(config, shape)
    x = torch.rand(2, *shape).round()
    assert model.reconstruct(x).shape == x.shape == model.sample(2).shape
    assert model.log_weights(x, 3).shape == (2, 3)
    model.loss(Batch.of(x), "model", ONE).total.backward()


def test_bad_input() -> None:
    with pytest.raises(ConfigError, match="no class 3; it learnt no classes"):
        made(2).sample(1, 3)
    with pytest.raises(ConfigError, match="no class 3; classes are 0 to 1"):
        made(2, classes=2).sample(1, 3)
    with pytest.raises(ConfigError, match="Bernoulli outputs have none"):
        VAE(VAE.Config(deviation=0.1), (4,))
    with pytest.raises(DataError, match="no example has a label"):
        made(2, classes=2).prepare(Batch.of(binary()))
    with pytest.raises(DataError, match="values run from -2 to 1"):
        made(2).prepare(Batch.of(3 * binary() - 2))
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        Networks(latent=0)
