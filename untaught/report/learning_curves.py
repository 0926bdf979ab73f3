"""How the loss fell: every part of every stage, on training and on held-out data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, cast

from untaught.report.charts import Line, lines
from untaught.report.words import sentence, spoken

Record = Mapping[str, Any]
KINDS = ("held_out", "losses")
TOTAL = "loss"
"""The number that is minimised; on held-out data it is called total."""
MOST = 8
"""Charts at most; a model with more parts shows the first."""


def training_section(records: Sequence[Record]) -> str:
    """A chart for each part of the loss."""
    charts = [chart for stage in _stages(records) for chart in _charts(stage, len(_stages(records)) > 1)]
    if not charts:
        return ""
    told = "Each part of the loss against time: on training examples since the point before, and on held-out ones."
    return f'<h2>Training</h2><p class="note">{told}</p><div class="charts">{"".join(charts[:MOST])}</div>'


def _stages(records: Sequence[Record]) -> list[list[Record]]:
    names = dict.fromkeys(str(record.get("stage", "")) for record in records)
    return [[record for record in records if str(record.get("stage", "")) == name] for name in names]


def _charts(stage: Sequence[Record], several: bool) -> list[str]:
    minutes = max((float(record.get("seconds", 0)) for record in stage), default=0) > 180
    across = "minutes of training" if minutes else "seconds of training"
    found: list[str] = []
    for part in _parts(stage):
        series = {
            name: line
            for name, kind, dashed in (("held-out data", "held_out", False), ("training data", "losses", True))
            if len((line := _line(stage, kind, part, 60 if minutes else 1, dashed)).x) > 1
        }
        if series:
            told = sentence(spoken(part))
            named = f"{told}, stage {stage[0].get('stage')}" if several else told
            found.append(f"<figure><h3>{escape(named)}</h3>{lines(series, across, spoken(part))}</figure>")
    return found


def _parts(stage: Sequence[Record]) -> list[str]:
    """Names of the loss's parts; the total only where it is none of them."""
    names = list(dict.fromkeys(name for record in stage for kind in KINDS for name in _of(record, kind)))
    parts = [name for name in names if name != TOTAL]
    return parts if any(_equal(stage, name) for name in parts) else names


def _equal(stage: Sequence[Record], name: str) -> bool:
    """Whether a part is the total, in every record."""
    values = [_of(record, kind) for record in stage for kind in KINDS]
    pairs = [(some.get(name), some[TOTAL]) for some in values if TOTAL in some]
    return all(a is not None and abs(a - b) <= 1e-4 * max(abs(a), abs(b)) for a, b in pairs)


def _line(stage: Sequence[Record], kind: str, part: str, unit: float, dashed: bool) -> Line:
    points = [(float(r.get("seconds", 0)) / unit, _of(r, kind)[part]) for r in stage if part in _of(r, kind)]
    return Line([x for x, _ in points], [y for _, y in points], dashed=dashed)


def _of(record: Record, kind: str) -> dict[str, float]:
    values = record.get(kind)
    named = cast(dict[str, Any], values) if isinstance(values, dict) else {}
    return {TOTAL if name == "total" else name: float(value) for name, value in named.items() if value is not None}
