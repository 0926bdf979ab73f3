"""A pass over data that goes on from the pass before it: weights, chains and the optimisers' moments stay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from untaught.data.batches import Feed, fixed_batches
from untaught.data.part import Part
from untaught.data.view import Statistics
from untaught.model import Model, Stage
from untaught.randomness import seeded
from untaught.runs.checkpoint import pack, unpack
from untaught.runs.settings import Training, recipe_for
from untaught.training.devices import make_fabric
from untaught.training.fit import SAMPLE
from untaught.training.step import Stepper


def one_pass(
    model: Model,
    stage: Stage,
    part: Part,
    known: Statistics | None,
    training: Training,
    moments: dict[str, Any] | None,
) -> tuple[dict[str, float], dict[str, Any]]:
    """Train one stage of a model for one pass.

    Args:
        model: The model, whose device the training says.
        stage: Which of its stages.
        part: The data.
        known: What the stage's view standardises by.
        training: How; its seed orders and draws this pass.
        moments: What each player's optimiser remembers of the pass before; none begins the stage.

    Returns:
        Mean of every part of the loss, and the optimisers' moments.
    """
    learner = stage.learner
    fabric = make_fabric(training, [learner])
    model.to(fabric.device).train()
    recipe = recipe_for(stage.name, stage.recipe, training)
    device = fabric.device
    if known is not None:
        known = Statistics(known.mean.to(device), known.deviation.to(device))
    by = None if stage.view.standardise == "none" else known
    feed = Feed(part.to(device), stage.view, by, stage.sees, device, recipe.batch_size, training.seed)
    with seeded(training.seed, device):
        if moments is None:
            _begin(stage, feed)
        stepper = Stepper(fabric, learner, feed, recipe, training, None)
        for player, state in (moments or {}).items():
            optimiser = stepper.optimisers[player]
            optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
        for starts, raw in feed.tickets(0):
            stepper(starts, raw, progress=1.0, step=0)
        losses = stepper.read(feed.steps)
    for parameters in stepper.parameters.values():
        for parameter in parameters:
            parameter.requires_grad_(True)
    return losses, {player: _at_rest(own.state_dict()["state"]) for player, own in stepper.optimisers.items()}


def _begin(stage: Stage, feed: Feed) -> None:
    if stage.begin is not None:
        stage.begin()
    stage.learner.prepare(next(fixed_batches(replace(feed, batch_size=SAMPLE), SAMPLE)))


def _at_rest(state: Any) -> Any:
    """A copy on the CPU."""
    tensors: dict[str, Tensor] = {}
    packed = pack(state, tensors)
    return unpack(packed, {place: tensor.cpu() for place, tensor in tensors.items()})
