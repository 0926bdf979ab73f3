"""What the site has beside the pages in docs/: the README, the notebooks, a page for each module, the navigation.

MkDocs calls the functions `on_...` (see mkdocs.yml). Nothing is listed by hand: a file in a folder is a page. Links are
written as a code host reads them, by places in the repository; here they become links between pages of the site.
"""

from __future__ import annotations

import ast
import base64
import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

import nbformat
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "untaught"
HOSTED = {"README.md": "index.md", "CHANGELOG.md": "changes.md", "CONTRIBUTING.md": "contributing.md"}
"""Pages at the top of the repository, and where they are in the site."""
MADE = ("examples/", "api/")
"""Folders of the site whose pages are made here."""
LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(\))")
FENCED = re.compile(r"(^```.*?^```$)", re.M | re.S)


# Events of MkDocs, in their order


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/, and the navigation."""
    again = bool(config.extra["execute_notebooks"])
    pages: dict[str, str | bytes] = {site: (ROOT / here).read_text() for here, site in HOSTED.items()}
    pages |= module_pages()
    for script in notebook_generator().SCRIPTS:
        pages |= notebook_pages(script, again)
    for uri, content in pages.items():
        files.append(File.generated(config, uri, content=content))
    config.nav = navigation(sorted(file.src_uri for file in files.documentation_pages()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links to places in the repository into links between pages."""
    here = place(page.file.src_uri)

    def relinked(link: re.Match[str]) -> str:
        opening, path, anchor, closing = link.group(1), link.group(2), link.group(3) or "", link.group(4)
        beside = os.path.normpath(PurePosixPath(page.file.src_uri).parent / path)
        if ":" in path or (page.file.src_uri.startswith(MADE) and beside in files.src_uris):
            return link.group()
        target = PurePosixPath(os.path.normpath(here.parent / path))
        uri = in_site(target)
        if uri is None:
            uri = f"repository/{target}"
            if uri not in files.src_uris and (ROOT / target).is_file():
                files.append(File.generated(config, uri, abs_src_path=str(ROOT / target)))
        return f"{opening}{os.path.relpath(uri, PurePosixPath(page.file.src_uri).parent)}{anchor}{closing}"

    parts = FENCED.split(re.sub(r"\A<!--.*?-->\s*", "", markdown))  # a title is what a page begins with
    parts[::2] = [LINK.sub(relinked, part) for part in parts[::2]]
    return "".join(parts)


def on_page_content(html: str, **_: Any) -> str:
    r"""Typeset `\(...\)` and `\[...\]` as MathML."""
    for kind, opening, closing, display in (("span", r"\(", r"\)", "inline"), ("div", r"\[", r"\]", "block")):
        pattern = rf'<{kind} class="arithmatex">{re.escape(opening)}(.*?){re.escape(closing)}</{kind}>'
        html = re.sub(pattern, lambda found, display=display: typeset(found[1], display), html, flags=re.S)
    return html


# Places


def place(uri: str) -> PurePosixPath:
    """Where in the repository a page of the site comes from."""
    hosted = {site: here for here, site in HOSTED.items()}
    if uri in hosted:
        return PurePosixPath(hosted[uri])
    return PurePosixPath(uri) if uri.startswith(MADE) else PurePosixPath("docs", uri)


def in_site(target: PurePosixPath) -> str | None:
    """The page or picture of the site that a place in the repository is; none where the site has none."""
    if str(target) in HOSTED:
        return HOSTED[str(target)]
    if (ROOT / target / "README.md").exists():
        target = target / "README.md"
    if target.parts[0] == "docs":
        return str(target.relative_to("docs"))
    if target.suffix == ".ipynb":
        return str(target.with_suffix(".md"))
    if target.parts[0] == "untaught" and target.suffix in ("", ".py"):
        return module_uri(module_name(ROOT / target))
    return None


# Modules


def module_pages() -> dict[str, str | bytes]:
    """A page for each module and package, and one that lists them all."""
    names = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "__main__.py"}
    pages: dict[str, str | bytes] = {module_uri(name): f"# {name}\n\n::: {name}\n" for name in names}
    rows = [
        f"| [`{name}`]({name}.md) | {first_sentence(path)} |"
        for name, path in sorted(names.items())
        if not any(part.startswith("_") for part in name.split("."))
    ]
    head = "# Modules\n\nEvery module, with what its file says of itself first.\n\n| module | what it is |\n|---|---|\n"
    return pages | {"api/README.md": head + "\n".join(rows) + "\n"}


