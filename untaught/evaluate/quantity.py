"""A quantity that a measure gives: a number, a table or a curve, with its spread, baselines and description.

A measure declares its quantities without values and fills them in when it is taken:

    ERROR = Quantity("squared_error_per_frame", better="lower", spread_is="std", meaning="...")
    ERROR.of(2.0, 0.4, baselines={"previous_frame": 11.8})

A count, or a mean activation, is neither good nor bad: `better` is empty, and no direction is printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any, Literal, TypeAlias, cast

Path: TypeAlias = tuple[str, ...]
"""Names that lead to one number of a table or curve; of a single number none."""
TOLD_APART = 4
"""Curves of one quantity in one chart at most, where the quantity says which."""
LISTED = 12
"""Numbers of a list that are written out at most."""
MODEL = "model"
"""What the model is called among its baselines."""


def plain(*path: str) -> str:
    """Names without their underscores."""
    return " ".join(path).replace("_", " ")


def quoted(name: str) -> str:
    """A name that people gave, set apart from the words around it."""
    return f"“{name}”"


@dataclass(frozen=True)
class Axis:
    """What the entries of a table, or the points of a curve, are."""

    across: str = ""
    """What a chart counts from left to right; a table has none."""
    up: str = ""
    """What its heights are."""
    log: bool = False
    """Whether the chart's horizontal axis is logarithmic."""
    entry: Callable[..., str] = plain
    """An entry as people call it, of the names that lead to it."""
    label: str = "{}"
    """An entry outside of its table, "R² of {}"."""
    few: tuple[str, ...] = ()
    """Of several curves those that are drawn where there are more than can be told apart."""

    def drawn(self, curves: Mapping[str, Any]) -> dict[str, Any]:
        """All curves, or a few of them.

        Example:
            >>> list(Axis(few=("context_1", "context_5")).drawn({f"context_{n}": [] for n in range(1, 6)}))
            ['context_1', 'context_5']
        """
        few = {name: curve for name, curve in curves.items() if name in self.few}
        return few if few and len(curves) > TOLD_APART else dict(curves)


@dataclass(frozen=True)
class Lead:
    """How far the model is ahead of a baseline on the same examples, one by one."""

    error: float
    """Standard error of the mean difference, in the unit of the quantity."""
    share: float
    """Part of the examples on which the model is the better of the two."""
    examples: int
    """On how many they were compared."""


@dataclass(frozen=True)
class Measured:
    """A value and its spread: a number each, or tables or lists of one form."""

    value: Any
    spread: Any = None
    lead: Lead | None = field(default=None, repr=False, compare=False)
    """Of a baseline that was compared with the model example by example; it is no part of the JSON."""


