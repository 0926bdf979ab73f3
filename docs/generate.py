"""Write what the documentation says of the code from the code: docs/reference/ and docs/tables/.

python docs/generate.py            write
python docs/generate.py --check    change nothing; name what is stale and exit with 1
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import inspect
import io
import os
import re
import runpy
import sys
import typing
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from textwrap import dedent

from untaught import cli
from untaught.config import fields
from untaught.data.source import named_set, source_descriptions
from untaught.evaluate.measures.likelihood import APART
from untaught.experiments.find import paper_named, paper_names
from untaught.experiments.markdown import markdown
from untaught.experiments.overview import HEAD, Verdict, overview
from untaught.model import Model, capabilities, in_words, model_class, model_names
from untaught.recipe import Optimiser, Recipe
from untaught.runs.settings import Training

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs/reference"
TABLES = ROOT / "docs/tables"
NOTE = "<!-- Written by docs/generate.py from the code; edit there. -->"


def pages() -> dict[Path, str]:
    """Every generated file with its content."""
    return {
        REFERENCE / "README.md": index_page(),
        **{REFERENCE / "models" / f"{name}.md": model_page(name) for name in model_names()},
        REFERENCE / "commands.md": commands_page(),
        REFERENCE / "sources.md": sources_page(),
        REFERENCE / "training.md": training_page(),
        TABLES / "README.md": papers_page(),
        **{TABLES / f"{name}.md": page(markdown(name)) for name in paper_names()},
        TABLES / "defaults.md": defaults_page(),
    }


def index_page() -> str:
    """List the systems, what each can do, and the other pages."""
    rows = [
        (
            f"[{name}](models/{name}.md)",
            summary(model_class(name)),
            ", ".join(map(in_words, capabilities(model_class(name)))),
        )
        for name in model_names()
    ]
    return page(
        "# Reference",
        "- [Commands](commands.md)\n- [Sources of data](sources.md)\n- [Settings of a training](training.md)",
        "## Systems",
        table(("system", "what it is", "what it can do"), rows),
    )


def papers_page() -> str:
    """Every published number beside the best of ours, and the papers, each with its tables."""
    papers = {name: paper_named(name) for name in paper_names()}
    rows = [
        (
            f"[{paper.title}]({name}.md)",
            paper.reference.partition(".")[0],
            "; ".join(table.title for table in paper.tables),
        )
        for name, paper in papers.items()
    ]
    found = overview()
    counts = ", ".join(
        f"{sum(one.verdict == verdict for one in found)} {verdict}" for verdict in typing.get_args(Verdict)
    )
    lines = [(f"[{paper}]({paper}.md)", *cells) for paper, *cells in (one.cells() for one in found)]
    return page(
        "# Papers",
        "Published numbers beside those measured here. Each of ours has a record with seed, commit and hardware. "
        "`make numbers` runs what is missing, in the background, and goes on where it was stopped.",
        table(("paper", "by", "what is compared"), rows),
        "## Published and ours",
        "Ours is that of the largest budget that was run; ± is the deviation over seeds. *Met*: as good or better, or "
        "within a hundredth where neither direction is better. *Not resolved*: a likelihood whose annealing forwards "
        f"and backwards differs by more than {APART:g} nats. *Not comparable*: the data are not the paper's. {counts}.",
        table(HEAD, lines),
    )


def model_page(name: str) -> str:
    """One system: its equations, what it can do, what can be chosen."""
    model = model_class(name)
    file = Path(inspect.getfile(model)).relative_to(ROOT)
    return page(
        f"# {name}",
        docstring(importlib.import_module(model.__module__)),
        f"## Use\n\nIn Python `untaught.{model.__name__}`; its source is [{file}](../../../{file}).",
        f"Capabilities: {', '.join(code(name) for name in capabilities(model))}.",
        example(model),
        f"## Settings\n\n{settings(model.Config)}",
        f"## Recipe\n\nUnless the caller says otherwise.\n\n{chosen(model.recipe)}",
        f"## Command\n\n```\n{help_of('train', name)}\n```",
    )


def commands_page() -> str:
    """What every command says of itself."""
    parts = [f"## {name}\n\n```\n{help_of(name)}\n```" for name in cli.COMMANDS]
    return page("# Commands", f"```\n{help_of()}\n```", *parts)


def sources_page() -> str:
    """Every named data set with its options."""
    parts: list[str] = []
    for name, text in source_descriptions().items():
        options = named_set(name).Options
        parts.append(f"## {name}\n\n{text}" + (f"\n\n{settings(options)}" if fields(options) else ""))
    about = inspect.getdoc(importlib.import_module("untaught.data.spec")) or ""
    return page("# Sources of data", about, *parts)


def defaults_page() -> str:
    """Every model at its defaults beside the trivial answer."""
    return page(runpy.run_path(str(ROOT / "benchmarks/defaults.py"), run_name="benchmarks_defaults")["markdown"]())


def training_page() -> str:
    """Everything that a training can be told."""
    return page("# Settings of a training", inspect.getdoc(Training) or "", settings(Training))


def summary(model: type[Model]) -> str:
    """The first sentence of a system's file."""
    first = (inspect.getdoc(importlib.import_module(model.__module__)) or "").split("\n\n")[0]
    return " ".join(first.split())


