r"""How sure a classifier is of each sample, and how varied its answers are.

    score = exp( 1/N sum_n KL(p(y|x_n) || p(y)) ),     p(y) = 1/N sum_n p(y|x_n)              (1)

It is 1 where every sample gets the same answer, and the number of classes where each is recognised for certain and all
classes are equally frequent. A generator that gave back its training set would have the score of the data: it says
nothing of whether samples are new (`nearest`).

References:
    Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen (2016). Improved techniques for training GANs. There the
    classifier is Inception, trained on photographs.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

Probabilities = Float[Tensor, "example class"]


def classifier_score(probabilities: Probabilities) -> float:
    """Equation (1).

    Example:
        >>> classifier_score(torch.eye(3)), classifier_score(torch.full((5, 3), 1 / 3))
        (3.0, 1.0)
    """
    each = probabilities.double()
    mean = each.mean(0)
    nats = torch.special.xlogy(each, each).sum(1).mean() - torch.special.xlogy(mean, mean).sum()
    return round(float(nats.exp()), 12)
