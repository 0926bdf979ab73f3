"""Pictures pixel by pixel, and what comes back from the files."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from tests.evaluate.fakes import Forecast, Linear, Watcher, blobs, drifting, subject_of, turning
from untaught.data.part import Part
from untaught.data.view import View
from untaught.errors import ConfigError, DataError
from untaught.evaluate.drawing.illustrate import illustrate, illustrate_measures, predicted_clips
from untaught.evaluate.drawing.picture_files import write_picture
from untaught.evaluate.drawing.pictures import (
    GAP,
    PAPER,
    Prediction,
    colours,
    enlarged,
    filter_grid,
    grid,
    mosaic,
    pairs,
    prediction_film,
    prediction_strip,
    reduced,
)


def test_colours_of_any_number_of_channels() -> None:
    x = torch.tensor([-1.0, 0.0, 0.5, 1.0, 2.0]).view(5, 1, 1, 1)
    assert [int(picture[0, 0, 0]) for picture in colours(x)] == [0, 0, 128, 255, 255]
    assert colours(torch.rand(1, 4, 2, 2))[0].shape == (2, 2, 3)
    two = torch.tensor([0.2, 0.6]).view(1, 2, 1, 1)
    assert colours(two)[0].tolist() == [[[102, 102, 102]]]
    assert colours(torch.tensor([1.0, 0.0, 0.2]).view(1, 3, 1, 1))[0].tolist() == [[[255, 0, 51]]]


def test_vectors_are_refused() -> None:
    with pytest.raises(DataError, match="vectors of 7 numbers cannot be drawn"):
        colours(torch.rand(2, 7))


def test_enlarging_repeats_pixels() -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    large = enlarged(picture, 6)
    assert large.shape == (6, 6, 3)
    assert (large[:3, :3] == picture[0, 0]).all() and (large[3:, 3:] == picture[1, 1]).all()
    assert enlarged(np.zeros((40, 50, 3), np.uint8), 30).shape == (40, 50, 3)


def test_reducing_averages_pixels() -> None:
    picture = np.zeros((4, 8, 3), np.uint8)
    picture[:2, :2] = np.array([[10], [30]])[:, None]
    small = reduced(picture, 2)
    assert small.shape == (2, 4, 3) and small[0, 0].tolist() == [20] * 3 and not small[1:].any()
    assert reduced(picture, 5) is picture


def test_a_mosaic_has_every_tile_in_its_place() -> None:
    tiles = [np.full((5, 7, 3), value, np.uint8) for value in (10, 20, 30)]
    sheet = mosaic([tiles[:2], tiles[2:]])
    assert (sheet[GAP : GAP + 5, GAP : GAP + 7] == 10).all()
    assert (sheet[GAP : GAP + 5, 2 * GAP + 7 : 2 * GAP + 14] == 20).all()
    assert (sheet[2 * GAP + 5 : 2 * GAP + 10, GAP : GAP + 7] == 30).all()
    assert tuple(sheet[-1, -1]) == PAPER


def test_names_are_written_beside_above_and_below() -> None:
    tile = np.zeros((20, 90, 3), np.uint8)
    plain, named = mosaic([[tile]]), mosaic([[tile]], ("row",), ("column",), "foot")
    assert named.shape[0] > plain.shape[0] and named.shape[1] > plain.shape[1]
    assert (named > 200).any() and not (plain > 200).any()


def test_a_grid_is_as_square_as_can_be_and_a_film_of_video() -> None:
    assert grid(torch.rand(9, 1, 8, 8), side=8).shape == (3 * 12 + 4, 3 * 12 + 4, 3)
    assert grid(torch.rand(4, 5, 1, 8, 8), side=8).shape == (5, 2 * 12 + 4, 2 * 12 + 4, 3)


def test_pairs_have_originals_above() -> None:
    sheet = pairs(torch.ones(3, 1, 8, 8), torch.zeros(3, 1, 8, 8), side=8)
    right = sheet[:, -12:-4]
    assert (right[4:12] == 255).all() and (right[16:24] == 0).all()
    assert pairs(torch.ones(2, 6, 1, 8, 8), torch.zeros(2, 6, 1, 8, 8)).shape[0] == 6


def test_filters_are_scaled_by_their_own_largest() -> None:
    weights = torch.stack([torch.tensor([[0.0, 2.0], [-1.0, 0.5]]), torch.tensor([[0.0, 0.02], [-0.01, 0.005]])])
    sheet = filter_grid(weights[:, None], side=2)
    tiles = [sheet[4:6, 4:6, 0], sheet[4:6, 10:12, 0]]
    assert tiles[0].tolist() == tiles[1].tolist() == [[128, 255], [64, 159]]
    assert (filter_grid(torch.zeros(1, 1, 2, 2), side=2)[4:6, 4:6] == 128).all()


def clips(known: int = 4) -> Prediction:
    x = drifting(5, 7)
    return Prediction(x[:, :3], (x[:, 3:] + 0.1).clamp(0, 1), x[:, 3 : 3 + known])


def test_errors_are_brightened_until_they_are_seen() -> None:
    """A difference of 0.1 everywhere can be shown eight times as bright, and is there only where truth is known."""
    columns = clips().columns()
    assert list(columns) == ["true", "predicted", "error x 8"]
    assert [frame is None for frame in columns["predicted"]] == [True] * 3 + [False] * 4
    short = clips(known=2).columns()
    assert [frame is None for frame in short["true"]] == [False] * 5 + [True] * 2
    assert list(clips(known=0).columns()) == ["given, then predicted"]


@pytest.mark.parametrize("known", [0, 4])
def test_motion_is_a_row_with_the_wheel_before_it(known: int) -> None:
    plain = clips(known)
    flow = torch.zeros(5, 4, 2, *plain.given.shape[-2:])
    flow[:, 1, 0] = -2.0  # from the left: what is seen moves to the right
    moving = replace(plain, flow=flow)
    name, row = list(moving.columns().items())[-1]
    assert name == "motion, bright: 2.0 pixels"
    assert [tile is None for tile in row] == [True, True, False, False, False, False, False]
    assert row[3] is not None and row[3].abs().max() == 0
    assert row[4] is not None and row[4][0, :, 3, 3].tolist() == [1.0, 0.0, 0.0]
    assert prediction_film(moving).shape[0] == 7
    assert prediction_strip(moving).shape[0] > prediction_strip(plain).shape[0]


@pytest.mark.parametrize("known", [0, 2, 4])
def test_films_and_strips_are_drawn_whatever_is_known(known: int) -> None:
    film = prediction_film(clips(known))
    assert film.shape[0] == 7 and film.dtype == np.uint8
    assert (film[0] != film[6]).any()
    strip = prediction_strip(clips(known))
    assert strip.shape[1] > 6 * 80


@pytest.mark.parametrize("ending", [".gif", ".mp4", ".PNG"])
def test_files_give_back_what_was_written(ending: str, tmp_path: Path) -> None:
    """An odd side is padded in .mp4; colours of .mp4 are near."""
    film = np.stack([np.full((33, 47, 3), value, np.uint8) for value in (20, 120, 220)])
    path = write_picture(tmp_path / "new" / f"film{ending}", film)
    if ending == ".PNG":
        assert np.asarray(Image.open(path)).shape == (99, 47, 3)
        return
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 3 and frames[0].shape == ((34, 48, 3) if ending == ".mp4" else (33, 47, 3))
    assert [round(float(frame.mean())) for frame in frames] == pytest.approx([20, 120, 220], abs=3)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_gif_goes_round_for_ever(tmp_path: Path) -> None:
    film = (np.random.default_rng(0).random((3, 8, 8, 3)) * 255).astype(np.uint8)
    image = Image.open(write_picture(tmp_path / "a.gif", film))
    assert image.info["loop"] == 0 and getattr(image, "n_frames", 1) == 3


def test_a_picture_is_a_film_of_one_frame(tmp_path: Path) -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    assert np.asarray(Image.open(write_picture(tmp_path / "a.png", picture))).shape == (8, 8, 3)
    assert getattr(Image.open(write_picture(tmp_path / "a.gif", picture)), "n_frames", 1) == 1


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a\.bmp: pictures are written as \.png, \.gif, \.mp4"):
        write_picture(tmp_path / "a.bmp", np.zeros((8, 8, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_a_model_of_pictures_shows_what_it_can(tmp_path: Path) -> None:
    model = Linear(Linear.Config(), (1, 4, 4))
    written = illustrate(subject_of(model, blobs(9), blobs(9)), tmp_path)
    assert [path.name for path in written] == ["reconstruction.png", "samples.png", "filters.png"]
    first = [path.read_bytes() for path in written]
    assert first == [path.read_bytes() for path in illustrate(subject_of(model, blobs(9), blobs(9)), tmp_path)]


def test_a_model_of_video_shows_its_rollout(tmp_path: Path) -> None:
    test = Part.of(drifting(5, 12))
    held = subject_of(Forecast(Forecast.Config(), (1, 6, 6)), test, test, View(frames=4))
    assert [path.name for path in illustrate(held, tmp_path)] == ["prediction.gif", "prediction.png"]
    shown = predicted_clips(held)
    assert shown.given.shape == (3, 6, 1, 6, 6) and shown.predicted.shape == shown.known.shape == (3, 6, 1, 6, 6)
    assert torch.equal(shown.predicted, shown.given[:, -1:].expand_as(shown.predicted))


def test_measures_have_their_pictures(tmp_path: Path) -> None:
    """A picture is drawn where its measure was taken and the model can give it."""
    model = Watcher(Watcher.Config(), (1, 12, 12)).eval()
    held = subject_of(model, turning(40), turning(12, seed=1), View(frames=6))
    written = illustrate_measures(held, tmp_path, {"map": {}, "decode": {}, "prediction": {}})
    assert [path.name for path in written] == ["perturb.png", "map.png"]
    gallery = {"accuracy": [0.5, 0.7], "accuracy_std_error": [0.1, 0.1], "baselines": {}}
    blind = subject_of(Forecast(Forecast.Config(), (1, 12, 12)), held.parts.train, held.parts.test, View(frames=6))
    written = illustrate_measures(blind, tmp_path / "new", {"few_views": gallery, "decode": {}})
    assert [path.name for path in written] == ["few_views.png"]


def test_a_model_of_vectors_shows_nothing(tmp_path: Path) -> None:
    part = Part.of(torch.rand(5, 16))
    assert illustrate(subject_of(Linear(Linear.Config(), (16,)), part, part), tmp_path) == []
