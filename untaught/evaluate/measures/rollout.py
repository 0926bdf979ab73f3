r"""How predictions deteriorate: the error of each frame of a long rollout, by the number of true context frames.

With x_{n,t} frame t of test clip n and x^{c}_{n,t} its prediction from the c true frames before frame s and the model's
own predictions of frames s, s + 1, ..., t - 1, the error h frames ahead is the mean over clips

    e_c(h) = mean_n sum_p (x_{n,s+h-1,p} - x^{c}_{n,s+h-1,p})^2,        h = 1, 2, ..., 50      (1)

The same frames are predicted from every context: s follows the longest one, of 10 frames or half of a shorter clip.
Clips that end before s + h are left out of e_c(h). `squared_error_ahead` holds (1) for each context, `ssim_ahead` the
same of structural similarity, and the trivial predictors go on from the longest context. `squared_error_per_frame`,
`ssim` and `ssim_7x7` are means over all frames predicted from the longest context, of each clip first, then over clips.
Predictions are clipped to [0, 1].

On clips of 20 frames this is the protocol of Moving MNIST, 10 frames in and 10 out. What is published there as MSE is
`squared_error_per_frame`: a sum over pixels in [0, 1], mean over frames and clips. What is published as SSIM is mostly
scikit-image's default for floating point, as in Tan et al.: a flat 7 x 7 window, the covariance of a sample, and a data
range of 2 though pixels span 1. That is `ssim_7x7`; it is nearer to 1 than `ssim` (`image_quality`), which is Wang's.

References:
    Srivastava, Mansimov, Salakhutdinov, Unsupervised learning of video representations using LSTMs (2015).
    Tan et al., OpenSTL: a comprehensive benchmark of spatio-temporal predictive learning (2023), arXiv:2306.11249.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from untaught.errors import ConfigError
from untaught.evaluate.baselines.predictors import Predictor, predictors
from untaught.evaluate.drawing.rollout_lines import rollout_picture
from untaught.evaluate.footage import LONGEST, Footage, footage
from untaught.evaluate.image_quality import squared_error, ssim, ssim_7x7
from untaught.evaluate.measure import Drawing, Groups, Measure
from untaught.evaluate.measures import prediction, reconstruction
from untaught.evaluate.measures.prediction import FITTED, continued, frame_view, rollout_lengths
from untaught.evaluate.quantity import Axis, Measured, Quantity, beside, facts
from untaught.evaluate.subject import Subject

Errors = Float[Tensor, "clip ahead"]
Scores = dict[str, Errors]
"""By name: squared_error, ssim, ssim_7x7."""

CONTEXTS = tuple(range(1, 11))
"""True frames that a rollout begins from."""
AHEAD = 50
"""Frames that are predicted, at most."""
CLIPS = 20
"""Test clips, unless the caller or the subject says otherwise."""
AT_ONCE = 50


def _given(context: str, ahead: str = "") -> str:
    """The entry `("context_5", "3")` as people call it."""
    count = context.removeprefix("context_")
    frames = f"{count} frame{'' if count == '1' else 's'}"
    return f"{ahead} ahead after {frames}" if ahead else f"{frames} given"


FEW = ("context_1", "context_2", "context_5", "context_10")
ERROR, SSIM = prediction.ERROR, reconstruction.SSIM
SSIM_7X7 = Quantity("ssim_7x7", title="SSIM in flat 7×7 windows, data range 2", better="higher")
ERROR_AHEAD = Quantity(
    "squared_error_ahead",
    title="squared error of frames ahead",
    better="lower",
    axis=Axis("frames ahead", "squared error", entry=_given, label="squared error, {}", few=FEW),
    meaning="The model goes on from its own predictions, after so many true frames.",
)
SSIM_AHEAD = Quantity(
    "ssim_ahead",
    title="SSIM of frames ahead",
    better="higher",
    axis=Axis("frames ahead", "SSIM", entry=_given, label="SSIM, {}", few=FEW),
    meaning="Structural similarity of the same frames, at most 1.",
)


def applies(subject: Subject) -> str | None:
    """None for models that predict, on video."""
    return prediction.applies(subject)


def measure(subject: Subject, contexts: Sequence[int] = CONTEXTS, clips: int = CLIPS) -> Groups:
    """Errors of each frame ahead, of the model from each context and of the baselines from the longest.

    Args:
        subject: The model and its data; its limit, where it has one, counts test frames and goes before `clips`.
        contexts: True frames to begin from, each at least 1; those that the clips have no room for are left out.
        clips: Test clips at most, where all have one length.

    Raises:
        ConfigError: A context has no frame.
    """
    if not contexts or min(contexts) < 1:
        raise ConfigError(f"contexts = {tuple(contexts)}: a rollout begins from at least 1 true frame")
    view, part = frame_view(subject), subject.parts.test
    frames = subject.limit or clips * min(LONGEST, int(part.length.max()))
    test = footage(part, view, frames, subject.seed)
    room, _ = rollout_lengths(test)
    fitting = sorted({count for count in contexts if count <= room} or {room})
    first = fitting[-1]
    model = {f"context_{count}": _scores(subject, None, test, count, first) for count in fitting}
    longest = f"context_{first}"
    fitted = predictors(footage(subject.parts.train, view, FITTED, subject.seed))
    trivial = {name: _scores(subject, predict, test, first, first) for name, predict in fitted.items()}
    kept = _kept(test, first)
    of = {"model": model[longest], **trivial}
    means = [[one] for one in _means(of, kept)]
    curves = [
        [
            one.of(
                {name: _curve(scores[kind], kept) for name, scores in model.items()},
                baselines={name: {longest: _curve(scores[kind], kept)} for name, scores in trivial.items()},
            )
        ]
        for kind, one in (("squared_error", ERROR_AHEAD), ("ssim", SSIM_AHEAD))
    ]
    return [*means, *curves, facts(context=first, frames_ahead=kept.shape[1], clips=len(kept))]


KINDS = {"squared_error": squared_error, "ssim": ssim, "ssim_7x7": ssim_7x7}


def _kept(test: Footage, first: int) -> Bool[Tensor, "clip ahead"]:
    """Which frames there are, of the clips that are longer than the longest context."""
    left = test.length[test.length > first] - first
    return torch.arange(min(AHEAD, int(left.max()))) < left[:, None]


def _scores(subject: Subject, trivial: Predictor | None, test: Footage, context: int, first: int) -> Scores:
    """Error and similarities of every predicted frame, from `context` frames before frame `first` of each clip.

    Values beyond a clip's end mean nothing.
    """
    kept = _kept(test, first)
    ahead = kept.shape[1]
    found: dict[str, list[Tensor]] = {kind: [] for kind in KINDS}
    for starts in (test.first[test.length > first] + first).split(AT_ONCE):
        predicted = continued(subject, trivial, test.before(starts, context), ahead).flatten(0, 1)
        rows = (starts[:, None] + torch.arange(ahead)).clamp_max(len(test.frames) - 1)
        true = test.frames[rows.flatten()]
        for kind, of in KINDS.items():
            found[kind].append(of(predicted, true).double().unflatten(0, (-1, ahead)))
    return {kind: torch.cat(values) for kind, values in found.items()}


def _curve(values: Errors, kept: Tensor) -> list[float]:
    """Equation (1): the mean over the clips that have the frame."""
    return (values.where(kept, 0).sum(0) / kept.sum(0)).tolist()


def _means(scores: dict[str, Scores], kept: Tensor) -> list[Quantity]:
    """Mean over clips of each score's mean over frames; of the error, the deviation over clips too."""

    def over_frames(of: Scores, kind: str) -> Measured:
        each = of[kind].where(kept, 0).sum(1) / kept.sum(1)
        return Measured(float(each.mean()), float(each.std(correction=0)) if kind == "squared_error" else None)

    kinds = {"squared_error": ERROR, "ssim": SSIM, "ssim_7x7": SSIM_7X7}
    found = {name: {one.name: over_frames(of, kind) for kind, one in kinds.items()} for name, of in scores.items()}
    return beside(kinds.values(), found)


MEASURE = Measure(
    title="How far it sees ahead",
    meaning="How predictions fall apart: the error of each frame of a long rollout, by how many true frames were seen "
    "before it.",
    applies=applies,
    measure=measure,
    quantities=(ERROR, SSIM, SSIM_7X7, ERROR_AHEAD, SSIM_AHEAD),
    pictures={
        "rollout.png": Drawing(
            lambda subject, found: rollout_picture(found[ERROR_AHEAD.name]),
            "Error of each frame ahead, from so many true frames; dashed what is trivial.",
        )
    },
)
