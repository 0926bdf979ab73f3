"""What the contract carries, through the loop: games, streams, two sources, time, frozen networks, schedules."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from kinds_of_training import (
    KINDS,
    SHAPE,
    Critic,
    FewLabels,
    Foreign,
    Inverter,
    Nothing,
    OverTime,
    Schedule,
    Small,
    Translator,
    pictures,
    whole,
)
from torch import Tensor

from untaught.data.batches import Feed
from untaught.data.part import Part
from untaught.data.view import View
from untaught.errors import ConfigError, DataError, NotFiniteError
from untaught.model import Batch, Example, Loss, Player
from untaught.runs.run import Run, create_run
from untaught.runs.settings import Settings, Training
from untaught.training.feeds import Feeds
from untaught.training.fit import fit, train
from untaught.training.plan import plan_for

SELDOM = ("translator", "inverter", "clock", "few-labels")
"""Kinds whose resumption is like that of others, and is tried with the slow tests."""

QUICK = Training(epochs=100, precision="float32", threads=1, device="cpu")
BRIEF = replace(QUICK, epochs=25)
"""Long enough to move every weight and to be interrupted, not to learn."""


def state(plan: Any) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in plan.model.state_dict().items()}


def folder(place: Path) -> Run:
    return create_run(place, Settings(model="rbm", shape=SHAPE, config={}, data="made"))


@pytest.mark.parametrize("name", KINDS)
def test_it_trains_what_it_should_and_nothing_else(name: str) -> None:
    plan = KINDS[name].plan(BRIEF)
    before = state(plan)
    last = train(plan)
    told = [*last.losses.values(), *last.held_out.values()]
    assert last.progress == 1 and all(math.isfinite(value) for value in told)
    moved = {key for key, value in plan.model.named_parameters() if not torch.equal(value, before[key])}
    assert moved == {key for key, _ in plan.model.named_parameters() if not key.startswith("frozen.")}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SELDOM)) for name in KINDS])
def test_a_resumed_run_equals_an_uninterrupted_one(name: str, tmp_path: Path) -> None:
    whole_run, broken = folder(tmp_path / "whole"), folder(tmp_path / "broken")
    train(KINDS[name].plan(BRIEF), run=whole_run)
    training = fit(KINDS[name].plan(BRIEF), run=broken)
    for _ in range(2):
        next(training)
    training.close()
    resumed = KINDS[name].plan(BRIEF)
    train(resumed, run=broken)
    ends = [run.last() for run in (whole_run, broken)]
    assert ends[0] is not None and ends[1] is not None and ends[0].counters["step"] == ends[1].counters["step"]
    for key, value in ends[0].state["model"].items():
        assert torch.equal(value, ends[1].state["model"][key]), key


def test_a_player_of_five_updates_sees_five_batches_and_the_other_one() -> None:
    """160 examples in batches of 16 are 10 batches: two steps of five, in each of which the generator moves once."""
    seen: list[tuple[str, Tensor]] = []

    class Watched(Critic):
        def loss(self, batch: Batch, player: str, progress: Tensor) -> Any:
            if progress < 1:  # held-out examples are measured as at the end
                seen.append((player, batch.x.detach().clone()))
            return super().loss(batch, player, progress)

    plan = plan_for(Watched(Nothing(), SHAPE), pictures(3), Training(epochs=1, precision="float32", device="cpu"))
    records = list(fit(plan))
    assert records[-1].step == 2 and records[-1].epoch == 1
    steps = seen[-12:]  # before them the rehearsal
    assert [player for player, _ in steps] == (["critic"] * 5 + ["generator"]) * 2
    critic = torch.cat([x for player, x in steps if player == "critic"]).flatten(1)
    every = pictures(3).train.frames.read(torch.arange(160)).flatten(1)
    assert sorted(map(tuple, critic.tolist())) == sorted(map(tuple, every.tolist())), "an epoch is every example once"
    assert torch.equal(steps[5][1], steps[0][1]), "the generator is shown the first batch"


def test_a_game_without_a_number_that_must_fall_keeps_its_last_weights(tmp_path: Path) -> None:
    run = folder(tmp_path / "run")
    plan = KINDS["critic"].plan(BRIEF)
    records = list(fit(plan, run=run))
    last = run.last()
    assert last is not None and last.counters["step"] == records[-1].step == run.best().counters["step"]
    assert all(torch.equal(value, last.state["model"][key]) for key, value in plan.model.state_dict().items())
    assert "distance" in records[-1].held_out


@pytest.mark.slow
def test_labelled_examples_come_beside_all_others() -> None:
    plan = KINDS["few-labels"].plan(QUICK)
    assert (plan.stages[0].main.batch_size, plan.stages[0].beside["labelled"].batch_size) == (16, 4)
    assert len(plan.stages[0].main.parts.train) == 160 and len(plan.stages[0].beside["labelled"].parts.train) == 16
    last = train(plan)
    assert last.held_out["label_nats"] < math.log(2) / 2  # a coin is log 2


def test_prepare_is_shown_no_more_numbers_than_fit_however_many_a_frozen_network_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[Tensor] = []

    class Watched(Inverter):
        def __init__(self, config: Nothing, example: Any, encoder: Any = None) -> None:
            super().__init__(config, example, torch.nn.Sequential(torch.nn.Flatten(), Wide()))

        def prepare(self, sample: Batch) -> None:
            shown.append(sample.x)

    class Wide(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.repeat(1, 8)

    monkeypatch.setattr("untaught.training.fit.SAMPLE_VALUES", 32 * math.prod(SHAPE))
    train(plan_for(Watched(Nothing(), SHAPE), pictures(3), replace(BRIEF, epochs=1)))
    assert [tuple(x.shape) for x in shown] == [(4, 8 * math.prod(SHAPE))]


def test_prepare_is_shown_as_many_windows_as_have_so_many_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = KINDS["clock"].plan(replace(BRIEF, epochs=1))
    shown: list[int] = []
    monkeypatch.setattr(type(plan.model), "prepare", lambda self, sample: shown.append(sample.x.numel()))
    window = math.prod(plan.model.shape) * plan.model.example.frames
    monkeypatch.setattr("untaught.training.fit.SAMPLE_VALUES", 5 * window)
    train(plan)
    assert shown == [5 * window]


def test_without_labels_what_needs_them_is_refused() -> None:
    with pytest.raises(DataError, match="no example has a label"):
        plan_for(KINDS["few-labels"].model(), pictures(3))


@pytest.mark.slow
def test_two_sources_are_drawn_side_by_side() -> None:
    plan = KINDS["translator"].plan(QUICK)
    train(plan)
    assert isinstance(plan.model, Translator)
    x, other = (part().train.frames.read(torch.arange(64)) for part in (lambda: pictures(3), lambda: pictures(9, 64)))
    with torch.no_grad():
        there = plan.model.translate(x)
    assert (there.mean(0) - other.mean(0)).square().sum() < 0.3 * (x.mean(0) - other.mean(0)).square().sum() + 0.1


def test_a_second_source_is_needed_and_only_there() -> None:
    with pytest.raises(ConfigError, match="learns from two sources: --data one --other another"):
        plan_for(KINDS["translator"].model(), pictures(3))
    with pytest.raises(ConfigError, match="learns from one source"):
        plan_for(KINDS["schedule"].model(), pictures(3), other=pictures(9))


def test_a_network_over_time_knows_how_long_an_example_is() -> None:
    plan = KINDS["clock"].plan(QUICK)
    assert isinstance(plan.model, OverTime) and plan.model.weight.shape == (4,)
    assert (plan.settings.shape, plan.settings.frames) == (SHAPE, 5)
    assert plan.settings.example == Example(SHAPE, 5)


def test_a_decoder_learns_to_invert_a_frozen_network(tmp_path: Path) -> None:
    """Better than the mean picture, which knows nothing of what the network shows; the network stays as it was."""
    foreign = Foreign()
    before = {name: value.clone() for name, value in foreign.state_dict().items()}
    x = pictures(3).train
    last = train(plan_for(Inverter.on(Nothing(), SHAPE, foreign), whole(x), QUICK))
    every = x.frames.read(torch.arange(len(x))).flatten(1)
    assert last.held_out["total"] < 0.5 * float((every - every.mean(0)).square().sum(1).mean())
    assert all(torch.equal(value, before[name]) for name, value in foreign.state_dict().items())


def test_what_selects_is_one_number_from_first_to_last() -> None:
    """The loss of the schedule grows with progress; on held-out data it is always that of the end."""
    plan = KINDS["schedule"].plan(QUICK)
    records = list(fit(plan))
    measured = [record.held_out["at"] for record in records if record.held_out]
    assert len(measured) > 3 and set(measured) == {1.0}
    assert next(record for record in records if record.losses).losses["at"] < 0.5, "it learns by the schedule"


def test_pictures_for_a_network_over_time_are_refused() -> None:
    with pytest.raises(DataError, match="video"):
        plan_for(KINDS["clock"].model(), whole(Part.of(torch.zeros(40, *SHAPE))))


def numbered(count: int) -> Feed:
    """Pictures whose left half is their number, from 1, and whose right half is 0."""
    x = torch.arange(1.0, count + 1).view(-1, 1, 1, 1) * torch.tensor([1.0, 0.0])
    return Feed(Part.of(x), View(augment=("mirror",)), None, None, torch.device("cpu"), 2, seed=count)


def test_streams_are_entered_anywhere_as_if_all_before_had_been_drawn() -> None:
    """Of three batches a step from six examples, beside them four others that begin anew in the middle of a step."""
    feeds = Feeds(numbered(6), {"other": numbered(4)}, draws=3)
    steps = list(islice(feeds.steps_from(0), 5))
    for one, again in zip(steps[3:], feeds.steps_from(3), strict=False):
        for draw, same in zip(one, again, strict=True):
            assert torch.equal(draw.main.starts, same.main.starts)
            assert torch.equal(draw.beside["other"].starts, same.beside["other"].starts)


def test_streams_beside_are_cut_as_for_training() -> None:
    feeds = Feeds(numbered(6), {"other": numbered(4)})
    batches = [feeds.batch(draw) for (draw,) in islice(feeds.steps_from(0), 20)]
    for seen in (torch.cat([batch.x for batch in batches]), torch.cat([batch.beside["other"].x for batch in batches])):
        assert 0 < int((seen[..., 1] > 0).sum()) < len(seen), "some are mirrored"


def test_streams_beside_count_as_data_in_memory() -> None:
    feeds = Feeds(numbered(6), {"other": numbered(4)})
    assert feeds.data_bytes == 4 * 2 * (6 + 4)


def test_losses_are_means_over_what_each_player_was_shown() -> None:
    """Of five batches to one player and one of them to the other."""

    class Counted(Critic):
        def loss(self, batch: Batch, player: str, progress: Tensor) -> Any:
            return replace(super().loss(batch, player, progress), parts={f"{player}_one": torch.ones(())})

    training = Training(epochs=1, precision="float32", device="cpu")
    last = train(plan_for(Counted(Nothing(), SHAPE), pictures(3), training))
    assert last.losses["critic_one"] == last.losses["generator_one"] == 1


def test_every_stream_is_standardised_by_its_own_source() -> None:
    x, other = pictures(3).train.frames.read(torch.arange(160)), 5 + 3 * torch.rand(64, *SHAPE)
    training = Training(view={"standardise": "all"})
    own = plan_for(KINDS["translator"].model(), pictures(3), training, whole(Part.of(other))).stages[0]
    for stream, values in ((own.main, x), (own.beside["other"], other)):
        assert stream.statistics is not None
        assert float(stream.statistics.mean) == pytest.approx(float(values.mean()), rel=1e-4)
        assert float(stream.statistics.deviation) == pytest.approx(float(values.std(correction=0)), rel=1e-3)


def test_labelled_examples_are_standardised_as_all_others() -> None:
    x = torch.linspace(0, 1, 160 * 16).view(160, *SHAPE)
    label = torch.full((160,), -1)
    label[:16] = torch.arange(16) % 2  # the darkest
    own = plan_for(FewLabels(Nothing(), SHAPE), whole(Part.of(x, label)), Training(view={"standardise": "all"})).stages[
        0
    ]
    for stream in (own.main, own.beside["labelled"]):
        assert stream.statistics is not None and float(stream.statistics.mean) == pytest.approx(0.5, abs=1e-4)


def test_a_loss_that_breaks_within_a_step_names_the_step() -> None:
    """Each step has five losses of the critic and one of the generator: the fifteenth is the third step's."""

    class Breaking(Critic):
        def loss(self, batch: Batch, player: str, progress: Tensor) -> Any:
            found = super().loss(batch, player, progress)
            return replace(
                found, parts={name: part.where(self.seen < 15, torch.nan) for name, part in found.parts.items()}
            )

    plan = plan_for(Breaking(Nothing(), SHAPE), pictures(3), replace(QUICK, epochs=10))
    with pytest.raises(NotFiniteError, match="at step 3 distance of player critic"):
        train(plan)


