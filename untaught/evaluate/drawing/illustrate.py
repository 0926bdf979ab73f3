"""Pictures of a model by its capabilities, as files: predictions, reconstructions, samples, filters.

Pictures that belong to a measure, such as `map.png` to `map`, take longer and are drawn only where it was taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from untaught.evaluate.drawing import chains
from untaught.evaluate.drawing.picture_files import write_picture
from untaught.evaluate.drawing.pictures import (
    Film,
    Picture,
    Prediction,
    filter_grid,
    grid,
    pairs,
    prediction_film,
    prediction_strip,
    stacked,
)
from untaught.evaluate.evaluate import measures
from untaught.evaluate.footage import footage
from untaught.evaluate.in_squares import given_back, translated, whole_view
from untaught.evaluate.measures.classification import picture as classes_on_demand
from untaught.evaluate.measures.prediction import continued, flow_of, frame_view, rollout_lengths
from untaught.evaluate.subject import Subject, measuring
from untaught.model import Classifies, Filters, Predicts, Reconstructs, Samples, Translates
from untaught.randomness import seeded
from untaught.shapes import Images

CLIPS = 3
PAIRS = 12
SAMPLES, COLUMNS = 64, 16
FILM_SIDE, PAIR_SIDE = 200, 76
"""Sides of small pictures in a film, and of those that are given back, in pixels of the screen."""
BEFORE = 4
"""Given frames that a film shows before it comes to what was predicted."""
FILM_PIXELS = 100_000
"""Pixels of all clips in one column of a film at most, but for the first clip: the page holds the film whole."""


def illustrate(subject: Subject, folder: Path) -> list[Path]:
    """Write every picture that the model can give of test examples; the same every time under the subject's seed."""
    with measuring(subject.model), seeded(subject.seed, subject.device):
        return [write_picture(folder / name, picture) for name, picture in _drawn(subject)]


def illustrate_measures(subject: Subject, folder: Path, taken: Mapping[str, Mapping[str, Any]]) -> list[Path]:
    """Write the pictures that go with measures, from what `evaluate` gave of the same subject."""
    known = {name: measure for name, measure in measures().items() if name in taken}
    written: list[Path] = []
    for name, measure in known.items():
        for file, drawing in measure.pictures.items():
            with measuring(subject.model), seeded(subject.seed, subject.device):
                picture = drawing.draw(measure.judged(subject), measure.read(taken[name]))
            if picture is not None:
                written.append(write_picture(folder / file, picture))
    return written


def _drawn(subject: Subject) -> Iterator[tuple[str, Picture | Film]]:
    drawable = len(subject.parts.test.shape) == 3
    yield from _of_examples(subject, drawable)
    if (each := _of_each_class(subject)) is not None:
        yield "classes.png", each
    if isinstance(subject.model, Samples) and drawable:
        x = subject.shown(subject.model.sample(SAMPLES).float().cpu())
        yield ("samples.png" if x.ndim == 4 else "samples.gif"), grid(x, COLUMNS if x.ndim == 4 else None)
    if (states := chains.picture(subject)) is not None:
        yield "chains.png", states
    if isinstance(subject.model, Filters) and drawable:
        for name, weights in subject.model.filter_pictures().items():
            yield f"{name}.png", filter_grid(weights)


def _of_examples(subject: Subject, drawable: bool) -> Iterator[tuple[str, Picture | Film]]:
    """What the model makes of test examples."""
    if isinstance(subject.model, Predicts) and subject.parts.test.is_video:
        clips = predicted_clips(subject)
        yield "prediction.gif", prediction_film(clips, shown_at_once(clips), FILM_SIDE, BEFORE)
        yield "prediction.png", prediction_strip(clips)
    elif isinstance(subject.model, Reconstructs) and drawable:
        whole = replace(subject, view=whole_view(subject)).pixels(subject.parts.test, PAIRS).x
        yield "reconstruction.png", pairs(whole, given_back(subject, whole), side=PAIR_SIDE)
    elif isinstance(subject.model, Translates) and subject.other is not None:
        yield "translation.png", both_ways(subject)


def both_ways(subject: Subject) -> Picture | Film:
    """Test pictures of both sources, what each becomes, and what comes back."""
    assert subject.other is not None
    whole = replace(subject, view=whole_view(subject))
    shown: list[tuple[str, Images]] = []
    for name, part, forward in (("first", subject.parts.test, True), ("second", subject.other.test, False)):
        x = whole.pixels(part, PAIRS).x
        there = translated(subject, x, forward)
        shown += [(f"{name} source", x), ("translated", there), ("and back", translated(subject, there, not forward))]
    return stacked(shown, side=PAIR_SIDE)


def _of_each_class(subject: Subject) -> Picture | None:
    """New pictures of each class; where a model also names classes, they go with that measure."""
    model = subject.model
    demanded = isinstance(model, Samples) and model.of_classes and not isinstance(model, Classifies)
    return classes_on_demand(subject) if demanded else None


def shown_at_once(clips: Prediction) -> int:
    """Clips that a film shows one under another: of large frames fewer."""
    return max(1, min(CLIPS, FILM_PIXELS // max(FILM_SIDE**2 // 2, clips.given[0, 0, 0].numel())))


def predicted_clips(subject: Subject) -> Prediction:
    """The model's rollout on a few test clips, from where the clip begins."""
    view = frame_view(subject)
    longest = min(int(subject.parts.test.length.max()), 100)
    test = footage(subject.parts.test, view, CLIPS * longest, subject.seed)
    context, ahead = rollout_lengths(test)
    starts = (test.first + context)[test.length >= context + ahead][:CLIPS]
    given = test.before(starts, context)
    predicted = continued(subject, None, given, ahead)
    return Prediction(given, predicted, test.after(starts, ahead), flow_of(subject, given, predicted))
