"""Stacks of optical flow: which motion, in which channel, of which frame; kept; what cannot be."""

from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import torch

from untaught.data.part import Part, WholeFrames
from untaught.data.sets import flow
from untaught.data.source import open_data
from untaught.errors import DataError
from untaught.randomness import seeded

RIGHT, DOWN = 2, 1


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / "untaught" / "flow"


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Twelve clips of 6 frames: smooth noise that moves by two pixels to the right and one down."""
    with seeded(0):
        noise = torch.nn.functional.avg_pool2d(torch.rand(12, 1, 34, 34), 3, 1)
    x = torch.stack([noise.roll((DOWN * t, RIGHT * t), (-2, -1)) for t in range(6)], 1)
    np.save(tmp_path / "clips.npy", (x * 255).byte().numpy())
    return tmp_path / "clips.npy"


def test_channels_hold_motion_to_the_right_then_down_of_one_frame_after_another(clips: Path) -> None:
    source = open_data(f"flow:{clips}?stack=3&centred=false&bound=4")
    part = source.parts().train
    assert source.shape == (6, 32, 32) and source.is_video and part.length.unique().tolist() == [3]
    x = part.frames.read(part.first).float() / 255
    motion = ((x - 0.5) * 8)[..., 10:22, 10:22].mean((0, 2, 3))
    assert motion.tolist() == pytest.approx([RIGHT, DOWN] * 3, abs=0.2)


def test_a_stack_begins_at_its_own_frame(clips: Path) -> None:
    one, three = (open_data(f"flow:{clips}?stack={stack}").parts().test for stack in (1, 3))
    first, second = one.frames.read(one.first[:, None] + torch.tensor([1, 3])).unbind(1)
    stacked = three.frames.read(three.first + 1)
    torch.testing.assert_close(stacked[:, :2], first)
    torch.testing.assert_close(stacked[:, 4:], second)


def test_without_its_mean_there_is_no_motion_of_the_camera(clips: Path) -> None:
    part = open_data(f"flow:{clips}?stack=1").parts().train
    x = part.frames.read(part.first).float() / 255
    assert float((x - 0.5).mean((2, 3)).abs().max()) < 0.003


def test_it_is_estimated_once(clips: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_data(f"flow:{clips}?stack=2").parts().train
    monkeypatch.setattr(flow, "optical_flow", None)
    second = open_data(f"flow:{clips}?stack=4").parts().train
    assert torch.equal(first.frames.read(first.first)[:, :4], second.frames.read(second.first)[:, :4])
    assert len(list(cache.iterdir())) == 3


def test_another_bound_or_other_frames_are_not_taken_from_the_cache(clips: Path) -> None:
    narrow, usual = (open_data(f"flow:{clips}?stack=1&bound={bound}").parts().train for bound in (4, 8))
    x, half = (part.frames.read(part.first).float() - 127.5 for part in (narrow, usual))
    torch.testing.assert_close(x, 2 * half, atol=1.6, rtol=0)
    assert not torch.equal(x, half)


def test_true_variables_and_classes_stay_with_their_frames() -> None:
    named = "actions?clips=10&validation=1&test=1&frames=8&size=12&task=appearance"
    frames = open_data(named).parts().train
    stacks = open_data(f"flow?of={quote(named, '')}&stack=5").parts().train
    assert torch.equal(stacks.latents["position"][:3], frames.latents["position"][:3])
    assert torch.equal(stacks.latents["position"][3:6], frames.latents["position"][8:11])
    assert stacks.label.tolist() == frames.label[frames.first].repeat_interleave(3).tolist()


def test_clips_that_are_too_short_for_a_stack_are_left_out() -> None:
    frames = torch.arange(9.0)[:, None, None, None].expand(-1, 1, 4, 4) / 9
    part = Part.over(WholeFrames(frames), torch.tensor([3, 1, 5]), torch.tensor([4, 5, 6]))
    stacks = flow._part(part, flow.Options(stack=2))
    assert stacks.length.tolist() == [1, 3] and stacks.label.tolist() == [4, 6, 6, 6]
    assert stacks.frames.read(stacks.first).shape == (2, 4, 4, 4)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("flow", "flow takes video or a named set"),
        ("flow?of=digits", "has single pictures"),
        ("flow?of=balls%3Fclips=2%26frames=8&stack=9", "stack=7 at most"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line_or_two(spec: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        open_data(spec)


def test_short_clips_have_shorter_stacks_and_that_is_told(clips: Path) -> None:
    source = open_data(f"flow:{clips}?size=16x20")
    assert source.shape == (10, 16, 20) and "5 flows are stacked, not 10" in source.notes[-1]
