"""A case for an estimator: odd arrays and parameters; it answers, or raises what scikit-learn's users expect."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

from fuzz.damage import VALUES
from fuzz.inputs import noise
from fuzz.judge import TooLongError, called
from untaught.errors import UntaughtError
from untaught.estimators import all_estimators

EXPECTED = (ValueError, TypeError, UntaughtError)
METHODS = ("transform", "predict", "predict_proba", "score", "score_samples", "inverse_transform", "sample")
ODD: tuple[Callable[[Any], Any], ...] = (
    lambda x: x,
    lambda x: x,
    lambda x: x[:1],
    lambda x: x[:0],
    lambda x: x[:, :1],
    lambda x: x[:, :0],
    lambda x: x.astype("float16"),
    lambda x: x.astype("int8"),
    lambda x: x.astype(complex),
    lambda x: x.astype(object),
    lambda x: x.astype(str),
    lambda x: x.tolist(),
    lambda x: x.reshape(len(x), 1, -1),
    lambda x: x[0],
    lambda x: x * np.nan,
    lambda x: x * 1e30,
    lambda x: -x,
    lambda x: x * 0,
    lambda x: np.asfortranarray(x)[::-1],
    lambda x: np.ma.masked_less(x, 0.5),
    lambda x: None,
    lambda x: "words",
    lambda x: _sparse(x),
)
LABELS: tuple[Callable[[Any], Any], ...] = (
    lambda y: y,
    lambda y: y,
    lambda y: y.astype(str),
    lambda y: y.astype(float),
    lambda y: y * 0,
    lambda y: y - 1,
    lambda y: y + 0.5,
    lambda y: y[:-1],
    lambda y: y * np.nan,
    lambda y: np.eye(3)[y],
    lambda y: None,
    lambda y: y * 10**12,
    lambda y: y.astype(object),
)


def estimator_faults(number: int) -> tuple[str, list[str]]:
    """Draw a case by its number, run it, and give what it was and what is wrong with it."""
    draw = Random(number)
    name, kind = draw.choice(all_estimators())
    x, y = draw.choice(ODD)(noise(draw, 12, 9) / 255), draw.choice(LABELS)(np.arange(12) % 3)
    parameters: dict[str, Any] = {"max_epochs": 1, "random_state": 0}
    for _ in range(draw.choice([0, 0, 1])):
        parameters[draw.choice(sorted(kind().get_params()))] = draw.choice(VALUES)
    other = draw.choice(ODD)(noise(draw, 5, 9) / 255)
    told = f"{name}({', '.join(f'{key}={value!r}' for key, value in parameters.items())}).fit({_of(x)}, {_of(y)})"
    endless = 10**9 in parameters.values()
    estimator = kind(**parameters)
    acts: list[tuple[str, Callable[[], object]]] = [("fit", lambda: estimator.fit(x, y))]
    acts += [(method, _call(estimator, method, other)) for method in METHODS if method in dir(estimator)]
    wrong: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for method, act in acts:
            raised = called(act)
            if isinstance(raised, TooLongError) and endless:
                break  # who asks for so many steps gets them
            if raised is not None and not isinstance(raised, EXPECTED):
                wrong.append(f"{method}({_of(other)}):\n{''.join(traceback.format_exception(raised))}")
            if method == "fit" and raised is not None:
                break
    return told, wrong


def _call(estimator: Any, method: str, x: Any) -> Callable[[], object]:
    if method == "sample":
        return lambda: estimator.sample(3)
    return lambda: getattr(estimator, method)(x)


def _of(x: Any) -> str:
    return f"{x.dtype}{x.shape}" if isinstance(x, np.ndarray) else f"{type(x).__name__}"


def _sparse(x: Any) -> Any:
    from scipy.sparse import csr_array

    return csr_array(x)
