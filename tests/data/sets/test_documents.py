"""Documents: word probabilities against counting by hand, from a file, a folder and the newsgroups."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import scipy.sparse
import sklearn.datasets
import torch
from torch import Tensor

from untaught.data.part import Part
from untaught.data.sets import documents
from untaught.data.source import open_data
from untaught.errors import ConfigError, DataError


def vectors(part: Part | None) -> Tensor:
    assert part is not None
    return part.frames.read(torch.arange(len(part)))


def arrays(train: np.ndarray, test: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """What a file of counts holds."""
    made = {"vocab": np.array([f"word{column}" for column in range(train.shape[1])])}
    for part, counts in (("train", train), ("test", test)):
        if counts is not None:
            table = scipy.sparse.csr_matrix(counts)
            made |= {f"{part}_{name}": getattr(table, name) for name in ("data", "indices", "indptr")}
    return made


@pytest.fixture
def counts() -> np.ndarray:
    """Twelve documents of ten words: one in all of them, one in eight, six in four, two in one."""
    counts, row = np.zeros((12, 10), np.uint16), np.arange(12)
    counts[:, 0], counts[:, 1] = 9, row % 3
    counts[row, 2 + row % 6], counts[row, 2 + (row + 1) % 6] = 1 + row % 5, 2
    counts[0, 8], counts[1, 9] = 1, 1
    return counts


def test_a_file_of_counts(counts: np.ndarray, tmp_path: Path) -> None:
    labels = {"train_labels": np.arange(12) % 2, "test_labels": np.array([1, 0, 1]), "groups": np.array(["a", "b"])}
    np.savez(tmp_path / "c.npz", **arrays(counts, counts[5:8] * 2), **labels)
    source = open_data(f"documents:{tmp_path / 'c.npz'}?words=6")
    often, having = counts.sum(0), (counts > 0).sum(0)
    kept = sorted((word for word in range(10) if having[word] <= 6), key=lambda word: -int(often[word]))[:6]
    assert source.shape == (6,) and sorted(kept) == [2, 3, 4, 5, 6, 7]
    for part, table in ((source.train, counts), (source.test, counts[5:8])):
        for x, row in zip(vectors(part).tolist(), table.tolist(), strict=True):
            assert x == pytest.approx([row[word] / sum(row[word] for word in kept) for word in kept])
    assert source.label_names == ("a", "b") and source.train.label.tolist() == [0, 1] * 6
    assert source.test is not None and source.test.label.tolist() == [1, 0, 1]


def test_common_words_are_kept_when_asked(counts: np.ndarray, tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", **arrays(counts))
    assert open_data(f"documents:{tmp_path / 'c.npz'}?common=1").shape == (10,)
    assert open_data(f"documents:{tmp_path / 'c.npz'}?common=0.7").shape == (9,)
    assert (open_data(f"documents:{tmp_path / 'c.npz'}").train.label == -1).all()


def test_an_empty_document_is_named_or_left_out(counts: np.ndarray, tmp_path: Path) -> None:
    file, test = tmp_path / "c.npz", counts[:3].copy()
    counts[7, 1:] = test[1, 1:] = 0
    np.savez(file, **arrays(counts, test), train_labels=np.arange(12))
    with pytest.raises(DataError, match=r"row 7 of train in .*\n1 of 12 documents are empty; \?on_empty=skip"):
        open_data(f"documents:{file}")
    source = open_data(f"documents:{file}?on_empty=skip")
    assert source.skipped == (f"row 7 of train in {file}", f"row 1 of test in {file}")
    assert source.train.label.tolist() == [number for number in range(12) if number != 7]
    assert torch.allclose(vectors(source.train).sum(1), torch.ones(11)) and len(vectors(source.test)) == 2
    np.savez(file, **arrays(counts, counts[7:8]))
    with pytest.raises(DataError, match="1 of 1 documents are empty$"):
        open_data(f"documents:{file}?on_empty=skip")


def test_a_folder_of_texts(tmp_path: Path) -> None:
    texts = {
        "sea/1.txt": "The boat and the BOAT; a sail, 42 sails.",
        "sea/2": "Sail! A boat?",
        "wood/1.md": "trees, b\xe4ume",
        "wood/2.txt": "Tree trees tree",
        "wood/3.txt": "x1 tree",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(text.encode("latin-1" if "\xe4" in text else "utf-8"))
    (tmp_path / "sea" / "picture.png").write_bytes(b"\0")
    source = open_data(f"documents:{tmp_path}")
    by_hand = [
        {"boat": 2, "sail": 1, "sails": 1},
        {"sail": 1, "boat": 1},
        {"trees": 1, "b\xe4ume": 1},
        {"tree": 2, "trees": 1},
        {"tree": 1},
    ]
    often = sum((Counter(words) for words in by_hand), Counter())
    order = sorted(often, key=lambda word: (-often[word], word))
    expected = torch.tensor([[words.get(word, 0) / sum(words.values()) for word in order] for words in by_hand])
    assert torch.allclose(vectors(source.train), expected)
    assert source.label_names == ("sea", "wood") and source.train.label.tolist() == [0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vocab": None}, "has no vocab; it has"),
        ({"train_indptr": np.array([0, 1])}, "do not belong together"),
        ({"vocab": np.array(["one"])}, "do not belong together"),
        ({"train_data": np.array(["a"])}, "(do not belong together|should be counts)"),
        ({"train_labels": np.zeros(3, int)}, "train_labels of .* should be 12 whole numbers"),
        ({"train_labels": np.full(12, 2), "groups": np.array(["a", "b"])}, "go up to 2, and groups names 2"),
        ({"vocab": np.array([{}])}, "holds Python objects"),
    ],
)
def test_other_files_are_refused(change: dict[str, Any], message: str, counts: np.ndarray, tmp_path: Path) -> None:
    made = {name: array for name, array in (arrays(counts) | change).items() if array is not None}
    np.savez(tmp_path / "c.npz", **made)
    with pytest.raises(DataError, match=message):
        open_data(f"documents:{tmp_path / 'c.npz'}")


def test_what_is_no_count_is_refused(counts: np.ndarray, tmp_path: Path) -> None:
    for value in (-1.0, np.nan):
        wrong = counts.astype(float)
        wrong[3, 4] = value
        np.savez(tmp_path / "c.npz", **arrays(wrong))
        with pytest.raises(DataError, match="should be counts"):
            open_data(f"documents:{tmp_path / 'c.npz'}")
    np.savez(tmp_path / "c.npz", **arrays(counts[:, :1]))
    with pytest.raises(DataError, match=r"no word is left: .*common=1"):
        open_data(f"documents:{tmp_path / 'c.npz'}")
    with pytest.raises(ConfigError, match="common"):
        open_data(f"documents:{tmp_path / 'c.npz'}?common=0")


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no text in"):
        open_data(f"documents:{tmp_path}")
    (tmp_path / "a.txt").write_text("1 2 3")
    with pytest.raises(DataError, match="no words in 1 documents"):
        open_data(f"documents:{tmp_path}")
    with pytest.raises(DataError, match=r"a.txt is no \.npz file of counts"):
        open_data(f"documents:{tmp_path / 'a.txt'}")
    (tmp_path / "b.txt").write_bytes("text".encode("utf-16"))
    with pytest.raises(DataError, match=r"b.txt is no text in UTF-8"):
        open_data(f"documents:{tmp_path}")


def test_a_file_in_the_cache_stands_for_the_newsgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path)
    (tmp_path / "documents").mkdir()
    table = {
        "train_data": np.array([1, 3, 2]),
        "train_indices": np.array([0, 1, 2]),
        "train_indptr": np.array([0, 2, 3]),
    }
    np.savez(tmp_path / "documents" / documents.FILE, vocab=np.array(["a", "b", "c"]), **table)
    assert sorted(vectors(open_data("documents").train)[0].tolist()) == [0, 0.25, 0.75]


def test_newsgroups_come_through_scikit_learn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path)
    posts = {"train": ["a red car", "green cars", "", "blue sky"], "test": ["red sky, red unseen", "unseen"]}

    def fetch(subset: str, **_: Any) -> SimpleNamespace:
        data = posts[subset]
        names = [f"posts/{subset}/{number}" for number in range(len(data))]
        return SimpleNamespace(data=data, filenames=names, target=np.arange(len(data)) % 2, target_names=["g", "h"])

    monkeypatch.setattr(sklearn.datasets, "fetch_20newsgroups", fetch)
    source = open_data("documents")
    assert source.skipped == ("2", "1") and source.train.label.tolist() == [0, 1, 1] and source.shape == (6,)
    assert sorted(vectors(source.test)[0].tolist()) == pytest.approx([0, 0, 0, 0, 1 / 3, 2 / 3])

    def offline(**_: Any) -> None:
        raise URLError("no network")

    monkeypatch.setattr(sklearn.datasets, "fetch_20newsgroups", offline)
    with pytest.raises(DataError, match=r"no network.*\n.*documents:FILE"):
        open_data("documents")


def test_posts_without_their_headers(shared_data: Path) -> None:
    file = shared_data / "documents" / "20news_bow2000.npz"
    source = open_data(f"documents:{file}")
    assert source.test is not None and source.shape == (1994,) and len(source.label_names) == 20
    assert (len(source.train), len(source.test)) == (11_314, 7_532)
    x = vectors(source.train)
    assert torch.allclose(x.sum(1), torch.ones(len(x)), atol=1e-5)
    with np.load(file) as stored:
        first = dict(zip(stored["vocab"][stored["train_indices"][:343]], stored["train_data"][:343], strict=True))
    header = ["subject", "line", "organ", "edu", "write", "post"]  # more than half of the posts have them
    left = [int(count) for word, count in first.items() if word not in header]
    assert sorted(x[0][x[0] > 0].tolist()) == pytest.approx(sorted(count / sum(left) for count in left))
