r"""Pictures of how features encode a true variable: features are moved along its direction and decoded.

Features f_n and true variables y_n are standardised over training examples. The expected features are taken to be
linear in the variables,

    E[f | y] = m + W^T y,   W = (Y^T Y + alpha)^-1 Y^T F,   alpha = 1                                        (1)

and row k of W is how features change when variable k alone grows by one standard deviation. A test example is moved by
s deviations and its features f + s W_k decoded: to the model, this is the same head turned, or with another nose.

Moving along the weights of a linear readout of the variable would not do: they are the shortest direction that changes
the readout, and lead away from the distribution of features.

References:
    Lotter, Kreiman, Cox, Unsupervised learning of visual structure using predictive generative networks (2015).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.data.view import Batch
from untaught.evaluate.drawing.pictures import Picture, colours, enlarged, mosaic, reduced
from untaught.evaluate.representations import context
from untaught.evaluate.subject import Subject
from untaught.evaluate.variables import variables
from untaught.model import Decodes, Encodes
from untaught.shapes import Features, Images

FITTED = 1000
"""Training examples that directions are fitted on."""
COMPONENTS = 3
"""Components of a variable with several that have a row."""
ROWS = 8
STEPS = (-3, -2, -1, 0, 1, 2, 3)
"""Deviations that a variable is moved by."""
PENALTY = 1.0
CHANGE = -0.25
"""Decoded values below this are not those of a picture: such a model decodes changes, drawn with no change as grey."""
SIDE = 110
"""Side of a picture in pixels."""


def applies(subject: Subject) -> str | None:
    """None for models that encode and decode, on pictures or video whose true variables are known."""
    if not isinstance(subject.model, Encodes) or not isinstance(subject.model, Decodes):
        return "the model does not encode and decode"
    if len(subject.parts.test.shape) != 3:
        return "vectors cannot be drawn"
    latents = subject.parts.train.latents.values()
    return (
        None if any(bool((value != value[0]).any()) for value in latents) else "no true variable is known that varies"
    )


def picture(subject: Subject) -> Picture:
    """A row for each variable, the first 3 components of one with several; the example as it is in the middle."""
    moved = perturbed(subject)
    rows = [[reduced(enlarged(tile, SIDE), SIDE) for tile in colours(images)] for images in moved.values()]
    names = [name.replace("_", " ") for name in moved]
    foot = "features moved by so many standard deviations of one variable, then decoded"
    return mosaic(rows, names, [f"{step:+d} sd" if step else "as it is" for step in STEPS], foot)


def perturbed(subject: Subject) -> dict[str, Images]:
    """One test example decoded with each variable moved by -3 to 3 deviations, `(step, channel, height, width)`."""
    assert isinstance(subject.model, Decodes)
    frames = context(subject)
    train = subject.pixels(subject.parts.train, FITTED, frames)
    features = subject.features(train.x)
    places, found = directions(train, features)
    one = subject.features(subject.pixels(subject.parts.test, 1, frames).x)
    steps = torch.tensor(STEPS, dtype=one.dtype)
    moved = torch.cat([one + steps[:, None] * found[place] for place in places.values()])
    with torch.no_grad():
        images = subject.shown(subject.model.decode(moved.to(subject.device)).float().cpu())
    if float(images[STEPS.index(0)].min()) < CHANGE:
        images = 0.5 + 0.5 * images
    return dict(zip(places, images.clamp(0, 1).split(len(STEPS)), strict=True))


def directions(batch: Batch, features: Features) -> tuple[dict[str, int], Float[Tensor, "column feature"]]:
    """Rows of W of equation (1), and where those of the variables to be shown are."""
    known = variables([batch])
    y = known.columns[0].double()
    y = (y - y.mean(0)) / y.std(0, correction=0)
    f = features.double() - features.double().mean(0)
    inner = y.T @ y + PENALTY * torch.eye(y.shape[1], dtype=torch.float64)
    places = dict(list(known.places(COMPONENTS).items())[:ROWS])
    return places, torch.linalg.solve(inner, y.T @ f).to(features.dtype)
