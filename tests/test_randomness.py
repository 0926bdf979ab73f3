"""A seed holds inside its `with` and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from untaught.randomness import Draws, generator_state, seeded, set_generator_state

CPU = torch.device("cpu")
DEVICES = [CPU, *([torch.device("cuda")] if torch.cuda.is_available() else [])]


@pytest.fixture(params=DEVICES, ids=str)
def device(request: pytest.FixtureRequest) -> torch.device:
    return request.param


def draw(device: torch.device, count: int = 100) -> list[float]:
    return torch.rand(count, device=device).tolist()


def test_same_seed_same_draws(device: torch.device) -> None:
    with seeded(3, device):
        first = draw(device)
    with seeded(3, device):
        assert draw(device) == first
    with seeded(4, device):
        assert draw(device) != first


def test_the_seed_is_torchs_own(device: torch.device) -> None:
    """Oracle: a generator of its own with that seed."""
    own = torch.Generator(device).manual_seed(11)
    with seeded(11, device):
        assert draw(device, 5) == torch.rand(5, generator=own, device=device).tolist()


def test_the_caller_never_notices(device: torch.device) -> None:
    assert _twice(device, between=lambda: _inside(device)) == _twice(device)


def test_the_caller_is_restored_after_an_error(device: torch.device) -> None:
    before = generator_state(device)
    with pytest.raises(ZeroDivisionError), seeded(0, device):
        draw(device)
        _ = 1 / 0
    after = generator_state(device)
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_nested_seeds_do_not_mix(device: torch.device) -> None:
    with seeded(1, device):
        plain = draw(device, 4), draw(device, 4)
    with seeded(1, device):
        first = draw(device, 4)
        with seeded(2, device):
            draw(device, 7)
        later = draw(device, 4)
    assert first == plain[0] and later == plain[1]


def test_a_stream_goes_on_where_it_was_left(device: torch.device) -> None:
    whole, parts = Draws(5, device), Draws(5, device)
    with whole:
        expected = [draw(device, 8) for _ in range(3)]
    found: list[list[float]] = []
    for _ in range(3):
        draw(device)
        with parts:
            found.append(draw(device, 8))
    assert found == expected


def test_making_a_stream_draws_nothing(device: torch.device) -> None:
    before = generator_state(device)
    Draws(5, device)
    after = generator_state(device)
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_state_can_be_read_and_written(device: torch.device) -> None:
    before = generator_state(device)
    first = draw(device)
    set_generator_state(before, device)
    assert draw(device) == first
    set_generator_state(before, device)


def test_a_generator_function_leaks_nothing() -> None:
    """A stream swapped out before each `yield` and in after it keeps both sides apart."""

    def ours() -> Iterator[float]:
        stream = Draws(9, CPU)
        for _ in range(3):
            with stream:
                value = torch.rand(()).item()
            yield value

    alone = list(ours())
    with seeded(1):
        theirs = [torch.rand(()).item() for _ in range(3)]
    with seeded(1):
        mixed = [(torch.rand(()).item(), value) for value in ours()]
    assert mixed == list(zip(theirs, alone, strict=True))


def _inside(device: torch.device) -> None:
    with seeded(8, device):
        draw(device)


def _twice(device: torch.device, between: Callable[[], None] = lambda: None) -> list[float]:
    before = generator_state(device)
    first = draw(device, 3)
    between()
    second = draw(device, 3)
    set_generator_state(before, device)
    return first + second
