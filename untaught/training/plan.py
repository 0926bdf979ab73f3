"""The plan of a training: everything that depends on the user's settings and the data, decided before the first step.

    Asked    the user's settings: a model, fields of its configuration, how to train; the rest is open
    Plan     the model built, and for each stage its recipe, optimisers, streams and length

The command line, comparisons, papers' tables, estimators, the rehearsal and the loop take a plan and decide
nothing again. The user's settings take precedence, then those that the model chooses from the data, then its defaults.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, Literal

import torch
from torch import nn

from untaught.ambient import as_torch_begins
from untaught.config import from_json, to_json, values
from untaught.data.batches import collect, window
from untaught.data.channels import with_channels
from untaught.data.labels import as_labelled, clip_labels
from untaught.data.part import Part
from untaught.data.source import Parts, Source, open_data
from untaught.data.view import Statistics, View, example_shape, refuse_to_binarise, statistics
from untaught.errors import ConfigError, DataError
from untaught.evaluate.subject import Subject
from untaught.model import (
    Encoding,
    Learner,
    Model,
    Stage,
    Stream,
    TakesEncoder,
    Usual,
    learns_classes,
    model_class,
    model_name,
    model_names,
)
from untaught.nn.targets import LABEL_LOSSES
from untaught.randomness import seeded
from untaught.recipe import SEARCHING, USUAL_RATES, WITH_MOMENTUM, Optimiser, Recipe, Rule
from untaught.runs.encoders import Given
from untaught.runs.matching import as_trained, class_names
from untaught.runs.settings import Settings, Training
from untaught.shapes import Example
from untaught.training.memory import refuse_weights

LOOKED_AT = 256
"""Examples from which a model chooses settings that suit the data."""


@dataclass(frozen=True)
class Asked:
    """A training as the user asks for it."""

    model: str
    """The system's name."""
    config: Mapping[str, Any] = field(default_factory=lambda: {})
    """The fields of its configuration that the user set."""
    training: Training = Training()
    """How to train."""
    encoder: Given | nn.Module | None = None
    """The encoder to build on, for models that take one: a run's or a file's, or a network of your own."""
    size: tuple[int, int] | None = None
    """Height and width to which the source's pictures were resized."""
    on_bad: Literal["stop", "skip"] = "stop"
    """What was done with broken files."""
    held: Settings | None = None
    """Settings of the run that is continued, which are kept as they are."""

    @property
    def given(self) -> Given | None:
        """The encoder and where it comes from."""
        own = Encoding(self.encoder) if isinstance(self.encoder, Model) else self.encoder
        return Given(own) if isinstance(own, nn.Module) else own


@dataclass(frozen=True)
class StreamPlan:
    """One stream of a stage."""

    view: View
    """How it is cut."""
    parts: Parts
    """The parts that it is drawn from."""
    statistics: Statistics | None
    """Mean and deviation by which it is standardised."""
    batch_size: int


@dataclass(frozen=True)
class StagePlan:
    """One stage."""

    stage: Stage
    recipe: Recipe
    """The stage's recipe, changed by the user's settings."""
    optimisers: Mapping[str, Optimiser]
    """The optimiser of each player."""
    main: StreamPlan
    beside: Mapping[str, StreamPlan]
    epochs: float | None
    """Passes over the main stream; None: the stage ends by time, or at a stall."""
    minutes: float | None
    """Time to take; without it and epochs, the stage ends at a stall or after the default time."""
    share: float
    """Fraction of the whole training's default time that this stage may take."""
    updates: int | None = None
    """Number of steps; if set, passes and minutes are ignored."""

    @property
    def draws(self) -> int:
        """Batches in one step: the largest number of updates of any player."""
        return max(player.updates for player in self.stage.learner.players.values())


@dataclass(frozen=True)
class Plan:
    """Everything about a training, decided before it begins."""

    settings: Settings
    """The content of config.json."""
    model: Model
    """The model, built and untrained."""
    source: Source
    stages: tuple[StagePlan, ...]
    statistics: Statistics | None
    """Mean and deviation of the training part, if the view standardises."""
    other: Source | None = None
    """The second source, for models that learn from two."""

    @property
    def training(self) -> Training:
        """How it is trained."""
        return self.settings.training

    def of_updates(self, updates: Sequence[int]) -> Plan:
        """The same training for given numbers of steps, one for each stage."""
        stages = [replace(own, updates=count) for own, count in zip(self.stages, updates, strict=True)]
        return replace(self, stages=tuple(stages))

    def subject(self, device: torch.device | str = "cpu") -> Subject:
        """The model with its data, to be measured after training."""
        known, names = self.statistics, self.source.label_names
        own = None if known is None else known.to(device)
        model, seed = self.model.to(device), self.training.seed
        other = None if self.other is None else as_trained(self.other, self.settings).parts()
        view, name = self.settings.view, self.source.name
        return Subject(model, self.source.parts(), view, own, names, device, seed, name=name, other=other)


