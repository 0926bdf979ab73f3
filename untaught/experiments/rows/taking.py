"""What is measured of a network: when it has learnt, and at moments while it learns."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from untaught.data.source import Source, open_data
from untaught.data.spec import size_of
from untaught.errors import ConfigError
from untaught.evaluate.evaluate import evaluate, measures
from untaught.evaluate.subject import Subject
from untaught.experiments.paper import Take, Watch
from untaught.training.fit import Record


@dataclass
class Measuring:
    """Measures of one network, each on its own source; sources are opened once."""

    subject: Subject
    """The network on the data that it learns from."""
    opened: dict[Any, Source] = field(default_factory=lambda: {})

    def taken(self, takes: Sequence[Take]) -> dict[str, Any]:
        """Every measure under its key."""
        return {take.key: evaluate(self._subject(take), [take.measure])[take.measure] for take in takes}

    def refuse(self, takes: Sequence[Take]) -> None:
        """Refuse measures that cannot be taken, before anything is trained for them.

        Raises:
            ConfigError: A measure does not apply to the network and its data.
            DataError: A source is missing.
        """
        known = measures()
        for take in takes:
            reason = known[take.measure].applies(self._subject(take))
            if reason is not None:
                raise ConfigError(
                    f"{take.measure} cannot be measured{f' on {take.data}' if take.data else ''}: {reason}"
                )

    def _subject(self, take: Take) -> Subject:
        if take.data is None:
            return replace(self.subject, limit=take.limit)
        where = take.data, take.size
        if where not in self.opened:
            self.opened[where] = open_data(take.data, size=size_of(take.size))
        source = self.opened[where]
        return replace(self.subject, parts=source.parts(), label_names=source.label_names, limit=take.limit)


def watched(
    records: Generator[Record, None, None],
    watch: Watch,
    measuring: Measuring,
    found: list[dict[str, Any]],
    keep: Callable[[list[dict[str, Any]]], None],
) -> Generator[Record, None, None]:
    """Pass records on, and at the moments that are watched add what is measured to `found`, and keep it.

    Moments that `found` has already, from before the training was stopped, are not measured again.

    A moment is met by the first record at or after it, so each measurement says when it was taken. The network is the
    one that learns at that moment, not the best so far. Of several stages the last is watched.
    """
    last = measuring.subject.model.stages()[-1].name
    passed = max((one["epoch" if watch.epochs else "progress"] for one in found), default=-math.inf)
    left = [moment for moment in sorted(watch.epochs or watch.fractions) if moment > passed]
    for record in records:
        now = record.epoch if watch.epochs else record.progress
        if record.stage == last and left and now >= left[0]:
            left = [moment for moment in left if moment > now]
            when = {"epoch": record.epoch, "step": record.step, "progress": record.progress, "seconds": record.seconds}
            found.append({**when, "measures": measuring.taken(watch.takes)})
            keep(found)
        yield record
