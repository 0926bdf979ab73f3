r"""How well a model's score tells examples of new classes from those of classes that it has learnt.

Odd is a test example whose label no training or validation example has, as where a class was left out
(`without?of=digits&classes=3`); usual is one whose label the training part has. Examples without a label are not used.
With s the model's score of each (`improbable`), and its mean over all pairs of an odd and a usual example,

    area under the ROC curve = mean of  [s_odd > s_usual] + [s_odd = s_usual] / 2          (1)

Half is chance, one tells all apart. `area_by_score` has every score that the model gives; the main one is what
`untaught unusual` takes by default. The standard error is DeLong's: with V_i the mean of (1) over one odd example's
pairs, and V_j over one usual example's,

    standard error^2 = var(V_i) / odd + var(V_j) / usual                                   (2)

Baselines see the pixels of a single frame: PCA's reconstruction error, the distance to the nearest training example,
an isolation forest (`outliers`). In video also the score of a prediction that copies the frame before.

References:
    DeLong, DeLong, Clarke-Pearson (1988). Comparing the areas under two or more correlated receiver operating
    characteristic curves: a nonparametric approach. Biometrics 44.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from scipy.stats import rankdata
from torch import Tensor

from untaught.data.batches import fixed_order
from untaught.data.part import Part
from untaught.data.view import cut
from untaught.evaluate.baselines.outliers import components, outliers
from untaught.evaluate.measure import Groups, Measure
from untaught.evaluate.quantity import Axis, Measured, Quantity, facts
from untaught.evaluate.ranking.improbable import Scored, available, in_places, missing, scores, times_usual
from untaught.evaluate.ranking.moments import frames_of
from untaught.evaluate.subject import EXAMPLES, VALUES, Subject
from untaught.model import Encodes
from untaught.shapes import Labels, PerExample, Vectors

AREA = Quantity(
    "area_under_roc",
    title="area under the ROC curve",
    unit="%",
    better="higher",
    spread_is="std_error",
    meaning="How often an example of a class that is not in the training part has a higher score than one of a class "
    "that is: 50 % is chance. With its standard error.",
)
BY_SCORE = Quantity(
    "area_by_score",
    title="area under the ROC curve by each of the model's scores",
    unit="%",
    better="higher",
    axis=Axis(label="area by {}"),
)


def applies(subject: Subject) -> str | None:
    """None where the model has a score, and the test part both new classes and known ones."""
    if not available(subject):
        return "; ".join(dict.fromkeys(reason for reason in missing(subject).values() if reason))
    known, label = _known(subject), _labels(subject.parts.test)
    seen = torch.isin(label, known)
    if not len(known) or bool(((label < 0) | seen).all()):
        return "the test part has no class that the training part lacks; without?of=digits&classes=3 leaves one out"
    return None if bool(seen.any()) else "all classes of the test part are new; none tells what is usual"


def measure(subject: Subject) -> Groups:
    """The area by every score, and by the baselines, on the same examples."""
    test = _limited(subject)
    kinds = available(subject)
    found = {kind: scores(subject, test, kind) for kind in kinds}
    frame = found[kinds[0]].frame
    label = test.label[frame]
    odd, judged = ~torch.isin(label, _known(subject)), label >= 0
    areas = {kind: _measured(one.score[judged], odd[judged]) for kind, one in found.items()}
    beside, count = _baselines(subject, test, Scored(found[kinds[0]].score, frame))
    baselines = {name: _measured(score[judged], odd[judged]) for name, score in beside.items()}
    counts = facts(score=kinds[0], odd=int(odd[judged].sum()), usual=int((~odd[judged]).sum()), pca_components=count)
    main = areas[kinds[0]]
    by = BY_SCORE.of({kind.replace("-", "_"): one.value for kind, one in areas.items()})
    return [[AREA.of(main.value, main.spread, baselines)], [by], counts]


def area_under_roc(score: PerExample, odd: Tensor) -> tuple[float, float]:
    """Equations (1) and (2): the area, and its standard error.

    Example:
        >>> area_under_roc(torch.tensor([1.0, 2.0, 2.0, 3.0]), torch.tensor([False, False, True, True]))[0]
        0.875
    """
    strange, known = score[odd].double().numpy(), score[~odd].double().numpy()
    ranks = rankdata([*strange, *known])
    above = (ranks[: len(strange)] - rankdata(strange)) / len(known)
    below = 1 - (ranks[len(strange) :] - rankdata(known)) / len(strange)
    parts = [float(each.var(ddof=1)) / len(each) if len(each) > 1 else math.nan for each in (above, below)]
    return float(above.mean()), math.sqrt(sum(parts))


def _measured(score: PerExample, odd: Tensor) -> Measured:
    area, error = area_under_roc(score, odd)
    return Measured(area, error if math.isfinite(error) else None)


def _labels(part: Part) -> Labels:
    """The label of each frame that belongs to a clip of a part."""
    return part.label[frames_of(part)]


def _known(subject: Subject) -> Tensor:
    label = torch.cat([_labels(subject.parts.train), _labels(subject.parts.validation)]).unique()
    return label[label >= 0]


def _limited(subject: Subject) -> Part:
    """The test part, or of pictures at most as many, evenly spaced, as a measure reads."""
    part, most = subject.parts.test, subject.limit or EXAMPLES
    if part.is_video or len(part) <= most:
        return part
    return part.clips(torch.linspace(0, len(part) - 1, most).round().long())


def _baselines(subject: Subject, test: Part, judged: Scored) -> tuple[dict[str, PerExample], int]:
    """Scores of the same examples by the baselines, and how many components PCA has."""
    train = subject.parts.train
    known = _rows(subject, train, fixed_order(train, replace(subject.pixel_view, frames=None), _room(train)))
    x = _rows(subject, test, judged.frame)
    code = _code_length(subject, test)
    found = outliers(known, x, code, subject.seed)
    if subject.view.frames is not None:
        change = (x - _rows(subject, test, judged.frame - 1)).square().unflatten(1, test.shape)
        found["previous_frame"], _ = times_usual(in_places(change), test.shape[0])
    return found, components(known, code)


def _room(part: Part) -> int:
    return max(1, min(EXAMPLES, VALUES // torch.Size(part.shape).numel()))


def _rows(subject: Subject, part: Part, frames: Tensor) -> Vectors:
    """Frames by number as rows of pixels in [0, 1]."""
    return cut(part.frames.read(frames).cpu(), replace(subject.pixel_view, patch=None), None, training=False).flatten(1)


def _code_length(subject: Subject, part: Part) -> int:
    """Numbers in the model's code of one example; of one that does not encode, as many as there are pixels."""
    if not isinstance(subject.model, Encodes):
        return torch.Size(part.shape).numel()
    return subject.features(subject.pixels(part, 1).x).shape[1]


MEASURE = Measure(
    title="What is unusual",
    meaning="How well a model tells examples of classes that it has not seen from those of classes that it has.",
    applies=applies,
    measure=measure,
    quantities=(AREA, BY_SCORE),
)
