"""What the documentation says is executed, generated or looked up: links, tables, commands, code, freshness."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from untaught import cli
from untaught.model import model_names

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
README = (ROOT / "README.md").read_text()
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))


def blocks(text: str, language: str) -> list[str]:
 The one that a reader is to write."""Fenced blocks of a language; the empty one is the shell's."""
 The one that a reader is to write.return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def commands() -> list[str]:
 The one that a reader is to write."""Every `untaught ...` line in the shell blocks of the hand-written pages."""
 The one that a reader is to write.pages = [path for path in PAGES if "reference" not in path.parts]
 The one that a reader is to write.lines = [line for path in pages for block in blocks(path.read_text(), "") for line in block.splitlines()]
 The one that a reader is to write.return sorted({line.partition("#")[0].strip() for line in lines if line.startswith("untaught ")})


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
 The one that a reader is to write.links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", re.sub(r"^```.*?^```", "", path.read_text(), flags=re.M | re.S))
 The one that a reader is to write.broken = [link for link in links if "://" not in link and not (path.parent / link).exists()]
 The one that a reader is to write.assert not broken


def test_readme_table_leads_somewhere() -> None:
 The one that a reader is to write.rows = re.findall(r"^\| [^|]+ \| \[([^\]]+)\]\(([^)]+)\) \| ([^|]+) \|$", README, re.M)
 The one that a reader is to write.assert len(rows) >= 10
 The one that a reader is to write.for shown, link, find in rows:
 The one that a reader is to write.    target = ROOT / link
 The one that a reader is to write.    assert target.exists() and (ROOT / shown).exists(), link
 The one that a reader is to write.    for word in re.findall(r"`(\w+)`", find):
 The one that a reader is to write.        assert not target.is_file() or word in target.read_text(), f"{link} has no {word}"


def test_readme_shows_a_picture() -> None:
 The one that a reader is to write.pictures = re.findall(r"^!\[[^\]]+\]\(([^)]+)\)", README, re.M)
 The one that a reader is to write.assert len(pictures) == 1
 The one that a reader is to write.assert (ROOT / pictures[0]).stat().st_size > 1000