def docstring(module: object) -> str:
    """A module's docstring as Markdown: sections become headings, indented equations stay as they are."""
    text = inspect.getdoc(module) or ""
    pieces = re.split(r"^(References|Departures):?[ ]*", text, flags=re.M)
    shown = [pieces[0].strip()]
    for heading, body in zip(pieces[1::2], pieces[2::2], strict=True):
        first, _, rest = body.partition("\n")
        content = f"{first}\n{dedent(rest)}".strip()
        # Two spaces break a line: a reference begins on a line of its own.
        shown.append(f"## {heading}\n\n" + (content.replace("\n", "  \n") if heading == "References" else content))
    return "\n\n".join(shown)


def example(model: type[Model]) -> str:
    """The example of a model's docstring, which the tests run."""
    _, _, found = (inspect.getdoc(model) or "").partition("Example:\n")
    return f"```pycon\n{dedent(found).strip()}\n```" if found else ""


def settings(config: type) -> str:
    """The table of a configuration's fields."""
    rows = [(code(f.name), code(plain(f.type)), code(f.default), " ".join(f.text.split())) for f in fields(config)]
    return table(("field", "type", "default", "meaning"), rows)


def chosen(recipe: Recipe) -> str:
    """The table of a recipe's values, without those that every recipe has."""
    rows = [("optimiser", code(differences(recipe.optimiser)))]
    others = {key: value for key, value in asdict(recipe).items() if key != "optimiser"}
    rows += [(key.replace("_", " "), code(str(value))) for key, value in others.items() if value]
    return table(("", ""), rows)


def differences(optimiser: Optimiser) -> str:
    """The rule, its step size, and whatever else is not as usual."""
    usual = asdict(Optimiser())
    own = {key: value for key, value in asdict(optimiser).items() if value != usual[key]}
    own = {"name": optimiser.name, "learning_rate": optimiser.learning_rate} | own
    return ", ".join(f"{key} {value}" for key, value in own.items()).replace("name ", "").replace("_", " ")


def plain(type_name: str) -> str:
    """A type as a reader writes it: `Optional[int]` is `int | None`, `untaught.data.view.View` is `View`."""
    optional = re.fullmatch(r"Optional\[(.*)\]", type_name)
    return re.sub(r"\buntaught(\.\w+)*\.", "", f"{optional[1]} | None" if optional else type_name)


def help_of(*words: str) -> str:
    """What a command prints for `--help`."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = cli.main([*words, "--help"])
    if status != 0:
        raise SystemExit(f"untaught {' '.join(words)} --help exits with {status}")
    return "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines())


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Write a Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """Set text as code."""
    return f"`{text}`" if text else ""


def page(*parts: str) -> str:
    """Join the parts of a page."""
    return "\n\n".join([NOTE, *(part for part in parts if part)]) + "\n"


def stale() -> list[Path]:
    """Files that are not what the code says, and files that the code no longer says."""
    fresh = pages()
    changed = [path for path, text in fresh.items() if not path.exists() or path.read_text() != text]
    return changed + sorted(
        path for folder in (REFERENCE, TABLES) for path in folder.rglob("*.md") if path not in fresh
    )


def write() -> None:
    """Bring every generated file up to date."""
    fresh = pages()
    for path in stale():
        if path in fresh:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fresh[path])
        else:
            path.unlink()


def main() -> int:
    """Write the pages, or say which are stale."""
    # Help is printed as wide as the terminal: the pages must not depend on who writes them.
    os.environ |= {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; name what is stale and exit with 1")
    if not parser.parse_args().check:
        write()
        return 0
    old = stale()
    for path in old:
        print(f"stale: {path.relative_to(ROOT)}; run `make docs`", file=sys.stderr)
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
