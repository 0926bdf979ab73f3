"""What was evaluated: every number beside its trivial baselines, as bars, tables and curves.

A quantity's fields decide how it is shown: the main one as bars, other numbers in one table. A quantity with an axis
has a table of its own, or curves where the axis counts something. Those without baselines are in a line below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, TypeAlias

from untaught.evaluate.baselines.names import full, largest
from untaught.evaluate.evaluate import measures as known_measures
from untaught.evaluate.quantity import MODEL, Axis, Measured, Quantity, plain
from untaught.evaluate.wording import worded
from untaught.report.charts import Line, lines
from untaught.report.words import sentence

Stored: TypeAlias = Mapping[str, Any]
"""A measure as JSON."""
Row: TypeAlias = tuple[str, Quantity, Mapping[str, Measured]]
"""What it is called, what it is, and the numbers of the model and of its baselines."""
FEW_FACTS = 5
"""Facts without baselines in one line; more of them are folded away."""
BETTER = {"lower": "Lower is better.", "higher": "Higher is better."}


def measure_section(name: str, stored: Stored, vectors: bool = False) -> str:
    """Everything about one measure; of one that this version does not know, names and numbers alone.

    Args:
        name: The measure.
        stored: What it gave, as JSON.
        vectors: Whether examples are rows of numbers and not pictures.
    """
    measure = known_measures().get(name)
    if measure is None:
        unknown = [Quantity(key, value) for key, value in stored.items()]
        return f"<h2>{escape(sentence(plain(name)))}</h2>{_facts(unknown)}"
    found = measure.read(stored)
    given, doubt = list(found.values()), measure.caution(found)
    compared = [one for one in given if one.baselines]
    numbers = [one for one in compared if one.axis is None]
    parts = [f"<h2>{escape(measure.title)}</h2><p>{escape(measure.meaning)}</p>"]
    parts += [f'<p class="caution">{escape(doubt)}</p>'] if doubt else []
    if numbers and not measure.together:
        parts.append(_bars(numbers.pop(0)))
    if numbers:
        parts += [_grid([(sentence(one.heading), one, one.all) for one in numbers]), _meanings(numbers)]
    parts += [_chart(one) if one.axis.across else _table(one) for one in compared if one.axis is not None]
    return worded("".join([*parts, _facts([one for one in given if not one.baselines])]), vectors)


def headline(measures: Mapping[str, Stored]) -> tuple[str, str, str] | None:
    """The main number of the first measure whose main quantity is one: its value, its name, and what is trivial."""
    known = known_measures()
    for name, stored in measures.items():
        if name in known:
            main = known[name].read(stored).get(known[name].quantities[0].name)
            if main is not None and isinstance(main.value, float) and main.better and main.baselines:
                return main.text(main.value), main.heading, _beside(main)
    return None


def _beside(main: Quantity) -> str:
    values = {name: one.value for name, one in main.baselines.items()}
    best = (min if main.better == "lower" else max)(values, key=lambda name: values[name])
    first = next(iter(values))
    told = f"{sentence(full(first))}: {main.text(values[first])}."
    return told if best == first else f"{told} The best of the trivial ones, {full(best)}: {main.text(values[best])}."


def _heading(quantity: Quantity) -> str:
    told = " ".join(part for part in (quantity.meaning, BETTER.get(quantity.better, "")) if part)
    return f"<h3>{escape(sentence(quantity.heading))}</h3>" + (f'<p class="note">{escape(told)}</p>' if told else "")


def _meanings(quantities: Sequence[Quantity]) -> str:
    """What several numbers mean, each told by its name."""
    told = [f"{sentence(one.heading)}: {one.meaning} {BETTER.get(one.better, '')}".strip() for one in quantities]
    told = [text for text, one in zip(told, quantities, strict=True) if one.meaning]
    return f'<p class="note">{escape(" ".join(told))}</p>' if told else ""


def _bars(quantity: Quantity) -> str:
    """One number as bars from 0, however far below: the best first, the model's in the accent colour."""
    largest_value = max(abs(one.value) for one in quantity.all.values()) or 1.0
    order = sorted(quantity.all.items(), key=lambda pair: pair[1].value, reverse=quantity.better == "higher")
    rows = [
        f'<tr class="{"own" if name == MODEL else ""}"><td>{escape(full(name))}</td>'
        f'<td class="bar"><i style="width:{100 * abs(one.value) / largest_value:.2f}%"></i></td>'
        f'<td class="value">{escape(quantity.text(one.value, one.spread))}</td></tr>'
        for name, one in order
    ]
    return f"{_heading(quantity)}<table>{''.join(rows)}</table>"


