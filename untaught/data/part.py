"""Frames in memory or on disk, and the table of clips over them.

A part is a list of frames and a table that says where each clip begins and how long it is. A picture is a clip
of one frame, a vector too, so pictures and video are read by the same code. Labels and latent variables belong to
frames: `label[i]` and `latents[name][i]` describe frame `i`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from untaught.data.origin import Origin, Place
from untaught.shapes import Shape


class Frames(ABC):
    """Random access to frames, wherever they are. `uint8` means 0 to 255, everything else is as it is."""

    shape: Shape
    """One frame's shape."""
    dtype: torch.dtype
    count: int
    """How many frames."""

    @abstractmethod
    def read(self, index: Tensor) -> Tensor:
        """Read frames by number: an index of any shape gives `(*index, *frame)` in the stored dtype."""

    @property
    def nbytes(self) -> int:
        """Bytes of all frames, as stored."""
        return self.count * torch.Size(self.shape).numel() * self.dtype.itemsize

    @property
    def in_memory(self) -> Tensor | None:
        """The tensor that holds all frames, or None where they are read from disk."""
        return None


class WholeFrames(Frames):
    """All frames in one tensor `(frame, ...)`."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self.shape = tuple(tensor.shape[1:])
        self.dtype = tensor.dtype
        self.count = len(tensor)

    def read(self, index: Tensor) -> Tensor:
        """Gather from the tensor, on its device."""
        return self.tensor[index]

    @property
    def in_memory(self) -> Tensor | None:
        """The tensor itself."""
        return self.tensor


class MadeFrames(Frames):
    """All frames in one tensor that is made when the first of them is read."""

    def __init__(self, shape: Shape, dtype: torch.dtype, count: int, make: Callable[[], Tensor]) -> None:
        self.shape, self.dtype, self.count = shape, dtype, count
        self._make = make

    @cached_property
    def tensor(self) -> Tensor:
        """`(frame, ...)`."""
        return self._make().view(self.count, *self.shape)

    def read(self, index: Tensor) -> Tensor:
        """Gather from the tensor."""
        return self.tensor[index]

    @property
    def in_memory(self) -> Tensor | None:
        """The tensor itself."""
        return self.tensor


@dataclass(frozen=True)
class Distribution:
    """Every example that is possible, and how probable it is: what some generated data are drawn from."""

    examples: Tensor
    """`(state, ...)`, each once."""
    probability: Tensor
    """Float64 `(state,)`; the sum is 1."""


@dataclass(frozen=True)
class Part:
    """A training, validation or test part of a source.

    Example:
        >>> part = Part.of(torch.zeros(5, 1, 8, 8))
        >>> len(part), part.shape, part.is_video
        (5, (1, 8, 8), False)
        >>> clips = Part.of(torch.zeros(2, 10, 1, 8, 8))
        >>> len(clips), clips.shape, clips.is_video
        (2, (1, 8, 8), True)
    """

    frames: Frames
    first: Tensor
    """Number of each clip's first frame, int64 `(clip,)`."""
    length: Tensor
    """Frames of each clip, int64 `(clip,)`; all 1 for pictures and vectors."""
    is_video: bool
    label: Tensor
    """Class of each frame, int64 `(frame,)`; -1 where absent."""
    latents: Mapping[str, Tensor] = field(default_factory=lambda: {})
    """Named true variables of generated data, float32 `(frame, variable)`."""
    distribution: Distribution | None = None
    """What the examples are independent draws from, where that is known."""
    origin: Origin | None = None
    """The files that the frames come from; none for arrays and generated data."""
    cuts: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))
    """Numbers of the frames that begin a new shot inside a clip, ascending, int64 `(cut,)`."""
    gaps: int = 0
    """How many of the cuts are no new shots, but places where numbered frames are missing."""

    @staticmethod
    def over(frames: Frames, length: Tensor | None = None, label: Tensor | None = None) -> Part:
        """Make a part of frames anywhere: pictures, or clips of `length` frames that follow one another.

        Labels are one per clip or picture.
        """
        video = length is not None
        lengths = torch.ones(frames.count, dtype=torch.int64) if length is None else length.long()
        classes = torch.full((len(lengths),), -1) if label is None else label.long()
        return Part(frames, lengths.cumsum(0) - lengths, lengths, video, classes.repeat_interleave(lengths))

    @staticmethod
    def of(x: Tensor, label: Tensor | None = None, latents: Mapping[str, Tensor] | None = None) -> Part:
        """Make a part of a tensor: `(n, feature)`, `(n, c, h, w)`, or video `(n, t, c, h, w)`.

        Labels are one per clip; latent variables are per clip `(n, k)` or per frame `(n, t, k)`.
        """
        video = x.ndim == 5
        count, time = len(x), x.shape[1] if video else 1
        flat = x.flatten(0, 1) if video else x
        classes = torch.full((count,), -1) if label is None else label.long()
        described = {name: _per_frame(value, time, video) for name, value in (latents or {}).items()}
        first = torch.arange(count) * time
        return Part(
            WholeFrames(flat),
            first,
            torch.full((count,), time),
            video,
            classes.repeat_interleave(time),
            described,
        )

    def __len__(self) -> int:
        """Clips in the part (pictures, where every clip has one frame)."""
        return len(self.first)

    @property
    def shape(self) -> Shape:
        """One frame's shape."""
        return self.frames.shape

    def place_of(self, frame: int) -> Place:
        """Where a frame comes from, by its number: a file, or else a row of an array; in video also when.

        Example:
            >>> str(Part.of(torch.zeros(5, 1, 8, 8)).place_of(3)), str(Part.of(torch.zeros(2, 9, 1, 8, 8)).place_of(11))
            ('row 3', 'row 1, frame 2')
        """
        if self.origin is not None:
            return self.origin.place(frame)
        if not self.is_video:
            return Place(row=frame)
        clip = int((self.first <= frame).sum()) - 1
        return Place(row=clip, frame=frame - int(self.first[clip]))

    def clips(self, which: Tensor) -> Part:
        """Keep some clips, by number; frames are shared, not copied."""
        return replace(self, first=self.first[which], length=self.length[which])

    def shots(self) -> Part:
        """The same frames, with every shot as a clip of its own.

        Example:
            >>> part = replace(Part.of(torch.zeros(1, 10, 1, 8, 8)), cuts=torch.tensor([4]))
            >>> part.shots().first.tolist(), part.shots().length.tolist()
            ([0, 4], [4, 6])
        """
        if not len(self.cuts):
            return self
        pairs = list(zip(self.first.tolist(), (self.first + self.length).tolist(), strict=True))
        inside = [self.cuts[(self.cuts > begin) & (self.cuts < end)].tolist() for begin, end in pairs]
        first = [at for (begin, _), cuts in zip(pairs, inside, strict=True) for at in (begin, *cuts)]
        after = [at for (_, end), cuts in zip(pairs, inside, strict=True) for at in (*cuts, end)]
        begins, ends = torch.tensor(first), torch.tensor(after)
        return replace(self, first=begins, length=ends - begins)

    def time(self, start: float, stop: float) -> Part:
        """Keep the same fraction of every clip, from `start` to `stop` (0 to 1)."""
        begin = (self.length * start).round().long()
        end = (self.length * stop).round().long()
        return replace(self, first=self.first + begin, length=end - begin)

    def to(self, device: torch.device) -> Part:
        """Put the frames on a device whole; only for frames in memory."""
        tensor = self.frames.in_memory
        if tensor is None or tensor.device == device:
            return self
        latents = {name: value.to(device) for name, value in self.latents.items()}
        return replace(self, frames=WholeFrames(tensor.to(device)), label=self.label.to(device), latents=latents)


def _per_frame(value: Tensor, time: int, video: bool) -> Tensor:
    if video and value.ndim == 3:
        return value.flatten(0, 1).float()
    return value.float().reshape(len(value), -1).repeat_interleave(time, 0)
