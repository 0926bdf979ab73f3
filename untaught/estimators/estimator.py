"""What the estimators of all models share: parameters, a plan, training, applying the model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from copy import deepcopy
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from untaught.ambient import as_torch_begins
from untaught.config import from_json
from untaught.data.scale import BYTE, Values, decided
from untaught.data.source import Source
from untaught.estimators import few_rows
from untaught.estimators.one_pass import one_pass
from untaught.estimators.opened_rows import opened
from untaught.estimators.parameters import USUAL, Fitting, defaults, drawn_seed, model_defaults, plain
from untaught.estimators.rows import End, Layout, Rows, picture_shape, range_of, shape_of_rows
from untaught.model import Encodes, Model, model_name
from untaught.randomness import seeded
from untaught.runs.settings import Training
from untaught.training.fit import fit
from untaught.training.plan import Asked, Plan, choice, plan_for, plan_of

FLOATS: Any = (np.float64, np.float32)
"""Types that rows may have; all others are converted to the first."""
CHUNK = 512
"""Number of rows to which a model is applied at once."""
NO_LABELS = "no_validation"
"""Passed to scikit-learn's validation in place of y when there is none."""


class ModelEstimator(BaseEstimator, ABC):
    """What the estimators of all models share.

    A parameter left at "usual" is chosen by the model from the rows, by `Model.usual`, as on the command line. A value
    that the user sets takes precedence.

    Whatever torch is set to, `no_grad` or another default type, `fit` and the other methods compute as in a fresh
    process, and leave torch as it was. Its generators exist once in a process, so of several threads one at a time
    fits or applies an estimator, and equal seeds give equal results; processes (`n_jobs` with joblib's own backend)
    do so side by side.

    Attributes:
        model_: The trained model, in eval mode, float32, on the CPU.
        n_iter_: Passes over the data.
        n_features_in_: Values in a row.
        history_: Losses during training: dictionaries of epoch, stage and the parts of the loss.
        chosen_: Settings chosen from the rows: fields of the model's configuration, its view and recipe,
            `image_shape`, `value_range` (for rows of a table two tuples, with an end for each column).
        because_: What in the rows led to the model's choices, in words.
    """

    model_type: ClassVar[type[Model]]
    """The model that it trains."""
    labelled: ClassVar[bool] = False
    """Whether it learns from labels."""

    image_shape: tuple[int, int, int] | None
    random_state: Any
    device: str
    model_: Model
    n_iter_: int
    n_features_in_: int
    history_: list[dict[str, Any]]
    chosen_: dict[str, Any]
    because_: str

    @abstractmethod
    def __init__(self) -> None: ...  # takes the fields of the model's configuration and of `Fitting`

    def __getstate__(self) -> dict[str, Any]:
        """A fitted model is pickled as its configuration and its weights, never as code."""
        state: dict[str, Any] = dict(vars(self))
        if "model_" in state:
            model = self.model_
            state["model_"] = model.config, model.example, model.view, model.recipe, model.state_dict()
        return state

    @as_torch_begins()
    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "model_" in state:
            config, example, view, recipe, weights = state["model_"]
            with seeded(0):
                self.model_ = self.model_type(config, example)
            self.model_.view, self.model_.recipe = view, recipe
            self.model_.load_state_dict(weights)
            self.model_.eval()

    @abstractmethod
    def _class_names(self) -> tuple[str, ...]:
        """Names of the classes; empty where labels are not used."""

    # -------- training

    @as_torch_begins()
    def _learn(self, rows: Rows, label: Tensor | None = None) -> Self:
        """Train a new model on all rows and keep the weights with the lowest loss on them."""
        said = self._length(len(rows))
        plan = self._planned(rows, label, **said)
        for record in fit(plan):
            if record.held_out:
                self.history_.append({"epoch": record.epoch, "stage": record.stage, **record.held_out})
        self.n_iter_ = said["epochs"]
        self._moments = {own.stage.name: {} for own in plan.stages}
        return self._rest(plan.model)

    def _length(self, rows: int) -> dict[str, Any]:
        """How long to train on so many rows, and in what batches."""
        own = self._fitting()
        batch = own.batch_size or few_rows.batch_size(rows, self.model_type.recipe.batch_size)
        size = {} if rows >= few_rows.FEW else {"batch_size": batch}
        return {"epochs": own.max_epochs or few_rows.passes(rows, batch, self.labelled), **size}

    @as_torch_begins()
    def _go_on(self, rows: Rows, label: Tensor | None = None) -> Self:
        """Train for one pass from the present weights, or from new ones."""
        said = {"schedule": "constant", "average": 0, "compile": "off", "capture": "off"}
        if "model_" in vars(self):
            plan = self._revised(plan_for(self.model_, self._source(rows, label), self._training(**said)))
        else:
            plan = self._planned(rows, label, **said)
        self.n_iter_ += 1
        for own in plan.stages:
            name = own.stage.name
            losses, self._moments[name] = one_pass(plan, own, self._layout.known, self._moments.get(name))
            self.history_.append({"epoch": self.n_iter_, "stage": name, **losses})
        return self._rest(plan.model)

    def _planned(self, rows: Rows, label: Tensor | None, **said: Any) -> Plan:
        """Make the plan of training a new model."""
        self._seed = drawn_seed(self.random_state)
        self.n_iter_, self.history_, self._moments = 0, [], dict[str, Any]()
        low, high = self._fitting().value_range or self._range(rows, label)
        self._layout = replace(self._layout, low=low, high=high, bounded="value_range" in self._chosen)
        asked = Asked(model_name(self.model_type), self._said(), self._training(**said))
        plan = self._revised(plan_of(self.model_type, asked, self._source(rows, label), _device(self.device)))
        self._layout = replace(self._layout, known=plan.statistics)
        by_rows = {name: value for name, value in self._by_rows.items() if getattr(self, name) == USUAL}
        self.chosen_, self.because_ = self._chosen | by_rows | plan.settings.chosen, plan.settings.because
        return plan

    def _revised(self, plan: Plan) -> Plan:
        """The plan as this kind of estimator trains by it."""
        return plan

    def _rest(self, model: Model) -> Self:
        """Keep a model that is trained, on the CPU, so that a pickle can be loaded on any machine."""
        self.model_ = model.to("cpu").eval()
        if isinstance(model, Encodes):
            blank = torch.zeros(1, *model.shape)
            with torch.no_grad(), seeded(0):
                self._n_features_out = model.encode(blank).shape[1]
        return self

    # -------- parameters

    def _fitting(self) -> Fitting:
        return from_json(Fitting, {name: getattr(self, name) for name in defaults(Fitting)}, type(self).__name__)

    def _open_fields(self) -> Collection[str]:
        """Fields of the model's configuration that may be left at "usual"."""
        return self.model_type.adapts.keys() | few_rows.open_fields(self.model_type, self.labelled).keys()

    def _said(self) -> dict[str, Any]:
        """Fields of the model's configuration that the user set, checked."""
        names = self._class_names()
        said: dict[str, Any] = {"classes": len(names)} if names else {}
        own = defaults(self.model_type.Config)
        for name in model_defaults(self.model_type):
            value = getattr(self, name)
            open_choice = name in self._open_fields() and isinstance(value, str) and value == USUAL
            no_plain_default = value is None and plain(own[name]) is not own[name]
            if not (open_choice or no_plain_default):
                said[name] = value
        said |= {name: value for name, value in self._by_rows.items() if name not in said}
        from_json(self.model_type.Config, said, type(self).__name__)
        return said

    def _training(self, **more: Any) -> Training:
        own = self._fitting()
        asked: dict[str, Any] = {
            "batch_size": own.batch_size,
            "learning_rate": own.learning_rate,
            "device": own.device,
            **more,
        }
        # The number of threads is not tried, so that equal seeds give equal bits.
        asked = {"threads": torch.get_num_threads(), **asked}
        # Not bf16: rows need not lie in [0, 1], and bf16 cannot tell 100 from 100.2.
        return Training(seed=self._seed + self.n_iter_, precision="float32", **asked)

    # -------- arrays in and out

    def _rows(self, X: Any, new: bool = False) -> Rows:
        """Check examples and lay them out in rows."""
        return self._rows_with(X, NO_LABELS, new)[0]

    def _rows_with(self, X: Any, y: Any, new: bool) -> tuple[Rows, Any]:
        """The same, with a label for each; of a reader its own, where none are given."""
        given, own = opened(X)
        y = own if y is None and own is not None else y
        pictures, name = picture_shape(given), type(self).__name__
        flat: Any = given if pictures is None else np.asarray(given).reshape(len(given), -1)
        checked: Any = validate_data(self, flat, y, reset=new, dtype=FLOATS)
        rows, label = (checked, None) if isinstance(y, str) and y == NO_LABELS else checked
        if new:
            self._whole = np.asarray(given).dtype.kind in "iu"
            self._begin(rows, pictures)
        self._layout.refuse_others(pictures or (rows.shape[1],), name)
        return rows, label

    def _begin(self, rows: Rows, pictures: tuple[int, ...] | None) -> None:
        """Decide how rows become the model's examples; an earlier model, of other examples, is forgotten."""
        vars(self).pop("model_", None)
        self._dtype, self._chosen, self._by_rows = rows.dtype, dict[str, Any](), self._for_rows(len(rows))
        shape = self._fitting().image_shape or pictures or shape_of_rows(self.model_type, rows.shape[1])
        if pictures is None and shape != (rows.shape[1],) and self.image_shape is None:
            self._chosen["image_shape"] = shape
        self._layout = Layout(shape, pictures is not None)

    def _for_rows(self, rows: int) -> dict[str, Any]:
        """Fields of the model's configuration that follow from the number of rows, where the user leaves them open."""
        return few_rows.chosen(rows, self.model_type, self.labelled)

    def _range(self, rows: Rows, label: Tensor | None) -> tuple[End, End]:
        """Values of rows that become 0 and 1; unchanged unless the model needs probabilities and some leave [0, 1]."""
        inside = float(rows.min()) >= 0 and float(rows.max()) <= 1
        if inside or not self._takes_probabilities(self._source(rows, label)):
            return 0.0, 1.0
        self._chosen["value_range"] = self._range_of_whole(rows) or range_of(rows, each=len(self._layout.shape) == 1)
        return self._chosen["value_range"]

    def _range_of_whole(self, rows: Rows) -> tuple[End, End] | None:
        """The range of whole numbers that have a white, as files of them have; None for all others."""
        values = Values(float(rows.min()), float(rows.max()), whole=True)
        if not self._whole or values.low < 0 or values.high > BYTE:
            return None
        one = decided(values, len(self._layout.shape) == 3, "X", None).one
        return None if one == 1 else (0.0, float(one))

    def _takes_probabilities(self, source: Source) -> bool:
        """Whether the model, as configured for these data, treats values as probabilities of ones."""
        model = self.model_type
        _, config, view = choice(model, Asked(model_name(model), self._said()), source)
        return view.binarise or (view.standardise == "none" and model.takes_probabilities(config))

    def _source(self, rows: Rows, label: Tensor | None) -> Source:
        """Rows as a source. All are in every part; holding some out is left to cross-validation."""
        part = self._layout.part(rows, label)
        return Source("rows", part, validation=part, test=part, label_names=self._class_names())

    def _seen(self, X: Any) -> Rows:
        """Examples as the fitted model sees them."""
        check_is_fitted(self, "model_")
        return self._layout.seen(self._rows(X))

    @as_torch_begins()
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


def _device(asked: str) -> torch.device:
    if asked == "auto":
        asked = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    return torch.device(asked)
