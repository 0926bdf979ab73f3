"""Batches of a part: gathered on the device, or read ahead from disk.

An epoch's order is a function of seed and epoch alone, so a training that is resumed sees what it would have
seen. A window of video begins at a random frame; a clip of n frames gives n / window of them in an epoch. Of a picture
that is cut into patches an epoch has as many as would cover it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from untaught.data.part import Part
from untaught.data.view import Batch, Statistics, View, cut, patches
from untaught.errors import DataError
from untaught.randomness import seeded

AHEAD = 3
"""Batches read ahead from disk while one is trained on."""


def window(part: Part, view: View) -> int | None:
    """Frames in one example: the view's, or the longest clip's where that is shorter; none for single frames."""
    if view.frames is None:
        return None
    if not part.is_video:
        raise DataError(
            "the model needs video, and this source has single pictures; give a video, an array (n, t, c, h, w), or "
            "numbered pictures with the option ?video=true"
        )
    return min(view.frames, int(part.length.max()))


def epoch_order(part: Part, view: View, seed: int, epoch: int) -> Tensor:
    """First frame of every example of one epoch, shuffled, int64 `(example,)`."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)
    frames = window(part, view)
    if frames is None:
        starts = _every_frame(part).repeat(patches_of(part, view))
    else:
        chosen = (part.length >= frames).nonzero()[:, 0]
        clip = chosen.repeat_interleave(part.length[chosen] // frames)
        room = part.length[clip] - frames + 1
        starts = part.first[clip] + (torch.rand(len(clip), generator=generator, dtype=torch.float64) * room).long()
    return starts[torch.randperm(len(starts), generator=generator)]


def fixed_order(part: Part, view: View, limit: int | None) -> Tensor:
    """First frame of at most `limit` evenly spaced examples, in the source's order; windows do not overlap."""
    frames = window(part, view)
    if frames is None:
        starts = _every_frame(part).repeat_interleave(patches_of(part, view))
    else:
        count = part.length // frames
        clip = torch.arange(len(part)).repeat_interleave(count)
        within = torch.arange(len(clip)) - (count.cumsum(0) - count)[clip]
        starts = part.first[clip] + within * frames
    if limit is None or limit >= len(starts):
        return starts
    return starts[torch.linspace(0, len(starts) - 1, limit).round().long()]


def patches_of(part: Part, view: View) -> int:
    """Patches of one picture in an epoch: as many as lie side by side in it; one where pictures are whole.

    Example:
        >>> patches_of(Part.of(torch.zeros(5, 1, 9, 8)), View(patch=4))
        4
    """
    if view.patch is None or view.frames is not None or len(part.shape) != 3:
        return 1
    return max(1, (part.shape[1] // view.patch) * (part.shape[2] // view.patch))


def _every_frame(part: Part) -> Tensor:
    before = part.length.cumsum(0) - part.length
    return (part.first - before).repeat_interleave(part.length) + torch.arange(int(part.length.sum()))


class Ticket(NamedTuple):
    """What becomes a batch: the first frame of each example, and the frames where they are read from disk."""

    starts: Tensor
    raw: Tensor | None = None

    def first(self, count: int) -> Ticket:
        """The ticket of its first examples."""
        return Ticket(self.starts[:count], None if self.raw is None else self.raw[:count])


@dataclass(frozen=True)
class Feed:
    """Batches of one part as one learner sees them.

    Attributes:
        sees: Turns examples into what the learner is shown, such as the features of a stage below.
        device: Where batches are made. Frames in memory that were put there are gathered there.
        rank: Which of `ranks` processes this is; each takes its share of every batch.
        target: Turns examples, before `sees`, into what is to be given back; none asks for what is shown.
    """

    part: Part
    view: View
    statistics: Statistics | None
    sees: Callable[[Tensor], Tensor] | None
    device: torch.device
    batch_size: int
    seed: int
    rank: int = 0
    ranks: int = 1
    target: Callable[[Tensor], Tensor] | None = None

    def __post_init__(self) -> None:
        if self.batch_size < self.ranks:
            raise DataError(f"a batch of {self.batch_size} cannot be shared by {self.ranks} processes")

    @property
    def resident(self) -> bool:
        """Whether all frames are on the device, so that a batch is one gather."""
        tensor = self.part.frames.in_memory
        return tensor is not None and tensor.device.type == self.device.type

    @property
    def examples(self) -> int:
        """Examples in an epoch."""
        frames = window(self.part, self.view)
        count = int((self.part.length if frames is None else self.part.length // frames).sum())
        return count * patches_of(self.part, self.view)

    @property
    def drawn(self) -> bool:
        """Whether an example is a piece of something larger, drawn at random."""
        return self.view.patch is not None or self.view.frames is not None

    @property
    def steps(self) -> int:
        """Steps in an epoch; the short last batch counts, unless it cannot be shared by all processes."""
        whole, rest = divmod(self.examples, self.batch_size)
        return whole + (rest >= self.ranks)

    def endless(self, begin: int = 0) -> Iterator[Ticket]:
        """Tickets from the batch of that number on, epoch after epoch."""
        epoch, skip = divmod(begin, self.steps)
        while True:
            yield from self.tickets(epoch, skip)
            epoch, skip = epoch + 1, 0

    def tickets(self, epoch: int, skip: int = 0) -> Iterator[Ticket]:
        """Yield what `batch` turns into the batches of one epoch."""
        order = epoch_order(self.part, self.view, self.seed, epoch)
        shares = (self._share(rows) for rows in order.split(self.batch_size)[skip : self.steps])
        if self.resident:
            for share in shares:
                yield Ticket(share.to(self.device, non_blocking=True))
        else:
            yield from self._ahead(shares)

    def batch(self, ticket: Ticket, training: bool) -> Batch:
        """Cut the examples of a ticket; everything happens on the device."""
        starts, raw = ticket
        tensor, view = self.part.frames.in_memory, self.view
        if raw is None and view.patch is not None and tensor is not None:
            # Of large pictures only the patches are gathered.
            raw, view = patches(tensor, self._index(starts), view.patch), replace(view, patch=None)
        elif raw is None:
            raw = self.part.frames.read(self._index(starts))
        x = cut(raw, view, self.statistics, training)
        target = None
        with torch.no_grad():
            if self.target is not None:
                target = self.target(x)
            if self.sees is not None:
                x = self.sees(x)
        latents = {name: self._described(value, starts) for name, value in self.part.latents.items()}
        return Batch(x, self._described(self.part.label, starts, first=True), latents, target=target)

    def _share(self, rows: Tensor) -> Tensor:
        each = len(rows) // self.ranks
        return rows[self.rank * each : (self.rank + 1) * each]

    def _index(self, starts: Tensor) -> Tensor:
        frames = window(self.part, self.view)
        return starts if frames is None else starts[:, None] + torch.arange(frames, device=starts.device)

    def _described(self, value: Tensor, starts: Tensor, first: bool = False) -> Tensor:
        index = starts if first else self._index(starts)
        return value[index.to(value.device)].to(self.device, non_blocking=True)

    def _ahead(self, shares: Iterator[Tensor]) -> Iterator[Ticket]:
        """Read frames in threads: decoding video and images releases the interpreter."""
        with ThreadPoolExecutor(AHEAD) as readers:
            waiting = [readers.submit(self._read, share) for _, share in zip(range(AHEAD), shares, strict=False)]
            while waiting:
                ready = waiting.pop(0).result()
                following = next(shares, None)
                if following is not None:
                    waiting.append(readers.submit(self._read, following))
                yield ready

    def _read(self, starts: Tensor) -> Ticket:
        raw = self.part.frames.read(self._index(starts))
        if self.device.type == "cuda":
            raw = raw.pin_memory()
        return Ticket(starts.to(self.device, non_blocking=True), raw.to(self.device, non_blocking=True))


def fixed_batches(feed: Feed, limit: int | None) -> Iterator[Batch]:
    """Batches of evenly spaced examples without augmentation; the same every time under the same seed."""
    yield from _batches(feed, fixed_order(feed.part, feed.view, limit))


def drawn_batches(feed: Feed, limit: int, passes: int) -> Iterator[Batch]:
    """The same, but where windows or patches are drawn from few frames, as many draws as `limit` and `passes` allow.

    One window of one patch says little about a clip; a picture that is seen whole says all at once.
    """
    if not feed.drawn or feed.examples >= limit:
        yield from fixed_batches(feed, limit)
        return
    orders = [epoch_order(feed.part, feed.view, feed.seed, number) for number in range(passes)]
    yield from _batches(feed, torch.cat(orders)[:limit])


def _batches(feed: Feed, order: Tensor) -> Iterator[Batch]:
    for starts in order.split(feed.batch_size):
        ticket = Ticket(starts.to(feed.device)) if feed.resident else feed._read(starts)
        yield feed.batch(ticket, training=False)


def collect(
    part: Part,
    view: View,
    statistics: Statistics | None,
    limit: int | None = None,
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> Batch:
    """At most `limit` evenly spaced examples of a part in one batch, as a model sees them."""
    feed = Feed(part, view, statistics, None, torch.device(device), 256, seed)
    with seeded(seed, feed.device):
        batches = list(fixed_batches(feed, limit))
    latents = {name: torch.cat([batch.latents[name] for batch in batches]) for name in part.latents}
    return Batch(torch.cat([batch.x for batch in batches]), torch.cat([batch.label for batch in batches]), latents)
