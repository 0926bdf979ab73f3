"""Maps of points whose places are known, against scikit-learn and by brute force."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, smacof
from torch import Tensor

from untaught.evaluate.embeddings import METHODS, classical_mds, distances, embed, metric_mds, pca, stress


def points(count: int = 40, width: int = 2) -> Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(0)) * torch.linspace(3, 0.3, width)


def groups() -> Tensor:
    """Two distant groups of 30 in 20 dimensions."""
    return torch.randn(60, 20, generator=torch.Generator().manual_seed(1)) + 20 * (torch.arange(60) % 2)[:, None]


def test_distances_are_numpys() -> None:
    x = points(width=5).double().numpy()
    expected = np.linalg.norm(x[:, None] - x[None], axis=-1)
    assert np.allclose(distances(torch.from_numpy(x)).numpy(), expected, atol=1e-12)


def test_cities_on_a_square_are_found_again() -> None:
    """A square of side 3 and its centre: all ten distances come back."""
    square = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0], [3.0, 3.0], [1.5, 1.5]])
    found = classical_mds(distances(square))
    half = 3 / 2**0.5
    expected = torch.tensor([[0.0, 3, 3, 2 * half, half], [3, 0, 2 * half, 3, half], [3, 2 * half, 0, 3, half]])
    assert torch.allclose(distances(found)[:3], expected.double(), atol=1e-6)


@pytest.mark.parametrize("method", [classical_mds, metric_mds])
def test_points_of_a_plane_keep_their_distances_in_any_space(method: type) -> None:
    plane = points()
    turn = torch.linalg.qr(torch.randn(7, 7, generator=torch.Generator().manual_seed(2)))[0][:2]
    apart = distances(plane @ turn + 5)
    assert torch.allclose(distances(method(apart)), apart, atol=1e-4)
    assert stress(apart, method(apart)) < 1e-5


@pytest.mark.parametrize("method", ["classical_mds", "smacof", "pca"])
def test_points_in_space_keep_their_distances_in_three_dimensions(method: str) -> None:
    x = torch.randn(12, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    turned = torch.linalg.qr(torch.randn(7, 7, dtype=torch.float64))[0][:3]
    found = embed(method, (x @ turned).float(), dimensions=3)
    assert torch.allclose(distances(found), distances(x), atol=1e-3)


def test_classical_mds_of_euclidean_distances_is_pca() -> None:
    x = points(width=9)
    theirs = torch.from_numpy(PCA(2, svd_solver="full").fit_transform(x.double().numpy()))
    for ours in (classical_mds(distances(x)), pca(x)):
        assert torch.allclose(ours.abs(), theirs.abs(), atol=1e-4)
        assert (ours.gather(0, ours.abs().argmax(0, keepdim=True)) > 0).all()
    assert torch.allclose(classical_mds(distances(x)), pca(x), atol=1e-4)


def test_smacof_loses_less_than_where_it_began() -> None:
    apart = distances(points(width=9))
    raw = [float((distances(y) - apart).square().sum()) for y in (metric_mds(apart), classical_mds(apart))]
    assert raw[0] < 0.95 * raw[1]


def test_stress_is_that_of_the_best_scale() -> None:
    apart, found = distances(points(width=9)), points().double()
    above = np.triu_indices(40, 1)
    wanted, given = apart.numpy()[above], distances(found).numpy()[above]
    scales = np.linspace(0, 5, 20_001)
    brute = min(((s * given - wanted) ** 2).sum() for s in scales)
    assert stress(apart, found) == pytest.approx((brute / (wanted**2).sum()) ** 0.5, abs=1e-5)
    assert stress(apart, 7 * found) == pytest.approx(stress(apart, found), abs=1e-9)


def test_stress_without_distances() -> None:
    nowhere = torch.zeros(5, 2).double()
    assert stress(distances(torch.zeros(5, 3)), nowhere) == 0.0 and stress(distances(points(5)), nowhere) == 1.0


@pytest.mark.parametrize("method", list(METHODS))
def test_groups_stay_apart(method: str) -> None:
    """On every map each example's nearest neighbour is of its own group; the same seed gives the same map."""
    x = groups()
    found = embed(method, x, seed=3)
    assert found.shape == (60, 2) and found.dtype == torch.float64
    nearest = distances(found).fill_diagonal_(torch.inf).argmin(1)
    assert bool(((nearest - torch.arange(60)) % 2 == 0).all())
    assert torch.equal(found, embed(method, x, seed=3))


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("x", [torch.ones(9, 4), torch.rand(3, 4), torch.rand(9, 1), torch.rand(4, 5)])
def test_there_is_a_map_of_anything(method: str, x: Tensor) -> None:
    found = embed(method, x)
    assert found.shape == (len(x), 2) and bool(found.isfinite().all())


def test_t_sne_is_scikit_learns_from_classical_mds_on() -> None:
    """Perplexity 30, of few examples a third of the others; a start of deviation 0.0001; 500 steps."""
    for x in (groups(), torch.cat([groups(), groups() + 3])):
        start = classical_mds(distances(x))
        given = (1e-4 * start / start[:, 0].std()).float().numpy()
        theirs = TSNE(2, perplexity=min(30.0, (len(x) - 1) / 3), init=given, max_iter=500, random_state=7)
        assert np.allclose(embed("tsne", x, seed=7).numpy(), theirs.fit_transform(x.numpy()), atol=1e-3)


def test_metric_mds_is_scikit_learns_from_classical_mds_on() -> None:
    apart = distances(torch.randn(30, 9, generator=torch.Generator().manual_seed(4)))
    start = classical_mds(apart).numpy()
    theirs = smacof(apart.numpy(), n_components=2, init=start, n_init=1, max_iter=300)[0]
    assert np.allclose(metric_mds(apart).numpy(), theirs, atol=1e-6)
