"""One pass over data that continues the one before: weights, chains and the optimisers' moments are kept."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

from torch import Tensor

from untaught.data.batches import Feed, fixed_batches
from untaught.data.view import Statistics
from untaught.model import Stage
from untaught.randomness import seeded
from untaught.runs.checkpoint import pack, unpack
from untaught.training.devices import make_fabric
from untaught.training.feeds import Feeds
from untaught.training.fit import SAMPLE
from untaught.training.plan import Plan, StagePlan
from untaught.training.step import Stepper


def one_pass(
    plan: Plan, own: StagePlan, known: Statistics | None, moments: dict[str, Any] | None
) -> tuple[dict[str, float], dict[str, Any]]:
    """Train one stage of a plan for one pass.

    Args:
        plan: What is trained, and where; its seed determines the order and the draws of this pass.
        own: Which of its stages.
        known: Statistics of the first pass by which the view standardises.
        moments: State of each player's optimiser after the pass before; None begins the stage.

    Returns:
        Mean of every part of the loss, and the optimisers' moments.
    """
    learner, training = own.stage.learner, plan.training
    fabric = make_fabric(training, [learner])
    device = fabric.device
    plan.model.to(device).train()
    feed = Feed(
        own.main.parts.train.to(device),
        own.main.view,
        None if known is None or own.main.statistics is None else known.to(device),
        own.stage.sees,
        device,
        own.main.batch_size,
        training.seed,
        target=own.stage.target,
    )
    feeds = Feeds(feed, {}, own.draws)
    with seeded(training.seed, device):
        if moments is None:
            _begin(own.stage, feed)
        stepper = Stepper(fabric, learner, feeds, own.recipe, own.optimisers, training, None)
        for player, state in (moments or {}).items():
            optimiser = stepper.optimisers[player]
            optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
        steps = max(1, round(feeds.steps))
        for draws in islice(feeds.steps_from(0), steps):
            stepper(draws, progress=1.0, step=0)
        losses = stepper.read(steps)
    stepper.release()
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
