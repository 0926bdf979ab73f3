"""Latent semantic analysis against NumPy's singular value decomposition, and on documents of known groups."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from untaught.evaluate.baselines.latent_semantic import directions, is_bag_of_words, latent_semantic, truncated


def documents(count: int, topics: int = 3, words: int = 30, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Frequencies of words drawn from one of several topics, and which."""
    topic = torch.rand(topics, words, generator=torch.Generator().manual_seed(99)).pow(6)
    label = torch.arange(count) % topics
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.multinomial(topic[label], 60, replacement=True, generator=generator)
    counts = torch.zeros(count, words).scatter_add_(1, drawn, torch.ones(drawn.shape))
    return counts / counts.sum(1, keepdim=True), label


def test_codes_are_numpys() -> None:
    x, given = documents(50)[0], documents(20, seed=1)[0]
    idf = 1 + np.log(51 / (1 + (x.numpy() > 0).sum(0)))

    def weighted(p: Tensor) -> np.ndarray:
        rows = np.log1p(100 * p.double().numpy()) * idf
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    directions = np.linalg.svd(weighted(x), full_matrices=False)[2][:4]
    assert np.allclose(
        np.abs(latent_semantic(x, 4).encode(given).numpy()), np.abs(weighted(given) @ directions.T), atol=1e-5
    )


def test_the_plane_of_the_probabilities_is_numpys() -> None:
    x, given = documents(50)[0], documents(20, seed=1)[0]
    directions = np.linalg.svd(x.double().numpy(), full_matrices=False)[2][:3]
    expected = given.double().numpy() @ directions.T @ directions
    assert np.allclose(truncated(x, 3, given).numpy(), expected, atol=1e-5)


def test_length_of_a_document_does_not_matter_and_results_do_not_vary() -> None:
    x = documents(50)[0]
    first, again = latent_semantic(x, 3), latent_semantic(x, 3)
    assert torch.equal(first.encode(x), again.encode(x))
    assert first.encode(x).dtype == torch.float32


def test_topics_lie_apart() -> None:
    x, (given, label) = documents(90)[0], documents(60, seed=1)
    code = torch.nn.functional.normalize(latent_semantic(x, 3).encode(given))
    nearest = (code @ code.T).fill_diagonal_(-2).argmax(1)
    assert float((label[nearest] == label).float().mean()) > 0.9


def test_components_are_at_most_what_the_data_have() -> None:
    x = documents(5)[0]
    assert latent_semantic(x, 100).encode(x).shape == (5, 4)
    assert latent_semantic(documents(50, words=6)[0], 100).encode(documents(4, words=6)[0]).shape == (4, 5)


def test_what_is_a_bag_of_words() -> None:
    x = documents(9)[0]
    assert is_bag_of_words(x) and is_bag_of_words(x * 1.0005)
    assert not is_bag_of_words(x * 1.01) and not is_bag_of_words(x[:, None]) and not is_bag_of_words(x[:, :1])
    signed = x.clone()
    signed[0, :2] += torch.tensor([-1.0, 1.0])
    assert not is_bag_of_words(signed) and not is_bag_of_words(torch.rand(9, 30))


@pytest.mark.slow
def test_newsgroups_give_the_figures_that_are_told(shared_data: Path) -> None:
    """Fraction of the same group among the 10 nearest test documents, LSA of 10 components."""
    path = shared_data / "documents" / "20news_bow2000.npz"
    with np.load(path) as held:
        kept = ~np.isin(held["vocab"], ["subject", "line", "organ"])
        counts = {part: _dense(held, part)[:, kept] for part in ("train", "test")}
        label = torch.from_numpy(held["test_labels"].astype(np.int64))
    train, test = (torch.from_numpy(counts[part]) for part in ("train", "test"))
    full = test.sum(1) > 0
    train, test, label = train[train.sum(1) > 0], test[full], label[full]
    plane = latent_semantic(train / train.sum(1, keepdim=True), 10)
    code = torch.nn.functional.normalize(plane.encode(test / test.sum(1, keepdim=True)))
    nearest = (code @ code.T).fill_diagonal_(-2).topk(10).indices
    assert float((label[nearest] == label[:, None]).float().mean()) == pytest.approx(0.426, abs=0.005)


def _dense(held: np.lib.npyio.NpzFile, part: str) -> np.ndarray:
    data, indices, ends = (held[f"{part}_{name}"] for name in ("data", "indices", "indptr"))
    dense = np.zeros((len(ends) - 1, len(held["vocab"])), np.float32)
    dense[np.repeat(np.arange(len(dense)), np.diff(ends)), indices] = data
    return dense


def test_directions_without_weights_are_singular_vectors_of_the_probabilities() -> None:
    x = torch.rand(30, 8, generator=torch.Generator().manual_seed(3)).softmax(1)
    known = torch.linalg.svd(x.double())[2][:3]
    found = directions(x, 3).double()
    torch.testing.assert_close((found @ known.T).abs(), torch.eye(3).double(), atol=1e-4, rtol=0)
