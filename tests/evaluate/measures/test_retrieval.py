"""Retrieval against scikit-learn, sums over ranks that are written out, and features that are known."""

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from tests.evaluate.fakes import Linear, blobs, subject_of
from untaught.data.part import Part
from untaught.evaluate.baselines.latent_semantic import latent_semantic
from untaught.evaluate.drawing.pictures import Picture
from untaught.evaluate.drawing.retrieval_picture import SAME, precision_lines
from untaught.evaluate.measures import retrieval as module
from untaught.evaluate.measures.retrieval import (
    MEASURE,
    apart,
    applies,
    judged,
    nearness,
    ordered,
    picture,
    scores,
    search_of,
)
from untaught.evaluate.subject import Subject, measuring
from untaught.models.hashing_autoencoder import HashingAutoencoder
from untaught.randomness import seeded


def linear(train: Part, test: Part) -> Subject:
    with seeded(0):
        return subject_of(Linear(Linear.Config(latent=5), train.shape).eval(), train, test)


def documents(count: int, seed: int) -> Part:
    """Word probabilities from one of three distributions over 40 words."""
    generator = torch.Generator().manual_seed(seed)
    topic = torch.rand(3, 40, generator=torch.Generator().manual_seed(9)) ** 4
    label = torch.arange(count) % 3
    words = torch.poisson(30 * topic[label] / topic.sum(1)[label, None], generator=generator) + 0.01
    return Part.of(words / words.sum(1, keepdim=True), label)


def random_relevance() -> Tensor:
    with seeded(1):
        return torch.rand(20, 50) < torch.linspace(0.6, 0.1, 50)


def test_average_precision_is_scikit_learns() -> None:
    relevant = random_relevance()
    falling = -np.arange(50)
    expected = np.mean([average_precision_score(row.numpy(), falling) for row in relevant])
    assert scores(relevant, [1])["mean_average_precision"] == pytest.approx(expected, abs=1e-6)


def test_precision_and_recall_by_counting() -> None:
    relevant = random_relevance()
    relevant[3] = False
    found = scores(relevant, [1, 7, 50])
    for k in (1, 7, 50):
        hits = [sum(row[:k].tolist()) for row in relevant]
        assert found["precision"].value[str(k)] == pytest.approx(np.mean([hit / k for hit in hits]))
        error = np.std([hit / k for hit in hits], ddof=1) / len(hits) ** 0.5
        assert found["precision"].spread[str(k)] == pytest.approx(error)
        known = [hit / sum(row.tolist()) for hit, row in zip(hits, relevant, strict=True) if any(row)]
        assert found["recall"][str(k)] == pytest.approx(np.mean(known))


def test_precision_of_one_query_has_no_spread_and_says_how_many_are_retrieved() -> None:
    found = scores(torch.tensor([[True, False, True]]), [1, 3])["precision"]
    assert found.spread == {"1": 0.0, "3": 0.0}
    axis = module.PRECISION.axis
    assert axis is not None
    assert [axis.entry(count) for count in found.value] == ["the nearest", "the 3 nearest"]


def test_order_is_that_of_scikit_learns_neighbours() -> None:
    search = search_of(linear(blobs(60), blobs(20, seed=1)))
    with seeded(2):
        features = [torch.randn(60, 7), torch.randn(20, 7)]
    for documents_, metric in ((False, "euclidean"), (True, "cosine")):
        search = type(search)(search.queries, search.searched, documents_, search.same)
        theirs = NearestNeighbors(n_neighbors=60, metric=metric).fit(features[0]).kneighbors(features[1])[1]
        assert np.array_equal(ordered(features, search, torch.arange(20)).numpy(), theirs)
    bits = [(some > 0).float() for some in features]
    theirs = np.argsort((bits[1][:, None] != bits[0]).sum(2).numpy(), axis=1, kind="stable")
    assert np.array_equal(ordered(bits, search, torch.arange(20)).numpy(), theirs)


def test_what_is_near() -> None:
    bits, grey = torch.tensor([[0.0, 1.0]]), torch.tensor([[0.5, 1.0]])
    assert nearness([bits, bits], documents=True) == "hamming"
    assert nearness([bits, grey], documents=True) == "cosine"
    assert nearness([grey, bits], documents=False) == "euclidean"
    assert float(apart(bits, grey, "cosine")) == pytest.approx(1 - 1 / 1.25**0.5, abs=1e-6)


def test_a_query_does_not_find_itself() -> None:
    """With parts that overlap the nearest is itself, at distance 0, unless it is left out."""
    part = blobs(30, spread=0.3)
    subject = linear(part, part)
    search = search_of(subject)
    assert search.same.tolist() == [[place, place] for place in range(30)]
    features = [search.searched.x.flatten(1)] * 2
    order = ordered(features, search, torch.arange(30))
    assert order[:, -1].tolist() == list(range(30))
    found = judged(features, search)
    assert set(found["precision"].value) == {"1", "3", "7", "15"}
    every = torch.cdist(features[0], features[0]).fill_diagonal_(torch.inf).argsort(1)[:, 0]
    expected = (part.label[every] == part.label).double().mean()
    assert found["precision"].value["1"] == pytest.approx(float(expected))


