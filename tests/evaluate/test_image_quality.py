"""Squared error by hand; PSNR and SSIM against scikit-image."""

import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from untaught.evaluate.image_quality import psnr_db, squared_error, ssim


def pictures(*shape: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(*shape, generator=generator)
    return x, (x + 0.2 * torch.randn(*shape, generator=generator)).clamp(0, 1)


def test_squared_error_sums_over_pixels() -> None:
    x, y = pictures(2, 1, 3, 4)
    by_hand = [sum(float(x[n, 0, i, j] - y[n, 0, i, j]) ** 2 for i in range(3) for j in range(4)) for n in range(2)]
    assert squared_error(x, y).tolist() == pytest.approx(by_hand, rel=1e-5)


def test_psnr_is_scikit_images() -> None:
    x, y = pictures(3, 3, 17, 12)
    theirs = [peak_signal_noise_ratio(p.numpy(), q.numpy(), data_range=1) for p, q in zip(x, y, strict=True)]
    assert psnr_db(x, y).tolist() == pytest.approx(theirs, rel=1e-5)


def test_psnr_of_a_copy_ends_at_100_db() -> None:
    x, _ = pictures(2, 1, 5, 5)
    assert psnr_db(x, x).tolist() == [100, 100]


@pytest.mark.parametrize("channels", [1, 3])
def test_ssim_is_scikit_images(channels: int) -> None:
    x, y = pictures(4, channels, 28, 21)
    theirs = [
        structural_similarity(
            p.double().numpy(), q.double().numpy(), channel_axis=0, data_range=1, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False,
        )
        for p, q in zip(x, y, strict=True)
    ]  # fmt: skip
    assert ssim(x, y).tolist() == pytest.approx(theirs, abs=1e-5)
    assert min(theirs) < 0.9


@pytest.mark.parametrize("side", [8, 5, 1])
def test_ssim_of_small_pictures_takes_the_window_that_fits(side: int) -> None:
    """The formula, place by place, in plain loops."""
    x, y = pictures(1, 1, side, side + 1)
    size = side if side % 2 else side - 1
    offset = torch.arange(size, dtype=torch.float64) - size // 2
    window = torch.exp(-(offset[:, None] ** 2 + offset[None, :] ** 2) / (2 * 1.5**2))
    window = window / window.sum()
    found: list[float] = []
    for top in range(side - size + 1):
        for left in range(side + 1 - size + 1):
            p, q = (z[0, 0, top : top + size, left : left + size].double() for z in (x, y))
            mp, mq = (window * p).sum(), (window * q).sum()
            vp, vq = (window * (p - mp) ** 2).sum(), (window * (q - mq) ** 2).sum()
            covariance = (window * (p - mp) * (q - mq)).sum()
            up = (2 * mp * mq + 0.01**2) * (2 * covariance + 0.03**2)
            found.append(float(up / ((mp**2 + mq**2 + 0.01**2) * (vp + vq + 0.03**2))))
    assert float(ssim(x, y)) == pytest.approx(sum(found) / len(found), abs=1e-4)
