"""Layers by name."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from untaught.errors import ConfigError


def chosen(found: dict[str, Tensor], names: Sequence[str] | None) -> dict[str, Tensor]:
    """Those layers that were asked for, or all.

    Raises:
        ConfigError: There is no layer of one of the names.
    """
    unknown = set(names or ()) - found.keys()
    if unknown:
        raise ConfigError(f"no layer is called {min(unknown)!r}; there are: {', '.join(found)}")
    return found if names is None else {name: found[name] for name in names}
