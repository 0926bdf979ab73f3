"""Rotating heads as a source: motion, latent variables, parts, galleries, stills, the cache, and wrong options."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from solid import FACES, SOLID, corners
from torch import Tensor

from untaught.data.part import Part
from untaught.data.sets import heads
from untaught.data.source import open_data
from untaught.errors import ConfigError, DataError
from untaught.randomness import seeded


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / "untaught" / "heads"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A model of four vertices, quick to draw, whose first coefficient makes it taller, the second wider."""
    modes = np.zeros((2, 4, 3), np.float32)
    modes[0, 3, 1], modes[1, 1, 0] = 0.1, 0.1
    np.savez(tmp_path / "head.npz", mean=SOLID.numpy(), triangles=FACES.numpy(), identity_modes=modes)
    return tmp_path / "head.npz"


def frames(part: Part) -> Tensor:
    return part.frames.read(torch.arange(part.frames.count))


def load(file: Path | None, **options: int | bool) -> list[Part]:
    small = {"clips": 5, "validation": 3, "test": 2, "size": 24}
    source = heads.load(file, heads.Options(**{**small, **options}))
    return list(source.all_parts().values())


def test_our_own_heads_are_a_source() -> None:
    source = open_data("heads?clips=3&validation=1&test=2", size=32)
    assert source.shape == (1, 32, 32) and source.is_video and source.train.frames.dtype == torch.uint8
    assert [len(part) for part in source.all_parts().values()] == [3, 1, 2]
    assert source.train.length.tolist() == [6, 6, 6] and (source.train.label == -1).all()
    x = frames(source.train).float().view(3, 6, 32, 32)
    assert (x[:, :, 0, 0] == 255).all() and (x[:, :, -1, 16] < 250).all()
    moved = (x[:, 1:] - x[:, :-1]).abs().mean()
    other = (x[0] - x[1]).abs().mean()
    assert moved > 1 and other > 5


def test_options_are_the_papers() -> None:
    options = heads.Options()
    assert (options.clips, options.validation, options.test, options.frames, options.size) == (4000, 200, 200, 6, 150)


def test_motion_is_that_of_the_paper() -> None:
    with seeded(0):
        angle = heads.simulate(20_000, 6).double()
    start, speed = angle[:, 0], angle[:, 1] - angle[:, 0]
    assert torch.allclose(angle, start[:, None] + speed[:, None] * torch.arange(6), atol=1e-5)
    for value, most in ((start, math.pi / 2), (speed, math.pi / 6)):
        assert float(value.abs().max()) <= most + 1e-6
        # Standard errors for n draws: of the mean most / sqrt(3 n), of the second moment 0.9 / sqrt(n) of itself.
        assert abs(float(value.mean())) < 4 * most / math.sqrt(3 * 20_000)
        assert float(value.square().mean()) == pytest.approx(most**2 / 3, rel=4 * 0.9 / math.sqrt(20_000))
    assert abs(float((start * speed).mean())) < 4 * math.pi**2 / 36 / math.sqrt(20_000)


def test_pictures_show_the_latent_variables(file: Path) -> None:
    """The silhouette of each frame is that of the solid at the angles that the latent variables give."""
    (part, *_) = load(file, roll=True, size=100, clips=4)
    pan, roll, identity = (part.latents[name] for name in ("angle", "roll", "identity"))
    assert set(part.latents) == {
        "angle",
        "speed",
        "initial_angle",
        "identity",
        "roll",
        "roll_speed",
    } and identity.shape == (24, 2)
    low, high = SOLID.amin(0), SOLID.amax(0)
    margin = 0.09 * float(high[1] - low[1])
    scale = 100 / float(high[1] - low[1])
    middle = torch.tensor([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2 + margin, (low[2] + high[2]) / 2])
    for frame, picture in enumerate(frames(part)[:, 0]):
        solid = SOLID.clone()
        solid[3, 1] += 0.1 * identity[frame, 0]
        solid[1, 0] += 0.1 * identity[frame, 1]
        place = torch.tensor(corners(float(pan[frame]), float(roll[frame]), solid - middle)) * scale
        shown = picture < 235
        wrong = shown != covered(place + 50 * torch.tensor([1.0, -1.0]), 100)
        assert wrong.float().mean() < 0.025 and shown.float().mean() > 0.1  # edges are up to half a pixel off


def covered(corner: Tensor, size: int) -> Tensor:
    """Which pixels' middles lie within the shadow of the solid: in one of its triangles, whichever way it faces."""
    middle = torch.arange(size) + 0.5
    right, up = middle[None, :].expand(size, -1), -middle[:, None].expand(-1, size)
    found = torch.zeros(size, size, dtype=torch.bool)
    for triangle in FACES.tolist():
        sides = []
        for one, other in zip(triangle, triangle[1:] + triangle[:1], strict=True):
            (ax, ay), (bx, by) = corner[one].tolist(), corner[other].tolist()
            sides.append((bx - ax) * (up - ay) - (by - ay) * (right - ax))
        found |= torch.stack(sides).amin(0) >= 0
        found |= torch.stack(sides).amax(0) <= 0
    return found


