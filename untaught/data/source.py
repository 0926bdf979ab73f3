"""What `--data` means: a spec or a path becomes a source.

A spec is `NAME[:PATH][?key=value&...]` or a path. A name is a file of this folder that defines `load`; the
directory is the registry. A path is told apart by what is there.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import Tensor

import untaught.data.sets
from untaught.ambient import as_torch_begins
from untaught.config import from_json
from untaught.data.part import Part
from untaught.data.readers.shard_names import shard_files
from untaught.data.reading.clips.frame_names import is_numbered
from untaught.data.reading.folder import IMAGES, files_of, kind_of
from untaught.data.reading.resize import resized
from untaught.data.spec import GIVEN, MEMORY, OnBad, Reading, Spec, parse, size_of, size_text, take_common
from untaught.errors import ConfigError, DataError
from untaught.legible import one_line
from untaught.shapes import Shape


@dataclass(frozen=True)
class Parts:
    """What training reads, what selects the best checkpoint, and what measures are taken on."""

    train: Part
    validation: Part
    test: Part


@dataclass(frozen=True)
class Source:
    """A data set, opened."""

    spec: str
    """What was asked for, in full, so that it can be opened again."""
    train: Part
    validation: Part | None = None
    """The source's own validation part, where it brings one."""
    test: Part | None = None
    """The source's own test part, where it brings one."""
    label_names: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    """Broken files that were left out."""
    notes: tuple[str, ...] = ()
    """What was decided while it was read and what else a user should know of it, a line each."""
    chosen_size: tuple[int, int] | None = None
    """Height and width that pictures of many sizes, or large video, were brought to, where no size was asked for."""
    scale: float | None = None
    """The value of whole numbers that becomes 1, where there are whole numbers."""
    left_out: tuple[str, ...] = ()
    """What lies beside the data and is not read, each with the reason."""
    flow_bound: float | None = None
    """Where channels are pairs of optical flow, the pixels of motion that are 1, to the right and down; 0.5 is none."""
    only_folder: str = ""
    """The sub-folder in which all files lie, where there are no classes: one of a run's classes may have its name."""

    @property
    def name(self) -> str:
        """What it is called in one word: a named set's name, or the file's or folder's.

        Example:
            >>> Source("clips/a walk.mp4?size=64", Part.of(torch.zeros(1, 2))).name
            'a_walk'
        """
        return re.sub(r"\W+", "_", Path(self.spec.removeprefix(GIVEN).partition("?")[0].partition(":")[0]).stem)

    def __post_init__(self) -> None:
        # Classes are named in plots, tables and pages; a folder's name may hold what none of these can.
        object.__setattr__(self, "label_names", tuple(map(one_line, self.label_names)))

    @property
    def shape(self) -> Shape:
        """One example's shape; for video, one frame's."""
        return self.train.shape

    @property
    def is_video(self) -> bool:
        """Whether frames belong to clips."""
        return self.train.is_video

    def parts(self) -> Parts:
        """Split: a fifth is the test part and a tenth of the rest selects, unless the source brings its own.

        Pictures and vectors give every fifth example, so that a folder sorted by class is split evenly; video gives
        the last clips, of each class where they have classes, and where there are fewer than ten, the end of each. What
        selects a checkpoint is never what
        it is measured on. Then every shot of a video becomes a clip of its own, so that no window crosses a cut.
        """
        train, test = (self.train, self.test) if self.test is not None else _cut_off(self.train, 0.2)
        train, validation = (train, self.validation) if self.validation is not None else _cut_off(train, 0.1)
        return Parts(train.shots(), validation.shots(), test.shots())

    def all_parts(self) -> dict[str, Part]:
        """Give the parts that the source brings, by name."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: part for name, part in named.items() if part is not None}


@runtime_checkable
class DataSet(Protocol):
    """What a file of this folder must define to be a named set."""

    Options: type[Any]
    """A configuration: what may stand behind the question mark of a spec."""

    def load(self, path: Path | None, options: Any) -> Source:
        """Open the set; `path` is what stood behind the colon."""
        ...


@runtime_checkable
class FileKind(Protocol):
    """What a file of this folder must define to open paths: `images`, `video` and `arrays` do."""

    Options: type[Any]
    """A configuration: what may stand behind the question mark of a path."""

    def open_path(self, path: Path, options: Any, reading: Reading) -> Source:
        """Open a file or folder that exists."""
        ...


@as_torch_begins()
def open_data(
    spec: Any,
    *,
    size: tuple[int, int] | int | None = None,
    on_bad: OnBad = "stop",
    memory: int = MEMORY,
    scale: float | None = None,
    classes: Sequence[str] = (),
    video: bool = False,
    options: Mapping[str, Any] | None = None,
) -> Source:
    """Open what a spec or a path names, or what a program has: a reader of another library, a frame, a generator.

    Arguments:
        spec: `NAME[:PATH][?key=value&...]` or a path. A `pathlib.Path` is always taken as a path. Or an array, a torch
            `Dataset` or `DataLoader`, a Hugging Face data set, a frame of pandas or polars, a list or generator of
            pictures, a dictionary of these by parts; a source is given back as it is.
        size: Side of a square, or height and width, in pixels, that every picture is brought to: resized to cover
            it, then cut around its centre. A set that draws its own pictures draws them at this size.
        on_bad: What to do with a broken file: stop and name it, or skip and count it.
        memory: Bytes that the decoded source may take in memory; what is larger is read from disk by piece.
        scale: The value of whole numbers that becomes 1 in the data of a run, to whose model these are shown; by
            default these data decide it.
        classes: The classes of that run by name: where one is called -1, so is a label of these data.
        video: Take a folder of numbered pictures as video, unless its options say otherwise, and pictures of a
            list or generator for the frames of one clip.
        options: What else stands behind the question mark of a spec; of a reader `image`, `label`, `clip`, `axes`,
            `scale`, `limit` (`RecordOptions`).

    Raises:
        ConfigError: An option is unknown, misspelt or out of range.
        DataError: The source is missing, or broken.

    Example:
        >>> source = open_data("balls?clips=4&frames=10")
        >>> len(source.train), source.shape, source.is_video
        (4, (1, 30, 30), True)
    """
    if isinstance(spec, Source):
        return spec
    reading = Reading(size_of(size), on_bad, memory, scale, tuple(classes))
    if not isinstance(spec, str | Path):
        # Frames that somebody yields follow one another; examples of a data set need not.
        frames = {"video": True} if video and isinstance(spec, Iterator | list) else {}
        return _open_thing(spec, {**frames, **(options or {})}, reading)
    asked = parse(spec, source_names())
    said = {**asked.options, **{name: str(value) for name, value in (options or {}).items()}}
    options, reading = take_common(said, reading)
    options = _as_video(asked, options) if video else options
    source = (_open_path if asked.name is None else _open_named)(asked, options, reading)
    reading = replace(reading, size=source.chosen_size or reading.size)
    return replace(source, spec=_full(asked, options, reading).text)


def source_names() -> tuple[str, ...]:
    """List the named sets.

    Example:
        >>> "balls" in source_names(), "moving-digits" in source_names(), "video" in source_names()
        (True, True, False)
    """
    modules = pkgutil.iter_modules(untaught.data.sets.__path__)
    return tuple(sorted(_file_name(module.name) for module in modules if _defines_load(module.name)))


def source_descriptions() -> dict[str, str]:
    """Describe every named set by the first line of its file's docstring."""
    return {name: (_module(name).__doc__ or "").partition("\n")[0] for name in source_names()}


