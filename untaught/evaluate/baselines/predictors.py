r"""Predictors of the next frame that learn little or nothing: baselines that every model of video has to beat.

With x_t the frame at time t, and every prediction clipped to [0, 1]:

    previous frame        x^_{t+1} = x_t                                                   (1)
    linear extrapolation  x^_{t+1} = 2 x_t - x_{t-1}                                       (2)
    mean frame            x^_{t+1} = the mean of all training frames                       (3)
    ridge on k frames     x^_{t+1} = sum_{j=0}^{k-1} x_{t-j} W_j                           (4)
        with W the minimum of  sum |x_{t+1} - x^_{t+1}|^2 + 3 sum_j |W_j|^2  over training frames.

Each is a function from the frames given, `(batch, time, channel, height, width)`, to the next one. Where fewer frames
are given than it needs, a ridge is replaced by the one on as many frames as there are, and linear extrapolation by the
previous frame, since measures begin at the second frame of a clip.

(4) has a weight for each pair of pixels. For frames of more than 1024 numbers one small filter is shared by all
positions instead, from 5 x 5 neighbourhoods of the last k frames, with edges repeated (`ridge_5x5_k_frames`). Sums over
the training frames are taken in float64. All are fitted on the same targets, those of the longest ridge.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from untaught.evaluate.footage import Footage
from untaught.shapes import Images, Video

Predictor = Callable[[Video], Images]

PENALTY = 3.0
ORDERS = 4
"""Frames that the longest ridge looks at."""
SIDE = 5
DENSE = 1024
"""Numbers in a frame above which a weight for each pair of pixels takes longer than it is worth."""
PLACES = 2_500_000
"""Places that the local ridge is fitted on at most: 98 frames of 144 x 176 pixels. On 19 of them it is worse than a
copy of the previous frame, on all 3 % better: what moves differs from frame to frame."""


def predictors(train: Footage) -> dict[str, Predictor]:
    """Every trivial predictor by name, fitted on training clips."""
    ridges = _local_ridges(train) if train.frames[0].numel() > DENSE else _dense_ridges(train)
    *first, last = untrained(train).items()
    return dict([*first, *ridges.items(), last])


def untrained(train: Footage) -> dict[str, Predictor]:
    """Those that learn nothing but a mean, equations (1) to (3)."""
    average = train.frames.mean(0, dtype=torch.float64).float()
    return {
        "previous_frame": lambda given: given[:, -1],
        "linear_extrapolation": linear_extrapolation,
        "mean_frame": lambda given: average.expand_as(given[:, -1]),
    }


def linear_extrapolation(given: Video) -> Images:
    """Go on as from the last frame but one to the last, equation (2).

    Example:
        >>> linear_extrapolation(torch.rand(2, 3, 1, 8, 8)).shape
        torch.Size([2, 1, 8, 8])
    """
    if given.shape[1] == 1:
        return given[:, -1]
    return (2 * given[:, -1] - given[:, -2]).clamp(0, 1)


def _orders(train: Footage) -> int:
    """Frames that a ridge can look at: one less than the longest clip has."""
    return min(ORDERS, int(train.length.max()) - 1)


# Dense: a weight for each pair of pixels


def _dense_ridges(train: Footage) -> dict[str, Predictor]:
    weights = dense_weights(train, _orders(train))
    return {f"ridge_{order}_{_frames(order)}": _dense(weights[:order]) for order in range(1, len(weights) + 1)}


def _dense(weights: list[Tensor]) -> Predictor:
    def predict(given: Video) -> Images:
        order = min(len(weights), given.shape[1])
        recent = given[:, -order:].flip(1).flatten(1)
        return (recent @ weights[order - 1]).reshape(given[:, -1].shape).clamp(0, 1)

    return predict


def dense_weights(train: Footage, orders: int, penalty: float = PENALTY) -> list[Tensor]:
    """Weights of equation (4) for 1 to `orders` frames, newest frame first, `(frames * pixel, pixel)` each.

    All are fitted on the same targets, those with `orders` frames before them, so the normal equations of
    fewer frames are the leading block of those of more, and one Cholesky factor serves all.
    """
    moments = lagged_moments(train, orders)
    pixels = train.frames[0].numel()
    inner, cross = moments[pixels:, pixels:], moments[pixels:, :pixels]
    inner.diagonal().add_(penalty)
    factor = torch.linalg.cholesky(inner)
    half = torch.linalg.solve_triangular(factor, cross, upper=False)
    ends = [pixels * order for order in range(1, orders + 1)]
    return [torch.linalg.solve_triangular(factor[:n, :n].T, half[:n], upper=True).float() for n in ends]


def lagged_moments(train: Footage, orders: int) -> Tensor:
    r"""Sums over targets s of the outer products of x_{s-i} and x_{s-j}, for all lags 0 <= i, j <= `orders`.

    Block (i, j) is sum_s x_{s-i}^T x_{s-j}. Moving s by one turns it into block (i - 1, j - 1), but for a row at either
    end of each clip, so only the blocks (0, d) are summed over everything: a third of the work.
    """
    whole = train.length > orders
    first, end = train.first[whole] + orders, train.first[whole] + train.length[whole]
    targets = torch.cat([torch.arange(a, b) for a, b in zip(first.tolist(), end.tolist(), strict=True)])
    lags = _outer(train.frames, targets, range(orders + 1))
    blocks = [[lags[lag] for lag in range(orders + 1)]]
    for i in range(1, orders + 1):
        kept = range(orders + 1 - i)
        change = _outer(train.frames, first - i, kept) - _outer(train.frames, end - i, kept)
        below = [blocks[j][i].T for j in range(i)]
        blocks.append(below + [blocks[i - 1][i - 1 + lag] + change[lag] for lag in kept])
    return torch.cat([torch.cat(row, 1) for row in blocks])


def _outer(frames: Images, rows: Tensor, lags: range) -> Tensor:
    """Sum over rows s of x_s^T x_{s-d} for every lag d, float64 `(lag, pixel, pixel)`."""
    pixels = frames[0].numel()
    total = torch.zeros(len(lags), pixels, pixels, dtype=torch.float64)
    for some in rows.split(4096):
        now = frames[some].flatten(1).double()
        for lag in lags:
            total[lag].addmm_(now.T, frames[some - lag].flatten(1).double())
    return total


# Local: one filter for all places


def _local_ridges(train: Footage) -> dict[str, Predictor]:
    filters = local_filters(train, _orders(train))
    return {f"ridge_5x5_{order}_{_frames(order)}": _local(filters[:order]) for order in range(1, len(filters) + 1)}


def _local(filters: list[Tensor]) -> Predictor:
    def predict(given: Video) -> Images:
        order = min(len(filters), given.shape[1])
        return functional.conv2d(_padded(given[:, -order:]), filters[order - 1]).clamp(0, 1)

    return predict


def local_filters(train: Footage, orders: int, penalty: float = PENALTY) -> list[Tensor]:
    """Ridges from 5 x 5 neighbourhoods of the last 1 to `orders` frames: `(channel, frames * channel, 5, 5)` each.

    Newest frame first, so that here too those of fewer frames come from the leading block.
    """
    channels, height, width = train.frames.shape[1:]
    rows = train.rows(orders)
    count = max(1, min(len(rows), PLACES // (height * width)))
    size = orders * channels * SIDE * SIDE
    inner = penalty * torch.eye(size, dtype=torch.float64)
    cross = torch.zeros(size, channels, dtype=torch.float64)
    for row in rows[torch.linspace(0, len(rows) - 1, count).round().long()].split(1):
        # Sums over one frame are exact enough in float32, and twice as fast; sums over frames are taken in float64.
        seen = functional.unfold(_padded(train.before(row, orders)), SIDE)[0]
        inner += seen @ seen.T
        cross += seen @ train.frames[row[0]].flatten(1).T
    ends = [order * channels * SIDE * SIDE for order in range(1, orders + 1)]
    weights = [torch.linalg.solve(inner[:n, :n], cross[:n]) for n in ends]
    return [weight.T.reshape(channels, -1, SIDE, SIDE).float() for weight in weights]


def _padded(given: Video) -> Float[Tensor, "batch frames outer_height outer_width"]:
    """Frames as channels, newest first, edges repeated by half the neighbourhood."""
    margin = SIDE // 2
    return functional.pad(given.flip(1).flatten(1, 2), (margin,) * 4, mode="replicate")


def _frames(order: int) -> str:
    return "frame" if order == 1 else "frames"
