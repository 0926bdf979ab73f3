"""Downloads, from a server on this machine: kept, checked, and explained when they fail."""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from untaught.data.reading.download import Remote, cache_folder, fetch
from untaught.errors import DataError

CONTENT = b"a data set"
DIGEST = hashlib.md5(CONTENT).hexdigest()


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that keeps no log."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "set.bin").write_bytes(CONTENT)
    (folder / "other.bin").write_bytes(b"something else")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as http:
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / "untaught"


def test_a_file_is_fetched_once_and_kept(server: str, cache: Path) -> None:
    remote = Remote("set.bin", DIGEST, (server,))
    assert fetch([remote], "toy") == cache / "toy" == cache_folder() / "toy"
    assert (cache / "toy" / "set.bin").read_bytes() == CONTENT
    assert fetch([Remote("set.bin", DIGEST, ("http://127.0.0.1:9/",))], "toy") == cache / "toy"


def test_the_second_mirror_is_tried(server: str, cache: Path) -> None:
    fetch([Remote("set.bin", DIGEST, ("http://127.0.0.1:9/", server + "/"))], "toy")
    assert (cache / "toy" / "set.bin").read_bytes() == CONTENT


def test_a_damaged_file_in_the_cache_is_fetched_again(server: str, cache: Path) -> None:
    (cache / "toy").mkdir(parents=True)
    (cache / "toy" / "set.bin").write_bytes(b"damaged")
    fetch([Remote("set.bin", DIGEST, (server,))], "toy")
    assert (cache / "toy" / "set.bin").read_bytes() == CONTENT


def test_a_wrong_digest_is_refused_and_not_kept(server: str, cache: Path) -> None:
    with pytest.raises(DataError, match="another digest"):
        fetch([Remote("other.bin", DIGEST, (server,))], "toy")
    assert not (cache / "toy" / "other.bin").exists()


@pytest.mark.parametrize("mirror", ["http://127.0.0.1:9/", "", "http://no-such-host.invalid/"])
def test_without_network_the_place_for_the_files_is_said(mirror: str, cache: Path) -> None:
    with pytest.raises(DataError) as caught:
        fetch([Remote("one.bin", DIGEST, (mirror,) if mirror else ()), Remote("two.bin", DIGEST, ())], "toy")
    lines = str(caught.value).splitlines()
    assert len(lines) == 3 and "one.bin" in lines[0] and "one.bin, two.bin" in lines[1]
    assert str(cache / "toy") in lines[2] and "--data toy:DIR" in lines[2]


def test_a_file_that_the_server_does_not_have(server: str) -> None:
    with pytest.raises(DataError, match="cannot download gone.bin"):
        fetch([Remote("gone.bin", DIGEST, (server,))], "toy")
