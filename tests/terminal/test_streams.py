"""Commands whose output is closed, full, of another encoding or too narrow."""

from __future__ import annotations

import io
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from untaught.cli import main
from untaught.cli.terminal import columns as narrow
from untaught.cli.terminal.columns import wide_enough
from untaught.legible import legible, one_line

TRAIN = ("train", "softmax", "--data", "digits", "--epochs", "1", "--threads", "1", "--device", "cpu", "--out", "run")


def run(
    words: tuple[str, ...] | list[str], shell: str = "", place: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a shell that closes or redirects its streams."""
    quoted = " ".join(f"'{word}'" for word in (sys.executable, "-m", "untaught", *words))
    held = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2])]),
        **environment,
    }
    limited = lambda: resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, 8 * 2**30))  # noqa: E731
    return subprocess.run(
        ["sh", "-c", f"{quoted} {shell}"], cwd=place, env=held, capture_output=True, timeout=60, preexec_fn=limited
    )


@pytest.mark.parametrize("columns", [0, 1, 5, 23, 39, 40, 200])
def test_the_width_of_tables(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    with wide_enough():
        found = int(os.environ["COLUMNS"])
    assert found == {0: narrow.USUAL}.get(columns, max(columns, narrow.NARROWEST))
    assert os.environ["COLUMNS"] == str(columns)


@pytest.mark.parametrize("columns", ["", "-5", "five", "5.5", "99999999999", "٥"])
def test_columns_that_are_no_number(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    with wide_enough():
        assert int(os.environ["COLUMNS"]) == narrow.USUAL


def test_a_terminal_that_is_narrow_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(narrow.shutil, "get_terminal_size", lambda: os.terminal_size((7, 20)))
    with wide_enough():
        assert os.environ["COLUMNS"] == str(narrow.NARROWEST)
    assert "COLUMNS" not in os.environ


def test_help_in_five_columns_ends(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "5")
    assert main(["encode", "--help"]) == 0
    told = capsys.readouterr().out
    assert "--data" in told and len(told) < 20_000


@pytest.mark.slow
@pytest.mark.parametrize("command", ["train rbm", "evaluate", "predict", "compare", "tables", "unusual", "data"])
@pytest.mark.parametrize("columns", ["1", "2", "12"])
def test_every_help_in_few_columns_ends(command: str, columns: str) -> None:
    assert run([*command.split(), "--help"], COLUMNS=columns).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "shell",
    [">&-", "2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-", "2>/dev/full", "2>&1 >out.txt | head -c 5", ">/dev/null 2>&-"],
)
def test_a_training_ends_well_whatever_is_closed(shell: str, tmp_path: Path) -> None:
    done = run(TRAIN, f"{shell}; echo status $? >status.txt", tmp_path)
    assert b"Traceback" not in done.stderr + done.stdout
    assert (tmp_path / "run" / "report.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "status.txt").read_text().strip() == "status 0"


@pytest.mark.slow
@pytest.mark.parametrize("shell", [">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_a_command_ends_well_whatever_is_closed(shell: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.eye(12, dtype=np.float32))
    done = run(["data", "x.npy"], shell, tmp_path)
    assert done.returncode == 0 and b"Traceback" not in done.stderr
    assert (b"vectors" in done.stdout) == (">&-" not in shell.replace("2>&-", ""))


@pytest.mark.slow
def test_a_refusal_keeps_its_status_without_standard_error(tmp_path: Path) -> None:
    for shell in ("2>&-", "2>/dev/full", ">&- 2>&-"):
        done = run(["data", "nowhere"], shell, tmp_path)
        assert done.returncode == 2 and not done.stdout


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Streams that Python does not have, and one whose disk is full; each is afterwards as it was."""
    np.save(tmp_path / "x.npy", np.eye(12, dtype=np.float32))
    with open("/dev/full", "w", buffering=1) as full:
        for out, error in ((None, None), (io.StringIO(), full), (None, io.StringIO())):
            monkeypatch.setattr(sys, "stdout", out)
            monkeypatch.setattr(sys, "stderr", error)
            assert main(["data", str(tmp_path / "x.npy")]) == 0
            assert main(["data", str(tmp_path / "y.npy")]) == 2
            assert sys.stdout is out and sys.stderr is error
        monkeypatch.undo()


def test_another_encoding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    np.save(tmp_path / "Жизнь.npy", np.eye(12, dtype=np.float32))
    for encoding in ("latin-1", "ascii", "utf-8"):
        out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", out)
        assert main(["data", str(tmp_path / "Жизнь.npy")]) == 0
        out.flush()
        told = out.buffer.getvalue().decode(encoding)
        assert ("Жизнь" if encoding == "utf-8" else r"\u0416\u0438") in told
        assert out.errors == "strict"


def test_text_that_can_be_shown() -> None:
    assert legible("Ж é\n\t") == "Ж é\n\t"
    assert legible(os.fsdecode(b"caf\xe9 \xff")) == r"caf\xe9 \xff"
    assert one_line("a\nb\r\x1b[31m\u202e\ud83d") == r"a\nb\x0d\x1b[31m\u202e\ud83d"
    legible("".join(map(chr, range(0x11000)))).encode("utf-8")


def test_a_file_is_told_without_what_its_name_would_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("faces.npy", np.zeros((12, 8, 8), np.float32))
    assert main(["data", "faces.npy", "--out", "\x1b[31mred.png"]) == 0
    assert capsys.readouterr().out.endswith("\n\\x1b[31mred.png\n")


NAMES = {
    "latin": b"caf\xe9",
    "cyrillic": "Жизнь".encode(),
    "emoji": "🐈".encode(),
    "quotes": b"a'<b>&\"",
    "escape": b"\x1b[31mred",
    "line": b"two\nlines",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "encoding"), [*((name, "utf-8") for name in NAMES), ("cyrillic", "latin-1"), ("latin", "ascii")]
)
def test_any_name_through_every_command(name: str, encoding: str, tmp_path: Path) -> None:
    _save_pictures(tmp_path, NAMES[name])
    text = os.fsdecode(NAMES[name])
    words = [
        "--epochs",
        "1",
        "--threads",
        "1",
        "--device",
        "cpu",
        "--latent",
        "2",
        "--hidden",
        "4",
        "--out",
        f"{text} run",
    ]
    commands = [
        ["data", text, "--out", f"{text}.png"],
        ["train", "autoencoder", "--data", text, *words],
        ["evaluate", f"{text} run"],
        ["encode", f"{text} run", "--out", f"{text}.npz"],
        *(["unusual", f"{text} run", "--out", f"{text}.{ending}"] for ending in ("csv", "png", "json", "npz")),
        ["data", f"{text} missing"],
    ]
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "untaught", *command],
            cwd=tmp_path,
            env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            timeout=120,
        )
        assert done.returncode == (2 if command[1].endswith("missing") else 0), done.stderr.decode(errors="replace")
        done.stdout.decode(encoding), done.stderr.decode(encoding)
        assert b"\x1b[31m" not in done.stdout + done.stderr
    page = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), NAMES[name] + b" run", b"report.html")))
    assert page.read_text("utf-8").startswith("<!doctype html>")


def _save_pictures(place: Path, name: bytes) -> None:
    """Two classes of nine pictures, all called by a name."""
    folder = os.path.join(os.fsencode(place), name)
    for label in (b"one", b"two"):
        os.makedirs(os.path.join(folder, name + label))
        for number in range(9):
            pixels = np.random.default_rng(number).integers(0, 255, (8, 8), np.uint8)
            file = os.path.join(folder, name + label, name + b"%d.png" % number)
            Image.fromarray(pixels).save(os.fsdecode(file))
