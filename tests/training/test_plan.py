"""A training decided: shapes from the data, weights from the seed, views stage by stage, encoders as they saw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from models_for_tests import TinyStack
from torch import nn

from untaught import RBM, Autoencoder, Encoding, FinetunedClassifier, cli, load, open_data, open_run
from untaught.config import to_json
from untaught.data.part import Part
from untaught.data.reading.arrays import from_array
from untaught.data.source import Source
from untaught.data.view import Statistics, View, statistics
from untaught.errors import ConfigError, DataError
from untaught.model import Stage, learns_classes, model_class, model_names
from untaught.recipe import Optimiser
from untaught.runs.encoders import Given
from untaught.runs.settings import Training
from untaught.training.plan import Asked, Plan, names_that_take_encoders, plan, plan_for


def decided(model: str = "rbm", config: Any = None, data: str = "digits", **training: Any) -> Plan:
    return plan(Asked(model, config or {"hidden": 5}, Training(**training)), open_data(data))


def test_shape_is_what_the_network_will_see() -> None:
    assert decided().settings.shape == (1, 8, 8)
    assert decided(view={"patch": 4}).settings.shape == (1, 4, 4)
    video = decided("pgn", {"units": 4, "filters": [4]}, "balls?clips=20&frames=12", view={"frames": 7}).settings
    assert (video.shape, video.frames) == ((1, 30, 30), 7)
    longer = decided("pgn", {"units": 4, "filters": [4]}, "balls?clips=20&frames=12", view={"frames": 70}).settings
    assert longer.frames == 12


def test_weights_are_the_seeds_and_the_callers_generator_stays() -> None:
    before = torch.get_rng_state()
    one, again, other = (decided(seed=seed).model.state_dict()["weight"] for seed in (3, 3, 4))
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_subject_is_standardised_as_training_will_be() -> None:
    asked = decided(seed=2, view={"standardise": "all", "binarise": False})
    subject = asked.subject()
    pixels = asked.source.parts().train.frames.read(subject.parts.train.first).float()
    pixels = pixels / 255 if asked.source.train.frames.dtype == torch.uint8 else pixels
    assert subject.statistics is not None and subject.seed == 2
    assert float(subject.statistics.mean) == pytest.approx(float(pixels.mean()), rel=1e-4)
    assert float(subject.statistics.deviation) == pytest.approx(float(pixels.std(correction=0)), rel=1e-4)


def test_a_stage_that_there_is_not_is_named() -> None:
    with pytest.raises(ConfigError, match="rbm has no stage 'trian'; did you mean 'train'"):
        decided(stage_epochs={"trian": 2.0})


def test_a_view_flag_changes_one_field_of_every_stage_and_no_other() -> None:
    """A machine's layers are shown drawn zeros and ones, the network of its labels grey values; both are mirrored."""
    stages = decided("dbm", {"hidden": [6, 5], "classes": 10}, view={"augment": ["mirror"]}).stages
    seen = {own.stage.name: (own.main.view.binarise, own.main.view.augment) for own in stages}
    assert seen["joint"] == (True, ("mirror",)) and seen["labels"] == (False, ("mirror",))


def test_an_unknown_field_of_a_view_is_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean 'frames'"):
        Training(view={"frame": 3})


def test_units_decide_what_is_seen_wherever_a_training_is_planned() -> None:
    """Gaussian units see standardised values, by `plan`, by `fit` in plain Python, and in a comparison."""
    by_name = decided(config={"hidden": 5, "visible": "gaussian"})
    by_hand = plan_for(by_name.model, open_data("digits"))
    assert by_name.settings.view == by_hand.settings.view == View(standardise="pixel")
    assert by_name.stages[0].main.view == by_hand.stages[0].main.view == View(standardise="pixel")


def encoder_run(folder: Path) -> Path:
    words = "train autoencoder --data digits --hidden 6 --latent 3 --standardise pixel --output linear --augment mirror"
    assert cli.main([*words.split(), "--epochs", "1", "--out", str(folder / "encoder")]) == 0
    return folder / "encoder"


