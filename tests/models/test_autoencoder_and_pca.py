"""A linear autoencoder ends in the plane of PCA, by the library's own loop; a deep one goes below its error."""

import oracles
import pytest
import torch
from torch import Tensor

from untaught.data.reading.arrays import from_array
from untaught.data.source import open_data
from untaught.data.view import as_float
from untaught.model import Batch, Example
from untaught.models.autoencoder import Autoencoder
from untaught.nn.principal import principal
from untaught.randomness import seeded
from untaught.runs.settings import Training
from untaught.training.fit import train

CODE = 4
"""The fourth variance of the digits is half as large again as the fifth, so that the plane is clear."""


@pytest.fixture(scope="module")
def digits() -> Tensor:
    part = open_data("digits").parts().train
    return as_float(part.frames.read(part.first))


def learnt(x: Tensor, training: Training, **fields: object) -> Autoencoder:
    with seeded(0):
        model = Autoencoder(Autoencoder.Config(latent=CODE, **fields), tuple(x.shape[1:]))  # type: ignore[arg-type]
    train(model, x, training)
    return model


def error(model: Autoencoder, x: Tensor) -> float:
    with torch.no_grad():
        return float((model.reconstruct(x) - x).square().sum() / len(x))


@pytest.mark.parametrize("tied", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_linear_autoencoder_ends_in_the_plane_of_pca(digits: Tensor, tied: bool) -> None:
    """By its error on the examples that it learnt from, and by the angles between both planes."""
    training = Training(optimiser="lbfgs", batch_size=2000, epochs=60, threads=1)
    model = learnt(digits, training, hidden=(), activation="linear", output="linear", tied=tied)
    seen = _seen(digits)
    best = oracles.pca_error(seen.flatten(1).numpy(), CODE)
    assert best * (1 - 1e-6) <= error(model, seen) <= 1.01 * best
    weight = model.encoder.get_submodule("layers.0").get_parameter("weight").detach()
    if tied:
        ours = torch.linalg.qr(weight.T)[0]
    else:
        ours = torch.linalg.qr(model.decoder.get_submodule("layers.0").get_parameter("weight").detach())[0]
    plane = principal(seen.flatten(1), CODE).directions
    cosines = torch.linalg.svdvals(ours.T @ plane)
    assert float(cosines.min()) > 0.999, f"the planes are {torch.rad2deg(torch.acos(cosines.min())):.1f} degrees apart"


def test_a_deep_one_goes_below(digits: Tensor) -> None:
    model = learnt(digits, Training(epochs=30, learning_rate=3e-3, threads=1), hidden=(100, 50))
    seen = _seen(digits)
    assert error(model, seen) < 0.8 * oracles.pca_error(seen.flatten(1).numpy(), CODE)


def _seen(x: Tensor) -> Tensor:
    """The part of an array that a training learns from."""
    part = from_array(x).parts().train
    return part.frames.read(part.first)


def test_on_pictures_it_begins_at_components_and_masks_nothing() -> None:
    found = Autoencoder.usual(Example.of((1, 8, 8)), Batch.of(torch.rand(300, 1, 8, 8)))
    assert found.config == {
        "start": "pca", "output": "clipped", "tied": False, "code": "linear", "pretraining": "none", "masking": 0.0,
        "hidden": (512, 512),
    }  # fmt: skip
