"""Logistic PCA against scikit-learn's logistic regression, autograd, and data that it must fit."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch.nn import functional

from untaught.evaluate.baselines import logistic_principal as module
from untaught.evaluate.baselines.logistic_principal import (
    RIDGE,
    LinearCode,
    gradient,
    linear_code,
    logistic_principal,
    nats,
    newton,
    possible,
)
from untaught.evaluate.image_quality import squared_error
from untaught.nn.principal import principal


def planted(count: int, width: int = 20, rank: int = 2, seed: int = 0) -> Tensor:
    """Binary draws whose logits lie on one plane."""
    code = torch.randn(count, rank, generator=torch.Generator().manual_seed(seed))
    directions = 3 * torch.randn(width, rank, generator=torch.Generator().manual_seed(99))
    drawn = torch.rand(count, width, generator=torch.Generator().manual_seed(seed + 1000))
    return (drawn < torch.sigmoid(code @ directions.T)).float()


def test_cross_entropy_is_torchs() -> None:
    x, logits = planted(9), torch.randn(9, 20)
    expected = functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    assert torch.allclose(nats(x, logits), expected, atol=1e-5)


def test_codes_are_scikit_learns_logistic_regression() -> None:
    """Each example's code is a logistic regression of its pixels on the directions, with the ridge as penalty."""
    x, directions = planted(6, width=40), torch.randn(40, 3, generator=torch.Generator().manual_seed(5))
    found = newton(x, torch.zeros(6, 3), directions, torch.zeros(40), steps=20)
    for row, code in zip(x, found, strict=True):
        fit = LogisticRegression(C=1 / RIDGE, fit_intercept=False, tol=1e-8).fit(directions.numpy(), row.numpy())
        assert np.allclose(code.numpy(), fit.coef_[0], atol=5e-3)


def test_no_row_is_worse_after_a_step() -> None:
    """Wherever it begins: far away Newton's whole step overshoots."""
    x, directions = planted(50), torch.randn(20, 2)
    codes = 5 * torch.randn(50, 2)

    def value(u: Tensor) -> Tensor:
        return nats(x, u @ directions.T) + 0.5 * RIDGE * u.square().sum(1)

    for _ in range(5):
        after = newton(x, codes, directions, torch.zeros(20))
        assert (
            bool((value(after) <= value(codes) + 1e-4).all())
            and float(value(after).mean()) < float(value(codes).mean()) + 1e-6
        )
        codes = after


def test_as_many_components_as_pixels_fit_binary_data() -> None:
    x = planted(60, width=8)
    found = logistic_principal(x, 8).reconstruct(x)
    assert torch.equal(found.round(), x) and float(squared_error(x, found).mean()) < 0.05


def test_the_plane_is_found_on_examples_not_seen() -> None:
    """Beside PCA with as many numbers, on data that have such a plane."""
    train, test = planted(800), planted(300, seed=1)
    plane = logistic_principal(train, 2)
    code = torch.randn(300, 2, generator=torch.Generator().manual_seed(1))
    logits = plane.offset + plane.encode(test) @ plane.directions.T
    linear = squared_error(test, principal(train, 2).reconstruct(test)).mean()
    assert float(squared_error(test, plane.reconstruct(test)).mean()) < 0.9 * float(linear)
    true = nats(test, code @ (3 * torch.randn(20, 2, generator=torch.Generator().manual_seed(99))).T).mean()
    assert float(nats(test, logits).mean()) < float(true), "codes are chosen for the example, so they beat the truth"