def plan(asked: Asked, source: Any, device: torch.device | str = "cpu", other: Any = None) -> Plan:
    """Make the plan of a training.

    Args:
        asked: The user's settings.
        source: The data: a source, or anything that `open_data` opens.
        device: The device whose memory must hold the weights.
        other: The second source, or what `open_data` opens, for models that learn from two. It is read as the first
            one is: what is white there is white here, and pictures have as many channels.

    Raises:
        ConfigError: A value is not allowed, the model has no stage of a given name, or an encoder or second source is
            given to a model that takes none or is missing for one that needs it.
        DataError: The data do not suit the model.
        SizeError: The weights alone do not fit into the device's memory.
    """
    cls = model_class(asked.model)
    first = _opened(source, asked, cls)
    made = plan_of(cls, asked, first, device, None if other is None else _second(other, asked, cls, first))
    _refuse_one_class(made)
    return made


def _opened(data: Any, asked: Asked, cls: type[Model], scale: float | None = None) -> Source:
    """The data as a source; for a model of video, pictures that follow one another are frames."""
    return open_data(data, size=asked.size, on_bad=asked.on_bad, scale=scale, video=cls.smoke.frames is not None)


def _second(data: Any, asked: Asked, cls: type[Model], first: Source) -> Source:
    """The second source, read as the first one: of dark pictures beside bright ones, dark grey is not white."""
    scale = first.scale if asked.held is None else asked.held.other_scale
    second = _opened(data, asked, cls, scale)
    second = with_channels(second, first.shape[0]) if len(first.shape) == 3 else second
    if None in (first.scale, second.scale) or first.scale == second.scale:
        return second
    told = f"{second.spec}: {second.scale:g} is white, and in the first source {first.scale:g}"
    return replace(second, notes=(*second.notes, told))


@as_torch_begins()
def plan_of(
    cls: type[Model], asked: Asked, source: Source, device: torch.device | str = "cpu", other: Source | None = None
) -> Plan:
    """The same for a class outside `models/` too; `asked.model` is only the name to record."""
    usual, config, view = choice(cls, asked, source)
    example = Example(example_shape(source.shape, view), window(source.parts().train, view))
    model = _built_as_chosen(cls, config, example, asked, torch.device(device), usual)
    model.view = view
    if usual.recipe is not None:
        model.recipe = usual.recipe
    settings = Settings(
        model=asked.model,
        shape=example.shape,
        frames=example.frames,
        config=to_json(config),
        data=source.spec,
        other=None if other is None else other.spec,
        size=asked.size,
        on_bad=asked.on_bad,
        scale=source.scale,
        other_scale=None if other is None else other.scale,
        classes=class_names(source) if asked.held is None else asked.held.classes,
        read=source.notes,
        training=asked.training,
        seen=view,
        encoder=None if asked.given is None else asked.given.recorded,
        **_chosen(cls, usual, asked, config, view),
    )
    return decided(model, settings, source, other)


@as_torch_begins()
def choice(cls: type[Model], asked: Asked, source: Source) -> tuple[Usual, Any, View]:
    """Settings that suit a source, the configuration with the user's settings, and the view."""
    if asked.held is not None:
        recipe = asked.held.chosen.get("recipe")
        usual = Usual(view=asked.held.view, recipe=None if recipe is None else from_json(Recipe, recipe))
        return usual, from_json(cls.Config, asked.held.config, asked.model), asked.held.view
    usual = _undisputed(usual_for(cls, source), asked)
    if asked.given is not None and asked.given.view is not None:
        usual = replace(usual, view=None)
    config = from_json(cls.Config, {**_counted_classes(cls, source), **usual.config, **asked.config}, asked.model)
    return usual, config, asked.training.changed(_view(cls, config, usual, asked.given))


