r"""How improbable a model finds each example, by what it can do: the higher the score, the more unusual.

    likelihood       -log p(x), or minus a lower bound on it without log Z, in nats        (1)
    free energy      F(x) = -log p(x) - log Z, in nats                                     (2)
    reconstruction   sum_p (x_p - y_p)^2, with y what the model gives back of x            (3)
    prediction       mean_q e_{t,q} / (u_q + c),   u_q = median_t e_{t,q},
                     e_{t,q} = mean over square q of (x_{t,p} - x^_{t,p})^2, summed over channels   (4)

log Z is the same for all examples, and changes no order. Grey values enter as they are, as probabilities where the
model is binary; pixels of (3) and (4) are in [0, 1].

A frame of video is predicted from as many true frames as the model was trained on, at most 10, so the first ones of a
clip have no score. Its error alone is largest where much moves: it finds motion. Each square of the picture, an eighth
of its shorter side wide and overlapping the next by half, is therefore judged by its own error in the middle one of all
frames, so that (4) counts how many times the usual error a frame has: leaves that move all the time weigh little, a
person where nothing ever moves weighs much. c, a hundredth of the mean of u and the square of half a grey level, keeps
places where nothing happens from dividing by zero; where all is still, scores are 0. A ratio to the error of copying
the frame before, which also takes motion out, fails: what moves more is predicted better than what stands still, and a
stretch of another film is found less often than by chance. What freezes is too predictable to be found.

A model that was trained on squares and cannot look at a whole picture looks at squares that cover it (`in_squares`):
maps of errors are pieced together, scores of (1) and (2) are means over the squares.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from untaught.data.batches import fixed_order
from untaught.data.part import Part
from untaught.data.view import cut
from untaught.evaluate.image_quality import squared_error
from untaught.evaluate.in_squares import given_back, in_squares, whole_view
from untaught.evaluate.subject import Subject
from untaught.model import Energy, LowerBound, Predicts, Reconstructs, Scores
from untaught.randomness import seeded
from untaught.shapes import Examples, Images, PerExample, Video

Kind: TypeAlias = Literal["prediction", "likelihood", "free-energy", "reconstruction"]
Maps = Float[Tensor, "batch down across"]
"""Squared errors at each place, channels added."""
KINDS: dict[Kind, str] = {
    "prediction": "prediction error, in times the usual error at each place",
    "likelihood": "likelihood, as minus the log-likelihood in nats",
    "free-energy": "free energy in nats",
    "reconstruction": "reconstruction error, the sum of squared differences",
}
"""What each score is, in the order in which they are preferred."""
CONTEXT = 10
"""True frames that a prediction is made from, at most."""
DRAWS = 10
"""Over which a bound is a mean, for that of some models is an estimate from one draw."""
PLACES = 8
"""Sides of the squares of (4) in the shorter side of a frame."""
HALF_A_LEVEL = 0.5 / 255
VALUES = 2**24
"""Numbers that are read at once: 64 MiB as float32."""


@dataclass(frozen=True)
class Scored:
    """Scores of examples, and the number of each one's frame in the part."""

    score: PerExample
    frame: Tensor
    """Int64 `(example,)`."""
    usual: Tensor | None = None
    """The usual error of each square, with c, of a score by prediction: `(1, height, width)`."""


def missing(subject: Subject) -> dict[Kind, str | None]:
    """For each kind of score None where the model gives it on the test part, else why it does not."""
    model, windows = subject.model, subject.view.frames is not None
    energy, bound = isinstance(model, Energy), isinstance(model, LowerBound)
    video = subject.parts.test.is_video and int(subject.parts.test.length.max()) > 1
    of_windows = "the model sees windows of video; its prediction of frames is judged" if windows else None
    return {
        "prediction": _unless(isinstance(model, Predicts), "the model does not predict")
        or _unless(video, "the data are not video"),
        "likelihood": _unless(isinstance(model, Scores) or bound, "the model has no likelihood") or of_windows,
        "free-energy": _unless(energy and not bound, "the model has no free energy") or of_windows,
        "reconstruction": _unless(isinstance(model, Reconstructs), "the model does not reconstruct") or of_windows,
    }


def available(subject: Subject) -> list[Kind]:
    """The kinds of score that a model gives, the preferred one first."""
    return [kind for kind, reason in missing(subject).items() if reason is None]


def _unless(able: bool, reason: str) -> str | None:
    return None if able else reason


