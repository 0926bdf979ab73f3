r"""Morphable heads: an average mesh, how it changes with each coefficient, and how it is painted.

With coefficients :math:`c_k \sim N(0, 1)` a head has the vertices (1). Its albedo is laid on in coats, each with a tone
and with a share :math:`o` of each vertex that it covers (2), (3).

.. math::
    v &= \bar v + \sum_k c_k \, d_k & (1) \\
    o_l &= \sigma\bigl(\bar o_l + \sum_k c_k \, o_{lk}\bigr), \qquad t_l = \bar t_l + \sum_k c_k \, t_{lk} & (2) \\
    \rho &\leftarrow (1 - o_l) \, \rho + o_l \, t_l & (3)

References:
    Blanz, Vetter 1999, A morphable model for the synthesis of 3D faces, SIGGRAPH (equation 1).
    Li et al. 2020, Learning formation of physically-based face attributes,
    arXiv:2004.03458 (ICT-FaceKit, such a model).
"""

from __future__ import annotations

import math
import time
import warnings
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from untaught.data.heads.mesh import lambert, rasterise, vertex_normals
from untaught.errors import DataError

LIGHT = (-0.35, 0.45, 0.82)
"""Where the light is, from the picture's middle: left, above, and on the viewer's side."""
AMBIENT = 0.4
TONE = 0.75
"""Albedo of what no coat covers."""
MATERIALS = {"sclera": 0.95, "teeth": 0.9, "lash": 0.2, "brow": 0.3, "hair": 0.3, "lip": 0.6, "gum": 0.5}
"""Albedo of a file's materials, by what their names contain."""
MARGIN = 0.09
"""Room above the average head of a file, and what is cut off below, as a share of its height."""
IRIS, IRIS_COSINE = 0.2, 0.91
"""Albedo of an iris, and the cosine of its half angle on an eyeball that looks straight on."""


class Coat(NamedTuple):
    """One coat of paint, equation (2)."""

    cover: Tensor
    """Mean logit of the share that is covered, `(vertex,)`."""
    cover_modes: Tensor
    """`(coefficient, vertex)`."""
    tone: float
    """Mean albedo."""
    tone_modes: Tensor
    """`(coefficient,)`."""


class HeadModel(NamedTuple):
    """A population of heads."""

    mean: Tensor
    """`(vertex, 3)`: x to the right of a picture from the front, y upwards, z out of the face."""
    modes: Tensor
    """`(coefficient, vertex, 3)`."""
    triangles: Tensor
    """`(triangle, 3)`, anticlockwise from outside."""
    coats: tuple[Coat, ...]
    axis: tuple[float, float]
    """The vertical line about which a head turns: its x and z."""
    top: float
    """Height at the upper edge of a picture."""
    bottom: float
    """Height at the lower edge."""

    def to(self, device: torch.device) -> HeadModel:
        """Put all tensors on a device."""
        coats = tuple(
            Coat(c.cover.to(device), c.cover_modes.to(device), c.tone, c.tone_modes.to(device)) for c in self.coats
        )
        mean, modes, triangles = (value.to(device) for value in (self.mean, self.modes, self.triangles))
        return self._replace(mean=mean, modes=modes, triangles=triangles, coats=coats)

    def shape(self, coefficients: Tensor) -> Tensor:
        """Vertices of some heads by equation (1): `(clip, coefficient)` gives `(vertex, 3, clip)`."""
        moved = self.modes.flatten(1).T @ coefficients.T
        return self.mean[..., None] + moved.view(*self.mean.shape, -1)

    def albedo(self, coefficients: Tensor) -> Tensor:
        """Albedo by equations (2) and (3): `(clip, coefficient)` gives `(vertex, clip)`."""
        rho = torch.full((len(self.mean), len(coefficients)), TONE, device=self.mean.device)
        for coat in self.coats:
            cover = torch.sigmoid(coat.cover[:, None] + coat.cover_modes.T @ coefficients.T)
            rho = torch.lerp(rho, (coat.tone + coefficients @ coat.tone_modes)[None].clamp(0.05, 0.95), cover)
        return rho


