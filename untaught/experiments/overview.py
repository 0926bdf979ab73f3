"""All papers on one page: each published number beside the best of ours, and how near that is.

A published number is met where ours is as good or better, in the direction that the column names, or without one where
it differs by at most a hundredth; near where it is within a tenth of the published one; else short. A likelihood whose
annealing runs forwards and backwards differ by more than two nats is not resolved, and a number that was measured on
data that are not the paper's cannot be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from untaught.evaluate.measures.likelihood import APART
from untaught.experiments.cells import Ours, number, ours, published
from untaught.experiments.find import paper_named, paper_names
from untaught.experiments.paper import BUDGETS, Budget, Column, Published, Row, Table
from untaught.experiments.records import Records, results_folder

Verdict = Literal["met", "within 10 %", "short", "not run", "not resolved", "not comparable"]
SAME, NEAR = 0.01, 0.1
"""Parts of the published number."""
HEAD = ("paper", "what", "published", "ours", "", "seeds, budget", "what would close the gap")


@dataclass(frozen=True)
class Headline:
    """A published number and ours."""

    paper: str
    table: Table
    row: Row
    column: Column
    printed: Published
    ours: Ours | None
    """At the largest budget that was run; none where none was."""
    budget: Budget | None
    budgets: frozenset[Budget] = frozenset()
    """Those that the experiment has."""
    backward: Ours | None = None
    """What annealing backwards says, where ours is a likelihood that needs it."""

    @property
    def verdict(self) -> Verdict:
        """How near ours is."""
        if self.ours is None:
            return "not run"
        if not self.row.comparable:
            return "not comparable"
        if self.backward is not None and abs(self.backward.mean - self.ours.mean) > APART:
            return "not resolved"
        return verdict(self.ours.mean, self.printed.value, self.column.better)

    def cells(self) -> tuple[str, ...]:
        """A line of the page."""
        digits, mine = self.column.digits, self.ours
        printed = number(self.printed.value, self.printed.spread, digits) + " *recalled*" * self.printed.recalled
        told = self.paper, f"{self.table.title}: {self.row.label}; {self.column.name}", printed
        if mine is None:
            return *told, "–", self.verdict, "–", self.gap
        # Of one seed the spread is that over test examples, which tells nothing of another training.
        text = number(mine.mean, mine.spread if mine.seeds > 1 else None, digits) + " *stale*" * mine.stale
        return *told, text, self.verdict, f"{mine.seeds}, {self.budget}", self.gap

    @property
    def gap(self) -> str:
        """What would bring ours nearer, where it is not met: what the paper's file says, or a larger budget."""
        if self.verdict in ("met", "not comparable"):
            return ""
        if self.verdict == "not resolved":
            return "more annealing runs or temperatures"
        larger = BUDGETS[BUDGETS.index(self.budget) + 1 :] if self.budget else BUDGETS[1:]
        left = [budget for budget in larger if budget in self.budgets]
        return "; ".join(filter(None, (self.row.gap, f"budget {left[0]} is not run" if left else "")))


def verdict(own: float, printed: float, better: str) -> Verdict:
    """How near a number is to what was published.

    Example:
        >>> verdict(0.64, 0.65, "lower"), verdict(0.70, 0.65, "lower"), verdict(-92.0, -84.6, "higher")
        ('met', 'within 10 %', 'within 10 %')
    """
    behind = {"lower": own - printed, "higher": printed - own}.get(better, abs(own - printed))
    if behind <= (0 if better else SAME * abs(printed)):
        return "met"
    return "within 10 %" if behind <= NEAR * abs(printed) else "short"


def headlines(records: Records) -> Iterator[Headline]:
    """Published numbers of a paper that ours are to stand beside; those of baselines are left to its own page."""
    for table in records.paper.tables:
        for row in table.rows:
            for place, column in enumerate(table.columns):
                printed = published(row, place)
                if printed is not None and row.places and row.places[place] and "baselines." not in row.places[place]:
                    budget, mine = _best(records, row, place)
                    has = frozenset(records.paper.experiments[row.experiment])
                    back = _backward(records, row, place, budget)
                    yield Headline(records.name, table, row, column, printed, mine, budget, has, back)


def _backward(records: Records, row: Row, place: int, budget: Budget | None) -> Ours | None:
    """The same by annealing backwards, where a record has that."""
    if budget is None or not row.places[place].endswith("log_likelihood_nats"):
        return None
    found = ours(records, replace(row, places=(f"{row.places[place]}_backward",)), 0, budget)
    return found if isinstance(found, Ours) else None


def _best(records: Records, row: Row, column: int) -> tuple[Budget | None, Ours | None]:
    """Ours at the largest budget that was run."""
    for budget in reversed(BUDGETS[1:]):
        found = ours(records, row, column, budget)
        if isinstance(found, Ours):
            return budget, found
    return None, None


def overview(results: Path | None = None) -> Sequence[Headline]:
    """Every paper's headlines."""
    folder = results or results_folder()
    several = [Records(name, paper_named(name), folder / name) for name in paper_names()]
    return [found for records in several for found in headlines(records)]
