"""Parameters of an estimator: those of its model's configuration, and those of every estimator."""

from __future__ import annotations

from typing import Any, Literal

from sklearn.utils import check_random_state

from untaught.config import Count, Positive, configuration, fields
from untaught.errors import ConfigError
from untaught.model import Model

USUAL = "usual"
"""The value of a parameter that the model is to choose from the rows. None cannot serve for this: it is a value of some
fields."""

PASSES = 20
"""Passes over the data in `fit`, unless the user says otherwise."""


@configuration
class Fitting:
    """Parameters of every estimator, in addition to those of its model."""

    max_epochs: Count | None = None
    """Passes over the data in `fit`; None takes 20, or more for few rows, so that each stage has at least 400 steps
    with labels, and 1,000 without or 100 passes."""
    batch_size: Count | None = None
    """Examples in one step; None takes the model's recipe. For fewer than 2,000 rows `fit` takes a
    twentieth of them, but at least 10."""
    learning_rate: Positive | None = None
    """Highest step size of every optimiser; None takes the model's recipe."""
    image_shape: tuple[Count, Count, Count] | None = None
    """Channels, height and width of the picture in each row; None takes rows as vectors. If the model
    takes only pictures, None takes rows of 64 values as 1x8x8, and rows of a number of values that is not a square as
    pictures of one row. For an array `(n, channel, height, width)` it is not needed."""
    value_range: tuple[float, float] | None = None
    """Values of rows that become 0 and 1 in the model's input; others are scaled linearly. None leaves values as they
    are, unless the model needs probabilities and some lie outside [0, 1]. Then it is the lowest and highest value of
    each column in `fit`, for pictures of all pixels, and values beyond become the nearer end; of whole numbers that are
    pixels it is 0 and 255, as where files of them are read."""
    random_state: Any = None
    """Seed or generator of weights, order and draws; the same seed gives the same results."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute; a fitted estimator is kept on the CPU."""

    def __post_init__(self) -> None:
        """Refuse a range without width.

        Raises:
            ConfigError: The highest value is not above the lowest.
        """
        if self.value_range is not None and not self.value_range[0] < self.value_range[1]:
            raise ConfigError(f"value_range = {self.value_range}: the first must be below the second")


def model_defaults(model: type[Model]) -> dict[str, Any]:
    """Default of each parameter that is a field of a model's configuration.

    What the model can choose from the rows is `USUAL`. The number of classes follows from the labels of a classifier;
    a transformer is given none.
    """
    own = defaults(model.Config)
    own.pop("classes", None)
    return {name: USUAL if name in model.adapts else plain(value) for name, value in own.items()}


def defaults(config: type[Any]) -> dict[str, Any]:
    """Default of each field of a configuration."""
    return {field.name: field.value for field in fields(config)}


def plain(default: Any) -> Any:
    """A default as scikit-learn allows it in signatures: a plain value, or else None."""
    return default if isinstance(default, (str, int, float, tuple)) else None


def drawn_seed(random_state: Any) -> int:
    """A seed for torch from what scikit-learn takes: a seed, a generator, or None for NumPy's own."""
    return int(check_random_state(random_state).randint(2**31 - 1))