@as_torch_begins()
def plan_for(model: Model, source: Source, training: Training | None = None, other: Source | None = None) -> Plan:
    """Make the plan for a model that is already built; its weights become float32, in which models are trained.

    Raises:
        ConfigError: The model has no stage of a given name.
        DataError: The data do not suit the model.
    """
    training = training or Training()
    _made_trainable(model)
    held = model.given.get("encoder") if isinstance(model, TakesEncoder) else None
    given = None if held is None else Given(held)
    view = model.view = training.changed(model.view)
    settings = Settings(
        model=model_name(model),
        shape=model.shape,
        frames=model.example.frames,
        config=to_json(model.config),
        data=source.spec,
        other=None if other is None else other.spec,
        scale=source.scale,
        other_scale=None if other is None else other.scale,
        classes=class_names(source),
        read=source.notes,
        training=training,
        seen=view,
        encoder=None if given is None else given.recorded,
    )
    return decided(model, settings, source, other)


def usual_for(cls: type[Model], source: Source) -> Usual:
    """Settings that a system chooses for a source; none if it does not override `Model.usual`."""
    if not cls.adapts:
        return Usual()
    train = source.parts().train
    frames = _common_length(train) if train.is_video else None
    return cls.usual(Example(source.shape, frames), collect(train, View(), None, limit=LOOKED_AT))


def _common_length(part: Part) -> int:
    """Frames that nine of ten clips have: a window of that length leaves few of them out."""
    return int(part.length.sort(descending=True).values[math.ceil(0.9 * len(part)) - 1])


def decided(model: Model, settings: Settings, source: Source, other: Source | None = None) -> Plan:
    """Decide every stage of a model that is built."""
    stages = model.stages()
    _refuse_unknown_stages(stages, settings)
    _refuse_other_sources(stages, settings, other)
    decide = _Stages(stages, settings.training, source.parts(), None if other is None else other.parts())
    _refuse_single_pictures(decide, (settings.data, settings.other))
    plans = tuple(decide.stage(stage) for stage in stages)
    if settings.training.momentum is not None:
        _refuse_idle_momentum(plans)
    return Plan(settings, model, source, plans, decide.statistics(decide.parts, settings.view), other)


@dataclass(frozen=True)
class _Stages:
    """Decides stages one by one."""

    stages: Sequence[Stage]
    training: Training
    parts: Parts
    other: Parts | None
    known: dict[tuple[bool, str, bool], Statistics | None] = field(default_factory=lambda: {})
    """Statistics that are computed already: each takes a pass over the data."""

    def stage(self, stage: Stage) -> StagePlan:
        recipe = recipe_for(stage.name, stage.recipe, self.training)
        epochs, minutes = self._length(stage, recipe)
        return StagePlan(
            stage,
            recipe,
            optimisers_for(stage, self.training),
            self._stream(stage.stream, stage.learner, recipe),
            {name: self._stream(stream, stage.learner, recipe) for name, stream in stage.beside.items()},
            epochs,
            minutes,
            stage.time / sum(each.time for each in self.stages),
        )

    def _stream(self, stream: Stream, learner: Learner, recipe: Recipe) -> StreamPlan:
        parts = self.other if stream.other else self.parts
        assert parts is not None
        view, training = self.training.changed(stream.view), self.training
        window(parts.train, view)  # raises for pictures where video is needed
        refuse_to_binarise(parts.train, view)
        known, selects = self.statistics(parts, view), learner.monitor in LABEL_LOSSES
        own = as_labelled(parts, training.labels_per_class, training.seed, stream.labelled, selects)
        return StreamPlan(view, own, known, stream.batch_size or recipe.batch_size)

    def statistics(self, parts: Parts, view: View) -> Statistics | None:
        """Mean and deviation of a training part, computed once for all views that share them."""
        key = parts is self.other, view.standardise, view.patch is not None
        if key not in self.known:
            self.known[key] = statistics(parts.train, view)
        return self.known[key]

    def _length(self, stage: Stage, recipe: Recipe) -> tuple[float | None, float | None]:
        """Epochs and minutes: a stage's own if set; those of the whole training apply to the last stage."""
        asked, said = self.training, self.training.stage_epochs.get(stage.name)
        epochs = said or (asked.epochs if stage is self.stages[-1] else recipe.epochs or asked.epochs)
        timed = [each for each in self.stages if each.name not in asked.stage_epochs]
        whole = sum(each.time for each in timed)
        minutes = None if asked.minutes is None or said else asked.minutes * stage.time / whole
        return None if minutes else epochs, minutes


# -------- recipes


