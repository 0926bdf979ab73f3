"""What a file of `measures/` defines, and how its quantities are written as JSON.

    {"squared_error_per_frame": 2.0, "squared_error_per_frame_std": 0.4,
     "baselines": {"previous_frame": 11.8}, "baselines_std": {"previous_frame": 0.9},
     "rollout": [2.1, 4.4], "rollout_baselines": {"previous_frame": [11.5, 30.2]}, "clips": 200}

Each quantity stands under its name, its spread under the same with `_std` or `_std_error` behind. Baselines of the main
quantity, which is declared first, stand under `baselines`, those of another under `NAME_baselines`. A measure whose
baselines stand `together` has under `baselines` a table for each of them, with the names of its own quantities. What is
not declared, counts of examples and how the measure was taken, stands under its name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from untaught.evaluate.drawing.pictures import Picture
from untaught.evaluate.quantity import Measured, Quantity
from untaught.evaluate.subject import Subject

Groups: TypeAlias = Sequence[Sequence[Quantity]]
"""What a measure gives: in the JSON the values of a group come first, their baselines after the last of them."""
Quantities: TypeAlias = dict[str, Quantity]
"""By name, those that are declared first."""


@dataclass(frozen=True)
class Drawing:
    """A picture that goes with a measure."""

    draw: Callable[[Subject, Quantities], Picture | None]
    """Draws it of a subject and of what was measured; gives None where there is nothing to see."""
    caption: str


@dataclass(frozen=True)
class Headline:
    """One quantity beside the trivial answers, quick enough for the end of a training."""

    quantities: tuple[str, ...]
    """Names of those that can speak; the first that was measured does."""
    trivial: tuple[str, ...]
    """Baselines that are the trivial answer; the model is held against the best of those that were measured."""
    examples: str
    """What its examples are called."""
    speaks: Callable[[Subject], bool]
    """Whether it says of this model, for which the measure applies, what the model was trained for."""
    quick: Callable[[Subject], Groups]
    """Takes it in seconds, with the trivial answers alone, on fewer examples where there are many."""


@dataclass(frozen=True)
class Measure:
    """One measure: what it is, when it can be taken, and how."""

    title: str
    """Its heading."""
    meaning: str
    """What it tells, in a sentence."""
    applies: Callable[[Subject], str | None]
    """Says why it cannot be taken of a subject, or gives None."""
    measure: Callable[[Subject], Groups]
    quantities: tuple[Quantity, ...]
    """Those that it gives, without values, the main one first; counts need not be declared."""
    together: bool = False
    """Whether each baseline has all the quantities that the model has."""
    pictures: Mapping[str, Drawing] = field(default_factory=dict[str, Drawing])
    """By the file's name."""
    by_name: bool = False
    """Whether it is taken only where it is asked for."""
    headline: Headline | None = None
    """How it speaks for a model in one sentence; none where it never does."""
    whole: bool = False
    """Whether it learns nothing from examples, so that data which the model was not trained on are judged whole."""
    caution: Callable[[Quantities], str] = lambda found: ""
    """Says in a sentence why the numbers are not to be trusted; empty where they are."""

    def judged(self, subject: Subject) -> Subject:
        """The subject as this measure sees it: data that were not trained on are whole if it learns nothing from them.

        Its pictures are drawn of the same examples.
        """
        return subject.as_whole if self.whole else subject

    def take(self, subject: Subject) -> dict[str, Any]:
        """Measure a subject; the result as JSON."""
        return self.as_json(self.measure(subject))

    def as_json(self, groups: Groups) -> dict[str, Any]:
        """Quantities as JSON. A table without an entry is left out."""
        found: dict[str, Any] = {}
        for group in groups:
            for quantity in group:
                if quantity.points or quantity.value != {}:
                    self._write(found, quantity, "", Measured(quantity.value, quantity.spread))
            for quantity in group:
                for name, one in quantity.baselines.items():
                    self._write(found, quantity, name, one)
        return found

    def read(self, stored: Mapping[str, Any]) -> Quantities:
        """Quantities of JSON that `as_json` gave, by this version or an older one: first those that are declared."""
        found = {one.name: self._read(stored, one) for one in self.quantities if one.name in stored}
        known = {keys[0] for one in self.quantities for name in ("", "any") for keys in self._keys(one, name)}
        return found | {name: Quantity(name, value) for name, value in stored.items() if name not in known}

    def _keys(self, quantity: Quantity, baseline: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Where a value and its spread stand: a baseline's, or the model's own where that is empty."""
        name, ending = quantity.name, f"_{quantity.spread_is}"
        if not baseline:
            return (name,), (name + ending,)
        if self.together:
            return ("baselines", baseline, name), ("baselines", baseline, name + ending)
        beside = "baselines" if name == self.quantities[0].name else f"{name}_baselines"
        return (beside, baseline), (beside + ending, baseline)

    def _write(self, found: dict[str, Any], quantity: Quantity, baseline: str, one: Measured) -> None:
        value_keys, spread_keys = self._keys(quantity, baseline)
        if quantity.points:
            _put(found, value_keys, _with_spreads(quantity, one))
            return
        _put(found, value_keys, one.value)
        if quantity.spread_is and (one.spread is not None or not baseline):
            _put(found, spread_keys, one.spread)

    def _read(self, stored: Mapping[str, Any], quantity: Quantity) -> Quantity:
        def measured(baseline: str) -> Measured:
            value, spread = (inside(stored, keys) for keys in self._keys(quantity, baseline))
            return _without_spreads(quantity, value) if quantity.points else Measured(value, spread)

        (holder, *_), _ = self._keys(quantity, "any")
        beside = {name: measured(name) for name in stored.get(holder, {})}
        own = measured("")
        return quantity.of(own.value, own.spread, {name: one for name, one in beside.items() if one.value is not None})


def spread_keys(keys: Sequence[str], ending: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Where a value's spread stands in this JSON: its own; and as a part of the spread of the list or table around it.

    Example:
        >>> spread_keys(["few_views", "accuracy", "3"], "std_error")
        (('few_views', 'accuracy', '3_std_error'), ('few_views', 'accuracy_std_error', '3'))
    """
    *above, last = keys
    around = (*above[:-1], f"{above[-1]}_{ending}", last) if above else ()
    return (*above, f"{last}_{ending}"), around


def _with_spreads(quantity: Quantity, one: Measured) -> dict[str, Any]:
    """A table of values and one of spreads as a table of both."""
    key, spread = quantity.points, f"{quantity.points}_{quantity.spread_is}"
    return {name: {key: value, spread: one.spread[name]} for name, value in one.value.items()}


def _without_spreads(quantity: Quantity, table: Mapping[str, Any] | None) -> Measured:
    """The same back again."""
    if table is None:
        return Measured(None)
    key, spread = quantity.points, f"{quantity.points}_{quantity.spread_is}"
    value, of = ({name: entry.get(which) for name, entry in table.items()} for which in (key, spread))
    return Measured(value, of)


def _put(found: dict[str, Any], keys: Sequence[str], value: Any) -> None:
    *above, last = keys
    for key in above:
        found = found.setdefault(key, {})
    found[last] = value


def inside(value: Any, keys: Sequence[str]) -> Any:
    """What is at these keys and numbers of nested dictionaries and lists; None where nothing is.

    Example:
        >>> inside({"rollout": [2.1, 4.4]}, ["rollout", "1"]), inside({}, ["baselines", "mean"])
        (4.4, None)
    """
    for key in keys:
        if isinstance(value, Mapping):
            value = cast(Mapping[str, Any], value).get(key)
        elif isinstance(value, list):
            some = cast(list[Any], value)
            number = int(key) if key.lstrip("-").isdigit() else len(some)
            value = some[number] if -len(some) <= number < len(some) else None
        else:
            return None
    return value
