r"""A population of heads: how each of 28 coefficients moves and paints the average head.

The first 21 coefficients move the surface by fields :math:`d_k(p)` of the place :math:`p` on the average head, about in
the order of how much they change the picture; the last 7 paint it, in such an order again. A field is a direction times
a bump (1), so that eyes and brows, which lie on the skin, move with it.

.. math:: b(p) = \exp\Bigl(-\tfrac12 \sum_i \bigl((p_i - q_i) / w_i\bigr)^2\Bigr) \qquad (1)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from untaught.data.heads.head_model import Coat, HeadModel
from untaught.data.heads.head_sculpture import EYE, PATCHES, Sculpture, sculpture

Field = Callable[[Tensor], Tensor]


def _bump(p: Tensor, middle: tuple[float, float, float], width: tuple[float, float, float]) -> Tensor:
    """Equation (1), on both sides of the head; `(vertex, 1)`."""
    q = torch.stack((p[:, 0].abs(), p[:, 1], p[:, 2]), 1)
    return ((q - q.new_tensor(middle)) / q.new_tensor(width)).square().sum(1, keepdim=True).mul(-0.5).exp()


def _apart(p: Tensor) -> Tensor:
    """Away from the middle plane."""
    return torch.stack((torch.tanh(p[:, 0]), 0 * p[:, 0], 0 * p[:, 0]), 1)


def _along(x: float, y: float, z: float) -> Tensor:
    return torch.tensor([[x, y, z]])


def _above(y: Tensor, height: float, width: float) -> Tensor:
    """From 0 below a height to 1 above it."""
    return torch.sigmoid((y - height) / width)[:, None]


def _towards(p: Tensor, x: float, y: float, z: float) -> Tensor:
    """Away from a middle on each side: what makes a feature larger."""
    side = torch.where(p[:, :1] < 0, -1.0, 1.0)
    return p - torch.cat((side * x, torch.full_like(side, y), torch.full_like(side, z)), 1)


def _fullness(p: Tensor) -> Tensor:
    """Wide head, jowls and neck, or a narrow one."""
    low = 0.06 + 0.045 * (1 - _above(p[:, 1], -3.0, 2.0))
    return p * _along(1, 0, 0.35) * low


def _length(p: Tensor) -> Tensor:
    """A long face and a high crown; what is far below moves as the chin does."""
    return _along(0, 1, 0) * (0.052 * p[:, 1:2].clamp(min=-11.0))


def _depth(p: Tensor) -> Tensor:
    return _along(0, 0, 1) * 0.055 * p[:, 2:] * _above(p[:, 1], -9.0, 2.0)


def _neck(p: Tensor) -> Tensor:
    middle = _along(0, 0, -3.0)
    return (p - middle) * _along(1, 0, 1) * 0.1 * (1 - _above(p[:, 1], -9.0, 1.2))


def _jaw(p: Tensor) -> Tensor:
    return _apart(p) * 0.75 * _bump(p, (5.5, -6.0, 2.0), (3.0, 2.6, 3.6))


def _crown(p: Tensor) -> Tensor:
    return _along(0, 0.6, 0.1) * _above(p[:, 1], 6.5, 1.6)


def _hair(p: Tensor) -> Tensor:
    """Thick or thin hair; hair has no thickness on the average head's skin."""
    away = (p - _along(0, 1.0, -1.0)) / (p - _along(0, 1.0, -1.0)).norm(dim=1, keepdim=True)
    return away * 0.37 * torch.sigmoid(hair_logit(p) / 2.5)[:, None]


def _protrusion(p: Tensor) -> Tensor:
    return _along(0, 0, 0.6) * _bump(p, (0, -7.0, 9.5), (3.6, 2.8, 3.5))


def _chin(p: Tensor) -> Tensor:
    return _along(0, -0.6, 0.6) * _bump(p, (0, -10.2, 7.5), (2.6, 1.8, 3.0))


def _cheeks(p: Tensor) -> Tensor:
    return (_apart(p) + _along(0, 0, 0.6)) * 0.5 * _bump(p, (4.8, -4.0, 5.5), (1.9, 2.0, 2.6))


