"""The state of a training in a checkpoint, and how training continues from it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from untaught.model import Model
from untaught.randomness import generator_state, set_generator_state
from untaught.runs.run import Checkpoint, Run
from untaught.training.clock import Clock
from untaught.training.step import Stepper


def weights(model: Model, stepper: Stepper) -> dict[str, Tensor]:
    """A copy of the whole model's weights and buffers; averaged weights if an average is kept."""
    with stepper.averaged():
        return {name: value.detach().clone() for name, value in model.state_dict().items()}


def training_state(model: Model, stepper: Stepper, device: torch.device) -> dict[str, Any]:
    """All tensors of a training: weights, average, optimisers, generators."""
    return {
        "model": model.state_dict(),
        "average": None if stepper.average is None else weights(model, stepper),
        "optimisers": {name: optimiser.state_dict()["state"] for name, optimiser in stepper.optimisers.items()},
        "generators": generator_state(device),
    }


def counters(
    stage_number: int, clock: Clock, records: int, held_out: float | None, threads: int, selects: str
) -> dict[str, Any]:
    """All that a checkpoint says of a training besides tensors; `selects` is what chooses the weights that are kept."""
    return {
        "selects": selects,
        "stage_number": stage_number,
        "held_out_loss": held_out,
        "clock": clock.state(),
        "records": records,
        "threads": threads,
    }


def restore(checkpoint: Checkpoint, model: Model, stepper: Stepper, device: torch.device, clock: Clock) -> None:
    """Restore the state of a training from a checkpoint."""
    state = checkpoint.state
    if stepper.average is not None:
        model.load_state_dict(state["average"])
        for name, value in stepper.learner.named_parameters():
            stepper.average[name].copy_(value.detach())
    model.load_state_dict(state["model"])
    for name, optimiser in stepper.optimisers.items():
        groups = optimiser.state_dict()["param_groups"]
        optimiser.load_state_dict({"state": state["optimisers"][name], "param_groups": groups})
    set_generator_state(state["generators"], device)
    clock.restore(checkpoint.counters["clock"])


def best_weights(run: Run, stage_number: int, device: torch.device) -> dict[str, Tensor] | None:
    """The weights with the lowest held-out loss of a stage, if it was measured."""
    best = run.best()
    if best.counters["held_out_loss"] is None or best.counters["stage_number"] != stage_number:
        return None
    return {name: value.to(device) for name, value in (best.state["average"] or best.state["model"]).items()}
