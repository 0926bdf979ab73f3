"""Opening: the folder is the registry, options are checked, a source's spec opens it again."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import untaught
from untaught.config import fields
from untaught.data.part import Part
from untaught.data.reading.arrays import from_array
from untaught.data.source import Source, named_set, open_data, source_descriptions, source_names
from untaught.errors import ConfigError, DataError, InputError


def same(one: Part, other: Part) -> bool:
    every = torch.arange(one.frames.count)
    return torch.equal(one.frames.read(every), other.frames.read(every)) and torch.equal(one.label, other.label)


def test_names_are_the_files_that_define_load() -> None:
    folder = Path(untaught.__file__).parent / "data/sets"
    files = {path.stem.replace("_", "-") for path in folder.glob("*.py") if "\ndef load(" in path.read_text()}
    assert set(source_names()) == files
    assert {"balls", "moving-digits", "digits", "mnist", "fashion", "cifar10"} <= files


@pytest.mark.parametrize("name", source_names())
def test_every_set_has_a_description_and_documented_options(name: str) -> None:
    description = source_descriptions()[name]
    assert description.endswith(".") and len(description) <= 120
    for field in fields(named_set(name).Options):
        assert field.text, f"{field.name} of {name} is not described"


def test_a_new_file_is_a_new_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "toy_stripes.py").write_text(
        '"""Stripes: made up."""\n'
        "import torch\nfrom untaught.config import configuration\nfrom untaught.data.part import Part\n"
        "from untaught.data.source import Source\n"
        '@configuration\nclass Options:\n    count: int = 3\n    """How many."""\n'
        'def load(path, options):\n    return Source("", Part.of(torch.zeros(options.count, 1, 4, 4)))\n'
    )
    monkeypatch.setattr("untaught.data.sets.__path__", [*untaught.data.sets.__path__, str(tmp_path)])
    assert "toy-stripes" in source_names()
    assert len(open_data("toy-stripes?count=5").train) == 5
    assert source_descriptions()["toy-stripes"] == "Stripes: made up."


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("balls?clip=3", "unknown field 'clip' in balls; did you mean 'clips'"),
        ("balls?clips=0", "clips in balls = '0': input should be greater than or equal to 1"),
        ("balls?balls=7", "balls in balls = '7': input should be less than or equal to 6"),
        ("balls?frames=many", "frames in balls = 'many': input should be a valid integer"),
        ("digits?grey=1", "unknown field 'grey' in digits"),
        ("moving-digits?digits=roman", "digits in moving-digits = 'roman'"),
        ("moving-digits?size=28", "size in moving-digits = '28': input should be greater than 28"),
    ],
)
def test_options_are_checked(spec: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_data(spec)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["balls", "digits"])
def test_a_set_without_files_takes_no_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="take no path"):
        open_data(f"{name}:{tmp_path}")


def test_the_spec_of_a_source_opens_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    for number in range(4):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    monkeypatch.chdir(tmp_path)
    opened = [
        open_data("balls?clips=2&validation=1&test=1&frames=5", size=12),
        open_data("digits", size=(6, 4)),
        open_data(".", size=8, on_bad="skip"),
        open_data(".?grey=1&on_bad=skip"),
    ]
    monkeypatch.chdir("/")
    for source in opened:
        again = open_data(source.spec)
        assert again.spec == source.spec and again.shape == source.shape and same(again.train, source.train)
        assert again.skipped == source.skipped


def test_a_set_that_draws_draws_at_the_size_asked_for() -> None:
    drawn = open_data("balls?clips=2&validation=1&test=1&frames=3", size=60)
    assert drawn.shape == (1, 60, 60) and same(drawn.train, open_data(drawn.spec).train)
    assert drawn.spec == "balls?clips=2&validation=1&test=1&frames=3&size=60"


@pytest.mark.slow
def test_another_set_is_resized_in_all_parts(shared_data: Path) -> None:
    source = open_data(f"cifar10:{shared_data / 'cifar10'}", size=16)
    assert source.test is not None
    assert source.shape == source.test.shape == (3, 16, 16)


def test_vectors_cannot_be_resized(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((5, 7), np.float32))
    with pytest.raises(DataError, match="vectors of 7"):
        open_data(tmp_path / "x.npy", size=8)


def test_what_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "x.npy", np.zeros((5, 7), np.float32))
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(DataError, match=r"cannot read .*x\.npy: permission denied"):
        open_data(tmp_path / "x.npy")


@pytest.mark.parametrize("name", ["notes.txt", "archive.zip", "README"])
def test_an_unknown_kind_of_file_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("hello")
    with pytest.raises(DataError, match=f"{name} is no picture, video or array"):
        open_data(tmp_path / name)


def test_errors_have_at_most_three_lines(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "text.npy").write_text("no array")
    (tmp_path / "text.png").write_text("no picture")
    for spec in ("empty", "text.mp4", "text.npy", "text.png", "nothing.at.all"):
        with pytest.raises(InputError) as caught:
            open_data(tmp_path / spec if spec != "nothing.at.all" else spec)
        assert len(str(caught.value).splitlines()) <= 3 and spec in str(caught.value)


def test_all_parts_are_those_that_the_source_brings() -> None:
    part = Part.of(torch.zeros(4, 2))
    assert list(Source("made", part).all_parts()) == ["train"]
    assert list(Source("made", part, test=part).all_parts()) == ["train", "test"]


def test_few_short_clips_leave_every_part_two_frames() -> None:
    parts = from_array(torch.rand(3, 6, 1, 4, 4)).parts()
    assert [part.length.tolist() for part in (parts.train, parts.validation, parts.test)] == [[2] * 3] * 3
    parts = from_array(torch.rand(3, 50, 1, 4, 4)).parts()
    assert [int(part.length[0]) for part in (parts.train, parts.validation, parts.test)] == [36, 4, 10]
    with pytest.raises(DataError, match="at least 6 frames"):
        from_array(torch.rand(3, 5, 1, 4, 4)).parts()
