"""What one step draws from the data: batches of the main stream, each with a batch of every further stream.

Epochs count passes over the main stream. The others start again when they are exhausted, so what a step draws depends
only on its number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from untaught.data.batches import Feed, Ticket
from untaught.data.view import Batch


class Draw(NamedTuple):
    """One batch before it is gathered: a ticket of the main stream and of each further stream."""

    main: Ticket
    beside: Mapping[str, Ticket]

    def __len__(self) -> int:
        """Examples of the main stream."""
        return len(self.main.starts)

    def first(self, count: int) -> Draw:
        """The draw with the first examples of each stream."""
        return Draw(self.main.first(count), {name: ticket.first(count) for name, ticket in self.beside.items()})


@dataclass(frozen=True)
class Feeds:
    """The streams of one stage.

    Attributes:
        main: The stream whose passes are epochs.
        beside: The other streams, by name.
        draws: Batches in one step: the largest number of updates of any player.
    """

    main: Feed
    beside: Mapping[str, Feed]
    draws: int = 1

    @property
    def steps(self) -> float:
        """Steps in an epoch."""
        return self.main.steps / self.draws

    @property
    def resident(self) -> bool:
        """Whether all frames of all streams are on the device."""
        return all(feed.resident for feed in (self.main, *self.beside.values()))

    @property
    def data_bytes(self) -> int:
        """Bytes of the data sets that are completely on the device."""
        return sum(feed.part.frames.nbytes for feed in (self.main, *self.beside.values()) if feed.resident)

    def steps_from(self, step: int) -> Iterator[tuple[Draw, ...]]:
        """What each step draws, beginning with the given one."""
        begin = step * self.draws
        main = self.main.endless(begin)
        beside = {name: feed.endless(begin) for name, feed in self.beside.items()}
        while True:
            yield tuple(
                Draw(next(main), {name: next(tickets) for name, tickets in beside.items()}) for _ in range(self.draws)
            )

    def batch(self, draw: Draw) -> Batch:
        """Make the training batch of a draw."""
        batch = self.main.batch(draw.main, training=True)
        if not self.beside:
            return batch
        beside = {name: feed.batch(draw.beside[name], training=True) for name, feed in self.beside.items()}
        return replace(batch, beside=beside)
