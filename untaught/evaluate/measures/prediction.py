r"""How well a model predicts the next frames of video.

One step: with x_{n,t} frame t of test clip n, T frames long, and x^_{n,t} the prediction from the last at most 10 true
frames before it (one for t = 2, two for t = 3, ...),

    e_n = 1/(T - 1) sum_{t=2}^{T} sum_p (x_{n,t,p} - x^_{n,t,p})^2                         (1)

`squared_error_per_frame` is the mean of e_n over clips, and `squared_error_per_frame_std` its standard deviation over
clips: the protocol of the tables of bouncing balls. Rollout: from a context of 10 true frames (or half of a shorter
clip) the model goes on with its own predictions; `rollout` is the mean squared error 1, 2, ... frames ahead.

Baselines of both are the trivial predictors of `predictors`, fitted on up to 300 training clips. Predictions are
clipped to [0, 1]. A clip of more than 100 frames is taken as several. A model trained on patches predicts whole frames
if it can; `frame_shape` is the shape that was predicted.

References:
    Lotter, Kreiman, Cox, Unsupervised learning of visual structure using predictive generative networks (2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.data.view import View
from untaught.errors import UntaughtError
from untaught.evaluate.baselines.predictors import Predictor, predictors, untrained
from untaught.evaluate.footage import Footage, footage
from untaught.evaluate.image_quality import squared_error
from untaught.evaluate.judgement.paired import beside_model
from untaught.evaluate.measure import Groups, Headline, Measure
from untaught.evaluate.quantity import Axis, Measured, Quantity, facts
from untaught.evaluate.subject import Subject
from untaught.model import Predicts, PredictsMotion
from untaught.shapes import Video

Future = Float[Tensor, "batch predicted channel height width"]

CONTEXT = 10
"""True frames that a prediction is made from, at most."""
VALUES = 2**25
"""Numbers in the frames that predictions are made from at once, at most: 128 MiB as float32."""
AHEAD = 20
"""Frames of the rollout, at most."""
FRAMES = 5_000
"""Test frames, unless the subject says otherwise: 50 clips of 100 frames."""
FITTED = 30_000
"""Training frames that the baselines are fitted on: 300 clips of 100 frames."""
QUICK_VALUES, QUICK_FRAMES = 2**23, (100, 1000)
"""Numbers in the frames of the quick measure, and how many frames it has at least and at most."""
ALIKE = 10
"""Consecutive frames whose errors are too much alike to count as several; fewer where frames are few."""
LEAST_BLOCKS = 8
TRIVIAL = ("previous_frame", "linear_extrapolation", "mean_frame")
"""Predictors that learn nothing but a mean."""
SUM = "The sum over one frame's pixels of (true − predicted)², with pixels from 0 (black) to 1 (white)"
ERROR = Quantity(
    "squared_error_per_frame",
    better="lower",
    spread_is="std",
    spoken="the next frame's squared error",
    meaning=f"{SUM}: the mean over test frames ± its standard deviation over clips.",
)
ROLLOUT = Quantity(
    "rollout",
    better="lower",
    axis=Axis("frames ahead", "squared error per frame", label="rollout, {} ahead"),
    meaning="The model is given true frames and then goes on from its own predictions: the error of each frame by how "
    "far ahead it is.",
)
FRAME_SHAPE = Quantity("frame_shape", title="channels, height and width of a frame")


def applies(subject: Subject) -> str | None:
    """None for models that predict, on video."""
    if not isinstance(subject.model, Predicts):
        return "the model does not predict"
    if not subject.parts.test.is_video:
        return "the data are not video"
    return None if int(subject.parts.test.length.max()) > 1 else "the test clips have one frame each"


def measure(subject: Subject) -> Groups:
    """Errors one frame ahead and on own predictions, of the model and of its baselines."""
    view = frame_view(subject)
    test = footage(subject.parts.test, view, subject.limit or FRAMES, subject.seed)
    train = footage(subject.parts.train, view, FITTED, subject.seed)
    context, ahead = rollout_lengths(test)
    trivial = predictors(train)
    everyone = {"model": None, **trivial}
    rollouts = {name: _rollout(subject, one, test, context, ahead) for name, one in everyone.items()}
    return [
        [_errors(subject, trivial, test)],
        [ROLLOUT.of(rollouts.pop("model"), baselines=rollouts)],
        [*facts(rollout_context=context), FRAME_SHAPE.of(list(test.frames.shape[1:]))],
        facts(clips=len(test.first), frames=len(test.rows(1))),
    ]


def quick(subject: Subject) -> Groups:
    """Errors one frame ahead on fewer frames, of the model and of what learns nothing but a mean."""
    view, (least, most) = frame_view(subject), QUICK_FRAMES
    frames = max(least, min(most, QUICK_VALUES // torch.Size(subject.parts.test.shape).numel()))
    test = footage(subject.parts.test, view, subject.limit or frames, subject.seed)
    train = footage(subject.parts.train, view, frames, subject.seed)
    return [[_errors(subject, untrained(train), test)], facts(clips=len(test.first), frames=len(test.rows(1)))]


def frame_view(subject: Subject) -> View:
    """Whole frames, though the model was trained on patches, unless it cannot look at them."""
    model = subject.model
    assert isinstance(model, Predicts)
    whole = replace(subject.pixel_view, patch=None)
    if subject.view.patch is not None:
        try:
            subject.apply(lambda seen: model.predict(seen, 1), torch.zeros(1, 1, *subject.parts.test.shape))
        except (UntaughtError, RuntimeError):  # ours, or torch's where shapes do not meet
            return subject.pixel_view
    return whole


def continued(subject: Subject, trivial: Predictor | None, given: Video, frames: int) -> Future:
    """The next frames as the model says, or as a trivial predictor says, from its own predictions after the first."""
    if trivial is None:
        model = subject.model
        assert isinstance(model, Predicts)
        return subject.shown(subject.apply(lambda seen: model.predict(seen, frames), given)).clamp(0, 1)
    clip = given
    for _ in range(frames):
        clip = torch.cat([clip, trivial(clip[:, -CONTEXT:])[:, None]], 1)
    return clip[:, given.shape[1] :]


def flow_of(
    subject: Subject, given: Video, predicted: Future
) -> Float[Tensor, "batch predicted 2 height width"] | None:
    """By which flow the model moves each frame into the predicted one; None where it does not move."""
    model = subject.model
    if not isinstance(model, PredictsMotion) or model.motion(given[:1, -1:].to(subject.device)) is None:
        return None

    def flow(seen: Tensor) -> Tensor:
        found = model.motion(seen)
        assert found is not None
        return found

    before = [torch.cat([given, predicted[:, :ahead]], 1) for ahead in range(predicted.shape[1])]
    return torch.stack([subject.apply(flow, clips) for clips in before], 1)


def rollout_lengths(test: Footage) -> tuple[int, int]:
    """Frames given and frames predicted in a rollout, that the longest clip has room for."""
    longest = int(test.length.max())
    context = min(CONTEXT, max(1, longest // 2))
    return context, min(AHEAD, longest - context)


def _errors(subject: Subject, trivial: Mapping[str, Predictor], test: Footage) -> Quantity:
    """Equation (1), its mean and standard deviation over clips, of the model and of trivial predictors."""
    own, clip = _one_step(subject, None, test), test.clip_of(test.rows(1))
    of_clips, block = _means(own, clip), max(1, min(ALIKE, len(own) // LEAST_BLOCKS))
    baselines: dict[str, Measured] = {}
    for name, predictor in trivial.items():
        errors = _one_step(subject, predictor, test)
        lead = beside_model(own, errors, "lower", block).lead
        baselines[name] = replace(_spread(_means(errors, clip)), lead=lead)
    return ERROR.of(float(of_clips.mean()), float(of_clips.std(correction=0)), baselines)


def _one_step(subject: Subject, trivial: Predictor | None, test: Footage) -> Tensor:
    """The squared error of every frame but the first of its clip, float64, in order."""
    rows = test.rows(1)
    given = test.given(rows, CONTEXT)
    errors = torch.zeros(len(rows), dtype=torch.float64)
    for count in given.unique().tolist():
        at_once = max(1, VALUES // (count * test.frames[0].numel()))
        for some in (given == count).nonzero()[:, 0].split(at_once):
            frame = continued(subject, trivial, test.before(rows[some], count), 1)[:, 0]
            errors[some] = squared_error(frame, test.frames[rows[some]]).double()
    return errors


def _means(errors: Tensor, clip: Tensor) -> Tensor:
    """The mean of every clip that has a frame."""
    count = clip.bincount()
    return torch.zeros(len(count), dtype=errors.dtype).index_add_(0, clip, errors) / count


def _rollout(subject: Subject, trivial: Predictor | None, test: Footage, context: int, ahead: int) -> list[float]:
    """Mean error of each frame ahead, from as many places of each clip as do not overlap in what is predicted."""
    spans = zip(test.first.tolist(), test.length.tolist(), strict=True)
    starts = torch.cat([torch.arange(a + context, a + max(context, n - ahead + 1), ahead) for a, n in spans])
    total = torch.zeros(ahead, dtype=torch.float64)
    for some in starts.split(max(1, VALUES // ((context + ahead) * test.frames[0].numel()))):
        frames = continued(subject, trivial, test.before(some, context), ahead)
        error = squared_error(frames.flatten(0, 1), test.after(some, ahead).flatten(0, 1))
        total += error.double().reshape(-1, ahead).sum(0)
    return (total / len(starts)).tolist()


def _spread(errors: Tensor) -> Measured:
    return Measured(float(errors.mean()), float(errors.std(correction=0)))


MEASURE = Measure(
    title="What comes next",
    meaning="How well a model says what comes next in video.",
    applies=applies,
    measure=measure,
    quantities=(ERROR, ROLLOUT, FRAME_SHAPE),
    headline=Headline((ERROR.name,), TRIVIAL, "frames", lambda subject: True, quick),
)
