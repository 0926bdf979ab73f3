"""Files of a folder: which kind of source they make, which are left out, and what is done with broken ones.

The order is that of the paths as text, which for numbers with leading zeros is the order of counting. Hidden files
are left out; folders are read in full depth.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, TypeVar

from PIL import Image

from untaught.data.readers.shard_names import is_shard
from untaught.data.spec import Reading, is_pipe
from untaught.errors import DataError

IMAGES = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".jif",
        ".png",
        ".apng",
        ".webp",
        ".bmp",
        ".dib",
        ".gif",
        ".tif",
        ".tiff",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
        ".pfm",
        ".avif",
        ".avifs",
        ".jp2",
        ".j2k",
        ".j2c",
        ".jpf",
        ".jpx",
        ".mpo",
        ".pcx",
        ".psd",
        ".qoi",
        ".sgi",
        ".rgb",
        ".bw",
        ".ras",
        ".tga",
        ".xbm",
    ]
)
VIDEO = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".gif"})
ARRAYS = frozenset({".npy", ".npz"})
DESKTOP = frozenset({"thumbs.db", "desktop.ini"})

T = TypeVar("T")
Kind = Literal["images", "video", "arrays", "shards"]


def kind_of(path: Path) -> Kind:
    """Tell what opens a file or a folder.

    Raises:
        DataError: The ending is none that we know, the folder is empty, or it holds pictures and video together.
    """
    if not os.access(path, os.R_OK):
        raise DataError(f"cannot read {path}: permission denied")
    if path.is_dir():
        return _kind_of_folder(path)
    ending = path.suffix.lower()
    if is_shard(path):
        return "shards"
    if ending in ARRAYS:
        return "arrays"
    if ending in VIDEO and (ending not in IMAGES or _is_animated(path)):
        return "video"
    if ending in IMAGES:
        return "images"
    raise DataError(f"{path} is no picture, video or array that we know by its ending\n{_KNOWN}")


def files_of(path: Path, endings: frozenset[str]) -> list[Path]:
    """List a folder's files of some endings in full depth, sorted by path; a file is a list of one."""
    if not path.is_dir():
        return [path]
    return [file for file in _walk(path) if file.suffix.lower() in endings and not is_pipe(file)]


def left_out_of(folder: Path, files: Sequence[Path]) -> tuple[str, ...]:
    """Files of a folder that are not read, as paths below it; those of the desktop are not worth a word."""
    if not folder.is_dir():
        return ()
    ours = set(files)
    others = (file for file in _walk(folder) if file not in ours and file.name.lower() not in DESKTOP)
    return tuple(str(file.relative_to(folder)) for file in others)


def attempt(
    function: Callable[[Path], T], files: Sequence[Path] | set[Path]
) -> tuple[dict[Path, T], dict[Path, DataError]]:
    """Apply a function to files in threads; gives the results, and what is wrong with the others."""

    def one(file: Path) -> T | DataError:
        try:
            return function(file)
        except DataError as error:
            return error

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        results = dict(zip(files, threads.map(one, files), strict=True))
    good = {file: result for file, result in results.items() if not isinstance(result, DataError)}
    return good, {file: result for file, result in results.items() if isinstance(result, DataError)}


def refuse(path: Path, broken: Mapping[Path, DataError], count: int, reading: Reading) -> None:
    """Stop at broken files, unless they are to be skipped and some files are left."""
    if not broken:
        return
    first = str(next(iter(broken.values())))
    if len(broken) == count:
        raise DataError(first if count == 1 else f"all {count} files of {path} are broken; the first:\n{first}")
    if reading.on_bad == "stop":
        raise DataError(f"{first}\n{len(broken)} of {count} files are broken; --on-bad skip leaves them out")


def _kind_of_folder(folder: Path) -> Kind:
    files = [file for file in _walk(folder) if not is_pipe(file)]
    endings = Counter(file.suffix.lower() for file in files)
    pictures = sum(count for ending, count in endings.items() if ending in IMAGES - VIDEO)
    videos = sum(count for ending, count in endings.items() if ending in VIDEO - IMAGES)
    if pictures and videos:
        raise DataError(f"{folder} holds {pictures} pictures and {videos} videos; give a folder of one kind")
    if videos or (endings[".gif"] and not pictures and _is_animated(_first(files, ".gif"))):
        return "video"
    if pictures or endings[".gif"]:
        return "images"
    if any(is_shard(file) for file in files if file.parent == folder):
        return "shards"
    found = ", ".join(f"{count} {ending or 'without ending'}" for ending, count in endings.most_common(3))
    raise DataError(f"no pictures or videos in {folder} ({found or 'it is empty'})\n{_KNOWN}")


def _walk(folder: Path) -> list[Path]:
    """List all files that are not hidden; folders that are links are followed once."""
    seen: set[str] = set()
    found: list[Path] = []
    for place, folders, files in os.walk(folder, followlinks=True, onerror=_refuse):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        shown = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        folders[:] = sorted(shown, key=lambda name: (Path(place, name).is_symlink(), name))  # what is linked comes last
        found.extend(Path(place, name) for name in files if not name.startswith("."))
    return sorted(found, key=str)


def _refuse(error: OSError) -> None:
    raise DataError(f"cannot read {error.filename}: {error.strerror}") from error


def _first(files: Sequence[Path], ending: str) -> Path:
    return next(file for file in files if file.suffix.lower() == ending)


def _is_animated(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            return bool(getattr(image, "is_animated", False))
    except Exception:  # Pillow's readers raise a dozen kinds for a broken file
        return False


def _listed(endings: frozenset[str]) -> str:
    return " ".join(sorted(endings))


_KNOWN = f"known: {_listed(IMAGES)} | {_listed(VIDEO)} | {_listed(ARRAYS)} | .tar"
