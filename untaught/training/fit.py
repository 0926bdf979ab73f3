"""The whole training loop, to be read from top to bottom.

`fit` is a generator of records: the caller's `for` loop takes the place of callbacks. Between records torch's random
generators are in the caller's state. Only a record waits for the device. Threads that train take turns, from one record
to the next.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from torch import Tensor

from untaught.ambient import as_torch_begins
from untaught.data.batches import Feed, fixed_batches
from untaught.data.source import open_data
from untaught.data.view import Batch, example_shape
from untaught.errors import ConfigError
from untaught.evaluate.drawing.illustrate import illustrate
from untaught.evaluate.subject import Subject
from untaught.model import Model
from untaught.randomness import Draws, seeded
from untaught.runs.run import Checkpoint, Run
from untaught.runs.settings import Training as Training
from untaught.threads import Threads
from untaught.training.clock import Clock, interrupt_deferred
from untaught.training.devices import make_fabric, precision_of
from untaught.training.feeds import Feeds
from untaught.training.held_out import held_out_losses, limit
from untaught.training.memory import Needs, rehearse, step_seconds
from untaught.training.plan import Plan, StreamPlan, plan_for
from untaught.training.resume import best_weights, counters, restore, training_state, weights
from untaught.training.step import Stepper

SAMPLE = 60_000
"""Examples that `prepare` looks at at most: all of MNIST, as many as principal components are fitted on elsewhere."""
BESIDE = 1_000
"""Examples of each further stream, likewise."""
SAMPLE_VALUES = 2**28
"""Numbers in them at most: 1 GiB."""


@dataclass(frozen=True)
class Record:
    """Progress of a training at one moment."""

    stage: str
    step: int
    epoch: float
    """Passes over the data in this stage."""
    seconds: float
    """Time spent in this stage, including before a training was resumed."""
    progress: float
    losses: dict[str, float] = field(default_factory=lambda: {})
    """Mean of every part of the loss since the last record."""
    held_out: dict[str, float] = field(default_factory=lambda: {})
    """The same on held-out data, if measured at this record."""
    rate: float = 0.0
    """Examples a second."""
    seconds_left: float = 0.0
    needs: Needs | None = None
    """Number of weights and memory; only on the record before a stage's first step."""
    best: bool = False
    """Whether the held-out loss was the lowest so far."""
    threads: int = 1
    """Processor threads that compute a step."""
    precision: str = "float32"
    """Arithmetic of large products, float32 or bf16; `auto` chooses it by the hardware."""


def fit(
    what: Plan | Model,
    data: Any = None,
    training: Training | None = None,
    run: Run | None = None,
    moments: Sequence[float] = (),
) -> Generator[Record, None, None]:
    """Train stage by stage. With a run, write checkpoints, and continue from its last one.

    Args:
        what: A plan, or a model for which a plan is made from `data` and `training`.
        data: A source, a tensor of examples, or anything that `open_data` opens; not given with a plan.
        training: How long and how; the model's recipe by default.
        run: Where records and checkpoints are written.
        moments: Fractions of the last stage at which there is a record too, if its length is known.

    Afterwards the model has the weights with the lowest held-out loss, or the last ones if `monitor` is None or `keep`
    says so.

    Raises:
        DataError: The data do not suit the model.
        SizeError: The training does not fit into memory.
        NotFiniteError: A loss became infinite or NaN.

    Example:
        >>> import untaught
        >>> data = untaught.open_data("digits")
        >>> model = untaught.Autoencoder(untaught.Autoencoder.Config(latent=4), data.shape)
        >>> for record in fit(model, data, Training(epochs=1)):
        ...     last = record
        >>> last.progress
        1.0
    """
    plan = _planned(what, data, training)
    fabric = make_fabric(plan.training, [own.stage.learner for own in plan.stages])
    fabric.launch()
    if run is not None and fabric.is_global_zero:
        run.keep_statistics(plan.statistics)
    resumed = run.last() if run is not None else None
    begin = 0 if resumed is None else resumed.counters["stage_number"]
    for number in range(begin, len(plan.stages)):
        with as_torch_begins():
            stage = _StageTraining(plan, number, fabric, run, resumed)
        if number == len(plan.stages) - 1:
            stage.clock.moments = tuple(moments)
        resumed = None
        yield from stage.records()
    plan.model.eval()


