"""Networks that begin at principal components: against scikit-learn's, at the edges, and through a whole training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from untaught.data.source import open_data
from untaught.data.view import as_float
from untaught.errors import ConfigError
from untaught.model import Batch
from untaught.models.autoencoder import Autoencoder
from untaught.models.hashing_autoencoder import HashingAutoencoder
from untaught.nn.corrected import least_squares
from untaught.randomness import seeded
from untaught.runs.run import create_run
from untaught.runs.settings import Training
from untaught.training.fit import train
from untaught.training.plan import Asked, plan


def begun(x: Tensor, latent: int = 4, output: str = "linear", **fields: Any) -> Autoencoder:
    with seeded(0):
        config = Autoencoder.Config(latent=latent, output=output, start="pca", **{"hidden": (7, 6), **fields})
        model = Autoencoder(config, tuple(x.shape[1:]))
    model.prepare(Batch.of(x))
    return model


def examples(count: int, *shape: int) -> Tensor:
    with seeded(1):
        mixed = torch.randn(count, int(np.prod(shape))) @ torch.randn(int(np.prod(shape)), int(np.prod(shape)))
    return (0.5 + 0.02 * mixed).view(count, *shape)


def error(x: Tensor, y: Tensor) -> float:
    return float((x - y).double().square().sum() / len(x))


@pytest.mark.parametrize("fields", [{}, {"network": "convolution", "hidden": (4, 5)}, {"normalise": True}])
@pytest.mark.parametrize("count", [200, 20])
def test_it_begins_at_the_components_of_scikit_learn(fields: dict[str, Any], count: int) -> None:
    x, other = examples(count, 1, 8, 8), examples(300, 1, 8, 8)
    model = begun(x, **fields).eval()
    theirs = PCA(4, svd_solver="full").fit(x.flatten(1).double().numpy())
    codes = theirs.transform(other.flatten(1).double().numpy())
    expected = torch.from_numpy(theirs.inverse_transform(codes)).view_as(other)
    with torch.no_grad():
        torch.testing.assert_close(model.reconstruct(other).double(), expected, atol=1e-4, rtol=0)
        ours = model.encode(other).numpy()
    # The same numbers in deviations of the training part, up to a sign each.
    scale = theirs.transform(x.flatten(1).double().numpy()).std(0)
    assert np.allclose(np.abs(ours), np.abs(codes / scale), atol=2e-3)


def test_every_weight_can_be_learnt() -> None:
    x = examples(50, 1, 8, 8)
    model = begun(x)
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    for _ in range(3):
        optimiser.zero_grad()
        model.loss(Batch.of(x), "model", torch.zeros(())).total.backward()
        optimiser.step()
    assert all(value.grad is not None and bool(value.grad.any()) for value in model.parameters())


@pytest.mark.parametrize("x", [examples(3, 9), examples(1, 9), torch.full((20, 9), 0.25), torch.zeros(20, 9)])
def test_directions_that_the_data_lack_are_zero(x: Tensor) -> None:
    model = begun(x, latent=8)
    with torch.no_grad():
        codes = model.encode(x)
        assert codes.isfinite().all() and not codes[:, len(x) - 1 :].any()
        assert error(x, model.reconstruct(x)) < 1e-6
    model.loss(Batch.of(x), "model", torch.zeros(())).total.backward()
    assert all(value.grad is None or value.grad.isfinite().all() for value in model.parameters())


def test_it_is_the_same_every_time() -> None:
    x = examples(100, 9)
    first, second = begun(x).state_dict(), begun(x).state_dict()
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_clipped_outputs_stay_within_the_data_and_are_never_worse() -> None:
    with seeded(3):
        x = (examples(200, 9) * 3 - 1).clamp(0, 1)
        other = (examples(200, 9).flip(1) * 3 - 1).clamp(0, 1)
    linear, clipped = begun(x), begun(x, output="clipped")
    with torch.no_grad():
        y = clipped.reconstruct(other)
        assert y.min() >= -1e-6 and y.max() <= 1 + 1e-6
        torch.testing.assert_close(y, linear.reconstruct(other).clamp(0, 1))
        assert error(other, y) < error(other, linear.reconstruct(other))


def test_an_input_beyond_the_range_comes_back() -> None:
    """The gradient of a clipped unit is 2 (y - x), also where its input lies beyond the range."""
    outputs = begun(examples(20, 3), latent=2, output="clipped").outputs
    inputs = torch.tensor([[1.7, -0.4, 0.5]], requires_grad=True)
    x = torch.tensor([[0.25, 0.0, 0.75]])
    outputs.error(inputs, x)[0].backward()
    torch.testing.assert_close(inputs.grad, torch.tensor([[1.5, 0.0, -0.5]]))


def test_bits_begin_at_the_best_linear_reconstruction_from_them() -> None:
    x = examples(300, 9)
    with seeded(0):
        config = HashingAutoencoder.Config(latent=4, hidden=(6,), output="linear", start="pca")
        model = HashingAutoencoder(config, (9,))
    model.prepare(Batch.of(x))
    with torch.no_grad():
        bits, y = model.encode(x), model.reconstruct(x)
    signs = PCA(4, svd_solver="full").fit_transform(x.double().numpy()) > 0
    agree = (bits.numpy() == signs).mean(0)
    assert (np.maximum(agree, 1 - agree) > 0.98).all()
    design = np.c_[bits.numpy(), np.ones(len(x))]
    expected = design @ np.linalg.lstsq(design, x.double().numpy(), rcond=None)[0]
    assert np.allclose(y.numpy(), expected, atol=1e-4)


def test_least_squares_against_numpy() -> None:
    with seeded(5):
        z, x = torch.randn(40, 3).double(), torch.randn(40, 6).double()
    slope, constant = least_squares(torch.cat([z, torch.zeros(40, 1)], 1), x)
    expected = np.linalg.lstsq(np.c_[z.numpy(), np.ones(40)], x.numpy(), rcond=None)[0]
    assert np.allclose(slope[:3].numpy(), expected[:3]) and np.allclose(constant.numpy(), expected[3])
    assert not slope[3].any()


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"output": "sigmoid"}, "linear or clipped"), ({"tied": True}, "tied"), ({"code": "tanh"}, "linear code")],
)
def test_what_has_no_such_beginning_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        begun(examples(5, 9), **fields)


def test_the_beginning_is_kept_where_nothing_better_follows() -> None:
    """A learning rate that ruins everything leaves the principal components of the training part."""
    source = open_data("digits")
    made = plan(Asked("autoencoder", {"latent": 5}, Training(epochs=2, learning_rate=3.0, threads=1)), source)
    assert made.settings.config["start"] == "pca"
    train(made)
    parts = source.parts()
    seen, held = (as_float(part.frames.read(part.first)) for part in (parts.train, parts.validation))
    theirs = PCA(5, svd_solver="full").fit(seen.flatten(1).double().numpy())
    expected = theirs.inverse_transform(theirs.transform(held.flatten(1).double().numpy())).clip(0, 1)
    assert isinstance(made.model, Autoencoder)
    with torch.no_grad():
        ours = made.model.reconstruct(held).flatten(1).numpy()
    assert np.allclose(ours, expected, atol=1e-4)


@pytest.mark.slow
def test_a_continued_training_does_not_begin_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def decided(epochs: float) -> Any:
        return plan(Asked("autoencoder", {"latent": 5}, Training(epochs=epochs, threads=1)), open_data("digits"))

    whole, half = decided(4), decided(4)
    train(whole)
    run = create_run(tmp_path / "run", half.settings)
    from untaught.training.fit import fit

    for record in fit(half, run=run):
        if record.progress > 0.4 and record.held_out:
            break
    monkeypatch.setattr(Autoencoder, "prepare", lambda self, sample: pytest.fail("it began again"))
    again = decided(4)
    train(again, run=run)
    ours, theirs = again.model.state_dict(), whole.model.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())
