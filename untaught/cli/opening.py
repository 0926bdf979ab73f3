"""Opening a run for use: its model on a device, and data as the model's input."""

from __future__ import annotations

import sys
from abc import ABC
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from untaught.cli.listing import by, tell_skipped
from untaught.cli.terminal.streams import tell
from untaught.config import Whole, configuration
from untaught.data.batches import Feed, fixed_batches, fixed_order, window
from untaught.data.coverage import behind_the_last, uncovered
from untaught.data.part import Part
from untaught.data.row_places import Columns, row_places
from untaught.data.source import Source, source_names
from untaught.data.spec import parse, size_of
from untaught.data.view import Batch, example_shape
from untaught.errors import ConfigError, DataError, UntaughtError
from untaught.evaluate.in_squares import given_back, whole_view
from untaught.evaluate.subject import Subject
from untaught.model import Translates, capabilities, in_words, model_class
from untaught.randomness import Draws
from untaught.runs.run import Run, open_run, told_who_wrote

VALUES_AT_ONCE = 2**24
"""Numbers in a batch: 64 MiB as float32."""


@configuration
class Use:
    """Which run, on which data, with which output file."""

    run: str
    """Folder of the run."""
    out: str
    """File to write; its ending decides whether an array, a picture or an animation is written."""
    data: str | None = None
    """Examples to use; by default the data that the run was trained on."""
    size: str | None = None
    """Bring every picture to this size: one side, 64, or height x width, 48x64; by default the run's."""
    on_bad: Literal["stop", "skip"] | None = None
    """What to do with a broken file: stop, or leave it out and count it; by default as in the run."""
    step: Whole | None = None
    """Take the checkpoint of this step; by default the best."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""


@dataclass(frozen=True)
class Opened:
    """A run, its model, and data."""

    run: Run
    subject: Subject
    source: Source

    @property
    def parts(self) -> list[Part]:
        """All parts of the source, in its order."""
        return list(self.source.all_parts().values())

    def count(self) -> int:
        """How many examples there are."""
        return sum(len(fixed_order(part, whole_view(self.subject), None)) for part in self.parts)

    def places(self) -> Columns:
        """Where each example comes from: columns, a row for each."""
        view = whole_view(self.subject)
        parts = self.source.all_parts().items()
        return row_places((name, part, fixed_order(part, view, None), window(part, view)) for name, part in parts)

    def batches(self) -> Iterator[Batch]:
        """Every example whole, in the source's order, in [0, 1], on the CPU."""
        view, cpu, seed = whole_view(self.subject), torch.device("cpu"), self.subject.seed
        size = max(1, min(512, VALUES_AT_ONCE // (torch.Size(self.source.shape).numel() * (view.frames or 1))))
        stream = Draws(seed, cpu)
        for part in self.parts:
            batches = fixed_batches(Feed(part, view, None, None, cpu, size, seed), None)
            while True:
                with stream:
                    batch = next(batches, None)
                if batch is None:
                    break
                yield batch

    def reconstructions(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Every example with its reconstruction; for video, the frames that the model can predict."""
        for batch in self.batches():
            given = given_back(self.subject, batch.x)
            original = batch.x[:, -given.shape[1] :] if batch.x.ndim == 5 else batch.x
            yield original, in_range(self.run, given)

    def shown(self, seen: Tensor) -> Tensor:
        """A model's output as pictures in [0, 1] or as vectors."""
        return in_range(self.run, self.subject.shown(seen))


def tell_uncovered(opened: Opened) -> None:
    """Print on standard error which clips and frames are in no example."""
    view = whole_view(opened.subject)
    lines = [line for part in opened.parts for line in uncovered(part, view)]
    rest = sum(behind_the_last(part, view) for part in opened.parts)
    if rest:
        lines.append(f"{rest} frames at the ends of clips fill no window of {view.frames}, and have no row")
    for line in lines:
        tell(line, file=sys.stderr)


def in_range(run: Run, x: Tensor) -> Tensor:
    """Clip pictures to [0, 1]; vectors stay as they are."""
    return x.clamp(0, 1) if len(run.settings.shape) == 3 else x


def open_for(capability: type[ABC], use: Use) -> Opened:
    """Open a run and data for a command that needs a capability.

    Raises:
        ConfigError: The run's model does not have it.
        DataError: The data are missing, or their shape does not fit the model.
        RunError: There is no run, or it has no intact checkpoint.
    """
    run = open_run(use.run)
    refuse_incapable(run, capability)
    source = open_source(run, use.data, use.size, use.on_bad)
    return Opened(run, subject_of(run, source, use.step, device_named(use.device)), source)


def open_source(
    run: Run, data: str | None, size: str | None, on_bad: Literal["stop", "skip"] | None, second: bool = False
) -> Source:
    """Open a run's own data, or other data as the run would have seen them, unless these say a size of their own.

    With `second` it is the run's second source, or data in its place.
    """
    held = run.settings
    its = held.other if second and held.other is not None else held.data
    own = size_of(size) or held.size
    if own is None and data is not None and held.frames is None and "size" not in parse(data, source_names()).options:
        own = size_of(parse(its, source_names()).options.get("size"))
    beside = run.other_source(data, own, on_bad) if second else None
    source = run.source(data, own, on_bad) if beside is None else beside
    tell_skipped(source)
    return source


def subject_of(
    run: Run, source: Source, step: int | None, device: torch.device, other: Source | None = None
) -> Subject:
    """The subject of measures: a run's model on the parts of a source, and of the second source where it has one."""
    model, known = run.load(step, device), run.statistics()
    beside, names = None if other is None else other.parts(), source.label_names
    subject = Subject(model, source.parts(), run.view, known, names, device, name=source.name, other=beside)
    refuse_other_shape(run, subject, source)
    return subject


def refuse_other_shape(run: Run, subject: Subject, source: Source) -> None:
    """Refuse data of another shape than the run's, unless the model takes pictures of any size.

    Raises:
        DataError: The shape of the data does not fit the model.
    """
    shape, held = example_shape(source.shape, run.view), tuple(run.settings.shape)
    if tuple(shape) == held:
        return
    zeros, model = torch.zeros(1, *((1,) if run.view.frames is not None else ()), *shape), subject.model
    try:
        subject.apply(model.translate, zeros) if isinstance(model, Translates) else subject.features(zeros)
    except (UntaughtError, RuntimeError, TypeError) as error:
        same_channels = len(shape) == len(held) == 3 and shape[0] == held[0]
        hint = f"\n--size {held[1]}x{held[2]} brings them to it" if same_channels else ""
        raise DataError(
            f"{source.spec} has examples of {by(shape)}, and {run.path} was trained on {by(held)}{hint}"
        ) from error


def refuse_incapable(run: Run, capability: type[ABC]) -> None:
    """Refuse a model that cannot do what a command needs, and say what it can.

    Raises:
        ConfigError: It cannot.
    """
    with told_who_wrote(run.path):
        model = model_class(run.settings.model)
    if not issubclass(model, capability):
        able, asked = ", ".join(map(in_words, capabilities(model))), in_words(capability.__name__)
        raise ConfigError(
            f"{run.settings.model}, the model of {run.path}, lacks what this needs: {asked}; it has: {able}"
        )


def device_named(name: Literal["auto", "cpu", "cuda", "mps"]) -> torch.device:
    """The device of that name; auto takes the fastest one available.

    Raises:
        ConfigError: It is not available.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, found in there.items() if found))
    if not there[name]:
        found = ", ".join(kind for kind, is_there in there.items() if is_there)
        raise ConfigError(f"--device {name}: torch finds none here; there is {found}")
    return torch.device(name)