def train(
    what: Plan | Model,
    data: Any = None,
    training: Training | None = None,
    run: Run | None = None,
) -> Record:
    """Run `fit` to its end and give the last record."""
    return deque(fit(what, data, training, run), maxlen=1)[0]


def _planned(what: Plan | Model, data: Any, training: Training | None) -> Plan:
    if isinstance(what, Plan):
        return what
    if data is None:
        raise ConfigError("a model is trained on data: fit(model, data), or fit(plan)")
    with as_torch_begins():
        return plan_for(what, open_data(data, video=what.example.frames is not None), training)


class _StageTraining:
    """One stage of a plan, with everything that its loop needs."""

    def __init__(self, plan: Plan, number: int, fabric: Fabric, run: Run | None, resumed: Checkpoint | None) -> None:
        self.plan, self.number, self.own = plan, number, plan.stages[number]
        self.model, self.stage, self.learner = plan.model, self.own.stage, self.own.stage.learner
        self.training, self.fabric, self.run, self.resumed = plan.training, fabric, run, resumed
        self.model.to(fabric.device)
        self.feeds, self.held_out = self._feeds("train"), self._feeds("validation")
        self.clock = self._clock()
        self.threads = self._threads()
        self.draws = Draws(plan.training.seed + 7919 * fabric.global_rank + number, fabric.device)
        self.written = 0 if run is None else run.count_records()
        self.best: dict[str, Tensor] | None = None

    def records(self) -> Generator[Record, None, None]:
        """Train the stage, from its beginning or from the checkpoint."""
        self.model.train()
        with self._inside():
            stepper, announced = self._begun()
        yield announced
        steps = self.feeds.steps_from(self.clock.step)
        while not self.clock.over:
            # -------- train to the next record, with our own random generators
            with self._inside(), interrupt_deferred() as interrupted:
                self.clock.start()
                for draws in islice(steps, self.clock.segment()):
                    with self.threads.step():
                        stepper(draws, self.clock.progress, self.clock.step)
                    self.clock.step += 1
                    if interrupted and self.fabric.world_size == 1:  # others would wait for the steps left out
                        break
                stepper.release()
                losses = stepper.read(self.clock.step)
                self.clock.stop()
                self._agree()
                # -------- measure, save, report
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
        self._leave()

    def _begun(self) -> tuple[Stepper, Record]:
        """Make everything ready for the first step; what the stage needs, as a record."""
        self._hand_over()
        expected = None if self.clock.total is not None else self.clock.limit
        recipe, chosen = self.own.recipe, self.own.optimisers
        stepper = Stepper(self.fabric, self.learner, self.feeds, recipe, chosen, self.training, expected)
        needs, seconds = self._rehearsed(stepper)
        self._restored(stepper)
        self.clock.rate = self.clock.rate or 1 / seconds
        self._agree()
        announced = replace(self._record(), needs=needs)
        stepper.prime(next(self.feeds.steps_from(0)))
        self._begin_solved(stepper)
        return stepper, announced

    def _hand_over(self) -> None:
        """Before a stage's first step, take weights from the stage before, and call `prepare` on the data."""
        if self.resumed is not None:
            return
        if self.stage.begin is not None:
            self.stage.begin()
        examples = self._sampled()
        beside = {name: _first(feed, min(BESIDE, examples)) for name, feed in self.feeds.beside.items()}
        self.learner.prepare(replace(_first(self.feeds.main, examples), beside=beside))

    def _sampled(self) -> int:
        """How many examples `prepare` is shown; a frozen network may give many more numbers than it is shown."""
        view = self.own.main.view
        with seeded(0):  # what `sees` draws for this look is not taken from the training's own numbers
            one = _first(self.feeds.main, 1)
        frames = view.frames or 1
        shown = frames * math.prod(example_shape(self.own.main.parts.train.shape, view))
        values = max(shown, one.x[0].numel(), one.wanted[0].numel())
        return max(1, min(SAMPLE // frames, SAMPLE_VALUES // values))

    def _restored(self, stepper: Stepper) -> None:
        """Continue from the checkpoint, or save the beginning of a later stage, so that resuming need not repeat it."""
        if self.resumed is None:
            if self.run is not None and self.number > 0:
                self._save(stepper, {})
            return
        assert self.run is not None
        restore(self.resumed, self.model, stepper, self.fabric.device, self.clock)
        self.written = self.resumed.counters["records"]
        self.best = best_weights(self.run, self.number, self.fabric.device)
        if self.fabric.is_global_zero:  # after all that can be refused: a run that is refused stays as it is
            self.run.cut_records(self.written)

    def _rehearsed(self, stepper: Stepper) -> tuple[Needs, float]:
        """What the stage needs before its first step, and the seconds of a step; chooses the number of threads.

        If the stage ends by time, other numbers are tried again; if after a number of steps, bits are promised to be
        equal, and the choice stays. A search along a line takes steps of different lengths, which tell nothing, and
        compiled code is compiled anew for each number.
        """
        needs, seconds = rehearse(stepper, self.model.shape)
        total = self.clock.total
        if self.threads.worth_trying(self.clock.limit if total is None else total * seconds, total):
            seconds = self.threads.choose(lambda: step_seconds(stepper), seconds)
        if total is None and not stepper.searching and self.training.compile != "on":
            self.threads.try_again()
        return needs, seconds

    def _threads(self) -> Threads:
        """The number of threads that is given; else the stored one; else what torch was given, until others are tried.

        Steps on another device, or together with other processes, are not timed here.
        """
        given = self.training.threads
        stored = None if self.resumed is None else int(self.resumed.counters["threads"])
        stays = stored is not None and self.clock.total is not None
        elsewhere = self.fabric.device.type != "cpu" or self.fabric.world_size > 1
        most = torch.get_num_threads()
        return Threads(given or stored or most, most, given is not None or stays or elsewhere)

    def _begin_solved(self, stepper: Stepper) -> None:
        """Measure, and keep, the weights of a learner that begins at a solution."""
        if self.resumed is None and self.learner.begins_solved:
            held_out, _ = self._measured(stepper)
            self._save(stepper, held_out)

    def _leave(self) -> None:
        """Leave the model with the weights of the lowest held-out loss."""
        if self.best is not None:
            self.model.load_state_dict(self.best)

    def _save(self, stepper: Stepper, held_out: dict[str, float]) -> None:
        if self.run is not None and self.fabric.is_global_zero:
            state = training_state(self.model, stepper, self.fabric.device)
            told = self._counters(held_out)
            self.run.save(self.stage.name, self.clock.step, state, told)

    def _counters(self, held_out: dict[str, float]) -> dict[str, Any]:
        loss = self._monitored(held_out) if held_out else None
        return counters(self.number, self.clock, self.written, loss, self.threads.count, self._selects() or "last")

    def _measured(self, stepper: Stepper) -> tuple[dict[str, float], bool]:
        """Losses on held-out data, and whether they are the best so far; now and then pictures too."""
        held_out, cost = held_out_losses(stepper, self.held_out)
        better = self.clock.validated(self._monitored(held_out), cost, self.learner.tolerance, self.learner.negligible)
        self._agree()
        if better:
            self.best = weights(self.model, stepper)
        if self.training.pictures == "each" or self.clock.picture_due():
            begin = time.perf_counter()
            self._picture(stepper)
            self.clock.drew(time.perf_counter() - begin)
            self._agree()
            self._agree()
        return held_out, better

    def _monitored(self, held_out: dict[str, float]) -> float:
        """The number that selects weights, lowest first; minus the step where the last are to be kept."""
        selects = self._selects()
        return -float(self.clock.step) if selects is None else held_out[selects]

    def _selects(self) -> str | None:
        """The held-out part that selects weights; None where the last are to be kept."""
        return None if self.training.keep == "last" else self.learner.monitor

    def _picture(self, stepper: Stepper) -> None:
        """Write pictures of held-out data and the model's outputs at this step."""
        if self.run is not None and self.fabric.is_global_zero:
            main, device = self.own.main, self.fabric.device
            known = None if main.statistics is None else main.statistics.to(device)
            parts = replace(main.parts, test=main.parts.validation)
            others = [stream.parts for key, stream in self.own.beside.items() if self.stage.beside[key].other]
            other = replace(others[0], test=others[0].validation) if others else None
            shown = Subject(self.model, parts, main.view, known, (), device, self.training.seed, other=other)
            with stepper.averaged():
                illustrate(shown, self.run.pictures / f"{self.stage.name}-{self.clock.step:08d}")

    def _feeds(self, name: Literal["train", "validation"]) -> Feeds:
        """The stage's streams, of the training or the validation part."""
        beside = {
            key: self._feed(stream, name, number + 1) for number, (key, stream) in enumerate(self.own.beside.items())
        }
        return Feeds(self._feed(self.own.main, name, 0), beside, self.own.draws)

    def _feed(self, stream: StreamPlan, name: Literal["train", "validation"], number: int) -> Feed:
        device = self.fabric.device
        part = stream.parts.train if name == "train" else stream.parts.validation
        tensor = part.frames.in_memory
        if device.type == "cuda" and tensor is not None and part.frames.nbytes < torch.cuda.mem_get_info(device)[0] / 2:
            part = part.to(device)
        return Feed(
            part,
            stream.view,
            None if stream.statistics is None else stream.statistics.to(device),
            self.stage.sees,
            device,
            stream.batch_size,
            self.training.seed + 104_729 * number,  # a different order for each stream
            self.fabric.global_rank,
            self.fabric.world_size,
            self.stage.target,
        )

    def _clock(self) -> Clock:
        own = self.own
        held_out = limit(self.held_out.main) / own.main.batch_size
        if own.updates is not None:  # half a step less: the clock rounds up to exactly this number
            return Clock(self.feeds.steps, (own.updates - 0.5) / self.feeds.steps, None, own.share, held_out)
        return Clock(self.feeds.steps, own.epochs, own.minutes, own.share, held_out)

    def _agree(self) -> None:
        """All processes take the clock of the first, so that they take as many steps and stop together.

        Each measures its own time; one that takes more steps than another waits for it for ever.
        """
        if self.fabric.world_size > 1:
            self.clock.restore(self.fabric.broadcast(self.clock.state()))

    def _record(
        self, losses: dict[str, float] | None = None, held_out: dict[str, float] | None = None, best: bool = False
    ) -> Record:
        clock = self.clock
        return Record(
            self.stage.name,
            clock.step,
            epoch=clock.step / self.feeds.steps,
            seconds=clock.seconds,
            progress=clock.progress,
            losses=losses or {},
            held_out=held_out or {},
            rate=clock.rate * self.own.main.batch_size * self.own.draws,
            seconds_left=clock.seconds_left,
            best=best,
            threads=self.threads.count,
            precision=precision_of(self.fabric),
        )

    def _write(self, record: Record) -> None:
        if self.run is not None and self.fabric.is_global_zero:
            self.run.append(asdict(record))
            self.written += 1

    @contextmanager
    def _inside(self) -> Generator[None, None, None]:
        """Use our random generators and thread count inside; restore the caller's afterwards."""
        with as_torch_begins(), self.draws:
            before = torch.get_num_threads()
            torch.set_num_threads(self.threads.count)
            try:
                yield
            finally:
                torch.set_num_threads(before)


def _first(feed: Feed, examples: int) -> Batch:
    """The first examples of a feed, in one batch."""
    return next(fixed_batches(replace(feed, batch_size=examples, ranks=1, rank=0), examples))
