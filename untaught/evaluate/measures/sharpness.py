r"""Whether predicted frames are as sharp as true ones, beside their squared error.

Squared error rewards the mean of all possible next frames, which is blurred; an adversarial loss does not. For true
frames x and predictions y, pixels in [0, 1], with the differences of neighbouring pixels down and across, d_i and d_j,

    gradient energy ratio  = sum (d_i y)^2 + (d_j y)^2  /  sum (d_i x)^2 + (d_j x)^2                          (1)
    sharpness difference   = -10 log10( 1/P sum | |d_i x| + |d_j x| - |d_i y| - |d_j y| | )   in decibels      (2)

with sums over the pixels that have both neighbours: in (1) of all frames, in (2) of one frame, whose mean is given. (1)
is 1 for frames as sharp as true ones, less for blurred and more for noisy ones: an edge of height h spread over w
pixels has the energy h^2 / w. (The plain sum of |d| would not do: a blurred edge has the same.) (2) compares position
by position, so more is better, 100 at best. Neither says whether sharp predictions are correct; the squared error does.

Each frame is predicted from the 10 true frames before it, or from all but one of the longest clip where that is less:
for clips of 6 frames, the sixth from five. Baselines are a copy of the previous frame and the mean of the training
frames.

References:
    Krotkov, Focusing (1988), for (1), there called the Tenengrad after Tenenbaum.
    Mathieu, Couprie, LeCun, Deep multi-scale video prediction beyond mean square error (2016), for (2).
"""

from __future__ import annotations

import torch
from torch import Tensor

from untaught.evaluate.baselines.predictors import Predictor
from untaught.evaluate.footage import footage
from untaught.evaluate.image_quality import squared_error
from untaught.evaluate.measure import Groups, Measure
from untaught.evaluate.measures.prediction import CONTEXT, SUM, continued, frame_view
from untaught.evaluate.measures.prediction import applies as predicts
from untaught.evaluate.quantity import Quantity, beside, facts
from untaught.evaluate.subject import Subject
from untaught.shapes import Images, PerExample, Scalar

FRAMES = 2_000
"""Test frames, unless the subject says otherwise."""
FITTED = 5_000
"""Training frames that the mean is taken of."""
AT_ONCE = 100
"""Frames that are predicted at once."""
FLOOR = 1e-10
"""Least mean difference: (2) is at most 100 decibels."""
QUANTITIES = (
    Quantity(
        "gradient_energy_ratio",
        meaning="The energy of predicted frames' gradients over that of true ones: 1 is as sharp, less is blurred.",
    ),
    Quantity(
        "sharpness_difference_db",
        title="sharpness difference",
        unit="dB",
        better="higher",
        meaning="How alike the gradients of predicted and true frames are, place by place.",
    ),
    Quantity("squared_error_per_frame", better="lower", meaning=f"{SUM}: the mean over test frames."),
)


def applies(subject: Subject) -> str | None:
    """None for models that predict, on video of at least 2 x 2 pixels."""
    reason = predicts(subject)
    if reason is None and min(subject.parts.test.shape[1:]) < 2:
        return "frames of one row or column have no gradient in two directions"
    return reason


def measure(subject: Subject) -> Groups:
    """Sharpness and squared error one frame ahead, of the model and of its baselines."""
    view = frame_view(subject)
    test = footage(subject.parts.test, view, subject.limit or FRAMES, subject.seed)
    average = footage(subject.parts.train, view, FITTED, subject.seed).frames.double().mean(0).float()
    context = min(CONTEXT, int(test.length.max()) - 1)
    rows = test.rows(context)
    everyone: dict[str, Predictor | None] = {
        "model": None,
        "previous_frame": lambda given: given[:, -1],
        "mean_frame": lambda given: average.expand_as(given[:, -1]),
    }
    found: dict[str, dict[str, float]] = {}
    for name, trivial in everyone.items():
        some = [continued(subject, trivial, test.before(part, context), 1)[:, 0] for part in rows.split(AT_ONCE)]
        found[name] = _judged(torch.cat(some), test.frames[rows])
    return [beside(QUANTITIES, found), facts(context=context, frames=len(rows))]


def _judged(predicted: Images, true: Images) -> dict[str, float]:
    decibels = sharpness_difference_db(true, predicted).double()
    return {
        "gradient_energy_ratio": float(gradient_energy_ratio(true, predicted)),
        "sharpness_difference_db": float(decibels.mean()),
        "squared_error_per_frame": float(squared_error(true, predicted).double().mean()),
    }


def gradient_energy_ratio(true: Images, predicted: Images) -> Scalar:
    """Energy of the gradients of predictions as a part of that of true frames, equation (1).

    Example:
        >>> x = torch.rand(3, 1, 8, 8)
        >>> float(gradient_energy_ratio(x, 0.5 * x))
        0.25
    """
    energy = [sum(float(d.double().square().sum()) for d in _differences(x)) for x in (predicted, true)]
    return torch.tensor(1.0 if max(energy) < FLOOR else energy[0] / max(energy[1], FLOOR))


def sharpness_difference_db(true: Images, predicted: Images) -> PerExample:
    """How alike the gradients of two pictures are, in decibels, equation (2)."""
    steep = [sum(d.abs() for d in _differences(x)) for x in (true, predicted)]
    apart = torch.as_tensor(steep[0] - steep[1]).abs().flatten(1).mean(1)
    return -10 * apart.clamp_min(FLOOR).log10()


def _differences(x: Images) -> tuple[Tensor, Tensor]:
    """Each pixel less the one above it and less the one before it, where it has both."""
    here = x[:, :, 1:, 1:]
    return here - x[:, :, :-1, 1:], here - x[:, :, 1:, :-1]


MEASURE = Measure(
    title="How sharp predictions are",
    meaning="Whether predicted frames are as sharp as true ones, beside their squared error.",
    applies=applies,
    measure=measure,
    quantities=QUANTITIES,
    together=True,
)