def test_an_encoders_view_is_the_same_by_words_and_in_python(tmp_path: Path) -> None:
    run = encoder_run(tmp_path)
    words = f"train finetuned-classifier --data digits --encoder {run} --epochs 1 --out {tmp_path / 'tuned'}"
    assert cli.main(words.split()) == 0
    by_words = open_run(tmp_path / "tuned")
    model = FinetunedClassifier(FinetunedClassifier.Config(), (1, 8, 8), encoder=Encoding(load(run)))
    in_python = plan_for(model, open_data("digits"))
    assert by_words.view == in_python.settings.view == View(standardise="pixel")
    assert {own.main.view for own in in_python.stages} == {View(standardise="pixel")}
    assert in_python.statistics is not None and by_words.statistics() is not None
    assert torch.equal(in_python.statistics.mean, by_words.statistics().mean)


def test_an_encoder_sees_grey_values_where_its_training_drew_bits(tmp_path: Path) -> None:
    drawn, tuned = tmp_path / "drawn", tmp_path / "tuned"
    common = "--data digits --hidden 5 --epochs 1"
    assert cli.main(f"train rbm {common} --out {drawn}".split()) == 0
    assert cli.main(f"train finetuned-classifier {common} --encoder {drawn} --out {tuned}".split()) == 0
    assert open_run(drawn).view == View(binarise=True) and open_run(tuned).view == View()


def test_what_takes_an_encoder_is_asked_by_capability() -> None:
    taking = {name for name in model_names() if hasattr(model_class(name), "on")}
    assert taking == set(names_that_take_encoders()) >= {"finetuned-classifier", "autoencoder", "hashing-autoencoder"}


def test_any_network_is_an_encoder() -> None:
    """A module of the caller's own is trained in place, and given to whatever takes an encoder."""
    own = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))
    asked = Asked("finetuned-classifier", {}, Training(), encoder=Given(own))
    model = plan(asked, open_data("digits")).model
    assert model.get_submodule("encoder") is own


def test_an_encoder_for_a_model_that_takes_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"rbm takes no encoder; these do: .*hashing-autoencoder"):
        plan(Asked("rbm", {"hidden": 5}, encoder=Given(nn.Flatten())), open_data("digits"))


def test_an_encoder_of_another_size_is_refused() -> None:
    held = plan(Asked("autoencoder", {"hidden": [6], "latent": 3}, Training(view={"patch": 4})), open_data("digits"))
    given = Given(Encoding(held.model), held.settings)
    with pytest.raises(DataError, match="the encoder saw examples of shape"):
        plan(Asked("finetuned-classifier", encoder=given, training=Training(view={"patch": None})), open_data("digits"))


def test_every_player_has_its_optimiser_and_every_flag_reaches_it() -> None:
    config = {"units": 4, "filters": [4], "adversarial": 0.1, "judge": [4, 4]}
    plain = decided("pgn", config, "balls?clips=20&frames=12").stages[0]
    assert plain.optimisers["discriminator"].name == "sgd" and plain.optimisers["generator"].name == "rmsprop"
    fast = decided("pgn", config, "balls?clips=20&frames=12", learning_rate=0.5).stages[0]
    assert {own.learning_rate for own in fast.optimisers.values()} == {0.5}
    assert fast.optimisers["discriminator"].momentum == plain.optimisers["discriminator"].momentum


def test_updates_are_counted_where_they_are_asked_for() -> None:
    model = Autoencoder(Autoencoder.Config(hidden=(4,), latent=2), (1, 8, 8))
    stage = plan_for(model, open_data("digits")).of_updates([7]).stages[0]
    assert stage.updates == 7


def test_stages_share_the_time() -> None:
    model = TinyStack(TinyStack.Config(), (1, 8, 8))
    shares = [own.share for own in plan_for(model, open_data("digits")).stages]
    assert shares == [0.5, 0.5]


