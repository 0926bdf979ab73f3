"""axe-core, which finds what keeps people from using a page: one script of npm's package, run in a page under test.

It is fetched once, checked by its digest, and kept in the user's cache folder; where it cannot be had, tests that need
it are skipped and say so.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import urllib.request
from functools import cache
from typing import Any

import pytest

from untaught.data.reading.download import cache_folder
from untaught.runs.checkpoint import replacing

VERSION = "4.14.1"
URL = f"https://registry.npmjs.org/axe-core/-/axe-core-{VERSION}.tgz"
ARCHIVE = (
    "1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b73"
    "4f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5"
)
"""The sha512 of the package, as npm's registry publishes it."""
SCRIPT = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
"""The sha256 of `axe.min.js`."""
GRAVE = ("serious", "critical")
RUN = """
async () => (await axe.run(document, { resultTypes: ["violations"], preload: false })).violations
  .map(one => ({ id: one.id, impact: one.impact, help: one.help, where: one.nodes.map(node => node.html) }))
"""


def violations(page: Any) -> list[dict[str, Any]]:
    """Serious and critical violations on a page of Playwright, each with what it is about."""
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(script())  # not by an element, which the page's policy forbids
    return [one for one in page.evaluate(RUN) if one["impact"] in GRAVE]


@cache
def script() -> str:
    """The text of axe-core; skips the test where it is not to be had."""
    path = cache_folder() / f"axe-core-{VERSION}" / "axe.min.js"
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != SCRIPT:
        content = _fetched()
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            part.write_bytes(content)
    return path.read_text(encoding="utf-8")


def _fetched() -> bytes:
    """The script from npm's registry."""
    try:
        with urllib.request.urlopen(URL, timeout=20) as answer:
            packed = answer.read(2**24)
    except OSError as error:
        pytest.skip(f"needs axe-core {VERSION} of npm: {getattr(error, 'reason', None) or error}")
    assert hashlib.sha512(packed).hexdigest() == ARCHIVE, f"{URL} is another package"
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read()