def test_speed_is_the_angle_between_frames(file: Path) -> None:
    for part in load(file, roll=True, frames=4):
        for angle, speed in (("angle", "speed"), ("roll", "roll_speed")):
            value = part.latents[angle].view(-1, 4)
            steps = value[:, 1:] - value[:, :-1]
            assert torch.allclose(part.latents[speed].view(-1, 4)[:, 1:], steps, atol=1e-5)
        assert (part.latents["identity"].view(-1, 4, 2).diff(dim=1) == 0).all()
        assert not torch.allclose(part.latents["angle"], part.latents["roll"])


def test_parts_are_the_same_whatever_the_size_of_the_others(file: Path) -> None:
    before = torch.get_rng_state()
    parts, again = load(file), load(file, clips=2, validation=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(frames(parts[2]), frames(again[2]))
    angles = [part.latents["angle"][0].item() for part in (*parts, *load(file, seed=1))]
    assert len(set(angles)) == 6


def test_stills_do_not_move(file: Path) -> None:
    for part in load(file, still=True, roll=True):
        x = frames(part).view(-1, 6, 24 * 24)
        assert (x == x[:, :1]).all() and not part.latents["speed"].any() and not part.latents["roll_speed"].any()
        assert part.latents["angle"].unique().numel() == len(part)
    assert frames(load(file, still=True)[0]).float().std(0).max() > 0


def test_people_come_back(file: Path) -> None:
    parts = load(file, people=3, clips=30)
    known = {}
    for part in parts:
        label = part.label.view(-1, 6)
        assert (label == label[:, :1]).all() and set(label.unique().tolist()) <= {0, 1, 2}
        for who, identity in zip(part.label.tolist(), part.latents["identity"], strict=True):
            assert torch.equal(known.setdefault(who, identity), identity)
    assert len(known) == 3 and len({tuple(identity.tolist()) for identity in known.values()}) == 3
    assert torch.equal(load(file, people=3, angles=2)[0].latents["identity"][0], known[0])


def test_a_gallery_shows_every_person_at_every_angle(file: Path) -> None:
    (part,) = load(file, people=5, angles=12, frames=4)
    assert len(part) == 60 and part.length.unique().tolist() == [4]
    seen = {
        (who, round(angle, 4))
        for who, angle in zip(part.label.tolist(), part.latents["angle"][:, 0].tolist(), strict=True)
    }
    wanted = np.linspace(-math.pi / 2, math.pi / 2, 12).round(4).tolist()
    assert seen == {(who, angle) for who in range(5) for angle in wanted}
    x = frames(part).view(60, 4, -1)
    assert (x == x[:, :1]).all() and len({tuple(clip.tolist()) for clip in x[:, 0]}) > 50
    assert not part.latents["speed"].any()
    parts = open_data(f"heads:{file}?people=5&angles=12&size=24").parts()
    assert [len(one) for one in (parts.train, parts.validation, parts.test)] == [45, 5, 10]


def test_what_was_drawn_is_kept(file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    real = heads.render_all

    def counted(*arguments: object) -> Tensor:
        drawn.append(1)
        return real(*arguments)

    monkeypatch.setattr(heads, "render_all", counted)
    first = load(file)
    assert len(drawn) == 3 == len(list(cache.iterdir()))
    again = load(file, clips=5, test=4)
    assert len(drawn) == 4 and torch.equal(frames(first[0]), frames(again[0]))
    np.savez(file, mean=2 * SOLID.numpy(), triangles=FACES.numpy(), identity_modes=np.zeros((2, 4, 3), np.float32))
    load(file)
    assert len(drawn) == 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("angles=12", "needs people"),
        ("people=5&angles=1", "at least 2 angles"),
        ("people=5&angles=3&roll=true", "does not roll"),
        ("people=1", "at least 2"),
        ("people=-1", "people"),
        ("frames=1", "frames"),
        ("size=4", "size"),
        ("pan=3", "unknown field 'pan'"),
    ],
)
def test_options_that_cannot_be_are_refused(options: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        open_data(f"heads?{options}")


def test_a_model_with_missing_keys_is_one_clear_line(tmp_path: Path) -> None:
    np.savez(tmp_path / "head.npz", mean=SOLID.numpy())
    with pytest.raises(DataError, match=r"head\.npz has no array 'triangles'") as caught:
        open_data(f"heads:{tmp_path / 'head.npz'}")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_draws_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    there = frames(load(None, size=64)[0]).int()
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert ((there - frames(load(None, size=64)[0]).int()).abs() <= 1).float().mean() > 0.995
