"""What the estimators of all models share: checks, training, arrays in and out."""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import deepcopy
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data
from torch import Tensor

from untaught.config import from_json
from untaught.data.part import Part
from untaught.data.source import Source
from untaught.data.view import View, statistics
from untaught.errors import ConfigError, DataError
from untaught.estimators.one_pass import one_pass
from untaught.estimators.parameters import Fitting, defaults, drawn_seed, plain
from untaught.model import Model
from untaught.randomness import seeded
from untaught.runs.settings import Training
from untaught.shapes import Shape
from untaught.training.fit import fit
from untaught.training.plan import plan_for

Rows = NDArray[np.floating[Any]]
"""Examples or features in rows, or pictures `(n, channel, height, width)`; float32 or float64."""
FLOATS: Any = (np.float64, np.float32)
"""What rows may be; everything else becomes the first."""
CHUNK = 512
"""Rows to which a model is applied at once."""


class ModelEstimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC):
    """What the estimators of all models share.

    Attributes:
        model_: The trained model, in eval mode, float32, on the CPU.
        n_iter_: Passes over the data.
        n_features_in_: Values in a row.
        history_: Losses on the rows by the way: dictionaries of epoch, stage and the parts of the loss.
    """

    model_type: ClassVar[type[Model]]
    """The model that it trains."""
    expected_failed_checks: ClassVar[dict[str, str]] = {}
    """Checks of scikit-learn's `parametrize_with_checks` that it does not pass, with the reason: there are none."""

    random_state: Any
    device: str
    model_: Model
    n_iter_: int
    n_features_in_: int
    history_: list[dict[str, Any]]

    @abstractmethod
    def __init__(self) -> None: ...  # takes the fields of the model's configuration and of `Fitting`

    def fit(self, X: Any, y: object = None) -> Self:
        """Train a new model on every row; it keeps the weights with the lowest loss on them.

        Args:
            X: Rows `(n, feature)`, or pictures `(n, channel, height, width)` with pixels in [0, 1].
            y: Not used.

        Raises:
            ValueError: Rows are not finite numbers, or are negative where the model takes probabilities.
            ConfigError: A parameter is out of range.
            DataError: Rows or pictures do not have `image_shape`.
        """
        del y
        part = self._begin(X)
        epochs = self._fitting().max_epochs
        # Every part is all the rows: whoever wants to hold some out does so by cross-validation.
        source = Source("rows", part, validation=part, test=part)
        for record in fit(self.model_, source, self._training(epochs=epochs)):
            if record.held_out:
                self.history_.append({"epoch": record.epoch, "stage": record.stage, **record.held_out})
        self.n_iter_ = epochs
        self._moments = {stage.name: {} for stage in self.model_.stages()}
        return self._end()

    def partial_fit(self, X: Any, y: object = None) -> Self:
        """Go on from the present weights for one pass over the rows; the first call makes a new model.

        The learning rate stays at its highest, the optimisers remember the calls before, and whatever the model
        schedules over a training is at its end.

        Args:
            X: As in `fit`; later calls need the features of the first.
            y: Not used.
        """
        del y
        new = "model_" not in vars(self)
        part = self._begin(X) if new else self._part(self._rows(X))
        training = self._training(schedule="constant", average=0, compile="off", capture="off")
        self.n_iter_ += 1
        decided = plan_for(self.model_, Source("rows", part, validation=part, test=part), training)
        for own in decided.stages:
            name = own.stage.name
            losses, self._moments[name] = one_pass(decided, own, self._statistics, self._moments.get(name))
            self.history_.append({"epoch": self.n_iter_, "stage": name, **losses})
        return self._end()

    def transform(self, X: Any) -> Rows:
        """Features of each example, `(n, feature)`."""
        check_is_fitted(self)
        return self._apply(lambda model, x: model.encode(x), self._seen(self._rows(X)))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        assert tags.transformer_tags is not None
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        try:
            tags.input_tags.positive_only = self._view.binarise
        except ConfigError:  # which `fit` will raise
            tags.input_tags.positive_only = self.model_type.view.binarise
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """A fitted model is pickled as its configuration and weights, never as code."""
        state: dict[str, Any] = dict(vars(self))
        if "model_" in state:
            state["model_"] = self.model_.config, self.model_.state_dict()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "model_" in state:
            config, weights = state["model_"]
            with seeded(0):
                self.model_ = self.model_type(config, self._shape)
            self.model_.load_state_dict(weights)
            self.model_.eval()

    # -------- parameters

    def _fitting(self) -> Fitting:
        return from_json(Fitting, {name: getattr(self, name) for name in defaults(Fitting)}, type(self).__name__)

    def _config(self) -> Any:
        """The model's configuration; what could not be a default of a parameter is left to the model."""
        chosen: dict[str, Any] = {}
        for name, default in defaults(self.model_type.Config).items():
            value = getattr(self, name)
            if value is not None or plain(default) is default:
                chosen[name] = value
        return from_json(self.model_type.Config, chosen, type(self).__name__)

    @property
    def _view(self) -> View:
        return self.model_type.view_of(self._config())

    def _training(self, **more: Any) -> Training:
        own = self._fitting()
        asked = {"batch_size": own.batch_size, "learning_rate": own.learning_rate, "device": own.device}
        # Not bf16: rows need not lie in [0, 1], and bf16 cannot tell 100 from 100.2.
        return Training(seed=self._seed + self.n_iter_, precision="float32", **asked, **more)

    # -------- a fit's beginning and end

    def _begin(self, X: Any) -> Part:
        """Check parameters and rows, and make a new model for them."""
        self._fitting()
        config, rows = self._config(), self._rows(X, new=True)
        self._seed = drawn_seed(self.random_state)
        with seeded(self._seed):
            self.model_ = self.model_type(config, self._shape)
        part = self._part(rows)
        self._statistics = statistics(part, self.model_.stages()[0].stream.view)
        self._moments: dict[str, Any] = {}
        self.n_iter_, self.history_ = 0, []
        return part

    def _end(self) -> Self:
        """Rest on the CPU, so that what is pickled here opens anywhere."""
        self.model_.to("cpu").eval()
        blank = np.zeros((1, *self._shape), np.float32)
        self._n_features_out = self._apply(lambda model, x: model.encode(x), blank).shape[1]
        return self

    # -------- arrays in and out

    def _rows(self, X: Any, new: bool = False) -> Rows:
        """Check examples and lay them out in rows."""
        pictures = _picture_shape(X)
        flat: Any = X if pictures is None else np.asarray(X).reshape(len(X), math.prod(pictures))
        rows: Any = validate_data(self, flat, reset=new, dtype=FLOATS)
        if self._view.binarise:
            check_non_negative(rows, type(self).__name__)
        if new:
            self._dtype, self._pictures = rows.dtype, pictures is not None
            self._shape: Shape = self._fitting().image_shape or pictures or (rows.shape[1],)
            self._warn_of_range(rows)
        self._refuse_other_shapes(pictures or (rows.shape[1],))
        return rows

    def _refuse_other_shapes(self, given: Shape) -> None:
        flat = (math.prod(self._shape),)
        if given not in (flat, self._shape):
            kind = "pictures" if len(given) == 3 else "rows"
            wanted = f", or pictures of {_by(self._shape)} (image_shape)" if len(self._shape) == 3 else ""
            raise DataError(f"X has {kind} of {_by(given)}; {type(self).__name__} takes rows of {_by(flat)}{wanted}")

    def _warn_of_range(self, rows: Rows) -> None:
        """Say that a model of pixels or probabilities is given something else; values are never changed."""
        low, high = float(rows.min()), float(rows.max())
        if (self._view.binarise or len(self._shape) == 3) and (low < 0 or high > 1):
            name = type(self).__name__
            warnings.warn(f"X has values from {low:.3g} to {high:.3g}; {name} expects 0 to 1", stacklevel=5)

    def _part(self, rows: Rows) -> Part:
        return Part.of(torch.from_numpy(np.require(rows, np.float32, ["C", "W"])).unflatten(1, self._shape))

    def _seen(self, rows: Rows) -> Rows:
        """Examples as the model sees them."""
        x = rows.reshape(-1, *self._shape)
        known = self._statistics
        return x if known is None else (x - known.mean.numpy()) / known.deviation.numpy()

    def _given(self, x: Rows) -> Rows:
        """The model's examples as they were given to `fit`: pictures, or rows."""
        known = self._statistics
        own = x if known is None else x * known.deviation.numpy() + known.mean.numpy()
        return own.reshape(len(x), *self._shape) if self._pictures else own.reshape(len(x), -1)

    def _apply(self, call: Callable[[Any, Tensor], Tensor], array: Rows, seed: int = 0) -> Rows:
        """Apply the model in the array's own precision, a chunk at a time."""
        device = _device(self.device)
        dtype = torch.float64 if array.dtype == np.float64 and device.type != "mps" else torch.float32
        at_rest = device.type == "cpu" and dtype == torch.float32
        model = self.model_ if at_rest else deepcopy(self.model_).to(device, dtype)
        chunks = [array[first : first + CHUNK] for first in range(0, len(array), CHUNK)]
        with torch.no_grad(), seeded(seed, device):
            answers = [call(model, torch.tensor(chunk, dtype=dtype, device=device)) for chunk in chunks]
        return torch.cat(answers).cpu().numpy().astype(array.dtype, copy=False)


def _picture_shape(X: Any) -> Shape | None:
    """Channels, height and width where examples are pictures; None where they are rows."""
    axes = getattr(X, "ndim", None) or np.asarray(X).ndim
    if axes == 3 or axes > 4:
        raise DataError(f"X has {axes} axes; give rows (n, feature), or pictures (n, channel, height, width)")
    return tuple(np.asarray(X).shape[1:]) if axes == 4 else None


def _by(shape: Shape) -> str:
    return "x".join(str(side) for side in shape)


def _device(asked: str) -> torch.device:
    if asked == "auto":
        asked = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    return torch.device(asked)