def _table(quantity: Quantity) -> str:
    """A row for each entry, a column for the model and each baseline."""
    return _heading(quantity) + _grid([(quantity.entry(path), quantity, row) for path, row in quantity.rows().items()])


def _grid(rows: Sequence[Row]) -> str:
    """Numbers with a bar under each, as long as they are far from 0: a full one is 1, or the farthest of the row."""
    columns = dict.fromkeys(name for _, _, row in rows for name in row)
    head = "".join(f'<th class="value">{escape(full(name))}</th>' for name in columns)
    body = "".join(
        f"<tr><td>{escape(told)}</td>{''.join(_cell(quantity, name, row) for name in columns)}</tr>"
        for told, quantity, row in rows
    )
    return f'<div class="scroll"><table><tr><th></th>{head}</tr>{body}</table></div>'


def _cell(quantity: Quantity, name: str, row: Mapping[str, Measured]) -> str:
    one = row.get(name, Measured(None))
    widest = max(1.0, *(abs(other.value) for other in row.values()))
    width = 0.0 if one.value is None else 100 * abs(float(one.value)) / widest
    own = " own" if name == MODEL else ""
    told = escape(quantity.text(one.value, one.spread))
    return f'<td class="value{own}">{told}<i class="mini" style="width:{width:.1f}%"></i></td>'


def _chart(quantity: Quantity) -> str:
    """Curves of the model and of its baselines, of those in several sizes the last; of several curves each a line."""
    axis, others = quantity.axis or Axis(), {name: quantity.baselines[name] for name in largest([*quantity.baselines])}
    if isinstance(quantity.value, dict) and any(isinstance(one, list) for one in quantity.value.values()):
        own = reversed(axis.drawn(quantity.value).items())
        series = {f"model, {axis.entry(name)}": _line(quantity, Measured(curve)) for name, curve in own}
        ends = {name: Measured(next(iter(one.value.values()))) for name, one in others.items()}
        series |= {full(name): _line(quantity, one, dashed=True) for name, one in ends.items()}
    else:
        every = {MODEL: quantity.all[MODEL], **others}
        series = {full(name): _line(quantity, one) for name, one in every.items()}
    return f"{_heading(quantity)}<figure>{lines(series, axis.across, axis.up, log_across=axis.log)}</figure>"


def _line(quantity: Quantity, one: Measured, dashed: bool = False) -> Line:
    """A list as heights over 1, 2, 3, ...; a table as heights over its names, which are numbers."""
    scale = 100 if quantity.unit == "%" else 1
    table = isinstance(one.value, dict)
    across = [float(name) for name in one.value] if table else range(1, len(one.value) + 1)
    heights, spread = ([*some.values()] if isinstance(some, dict) else some for some in (one.value, one.spread))
    scaled = None if spread is None else [scale * value for value in spread]
    return Line(across, [scale * value for value in heights], scaled, dashed, marked=table)


def _facts(quantities: Sequence[Quantity]) -> str:
    told = [f"{one.heading}: {one.text(one.value, one.spread)}" for one in quantities]
    if len(told) <= FEW_FACTS:
        return f'<p class="note">{escape("; ".join(told))}</p>' if told else ""
    rows = "".join(f"<li>{escape(one)}</li>" for one in told)
    return f"<details><summary>How it was measured</summary><ul>{rows}</ul></details>"
