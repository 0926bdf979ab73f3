"""How batches are cut from a part: windows, patches, binarisation, standardisation, augmentation.

Everything here runs on the batch's device, from torch's ambient generator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from torch import Tensor

from untaught.config import Count, configuration
from untaught.data.part import Part
from untaught.errors import DataError
from untaught.shapes import Shape


@dataclass(frozen=True)
class Batch:
    """All that a `loss` sees: tensors on one device.

    Example:
        >>> Batch.of(torch.zeros(3, 1, 8, 8)).label.tolist()
        [-1, -1, -1]
    """

    x: Tensor
    """Images `(batch, channel, height, width)`, video `(batch, time, ...)` or vectors `(batch, feature)`."""
    label: Tensor
    """Class of each example, -1 where absent, int64 `(batch,)`."""
    latents: Mapping[str, Tensor] = field(default_factory=lambda: {})
    """Named true variables of generated data, `(batch, variable)` or `(batch, time, variable)`."""
    beside: Mapping[str, Batch] = field(default_factory=lambda: {})
    """What else one step draws, by the names that the stage gives: labelled examples, a second source."""
    target: Tensor | None = None
    """What is to be given back, where the stage says that it is not `x`."""

    @property
    def wanted(self) -> Tensor:
        """What is to be given back: the stage's target, else `x` itself."""
        return self.x if self.target is None else self.target

    @property
    def labelled(self) -> Batch:
        """Its examples that have a label.

        Example:
            >>> Batch(torch.zeros(3, 2), torch.tensor([4, -1, 0])).labelled.label.tolist()
            [4, 0]
        """
        known = self.label >= 0
        return Batch(self.x[known], self.label[known])

    @staticmethod
    def of(x: Tensor) -> Batch:
        """Make a batch of unlabelled examples."""
        return Batch(x, torch.full((len(x),), -1, device=x.device))

    def tensors(self) -> dict[str, Any]:
        """The same as nested dictionaries of tensors, which libraries can pass on."""
        beside = {name: own.tensors() for name, own in self.beside.items()}
        own = {"x": self.x, "label": self.label, "latents": dict(self.latents), "beside": beside}
        return own if self.target is None else {**own, "target": self.target}

    @staticmethod
    def from_tensors(tensors: Mapping[str, Any]) -> Batch:
        """Undo `tensors`."""
        beside = {name: Batch.from_tensors(own) for name, own in tensors["beside"].items()}
        return Batch(tensors["x"], tensors["label"], tensors["latents"], beside, tensors.get("target"))


@configuration
class View:
    """How batches are cut from a source."""

    frames: Count | None = None
    """Frames in a window of video; none takes single frames."""
    patch: Count | None = None
    """Side of a random square patch in pixels; none takes the whole frame."""
    binarise: bool = False
    """Draw each pixel as 0 or 1 with its grey value as the probability, anew each time."""
    standardise: Literal["none", "pixel", "all"] = "none"
    """Subtract the training mean and divide by the deviation: of each pixel, or one for all."""
    augment: tuple[Literal["flip", "mirror", "reverse"], ...] = ()
    """Change half of the examples at random while training: flip upside down, mirror left and right, reverse time."""

    @property
    def undrawn(self) -> View:
        """The view for what is built on a trained encoder: without random binarisation and augmentation."""
        return replace(self, binarise=False, augment=())


@dataclass(frozen=True)
class Statistics:
    """Mean and deviation of the training part, for `View.standardise`."""

    mean: Tensor
    deviation: Tensor

    def seen(self, pixels: Tensor) -> Tensor:
        """Standardised values of pixels."""
        return (pixels - self.mean.to(pixels)) / self.deviation.to(pixels)

    def shown(self, seen: Tensor) -> Tensor:
        """Pixels of standardised values."""
        return seen * self.deviation.to(seen) + self.mean.to(seen)

    def to(self, device: torch.device | str) -> Statistics:
        """The same on a device."""
        return Statistics(self.mean.to(device), self.deviation.to(device))


SAMPLED_FRAMES, SAMPLED_VALUES = 10_000, 2**30
"""What the statistics are taken from at most: their error, 1 % of a deviation, is below what training notices."""
VALUES_AT_ONCE = 2**24


