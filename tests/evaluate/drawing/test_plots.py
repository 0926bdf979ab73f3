"""Drawings on dark paper."""

import numpy as np
from matplotlib.figure import Figure

from untaught.evaluate.drawing.pictures import PAPER
from untaught.evaluate.drawing.plots import Line, apart, drawn_on_paper, line_chart, rendered


def test_paper_is_dark_and_only_inside() -> None:
    with drawn_on_paper():
        picture = rendered(Figure(figsize=(2, 1)))
    assert picture.dtype == np.uint8 and picture.shape == (110, 220, 3) and tuple(picture[0, 0]) == PAPER
    assert tuple(rendered(Figure(figsize=(2, 1)))[0, 0]) == (255, 255, 255)


def test_a_line_is_where_its_heights_are() -> None:
    """A strong line at the top lights the upper half only, one at the bottom the lower."""

    def blue(height: float) -> np.ndarray:
        picture = line_chart({"": Line([height] * 3, [0.0] * 3)}, "", "", top=1).astype(int)
        return ((picture[..., 2] - picture[..., 0]) > 80).nonzero()[0]

    half = 550 // 2
    assert len(blue(0.9)) > 500 and blue(0.9).max() < half < blue(0.1).min()


def test_errors_are_drawn_and_what_has_none_is_dashed() -> None:
    first = {"model": Line([0.5] * 4, [0.1] * 4)}
    plain = line_chart(first, "", "", top=1)
    assert (line_chart({"model": Line([0.5] * 4, [0.3] * 4)}, "", "", top=1) != plain).any()
    dashed, solid = (
        line_chart({**first, "x": Line([0.2] * 4, [e] * 4)}, "", "", top=1).astype(int) for e in (0.0, 1e-6)
    )
    assert ((dashed - plain) != 0).sum() < ((solid - plain) != 0).sum()


def test_names_stand_apart() -> None:
    places = apart({"a": 99.0, "b": 98.0, "c": 98.5, "d": 1.0, "e": 0.0}, 4.5, 100)
    heights = sorted(places.values())
    assert min(np.diff(heights)) >= 4.5 - 1e-9 and heights[-1] <= 100
    assert sorted(places, key=lambda name: places[name]) == ["e", "d", "b", "c", "a"]
