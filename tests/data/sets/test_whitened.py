"""Whitened pictures: flat spectra, nothing at the borders, the same grey for none."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from untaught.data.sets.whitened import whitened
from untaught.data.source import open_data
from untaught.errors import DataError
from untaught.randomness import seeded


def natural(count: int, side: int = 64) -> torch.Tensor:
    """Noise whose amplitude falls as one over frequency."""
    with seeded(0):
        noise = torch.fft.fft2(torch.randn(count, side, side))
    f = torch.fft.fftfreq(side)
    radius = (f[:, None].square() + f.square()).sqrt()
    radius[0, 0] = 1
    x = torch.fft.ifft2(noise / radius).real
    return (x - x.min()) / (x.max() - x.min())


def amplitude(x: torch.Tensor, low: float, high: float) -> float:
    """Mean amplitude of the frequencies in a band."""
    spectrum = torch.fft.fft2(x - x.mean((1, 2), keepdim=True)).abs().mean(0)
    f = torch.fft.fftfreq(x.shape[1])
    radius = (f[:, None].square() + f.square()).sqrt()
    return float(spectrum[(radius > low) & (radius < high)].mean())


def test_spectra_that_fall_become_flat() -> None:
    x = natural(200)
    before = amplitude(x, 0.05, 0.1) / amplitude(x, 0.2, 0.25)
    flat = whitened(x)
    after = amplitude(flat, 0.05, 0.1) / amplitude(flat, 0.2, 0.25)
    assert before > 2.5
    assert 0.8 < after < 1.25
    assert amplitude(flat, 0.45, 0.5) < 0.5 * amplitude(flat, 0.2, 0.25)


def test_an_even_picture_is_middle_grey() -> None:
    assert whitened(torch.full((1, 32, 32), 0.7)).abs().max() < 1e-6


def test_a_folder_of_colour_pictures(tmp_path: Path) -> None:
    pixels = (natural(12, 40) * 255).byte().numpy()
    for number, grey in enumerate(pixels):
        Image.fromarray(np.repeat(grey[..., None], 3, 2)).save(tmp_path / f"{number}.png")
    source = open_data(f"whitened:{tmp_path}?pictures=6")
    train = source.parts().train.frames.in_memory
    assert source.shape == (1, 32, 32) and train is not None and len(train) == 6
    assert abs(float(train.mean()) - 0.5) < 0.01
    assert 0.11 < float(train.std()) < 0.13  # an eighth, but for what is cut at black and white


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(DataError, match="a path or a named set"):
        open_data("whitened")
    with pytest.raises(DataError, match="more than 16 pixels"):
        open_data("whitened?of=digits")
