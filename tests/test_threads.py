"""How many threads compute a step: what a trial concludes, when the next one comes, and who wins over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from untaught import threads as threads_module
from untaught.cli.terminal.progress import follow
from untaught.data.part import Part
from untaught.data.source import Source
from untaught.data.view import View
from untaught.evaluate.evaluate import evaluate
from untaught.evaluate.measure import Groups, Measure
from untaught.evaluate.subject import Subject, measuring
from untaught.models.rbm import RBM
from untaught.randomness import seeded
from untaught.runs.run import Run, create_run
from untaught.runs.settings import Settings, Training
from untaught.threads import LATEST_SECONDS, SHARE, SOONEST_SECONDS, Threads, Trial, as_many_as_help, halves
from untaught.training import fit as fit_module
from untaught.training.fit import fit, train

ALONE = {1: 0.175, 2: 0.118}
BESIDE = {1: 0.175, 2: 0.6}
"""Seconds of a step of `pgn` on balls by the number of threads: alone, and beside one busy process."""


class Machine:
    """A pretended machine: a step takes as long as its number of threads says, and time passes by nothing else."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float]) -> None:
        self.seconds, self.now, self.threads = seconds, 0.0, max(seconds)
        self.used: list[int] = []
        monkeypatch.setattr(torch, "set_num_threads", self._set)

    def _set(self, count: int) -> None:
        self.threads = count

    def step(self) -> float:
        """Take a step; gives its seconds."""
        self.now += self.seconds[self.threads]
        self.used.append(self.threads)
        return self.seconds[self.threads]

    def choice(self, count: int | None = None, chosen: bool = False) -> Threads:
        """A choice that reads this machine's clock."""
        most = max(self.seconds)
        return Threads(count or most, most, chosen, lambda: self.now)

    def train(self, threads: Threads, seconds: float) -> int:
        """Train for some seconds; gives the number of steps."""
        end, before = self.now + seconds, len(self.used)
        while self.now < end:
            with threads.step():
                self.step()
        return len(self.used) - before


def concluded(trial: Trial, seconds: Callable[[int], float]) -> int:
    while not trial.over:
        trial.note(seconds(trial.count))
    return trial.fastest


@pytest.mark.parametrize(("seconds", "best"), [(ALONE, 2), (BESIDE, 1)])
def test_a_trial_finds_the_faster_count(seconds: dict[int, float], best: int) -> None:
    assert concluded(Trial([2, 1], 3), lambda count: seconds[count]) == best
    assert concluded(Trial([1, 2], 3), lambda count: seconds[count]) == best


def test_what_is_hardly_faster_does_not_take_the_favoured_ones_place() -> None:
    assert concluded(Trial([2, 1], 3), {1: 0.095, 2: 0.1}.__getitem__) == 2
    assert concluded(Trial([1, 2], 3), {1: 0.1, 2: 0.095}.__getitem__) == 1


@pytest.mark.parametrize("slow", range(8))
def test_one_slow_step_decides_nothing(slow: int) -> None:
    step: Iterator[int] = iter(range(8))
    assert concluded(Trial([2, 1], 3), lambda count: ALONE[count] * (10 if next(step) == slow else 1)) == 2


def test_the_first_step_of_each_warms_up() -> None:
    seen: set[int] = set()

    def seconds(count: int) -> float:
        first = count not in seen
        seen.add(count)
        return 0.9 if first and count == 2 else ALONE[count]

    assert concluded(Trial([1, 2], 1), seconds) == 2


def test_a_hopeless_count_is_left_early() -> None:
    trial = Trial([1, 2], 10)
    assert concluded(trial, BESIDE.__getitem__) == 1
    assert len(trial.times[2]) == 2 and len(trial.times[1]) == 11
    assert trial.lost == pytest.approx(2 * (0.6 - 0.175))


def test_all_halves_are_tried_before_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, {8: 0.4, 4: 0.1, 2: 0.15, 1: 0.28})
    threads = machine.choice()
    assert threads.choose(machine.step, 0.1) == 0.1
    assert threads.count == machine.threads == 4 and set(machine.used) == {8, 4, 2, 1}
    assert halves(16) == [16, 8, 4, 2, 1]


def test_a_choice_that_is_given_or_stored_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, BESIDE)
    threads = machine.choice(2, chosen=True)
    assert not threads.worth_trying(1e6, None)
    threads.try_again()
    machine.train(threads, 200)
    assert set(machine.used) == {2} and threads.count == 2
    assert not Threads(1, 1, chosen=False).worth_trying(1e6, None), "with one thread there is nothing to try"


