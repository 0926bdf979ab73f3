r"""Maps: embeddings of features in two dimensions, in which near examples stay near.

With D the Euclidean distances between n examples, J = I - 1/n the matrix that centres, and y the map:

    classical MDS   y = E L^(1/2), with the two largest eigenvalues L and eigenvectors E of -1/2 J D^2 J      (1)
    metric MDS      y = argmin sum_{i<j} (|y_i - y_j| - D_ij)^2, by SMACOF, from (1) on                       (2)
    PCA             y = (x - m) V, the first two principal components                                        (3)
    t-SNE           y = argmin KL(P | Q), with P Gaussian and Q Student neighbourhoods, from (1) on           (4)

For Euclidean distances (1) and (3) are one map. How much of the distances is lost is the normalised stress, Kruskal's
first, after the best change of scale s of the map, so that (4), which has no scale of its own, can be judged too:

    stress = min_s sqrt( sum_{i<j} (s |y_i - y_j| - D_ij)^2 / sum_{i<j} D_ij^2 ),   0 to 1                     (5)
           = sqrt( 1 - (sum d D)^2 / (sum d^2 sum D^2) ),   d_ij = |y_i - y_j|.

Signs, which are free in (1), are such that the coordinate that is farthest from 0 is positive.

References:
    Torgerson, Multidimensional scaling: I. Theory and method (1952).
    de Leeuw, Applications of convex analysis to multidimensional scaling (1977).
    Kruskal, Multidimensional scaling by optimizing goodness of fit (1964).
    van der Maaten, Hinton, Visualizing data using t-SNE (2008).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from sklearn.manifold import TSNE, smacof
from torch import Tensor
from torch.nn import functional

from untaught.nn.principal import principal
from untaught.shapes import Features

Map = Float[Tensor, "batch dimension"]
Distances = Float[Tensor, "batch batch"]

SMACOF_STEPS, TSNE_STEPS = 300, 500
PERPLEXITY = 30.0
"""Perplexity of t-SNE; at most a third of the number of examples."""
LEAST = 4
"""Fewest examples for a map."""


def embed(method: str, x: Features, seed: int = 0, dimensions: int = 2) -> Map:
    """Map features by one of `METHODS` into the plane or, with three dimensions, into space; float64.

    Examples that are all the same lie on one point.

    Example:
        >>> embed("classical_mds", torch.rand(10, 5)).shape, embed("smacof", torch.rand(10, 5), dimensions=3).shape
        (torch.Size([10, 2]), torch.Size([10, 3]))
    """
    apart = distances(x)
    if len(x) < LEAST or float(apart.max()) == 0:
        return torch.zeros(len(x), dimensions, dtype=torch.float64)
    return METHODS[method](x, apart, seed, dimensions)


def distances(x: Features) -> Distances:
    """Euclidean distances between examples, float64."""
    return torch.cdist(x.double(), x.double(), compute_mode="donot_use_mm_for_euclid_dist")


def classical_mds(apart: Distances, dimensions: int = 2) -> Map:
    """Coordinates whose distances are nearest to those given, in the sense of equation (1)."""
    square = apart.double().square()
    centred = -0.5 * (square - square.mean(0) - square.mean(1, keepdim=True) + square.mean())
    values, vectors = torch.linalg.eigh(centred)
    values, vectors = values[-dimensions:].flip(0), vectors[:, -dimensions:].flip(1)
    return _signed(vectors * values.clamp_min(0).sqrt())


def metric_mds(apart: Distances, dimensions: int = 2) -> Map:
    """Coordinates with the least squared difference of distances, equation (2)."""
    start = classical_mds(apart, dimensions).numpy()
    found: Any = smacof(apart.numpy(), n_components=dimensions, init=start, n_init=1, max_iter=SMACOF_STEPS)
    return torch.from_numpy(np.asarray(found[0], dtype=np.float64))


def pca(x: Features, dimensions: int = 2) -> Map:
    """The first principal components, equation (3); those that there are not are 0."""
    scores = principal(x, dimensions).encode(x).double()
    return _signed(functional.pad(scores, (0, dimensions - scores.shape[1])))


def tsne(x: Features, apart: Distances, seed: int, dimensions: int = 2) -> Map:
    """The map in which neighbours are neighbours, equation (4)."""
    start = classical_mds(apart, dimensions)
    given: Any = (1e-4 * start / start[:, 0].std()).float().numpy()  # its types admit only words
    method = TSNE(
        n_components=dimensions,
        perplexity=min(PERPLEXITY, (len(x) - 1) / 3),
        init=given,
        max_iter=TSNE_STEPS,
        random_state=seed,
    )
    return torch.from_numpy(np.asarray(method.fit_transform(x.numpy()), dtype=np.float64))


METHODS: dict[str, Callable[[Features, Distances, int, int], Map]] = {
    "classical_mds": lambda x, apart, seed, dimensions: classical_mds(apart, dimensions),
    "smacof": lambda x, apart, seed, dimensions: metric_mds(apart, dimensions),
    "pca": lambda x, apart, seed, dimensions: pca(x, dimensions),
    "tsne": tsne,
}
"""Every map by name, made from features, their distances, a seed and a number of dimensions."""


def stress(apart: Distances, found: Map) -> float:
    """Normalised stress of the map, equation (5)."""
    above = torch.triu_indices(len(apart), len(apart), 1).unbind()
    wanted, given = apart.double()[above], distances(found)[above]
    size = wanted.square().sum() * given.square().sum()
    if float(size) == 0:
        return 0.0 if float(wanted.abs().max()) == 0 else 1.0
    return float((1 - (wanted * given).sum().square() / size).clamp_min(0).sqrt())


def _signed(coordinates: Map) -> Map:
    """The same map with the farthest coordinate of each axis positive."""
    farthest = coordinates.gather(0, coordinates.abs().argmax(0, keepdim=True))
    return coordinates * torch.where(farthest < 0, -1.0, 1.0)
