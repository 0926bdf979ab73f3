"""Words of the page that do not come from measures: names of the parts of a loss, for readers."""

from __future__ import annotations

from untaught.evaluate.quantity import plain

PARTS = {"pseudo_loss_nats": "surprise at each visible unit given all others, nats"}
"""Parts of a loss that people call otherwise than by their names."""


def spoken(part: str) -> str:
    """A part of a loss as people call it.

    Example:
        >>> spoken("squared_error_per_frame")
        'squared error per frame'
    """
    return PARTS.get(part, plain(part))


def sentence(words: str) -> str:
    """Words with a capital at their beginning."""
    return words[:1].upper() + words[1:]
