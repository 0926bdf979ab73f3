"""The training loop, all of it, read downwards.

`fit` is a generator of records: the caller's `for` loop is the callback, and between records torch's generators are
the caller's. Nothing waits for the device except a record.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import count, islice

import torch
from lightning_fabric import Fabric
from torch import Tensor

from untaught.data.batches import Feed, fixed_batches
from untaught.data.labels import as_labelled
from untaught.data.part import Part
from untaught.data.reading.arrays import from_array
from untaught.data.source import Source
from untaught.data.view import statistics
from untaught.evaluate.drawing.illustrate import illustrate
from untaught.evaluate.subject import Subject
from untaught.model import Model, Stage
from untaught.nn.targets import LABEL_LOSSES
from untaught.randomness import Stream
from untaught.runs.run import Checkpoint, Run
from untaught.runs.settings import Training as Training
from untaught.runs.settings import recipe_for
from untaught.training.clock import Clock, interrupt_deferred
from untaught.training.devices import make_fabric
from untaught.training.held_out import held_out_losses, limit
from untaught.training.memory import Needs, rehearse
from untaught.training.resume import best_weights, counters, restore, training_state, weights
from untaught.training.step import Stepper

SAMPLE = 10_000
"""Examples that `prepare` looks at."""


@dataclass(frozen=True)
class Record:
    """What training tells at one moment."""

    stage: str
    step: int
    epoch: float
    """Passes over the data in this stage."""
    seconds: float
    """Time spent in this stage, earlier parts of a resumed training included."""
    progress: float
    losses: dict[str, float] = field(default_factory=lambda: {})
    """Mean of every part of the loss since the last record."""
    held_out: dict[str, float] = field(default_factory=lambda: {})
    """The same on held-out data, where it was measured now."""
    rate: float = 0.0
    """Examples a second."""
    seconds_left: float = 0.0
    needs: Needs | None = None
    """Weights and memory; on the record before a stage's first step."""
    best: bool = False
    """Whether the held-out loss was the lowest so far."""


def fit(
    model: Model, data: Source | Tensor, training: Training | None = None, run: Run | None = None
) -> Generator[Record, None, None]:
    """Train a model stage by stage; give a run to keep checkpoints, and to go on from its last one.

    Args:
        model: What to train; afterwards it has the weights with the lowest held-out loss.
        data: A source, or examples.
        training: How long and how; the model's recipe by default.
        run: Where records and checkpoints are kept.

    Raises:
        DataError: The data are not what the model needs.
        SizeError: The training does not fit into memory.
        NotFiniteError: A loss became infinite or not a number.

    Example:
        >>> import untaught
        >>> data = untaught.open_data("digits")
        >>> model = untaught.Autoencoder(untaught.Autoencoder.Config(latent=4), data.shape)
        >>> for record in fit(model, data, Training(epochs=1)):
        ...     last = record
        >>> last.progress
        1.0
    """
    training = training or Training()
    source = data if isinstance(data, Source) else from_array(data)
    stages = model.stages()
    fabric = make_fabric(training, [stage.learner for stage in stages])
    fabric.launch()
    resumed = run.last() if run is not None else None
    begin = 0 if resumed is None else resumed.counters["stage_number"]
    for number in range(begin, len(stages)):
        stage = _StageTraining(model, stages, number, source, training, fabric, run, resumed)
        resumed = None
        yield from stage.records()
    model.eval()


def train(model: Model, data: Source | Tensor, training: Training | None = None, run: Run | None = None) -> Record:
    """Run `fit` to its end and give the last record."""
    return deque(fit(model, data, training, run), maxlen=1)[0]


