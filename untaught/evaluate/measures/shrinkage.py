r"""Whether predicted frames keep the identity, or shrink towards the average.

A ridge with intercept reads the true variables off the pixels of true frames: it is fitted on up to 2000 training
frames x, its alpha chosen on validation frames, as in `decode`. On test clips it is then applied to the model's
prediction p_n of frame n, made from up to 5 true frames before it, and to the true frame. With y_n the true value, r(.)
the readout and a bar the mean over n,

    correlation = corr_n( r(p_n), y_n )                                                                    (1)
    slope       = sum_n (r(p_n) - r(p)_bar)(r(x_n) - r(x)_bar) / sum_n (r(x_n) - r(x)_bar)^2               (2)

A slope of 1 is faithful; at 0 every prediction is the average head. 1 - slope is how far predictions shrink towards it.
For a variable with several components the first 10 are listed, and their mean is under the variable's name. Predictions
are clipped to [0, 1]. `squared_error_per_frame` is that of p_n.

Baselines are the true frame itself, whose correlation is the best that the readout reaches and whose slope is 1, and
the previous frame, which has the right identity at the wrong angle.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.evaluate.image_quality import squared_error
from untaught.evaluate.measure import Groups, Measure
from untaught.evaluate.measures.decode import LISTED, Reader, three_batches
from untaught.evaluate.measures.prediction import SUM, continued
from untaught.evaluate.measures.prediction import applies as predicts
from untaught.evaluate.quantity import Axis, Quantity, beside, facts
from untaught.evaluate.representations import CONTEXT
from untaught.evaluate.subject import Subject
from untaught.evaluate.variables import Column, Variables, variables
from untaught.shapes import Images

Read = Float[Tensor, "batch column"]

QUANTITIES = (
    Quantity(
        "correlation",
        better="higher",
        axis=Axis(label="correlation of {}"),
        meaning="Correlation of each true variable with what a linear map reads of it off predicted frames.",
    ),
    Quantity(
        "slope",
        axis=Axis(label="slope of {}"),
        meaning="How much of a difference between true frames is left between predicted ones: 1 is faithful, 0 the "
        "average.",
    ),
    Quantity("squared_error_per_frame", better="lower", meaning=f"{SUM}: the mean over test frames."),
)


def applies(subject: Subject) -> str | None:
    """None for models that predict, on video whose true variables are known."""
    reason = predicts(subject)
    if reason is None and not subject.parts.test.latents:
        return "the data's true variables are not known"
    if reason is None and subject.view.patch is not None:
        return "the model sees patches, and the true variables are those of whole frames"
    return reason


def measure(subject: Subject) -> Groups:
    """Correlation and slope of every variable read off predicted frames, beside true and previous ones."""
    parts = subject.parts
    frames = 1 + min(CONTEXT, min(int(part.length.max()) for part in (parts.train, parts.validation, parts.test)) - 1)
    batches = three_batches(subject, frames)
    known = variables(batches)
    given, true = batches[2].x[:, :-1], batches[2].x[:, -1]
    shown = {"model": continued(subject, None, given, 1)[:, 0], "true_frame": true, "previous_frame": given[:, -1]}
    errors = {name: float(squared_error(true, frame).double().mean()) for name, frame in shown.items()}
    found = _read(shown, [batch.x[:, -1].flatten(1) for batch in batches], known) if known.sizes else {}
    judged = {name: {**found.get(name, {}), "squared_error_per_frame": errors[name]} for name in shown}
    return [beside(QUANTITIES, judged), facts(context=frames - 1, clips=len(true))]


def _read(shown: dict[str, Images], pixels: list[Tensor], known: Variables) -> dict[str, dict[str, Any]]:
    """Read the variables off every kind of frame."""
    reader = Reader(pixels, known.columns)
    alpha = reader.alphas()
    told = {name: reader.ridge.predict(frames.flatten(1), alpha) for name, frames in shown.items()}
    truth = known.columns[2].double()
    return {
        name: {
            "correlation": _named(correlation(read, truth), known),
            "slope": _named(slope(read, told["true_frame"]), known),
        }
        for name, read in told.items()
    }


def _named(values: Column, known: Variables) -> dict[str, float]:
    return {**known.means(values), **{name: float(values[place]) for name, place in known.places(LISTED).items()}}


def correlation(read: Read, truth: Read) -> Column:
    """Correlation of each column with the truth, equation (1); 0 where nothing varies."""
    a, b = (x.double() - x.double().mean(0) for x in (read, truth))
    size = (a.square().sum(0) * b.square().sum(0)).sqrt()
    return torch.where(size > 0, (a * b).sum(0) / size.clamp_min(torch.finfo(torch.float64).tiny), 0.0)


def slope(read: Read, of_true: Read) -> Column:
    """How much of a difference between true frames is left between predicted ones, equation (2)."""
    a, b = (x.double() - x.double().mean(0) for x in (read, of_true))
    return (a * b).sum(0) / b.square().sum(0).clamp_min(torch.finfo(torch.float64).tiny)


MEASURE = Measure(
    title="Whether predictions keep the identity",
    meaning="Whether what is predicted is of the same identity, or drawn towards the average.",
    applies=applies,
    measure=measure,
    quantities=QUANTITIES,
    together=True,
)
