"""Names of baselines: the key in the JSON, and a short and a full name for readers.

The key of a baseline of several sizes contains the size: `ridge_2_frames`, `lsa_50`.
"""

from __future__ import annotations

import re

from untaught.evaluate.quantity import MODEL, plain

SHORT = {
    MODEL: "this model",
    "pca": "PCA",
    "pca_bits": "PCA, signs alone",
    "logistic_pca": "logistic PCA",
    "logistic_pca_linear_code": "logistic PCA, linear code",
    "lsa": "LSA",
}
"""Short names; other keys are shown without their underscores."""
FULL = {
    "random_weights": "the same network, untrained",
    "pca": "PCA with as many components",
    "pca_bits": "the signs of as many principal components, as bits",
    "logistic_pca": "logistic PCA, codes optimised",
    "logistic_pca_linear_code": "logistic PCA, linear code",
    "sparse_coding": "sparse codes of as many learnt atoms",
    "lsa": "latent semantic analysis",
    "previous_frame": "copying the last frame",
    "linear_extrapolation": "repeating the last change",
    "mean_frame": "the mean frame",
    "mean_image": "the mean of the training data",
    "true_frame": "the true frame",
    "nearest_example": "the training example whose given half is nearest",
    "most_frequent_class": "always the most frequent class",
    "one_answer": "always the same answer",
    "uniform": "all pictures equally likely",
    "unigram": "word frequencies",
}
"""Full names; others have only the short name."""
SIZED = {
    r"ridge_(\d+)_frames?": "linear map of the last {frames}",
    r"ridge_5x5_(\d+)_frames?": "linear 5×5 filter on the last {frames}",
    r"lsa_(\d+)": "LSA with {size} components",
    r"lsa_(\d+)_unweighted": "LSA with {size} components, words unweighted",
}
"""Names with a size, as regular expressions."""


def short(name: str) -> str:
    """A name for a picture or a narrow column.

    Example:
        >>> short("pca"), short("raw_pixels"), short("ridge_2_frames")
        ('PCA', 'raw pixels', 'ridge 2 frames')
    """
    return SHORT.get(name, plain(name))


def full(name: str) -> str:
    """A name for a reader who does not know it.

    Example:
        >>> full("previous_frame"), full("ridge_1_frame"), full("lsa_50")
        ('copying the last frame', 'linear map of the last frame', 'LSA with 50 components')
    """
    kind, size = _sized(name)
    frames = "frame" if size == "1" else f"{size} frames"
    return SIZED[kind].format(size=size, frames=frames) if kind in SIZED else FULL.get(name, short(name))


def counted(name: str, components: int | None) -> str:
    """The full name, with the number of components where that is known.

    Example:
        >>> counted("pca", 30), counted("pca", None)
        ('PCA with 30 components', 'PCA with as many components')
    """
    return full(name) if components is None else full(name).replace("as many", f"{components:,}")


def largest(names: list[str]) -> list[str]:
    """The names, with only the last of each baseline of several sizes.

    Example:
        >>> largest(["previous_frame", "ridge_1_frame", "ridge_2_frames", "mean_frame"])
        ['previous_frame', 'ridge_2_frames', 'mean_frame']
    """
    last = {_sized(name)[0]: name for name in names}
    return [name for name in names if name in last.values()]


def _sized(name: str) -> tuple[str, str]:
    """The pattern of a name and its size; of one without a size the name itself."""
    for pattern in SIZED:
        if found := re.fullmatch(pattern, name):
            return pattern, found[1]
    return name, ""
