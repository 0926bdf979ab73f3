"""What was recorded: `PAPER/EXPERIMENT-BUDGET-SEED.json` in the folder of results, each with its own environment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from untaught.errors import RunError
from untaught.experiments.paper import Budget, Paper
from untaught.runs.checkpoint import write_json


def results_folder() -> Path:
    """`results/` of the checkout that the package is run from, else of the current folder."""
    checkout = Path(__file__).resolve().parents[2]
    return (checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()) / "results"


def stages_of(trained: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The stages of a training that are recorded: all of them, or in older records the last one."""
    return trained.get("stages") or ([trained] if "stage" in trained else [])


def seconds_of(trained: Mapping[str, Any]) -> float:
    """How long a training took, in all stages, and with the trainings that it began from."""
    before = sum(map(seconds_of, trained.get("before", {}).values()))
    return before + sum(stage["seconds"] for stage in stages_of(trained))


def steps_of(trained: Mapping[str, Any]) -> int:
    """Updates of a training in all stages, and of the trainings that it began from."""
    return sum(map(steps_of, trained.get("before", {}).values())) + sum(one["step"] for one in stages_of(trained))


@dataclass(frozen=True)
class Records:
    """The records of one paper."""

    name: str
    """The paper's name."""
    paper: Paper
    folder: Path
    """Where its records are."""

    def path(self, experiment: str, budget: Budget, seed: int) -> Path:
        """The file of one record."""
        return self.folder / f"{experiment}-{budget}-{seed}.json"

    def write(self, record: dict[str, Any]) -> Path:
        """Write a record, whole or not at all."""
        path = self.path(record["experiment"], record["budget"], record["seed"])
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, record)
        return path

    def read(self, experiment: str, budget: Budget, seed: int) -> dict[str, Any]:
        """One record.

        Raises:
            RunError: It is not there, or cannot be read.
        """
        return _read(self.path(experiment, budget, seed))

    def of(self, experiment: str, budget: Budget) -> list[dict[str, Any]]:
        """All records of an experiment at a budget, by seed.

        Raises:
            RunError: A record cannot be read.
        """
        seeds = [path.stem.rpartition("-")[2] for path in self.folder.glob(f"{experiment}-{budget}-*.json")]
        return [self.read(experiment, budget, seed) for seed in sorted(int(s) for s in seeds if s.isdigit())]

    def fresh(self, experiment: str, budget: Budget) -> list[dict[str, Any]]:
        """The records whose experiment is as the paper defines it now."""
        return [record for record in self.of(experiment, budget) if not self.is_stale(record)]

    def is_stale(self, record: dict[str, Any]) -> bool:
        """Whether the experiment has changed since it was recorded."""
        return record["digest"] != self.paper.digest(record["experiment"], record["budget"])

    def missing(self, experiment: str, budget: Budget, seeds: int | None = None) -> list[int]:
        """Seeds of which there is no record, or a stale one."""
        there = {record["seed"] for record in self.fresh(experiment, budget)}
        count = self.paper.experiments[experiment][budget].seeds if seeds is None else seeds
        return [seed for seed in range(count) if seed not in there]

    def all(self, budgets: Sequence[Budget]) -> list[dict[str, Any]]:
        """Every record of these budgets, in the paper's order."""
        found: list[dict[str, Any]] = []
        for name, own in self.paper.experiments.items():
            for budget in budgets:
                found += self.of(name, budget) if budget in own else []
        return found


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}\nremove it, and it is measured again") from error
