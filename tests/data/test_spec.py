"""What a spec says."""

from pathlib import Path

import pytest

from untaught.data.spec import Reading, Spec, parse, size_of, size_text, take_common
from untaught.errors import ConfigError, DataError

NAMES = ("balls", "digits", "mnist")


def test_a_name_may_have_a_path_and_options(tmp_path: Path) -> None:
    assert parse("balls", NAMES) == Spec("balls", None)
    assert parse("balls?clips=3&seed=2", NAMES) == Spec("balls", None, {"clips": "3", "seed": "2"})
    assert parse(f"mnist:{tmp_path}", NAMES) == Spec("mnist", tmp_path)
    assert parse(f"mnist:{tmp_path}?size=32", NAMES) == Spec("mnist", tmp_path, {"size": "32"})


def test_a_path_may_have_options(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.touch()
    assert parse(str(clip), NAMES) == Spec(None, clip)
    assert parse(f"{clip}?every=2", NAMES) == Spec(None, clip, {"every": "2"})


def test_a_name_wins_over_a_file_and_a_path_object_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert parse("digits", NAMES).name == "digits"
    assert parse("./digits", NAMES) == parse(Path("digits"), NAMES) == Spec(None, tmp_path / "digits")


def test_question_marks_and_colons_in_paths(tmp_path: Path) -> None:
    odd = tmp_path / "what?a=b:c"
    odd.mkdir()
    assert parse(str(odd), NAMES) == Spec(None, odd)
    assert parse(f"{odd}?grey=1", NAMES) == Spec(None, odd, {"grey": "1"})


@pytest.mark.parametrize("options", [{}, {"seed": "1"}, {"size": "48x64", "name": "a&b=c d/e%"}])
def test_text_is_parsed_back(options: dict[str, str], tmp_path: Path) -> None:
    for spec in (Spec("balls", None, options), Spec("mnist", tmp_path, options), Spec(None, tmp_path, options)):
        assert parse(spec.text, NAMES) == spec


@pytest.mark.parametrize(
    ("text", "hint"),
    [("ball", "did you mean 'balls'?"), ("minst:/nowhere", "did you mean 'mnist'?"), ("zebra", "balls, digits, mnist")],
)
def test_a_misspelt_name_is_answered_with_the_nearest(text: str, hint: str) -> None:
    with pytest.raises(DataError) as caught:
        parse(text, NAMES)
    assert str(caught.value).splitlines()[0] == f"no such file or folder: {text}"
    assert hint in str(caught.value).splitlines()[1]


def test_a_misspelt_path_is_answered_with_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "holiday.mp4").touch()
    with pytest.raises(DataError, match="did you mean '.*/holiday.mp4'"):
        parse(str(tmp_path / "holday.mp4"), NAMES)


def test_a_missing_folder_behind_a_name() -> None:
    with pytest.raises(DataError, match="no such file or folder: /nowhere/at/all"):
        parse("mnist:/nowhere/at/all", NAMES)


@pytest.mark.parametrize("text", ["balls?clips", "balls?=3&", "balls?clips=3&&seed=1"])
def test_options_without_values_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="key=value"):
        parse(text, NAMES)


@pytest.mark.parametrize(
    ("given", "size"), [(64, (64, 64)), ("64", (64, 64)), ("48x64", (48, 64)), ((48, 64), (48, 64)), (None, None)]
)
def test_sizes(given: str | int | tuple[int, int] | None, size: tuple[int, int] | None) -> None:
    assert size_of(given) == size
    if size is not None:
        assert size_of(size_text(size)) == size


@pytest.mark.parametrize("given", ["0", "-3", "abc", "1x2x3", "", "3.5", 0, (4, 0), (-1, 4)])
def test_what_is_no_size_is_named(given: str | int | tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="48x64"):
        size_of(given)


def test_common_options_are_taken_out_and_the_caller_wins() -> None:
    rest, reading = take_common({"size": "8", "on_bad": "skip", "every": "2"}, Reading())
    assert rest == {"every": "2"} and reading.size == (8, 8) and reading.on_bad == "skip"
    assert take_common({"size": "8"}, Reading(size=(9, 9)))[1].size == (9, 9)
    assert take_common({"on_bad": "stop"}, Reading(on_bad="skip"))[1].on_bad == "skip"
    with pytest.raises(ConfigError, match="'stop' or 'skip'"):
        take_common({"on_bad": "ignore"}, Reading())
