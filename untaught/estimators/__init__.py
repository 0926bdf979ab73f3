"""A scikit-learn estimator for every model that encodes or classifies pictures or vectors.

The model `RBM` has the transformer `RBMEstimator`, which learns without labels. A model that classifies has a
classifier: there are `DBNClassifier` and `DBNEstimator`, but only `SoftmaxClassifier`, since softmax regression needs
labels. The classes are separate because scikit-learn must know from the class whether `fit` needs labels and what
`score` means. A classifier whose model encodes is also a transformer, whose features are learnt with labels.

Estimators are created on first access. Their parameters are the fields of the model's configuration and those of
`Fitting`; their methods follow from the model's capabilities. They fit on all rows, in float32, and return arrays in
the precision of their input. `score_samples`, lower for what is more unusual, is the log-likelihood, the negative free
energy or the negative reconstruction error.

Threads may share a process: they take turns, so that a fixed `random_state` gives what it gives alone (`ambient.py`).

A parameter left at "usual" is chosen by the model from the rows; `chosen_` then holds what was chosen.

Example:
    Half as many features as pixels serve a linear classifier about as well.

    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from untaught.estimators import AutoencoderEstimator
    >>> pixels, digit = load_digits(return_X_y=True)
    >>> features = AutoencoderEstimator(
    ...     latent=32, hidden=(64,), batch_size=16, learning_rate=3e-3, max_epochs=5, random_state=0
    ... )
    >>> classifier = make_pipeline(features, LogisticRegression(max_iter=1000))
    >>> accuracy = classifier.fit(pixels[:700] / 16, digit[:700]).score(pixels[1400:] / 16, digit[1400:])
    >>> bool(accuracy > 0.85)
    True

    A classifier takes labels as they are.

    >>> from untaught.estimators import SoftmaxClassifier
    >>> name = ["odd" if d % 2 else "even" for d in digit[:700]]
    >>> parity = SoftmaxClassifier(random_state=0).fit(pixels[:700] / 16, name)
    >>> " ".join(parity.predict(pixels[:4] / 16))
    'even odd even odd'
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from untaught.config import fields
from untaught.estimators import few_rows
from untaught.estimators.capable import FACES
from untaught.estimators.classifier import Classifier
from untaught.estimators.estimator import ModelEstimator
from untaught.estimators.parameters import USUAL, Fitting, defaults, model_defaults, plain
from untaught.estimators.unlabelled import Unlabelled
from untaught.model import Classifies, Encodes, Model, Reconstructs, learns_classes, model_class, model_names


@cache
def estimator_class(model: type[Model]) -> type[ModelEstimator]:
    """Make the transformer for a model that encodes; for a model outside `models/` it cannot be pickled.

    Raises:
        TypeError: A field of the model's configuration has the name of one of `Fitting`'s.
    """
    faces = [face for capability, face in FACES.items() if issubclass(model, capability)]
    return _made(
        f"{model.__name__}Estimator",
        model,
        (Unlabelled, *faces),
        {},
        {**model.adapts, **few_rows.open_fields(model, labelled=False)},
    )


@cache
def classifier_class(model: type[Model]) -> type[ModelEstimator]:
    """Make the classifier for a model that classifies; its name ends in `Classifier` only once.

    Raises:
        TypeError: A field of the model's configuration has the name of one of `Fitting`'s.
    """
    # The score of a classifier is its accuracy, not its reconstruction error.
    faces = [face for kind, face in FACES.items() if issubclass(model, kind) and kind is not Reconstructs]
    changed, by_rows = few_rows.tuned_by_labels(model), few_rows.open_fields(model, labelled=True)
    name = f"{model.__name__.removesuffix('Classifier')}Classifier"
    return _made(name, model, (Classifier, *faces), changed, {**model.adapts, **by_rows})


def _made(
    name: str,
    model: type[Model],
    bases: tuple[type[ModelEstimator], ...],
    changed: Mapping[str, Any],
    rules: Mapping[str, str],
) -> type[ModelEstimator]:
    """Make an estimator; `changed` are defaults of its own, and `rules` say how fields are chosen from the rows."""
    own = {**model_defaults(model), **changed, **dict.fromkeys(rules.keys() & model_defaults(model).keys(), USUAL)}
    shared = {name: plain(value) for name, value in defaults(Fitting).items()}
    if own.keys() & shared.keys():
        raise TypeError(
            f"{model.__name__}.Config has fields of every estimator's: {sorted(own.keys() & shared.keys())}"
        )
    members = {
        "__module__": __name__,
        "__doc__": _docstring(model, own, rules),
        "__init__": _constructor(own | shared),
        "model_type": model,
    }
    return type(name, bases, members)


def all_estimators() -> list[tuple[str, type[ModelEstimator]]]:
    """Name and class of every estimator; models of video have no estimator.

    Example:
        >>> dict(all_estimators())["RBMEstimator"](hidden=3)
        RBMEstimator(hidden=3)
    """
    return list(_estimators(model_names()).items())


def __getattr__(name: str) -> type[ModelEstimator]:
    """Find an estimator by its name, for imports and for pickles."""
    found = _estimators(model_names()) if name.endswith(("Estimator", "Classifier")) else {}
    if name not in found:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found[name]


@cache
def _estimators(models: tuple[str, ...]) -> dict[str, type[ModelEstimator]]:
    """Estimators of models that see no video, by name."""
    made: list[type[ModelEstimator]] = []
    for model in map(model_class, models):
        if model.smoke.frames is None:
            made += [estimator_class(model)] if issubclass(model, Encodes) and not learns_classes(model) else []
            made += [classifier_class(model)] if issubclass(model, Classifies) else []
    return {estimator.__name__: estimator for estimator in made}


def _constructor(defaults: dict[str, Any]) -> Callable[..., None]:
    """Make an `__init__` that stores its parameters unchanged, as scikit-learn's `clone` requires."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(name, keyword, default=value) for name, value in defaults.items()]
    signature = inspect.Signature([inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY), *parameters])

    def __init__(self: object, **given: Any) -> None:  # noqa: N807
        bound = signature.bind(self, **given)
        bound.apply_defaults()
        vars(self).update({name: value for name, value in bound.arguments.items() if name != "self"})

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    return __init__


def _docstring(model: type[Model], usual: Mapping[str, Any], rules: Mapping[str, str]) -> str:
    """The estimator's docstring, with its parameters in scikit-learn's format."""
    about = (inspect.getdoc(model) or model.__name__).splitlines()[0]
    lines = [about, "", "Parameters", "----------"]
    own = [field for field in fields(model.Config) if field.name in usual]
    for field in (*own, *fields(Fitting)):
        text = " ".join([*field.text.split(), *_choice(rules, field.name)])
        set_anew = field.name in usual and usual[field.name] != plain(field.value)
        default = repr(usual[field.name]) if set_anew else field.default
        lines += [f"{field.name} : {field.type}, default={default}", f"    {text}"]
    return "\n".join(lines) + "\n"


def _choice(rules: Mapping[str, str], name: str) -> list[str]:
    """How a field is chosen from the rows, for the documentation of the parameter."""
    return [f'"{USUAL}" lets the rows choose it: {rules[name]}.'] if name in rules else []
