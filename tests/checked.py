"""The type checker that jaxtyping's import hook puts around every function of the packages that compute.

pytest is told so in pyproject.toml: `--jaxtyping-packages=...,checked.shapes`. A check takes longer than much of
what it checks, and a training repeats the same calls thousands of times, so of each test the first calls are checked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import jaxtyping
from beartype import BeartypeConf, beartype
from beartype.roar import BeartypeDecorHintPep673Exception

NUMBERS = BeartypeConf(is_pep484_tower=True)
"""A whole number may stand where a `float` is asked for, as everywhere in Python's typing."""
FIRST = 300
"""Checks of one test: arguments and result are one each."""


class Left:
    """How many more checks there are."""

    checks = sys.maxsize

    @classmethod
    def begin(cls, checks: int) -> None:
        """Check as many more."""
        cls.checks = checks
        jaxtyping.config.update("jaxtyping_disable", False)

    @classmethod
    def count(cls) -> None:
        """Count one."""
        cls.checks -= 1
        if cls.checks <= 0:
            jaxtyping.config.update("jaxtyping_disable", True)


def shapes(function: Callable[..., Any]) -> Callable[..., Any]:
    """Check arguments and result of calls as long as checks are left.

    The check is made when the function is first called: most functions of a package no one worker calls. A method
    that returns `Self` is left as it is: to check it, beartype would need its class.
    """
    checked: Callable[..., Any] | None = None

    @wraps(function)
    def counted(*arguments: Any, **named: Any) -> Any:
        nonlocal checked
        Left.count()
        if checked is None:
            checked = _checked(function)
        return checked(*arguments, **named)

    return counted


def _checked(function: Callable[..., Any]) -> Callable[..., Any]:
    try:
        return beartype(conf=NUMBERS)(function)
    except BeartypeDecorHintPep673Exception:
        return function
