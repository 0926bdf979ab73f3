"""The run of one row: a row that was stopped goes on from its checkpoint, with what was measured while it learnt."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from untaught.config import to_json
from untaught.errors import ConfigError, RunError
from untaught.experiments.paper import Budget
from untaught.runs.checkpoint import write_json
from untaught.runs.run import Run, create_run, open_run, remove_run
from untaught.runs.settings import Settings


@dataclass(frozen=True)
class RowRun:
    """The folder in which one experiment is trained with one seed."""

    path: Path
    digest: str
    """Of the experiment as the paper defines it now."""

    @classmethod
    def of(cls, folder: Path, paper: str, experiment: str, budget: Budget, seed: int, digest: str) -> RowRun:
        """`FOLDER/PAPER-EXPERIMENT-BUDGET-SEED`."""
        return cls(folder / f"{paper}-{experiment}-{budget}-{seed}", digest)

    @contextmanager
    def held(self, wait: bool = False) -> Generator[None]:
        """Keep other processes from training the same row; one that does is waited for, if asked.

        Raises:
            RunError: Another process does.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(f"{self.path}.lock", timeout=-1 if wait else 0):
                yield
        except Timeout as timeout:
            raise RunError(f"{self.path} is being trained by another process") from timeout

    @property
    def is_of_this(self) -> bool:
        """Whether there is a run, and it is of the experiment as it is now."""
        return self._told("row.json", {}).get("digest") == self.digest and (self.path / "config.json").is_file()

    @property
    def is_whole(self) -> bool:
        """Whether that run was trained to its end."""
        return self.is_of_this and self._told("row.json", {})["whole"]

    def goes_on(self, settings: Settings) -> bool:
        """Whether there is a run of the experiment that was begun with these settings."""
        try:
            return self.is_of_this and to_json(open_run(self.path).settings) == to_json(settings)
        except (RunError, ConfigError):  # torn, or of an older version
            return False

    def run(self, settings: Settings, command: str, again: bool) -> Run:
        """The run to go on with, or a new one in its place."""
        if not again and self.goes_on(settings):
            return open_run(self.path)
        self.remove()
        run = create_run(self.path, settings, command)
        self._tell(whole=False)
        return run

    def end(self) -> None:
        """Say that the run was trained to its end."""
        self._tell(whole=True)

    def seen(self, run: Run) -> list[dict[str, Any]]:
        """What was measured while it learnt, up to the checkpoint from which it goes on."""
        last = run.last()
        reached = -1 if last is None else last.counters["step"]
        return [one for one in self._told("watched.json", []) if one["step"] <= reached]

    def keep_seen(self, seen: list[dict[str, Any]]) -> None:
        """Write what was measured while it learns."""
        write_json(self.path / "watched.json", seen)

    def remove(self) -> None:
        """Remove the run, if there is one."""
        remove_run(self.path)

    def _tell(self, whole: bool) -> None:
        write_json(self.path / "row.json", {"digest": self.digest, "whole": whole})

    def _told(self, name: str, otherwise: Any) -> Any:
        try:
            return json.loads((self.path / name).read_text("utf-8"))
        except (OSError, ValueError):
            return otherwise


def trained(run: Run) -> dict[str, Any]:
    """How far a run was trained: its last record, every stage of it, and which step's weights were kept, and why."""
    records = run.records()
    stages = {record["stage"]: record for record in records}  # the last one of each
    last = records[-1]
    kept_keys = ("stage", "step", "epoch", "seconds", "rate", "threads", "precision", "losses", "held_out")
    told = {key: last[key] for key in kept_keys if key in last}  # older runs do not say their precision
    best = run.best().counters
    kept = {"kept": best["step"], "kept_by": best.get("selects")}
    return {**told, **kept, "stages": [_stage(record) for record in stages.values()]}


def _stage(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: record[key] for key in ("stage", "step", "epoch", "seconds")}
