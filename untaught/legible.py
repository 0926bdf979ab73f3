r"""Text that any terminal, page or picture can hold, whatever is in the name of a file.

Names of files are bytes. Those that are no text in the system's encoding reach Python as lone surrogates, which no
encoding can write; and a name may hold line breaks and commands to a terminal. All these are written as `\xe9` or
`\u2028`.
"""

from __future__ import annotations

import re

ILLEGIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
"""Control characters but tab and line feed, what turns the direction of writing, and lone surrogates."""


def legible(text: str) -> str:
    r"""Write what cannot be shown by its number.

    Example:
        >>> print(legible("caf\udce9 \x1b[2J"))
        caf\xe9 \x1b[2J
    """
    return ILLEGIBLE.sub(lambda found: _numbered(found[0]), text)


def one_line(text: str) -> str:
    r"""The same, with line breaks.

    Example:
        >>> print(one_line("a\nb"))
        a\nb
    """
    return legible(text).replace("\n", r"\n").replace("\t", r"\t")


def _numbered(character: str) -> str:
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:  # a byte that was no text
        number -= 0xDC00
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
