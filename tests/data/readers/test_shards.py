"""Shards: by name, pattern and folder; the same from our reader and from webdataset's own."""

import json
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from untaught.data.readers.shard_names import shard_files
from untaught.data.source import Source, open_data
from untaught.errors import DataError

EXPECTED = [100, 101, 102, 103, 104, 105]


def png(red: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (6, 8), (red, 9, 99)).save(file, "PNG")
    return file.getvalue()


def write(path: Path, files: list[tuple[str, bytes]], mode: Any = "w") -> Path:
    with tarfile.open(path, mode) as shard:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            shard.addfile(member, BytesIO(content))
    return path


def examples(first: int) -> list[tuple[str, bytes]]:
    """Three examples of a picture, a class, and an object that must not be unpickled."""
    numbers = range(first, first + 3)
    return [
        (f"part/{n:03d}.{field}", content)
        for n in numbers
        for field, content in (("png", png(100 + n)), ("cls", str(n % 2).encode()), ("pyd", b"cos\nsystem\n"))
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shards")
    for number in range(2):
        write(path / f"a-{number:03d}.tar", examples(3 * number))
    return path


def red(source: Source) -> list[int]:
    return source.train.frames.read(torch.arange(source.train.frames.count))[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("memory", [2**30, 100])
@pytest.mark.parametrize("name", ["", "/a-*.tar", "/a-{000..001}.tar"])
def test_a_folder_a_pattern_and_a_range(folder: Path, name: str, memory: int) -> None:
    source = open_data(f"{folder}{name}", memory=memory)
    assert red(source) == EXPECTED and source.train.label.tolist() == [0, 1, 0, 1, 0, 1]
    assert source.train.place_of(4).file == "part/004" and red(open_data(source.spec)) == EXPECTED
    assert (source.train.frames.in_memory is None) == (memory == 100)
    assert red(open_data(f"{folder}{name}?limit=4&size=4")) == EXPECTED[:4]


def test_one_shard_and_a_packed_one(folder: Path, tmp_path: Path) -> None:
    assert red(open_data(folder / "a-001.tar")) == EXPECTED[3:]
    packed = write(tmp_path / "b.tar.gz", examples(0), "w:gz")
    for memory in (2**30, 100):
        source = open_data(packed, memory=memory)
        assert red(source) == EXPECTED[:3] and source.train.label.tolist() == [0, 1, 0]


def test_fields_of_json_text_and_arrays(tmp_path: Path) -> None:
    array = BytesIO()
    np.save(array, np.full((8, 6, 3), 0.5, np.float32))
    about = json.dumps({"kind": "cat", "weight": 4.5}).encode()
    path = write(tmp_path / "c.tar", [("x.npy", array.getvalue()), ("x.json", about), ("x.txt", b"a cat")])
    source = open_data(f"{path}?label=kind")
    assert source.shape == (3, 8, 6) and source.label_names == ("cat",)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([("a.txt", b"hello")], "example 0 of d.tar has no field that is called a picture; there are: txt"),
        ([("a.png", b"hello")], "example 0 of d.tar is no picture that can be decoded"),
        ([("a.png", png(1)[:45])], "example 0 of d.tar is broken"),
        ([("a.npy", b"\x93NUMPY")], "npy of a of d.tar cannot be read: ValueError"),
        ([("a.png", png(1)), ("a.cls", b"x"), ("b.png", png(1)), ("b.cls", b"2")], "text and numbers in turn"),
        ([], "d.tar gives no examples"),
    ],
)
def test_errors_are_in_words(tmp_path: Path, files: list[tuple[str, bytes]], message: str) -> None:
    with pytest.raises(DataError) as caught:
        open_data(write(tmp_path / "d.tar", files))
    assert message in str(caught.value) and len(str(caught.value).split("\n")) <= 3


def test_shards_that_are_missing_or_cut_off(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1 of 3 shards are missing, the first is .*a-002\.tar"):
        open_data(f"{folder}/a-{{000..002}}.tar")
    with pytest.raises(DataError, match="no such file or folder"):
        open_data(f"{folder}/b-*.tar")
    whole = (folder / "a-000.tar").read_bytes()
    for length in (100, 700, 3_000):
        (tmp_path / "cut.tar").write_bytes(whole[:length])
        with pytest.raises(DataError, match="is no tar file, or is cut off"):
            open_data(tmp_path / "cut.tar")


def test_order_is_that_of_names_and_of_ranges(folder: Path) -> None:
    assert [file.name for file in shard_files(f"{folder}/a-{{001..001}}.tar")] == ["a-001.tar"]
    assert [file.name for file in shard_files(str(folder))] == ["a-000.tar", "a-001.tar"]


def test_the_librarys_own_writer_and_reader(tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset", reason="webdataset is not installed")
    with webdataset.ShardWriter(str(tmp_path / "w-%02d.tar"), maxcount=4, verbose=0) as writer:
        for n in range(6):
            writer.write({"__key__": f"{n:03d}", "png": Image.new("RGB", (6, 8), (100 + n, 9, 99)), "cls": n % 2})
    ours = open_data(f"{tmp_path}/w-*.tar")
    plain = webdataset.WebDataset(str(tmp_path / "w-{00..01}.tar"), shardshuffle=False)
    theirs = [plain.decode("pil"), plain.decode("pil").to_tuple("png", "cls")]
    for source in (ours, *map(open_data, theirs)):
        assert red(source) == EXPECTED and source.train.label.tolist() == [0, 1, 0, 1, 0, 1]
