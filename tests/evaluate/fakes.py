"""Models whose answers can be computed by hand, and small data for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from untaught.config import Count, configuration
from untaught.data.part import Part
from untaught.data.source import Parts
from untaught.data.view import Statistics, View
from untaught.evaluate.subject import Subject
from untaught.model import (
    Activations,
    Decodes,
    Encodes,
    Filters,
    Model,
    Predicts,
    Reconstructs,
    Samples,
    Stage,
)
from untaught.shapes import Example, Shape


class Linear(Model, Encodes, Reconstructs, Samples, Filters):
    """Gives back a fixed fraction of what it sees; its features are a random projection."""

    @configuration
    class Config:
        """The fraction, and how many features."""

        keep: float = 0.5
        """Fraction that comes back."""
        latent: Count = 3
        """Features."""

    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        super().__init__()
        self.config, self.example = config, Example.of(example)
        self.weight = nn.Parameter(torch.randn(config.latent, torch.Size(self.shape).numel()))

    def stages(self) -> Sequence[Stage]:
        """Nothing is trained."""
        return ()

    def encode(self, x: Tensor) -> Tensor:
        """The projection; refuses what a measure must not do."""
        assert not self.training and x.dtype == torch.float32
        return x.flatten(1) @ self.weight.T

    def reconstruct(self, x: Tensor) -> Tensor:
        """A fraction of each pixel."""
        return self.config.keep * x

    def sample(self, count: int, label: int | None = None) -> Tensor:
        """Uniform noise."""
        return torch.rand(count, *self.shape)

    def filters(self) -> Tensor:
        """Rows of the projection."""
        return self.weight.detach().unflatten(1, self.shape)


class Forecast(Model, Encodes, Predicts):
    """Continues video by a rule that a trivial predictor has too."""

    @configuration
    class Config:
        """The rule."""

        rule: Literal["previous", "mean of context", "too bright"] = "previous"
        """What the next frame is."""
        any_size: bool = True
        """Whether frames may have another size than the model was built for."""

    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        super().__init__()
        self.config, self.example = config, Example.of(example)
        self.weight = nn.Parameter(torch.randn(2, 2))

    def stages(self) -> Sequence[Stage]:
        """Nothing is trained."""
        return ()

    def encode(self, x: Tensor) -> Tensor:
        """Mixtures of the last frame and its change since the first."""
        last = x[:, -1].flatten(1)
        return torch.stack([last, last - x[:, 0].flatten(1)], -1).matmul(self.weight).flatten(1)

    def predict(self, context: Tensor, frames: int) -> Tensor:
        """The rule, again and again on its own frames."""
        if not self.config.any_size and tuple(context.shape[2:]) != self.shape:
            raise RuntimeError("shapes cannot be multiplied")
        for _ in range(frames):
            given = context[:, -10:]
            following = {"previous": given[:, -1], "mean of context": given.mean(1), "too bright": 3 + given[:, -1]}
            context = torch.cat([context, following[self.config.rule][:, None]], 1)
        return context[:, -frames:]


class Watcher(Model, Encodes, Decodes, Predicts, Activations):
    """Keeps the last frame and its change, mixed by a rotation; predicts that the last frame fades to the mean."""

    @configuration
    class Config:
        """How much of the last frame is predicted, and what is a feature."""

        keep: float = 1.0
        """Fraction of what is special about the last frame that is in the next one."""
        own_state: bool = False
        """Whether features are twice the hidden state, and so no state that is shown."""

    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        super().__init__()
        self.config, self.example = config, Example.of(example)
        self.looks = 0
        width = 2 * torch.Size(self.shape).numel()
        self.weight = nn.Parameter(torch.linalg.qr(torch.randn(width, width))[0])

    def stages(self) -> Sequence[Stage]:
        """Nothing is trained."""
        return ()

    def encode(self, x: Tensor) -> Tensor:
        """The hidden state after the last frame, or twice that."""
        hidden = self.activations(x, ["hidden"])["hidden"][:, -1]
        return 2 * hidden if self.config.own_state else hidden

    def activations(self, x: Tensor, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """What is kept, and as the cell state the frames alone."""
        self.looks += len(x)
        frames = x.flatten(2)
        change = torch.cat([torch.zeros_like(frames[:, :1]), frames[:, 1:] - frames[:, :-1]], 1)
        found = {"seen": x, "hidden": torch.cat([frames, change], 2) @ self.weight, "cell": frames}
        return {name: found[name] for name in names or found}

    def decode(self, features: Tensor) -> Tensor:
        """The last frame, from the rotation undone."""
        half = 0.5 if self.config.own_state else 1.0
        frames = half * features @ self.weight.T
        return frames[:, : frames.shape[1] // 2].unflatten(1, self.shape)

    def predict(self, context: Tensor, frames: int) -> Tensor:
        """The last frame, faded towards 0.5."""
        faded = 0.5 + self.config.keep * (context[:, -1] - 0.5)
        return faded[:, None].repeat(1, frames, 1, 1, 1)


def turning(clips: int, frames: int = 6, side: int = 12, seed: int = 0, still: bool = False) -> Part:
    """Video of a spot on a circle: `angle` and `speed` say where it is, two components of `shape` how wide and bright.

    A third component of `shape` does nothing that could be seen, and a fourth never varies.
    """
    generator = torch.Generator().manual_seed(seed)
    start = torch.pi * (torch.rand(clips, 1, generator=generator) - 0.5)
    speed = (0.0 if still else 1.0) * (torch.rand(clips, 1, generator=generator) - 0.5) * torch.pi / 3
    shape = torch.cat([torch.randn(clips, 3, generator=generator), torch.ones(clips, 1)], 1)
    angle = start + speed * torch.arange(frames)
    along = torch.linspace(-1, 1, side)
    across, down = along - 0.6 * angle.sin()[..., None], along - 0.6 * angle.cos()[..., None]
    distance = across.square()[..., None, :] + down.square()[..., :, None]
    width = (0.3 * shape[:, 0]).exp()[:, None, None, None]
    bright = (0.6 + 0.1 * shape[:, 1])[:, None, None, None]
    x = (bright * (-4 * width * distance).exp()).clamp(0, 1)[:, :, None]
    each = {"angle": angle, "speed": speed.expand(clips, frames)}
    latents = {name: value[..., None] for name, value in each.items()}
    return Part.of(x, latents={**latents, "shape": shape})


def stills(objects: int = 5, views: int = 6, side: int = 8, seed: int = 0) -> Part:
    """Clips of 6 equal frames: each object, a spot of its own, under the same lights from 0 to 1, in random order."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.arange(objects).repeat_interleave(views)
    angle = torch.linspace(-1, 1, views).repeat(objects)
    order = torch.randperm(len(label), generator=generator)
    label, angle = label[order], angle[order]
    spot = torch.rand(objects, 1, side, side, generator=generator)
    picture = spot[label] * (0.55 + 0.4 * angle)[:, None, None, None]
    return Part.of(picture[:, None].repeat(1, 6, 1, 1, 1), label, {"angle": angle[:, None]})


def drifting(clips: int, frames: int, side: int = 6, seed: int = 0, channels: int = 1) -> Tensor:
    """Video `(clip, time, channel, side, side)` of smooth noise that drifts to the right."""
    generator = torch.Generator().manual_seed(seed)
    picture = torch.rand(clips, channels, side, side, generator=generator)
    moved = [picture.roll(time, -1) * (0.7 + 0.3 * torch.rand(1, generator=generator)) for time in range(frames)]
    return torch.stack(moved, 1)


def blobs(count: int, classes: int = 3, side: int = 4, spread: float = 0.05, seed: int = 0) -> Part:
    """Pictures around one picture for each class, with labels."""
    generator = torch.Generator().manual_seed(seed)
    centre = torch.rand(classes, 1, side, side, generator=torch.Generator().manual_seed(99))
    label = torch.arange(count) % classes
    noise = spread * torch.randn(count, 1, side, side, generator=generator)
    return Part.of((centre[label] + noise).clamp(0, 1), label)


def subject_of(
    model: Model, train: Part, test: Part, view: View | None = None, stats: Statistics | None = None, **more: Any
) -> Subject:
    """A subject whose validation part is its test part."""
    return Subject(model, Parts(train, test, test), view or View(), stats, **more)
