"""Names of numbers, as people say them. What is not known here is shown as it is called, without underscores."""

from __future__ import annotations

import re
from collections.abc import Callable
from numbers import Real
from typing import Any

WHOLE: dict[str, str] = {
    "model": "this model",
    "r2": "R²",
    "psnr_db": "PSNR, dB",
    "ssim": "SSIM",
    "pca": "PCA of as many components",
    "random_weights": "the same network, untrained",
    "linear_svm": "a linear SVM",
    "ridge": "a ridge classifier",
    "nearest_neighbours": "the 5 nearest neighbours",
    "adjusted_rand_index": "adjusted Rand index",
    "raw_pixels": "raw pixels",
    "mean_frame": "mean frame",
    "previous_frame": "copy of the previous frame",
    "true_frame": "the true frame",
    "classical_mds": "classical MDS",
    "smacof": "metric MDS (SMACOF)",
    "tsne": "t-SNE",
    "neighbours_r2": "R² of true variables among neighbours",
    "neighbours_accuracy": "accuracy among neighbours",
    "r2_components": "R² of single components",
    "principal_components": "R² from the first principal components",
    "states": "R² from hidden and cell state",
    "sharpness_difference_db": "sharpness difference, dB",
    "ssim_7x7": "SSIM in flat 7×7 windows, data range 2",
    "ssim_ahead": "SSIM of frames ahead",
    "squared_error_ahead": "squared error of frames ahead",
    "voted_accuracy": "accuracy of the mean of several answers",
    "unit_accuracy": "accuracy of single units",
    "codes": "different codes",
    "own_codes": "every example has a code of its own",
    "patterns": "different examples",
    "nearest_example": "the training example whose given half is nearest",
    "pseudo_loss_nats": "surprise at each visible unit given all others, nats",
    "log_likelihood_nats": "log-likelihood, nats per example",
    "log_likelihood_nats_low": "log-likelihood, lower end of its error bar, nats",
    "log_likelihood_nats_high": "log-likelihood, upper end of its error bar, nats",
    "log_likelihood_nats_backward": "log-likelihood by runs backwards, which err downwards, nats",
    "log_partition_nats": "log Z, nats",
    "log_partition_nats_low": "log Z, lower end of its error bar",
    "log_partition_nats_high": "log Z, upper end of its error bar",
    "log_partition_nats_backward": "log Z from runs backwards",
    "log_partition_kind": "log Z is",
    "pseudo_log_likelihood_nats": "pseudo-log-likelihood, nats per example",
    "independent_pixels": "independent pixels",
    "coin_flips": "coin flips",
    "effective_runs": "effective runs",
    "most_frequent_class": "always the most frequent class",
    "cross_entropy_nats": "cross-entropy, nats",
    "divergence_bits": "divergence from the data, bits",
    "entropy_bits": "entropy of the data, bits",
    "uniform": "every picture alike",
    "logistic_pca": "logistic PCA, codes optimised",
    "logistic_pca_linear_code": "logistic outputs from a linear code",
    "lsa": "latent semantic analysis",
    "unigram": "word frequencies",
    "mean_average_precision": "mean average precision",
    "lsa_10": "latent semantic analysis, 10",
    "lsa_50": "latent semantic analysis, 50",
    "chance": "chance",
}
TITLES: dict[str, str] = {
    "prediction": "What comes next",
    "rollout": "How far it sees ahead",
    "reconstruction": "What comes back",
    "decode": "What the representation knows",
    "probe": "Classes in the features",
    "cluster": "Groups found without labels",
    "completion": "One half from the other",
    "map": "The features as a map",
    "few_views": "Known from few views",
    "sharpness": "How sharp predictions are",
    "shrinkage": "Whether predictions keep the identity",
    "likelihood": "How probable the data are to it",
    "classification": "Classes that it names",
    "divergence": "How far from the true distribution",
    "codes": "Two-dimensional codes",
    "active_units": "Which units say something",
    "retrieval": "What lies near",
}
"""Headings of measures."""
PATTERNS: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (r"ridge_(\d)_frames?$", lambda m: f"linear map of the last {_frames(m[1])}"),
    (r"ridge_(\d)x(\d)_(\d)_frames?$", lambda m: f"linear {m[1]}×{m[2]} filter on the last {_frames(m[3])}"),
    (r"context_(\d+)$", lambda m: f"{m[1]} frame{'s' * (m[1] != '1')} given"),
    (r"(.*)_std$", lambda m: f"{spoken(m[1])}, standard deviation"),
    (r"(.*)_accuracy$", lambda m: f"accuracy of {spoken(m[1])}"),
)
MEANINGS: dict[str, str] = {
    "squared_error_per_frame": (
        "The sum over one frame's pixels of (true − predicted)², with pixels from 0 (black) to 1 (white): the mean "
        "over test frames ± its standard deviation over clips."
    ),
    "squared_error_per_image": (
        "The sum over one picture's pixels of (original − reconstruction)², with pixels from 0 (black) to 1 (white): "
        "the mean over test pictures ± its standard deviation."
    ),
    "squared_deviations_per_image": "The same sum with each pixel in the standard deviations that the model was shown.",
    "fantasy_squared_error_per_frame": (
        "The same sum between a frame and what the machine was made to see in its place: what it learns from."
    ),
    "mean_activation": "The part of the hidden units that are on, mean over pictures.",
    "psnr_db": "Peak signal-to-noise ratio.",
    "ssim": "Structural similarity, at most 1.",
    "rollout": (
        "The model is given true frames and then goes on from its own predictions: the error of each frame by how far "
        "ahead it is."
    ),
    "squared_error_ahead": "The model goes on from its own predictions, after so many true frames.",
    "ssim_ahead": "Structural similarity of the same frames, at most 1.",
    "r2": (
        "A linear map from the features to each true variable, fitted on training examples and judged on others: 1 "
        "reads the variable exactly, 0 is no better than its mean."
    ),
    "stress": "Part of the distances between features that a map of two coordinates loses.",
    "neighbours_r2": "How well the 10 nearest neighbours on the map tell a true variable: 1 orders it, 0 does not.",
    "gradient_energy_ratio": "Energy of predicted frames' gradients over true ones': 1 is as sharp, less is blurred.",
    "slope": "How much of a difference between true frames is left between predicted ones: 1 faithful, 0 the average.",
    "accuracy": "A linear support vector machine learns every object from a few views and is asked about the others.",
    "normalised_mutual_information": "Agreement of groups found without labels with the classes: 0 none, 1 perfect.",
    "adjusted_rand_index": "Agreement of pairs, corrected for chance: 0 by chance, 1 perfect.",
    "log_likelihood_nats": (
        "Mean logarithm of the probability that the model gives a test example; near 0 is best. Error bars are three "
        "standard errors of the estimate of log Z."
    ),
    "pseudo_log_likelihood_nats": "Each pixel's probability given all others, as a sum of logarithms.",
    "error_rate": "Part of the test examples whose most probable class is another one.",
    "class_error_rates": "The same for every class.",
    "codes": "Different features of the test examples, each feature taken as on above 1/2.",
    "solved": "1 where different examples have different codes and the mean answer is right about every one, else 0.",
    "divergence_bits": (
        "Bits that a code made for the model takes more for each picture than one made for the data: the exact "
        "Kullback-Leibler divergence, a sum over all pictures. 0 only where the two distributions are the same."
    ),
    "cross_entropy_nats": "Mean of −log p: of the true class, or of each word in a document under what comes back.",
    "active_units_fraction": "Part of the features whose variance over examples is above 0.01.",
    "lifetime_sparseness": "0 where a feature is as strong in all examples, 1 where it is on in one; mean of features.",
    "population_sparseness": "0 where an example has all features alike, 1 where it has one; mean over examples.",
    "precision": "Part of the nearest training examples that have the query's class, by how many are retrieved.",
    "few_labels": "Accuracy when only a few examples of each class have a label, mean and spread over 5 draws.",
}


