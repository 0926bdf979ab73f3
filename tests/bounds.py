"""The oldest versions that pyproject.toml admits, as constraints for pip: `python tests/bounds.py > oldest.txt`.

`make bounds` runs the quick tests with them, and with the newest that there are.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]


def oldest(project: Path = ROOT / "pyproject.toml") -> dict[str, str]:
    """The lowest version of each dependency of the package itself."""
    lines = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    wanted = {found.name: found.specifier for found in map(Requirement, lines)}
    return {name: next(each.version for each in own if each.operator == ">=") for name, own in wanted.items()}


if __name__ == "__main__":
    for name, version in oldest().items():
        print(f"{name}=={version}")
