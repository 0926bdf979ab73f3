r"""How often the nearest training example, by features, has the class of a test example.

Nearest by Euclidean distance, over all labelled training examples. Models that give the activations of their layers are
asked about each of these too. Baselines: the same for raw pixels, principal components and random weights.

References:
    Donahue, Krahenbuhl, Darrell (2017). Adversarial feature learning. ICLR. Section 4.2.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from untaught.data.view import Batch
from untaught.evaluate.measure import Groups, Measure
from untaught.evaluate.quantity import Axis, Quantity, beside, facts
from untaught.evaluate.representations import Several, has_labels, representations
from untaught.evaluate.subject import Subject
from untaught.model import Activations, Encodes

MOST = 60_000
"""Training examples."""
AT_ONCE = 500
"""Test examples that are compared with all of them at once."""
ACCURACY = Quantity(
    "one_nearest_accuracy",
    title="accuracy of the nearest neighbour",
    unit="%",
    better="higher",
    meaning="How often the nearest training example, by the features, has the same class.",
)
OF_LAYERS = Quantity(
    "of_layers",
    title="the same of layers",
    unit="%",
    better="higher",
    axis=Axis(label="nearest neighbour by {}"),
    meaning="The same by the activations of each layer.",
)


def applies(subject: Subject) -> str | None:
    """None for models that encode single examples, on data with labels in both parts."""
    if not isinstance(subject.model, Encodes):
        return "the model does not encode"
    if subject.view.frames is not None:
        return "features are those of video"
    return None if has_labels(subject) else "the data have no labels"


def measure(subject: Subject) -> Groups:
    """Accuracy by features, by what trivial models say, and by each layer."""
    test = subject.tested().labelled
    train = subject.pixels(subject.parts.train, MOST).labelled
    described = representations(subject, [train, test])
    right = {
        name: {ACCURACY.name: nearest_accuracy(features, (train.label, test.label))}
        for name, features in described.items()
    }
    layers = {name: nearest_accuracy(pair, (train.label, test.label)) for name, pair in _layers(subject, train, test)}
    counts = facts(train_examples=len(train.x), test_examples=len(test.x))
    return [beside((ACCURACY,), right), [OF_LAYERS.of(layers)] if layers else [], counts]


def nearest_accuracy(features: Several, labels: Sequence[Tensor]) -> float:
    """Fraction of the second features' examples whose nearest among the first has their class.

    Example:
        >>> one, two = torch.tensor([[0.0], [5.0]]), torch.tensor([[1.0], [4.0], [0.1]])
        >>> round(nearest_accuracy([one, two], (torch.tensor([0, 1]), torch.tensor([0, 1, 1]))), 4)
        0.6667
    """
    known, asked = features
    nearest = torch.cat([torch.cdist(some, known).argmin(1) for some in asked.split(AT_ONCE)])
    return float((labels[0][nearest] == labels[1]).double().mean())


def _layers(subject: Subject, train: Batch, test: Batch) -> list[tuple[str, Several]]:
    """Activations of each layer as vectors, by name."""
    model = subject.model
    if not isinstance(model, Activations):
        return []
    with torch.no_grad():
        names = list(model.activations(subject.seen(train.x[:1].to(subject.device))))
    found: list[tuple[str, Several]] = []
    for name in names:

        def layer(x: Tensor, own: str = name) -> Tensor:
            return model.activations(x, [own])[own].flatten(1)

        found.append((name.replace(".", "_"), [subject.apply(layer, batch.x) for batch in (train, test)]))
    return found


MEASURE = Measure(
    title="Classes of the nearest example",
    meaning="How often the nearest training example, by the features, has the same class.",
    applies=applies,
    measure=measure,
    quantities=(ACCURACY, OF_LAYERS),
    by_name=True,
)