def spoken(name: str) -> str:
    """A name as people say it.

    Example:
        >>> spoken("ridge_1_frame"), spoken("squared_error_per_frame"), spoken("ssim")
        ('linear map of the last frame', 'squared error per frame', 'SSIM')
    """
    if name in WHOLE:
        return WHOLE[name]
    for pattern, say in PATTERNS:
        found = re.fullmatch(pattern, name)
        if found:
            return say(found)
    return name.replace("_", " ").replace(".", " ")


def sentence(name: str) -> str:
    """The same with a capital at its beginning."""
    said = spoken(name)
    return said[:1].upper() + said[1:]


def spread(value: float) -> str:
    """A standard deviation, to two digits.

    Example:
        >>> spread(0.3189), spread(12.4)
        ('0.32', '12')
    """
    return f"{value:.2g}"


def number(name: str, value: Any) -> str:
    """A value of that name: accuracies and errors in per cent, counts whole, others with three significant digits.

    Example:
        >>> number("ridge_accuracy", 0.9123), number("clips", 4950), number("error", 11.8437), number("r2", 0.5)
        ('91.2 %', '4,950', '11.8', '0.50')
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        return "–" if value is None else str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if "accuracy" in name or "error_rate" in name:
        return f"{100 * float(value):.1f} %"
    if name in ("r2", "ssim", "adjusted_rand_index", "normalised_mutual_information"):
        return f"{round(float(value), 2) + 0:.2f}"  # + 0 turns -0.0 into 0.0
    size = abs(float(value))
    if size < 1e-6:
        return "0"
    return f"{float(value):,.0f}" if size >= 1000 else f"{float(value):.3g}"


def lower_is_better(name: str) -> bool:
    """Whether a smaller number is the better one."""
    return any(word in name for word in ("divergence", "error", "loss", "rollout", "stress"))


def _frames(count: str) -> str:
    return "frame" if count == "1" else f"{count} frames"
