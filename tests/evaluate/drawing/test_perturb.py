"""Directions against scikit-learn, and what moving along them does to a picture that can be computed."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from tests.evaluate.fakes import Forecast, Linear, Watcher, blobs, subject_of, turning
from untaught.data.part import Part
from untaught.data.view import View
from untaught.evaluate.drawing.perturb import STEPS, applies, directions, perturbed, picture
from untaught.evaluate.subject import Subject


def watched(**config: bool) -> Subject:
    model = Watcher(Watcher.Config(**config), (1, 12, 12)).eval()
    return subject_of(model, turning(300), turning(5, seed=1), View(frames=6))


def test_directions_are_scikit_learns_ridge_of_features_on_variables() -> None:
    held = watched()
    batch = held.pixels(held.parts.train, 300, 5)
    features = held.features(batch.x)
    places, found = directions(batch, features)
    assert places == {"angle": 0, "speed": 1, "shape_1": 2, "shape_2": 3, "shape_3": 4}
    y = torch.cat([batch.latents["angle"][:, -1], batch.latents["speed"][:, -1], batch.latents["shape"][:, -1, :3]], 1)
    y = ((y - y.mean(0)) / y.std(0, correction=0)).numpy()
    assert np.allclose(found.numpy(), Ridge(alpha=1.0).fit(y, features.numpy()).coef_.T, atol=1e-4)


@pytest.mark.parametrize("own_state", [False, True])
def test_brightness_grows_where_it_is_moved_and_nothing_else_does(own_state: bool) -> None:
    """The second component of shape is brightness, the third leaves no trace."""
    held = watched(own_state=own_state)
    found = perturbed(held)
    assert list(found) == ["angle", "speed", "shape_1", "shape_2", "shape_3"]
    bright = found["shape_2"].sum((1, 2, 3))
    assert bool((bright.diff() > 0).all())
    nothing = (found["shape_3"] - found["shape_3"][3]).abs().mean((1, 2, 3))
    moved = (found["shape_2"] - found["shape_2"][3]).abs().mean((1, 2, 3))
    assert float(nothing.max()) < 0.5 * float(moved.max())


def test_the_middle_is_the_example_as_it_is() -> None:
    held = watched()
    example = held.pixels(held.parts.test, 1, 5).x[0, -1]
    for images in perturbed(held).values():
        assert len(images) == len(STEPS) == 7 and torch.allclose(images[3], example, atol=1e-4)


def test_the_picture_has_a_row_for_each_variable() -> None:
    sheet = picture(watched())
    assert sheet.shape[0] > 5 * 100 and sheet.shape[1] > 7 * 100


def test_it_says_why_it_does_not_apply() -> None:
    assert applies(watched()) is None
    assert "encode and decode" in str(applies(subject_of(Forecast(Forecast.Config(), (1, 12, 12)), blobs(3), blobs(3))))
    held = watched()
    same = Part.of(torch.rand(4, 5, 1, 12, 12), latents={"angle": torch.ones(4, 1)})
    assert "varies" in str(applies(subject_of(held.model, same, same, View(frames=5))))
    assert "encode and decode" in str(applies(subject_of(Linear(Linear.Config(), (1, 4, 4)), blobs(3), blobs(3))))
    vectors = Part.of(torch.rand(4, 9), latents={"angle": torch.rand(4, 1)})
    assert applies(subject_of(held.model, vectors, vectors)) == "vectors cannot be drawn"
