"""A training made ready: its settings completed by the data, its network built from its seed."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches

import torch

from untaught.data.source import Source
from untaught.data.view import example_shape, refuse_to_binarise, statistics
from untaught.errors import ConfigError
from untaught.evaluate.subject import Subject
from untaught.model import Encoding, Model, model_class
from untaught.randomness import seeded
from untaught.runs.run import build
from untaught.runs.settings import Settings
from untaught.training.memory import refuse_weights


def completed(settings: Settings, source: Source) -> Settings:
    """Settings with the source's full spec and the shape of one example as the network will see it.

    Raises:
        DataError: Values would be drawn as 0 or 1, and are no probabilities.
    """
    refuse_to_binarise(source.parts().train, settings.view)
    if settings.encoder is not None:  # what it saw, its new model is to learn from too
        settings = replace(settings, training=replace(settings.training, view=settings.view))
    return replace(settings, data=source.spec, shape=example_shape(source.shape, settings.view))


def built(settings: Settings, device: torch.device, encoder: Model | None = None) -> Model:
    """Build the untrained network, from the training's seed, on a trained model's encoder where one is given.

    Raises:
        ConfigError: Something was said of a stage that the model does not have, or an encoder was given to a model
            that takes none.
        DataError: The encoder saw examples of another shape.
        SizeError: The weights alone do not fit into the device's memory.
    """
    if settings.encoder is None:  # whose size is that of the data it saw
        refuse_weights(
            lambda shape: build(replace(settings, shape=shape)),
            settings.shape,
            model_class(settings.model).recipe,
            device,
        )
    with seeded(settings.training.seed):
        model = build(settings, **({} if encoder is None else {"encoder": Encoding(encoder)}))
    stages = [stage.name for stage in model.stages()]
    said = (("epochs", settings.training.stage_epochs), ("learning-rate", settings.training.stage_learning_rates))
    for flag, name in ((flag, name) for flag, values in said for name in values):
        if name not in stages:
            close = get_close_matches(name, stages, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"its stages: {', '.join(stages)}"
            raise ConfigError(f"--{flag}.{name}: {settings.model} has no stage {name!r}; {hint}")
    return model


def subject_to_train(settings: Settings, source: Source, device: torch.device, encoder: Model | None = None) -> Subject:
    """The untrained network on the data that it is to learn from; when it has learnt, the same subject is measured.

    Raises:
        ConfigError: As `built`.
        DataError: As `built`.
        SizeError: As `built`.
    """
    model, parts = built(settings, device, encoder), source.parts()
    known = statistics(parts.train, settings.view, device)
    return Subject(model.to(device), parts, settings.view, known, source.label_names, device, settings.training.seed)
