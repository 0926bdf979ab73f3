"""Actions: what tells classes apart, and what does not; true variables; clutter; what cannot be."""

from pathlib import Path

import numpy as np
import pytest
import torch

from untaught.data.sets.actions import Options, appearance, load, local, one_after_the_other
from untaught.data.source import open_data
from untaught.errors import ConfigError, DataError
from untaught.randomness import seeded

FEW = "clips=40&validation=10&test=10"


def test_noise_moves_by_one_pixel_a_frame_in_the_direction_of_the_class() -> None:
    with seeded(0):
        drawn = local(torch.arange(4), 5, 24, 1)
    rolls = [(0, 1), (0, -1), (1, 0), (-1, 0)]
    for x, position, roll in zip(drawn.x, drawn.position, rolls, strict=True):
        column, row = (int(place) for place in position[1].round() % 24)
        window = (torch.arange(-3, 4) + 24) % 24
        rows, columns = (window + row) % 24, (window + column) % 24
        moved = x[0].roll(roll, (0, 1))
        assert torch.equal(x[1][rows][:, columns], moved[rows][:, columns])
        assert not torch.equal(x[1][rows][:, columns], x[0][rows][:, columns])


def test_cells_are_squares_that_move_by_their_side() -> None:
    with seeded(0):
        fine = local(torch.arange(4), 5, 12, 1)
    with seeded(0):
        coarse = local(torch.arange(4), 5, 35, 3)
    assert torch.equal(coarse.x[..., ::3, ::3], fine.x) and torch.equal(coarse.x[..., 1::3, 2::3], fine.x[..., :11])
    assert torch.equal(coarse.velocity, 3 * fine.velocity)
    torch.testing.assert_close(coarse.position, 3 * fine.position + 1)


def test_a_frame_of_noise_alone_says_nothing() -> None:
    """Mean, deviation and neighbours are those of uniform noise in every class."""
    with seeded(1):
        x = local(torch.arange(4).repeat_interleave(100), 3, 24, 1).x[:, 1].unflatten(0, (4, 100))
    count = 100 * 24 * 24
    assert (x.mean((1, 2, 3)) - 0.5).abs().max() < 4 * (1 / 12 / count) ** 0.5
    for axis in (-1, -2):
        alike = ((x - 0.5) * (x.roll(1, axis) - 0.5)).mean((1, 2, 3))
        assert alike.abs().max() < 4 / 12 / count**0.5


def test_both_orders_show_the_same_frames_a_gap_apart() -> None:
    with seeded(2):
        light = one_after_the_other(torch.zeros(50, dtype=torch.int64), 24, 16, 5)
    with seeded(2):
        dark = one_after_the_other(torch.ones(50, dtype=torch.int64), 24, 16, 5)
    assert torch.equal(light.events, dark.events.flip(1))
    assert (light.events.diff(dim=1) == 5).all()
    assert light.events.min() == 6 and light.events.max() == 24 - 1 - 6
    shown = (light.x != 0.5).flatten(2).any(2)
    assert (shown.sum(1) == 2).all()
    torch.testing.assert_close(light.x.sum(1), dark.x.sum(1))
    first = light.events[:, 0].long()
    assert (light.x[torch.arange(50), first].amax((1, 2)) == 1).all()


def test_shapes_stay_inside_and_move_as_their_velocity_says() -> None:
    with seeded(3):
        drawn = appearance(torch.arange(4).repeat(25), 40, 24)
    assert drawn.position.min() >= 24 / 5 - 1e-4 and drawn.position.max() <= 23 - 24 / 5 + 1e-4
    moved, straight = drawn.position.diff(dim=1), drawn.velocity[:, 1:] == drawn.velocity[:, :-1]
    torch.testing.assert_close(moved[straight], drawn.velocity[:, 1:][straight], atol=1e-4, rtol=0)
    assert drawn.cover.flatten(1).sum(1).unflatten(0, (25, 4)).std(0).max() < drawn.cover[0].sum() / 5


