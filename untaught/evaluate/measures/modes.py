r"""Which of the data's modes samples cover, where the modes are known: for mixtures.

    good(x) where  |x - c_k| < 3 s   for the nearest centre c_k              (1)
    covered = {k: some good sample is nearest to c_k}                        (2)
    uneven = sum_k f_k log(f_k K)                                            (3)

Centres c are the true ones of the data, `latents["mode"]`, s is the deviation of test examples from theirs in each
coordinate, and f_k the part of the good samples whose nearest centre is c_k. As many samples are drawn as there are
test examples. One good sample covers a mode by (2); (3) is 0 where all K modes have as many, and log K where one has
all. Beside the model stand training examples, and a Gaussian fitted to them.

References:
    Srivastava, Valkov, Russell, Gutmann, Sutton (2017). VEEGAN: reducing mode collapse in GANs using implicit
    variational learning. NIPS ((1) and (2)).
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.data.view import Batch
from untaught.evaluate.drawing.pictures import Picture
from untaught.evaluate.measure import Drawing, Groups, Measure, Quantities
from untaught.evaluate.quantity import MODEL, Quantity, beside, facts
from untaught.evaluate.subject import Subject
from untaught.model import Samples
from untaught.shapes import Vectors

Centres = Float[Tensor, "mode coordinate"]
NEAR = 3.0
"""Deviations from a centre within which a sample is good."""
MOST = 10_000
LEAST = 100
DOTS = 2_500
"""Samples in the picture at most."""

COVERED = Quantity(
    "modes_covered",
    title="modes covered",
    better="higher",
    meaning="How many of the data's modes have a sample within three deviations of their centre.",
)
GOOD = Quantity(
    "high_quality",
    title="samples of high quality",
    unit="%",
    better="higher",
    meaning="Which part of the samples lies within three deviations of a mode's centre; of the data's own examples in "
    "the plane 98.9 %, on a line 99.7 %.",
)
UNEVEN = Quantity(
    "unevenness_nats",
    title="unevenness of modes",
    unit="nats",
    better="lower",
    meaning="How unevenly samples of high quality are shared out among the modes: 0 where each has as many.",
    absent="no sample is of high quality",
)


def applies(subject: Subject) -> str | None:
    """None for models that draw, of data whose modes are known."""
    if not isinstance(subject.model, Samples):
        return "the model draws no samples"
    if "mode" not in subject.parts.test.latents or subject.view.frames is not None:
        return "the data's modes are not known; those of `mixture` are"
    return None if len(subject.parts.test) >= LEAST else f"this takes at least {LEAST} test examples"


def measure(subject: Subject) -> Groups:
    """Equations (1) to (3), beside those of training examples and of one Gaussian."""
    assert isinstance(subject.model, Samples)
    test = subject.tested(MOST)
    centres, deviation = known_modes(test)
    count = len(test.x)
    train = subject.pixels(subject.parts.train, MOST).x
    sets = {
        MODEL: drawn(subject, count),
        "training_examples": train[:count],
        "one_gaussian": _gaussian(train, count),
    }
    found = {name: counted(x.double(), centres, deviation) for name, x in sets.items()}
    return [beside((COVERED, GOOD, UNEVEN), found), facts(modes=len(centres), samples=count)]


def drawn(subject: Subject, count: int) -> Vectors:
    """Samples in the data's own units."""
    assert isinstance(subject.model, Samples)
    with torch.no_grad():
        return subject.shown(subject.model.sample(count).float().cpu())


def known_modes(test: Batch) -> tuple[Centres, float]:
    """The true centres, and the deviation of examples from theirs in each coordinate."""
    mode = test.latents["mode"].double()
    return mode.unique(dim=0), float((test.x.double() - mode).square().mean().sqrt())


def counted(x: Vectors, centres: Centres, deviation: float) -> dict[str, float | int | None]:
    """Equations (1) to (3) of samples.

    Example:
        >>> x, centres = torch.tensor([[0.1], [0.2], [9.0]]).double(), torch.tensor([[0.0], [5.0]]).double()
        >>> found = counted(x, centres, deviation=0.1)
        >>> found["modes_covered"], round(found["high_quality"], 2), round(found["unevenness_nats"], 2)
        (1, 0.67, 0.69)
    """
    distance, nearest = torch.cdist(x, centres).min(1)
    good = distance < NEAR * deviation
    each = nearest[good].bincount(minlength=len(centres)).double()
    share = each / each.sum()
    uneven = float(torch.special.xlogy(share, share * len(centres)).sum()) if bool(good.any()) else None
    return {
        "modes_covered": int((each > 0).sum()),
        "high_quality": float(good.double().mean()),
        "unevenness_nats": uneven,
    }


def _gaussian(x: Vectors, count: int) -> Float[Tensor, "count feature"]:
    """Draws from the Gaussian with the mean and covariance of examples."""
    centred = (x - x.mean(0)) / math.sqrt(len(x) - 1)
    return x.mean(0) + torch.randn(count, len(x)) @ centred


def scattered(subject: Subject, found: Quantities) -> Picture | None:
    """Samples in the plane over test examples, or both as histograms on a line."""
    from matplotlib.figure import Figure

    from untaught.evaluate.drawing.plots import COLOURS, drawn_on_paper, rendered

    test = subject.tested(DOTS)
    x = drawn(subject, len(test.x))
    if x.shape[1] > 2:
        return None
    with drawn_on_paper():
        figure = Figure(figsize=(6, 6) if x.shape[1] == 2 else (7, 3.5), layout="constrained")
        axes = figure.add_subplot()
        for name, some, colour in (("test examples", test.x, COLOURS[-1]), ("samples", x, COLOURS[0])):
            if x.shape[1] == 2:
                axes.scatter(some[:, 0], some[:, 1], s=5, color=colour, alpha=0.6, linewidths=0, label=name)
            else:
                axes.hist(some[:, 0].numpy(), bins=120, color=colour, alpha=0.6, label=name)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.08), ncols=2, frameon=False, markerscale=3)
        if x.shape[1] == 2:
            axes.set_aspect("equal")
        return rendered(figure)


MEASURE = Measure(
    title="Modes",
    meaning="Which of the data's known modes samples cover, and how many samples lie in one.",
    applies=applies,
    measure=measure,
    quantities=(COVERED, GOOD, UNEVEN),
    pictures={"modes.png": Drawing(scattered, "Samples, and the test examples that they should look like.")},
)
