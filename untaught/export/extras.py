"""Packages that only exports need: imported when they are used, and asked for by name where they are missing."""

from __future__ import annotations

import importlib
from typing import Any

from untaught.errors import ConfigError


def needed(package: str, extra: str) -> Any:
    """Import a package that an extra of ours installs.

    Raises:
        ConfigError: It is not installed; the message says how to install it.

    Example:
        >>> needed("json", "export").dumps([1])
        '[1]'
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ConfigError(f"this needs the package {package}: pip install 'untaught[{extra}]'") from error
