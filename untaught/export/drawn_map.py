r"""A plane through the codes of a generator, for a model that says of no example what its code is.

With m the mean and s the deviations of drawn codes z, and v_k as in `nn/latent/greatest_change.py`,

    z(a) = clip(b + sum_k a_k s v_k, least, most),        a_k of a draw = ((z - m) / s) v_k,             (1)
    b = z_1 - sum_k a_k(z_1) s v_k,                                                                      (2)

so that in every direction that the page does not have, a code is that of one draw z_1. At the mean itself, where
hardly any code of many numbers is drawn, a generator makes nothing that it was trained to make.

Of a generator that is given a class, codes are those of its first class, and a further direction leads to each other
class: from 0, the first, to 1, by what differs between their codes though it never varies within a class.
"""

from __future__ import annotations

import torch
from torch import Tensor

from untaught.evaluate.subject import Subject
from untaught.export.latent_map import ENDS, SLIDERS, LatentMap
from untaught.model import Generates, Samples
from untaught.nn.latent.greatest_change import greatest_change
from untaught.randomness import seeded
from untaught.shapes import Features

DRAWS = 500
CLASSES = 10
"""Classes at most to which sliders lead."""


def drawn_map(subject: Subject) -> LatentMap:
    """The map of a generator: directions along which its pictures change most."""
    model = subject.model
    assert isinstance(model, Generates)
    z, others = _draws(subject, model)
    change = greatest_change(lambda codes: subject.apply_to_codes(model.generate, codes), z)
    count = min(2 + SLIDERS - len(others), int((change.size > 0).sum()))
    spread = z.std(0, correction=0)
    coordinates = (z - z.mean(0)) / spread.clamp_min(1e-6) @ change.rotated[:, :count]
    first, last = (coordinates.quantile(end, 0) for end in ENDS)
    steps = [torch.where(spread > 0, torch.zeros_like(spread), code - z[0]) for code in others.values()]
    none, ones = torch.zeros(len(steps)), torch.ones(len(steps))
    ends = torch.stack([z.amin(0), z.amax(0), *others.values()])
    return LatentMap(
        mean=z[0] - coordinates[0] @ change.directions[:count],
        directions=torch.stack([*change.directions[:count], *steps]),
        names=(*(f"change {k + 1}" for k in range(count)), *others),
        single=False,
        first=torch.cat([first, none]),
        last=torch.cat([last, ones]),
        least=ends.amin(0),
        most=ends.amax(0),
        coordinates=torch.cat([coordinates, none.expand(len(z), -1)], 1),
        label=torch.full((len(z),), -1),
        share=float(change.size[:2].sum() / change.size.sum()),
        drawn=True,
    )


def _draws(subject: Subject, model: Generates) -> tuple[Features, dict[str, Tensor]]:
    """Codes, of the first class where there are classes, and a code of each other class."""
    with seeded(subject.seed, subject.device):
        if not (isinstance(model, Samples) and model.of_classes):
            return model.prior_codes(DRAWS).float().cpu(), {}
        names = subject.label_names
        z = model.prior_codes(DRAWS, 0).float().cpu()
        codes = {name: model.prior_codes(1, k)[0].float().cpu() for k, name in enumerate(names[:CLASSES]) if k}
    return z, {f"towards {name}": code for name, code in codes.items()}
