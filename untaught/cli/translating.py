"""`untaught translate`: pictures of one kind as pictures of the other."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence

import numpy as np

from untaught.cli.flags import Group, parse
from untaught.cli.opening import Opened, Use, device_named, in_range, open_source, refuse_incapable, subject_of
from untaught.cli.output import check_ending, write_arrays
from untaught.cli.terminal.streams import tell
from untaught.config import configuration
from untaught.evaluate.drawing.picture_files import write_picture
from untaught.evaluate.drawing.pictures import Film, colours, enlarged, mosaic, stacked
from untaught.evaluate.in_squares import translated
from untaught.model import Translates
from untaught.runs.run import Run, open_run
from untaught.shapes import Images

SIDE = 128
"""Shorter side of a picture in a film, nearly."""


@configuration
class Way:
    """Which way."""

    back: bool = False
    """From the second source to the first; by default from the first to the second."""


def translate(words: Sequence[str]) -> None:
    """Write every example as one of the other kind: array `translation`, a picture, or a film of one after the other.

    A picture has the originals above, a film beside. Without --data those of the run's own source are translated, with
    --back those of its second source.
    """
    groups = [Group("command", Use, positional=frozenset(("run",))), Group("translation", Way)]
    given = parse(groups, words, "untaught translate", inspect.cleandoc(translate.__doc__ or ""))
    use, way = Use(**given["command"]), Way(**given["translation"])
    out = check_ending(use.out, ".npz", ".png", ".gif", ".mp4")
    run = open_run(use.run)
    refuse_incapable(run, Translates)
    opened = _opened(run, use, way)
    if out.suffix.lower() == ".npz":
        made = (there for _, there in _translations(opened, way))
        write_arrays(out, "translation", opened.count(), made, opened.places)
    else:
        x, there = next(_translations(opened, way))
        write_picture(
            out, stacked([("original", x), ("translated", there)]) if out.suffix.lower() == ".png" else _film(x, there)
        )
    tell(out)


def _opened(run: Run, use: Use, way: Way) -> Opened:
    """The run with the data of the side that is translated."""
    source = open_source(run, use.data, use.size, use.on_bad, second=way.back)
    return Opened(run, subject_of(run, source, use.step, device_named(use.device)), source)


def _translations(opened: Opened, way: Way) -> Iterator[tuple[Images, Images]]:
    """Every picture with its translation, in batches."""
    for batch in opened.batches():
        yield batch.x, in_range(opened.run, translated(opened.subject, batch.x, not way.back))


def _film(x: Images, there: Images) -> Film:
    """Originals beside translations, one pair after the other."""
    pairs = zip(colours(x), colours(there), strict=True)
    names = ("original", "translated")
    return np.stack([mosaic([[enlarged(one, SIDE) for one in pair]], (), names) for pair in pairs])
