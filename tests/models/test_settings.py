"""No setting is ignored: whichever one is changed, the model is built, learns or answers otherwise.

What a setting does is for the tests of each model. Here every field of every configuration is given another value, and
everything that the model then does from the same seed is compared. A setting that is effective only together with
others, or whose other value cannot be guessed from its type, stands in `TOGETHER`.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
import torch
from capability_checks import per_example
from subject import Subject, examples, held_out_of, subjects
from torch import Tensor

from untaught.config import FieldDescription, fields, from_json, to_json, values
from untaught.errors import ConfigError, UntaughtError
from untaught.model import Completes, Decodes, Encodes, LowerBound, Model, Samples, model_class, model_names
from untaught.randomness import seeded

CONVOLVED = {"network": "convolution", "hidden": [3]}
GAME = {"adversarial": 0.5, "judge": [3, 4, 5]}
BEGUN = {"start": "random", "output": "linear", "latent": 2}
SMALL = {"network": "convolution", "generator": [3], "discriminator": [3]}
ADVERSARIES: dict[str, tuple[dict[str, Any], Any]] = {
    "kernel": (SMALL, 3), "stride": (SMALL, 1), "reference": ({"generator_norm": "virtual"}, 2),
    "network": ({"generator": [3], "discriminator": [3]}, "convolution"), "dropout": ({}, [0.4]), "noise": ({}, [0.4]),
}  # fmt: skip
TOGETHER: dict[str, dict[str, tuple[dict[str, Any], Any]]] = {
    "autoencoder": {
        **{name: (CONVOLVED, value) for name, value in (("kernel", 3), ("stride", 1), ("pool", 2))},
        "hidden": ({}, [5, 3]), "network": ({"hidden": [5]}, "convolution"),
        "start": (BEGUN, "pca"),
        "pretraining": ({"activation": "sigmoid"}, "rbm"),
    },
    **dict.fromkeys(("augmented-classifier", "swwae"), {"grid": ({"maps": [3], "convolutions": [1]}, 1)}),
    **dict.fromkeys(("bigan", "conditional-gan", "feature-matching-gan", "gan"), ADVERSARIES),
    "boltzmann": {
        "mean_field_sweeps": ({}, 3), "temperatures": ({}, [3.0, 1.0]), "recall": ({}, [1.0, 0.7]),
        "groups": ({}, 2), "clamped": ({}, "exact"), "free": ({}, "exact"),
    },
    "convolutional-dbn": {"deviation": ({"visible": "gaussian"}, 0.5), "kernels": ({}, [3]), "sparsity": ({}, [0.05])},
    "convolutional-rbm": {"deviation": ({"visible": "gaussian"}, 0.5), "kernel": ({}, 3), "sparsity": ({}, 0.05),
        "pool": ({"sparsity": 0.05}, 3)},
    "dbm": {"hidden": ({}, [3, 5]), "sweeps": ({"sweeps": 1}, 2)},
    "dbn": {"fine_tuning": ({}, "none"), "pretraining": ({}, False)},
    "discriminative-rbm": {"objective": ({}, "generative")},
    "finetuned-classifier": {"network": ({}, "convolution")},
    "hashing-autoencoder": {
        **{name: (CONVOLVED, value) for name, value in (("kernel", 3), ("stride", 1), ("pool", 2))},
        "hidden": ({}, [5, 3]), "network": ({"hidden": [5]}, "convolution"),
        "start": (BEGUN, "pca"),
    },
    "pgn": {
        "decoder_kernels": ({}, [3]), "dense": ({"core": "lstm", "units": 48}, True), "kernels": ({}, [3]),
        "motion": ({"units": 5}, True), "target": ({"residual": False}, "last"), "core": ({}, "convlstm"),
        "filters": ({}, [4]), "strides": ({}, [1]), "pools": ({}, [2]), "paddings": ({}, ["full"]),
        "saturate": ({"residual": False}, False), "scheduled_sampling": ({"residual": False}, 0.9),
        "always_true": ({"residual": False, "scheduled_sampling": 0.9}, 2),
        "noise": ({"core": "lstm", "dense": True, "units": 5, "residual": False}, 3),
        "skips": ({"filters": [3, 4], "residual": False}, True), "seen": ({"residual": False}, 2),
        "squared_error": (GAME, 2.0), "judge": (GAME, [3, 4, 6]), "judge_optimiser": (GAME, "adam"),
        "adversarial": (GAME, 0.7),
    },
    "video-classifier": {"weights": ({}, 900)},
    "predictive-encoder": {
        "kernel": (CONVOLVED, 3), "stride": (CONVOLVED, 2),
        "network": ({"hidden": [3]}, "convolution"),
    },
    "rbm": {
        "learn_deviation": ({"visible": "gaussian"}, True), "growing": ({"gibbs_steps": 5}, True),
        "sparsity": ({}, 0.1), "sparsity_cost": ({"sparsity": 0.1}, 0.5),
    },
    "sigmoid-belief": {"sweeps": ({"inference": "factorial"}, 2), "visible_bias": ({}, -4.0)},
}  # fmt: skip
"""For a setting: what else is set, and its other value."""
REFUSED = "refused"
ELSEWHERE = {
    "vae-hidden_labels": "matters where there are classes, whose labels it hides: test_vae",
    "finetuned-classifier-fine_tuning": "matters where an encoder is given: test_finetuned_classifier",
}
LATER = frozenset(
    (
        "augmented-classifier",
        "bigan",
        "boltzmann",
        "conditional-gan",
        "contractive-autoencoder",
        "convolutional-dbn",
        "convolutional-rbm",
        "cycle-gan",
        "dbm",
        "dbn",
        "denoising-autoencoder",
        "discriminative-rbm",
        "feature-matching-gan",
        "finetuned-classifier",
        "hashing-autoencoder",
        "iwae",
        "monte-carlo-generator",
        "predictive-encoder",
        "rtrbm",
        "semi-supervised-vae",
        "sigmoid-belief",
        "swwae",
    )
)
"""Models that share most of their settings with one that is looked at each time; theirs are slow tests."""
EVERY = [
    pytest.param(name, field, id=f"{name}-{field.name}", marks=pytest.mark.slow if name in LATER else ())
    for name in model_names()
    for field in fields(model_class(name).Config)
    if f"{name}-{field.name}" not in ELSEWHERE
]


@pytest.mark.parametrize(("name", "field"), EVERY)
def test_no_setting_is_ignored(name: str, field: FieldDescription) -> None:
    tried: list[str] = []
    for context, others in ways(name, field):
        given = to_json(from_json(model_class(name).Config, {**values(model_class(name).smoke.config), **context}))
        before = behaviour(name, json.dumps(given))
        for value in others or alternatives(field.hint, given[field.name]):
            assert value != given[field.name], "the same value"
            if behaviour(name, json.dumps({**given, field.name: value})) != before:
                return
            tried.append(f"{value} under {context}" if context else str(value))
    raise AssertionError(f"{field.name}: all the same with {'; '.join(tried)}")


def ways(name: str, field: FieldDescription) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """What else is set, and the other values: as `TOGETHER` says, else each other choice of another field."""
    if field.name in TOGETHER.get(name, {}):
        context, value = TOGETHER[name][field.name]
        yield context, [value]
        return
    yield {}, []
    usual = to_json(model_class(name).smoke.config)
    for other in fields(model_class(name).Config):
        if other.name != field.name and get_origin(bare(other.hint)) is Literal:
            for choice in alternatives(other.hint, usual[other.name]):
                if behaviour(name, json.dumps({**usual, other.name: choice}))[0] != REFUSED:
                    yield {other.name: choice}, []


def bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def alternatives(hint: Any, value: Any) -> list[Any]:
    """Other values of the same type, some of which its limits allow."""
    kind = bare(hint)
    if get_origin(kind) is Literal:
        return [other for other in get_args(kind) if other != value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, list):
        return [[*value[:-1], value[-1] + 1]]
    if isinstance(value, int):
        return [value + 1]
    # Half of a number, or what lies half way to 1: a limit may stand on either side.
    return [0.4, 3] if value is None else [value / 2 or 0.4, (1 + value) / 2]


@cache
def behaviour(name: str, config: str) -> tuple[Any, ...]:
    """All that a model of this configuration is, learns and answers, in words and numbers; or why it is refused."""
    try:
        return behaves(name, config)
    except UntaughtError as error:
        return REFUSED, str(error)


def behaves(name: str, config: str) -> tuple[Any, ...]:
    """The same of one that is not refused."""
    cls = model_class(name)
    with seeded(0), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = cls(from_json(cls.Config, json.loads(config)), cls.smoke.example)
        told: list[Any] = [str(cls.view_of(model.config)), cls.takes_probabilities(model.config)]
        told += [repr((stage.name, stage.recipe, stage.stream)) for stage in model.stages()]
        for subject in subjects(model):
            told += learnt(subject)
        told += answers(model.eval())
    return tuple(value.tolist() if isinstance(value, Tensor) else value for value in told)


def learnt(subject: Subject) -> Iterator[Any]:
    """Initial state, two steps with their losses and gradients, and what is held out."""
    learner = subject.learner
    player = learner.players[subject.player]
    yield from (learner.monitor, str(subject.optimiser), player.updates, *subject.parameters)
    yield from (value.clone() for value in learner.state_dict().values())
    for progress in (0.4, 1.0):
        learner.train().zero_grad()
        with seeded(1):
            loss = learner.loss(subject.batch, subject.player, torch.tensor(progress))
        loss.total.backward()
        yield from (loss.total, *loss.parts.values())
        yield from (value.grad for value in subject.parameters.values())
        yield from (value.clone() for value in learner.buffers())
        torch.optim.SGD(subject.parameters.values(), 0.1).step()
    held = held_out_of(subject)
    yield from (held.total, *held.parts.values())


@torch.no_grad()
def answers(model: Model) -> Iterator[Any]:
    """What it says of examples, and what it draws."""
    x = examples(model.smoke)
    try:
        yield from per_example(model, x).values()
    except ConfigError as refused:
        yield str(refused)
    with seeded(3):
        if isinstance(model, Samples):
            yield model.sample(4)
        if isinstance(model, Completes):
            yield model.complete(x, torch.arange(x[0].numel()).reshape(x.shape[1:]) % 2 == 0)
        if isinstance(model, LowerBound):
            yield model.unnormalised_bound(x)
        if isinstance(model, Decodes) and isinstance(model, Encodes):
            yield model.decode(model.encode(x))
