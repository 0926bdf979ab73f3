"""Resizing against Pillow's, which also antialiases."""

import numpy as np
import pytest
import torch
from PIL import Image

from untaught.data.part import Frames, Part
from untaught.data.reading.resize import ResizedFrames, fit, resized
from untaught.errors import DataError


@pytest.mark.parametrize("size", [(16, 16), (20, 50), (64, 48), (100, 100), (5, 3), (1, 1), (5, 1), (1, 4)])
@pytest.mark.parametrize("source", [(48, 64), (64, 48), (37, 53)])
def test_fit_equals_pillow(source: tuple[int, int], size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (7, 9, 3), np.uint8)).resize((source[1], source[0]))
    height, width = source
    scale = min(height / size[0], width / size[1])
    tall, wide = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    left, top = (width - wide) // 2, (height - tall) // 2
    middle = smooth.crop((left, top, left + wide, top + tall))
    expected = np.asarray(middle.resize((size[1], size[0]), Image.Resampling.BILINEAR)).transpose(2, 0, 1)
    ours = fit(torch.from_numpy(np.array(smooth)).permute(2, 0, 1)[None], size)[0].numpy()
    assert ours.shape == (3, *size) and np.abs(ours.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("tall", [False, True])
def test_what_is_cut_off_lies_on_both_sides(tall: bool) -> None:
    x = torch.tensor([10, 200, 30], dtype=torch.uint8).repeat_interleave(10).expand(1, 1, 10, 30)
    assert (fit(x.mT if tall else x, (5, 5)) == 200).all()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float16, torch.float32])
def test_kinds_are_kept_and_agree(dtype: torch.dtype) -> None:
    x = torch.rand(2, 1, 20, 30, generator=torch.Generator().manual_seed(0))
    given = (x * 255).round().to(dtype) if dtype == torch.uint8 else x.to(dtype)
    scale = 255 if dtype == torch.uint8 else 1
    ours = fit(given, (8, 8))
    assert ours.dtype == dtype
    assert torch.allclose(ours.float() / scale, fit(x, (8, 8)), atol=0.01)
    assert torch.equal(fit(given, (20, 30)), given)


def test_a_part_is_resized_in_memory_and_on_disk_alike() -> None:
    x = torch.randint(0, 256, (300, 1, 12, 10), dtype=torch.uint8)
    whole = resized(Part.of(x), (6, 5))
    assert whole.frames.in_memory is not None and whole.shape == (1, 6, 5)

    class Elsewhere(Frames):
        shape, dtype, count = (1, 12, 10), torch.uint8, 300

        def read(self, index: torch.Tensor) -> torch.Tensor:
            return x[index]

    lazy = resized(Part.over(Elsewhere()), (6, 5))
    index = torch.tensor([[0, 299], [256, 3]])
    assert isinstance(lazy.frames, ResizedFrames) and lazy.frames.count == 300
    assert torch.equal(lazy.frames.read(index), whole.frames.read(index))
    assert lazy.frames.read(index).shape == (2, 2, 1, 6, 5)


def test_vectors_are_refused() -> None:
    with pytest.raises(DataError, match="vectors of 7 numbers"):
        resized(Part.of(torch.zeros(3, 7)), (4, 4))
