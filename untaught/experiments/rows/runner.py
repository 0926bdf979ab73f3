"""An experiment becomes a record: train, measure, and write the result with settings, environment and duration."""

from __future__ import annotations

import datetime
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor

from untaught.config import to_json
from untaught.data.source import open_data
from untaught.data.spec import size_of
from untaught.errors import ConfigError
from untaught.evaluate.drawing.illustrate import illustrate, illustrate_measures
from untaught.evaluate.subject import Subject
from untaught.experiments.paper import Budget, Experiment
from untaught.experiments.records import Records
from untaught.experiments.rows.row_run import RowRun, trained
from untaught.experiments.rows.taking import Measuring, watched
from untaught.model import Encoding, Model
from untaught.report import write_report
from untaught.runs.encoders import Given
from untaught.runs.run import build, environment, open_run
from untaught.runs.settings import Settings, Training
from untaught.training.fit import Record, fit
from untaught.training.plan import Asked, Plan, plan

Follow: TypeAlias = Callable[[Generator[Record, None, None]], Record | None]
"""Asks for every record of a training and gives the last."""


def device_of(budget: Budget) -> torch.device:
    """The device of a budget, whatever else the machine has, so that all its rows are comparable.

    Raises:
        ConfigError: The budget `full` has no GPU here.
    """
    if budget == "full" and not torch.cuda.is_available():
        raise ConfigError("the budget full needs a CUDA GPU, and torch finds none here; --budget cpu needs none")
    return torch.device("cuda" if budget == "full" else "cpu")


