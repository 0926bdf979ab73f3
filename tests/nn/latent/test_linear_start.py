"""Probabilistic principal components as a variational autoencoder's start, against scikit-learn."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from untaught import open_data
from untaught.data.reading.arrays import from_array
from untaught.errors import ConfigError
from untaught.model import Batch
from untaught.models.iwae import IWAE
from untaught.models.vae import VAE
from untaught.nn.latent.densities import standard_log_density
from untaught.nn.latent.stochastic import Networks
from untaught.randomness import seeded
from untaught.training.plan import Asked, plan

LATENT = 3


def begun(x: Tensor, latent: int = LATENT, network: Literal["dense", "convolution"] = "dense", **config: Any) -> VAE:
    networks = Networks(latent=latent, hidden=(4, 4) if network == "convolution" else (6,), network=network)
    own: dict[str, Any] = {"output": "gaussian", **config}
    with seeded(0):
        model = VAE(VAE.Config(networks=networks, start="pca", **own), tuple(x.shape[1:]))
        model.prepare(Batch(x, torch.arange(len(x)) % 2))
    return model


@pytest.fixture(scope="module")
def x() -> Tensor:
    with seeded(1):
        return 0.4 + 0.06 * (torch.randn(400, 3) @ torch.randn(3, 16) + 0.5 * torch.randn(400, 16)).view(400, 1, 4, 4)


@pytest.mark.parametrize("network", ["dense", "convolution"])
def test_every_weight_is_the_likelihood_of_probabilistic_pca(
    x: Tensor, network: Literal["dense", "convolution"]
) -> None:
    judge = PCA(LATENT).fit(x.flatten(1).double().numpy())
    model = begun(x, network=network, deviation=float(judge.noise_variance_) ** 0.5)
    with torch.no_grad(), seeded(0):
        weights = model.log_weights(x[:50], 4)
    # 400 examples divide by 399 there and by 400 here.
    exact = torch.from_numpy(judge.score_samples(x[:50].flatten(1).double().numpy()))
    assert torch.allclose(weights.double(), exact[:, None].expand(-1, 4), atol=0.05)
    assert float(weights.std(1).max()) < 0.01  # the posterior is exact: no draw says more than another


def test_each_value_has_a_variance_of_its_own() -> None:
    with seeded(3):
        flat = torch.randn(400, 3) @ torch.randn(3, 16) + torch.randn(400, 16) * torch.linspace(0.1, 1.0, 16)
    with torch.no_grad(), seeded(0):
        bound = begun(flat).log_weights(flat, 50).logsumexp(1).mean() - torch.tensor(50.0).log()
    assert float(bound) > PCA(LATENT).fit(flat.double().numpy()).score(flat.double().numpy()) + 1


def test_what_comes_back_is_shrunk_components(x: Tensor) -> None:
    judge = PCA(LATENT).fit(x.flatten(1).double().numpy())
    code = judge.transform(x.flatten(1).double().numpy())
    share = 1 - judge.noise_variance_ / judge.explained_variance_
    wanted = torch.from_numpy((code * share) @ judge.components_ + judge.mean_)
    assert torch.allclose(begun(x).reconstruct(x).flatten(1).double(), wanted, atol=2e-3)
    squashed = begun(x, output="squashed").reconstruct(x).flatten(1).double()
    linear, bent = ((found - x.flatten(1)).square().sum(1).mean().item() for found in (wanted, squashed))
    assert bent < 1.1 * linear


def test_directions_that_the_data_lack_stay_at_the_prior() -> None:
    with seeded(2):
        flat = torch.randn(50, 2) @ torch.randn(2, 9)
    flat[:, 4] = 0.0
    mean, log_variance = begun(flat, latent=5).posterior(flat)
    assert torch.isfinite(mean).all() and torch.equal(mean[:, 2:], torch.zeros(50, 3))
    assert torch.equal(log_variance[:, 2:], torch.zeros(50, 3)) and float(log_variance[:, :2].detach().max()) < -3


def test_networks_beside_them_learn_and_labels_are_seen(x: Tensor) -> None:
    model = begun(x, classes=2)
    label = torch.arange(len(x)) % 2
    assert torch.equal(model.posterior(x, label)[0], model.posterior(x)[0])  # the networks add nothing at first
    model.loss(Batch(x, label), "all", torch.ones(())).total.backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_filters_are_the_components(x: Tensor) -> None:
    judge = PCA(LATENT).fit(x.flatten(1).double().numpy())
    found = begun(x, classes=2).filters().flatten(1).double()
    assert found.shape == (LATENT, 16)
    cosines = (torch.nn.functional.normalize(found, dim=1) * torch.from_numpy(judge.components_)).sum(1)
    assert torch.allclose(cosines.abs(), torch.ones(LATENT, dtype=torch.float64), atol=1e-4)


def test_it_is_the_default_of_grey_pictures_alone() -> None:
    grey = from_array(0.3 + 0.4 * torch.rand(160, 1, 6, 6))
    chosen = plan(Asked("vae", {"hidden": [5]}), grey)
    assert chosen.settings.config["start"] == "pca" and "principal components" in chosen.settings.because
    assert plan(Asked("vae", {"hidden": [5], "start": "random"}), grey).settings.config["output"] == "squashed"
    assert plan(Asked("vae", {"hidden": [5]}), open_data("digits")).settings.config["start"] == "random"
    with pytest.raises(ConfigError, match="output=squashed"):
        VAE(VAE.Config(start="pca"), (1, 4, 4))


def test_the_importance_weighted_autoencoder_begins_there_too(x: Tensor) -> None:
    judge = PCA(LATENT).fit(x.flatten(1).double().numpy())
    deviation = float(judge.noise_variance_) ** 0.5
    config = IWAE.Config(latent=(LATENT,), hidden=(5,), output="gaussian", deviation=deviation, start="pca")
    with torch.no_grad(), seeded(0):
        model = IWAE(config, (1, 4, 4))
        model.prepare(Batch.of(x))
        weights = model.log_weights(x[:50], 4).double()
    exact = torch.from_numpy(judge.score_samples(x[:50].flatten(1).double().numpy()))
    assert torch.allclose(weights, exact[:, None].expand(-1, 4), atol=0.05)
    assert torch.allclose(model.encode(x), begun(x, deviation=deviation).encode(x), atol=1e-5)


def test_two_stochastic_layers_begin_as_one(x: Tensor) -> None:
    with torch.no_grad(), seeded(0):
        model = IWAE(IWAE.Config(latent=(3, 2), hidden=(5, 4), output="gaussian", start="pca"), (1, 4, 4))
        model.prepare(Batch.of(x))
        lowest, highest = torch.randn(6, 3), torch.randn(6, 2)
        assert torch.allclose(
            model.stack.log_prior([lowest, highest]), standard_log_density(torch.cat([lowest, highest], 1))
        )


def test_the_features_of_the_semi_supervised_one_begin_there() -> None:
    labelled = from_array(0.3 + 0.4 * torch.rand(160, 1, 24, 24), torch.arange(160) % 3)
    small = {"latent": 3, "hidden": [4], "class_hidden": [4], "classes": 3, "model": "m1-m2"}
    chosen = plan(Asked("semi-supervised-vae", small), labelled)
    assert chosen.settings.config["start"] == "pca" and chosen.stages[0].stage.learner.begins_solved
