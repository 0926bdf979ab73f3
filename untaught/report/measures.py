"""What was evaluated: every number beside its trivial baselines, as bars, tables and curves.

A measure is read by its form, not by its name: `baselines` stand beside its first number (or are tables of several),
`NUMBER_baselines` beside another; a list is a curve, a table of numbers has a row for each of its names.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, cast

from untaught.evaluate.drawing.rollout_lines import some_contexts
from untaught.evaluate.evaluate import measures as known_measures
from untaught.report.charts import Line, lines
from untaught.report.words import MEANINGS, TITLES, lower_is_better, number, sentence, spoken
from untaught.report.words import spread as spread_of

Values = Mapping[str, Any]

AXES = {"accuracy": ("training views of each object", "accuracy on other views, %")}
"""What stands at the axes of a list, where it is not the error of a rollout."""


def measure_section(name: str, measure: Values) -> str:
    """Everything about one measure: its first number as bars, its other numbers in one table, curves."""
    told = [key for key in measure if "baselines" not in key and not key.endswith(("_std", "_std_error"))]
    own = {key: measure[key] for key in told}
    beside = {key: baselines_of(measure, key) for key in own}
    single = [key for key, value in own.items() if isinstance(value, float) and beside[key]]
    parts = [_heading(name)]
    if single and not _nested(measure):
        first = single.pop(0)
        parts.append(_bars(first, own[first], beside[first], measure))
    if single:
        parts.append(_numbers({key: {"model": own[key], **beside[key]} for key in single}))
    for key, value in own.items():
        if isinstance(value, list) and beside[key]:
            parts.append(_curve(key, cast(list[float], value), beside[key]))
        elif key.endswith("_ahead") and beside[key]:
            parts.append(_curves(key, cast(Values, value), beside[key]))
        elif isinstance(value, dict) and beside[key]:
            parts.append(_few(key, value, beside[key]) if _is_few(value) else _table(key, value, beside[key]))
    return "".join([*parts, _counts({key: value for key, value in own.items() if not beside[key]})])


def _nested(measure: Values) -> bool:
    """Whether each baseline has a table of numbers."""
    return all(isinstance(value, dict) for value in measure.get("baselines", {"": None}).values())


def baselines_of(measure: Values, key: str) -> dict[str, Any]:
    """What stands beside one number of a measure, by baseline.

    Example:
        >>> baselines_of({"error": 1.0, "baselines": {"mean": 3.0}}, "error")
        {'mean': 3.0}
        >>> baselines_of({"a": 1.0, "b": 2.0, "baselines": {"mean": {"a": 3.0, "b": 4.0}}}, "b")
        {'mean': 4.0}
    """
    if f"{key}_baselines" in measure:
        return dict(measure[f"{key}_baselines"])
    beside: Values = measure.get("baselines", {})
    nested = {name: value[key] for name, value in beside.items() if isinstance(value, dict) and key in value}
    if nested:
        return nested
    first = next((name for name in measure if "baselines" not in name), None)
    return dict(beside) if key == first else {}


def headline(measures: Values) -> tuple[str, str, str] | None:
    """The first number of the first measure that has one: its value, its name, and what is trivial beside it."""
    for measure in measures.values():
        for key, value in measure.items():
            # The truth itself is the best that there is, and nothing that a model is measured against.
            beside = {n: v for n, v in baselines_of(measure, key).items() if isinstance(v, float) and n != "true_frame"}
            if isinstance(value, float) and beside:
                return number(key, value), spoken(key), _beside(key, beside)
    return None


def _beside(key: str, beside: dict[str, float]) -> str:
    best = (min if lower_is_better(key) else max)(beside, key=lambda name: beside[name])
    first = next(iter(beside))
    told = f"{sentence(first)}: {number(key, beside[first])}"
    if best == first:
        return told + "."
    return f"{told}. The best of the trivial ones, {spoken(best)}: {number(key, beside[best])}."


def _heading(name: str) -> str:
    known = known_measures().get(name)
    told = (inspect.getdoc(known) or "").partition("\n")[0] if known is not None else ""
    return f"<h2>{escape(TITLES.get(name, sentence(name)))}</h2><p>{escape(told)}</p>"


def _meaning(key: str) -> str:
    better = "Lower is better." if lower_is_better(key) else "Higher is better."
    return f'<p class="note">{escape(" ".join([MEANINGS.get(key, ""), better]).strip())}</p>'


def _bars(key: str, value: float, beside: dict[str, Any], measure: Values) -> str:
    """One number as bars from 0, however far below: the model's in the accent colour."""
    spreads = {"model": measure.get(f"{key}_std"), **measure.get("baselines_std", {})}
    every = {"model": value, **beside}
    largest = max(abs(float(v)) for v in every.values() if v is not None) or 1.0
    order = sorted(every, key=lambda name: every[name], reverse=not lower_is_better(key))
    rows = [
        f'<tr class="{"own" if name == "model" else ""}"><td>{escape(spoken(name))}</td>'
        f'<td class="bar"><i style="width:{100 * abs(every[name]) / largest:.2f}%"></i></td>'
        f'<td class="value">{escape(_with_spread(key, every[name], spreads.get(name)))}</td></tr>'
        for name in order
    ]
    return f"<h3>{escape(sentence(key))}</h3>{_meaning(key)}<table>{''.join(rows)}</table>"


