"""Motion between the frames of video: what changed before a frame, and moving a frame along a flow.

x_t is frame t, and f a flow: at each pixel p a displacement in pixels, to the right and down.

    c_t  = x_t - 1/2, x_t - x_t-1, ..., x_t-k+2 - x_t-k+1        (1)
    y(p) = x(p + f(p))                                           (2)
    g(p) = max(0, 1 - r / m(p)),   r = 1.6e-5                   (3)

m is the mean square of the changes, over the changes, channels and a window around p. (1) has as many parts as frames
are seen, k. In (2) values between pixels are interpolated from the four around them; beyond the edge the nearest
pixel counts. (3) is 0 where all stood still, and near 1 where something moved: r is the square of one of 255 levels.

References:
    Jaderberg, Simonyan, Zisserman, Kavukcuoglu (2015). Spatial transformer networks. arXiv:1506.02025 (the gradient
    of (2) with respect to f).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from untaught.nn.sizes import frame_size
from untaught.shapes import Images, Video

Earlier = Float[Tensor, "batch earlier channel height width"]
Share = Float[Tensor, "frame 1 height width"]
"""From 0 to 1 at each pixel."""

STILL = 1.6e-5
"""r in (3)."""
AROUND = 15
"""Side of the window in (3), in pixels; odd."""

Flow = Float[Tensor, "batch 2 height width"]
"""Displacement in pixels, to the right and down, from each pixel to the place that it is taken from."""


def with_changes(x: Video, earlier: Earlier) -> Float[Tensor, "batch time parts height width"]:
    """Each frame and the changes that led to it, equation (1), as channels.

    Args:
        x: Frames.
        earlier: The k - 1 frames before the first one.

    Example:
        >>> x = torch.tensor([1.0, 4.0, 9.0]).view(1, 3, 1, 1, 1)
        >>> with_changes(x, torch.zeros(1, 1, 1, 1, 1)).flatten(1).tolist()
        [[0.5, 1.0, 3.5, 3.0, 8.5, 5.0]]
    """
    count, time = earlier.shape[1], x.shape[1]
    every = torch.cat([earlier, x], 1)
    changes = every[:, 1:] - every[:, :-1]  # not `diff`, which ONNX lacks
    latest_first = [changes[:, count - 1 - back : count - 1 - back + time] for back in range(count)]
    return torch.cat([x - 0.5, *latest_first], 2)


def moved(x: Images, flow: Flow) -> Images:
    """Move pictures along a flow, equation (2).

    Example:
        >>> x = torch.tensor([[[[1.0, 2.0, 3.0]]]])
        >>> right = torch.stack([torch.full((1, 1, 3), 0.5), torch.zeros(1, 1, 3)], 1)
        >>> moved(x, right).flatten().tolist()
        [1.5, 2.5, 3.0]
    """
    height, width = frame_size(x)
    down, right = (torch.arange(side, device=x.device, dtype=flow.dtype) for side in (height, width))
    columns = 2 * (right + flow[:, 0]) / max(width - 1, 1) - 1  # grid_sample counts from -1 to 1
    rows = 2 * (down[:, None] + flow[:, 1]) / max(height - 1, 1) - 1
    return F.grid_sample(x, torch.stack([columns, rows], -1), padding_mode="border", align_corners=True)


def share_moving(changes: Float[Tensor, "frame parts height width"]) -> Share:
    """How surely something moved around each pixel, equation (3).

    Example:
        >>> changes = torch.cat([torch.zeros(1, 2, 4, 20), torch.ones(1, 2, 4, 20)], -1)
        >>> share_moving(changes)[0, 0, 0, [0, 20, 39]].tolist()
        [0.0, 0.999..., 0.999...]
    """
    squares = changes.square().mean(1, keepdim=True)
    mean = F.avg_pool2d(squares, AROUND, 1, AROUND // 2, count_include_pad=False)
    return (mean - STILL).clamp_min(0) / mean.clamp_min(STILL)
