"""Cuts: found where they were made, and nowhere else; no window crosses one."""

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from torch import Tensor

from untaught.data.batches import epoch_order, fixed_order
from untaught.data.part import WholeFrames
from untaught.data.reading.cuts import cuts_between, find_cuts
from untaught.data.source import open_data
from untaught.data.view import View
from untaught.randomness import seeded


def shot(frames: int, seed: int, speed: int = 1) -> Tensor:
    """A camera that pans over a picture of blobs: (frame, 3, 24, 32), bytes."""
    with seeded(seed):
        coarse = torch.rand(1, 3, 6, 40)
    wide = torch.nn.functional.interpolate(coarse, size=(24, 240), mode="bicubic").clamp(0, 1)[0]
    return torch.stack([(255 * wide[..., speed * t : speed * t + 32]).byte() for t in range(frames)])


def found(clip: Tensor) -> list[int]:
    return find_cuts(WholeFrames(clip), [0], [len(clip)]).tolist()


def test_cuts_are_found_where_shots_meet() -> None:
    shots = [shot(frames, seed) for seed, frames in enumerate((12, 7, 20, 9))]
    assert found(torch.cat(shots)) == [12, 19, 39]


def test_neither_pan_nor_flash_nor_dissolve_nor_stillness_is_a_cut() -> None:
    one, other = shot(40, 1), shot(40, 2)
    flash = one.clone()
    flash[20] = 255
    share = torch.linspace(0, 1, 40).view(-1, 1, 1, 1)
    dissolve = (one * (1 - share) + other * share).byte()
    for clip in (shot(40, 1, speed=5), flash, dissolve, one[:1].expand(40, -1, -1, -1)):
        assert found(clip) == []


def test_a_cut_out_of_a_still_shot_is_found_though_nothing_changes_around() -> None:
    still = [shot(1, seed).expand(8, -1, -1, -1) for seed in (1, 2)]
    assert found(torch.cat(still)) == [8]


def test_rule_by_hand() -> None:
    changes = torch.tensor([0.02, 0.02, 0.08, 0.02, 0.02])
    assert cuts_between(changes).tolist() == [3]
    assert cuts_between(changes * 0.6).tolist() == []  # 0.048 is too small
    assert cuts_between(torch.tensor([0.02, 0.021, 0.08, 0.02, 0.02])).tolist() == []  # less than four times
    assert cuts_between(torch.zeros(0)).tolist() == cuts_between(torch.tensor([0.9])).tolist() == []


def write(path: Path, frames: Tensor) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "10"})
        stream.height, stream.width, stream.pix_fmt = frames.shape[2], frames.shape[3], "yuv420p"
        for frame in frames.permute(0, 2, 3, 1).numpy():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shots = [shot(frames, seed) for seed, frames in enumerate((30, 30, 40))]
    return write(tmp_path_factory.mktemp("cuts") / "clip.mp4", torch.cat(shots))


def crossing(starts: Tensor, frames: int, cut: int) -> bool:
    return bool(((starts < cut) & (starts + frames > cut)).any())


@pytest.mark.parametrize("memory", [2**30, 1000])
def test_no_window_crosses_a_cut(video: Path, memory: int) -> None:
    source = open_data(video, memory=memory)
    parts = source.parts()
    assert source.train.cuts.tolist() == [30, 60]
    assert parts.train.first.tolist() == [0, 30, 60] and parts.train.length.tolist() == [30, 30, 12]
    assert len(source.train) == 1, "commands still see one clip"
    view = View(frames=8)
    starts = torch.cat([epoch_order(parts.train, view, 0, epoch) for epoch in range(20)])
    assert not crossing(starts, 8, 30) and not crossing(starts, 8, 60)
    assert not crossing(fixed_order(parts.train, view, None), 8, 30)


def test_an_option_turns_it_off(video: Path) -> None:
    source = open_data(f"{video}?cuts=false")
    assert len(source.train.cuts) == 0 and len(source.parts().train) == 1
    starts = torch.cat([epoch_order(source.parts().train, View(frames=8), 0, epoch) for epoch in range(20)])
    assert crossing(starts, 8, 30)


def test_the_last_fifth_by_time_is_held_out_whatever_the_cuts(video: Path) -> None:
    parts = open_data(video).parts()
    assert parts.test.first.tolist() == [80] and parts.test.length.tolist() == [20]