def _cheekbones(p: Tensor) -> Tensor:
    return (_apart(p) + _along(0, 0.2, 0.5)) * 0.5 * _bump(p, (5.4, -1.0, 5.0), (1.6, 1.2, 2.2))


def _nose_length(p: Tensor) -> Tensor:
    return _along(0, -0.35, 1.0) * 0.45 * _bump(p, (0, -2.7, 11.1), (1.5, 1.5, 1.9))


def _nose_width(p: Tensor) -> Tensor:
    return _towards(p, 0, 0, 0) * _along(1, 0, 0) * 0.3 * _bump(p, (0.9, -2.9, 10.3), (1.3, 1.4, 1.4))


def _bridge(p: Tensor) -> Tensor:
    return _along(0, 0, 0.45) * _bump(p, (0, 0.4, 9.8), (0.75, 1.2, 1.5))


def _tip(p: Tensor) -> Tensor:
    """A nose that points up or hangs."""
    return _along(0, 0.5, 0) * _bump(p, (0, -3.0, 11.6), (1.3, 1.2, 1.3))


def _ears(p: Tensor) -> Tensor:
    size = _towards(p, 7.3, -0.5, -0.4) * 0.14 + _apart(p) * 0.25 * (-p[:, 2:]).clamp(0, 3.5) / 3.5
    return size * _above(p[:, 0].abs(), 7.1, 0.25) * _bump(p, (8.0, -0.5, -1.5), (2.0, 3.0, 2.0)).sqrt()


def _brow(p: Tensor) -> Tensor:
    return _along(0, -0.12, 0.5) * _bump(p, (2.6, 2.4, 8.6), (2.6, 0.9, 2.2))


def _eyes_apart(p: Tensor) -> Tensor:
    return _apart(p) * 0.28 * _bump(p, (EYE[0], EYE[1] + 0.5, 8.0), (2.0, 2.0, 2.5))


def _eye_size(p: Tensor) -> Tensor:
    return _towards(p, *EYE, 7.4) * _along(1, 1.4, 0.5) * 0.15 * _bump(p, (*EYE, 8.0), (1.6, 1.0, 2.0))


def _eye_depth(p: Tensor) -> Tensor:
    return _along(0, 0, -0.35) * _bump(p, (*EYE, 8.0), (1.8, 1.1, 2.0))


def _lips(p: Tensor) -> Tensor:
    full = _towards(p, 0, -6.45, 9.0) * _along(0.1, 0.33, 0) + _along(0, 0, 0.3)
    return full * _bump(p, (0.8, -6.45, 9.6), (1.8, 1.0, 1.2))


SHAPES: dict[str, Field] = {
    "fullness": _fullness,
    "length": _length,
    "hair": _hair,
    "crown": _crown,
    "depth": _depth,
    "neck": _neck,
    "jaw": _jaw,
    "chin": _chin,
    "ears": _ears,
    "protrusion": _protrusion,
    "cheeks": _cheeks,
    "brow": _brow,
    "cheekbones": _cheekbones,
    "eyes_apart": _eyes_apart,
    "nose_length": _nose_length,
    "lips": _lips,
    "eye_depth": _eye_depth,
    "tip": _tip,
    "eye_size": _eye_size,
    "bridge": _bridge,
    "nose_width": _nose_width,
}
"""What moves the surface, by name, in the order of the coefficients."""
PAINTS = ("hair_tone", "skin", "hair_length", "beard", "hairline", "brows", "lip_tone")
"""What paints it."""
NAMES = (*SHAPES, *PAINTS)


def hair_logit(p: Tensor) -> Tensor:
    """Above 0 where the average head has hair; the unit is 0.3 centimetres."""
    turn = torch.atan2(p[:, 0].abs(), p[:, 2] + 0.5).rad2deg()
    return (p[:, 1] - _interpolate(turn, HAIRLINE)) / 0.3


HAIRLINE = (
    (0, 7.6),
    (28, 7.4),
    (45, 6.2),
    (58, 4.0),
    (70, 2.6),
    (76, 0.0),
    (84, 0.0),
    (95, 1.5),
    (110, -0.5),
    (125, -4.0),
    (180, -6.5),
)
"""Height of the hairline at angles from the face to the back."""


