"""Flow as a picture: the colour says which way something moves, the brightness how far.

A flow f says where each pixel comes from, so what is seen there moves by -f. Its angle is the hue, on the wheel that is
drawn beside the picture, and its length over the longest of the film is the brightness: what stands still is black.

References:
    Baker, Scharstein, Lewis, Roth, Black, Szeliski (2011). A database and evaluation methodology for optical flow
    (the colour wheel).
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.shapes import Images, Video

Flows = Float[Tensor, "batch predicted 2 height width"]
LEAST = 0.5
"""Pixels that are drawn in full brightness at least, so that noise of a still scene stays dark."""


def flow_colours(flow: Flows) -> tuple[Video, float]:
    """Pictures of flows in [0, 1], `(batch, predicted, 3, height, width)`, and the length in pixels that is bright."""
    size = flow.norm(dim=2)
    longest = max(LEAST, float(size.flatten().sort().values[int(0.999 * (size.numel() - 1))]))
    return _coloured(-flow[:, :, 0], -flow[:, :, 1], size / longest), longest


def wheel(height: int, width: int) -> Images:
    """The colours of all directions around the middle, `(1, 3, height, width)`: what is right of it moves right."""
    side = min(height, width) / 2
    down, right = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    x, y = (right - width / 2) / side, (down - height / 2) / side
    size = (x.square() + y.square()).sqrt()
    return _coloured(x[None], y[None], size[None] * (size[None] <= 1))


def _coloured(x: Tensor, y: Tensor, brightness: Tensor) -> Tensor:
    """Colours of directions: hue by angle, red to the right, and a brightness up to 1; channels before the last two."""
    from matplotlib.colors import hsv_to_rgb  # slow to import, and rarely needed

    hue = torch.atan2(y, x) / (2 * math.pi) % 1
    hsv = torch.stack([hue, torch.ones_like(hue), brightness.clamp(0, 1)], -1)
    rgb = torch.from_numpy(hsv_to_rgb(hsv.cpu().numpy()))
    return rgb.movedim(-1, -3).float()
