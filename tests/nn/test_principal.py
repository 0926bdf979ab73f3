"""PCA against NumPy's singular value decomposition, and the figures that MNIST is known to give."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from untaught.evaluate.image_quality import squared_error
from untaught.nn import principal as module
from untaught.nn.principal import principal, principal_sketch
from untaught.randomness import seeded


def examples(count: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, width, generator=generator) * torch.linspace(1, 3, width) + 2


@pytest.mark.parametrize(("count", "width", "components"), [(50, 12, 3), (50, 12, 1), (12, 50, 4), (12, 40, 1)])
def test_reconstruction_is_that_of_the_singular_vectors(count: int, width: int, components: int) -> None:
    x = examples(count, width)
    centred = x.double().numpy() - x.double().numpy().mean(0)
    v = np.linalg.svd(centred, full_matrices=False)[2][:components]
    expected = x.double().numpy().mean(0) + centred @ v.T @ v
    plane = principal(x, components)
    assert np.allclose(plane.reconstruct(x).numpy(), expected, atol=1e-4)
    assert torch.allclose(plane.directions.T @ plane.directions, torch.eye(components), atol=1e-5)


def test_directions_come_with_the_largest_variance_first() -> None:
    x = examples(200, 30)
    variance = principal(x, 30).encode(x).var(0)
    assert (variance.diff() < 0).all()


def test_components_are_at_most_what_the_data_have() -> None:
    assert principal(examples(5, 9), 100).directions.shape == (9, 4)
    assert principal(examples(20, 9), 100).directions.shape == (9, 9)
    one = principal(examples(1, 9), 3)
    assert torch.allclose(one.reconstruct(examples(1, 9)), examples(1, 9), atol=1e-5)


def test_wide_data_use_few_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WIDE", 10)
    monkeypatch.setattr(module, "TALL", 15)
    x = examples(100, 12)
    some = x[torch.linspace(0, 99, 15).round().long()]
    assert torch.allclose(principal(x, 2).mean, some.mean(0), atol=1e-5)


def test_a_sketch_is_the_plane_itself_where_that_is_quick() -> None:
    x = examples(60, 20)
    assert torch.equal(principal_sketch(x, 3).directions, principal(x, 3).directions)


def test_a_sketch_of_many_numbers_is_nearly_the_best_plane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUICK", 1)
    x = examples(300, 120) * torch.linspace(1, 3, 120) ** 2
    with seeded(0):
        sketch = principal_sketch(x, 4)
    assert sketch.directions.shape == (120, 4) and torch.allclose(sketch.mean, x.mean(0), atol=1e-3)
    assert not torch.equal(sketch.directions, principal(x, 4).directions)
    best, found = (float(squared_error(x, plane.reconstruct(x)).mean()) for plane in (principal(x, 4), sketch))
    assert best * (1 - 1e-5) <= found <= 1.01 * best


def test_too_many_directions_for_a_sketch_come_from_fewer_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    x = examples(200, 60)
    monkeypatch.setattr(module, "QUICK", 200 * 60 * 60 // 16)
    assert torch.equal(principal_sketch(x, 40).directions, principal(x[::2], 40).directions)


@pytest.mark.slow
@pytest.mark.parametrize(("components", "known"), [(2, 43.65), (30, 13.866)])
def test_mnist_gives_the_known_figures(shared_data: Path, components: int, known: float) -> None:
    train, test = (_images(shared_data / "mnist" / f"{part}-images-idx3-ubyte.gz") for part in ("train", "t10k"))
    error = squared_error(test, principal(train, components).reconstruct(test)).mean()
    assert float(error) == pytest.approx(known, abs=0.006)


def _images(path: Path) -> Tensor:
    raw = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16)
    return torch.from_numpy(raw.reshape(-1, 784).astype(np.float32) / 255)
