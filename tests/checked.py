"""The type checker that jaxtyping's import hook puts around every function of the package while the tests run.

pytest is told so in pyproject.toml: `--jaxtyping-packages=untaught,checked.shapes`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from beartype import BeartypeConf, beartype
from beartype.roar import BeartypeDecorHintPep673Exception

NUMBERS = BeartypeConf(is_pep484_tower=True)
"""A whole number may stand where a `float` is asked for, as everywhere in Python's typing."""


def shapes(function: Callable[..., Any]) -> Callable[..., Any]:
    """Check arguments and result at every call.

    A method that returns `Self` is left as it is: to check it, beartype would need its class.
    """
    try:
        return beartype(conf=NUMBERS)(function)
    except BeartypeDecorHintPep673Exception:
        return function