def test_the_networks_gradient_is_autograds() -> None:
    x = planted(30)
    network = LinearCode(x.mean(0), torch.randn(20, 2), torch.randn(20), torch.randn(20, 2))
    moved = [network.weight.requires_grad_(), network.offset.requires_grad_(), network.directions.requires_grad_()]
    logits = network.offset + network.encode(x) @ network.directions.T
    loss = functional.binary_cross_entropy_with_logits(logits, x, reduction="sum") / 30
    theirs = torch.autograd.grad(loss, moved)
    for one, other in zip(gradient(x, network.mean, *(value.detach() for value in moved)), theirs, strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_the_network_is_better_than_where_it_began_and_worse_than_codes_of_their_own() -> None:
    train, test = planted(800), planted(300, seed=1)
    network, begun = linear_code(train, 2), module._begin(train, 2)
    errors = [squared_error(test, y.reconstruct(test)).mean() for y in (logistic_principal(train, 2), network, begun)]
    assert errors[0] < errors[1] < errors[2]


def test_the_same_every_time_and_pixels_that_never_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UPDATES", 20)
    x = torch.cat([planted(40), torch.zeros(40, 2), torch.ones(40, 1)], 1)
    first, again = logistic_principal(x, 3), logistic_principal(x, 3)
    assert torch.equal(first.directions, again.directions)
    assert torch.equal(linear_code(x, 3).weight, linear_code(x, 3).weight)
    assert bool(first.reconstruct(x).isfinite().all()) and float(first.reconstruct(x)[:, 20:22].max()) < 0.1
    alike = logistic_principal(torch.full((9, 4), 0.25), 2)
    assert torch.allclose(alike.reconstruct(torch.full((2, 4), 0.25)), torch.full((2, 4), 0.25), atol=0.02)


def test_it_says_where_there_is_none() -> None:
    x = torch.rand(50, 1, 8, 8)
    assert possible(x, 2) and possible(x, 49) and not possible(x, 50) and not possible(x[:, :, :2, :2], 5)
    assert not possible(x - 0.5, 2) and not possible(2 * x, 2)
    assert not possible(torch.rand(9, 4097), 2) and not possible(torch.rand(600, 784), 200)


@pytest.mark.slow
def test_mnist_gives_the_published_figure(shared_data: Path) -> None:
    """8.01 with a linear code; codes of their own give less than half."""
    train, test = (_images(shared_data / "mnist" / f"{part}-images-idx3-ubyte.gz") for part in ("train", "t10k"))
    network, plane = linear_code(train, 30), logistic_principal(train, 30)
    assert float(squared_error(test, network.reconstruct(test)).mean()) == pytest.approx(8.01, abs=0.1)
    assert 3 < float(squared_error(test, plane.reconstruct(test)).mean()) < 4


def _images(path: Path) -> Tensor:
    raw = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16)
    return torch.from_numpy(raw.reshape(-1, 784).astype(np.float32) / 255)


def test_codes_begin_at_the_least_value_of_the_parabola_above(monkeypatch: pytest.MonkeyPatch) -> None:
    """At u = 0: softplus lies below a parabola of curvature 1/4; its least value is found with the ridge in place."""
    monkeypatch.setattr(module, "STEPS", 0)
    x, directions, offset = planted(9).double(), torch.randn(20, 3).double(), torch.randn(20).double()
    found = module.LogisticPrincipal(offset, directions).encode(x)
    u = torch.zeros(9, 3).double().requires_grad_()
    value = nats(x, offset + u @ directions.T).sum()
    (slope,) = torch.autograd.grad(value, u)
    bound = 0.25 * directions.T @ directions + RIDGE * torch.eye(3)
    torch.testing.assert_close(found @ bound, -slope)


def test_it_begins_as_principal_components_where_pixels_are_near_a_half() -> None:
    """There a logit's slope is 1/4, so probabilities are those of the plane."""
    x = 0.5 + 0.01 * torch.randn(60, 8, generator=torch.Generator().manual_seed(0))
    begun, plane = module._begin(x, 3), principal(x, 3)
    torch.testing.assert_close(begun.reconstruct(x), plane.reconstruct(x), rtol=0, atol=2e-4)
    torch.testing.assert_close(begun.encode(x).std(0), torch.ones(3))


def test_alternation_has_converged() -> None:
    x = planted(300)
    eight = logistic_principal(x, 2)

    def value(plane: module.LogisticPrincipal) -> float:
        return float(nats(x, plane.offset + plane.encode(x) @ plane.directions.T).mean())

    def swept(sweeps: int) -> float:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "SWEEPS", sweeps)
            return value(logistic_principal(x, 2))

    assert value(eight) <= 1.02 * swept(30)
    assert swept(1) > 1.02 * value(eight)


def test_the_network_is_trained_as_described(monkeypatch: pytest.MonkeyPatch) -> None:
    """600 updates of Adam on 256 examples, the rate falling linearly from 0.01 to 0; fewer in the loop written out."""
    assert (module.BATCH, module.RATE, module.UPDATES) == (256, 1e-2, 600)
    assert module.FITTED == 5_000 and RIDGE == 0.1
    monkeypatch.setattr(module, "UPDATES", 9)
    x = planted(80)
    begun = module._begin(x, 2)
    moved = [value.clone().requires_grad_() for value in (begun.weight, begun.offset, begun.directions)]
    adam, generator = torch.optim.Adam(moved, 0.01), torch.Generator().manual_seed(0)
    for update in range(9):
        adam.param_groups[0]["lr"] = 0.01 * (9 - update) / 9
        some = x[torch.randint(80, (256,), generator=generator)]
        adam.zero_grad()
        logits = moved[1] + (some - begun.mean) @ moved[0] @ moved[2].T
        (functional.binary_cross_entropy_with_logits(logits, some, reduction="sum") / 256).backward()
        adam.step()
    found = linear_code(x, 2)
    for ours, theirs in zip((found.weight, found.offset, found.directions), moved, strict=True):
        torch.testing.assert_close(ours, theirs.detach(), rtol=1e-3, atol=1e-4)
