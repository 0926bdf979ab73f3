"""The scikit-learn face of every model that encodes pictures or vectors.

The class `RBM` has the estimator `RBMEstimator`, made when it is first asked for: its parameters are the fields of the
model's configuration and those of `Fitting`, its methods what the model is capable of. It fits on every row, in
float32, and answers in the precision of what it is given.

Example:
    Half as many numbers as pixels tell a linear classifier about as much.

    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from untaught.estimators import AutoencoderEstimator
    >>> pixels, digit = load_digits(return_X_y=True)
    >>> features = AutoencoderEstimator(latent=32, hidden=(200,), batch_size=16, learning_rate=3e-3, random_state=0)
    >>> classifier = make_pipeline(features, LogisticRegression(max_iter=1000))
    >>> accuracy = classifier.fit(pixels[:1400] / 16, digit[:1400]).score(pixels[1400:] / 16, digit[1400:])
    >>> bool(accuracy > 0.85)
    True
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from untaught.config import fields
from untaught.estimators.capable import FACES
from untaught.estimators.estimator import ModelEstimator
from untaught.estimators.parameters import Fitting, defaults, plain
from untaught.model import Encodes, Model, model_class, model_names


@cache
def estimator_class(model: type[Model]) -> type[ModelEstimator]:
    """Make a model's estimator; that of a model outside `models/` cannot be pickled.

    Raises:
        TypeError: A field of the model's configuration has the name of one of `Fitting`'s.
    """
    own, shared = defaults(model.Config), defaults(Fitting)
    if own.keys() & shared.keys():
        raise TypeError(
            f"{model.__name__}.Config has fields of every estimator's: {sorted(own.keys() & shared.keys())}"
        )
    faces = [face for capability, face in FACES.items() if issubclass(model, capability)]
    members = {
        "__module__": __name__,
        "__doc__": _docstring(model),
        "__init__": _constructor(own | shared),
        "model_type": model,
    }
    return type(f"{model.__name__}Estimator", (*faces, ModelEstimator), members)


def all_estimators() -> list[tuple[str, type[ModelEstimator]]]:
    """Name and class of the estimator of every model that encodes, but of video, and those that need labels.

    Example:
        >>> dict(all_estimators())["RBMEstimator"](hidden=3)
        RBMEstimator(hidden=3)
    """
    models = [model_class(name) for name in model_names()]
    plain = [model for model in models if model.smoke.frames is None and not defaults(model.Config).get("classes")]
    made = [estimator_class(model) for model in plain if issubclass(model, Encodes)]
    return [(estimator.__name__, estimator) for estimator in made]


def expected_failed_checks(estimator: ModelEstimator) -> dict[str, str]:
    """What `parametrize_with_checks` asks for."""
    return estimator.expected_failed_checks


def __getattr__(name: str) -> type[ModelEstimator]:
    """Find an estimator by its name, for imports and for pickles."""
    if name.endswith("Estimator"):
        for own, estimator in all_estimators():
            if own == name:
                return estimator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _constructor(defaults: dict[str, Any]) -> Callable[..., None]:
    """Make an `__init__` that stores its parameters unchanged, as scikit-learn's `clone` needs it."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(name, keyword, default=plain(value)) for name, value in defaults.items()]
    signature = inspect.Signature([inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY), *parameters])

    def __init__(self: object, **given: Any) -> None:  # noqa: N807
        bound = signature.bind(self, **given)
        bound.apply_defaults()
        vars(self).update({name: value for name, value in bound.arguments.items() if name != "self"})

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    return __init__


def _docstring(model: type[Model]) -> str:
    """Documentation as scikit-learn shows it beside an estimator's parameters."""
    about = (inspect.getdoc(model) or model.__name__).splitlines()[0]
    lines = [about, "", "Parameters", "----------"]
    for field in (*fields(model.Config), *fields(Fitting)):
        lines += [f"{field.name} : {field.type}, default={field.default}", f"    {' '.join(field.text.split())}"]
    return "\n".join(lines) + "\n"
