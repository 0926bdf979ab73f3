"""Clips whose frames are picture files: a folder of numbered frames, a folder of such folders, or a pattern.

`frame_names.py` says which pictures make a clip. Where numbers are missing no window crosses the gap, as it crosses no
cut; this and what is left out is told. Frames of several sizes are brought to the smallest of the commonest aspect, as
videos are. `class_folders.py` says what sub-folders are. The pictures say nothing of
time; `fps` does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from untaught.config import Count, Positive, configuration
from untaught.data.channels import to_channels
from untaught.data.classes.class_folders import arranged
from untaught.data.origin import Origin
from untaught.data.part import Frames, Part, WholeFrames
from untaught.data.reading.clips.excerpt import Excerpt, excerpt
from untaught.data.reading.clips.frame_names import Numbered, first_named, matching, numbered, root_of
from untaught.data.reading.cuts import find_cuts
from untaught.data.reading.folder import IMAGES, attempt, files_of, refuse
from untaught.data.reading.images import ImageFiles
from untaught.data.reading.picture import decode, upright_size
from untaught.data.reading.video import commonest_size, reduced_size
from untaught.data.source import Source
from untaught.data.spec import Reading
from untaught.data.telling import counted
from untaught.errors import ConfigError, DataError


@configuration
class Options:
    """How numbered frames are read."""

    grey: bool = False
    """Take the luminance of coloured pictures."""
    every: Count = 1
    """Take every n-th frame only."""
    from_: Annotated[str | None, Field(alias="from")] = None
    """Begin at this moment of each clip: the position of a frame, from 0, or with `fps` a time."""
    to: str | None = None
    """End before this moment."""
    fps: Positive | None = None
    """Frames a second."""
    cuts: bool = True
    """Find cuts, so that no window of frames crosses one, nor a gap between numbers."""


@dataclass(frozen=True)
class _Clip:
    """The frames of one clip that are read."""

    whole: Numbered
    chosen: tuple[int, ...]
    """Their positions among all of the clip."""

    @property
    def files(self) -> list[Path]:
        return [self.whole.files[place] for place in self.chosen]

    @property
    def gaps(self) -> list[int]:
        """Positions of chosen frames before which numbers are missing."""
        before = np.array([0, *self.chosen[:-1]])
        gaps = np.array(self.whole.gaps)
        return [
            place
            for place in range(1, len(self.chosen))
            if ((gaps > before[place]) & (gaps <= self.chosen[place])).any()
        ]


def open_path(path: Path, options: Options, reading: Reading) -> Source:
    """Open numbered pictures as video; the path is a folder or a pattern.

    Raises:
        ConfigError: A moment is a time, and nothing says how many frames there are in a second.
        DataError: A picture is broken, no picture has a number, or no clip has a frame of what is asked for.
    """
    asked = excerpt(options.from_, options.to, options.every)
    if asked.timed and options.fps is None:
        raise ConfigError(f"{asked}: numbered pictures say nothing of time; give ?fps=25 too, or numbers of frames")
    pattern = not path.exists()
    root = root_of(path) if pattern else path
    files = [file for file in (matching(path) if pattern else files_of(path, IMAGES)) if file.suffix.lower() in IMAGES]
    clips, others = numbered(files)
    if not clips:
        raise DataError(f"no picture of {path} has a number in its name, by which frames are put in order")
    return _opened(path, root, clips, others, asked, options, reading)


def _opened(
    path: Path,
    root: Path,
    clips: Sequence[Numbered],
    others: Sequence[Path],
    asked: Excerpt,
    options: Options,
    reading: Reading,
    skipped: Sequence[Path] = (),
) -> Source:
    """Open clips; where a picture turns out to be broken and may be left out, once more without it."""
    found = [file for clip in clips for file in clip.files]
    sizes, broken = attempt(upright_size, found)
    clips = [_without(clip, broken) for clip in clips]
    refuse(path, broken, len(found), reading)
    every = [_Clip(clip, _places(clip, asked, options.fps)) for clip in clips]
    chosen = [clip for clip in every if clip.chosen]
    if not chosen:
        raise DataError(f"{path} has no frame {asked}; its longest clip has {max(len(clip.files) for clip in clips)}")
    size = reading.size or reduced_size(commonest_size(list(sizes.values())))
    frames, more = _frames([file for clip in chosen for file in clip.files], size, options.grey, reading.memory)
    left_out = [*skipped, *broken, *more]
    if more:
        refuse(path, more, len(found), reading)
        clips = [_without(clip, more) for clip in clips]
        return _opened(path, root, clips, others, asked, options, reading, left_out)
    part, notes = _part(chosen, frames, options), _notes(clips, others, every, asked)
    brought = None if reading.size or set(sizes.values()) == {size} else size
    source = Source(str(path), part, skipped=tuple(map(str, left_out)), chosen_size=brought, notes=notes)
    return _arranged(source, root, [clip.whole.name for clip in chosen])


def _without(clip: Numbered, broken: Collection[Path]) -> Numbered:
    """A clip without its broken pictures, which leave gaps."""
    kept = [(file, number) for file, number in zip(clip.files, clip.numbers, strict=True) if file not in broken]
    return replace(clip, files=tuple(file for file, _ in kept), numbers=tuple(number for _, number in kept))


def _places(clip: Numbered, asked: Excerpt, fps: float | None) -> tuple[int, ...]:
    return tuple(asked.of(_moments(clip, fps) if fps else np.arange(len(clip.files), dtype=np.float64)))


def _moments(clip: Numbered, fps: float) -> NDArray[np.float64]:
    """When each picture is shown, in seconds; missing numbers take their time."""
    return (np.array(clip.numbers) - clip.numbers[0]) / (clip.step * fps)


def _part(clips: Sequence[_Clip], frames: Frames, options: Options) -> Part:
    """The frames of all clips as a part."""
    length = torch.tensor([len(clip.chosen) for clip in clips])
    part = replace(Part.over(frames, length), origin=_origin(clips, options.fps))
    if not options.cuts:
        return part
    first = part.first.tolist()
    gaps = [begin + place for begin, clip in zip(first, clips, strict=True) for place in clip.gaps]
    cuts = torch.cat([find_cuts(frames, first, length.tolist()), torch.tensor(gaps, dtype=torch.int64)])
    return replace(part, cuts=cuts.unique(), gaps=len(gaps))


def _arranged(source: Source, root: Path, clips: Sequence[Path]) -> Source:
    """The source with the parts and the classes that the folders of its clips show."""
    if root in clips:
        return source
    folders, part = arranged(root, clips), source.train
    if folders.label is not None:
        part = replace(part, label=folders.label.repeat_interleave(part.length))
    return folders.source(replace(source, train=part))


def _frames(
    files: Sequence[Path], size: tuple[int, int], grey: bool, memory: int
) -> tuple[Frames, dict[Path, DataError]]:
    """All pictures, in memory where they fit into it, else decoded when they are read; and what is wrong with some."""
    pages = {file: [0] for file in files}
    on_disk = ImageFiles(pages, (1 if grey else 3, *size))
    store = torch.empty(on_disk.count, *on_disk.shape, dtype=torch.uint8) if on_disk.nbytes <= memory else None
    place = {file: number for number, file in enumerate(files)}

    def one(file: Path) -> bool:
        picture = decode(file, size)
        if store is not None:
            store[place[file]] = to_channels(picture, on_disk.shape[0])
        return len(picture) == 3

    coloured, broken = attempt(one, files)
    channels = 3 if any(coloured.values()) and not grey else 1
    if store is None:
        return ImageFiles(pages, (channels, *size)), broken
    return WholeFrames(store[:, :channels].contiguous()), broken


def _origin(clips: Sequence[_Clip], fps: float | None) -> Origin:
    """The file of each frame, and with a rate when it is shown."""
    files = tuple(str(file) for clip in clips for file in clip.files)
    if fps is None:
        return Origin(files, range(len(files)))
    seconds = [float(moment) for clip in clips for moment in _moments(clip.whole, fps)[list(clip.chosen)]]
    return Origin(files, range(len(files)), seconds, [number for clip in clips for number in range(len(clip.chosen))])


def _notes(
    clips: Sequence[Numbered], others: Sequence[Path], chosen: Sequence[_Clip], asked: Excerpt
) -> tuple[str, ...]:
    """What is told: gaps, numbers without leading zeros, numbers that stand twice, and what is left out."""
    told: list[str] = []
    gaps = [clip.files[place - 1] for clip in clips for place in clip.gaps]
    if gaps:
        missing = sum(clip.missing for clip in clips)
        told.append(
            f"{counted(missing, 'number of a frame is', 'numbers of frames are')} missing, after {first_named(gaps)}; "
            "no window crosses a gap, unless ?cuts=false says so"
        )
    if any(clip.unpadded for clip in clips):
        told.append("frames are in the order of their numbers, which have no leading zeros")
    doubles = [clip.files[place] for clip in clips for place in clip.doubles]
    if doubles:
        told.append(f"{counted(len(doubles), 'number stands', 'numbers stand')} twice: {first_named(doubles)}")
    if others:
        told.append(
            f"{counted(len(others), 'picture is', 'pictures are')} in no clip and left out: {first_named(others)}"
        )
    empty = [clip.whole.name for clip in chosen if not clip.chosen]
    if empty:
        told.append(f"{len(empty)} of {len(chosen)} clips have no frame {asked}: {first_named(empty)}")
    return tuple(told)
