"""Moving digits: the motion and the drawing against plain loops."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from untaught.data.sets import moving_digits
from untaught.data.source import open_data
from untaught.errors import DataError
from untaught.randomness import seeded

FEW = "moving-digits?digits=sklearn&clips=5&validation=2&test=3"


def test_motion_equals_the_plain_loop() -> None:
    options = moving_digits.Options(frames=40)
    with seeded(0):
        motion = moving_digits.simulate(5, options)
    with seeded(0):
        x = torch.rand(5, 2, 2, dtype=torch.float64).tolist()
        angle = (torch.rand(5, 2, dtype=torch.float64) * 2 * math.pi).tolist()
    for clip in range(5):
        for digit in range(2):
            place, speed = x[clip][digit], [0.1 * math.cos(angle[clip][digit]), 0.1 * math.sin(angle[clip][digit])]
            for frame in range(40):
                for k in range(2):
                    place[k] += speed[k]
                    if place[k] <= 0 or place[k] >= 1:
                        place[k] = min(1.0, max(0.0, place[k]))
                        speed[k] = -speed[k]
                assert motion.position[clip, frame, digit].tolist() == pytest.approx(place)
                assert motion.velocity[clip, frame, digit].tolist() == pytest.approx(speed)


def test_drawing_equals_the_plain_loop() -> None:
    rng = np.random.default_rng(0)
    shown = rng.integers(0, 256, (3, 2, 28, 28), np.uint8)
    corner = rng.integers(0, 37, (3, 4, 2, 2))
    corner[0, 0] = [[0, 36], [36, 0]]
    drawn = moving_digits.draw(torch.from_numpy(shown), torch.from_numpy(corner), 64)
    for clip in range(3):
        for frame in range(4):
            canvas = np.zeros((64, 64), np.uint8)
            for digit in range(2):
                left, top = corner[clip, frame, digit]
                place = canvas[top : top + 28, left : left + 28]
                np.maximum(place, shown[clip, digit], out=place)
            assert np.array_equal(drawn[clip, frame, 0].numpy(), canvas)


def test_clips_are_as_the_protocol_says() -> None:
    source = open_data(FEW)
    part = source.train
    assert (len(part), len(source.validation or ()), len(source.test or ())) == (5, 2, 3)
    assert part.shape == (1, 64, 64) and part.is_video and part.length.tolist() == [20] * 5
    assert part.frames.dtype == torch.uint8 and part.label.tolist() == [-1] * 100
    assert part.latents["position"].shape == part.latents["velocity"].shape == (100, 4)
    speed = part.latents["velocity"].view(-1, 2).norm(dim=1)
    assert torch.allclose(speed, torch.tensor(3.6))


def test_position_is_the_middle_of_the_digit() -> None:
    part = open_data(f"{FEW}&count=1").train
    x = part.frames.read(torch.arange(100))[:, 0].float()
    x_place, y_place = part.latents["position"][:, 0], part.latents["position"][:, 1]
    within = torch.arange(64) + 0.5
    middle = (x.sum(1) * within).sum(1) / x.sum((1, 2)), (x.sum(2) * within).sum(1) / x.sum((1, 2))
    assert float((middle[0] - x_place).abs().max()) < 5 and float((middle[1] - y_place).abs().max()) < 5


def test_a_seed_gives_the_same_again_and_another_does_not() -> None:
    every = torch.arange(100)
    zero, again, one = (open_data(spec).train.frames.read(every) for spec in (FEW, FEW, f"{FEW}&seed=1"))
    assert torch.equal(zero, again) and not torch.equal(zero, one)


def test_mnist_digits_are_used_where_they_are(shared_data: Path) -> None:
    source = open_data(f"moving-digits:{shared_data / 'mnist'}?clips=3&validation=1&test=1&count=1")
    mnist = open_data(f"mnist:{shared_data / 'mnist'}")
    frame = source.train.frames.read(torch.tensor(0))[0]
    left, top = (source.train.latents["position"][0] - 14).long().tolist()
    digit = frame[top : top + 28, left : left + 28]
    assert bool((mnist.train.frames.read(torch.arange(60_000))[:, 0] == digit).flatten(1).all(1).any())


def test_without_mnist_the_way_out_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        open_data(f"moving-digits:{tmp_path}")
    assert "digits=sklearn" in str(caught.value) and len(str(caught.value).splitlines()) == 3
    with pytest.raises(DataError, match="take no path"):
        open_data(f"moving-digits:{tmp_path}?digits=sklearn")
