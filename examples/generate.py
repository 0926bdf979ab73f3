"""Write the notebooks of this folder from the scripts beside them, executed, with all that they show.

python examples/generate.py            write those whose cells are not their script's
python examples/generate.py --check    change nothing; name what is stale and exit with 1
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).resolve().parent
SCRIPTS = sorted(path for path in FOLDER.glob("*.py") if path != Path(__file__).resolve())
LIMIT_SECONDS = 1200


def of_script(script: Path) -> NotebookNode:
    """The notebook of a script in cells, not executed; the same each time."""
    notebook = jupytext.read(script, fmt="py:percent")
    for number, cell in enumerate(notebook.cells, 1):
        cell.id, cell.metadata = f"cell-{number}", NotebookNode()
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    notebook.metadata = NotebookNode(kernelspec=kernel, language_info={"name": "python"})
    return notebook


def executed(notebook: NotebookNode) -> NotebookNode:
    """The notebook with what its cells show, from a fresh kernel on one thread.

    Raises:
        CellExecutionError: A cell raises an error.
    """
    # Sums in another order differ in their last digits: one thread has one order.
    settings = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    where = {"metadata": {"path": str(FOLDER)}}
    NotebookClient(notebook, timeout=LIMIT_SECONDS, record_timing=False, resources=where).execute(env=settings)
    notebook.metadata.language_info = {"name": "python"}
    for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
        output.get("data", {}).pop("image/jpeg", None)  # the same picture stands beside it as PNG
    return notebook


def cells(notebook: NotebookNode) -> list[tuple[str, str]]:
    """Kind and source of every cell."""
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def stale() -> list[Path]:
    """Scripts whose notebooks are missing or have other cells."""
    return [script for script in SCRIPTS if not _fresh(script)]


def _fresh(script: Path) -> bool:
    path = script.with_suffix(".ipynb")
    return path.exists() and cells(nbformat.read(path, as_version=4)) == cells(of_script(script))


def main() -> int:
    """Write the notebooks, or say which are stale."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; name what is stale and exit with 1")
    check, old = parser.parse_args().check, stale()
    for script in old:
        if check:
            print(f"stale: {script.with_suffix('.ipynb').name}; run `make docs`", file=sys.stderr)
        else:
            nbformat.write(executed(of_script(script)), script.with_suffix(".ipynb"))
    return 1 if check and old else 0


if __name__ == "__main__":
    sys.exit(main())
