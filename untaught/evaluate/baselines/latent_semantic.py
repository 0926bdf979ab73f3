r"""Latent semantic analysis: documents, as bags of words, on a plane through the origin.

An example is a bag of words where its values are the probabilities of words: none below 0, and their sum is 1. With
x_ni the probability of word i in document n, N training documents and d_i those of them that have word i,

    a_ni  = log(1 + 100 x_ni) (1 + log((1 + N) / (1 + d_i))),    each row then divided by its length        (1)
    codes = a V,                                                                                            (2)

where the k columns of V are the right singular vectors of the training rows that have the largest singular values.
100 x is the count in a document of a hundred words, so that (1) is tf-idf with damped counts, not centred. On 20
newsgroups (2,000 words) this V retrieves more documents of the same group than two alternatives: fraction of the 10
nearest by cosine, among 7,532 test documents, for k = 2, 10 and 50:

    log(1 + 100 x), idf     11.5 %   42.6 %   57.8 %
    x, idf                  12.7 %   40.3 %   52.5 %      plain tf-idf
    log(1 + count)           5.5 %   29.3 %   41.4 %

`truncated` is the plane of the probabilities themselves, not weighted and not centred, since reconstructions by a plane
of (1) are not probabilities.

References:
    Deerwester, Dumais, Furnas, Landauer, Harshman, Indexing by latent semantic analysis (1990).

Departures:
    Deerwester and others decompose the counts as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from torch import Tensor

from untaught.shapes import Vectors

Given = Float[Tensor, "given feature"]

WORDS = 100
"""Length in words to which the counts of a document are scaled."""
NEAR_ONE = 1e-3


@dataclass(frozen=True)
class LatentSemantic:
    """Weights of the words, and the plane of the weighted documents."""

    weights: TfidfTransformer
    plane: TruncatedSVD

    def encode(self, x: Vectors) -> Float[Tensor, "batch component"]:
        """Coordinates on the plane, equations (1) and (2)."""
        return torch.from_numpy(np.asarray(self.plane.transform(self.weights.transform(_damped(x))), np.float32))


def is_bag_of_words(x: Tensor) -> bool:
    """Whether examples are probabilities of words: vectors with no value below 0 and the sum 1, up to 0.001.

    Example:
        >>> is_bag_of_words(torch.tensor([[0.5, 0.5, 0.0], [0.1, 0.2, 0.7]])), is_bag_of_words(torch.ones(2, 3))
        (True, False)
    """
    if x.ndim != 2 or min(x.shape) < 2:
        return False
    return float(x.min()) >= 0 and float((x.sum(1) - 1).abs().max()) <= NEAR_ONE


def latent_semantic(x: Vectors, components: int) -> LatentSemantic:
    """Fit weights and at most `components` directions on word probabilities; the same every time.

    Example:
        >>> latent_semantic(torch.rand(20, 9).softmax(1), 2).encode(torch.rand(3, 9).softmax(1)).shape
        torch.Size([3, 2])
    """
    weights = TfidfTransformer().fit(_damped(x))
    return LatentSemantic(weights, _plane(weights.transform(_damped(x)), components))


def truncated(x: Vectors, components: int, given: Given) -> Given:
    """Reconstructions of word probabilities `given` by a plane through the origin, fitted to x in least squares."""
    plane = directions(x, components)
    return given @ plane.T @ plane


def directions(x: Vectors, components: int) -> Float[Tensor, "component feature"]:
    """Singular vectors of word probabilities as they are: latent semantic analysis without weights."""
    plane = _plane(csr_matrix(x.numpy()), components)
    return torch.from_numpy(np.array(plane.components_, np.float32, order="C"))


def _damped(x: Vectors) -> csr_matrix:
    return (csr_matrix(x.double().numpy()) * WORDS).log1p()


def _plane(rows: Any, components: int) -> TruncatedSVD:
    """Singular vectors by the Lanczos method, which needs one fewer than there could be."""
    documents, words = rows.shape
    count = max(1, min(components, documents - 1, words - 1))
    return TruncatedSVD(count, algorithm="arpack", random_state=0).fit(rows)