@pytest.mark.parametrize(("labelled", "expected"), [(16, [[0, 1, 2, 3], [4, 5, 6, 7]]), (4, [[0, 1, 2, 3]] * 2)])
def test_held_out_streams_go_through_all_and_begin_anew(labelled: int, expected: list[list[int]]) -> None:
    """The first 32 examples select, in batches of 16, beside them those of the first that have a label, by fours."""
    seen: list[Tensor] = []

    class Watched(FewLabels):
        def held_out(self, batch: Batch, player: str) -> Any:
            seen.append(batch.beside["labelled"].x.clone())
            return super().held_out(batch, player)

    source = pictures(3, labelled=labelled)
    records = list(fit(plan_for(Watched(Nothing(), SHAPE), source, replace(QUICK, epochs=2))))
    assert len(seen) == 2 * sum(bool(record.held_out) for record in records)
    for number, x in enumerate(seen):
        assert torch.equal(x, source.train.frames.read(torch.tensor(expected[number % 2])))


def test_a_look_at_held_out_data_leaves_the_network_training() -> None:
    modes: dict[str, set[bool]] = {"loss": set(), "held_out": set()}

    class Watched(Schedule):
        def loss(self, batch: Batch, player: str, progress: Tensor) -> Any:
            modes["loss"].add(self.training)
            return super().loss(batch, player, progress)

        def held_out(self, batch: Batch, player: str) -> Any:
            modes["held_out"].add(self.training)
            return Loss(batch.x.mean(), {})

    train(plan_for(Watched(Nothing(), SHAPE), pictures(3), BRIEF))
    assert modes == {"loss": {True}, "held_out": {False}}


