"""Settings of a training, and the content of a run's config.json."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Literal

from untaught.config import Count, Fraction, NonNegative, Positive, Whole, configuration, from_json, to_json
from untaught.data.view import View
from untaught.model import model_class
from untaught.recipe import Rule
from untaught.shapes import Example


@configuration
class Training:
    """How long, on what, and how a model is trained; None leaves the choice to the model's recipe."""

    epochs: Positive | None = None
    """Passes over the data in the last stage; by default until the loss on held-out data stalls."""
    stage_epochs: dict[str, Positive] = field(default_factory=lambda: {})
    """Passes over the data in other stages, by name."""
    minutes: Positive | None = None
    """Minutes to train, divided evenly among the stages; at most 10 if neither epochs nor minutes are given."""
    seed: Whole = 0
    """Seed of weights, order of examples and draws."""
    batch_size: Count | None = None
    """Examples in one step."""
    labels_per_class: Count | None = None
    """Labels of each class to use; of five or more, a fifth choose the checkpoint. By default all."""
    optimiser: Rule | None = None
    """Optimiser; `lbfgs` and `cg` (conjugate gradients) use line searches and need large batches; `cg` has no
    learning rate."""
    learning_rate: Positive | None = None
    """Highest learning rate; pretraining of another kind keeps its own optimiser, rate and batch size."""
    stage_learning_rates: dict[str, Positive] = field(default_factory=lambda: {})
    """Highest step size of individual stages, by name."""
    momentum: Fraction | None = None
    """Momentum of stages that learn by `sgd` or `rmsprop`; the other optimisers have none to set."""
    schedule: Literal["constant", "linear", "cosine"] | None = None
    """How the learning rate falls to zero."""
    clip: Positive | None = None
    """Largest norm of a gradient."""
    average: NonNegative | None = None
    """Decay of the running average of the weights; 0 keeps none."""
    keep: Literal["best", "last"] = "best"
    """Which weights remain in each stage: those with the lowest held-out loss, or the last ones."""
    pictures: Literal["few", "each"] = "few"
    """When to draw what the model makes while it learns: after 1, 2, 4, 8 ... held-out measurements, or after each."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to train."""
    devices: Count = 1
    """Processes on this machine, one per device."""
    nodes: Count = 1
    """Machines."""
    strategy: Literal["auto", "ddp", "fsdp"] = "auto"
    """How several processes share the work: each holds all weights (ddp) or a part of them (fsdp)."""
    precision: Literal["auto", "float32", "bf16"] = "auto"
    """Arithmetic; auto takes bf16 where the hardware multiplies matrices in it faster, except with line searches."""
    compile: Literal["auto", "on", "off"] = "auto"
    """Compile the loss; auto does so on a GPU if the training is long enough for it to pay."""
    capture: Literal["auto", "on", "off"] = "auto"
    """Capture the whole step in a CUDA graph; auto does so on one GPU if the data are on it and shapes are fixed."""
    threads: Count | None = None
    """Processor threads; by default chosen by trying: before the first step, and now and then where a training ends by
    time. Different numbers round sums differently."""
    view: dict[str, Any] | None = None
    """Fields of every stage's view that override the model's."""

    def __post_init__(self) -> None:
        """Refuse unknown fields and values of a view.

        Raises:
            ConfigError: A field is unknown, or a value is not allowed.
        """
        from_json(View, self.view or {}, "view")

    def changed(self, view: View) -> View:
        """A view with the overriding fields."""
        return from_json(View, {**to_json(view), **(self.view or {})}, "view")


@configuration
class NetworkFile:
    """A network by its name, with a file of weights: an encoder trained elsewhere."""

    network: str
    """Its name, `vgg16`."""
    file: str
    """Where its weights are: a safetensors file, or a torch file that holds only tensors."""


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
    """One example's shape; for video, one frame's."""
    frames: int | None = None
    """Number of frames of an example, for video."""
    config: dict[str, Any]
    """The model's configuration."""
    data: str
    """The source's spec."""
    other: str | None = None
    """The second source's spec, for models that learn from two."""
    size: tuple[int, int] | None = None
    """Height and width to which pictures were resized."""
    on_bad: Literal["stop", "skip"] = "stop"
    """What was done with broken files."""
    scale: float | None = None
    """The value of whole numbers that becomes 1, where the data have whole numbers."""
    other_scale: float | None = None
    """The same of the second source."""
    classes: tuple[str, ...] = ()
    """Names of the classes in the order of their numbers, where the data have labels."""
    read: tuple[str, ...] = ()
    """What was decided while the data were read, in sentences."""
    training: Training = Training()
    """How it was trained."""
    seen: View | None = None
    """The view under which the model was trained; None in runs older than this field."""
    chosen: dict[str, Any] = field(default_factory=lambda: {})
    """Settings chosen from the data: fields of the configuration, the view, the recipe."""
    because: str = ""
    """What in the data led to these choices."""
    encoder: Settings | NetworkFile | OwnNetwork | None = None
    """Settings of the run, or the network, whose encoder the model was given."""

    @property
    def example(self) -> Example:
        """What the model was built for."""
        return Example(tuple(self.shape), self.frames)

    @property
    def view(self) -> View:
        """The view under which the model was trained.

        Raises:
            ConfigError: The configuration does not fit the model.
        """
        if self.seen is not None:
            return self.seen
        if isinstance(self.encoder, Settings) and self.training.view is None:
            return self.encoder.view.undrawn
        model = model_class(self.model)
        config = from_json(model.Config, self.config, f"config of {self.model}")
        return self.training.changed(model.view_of(config))