def _interpolate(at: Tensor, points: tuple[tuple[float, float], ...]) -> Tensor:
    """Straight lines between points."""
    x, y = at.new_tensor(points).T.contiguous()
    number = (torch.searchsorted(x, at.contiguous()) - 1).clamp(0, len(x) - 2)
    share = (at - x[number]) / (x[number + 1] - x[number])
    return torch.lerp(y[number], y[number + 1], share.clamp(0, 1))


def _coat(
    tone: float, cover: Tensor, covers: dict[str, Tensor] | None = None, tones: dict[str, float] | None = None
) -> Coat:
    modes, shades = torch.zeros(len(NAMES), len(cover)), torch.zeros(len(NAMES))
    for name, value in (covers or {}).items():
        modes[NAMES.index(name)] = value
    for name, value in (tones or {}).items():
        shades[NAMES.index(name)] = value
    return Coat(cover, modes, tone, shades)


def _coats(made: Sculpture) -> tuple[Coat, ...]:
    """From the skin outwards."""
    p, patch, place = made.vertices, made.patch, made.place
    skin = patch == PATCHES["skin"]

    def only(name: str, logit: Tensor) -> Tensor:
        return torch.where(patch == PATCHES[name], logit, -12.0)

    everywhere = torch.full_like(p[:, 0], 12.0)
    beard = (_bump(p, (0, -9.0, 7.0), (5.5, 3.0, 6.0)) - 0.9 * _bump(p, (0, -6.4, 10.0), (2.6, 0.8, 3.0)))[:, 0]
    mouth = _bump(p, (0, -6.45, 10.0), (1.75, 0.75, 2.0))[:, 0]
    line = _bump(p, (0, -6.5, 10.0), (1.5, 0.14, 2.0))[:, 0]
    nostril = _bump(p, (0.62, -3.85, 10.6), (0.32, 0.22, 0.8))[:, 0]
    eye, iris = place.abs(), (place - place.new_tensor((0.0, 0.02))).norm(dim=1)
    hair = hair_logit(p)
    behind = torch.sigmoid((-1.5 - p[:, 2] - 0.15 * p[:, 1]) / 0.4)
    front = _bump(p, (0, 9.0, 7.0), (6.0, 6.0, 8.0))[:, 0]
    return (
        _coat(0.8, everywhere, tones={"skin": 0.09}),
        _coat(0.3, only("ear", 4 * place[:, 1] - 3.5), tones={"skin": 0.05}),
        _coat(0.35, only("skin", 7 * beard - 7.0), {"beard": 2.0 * skin}, {"hair_tone": 0.06}),
        _coat(0.62, only("skin", 12 * mouth - 6.0), tones={"skin": 0.07, "lip_tone": 0.09}),
        _coat(0.2, only("skin", 10 * line - 6.0)),
        _coat(0.12, only("skin", 10 * nostril - 5.0)),
        _coat(
            0.3,
            only("skin", hair),
            {"hairline": -1.9 * front * skin, "hair_length": 12.0 * behind * skin},
            {"hair_tone": 0.15},
        ),
        _coat(0.92, only("eye", everywhere)),
        _coat(0.28, only("eye", (0.52 - iris) / 0.05)),
        _coat(0.05, only("eye", (0.24 - iris) / 0.05)),
        _coat(0.12, only("eye", (place[:, 1] - 0.12 * eye[:, 0] - 0.33) / 0.05)),
        _coat(0.28, only("brow", everywhere * 0.12), {"brows": everywhere * 0.12}, {"hair_tone": 0.08, "brows": -0.06}),
    )


@lru_cache(maxsize=1)
def population() -> HeadModel:
    """The heads of this package."""
    made = sculpture()
    p = made.vertices
    shapes = [field(p) for field in SHAPES.values()]
    modes = torch.stack([*shapes, *(torch.zeros_like(p) for _ in PAINTS)])
    return HeadModel(p, modes, made.triangles, _coats(made), (0.0, 0.5), 14.8, -15.2)
