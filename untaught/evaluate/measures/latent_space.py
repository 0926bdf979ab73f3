r"""What each latent variable means: how much it says, how far latents depend on each other, what it decodes to.

Of a model with continuous latents, with m_nj the mean of latent j of example n, over up to 2,000 test examples,

    correlation                    mean over pairs of active latents of |corr_n(m_nj, m_ni)|             (1)
    r2 of a latent and a variable  R^2 of a cubic polynomial in m_j alone, fitted on half of the         (2)
                                   examples and judged on the others

A latent is active where the variance of m_nj is above 0.01; the others stay at the prior. A prior with independent
latents asks for (1) near 0 and, if causes are independent too, hopes for one latent for each. Where the data's true
variables are known, `single_latent_r2` has the best of (2) for each of their components, `best_latent` says which it
is, and the baseline is the best single principal component of as many as there are latents.

The pictures: `traversals.png`, one latent a row, moved from -3 to 3 deviations of the data while the others stay at an
example's; `interpolation.png`, codes on the line between two test examples; of a model with two latents
`manifold.png`, pictures at the quantiles of the prior.

References:
    Kingma, Welling (2014). Auto-encoding variational Bayes (figures 4 and 5).
    Burda, Grosse, Salakhutdinov (2016). Importance weighted autoencoders (active units).
    Higgins et al. (2017). beta-VAE (traversals).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from sklearn.decomposition import PCA
from torch import Tensor

from untaught.evaluate.drawing.pictures import Picture, colours, enlarged, mosaic
from untaught.evaluate.measure import Drawing, Groups, Measure, Quantities
from untaught.evaluate.measures.active_units import ACTIVE, activity
from untaught.evaluate.quantity import Axis, Quantity, facts
from untaught.evaluate.subject import Subject
from untaught.model import Decodes, Encodes, LatentVariable
from untaught.shapes import Examples, Features

EXAMPLES = 2_000
ROWS, STEPS, REACH = 10, 9, 3.0
"""Latents that are traversed, pictures in a row, and how many deviations they reach."""
PAIRS = 6
SIDE, MANIFOLD = 56, 20
"""Side of a small picture in pixels, and pictures along a side of the manifold."""
LEAST = 8
"""Fewest test examples."""

CORRELATION = Quantity(
    "correlation",
    title="mean correlation of two latents",
    better="lower",
    meaning="The mean absolute correlation of two latents over test examples; 0 where they vary independently.",
)
SINGLE = Quantity(
    "single_latent_r2",
    title="R² from the best single latent",
    digits=2,
    better="higher",
    axis=Axis(label="R² of {} from one latent"),
    meaning="How well each true variable can be read off one latent alone, the best for it.",
)
BEST = Quantity("best_latent", title="which latent that is", axis=Axis(label="best latent of {}"))
ACTIVE_LATENTS = Quantity("active_latents", title="latents that say something")


def applies(subject: Subject) -> str | None:
    """None for models with continuous latents from which examples are decoded."""
    model = subject.model
    if not (isinstance(model, LatentVariable) and model.continuous):
        return "the model has no continuous latent variables"
    if not (isinstance(model, Encodes) and isinstance(model, Decodes)):
        return "the model does not encode and decode"
    return None if len(subject.parts.test) >= LEAST else f"this takes at least {LEAST} test examples"


def measure(subject: Subject) -> Groups:
    """Active latents, their correlation, and what single ones say of true variables."""
    batch = subject.tested(EXAMPLES)
    means = subject.features(batch.x).double()
    active = activity(means) > ACTIVE
    given = [CORRELATION.of(correlation(means[:, active])), ACTIVE_LATENTS.of(int(active.sum()))]
    known = {name: value.double().flatten(1) for name, value in batch.latents.items()}
    if known and len(means) >= LEAST:
        components = PCA(min(means.shape[1], len(means), batch.x[0].numel()), random_state=0)
        principal = torch.from_numpy(components.fit_transform(batch.x.flatten(1).double().numpy()))
        own, other = (best_single(codes, known) for codes in (means, principal))
        r2 = {name: value for name, (value, _) in own.items()}
        given.append(SINGLE.of(r2, None, {"pca": {name: value for name, (value, _) in other.items()}}))
        given.append(BEST.of({name: place for name, (_, place) in own.items()}))
    return [given, facts(latents=means.shape[1], examples=len(means))]


def correlation(means: Features) -> float:
    """Equation (1); 0 where fewer than two latents are active.

    Example:
        >>> round(correlation(torch.tensor([[1.0, -2.0], [2.0, -4.0], [3.0, -6.0]])), 6)
        1.0
    """
    count = means.shape[1]
    if count < 2:
        return 0.0
    table = torch.corrcoef(means.T).abs()
    return float((table.sum() - table.diagonal().sum()) / (count * (count - 1)))


def best_single(codes: Features, known: Mapping[str, Tensor]) -> dict[str, tuple[float, int]]:
    """R2 of each component of each true variable from its best latent, equation (2), and which, counted from 0."""
    found: dict[str, tuple[float, int]] = {}
    for name, values in known.items():
        for number, column in enumerate(values.T):
            if float(column.var()) < 1e-12:
                continue
            scores = torch.stack([cubic_r2(code, column) for code in codes.T])
            label = name if values.shape[1] == 1 else f"{name}_{number + 1}"
            found[label] = float(scores.max()), int(scores.argmax())
    return found


def cubic_r2(code: Tensor, value: Tensor) -> Tensor:
    """R2 on every second example of a cubic polynomial that is fitted on the others, equation (2)."""
    scaled = (code - code.mean()) / code.std().clamp_min(1e-9)
    powers = torch.stack([scaled**power for power in range(4)], 1)
    weight = torch.linalg.lstsq(powers[::2], value[::2, None]).solution[:, 0]
    left, tested = value[1::2] - powers[1::2] @ weight, value[1::2]
    return 1 - left.square().sum() / (tested - tested.mean()).square().sum()


# The pictures


def _decoded(subject: Subject, codes: Features) -> Examples:
    """Pictures of codes, in [0, 1]."""
    model = subject.model
    assert isinstance(model, Decodes)
    return subject.apply_to_codes(model.decode, codes.float())


def _sheet(pictures: Examples, across: int, names: tuple[str, ...] = (), foot: str = "") -> Picture:
    tiles = [enlarged(picture, SIDE) for picture in colours(pictures)]
    return mosaic([tiles[row : row + across] for row in range(0, len(tiles), across)], names, (), foot)


def traversals(subject: Subject, found: Quantities) -> Picture | None:
    """The latents that vary most, one a row, moved alone through what the data reach."""
    if len(subject.parts.test.shape) != 3:
        return None
    means = subject.features(subject.tested(EXAMPLES).x)
    order = activity(means).argsort(descending=True)[:ROWS]
    offsets = torch.linspace(-REACH, REACH, STEPS)
    rows: list[Tensor] = []
    for latent in order:
        codes = means[:1].repeat(STEPS, 1)
        codes[:, latent] = means[:, latent].mean() + offsets * means[:, latent].std()
        rows.append(codes)
    names = tuple(f"latent {int(latent) + 1}" for latent in order)
    foot = f"each moved alone from -{REACH:.0f} to {REACH:.0f} deviations"
    return _sheet(_decoded(subject, torch.cat(rows)), STEPS, names, foot)


def interpolation(subject: Subject, found: Quantities) -> Picture | None:
    """Test examples at both ends, what their codes decode to, and what lies between."""
    if len(subject.parts.test.shape) != 3:
        return None
    x = subject.tested(2 * PAIRS).x
    ends = subject.features(x)
    share = torch.linspace(0, 1, STEPS)[:, None]
    count = len(x) // 2
    codes = [ends[n] + share * (ends[n + count] - ends[n]) for n in range(count)]
    between = _decoded(subject, torch.cat(codes)).unflatten(0, (count, STEPS))
    rows = torch.cat([x[:count, None], between, x[count : 2 * count, None]], 1)
    return _sheet(rows.flatten(0, 1), STEPS + 2, foot="left and right: test examples; between them: codes on a line")


def manifold(subject: Subject, found: Quantities) -> Picture | None:
    """Of two latents, pictures at the quantiles of the prior: each cell is as probable."""
    x = subject.tested(1).x
    if len(subject.parts.test.shape) != 3 or subject.features(x).shape[1] != 2:
        return None
    line = torch.special.ndtri((torch.arange(MANIFOLD) + 0.5) / MANIFOLD)
    down, right = torch.meshgrid(line.flip(0), line, indexing="ij")
    made = _decoded(subject, torch.stack([right.flatten(), down.flatten()], 1))
    tiles = [enlarged(picture, SIDE // 2) for picture in colours(made)]
    return mosaic([tiles[row : row + MANIFOLD] for row in range(0, len(tiles), MANIFOLD)])


MEASURE = Measure(
    title="What each latent means",
    meaning="How many latents say something, how far they depend on each other, and what they decode to.",
    applies=applies,
    measure=measure,
    whole=True,
    quantities=(CORRELATION, SINGLE, BEST, ACTIVE_LATENTS),
    pictures={
        "traversals.png": Drawing(
            traversals, "Each row moves one latent while the others stay: the ten that vary most over the data."
        ),
        "interpolation.png": Drawing(
            interpolation, "From one test example to another along a line between their codes."
        ),
        "manifold.png": Drawing(manifold, "Pictures over the plane of two latents, at the quantiles of the prior."),
    },
)