def _with_spread(key: str, value: float, spread: Any) -> str:
    return number(key, value) + (f" ± {spread_of(spread)}" if isinstance(spread, float) and spread > 0 else "")


def _table(key: str, values: Values, beside: dict[str, Any]) -> str:
    """A row for each name, however deep it lies, a column for the model and each baseline."""
    columns: dict[str, Values] = {who: dict(_leaves(column)) for who, column in {"model": values, **beside}.items()}
    rows = {name: {who: column.get(name) for who, column in columns.items()} for name in columns["model"]}
    return f"<h3>{escape(sentence(key))}</h3>{_meaning(key)}{_grid({n: (key, row) for n, row in rows.items()})}"


def _leaves(values: Values, before: str = "") -> Iterator[tuple[str, Any]]:
    """Numbers of nested tables and lists under joined names."""
    for name, value in values.items():
        if isinstance(value, list):
            value = {str(place): inner for place, inner in enumerate(cast(list[Any], value), 1)}
        if isinstance(value, dict):
            yield from _leaves(cast(Values, value), f"{before}{spoken(name)} ")
        else:
            yield before + (spoken(name) if before else name), value


def _numbers(rows: Mapping[str, Values]) -> str:
    """Several numbers, a row for each, with what they mean below."""
    meanings = [f"{sentence(key)}: {MEANINGS[key]}" for key in rows if key in MEANINGS]
    told = f'<p class="note">{escape(" ".join(meanings))}</p>' if meanings else ""
    return _grid({key: (key, row) for key, row in rows.items()}) + told


def _grid(rows: Mapping[str, tuple[str, Values]]) -> str:
    """Numbers with a bar under each: from 0 to 1, or to the largest of the row. Each row says what its numbers are."""
    columns = next(iter(rows.values()))[1] if rows else {}
    head = "".join(f'<th class="value">{escape(spoken(name))}</th>' for name in columns)
    cells = {name: "".join(_cell(key, who, row) for who in columns) for name, (key, row) in rows.items()}
    body = "".join(f"<tr><td>{escape(sentence(name))}</td>{some}</tr>" for name, some in cells.items())
    return f'<div class="scroll"><table><tr><th></th>{head}</tr>{body}</table></div>'


def _cell(key: str, who: str, row: Values) -> str:
    largest = max((abs(value) for value in row.values() if isinstance(value, float)), default=1.0)
    value = row.get(who)
    width = 100 * max(0.0, float(value)) / max(1.0, largest) if isinstance(value, float) else 0.0
    own = " own" if who == "model" else ""
    return f'<td class="value{own}">{escape(number(key, value))}<i class="mini" style="width:{width:.1f}%"></i></td>'


def _curve(key: str, values: list[float], beside: dict[str, Any]) -> str:
    """A list as a line, and of baselines that differ in a number only the last."""
    last_of_kind = {name.split("_")[0]: name for name in beside}
    shown = {"model": values, **{name: beside[name] for name in beside if name in last_of_kind.values()}}
    percent = 100 if key == "accuracy" else 1
    series = {spoken(name): Line(range(1, len(y) + 1), [percent * v for v in y]) for name, y in shown.items()}
    chart = lines(series, *AXES.get(key, ("frames ahead", "squared error per frame")))
    return f"<h3>{escape(sentence(key))}</h3>{_meaning(key)}<figure>{chart}</figure>"


def _is_few(values: Values) -> bool:
    return bool(values) and all(isinstance(v, dict) and "accuracy" in v for v in values.values())


def _few(key: str, values: Values, beside: dict[str, Any]) -> str:
    """Accuracy against the number of labels of each class."""
    series: dict[str, Line] = {}
    for name, table in {"model": values, **beside}.items():
        counts = [float(count) for count in table]
        accuracy = [100 * point["accuracy"] for point in table.values()]
        spread = [100 * point.get("accuracy_std", 0.0) for point in table.values()]
        series[spoken(name)] = Line(counts, accuracy, spread, marked=True)
    chart = lines(series, "labelled examples of each class", "accuracy on test examples, %", log_across=True)
    return f"<h3>{escape(sentence(key))}</h3>{_meaning(key)}<figure>{chart}</figure>"


def _counts(values: Values) -> str:
    told = ", ".join(f"{spoken(key)}: {_plain(key, value)}" for key, value in values.items())
    return f'<p class="note">{escape(told)}</p>' if told else ""


def _plain(key: str, value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{spoken(str(name))} {_plain(str(name), inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return " × ".join(_plain(key, inner) for inner in cast(list[Any], value)) or "none"
    return number(key, value)


def _curves(key: str, values: Values, beside: dict[str, Any]) -> str:
    """A line for each context, the longest first; dashed those of the baselines, of a kind only the last."""
    own = {
        f"model, {spoken(name)}": Line(range(1, len(y) + 1), y)
        for name, y in reversed(list(some_contexts(values).items()))
    }
    last_of_kind = {name.split("_")[0]: name for name in beside}.values()
    ends = {name: next(iter(beside[name].values())) for name in last_of_kind}
    trivial = {spoken(name): Line(range(1, len(y) + 1), y, dashed=True) for name, y in ends.items()}
    chart = lines({**own, **trivial}, "frames ahead", sentence(key.removesuffix("_ahead")))
    return f"<h3>{escape(sentence(key))}</h3>{_meaning(key)}<figure>{chart}</figure>"
