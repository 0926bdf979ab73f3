"""Configurations: every value checked, unknown keys refused with a hint, JSON and documentation from one place."""

from __future__ import annotations

import dataclasses
import json

import pydantic
import pytest

from untaught.config import (
    Count,
    Flat,
    Fraction,
    NonNegative,
    Positive,
    Whole,
    configuration,
    fields,
    from_json,
    to_json,
    unusual,
    values,
)
from untaught.errors import ConfigError


@configuration
class Inner:
    """Inside another."""

    rate: Positive = 0.1
    """Step size."""


@configuration
class Sample:
    """One field of every kind."""

    hidden: Count = 5
    """Hidden units."""
    sizes: tuple[int, ...] = (3, 4)
    """Layers."""
    noise: Fraction = 0.0
    """Part of the inputs that is lost."""
    start: Whole = 0
    """First step."""
    decay: NonNegative = 0.0
    """Weight decay."""
    name: str | None = None
    """A name."""
    inner: Inner = Inner()
    """Another configuration."""


def test_positional_arguments_are_refused() -> None:
    with pytest.raises((TypeError, pydantic.ValidationError)):
        Sample(3)  # type: ignore[misc]


def test_it_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Sample().hidden = 4  # type: ignore[misc]


@pytest.mark.parametrize(
    "wrong",
    [
        {"hidden": 0},
        {"hidden": 1.5},
        {"noise": 1.0},
        {"noise": -0.1},
        {"start": -1},
        {"decay": -1e-9},
        {"sizes": ["a"]},
    ],
    ids=str,
)
def test_values_out_of_range_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(pydantic.ValidationError):
        Sample(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError) as caught:
        from_json(Sample, wrong, "config.json")
    message = str(caught.value)
    assert next(iter(wrong)) in message
    assert "config.json" in message
    assert message.count("\n") <= 2


def test_the_ends_of_ranges_are_allowed() -> None:
    assert Sample(hidden=1, noise=0.0, start=0, decay=0.0).hidden == 1
    with pytest.raises(pydantic.ValidationError):
        Inner(rate=0.0)


def test_misspelt_key_is_corrected() -> None:
    with pytest.raises(ConfigError, match="unknown field 'hiden'; did you mean 'hidden'"):
        from_json(Sample, {"hiden": 3})


def test_unknown_key_lists_the_known() -> None:
    with pytest.raises(ConfigError, match="hidden, sizes, noise"):
        from_json(Sample, {"zzz": 3})


def test_wrong_key_inside_another_configuration_is_named() -> None:
    with pytest.raises(ConfigError, match="inner"):
        from_json(Sample, {"inner": {"rate": -1}})


def test_json_round_trip() -> None:
    sample = Sample(hidden=7, sizes=(1, 2, 3), name="a", inner=Inner(rate=3.0))
    assert from_json(Sample, json.loads(json.dumps(to_json(sample)))) == sample
    assert from_json(Sample, {}) == Sample()


def test_fields_are_described_in_order() -> None:
    described = fields(Sample)
    assert [field.name for field in described] == ["hidden", "sizes", "noise", "start", "decay", "name", "inner"]
    assert described[0].text == "Hidden units."
    assert described[1].default == "(3, 4)"
    assert described[0].type == "int"


@configuration
class Outer:
    """Holds another one flat, with a default of its own."""

    inside: Flat[Sample] = Sample(hidden=8)
    """What it shares."""
    rate: Positive = 0.5
    """Step size."""


def test_what_is_held_flat_has_no_name_of_its_own_outside() -> None:
    names = ["hidden", "sizes", "noise", "start", "decay", "name", "inner", "rate"]
    assert [field.name for field in fields(Outer)] == names == list(values(Outer())) == list(to_json(Outer()))
    assert {field.name: field.default for field in fields(Outer)}["hidden"] == "8"
    assert fields(Outer)[0].text == "Hidden units."


def test_what_is_held_flat_is_given_by_name() -> None:
    given = Outer(hidden=3, rate=2.0)  # type: ignore[call-arg]
    assert given == Outer(inside=Sample(hidden=3), rate=2.0) == from_json(Outer, {"hidden": 3, "rate": 2.0})
    assert from_json(Outer, {"start": 1}).inside == Sample(hidden=8, start=1)
    assert dataclasses.replace(given, start=2) == Outer(inside=Sample(hidden=3, start=2), rate=2.0)
    assert from_json(Outer, json.loads(json.dumps(to_json(given)))) == given
    with pytest.raises(ConfigError, match="unknown field 'hiden'; did you mean 'hidden'"):
        from_json(Outer, {"hiden": 3})
    with pytest.raises(ConfigError, match="^hidden = 0: "):
        from_json(Outer, {"hidden": 0})
    with pytest.raises(ConfigError, match=r"^inner\.rate = -1: "):
        from_json(Outer, {"inner": {"rate": -1}})


def test_the_unusual_differs_from_the_defaults_of_whoever_holds_it() -> None:
    assert unusual(Outer()) == {}
    assert unusual(Outer(inside=Sample())) == {"hidden": 5}
    assert unusual(Outer(inside=Sample(hidden=8, sizes=(1,)), rate=1.0)) == {"sizes": [1], "rate": 1.0}
