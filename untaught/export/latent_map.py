r"""A plane through the space of features, and further directions, along which a page goes.

With m the mean of the test examples' features z and d_k directions, the features at coordinates a are

    z(a) = clip(m + sum_k a_k d_k, least, most),                                                       (1)

each feature kept between the least and the most that an example has of it. Directions are single latents, the most
active first, where latents are continuous variables of a model or there are two features at most,

    activity of latent j = var_n z_nj,                                                                 (2)

else principal directions of the features. A coordinate goes from the quantile 0.005 to 0.995 of the examples'.

References:
    Burda, Grosse, Salakhutdinov (2016). Importance weighted autoencoders (active units).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.errors import ConfigError
from untaught.evaluate.measures.active_units import ACTIVE, activity
from untaught.evaluate.subject import Subject
from untaught.model import Decodes, Encodes, Generates, LatentVariable, Model, in_words, model_name
from untaught.nn.principal import principal
from untaught.shapes import Examples, Features

EXAMPLES = 2000
"""Test examples at most, whose features say where the page goes."""
SLIDERS = 12
"""Directions at most beside the two of the map."""
ENDS = (0.005, 0.995)
"""Quantiles between which coordinates go."""


@dataclass(frozen=True)
class LatentMap:
    """Directions through the space of features, and where examples lie along them."""

    mean: Float[Tensor, " feature"]
    directions: Float[Tensor, "direction feature"]
    """The first two span the map."""
    names: tuple[str, ...]
    single: bool
    """Whether a direction is a single latent."""
    first: Float[Tensor, " direction"]
    """Where each coordinate begins."""
    last: Float[Tensor, " direction"]
    """Where it ends."""
    least: Float[Tensor, " feature"]
    most: Float[Tensor, " feature"]
    coordinates: Float[Tensor, "example direction"]
    """Of every test example."""
    label: Tensor
    """Classes of the examples, -1 where absent."""
    share: float
    """The part of the features' variance that lies in the map; of drawn codes, of the change of pictures."""
    drawn: bool = False
    """Whether the examples are draws of a generator's codes."""

    @property
    def flat(self) -> LatentMap:
        """The two directions of the map alone."""
        cut = {name: getattr(self, name)[:2] for name in ("directions", "names", "first", "last")}
        return replace(self, **cut, coordinates=self.coordinates[:, :2])

    def features(self, coordinates: Float[Tensor, "place direction"]) -> Features:
        """Features at coordinates, equation (1); directions that are not given stay at the mean."""
        z = self.mean + coordinates @ self.directions[: coordinates.shape[1]]
        return torch.minimum(torch.maximum(z, self.least), self.most)

    def grid(self, side: int) -> Float[Tensor, "place 2"]:
        """Coordinates of a square grid over the map, row by row; the first row is at the top, where v is largest."""
        u = torch.linspace(float(self.first[0]), float(self.last[0]), side)
        v = torch.linspace(float(self.last[1]), float(self.first[1]), side)
        return torch.stack(torch.meshgrid(u, v, indexing="xy"), -1).flatten(0, 1)


def refuse_without_map(model: Model) -> None:
    """Refuse a model that has neither features from which pictures are decoded nor codes that are drawn.

    Raises:
        ConfigError: It has none, or its examples are no pictures of one channel or three.
    """
    for kind in () if isinstance(model, Generates) else (Encodes, Decodes):
        if not isinstance(model, kind):
            raise ConfigError(f"{model_name(model)} lacks what the page shows: {in_words(kind.__name__)}")
    if len(model.shape) != 3 or model.shape[0] not in (1, 3):
        told = " x ".join(map(str, model.shape))
        raise ConfigError(f"the page shows pictures of one channel or three, and this run's examples are {told}")


def latent_map(subject: Subject) -> LatentMap:
    """The map of a model on the test examples of its data.

    Raises:
        ConfigError: No feature differs between examples.
    """
    batch = subject.tested(EXAMPLES)
    z = subject.features(batch.x)
    mean = z.mean(0)
    single = z.shape[1] <= 2 or (isinstance(subject.model, LatentVariable) and subject.model.continuous)
    directions, names = _latents(z) if single else _principal(z)
    coordinates = (z - mean) @ directions.T
    first, last = (coordinates.quantile(end, 0) for end in ENDS)
    if not bool((last[:2] > first[:2]).any()):
        raise ConfigError(f"{model_name(subject.model)} gives every example the same features: there is nothing to map")
    flat = last <= first  # a direction that leads nowhere still needs a length
    first, last = torch.where(flat, first - 1, first), torch.where(flat, last + 1, last)
    share = float(activity(coordinates[:, :2]).sum() / activity(z).sum())
    return LatentMap(
        mean, directions, names, single, first, last, z.amin(0), z.amax(0), coordinates, batch.label, share
    )


def _latents(z: Features) -> tuple[Tensor, tuple[str, ...]]:
    """Single latents, the most active first, equation (2); beyond the map only those that are active."""
    active = activity(z)
    order = active.argsort(descending=True, stable=True).tolist()
    kept = order[:2] + [j for j in order[2:] if active[j] > ACTIVE][:SLIDERS]
    directions = torch.eye(z.shape[1])[kept]
    names = tuple(f"latent {j + 1}" for j in kept)
    if len(kept) == 1:
        return torch.cat([directions, torch.zeros_like(directions)]), (*names, "nothing")
    return directions, names


def _principal(z: Features) -> tuple[Tensor, tuple[str, ...]]:
    """Principal directions of the features."""
    directions = principal(z, 2 + SLIDERS).directions.T
    return directions, tuple(f"direction {number + 1}" for number in range(len(directions)))


@dataclass(frozen=True)
class Shades:
    """How numbers that a decoder gives are shown as values between 0 and 1: offset + gain * number."""

    offset: float = 0.0
    gain: float = 1.0

    def of(self, made: Examples) -> Examples:
        """Values between 0 and 1."""
        return (self.offset + self.gain * made).clamp(0, 1)


def shades(made: Examples) -> Shades:
    """Numbers as they are, or where many are below 0, as of a change between frames, with 0 as the middle grey.

    Example:
        >>> shades(torch.tensor([0.0, 1.02])), shades(torch.tensor([-0.5, 0.25]))
        (Shades(offset=0.0, gain=1.0), Shades(offset=0.5, gain=1.0))
    """
    if float(made.min()) >= -0.05 * float(made.abs().max()):
        return Shades()
    return Shades(0.5, 0.5 / float(made.abs().max()))
