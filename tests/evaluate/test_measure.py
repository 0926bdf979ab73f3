"""The JSON of quantities: each place written out by hand, and read again."""

from __future__ import annotations

import pytest

from untaught.evaluate.measure import Measure, spread_keys
from untaught.evaluate.quantity import Measured, Quantity, facts

ERROR = Quantity("error", better="lower", spread_is="std")
LINES = Quantity("lines", spread_is="std_error")
FEW = Quantity("few", spread_is="std", points="right")
LEFT = Quantity("left")


def measure(together: bool = False) -> Measure:
    return Measure("Title", "Meaning.", lambda subject: None, lambda subject: [], (ERROR, LINES, FEW, LEFT), together)


FILLED = (
    ERROR.of(2.0, 0.5, {"mean": Measured(3.0, 0.25), "pca": 1.0}),
    LINES.of([1.0, 2.0], [0.1, 0.2], {"mean": Measured([4.0, 5.0], [0.3, 0.4])}),
    FEW.of({"1": 0.5}, {"1": 0.1}, {"mean": Measured({"1": 0.25}, {"1": 0.0})}),
)
OWN = {
    "error": 2.0, "error_std": 0.5, "lines": [1.0, 2.0], "lines_std_error": [0.1, 0.2],
    "few": {"1": {"right": 0.5, "right_std": 0.1}}, "examples": 7,
}  # fmt: skip
APART = {
    **OWN,
    "baselines": {"mean": 3.0, "pca": 1.0}, "baselines_std": {"mean": 0.25},
    "lines_baselines": {"mean": [4.0, 5.0]}, "lines_baselines_std_error": {"mean": [0.3, 0.4]},
    "few_baselines": {"mean": {"1": {"right": 0.25, "right_std": 0.0}}},
}  # fmt: skip
TOGETHER = {
    **OWN,
    "baselines": {
        "mean": {
            "error": 3.0, "error_std": 0.25, "lines": [4.0, 5.0], "lines_std_error": [0.3, 0.4],
            "few": {"1": {"right": 0.25, "right_std": 0.0}},
        },
        "pca": {"error": 1.0},
    },
}  # fmt: skip


@pytest.mark.parametrize(("together", "json"), [(False, APART), (True, TOGETHER)])
def test_every_value_has_its_place(together: bool, json: dict[str, object]) -> None:
    of = measure(together)
    assert of.as_json([[*FILLED, *facts(examples=7)]]) == json
    assert list(of.read(json).values()) == [*FILLED, Quantity("examples", 7)]


def test_baselines_stand_behind_the_last_value_of_their_group() -> None:
    error, lines, few = FILLED
    assert list(measure().as_json([[error], [lines, *facts(n=1)]])) == [
        "error", "error_std", "baselines", "baselines_std", "lines", "lines_std_error", "n", "lines_baselines",
        "lines_baselines_std_error",
    ]  # fmt: skip


def test_a_declared_spread_is_there_though_it_is_not_known() -> None:
    assert measure().as_json([[ERROR.of(2.0)]]) == {"error": 2.0, "error_std": None}


def test_a_table_without_an_entry_is_left_out() -> None:
    assert measure().as_json([[LEFT.of({}, baselines={"mean": {}})]]) == {"left_baselines": {"mean": {}}}
    assert measure().read({"left_baselines": {"mean": {}}}) == {}


def test_what_is_not_declared_is_a_fact_without_a_direction() -> None:
    (fact,) = measure().read({"someone_elses_error": 1.0}).values()
    assert fact == Quantity("someone_elses_error", 1.0) and fact.better == ""


def test_spreads_stand_beside_their_values() -> None:
    assert spread_keys(["m", "error"], "std") == (("m", "error_std"), ("m_std", "error"))
    assert spread_keys(["error"], "std") == (("error_std",), ())
