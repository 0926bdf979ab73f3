"""Frames of pandas and polars: vectors of numbers, and columns of pictures."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import torch
from PIL import Image

from untaught.data.source import Source, open_data
from untaught.errors import DataError


def pandas_frame(columns: dict[str, Any]) -> Any:
    return pandas.DataFrame(columns)


def polars_frame(columns: dict[str, Any]) -> Any:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    return polars.DataFrame(columns, strict=False)


FRAMES = pytest.mark.parametrize("frame", [pandas_frame, polars_frame])


def rows(source: Source) -> torch.Tensor:
    return source.train.frames.read(torch.arange(source.train.frames.count)).float()


@FRAMES
@pytest.mark.parametrize("memory", [2**30, 8])
def test_columns_of_numbers_are_vectors(frame: Any, memory: int) -> None:
    source = open_data(
        frame({"a": [1, 2, 3], "name": ["u", "v", "w"], "b": [0.5, 1.5, 2.5], "label": ["no", "yes", None]}),
        memory=memory,
    )
    assert torch.equal(rows(source), torch.tensor([[1, 0.5], [2, 1.5], [3, 2.5]]))
    assert source.label_names == ("no", "yes") and source.train.label.tolist() == [0, 1, -1]
    assert "left out 1 field, not used: name" in source.notes


@FRAMES
def test_pixels_in_columns_are_scaled_as_those_of_arrays(frame: Any) -> None:
    source = open_data(frame({"p0": [0, 255], "p1": [51, 102], "class": [1, 0]}))
    assert source.scale == 255 and rows(source).tolist() == [[0, 51], [255, 102]]
    assert source.train.frames.dtype == torch.uint8 and source.train.label.tolist() == [1, 0]


@FRAMES
def test_a_column_of_paths(frame: Any, tmp_path: Path) -> None:
    files = [str(tmp_path / f"{n}.png") for n in range(3)]
    for n, file in enumerate(files):
        Image.new("RGB", (6, 8), (n, 100, 200)).save(file)
    source = open_data(frame({"file": files, "kind": ["x", "y", "x"], "age": [1, 2, 3]}), options={"label": "kind"})
    assert source.shape == (3, 8, 6) and rows(source)[:, :, 0, 0].tolist() == [[n, 100, 200] for n in range(3)]
    assert source.train.label.tolist() == [0, 1, 0]


@FRAMES
def test_a_column_of_bytes_and_one_of_lists(frame: Any) -> None:
    file = BytesIO()
    Image.new("L", (6, 8), 77).save(file, "PNG")
    assert rows(open_data(frame({"png": [file.getvalue()] * 2}))).unique().tolist() == [77]
    lists = open_data(frame({"image": [[[0.0, 0.5], [1.0, 0.25]]] * 2, "n": [1, 2]}))
    assert lists.shape == (1, 2, 2) and rows(lists)[1, 0].tolist() == [[0, 0.5], [1, 0.25]]


def test_pictures_and_arrays_in_a_column_of_objects() -> None:
    pictures = [Image.new("L", (6, 8), 77), Image.new("L", (6, 8), 78)]
    assert rows(open_data(pandas_frame({"img": pictures})))[:, 0, 0, 0].tolist() == [77, 78]
    arrays = [np.full((6, 5, 3), n, np.uint8) for n in (40, 50)]
    assert open_data(pandas_frame({"img": pandas.Series(arrays, dtype=object)})).shape == (3, 6, 5)


@FRAMES
def test_neighbours_of_one_clip_are_its_frames(frame: Any, tmp_path: Path) -> None:
    files = [str(tmp_path / f"{n}.png") for n in range(5)]
    for n, file in enumerate(files):
        Image.new("L", (6, 8), 100 + n).save(file)
    table = frame({"path": files, "shot": ["a", "a", "a", "b", "b"], "label": [1, 1, 1, 0, 0]})
    source = open_data(table, options={"clip": "shot"})
    assert source.is_video and source.train.length.tolist() == [3, 2] and source.train.label.tolist() == [1, 1, 1, 0, 0]


@FRAMES
@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({"name": ["a"]}, {}, "has no column of pictures or of numbers; there are: name"),
        ({"a": [1.0]}, {"label": "kind"}, "has no column 'kind'; there are: a"),
        ({"a": [1.0, None]}, {}, "not finite"),
        ({"path": [None, "x.png"]}, {}, "example 0 of DataFrame has no picture: its field 'path' is empty"),
        ({"path": ["x.png"]}, {}, "names a file that is not there: x.png"),
    ],
)
def test_errors_are_in_words(frame: Any, columns: dict[str, Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        open_data(frame(columns), options=options)
    assert message in str(caught.value)


def test_lazy_frames_are_to_be_collected() -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    with pytest.raises(DataError, match="collect"):
        open_data(polars.LazyFrame({"a": [1.0]}))
