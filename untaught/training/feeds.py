"""What one step draws from the data: batches of the main stream, and with each one of every stream beside it.

The main stream counts the epochs. The others begin anew when they are through, so what a step draws is a function
of its number alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from untaught.data.batches import Feed, Ticket
from untaught.data.view import Batch


class Draw(NamedTuple):
    """One batch to be: a ticket of the main stream, and of each beside it."""

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
        main: What epochs count.
        beside: The other streams, by name.
        draws: Batches in one step: the updates of the player that has most.
    """

    main: Feed
    beside: Mapping[str, Feed]
    draws: int = 1

    @property
    def steps(self) -> float:
        """Steps in an epoch."""
        return self.main.steps / self.draws if self.draws > 1 else self.main.steps

    @property
    def resident(self) -> bool:
        """Whether all frames of all streams are on the device."""
        return all(feed.resident for feed in (self.main, *self.beside.values()))

    @property
    def data_bytes(self) -> int:
        """Bytes of the data that are on the device whole."""
        return sum(feed.part.frames.nbytes for feed in (self.main, *self.beside.values()) if feed.resident)

    def steps_from(self, step: int) -> Iterator[tuple[Draw, ...]]:
        """What each step draws, from one on."""
        begin = step * self.draws
        main = self.main.endless(begin)
        beside = {name: feed.endless(begin) for name, feed in self.beside.items()}
        while True:
            yield tuple(
                Draw(next(main), {name: next(tickets) for name, tickets in beside.items()}) for _ in range(self.draws)
            )

    def batch(self, draw: Draw) -> Batch:
        """Cut a draw as it is trained on."""
        batch = self.main.batch(draw.main, training=True)
        if not self.beside:
            return batch
        beside = {name: feed.batch(draw.beside[name], training=True) for name, feed in self.beside.items()}
        return replace(batch, beside=beside)
