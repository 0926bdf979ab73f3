"""Pooling and four ways back, against loops over windows; exact inverses; switches carry no gradient; ONNX."""

from __future__ import annotations

import io

import pytest
import torch
from torch import Tensor, nn

from untaught.nn.what_where import Unpooling, Window
from untaught.randomness import seeded

WAYS: tuple[Unpooling, ...] = ("known", "fixed", "averaged", "upsampled")
CASES = [
    (Window(), (6, 8)),
    (Window(), (7, 5)),
    (Window(3, 2), (7, 9)),
    (Window(3, 2, 1), (8, 8)),
    (Window(3, 3), (9, 6)),
]


def maps(size: tuple[int, int]) -> Tensor:
    with seeded(0):
        return torch.rand(2, 3, *size)


def windows(window: Window, size: tuple[int, int]) -> list[list[tuple[int, int]]]:
    """The places of every window that lie inside the map, row by row."""
    counts = [(length + 2 * window.padding - window.side) // window.stride + 1 for length in size]
    found: list[list[tuple[int, int]]] = []
    for row in range(counts[0]):
        for column in range(counts[1]):
            top, left = (n * window.stride - window.padding for n in (row, column))
            inside = [(top + r, left + c) for r in range(window.side) for c in range(window.side)]
            found.append([(r, c) for r, c in inside if 0 <= r < size[0] and 0 <= c < size[1]])
    return found


def by_hand(window: Window, x: Tensor, way: Unpooling) -> Tensor:
    """Equations (1) to (6) with loops."""
    size, y = (x.shape[2], x.shape[3]), torch.zeros_like(x)
    for n in range(len(x)):
        for m in range(x.shape[1]):
            landed: dict[tuple[int, int], list[float]] = {}
            for places in windows(window, size):
                best = max(places, key=lambda place: float(x[n, m, *place]))
                value = float(x[n, m, *best])
                if way == "known":
                    landed.setdefault(best, []).append(value)
                elif way == "fixed":
                    middle = (places[0][0] + window.side // 2, places[0][1] + window.side // 2)
                    landed.setdefault(middle, []).append(value)
                else:
                    for place in places:
                        landed.setdefault(place, []).append(value)
            for place, values in landed.items():
                share = window.side**2 if way == "averaged" else len(values)
                y[n, m, *place] = sum(values) / share
    return y


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("window", "size"), CASES)
def test_ways_back_are_their_equations(window: Window, size: tuple[int, int], way: Unpooling) -> None:
    if way == "fixed" and window.padding:
        pytest.skip("the middle of a window that begins outside the map is tested below")
    x = maps(size)
    what, where = window.pool(x)
    torch.testing.assert_close(window.unpool(what, size, way, where), by_hand(window, x, way))


@pytest.mark.parametrize(("window", "size"), CASES)
def test_known_switches_give_back_what_was_kept_and_zero_elsewhere(window: Window, size: tuple[int, int]) -> None:
    x = maps(size)
    what, where = window.pool(x)
    back = window.known(what, where, size)
    kept = torch.zeros(x[0, 0].numel(), dtype=torch.bool).repeat(2, 3, 1).scatter(2, where.flatten(2), True)
    kept = kept.unflatten(2, size)
    assert not back[~kept].any()
    if window.stride >= window.side:
        assert torch.equal(back[kept], x[kept])
        assert torch.equal(window.pool(back).what, what) and torch.equal(window.pool(back).where, where)
    torch.testing.assert_close(back[kept], x[kept])


@pytest.mark.parametrize("way", ["fixed", "upsampled"])
def test_pooling_gives_back_what_was_put(way: Unpooling) -> None:
    what = Window().pool(maps((7, 9))).what
    assert torch.equal(Window().pool(Window().unpool(what, (7, 9), way)).what, what)


def test_averaging_gives_back_what_was_spread() -> None:
    what = Window().pool(maps((6, 8))).what
    spread = Window().averaged(what, (6, 8))
    torch.testing.assert_close(4 * nn.functional.avg_pool2d(spread, 2), what)


@pytest.mark.parametrize(("place", "at"), [("corner", [0, 0]), ("centre", [1, 1])])
def test_fixed_places(place: str, at: list[int]) -> None:
    put = Window().fixed(torch.ones(1, 1, 1, 1), (2, 2), "corner" if place == "corner" else "centre")
    assert put[0, 0].nonzero().tolist() == [at]


def test_windows_that_begin_outside_have_their_middle_at_the_stride() -> None:
    put = Window(3, 2, 1).fixed(torch.ones(1, 1, 4, 4), (8, 8))
    assert put[0, 0].nonzero().tolist() == [[r, c] for r in (0, 2, 4, 6) for c in (0, 2, 4, 6)]


@pytest.mark.parametrize("way", WAYS)
def test_no_gradient_flows_into_switches(way: Unpooling) -> None:
    """The gradient with respect to what was taken is the same whatever chose the place, and places have none."""
    x = maps((6, 8)).requires_grad_()
    what, where = Window().pool(x)
    assert not where.is_floating_point()
    weight = maps((6, 8)) + 1
    held = what.detach().requires_grad_()
    (Window().unpool(held, (6, 8), way, where) * weight).sum().backward()
    (Window().unpool(what, (6, 8), way, where) * weight).sum().backward()
    assert held.grad is not None and x.grad is not None
    torch.testing.assert_close(x.grad.flatten(2).gather(2, where.flatten(2)), held.grad.flatten(2))
    assert int((x.grad != 0).sum()) == what.numel()


def test_switches_must_be_given() -> None:
    with pytest.raises(ValueError, match="must be given"):
        Window().unpool(torch.ones(1, 1, 1, 1), (2, 2), "known")


class ThereAndBack(nn.Module):
    """A network with pooling and unpooling, to export."""

    def __init__(self, window: Window, way: Unpooling) -> None:
        super().__init__()
        self.window, self.way = window, way
        self.first, self.last = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct pictures of 10 x 12."""
        what, where = self.window.pool(self.first(x).relu())
        return self.last(self.window.unpool(what, (10, 12), self.way, where))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("window", [Window(), Window(3, 2)])
def test_onnx_gives_the_same(window: Window, way: Unpooling) -> None:
    pytest.importorskip("onnx", reason="needs onnx to write a file")
    runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime to run what is exported")
    with seeded(1):
        network, x = ThereAndBack(window, way).eval(), torch.rand(3, 2, 10, 12)
    written = io.BytesIO()
    torch.onnx.export(network, (x,), written, dynamo=False, opset_version=18)
    session = runtime.InferenceSession(written.getvalue(), providers=["CPUExecutionProvider"])
    (given,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    torch.testing.assert_close(torch.from_numpy(given), network(x).detach(), rtol=1e-4, atol=1e-5)
