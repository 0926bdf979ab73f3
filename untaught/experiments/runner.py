"""An experiment becomes a record: train, measure, and write the result with settings, environment and duration."""

from __future__ import annotations

import datetime
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
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
from untaught.experiments.taking import Measuring, watched
from untaught.model import Encoding, Model
from untaught.report import write_report
from untaught.runs.encoders import Given
from untaught.runs.run import Run, build, create_run, environment, open_run, remove_run
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
    keep: Path | None = None
    """Where runs are kept; none keeps none."""
    networks: dict[tuple[str, int], tuple[Settings, dict[str, Tensor]]] = field(default_factory=lambda: {})
    """Settings and weights of networks that other experiments begin from, by experiment and seed."""

    def run(self, name: str, seed: int) -> Path:
        """Train and measure one experiment with one seed, and write its record."""
        device = device_of(self.budget)
        experiment = self.records.paper.experiments[name][self.budget]
        source = open_data(experiment.data, size=size_of(experiment.size))
        encoder = self._encoder(experiment.encoder, seed) if experiment.encoder else None
        decided = plan(_asked(experiment, device, seed, encoder), source, device)
        measuring = Measuring(decided.subject(device))
        measuring.refuse(experiment.all_takes)
        begun_from = self._begin(decided.model, experiment, seed)
        seen: list[dict[str, Any]] = []
        trained = self._train(name, decided, measuring, seen)
        taken = measuring.taken(experiment.takes)
        record = {
            **self._about(name, seed),
            # The data as the paper names them: an absolute path would belong to this machine.
            "settings": {**to_json(decided.settings), "data": experiment.data},
            "begun_from": begun_from,
            "trained": {"weights": _learnt(decided.model), **trained},
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
        """An experiment's settings and weights: at hand, else from its run, else trained now."""
        if (name, seed) not in self.networks and not self._kept(name, seed):
            self.run(name, seed)
        return self.networks[name, seed]

    def _encoder(self, name: str, seed: int) -> Given:
        """An experiment's network as the encoder of another."""
        settings, weights = self._network(name, seed)
        model = build(settings)
        model.load_state_dict(weights)
        return Given(Encoding(model, settings.view), settings)

    def _kept(self, name: str, seed: int) -> bool:
        """Take an experiment's network from its run, where runs are kept and its record is fresh."""
        place = self._place(name, seed)
        if (
            place is None
            or not (place / "config.json").exists()
            or seed in self.records.missing(name, self.budget, seed + 1)
        ):
            return False
        run = open_run(place)
        self.networks[name, seed] = run.settings, run.load().state_dict()
        return True

    def _place(self, name: str, seed: int) -> Path | None:
        """The folder of a run that is kept."""
        return None if self.keep is None else self.keep / f"{self.records.name}-{name}-{self.budget}-{seed}"

    def _train(self, name: str, decided: Plan, measuring: Measuring, seen: list[dict[str, Any]]) -> dict[str, Any]:
        """Train the network, unless the experiment leaves it untrained; how far it was trained."""
        experiments, model, settings = self.records.paper.experiments, decided.model, decided.settings
        experiment, told = experiments[name][self.budget], {}
        if experiment.training is not None:
            run = self._run(name, settings)
            records, watch = fit(decided, run=run), experiment.watch
            last = self.follow(watched(records, watch, measuring, seen) if watch is not None else records)
            told = {
                key: getattr(last, key)
                for key in ("stage", "step", "epoch", "seconds", "rate", "threads", "losses", "held_out")
            }
            if run is not None:
                write_report(run.path, measuring.subject)
        if any(name in own[self.budget].bases for own in experiments.values() if self.budget in own):
            weights = {key: value.detach().cpu().clone() for key, value in model.state_dict().items()}
            self.networks[name, settings.training.seed] = settings, weights
        return told

    def _run(self, name: str, settings: Settings) -> Run | None:
        """The folder of the run, where runs are kept; one that was begun and has no record gives way."""
        seed = settings.training.seed
        place = self._place(name, seed)
        if place is None:
            return None
        remove_run(place)
        return create_run(place, settings, self.command(name, seed))

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
