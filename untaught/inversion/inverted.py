"""Bring pictures back from every layer of a network: decoders learn on the frozen network, then errors are measured."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import nn

from untaught.data.source import Source, open_data
from untaught.data.view import Statistics, View, example_shape
from untaught.errors import ConfigError, DataError
from untaught.evaluate.drawing.picture_files import write_picture
from untaught.evaluate.drawing.pictures import Picture
from untaught.evaluate.subject import Subject, measuring
from untaught.inversion.inversion_sheet import inversion_sheet
from untaught.inversion.inverted_layers import InvertedLayer, Quality, markdown
from untaught.inversion.ways_back import PICTURED, Way, WaysBack
from untaught.model import Layered, Model, capabilities, in_words, model_name
from untaught.nn.vision_nets import Standardising
from untaught.randomness import seeded
from untaught.runs.checkpoint import replacing, write_json
from untaught.runs.settings import Training
from untaught.shapes import Example, Images
from untaught.training.fit import Record, fit
from untaught.training.plan import plan_for

Follow: TypeAlias = Callable[[Generator[Record, None, None]], Any]
"""Asks for every record of a training."""
MEASURED = 500
"""Test pictures at most."""


@dataclass(frozen=True)
class Inversion:
    """What came back."""

    layers: tuple[InvertedLayer, ...]
    """From the lowest."""
    pictures: Images
    """Those that are drawn."""
    back: Mapping[str, Mapping[Way, Images]]
    """What came back of them, by layer and way."""
    measured: int
    """Test pictures over which errors are means."""
    same: tuple[str, ...]
    """Layers with no pooling below."""

    @property
    def picture(self) -> Picture:
        """A row for each layer, a column for each way back."""
        return inversion_sheet(self.pictures, self.back, self.same)

    def as_json(self) -> dict[str, Any]:
        """All numbers."""
        layers = [layer.as_json() for layer in self.layers]
        return {"pictures": self.measured, "searched": len(self.pictures), "layers": layers}

    def write(self, folder: Path, about: str) -> None:
        """Write inversion.png, inversion.md and inversion.json into a folder, which is made if it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        write_picture(folder / "inversion.png", self.picture)
        write_json(folder / "inversion.json", json.loads(json.dumps(self.as_json())))
        with replacing(folder / "inversion.md") as part:
            part.write_text(markdown(self.layers, about, self.measured, len(self.pictures)), encoding="utf-8")


def invert(
    network: nn.Module,
    data: Any,
    layers: Sequence[str] = ("all",),
    training: Training | None = None,
    follow: Follow = deque[Record],
    statistics: Statistics | None = None,
    patch: int | None = None,
) -> Inversion:
    """Bring pictures back from layers of a network.

    Args:
        network: A model that is a chain of layers, or any network that is one, `nn.Sequential` for example. It stays as
            it is.
        data: Pictures: a source, a tensor, or anything that `open_data` opens.
        layers: Names of layers: `conv1_1`, `pool1`, ..., `fc6`; `all` for all.
        training: How the decoders learn; by default until they stall, at most ten minutes.
        follow: Asks for the records of the training; by default they pass unseen.
        statistics: Mean and deviation by which the network sees pictures standardised.
        patch: Side of the squares that the network sees; none for whole pictures.

    Raises:
        ConfigError: The network is no chain of layers that have mirrors, or a layer is not there.
        DataError: The data are no pictures, or the network cannot look at them.

    Example:
        >>> network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        >>> found = invert(network, "digits", training=Training(epochs=1))
        >>> [layer.name for layer in found.layers]
        ['conv1_1', 'pool1']
    """
    source, training = open_data(data), training or Training()
    view = View(patch=patch)
    shape = example_shape(source.shape, view)
    if len(shape) != 3:
        raise DataError(f"{source.spec} has vectors; only pictures can be brought back from layers and looked at")
    chain = layers_of_model(network) if isinstance(network, Model) else network
    if statistics is not None:
        chain = nn.Sequential(Standardising(statistics.mean, statistics.deviation), chain)
    with seeded(training.seed):
        ways = WaysBack(chain.cpu(), Example(shape), tuple(layers), view)
    decided = plan_for(ways, source, training)
    follow(fit(decided))
    return _looked_at(ways, decided.subject(next(ways.parameters()).device), source)


def layers_of_model(model: Model) -> nn.Module:
    """The layers of a model.

    Raises:
        ConfigError: It is no chain of layers.
    """
    if not isinstance(model, Layered):
        able = ", ".join(map(in_words, capabilities(type(model))))
        raise ConfigError(f"{model_name(model)} is no chain of layers that could be inverted; it has: {able}")
    return model.layers()


def _looked_at(ways: WaysBack, subject: Subject, source: Source) -> Inversion:
    """Errors of every layer, and pictures."""
    x = subject.tested(MEASURED).x
    if not len(x):
        raise DataError(f"{source.spec} has no test pictures")
    shown = x[torch.linspace(0, len(x) - 1, min(PICTURED, len(x))).long()]
    start = subject.pixels(subject.parts.train, MEASURED).x.mean(0, keepdim=True)
    low, high = min(0.0, float(x.min())), max(1.0, float(x.max()))
    layers, back = list[InvertedLayer](), dict[str, dict[Way, Images]]()
    with measuring(ways):
        for name, end in ways.ends.items():
            qualities: dict[Way, Quality] = {}
            back[name] = {}
            for way in ("fixed", "known", "upconvolution"):
                given = subject.apply(lambda some, name=name, way=way: ways.back(some, name, way), x)
                qualities[way] = Quality.of(x, given)
                back[name][way] = subject.apply(lambda some, name=name, way=way: ways.back(some, name, way), shown)
            found = subject.apply(lambda some, name=name: ways.searched(some, name, start, low, high), shown)
            back[name]["searched"], qualities["searched"] = found, Quality.of(shown, found)
            values = torch.Size(ways.chain.steps[end - 1].after).numel()
            layers.append(InvertedLayer(name, values, qualities))
    same = tuple(name for name in ways.ends if not ways.pooled(name))
    return Inversion(tuple(layers), shown, back, len(x), same)
