"""Parameters of an estimator: those of its model's configuration, and those of every estimator."""

from __future__ import annotations

from typing import Any, Literal

from sklearn.utils import check_random_state

from untaught.config import Count, Positive, configuration, fields


@configuration
class Fitting:
    """Parameters of every estimator, beside those of its model."""

    max_epochs: Count = 20
    """Passes over the data in `fit`."""
    batch_size: Count | None = None
    """Examples in one step; None takes the model's recipe."""
    learning_rate: Positive | None = None
    """Highest step size of every optimiser; None takes the model's recipe."""
    image_shape: tuple[Count, Count, Count] | None = None
    """Channels, height and width of the picture in each row; None takes rows as vectors.
    An array `(n, channel, height, width)` needs none."""
    random_state: Any = None
    """Seed or generator of weights, order and draws; the same seed gives the same results."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute; a fitted estimator rests on the CPU."""


def defaults(config: type[Any]) -> dict[str, Any]:
    """Default of each field of a configuration."""
    return {field.name: field.value for field in fields(config)}


def plain(default: Any) -> Any:
    """A default as scikit-learn has them in signatures; None where it would be none of its plain values."""
    return default if isinstance(default, (str, int, float, tuple)) else None


def drawn_seed(random_state: Any) -> int:
    """A seed for torch from what scikit-learn takes: a seed, a generator, or None for NumPy's own."""
    return int(check_random_state(random_state).randint(2**31 - 1))
