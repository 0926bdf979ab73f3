"""`untaught encode`, `reconstruct`, `sample` and `predict`: using a trained model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

import torch
from torch import Tensor

from untaught.cli.flags import Group, parse, read
from untaught.cli.opening import (
    VALUES_AT_ONCE,
    Opened,
    Use,
    device_named,
    in_range,
    open_for,
    refuse_incapable,
    tell_uncovered,
)
from untaught.cli.output import check_ending, write_arrays
from untaught.cli.terminal.streams import tell
from untaught.config import Count, Whole, configuration
from untaught.data.part import Part
from untaught.data.row_places import Columns, row_places
from untaught.data.view import View, cut
from untaught.errors import ConfigError, DataError
from untaught.evaluate.drawing.course import course
from untaught.evaluate.drawing.picture_files import write_picture
from untaught.evaluate.drawing.pictures import Prediction, grid, pairs, prediction_film, prediction_strip
from untaught.evaluate.in_squares import features_of, whole_view
from untaught.evaluate.measures.prediction import flow_of
from untaught.model import Encodes, Predicts, Reconstructs, Samples
from untaught.randomness import seeded
from untaught.runs.run import open_run
from untaught.shapes import Video

MOST_AT_ONCE = 2**29
"""Numbers in the context frames of one clip at most: 2 GiB as float32."""

PACE = 3
"""Moments a second in a film of a training."""


@configuration
class Sample:
    """Draw new examples: array `samples` in an .npz, or a .png that shows them; or a film of how they were learnt."""

    run: str
    """Folder of the run."""
    out: str
    """File to write; its ending decides the format."""
    count: Count = 64
    """How many."""
    label: Whole | None = None
    """Class of the examples, where the model has learnt classes."""
    while_learning: bool = False
    """Show the samples that were drawn while it learnt, one moment after the other: a .gif, or .mp4. Moments lie
    further and further apart, unless the run was trained with --pictures each."""
    seed: Whole = 0
    """Seed of the draws."""
    step: Whole | None = None
    """Take the checkpoint of this step; by default the best."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""


@configuration
class Ahead:
    """Which frames to predict, and from which."""

    context: Count | None = None
    """Frames given, from the beginning of each clip; by default the whole clip."""
    frames: Count = 10
    """Frames to predict after them."""


def encode(words: Sequence[str]) -> None:
    """Write the features of every example, in the source's order: arrays `features` (n, feature) and `label`.

    Further arrays say where each row comes from: name, part, row, file, frame, frames, seconds.

    Where a run was trained on patches, the features of a picture are the means over patches that cover it.
    """
    use = _use(encode, words)
    out = check_ending(use.out, ".npz")
    opened = open_for(Encodes, use)
    tell_uncovered(opened)
    labels: list[Tensor] = []

    def features() -> Iterator[Tensor]:
        for batch in opened.batches():
            labels.append(batch.label)
            yield features_of(opened.subject, batch.x)

    write_arrays(out, "features", opened.count(), features(), lambda: {"label": torch.cat(labels), **opened.places()})
    tell(out)


def reconstruct(words: Sequence[str]) -> None:
    """Write the reconstruction of every example: array `reconstruction`, or a picture with the originals above.

    Where a run was trained on patches, a picture is put together from patches that cover it.
    """
    use = _use(reconstruct, words)
    out = check_ending(use.out, ".npz", ".png", ".gif", ".mp4")
    opened = open_for(Reconstructs, use)
    if out.suffix.lower() == ".npz":
        tell_uncovered(opened)
        rebuilt = (given for _, given in opened.reconstructions())
        write_arrays(out, "reconstruction", opened.count(), rebuilt, opened.places)
    else:
        write_picture(out, pairs(*next(opened.reconstructions())))
    tell(out)


def sample(words: Sequence[str]) -> None:
    """Draw new examples, or show how they came to look as they do."""
    asked = read(Sample, words, "untaught sample", positional=["run"])
    out = check_ending(asked.out, *((".gif", ".mp4", ".png") if asked.while_learning else (".npz", ".png")))
    run = open_run(asked.run)
    refuse_incapable(run, Samples)
    if asked.while_learning:
        write_picture(out, course(run.pictures, "samples.png"), PACE)
        tell(out)
        return
    device = device_named(asked.device)
    model = run.load(asked.step, device)
    assert isinstance(model, Samples)
    if asked.label is not None and not model.of_classes:
        raise ConfigError(f"{run.settings.model}, the model of {run.path}, draws no class on demand; leave --label out")
    with seeded(asked.seed, device), torch.no_grad():
        drawn = model.sample(asked.count, asked.label).float().cpu()
    statistics = run.statistics()
    drawn = in_range(run, drawn if statistics is None else drawn * statistics.deviation + statistics.mean)
    if out.suffix.lower() == ".npz":
        write_arrays(out, "samples", len(drawn), [drawn])
    else:
        write_picture(out, grid(drawn))
    tell(out)


