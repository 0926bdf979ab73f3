"""The documentation as a site: what is rewritten on the way there, and the whole of it, built strictly."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from html import unescape
from pathlib import Path, PurePosixPath
from types import ModuleType

import pytest

from untaught.model import model_names

ROOT = Path(__file__).resolve().parents[1]

for needed in ("mkdocs", "material", "mkdocstrings_handlers.python", "latex2mathml"):
    pytest.importorskip(needed, reason="the site needs the extra `docs`", exc_type=ImportError)


def module(name: str) -> ModuleType:
    """A file of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"docs/{name}.py")
    assert spec is not None and spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


PAGES, DOCSTRINGS = module("site_pages"), module("site_docstrings")


@pytest.mark.parametrize(
    ("place", "uri"),
    [
        ("README.md", "index.md"),
        ("docs/tables", "tables/README.md"),
        ("docs/guides/video.md", "guides/video.md"),
        ("docs/images/demo.png", "images/demo.png"),
        ("examples/autoencoder.ipynb", "examples/autoencoder.md"),
        ("untaught/models/rbm.py", "api/untaught.models.rbm.md"),
        ("untaught/models", "api/untaught.models.md"),
        ("LICENSE", None),
    ],
)
def test_places_of_the_repository_are_pages(place: str, uri: str | None) -> None:
    assert PAGES.in_site(PurePosixPath(place)) == uri


def test_folders_are_the_navigation() -> None:
    uris = ["index.md", "log.md", "guides/video.md", "reference/README.md", "reference/models/a.md", "reference/b.md"]
    uris += ["api/README.md", "api/untaught.md", "api/untaught.nn.md", "api/untaught.nn.noise.md"]
    tabs = {title: pages for tab in PAGES.navigation(sorted(uris)) for title, pages in tab.items()}
    assert tabs["Start"] == "index.md" and tabs["Development"] == ["log.md"]
    assert tabs["Reference"] == ["reference/README.md", "reference/b.md", {"Models": ["reference/models/a.md"]}]
    inside = {"nn": ["api/untaught.nn.md", {"noise": "api/untaught.nn.noise.md"}]}
    assert tabs["Modules"] == ["api/README.md", "api/untaught.md", inside]


def test_equations_become_mathml() -> None:
    html = PAGES.on_page_content(r'<p><span class="arithmatex">\(a &lt; b_1\)</span></p>')
    assert re.fullmatch(r"<p><math[^>]*>.*<msub>.*</math></p>", html) and "&amp;lt;" not in html


def test_docstrings_are_made_ready() -> None:
    text = "A.\n\nshapes   types\nnn       blocks\n\n.. math:: a = b\n\nSize :math:`r`.\n\n"
    text += "References:\n    One.\n    Two.\n"
    ready = DOCSTRINGS.ready(text)
    assert "    shapes   types\n    nn       blocks" in ready
    assert "$$\na = b\n$$" in ready and "Size $r$." in ready
    assert "    One.  \n    Two.  \n" in ready
    assert DOCSTRINGS.ready("Example:\n    >>> 1\n") == "Examples:\n    >>> 1\n"


@pytest.mark.slow
def test_site_is_built_strictly_and_holds_every_page(tmp_path: Path) -> None:
    site = tmp_path / "site"
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(site)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert {path.stem for path in (site / "reference/models").glob("*.html")} == set(model_names())
    pages = {path.relative_to(site): path.read_text() for path in site.rglob("*.html")}
    for path, text in pages.items():
        assert "arithmatex" not in text, f"{path}: an equation is not typeset"
        assert not re.search(r'(?:src|href)="https?://[^"]*\.(?:js|css|woff2?)', text), f"{path} asks another host"
    machine = unescape(pages[Path("reference/models/rbm.html")])
    assert "E(v, h) = A(v) + B(h) - b.v - c.h - v.W.h" in re.sub(r"<[^>]+>", "", machine)
    assert "<math" in pages[Path("guides/classic-systems.html")]
    assert "data:image" in pages[Path("examples/energy.html")] or list((site / "examples").glob("energy-*.png"))