@dataclass(frozen=True)
class Quantity:
    """One quantity: what it is, and once it is measured, its value."""

    name: str
    """The key in the JSON."""
    value: Any = None
    """A number, a text, a list, or a table of these by name."""
    spread: Any = None
    """In the form of the value."""
    baselines: Mapping[str, Measured] = field(default_factory=dict[str, Measured])
    """Values of the baselines, by name."""
    title: str = ""
    """Its name in tables and charts; where it is empty, `name` without underscores."""
    meaning: str = ""
    """A sentence for a reader who sees the number for the first time."""
    spoken: str = ""
    """As the subject of a sentence, "the next frame's squared error"; where it is empty, "the" and the title."""
    unit: str = ""
    """Written behind the title; of "%" values are fractions, and each is written in per cent."""
    better: Literal["lower", "higher", ""] = ""
    """Which way is better; empty where neither is."""
    digits: int | None = None
    """Digits behind the decimal point; none writes three significant ones."""
    absent: str = "–"
    """What is written in place of no value."""
    axis: Axis | None = None
    """Of tables and curves."""
    spread_is: Literal["std", "std_error", ""] = ""
    """Whether the spread is a standard deviation or a standard error; the ending of its key in the JSON."""
    points: str = ""
    """Where every entry has a spread of its own: the entry's key in the JSON, "accuracy" beside "accuracy_std"."""

    def of(self, value: Any, spread: Any = None, baselines: Mapping[str, Any] | None = None) -> Quantity:
        """The quantity with what was measured; a baseline without a spread may be its value alone."""
        others = {name: _measured(one) for name, one in (baselines or {}).items()}
        return replace(self, value=value, spread=spread, baselines=others)

    @property
    def all(self) -> dict[str, Measured]:
        """The model's own value, and those of the baselines."""
        return {MODEL: Measured(self.value, self.spread), **self.baselines}

    @property
    def heading(self) -> str:
        """The title and the unit."""
        unit = f", {self.unit}" if self.unit not in ("", "%") else ""
        return (self.title or plain(self.name)) + unit

    def entry(self, path: Path) -> str:
        """An entry inside of its table."""
        return (self.axis or Axis()).entry(*path)

    def label(self, path: Path) -> str:
        """One number where it stands without a heading.

        Example:
            >>> Quantity("r2", axis=Axis(label="R² of {}")).label(("first_angle",)), Quantity("r2").label(())
            ('R² of first angle', 'r2')
        """
        return self.axis.label.format(self.entry(path)) if path and self.axis else plain(self.name, *path)

    def rows(self, places: Callable[[int], Iterable[int]] = range) -> dict[Path, dict[str, Measured]]:
        """Every number of the model's table or curve, beside it the same number of each baseline that has it.

        What has no axis is one row.

        Args:
            places: Which numbers are taken of a list, by its length.
        """
        if self.axis is None:
            return {(): self.all}
        found: dict[Path, dict[str, Measured]] = {path: {} for path in _leaves(self.value, places)}
        for name, one in self.all.items():
            spreads = _leaves(one.spread, places)
            for path, value in _leaves(one.value, places).items():
                if path in found:
                    found[path][name] = Measured(value, spreads.get(path))
        return found

    def text(self, value: Any, spread: Any = None) -> str:
        """A value as it is written, with its spread where it has one.

        Example:
            >>> Quantity("accuracy", unit="%").text(0.9123, 0.004), Quantity("r2", digits=2).text(0.5)
            ('91.2 ± 0.4 %', '0.50')
            >>> Quantity("error").text(11.8437, 0.25), Quantity("clips").text(4950), Quantity("shape").text([1, 8, 8])
            ('11.8 ± 0.25', '4,950', '1, 8, 8')
        """
        if isinstance(value, Mapping):
            pairs = cast(Mapping[str, Any], value).items()
            return ", ".join(f"{self.entry((name,))} {self.text(inner)}" for name, inner in pairs)
        if isinstance(value, list):
            some = cast(list[Any], value)
            return ", ".join(map(self.text, some)) if 0 < len(some) <= LISTED else f"{len(some)} numbers"
        if isinstance(value, bool) or not isinstance(value, Real):
            return self.absent if value is None else str(value)
        return self._number(value, spread if isinstance(spread, Real) and float(spread) > 0 else None)

    def _number(self, value: Real, spread: Real | None) -> str:
        if isinstance(value, int):
            return f"{value:,}"
        if self.unit == "%":
            return f"{100 * float(value):.1f}" + ("" if spread is None else f" ± {100 * float(spread):.1f}") + " %"
        digits = self.digits
        told = significant(float(value)) if digits is None else f"{round(float(value), digits) + 0:.{digits}f}"
        return told + ("" if spread is None else f" ± {float(spread):.2g}")  # + 0 turns -0.0 into 0.0


def significant(value: float) -> str:
    """A number with three significant digits, without decimals from 1000 on.

    Example:
        >>> significant(11.8437), significant(12345.6), significant(1e-9)
        ('11.8', '12,346', '0')
    """
    size = abs(value)
    if size < 1e-6:
        return "0"
    return f"{value:,.0f}" if size >= 1000 else f"{value:.3g}"


def beside(quantities: Iterable[Quantity], found: Mapping[str, Mapping[str, Any]]) -> list[Quantity]:
    """Quantities filled in from tables by name: the model's own, and one of each baseline.

    What the model's table lacks is left out.

    Example:
        >>> beside([Quantity("error"), Quantity("spare")], {"model": {"error": 2.0}, "mean": {"error": 3.0}})[0].rows()
        {(): {'model': Measured(value=2.0, spread=None), 'mean': Measured(value=3.0, spread=None)}}
    """
    filled: list[Quantity] = []
    for one in quantities:
        of = {name: _measured(table[one.name]) for name, table in found.items() if one.name in table}
        if (own := of.pop(MODEL, None)) is not None:
            filled.append(one.of(own.value, own.spread, of))
    return filled


def facts(**values: Any) -> list[Quantity]:
    """Facts about how a measure was taken, such as counts of examples: without direction or baselines."""
    return [Quantity(name, value) for name, value in values.items()]


def _measured(one: Any) -> Measured:
    return one if isinstance(one, Measured) else Measured(one)


def _leaves(value: Any, places: Callable[[int], Iterable[int]], before: Path = ()) -> dict[Path, Any]:
    """Numbers of nested tables and lists by the names that lead to them; places in lists are counted from 1."""
    if isinstance(value, Mapping):
        inside = list(cast(Mapping[str, Any], value).items())
    elif isinstance(value, list):
        some = cast(list[Any], value)
        inside = [(str(place + 1), some[place]) for place in places(len(some))]
    else:
        return {before: value}
    return {path: number for name, one in inside for path, number in _leaves(one, places, (*before, name)).items()}
