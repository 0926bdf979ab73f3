"""When a stage is over, and when it measures and saves."""

import math
import os
import signal
from collections.abc import Generator

import pytest

from untaught.training.clock import PATIENCE, VALIDATIONS, Clock, interrupt_deferred


def run_out(clock: Clock, seconds_per_step: float, losses: list[float] | None = None) -> list[int]:
    """Drive a clock with pretended time; give the steps at which the held-out loss was measured."""
    measured: list[int] = []
    while not clock.over:
        for _ in range(clock.segment()):
            clock.step += 1
        clock.seconds += (clock.step - clock._began) * seconds_per_step
        clock.rate = 1 / seconds_per_step
        clock._began = clock.step
        if clock.validation_due():
            loss = losses[min(len(measured), len(losses) - 1)] if losses else 1 / clock.step
            clock.validated(loss, 0.0)
            measured.append(clock.step)
    return measured


def test_epochs_end_after_their_steps() -> None:
    clock = Clock(steps_per_epoch=7, epochs=3)
    run_out(clock, 0.01)
    assert clock.step == 21
    assert clock.progress == 1


def test_under_epochs_the_measured_steps_do_not_depend_on_speed() -> None:
    fast, slow = Clock(steps_per_epoch=100, epochs=5), Clock(steps_per_epoch=100, epochs=5)
    measured = run_out(fast, 1e-5)
    assert measured == run_out(slow, 3.0)
    assert len(measured) <= VALIDATIONS and measured[-1] == 500


def test_a_moment_that_is_asked_for_ends_a_segment() -> None:
    """At or after the moment, and 0.07 of 100 steps is 7, though 0.07 * 100 is a little more."""
    ends: dict[tuple[float, ...], set[int]] = {(): set(), (0.0, 0.002, 0.0031, 0.07, 0.5, 1.0): set()}
    for moments, own in ends.items():
        clock = Clock(steps_per_epoch=100, epochs=5, moments=moments, rate=1e5)
        while not clock.over:
            clock.step += clock.segment()
            own.add(clock.step)
    plain, asked = ends.values()
    assert not {1, 2, 35, 250} & plain and {1, 2, 35, 250, 500} <= asked
    clock = Clock(steps_per_epoch=100, epochs=1, moments=(0.07,), rate=1e5)
    clock.step = 5
    assert clock.segment() == 1
    clock.step = 6
    assert clock.segment() == 1
    clock.step = 8
    assert clock.segment() == 1  # the held-out loss is measured every third step
    clock.step = 7
    assert clock.segment() == 2


def test_measuring_takes_a_small_share_of_the_steps() -> None:
    clock = Clock(steps_per_epoch=100, epochs=40, held_out_steps=20)
    measured = run_out(clock, 0.01)
    assert measured[-1] == 4000
    assert len(measured) * 20 <= 0.03 * 4000 + 20


def test_part_of_an_epoch() -> None:
    clock = Clock(steps_per_epoch=10, epochs=0.25)
    run_out(clock, 0.01)
    assert clock.step == 3


def test_minutes_end_by_time() -> None:
    clock = Clock(steps_per_epoch=10, minutes=0.5)
    run_out(clock, 0.01)
    assert clock.seconds == pytest.approx(30, rel=0.05)


def test_a_stall_ends_a_training_without_a_given_end() -> None:
    clock = Clock(steps_per_epoch=10)
    measured = run_out(clock, 0.01, losses=[3.0, 2.0, 1.0])
    assert len(measured) == 3 + PATIENCE
    assert clock.seconds < clock.limit


def test_no_stall_while_the_loss_falls() -> None:
    clock = Clock(steps_per_epoch=10)
    run_out(clock, 0.01, losses=[0.98**number for number in range(500)])
    assert clock.seconds == pytest.approx(600, rel=0.02)


def test_a_loss_that_is_not_a_number_is_never_the_best() -> None:
    clock = Clock(steps_per_epoch=10, epochs=1)
    assert not clock.validated(math.nan, 0.0)
    assert clock.validated(5.0, 0.0)


def test_later_weights_are_preferred_within_the_tolerance() -> None:
    clock = Clock(steps_per_epoch=10, epochs=1)
    losses = [1.0, 0.5, 0.54, 0.56, 0.55, 0.4]
    preferred = []
    for clock.step, loss in enumerate(losses):
        preferred.append(clock.validated(loss, 0.0, tolerance=0.1))
    assert preferred == [True, True, True, False, True, True] and clock.chosen == 5
    strict = Clock(steps_per_epoch=10, epochs=1)
    assert [strict.validated(loss, 0.0) for loss in (0.5, 0.5, 0.4)] == [True, False, True]
    nats = Clock(steps_per_epoch=10, epochs=1)
    assert [nats.validated(loss, 0.0, tolerance=0.1) for loss in (-10.0, -9.5, -8.0)] == [True, True, False]
    still = Clock(steps_per_epoch=10, epochs=1)
    preferred = [still.validated(loss, 0.0, 0.1, negligible=0.01) for loss in (0.003, 0.0131, 0.0134, 0.0)]
    assert preferred == [True, True, False, True]


def test_state_goes_round() -> None:
    clock = Clock(steps_per_epoch=10, minutes=1)
    clock.step, clock.seconds, clock.rate = 40, 12.5, 3.0
    clock.validated(2.0, 0.5)
    other = Clock(steps_per_epoch=10, minutes=1)
    other.restore(clock.state())
    assert other == clock or other.state() == clock.state()


@pytest.fixture
def interruptible() -> Generator[None]:
    """As in the foreground: what a shell begins in the background may ignore interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_waits_for_the_end_of_the_step() -> None:
    with interrupt_deferred() as noted:
        os.kill(os.getpid(), signal.SIGINT)
        assert noted
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_slow_pictures_take_a_small_share_of_the_time() -> None:
    clock = Clock(steps_per_epoch=10, minutes=1)
    drawn = 0
    for _ in range(40):
        clock.seconds += 1
        clock.validated(1.0, 0.0)
        if clock.picture_due():
            clock.drew(1.5)
            drawn += 1
    assert drawn == 2, "the first, and one at 32 of 40 seconds, when two are a tenth"
    assert clock.seconds == 40 + 2 * 1.5


def test_quick_pictures_are_drawn_at_every_doubling() -> None:
    clock = Clock(steps_per_epoch=10, minutes=1)
    drawn: list[int] = []
    for number in range(1, 41):
        clock.seconds += 1
        clock.validated(1.0, 0.0)
        if clock.picture_due():
            clock.drew(0.01)
            drawn.append(number)
    assert drawn == [1, 2, 4, 8, 16, 32]


def test_no_time_is_left_after_the_end() -> None:
    clock = Clock(steps_per_epoch=10, epochs=2, step=50, rate=10.0)
    assert clock.over and clock.seconds_left == 0