class Lengthy(TinyStack):
    """A stack whose first stage has a length of its own."""

    def stages(self) -> list[Stage]:
        """Four passes, then as many as are asked for."""
        first, second = super().stages()
        return [replace(first, recipe=replace(first.recipe, epochs=4)), second]


@pytest.mark.parametrize(
    ("asked", "lengths"),
    [
        ({"epochs": 7}, [(4, None), (7, None)]),
        ({"epochs": 7, "stage_epochs": {"first": 2}}, [(2, None), (7, None)]),
        ({"epochs": 7, "stage_epochs": {"second": 2}}, [(4, None), (2, None)]),
        ({"minutes": 6}, [(None, 3), (None, 3)]),
        ({"minutes": 6, "stage_epochs": {"first": 2}}, [(2, None), (None, 6)]),
    ],
)
def test_what_is_said_of_a_stage_is_its_length(asked: dict[str, Any], lengths: list[tuple[Any, Any]]) -> None:
    made = plan_for(Lengthy(TinyStack.Config(), (1, 8, 8)), open_data("digits"), Training(**asked))
    assert [(own.epochs, own.minutes) for own in made.stages] == lengths


class Uneven(TinyStack):
    """A stack whose second stage needs three times as long."""

    def stages(self) -> list[Stage]:
        """The same stages, unlike in what they cost."""
        first, second = super().stages()
        return [first, replace(second, time=3.0)]


@pytest.mark.parametrize(
    ("asked", "minutes"),
    [({"minutes": 6}, [1.5, 4.5]), ({"minutes": 6, "stage_epochs": {"first": 2}}, [None, 6]), ({}, [None, None])],
)
def test_a_stage_takes_its_part_of_the_time(asked: dict[str, Any], minutes: list[float | None]) -> None:
    """Of the minutes that were asked for, or of the default time."""
    made = plan_for(Uneven(TinyStack.Config(), (1, 8, 8)), open_data("digits"), Training(**asked)).stages
    assert [own.minutes for own in made] == minutes
    assert [own.share for own in made] == [0.25, 0.75]


def test_a_rate_that_is_said_of_a_stage_is_that_stages() -> None:
    model = TinyStack(TinyStack.Config(), (1, 8, 8))
    training = Training(learning_rate=0.5, stage_learning_rates={"second": 0.25})
    stages = plan_for(model, open_data("digits"), training).stages
    assert [own.recipe.optimiser.learning_rate for own in stages] == [0.5, 0.25]
    assert [own.optimisers["model"].learning_rate for own in stages] == [0.5, 0.25]


def test_momentum_goes_to_the_stages_that_have_one() -> None:
    """Both stages begin with SGD; the second is given Adam, which has no momentum of its own."""

    class Mixed(TinyStack):
        def stages(self) -> list[Stage]:
            first, second = super().stages()
            return [first, replace(second, recipe=replace(second.recipe, optimiser=Optimiser()))]

    stages = plan_for(Mixed(TinyStack.Config(), (1, 8, 8)), open_data("digits"), Training(momentum=0.25)).stages
    assert [own.optimisers["model"] for own in stages] == [replace(RBM.recipe.optimiser, momentum=0.25), Optimiser()]
    assert [own.recipe.optimiser.momentum for own in stages] == [0.25, 0.0]


def test_momentum_that_no_optimiser_would_use_is_refused() -> None:
    """A stage that keeps its own SGD would not use it either."""
    model, asked = TinyStack(TinyStack.Config(), (1, 8, 8)), Training(optimiser="adam", momentum=0.5)
    for own in (model, Keeping(TinyStack.Config(), (1, 8, 8))):
        with pytest.raises(ConfigError, match="--momentum: adam has no such setting; --optimiser sgd"):
            plan_for(own, open_data("digits"), asked)


class Keeping(TinyStack):
    """A stack whose first stage is trained in one way only."""

    def stages(self) -> list[Stage]:
        """The first keeps its recipe."""
        first, second = super().stages()
        return [replace(first, recipe=replace(first.recipe, keeps=True)), second]


