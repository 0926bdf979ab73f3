"""Docstrings of the package, made ready for the site by Griffe (see mkdocs.yml).

What reads well in an editor would come out as running text: an example of one call, references of a line each, the
columns in which a package lists its modules, and equations in LaTeX (`:math:`, `.. math::`).
"""

from __future__ import annotations

import re
from typing import Any

import griffe


class ReadyForSite(griffe.Extension):
    """Rewrites every docstring before it is parsed."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Take one module, class, function or attribute."""
        if obj.docstring is not None and not obj.is_alias:
            obj.docstring.value = ready(obj.docstring.value)


def ready(text: str) -> str:
    """A docstring whose parts the site shows as what they are."""
    text = re.sub(r"^Example:$", "Examples:", text, flags=re.M)
    # Two spaces break a line.
    text = re.sub(r"^References:\n(?: .*\n?)+", lambda found: found[0].replace("\n", "  \n"), text, flags=re.M)
    text = re.sub(r":math:`([^`]+)`", r"$\1$", text)
    text = re.sub(r"^\.\. math::(.*(?:\n(?: .*)?)*)", displayed, text, flags=re.M)
    return "\n\n".join(map(columns_kept, text.split("\n\n")))


def displayed(block: re.Match[str]) -> str:
    """An equation between dollars; several lines that are aligned become an array."""
    lines = [line.strip() for line in block[1].strip().splitlines() if line.strip()]
    latex = " ".join(lines)
    if "&" in latex:
        latex = r"\begin{align*}" + latex + r"\end{align*}"
    return f"$$\n{latex}\n$$\n\n"


def columns_kept(paragraph: str) -> str:
    """A paragraph as it is; one whose lines are columns as a block of code."""
    lines = paragraph.splitlines()
    if len(lines) > 1 and all(re.match(r"\S.*? {2,}\S| {8,}\S", line) for line in lines):
        return "\n".join(f"    {line}" for line in lines)
    return paragraph
