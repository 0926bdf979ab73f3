"""Clips made of photographs that come with scikit-learn and scikit-image, for want of a camera.

Each is a film `(frame, height, width, 3)` of bytes: a camera that pans by hand, a drone that turns and climbs, a
street with cuts and things that pass, a drawn animation of which every frame is shown twice, a dissolve, large frames,
and two webcams that are still most of the time, one with the noise of a sensor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import skimage.data
import torch
import torch.nn.functional as F
from sklearn.datasets import load_sample_images

Film = np.ndarray[Any, np.dtype[np.uint8]]
RATE = 25


def view(photograph: Film, centre: tuple[float, float], size: tuple[int, int], scale: float, angle: float) -> Film:
    """What a camera sees of a photograph: `scale` pixels of it in each of its own, turned by an angle in radians."""
    height, width = photograph.shape[:2]
    rows, columns = (scale * (torch.arange(side) - side / 2) for side in size)
    down, right = torch.meshgrid(rows, columns, indexing="ij")
    x = centre[1] + math.cos(angle) * right - math.sin(angle) * down
    y = centre[0] + math.sin(angle) * right + math.cos(angle) * down
    at = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], -1)[None].float()
    whole = torch.from_numpy(photograph.copy()).permute(2, 0, 1)[None].float()
    seen = F.grid_sample(whole, at, padding_mode="reflection", align_corners=True)[0]
    return seen.permute(1, 2, 0).clamp(0, 255).byte().numpy()


def noisy(frame: Film, deviation: float, draws: np.random.Generator) -> Film:
    """A frame with the noise of a sensor, in grey levels."""
    return np.clip(frame + draws.normal(0, deviation, frame.shape), 0, 255).astype(np.uint8)


def wander(frames: int, draws: np.random.Generator) -> np.ndarray[Any, Any]:
    """A path like that of a hand: a random walk, smoothed over 8 frames, in pixels."""
    walk = np.pad(np.cumsum(draws.normal(0, 1.2, frames)), 8, "edge")
    return np.convolve(walk, np.ones(8) / 8, "same")[8:-8]


def pan(draws: np.random.Generator) -> list[Film]:
    """A hand-held camera that pans over a temple."""
    china = load_sample_images().images[0]
    right, down = wander(150, draws), wander(150, draws)
    places = [(200 + down[t], 200 + 1.7 * t % 260 + right[t]) for t in range(150)]
    return [noisy(view(china, place, (120, 160), 1.0, 0.0), 2, draws) for place in places]


def drone(draws: np.random.Generator) -> list[Film]:
    """A camera that turns above a flower and comes nearer."""
    flower = load_sample_images().images[1]
    films = []
    for t in range(120):
        place = 210 + 20 * math.sin(t / 30), 320 + 60 * math.cos(t / 40)
        films.append(noisy(view(flower, place, (96, 128), 1.2 - 0.4 * math.sin(t / 50), 0.004 * t), 2, draws))
    return films


def street(draws: np.random.Generator) -> list[Film]:
    """Six shots with cuts between; in each the camera drifts and three squares of other photographs pass."""
    china, flower = load_sample_images().images
    scenes = [china, skimage.data.astronaut(), skimage.data.coffee(), skimage.data.chelsea(), flower, china]
    film: list[Film] = []
    for scene in scenes:
        drift = draws.normal(0, 1.2, 2)
        passing = [
            (int(draws.integers(0, 60)), draws.uniform(0, 140), draws.normal(0, 2.5), int(draws.integers(10, 28)))
            for _ in range(3)
        ]
        for t in range(int(draws.integers(18, 40))):
            place = scene.shape[0] / 2 + drift[0] * t, scene.shape[1] / 2 + drift[1] * t
            frame = view(scene, place, (96, 144), 1.0, 0.0).copy()
            for number, (top, left, speed, side) in enumerate(passing):
                at = round(left + speed * t) % 144
                wide = min(side, 144 - at)
                frame[top : top + side, at : at + wide] = scenes[number + 1][100 : 100 + side, 150 : 150 + wide]
            film.append(noisy(frame, 2, draws))
    return film


def animation(draws: np.random.Generator) -> list[Film]:
    """Discs in flat colours that bounce along, each drawing shown for two frames."""
    del draws
    rows, columns = np.mgrid[:108, :192]
    colours = ((230, 60, 60), (250, 220, 60), (240, 240, 240), (40, 40, 90))
    film: list[Film] = []
    for t in range(60):
        frame = np.full((108, 192, 3), (90, 160, 220), np.uint8)
        frame[80:] = (70, 150, 70)
        for number, colour in enumerate(colours):
            x, y = (40 * number + (3 + number) * t) % 230 - 20, 70 - 25 * abs(math.sin(t / 8 + number))
            frame[(columns - x) ** 2 + (rows - y) ** 2 < (10 + 3 * number) ** 2] = colour
        film += [frame, frame]
    return film


def dissolve(draws: np.random.Generator) -> list[Film]:
    """Two shots, the first of which fades into the second over twenty frames."""
    del draws
    one = [view(skimage.data.astronaut(), (256, 200 + 1.5 * t), (90, 120), 1.0, 0.0) for t in range(60)]
    other = [view(skimage.data.coffee(), (200, 250 - 1.2 * t), (90, 120), 1.0, 0.0) for t in range(60)]
    shares = [(t + 1) / 21 for t in range(20)]
    between = [(a * (1 - s) + b * s).astype(np.uint8) for s, a, b in zip(shares, one[40:], other, strict=False)]
    return [*one[:40], *between, *other[20:]]


def large(draws: np.random.Generator) -> list[Film]:
    """Frames of 1280 x 720, larger than what is learnt from by default."""
    flower = load_sample_images().images[1]
    places = [(213 + 10 * math.sin(t / 9), 270 + 1.2 * t) for t in range(90)]
    return [noisy(view(flower, place, (720, 1280), 0.4, 0.0), 1, draws) for place in places]


def webcam(moving: list[Film], deviation: float) -> Callable[[np.random.Generator], list[Film]]:
    """A film that stands still for three quarters of the time."""

    def film(draws: np.random.Generator) -> list[Film]:
        frames, shown = [], 0
        for t in range(200):
            shown = min(shown + (t // 25 % 4 == 3), len(moving) - 1)
            frames.append(noisy(moving[shown], deviation, draws) if deviation else moving[shown])
        return frames

    return film


MADE = {
    "pan": pan, "drone": drone, "street": street, "animation": animation, "dissolve": dissolve, "large": large
}  # fmt: skip


def frames_of(path: Path) -> list[Film]:
    """All frames of a video."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def write(path: Path, film: list[Film], quality: int = 20) -> Path:
    """Write a film as H.264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": str(quality)})
        stream.height, stream.width, stream.pix_fmt = *film[0].shape[:2], "yuv420p"
        for frame in film:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode())
    return path
