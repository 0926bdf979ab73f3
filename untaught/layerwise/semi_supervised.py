"""Classifiers that learn from few labels: each step draws labelled examples beside all of them.

A loss then has two parts, one over the labelled examples of the step and one over the others, whose labels it does not
look at.
"""

from __future__ import annotations

from collections.abc import Sequence

from untaught.capability import Classifies
from untaught.model import Batch, Learner, Stage, Stream
from untaught.nn.targets import check_labels


class SemiSupervised(Learner, Classifies):
    """A classifier that is trained in one stage, on few labels and all examples; its `Config` has `classes`."""

    known_shortfalls = {"features": "its features are to name classes together with weights of its own"}

    def stages(self) -> Sequence[Stage]:
        """One, with labelled examples beside all of them in each step."""
        stream, labelled = Stream(self.view), {"labelled": Stream(self.view, labelled=True)}
        return (Stage("train", self, self.recipe, stream, beside=labelled),)

    def prepare(self, sample: Batch) -> None:
        """Check the labels.

        Raises:
            DataError: There is none, or one is beyond `classes`.
        """
        check_labels(sample.label, self.config.classes, needed=True)


def labelled_of(batch: Batch) -> Batch:
    """The labelled examples that a step draws; where it draws none, the whole batch, of which some may have labels.

    Example:
        >>> import torch
        >>> own = Batch.of(torch.zeros(2, 3))
        >>> labelled_of(own) is own
        True
    """
    return batch.beside.get("labelled", batch)