def test_a_short_stage_keeps_what_torch_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = Machine(monkeypatch, ALONE).choice()
    assert not threads.worth_trying(expected=2, steps=2000)
    assert not threads.worth_trying(expected=20, steps=5)
    assert threads.worth_trying(expected=20, steps=None) and threads.worth_trying(expected=20, steps=200)


def test_very_slow_steps_are_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a crowded machine a step in all threads can take many times as long as one in a single thread."""
    machine = Machine(monkeypatch, {1: 0.5, 2: 19.0})
    threads = machine.choice()
    assert threads.choose(machine.step, 19.0) == 0.5
    assert threads.count == 1 and 2 not in machine.used
    later, machine.threads = machine.choice(), 2
    later.try_again()
    machine.train(later, 25)
    assert later.count == 1 and machine.used.count(2) == 1


def test_it_notices_that_another_process_begins_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, ALONE)
    threads = machine.choice()
    threads.choose(machine.step, 0.1)
    threads.try_again()
    machine.train(threads, 60)
    assert threads.count == 2
    machine.seconds = BESIDE
    machine.train(threads, 10)
    assert threads.count == 1, "slower steps are noticed at once"
    machine.seconds = ALONE
    machine.train(threads, LATEST_SECONDS + 5)
    assert threads.count == 2, "that more can be had is noticed at the next trial"


def test_a_passing_disturbance_does_not_lock_in(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, BESIDE)
    threads = machine.choice()
    threads.choose(machine.step, 0.1)
    threads.try_again()
    assert threads.count == 1
    machine.seconds = ALONE
    machine.train(threads, LATEST_SECONDS + 5)
    assert threads.count == 2


@pytest.mark.parametrize("seconds", [ALONE, BESIDE, {4: 0.1, 2: 0.19, 1: 0.37}])
def test_trials_lose_a_percent_or_two(monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float]) -> None:
    machine = Machine(monkeypatch, seconds)
    threads = machine.choice()
    threads.choose(machine.step, 0.1)
    threads.try_again()
    steps = machine.train(threads, 600)
    best = 600 / min(seconds.values())
    assert (1 - 1.5 * SHARE) * best < steps < best + 1
    assert len(set(machine.used)) > 1, "nothing was tried"
    assert SOONEST_SECONDS <= threads._wait <= LATEST_SECONDS


# ---------------------------------------------------------------- while something is measured


def layers_as(monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float]) -> list[int]:
    """Let the sample of work take pretended times; gives the counts that were tried."""
    tried: list[int] = []

    def pretended() -> float:
        tried.append(torch.get_num_threads())
        return seconds[tried[-1]]

    monkeypatch.setattr(threads_module, "_sample_seconds", pretended)
    return tried


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(("seconds", "best"), [(ALONE, 2), (BESIDE, 1)])
def test_measures_compute_in_as_many_threads_as_help(
    seconds: dict[int, float], best: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = layers_as(monkeypatch, seconds)
    with measuring(machine_model()):
        assert torch.get_num_threads() == best
    assert set(tried) == {1, 2} and torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_every_measure_chooses_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measures take minutes, in which other processes come and go."""
    machine = {**BESIDE}
    layers_as(monkeypatch, machine)
    used: list[int] = []
    real = Measure.judged

    def judged(measure: Measure, subject: Subject) -> Subject:
        used.append(torch.get_num_threads())
        return real(measure, subject)

    def ends(name: str, groups: Groups) -> None:
        machine.update(ALONE)

    monkeypatch.setattr(Measure, "judged", judged)
    evaluate(Subject(machine_model(), source().parts(), View()), ["reconstruction", "reconstruction"], ends=ends)
    assert used[-2:] == [1, 2]


def test_one_thread_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    tried = layers_as(monkeypatch, ALONE)
    with as_many_as_help():
        assert not tried


def test_the_sample_of_work_takes_time() -> None:
    assert 1e-5 < threads_module._sample_seconds() < 5


# ---------------------------------------------------------------- in a training

LASTS = Training(epochs=3, batch_size=16, precision="float32", device="cpu")


def source() -> Source:
    with seeded(3):
        return Source("made", Part.of((torch.rand(120, 1, 4, 4) > 0.6).float()))


def machine_model() -> RBM:
    with seeded(1):
        return RBM(RBM.Config(hidden=6, persistent_chains=5), (1, 4, 4))


