"""The shape of the code: sizes, names, and what nobody may do. Each rule names the file and line that breaks it."""

from __future__ import annotations

import ast
import gc
import importlib
import inspect
import pkgutil
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

import untaught
from untaught.model import CAPABILITIES, Model

ROOT = Path(__file__).resolve().parents[1]
CODE = sorted(path for part in ("untaught", "tests", "docs", "benchmarks") for path in (ROOT / part).rglob("*.py"))
PACKAGE = [path for path in CODE if path.is_relative_to(ROOT / "untaught")]
TEXTS = [
    *CODE,
    *(ROOT / name for name in ("Makefile", ".ci/run", "pyproject.toml", "constraints.txt", "CITATION.cff")),
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "results").rglob("*.json"),
]
MODELS = [path for path in PACKAGE if path.parent.name == "models" and path.stem != "__init__"]
FOLDERS = [path.parent for path in PACKAGE if path.stem == "__init__"]
DRAWERS = {"utils", "util", "misc", "common", "helpers", "base", "core"}
WEIGHTS_ONLY = "weights_only=True"
ROOMY = {"models", "sets", "papers", "measures"}
"""Folders that are registries: they may hold any number of files."""


def broken(files: Iterable[Path], rule: Callable[[Path], object]) -> dict[str, object]:
    """Files in which a rule finds something, and what it finds."""
    found = {str(path.relative_to(ROOT)): rule(path) for path in files}
    return {path: what for path, what in found.items() if what}


def test_a_broken_rule_names_its_file() -> None:
    assert broken(CODE, lambda path: path.stem == "test_architecture") == {"tests/test_architecture.py": True}


def test_functions_are_short() -> None:
    """At most 40 lines without the docstring."""
    assert not broken(CODE, lambda path: {node.name: _length(node) for node in _functions(path) if _length(node) > 40})


def test_file_is_no_drawer() -> None:
    assert not broken(CODE, lambda path: {path.stem, *path.relative_to(ROOT).parts[:-1]} & DRAWERS)


def test_file_opens_with_what_it_is() -> None:
    assert not broken(CODE, lambda path: not ast.get_docstring(_tree(path)))


def test_folders_are_small() -> None:
    counted = Counter(path.parent for path in PACKAGE if path.stem not in ("__init__", "__main__"))
    crowded = {str(folder.relative_to(ROOT)): n for folder, n in counted.items() if n > 14 and folder.name not in ROOMY}
    assert not crowded


def test_one_name_is_one_file() -> None:
    named = Counter(path.stem for path in PACKAGE if path.stem not in ("__init__", "__main__"))
    assert not {name: n for name, n in named.items() if n > 1}


def test_map_names_every_module() -> None:
    """The docstring of `untaught` has one line for each module at the top."""
    modules = {module.name for module in pkgutil.iter_modules(untaught.__path__)} - {"__main__"}
    named = set(re.findall(r"^(\w+) {2,}\S", untaught.__doc__ or "", re.M))
    assert named == modules


def test_package_that_lists_its_files_lists_all_and_no_others() -> None:
    """One line for each: the name, two spaces or more, what it is."""

    def wrong(folder: Path) -> set[str]:
        told = ast.get_docstring(_tree(folder / "__init__.py")) or ""
        listed = re.findall(r"^(\w+) {2,}\S", told, re.M)
        inside = [path.stem for path in folder.glob("*.py")]
        inside += [path.parent.name for path in folder.glob("*/__init__.py")]
        assert len(listed) == len(set(listed))
        return set(listed) ^ {name for name in inside if not name.startswith("_")} if listed else set()

    assert not broken(FOLDERS, wrong)


def test_nobody_asks_hasattr() -> None:
    assert not broken(PACKAGE, lambda path: _calls(path, "hasattr"))


def test_models_take_no_open_keywords() -> None:
    models = [path for path in PACKAGE if "models" in path.parts]
    assert not broken(models, lambda path: [node.name for node in _functions(path) if node.args.kwarg is not None])


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_mathematics_comes_first_and_in_order(model: Path) -> None:
    """Methods that compute numbered equations begin above line 100 and stand in the order of the equations."""
    numbered = _numbered(model)
    assert numbered, "no method says which equation it computes"
    assert numbered[0][0] < 100, f"the first equation is computed in line {numbered[0][0]}"
    assert [number for _, number in numbered] == sorted(number for _, number in numbered), numbered


def test_only_randomness_seeds() -> None:
    seeds = re.compile(r"\b(manual_seed(_all)?|seed_everything|np\.random\.seed|random\.seed|set_rng_state)\(")

    def calls(path: Path) -> list[tuple[int, str]]:
        # A torch.Generator of one's own is no global state: `generator.manual_seed(...)`.
        return [(n, line) for n, line in _lines(path) if seeds.search(line) and "generator" not in line.lower()]

    assert list(broken(PACKAGE, calls)) == ["untaught/randomness.py"]


def test_only_commands_print() -> None:
    assert not broken([path for path in PACKAGE if "cli" not in path.parts], lambda path: _calls(path, "print"))


