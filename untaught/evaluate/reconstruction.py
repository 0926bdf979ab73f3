r"""How well a model gives back what it saw.

For N test examples x_n with pixels in [0, 1] and their reconstructions y_n,

    squared error per image = 1/N sum_n sum_p (x_np - y_np)^2                              (1)

and, for pictures, the means over n of PSNR and SSIM (`image_quality`). Beside it the same for PCA with as many
components as the model has features, fitted on the training part, and for the training part's mean image.

A model trained on binarised pictures is shown the grey ones, as probabilities, and compared with them; a model
trained on standardised ones is compared in the original units.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from untaught.evaluate.image_quality import psnr_db, squared_error, ssim
from untaught.evaluate.principal import principal
from untaught.evaluate.subject import Subject
from untaught.model import Encodes, Reconstructs
from untaught.shapes import Examples

FITTED = 60_000
"""Training examples that PCA is fitted on at most: all of MNIST."""


def applies(subject: Subject) -> str | None:
    """None for models that reconstruct pictures or vectors."""
    if not isinstance(subject.model, Reconstructs):
        return "the model does not reconstruct"
    if subject.view.frames is not None:
        return "the model sees video; prediction measures what it gives back"
    return None


def measure(subject: Subject) -> dict[str, Any]:
    """Errors of the model and of its baselines on the test part."""
    assert isinstance(subject.model, Reconstructs)
    x = subject.tested().x
    copies = {"model": subject.shown(subject.apply(subject.model.reconstruct, x)), **_baselines(subject, x)}
    of = {name: _errors(x, copy) for name, copy in copies.items()}
    own = of.pop("model")
    result: dict[str, Any] = {**own, "images": len(x)}
    if isinstance(subject.model, Encodes):
        result["features"] = subject.features(x[:1]).shape[1]
    result["baselines"] = {name: errors["squared_error_per_image"] for name, errors in of.items()}
    for key in ("psnr_db", "ssim"):
        if key in own:
            result[f"{key}_baselines"] = {name: errors[key] for name, errors in of.items()}
    return result


def _baselines(subject: Subject, x: Examples) -> dict[str, Tensor]:
    train = subject.pixels(subject.parts.train, FITTED).x.flatten(1)
    copies = {"mean_image": train.mean(0).reshape(x[:1].shape).expand_as(x)}
    if isinstance(subject.model, Encodes):
        plane = principal(train, subject.features(x[:1]).shape[1])
        copies = {"pca": plane.reconstruct(x.flatten(1)).reshape(x.shape), **copies}
    return copies


def _errors(x: Examples, copy: Examples) -> dict[str, float]:
    errors = squared_error(x, copy).double()
    result = {
        "squared_error_per_image": float(errors.mean()),
        "squared_error_per_image_std": float(errors.std(correction=0)),
    }
    if x.ndim == 4:
        kept = copy.clamp(0, 1)  # as pictures are shown
        result |= {"psnr_db": float(psnr_db(x, kept).mean()), "ssim": float(ssim(x, kept).mean())}
    return result
