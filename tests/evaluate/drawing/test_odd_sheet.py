"""The sheet of what is unusual: sizes, and that its maps show where."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from untaught.evaluate.drawing.odd_sheet import HIGH, WIDE, Tile, lettering, odd_sheet


def tile(height: int, width: int, channels: int = 1, name: str = "a.png", spot: bool = True) -> Tile:
    picture = torch.full((channels, height, width), 0.5)
    where = torch.zeros(height, width)
    if spot:
        where[: height // 2, : width // 2] = 1.0
    return Tile(picture, picture.clone(), where, (name, "score 1.2"))


@pytest.mark.parametrize(("height", "width"), [(8, 8), (28, 28), (96, 64), (360, 640), (1, 30), (700, 20)])
def test_sheets_of_any_size_of_picture(height: int, width: int) -> None:
    drawn = odd_sheet("title", {"most": [tile(height, width, 3)] * 3, "least": [tile(height, width, 3)]}, "given back")
    assert drawn.dtype == np.uint8 and drawn.ndim == 3
    assert drawn.shape[1] < 5 * WIDE + 200
    assert drawn.shape[0] < 2 * 3 * (HIGH + 20) + 300


def test_where_it_lies_is_bright() -> None:
    both = {"most": [tile(28, 28)], "least": [tile(28, 28, spot=False)]}
    lit, dark = (odd_sheet("", {name: some, "other": both["most"]}) for name, some in both.items())
    assert (lit.astype(int) - dark.astype(int)).clip(0).sum() > 255 * 70 * 70  # a quarter of 140 x 140, bright
    assert (odd_sheet("", {"most": both["least"]}).max(-1) > 240).mean() < 0.05


def test_a_model_without_reconstruction_shows_pictures_alone() -> None:
    plain = Tile(torch.rand(1, 28, 28), None, None, ("row 1",))
    assert odd_sheet("t", {"most": [plain] * 2}).shape[0] < odd_sheet("t", {"most": [tile(28, 28)] * 2}).shape[0] - 250


def test_many_are_wrapped_and_long_names_cut() -> None:
    ten = odd_sheet("t", {"most": [tile(28, 28)] * 10})
    wrapped = odd_sheet("t", {"most": [tile(28, 28, name="folder/" * 40 + "x.png")] * 11})
    assert wrapped.shape[1] == ten.shape[1]
    assert wrapped.shape[0] > 1.8 * ten.shape[0] - 100


def test_names_in_other_letters_are_legible() -> None:
    missing = bytes(lettering(13).getmask("\U0010fffd"))
    for letter in "ЖЩüαωő":
        assert bytes(lettering(13).getmask(letter)) not in (missing, bytes(len(missing)))
