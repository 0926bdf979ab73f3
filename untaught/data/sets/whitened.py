r"""Whitened pictures: grey, with all spatial frequencies equally strong, of any folder, video, array or named set.

In natural pictures amplitude falls as one over frequency, and a model that explains variance explains slow shading
first. Each picture's spectrum is therefore multiplied by

.. math:: R(f) = f\, e^{-(f / f_0)^4}, \qquad f_0 = 0.4 \text{ cycles per pixel} \qquad (1)

which flattens it and cuts off what is mostly noise. Borders, where the picture's left side would join its right, are
cut away. The result is divided by its deviation over all pictures and stored as grey values: 0.5 is none, and eight
deviations span black to white.

A path stands behind the colon, `whitened:photos/`, `whitened:clip.mp4`; a named set is an option,
`whitened?of=cifar10`.

References:
    Olshausen, Field 1997, Sparse coding with an overcomplete basis set: a strategy employed by V1? Vision research 37.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from untaught.config import Count, configuration
from untaught.data.part import Part
from untaught.data.source import Source, open_data
from untaught.data.view import as_float
from untaught.errors import DataError

CUT_OFF = 0.4
"""f_0 in cycles per pixel; 0.5 is the finest that there is."""
SPAN = 8.0
"""Deviations from black to white."""
BORDER = 4
"""Pixels that are cut away on each side."""
GREY = (0.299, 0.587, 0.114)
"""Shares of red, green and blue."""


@configuration
class Options:
    """What is read."""

    of: str = ""
    """A named set, in place of a path."""
    pictures: Count = 10_000
    """Pictures of each part at most, evenly spaced."""


def load(path: Path | None, options: Options) -> Source:
    """Open what stands behind the colon, and whiten each of its parts by the training part's deviation."""
    if (path is None) == (not options.of):
        raise DataError(
            "whitened takes a path or a named set: whitened:photos/, whitened:clip.mp4, whitened?of=cifar10"
        )
    source = open_data(path or options.of)
    if len(source.shape) != 3 or min(source.shape[1:]) <= 4 * BORDER:
        raise DataError(f"only pictures of more than {4 * BORDER} pixels a side can be whitened, not {source.shape}")
    parts = source.parts()
    train, validation, test = (
        (part, _pictures(part, options.pictures)) for part in (parts.train, parts.validation, parts.test)
    )
    deviation = train[1].std().clamp_min(1e-6)
    made = [_part(part, 0.5 + x / (SPAN * deviation), options.pictures) for part, x in (train, validation, test)]
    train, validation, test = made
    return replace(source, spec="whitened", train=train, validation=validation, test=test, chosen_size=None, scale=None)


def whitened(x: Tensor) -> Tensor:
    """Grey pictures `(n, height, width)` under the filter (1), without their borders.

    Example:
        >>> whitened(torch.rand(2, 20, 24)).shape
        torch.Size([2, 12, 16])
    """
    rows, columns = (torch.fft.fftfreq(side, device=x.device) for side in x.shape[1:])
    f = (rows[:, None].square() + columns.square()).sqrt()
    flat = torch.fft.ifft2(torch.fft.fft2(x) * f * torch.exp(-((f / CUT_OFF) ** 4))).real
    return flat[:, BORDER:-BORDER, BORDER:-BORDER]


def _frames(part: Part, most: int) -> Tensor:
    """Numbers of at most so many evenly spaced frames."""
    every = torch.cat([torch.arange(int(n)) + first for first, n in zip(part.first, part.length, strict=True)])
    return every[torch.linspace(0, len(every) - 1, min(most, len(every))).long()]


def _pictures(part: Part, most: int) -> Tensor:
    """Whitened pictures of a part, `(n, height, width)`."""
    weights = torch.tensor(GREY) if part.shape[0] == 3 else torch.full((part.shape[0],), 1 / part.shape[0])
    read = (as_float(part.frames.read(some)) for some in _frames(part, most).split(256))
    return torch.cat([whitened(torch.einsum("nchw,c->nhw", x, weights)) for x in read])


def _part(part: Part, x: Tensor, most: int) -> Part:
    return Part.of(x.clamp(0, 1)[:, None], part.label[_frames(part, most)])
