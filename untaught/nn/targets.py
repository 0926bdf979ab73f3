"""Losses for targets: binary states, and classes, which may be absent for some examples."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from untaught.errors import DataError
from untaught.shapes import Labels, PerExample, Scalar

Logits = Float[Tensor, "batch unit"]


LABEL_LOSSES = frozenset(("classification_error", "wrong_class_probability", "label_nats"))
"""Parts of a loss that are means over labelled examples only."""
NO_LABEL = (
    "no example has a label; this learns classes: give labelled data, such as a folder with a sub-folder for each of "
    "two classes or more, or take a model that needs no labels"
)
"""What is told where labels are needed and there are none."""


def state_nats(logits: Logits, states: Float[Tensor, "batch unit"]) -> PerExample:
    """-log of the probability of binary states under logits, summed over units, in nats.

    Example:
        >>> state_nats(torch.zeros(1, 2), torch.tensor([[0.0, 1.0]]))
        tensor([1.3863])
    """
    return F.binary_cross_entropy_with_logits(logits, states, reduction="none").sum(1)


def class_losses(logits: Logits, label: Labels) -> dict[str, Scalar]:
    """Classification error of labelled examples, and the mean probability given to wrong classes."""
    known, right = label >= 0, torch.softmax(logits.detach(), 1).gather(1, label.clamp_min(0)[:, None])[:, 0]
    count, missed = known.sum().clamp_min(1), (logits.argmax(1) != label) & known
    return {
        "classification_error": missed.sum() / count,
        "wrong_class_probability": ((1 - right) * known).sum() / count,
    }


def label_nats(logits: Logits, label: Labels) -> Scalar:
    """-log p(y), mean over labelled examples, in nats; 0 where there are none."""
    return F.cross_entropy(logits, label, ignore_index=-1, reduction="sum") / (label >= 0).sum().clamp_min(1)


def check_labels(label: Labels, classes: int, needed: bool) -> None:
    """Check a sample's labels.

    Raises:
        DataError: There are none though they are needed, or one is not below `classes`.
    """
    highest = int(label.max())
    if needed and highest < 0:
        raise DataError(NO_LABEL)
    if highest >= classes:
        raise DataError(f"a label is {highest}, but there are {classes} classes; classes={highest + 1}")
