"""Balls: the motion against a plain loop, the drawing against every pixel, the data against published numbers."""

import math
import time

import pytest
import torch
from torch import Tensor

from untaught.data.sets import balls
from untaught.data.source import open_data
from untaught.randomness import seeded

Point = list[float]


def slow_motion(x: list[Point], v: list[Point], frames: int) -> list[list[Point]]:
    """The protocol as one would write it down: one clip, one ball, one coordinate at a time."""
    x, v, shown = [point[:] for point in x], [point[:] for point in v], []
    for _ in range(frames):
        shown.append([point[:] for point in x])
        for _ in range(2):
            half_a_frame(x, v)
    return shown


def half_a_frame(x: list[Point], v: list[Point]) -> None:
    for place, speed in zip(x, v, strict=True):
        place[0] += 0.5 * speed[0]
        place[1] += 0.5 * speed[1]
    for place, speed in zip(x, v, strict=True):
        for k in range(2):
            if place[k] - 1.2 < 0:
                speed[k] = abs(speed[k])
            if place[k] + 1.2 > 10:
                speed[k] = -abs(speed[k])
    for i in range(len(x)):
        for j in range(i):
            collide(x[i], x[j], v[i], v[j])


def collide(x: Point, y: Point, v: Point, w: Point) -> None:
    """Equal masses exchange the parts of their velocities along the line of centres."""
    distance = math.dist(x, y)
    if distance >= 2.4:
        return
    line = [(x[k] - y[k]) / distance for k in range(2)]
    along_v, along_w = (sum(line[k] * speed[k] for k in range(2)) for speed in (v, w))
    for k in range(2):
        v[k] += line[k] * (along_w - along_v)
        w[k] += line[k] * (along_v - along_w)


def drawn_in_full(position: Tensor, size: int) -> Tensor:
    """Equation (4) on every pixel, `(frame, row, column)`."""
    middle = (torch.arange(size, dtype=torch.float64) + 0.5) / size * 10
    across = middle[None, None, None, :] - position[:, :, 0, None, None]
    down = middle[None, None, :, None] - position[:, :, 1, None, None]
    return torch.exp(-(((across**2 + down**2) / 1.2**2) ** 4)).sum(1).clamp(max=1)


def squared_errors(count: int) -> tuple[Tensor, Tensor]:
    """Of copying the previous frame and of extrapolating the last two, each clip's mean over its frames."""
    part = open_data(f"balls?clips=1&validation=1&test={count}").test
    assert part is not None
    x = part.frames.read(torch.arange(part.frames.count)).float().view(count, 100, 900)
    copied = (x[:, 1:] - x[:, :-1]).square().sum(-1).mean(1)
    extrapolated = (2 * x[:, 1:-1] - x[:, :-2]).clamp(0, 1)
    return copied, (x[:, 2:] - extrapolated).square().sum(-1).mean(1)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_motion_equals_the_plain_loop(count: int) -> None:
    with seeded(count):
        motion = balls.simulate(6, 60, count)
    for clip in range(6):
        start = motion.position[clip, 0].tolist(), motion.velocity[clip, 0].tolist()
        expected = torch.tensor(slow_motion(*start, 60), dtype=torch.float64)
        assert torch.allclose(motion.position[clip], expected, atol=1e-6)


def test_collisions_exchange_speed_and_keep_the_energy() -> None:
    with seeded(3):
        motion = balls.simulate(6, 60, 3)
    speed = motion.velocity.norm(dim=-1)
    exchanged = (speed.diff(dim=1).abs() > 1e-9).any(-1).sum(1)
    assert int(exchanged.min()) > 0
    assert torch.allclose(speed.square().sum(-1), torch.tensor(0.25, dtype=torch.float64))


def test_the_start_is_as_the_protocol_says() -> None:
    with seeded(0):
        motion = balls.simulate(2000, 2, 3)
    x, v = motion.position[:, 0], motion.velocity[:, 0]
    assert float(x.min()) >= 2 and float(x.max()) <= 10 - 1.2
    for i, j in ((1, 0), (2, 0), (2, 1)):
        assert float((x[:, i] - x[:, j]).norm(dim=-1).min()) >= 2.4
    assert torch.allclose(v.flatten(1).norm(dim=1), torch.tensor(0.5, dtype=torch.float64))