def named_set(name: str) -> DataSet:
    """Find a named set's file: its `Options` and its `load`."""
    return cast(DataSet, _module(name))


def _module(name: str) -> Any:
    return importlib.import_module(f"untaught.data.sets.{name.replace('-', '_')}")


def _file_name(module: str) -> str:
    return module.replace("_", "-")


def _defines_load(module: str) -> bool:
    return "load" in vars(importlib.import_module(f"untaught.data.sets.{module}"))


def _open_thing(thing: Any, options: dict[str, Any], reading: Reading) -> Source:
    """Open what a program has."""
    from untaught.data.readers.things import open_thing  # which needs this module

    return open_thing(thing, {**_of_a_run(reading), **options}, reading)


def _open_named(asked: Spec, options: dict[str, str], reading: Reading) -> Source:
    """Open a named set; one that draws its own pictures has a `size` of its own, another's are resized."""
    name = str(asked.name)
    data_set = named_set(name)
    if isinstance(data_set, FileKind):
        return data_set.open_path(cast(Path, asked.path), _read(data_set.Options, options, name, reading), reading)
    draws = "size" in _fields_of(data_set.Options)
    if draws and reading.size is not None:
        options = {**options, "size": size_text(reading.size)}
    source = data_set.load(asked.path, _read(data_set.Options, options, name, reading))
    return source if draws else _resized(source, reading.size)


