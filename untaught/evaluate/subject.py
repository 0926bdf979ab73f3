"""What is measured: a model, the parts of a source, and the model's view of them.

Measures are about pixels in [0, 1], whatever the model was trained on. Binarisation is left out, so that grey values
enter a binary model as probabilities. Standardisation is inverted,

    seen = (pixels - mean) / deviation,        pixels = seen * deviation + mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from untaught.data.batches import collect
from untaught.data.part import Part
from untaught.data.source import Parts
from untaught.data.view import Batch, Statistics, View, example_shape
from untaught.model import Encodes, Model, untrained
from untaught.randomness import seeded
from untaught.runs.run import Run
from untaught.shapes import Examples, Features
from untaught.threads import as_many_as_help

EXAMPLES = 10_000
"""Examples of a part that a measure reads, unless the subject says otherwise: the size of MNIST's test part."""
VALUES = 2**28
"""Numbers in all examples that are read at most: 1 GiB as float32."""
VALUES_AT_ONCE = {"cpu": 2**21, "cuda": 2**25, "mps": 2**23}
"""Numbers that a model is shown at once: on two cores larger batches are no faster."""


@dataclass(frozen=True)
class Subject:
    """A model and the data that it is measured on."""

    model: Model
    parts: Parts
    view: View
    """How the model saw its training data."""
    statistics: Statistics | None = None
    """The training part's mean and deviation, where the view standardises."""
    label_names: tuple[str, ...] = ()
    device: torch.device | str = "cpu"
    seed: int = 0
    """Of every draw that a measure makes."""
    limit: int | None = None
    """Test examples at most; none leaves it to each measure, which says in its result how many it used."""
    name: str = ""
    """What the data are called in one word."""
    whole: Part | None = None
    """All examples of data that the model was not trained on, for measures that learn nothing from them."""
    other: Parts | None = None
    """Parts of the second source, of a model that learnt from two; classes have the numbers of the first's."""

    sparse_coding: bool = False
    """Whether features are also compared with sparse codes of a dictionary, which take long to find."""

    @property
    def as_whole(self) -> Subject:
        """The subject with all of such data as its test part."""
        return self if self.whole is None else replace(self, parts=replace(self.parts, test=self.whole))

    @property
    def pixel_view(self) -> View:
        """The view without what is undone here: binarisation, standardisation, augmentation."""
        return replace(self.view, binarise=False, standardise="none", augment=())

    def tested(self, most: int = EXAMPLES, frames: int | None = None) -> Batch:
        """At most `limit`, else `most`, evenly spaced test examples, as `pixels` gives them."""
        return self.pixels(self.parts.test, self.limit or most, frames)

    def pixels(self, part: Part, most: int, frames: int | None = None) -> Batch:
        """At most `most` evenly spaced examples in [0, 1], on the CPU; of video, windows of `frames`.

        Fewer where they would take more than 1 GiB.
        """
        view = self.pixel_view if frames is None else replace(self.pixel_view, frames=frames)
        room = VALUES // (math.prod(example_shape(part.shape, view)) * (view.frames or 1))
        return collect(part, view, None, limit=max(1, min(most, room)), seed=self.seed)

    def seen(self, pixels: Examples) -> Examples:
        """What the model sees of examples in [0, 1]."""
        return pixels if self.statistics is None else self.statistics.seen(pixels)

    def shown(self, seen: Examples) -> Examples:
        """Examples in [0, 1], of what the model gives."""
        return seen if self.statistics is None else self.statistics.shown(seen)

    def apply(self, function: Callable[[Tensor], Tensor], pixels: Examples) -> Tensor:
        """Map examples in [0, 1] through a function of what the model sees, in batches; the result on the CPU."""
        room = VALUES_AT_ONCE[torch.device(self.device).type]
        size = max(1, min(512, room // max(1, pixels[0].numel())))
        with torch.no_grad():
            batches = [function(self.seen(some.to(self.device))).float().cpu() for some in pixels.split(size)]
        return torch.cat(batches)

    def features(self, pixels: Examples) -> Features:
        """What the model's `encode` says of examples in [0, 1].

        Raises:
            TypeError: The model does not encode.
        """
        if not isinstance(self.model, Encodes):
            raise TypeError(f"{type(self.model).__name__} does not encode")
        return self.apply(self.model.encode, pixels)

    def apply_to_codes(self, decode: Callable[[Tensor], Tensor], codes: Features) -> Examples:
        """Map features through a function to what the model sees, in batches; examples in [0, 1] on the CPU."""
        with torch.no_grad():
            made = [decode(some.to(self.device)).float().cpu() for some in codes.split(256)]
        return self.shown(torch.cat(made))

    def untrained(self) -> Subject:
        """The same network with the weights that it began from, from a seed of its own."""
        with seeded(self.seed + 1, self.device):
            fresh = untrained(self.model)
        return replace(self, model=fresh.to(self.device).eval())


def subject_of_run(run: Run, step: int | None = None, device: torch.device | str = "cpu") -> Subject:
    """A run's best model, or that of a step, on its own data.

    Raises:
        DataError: The data are no longer there.
        RunError: The run has no whole checkpoint.
    """
    source, other = run.source(), run.other_source()
    model, known = run.load(step, device), run.statistics()
    beside = None if other is None else other.parts()
    return Subject(model, source.parts(), run.view, known, source.label_names, device, name=source.name, other=beside)


@contextmanager
def measuring(model: Model) -> Generator[None]:
    """Prepare for measurement: evaluation mode, no gradient, full float32, as many threads as help at present.

    All is restored afterwards.
    """
    training = [module for module in model.modules() if module.training]
    precision, tf32 = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    model.eval()
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    try:
        with (
            torch.no_grad(),
            torch.autocast("cpu", enabled=False),
            torch.autocast("cuda", enabled=False),
            as_many_as_help(),
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(precision)
        torch.backends.cudnn.allow_tf32 = tf32
        for module in training:
            module.training = True
