"""Inverted and turned pictures, and halves that share none, of arrays in memory and of pictures on disk."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from untaught.data.labels import clip_labels
from untaught.data.part import Part
from untaught.data.sets.altered import AlteredFrames, Options, altered
from untaught.data.source import open_data
from untaught.errors import ConfigError, DataError


def pixels(part: Part) -> torch.Tensor:
    return part.frames.read(part.first)


def test_digits_are_inverted_and_turned() -> None:
    whole = open_data("digits").parts()
    found = open_data("altered?of=digits&invert=true&turn=90").parts()
    for own, changed in ((whole.train, found.train), (whole.test, found.test)):
        x = pixels(own)
        assert torch.equal(pixels(changed), 1 - x.transpose(2, 3).flip(2))
        assert torch.equal(clip_labels(own), clip_labels(changed))


def test_halves_share_no_digit() -> None:
    first, second = (open_data(f"altered?of=digits&half={half}").parts() for half in ("first", "second"))
    whole = open_data("digits").parts()
    for name in ("train", "validation", "test"):
        halves = [getattr(parts, name).first for parts in (first, second)]
        assert sorted(torch.cat(halves).tolist()) == sorted(getattr(whole, name).first.tolist())
        assert abs(len(halves[0]) - len(halves[1])) <= 1


def test_bytes_stay_bytes_and_frames_on_disk_are_read_as_they_are_needed(tmp_path: Path) -> None:
    for number in range(5):
        Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4) + 20 * number).save(tmp_path / f"{number}.png")
    source = open_data(f"altered:{tmp_path}?turn=270&invert=true")
    assert source.shape == (1, 4, 3) and source.train.frames.dtype == torch.uint8
    plain = open_data(str(tmp_path)).train
    lazy = AlteredFrames(plain.frames, Options(turn="270", invert=True))
    assert lazy.shape == (1, 4, 3)
    index = torch.tensor([3, 1])
    assert torch.equal(lazy.read(index), 255 - plain.frames.read(index).transpose(2, 3).flip(3))
    assert torch.equal(altered(plain.frames.read(index), Options()), plain.frames.read(index))


@pytest.mark.parametrize("spec", ["altered", "altered?invert=true"])
def test_nothing_to_alter_is_refused(spec: str) -> None:
    with pytest.raises(DataError, match="takes a path or a named set"):
        open_data(spec)


def test_vectors_and_odd_angles_are_refused() -> None:
    with pytest.raises(DataError, match="has vectors"):
        open_data("altered?of=one-hot")
    with pytest.raises(ConfigError, match="turn in altered = '45'"):
        open_data("altered?of=digits&turn=45")