def statistics(part: Part, view: View, device: torch.device | str = "cpu") -> Statistics | None:
    """Mean and deviation over evenly spaced frames; none where the view does not standardise."""
    if view.standardise == "none":
        return None
    starts = part.first.repeat_interleave(part.length)
    offsets = torch.cat([torch.arange(int(length)) for length in part.length])
    values = torch.Size(part.shape).numel()
    count = max(1, min(SAMPLED_FRAMES, len(starts), SAMPLED_VALUES // values))
    every = (starts + offsets)[torch.linspace(0, len(starts) - 1, count).long()]
    total, squares = torch.zeros(part.shape, dtype=torch.float64), torch.zeros(part.shape, dtype=torch.float64)
    for some in every.split(max(1, VALUES_AT_ONCE // values)):
        x = as_float(part.frames.read(some)).double()
        total += x.sum(0)
        squares += x.square().sum(0)
    mean, square = total / count, squares / count
    least = 1e-3  # a pixel that never changes is left as it is, nearly
    if view.patch is not None or view.standardise == "all":
        mean, square, least = mean.mean(), square.mean(), 1e-6
    deviation = (square - mean.square()).clamp_min(0).sqrt().clamp_min(least)
    return Statistics(mean.float().to(device), deviation.float().to(device))


def beyond_unit(x: Tensor) -> str:
    """The lowest and highest value in words where one of them is outside [0, 1]; else empty.

    Example:
        >>> beyond_unit(torch.tensor([0.5, -2.0]))
        'values run from -2 to 0.5'
    """
    low, high = (float(value) for value in x.aminmax())
    return f"values run from {low:.3g} to {high:.3g}" if low < 0 or high > 1 else ""


def refuse_to_binarise(part: Part, view: View) -> None:
    """Look at evenly spaced frames before a view draws them as 0 or 1.

    Raises:
        DataError: Values lie outside [0, 1], so they are no probabilities.
    """
    if view.binarise and len(part):
        count = max(1, min(len(part), VALUES_AT_ONCE // torch.Size(part.shape).numel()))
        starts = part.first[torch.linspace(0, len(part) - 1, count).long()]
        if beyond := beyond_unit(as_float(part.frames.read(starts))):
            raise DataError(
                f"{beyond}, and pixels that are drawn as 0 or 1 need 0 to 1;\n"
                "rescale the data, or take --no-binarise where the model has units for such values"
            )


def as_float(raw: Tensor) -> Tensor:
    """Stored values as float32: bytes are divided by 255."""
    return raw.float().div_(255) if raw.dtype == torch.uint8 else raw.float()


def example_shape(shape: Shape, view: View) -> Shape:
    """One example's shape under a view: a patch where the view cuts patches."""
    return shape if view.patch is None else (shape[0], view.patch, view.patch)


def cut(raw: Tensor, view: View, stats: Statistics | None, training: bool) -> Tensor:
    """Turn stored frames `(batch, [time,] ...)` into what the model sees."""
    # Patches first: bytes are widened only where they are looked at.
    x = as_float(raw if view.patch is None else _patches(raw, view.patch))
    if training:
        x = _augmented(x, view)
    if view.binarise:
        x = torch.rand_like(x).lt_(x)
    if stats is not None:
        x = (x - stats.mean) / stats.deviation
    return x


def patches(frames: Tensor, index: Tensor, side: int) -> Tensor:
    """One random square of each example, the same place in all its frames, gathered without the rest of the frames.

    Args:
        frames: All frames `(frame, channel, height, width)`.
        index: Numbers of an example's frames, `(batch,)` or `(batch, time)`.
        side: Side of the square.
    """
    top, left = _corners(len(index), frames, side)
    within = torch.arange(side, device=frames.device)
    beyond = (1,) * (index.ndim - 1)
    rows = (top[:, None] + within).view(-1, *beyond, 1, side, 1)
    columns = (left[:, None] + within).view(-1, *beyond, 1, 1, side)
    channels = torch.arange(frames.shape[1], device=frames.device)[:, None, None]
    return frames[index[..., None, None, None], channels, rows, columns]


def _corners(batch: int, x: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Top and left of a random square in each of `batch` examples of the height and width of `x`."""
    height, width = x.shape[-2:]
    top = (torch.rand(batch, device=x.device) * (height - side + 1)).long()
    left = (torch.rand(batch, device=x.device) * (width - side + 1)).long()
    return top, left


def _patches(x: Tensor, side: int) -> Tensor:
    """Cut one random square out of each example, the same place in all its frames."""
    batch, width = len(x), x.shape[-1]
    top, left = _corners(batch, x, side)
    within = torch.arange(side, device=x.device)
    rows = (top[:, None] + within)[:, :, None] * width
    place = (rows + (left[:, None] + within)[:, None, :]).flatten(1)
    flat = x.flatten(-2)
    middle = (1,) * (flat.ndim - 2)
    index = place.view(batch, *middle, side * side).expand(*flat.shape[:-1], side * side)
    return flat.gather(-1, index).unflatten(-1, (side, side))


def _augmented(x: Tensor, view: View) -> Tensor:
    axes = {"flip": -2, "mirror": -1, "reverse": 1}
    for kind in view.augment:
        chosen = torch.rand(len(x), device=x.device) < 0.5
        x = torch.where(chosen.view(-1, *(1,) * (x.ndim - 1)), x.flip(axes[kind]), x)
    return x
