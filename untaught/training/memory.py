"""How much memory a training needs, and whether the device has it; checked before the first step."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from untaught.errors import SizeError
from untaught.model import Batch
from untaught.randomness import seeded
from untaught.recipe import Recipe, Rule
from untaught.shapes import Shape
from untaught.training.feeds import Draw
from untaught.training.held_out import buffers_kept
from untaught.training.step import Stepper

STATES: dict[Rule, int] = {"adam": 2, "adamw": 2, "sgd": 1, "rmsprop": 2, "adagrad": 1, "lbfgs": 20, "cg": 10}
"""Numbers that an optimiser stores per weight; L-BFGS stores two for each of ten past steps."""


@dataclass(frozen=True)
class Needs:
    """Memory of one training in bytes, and its number of weights."""

    weights: int
    """Number of weights."""
    weight_bytes: int
    """Bytes of weights, gradients and optimiser state."""
    activation_bytes: int
    """Bytes that one step stores for its backward pass."""
    data_bytes: int
    """Bytes of the data that are put on the device."""

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.weight_bytes + self.activation_bytes + self.data_bytes


def available(device: torch.device) -> int:
    """Free bytes on a device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
        return min(free, _group_limit())
    except (OSError, StopIteration):
        return 2**34  # no such file outside Linux; assume a laptop with 16 GiB


def _group_limit() -> int:
    """Memory limit of the control group, which containers set."""
    try:
        return int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):
        return 2**62


def weight_bytes(count: int, rules: Iterable[Rule], averaged: bool) -> int:
    """Bytes of `count` float32 weights, their gradients, optimiser state, and running average if there is one."""
    return 4 * count * (2 + max(STATES[rule] for rule in rules) + averaged)


def counted(model: nn.Module) -> int:
    """Number of weights of a model."""
    return sum(parameter.numel() for parameter in model.parameters())


@contextmanager
def counting_saved(model: nn.Module) -> Generator[list[int]]:
    """Count the bytes, apart from weights, that forward passes inside the `with` store for the backward pass."""
    kept = [0]
    own = {parameter.data_ptr() for parameter in model.parameters()}
    seen: set[int] = set()

    def note(tensor: Tensor) -> Tensor:
        place = tensor.data_ptr()
        if place not in own and place not in seen:
            seen.add(place)
            kept[0] += tensor.numel() * tensor.itemsize
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        yield kept