def predict(words: Sequence[str]) -> None:
    """Write the frames that follow each clip: array `frames` (n, frames, channel, height, width), or an animation.

    A network that moves what was there writes by which flow too, `motion` (n, frames, 2, height, width): in pixels, to
    the right and down, where in the frame before each pixel comes from. Pictures show it in colours.
    """
    use, given = _given(predict, [Group("prediction", Ahead)], words)
    asked = Ahead(**given["prediction"])
    out = check_ending(use.out, ".npz", ".png", ".gif", ".mp4")
    opened = open_for(Predicts, use)
    made = predictions(opened, asked.context, asked.frames)
    if out.suffix.lower() == ".npz":
        flows: list[Tensor] = []
        write_arrays(
            out,
            "frames",
            count_clips(opened),
            _frames_of(made, flows),
            lambda: {**({"motion": torch.cat(flows)} if flows else {}), **_clip_places(opened, asked.context)},
        )
    else:
        clips = next(made)
        write_picture(out, prediction_strip(clips) if out.suffix.lower() == ".png" else prediction_film(clips))
    tell(out)


def _use(command: Callable[[Sequence[str]], None], words: Sequence[str]) -> Use:
    """Read the arguments that every command on a run takes."""
    return _given(command, [], words)[0]


def _given(
    command: Callable[[Sequence[str]], None], more: Sequence[Group], words: Sequence[str]
) -> tuple[Use, Mapping[str, Mapping[str, Any]]]:
    """Read those, and the further arguments of one command."""
    groups = [Group("command", Use, positional=frozenset(("run",))), *more]
    given = parse(groups, words, f"untaught {command.__name__}", inspect.cleandoc(command.__doc__ or ""))
    return Use(**given["command"]), given


def predictions(opened: Opened, context: int | None, frames: int) -> Iterator[Prediction]:
    """Predict what follows each clip's first `context` frames, or all of them, in the source's order.

    Whole frames are predicted, even where the run was trained on patches.

    Raises:
        DataError: The data are not video, or a clip is shorter than `context`.
    """
    for part in opened.parts:
        _refuse(opened, part, context)
    view = whole_view(opened.subject)
    model = opened.subject.model
    assert isinstance(model, Predicts)
    for part in opened.parts:
        for given, known in _clips(part, view, context, frames):
            predicted = opened.subject.apply(lambda seen: model.predict(seen, frames), given)
            shown = opened.shown(predicted)
            yield Prediction(given, shown, known, flow_of(opened.subject, given, shown))


def count_clips(opened: Opened) -> int:
    """How many clips there are."""
    return sum(len(part) for part in opened.parts)


def _clip_places(opened: Opened, context: int | None) -> Columns:
    """Where each clip comes from, and how many of its frames were given."""
    parts = opened.source.all_parts().items()
    places = row_places((name, part, part.first, context) for name, part in parts)
    given = torch.cat([part.length if context is None else torch.full_like(part.length, context) for _, part in parts])
    return {**{key: value for key, value in places.items() if key != "frames"}, "context": given.numpy()}


def _frames_of(made: Iterator[Prediction], flows: list[Tensor]) -> Iterator[Tensor]:
    """Predicted frames, clip by clip; the flows that go with them are put into the list."""
    for clip in made:
        if clip.flow is not None:
            flows.append(clip.flow)
        yield clip.predicted


def _refuse(opened: Opened, part: Part, context: int | None) -> None:
    if not part.is_video:
        raise DataError(
            f"{opened.source.spec} has single pictures, and nothing follows them; give a video or a clip array"
        )
    shortest, longest = int(part.length.min()), int(part.length.max())
    if context is not None and context > shortest:
        raise DataError(f"--context {context}: the shortest clip of {opened.source.spec} has {shortest} frames")
    numbers = (context or longest) * torch.Size(part.shape).numel()
    if numbers > MOST_AT_ONCE:
        raise DataError(
            f"{longest} frames of {opened.source.spec} do not fit into memory as context; give --context, "
            f"{MOST_AT_ONCE * longest // numbers} at most"
        )


def _clips(part: Part, view: View, context: int | None, frames: int) -> Iterator[tuple[Video, Video]]:
    """Batches of consecutive clips with equally many context frames: context, and the frames that follow it."""
    lengths: list[int] = part.length.tolist()
    for length, group in groupby(range(len(part)), key=lengths.__getitem__):
        given = length if context is None else context
        size = max(1, VALUES_AT_ONCE // (length * torch.Size(part.shape).numel()))
        for clips in torch.tensor(list(group)).split(size):
            within = torch.arange(min(given + frames, length))
            x = cut(part.frames.read(part.first[clips][:, None] + within), view, None, training=False)
            yield x[:, :given], x[:, given:]
