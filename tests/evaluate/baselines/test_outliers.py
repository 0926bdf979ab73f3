"""Baselines of what is unusual, against loops and against scikit-learn."""

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors

from untaught.evaluate.baselines.outliers import components, outliers

TRAIN = torch.randn(120, 20, generator=torch.Generator().manual_seed(0)) @ torch.randn(
    20, 20, generator=torch.Generator().manual_seed(1)
)
X = torch.randn(15, 20, generator=torch.Generator().manual_seed(2))
FOUND = outliers(TRAIN, X, 4, seed=0)


def test_pca_is_the_error_of_reconstruction() -> None:
    plane = PCA(4, svd_solver="full").fit(TRAIN.numpy())
    expected = np.square(X.numpy() - plane.inverse_transform(plane.transform(X.numpy()))).sum(1)
    np.testing.assert_allclose(FOUND["pca"].numpy(), expected, rtol=1e-4)


def test_nearest_example_is_the_squared_distance_to_it() -> None:
    distance, _ = NearestNeighbors(n_neighbors=1).fit(TRAIN.numpy()).kneighbors(X.numpy())
    np.testing.assert_allclose(FOUND["nearest_example"].numpy(), distance[:, 0] ** 2, rtol=1e-4)


def test_a_training_example_is_at_no_distance() -> None:
    wide = torch.rand(50, 500, generator=torch.Generator().manual_seed(3))
    for train in (TRAIN, wide):
        assert outliers(train, train[:9], 4, seed=0)["nearest_example"].max() < 1e-3


def test_isolation_forest_is_scikit_learns() -> None:
    expected = -IsolationForest(random_state=0).fit(TRAIN.numpy()).score_samples(X.numpy())
    np.testing.assert_allclose(FOUND["isolation_forest"].numpy(), expected, rtol=1e-6)


def test_all_find_what_is_far_away() -> None:
    mixed = torch.cat([TRAIN[:20], TRAIN[:3] + 40 * X[:3].sign()])
    for score in outliers(TRAIN, mixed, 4, seed=0).values():
        assert set(score.topk(3).indices.tolist()) == {20, 21, 22}


def test_a_plane_never_goes_through_everything() -> None:
    assert components(torch.zeros(1000, 64), 500) == 32
    assert components(torch.zeros(10, 64), 500) == 5
    assert components(torch.zeros(2, 1), 500) == 1
