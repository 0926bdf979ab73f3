"""One variant, trained from one seed for the updates that all are given, and what its features know then.

Labels are found by `probe`, true variables of generated data by `decode`; both bring raw pixels and the same network
untrained along. All look at whole frames. Where windows of video differ in length, each variant is asked about the end
of the longest: all are fitted and judged on the same moments. Finished trials are kept one by one, so
that a comparison that was stopped goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias, cast

import torch

from untaught.data.batches import fixed_order, window
from untaught.data.part import Part
from untaught.data.source import Parts, Source
from untaught.data.view import View
from untaught.errors import DataError, RunError
from untaught.evaluate.evaluate import evaluate, measures
from untaught.evaluate.representations import CONTEXT
from untaught.evaluate.subject import Subject
from untaught.experiments.variant import Budget, Variant
from untaught.model import Encodes
from untaught.runs.checkpoint import write_json
from untaught.runs.settings import Training
from untaught.training.fit import Record, fit
from untaught.training.plan import Asked, Plan, plan

MEASURES = ("probe", "decode")
Follow: TypeAlias = Callable[[Generator[Record, None, None]], Record | None]
"""Asks for every record of a training and gives the last."""


@dataclass(frozen=True)
class Trials:
    """Trials of several variants on one source."""

    source: Source
    budget: Budget
    device: torch.device
    folder: Path
    """Where finished trials are kept."""
    training: Training = Training()
    """What is no part of the comparison: device, threads, precision."""

    def look(self, variant: Variant) -> dict[str, Any]:
        """What a variant is before it learns: its encoder's size, its features, what it looks at, what can be measured.

        Raises:
            ConfigError: Its configuration is not allowed.
            DataError: It cannot look at the data, or there is nothing that its features could be asked.
            SizeError: It does not fit the data's size, or memory.
        """
        subject = self._plan(variant, 0).subject(self.device)
        found = [name for name in MEASURES if measures()[name].applies(subject) is None]
        if not found:
            raise DataError(
                f"{self.source.spec} has neither labels nor true variables: nothing to ask of features\n"
                "give a folder with a sub-folder for each class, or a generated source: balls, heads"
            )
        x = subject.pixels(subject.parts.train, 2).x
        return {
            "encoder_weights": encoder_weights(subject, x),
            "features": subject.features(x).shape[1],
            "frames": window(subject.parts.train, subject.view),
            "measures": found,
        }

    def path(self, variant: Variant, seed: int) -> Path:
        """The file of one finished trial."""
        return self.folder / f"{variant.file_name}-{seed}.json"

    def finished(self, variant: Variant, seed: int) -> dict[str, Any] | None:
        """A trial that is finished; none where it is still to be made.

        Raises:
            RunError: The folder holds a trial of another budget or configuration under this name.
        """
        path = self.path(variant, seed)
        if not path.exists():
            return None
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            digest = held["digest"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path} cannot be read: {error}\nremove it, and the trial is made again") from error
        if digest != self.budget.digest(variant):
            raise RunError(f"{self.folder.parent} holds a comparison with other arguments; choose another --out")
        return held

    def all(self, variant: Variant, seeds: int) -> list[dict[str, Any]]:
        """The finished trials of the first seeds."""
        held = [self.finished(variant, seed) for seed in range(seeds)]
        return [one for one in held if one is not None]

    def run(self, variant: Variant, seed: int, names: Sequence[str], follow: Follow) -> dict[str, Any]:
        """Train and measure one variant from one seed, and keep the result."""
        decided = self._timed(self._plan(variant, seed))
        subject = decided.subject(self.device)
        last = follow(fit(decided))
        assert last is not None
        done: dict[str, Any] = {
            "label": variant.label,
            "seed": seed,
            "digest": self.budget.digest(variant),
            "seconds": last.seconds,
            "measures": {name: evaluate(self._judged(subject, name), [name])[name] for name in names},
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.path(variant, seed), done)
        return done

    def _judged(self, subject: Subject, measure: str) -> Subject:
        """The subject on the ends of those windows that the variant with the longest looks at."""
        if self.budget.sparse_coding:
            subject = replace(subject, sparse_coding=True)
        frames = self.budget.frames
        if frames is None:
            return subject
        count = min(CONTEXT, frames) if measure == "decode" else frames
        own, parts = min(count, subject.view.frames or 1), subject.parts
        ends = (ends_of_windows(part, count, own) for part in (parts.train, parts.validation, parts.test))
        return replace(subject, parts=Parts(*ends))

    def _plan(self, variant: Variant, seed: int) -> Plan:
        """A variant's training, on whole frames: one that cuts patches would be asked about less than the others."""
        training = replace(self.training, seed=seed, batch_size=self.budget.batch_size, view={"patch": None})
        return plan(Asked(variant.model, variant.config, training, size=self.budget.size), self.source, self.device)

    def _timed(self, decided: Plan) -> Plan:
        """The same training, as long as makes the budget's updates, shared evenly by its stages."""
        share, more = divmod(self.budget.updates, len(decided.stages))
        updates = [max(1, share + (number < more)) for number in range(len(decided.stages))]
        return decided.of_updates(updates)


def ends_of_windows(part: Part, frames: int, kept: int) -> Part:
    """The last frames of every window that a measure cuts from a part, each window's as a clip of its own."""
    view = View(frames=frames)
    length = window(part, view) or 1
    kept = min(kept, length)
    first = fixed_order(part, view, None) + length - kept
    return replace(part, first=first, length=torch.full_like(first, kept))


def encoder_weights(subject: Subject, pixels: torch.Tensor) -> int:
    """How many weights the features depend on: those through which a gradient comes back from them."""
    model = subject.model
    assert isinstance(model, Encodes)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    with torch.enable_grad():
        features = model.encode(subject.seen(pixels.to(subject.device)))
        if not features.requires_grad:
            return 0
        gradients = torch.autograd.grad(features.sum(), weights, allow_unused=True)
    # Where the features do not depend on a weight there is None, whatever torch's types say.
    found = cast(Sequence[torch.Tensor | None], gradients)
    return sum(weight.numel() for weight, own in zip(weights, found, strict=True) if own is not None)
