"""`untaught invert`: pictures brought back from every layer of a network."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from torch import nn

from untaught.cli.flags import read
from untaught.cli.listing import tell_skipped
from untaught.cli.opening import device_named, open_source
from untaught.cli.output import console
from untaught.cli.terminal.progress import follow
from untaught.cli.terminal.streams import tell
from untaught.config import Count, Positive, Whole, configuration
from untaught.data.source import Source, open_data
from untaught.data.spec import size_of
from untaught.data.view import Statistics
from untaught.errors import ConfigError, RunError
from untaught.runs.encoders import network_file, whole_network
from untaught.runs.run import open_run, refuse_missing
from untaught.runs.settings import Training

if TYPE_CHECKING:
    from untaught.inversion.inverted import Inversion


@configuration
class Invert:
    """Bring pictures back from layers of a network, and measure what every layer still knows of them.

    From each layer a mirror of the network learns to give the picture back, with the network's switches and with fixed
    ones, and so does a network that only enlarges; an input that the layer cannot tell from the picture is searched
    for too. The network itself stays as it is.
    """

    network: str
    """Folder of a run whose model is a chain of layers, or a network with its weights, vgg16:weights.safetensors."""
    out: str
    """Folder for inversion.png, inversion.md and inversion.json."""
    data: str | None = None
    """Pictures to learn from and to bring back; by default the data that the run was trained on."""
    layers: str = "all"
    """Layers, separated by commas: conv1_1,pool1,fc6; all for all. A name that is not there lists those that are."""
    minutes: Positive | None = None
    """Minutes in which the decoders learn; by default until they stall, at most 10."""
    epochs: Positive | None = None
    """Passes over the data instead."""
    seed: Whole = 0
    """Seed of the decoders' weights and of the order of pictures."""
    batch_size: Count | None = None
    """Pictures in one step; by default 64."""
    size: str | None = None
    """Bring every picture to this size: one side, 64, or height x width, 48x64; by default the run's."""
    on_bad: Literal["stop", "skip"] = "stop"
    """What to do with a broken file: stop, or leave it out and count it."""
    step: Whole | None = None
    """Take the run's checkpoint of this step; by default the best."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""
    threads: Count | None = None
    """Processor threads; by default chosen by trying."""
    json: bool = False
    """Print one JSON object, and everything else on standard error."""


@dataclass(frozen=True)
class _Opened:
    """A network, and pictures."""

    network: nn.Module
    source: Source
    statistics: Statistics | None = None
    patch: int | None = None


def invert(words: Sequence[str]) -> None:
    """Train the decoders, print and write what came back."""
    asked = read(Invert, words, "untaught invert", positional=["network"])
    opened = _opened(asked)
    tell_skipped(opened.source)
    out = Path(asked.out)
    if out.exists() and not out.is_dir():
        raise RunError(f"--out {out} is a file; name a folder")
    # Fabric takes a second to import; an error in a flag is reported before.
    from untaught.inversion.inverted import invert as bring_back

    training = Training(
        minutes=asked.minutes,
        epochs=asked.epochs,
        seed=asked.seed,
        batch_size=asked.batch_size,
        device=asked.device,
        threads=asked.threads,
    )
    names = [name.strip() for name in asked.layers.split(",") if name.strip()]
    found = bring_back(opened.network, opened.source, names, training, follow, opened.statistics, opened.patch)
    found.write(out, f"`{asked.network}` on `{opened.source.spec}`.")
    if asked.json:
        print(json.dumps({"network": asked.network, "data": opened.source.spec, **found.as_json()}))
    else:
        _print(found)
    tell(f"{out / 'inversion.md'}, {out / 'inversion.png'}", file=sys.stderr)


def _opened(asked: Invert) -> _Opened:
    """The network and the pictures.

    Raises:
        ConfigError: A network is named without data, or its weights do not fit it.
        DataError: The data are missing or broken.
        RunError: There is no such run, or a file of weights holds more than tensors.
    """
    file = network_file(asked.network)
    if file is not None:
        if asked.data is None:
            raise ConfigError(f"{asked.network} comes without pictures: give --data")
        network = whole_network(file)
        return _Opened(network, open_data(asked.data, size=size_of(asked.size), on_bad=asked.on_bad))
    refuse_missing(asked.network)
    run = open_run(asked.network)
    source = open_source(run, asked.data, asked.size, asked.on_bad)
    device_named(asked.device)
    return _Opened(run.load(asked.step), source, run.statistics(), run.view.patch)


def _print(found: Inversion) -> None:
    from rich.table import Table as Grid

    from untaught.inversion.ways_back import WAYS

    grid = Grid("layer", *WAYS.values(), "lost to the filters", "to the pooling", box=None)
    for layer in found.layers:
        errors = [f"{layer.qualities[way].squared_error_per_image:.1f}" for way in WAYS]
        grid.add_row(layer.name, *errors, f"{layer.lost_to_filters:.1f}", f"{layer.lost_to_pooling:.1f}")
    console().print(f"squared error per picture, mean over {found.measured} test pictures")
    console().print(grid)