def test_the_start_is_distributed_as_when_walls_refuse_too() -> None:
    """Drawing from the whole of U[2, 10] and refusing at the walls gives the same mean distance of two balls."""
    with seeded(1):
        ours = balls._start(4000, 2)
        trial = 2 + 8 * torch.rand(40_000, 2, 2, dtype=torch.float64)
    good = (trial <= 8.8).flatten(1).all(1) & ((trial[:, 0] - trial[:, 1]).norm(dim=-1) >= 2.4)
    one, other = ((x[:, 0] - x[:, 1]).norm(dim=-1) for x in (ours, trial[good]))
    error = (one.var() / len(one) + other.var() / len(other)).sqrt()
    assert abs(float(one.mean() - other.mean())) < 4 * float(error)


@pytest.mark.parametrize("size", [8, 30, 61])
def test_local_drawing_equals_drawing_every_pixel(size: int) -> None:
    with seeded(0):
        position = balls.simulate(20, 20, 3).position.flatten(0, 1)
    corners = torch.tensor([[[0.3, 0.2], [9.9, 9.8], [0.1, 9.7]]], dtype=torch.float64)
    position = torch.cat([position, corners])
    local = balls.draw(position, size, torch.float32).view(-1, size, size)
    assert torch.allclose(local.double(), drawn_in_full(position, size), atol=3e-6)
    assert torch.equal(balls.draw(position, size), balls.draw(position, size, torch.float32).half().flatten(1))


def test_published_error_of_copying_the_previous_frame() -> None:
    """Lotter, Kreiman, Cox 2015 print 11.86 with a spread of 0.27 over 200 clips; extrapolation is our own anchor."""
    copied, extrapolated = squared_errors(200)
    assert float(copied.mean()) == pytest.approx(11.84, abs=0.1)
    assert 0.2 < float(copied.std()) < 0.4
    assert float(extrapolated.mean()) == pytest.approx(6.8, abs=0.15)


def test_latents_are_what_is_drawn() -> None:
    source = open_data("balls?clips=3&validation=2&test=1&frames=7")
    part = source.train
    assert (len(part), len(source.validation or ()), len(source.test or ())) == (3, 2, 1)
    assert part.latents["position"].shape == part.latents["velocity"].shape == (21, 6)
    position = part.latents["position"].view(21, 3, 2)
    assert (position[:, :, 0].diff(dim=1) >= 0).all(), "balls that look alike are told apart from left to right"
    x = part.frames.read(torch.arange(21))
    assert torch.allclose(x[:, 0].double(), drawn_in_full(position.double(), 30), atol=1e-3)


def test_parts_differ_and_a_seed_gives_the_same_again() -> None:
    def frames(seed: int, clips: int) -> list[Tensor]:
        source = open_data(f"balls?clips={clips}&validation=4&test=4&frames=5&seed={seed}")
        return [part.frames.read(torch.arange(20)) for part in source.all_parts().values()]

    before = torch.get_rng_state()
    zero, again, one = frames(0, 4), frames(0, 4), frames(1, 4)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(x, y) for x, y in zip(zero, again, strict=True))
    different = [*zero, *one]
    assert not any(torch.equal(x, y) for i, x in enumerate(different) for y in different[:i])
    assert torch.equal(frames(0, 9)[2], zero[2])


@pytest.mark.slow
def test_the_full_set_takes_less_than_ten_seconds() -> None:
    start = time.perf_counter()
    source = open_data("balls")
    assert time.perf_counter() - start < 10
    assert source.train.frames.count == 400_000 and source.train.frames.dtype == torch.float16


def test_velocities_are_those_of_the_balls_in_order() -> None:
    part = balls.load(None, balls.Options(clips=30, validation=1, test=1, frames=2)).train
    place, speed = (part.latents[name].view(30, 2, 3, 2) for name in ("position", "velocity"))
    moved = place[:, 1] - place[:, 0]
    # Between walls, and apart from other balls, a frame's step is the velocity; then the order changes seldom.
    steady = (speed[:, 0] - speed[:, 1]).abs().amax((1, 2)) < 1e-6
    assert steady.sum() >= 5
    assert torch.allclose(moved[steady], speed[:, 0][steady], atol=1e-5)