@dataclass
class Runner:
    """Experiments of one paper at one budget."""

    records: Records
    budget: Budget
    follow: Follow
    folder: Path = Path("runs/tables")
    """Where rows are trained, each in a run."""
    keep: bool = False
    """Whether runs stay when they are recorded, with a report."""

    def run(self, name: str, seed: int, again: bool = True) -> Path:
        """Train and measure one experiment with one seed, and write its record.

        Args:
            name: The experiment.
            seed: Its seed.
            again: Whether to begin anew where a run is there that was stopped.

        Raises:
            RunError: Another process trains it.
        """
        with self.row(name, seed).held():
            path = self._run(name, seed, again)
        self._tidy(name, seed)
        return path

    def row(self, name: str, seed: int) -> RowRun:
        """The run in which one experiment is trained with one seed."""
        digest = self.records.paper.digest(name, self.budget)
        return RowRun.of(self.folder, self.records.name, name, self.budget, seed, digest)

    def _run(self, name: str, seed: int, again: bool) -> Path:
        device = device_of(self.budget)
        experiment = self.records.paper.experiments[name][self.budget]
        source = open_data(experiment.data, size=size_of(experiment.size))
        encoder = self._encoder(experiment.encoder, seed) if experiment.encoder else None
        decided = plan(_asked(experiment, device, seed, encoder), source, device, experiment.other)
        measuring = Measuring(decided.subject(device))
        measuring.refuse(experiment.all_takes)
        begun_from = self._begin(decided.model, experiment, seed)
        told, seen = self._train(name, decided, measuring, again) if experiment.training is not None else ({}, [])
        taken = measuring.taken(experiment.takes)
        record = {
            **self._about(name, seed),
            # The data as the paper names them: an absolute path would belong to this machine.
            "settings": {**to_json(decided.settings), "data": experiment.data, "other": experiment.other},
            "begun_from": begun_from,
            "trained": {"weights": _learnt(decided.model), **told, "before": self._before(experiment, seed)},
            "measures": taken,
            "watched": seen,
            "pictures": self._pictures(name, experiment, measuring.subject, taken),
        }
        return self.records.write(record)

    def _begin(self, model: Model, experiment: Experiment, seed: int) -> dict[str, Any] | None:
        """Take the weights of the experiment that this one begins from, those that fit by name and shape."""
        base = experiment.begin_from
        if base is None:
            return None
        own, given = model.state_dict(), self._network(base, seed)[1]
        fitting = {key: value for key, value in given.items() if key in own and own[key].shape == value.shape}
        if not fitting:
            raise ConfigError(f"no weight of {base} fits {experiment.model}: nothing to begin from")
        model.load_state_dict(fitting, strict=False)
        return {"experiment": base, "weights": len(fitting), "left": sorted(own.keys() - fitting.keys())}

    def _network(self, name: str, seed: int) -> tuple[Settings, dict[str, Tensor]]:
        """An experiment's settings and weights, from its run; where that is not there or not recorded, trained now."""
        row = self.row(name, seed)
        with row.held(wait=True):
            if not row.is_whole or not self._recorded(name, seed):
                self._run(name, seed, again=False)
        run = open_run(row.path)
        return run.settings, run.load().state_dict()

    def _encoder(self, name: str, seed: int) -> Given:
        """An experiment's network as the encoder of another."""
        settings, weights = self._network(name, seed)
        model = build(settings)
        model.load_state_dict(weights)
        return Given(Encoding(model, settings.view), settings)

    def _recorded(self, name: str, seed: int) -> bool:
        return seed not in self.records.missing(name, self.budget, seed + 1)

    def _train(
        self, name: str, decided: Plan, measuring: Measuring, again: bool
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Train the network, or go on with it; how far it was trained, and what was measured while it learnt."""
        seed, watch = decided.settings.training.seed, self.records.paper.experiments[name][self.budget].watch
        row = self.row(name, seed)
        run = row.run(decided.settings, self.command(name, seed), again)
        seen, records = row.seen(run), fit(decided, run=run, moments=watch.fractions if watch else ())
        self.follow(records if watch is None else watched(records, watch, measuring, seen, row.keep_seen))
        row.end()
        if self.keep:
            write_report(run.path, measuring.subject)
        return trained(run), seen

    def _before(self, experiment: Experiment, seed: int) -> dict[str, Any]:
        """How the experiments that it begins from were trained, and those that they begin from."""
        return {base: self.records.read(base, self.budget, seed)["trained"] for base in experiment.bases}

    def _tidy(self, name: str, seed: int) -> None:
        """Remove runs from which no other experiment has yet to begin."""
        own = self.records.paper.experiments
        for done in (name, *own[name][self.budget].bases) if not self.keep else ():
            after = [other for other, at in own.items() if self.budget in at and done in at[self.budget].bases]
            if self._recorded(done, seed) and all(self._recorded(other, seed) for other in after):
                self.row(done, seed).remove()

    def command(self, name: str, seed: int) -> str:
        """The command that makes a record again."""
        paper = self.records.name
        return f"untaught tables {paper} --budget {self.budget} --experiment {name} --seeds {seed + 1} --again"

    def _about(self, name: str, seed: int) -> dict[str, Any]:
        """Which experiment this is, when, and in what environment."""
        return {
            "paper": self.records.name,
            "experiment": name,
            "budget": self.budget,
            "seed": seed,
            "digest": self.records.paper.digest(name, self.budget),
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "environment": environment(self.command(name, seed)),
        }

    def _pictures(
        self, name: str, experiment: Experiment, subject: Subject, taken: Mapping[str, Mapping[str, Any]]
    ) -> list[str]:
        """Keep those pictures of the network and of what was measured that the experiment names, beside the records."""
        if not experiment.pictures:
            return []
        kept: list[str] = []
        folder = self.records.folder / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as drawn:
            place = Path(drawn)
            for path in [*illustrate(subject, place), *illustrate_measures(subject, place, taken)]:
                if path.name in experiment.pictures:
                    target = folder / f"{name}-{self.budget}-{subject.seed}-{path.name}"
                    shutil.copyfile(path, target)
                    kept.append(f"pictures/{target.name}")
        return kept


def _asked(experiment: Experiment, device: torch.device, seed: int, encoder: Given | None) -> Asked:
    """An experiment as a training that is asked for."""
    return Asked(
        experiment.model,
        to_json(experiment.network),
        replace(experiment.training or Training(), seed=seed, device=device.type),
        encoder,
        size_of(experiment.size),
    )


def _learnt(model: Model) -> int:
    """Numbers that the last stage learns."""
    learner = model.stages()[-1].learner
    prefixes = tuple(prefix for own in learner.players.values() for prefix in own.prefixes)
    return sum(weight.numel() for name, weight in learner.named_parameters() if name.startswith(prefixes))
