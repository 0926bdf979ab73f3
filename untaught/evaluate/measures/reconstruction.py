r"""How well a model reconstructs its input.

For N test examples x_n with pixels in [0, 1] and their reconstructions y_n,

    squared error per image = 1/N sum_n sum_p (x_np - y_np)^2                              (1)

and, for pictures, the means over n of PSNR and SSIM (`image_quality`). Baselines, fitted on the training part, are its
mean image and planes of as many components as the model has features. These are PCA; for values in [0, 1], if not too
costly, logistic PCA with codes optimised for each example, and with a linear code (`logistic_principal`); and for word
probabilities LSA, here the plane through the origin without weights (`latent_semantic.truncated`).

Where x_n are word probabilities and the model's y_n too, also

    cross-entropy = -1/N sum_n sum_i x_ni log y_ni    in nats per word                     (2)

with y below 1e-12 taken as 1e-12. The baseline is the training part's mean, the unigram.

A model trained on binarised pictures is given grey ones, as probabilities, and compared with them. A model trained on
standardised pictures is compared in the original units; `squared_deviations_per_image` is (1) for standardised pixels,
with PCA of these as baseline.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from untaught.evaluate.baselines.latent_semantic import is_bag_of_words, truncated
from untaught.evaluate.baselines.logistic_principal import linear_code, logistic_principal, possible
from untaught.evaluate.baselines.names import full
from untaught.evaluate.image_quality import psnr_db, squared_error, ssim
from untaught.evaluate.judgement.paired import COPIED, beside_model
from untaught.evaluate.measure import Groups, Headline, Measure
from untaught.evaluate.quantity import Quantity, beside, facts
from untaught.evaluate.representations import has_labels
from untaught.evaluate.subject import Subject
from untaught.model import Encodes, Reconstructs
from untaught.nn.principal import principal, principal_sketch
from untaught.shapes import Examples, Vectors

FITTED = 60_000
"""Most training examples that PCA is fitted on: all of MNIST."""
QUICK, QUICK_FITTED = 1_000, 10_000
"""Test and training examples of the quick measure."""
LEAST = 1e-12
"""Probability of a word that counts as none."""
ERROR = Quantity(
    "squared_error_per_image",
    better="lower",
    spread_is="std",
    spoken="the squared error of what comes back",
    meaning="The sum over one picture's pixels of (original − reconstruction)², with pixels from 0 (black) to 1 "
    "(white): the mean over test pictures ± its standard deviation.",
)
PSNR = Quantity("psnr_db", title="PSNR", unit="dB", better="higher", meaning="Peak signal-to-noise ratio.")
SSIM = Quantity("ssim", title="SSIM", digits=2, better="higher", meaning="Structural similarity, at most 1.")
CROSS_ENTROPY = Quantity(
    "cross_entropy_nats",
    title="cross-entropy",
    unit="nats",
    better="lower",
    meaning="The mean of −log p of each word in a document under what comes back.",
)
DEVIATIONS = Quantity(
    "squared_deviations_per_image",
    better="lower",
    meaning="The same sum with each pixel in the standard deviations that the model was shown.",
)


def applies(subject: Subject) -> str | None:
    """None for models that reconstruct pictures or vectors."""
    if not isinstance(subject.model, Reconstructs):
        return "the model does not reconstruct"
    if subject.view.frames is not None:
        return "the model sees video; prediction measures what it gives back"
    return None


def measure(subject: Subject) -> Groups:
    """Errors of the model and of its baselines on the test part."""
    assert isinstance(subject.model, Reconstructs)
    x = subject.tested().x
    baselines = _baselines(subject, x)
    kept = _that_lose(x, baselines)
    copies = {"model": subject.shown(subject.apply(subject.model.reconstruct, x)), **kept}
    quality = beside((ERROR, PSNR, SSIM), {name: _quality(x, copy) for name, copy in copies.items()})
    quality[0] = _errors(x, copies)
    counts = facts(images=len(x))
    if isinstance(subject.model, Encodes):
        counts += facts(features=subject.features(x[:1]).shape[1])
    if left_out := [full(name) for name in baselines if name not in kept]:
        counts += facts(left_out_as_they_copy_their_input=left_out)
    words: list[Quantity] = []
    if is_bag_of_words(x) and is_bag_of_words(copies["model"]):
        unigram = cross_entropy_nats(x, copies["mean_image"])
        words = [CROSS_ENTROPY.of(cross_entropy_nats(x, copies["model"]), baselines={"unigram": unigram})]
    return [[*quality, *counts], words, _in_deviations(subject, x, copies["model"])]


def quick(subject: Subject) -> Groups:
    """Errors on fewer examples, of the model, of the mean and of PCA with as many components as there are features."""
    assert isinstance(subject.model, Reconstructs)
    x, train = subject.tested(QUICK).x, subject.pixels(subject.parts.train, QUICK_FITTED).x.flatten(1)
    copies = {"model": subject.shown(subject.apply(subject.model.reconstruct, x))}
    counts = facts(images=len(x))
    if isinstance(subject.model, Encodes):
        counts += facts(features=(features := subject.features(x[:1]).shape[1]))
        copies["pca"] = principal_sketch(train, features).reconstruct(x.flatten(1)).reshape(x.shape)
    copies["mean_image"] = train.mean(0).expand(len(x), -1).reshape(x.shape)
    return [[_errors(x, copies), *counts]]


def speaks(subject: Subject) -> bool:
    """Whether giving back is an art: a code as wide as the data can copy them, and labels then say what it is for."""
    if not isinstance(subject.model, Encodes) or not has_labels(subject):
        return True
    x = subject.pixels(subject.parts.test, 1).x
    return subject.features(x).shape[1] < x[0].numel()


def _errors(x: Examples, copies: Mapping[str, Tensor]) -> Quantity:
    """Equation (1) of the model, with its standard deviation, and of the baselines."""
    errors = {name: squared_error(x, copy).double() for name, copy in copies.items()}
    own = errors.pop("model")
    baselines = {name: beside_model(own, one, "lower") for name, one in errors.items()}
    return ERROR.of(float(own.mean()), float(own.std(correction=0)), baselines)


def _in_deviations(subject: Subject, x: Examples, copy: Examples) -> list[Quantity]:
    """Equation (1) in the units that a model of standardised pixels saw; nothing for other models."""
    if subject.statistics is None:
        return []
    given, train = (subject.seen(some).flatten(1) for some in (x, subject.pixels(subject.parts.train, FITTED).x))
    copies = {"model": subject.seen(copy).flatten(1), "mean_image": train.mean(0).expand_as(given)}
    if isinstance(subject.model, Encodes):
        copies["pca"] = principal(train, subject.features(x[:1]).shape[1]).reconstruct(given)
    errors = {name: float(squared_error(given, y).double().mean()) for name, y in copies.items()}
    return [DEVIATIONS.of(errors.pop("model"), baselines=errors)]


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


def _that_lose(x: Examples, copies: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Baselines that lose something: planes of as many components as there are pixels copy every picture."""
    errors = {name: float(squared_error(x, copy).double().mean()) for name, copy in copies.items()}
    return {name: copy for name, copy in copies.items() if errors[name] >= COPIED * max(errors.values())}


def _planes(train: Tensor, given: Tensor, components: int) -> dict[str, Tensor]:
    """Reconstructions of `given` by planes fitted on training examples."""
    copies = {"pca": principal(train, components).reconstruct(given)}
    if is_bag_of_words(train):
        copies["lsa"] = truncated(train, components, given)
    elif possible(train, components):
        copies["logistic_pca"] = logistic_principal(train, components).reconstruct(given)
        copies["logistic_pca_linear_code"] = linear_code(train, components).reconstruct(given)
    return copies


def _quality(x: Examples, copy: Examples) -> dict[str, float]:
    result = {ERROR.name: float(squared_error(x, copy).double().mean())}
    if x.ndim == 4:
        kept = copy.clamp(0, 1)  # as pictures are shown
        result |= {PSNR.name: float(psnr_db(x, kept).mean()), SSIM.name: float(ssim(x, kept).mean())}
    return result


MEASURE = Measure(
    title="What comes back",
    meaning="How well a model gives back what it saw.",
    applies=applies,
    measure=measure,
    quantities=(ERROR, PSNR, SSIM, CROSS_ENTROPY, DEVIATIONS),
    headline=Headline((ERROR.name,), ("pca", "mean_image"), "examples", speaks, quick),
)
