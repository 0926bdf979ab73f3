"""What a training is told, and what a run's config.json holds."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any, Literal

from untaught.config import Count, NonNegative, Positive, Whole, configuration, from_json, to_json
from untaught.data.view import View
from untaught.model import model_class
from untaught.recipe import Rule
from untaught.shapes import Example


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
    view: dict[str, Any] | None = None
    """Fields of every stage's view that are to be otherwise than the model says."""

    def __post_init__(self) -> None:
        """Refuse fields that no view has.

        Raises:
            ConfigError: A field is unknown, or a value is not allowed.
        """
        from_json(View, self.view or {}, "view")

    def changed(self, view: View) -> View:
        """A view with the fields that were asked for."""
        return from_json(View, {**to_json(view), **(self.view or {})}, "view")


@configuration
class NetworkFile:
    """A network by its name, with a file of weights: an encoder that was learnt elsewhere."""

    network: str
    """Its name, `vgg16`."""
    file: str
    """Where its weights are: safetensors, or a torch file that holds nothing but tensors."""


@configuration
class OwnNetwork:
    """A network of the caller's own, which only its code builds: `load(path, encoder=...)` opens the run in Python."""

    own: str
    """The name of its class."""


@configuration
class Settings:
    """Everything that is needed to run a training again: the content of config.json."""

    model: str
    """The system's name."""
    shape: tuple[int, ...]
    """One example's shape; of video, one frame's."""
    frames: int | None = None
    """Frames of an example of video."""
    config: dict[str, Any]
    """The model's configuration."""
    data: str
    """The source's spec."""
    other: str | None = None
    """The second source's, for models that learn from two."""
    size: tuple[int, int] | None = None
    """Height and width to which pictures were resized."""
    on_bad: Literal["stop", "skip"] = "stop"
    """What was done with broken files."""
    training: Training = Training()
    """How it was trained."""
    seen: View | None = None
    """How the model saw the data, decided by all that was asked; none in runs older than this field."""
    chosen: dict[str, Any] = field(default_factory=lambda: {})
    """What the data decided where nothing was said: fields of the configuration, the view, the recipe."""
    because: str = ""
    """What in the data decided so."""
    encoder: Settings | NetworkFile | OwnNetwork | None = None
    """Of the run, or the network, whose encoder the model was given."""

    @property
    def example(self) -> Example:
        """What the model was built for."""
        return Example(tuple(self.shape), self.frames)

    @property
    def view(self) -> View:
        """How the model saw the data.

        Raises:
            ConfigError: The configuration is not one of the model's.
        """
        if self.seen is not None:
            return self.seen
        if isinstance(self.encoder, Settings) and self.training.view is None:
            return undrawn(self.encoder.view)
        model = model_class(self.model)
        config = from_json(model.Config, self.config, f"config of {self.model}")
        return self.training.changed(model.view_of(config))


def undrawn(view: View) -> View:
    """A view as an encoder meets it that has learnt: its pixels are neither drawn nor changed at random."""
    return replace(view, binarise=False, augment=())