def recipe_for(stage: str, recipe: Recipe, training: Training) -> Recipe:
    """A stage's recipe, changed by the user's settings."""
    rate = training.stage_learning_rates.get(stage)
    if recipe.keeps:
        return recipe if rate is None else replace(recipe, optimiser=_moved(recipe.optimiser, None, rate))
    chosen = {
        name: value
        for name in ("batch_size", "schedule", "clip", "average")
        if (value := getattr(training, name)) is not None
    }
    if training.average == 0:
        chosen["average"] = None
    if training.optimiser in SEARCHING and "schedule" not in chosen:
        chosen["schedule"] = "constant"  # a line search finds its own step size
    own = _moved(recipe.optimiser, training.optimiser, rate or training.learning_rate, training.momentum)
    return replace(recipe, **chosen, optimiser=own)


def optimisers_for(stage: Stage, training: Training) -> dict[str, Optimiser]:
    """The optimiser of each player of a stage: its own or the recipe's, changed by the user's settings."""
    rate = training.stage_learning_rates.get(stage.name)
    keeps = stage.recipe.keeps
    rule, momentum = (None, None) if keeps else (training.optimiser, training.momentum)
    rate = rate if keeps else rate or training.learning_rate
    own = {name: player.optimiser or stage.recipe.optimiser for name, player in stage.learner.players.items()}
    return {name: _moved(optimiser, rule, rate, momentum) for name, optimiser in own.items()}


def _moved(own: Optimiser, rule: Rule | None, rate: float | None, momentum: float | None = None) -> Optimiser:
    """An optimiser with another rule, at that rule's default rate unless one is given, rate or momentum."""
    if rule is not None and rule != own.name:
        own = Optimiser(name=rule, learning_rate=USUAL_RATES.get(rule, 1e-3), weight_decay=own.weight_decay)
    if momentum is not None and own.name in WITH_MOMENTUM:
        own = replace(own, momentum=momentum)
    return own if rate is None else replace(own, learning_rate=rate)


# -------- the model


def _undisputed(usual: Usual, asked: Asked) -> Usual:
    """The usual settings; those for such a case, or none, if the user set one of their fields otherwise."""
    if all(asked.config.get(name, value) == value for name, value in usual.config.items()):
        return usual
    return Usual() if usual.instead is None else _undisputed(usual.instead, asked)


def _counted_classes(cls: type[Model], source: Source) -> dict[str, int]:
    """As many classes as the source has, for a model that learns classes."""
    count = len(class_names(source))
    return {"classes": count} if count and learns_classes(cls) else {}


def _view(cls: type[Model], config: Any, usual: Usual, encoder: Given | None) -> View:
    """The default view: that of the encoder, that chosen from the data, or that of the configuration."""
    if encoder is not None and encoder.view is not None:
        return encoder.view
    return usual.view or cls.view_of(config)


def _built(cls: type[Model], config: Any, example: Example, asked: Asked, device: torch.device) -> Model:
    given = asked.given
    if given is None:
        recipe = cls.recipe
        refuse_weights(lambda shape: cls(config, replace(example, shape=shape)), example.shape, recipe, device)
        with seeded(asked.training.seed):
            return cls(config, example)
    if not issubclass(cls, TakesEncoder):
        raise ConfigError(f"{asked.model} takes no encoder; these do: {', '.join(names_that_take_encoders())}")
    held = given.origin
    if isinstance(held, Settings) and tuple(held.shape) != tuple(example.shape):
        raise DataError(f"the encoder saw examples of shape {held.shape}, and these are {example.shape}")
    with seeded(asked.training.seed):
        return cls.on(config, example, given.network)


def _built_as_chosen(
    cls: type[Model], config: Any, example: Example, asked: Asked, device: torch.device, usual: Usual
) -> Model:
    """Build the model; where it refuses its configuration, say which of its fields were chosen from the data."""
    try:
        return _built(cls, config, example, asked, device)
    except ConfigError as error:
        chosen = [f"{name}={value}" for name, value in usual.config.items() if name not in asked.config]
        if not chosen:
            raise
        raise ConfigError(f"{error};\n{', '.join(chosen)} was chosen from the data: {usual.because}") from error


def names_that_take_encoders() -> list[str]:
    """Systems that can be built on an encoder."""
    return [name for name in model_names() if issubclass(model_class(name), TakesEncoder)]


