r"""How well a model gives back what it saw.

For N test examples x_n with pixels in [0, 1] and their reconstructions y_n,

    squared error per image = 1/N sum_n sum_p (x_np - y_np)^2                              (1)

and, for pictures, the means over n of PSNR and SSIM (`image_quality`). Beside it, fitted on the training part, its mean
image and planes of as many components as the model has features: PCA; for values in [0, 1], where it is not too much
work, logistic PCA with codes that are optimised for each example and the same with a linear code
(`logistic_principal`); for word probabilities LSA, which here is the plane through the origin without weights
(`latent_semantic.truncated`).

Where x_n are word probabilities and the model's y_n too, also

    cross-entropy = -1/N sum_n sum_i x_ni log y_ni    in nats per word                     (2)

with y below 1e-12 taken as 1e-12, beside that of the training part's mean, the unigram.

A model trained on binarised pictures is shown the grey ones, as probabilities, and compared with them. A model
trained on standardised ones is compared in the original units; the sum (1) over pixels in the deviations that it was
trained on, with PCA of such pixels, is `squared_deviations_per_image`.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from untaught.evaluate.baselines.latent_semantic import is_bag_of_words, truncated
from untaught.evaluate.baselines.logistic_principal import linear_code, logistic_principal, possible
from untaught.evaluate.baselines.principal import principal
from untaught.evaluate.image_quality import psnr_db, squared_error, ssim
from untaught.evaluate.subject import Subject
from untaught.model import Encodes, Reconstructs
from untaught.shapes import Examples, Vectors

FITTED = 60_000
"""Training examples that PCA is fitted on at most: all of MNIST."""
LEAST = 1e-12
"""Probability of a word that counts as none."""


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
    if is_bag_of_words(x) and is_bag_of_words(copies["model"]):
        result["cross_entropy_nats"] = cross_entropy_nats(x, copies["model"])
        result["cross_entropy_nats_baselines"] = {"unigram": cross_entropy_nats(x, copies["mean_image"])}
    return result | _in_deviations(subject, x, copies["model"])


def _in_deviations(subject: Subject, x: Examples, copy: Examples) -> dict[str, Any]:
    """Equation (1) in the units that a model of standardised pixels saw; nothing for other models."""
    if subject.statistics is None:
        return {}
    given, name = subject.seen(x).flatten(1), "squared_deviations_per_image"
    train = subject.seen(subject.pixels(subject.parts.train, FITTED).x).flatten(1)
    beside = {"mean_image": train.mean(0).expand_as(given)}
    if isinstance(subject.model, Encodes):
        beside["pca"] = principal(train, subject.features(x[:1]).shape[1]).reconstruct(given)
    errors = {who: float(squared_error(given, y).double().mean()) for who, y in beside.items()}
    return {
        name: float(squared_error(given, subject.seen(copy).flatten(1)).double().mean()),
        f"{name}_baselines": errors,
    }


def cross_entropy_nats(x: Vectors, y: Vectors) -> float:
    """Nats per word of documents x under word probabilities y, mean over documents, equation (2)."""
    return -float((x.double() * y.double().clamp_min(LEAST).log()).sum(1).mean())


def _baselines(subject: Subject, x: Examples) -> dict[str, Tensor]:
    train = subject.pixels(subject.parts.train, FITTED).x.flatten(1)
    planes: dict[str, Tensor] = {}
    if isinstance(subject.model, Encodes):
        planes = _planes(train, x.flatten(1), subject.features(x[:1]).shape[1])
    planes["mean_image"] = train.mean(0).expand(len(x), -1)
    return {name: copy.reshape(x.shape) for name, copy in planes.items()}


def _planes(train: Tensor, given: Tensor, components: int) -> dict[str, Tensor]:
    """What planes that were fitted on training examples give back of others."""
    copies = {"pca": principal(train, components).reconstruct(given)}
    if is_bag_of_words(train):
        copies["lsa"] = truncated(train, components, given)
    elif possible(train, components):
        copies["logistic_pca"] = logistic_principal(train, components).reconstruct(given)
        copies["logistic_pca_linear_code"] = linear_code(train, components).reconstruct(given)
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
