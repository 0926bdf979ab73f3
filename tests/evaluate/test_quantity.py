"""Quantities: as they are written, filled in beside their baselines, and taken apart into single numbers."""

from __future__ import annotations

import pytest

from untaught.evaluate.quantity import Axis, Measured, Quantity, beside, facts

SPEED = Quantity("speed", axis=Axis(label="R² of {}"))


@pytest.mark.parametrize(
    ("quantity", "value", "spread", "told"),
    [
        (Quantity("e"), 0.123456, 0.0456, "0.123 ± 0.046"),
        (Quantity("e"), 1234.5, None, "1,234"),
        (Quantity("e"), 2.0, 0.0, "2"),
        (Quantity("e", digits=2), -0.001, None, "0.00"),
        (Quantity("e", unit="%"), 0.5, None, "50.0 %"),
        (Quantity("e", unit="nats"), 0.5, None, "0.5"),
        (Quantity("e"), 12345, None, "12,345"),
        (Quantity("e"), True, None, "True"),
        (Quantity("e"), "exact", None, "exact"),
        (Quantity("e"), None, None, "–"),
        (Quantity("e", absent="without end"), None, None, "without end"),
        (Quantity("e"), [1, 30, 30], None, "1, 30, 30"),
        (Quantity("e"), list(range(100)), None, "100 numbers"),
        (Quantity("e", unit="%", axis=Axis()), {"first_class": 0.25, "b": 1.0}, None, "first class 25.0 %, b 100.0 %"),
    ],
)
def test_values_are_written_as_the_quantity_says(quantity: Quantity, value: object, spread: float, told: str) -> None:
    assert quantity.text(value, spread) == told


def test_a_unit_stands_behind_the_title() -> None:
    assert Quantity("psnr_db", title="PSNR", unit="dB").heading == "PSNR, dB"
    assert Quantity("error_rate", unit="%").heading == "error rate"


def test_a_value_without_a_place_in_the_models_table_is_left_out() -> None:
    held = SPEED.of({"a": 1.0, "b": 2.0}, {"a": 0.5}, {"mean": {"a": 3.0, "c": 4.0}})
    assert held.rows() == {
        ("a",): {"model": Measured(1.0, 0.5), "mean": Measured(3.0)},
        ("b",): {"model": Measured(2.0)},
    }
    assert held.label(("a",)) == "R² of a"


def test_lists_are_counted_from_one_inside_of_tables_too() -> None:
    held = SPEED.of({"far": [5.0, 6.0, 7.0]}, baselines={"mean": {"far": [1.0, 2.0, 3.0]}})
    assert list(held.rows()) == [("far", "1"), ("far", "2"), ("far", "3")]
    assert held.rows(lambda length: [length - 1]) == {("far", "3"): {"model": Measured(7.0), "mean": Measured(3.0)}}


def test_what_has_no_axis_is_one_row() -> None:
    (shape,) = facts(shape=[1, 8, 8])
    assert shape.rows() == {(): {"model": Measured([1, 8, 8])}} and not shape.better


def test_tables_by_name_become_quantities_beside_their_baselines() -> None:
    found = {"model": {"e": Measured(2.0, 0.5)}, "mean": {"e": 3.0, "spare": 1.0}, "chance": {"spare": 1.0}}
    error, spare = Quantity("e", better="lower"), Quantity("spare")
    assert beside([error, spare], found) == [error.of(2.0, 0.5, {"mean": 3.0})]


def test_few_curves_are_drawn_of_many() -> None:
    axis = Axis(few=("a", "e"))
    assert list(axis.drawn(dict.fromkeys("abcd"))) == list("abcd") and list(axis.drawn(dict.fromkeys("abcde"))) == [
        "a",
        "e",
    ]
