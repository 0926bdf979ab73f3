"""What the battery holds: a model at its smoke size, stage by stage, with a batch that fits it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from untaught.model import Batch, Learner, Loss, Model, Optimiser, Recipe, Smoke, model_class
from untaught.randomness import seeded

SEEDS = range(8)
"""Where a loss draws, it is averaged over these."""


@dataclass(frozen=True)
class Subject:
    """One player of one stage."""

    stage: str
    player: str
    learner: Learner
    batch: Batch
    recipe: Recipe

    def __str__(self) -> str:
        return f"{self.player} in stage {self.stage}"

    @property
    def optimiser(self) -> Optimiser:
        """How this player is moved."""
        return self.learner.players[self.player].optimiser or self.recipe.optimiser

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        """The parameters that this player moves."""
        return owned(self.learner, self.player)


def build(name: str, seed: int = 0) -> Model:
    """Make a model at its smoke size."""
    cls = model_class(name)
    with seeded(seed):
        return cls(cls.smoke.config, cls.smoke.example)


def subjects(model: Model, count: int = 8) -> Iterator[Subject]:
    """Every player of every stage; each stage begins where the one before ended, untrained."""
    x = examples(model.smoke, count)
    for stage in model.stages():
        with seeded(1), torch.no_grad():
            if stage.begin is not None:
                stage.begin()
            batch = replace(labelled(x, model.smoke), x=x if stage.sees is None else stage.sees(x))
            others = [name for name, stream in stage.beside.items() if stream.other]
            batch = replace(batch, beside={name: Batch.of(examples(model.smoke, count, seed=1)) for name in others})
            stage.learner.train().prepare(batch)
        for player in stage.learner.players:
            yield Subject(stage.name, player, stage.learner, batch, stage.recipe)


def ready(name: str) -> Model:
    """A model after the beginning of all its stages, in eval mode."""
    model = build(name)
    for _ in subjects(model):
        pass
    return model.eval()


def examples(smoke: Smoke, count: int = 8, seed: int = 0) -> Tensor:
    """Examples with values in [0, 1] that have something to learn: mixtures of three pictures, moving in video."""
    with seeded(seed):
        pictures = torch.rand(3, *smoke.shape)
        shares = (3 * torch.randn(count, 3)).softmax(1)
    x = torch.einsum("bk,k...->b...", shares, pictures)
    x = (x > 0.5).float() if smoke.binary else x
    if smoke.frames is None:
        return x
    return torch.stack([x.roll(time, -1) for time in range(smoke.frames)], 1)


def labelled(x: Tensor, smoke: Smoke) -> Batch:
    """Examples with classes in turn, every one of which occurs, and one example without; or all without."""
    batch = Batch.of(x)
    if smoke.classes:
        batch.label.copy_(torch.arange(len(x)) % (smoke.classes + 1) - 1)
    return batch if len(x) > 1 or not smoke.classes else replace(batch, label=batch.label.clamp_min(0))


def mapped(batch: Batch, change: Callable[[Tensor], Tensor]) -> Batch:
    """A batch with other examples in it and beside it."""
    beside = {name: mapped(own, change) for name, own in batch.beside.items()}
    return replace(batch, x=change(batch.x), beside=beside)


def owned(learner: Learner, player: str) -> dict[str, nn.Parameter]:
    """A player's trainable parameters, by name."""
    prefixes = learner.players[player].prefixes
    return {name: p for name, p in learner.named_parameters() if name.startswith(prefixes) and p.requires_grad}


@contextmanager
def kept(module: nn.Module) -> Generator[None]:
    """Put the buffers back afterwards: chains move, running averages too."""
    before = {name: value.clone() for name, value in module.named_buffers()}
    yield
    with torch.no_grad():
        for name, value in module.named_buffers():
            value.copy_(before[name])


def loss_of(subject: Subject, seed: int = 0, batch: Batch | None = None) -> Loss:
    """A loss half-way through the stage; buffers and the generator are as before."""
    with kept(subject.learner), seeded(seed):
        loss = subject.learner.loss(batch or subject.batch, subject.player, torch.tensor(0.5))
        return Loss(loss.total.detach().clone(), {name: part.detach().clone() for name, part in loss.parts.items()})


def held_out_of(subject: Subject, seed: int = 0) -> Loss:
    """What is measured on held-out data, as the loop measures it; buffers and the generator are as before."""
    subject.learner.eval()
    with kept(subject.learner), seeded(seed):
        loss = subject.learner.held_out(subject.batch, subject.player)
    subject.learner.train()
    return Loss(loss.total.detach().clone(), {name: part.detach().clone() for name, part in loss.parts.items()})


def step(subject: Subject, seed: int, optimiser: torch.optim.Optimizer | None = None) -> None:
    """One step of one player; without an optimiser, a short one down the gradient."""
    chosen = optimiser or torch.optim.SGD(subject.parameters.values(), 1e-3)
    subject.learner.train().zero_grad()
    with seeded(seed):
        subject.learner.loss(subject.batch, subject.player, torch.tensor(0.5)).total.backward()
    chosen.step()


def monitored(players: list[Subject]) -> float | None:
    """What must fall, mean over seeds: the sum of all totals, or the part that the learner names; none in a game."""
    monitor = players[0].learner.monitor
    losses = [held_out_of(player, seed) for player in players for seed in SEEDS]
    assert all(loss.total.isfinite() for loss in losses)
    if monitor is None:
        return None
    values = [
        loss.total if monitor == "total" else loss.parts[monitor]
        for loss in losses
        if monitor in {"total", *loss.parts}
    ]
    assert values, f"no player reports {monitor!r}"
    return float(torch.stack(values).mean())