class _StageTraining:
    """One stage of one model: everything that its loop needs."""

    def __init__(
        self,
        model: Model,
        stages: Sequence[Stage],
        number: int,
        source: Source,
        training: Training,
        fabric: Fabric,
        run: Run | None,
        resumed: Checkpoint | None,
    ) -> None:
        self.model, self.stage, self.number = model, stages[number], number
        self.learner = self.stage.learner
        self.training, self.fabric, self.run, self.resumed = training, fabric, run, resumed
        self.recipe = recipe_for(self.stage.name, self.stage.recipe, training)
        self.view = self.stage.view if training.view is None else training.view
        self.threads = training.threads or (resumed.counters["threads"] if resumed else torch.get_num_threads())
        few, selects = training.labels_per_class, self.learner.monitor in LABEL_LOSSES
        self.parts = as_labelled(source.parts(), few, training.seed, self.stage.labelled, selects)
        self.statistics = statistics(source.parts().train, self.view, fabric.device)
        model.to(fabric.device)
        self.feed = self._feed(self.parts.train, self.recipe.batch_size)
        self.held_out = self._feed(self.parts.validation, self.recipe.batch_size)
        self.clock = self._clock(stages)
        self.stream = Stream(training.seed + 7919 * fabric.global_rank + number, fabric.device)
        self.written = 0 if run is None else len(run.records())
        self.best: dict[str, Tensor] | None = None

    def records(self) -> Generator[Record, None, None]:
        """Train the stage, from its beginning or from the checkpoint."""
        self.model.train()
        with self._inside():
            self._hand_over()
            expected = None if self.clock.total is not None else self.clock.limit
            stepper = Stepper(self.fabric, self.learner, self.feed, self.recipe, self.training, expected)
            self._restored(stepper)
            announced = self._announced(stepper)
            stepper.prime(next(self.feed.tickets(0))[0])
        yield announced
        tickets = self._tickets()
        while not self.clock.over:
            # -------- train to the next record, in our own generators
            with self._inside(), interrupt_deferred() as interrupted:
                self.clock.start()
                for starts, raw in islice(tickets, self.clock.segment()):
                    stepper(starts, raw, self.clock.progress, self.clock.step)
                    self.clock.step += 1
                    if interrupted:
                        break
                losses = stepper.read(self.clock.step)
                self.clock.stop()
                self._agree()
                # -------- measure, save, tell
                held_out, better = self._measured(stepper) if self.clock.validation_due() else ({}, False)
                record = self._record(losses, held_out, better)
                self._write(record)
                if self.clock.checkpoint_due(better):
                    self._save(stepper, held_out)
            try:
                yield record
                if interrupted:
                    raise KeyboardInterrupt
            except KeyboardInterrupt:
                with self._inside():
                    self._save(stepper, record.held_out)
                raise
        self._leave(stepper)

    def _hand_over(self) -> None:
        """Before a stage's first step take weights from the stage before, and look at the data."""
        if self.resumed is not None:
            return
        if self.stage.begin is not None:
            self.stage.begin()
        sample = self._feed(self.parts.train, max(1, SAMPLE // (self.view.frames or 1)))
        self.learner.prepare(next(fixed_batches(sample, sample.batch_size)))

    def _restored(self, stepper: Stepper) -> None:
        """Go on from the checkpoint, or save the beginning of a later stage so that it need not begin again."""
        if self.resumed is None:
            if self.run is not None and self.number > 0:
                self._save(stepper, {})
            return
        assert self.run is not None
        restore(self.resumed, self.model, stepper, self.fabric.device, self.clock)
        self.written = self.resumed.counters["records"]
        if self.fabric.is_global_zero:
            self.run.cut_records(self.written)
        self.best = best_weights(self.run, self.number, self.fabric.device)

    def _announced(self, stepper: Stepper) -> Record:
        """Tell what the stage needs before its first step, or refuse it."""
        needs, rate = rehearse(stepper, self.model.shape)
        self.clock.rate = self.clock.rate or rate / self.recipe.batch_size
        step, epoch = self.clock.step, self.clock.step / self.feed.steps
        left = self.clock.seconds_left
        return Record(self.stage.name, step, epoch, self.clock.seconds, self.clock.progress, {}, {}, rate, left, needs)

    def _tickets(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Examples from the clock's step on, epoch after epoch."""
        epoch, skip = divmod(self.clock.step, self.feed.steps)
        yield from self.feed.tickets(epoch, skip)
        for following in count(epoch + 1):
            yield from self.feed.tickets(following)

    def _leave(self, stepper: Stepper) -> None:
        """Leave the model with the weights of the lowest held-out loss."""
        for parameters in stepper.parameters.values():
            for parameter in parameters:
                parameter.requires_grad_(True)
        if self.best is not None:
            self.model.load_state_dict(self.best)

    def _save(self, stepper: Stepper, held_out: dict[str, float]) -> None:
        if self.run is not None and self.fabric.is_global_zero:
            state = training_state(self.model, stepper, self.fabric.device, self.statistics)
            told = counters(self.number, self.clock, self.written, self._monitored(held_out) if held_out else None)
            self.run.save(self.stage.name, self.clock.step, state, told)

    def _measured(self, stepper: Stepper) -> tuple[dict[str, float], bool]:
        """Losses on held-out data, and whether they are the best so far; now and then pictures too."""
        held_out, cost = held_out_losses(stepper, self.held_out)
        better = self.clock.validated(self._monitored(held_out), cost)
        self._agree()
        if better:
            self.best = weights(self.model, stepper)
        if self.clock.picture_due():
            self._picture(stepper)
        return held_out, better

    def _monitored(self, held_out: dict[str, float]) -> float:
        """The number that selects; minus the step where the learner names none, so that the last is the best."""
        return held_out[self.learner.monitor] if self.learner.monitor else -float(self.clock.step)

    def _picture(self, stepper: Stepper) -> None:
        """Write what the model shows of held-out data at this step."""
        if self.run is not None and self.fabric.is_global_zero:
            parts = replace(self.parts, test=self.parts.validation)
            shown = Subject(self.model, parts, self.view, self.statistics, (), self.fabric.device, self.training.seed)
            with stepper.averaged():
                illustrate(shown, self.run.pictures / f"{self.stage.name}-{self.clock.step:08d}")

    def _feed(self, part: Part, batch_size: int) -> Feed:
        device = self.fabric.device
        tensor = part.frames.in_memory
        if device.type == "cuda" and tensor is not None and part.frames.nbytes < torch.cuda.mem_get_info(device)[0] / 2:
            part = part.to(device)
        rank, ranks = self.fabric.global_rank, self.fabric.world_size
        return Feed(
            part, self.view, self.statistics, self.stage.sees, device, batch_size, self.training.seed, rank, ranks
        )

    def _clock(self, stages: Sequence[Stage]) -> Clock:
        asked, said = self.training, self.training.stage_epochs.get(self.stage.name)
        epochs = said or (asked.epochs if self.stage is stages[-1] else self.recipe.epochs or asked.epochs)
        timed = [stage for stage in stages if stage.name not in asked.stage_epochs]
        minutes = None if asked.minutes is None or said else asked.minutes / len(timed)
        share, held_out = 1 / len(stages), limit(self.held_out) / self.recipe.batch_size
        return Clock(self.feed.steps, None if minutes else epochs, minutes, share, held_out)

    def _agree(self) -> None:
        """All processes take the first one's clock, so that they stop together."""
        if self.fabric.world_size > 1:
            self.clock.restore(self.fabric.broadcast(self.clock.state()))

    def _record(self, losses: dict[str, float], held_out: dict[str, float], best: bool) -> Record:
        clock, rate, epoch = self.clock, self.clock.rate * self.recipe.batch_size, self.clock.step / self.feed.steps
        told = (self.stage.name, clock.step, epoch, clock.seconds, clock.progress, losses, held_out, rate)
        return Record(*told, clock.seconds_left, best=best)

    def _write(self, record: Record) -> None:
        if self.run is not None and self.fabric.is_global_zero:
            self.run.append(asdict(record))
            self.written += 1

    @contextmanager
    def _inside(self) -> Generator[None, None, None]:
        """Our generators and threads inside; the caller's afterwards."""
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            with self.stream:
                yield
        finally:
            torch.set_num_threads(before)
