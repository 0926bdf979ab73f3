"""Grey as colour and colour as grey, against Pillow, for bytes and floats, in memory and on disk."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from untaught.data.channels import to_channels, with_channels
from untaught.data.reading.arrays import from_array
from untaught.data.source import open_data

RANDOM = np.random.default_rng(0)
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


@pytest.mark.parametrize("there", MODES)
@pytest.mark.parametrize("wanted", [1, 3, 4])
@pytest.mark.parametrize("floats", [False, True])
def test_channels_are_those_of_pillow(there: int, wanted: int, floats: bool) -> None:
    pixels = RANDOM.integers(0, 256, (6, 7, there), np.uint8)
    image = Image.fromarray(pixels[..., 0] if there == 1 else pixels).convert("RGBA")
    if wanted != 4:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    expected = np.atleast_3d(np.array(image.convert(MODES[wanted]))).transpose(2, 0, 1)
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    found = to_channels(x / 255 if floats else x, wanted)
    assert found.dtype == (torch.float32 if floats else torch.uint8)
    assert np.abs(found[0].numpy() * (255 if floats else 1) - expected.astype(float)).max() <= 1.01


@pytest.mark.parametrize("memory", [0, 2**30])
@pytest.mark.parametrize("shape", [(5, 1, 6, 7), (5, 3, 6, 7), (2, 4, 1, 6, 7), (2, 4, 3, 6, 7)])
def test_sources_of_pictures_and_of_video(shape: tuple[int, ...], memory: int, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", RANDOM.integers(0, 256, shape, np.uint8))
    source = open_data(tmp_path / "x.npy", memory=memory)
    wanted = 4 - source.shape[0]
    turned, every = with_channels(source, wanted), torch.arange(source.train.frames.count)
    assert turned.shape == (wanted, 6, 7) and turned.is_video == source.is_video and len(turned.notes) == 1
    assert torch.equal(turned.train.frames.read(every), to_channels(source.train.frames.read(every), wanted))
    assert with_channels(turned, wanted) is turned


def test_vectors_and_many_channels_stay() -> None:
    for x in (torch.rand(4, 3), torch.rand(2, 3, 5, 6, 6)):
        source = from_array(x)
        assert with_channels(source, 1) is source
