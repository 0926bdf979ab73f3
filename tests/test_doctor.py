"""`untaught doctor`: what it finds on a good machine, and each trap that it knows."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from untaught import cli
from untaught.cli import doctor


def test_a_good_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.split()[0] in ("ok", "warn") for line in lines)
    assert any("torch 2." in line for line in lines) and any("--precision auto takes" in line for line in lines)


@pytest.mark.parametrize("name", ["torchvision", "torchcodec"])
def test_a_package_that_cannot_be_imported(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{name}.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = [finding for finding in doctor.imports_that_break() if finding.text.startswith(name)]
    assert [finding.level for finding in found] == ["warn"]
    assert "nms does not exist" in found[0].text and f"pip uninstall {name}" in found[0].text


def test_a_package_that_can_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torchcodec.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = [finding for finding in doctor.imports_that_break() if finding.text.startswith("torchcodec")]
    assert [finding.level for finding in found] == ["ok"]


def test_builds_of_torch() -> None:
    def level(cuda: str | None, usable: bool, driver: bool) -> str:
        return next(doctor.build_fits(cuda, usable, driver)).level

    assert level(None, usable=False, driver=True) == "warn"
    assert level("13.0", usable=False, driver=True) == "warn"
    assert level("13.0", usable=True, driver=True) == "ok"
    assert level(None, usable=False, driver=False) == "ok"


def test_missing_and_old_dependencies_break_and_warn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = ["no-such-package-of-ours>=1", "numpy>=9999.1", "torch>=2.0", "pandas>=2; extra == 'dev'"]
    monkeypatch.setattr(doctor, "requires", lambda name: wanted)
    assert [finding.level for finding in doctor.dependencies()] == ["broken", "warn", "ok"]
    assert cli.main(["doctor"]) == 1
    assert "pip install 'no-such-package-of-ours>=1'" in capsys.readouterr().out


def test_little_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=10**8))
    assert [finding.level for finding in doctor.disk()] == ["warn"]


def test_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert [finding.level for finding in doctor.cache()] == ["warn"]
