"""Encoders of video, which differ in how they look at time. Each has about as many weights as it is asked to have.

x_t is frame t of a clip, C a stack of three convolutions with ReLU, each followed by max-pooling, C_l its level l; | |
is the mean over positions. A clip's features are the mean over t of

    frames     f_t = |C(x_t)|                                                              (1)
    conv3d     f_t = |V(x_t, ..., x_t+6)|,   V as C, with filters of 3 frames, no padding in time   (2)
    cnn-lstm   f_t = h_t,   h_t = LSTM(C(x_t), h_t-1)                                      (3)
    gru-rcn    f_t = |h_1,t|, |h_2,t|, |h_3,t|,   h_l,t = GRU_l(C_l(x_t), h_l,t-1)         (4)

(1) sees no motion; (2) only what lies within 7 frames; (3) remembers, but what moves between two frames it must find in
maps that are pooled already; the recurrences of (4) are convolutions and look at every level. `stacked` also gives
GRU_l the state of the level below, h_l-1,t, pooled; `bidirectional` adds a second recurrence that runs back in time.

A convolutional recurrence has k k O_x O_h weights for each gate's input from O_x to O_h maps, and a fully connected one
on the same N x N maps N N O_x O_h for every position of the output: `recurrence_weights` counts both.

References:
    Tran, Bourdev, Fergus, Torresani, Paluri (2015). Learning spatiotemporal features with 3D convolutional networks.
    arXiv:1412.0767 (C3D, filters of 3x3x3).
    Donahue, Hendricks, Guadarrama, Rohrbach, Venugopalan, Saenko, Darrell (2015). Long-term recurrent convolutional
    networks for visual recognition and description. arXiv:1411.4389 (LRCN, an LSTM on a convolutional network).
    Ballas, Yao, Pal, Courville (2016). Delving deeper into convolutional networks for learning video representations.
    arXiv:1511.06432 (GRU-RCN, stacked and bidirectional).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from untaught.errors import SizeError
from untaught.nn.convolution import Convolution, spread_
from untaught.nn.sizes import Size, frame_size
from untaught.nn.temporal.on_levels import OnLevels
from untaught.nn.temporal.recurrent import LSTM, ConvGRU
from untaught.shapes import Features, Video

Kind: TypeAlias = Literal["frames", "conv3d", "cnn-lstm", "gru-rcn"]
OverTime = Float[Tensor, "batch step feature"]
Widths = tuple[int, ...]
LEVELS = (1.0, 1.5, 2.0)
"""Maps of each level, relative to the first."""
KERNEL = 3
SEEN = 2
"""Side to which maps are pooled before an LSTM."""


class VideoEncoder(nn.Module, ABC):
    """From clips to features."""

    extent: ClassVar[int | None] = None
    """Frames that an output of one time depends on at most; none where it depends on all before it."""
    features: int
    """How many numbers describe a clip."""

    @abstractmethod
    def over_time(self, x: Video) -> OverTime:
        """Features f_t of each time."""

    def forward(self, x: Video) -> Features:
        """Their mean over time.

        Raises:
            SizeError: The clip is shorter than what one output sees.
        """
        refuse_short(self, int(x.shape[1]))
        return self.over_time(x - 0.5).mean(1)


class Levels(nn.Module):
    """Three convolutions with ReLU and max-pooling: C, of single frames."""

    def __init__(self, channels: int, widths: Widths) -> None:
        super().__init__()
        pairs = zip((channels, *widths), widths, strict=False)
        self.layers = nn.ModuleList(Convolution(below, maps, KERNEL, padding=1) for below, maps in pairs)
        _begin(self.layers, KERNEL**2)

    def forward(self, x: Video) -> list[Tensor]:
        """Maps of every level `(batch, time, map, height, width)`."""
        found, below = list[Tensor](), x.flatten(0, 1)
        for layer in self.layers:
            below = F.max_pool2d(torch.relu(layer(below)), _pooled(frame_size(below)))
            found.append(below.unflatten(0, (-1, x.shape[1])))
        return found


class Frames(VideoEncoder):
    """One frame at a time, equation (1).

    Example:
        >>> Frames(1, (8, 12, 16))(torch.zeros(2, 5, 1, 24, 20)).shape
        torch.Size([2, 16])
    """

    extent = 1

    def __init__(self, channels: int, widths: Widths) -> None:
        super().__init__()
        self.levels, self.features = Levels(channels, widths), widths[-1]

    def over_time(self, x: Video) -> OverTime:
        """Equation (1)."""
        return self.levels(x)[-1].mean((-2, -1))


class Conv3d(VideoEncoder):
    """Convolutions over time too, equation (2).

    Example:
        >>> Conv3d(1, (8, 12, 16)).over_time(torch.zeros(2, 9, 1, 24, 20)).shape
        torch.Size([2, 3, 16])
    """

    extent = 1 + (KERNEL - 1) * len(LEVELS)

    def __init__(self, channels: int, widths: Widths) -> None:
        super().__init__()
        pairs = zip((channels, *widths), widths, strict=False)
        self.layers = nn.ModuleList(nn.Conv3d(below, maps, KERNEL, padding=(0, 1, 1)) for below, maps in pairs)
        self.features = widths[-1]
        _begin(self.layers, KERNEL**3)

    def over_time(self, x: Video) -> OverTime:
        """Equation (2)."""
        maps = x.transpose(1, 2)
        for layer in self.layers:
            maps = F.max_pool3d(torch.relu(layer(maps)), (1, *_pooled(frame_size(maps))))
        return maps.mean((-2, -1)).transpose(1, 2)


class CnnLSTM(VideoEncoder):
    """An LSTM on top of a convolutional network, equation (3).

    Example:
        >>> CnnLSTM(1, (8, 12, 16)).over_time(torch.zeros(2, 5, 1, 24, 20)).shape
        torch.Size([2, 5, 32])
    """

    def __init__(self, channels: int, widths: Widths) -> None:
        super().__init__()
        self.levels, self.features = Levels(channels, widths), 2 * widths[-1]
        self.core = LSTM(widths[-1] * SEEN**2, self.features)

    def over_time(self, x: Video) -> OverTime:
        """Equation (3)."""
        top = self.levels(x)[-1]
        seen = F.adaptive_avg_pool2d(top.flatten(0, 1), SEEN).unflatten(0, top.shape[:2])
        return torch.stack([state[0] for state in self.core(seen.transpose(0, 1))], 1)


class GruRcn(VideoEncoder):
    """Convolutional recurrences on several levels of a convolutional network, equation (4).

    Example:
        >>> GruRcn(1, (8, 12, 16), bidirectional=True).over_time(torch.zeros(2, 5, 1, 24, 20)).shape
        torch.Size([2, 5, 72])
    """

    def __init__(self, channels: int, widths: Widths, stacked: bool = False, bidirectional: bool = False) -> None:
        """Build it.

        Args:
            channels: Channels of the frames.
            widths: Maps of each level, and of its recurrence.
            stacked: Whether a recurrence also sees the state of the one below.
            bidirectional: Whether another one runs back in time.
        """
        super().__init__()
        self.levels = Levels(channels, widths)
        runs = [OnLevels(widths, widths, KERNEL, stacked) for _ in range(1 + bidirectional)]
        for run in runs:
            _begin_recurrences(run)
        self.cores = nn.ModuleList(runs)
        self.features = sum(widths) * len(runs)

    def over_time(self, x: Video) -> OverTime:
        """Equation (4)."""
        return torch.cat([states.mean((-2, -1)) for states in self.states(x)], -1)

    def states(self, x: Video) -> list[Tensor]:
        """Hidden maps of every recurrence, forwards, then backwards: (batch, time, map, height, width)."""
        maps = [level.transpose(0, 1) for level in self.levels(x)]
        found: list[Tensor] = []
        for number, core in enumerate(self.cores):
            states = core([level.flip(0) for level in maps] if number else maps)
            each = [torch.stack(level) for level in reversed(list(zip(*states, strict=True)))]
            found += [level.flip(0) if number else level for level in each]
        return [level.transpose(0, 1) for level in found]


def video_encoder(
    kind: Kind, channels: int, weights: int, stacked: bool = False, bidirectional: bool = False
) -> VideoEncoder:
    """Build the encoder of a name whose number of weights is nearest to the one asked for.

    Example:
        >>> [video_encoder(kind, 1, 50_000).features for kind in ("frames", "conv3d", "cnn-lstm")]
        [70, 41, 58]
    """

    def build(width: float) -> VideoEncoder:
        widths = tuple(max(1, round(width * share)) for share in LEVELS)
        match kind:
            case "frames":
                return Frames(channels, widths)
            case "conv3d":
                return Conv3d(channels, widths)
            case "cnn-lstm":
                return CnnLSTM(channels, widths)
            case "gru-rcn":
                return GruRcn(channels, widths, stacked, bidirectional)

    return build(_width(build, weights))


def _width(build: Callable[[float], nn.Module], weights: int) -> float:
    """The width whose network has the number of weights nearest to the one asked for, by halving an interval."""

    def count(width: float) -> int:
        with torch.device("meta"):
            return sum(weight.numel() for weight in build(width).parameters())

    narrow, wide = 1.0, 1024.0
    while wide - narrow > 0.1:
        middle = (narrow + wide) / 2
        narrow, wide = (narrow, middle) if count(middle) > weights else (middle, wide)
    return min((narrow, wide), key=lambda width: abs(count(width) - weights))


def recurrence_weights(encoder: GruRcn, side: int) -> tuple[int, int]:
    """Weights of an encoder's recurrences on frames of a side, and of fully connected ones on the same maps.

    For each gate k k O_x O_h and k k O_h O_h, against N N O_x and N N O_h inputs of each of N N O_h units.

    Example:
        >>> recurrence_weights(GruRcn(1, (8, 12, 16)), 24)
        (25056, 9206784)
    """
    convolutional = connected = 0
    for cores in encoder.cores:
        at = side
        for core in cores.children():
            assert isinstance(core, ConvGRU)
            at = max(1, at // 2)
            both = 3 * core.maps * (core.input.in_channels + core.maps)
            convolutional += KERNEL**2 * both
            connected += at**4 * both
    return convolutional, connected


def refuse_short(encoder: VideoEncoder, frames: int) -> None:
    """Refuse clips that are shorter than what one output sees.

    Raises:
        SizeError: They are.
    """
    if encoder.extent is not None and frames < encoder.extent:
        raise SizeError(
            f"this encoder looks at {encoder.extent} frames at once, and clips have {frames}: longer clips, or another"
            " encoder: frames, cnn-lstm, gru-rcn"
        )


def _pooled(size: Size) -> tuple[int, int]:
    """Side of the pooling windows: 2, where there are two values."""
    return min(2, size[0]), min(2, size[1])


def _begin_recurrences(cores: OnLevels) -> None:
    """Initial weights that preserve the variance, and memories that grow longer from level to level.

    At the lowest level the update gate z is open by half: a state is that of the last frame or two, which is what local
    motion takes. At level l it is sigma(-l), so that the highest state lasts for about eight frames and gradients reach
    events that lie far back.
    """
    for level, core in enumerate(cores.children()):
        assert isinstance(core, ConvGRU)
        for layer in (core.input, core.gates, core.candidate):
            spread_(layer.weight, layer.in_channels * KERNEL**2, "linear")
        bias = core.input.get_parameter("bias")
        nn.init.zeros_(bias)
        nn.init.constant_(bias[: core.maps], -float(level))


def _begin(layers: nn.ModuleList, taps: int) -> None:
    """Initial weights that preserve the variance."""
    for layer in layers:
        weight = layer.get_parameter("weight")
        spread_(weight, weight.shape[1] * taps, "relu")
        nn.init.zeros_(layer.get_parameter("bias"))