def _fields_of(options: type[Any]) -> set[str]:
    return {field.name for field in fields(options)}


def _read(options: type[Any], given: Mapping[str, Any], name: str, reading: Reading) -> Any:
    """The options of a source, with what follows from the run that is to see it."""
    held = _of_a_run(reading) if "minus_one" in _fields_of(options) else {}
    return from_json(options, {**held, **given}, name)


def _of_a_run(reading: Reading) -> dict[str, str]:
    """Where a run has a class -1, a label of -1 is that class."""
    return {"minus_one": "class"} if "-1" in reading.classes else {}


def _open_path(asked: Spec, options: dict[str, str], reading: Reading) -> Source:
    """Open a path by what is there: pictures, video, or an array."""
    path = cast(Path, asked.path)
    module, options = _kind(path, options)
    kind = cast(
        FileKind, importlib.import_module(f"untaught.data.{'readers' if module == 'shards' else 'reading'}.{module}")
    )
    try:
        return kind.open_path(path, _read(kind.Options, options, path.name, reading), reading)
    except PermissionError as error:
        raise DataError(f"cannot read {error.filename or path}: permission denied") from error


def _kind(path: Path, options: dict[str, str]) -> tuple[str, dict[str, str]]:
    """The module that opens a path, and the options that are for it.

    Pictures are frames of clips where a pattern names them, or the option `video` says so.
    """
    if shard_files(str(path)) and (not path.is_dir() or kind_of(path) == "shards"):
        return "shards", options
    if not path.exists():  # a pattern
        return "clips.sequences", _without_video(options)
    kind, asked = kind_of(path), str(options.get("video", "false")).lower()
    if "video" not in options or kind == "arrays":
        return kind, options
    if asked not in ("true", "1", "yes", "false", "0", "no"):
        raise ConfigError(f"video = {options['video']!r}: should be true or false")
    wanted = asked in ("true", "1", "yes")
    if kind == "video" and not wanted:
        raise ConfigError(f"video = {asked!r}: {path} is video, and cannot be read as single pictures")
    return "clips.sequences" if wanted and kind == "images" else kind, _without_video(options)


def _without_video(options: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in options.items() if key != "video"}


def _as_video(asked: Spec, options: dict[str, str]) -> dict[str, str]:
    """The options by which a folder of numbered pictures is read as video, where there are none that say otherwise."""
    path = asked.path
    if asked.name is not None or path is None or not path.is_dir() or "video" in options or kind_of(path) != "images":
        return options
    return {**options, "video": "true"} if is_numbered(files_of(path, IMAGES)) else options


def _resized(source: Source, size: tuple[int, int] | None) -> Source:
    if size is None:
        return source
    return replace(source, **{name: resized(part, size) for name, part in source.all_parts().items()})


def _full(asked: Spec, options: dict[str, str], reading: Reading) -> Spec:
    """Put back what the caller passed beside the spec, so that the text alone opens the same again."""
    if reading.size is not None:
        options = {**options, "size": size_text(reading.size)}
    if reading.on_bad == "skip" and asked.name is None:
        options = {**options, "on_bad": "skip"}
    return replace(asked, options=options)


def _cut_off(part: Part, fraction: float) -> tuple[Part, Part]:
    """Cut `fraction` off: the end of each clip where clips are few, the last of each class, or every n-th picture."""
    count = len(part)
    if part.is_video and count < 10:
        shortest = int(part.length.min())
        if shortest < 4:
            raise DataError(
                "clips of so few frames cannot be split into training, validation and test;\n"
                "give clips of at least 6 frames, or 10 clips"
            )
        fraction = max(fraction, 2 / shortest)  # two frames: one is predicted from the other
        return part.time(0, 1 - fraction), part.time(1 - fraction, 1)
    if count < 2:
        return part, part
    number = torch.arange(count)
    if part.is_video:
        held = _last_of_each_class(part.label[part.first], fraction)
    else:
        held = ((number + 1) * fraction).floor() > (number * fraction).floor()
        held[-1] |= not held.any()
    return part.clips(number[~held]), part.clips(number[held])


def _last_of_each_class(label: Tensor, fraction: float) -> Tensor:
    """Which clips are held out: neighbours are often of one recording, and a folder is sorted by class."""
    held = torch.zeros(len(label), dtype=torch.bool)
    for one in label.unique():
        own = (label == one).nonzero()[:, 0]
        held[own[len(own) - round(len(own) * fraction) :]] = True
    held[-1] |= not held.any()
    return held