def test_nothing_is_pickled() -> None:
    pickles = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    loads = re.compile(r"\btorch\.load\(")

    def unsafe(path: Path) -> list[str]:
        lines = [line for _, line in _lines(path)]
        saves = [line for line in lines if re.search(r"\btorch\.save\(|allow_pickle=True", line)]
        return [*(_imported(path) & pickles), *saves, *(x for x in lines if loads.search(x) and WEIGHTS_ONLY not in x)]

    assert not broken(PACKAGE, unsafe)


def test_nobody_needs_torchvision() -> None:
    others = {"torchvision", "torchmetrics", "timm", "kornia", "lightning", "pytorch_lightning"}
    assert not broken(CODE, lambda path: _imported(path) & others)


def test_torchvision_is_not_installed() -> None:
    """Its wheels break on CPU builds of torch, and take down whatever imports them."""
    assert find_spec("torchvision") is None


def test_no_path_of_one_machine() -> None:
    folders = "|".join(["home", "Users", "work", "root", "mnt"])
    found = [
        (str(p), n, line) for p in TEXTS for n, line in _lines(p) if re.search(rf"""["'`(\s]/({folders})/\w""", line)
    ]
    assert not found


def test_capabilities_are_abstract() -> None:
    assert all(inspect.isabstract(capability) for capability in CAPABILITIES)
    assert all(capability.__module__ == "untaught.capability" for capability in CAPABILITIES)


def test_classes_are_abstract_or_final() -> None:
    """Nobody inherits from a class that can be built: of models, blocks, frames, and whatever else is ours."""
    for module in _modules():
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if cls.__module__ == module.__name__ and not issubclass(cls, BaseException):
                ours = [base for base in cls.__bases__ if base.__module__.startswith("untaught")]
                built = [base.__name__ for base in ours if not inspect.isabstract(base)]
                assert not built, f"{module.__name__}.{cls.__name__} inherits from {built}"


def test_nobody_overrides_what_is_implemented() -> None:
    """A model fills in what is abstract; only what the contract offers for it may be replaced."""
    offered = {"prepare", "stages", "held_out", "__init__", "forward", "anneal", "filter_pictures", "usual", "view_of"}
    offered |= {"log_weights"}
    list(_modules())  # from here on they are known
    for cls in _subclasses(Model):
        if cls.__module__.startswith("untaught.models"):
            inherited = [base for base in cls.__mro__[1:] if base.__module__.startswith("untaught")]
            replaced = {
                name
                for base in inherited
                for name, value in vars(base).items()
                if inspect.isfunction(value) and name in vars(cls) and not getattr(value, "__isabstractmethod__", False)
            }
            assert replaced <= offered, f"{cls.__name__} overrides {replaced - offered}"


def test_pins_satisfy_ranges() -> None:
    """Each version of constraints.txt is one that pyproject.toml admits, and every requirement is pinned."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    wanted = {r.name: r.specifier for r in map(Requirement, [*project["dependencies"], *extras])}
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    pinned = {r.name: str(r.specifier).removeprefix("==") for r in map(Requirement, lines)}
    refused = {name: version for name, version in pinned.items() if name in wanted and version not in wanted[name]}
    assert not refused
    assert set(wanted) <= set(pinned), f"not pinned: {set(wanted) - set(pinned)}"


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert untaught.__version__ == project["version"]
    assert f"\nversion: {project['version']}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## {project['version']}" in (ROOT / "CHANGELOG.md").read_text()


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(untaught.__path__, "untaught."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def _subclasses(cls: type) -> set[type]:
    found = set(cls.__subclasses__())
    return found.union(*(_subclasses(sub) for sub in found)) if found else found


@cache
def _tree(path: Path) -> ast.Module:
    with _nothing_collected():
        return ast.parse(path.read_text())


@cache
def _nodes(path: Path) -> tuple[ast.AST, ...]:
    tree = _tree(path)
    with _nothing_collected():
        return tuple(ast.walk(tree))


@contextmanager
def _nothing_collected() -> Generator[None]:
    """Keep what is made inside from the garbage collector, which would go through all these nodes again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in _nodes(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, less the docstring."""
    has_docstring = ast.get_docstring(node) is not None
    docstring = (node.body[0].end_lineno or 0) - node.body[0].lineno + 1 if has_docstring else 0
    return (node.end_lineno or 0) - node.lineno + 1 - docstring


def _numbered(path: Path) -> list[tuple[int, int]]:
    """Lines of functions that compute an equation, by their docstring, and the first number that it names."""
    found: list[tuple[int, int]] = []
    for node in _functions(path):
        told = re.search(r"\bequations? \((\d+)\)|\((\d+)\)\.?\s*$", ast.get_docstring(node) or "", re.I)
        if told:
            found.append((node.lineno, int(told[1] or told[2])))
    return sorted(found)


def _calls(path: Path, name: str) -> list[int]:
    calls = [node for node in _nodes(path) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == name]


def _imported(path: Path) -> set[str]:
    """The packages that a file imports, by their first name."""
    tree = _nodes(path)
    plain = {alias.name for node in tree if isinstance(node, ast.Import) for alias in node.names}
    from_ = {node.module or "" for node in tree if isinstance(node, ast.ImportFrom) and node.level == 0}
    return {name.split(".")[0] for name in plain | from_}


def _lines(path: Path) -> list[tuple[int, str]]:
    return list(enumerate(path.read_text().splitlines(), 1))