def rehearse(stepper: Stepper, shape: Shape) -> tuple[Needs, float]:
    """Measure a stage's memory and speed by one loss and its gradient; leaves everything unchanged.

    Args:
        stepper: Runs the stage's steps; its learner is on the device.
        shape: One example's shape.

    Returns:
        The memory needed, and the seconds that a step takes.

    Raises:
        SizeError: It does not fit.
    """
    draw = next(stepper.feeds.steps_from(0))[0]
    with buffers_kept(stepper.learner), _refused_by_the_allocator(shape):
        weights = sum(weight.numel() for own in stepper.parameters.values() for weight in own)
        # One part of the stored bytes grows with the batch, another does not, such as weights in another precision.
        two, four = (_kept(stepper, draw.first(few)) for few in (2, 4))
        activations = max(two, two + (four - two) * (len(draw) - 2) // 2)
        held = weight_bytes(weights, [own.name for own in stepper.chosen.values()], stepper.average is not None)
        needs = Needs(weights, held, activations, stepper.feeds.data_bytes)
        refuse(needs, shape, stepper.device)
        seconds = _seconds(stepper, draw)
        if seconds < 1:  # the first run warms up
            seconds = _seconds(stepper, draw)
    return needs, seconds


@contextmanager
def _refused_by_the_allocator(shape: Shape) -> Generator[None]:
    """Let a first step that needs more memory than there is at all be refused as one that is measured."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, MemoryError) and "allocate memory" not in str(error):
            raise
        told = f"a step on four examples of {_by(shape)} needs more memory than there is"
        raise SizeError(f"{told}; choose a smaller --size or model") from error


def step_seconds(stepper: Stepper) -> float:
    """Seconds that the loss and gradient of a first step take; leaves everything unchanged."""
    draw = next(stepper.feeds.steps_from(0))[0]
    with buffers_kept(stepper.learner):
        return _seconds(stepper, draw)


def _kept(stepper: Stepper, draw: Draw) -> int:
    """Bytes that one update on these examples stores for its backward pass, of the player that stores the most."""
    with seeded(stepper.feeds.main.seed, stepper.device):
        batch = stepper.feeds.batch(draw)
        return max(_kept_by(stepper, batch, player) for player in stepper.updates)


def _kept_by(stepper: Stepper, batch: Batch, player: str) -> int:
    with counting_saved(stepper.learner) as kept:
        _loss(stepper, batch, player)
    return kept[0]


def _loss(stepper: Stepper, batch: Batch, player: str) -> Tensor:
    with stepper.fabric.autocast():
        return stepper.learner.loss(batch, player, stepper.progress).total


def _seconds(stepper: Stepper, draw: Draw) -> float:
    """Seconds that a step takes: every player's loss and its gradient, once for each of its updates."""
    begin = time.perf_counter()
    with seeded(stepper.feeds.main.seed, stepper.device):
        batch = stepper.feeds.batch(draw)
        for player, updates in stepper.updates.items():
            for _ in range(updates):
                total = _loss(stepper, batch, player)
                torch.autograd.grad(total, stepper.parameters[player], allow_unused=True)
                float(total.detach())  # waits for the device
    return time.perf_counter() - begin


def refuse_weights(build: Callable[[Shape], nn.Module], shape: Shape, recipe: Recipe, device: torch.device) -> None:
    """Refuse a model whose weights alone do not fit, before it is built: it is first built without allocating memory.

    Raises:
        SizeError: They do not fit; the message names a picture size that does, if there is one.
    """
    need, free = _unbuilt_bytes(build, shape, recipe), available(device)
    if need <= free:
        return
    raise SizeError(
        f"the weights for examples of {_by(shape)} need {_readable(need)} to be trained; {_readable(free)} are free\n"
        + _advice(_fitting(lambda smaller: _unbuilt_bytes(build, smaller, recipe) <= free, shape))
    )


def refuse(needs: Needs, shape: Shape, device: torch.device) -> None:
    """Refuse a training that does not fit.

    Raises:
        SizeError: It does not fit; the message names a size that does.
    """
    free = available(device) + (needs.data_bytes if device.type == "cpu" else 0)
    if needs.bytes <= free:
        return
    spare = free - needs.weight_bytes
    variable = needs.activation_bytes + needs.data_bytes

    def fits(smaller: Shape) -> bool:
        return variable * smaller[-1] * smaller[-2] / (shape[-1] * shape[-2]) <= spare

    raise SizeError(
        f"this training needs {_readable(needs.bytes)} for examples of {_by(shape)}, and {_readable(free)} are free\n"
        + _advice(_fitting(fits, shape), ", or a smaller --batch-size")
    )


def _fitting(fits: Callable[[Shape], bool], shape: Shape) -> Shape | None:
    """The largest of the halved, quartered ... sizes that fits."""
    if len(shape) != 3:
        return None
    channels, height, width = shape
    while min(height, width) >= 16:
        height, width = height // 2, width // 2
        if fits((channels, height, width)):
            return channels, height, width
    return None


def _advice(fitting: Shape | None, more: str = "") -> str:
    if fitting is None:
        return "no smaller picture would fit; choose a smaller model" + more
    return f"--size {fitting[1]}x{fitting[2]} fits{more}"


def _unbuilt_bytes(build: Callable[[Shape], nn.Module], shape: Shape, recipe: Recipe) -> int:
    with torch.device("meta"):
        model = build(shape)
    chains = sum(buffer.numel() * buffer.itemsize for buffer in model.buffers())
    return chains + weight_bytes(counted(model), [recipe.optimiser.name], recipe.average is not None)


def _by(shape: Shape) -> str:
    return "x".join(str(side) for side in shape)


def _readable(count: Any) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