def scores(subject: Subject, part: Part, kind: Kind) -> Scored:
    """The score of every example of a part, in its order; of video, of every frame that can be judged."""
    if kind == "prediction":
        return _predicted(subject, part)
    order = fixed_order(part, replace(whole_view(subject), frames=None), None)
    size = max(1, VALUES // torch.Size(part.shape).numel())
    found: list[Tensor] = []
    with seeded(subject.seed, subject.device):
        for some in order.split(size):
            x = cut(part.frames.read(some).cpu(), whole_view(subject), None, training=False)
            found.append(_single(subject, x, kind))
    return Scored(torch.cat(found) if found else torch.zeros(0), order)


def score_of(model: object, seen: Examples, kind: Kind) -> PerExample:
    """Equations (1) and (2) of what a model sees."""
    if kind == "free-energy":
        assert isinstance(model, Energy)
        return model.free_energy(seen)
    if isinstance(model, Scores):
        return -model.log_likelihood(seen).nats
    assert isinstance(model, LowerBound)
    return -torch.stack([model.unnormalised_bound(seen) for _ in range(DRAWS)]).mean(0)


def _single(subject: Subject, x: Examples, kind: Kind) -> PerExample:
    if kind == "reconstruction":
        return squared_error(x, given_back(subject, x))
    return in_squares(subject, x, lambda some: subject.apply(lambda seen: score_of(subject.model, seen, kind), some))


def context(subject: Subject, part: Part) -> int:
    """True frames before a frame that is judged: as in training, at most 10, and at most what the longest clip has."""
    return max(1, min((subject.view.frames or 2) - 1, CONTEXT, int(part.length.max()) - 1))


def next_frames(subject: Subject, given: Video) -> Images:
    """The frame after each clip, as the model predicts it, in [0, 1]."""
    model = subject.model
    assert isinstance(model, Predicts)

    def predict(some: Video) -> Images:
        return subject.shown(subject.apply(lambda seen: model.predict(seen, 1), some)[:, 0]).clamp(0, 1)

    return in_squares(subject, given, predict)


def _predicted(subject: Subject, part: Part) -> Scored:
    """Equation (4) for every frame with enough frames before it."""
    rows, errors = [torch.arange(0)], [in_places(torch.zeros(0, *part.shape))]
    for number, given, frame in windows(subject, part):
        rows.append(number)
        errors.append(in_places((next_frames(subject, given) - frame).square()))
    score, usual = times_usual(torch.cat(errors), part.shape[0])
    return Scored(score, torch.cat(rows), usual)


def in_places(squares: Images) -> Maps:
    """Squared errors `(batch, channel, height, width)` as their means over overlapping squares, channels added.

    Example:
        >>> in_places(torch.ones(1, 3, 16, 32))[0].tolist()[0][:2], in_places(torch.ones(1, 3, 16, 32)).shape
        ([3.0, 3.0], torch.Size([1, 15, 31]))
    """
    side = max(1, min(squares.shape[-2:]) // PLACES)
    return avg_pool2d(squares.sum(1, keepdim=True), side, -(-side // 2), ceil_mode=True)[:, 0]


def times_usual(errors: Maps, channels: int) -> tuple[PerExample, Tensor]:
    """Equation (4), of the errors of all frames, and u + c, by which each place is divided.

    Example:
        >>> times_usual(torch.tensor([[[1.0]], [[1.0]], [[5.0]]]), 1)[0].round(decimals=1).tolist()
        [1.0, 1.0, 5.0]
        >>> times_usual(torch.zeros(3, 2, 2), 1)[0].tolist()
        [0.0, 0.0, 0.0]
    """
    middle = errors.median(0, keepdim=True).values if len(errors) else errors.new_zeros(1, *errors.shape[1:])
    usual = middle + middle.mean() / 100 + channels * HALF_A_LEVEL**2
    return (errors / usual).flatten(1).mean(1), usual


@dataclass(frozen=True)
class Explained:
    """One example, and where in it the score comes from."""

    picture: Tensor
    """In [0, 1], `(channel, height, width)`."""
    made: Tensor | None
    """What the model gives back of it, or predicts in its place."""
    where: Float[Tensor, "height width"] | None
    """The squared difference of both, channels added; of a prediction the terms of (4)."""


def explained(subject: Subject, part: Part, frame: int, kind: Kind, usual: Tensor | None) -> Explained:
    """What a frame's score comes from; beside a likelihood or a free energy the reconstruction, if there is one."""
    view, rows = whole_view(subject), torch.tensor([frame])
    if kind == "prediction":
        clip = int(((part.first <= frame) & (frame < part.first + part.length)).nonzero()[0])
        given = min(context(subject, part), frame - int(part.first[clip]))
        rows = torch.arange(frame - given, frame + 1)
    x = cut(part.frames.read(rows).cpu(), view, None, training=False)
    picture = x[-1]
    if kind == "prediction":
        assert usual is not None
        made = next_frames(subject, x[None, :-1])[0]
        times = in_places((made - picture).square()[None]) / usual
        return Explained(picture, made, interpolate(times[:, None], picture.shape[1:], mode="bilinear")[0, 0])
    if not isinstance(subject.model, Reconstructs) or subject.view.frames is not None:
        return Explained(picture, None, None)
    made = given_back(subject, x)[0]
    return Explained(picture, made, (made - picture).square().sum(0))


def windows(subject: Subject, part: Part) -> Iterator[tuple[Tensor, Video, Images]]:
    """Frames of each clip that can be judged, in batches: their numbers, the frames before each, and themselves."""
    count = context(subject, part)
    view = whole_view(subject)
    room = max(1, VALUES // (torch.Size(part.shape).numel() * (count + 1)))
    for first, length in zip(part.first.tolist(), part.length.tolist(), strict=True):
        given = min(count, length - 1)
        for rows in torch.arange(first + given, first + length).split(room) if given else ():
            raw = part.frames.read(torch.arange(int(rows[0]) - given, int(rows[-1]) + 1))
            x = cut(raw.cpu()[None], view, None, training=False)[0]
            yield rows, x[torch.arange(len(rows))[:, None] + torch.arange(given)], x[given:]
