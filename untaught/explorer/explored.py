"""What the panels look at: a run's model, test examples, what the model says of them, and their small pictures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from untaught.data.view import Batch
from untaught.evaluate.representations import context
from untaught.evaluate.subject import Subject, subject_of_run
from untaught.evaluate.variables import variables
from untaught.explorer.wire import as_bytes
from untaught.model import Decodes, Encodes, Generates, Model, Samples, makes_of_draws
from untaught.randomness import Draws
from untaught.runs.run import Run
from untaught.shapes import Examples, Features, Images

T = TypeVar("T")

DRAWN = 500
"""Codes that are drawn of a generator."""
EXAMPLES, WINDOWS = 2000, 400
"""Test examples on the map at most; of video, where each takes several frames, windows."""
THUMBNAIL, VALUES = 64, 2**23
"""Longer side of a small picture in pixels, and bytes of all of them at most."""
COMPONENTS = 3
"""Components of a true variable with several that can be chosen."""


class Explored:
    """A run's model on its test examples. What takes long is computed when it is first asked for, and once."""

    def __init__(self, run: Run, subject: Subject, checkpoint: str) -> None:
        self.run = run
        self.subject = subject
        self.checkpoint = checkpoint
        self.draws = Draws(0, torch.device(subject.device))
        self._kept: dict[str, Any] = {}
        self.seen_layer: tuple[str, Tensor] | None = None

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What was made under this name before, or what is made now."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    @property
    def model(self) -> Model:
        """The model."""
        return self.subject.model

    @property
    def shape(self) -> tuple[int, ...]:
        """One example's shape; of video, one frame's."""
        return tuple(self.examples.x.shape[-3:]) if self.is_pictures else tuple(self.examples.x.shape[1:])

    @property
    def is_video(self) -> bool:
        """Whether the model sees several frames at once."""
        return self.subject.view.frames is not None

    @cached_property
    def is_pictures(self) -> bool:
        """Whether examples can be drawn; vectors cannot."""
        return len(self.subject.parts.test.shape) == 3

    @cached_property
    def examples(self) -> Batch:
        """Evenly spaced test examples in [0, 1]; of video, windows of a few frames."""
        each = math.prod(self._small(self.subject.parts.test.shape[-2:])) * 3 if self.is_pictures else 1
        most = min(WINDOWS if self.is_video else EXAMPLES, VALUES // each)
        return self.subject.tested(max(4, most), context(self.subject))

    @cached_property
    def width(self) -> int:
        """Features of an example; a page is built with it before those of all examples are computed."""
        return self.subject.features(self.examples.x[:1]).shape[1]

    @cached_property
    def features(self) -> Features:
        """Features of these examples."""
        return self.subject.features(self.examples.x)

    @cached_property
    def codes(self) -> Features:
        """Codes from which pictures are made: features of the examples, or draws of a generator, of its first class."""
        return self.drawn_codes(DRAWN) if self.generates else self.features

    @property
    def generates(self) -> bool:
        """Whether pictures are made of drawn codes, because those of examples are not known."""
        return makes_of_draws(self.model)

    @cached_property
    def code_width(self) -> int:
        """Numbers in a code."""
        return self.drawn_codes(1).shape[1] if self.generates else self.width

    def drawn_codes(self, count: int, label: int | None = None) -> Features:
        """Draws of a generator's codes, of one class where it has any: the first, if none is given."""
        assert isinstance(self.model, Generates)
        first = 0 if isinstance(self.model, Samples) and self.model.of_classes else None
        with self.draws:
            return self.model.prior_codes(count, first if label is None else label).float().cpu()

    @cached_property
    def variables(self) -> dict[str, Tensor]:
        """True variables that vary, by name, one number for each example."""
        known = variables([self.examples])
        return {name: known.columns[0][:, place] for name, place in known.places(COMPONENTS).items()}

    @cached_property
    def range(self) -> tuple[float, float]:
        """Values that are drawn black and white: 0 and 1, or the outer hundredths of data that go beyond."""
        some = self.examples.x.flatten()[:: max(1, self.examples.x.numel() // 100_000)]
        low, high = (float(some.quantile(q)) for q in (0.01, 0.99))
        return (0.0, 1.0) if low >= -1e-3 and high <= 1 + 1e-3 or low == high else (low, high)

    @property
    def last_frames(self) -> Images:
        """The examples as pictures: of video, the last frame of each window."""
        return self.examples.x[:, -1] if self.is_video else self.examples.x

    @cached_property
    def thumbnails(self) -> Tensor:
        """Small pictures of the examples, bytes `(example, 1 or 3, height, width)`."""
        x = self.last_frames
        size = self._small(x.shape[-2:])
        return self.as_bytes(x if tuple(x.shape[-2:]) == size else F.interpolate(x, size, mode="area"))

    @property
    def classes(self) -> list[str]:
        """Names of the classes that examples have; empty where there are none."""
        label = self.examples.label
        count = int(label.max()) + 1 if len(label) else 0
        named = self.subject.label_names or self.run.settings.classes
        return [named[n] if n < len(named) else str(n) for n in range(count)]

    def as_bytes(self, pictures: Images) -> Tensor:
        """Pictures in [0, 1] as bytes for the page."""
        return as_bytes(pictures, *self.range)

    def decoded(self, codes: Features) -> Examples:
        """What codes decode to, in [0, 1]."""
        model = self.model
        if self.generates:
            assert isinstance(model, Generates)
            return self.subject.apply_to_codes(model.generate, codes)
        assert isinstance(model, Decodes)
        return self.subject.apply_to_codes(model.decode, codes)

    def nearest(self, code: Features, count: int, without: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Numbers of the examples nearest to one code, the nearest first, and their distances."""
        apart = torch.linalg.vector_norm((self.features - code).double(), dim=1)
        if without is not None:
            apart[without] = torch.inf
        found = apart.topk(min(count, int(apart.isfinite().sum())), largest=False)
        return found.indices, found.values

    def _small(self, size: tuple[int, ...]) -> tuple[int, int]:
        height, width = size
        scale = min(1.0, THUMBNAIL / max(height, width))
        return max(1, round(height * scale)), max(1, round(width * scale))


def explored(run: Run) -> Explored | None:
    """Open a run's best checkpoint on its data; None where there is no checkpoint yet.

    Raises:
        DataError: The data are no longer there.
        RunError: Every checkpoint is torn or was changed.
    """
    name = run.best_name()
    if name is None:
        return None
    subject = subject_of_run(run)
    found = Explored(run, replace(subject, model=subject.model.requires_grad_(False)), name)
    if found.subject.view.frames is not None and not found.subject.parts.test.is_video:
        return None
    return found


def can_encode(explored: Explored) -> bool:
    """Whether there are features of the examples."""
    return isinstance(explored.model, Encodes)
