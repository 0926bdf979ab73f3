"""The numbers of a measure and of the baselines beside it, under the same names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def who(measure: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Numbers of the model and of each baseline, under the same names.

    A measure's baselines are under `baselines`, those of one of its numbers under `NUMBER_baselines`, and spreads
    under `baselines_std`. A baseline that is one number stands beside the measure's first.

    Example:
        >>> rows = who({"error": 2.0, "error_std": 0.1, "baselines": {"mean": 3.0}, "baselines_std": {"mean": 0.2}})
        >>> rows["model"]["error"], rows["mean"]["error"], rows["mean"]["error_std"]
        (2.0, 3.0, 0.2)
    """
    first = next(key for key in measure if "baselines" not in key)
    rows = {"model": dict(_flat({key: value for key, value in measure.items() if "baselines" not in key}))}
    for key, beside in measure.items():
        if "baselines" not in key:
            continue
        number = {"baselines": first, "baselines_std": f"{first}_std"}.get(key, key.removesuffix("_baselines"))
        for name, value in beside.items():
            named = value if isinstance(value, Mapping) and key == "baselines" and first in value else {number: value}
            rows.setdefault(name, {}).update(_flat(named))
    return rows


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, float]]:
    """Numbers in nested dictionaries under joined names; of a list, the first, middle and last."""
    for key, value in values.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name} ")
        elif isinstance(value, list):
            for place in sorted({0, len(value) // 2, len(value) - 1}):
                yield f"{name} {place + 1}", value[place]
        elif isinstance(value, (int, float)):
            yield name, value
