r"""How probable test examples are under bumps on samples: a Parzen window, for models that only draw.

    log p(x) = log 1/N sum_i N(x; s_i, sigma^2)                     (1)

s_i are 10,000 samples of the model, sigma the one of ten from 0.1 to 1, evenly spaced in logarithms, under which the
validation part is most probable. The error is the standard error over test examples. Values are in [0, 1].

The number says little of how samples look, and grows with the number of samples; what it is worth is seen beside two
anchors that are measured in the same way: as many training examples in place of samples, and samples whose pixels are
each drawn from a training example of its own.

References:
    Breuleux, Bengio, Vincent (2011). Quickly generating representative samples from an RBM-derived process.
    Goodfellow et al. (2014). Generative adversarial nets.
    Theis, van den Oord, Bethge (2016). A note on the evaluation of generative models (what is wrong with it).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.evaluate.judgement.paired import beside_model
from untaught.evaluate.measure import Groups, Measure
from untaught.evaluate.quantity import Quantity, facts
from untaught.evaluate.subject import EXAMPLES, Subject
from untaught.model import Samples as Draws
from untaught.shapes import Vectors

Samples = Float[Tensor, "sample feature"]
PerDeviation = Float[Tensor, "deviation batch"]
PerPair = Float[Tensor, "batch sample"]
SAMPLES, VALIDATED = 10_000, 2_000
DEVIATIONS = tuple(10 ** (-1 + step / 9) for step in range(10))
"""Values of sigma from 0.1 to 1."""
AT_ONCE = 1_000
"""Examples that are compared with all samples at once."""
NATS = Quantity(
    "parzen_nats",
    title="Parzen log-likelihood",
    unit="nats per example",
    better="higher",
    spread_is="std_error",
    meaning="The log-likelihood of test examples under a Gaussian bump on each of 10,000 samples, whose width is "
    "chosen on validation data.",
)


def applies(subject: Subject) -> str | None:
    """None for models that draw single examples."""
    if not isinstance(subject.model, Draws):
        return "the model draws no samples"
    return "samples are video" if subject.view.frames is not None else None


def measure(subject: Subject) -> Groups:
    """Equation (1), mean over test examples, beside training examples and shuffled pixels in place of samples."""
    assert isinstance(subject.model, Draws)
    count = min(SAMPLES, len(subject.parts.train))
    validation, test = (
        subject.pixels(part, most).x.flatten(1)
        for part, most in ((subject.parts.validation, VALIDATED), (subject.parts.test, subject.limit or EXAMPLES))
    )
    train = subject.pixels(subject.parts.train, count).x.flatten(1)
    drawn = {
        "model": subject.shown(subject.model.sample(count).float().cpu()).flatten(1),
        "training_examples": train,
        "independent_pixels": torch.gather(train, 0, torch.rand(train.shape).argsort(0)),
    }
    widths = {name: best_deviation(samples, validation) for name, samples in drawn.items()}
    nats = {name: window_nats(samples, test, (widths[name],))[0] for name, samples in drawn.items()}
    own = nats.pop("model")
    others = {name: beside_model(own, one, "higher") for name, one in nats.items()}
    error = float(own.std()) / math.sqrt(len(own)) if len(own) > 1 else None
    counts = facts(deviation=widths["model"], samples=count, validated=len(validation), examples=len(test))
    return [[NATS.of(float(own.mean()), error, others)], counts]


def best_deviation(samples: Samples, x: Vectors) -> float:
    """The sigma under which examples are most probable."""
    return DEVIATIONS[int(window_nats(samples, x, DEVIATIONS).mean(1).argmax())]


def window_nats(samples: Samples, x: Vectors, deviations: Sequence[float]) -> PerDeviation:
    """Log-likelihood of each example under each sigma, equation (1), in nats.

    Example:
        >>> window_nats(torch.zeros(3, 2), torch.zeros(1, 2), (1.0,))
        tensor([[-1.8379]], dtype=torch.float64)
    """
    found = [_nats(torch.cdist(some, samples).double().square(), x.shape[1], deviations) for some in x.split(AT_ONCE)]
    return torch.cat(found, 1)


def _nats(squares: PerPair, values: int, deviations: Sequence[float]) -> PerDeviation:
    """Equation (1) from the squared distances of examples from samples."""
    constants = [0.5 * values * math.log(2 * math.pi * sigma**2) + math.log(squares.shape[1]) for sigma in deviations]
    pairs = zip(deviations, constants, strict=True)
    return torch.stack([(squares / (-2 * sigma**2)).logsumexp(1) - constant for sigma, constant in pairs])


MEASURE = Measure(
    title="How probable the data are around samples",
    meaning="The log-likelihood of test examples under bumps on samples, beside the same with training examples as "
    "samples.",
    applies=applies,
    measure=measure,
    quantities=(NATS,),
    by_name=True,
)