def test_each_class_has_its_shape() -> None:
    """Areas in squares of the reach: a disc, a square of 1.8, two bars of 0.7 by 2 that cross, a triangle."""
    with seeded(4):
        drawn = appearance(torch.arange(4), 2, 100)
    areas = drawn.cover[:, 0].sum((1, 2)) / 20**2
    assert areas.tolist() == pytest.approx([torch.pi, 1.8**2, 2 * 0.7 * 2 - 0.7**2, 0.9 * 1.8], rel=0.05)


def test_mixed_clips_are_of_their_classes() -> None:
    part = open_data(f"actions?{FEW}&frames=12&size=12").train
    label, events = part.label[part.first], part.latents["events"][part.first]
    velocity = part.latents["velocity"][part.first]
    directions = torch.tensor([[2.0, 0], [-2, 0], [0, 2], [0, -2]])
    local_motion = (label >= 4) & (label < 8)
    assert torch.equal(velocity[local_motion], directions[label[local_motion] - 4])
    assert ((events < 0).all(1) == (label < 8)).all()
    assert ((events[:, 0] < events[:, 1]) == (label == 8))[label >= 8].all()


@pytest.mark.parametrize(("task", "classes"), [("appearance", 4), ("local", 4), ("global", 2), ("mixed", 10)])
def test_classes_are_equally_many(task: str, classes: int) -> None:
    source = open_data(f"actions?task={task}&{FEW}&frames=12&size=12")
    part = source.train
    assert len(source.label_names) == classes
    counts = part.label[part.first].bincount(minlength=classes)
    assert counts.tolist() == [40 // classes] * classes
    assert source.shape == (1, 12, 12) and part.frames.dtype == torch.uint8
    assert set(part.latents) == {"global": {"events"}, "mixed": {"position", "velocity", "events"}}.get(
        task, {"position", "velocity"}
    )


def test_parts_and_seeds_differ_and_the_same_is_the_same() -> None:
    same = [load(None, Options(clips=20, validation=20, test=20, frames=8, size=12, seed=seed)) for seed in (0, 0, 1)]
    frames = [source.train.frames.in_memory for source in same]
    assert torch.equal(frames[0], frames[1]) and not torch.equal(frames[0], frames[2])  # pyright: ignore
    test = same[0].parts().test.frames.in_memory
    assert test is not None and not torch.equal(frames[0], test)  # pyright: ignore


def test_clutter_is_behind(tmp_path: Path) -> None:
    video = np.full((1, 30, 16, 16, 1), 51, np.uint8)
    np.save(tmp_path / "video.npy", video)
    part = open_data(f"actions:{tmp_path / 'video.npy'}?task=appearance&{FEW}&noise=0&size=16&frames=40").train
    x = part.frames.in_memory
    assert x is not None and set(x.unique().tolist()) == {51, 230}


def test_clutter_runs_forth_and_back_and_each_part_has_its_own(tmp_path: Path) -> None:
    """Ten clips that grow brighter by a level a frame, each at other levels."""
    levels = np.arange(10)[:, None] * 20 + np.arange(5)
    np.save(tmp_path / "video.npy", np.broadcast_to(levels[..., None, None, None], (10, 5, 12, 12, 1)).astype(np.uint8))
    source = open_data(f"actions:{tmp_path / 'video.npy'}?task=global&{FEW}&noise=0&size=12&frames=14")
    seen: list[set[int]] = []
    for part in source.all_parts().values():
        x = part.frames.read(part.first[:, None] + torch.arange(14)).flatten(2).int()
        steps = x.median(2).values.diff(dim=1).abs()
        assert steps.unique().tolist() == [1]
        seen.append(set(x.median(2).values.unique().tolist()))
    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]


def test_noise_has_the_deviation_that_was_asked_for() -> None:
    part = open_data("actions?task=appearance&clips=20&validation=1&test=1&frames=6&size=12&noise=0.1").train
    x = part.frames.read(part.first[:, None] + torch.arange(6)).float() / 255
    assert float(x[..., 0, 0].std()) == pytest.approx(0.1, rel=0.2)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="gap=23 at most, or frames=25"):
        open_data("actions?task=global&gap=24")
    with pytest.raises(DataError, match="clutter of actions is video"):
        open_data(f"actions:{Path(__file__).resolve().parents[3] / 'docs/images'}")
