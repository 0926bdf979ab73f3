"""How one optimisation step is made fast: precision, compilation, CUDA graph capture.

In a step, each player makes its updates: gather a batch, loss, backward, clip, update. Then the weights are averaged.
Nothing in it waits for the device: losses are summed in device tensors and read at records, and a loss that is not
finite is recorded there too. On one GPU that holds the data, the whole step is captured in a CUDA graph and replayed;
learning rate, progress and averaging weight are device tensors that are set before each replay.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from untaught.data.batches import Ticket
from untaught.errors import ConfigError, NotFiniteError
from untaught.model import Batch, Learner, Loss
from untaught.randomness import generator_state, set_generator_state
from untaught.recipe import SEARCHING, Optimiser, Recipe
from untaught.runs.settings import Training
from untaught.training.feeds import Draw, Feeds
from untaught.training.optimisers import CAPTURABLE, make_optimiser, rate_factor

WORTH_COMPILING_SECONDS = 300.0
"""Compiling costs up to a minute; in a training shorter than this it seldom pays."""


class Stepper:
    """Runs one learner's steps and accumulates the losses for records.

    Args:
        fabric: Device, precision and processes.
        learner: The model to train, already on the device.
        feeds: Where batches come from.
        recipe: Clipping, averaging, schedule.
        chosen: The optimiser of each player.
        training: Whether to compile and to capture.
        seconds: Expected length of the stage, which decides whether to compile; None if unknown.
    """

    def __init__(
        self,
        fabric: Fabric,
        learner: Learner,
        feeds: Feeds,
        recipe: Recipe,
        chosen: Mapping[str, Optimiser],
        training: Training,
        seconds: float | None,
    ) -> None:
        self.fabric, self.learner, self.feeds, self.recipe, self.chosen = fabric, learner, feeds, recipe, chosen
        self.device = fabric.device
        self.updates = {name: player.updates for name, player in learner.players.items()}
        self.parameters = {name: _owned(learner, player.prefixes) for name, player in learner.players.items()}
        self.searching = {name for name, own in chosen.items() if own.name in SEARCHING}
        self.captured = self._capture(training, {own.name for own in chosen.values()})
        self.optimisers = {
            name: make_optimiser(self.parameters[name], own, self.captured) for name, own in chosen.items()
        }
        self.highest = {name: own.learning_rate for name, own in chosen.items()}
        self.loss = self._loss(training, seconds)
        self.progress = torch.zeros((), device=self.device)
        self.blend = torch.zeros((), device=self.device)
        self.average = (
            None
            if recipe.average is None
            else {name: value.detach().clone() for name, value in learner.named_parameters()}
        )
        self.sums: dict[str, Tensor] = {}
        self.lasted: dict[str, Tensor] = {}
        self.finite: dict[str, Tensor] = {}
        self.names: dict[str, list[str]] = {}
        self.told: set[tuple[str, int]] = set()
        self.rows = dict.fromkeys(learner.players, 0)
        self.steps = 0
        self.graph: Any = None
        self.static: tuple[Draw, ...] = ()

    def __call__(self, draws: Sequence[Draw], progress: float, step: int) -> None:
        """Take one step on the batches that it draws."""
        self.progress.fill_(progress)
        if self.recipe.average is not None:
            # The decay grows to its value over the first steps, so that the average forgets the initial weights.
            self.blend.fill_(1 - min(self.recipe.average, (1 + step) / (10 + step)))
        factor = rate_factor(self.recipe.schedule, self.recipe.warm_up, progress)
        for name, optimiser in self.optimisers.items():
            for group in optimiser.param_groups:
                if isinstance(group["lr"], Tensor):
                    group["lr"].fill_(self.highest[name] * factor)
                else:
                    group["lr"] = self.highest[name] * factor
        if self.graph is not None and _sizes(draws) == _sizes(self.static):
            _fill(self.static, draws)
            self.graph.replay()
        else:
            self._body(draws)
        for player, updates in self.updates.items():
            self.rows[player] += sum(len(draw) for draw in draws[:updates])
        self.steps += 1

    def _body(self, draws: Sequence[Draw]) -> None:
        """Each player in turn; its first update is on the first draw, its second on the second."""
        batches: list[Batch] = []
        self.told.clear()
        for player, updates in self.updates.items():
            self._only(player)
            for number in range(updates):
                if number == len(batches):
                    batches.append(self.feeds.batch(draws[number]))
                self._update(player, batches[number], number)
        if self.average is not None:
            for name, value in self.learner.named_parameters():
                self.average[name].lerp_(value.detach(), self.blend)

    def _update(self, player: str, batch: Batch, number: int) -> None:
        """Loss, backward, clip, update."""
        optimiser = self.optimisers[player]
        if player in self.searching:
            optimiser.step(self._same_draws(partial(self._evaluate, player, batch, number)))  # type: ignore[arg-type]
        else:
            self._evaluate(player, batch, number)
            optimiser.step()

    def _evaluate(self, player: str, batch: Batch, number: int) -> Tensor:
        """Loss and its gradients, clipped."""
        self.optimisers[player].zero_grad(set_to_none=True)
        with self.fabric.autocast():
            loss = self.loss(batch, player, self.progress)
        self.fabric.backward(loss.total)
        if self.recipe.clip is not None:
            nn.utils.clip_grad_norm_(self.parameters[player], self.recipe.clip)
        self._note(player, number, loss, len(batch.x))
        return loss.total

    def _only(self, player: str) -> None:
        """Compute gradients only for one player's parameters; they flow through the others without being stored."""
        if len(self.parameters) > 1:
            for parameter in itertools.chain.from_iterable(self.parameters.values()):
                parameter.requires_grad_(False)
            for parameter in self.parameters[player]:
                parameter.requires_grad_(True)

    def release(self) -> None:
        """Let gradients reach every player's parameters again: whoever has the model next may train others of them."""
        for parameters in self.parameters.values():
            for parameter in parameters:
                parameter.requires_grad_(True)

    def _same_draws(self, closure: Any) -> Any:
        """A line search needs one fixed function, so every evaluation draws the same random numbers."""
        state = generator_state(self.device)

        def fixed() -> Tensor:
            set_generator_state(state, self.device)
            return closure()

        return fixed

    def _note(self, player: str, number: int, loss: Loss, rows: int) -> None:
        values = torch.stack([value.detach().float() for value in (loss.total, *loss.parts.values())])
        if player not in self.names:
            first = "loss" if len(self.optimisers) == 1 else f"{player}_loss"
            self.names[player] = [first, *loss.parts]
            self.sums[player] = torch.zeros_like(values)
            self.finite[player] = torch.ones_like(values, dtype=torch.bool)
            self.lasted[player] = torch.zeros_like(values, dtype=torch.int64)
        if (player, number) not in self.told:  # a line search evaluates several times; only the first value is recorded
            self.sums[player].add_(values, alpha=rows)
            self.told.add((player, number))
        self.finite[player].logical_and_(values.isfinite())
        self.lasted[player].add_(self.finite[player])

    def read(self, step: int) -> dict[str, float]:
        """Mean of every part since the last reading, over examples; this waits for the device.

        Raises:
            NotFiniteError: A loss was not finite; the message names step, player and part.
        """
        means: dict[str, float] = {}
        for player, names in self.names.items():
            lasted: Any = self.lasted[player]
            mean: Any = self.sums[player] / max(self.rows[player], 1)
            if self.fabric.world_size > 1:
                mean = self.fabric.all_reduce(mean, reduce_op="mean")
                lasted = self.fabric.all_reduce(lasted, reduce_op="min")
            self._refuse_not_finite(player, lasted, step)
            means |= dict(zip(names, mean.tolist(), strict=True))
        self._forget()
        return means

    def _forget(self) -> None:
        for player in self.names:
            self.sums[player].zero_()
            self.lasted[player].zero_()
            self.finite[player].fill_(True)
        self.rows = dict.fromkeys(self.rows, 0)
        self.steps = 0

    def _refuse_not_finite(self, player: str, lasted: Tensor, step: int) -> None:
        evaluated = int(lasted.max()) if player in self.searching else self.steps * self.updates[player]
        first = int(lasted.min())
        if first < evaluated or not self.finite[player].all():
            part = self.names[player][int(lasted.argmin())]
            at = step - self.steps + first // self.updates[player] + 1
            raise NotFiniteError(
                f"at step {at} {part} of player {player} became infinite or not a number; training has stopped\n"
                "the last good checkpoint stays; try a lower --learning-rate or --clip 1"
            )

    @contextmanager
    def averaged(self) -> Generator[None, None, None]:
        """Use the averaged weights instead of the last ones inside the `with`; no effect if none are kept."""
        last = {name: value.detach().clone() for name, value in self.learner.named_parameters()} if self.average else {}
        try:
            self._put(self.average or {})
            yield
        finally:
            self._put(last)

    def _put(self, weights: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, value in self.learner.named_parameters():
                if name in weights:
                    value.copy_(weights[name])

    def prime(self, draws: Sequence[Draw]) -> None:
        """Capture the step for full batches, leaving weights, optimisers, chains and random generators unchanged."""
        if not self.captured:
            return
        self.static = tuple(_copied(draw) for draw in draws)
        kept = {name: value.clone() for name, value in self.learner.state_dict().items()}
        states = {name: _clone(optimiser.state_dict()) for name, optimiser in self.optimisers.items()}
        average = None if self.average is None else {name: value.clone() for name, value in self.average.items()}
        generators = generator_state(self.device)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self._body(self.static)
        torch.cuda.current_stream().wait_stream(side)
        self._restore(kept, states, average)
        for optimiser in self.optimisers.values():
            optimiser.zero_grad(set_to_none=True)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self._body(self.static)
        set_generator_state(generators, self.device)
        self._forget()

    def _restore(self, kept: dict[str, Tensor], states: dict[str, Any], average: dict[str, Tensor] | None) -> None:
        """Write the old values into the tensors that the graph uses; an optimiser state that was empty becomes zero."""
        with torch.no_grad():
            for name, value in self.learner.state_dict().items():
                value.copy_(kept[name])
            for name, value in (self.average or {}).items():
                value.copy_((average or {})[name])
            for name, optimiser in self.optimisers.items():
                for number, state in optimiser.state_dict()["state"].items():
                    old = states[name]["state"].get(number, {})
                    for key, value in state.items():
                        if isinstance(value, Tensor):
                            value.copy_(old[key]) if key in old else value.zero_()

    def _capture(self, training: Training, rules: set[str]) -> bool:
        able = (
            self.device.type == "cuda" and self.fabric.world_size == 1 and self.feeds.resident and rules <= CAPTURABLE
        )
        if training.capture == "on" and not able:
            raise ConfigError(
                f"capture needs one GPU, data that fit on it and an optimiser among {', '.join(sorted(CAPTURABLE))}"
            )
        return able and training.capture != "off"

    def _loss(self, training: Training, seconds: float | None) -> Callable[[Batch, str, Tensor], Loss]:
        """The learner's loss, compiled and distributed over processes as requested."""
        long_enough = seconds is None or seconds > WORTH_COMPILING_SECONDS
        automatic = training.compile == "auto" and self.device.type == "cuda" and long_enough
        if self.fabric.world_size > 1:
            shared = self.fabric.setup_module(_Shared(self.learner))
            return lambda batch, player, progress: Loss(*shared(batch.tensors(), player, progress))
        if training.compile == "on" or (automatic and shutil.which("cc") is not None):
            # With this option the draws of a compiled loss agree with those of the eager one.
            return torch.compile(self.learner.loss, options={"fallback_random": True})
        return self.learner.loss


class _Shared(nn.Module):
    """A learner's loss as a forward pass on plain tensors, which can be wrapped for distributed training."""

    def __init__(self, learner: Learner) -> None:
        super().__init__()
        self.learner = learner

    def forward(self, batch: dict[str, Any], player: str, progress: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        loss = self.learner.loss(Batch.from_tensors(batch), player, progress)
        return loss.total, loss.parts


def _owned(learner: Learner, prefixes: tuple[str, ...]) -> list[nn.Parameter]:
    return [value for name, value in learner.named_parameters() if name.startswith(prefixes) and value.requires_grad]


def _sizes(draws: Sequence[Draw]) -> list[list[int]]:
    return [[len(draw), *(len(ticket.starts) for ticket in draw.beside.values())] for draw in draws]


def _copied(draw: Draw) -> Draw:
    beside = {name: Ticket(ticket.starts.clone()) for name, ticket in draw.beside.items()}
    return Draw(Ticket(draw.main.starts.clone()), beside)


def _fill(static: Sequence[Draw], draws: Sequence[Draw]) -> None:
    """Copy the drawn indices into the tensors that the graph reads."""
    for held, drawn in zip(static, draws, strict=True):
        held.main.starts.copy_(drawn.main.starts)
        for name, ticket in held.beside.items():
            ticket.starts.copy_(drawn.beside[name].starts)


def _clone(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: _clone(item) for key, item in value.items()}
    return value
