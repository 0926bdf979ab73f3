"""Losses of a game, from the discriminator's logits d(x) of examples and d(x') of made ones.

D = s(d) is the probability that something is an example, s the logistic function:

    V   = <log D(x)> + <log(1 - D(x'))>                             (1)
    L_D = -<t log D(x) + (1 - t) log(1 - D(x))> - <log(1 - D(x'))>  (2)
    L_G = -<log D(x')>                       non-saturating         (3)
    L_G = <log(1 - D(x'))>                   minimax                (4)

With targets t = 1 for examples L_D is -V; a smaller t (one-sided label smoothing) keeps D from being too sure of
examples. With densities p of examples and q of made ones, V is highest where D = p / (p + q). It is then twice the
Jensen-Shannon divergence of p and q less log 4. Where D is sure that x' is made, (4) has hardly a gradient; (3) has
one.

References:
    Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio (2014). Generative adversarial nets.
    Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen (2016). Improved techniques for training GANs (smoothing).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch.nn.functional as F

from untaught.nn.noise import wide
from untaught.shapes import PerExample, Scalar

Fooling: TypeAlias = Literal["non-saturating", "minimax"]


def value(real: PerExample, made: PerExample) -> Scalar:
    """What the discriminator raises and the generator lowers, equation (1), in nats.

    Example:
        >>> import torch
        >>> round(float(value(torch.zeros(3), torch.zeros(3))), 4)
        -1.3863
    """
    return -F.softplus(-wide(real)).mean() - F.softplus(wide(made)).mean()


def telling_apart(real: PerExample, made: PerExample, smoothing: float = 0.0) -> Scalar:
    """Loss of the discriminator in nats, equation (2), with targets 1 - smoothing."""
    # softplus(-d) = -log D, and softplus(d) = -log(1 - D) = d - log D.
    return -value(real, made) + smoothing * wide(real).mean()


def fooling(made: PerExample, kind: Fooling = "non-saturating") -> Scalar:
    """Loss of the generator in nats, equation (3) or (4)."""
    made = wide(made)
    return F.softplus(-made).mean() if kind == "non-saturating" else -F.softplus(made).mean()


def told_right(real: PerExample, made: PerExample) -> Scalar:
    """Fraction of examples and of made ones that are told to be what they are."""
    return 0.5 * ((real > 0).float().mean() + (made <= 0).float().mean())