def test_classes_that_lie_apart_are_found_and_chance_is_known() -> None:
    with measuring((subject := linear(blobs(90), blobs(30, seed=1))).model):
        found = MEASURE.take(subject)
    assert found["baselines"]["raw_pixels"]["precision"]["15"] == pytest.approx(1)
    assert found["baselines"]["raw_pixels"]["mean_average_precision"] == pytest.approx(1)
    assert found["baselines"]["raw_pixels"]["recall"]["15"] == pytest.approx(0.5)
    assert found["baselines"]["chance"]["precision"]["15"] == pytest.approx(1 / 3)
    assert set(found["baselines"]) == {"raw_pixels", "random_weights", "pca", "chance"}
    assert found["queries"] == 30 and found["searched"] == 90


def test_documents_are_beside_latent_semantic_analysis() -> None:
    subject = linear(documents(80, 0), documents(30, 1))
    with measuring(subject.model):
        found = MEASURE.take(subject)
    assert set(found["baselines"]) == {
        "raw_pixels", "random_weights", "lsa_5", "lsa_10", "lsa_10_unweighted", "chance",
    }  # fmt: skip
    assert found["baselines"]["lsa_5"]["precision"]["7"] > 0.9
    assert drawn(picture(subject, MEASURE.read(found)))


def test_examples_without_labels_are_left_out() -> None:
    train, test = blobs(40), blobs(20, seed=1)
    train.label[::2], test.label[:5] = -1, -1
    subject = linear(train, test)
    search = search_of(subject)
    assert len(search.searched.x) == 20 and len(search.queries.x) == 15
    train.label[:] = -1
    assert applies(subject) == "the data have no labels"


def test_codes_of_bits_are_compared_by_hamming_distance() -> None:
    with seeded(0):
        model = HashingAutoencoder(HashingAutoencoder.Config(hidden=(20,), latent=64), (1, 4, 4)).eval()
    subject = subject_of(model, blobs(90), blobs(30, seed=1))
    with measuring(model):
        found = MEASURE.take(subject)
        bits = [subject.features(part.frames.read(part.first)) for part in (subject.parts.train, subject.parts.test)]
    near = (bits[1][:, None] != bits[0]).sum(2).argsort(dim=1, stable=True)[:, :7]
    right = subject.parts.train.label[near] == subject.parts.test.label[:, None]
    assert found["precision"]["7"] == pytest.approx(float(right.double().mean()))


@pytest.mark.slow
def test_pictures() -> None:
    subject = linear(blobs(90), blobs(30, seed=1))
    with measuring(subject.model):
        found = MEASURE.read(MEASURE.take(subject))
        sheet = picture(subject, found)
    assert drawn(sheet) and drawn(precision_lines(found["precision"]))
    assert (sheet == np.array(SAME)).all(2).any()


def drawn(sheet: Picture) -> bool:
    return sheet.ndim == 3 and len(np.unique(sheet.reshape(-1, 3), axis=0)) > 5


def test_the_protocol_is_that_of_the_papers() -> None:
    """Numbers retrieved as on the papers' curves: 1, 3, 7, ... 1,023; analysis of 10 and of 50 components."""
    assert tuple(2**n - 1 for n in range(1, 11)) == module.KEPT
    assert (module.QUERIES, module.SEARCHED, module.COMPONENTS) == (1_000, 20_000, (10, 50))


def test_queries_are_searched_among_training_examples() -> None:
    """Classes of the training part in another order: no query finds its own."""
    train, test = blobs(90), blobs(30, seed=1)
    turned = linear(Part.of(train.frames.read(train.first), (train.label + 1) % 3), test)
    with measuring(turned.model):
        found = MEASURE.take(turned)
    assert found["baselines"]["raw_pixels"]["precision"]["15"] == 0 and found["searched"] == 90
    assert found["baselines"]["chance"]["recall"]["15"] == pytest.approx(15 / 90)


def test_planes_of_words_are_fitted_on_what_is_searched() -> None:
    subject = linear(documents(80, 0), documents(30, 1))
    search = search_of(subject)
    with measuring(subject.model):
        found = module.described(subject, search)
    raw = [search.searched.x, search.queries.x]
    for components in (5, 10):
        plane = latent_semantic(raw[0], components)
        for ours, x in zip(found[f"lsa_{components}"], raw, strict=True):
            torch.testing.assert_close(ours, plane.encode(x))


def test_a_query_is_not_among_what_it_should_find() -> None:
    """Every class has three examples, so two others are to be found, and both are the nearest."""
    part = blobs(9, spread=0.01)
    search = search_of(linear(part, part))
    found = judged([search.searched.x.flatten(1)] * 2, search)
    assert found["recall"]["1"] == pytest.approx(1 / 2) and found["recall"]["3"] == 1
    assert found["mean_average_precision"] == pytest.approx(1)