def test_a_stage_that_keeps_its_rule_hears_only_what_is_said_of_it() -> None:
    model, own = Keeping(TinyStack.Config(), (1, 8, 8)), RBM.recipe.optimiser
    asked = Training(optimiser="rmsprop", learning_rate=0.5, momentum=0.25, batch_size=7)
    first, second = plan_for(model, open_data("digits"), asked).stages
    assert first.recipe.optimiser == first.optimisers["model"] == own and first.main.batch_size == 100
    assert second.optimisers["model"].name == "rmsprop" and second.main.batch_size == 7
    assert second.optimisers["model"].momentum == 0.25
    asked = replace(asked, stage_learning_rates={"first": 0.25})
    first = plan_for(model, open_data("digits"), asked).stages[0]
    assert first.recipe.optimiser == first.optimisers["model"] == replace(own, learning_rate=0.25)


def test_few_labels_select_where_the_number_that_must_fall_is_of_labels() -> None:
    """One label in five of each class selects; where none decides, all examples of the validation part do."""
    everyone = len(open_data("digits").parts().validation)
    selected = {
        name: len(decided(name, config, labels_per_class=5).stages[0].main.parts.validation)
        for name, config in (("rbm", None), ("discriminative-rbm", {"hidden": 5, "unlabelled": 0.1}))
    }
    assert selected == {"rbm": everyone, "discriminative-rbm": 10}


def test_statistics_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages that see the same data in the same way share them."""
    counted: list[View] = []

    def counting(part: Part, view: View) -> Statistics | None:
        counted.append(view)
        return statistics(part, view)

    monkeypatch.setattr("untaught.training.plan.statistics", counting)
    made = plan_for(
        TinyStack(TinyStack.Config(), (1, 8, 8)), open_data("digits"), Training(view={"standardise": "all"})
    )
    assert len(made.stages) > 1 and len(counted) == 1
    assert all(own.main.statistics is made.statistics for own in made.stages)


def test_the_reason_is_told_only_of_what_is_in_force() -> None:
    part = Part.of(100 * torch.randn(64, 12), torch.arange(64) % 3)
    wide = Source("made", part, validation=part, test=part, label_names=("a", "b", "c"))
    assert plan(Asked("softmax"), wide).settings.because
    said = plan(Asked("softmax", {"classes": 3}, Training(view={"standardise": "none"})), wide).settings
    assert (said.chosen, said.because) == ({}, "")
    said = plan(Asked("softmax", training=Training(view={"standardise": "none"})), wide).settings
    assert (said.chosen, said.because) == ({"classes": 3}, "the data have 3 classes")


@pytest.mark.parametrize("name", [name for name in model_names() if learns_classes(model_class(name))])
@pytest.mark.parametrize("count", [2, 14])
def test_a_model_of_classes_has_as_many_as_the_data(name: str, count: int) -> None:
    smoke = model_class(name).smoke
    x = torch.rand(40, *([] if smoke.frames is None else [smoke.frames]), *smoke.shape)
    source, small = from_array(x, torch.arange(40) % count), to_json(smoke.config)
    said = plan(Asked(name, small | {"classes": 20}), source).settings
    assert said.config["classes"] == 20 and "classes" not in said.chosen
    del small["classes"]
    chosen = plan(Asked(name, small), source).settings
    assert chosen.config["classes"] == chosen.chosen["classes"] == count and f"{count} classes" in chosen.because


@pytest.mark.parametrize("name", ["autoencoder", "finetuned-classifier"])
def test_a_default_device_of_the_caller_is_not_the_plans(name: str) -> None:
    with torch.device("meta"):
        made = plan(Asked(name, training=Training(epochs=1)), open_data("digits"))
        assert torch.get_default_device().type == "meta"
    assert {weight.device.type for weight in made.model.parameters()} == {"cpu"}
