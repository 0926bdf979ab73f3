"""Named sets, fetched once into the user's cache folder with a checked digest.

A file in the cache whose digest is wrong is fetched again. Nothing that is downloaded is ever unpickled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import platformdirs

from untaught.errors import DataError

SECONDS = 15.0
"""How long a server may keep silent."""


@dataclass(frozen=True)
class Remote:
    """A file as it was published."""

    name: str
    md5: str
    """Digest of the file as published, 32 hexadecimal digits."""
    mirrors: tuple[str, ...]
    """Folders on the network that hold the file, tried in turn."""


def cache_folder() -> Path:
    """Where downloaded sets are kept: the platform's cache folder for this user."""
    return platformdirs.user_cache_path("untaught")


def fetch(remotes: Sequence[Remote], data_set: str) -> Path:
    """Make sure that the cache holds some files, and give their folder.

    Raises:
        DataError: A file is neither in the cache nor to be had; the message says where to put it.
    """
    folder = cache_folder() / data_set
    for remote in remotes:
        problem = _fetch(remote, folder)
        if problem:
            raise DataError(
                f"cannot download {remote.name}: {problem}\n"
                f"put {', '.join(each.name for each in remotes)}\n"
                f"into {folder}, or into any DIR and give --data {data_set}:DIR"
            )
    return folder


def _fetch(remote: Remote, folder: Path) -> str:
    """Fetch one file unless it is there; gives what went wrong with the last mirror, or nothing."""
    import pooch  # it takes a tenth of a second to import, and most sources need no network

    pooch.get_logger().setLevel("WARNING")  # it would announce every attempt
    problem = "no mirror is known"
    for mirror in remote.mirrors:
        try:
            pooch.retrieve(
                mirror.rstrip("/") + "/" + remote.name,
                f"md5:{remote.md5}",
                remote.name,
                folder,
                downloader=cast(Any, pooch.HTTPDownloader(timeout=SECONDS)),  # its own types disagree
            )
            return ""
        except OSError as error:
            problem = _short(error)
        except ValueError:
            problem = f"what {mirror} sends has another digest than {remote.md5}"
    return problem


def _short(error: OSError) -> str:
    """Say in few words why the network failed; its own messages run over several lines."""
    return error.strerror or type(error).__name__