def module_name(path: Path) -> str:
    """`untaught.models.rbm` of `untaught/models/rbm.py`."""
    path = path.parent if path.name == "__init__.py" else path
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def module_uri(name: str) -> str:
    """The page of a module."""
    return f"api/{name}.md"


def first_sentence(path: Path) -> str:
    """What a file says of itself first."""
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")


# Notebooks


def notebook_generator() -> ModuleType:
    """The generator of the notebooks, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("generate_examples", ROOT / "examples/generate.py")
    if spec is None or spec.loader is None:
        raise ImportError("examples/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def notebook_pages(script: Path, again: bool) -> dict[str, str | bytes]:
    """A notebook as a page, and its pictures: as it is in the repository, or executed again."""
    generator = notebook_generator()
    if again:
        notebook = generator.executed(generator.of_script(script))
    else:
        notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    parts: list[str] = []
    pages: dict[str, str | bytes] = {}
    for cell in notebook.cells:
        parts.append(cell.source if cell.cell_type == "markdown" else f"```python\n{cell.source}\n```")
        for text, picture in map(shown, cell.get("outputs", ())):
            if picture:
                name = f"{script.stem}-{len(pages) + 1}.png"
                pages[f"examples/{name}"] = picture
                parts.append(f"![What the cell above draws]({name})")
            elif text:
                parts.append(f"```text\n{text}\n```")
    return pages | {f"examples/{script.stem}.md": "\n\n".join(parts) + "\n"}


def shown(output: Any) -> tuple[str, bytes]:
    """The text and the picture of an output; one of them is empty."""
    data = output.get("data", {})
    if "image/png" in data:
        return "", base64.b64decode(data["image/png"])
    return (output.get("text") or data.get("text/plain", "")).rstrip(), b""


# Navigation


SECTIONS = (
    ("Guides", "guides"),
    ("Notebooks", "examples"),
    ("Reference", "reference"),
    ("Papers", "tables"),
    ("Development", ""),
    ("Modules", "api"),
)
"""Tabs of the site, and the folder that holds the pages of each; "" is docs/ itself."""


def navigation(uris: list[str]) -> list[Any]:
    """The tabs, each with the pages of its folder."""
    sections: list[Any] = [{"Start": "index.md"}]
    for title, folder in SECTIONS:
        if folder == "api":
            pages = module_tree(uris)
        elif folder:
            pages = tree([uri for uri in uris if uri.startswith(f"{folder}/")], folder)
        else:
            outside = tuple(f"{other}/" for _, other in SECTIONS if other)
            pages = tree([uri for uri in uris if not uri.startswith(outside) and uri != "index.md"], "")
        sections.append({title: pages})
    return sections


def tree(uris: list[str], folder: str) -> list[Any]:
    """Pages of a folder, its README first, then in the order in which the start page leads to them, then by name."""
    inside = [PurePosixPath(uri).relative_to(folder or ".") for uri in uris]
    start = (ROOT / "README.md").read_text()

    def order(path: PurePosixPath) -> tuple[bool, int, PurePosixPath]:
        named = start.find(f"/{folder}/{path})")
        return path.name != "README.md", named if named >= 0 else len(start), path

    own = sorted((path for path in inside if len(path.parts) == 1), key=order)
    entries: list[Any] = [str(PurePosixPath(folder, path)) for path in own]
    for name in sorted({path.parts[0] for path in inside if len(path.parts) > 1}):
        deeper = str(PurePosixPath(folder, name))
        entries.append({name.capitalize(): tree([uri for uri in uris if uri.startswith(f"{deeper}/")], deeper)})
    return entries


def module_tree(uris: list[str]) -> list[Any]:
    """Modules, nested as their packages are."""
    names = [uri.removeprefix("api/").removesuffix(".md") for uri in uris if uri.startswith("api/untaught")]

    def below(name: str) -> Iterator[Any]:
        for child in sorted(other for other in names if other.rpartition(".")[0] == name):
            inner = list(below(child))
            title = child.rpartition(".")[2]
            yield {title: [module_uri(child), *inner] if inner else module_uri(child)}

    return ["api/README.md", module_uri("untaught"), *below("untaught")]


# Equations


def typeset(latex: str, display: str) -> str:
    """An equation as MathML."""
    plain = latex.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return convert(plain.strip(), display=display)