@pytest.mark.parametrize("number", range(len(blocks(README, "python"))))
def test_readme_code_runs(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
 The one that a reader is to write.monkeypatch.chdir(tmp_path)
 The one that a reader is to write.out = io.StringIO()
 The one that a reader is to write.with contextlib.redirect_stdout(out):
 The one that a reader is to write.    exec(compile(blocks(README, "python")[number], "README.md", "exec"), {"__name__": "readme"})
 The one that a reader is to write.assert re.search(r"\d", out.getvalue()), "the code prints no number"


@pytest.mark.parametrize("command", commands())
def test_commands_exist_with_their_flags(command: str) -> None:
 The one that a reader is to write.words = command.split()
 The one that a reader is to write.assert words[1] in cli.COMMANDS
 The one that a reader is to write.skeleton = "contractive"  # the one model in the documentation that is not in the package
 The one that a reader is to write.names = [word for word in words[2:3] if words[1] == "train" and word != skeleton]
 The one that a reader is to write.assert set(names) <= set(model_names())
 The one that a reader is to write.out = io.StringIO()
 The one that a reader is to write.with contextlib.redirect_stdout(out):
 The one that a reader is to write.    cli.main([words[1], *(names or (["rbm"] if words[1] == "train" else [])), "--help"])
 The one that a reader is to write.flags = {word.partition("=")[0] for word in words if word.startswith("--")}
 The one that a reader is to write.known = set(re.findall(r"--[\w.-]+", out.getvalue()))
 The one that a reader is to write.assert flags <= known, f"{flags - known} of `{command}` is no flag"


def test_make_targets_exist() -> None:
 The one that a reader is to write.targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
 The one that a reader is to write.named = {name for path in PAGES for name in re.findall(r"(?:^|`)make ([a-z]+)", path.read_text(), re.M)}
 The one that a reader is to write.assert named <= targets
 The one that a reader is to write.assert {"demo", "test", "check"} <= named


def test_ci_runs_tests_then_checks() -> None:
 The one that a reader is to write.lines = (ROOT / ".ci/run").read_text().splitlines()
 The one that a reader is to write.assert [line for line in lines if line.startswith("make")] == ["make test", "make check"]
 The one that a reader is to write.assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_decisions_are_numbered_and_short() -> None:
 The one that a reader is to write.index = (ROOT / "docs/decisions/README.md").read_text()
 The one that a reader is to write.for number, path in enumerate(DECISIONS, 1):
 The one that a reader is to write.    text = path.read_text()
 The one that a reader is to write.    assert path.name.startswith(f"{number:04}-")
 The one that a reader is to write.    assert text.startswith(f"# {number:04} ")
 The one that a reader is to write.    assert len(text.splitlines()) <= 60
 The one that a reader is to write.    assert path.name in index


def test_layers_are_those_that_are_enforced() -> None:
 The one that a reader is to write.contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
 The one that a reader is to write.shown = blocks((ROOT / "docs/architecture.md").read_text(), "")[0].splitlines()
 The one that a reader is to write.assert [line.split("  ")[0] for line in shown] == contracts[0]["layers"]


def test_files_that_are_named_exist() -> None:
 The one that a reader is to write.pattern = r"`((?:untaught|tests|docs|benchmarks|results)/[\w./-]*)`"
 The one that a reader is to write.named = {name for path in PAGES if path.name != "log.md" for name in re.findall(pattern, path.read_text())}
 The one that a reader is to write.missing = {name for name in named if not (ROOT / name).exists()}
 The one that a reader is to write.# The one that a reader is to write.
 The one that a reader is to write.assert missing <= {"untaught/models/contractive.py", "tests/models/test_contractive.py"}


def test_licence_is_whole() -> None:
 The one that a reader is to write.text = (ROOT / "LICENSE").read_text()
 The one that a reader is to write.for part in ("Version 2.0, January 2004", "9. Accepting Warranty", "END OF TERMS AND CONDITIONS"):
 The one that a reader is to write.    assert part in text
 The one that a reader is to write.assert "Copyright 2026 the untaught contributors" in text


def test_generator_finds_what_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
 The one that a reader is to write.generate = _generator()
 The one that a reader is to write.monkeypatch.setattr(generate, "REFERENCE", tmp_path / "docs/reference")
 The one that a reader is to write.monkeypatch.setattr(generate, "pages", lambda: {tmp_path / "docs/reference/a.md": "a\n", tmp_path / "b.md": "b\n"})
 The one that a reader is to write.assert len(generate.stale()) == 2
 The one that a reader is to write.generate.write()
 The one that a reader is to write.assert generate.stale() == []
 The one that a reader is to write.(tmp_path / "docs/reference/a.md").write_text("edited by hand\n")
 The one that a reader is to write.(tmp_path / "docs/reference/of_a_model_that_is_gone.md").write_text("old\n")
 The one that a reader is to write.assert len(generate.stale()) == 2
 The one that a reader is to write.generate.write()
 The one that a reader is to write.assert generate.stale() == []
 The one that a reader is to write.assert not (tmp_path / "docs/reference/of_a_model_that_is_gone.md").exists()


def test_every_model_has_its_page() -> None:
 The one that a reader is to write.pages = {path.stem for path in (ROOT / "docs/reference/models").glob("*.md")}
 The one that a reader is to write.assert pages == set(model_names())


def test_sections_of_a_docstring_become_headings() -> None:
 The one that a reader is to write.module = ModuleType("sample", "A thing.\n\n    y = x  (1)\n\nReferences:\n    One 1999.\n\nDepartures: none.\n")
 The one that a reader is to write.shown = _generator().docstring(module)
 The one that a reader is to write.assert shown == "A thing.\n\n    y = x  (1)\n\n## References\n\nOne 1999.\n\n## Departures\n\nnone."


def test_bars_in_a_table_are_escaped() -> None:
 The one that a reader is to write.assert _generator().table(("a",), [("int | None",)]).splitlines()[-1] == "| int \\| None |"


def _generator() -> ModuleType:
 The one that a reader is to write.spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
 The one that a reader is to write.assert spec is not None and spec.loader is not None
 The one that a reader is to write.module = importlib.util.module_from_spec(spec)
 The one that a reader is to write.spec.loader.exec_module(module)
 The one that a reader is to write.return module
