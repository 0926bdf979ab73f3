"""Features of the same examples: by the model, and by baselines.

model            the features that it learnt
raw_pixels       the pixels themselves; of a window of video, those of its last frame
pca              as many principal components of the raw pixels as the model has features
pca_bits         where the model's features are bits: the signs of these components, 1 for positive, which are bits too
sparse_coding    sparse codes of as many atoms, where the subject asks for them
random_weights   the features of the same network untrained
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from untaught.data.part import Part
from untaught.data.view import Batch
from untaught.evaluate.baselines.dictionary import sparse_codes
from untaught.evaluate.subject import Subject
from untaught.nn.principal import principal
from untaught.shapes import Examples, Features

CONTEXT = 5
"""Frames before features of video are read: the authors of predictive generative networks decoded after the fifth."""
Several = list[Float[Tensor, "_ feature"]]
"""Features of several batches, each of a size of its own."""


def representations(subject: Subject, batches: list[Batch], pca: bool = True) -> dict[str, Several]:
    """Every description of every batch, by name; what is fitted is fitted on the first batch."""
    raw = [pixels(subject, batch.x) for batch in batches]
    untrained = subject.untrained()
    described = {
        "model": [subject.features(batch.x) for batch in batches],
        "raw_pixels": raw,
        "random_weights": [untrained.features(batch.x) for batch in batches],
    }
    if pca:
        plane = principal(raw[0], described["model"][0].shape[1])
        described["pca"] = [plane.encode(x) for x in raw]
        if all(is_bits(features) for features in described["model"]):
            described["pca_bits"] = [(codes > 0).to(codes.dtype) for codes in described["pca"]]
    if subject.sparse_coding:
        described["sparse_coding"] = sparse_codes(raw, described["model"][0].shape[1], subject.seed)
    return described


def is_bits(features: Features) -> bool:
    """Whether every feature is 0 or 1.

    Example:
        >>> is_bits(torch.tensor([[0.0, 1.0]])), is_bits(torch.tensor([[0.5, 1.0]]))
        (True, False)
    """
    return bool(((features == 0) | (features == 1)).all())


def has_labels(subject: Subject) -> bool:
    """Whether both parts have labels, and the training part at least two classes."""
    train, test = own_labels(subject.parts.train), own_labels(subject.parts.test)
    return len(test) > 0 and len(train.unique()) > 1


def own_labels(part: Part) -> Tensor:
    """Labels of a part's own frames, where they have one; the table also has those of other parts."""
    begin = part.length.cumsum(0) - part.length
    frames = torch.arange(int(part.length.sum())) + (part.first - begin).repeat_interleave(part.length)
    label = part.label[frames]
    return label[label >= 0]


def context(subject: Subject) -> int | None:
    """Frames that a model of video sees before its features are read; None for one of single examples."""
    return None if subject.view.frames is None else min(CONTEXT, subject.view.frames)


def pixels(subject: Subject, x: Examples) -> Features:
    """Raw pixels as vectors; of windows of video, those of the last frame."""
    return (x[:, -1] if subject.view.frames is not None else x).flatten(1)


def scaled(features: Several) -> Several:
    """Subtract the first batch's mean and divide by its one root mean square deviation.

    One number for all features keeps angles and the order of distances, which a deviation for each would not: a
    pixel at the border that is lit once in a thousand pictures would weigh as much as one in the middle.
    """
    mean = features[0].mean(0)
    deviation = (features[0] - mean).square().mean().sqrt().clamp_min(torch.finfo(torch.float32).tiny)
    return [(x - mean) / deviation for x in features]
