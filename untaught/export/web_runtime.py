"""onnxruntime-web, which computes ONNX networks in a browser: three files of npm's package, of one version.

They are fetched once, checked by their digests, and kept in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import urllib.request
from pathlib import Path

from untaught.data.reading.download import cache_folder
from untaught.errors import RunError
from untaught.runs.checkpoint import replacing

VERSION = "1.30.0"
URL = f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
ARCHIVE = (
    "ab4cbe26baedba45d2cec05610c71c55fa97db92d19a8b171c5f8269126683ca"
    "590a5cdc57bb2f35ce2b298de32f4d956fb42644c0ecd528a0a91e025c07ca61"
)
"""The sha512 of the package, as npm's registry publishes it."""
SCRIPT, LOADER, MACHINE = "ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"
FILES = {
    SCRIPT: "faece07e84faa9001f5104bbe4e5c70861d06cb2376a0dea1fa0ad33a67adc81",
    LOADER: "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b",
    MACHINE: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
"""Files by name, with the sha256 of each: the programming interface, the loader, the WebAssembly."""
SECONDS = 20.0
"""How long the server may keep silent."""
MOST_BYTES = 64 * 2**20
"""A larger answer is no package of ours."""


def runtime_files(folder: str | None = None) -> dict[str, bytes]:
    """The files' contents by name: from a folder, else from the cache, into which they are fetched.

    Arguments:
        folder: Holds the files, as npm's package does in its `dist`.

    Raises:
        RunError: A file is missing, is not of this version, or cannot be fetched.
    """
    if folder is not None:
        place = Path(folder)
        return _read(next((at for at in (place, place / "dist", place / "package" / "dist") if _has(at)), place))
    cache = cache_folder() / f"onnxruntime-web-{VERSION}"
    try:
        return _read(cache)
    except RunError:
        _fetch(cache)
        return _read(cache)


def _has(folder: Path) -> bool:
    return all((folder / name).is_file() for name in FILES)


def _read(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, checked."""
    found: dict[str, bytes] = {}
    for name, digest in FILES.items():
        try:
            found[name] = (folder / name).read_bytes()
        except OSError as error:
            raise RunError(f"{folder} has no {name} of onnxruntime-web {VERSION}") from error
        if hashlib.sha256(found[name]).hexdigest() != digest:
            raise RunError(f"{folder / name} is not that of onnxruntime-web {VERSION}: its digest differs")
    return found


def _fetch(folder: Path) -> None:
    """Fetch the package and keep its files.

    Raises:
        RunError: It cannot be had, or is another one.
    """
    try:
        with urllib.request.urlopen(URL, timeout=SECONDS) as answer:
            content = answer.read(MOST_BYTES)
    except OSError as error:
        reason = getattr(error, "reason", None) or error
        raise RunError(
            f"cannot fetch {URL}: {reason}\n"
            f"give --runtime DIR with {', '.join(FILES)} of npm's onnxruntime-web {VERSION}"
        ) from error
    if hashlib.sha512(content).hexdigest() != ARCHIVE:
        raise RunError(f"what {URL} sends has another digest than onnxruntime-web {VERSION}; nothing of it was used")
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for name in FILES:
            member = archive.extractfile(f"package/dist/{name}")
            assert member is not None
            with replacing(folder / name) as part:
                part.write_bytes(member.read())