def with_updates(updates: int) -> Critic:
    class Game(Critic):
        players = {"critic": Player(("critic.",), updates=updates), "generator": Player(("generator.",))}

    return Game(Nothing(), SHAPE)


def test_a_game_keeps_no_more_memory_for_more_updates() -> None:
    """Each update frees what it stored before the next one."""
    needs = [next(fit(plan_for(with_updates(count), pictures(3), QUICK))).needs for count in (1, 5)]
    assert needs[0] is not None and needs[0] == needs[1]


def test_examples_a_second_are_those_that_are_drawn() -> None:
    training = replace(QUICK, epochs=5)
    for count in (1, 4):
        plan = plan_for(with_updates(count), pictures(3), training)
        for record in fit(plan):
            steps, seen = record.step, record.epoch * 160
            if record.needs is None:
                assert seen == pytest.approx(steps * 16 * count)
                assert record.rate == pytest.approx(seen / record.seconds, rel=0.5)


def test_a_parameter_of_two_players_learns_from_both() -> None:
    told: dict[str, bool] = {}

    class Sharing(Small):
        players = {"both": Player(("",)), "first": Player(("up.",))}
        monitor = None

        def build(self) -> None:
            self.up, self.down = torch.nn.Linear(self.size, 3), torch.nn.Linear(3, self.size)

        def loss(self, batch: Batch, player: str, progress: Tensor) -> Loss:
            told.setdefault(player, self.up.weight.requires_grad)
            told.setdefault(f"{player} down", self.down.weight.requires_grad)
            x = batch.x.flatten(1)
            return Loss((self.down(self.up(x)) - x).square().sum(1).mean(), {})

    plan = plan_for(Sharing(Nothing(), SHAPE), pictures(3), replace(QUICK, epochs=2))
    records = fit(plan)
    next(records)
    told.clear()
    next(records)
    assert told["both"] and told["both down"] and told["first"] and not told["first down"]


def test_streams_are_drawn_in_different_orders() -> None:
    """Of one source in both: a pair must not be an example and itself again."""
    same = pictures(3)
    plan = plan_for(KINDS["translator"].model(), same, QUICK, same)
    drawn: list[tuple[Tensor, Tensor]] = []

    def loss(batch: Batch, player: str, progress: Tensor) -> Loss:
        drawn.append((batch.x, batch.beside["other"].x))
        return Translator.loss(plan.model, batch, player, progress)  # type: ignore[arg-type]

    plan.model.loss = loss  # type: ignore[method-assign]
    next(iter(fit(plan)))
    assert drawn and not any(torch.equal(x, other) for x, other in drawn)