def render(model: HeadModel, coefficients: Tensor, pan: Tensor, roll: Tensor, size: int, fine: int = 2) -> Tensor:
    r"""Draw heads in grey on white.

    A head turns by :math:`\theta` about its vertical axis (4), then by :math:`\phi` in the plane of the picture (5). A
    positive pan turns the face to the right of the picture, a positive roll the crown to the left.

    .. math::
        (x, z) &\leftarrow (x \cos\theta + z \sin\theta, \; z \cos\theta - x \sin\theta) & (4) \\
        (x, y) &\leftarrow (x \cos\phi - y \sin\phi, \; y \cos\phi + x \sin\phi) & (5)

    Arguments:
        model: The population.
        coefficients: `(clip, coefficient)`.
        pan: Radians, `(clip, frame)`.
        roll: Radians, `(clip, frame)`.
        size: Side of a frame in pixels.
        fine: A pixel is the mean of `fine * fine` that are drawn.

    Returns:
        uint8 `(clip, frame, 1, size, size)`.
    """
    vertices = model.shape(coefficients)
    middle = (model.top + model.bottom) / 2
    vertices = vertices - vertices.new_tensor((model.axis[0], middle, model.axis[1]))[:, None]
    grey = lambert(vertex_normals(vertices, model.triangles), _light(pan, roll), model.albedo(coefficients), AMBIENT)
    x, y, z = (value[..., None] for value in vertices.unbind(1))
    x, z = x * pan.cos() + z * pan.sin(), z * pan.cos() - x * pan.sin()
    x, y = x * roll.cos() - y * roll.sin(), y * roll.cos() + x * roll.sin()
    side = size * fine
    scale = side / (model.top - model.bottom)
    columns, rows, depth, grey = (value.flatten(1) for value in (side / 2 + scale * x, side / 2 - scale * y, z, grey))
    seen = rasterise(columns, rows, depth, grey, model.triangles, side).mean(fine)
    return (seen * 255).round().to(torch.uint8).view(*pan.shape, 1, size, size)


def render_all(model: HeadModel, coefficients: Tensor, pan: Tensor, roll: Tensor, size: int) -> Tensor:
    """Draw many clips, piece by piece and on all processors; says how long it will take if that is long.

    Arguments and result are those of `render`; the result is on the CPU.
    """
    on_gpu = model.mean.is_cuda
    pieces = torch.arange(len(pan)).split(32 if on_gpu else 1)
    frames = torch.empty(*pan.shape, 1, size, size, dtype=torch.uint8)

    def draw(piece: Tensor) -> None:
        who, turned, tilted = (value[piece].to(model.mean.device) for value in (coefficients, pan, roll))
        frames[piece] = render(model, who, turned, tilted, size).cpu()

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # one piece on one processor is faster than one piece on all
    try:
        with ThreadPoolExecutor(1 if on_gpu else threads) as pool:
            _tell(pool.map(draw, pieces), len(pieces), pan.numel())
    finally:
        torch.set_num_threads(threads)
    return frames


def _tell(done: Iterator[None], pieces: int, frames: int) -> None:
    """Wait for all pieces; after a few seconds, say how long all of them will take, if it is long."""
    start, told = time.monotonic(), False
    for number, _ in enumerate(done, 1):
        gone = time.monotonic() - start
        if not told and gone > 3:
            told, whole = True, gone * pieces / number
            if whole > 10:
                warnings.warn(f"drawing {frames} frames of heads takes about {whole:.0f} seconds, once", stacklevel=2)


def _light(pan: Tensor, roll: Tensor) -> Tensor:
    """Towards the light as each head sees it: equations (5) and (4) undone, `(3, clip, frame)`."""
    x, y, z = (value / math.hypot(*LIGHT) for value in LIGHT)
    right, up = x * roll.cos() + y * roll.sin(), y * roll.cos() - x * roll.sin()
    return torch.stack((right * pan.cos() - z * pan.sin(), up, z * pan.cos() + right * pan.sin()))


