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
GUIDES = sorted((ROOT / "docs/guides").glob("*.md"))
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))


def blocks(text: str, language: str) -> list[str]:
    """Fenced blocks of a language; the empty one is the shell's."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def commands() -> list[str]:
    """Every `untaught ...` line in the shell blocks of the hand-written pages."""
    pages = [path for path in PAGES if "reference" not in path.parts]
    lines = [line for path in pages for block in blocks(path.read_text(), "") for line in block.splitlines()]
    return sorted({line.partition("#")[0].strip() for line in lines if line.startswith("untaught ")})


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", re.sub(r"^```.*?^```", "", path.read_text(), flags=re.M | re.S))
    broken = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert not broken


def test_table_of_places_leads_somewhere() -> None:
    page = ROOT / "docs/where-things-are.md"
    rows = re.findall(r"^\| [^|]+ \| \[([^\]]+)\]\(([^)]+)\) \| ([^|]+) \|$", page.read_text(), re.M)
    assert len(rows) >= 10
    for shown, link, find in rows:
        target = page.parent / link
        assert target.exists() and (ROOT / shown).exists(), link
        for word in re.findall(r"`(\w+)`", find):
            assert not target.is_file() or word in target.read_text(), f"{link} has no {word}"


def test_readme_begins_with_a_picture_and_leads_to_every_guide() -> None:
    pictures = re.findall(r"^!\[[^\]]+\]\(([^)]+)\)", README, re.M)
    assert len(pictures) == 1
    assert (ROOT / pictures[0]).stat().st_size > 1000
    assert set(re.findall(r"\]\(docs/guides/([\w-]+)\.md\)", README)) == {path.stem for path in GUIDES}
    assert len(README.splitlines()) < 80


def code_of_pages() -> list[tuple[str, int, str, str]]:
    """Name, number, Python code and the output that is shown below it, of the README and every guide."""
    found = []
    for page in (ROOT / "README.md", *GUIDES):
        pieces = re.findall(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```)?", page.read_text(), re.M | re.S)
        found += [(page.stem, number, code, shown) for number, (code, shown) in enumerate(pieces)]
    return found


SLOW = {("scikit-learn", 0), ("scikit-learn", 1), ("inverting", 0), ("pictures", 0)}
"""Pieces of code that take long."""


@pytest.mark.parametrize(
    ("page", "number", "code", "shown"),
    [pytest.param(*piece, marks=[pytest.mark.slow] * (piece[:2] in SLOW)) for piece in code_of_pages()],
    ids=lambda value: str(value)[:12],
)
def test_code_of_pages_runs(
    page: str, number: int, code: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, f"{page}.md", "exec"), {"__name__": f"{page} {number}"})
    assert re.search(r"\d", out.getvalue()), "the code prints no number"
    if shown:
        assert words(out.getvalue()) == words(shown)
        assert numbers(out.getvalue()) == pytest.approx(numbers(shown), rel=0.05)


NUMBER = r"\d+(?:\.\d+)?"


def words(text: str) -> list[str]:
    """What is printed around numbers."""
    return re.sub(NUMBER, "#", text).split()


def numbers(text: str) -> list[float]:
    """The numbers that are printed."""
    return [float(number) for number in re.findall(NUMBER, text)]


@pytest.mark.parametrize("command", commands())
def test_commands_exist_with_their_flags(command: str) -> None:
    words = command.split()
    assert words[1] in cli.COMMANDS
    skeleton = "contractive"  # the one model in the documentation that is not in the package
    names = [word for word in words[2:3] if words[1] == "train" and word != skeleton]
    assert set(names) <= set(model_names())
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        cli.main([words[1], *(names or (["rbm"] if words[1] == "train" else [])), "--help"])
    flags = {word.partition("=")[0] for word in words if word.startswith("--")}
    known = set(re.findall(r"--[\w.-]+", out.getvalue()))
    assert flags <= known, f"{flags - known} of `{command}` is no flag"


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {name for path in PAGES for name in re.findall(r"(?:^|`)make ([a-z]+)", path.read_text(), re.M)}
    assert named <= targets
    assert {"demo", "test", "check"} <= named


def test_ci_runs_tests_then_checks() -> None:
    lines = (ROOT / ".ci/run").read_text().splitlines()
    assert [line for line in lines if line.startswith("make")] == ["make test", "make check"]
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_decisions_are_numbered_and_short() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text()
    for number, path in enumerate(DECISIONS, 1):
        text = path.read_text()
        assert path.name.startswith(f"{number:04}-")
        assert text.startswith(f"# {number:04} ")
        assert len(text.splitlines()) <= 60
        assert path.name in index


def test_layers_are_those_that_are_enforced() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    shown = blocks((ROOT / "docs/architecture.md").read_text(), "")[0].splitlines()
    assert [line.split("  ")[0] for line in shown] == contracts[0]["layers"]


def test_files_that_are_named_exist() -> None:
    pattern = r"`((?:untaught|tests|docs|benchmarks|results)/[\w./-]*)`"
    named = {name for path in PAGES if path.name != "log.md" for name in re.findall(pattern, path.read_text())}
    missing = {name for name in named if not (ROOT / name).exists()}
    # Those that a reader is to write.
    assert missing <= {
        "untaught/models/contractive.py",
        "untaught/models/wasserstein.py",
        "tests/models/test_contractive.py",
        "tests/models/test_NAME.py",
    }


def test_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    for part in ("Version 2.0, January 2004", "9. Accepting Warranty", "END OF TERMS AND CONDITIONS"):
        assert part in text
    assert "Copyright 2026 the untaught contributors" in text


def test_generator_finds_what_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate = _generator()
    monkeypatch.setattr(generate, "REFERENCE", tmp_path / "docs/reference")
    monkeypatch.setattr(generate, "TABLES", tmp_path / "docs/tables")
    monkeypatch.setattr(generate, "pages", lambda: {tmp_path / "docs/reference/a.md": "a\n", tmp_path / "b.md": "b\n"})
    assert len(generate.stale()) == 2
    generate.write()
    assert generate.stale() == []
    (tmp_path / "docs/reference/a.md").write_text("edited by hand\n")
    (tmp_path / "docs/reference/of_a_model_that_is_gone.md").write_text("old\n")
    assert len(generate.stale()) == 2
    generate.write()
    assert generate.stale() == []
    assert not (tmp_path / "docs/reference/of_a_model_that_is_gone.md").exists()


def test_every_model_has_its_page() -> None:
    pages = {path.stem for path in (ROOT / "docs/reference/models").glob("*.md")}
    assert pages == set(model_names())


def test_sections_of_a_docstring_become_headings() -> None:
    module = ModuleType("sample", "A thing.\n\n    y = x  (1)\n\nReferences:\n    One 1999.\n\nDepartures: none.\n")
    shown = _generator().docstring(module)
    assert shown == "A thing.\n\n    y = x  (1)\n\n## References\n\nOne 1999.\n\n## Departures\n\nnone."


def test_bars_in_a_table_are_escaped() -> None:
    assert _generator().table(("a",), [("int | None",)]).splitlines()[-1] == "| int \\| None |"


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
