"""What the explorer refuses: other hosts and origins, paths, large and broken uploads, and runs that were changed."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from small_runs import HERE, PORT, ask, small_run

from untaught.errors import DataError, RunError, UntaughtError
from untaught.explorer.application import application
from untaught.explorer.dropped import BYTES, PIXELS
from untaught.explorer.lanes import WAITING, Busy, Lane
from untaught.runs.run import open_run

FOREIGN = [
    {"host": "evil.example"},
    {"host": f"evil.example:{PORT}"},
    {"host": "127.0.0.1"},
    {"host": f"127.0.0.1:{PORT + 1}"},
    {"host": f"127.0.0.1.evil.example:{PORT}"},
    {"host": ""},
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": f"https://127.0.0.1:{PORT}"},
    {"origin": f"http://127.0.0.1:{PORT + 1}"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
]


def png(width: int, height: int) -> bytes:
    held = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (height, width), dtype=np.uint8)
    Image.fromarray(noise).save(held, "PNG", compress_level=0)
    return held.getvalue()


@pytest.fixture
def app(application_of: Callable[[str], Any]) -> Any:
    return application_of("vae")


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_foreign_hosts_and_origins_are_refused(app: Any, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/api/about"), ("POST", "/api/latent/space")):
        reply = ask(app, method, path, headers=headers)
        assert reply.status == 403 and "alone" in reply.json["error"]


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_its_own_page_is_answered(app: Any, name: str) -> None:
    own = {"host": f"{name}:{PORT}", "origin": f"http://{name}:{PORT}", "sec-fetch-site": "same-origin"}
    assert ask(app, "GET", "/api/about", headers=own).status == 200
    assert ask(app, "GET", "/", headers={"sec-fetch-site": "cross-site"}).status == 200  # a link to it


def test_every_answer_keeps_the_page_to_this_server(app: Any) -> None:
    for path in ("/", "/page/style.css", "/api/about", "/nowhere"):
        headers = ask(app, "GET", path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/page/../wire.py",
        "/page/..%2fwire.py",
        "/page//etc/passwd",
        "/page/%2e%2e/wire.py",
        "/../pyproject.toml",
        "/page/",
    ],
)
def test_no_path_leaves_its_folder(app: Any, path: str) -> None:
    reply = ask(app, "GET", path)
    assert reply.status == 404 and b"import" not in reply.body


@pytest.mark.parametrize("name", ["../config.json", "..%2fconfig.json", "/etc/passwd", "out.png", "", "away.png"])
def test_only_pictures_of_the_run_are_given(tmp_path: Path, name: str) -> None:
    run = small_run(tmp_path, "rbm")
    run.pictures.mkdir()
    (tmp_path / "out.png").write_bytes(png(4, 4))
    (run.pictures / "out.png").symlink_to(tmp_path / "out.png")
    (run.pictures / "away.png").symlink_to(tmp_path)
    (run.pictures / "own.png").write_bytes(png(4, 4))
    app = application(run, PORT)
    assert [one["name"] for one in ask(app, "GET", "/api/training").json["pictures"]] == ["own.png"]
    assert ask(app, "GET", "/api/training/picture?name=own.png").headers["content-type"] == "image/png"
    assert ask(app, "GET", f"/api/training/picture?name={name}").status == 400


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"no picture", "no picture"),
        (png(40, 40)[:200], "broken"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "no picture"),
        (png(5001, 5000)[:2000], "pixels"),
    ],
    ids=["empty", "text", "torn", "head", "vast"],
)
def test_a_bad_picture_is_refused_in_one_line(app: Any, content: bytes, told: str) -> None:
    assert PIXELS < 5001 * 5000
    reply = ask(app, "POST", "/api/examples/picture", content)
    assert reply.status == 400 and told in reply.json["error"] and "\n" not in reply.json["error"]


def test_a_large_upload_is_refused_before_it_is_read(app: Any) -> None:
    told = {"content-length": str(BYTES + 1)}
    assert ask(app, "POST", "/api/examples/picture", b"x", told).status == 413
    assert ask(app, "POST", "/api/examples/picture", bytes(BYTES + 1)).status == 413


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/latent/decode?count=2", bytes(8)),
        ("/api/latent/decode?count=1000000", bytes(8)),
        ("/api/latent/decode", np.array([np.nan, 0], "<f4").tobytes()),
        ("/api/latent/code?example=60", b""),
        ("/api/examples/map?method=nosuch", b""),
        ("/api/examples/group", np.array([-1], "<i4").tobytes()),
        ("/api/examples/group", b""),
        ("/api/layers/look?layer=nosuch", b""),
        ("/api/layers/strongest?layer=mean&unit=9", b""),
        ("/api/draws/draw?count=-1", b""),
    ],
)
def test_bad_requests_are_refused_in_one_line(app: Any, path: str, body: bytes) -> None:
    reply = ask(app, "POST", path, body)
    assert reply.status == 400 and "\n" not in reply.json["error"]


def test_what_a_run_does_not_have_is_not_there(app: Any) -> None:
    for path in ("/api/chains/step", "/api/clips/clip", "/api/nosuch/step", "/api/latent/nosuch"):
        assert ask(app, "POST", path).status == 404
    assert ask(app, "GET", "/api/latent/space").status == ask(app, "PUT", "/").status == 405
    assert ask(app, "GET", "/?" + "x" * 3000).status == 403


def test_a_run_that_was_changed_is_refused(tmp_path: Path) -> None:
    run = small_run(tmp_path, "vae")
    path = next(run.checkpoints.glob("*.safetensors"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.warns(RuntimeWarning, match="torn"), pytest.raises(RunError, match="no whole checkpoint"):
        application(run, PORT)


def test_a_run_without_anything_to_show_is_refused(tmp_path: Path) -> None:
    run = small_run(tmp_path, "vae")
    shutil.rmtree(run.checkpoints)
    assert ask(application(run, PORT), "GET", "/api/about").json["panels"] == {}  # its records can be looked at
    (run.path / "metrics.jsonl").unlink()
    with pytest.raises(RunError, match="nothing to show"):
        application(run, PORT)


def test_a_run_whose_data_are_gone_is_refused(tmp_path: Path) -> None:
    run = small_run(tmp_path, "vae")
    Path(run.settings.data).unlink()
    with pytest.raises((DataError, UntaughtError)):
        application(open_run(run.path), PORT)


def test_only_a_few_requests_wait() -> None:
    import anyio
    from anyio import CapacityLimiter

    refused: list[int] = []

    async def many() -> None:
        lane = Lane(CapacityLimiter(1))
        go = anyio.Event()

        async def one(number: int) -> None:
            try:
                await lane.run(lambda: anyio.from_thread.run(go.wait) or {})
            except Busy:
                refused.append(number)

        async with anyio.create_task_group() as tasks:
            for number in range(2 * WAITING):
                tasks.start_soon(one, number)
            await anyio.sleep(0.01)
            assert lane.waiting == WAITING
            go.set()
        assert lane.waiting == 0

    anyio.run(many)
    assert len(refused) == WAITING


def test_assets_are_in_the_package() -> None:
    names = {entry.name for entry in files("untaught.explorer").joinpath("page").iterdir()}
    assert {"index.html", "style.css", "main.js", "latent.js", "chains.js", "clips.js", "examples.js"} <= names
    assert HERE["host"].startswith("127.0.0.1")
