"""What a model shows of itself: layers by name, weights as pictures."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from untaught.errors import ConfigError
from untaught.shapes import Images, Shape


def chosen(found: dict[str, Tensor], names: Sequence[str] | None) -> dict[str, Tensor]:
    """The layers of the given names, or all.

    Raises:
        ConfigError: There is no layer of one of the names.
    """
    unknown = set(names or ()) - found.keys()
    if unknown:
        raise ConfigError(f"no layer is called {min(unknown)!r}; there are: {', '.join(found)}")
    return found if names is None else {name: found[name] for name in names}


def weight_pictures(weight: Tensor, shape: Shape) -> Images:
    """Weights `(visible, hidden)` of each hidden unit as a picture; for vectors, of one row."""
    return weight.detach().T.unflatten(1, shape if len(shape) == 3 else (1, 1, *shape))
