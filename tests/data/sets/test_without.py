"""A source without a class: missing where a model learns, there where it is judged."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from untaught.data.labels import clip_labels
from untaught.data.source import open_data
from untaught.errors import DataError


@pytest.mark.parametrize(("classes", "left_out"), [("3", {3}), ("3,8", {3, 8}), ("0, 9", {0, 9})])
def test_the_class_is_in_the_test_part_alone(classes: str, left_out: set[int]) -> None:
    whole, parts = open_data("digits").parts(), open_data(f"without?of=digits&classes={classes}").parts()
    for part in (parts.train, parts.validation):
        assert set(clip_labels(part).tolist()) == set(range(10)) - left_out
    assert torch.equal(parts.test.first, whole.test.first)
    kept = [label not in left_out for label in clip_labels(whole.train).tolist()]
    assert torch.equal(parts.train.first, whole.train.first[torch.tensor(kept)])


def test_a_folder_by_the_name_of_a_class(tmp_path: Path) -> None:
    for name, grey in (("cat", 40), ("dog", 200)):
        (tmp_path / name).mkdir()
        for number in range(20):
            Image.fromarray(np.full((8, 8), grey, np.uint8)).save(tmp_path / name / f"{number}.png")
    source = open_data(f"without:{tmp_path}?classes=dog")
    parts = source.parts()
    assert set(clip_labels(parts.train).tolist()) == {0}
    assert set(clip_labels(parts.test).tolist()) == {0, 1}
    assert (parts.test.place_of(39).file or "").startswith(str(tmp_path / "dog"))
    assert open_data(source.spec).label_names == ("cat", "dog")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("without?of=digits", "classes"),
        ("without?classes=3", "without takes a path or a named set"),
        ("without?of=digits&classes=12", "no class '12'"),
        ("without?of=digits&classes=0,1,2,3,4,5,6,7,8,9", "nothing is left"),
        ("without?of=bars&classes=1", "has no classes"),
    ],
)
def test_what_cannot_be_is_refused(spec: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        open_data(spec)