def _chosen(cls: type[Model], usual: Usual, asked: Asked, config: Any, view: View) -> dict[str, Any]:
    """Settings chosen from the data, not set by the user and in force, with the reason."""
    if asked.held is not None:
        return {"chosen": asked.held.chosen, "because": asked.held.because}
    plainly = values(cls.Config())
    chosen: dict[str, Any] = {
        name: value for name, value in usual.config.items() if name not in asked.config and value != plainly[name]
    }
    if usual.view is not None:
        plain, found = to_json(cls.view_of(config)), to_json(view)
        own = {key: value for key, value in to_json(usual.view).items() if found[key] == value != plain[key]}
        chosen |= {"view": own} if own else {}
    if usual.recipe is not None:
        chosen["recipe"] = to_json(usual.recipe)
    because = [usual.because] if chosen else []
    if learns_classes(cls) and "classes" not in asked.config and config.classes != plainly["classes"]:
        chosen["classes"] = config.classes
        because.append(f"the data have {config.classes} classes")
    return {"chosen": chosen, "because": "; ".join(filter(None, because))}


def _made_trainable(model: Model) -> None:
    """Give a model weights of float32 that can be changed, where the caller built it with others."""
    for module in model.modules():
        for name, weight in module.named_parameters(recurse=False):
            if weight.is_inference():
                setattr(module, name, nn.Parameter(weight.clone(), weight.dtype.is_floating_point))
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.is_inference():
                setattr(module, name, buffer.clone())
    model.float()


# -------- settings that are refused


def _refuse_unknown_stages(stages: Sequence[Stage], settings: Settings) -> None:
    names, training = [stage.name for stage in stages], settings.training
    said = (("epochs", training.stage_epochs), ("learning-rate", training.stage_learning_rates))
    for flag, name in ((flag, name) for flag, own in said for name in own):
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"its stages: {', '.join(names)}"
            raise ConfigError(f"--{flag}.{name}: {settings.model} has no stage {name!r}; {hint}")


@as_torch_begins()
def _refuse_one_class(made: Plan) -> None:
    """Refuse to learn classes where there is one alone: nothing tells it from others, and no error is ever made."""
    streams = [(own.stage.stream, own.main) for own in made.stages]
    streams += [(stream, own.beside[name]) for own in made.stages for name, stream in own.stage.beside.items()]
    for planned in (planned for stream, planned in streams if stream.labelled and not stream.other):
        classes = clip_labels(planned.parts.train).unique()
        if len(classes[classes >= 0]) == 1:
            name = made.settings.classes[int(classes.max())]
            raise DataError(
                f"every labelled example of {made.source.spec} is of one class, {name!r}, and two are needed: "
                "sub-folders are classes, or the labels of an array"
            )


def _refuse_idle_momentum(stages: Sequence[StagePlan]) -> None:
    """Refuse a momentum that no stage would use, pretraining that keeps its own aside."""
    rules = {own.name for stage in stages if not stage.recipe.keeps for own in stage.optimisers.values()}
    if not rules.intersection(WITH_MOMENTUM):
        able = " or ".join(f"--optimiser {name}" for name in WITH_MOMENTUM)
        raise ConfigError(f"--momentum: {' and '.join(sorted(rules))} has no such setting; {able} has one")


def _refuse_other_sources(stages: Sequence[Stage], settings: Settings, other: Source | None) -> None:
    wanted = any(stream.other for stage in stages for stream in (stage.stream, *stage.beside.values()))
    if wanted and other is None:
        raise ConfigError(f"{settings.model} learns from two sources: --data one --other another")
    if other is not None and not wanted:
        raise ConfigError(f"--other: {settings.model} learns from one source; leave it out")
    if other is not None and example_shape(other.shape, settings.view) != tuple(settings.shape):
        there, wanted = ("x".join(map(str, shape)) for shape in (other.shape, settings.shape))
        raise DataError(
            f"{other.spec} has examples of {there}, and the first source of {wanted}; "
            "--size brings pictures to one size"
        )


def _refuse_single_pictures(decide: _Stages, specs: Sequence[str | None]) -> None:
    """Refuse a source of one example beside another: of one picture nobody learns what others of its kind are like."""
    both = () if decide.other is None else zip((decide.parts, decide.other), specs, strict=True)
    for parts, spec in both:
        count = len({int(first) for part in (parts.train, parts.validation, parts.test) for first in part.first})
        if count < 2:
            raise DataError(f"{spec} has one picture; what pictures of its kind have in common is learnt from many")
