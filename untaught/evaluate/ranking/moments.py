"""Every example of a source with its score, and the most and least unusual ones; of video, moments that are apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from untaught.data.origin import Place, clock
from untaught.data.part import Part
from untaught.evaluate.ranking.improbable import Kind, Scored, scores
from untaught.evaluate.subject import Subject
from untaught.shapes import PerExample

SECONDS, FRAMES = 1.0, 10
"""Two moments of one clip that are named lie at least this far apart; frames where no time is known."""


@dataclass(frozen=True)
class Ranked:
    """Scores of every example of a source, in its order."""

    kind: Kind
    names: Sequence[str]
    """Of the parts."""
    parts: Sequence[Part]
    part: Tensor
    """Number of each example's part, int64 `(example,)`."""
    frame: Tensor
    """Number of each example's frame in its part, int64 `(example,)`."""
    score: PerExample
    label: Tensor
    """Class of each example, -1 where absent, int64 `(example,)`."""
    seen: Tensor
    """Whether an example was trained on, bool `(example,)`."""
    usual: Sequence[Tensor | None]
    """Of each part the usual error of each place, of scores by prediction."""

    def __len__(self) -> int:
        """How many examples were judged."""
        return len(self.score)

    def place(self, number: int) -> Place:
        """Where an example comes from."""
        return self.parts[int(self.part[number])].place_of(int(self.frame[number]))

    def name(self, number: int) -> str:
        """A file, with the time in video, or a row, with the part where the source has several."""
        place = self.place(number)
        several = place.file is None and len(self.parts) > 1
        return f"{self.names[int(self.part[number])]} {place}" if several else str(place)

    def short_name(self, number: int) -> str:
        """The same for a picture: a file without its folder, and of a single video the time alone."""
        place = self.place(number)
        if place.file is None:
            return self.name(number)
        origin = self.parts[int(self.part[number])].origin
        if place.seconds is not None and origin is not None and len(origin.files) == 1:
            return clock(place.seconds)
        return str(replace(place, file=Path(place.file).name))

    def most(self, count: int) -> list[int]:
        """Numbers of the most unusual examples, the first foremost; equal scores in the source's order."""
        return self._first(self.score.argsort(descending=True, stable=True), count)

    def least(self, count: int) -> list[int]:
        """Numbers of the least unusual examples, the least foremost."""
        return self._first(self.score.argsort(stable=True), count)

    def ends(self, count: int) -> tuple[list[int], list[int]]:
        """The most and the least unusual, none of them both, and of video no moment twice."""
        most = self.most(count)
        return most, self._first(self.score.argsort(stable=True), count, most)

    def _first(self, order: Tensor, count: int, besides: Sequence[int] = ()) -> list[int]:
        found: list[int] = []
        for number in order.tolist():
            if len(found) == count:
                break
            if not self._near_any(number, [*besides, *found]):
                found.append(number)
        return found

    def _near_any(self, number: int, others: Sequence[int]) -> bool:
        return number in others or any(self._near(number, other) for other in others)

    def _near(self, one: int, other: int) -> bool:
        """Whether two frames are of one moment."""
        if not self.parts[int(self.part[one])].is_video or self.part[one] != self.part[other]:
            return False
        first, second = self.place(one), self.place(other)
        if (first.file, first.row) != (second.file, second.row):
            return False
        if first.seconds is not None and second.seconds is not None:
            return abs(first.seconds - second.seconds) < SECONDS
        return abs(int(self.frame[one]) - int(self.frame[other])) < FRAMES


def rank(subject: Subject, parts: dict[str, Part], kind: Kind, trained_on: Part | None = None) -> Ranked:
    """Score every example of some parts.

    Args:
        subject: The model.
        parts: By name.
        kind: Of the score.
        trained_on: Of these parts what the model has seen, with frames of the first of them; none where nothing is.
    """
    found = [scores(subject, part, kind) for part in parts.values()]
    label = [part.label[one.frame] for part, one in zip(parts.values(), found, strict=True)]
    return Ranked(
        kind,
        tuple(parts),
        tuple(parts.values()),
        torch.cat([torch.full_like(one.frame, number) for number, one in enumerate(found)]),
        torch.cat([one.frame for one in found]),
        torch.cat([one.score for one in found]),
        torch.cat(label),
        torch.cat([_seen(one, trained_on if number == 0 else None) for number, one in enumerate(found)]),
        [one.usual for one in found],
    )


def _seen(found: Scored, trained_on: Part | None) -> Tensor:
    if trained_on is None:
        return torch.zeros(len(found.frame), dtype=torch.bool)
    return torch.isin(found.frame, frames_of(trained_on))


def frames_of(part: Part) -> Tensor:
    """Numbers of the frames that belong to the clips of a part."""
    spans: Iterable[tuple[int, int]] = zip(part.first.tolist(), part.length.tolist(), strict=True)
    return torch.cat([torch.arange(0), *(torch.arange(first, first + length) for first, length in spans)])
