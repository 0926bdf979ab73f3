"""Labels -1 and 1, labels that are absent, and one source's classes as another's."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from untaught.data.classes.class_names import as_others
from untaught.data.reading.arrays import from_array
from untaught.data.source import Source, open_data
from untaught.errors import DataError

X = np.random.default_rng(0).random((12, 5))


def by_name(source: Source) -> list[str]:
    return [source.label_names[label] for label in source.train.label.tolist()]


@pytest.mark.parametrize("dtype", ["int8", "int64", "float32", "<U2"])
@pytest.mark.parametrize("door", ["memory", "npz"])
def test_minus_one_and_one_are_two_classes(dtype: str, door: str, tmp_path: Path) -> None:
    y = np.array([-1, 1, 1] * 4).astype(dtype)
    np.savez(tmp_path / "x.npz", x=X, y=y)
    source = from_array(X, y) if door == "memory" else open_data(tmp_path / "x.npz")
    assert by_name(source) == [str(int(value)) for value in y.astype(float)] and len(source.label_names) == 2
    assert bool(source.notes) == (dtype != "<U2")
    if door == "npz" and dtype != "<U2":
        absent = open_data(f"{tmp_path}/x.npz?minus_one=absent")
        assert absent.train.label.tolist() == y.astype(int).tolist() and absent.label_names == ()


def test_a_class_that_one_part_lacks_has_its_number_in_both(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=X, y=np.ones(12, int), x_test=X[:4], y_test=[-1, 1, 1, -1])
    source = open_data(tmp_path / "x.npz")
    assert source.test is not None and source.label_names == ("-1", "1")
    assert source.train.label.tolist() == [1] * 12 and source.test.label.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("y", [[-1, 0, 1] * 4, [-1, 2, 2] * 4, [-1, 0, 0] * 4, [-1] * 12])
def test_beside_other_labels_minus_one_is_none_which_is_told(y: list[int], tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=X, y=y)
    source = open_data(tmp_path / "x.npz")
    assert source.train.label.tolist() == y
    assert f"{y.count(-1)} of 12 labels are -1" in source.notes[-1]
    source = open_data(f"{tmp_path}/x.npz?minus_one=class")
    assert by_name(source) == [str(label) for label in y]


@pytest.mark.parametrize("groups", [{}, {"groups": np.array(["no", "yes"])}])
def test_documents_too(groups: dict[str, Any], tmp_path: Path) -> None:
    counts = {"train_data": np.ones(4), "train_indices": np.arange(4) % 2, "train_indptr": np.arange(5)}
    more = {"vocab": np.array(["sea", "wood"]), "train_labels": [-1, 1, 1, -1]}
    np.savez(tmp_path / "c.npz", **counts, **more, **groups)
    source = open_data(f"documents:{tmp_path / 'c.npz'}")
    if groups:  # names for 0 and 1: -1 is neither
        assert source.train.label.tolist() == [-1, 1, 1, -1] and source.label_names == ("no", "yes")
    else:
        assert source.train.label.tolist() == [0, 1, 1, 0] and source.label_names == ("-1", "1")
    assert source.notes


def test_names_in_one_part_and_numbers_in_the_other_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=X, y=["a", "b"] * 6, x_test=X[:2], y_test=[0, 1])
    with pytest.raises(DataError, match="should be whole numbers"):
        open_data(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("names", "others", "found"),
    [
        (["cat", "dog"], ["cat", "dog"], [0, 1]),
        (["dog", "fox", "owl"], ["cat", "dog", "fox"], [1, 2, None]),
        (["Dog", "CAT "], ["cat", "dog"], [1, 0]),
        (["cafe\u0301"], ["bar", "caf\u00e9"], [1]),
        (["a", "A"], ["A", "a"], [1, 0]),
        (["a", "A"], ["a", "b"], [0, None]),
        (["B", "b"], ["Ä", "B "], [None, None]),
        (["a"], ["A", "a "], [None]),
        (["3"], ["1", "2"], [None]),
    ],
)
def test_classes_are_matched_by_name(names: list[str], others: list[str], found: list[int | None]) -> None:
    assert as_others(names, others) == found


@pytest.mark.parametrize("labels", [["cat", "dog"], [0, 1], [1.0, 0.0]])
def test_labels_kept_as_objects_are_their_own_type(labels: list[Any]) -> None:
    plain, objects = from_array(X[:2], labels), from_array(X[:2], np.array(labels, dtype=object))
    assert objects.label_names == plain.label_names and objects.train.label.tolist() == plain.train.label.tolist()


@pytest.mark.parametrize("labels", [["cat", None], ["cat", 1], [1, None], ["cat", float("nan")]])
def test_labels_of_two_types_are_refused(labels: list[Any]) -> None:
    with pytest.raises(DataError, match="whole numbers from 0, -1 where absent, or names"):
        from_array(X[:2], np.array(labels, dtype=object))
