"""What was drawn is kept: found again, and drawn again where the file is torn."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from untaught.data.drawn_cache import file_digest, kept


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / "untaught" / "heads"


class Painter:
    """Draws the next number each time."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Tensor:
        """Draw."""
        self.times += 1
        return torch.full((3, 2), self.times, dtype=torch.uint8)


def test_the_same_is_drawn_once(cache: Path) -> None:
    draw = Painter()
    first = kept({"size": 3}, (3, 2), "heads", draw)
    assert torch.equal(kept({"size": 3}, (3, 2), "heads", draw), first) and draw.times == 1
    assert not torch.equal(kept({"size": 4}, (3, 2), "heads", draw), first) and draw.times == 2
    assert len(list(cache.iterdir())) == 2 and {file.suffix for file in cache.iterdir()} == {".npy"}


@pytest.mark.parametrize("content", [b"", b"torn", None])
def test_a_torn_file_is_drawn_again(content: bytes | None, cache: Path) -> None:
    draw = Painter()
    kept({}, (3, 2), "heads", draw)
    (file,) = cache.iterdir()
    file.write_bytes(file.read_bytes()[:-1] if content is None else content)
    assert kept({}, (3, 2), "heads", draw).unique().tolist() == [2]
    assert kept({}, (3, 2), "heads", draw).unique().tolist() == [2]


def test_a_file_of_something_else_is_drawn_again(cache: Path) -> None:
    draw = Painter()
    kept({}, (3, 2), "heads", draw)
    (file,) = cache.iterdir()
    for other in (np.zeros((3, 3), np.uint8), np.zeros((3, 2), np.float32)):
        np.save(file, other)
        assert kept({}, (3, 2), "heads", draw).unique().tolist() == [draw.times]
    np.savez(file.with_suffix(".npz"), x=np.zeros((3, 2), np.uint8))
    file.with_suffix(".npz").replace(file)
    assert kept({}, (3, 2), "heads", draw).unique().tolist() == [draw.times] == [4]


def test_a_folder_that_takes_nothing_is_no_error(cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text("in the way")
    with pytest.warns(UserWarning, match="are not kept in"):
        assert kept({}, (3, 2), "heads", Painter()).unique().tolist() == [1]


def test_a_digest_follows_the_content(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"abc")
    assert file_digest(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