def folder(place: Path) -> Run:
    return create_run(place, Settings(model="rbm", shape=(1, 4, 4), config={}, data="made"))


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Torch is given two threads, and trials pay for the shortest training."""
    monkeypatch.setattr(threads_module, "WORTH_TRYING_SECONDS", 0.0)
    monkeypatch.setattr(threads_module, "WORTH_TRYING_STEPS", 0)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def rehearsed_as(monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float]) -> list[int]:
    """Let the rehearsal take real steps and tell pretended times; gives the counts that it tried."""
    real, tried = fit_module.step_seconds, list[int]()

    def pretended(stepper: fit_module.Stepper) -> float:
        real(stepper)
        tried.append(torch.get_num_threads())
        return seconds[tried[-1]]

    monkeypatch.setattr(fit_module, "step_seconds", pretended)
    return tried


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(("seconds", "best"), [(ALONE, 2), (BESIDE, 1)])
def test_the_rehearsal_chooses_and_the_run_tells(
    seconds: dict[int, float], best: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = rehearsed_as(monkeypatch, seconds)
    used = {record.threads for record in fit(machine_model(), source(), LASTS)}
    assert set(tried) == {1, 2} and used == {best}
    assert torch.get_num_threads() == 2, "the caller's number is the caller's"


@pytest.mark.usefixtures("two_threads")
def test_trying_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, tried = machine_model(), machine_model()
    train(plain, source(), replace(LASTS, threads=1))
    counts = rehearsed_as(monkeypatch, BESIDE)
    train(tried, source(), LASTS)
    assert len(counts) > 3
    for name, value in plain.state_dict().items():
        assert torch.equal(value, tried.state_dict()[name]), name


@pytest.mark.usefixtures("two_threads")
def test_threads_that_are_given_win(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = rehearsed_as(monkeypatch, BESIDE)
    assert {record.threads for record in fit(machine_model(), source(), replace(LASTS, threads=2))} == {2}
    assert not tried


@pytest.mark.usefixtures("two_threads")
@pytest.mark.slow
def test_a_resumed_run_obeys_the_stored_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rehearsed_as(monkeypatch, BESIDE)
    whole, broken = folder(tmp_path / "whole"), folder(tmp_path / "broken")
    long = replace(LASTS, epochs=40)
    train(machine_model(), source(), long, whole)
    begun = fit(machine_model(), source(), long, broken)
    for _ in range(4):
        next(begun)
    begun.close()
    tried = rehearsed_as(monkeypatch, ALONE)
    assert {record.threads for record in fit(machine_model(), source(), long, broken)} == {1}
    assert not tried and {record["threads"] for record in broken.records()} == {1}
    first, second = whole.last(), broken.last()
    assert first is not None and second is not None
    for name, value in first.state["model"].items():
        assert torch.equal(value, second.state["model"][name]), name


@pytest.mark.usefixtures("two_threads")
def test_other_numbers_are_tried_again_only_where_the_training_ends_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsed_as(monkeypatch, BESIDE)
    again: list[Threads] = []
    monkeypatch.setattr(Threads, "try_again", lambda threads: again.append(threads))
    train(machine_model(), source(), LASTS)
    assert not again
    train(machine_model(), source(), replace(LASTS, epochs=None, minutes=0.005))
    assert len(again) == 1
    searching = replace(LASTS, epochs=None, minutes=0.005, optimiser="cg", batch_size=96)
    train(machine_model(), source(), searching)
    assert len(again) == 1, "steps of a line search have different lengths"


@pytest.mark.usefixtures("two_threads")
def test_the_line_before_the_first_step_names_the_number_and_the_precision(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsed_as(monkeypatch, BESIDE)
    follow(fit(machine_model(), source(), replace(LASTS, precision="float32")))
    assert " in 1 thread, float32; " in capsys.readouterr().err.splitlines()[0]
    follow(fit(machine_model(), source(), replace(LASTS, threads=2, precision="bf16")))
    assert " in 2 threads, bf16; " in capsys.readouterr().err.splitlines()[0]


def test_a_change_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    first = next(fit(machine_model(), source(), LASTS))
    later = replace(first, needs=None, step=5, threads=first.threads + 1)
    follow(iter([first, later]))  # type: ignore[arg-type]
    told = capsys.readouterr().err.splitlines()
    assert told[1] == "train: in 2 threads from here on, which now takes less time than 1"
