r"""How alike two pictures are: squared error, peak signal-to-noise ratio, structural similarity.

With pixels in [0, 1], so a data range of 1, for one picture x and its copy y of P pixels (channels counted):

    squared error = sum_p (x_p - y_p)^2                                                    (1)
    PSNR          = -10 log10(squared error / P)   in decibels                             (2)
    SSIM          = mean_p (2 mx my + C1)(2 sxy + C2) / ((mx^2 + my^2 + C1)(sx^2 + sy^2 + C2))   (3)

mx, sx^2 and sxy are means, variances and covariance under an 11 x 11 Gaussian window of deviation 1.5,
normalised to sum 1, without the n / (n - 1) of a sample covariance; C1 = 0.01^2 and C2 = 0.03^2. The mean is over
the places where the window lies wholly inside the picture, and over channels. This is what
`skimage.metrics.structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1)`
computes. A picture with a side below 11 takes the largest odd window that fits.

References:
    Wang, Bovik, Sheikh, Simoncelli, Image quality assessment: from error visibility to structural similarity (2004).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from untaught.shapes import Examples, Images, PerExample

WINDOW = 11
DEVIATION = 1.5
FLOOR = 1e-10
"""Mean squared error of a copy that counts as exact: PSNR ends at 100 decibels."""


def squared_error(x: Examples, y: Examples) -> PerExample:
    """Sum over everything but the batch of (x - y)^2, equation (1)."""
    return (x - y).square().flatten(1).sum(1)


def psnr_db(x: Images, y: Images) -> PerExample:
    """Peak signal-to-noise ratio of each picture in decibels, equation (2)."""
    return -10 * (squared_error(x, y) / x[0].numel()).clamp_min(FLOOR).log10()


def ssim(x: Images, y: Images) -> PerExample:
    """Structural similarity of each picture, at most 1, equation (3).

    Example:
        >>> x = torch.rand(2, 3, 16, 16)
        >>> bool(torch.allclose(ssim(x, x), torch.ones(2)))
        True
    """
    return torch.cat([_ssim(a, b) for a, b in zip(x.split(64), y.split(64), strict=True)])


def _ssim(x: Images, y: Images) -> PerExample:
    first, second = 0.01**2, 0.03**2
    window = _window(min(x.shape[-2:])).to(x)
    mx, my, mxx, myy, mxy = (_smoothed(image, window) for image in (x, y, x * x, y * y, x * y))
    vx, vy, covariance = mxx - mx * mx, myy - my * my, mxy - mx * my
    similarity = (2 * mx * my + first) * (2 * covariance + second)
    similarity = similarity / ((mx * mx + my * my + first) * (vx + vy + second))
    return similarity.flatten(1).mean(1)


def _window(side: int) -> Tensor:
    size = min(WINDOW, side - 1 + side % 2)
    offset = torch.arange(size, dtype=torch.float64) - size // 2
    weights = (-0.5 * (offset / DEVIATION) ** 2).exp()
    return weights / weights.sum()


def ssim_7x7(x: Images, y: Images) -> PerExample:
    """Structural similarity of each picture as scikit-image gives it of floating-point pictures by default.

    The mean over places and channels of Wang's expression with a flat 7 x 7 window (or the largest odd one that fits),
    variances of a sample, n / (n - 1), and the constants of a data range of 2.

    Example:
        >>> x = torch.rand(2, 3, 16, 16)
        >>> bool(torch.allclose(ssim_7x7(x, x), torch.ones(2)))
        True
    """
    return torch.cat([_ssim_7x7(a, b) for a, b in zip(x.split(64), y.split(64), strict=True)])


def _ssim_7x7(x: Images, y: Images) -> PerExample:
    first, second = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    shorter = min(x.shape[-2:])
    side = min(7, shorter - 1 + shorter % 2)
    flat = x.new_full((side,), 1 / side)
    mx, my, mxx, myy, mxy = (_smoothed(image, flat) for image in (x, y, x * x, y * y, x * y))
    sample = side**2 / max(1, side**2 - 1)
    vx, vy, covariance = sample * (mxx - mx * mx), sample * (myy - my * my), sample * (mxy - mx * my)
    similarity = (2 * mx * my + first) * (2 * covariance + second)
    similarity = similarity / ((mx * mx + my * my + first) * (vx + vy + second))
    return similarity.flatten(1).mean(1)


def _smoothed(x: Images, window: Tensor) -> Float[Tensor, "batch channel inner_height inner_width"]:
    """Gaussian mean at every place where the window lies inside; the two axes one after the other."""
    channels = x.flatten(0, 1)[:, None]
    down = functional.conv2d(channels, window[None, None, :, None])
    return functional.conv2d(down, window[None, None, None, :])[:, 0].unflatten(0, x.shape[:2])