def read_model(path: Path) -> HeadModel:
    """Read a morphable model from an `.npz` file.

    It holds `mean` `(vertex, 3)`, `triangles` `(triangle, 3)` and `identity_modes` `(coefficient, vertex, 3)`, where x
    runs to the right as one looks at the face, y upwards and z towards the viewer; and perhaps `triangle_material`
    `(triangle,)` with `material_names`, which give eyes, lips and hair a tone of their own.

    Raises:
        DataError: The file is missing, broken, or holds something else; the message names the file and the array.
    """
    arrays = _arrays(path)
    mean, triangles, modes = (_array(arrays, key, path) for key in ("mean", "triangles", "identity_modes"))
    _check(mean, "mean", (None, 3), path)
    _check(triangles, "triangles", (None, 3), path)
    _check(modes, "identity_modes", (None, len(mean), 3), path)
    if triangles.dtype.kind not in "iu" or triangles.min() < 0 or triangles.max() >= len(mean):
        raise DataError(f"triangles of {path} should hold whole numbers from 0 to {len(mean) - 1}")
    vertices = torch.as_tensor(mean).float()
    low, high = vertices.amin(0), vertices.amax(0)
    margin = MARGIN * float(high[1] - low[1])
    return HeadModel(
        mean=vertices,
        modes=torch.as_tensor(modes).float(),
        triangles=torch.as_tensor(triangles.astype(np.int64)),
        coats=_coats(arrays, vertices, triangles, len(modes), path),
        axis=(float(low[0] + high[0]) / 2, float(low[2] + high[2]) / 2),
        top=float(high[1]) + margin,
        bottom=float(low[1]) + margin,
    )


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path), np.load(path) as file:  # numpy alone would take one array for a file of arrays
            return {key: file[key] for key in file.files}
    except Exception as error:  # a damaged stream raises what zlib, zipfile or numpy have for it
        if isinstance(error, FileNotFoundError | IsADirectoryError | PermissionError):
            raise DataError(f"cannot read {path}: {str(error.strerror).lower()}") from error
        raise DataError(f"{path} is no head model: it should be an .npz file of arrays") from error


def _array(arrays: dict[str, NDArray[Any]], key: str, path: Path) -> NDArray[Any]:
    if key not in arrays:
        raise DataError(f"{path} has no array {key!r}; a head model holds mean, triangles and identity_modes")
    return arrays[key]


def _check(array: NDArray[Any], key: str, shape: tuple[int | None, ...], path: Path) -> None:
    right = array.ndim == len(shape) and all(
        want in (None, have) for want, have in zip(shape, array.shape, strict=True)
    )
    if not right or not array.size or array.dtype.kind not in "iuf":
        wanted = ", ".join("n" if want is None else str(want) for want in shape)
        raise DataError(f"{key} of {path} should be numbers of shape ({wanted}), not {array.dtype} {array.shape}")
    if not np.isfinite(array).all():
        raise DataError(f"{key} of {path} holds a value that is infinite or not a number")


def _coats(
    arrays: dict[str, NDArray[Any]], vertices: Tensor, triangles: NDArray[Any], coefficients: int, path: Path
) -> tuple[Coat, ...]:
    """A coat for each material with a tone of its own, and for each iris; none where the file names no materials."""
    if "triangle_material" not in arrays or "material_names" not in arrays:
        return ()
    material, names = arrays["triangle_material"], arrays["material_names"]
    _check(material, "triangle_material", (len(triangles),), path)
    coats: list[Coat] = []
    for number, name in enumerate(names.tolist()):
        tones = [tone for word, tone in MATERIALS.items() if word in str(name).lower()]
        corners = torch.as_tensor(np.unique(triangles[material == number]).astype(np.int64))
        if tones and len(corners):
            coats.append(_painted(corners, tones[0], len(vertices), coefficients))
        if "sclera" in str(name).lower() and len(corners):
            # The outer shell of an eyeball, its cornea too, is white in a file; the iris lies hidden inside.
            away = normalize(vertices[corners] - vertices[corners].mean(0), dim=1)
            coats.append(_painted(corners[away[:, 2] > IRIS_COSINE], IRIS, len(vertices), coefficients))
    return tuple(coats)


def _painted(which: Tensor, tone: float, vertices: int, coefficients: int) -> Coat:
    """A coat that covers some vertices, on every head alike."""
    cover = torch.full((vertices,), -12.0)
    cover[which] = 12.0
    return Coat(cover, torch.zeros(coefficients, vertices), tone, torch.zeros(coefficients))
