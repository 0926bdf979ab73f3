r"""Two-dimensional codes: whether the classes are separate on the plane of a model with two features.

Each of up to 5,000 labelled test examples is classified by the 5 others whose codes are nearest,

    neighbours_accuracy = fraction of examples whose class is the most frequent among those 5.              (1)

Baselines are two-dimensional codes fitted on up to 5,000 training examples: principal components, logistic PCA and, for
documents, latent semantic analysis (`planes`); and chance, the fraction of the most frequent class.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from untaught.data.view import Batch
from untaught.evaluate.baselines.names import short
from untaught.evaluate.baselines.planes import plane_codes
from untaught.evaluate.drawing.pictures import Picture
from untaught.evaluate.drawing.plots import QUIET, drawn_on_paper, rendered
from untaught.evaluate.measure import Drawing, Groups, Measure
from untaught.evaluate.quantity import Quantity, facts
from untaught.evaluate.representations import own_labels
from untaught.evaluate.subject import Subject
from untaught.model import Encodes
from untaught.shapes import Labels

Codes = Float[Tensor, "batch 2"]

EXAMPLES, FITTED = 5_000, 5_000
NEIGHBOURS = 5
NAMED = 20
"""Classes that have a colour of their own; others are grey."""
INSIDE = 0.995
"""Part of the codes that the picture's limits hold, on either side: a few far away would make all others one dot."""
ACCURACY = Quantity(
    "neighbours_accuracy",
    title="accuracy among neighbours",
    unit="%",
    better="higher",
    meaning="The part of the test examples whose class is the most frequent among the 5 with the nearest codes.",
)


def applies(subject: Subject) -> str | None:
    """None for models that encode into two features, on single examples with classes."""
    if not isinstance(subject.model, Encodes):
        return "the model does not encode"
    if subject.view.frames is not None:
        return "the model sees video"
    if len(own_labels(subject.parts.test).unique()) < 2:
        return "the test part has no labels"
    features = subject.features(subject.pixels(subject.parts.test, 1).x).shape[1]
    return None if features == 2 else f"the model has {features:,} features, and codes are two"


def measure(subject: Subject) -> Groups:
    """Accuracy among neighbours of the model's codes and of the planes' codes."""
    test = subject.tested(EXAMPLES).labelled
    scores = {name: neighbours_accuracy(codes, test.label) for name, codes in _codes(subject, test).items()}
    own = scores.pop("model")
    chance = float(test.label.bincount().max() / len(test.label))
    return [[ACCURACY.of(own, baselines={**scores, "chance": chance})], facts(examples=len(test.x))]


def neighbours_accuracy(codes: Codes, label: Labels) -> float:
    """How often most of an example's neighbours have its class, equation (1); of equals the first class."""
    count = min(NEIGHBOURS, len(codes) - 1)
    near = KNeighborsClassifier(count).fit(codes.numpy(), label.numpy()).kneighbors(None, return_distance=False)
    votes = torch.nn.functional.one_hot(label[torch.from_numpy(near)]).sum(1)
    return float((votes.argmax(1) == label).double().mean())


def _codes(subject: Subject, test: Batch) -> dict[str, Codes]:
    train = subject.pixels(subject.parts.train, FITTED).x.flatten(1)
    return {"model": subject.features(test.x), **plane_codes(train, test.x.flatten(1), 2)}


# The picture


def picture(subject: Subject) -> Picture:
    """The model's codes beside those of the planes, coloured by class, with the accuracy above each."""
    test = subject.tested(EXAMPLES).labelled
    codes = _codes(subject, test)
    return drawn(codes, test.label, subject.label_names)


def drawn(codes: dict[str, Codes], label: Labels, names: tuple[str, ...] = ()) -> Picture:
    """Codes by name, coloured by class; more than 20 classes share grey from the twenty-first on."""
    classes = [int(value) for value in label.unique()]
    shown = classes[:NAMED]
    order = torch.randperm(len(label), generator=torch.Generator().manual_seed(0))  # so that no class hides the others
    colour = [_colour(shown, int(value)) for value in label[order]]
    told = [names[value] if value < len(names) else str(value) for value in shown]
    with drawn_on_paper():
        figure = Figure(figsize=(4 * len(codes) + 0.09 * max(map(len, told)) + 0.6, 4.4), layout="constrained")
        for axes, (name, found) in zip(figure.subplots(1, len(codes), squeeze=False)[0], codes.items(), strict=True):
            accuracy = f"{100 * neighbours_accuracy(found, label):.1f} %"
            axes.set_title(f"{short(name)}: {accuracy} among {min(NEIGHBOURS, len(label) - 1)} neighbours")
            _points(axes, found[order], colour)
        marks = [_mark(_colour(shown, value), text) for value, text in zip(shown, told, strict=True)]
        if len(classes) > NAMED:
            marks.append(_mark(QUIET, f"{len(classes) - NAMED} others"))
        figure.legend(handles=marks, loc="outside right center", frameon=False, fontsize=9)
        return rendered(figure)


def _colour(shown: list[int], value: int) -> str:
    """One of ten colours, or of twenty."""
    if value not in shown:
        return QUIET
    return to_hex(colormaps["tab10" if len(shown) <= 10 else "tab20"](shown.index(value)))


def _mark(colour: str, text: str) -> Line2D:
    return Line2D([], [], linestyle="", marker="o", markersize=6, color=colour, label=text)


def _points(axes: Axes, codes: Codes, colour: list[str]) -> None:
    """One plane, within the limits of nearly all codes; its scale means nothing, so it has no axes."""
    axes.scatter(codes[:, 0], codes[:, 1], c=colour, s=max(3.0, min(14.0, 9000 / len(codes))), linewidths=0)
    for set_limits, values in ((axes.set_xlim, codes[:, 0]), (axes.set_ylim, codes[:, 1])):
        low, high = (float(values.double().quantile(q)) for q in (1 - INSIDE, INSIDE))
        room = 0.04 * (high - low) if math.isfinite(high - low) and high > low else 1.0
        set_limits(low - room, high + room)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_alpha(0.3)


MEASURE = Measure(
    title="Two-dimensional codes",
    meaning="Whether classes lie apart on the plane of a model with two features.",
    applies=applies,
    measure=measure,
    quantities=(ACCURACY,),
    pictures={
        "codes.png": Drawing(
            lambda subject, found: picture(subject),
            "Test examples on the two numbers of the model's code, and of planes, coloured by class.",
        )
    },
)
