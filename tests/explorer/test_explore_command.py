"""`untaught explore`: the address, the port, and what it refuses."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from small_runs import small_run

from untaught import cli
from untaught.cli import exploring
from untaught.explorer import serving
from untaught.explorer.serving import HERE, free_socket
from untaught.report.next_steps import next_steps


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Addresses that were listened on, in place of a server."""
    held: list[tuple[str, int]] = []
    monkeypatch.setattr(serving, "serve", lambda app, own: held.append(own.getsockname()))
    return held


def test_it_listens_to_this_machine_and_says_where(
    tmp_path: Path, served: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    run = small_run(tmp_path, "rbm")
    with free_socket(20000) as taken:
        port = taken.getsockname()[1]
        assert cli.main(["explore", str(run.path), "--port", str(port), "--no-open"]) == 0
    told = capsys.readouterr()
    (address,) = served
    assert address[0] == HERE == "127.0.0.1" and address[1] > port
    assert f"http://127.0.0.1:{address[1]}/" in told.out and f"port {port} is taken" in told.err


def test_no_free_port_is_an_error(tmp_path: Path) -> None:
    with free_socket(65535), pytest.raises(Exception, match="no port from 65535 to 65535"):
        free_socket(65535)


@pytest.mark.parametrize("screen", [True, False])
def test_the_browser_is_opened_where_there_is_a_screen(
    tmp_path: Path, served: list[Any], monkeypatch: pytest.MonkeyPatch, screen: bool
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(exploring, "_has_a_screen", lambda: screen)
    monkeypatch.setattr(exploring.webbrowser, "open", opened.append)
    run = small_run(tmp_path, "rbm")
    assert cli.main(["explore", str(run.path)]) == 0
    assert len(opened) == screen == len([one for one in opened if one.startswith("http://127.0.0.1:")])


def test_what_cannot_be_explored_is_refused_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["explore", str(tmp_path / "nothing")]) == 2
    run = small_run(tmp_path, "rbm")
    monkeypatch.setattr(exploring, "find_spec", lambda name: None if name == "starlette" else find_spec(name))
    assert cli.main(["explore", str(run.path)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2 and "is no run" in told[0] and "pip install 'untaught[explorer]'" in told[1]


def test_the_report_names_the_command(tmp_path: Path) -> None:
    run = small_run(tmp_path, "rbm")
    assert f"untaught explore {run.path}" in dict(next_steps(run, cli.COMMANDS))


@pytest.mark.parametrize("place", ["free_socket", "serve"])
def test_an_interrupt_at_any_time_ends_it_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    def interrupted(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(serving, place, interrupted)
    run = small_run(tmp_path, "rbm")
    assert cli.main(["explore", str(run.path), "--no-open"]) == 0
    told = capsys.readouterr()
    assert told.err == "" and ("until Ctrl-C" in told.out) == (place == "serve")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="interrupts are sent as POSIX does")
def test_an_interrupt_ends_it_quietly(tmp_path: Path) -> None:
    run = small_run(tmp_path, "rbm")
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "untaught", "explore", str(run.path), "--port", str(port), "--no-open"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout is not None
    address = server.stdout.readline().split(" is at ")[1].split()[0]
    with urllib.request.urlopen(address, timeout=60) as page:
        assert b"untaught" in page.read()
    server.send_signal(signal.SIGINT)
    _, error = server.communicate(timeout=60)
    assert server.returncode == 0 and error == ""
