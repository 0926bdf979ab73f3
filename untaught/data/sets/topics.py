r"""Documents drawn from topics: bags of words of which everything is known, in place of texts.

Each document d has one main topic, its class, and a little of the others; each topic k is a distribution over words:

.. math::
    \beta_k &\sim \text{Dirichlet}(\eta, \ldots, \eta) & (1) \\
    \theta_d &\sim \text{Dirichlet}(\alpha, \ldots, \alpha + m, \ldots, \alpha), \quad
        \text{m at the main topic} & (2) \\
    n_d &\sim \text{Multinomial}\left(L_d, \textstyle\sum_k \theta_{dk} \beta_k\right) & (3)

with lengths :math:`L_d` between half of `length` and one and a half. An example is :math:`n_d / L_d`: word
probabilities, as `documents` gives them. The true variable `topics` is :math:`\theta_d`.

References:
    Blei, Ng, Jordan 2003, Latent Dirichlet allocation, Journal of machine learning research 3.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.distributions import Dirichlet

from untaught.config import Count, Positive, Whole, configuration
from untaught.data.part import Part
from untaught.data.source import Source
from untaught.errors import DataError
from untaught.randomness import seeded

TEST_SEED = 1_000_003
"""Test documents are drawn from this many seeds further on."""


@configuration
class Options:
    """How many documents, and of what."""

    train: Count = 2000
    """Training documents."""
    test: Count = 500
    """Test documents."""
    topics: Count = 8
    """Topics."""
    words: Count = 500
    """Words in the dictionary."""
    length: Count = 80
    """Mean number of words in a document."""
    mixed: Positive = 0.3
    """The alpha of equation (2): how much of topics that are not the main one."""
    main: Positive = 3.0
    """The m of equation (2)."""
    spread: Positive = 0.05
    """The eta of equation (1): how many words a topic has."""
    seed: Whole = 0
    """Of topics and documents."""


def load(path: Path | None, options: Options) -> Source:
    """Draw topics, and documents from them."""
    if path is not None:
        raise DataError(f"topics are drawn, not read: {path} has no use; documents:{path} reads texts or counts")
    with seeded(options.seed):
        topics = Dirichlet(torch.full((options.words,), options.spread).double(), validate_args=False).sample(
            (options.topics,)
        )
    train, test = (
        _documents(topics, count, options, options.seed + further)
        for count, further in ((options.train, 1), (options.test, TEST_SEED))
    )
    return Source("topics", train, test=test, label_names=tuple(f"topic {k + 1}" for k in range(options.topics)))


def _documents(topics: Tensor, count: int, options: Options, seed: int) -> Part:
    """Equations (2) and (3)."""
    with seeded(seed):
        label = torch.randint(options.topics, (count,))
        weight = torch.full((count, options.topics), options.mixed).double()
        weight.scatter_add_(1, label[:, None], torch.full((count, 1), options.main).double())
        shares = Dirichlet(weight, validate_args=False).sample()
        least = max(1, options.length // 2)
        lengths = torch.randint(least, max(least, options.length + options.length // 2) + 1, (count,))
        drawn = torch.multinomial(shares @ topics, int(lengths.max()), replacement=True)
    kept = (torch.arange(drawn.shape[1]) < lengths[:, None]).float()
    counts = torch.zeros(count, options.words).scatter_add_(1, drawn, kept)
    return Part.of(counts / lengths[:, None], label, {"topics": shares.float()})
