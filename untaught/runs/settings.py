"""What a training is told, and what a run's config.json holds."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any, Literal

from untaught.config import Count, NonNegative, Positive, Whole, configuration, from_json
from untaught.data.view import View
from untaught.model import Optimiser, Recipe, model_class
from untaught.recipe import SEARCHING, USUAL_RATES, Rule


@configuration
class Training:
    """How long, on what, and how a model is trained; `None` leaves the choice to the model's recipe."""

    epochs: Positive | None = None
    """Passes over the data in the last stage; none trains until the loss on held-out data stalls."""
    stage_epochs: dict[str, Positive] = field(default_factory=lambda: {})
    """Passes over the data in other stages, by name."""
    minutes: Positive | None = None
    """Minutes to train, shared evenly by the stages; 10 at most where neither epochs nor minutes are given."""
    seed: Whole = 0
    """Seed of weights, order of examples and draws."""
    batch_size: Count | None = None
    """Examples in one step."""
    labels_per_class: Count | None = None
    """Labels of each class that training and selection know; a fifth of five or more select. None gives all."""
    optimiser: Rule | None = None
    """How gradients become steps; `lbfgs` and `cg` (conjugate gradients) search along lines and want large batches;
    `cg` takes no learning rate."""
    learning_rate: Positive | None = None
    """Highest step size of every optimiser; a stage of pretraining by another rule keeps rule, rate and batch size."""
    stage_learning_rates: dict[str, Positive] = field(default_factory=lambda: {})
    """Highest step size of single stages, by name."""
    schedule: Literal["constant", "linear", "cosine"] | None = None
    """How the learning rate falls to zero."""
    clip: Positive | None = None
    """Largest norm of a gradient."""
    average: NonNegative | None = None
    """Decay of the running average of the weights; 0 keeps none."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to train."""
    devices: Count = 1
    """Processes on this machine, one per device."""
    nodes: Count = 1
    """Machines."""
    strategy: Literal["auto", "ddp", "fsdp"] = "auto"
    """How several processes share the work: each with all weights (ddp) or with a part of them (fsdp)."""
    precision: Literal["auto", "float32", "bf16"] = "auto"
    """Arithmetic; auto takes bf16 where the hardware multiplies matrices in it, and no line searches are asked for."""
    compile: Literal["auto", "on", "off"] = "auto"
    """Compile the loss; auto does so on a GPU when the training is long enough to pay."""
    capture: Literal["auto", "on", "off"] = "auto"
    """Capture the whole step in a CUDA graph; auto does so on one GPU when data are on it and shapes are fixed."""
    threads: Count | None = None
    """Processor threads; none takes torch's choice."""
    view: View | None = None
    """How batches are cut from the source; none takes the model's own view."""


@configuration
class Settings:
    """Everything that is needed to run a training again: the content of config.json."""

    model: str
    """The system's name."""
    shape: tuple[int, ...]
    """One example's shape."""
    config: dict[str, Any]
    """The model's configuration."""
    data: str
    """The source's spec."""
    size: tuple[int, int] | None = None
    """Height and width to which pictures were resized."""
    on_bad: Literal["stop", "skip"] = "stop"
    """What was done with broken files."""
    training: Training = Training()
    """How it was trained."""
    encoder: Settings | None = None
    """Of the run whose encoder the model was given."""

    @property
    def view(self) -> View:
        """How batches are cut; an encoder that was given sees what it saw, undrawn and unaugmented.

        Raises:
            ConfigError: The configuration is not one of the model's.
        """
        if self.encoder is not None and self.training.view is None:
            return replace(self.encoder.view, binarise=False, augment=())
        model = model_class(self.model)
        config = from_json(model.Config, self.config, f"config of {self.model}")
        return self.training.view or model.view_of(config)


def recipe_for(stage: str, recipe: Recipe, training: Training) -> Recipe:
    """A stage's recipe with what the caller asked for instead."""
    rate = training.stage_learning_rates.get(stage)
    if recipe.keeps:
        return recipe if rate is None else _moved(recipe, None, rate)
    chosen = {
        name: value
        for name in ("batch_size", "schedule", "clip", "average")
        if (value := getattr(training, name)) is not None
    }
    if training.average == 0:
        chosen["average"] = None
    if training.optimiser in SEARCHING and "schedule" not in chosen:
        chosen["schedule"] = "constant"  # a line search finds its own step
    return _moved(replace(recipe, **chosen), training.optimiser, rate or training.learning_rate)


def _moved(recipe: Recipe, rule: Rule | None, rate: float | None) -> Recipe:
    """The recipe with another rule, at its usual rate unless one is given, or with another rate."""

    def moved(own: Optimiser) -> Optimiser:
        if rule is not None and rule != own.name:
            own = Optimiser(name=rule, learning_rate=USUAL_RATES.get(rule, 1e-3), weight_decay=own.weight_decay)
        return own if rate is None else replace(own, learning_rate=rate)

    players = {name: moved(own) for name, own in recipe.players.items()}
    return replace(recipe, optimiser=moved(recipe.optimiser), players=players)
