"""Other data as a run's model knows its own: classes by name, in whatever order and company they come."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

from untaught.data.reading.arrays import from_array
from untaught.data.source import Source, open_data
from untaught.runs.matching import as_trained, class_names
from untaught.runs.settings import Settings

RUN = ("cat", "dog", "fox")


def settings(classes: tuple[str, ...] = RUN, shape: tuple[int, ...] = (5,)) -> Settings:
    return Settings(model="softmax", shape=shape, config={}, data="a", classes=classes)


def labelled(*labels: object) -> Source:
    return from_array(torch.rand(len(labels), 5), np.array(labels))


@pytest.mark.parametrize(
    ("labels", "names", "told"),
    [
        (["fox", "dog", "fox"], ["fox", "dog", "fox"], ["missing: cat"]),
        (["wolf", "dog", "ant"], ["wolf", "dog", "ant"], ["new: ant, wolf; missing: cat, fox"]),
        (["fox", "cat", "dog"], ["fox", "cat", "dog"], []),
        (["Fox", "CAT", "dog"], ["fox", "cat", "dog"], []),
        ([2, 0, 1], ["fox", "cat", "dog"], ["0 is cat, 1 is dog, 2 is fox"]),
        ([2, -1, 3], ["2", "", "3"], ["new: 0, 1, 2, 3"]),
    ],
)
def test_classes_have_the_runs_numbers(labels: list[object], names: list[str], told: list[str]) -> None:
    found = as_trained(labelled(*labels), settings(classes=RUN))
    assert [found.label_names[one] if one >= 0 else "" for one in found.train.label.tolist()] == names
    assert found.label_names[:3] == RUN
    notes = [note for note in found.notes if "labels are -1" not in note]
    assert len(notes) == len(told) and all(one in note for one, note in zip(told, notes, strict=True))


def test_a_new_class_lies_behind_every_output_of_the_model() -> None:
    for outputs, number in ((None, 3), (10, 10)):
        config = {} if outputs is None else {"classes": outputs}
        held = Settings(model="softmax", shape=(5,), config=config, data="a", classes=RUN)
        found = as_trained(labelled("wolf", "cat"), held)
        assert found.train.label.tolist() == [number, 0] and found.label_names[number] == "wolf"


def test_where_names_are_the_same_or_absent_nothing_is_changed() -> None:
    for source in (labelled("cat", "dog", "fox"), from_array(torch.rand(3, 5))):
        assert as_trained(source, settings()) is source
    source = labelled(0, 1, 4)
    assert as_trained(source, settings(())) is source
    assert as_trained(source, settings(class_names(source))) is source
    assert as_trained(labelled(4, 1), settings(class_names(source))).train.label.tolist() == [4, 1]


def test_numbers_match_names_that_are_numbers() -> None:
    found = as_trained(labelled("7", "0"), settings(("0", "1", "2", "3", "4", "5", "6", "7")))
    assert found.train.label.tolist() == [7, 0]


@pytest.mark.parametrize("door", ["npz", "reader", "documents"])
@pytest.mark.parametrize(
    ("labels", "names"),
    [([-1, -1, -1], ["-1"] * 3), ([1, 1, 1], ["1"] * 3), ([1, -1, 1], ["1", "-1", "1"]), ([0, 1, 0], ["0", "1", "0"])],
)
def test_minus_one_is_a_class_where_the_run_has_one(
    labels: list[int], names: list[str], door: str, tmp_path: Path
) -> None:
    held = settings(("-1", "1"))
    found = as_trained(open_data(doors(tmp_path, labels)[door], classes=held.classes), held)
    assert [found.label_names[one] for one in found.train.label.tolist()] == names
    assert found.label_names[:2] == ("-1", "1")
    assert any("new: 0; missing: -1" in note for note in found.notes) == (0 in labels)


def doors(folder: Path, labels: list[int]) -> dict[str, Any]:
    x = np.random.default_rng(0).random((len(labels), 5)).astype(np.float32)
    np.savez(folder / "x.npz", x=x, y=labels)
    counts = {"train_data": np.ones(3), "train_indices": np.arange(3), "train_indptr": np.arange(4)}
    np.savez(folder / "c.npz", **counts, vocab=np.array(["a", "b", "c"]), train_labels=labels)
    reader = TensorDataset(torch.from_numpy(x), torch.tensor(labels))
    return {"npz": folder / "x.npz", "reader": reader, "documents": f"documents:{folder / 'c.npz'}"}


@pytest.mark.parametrize(("there", "wanted"), [(1, 3), (3, 1), (4, 3), (4, 1), (2, 1)])
def test_channels_are_the_runs(there: int, wanted: int) -> None:
    source = from_array(torch.rand(4, there, 6, 8))
    found = as_trained(source, settings(shape=(wanted, 6, 8)))
    assert found.shape == (wanted, 6, 8) and f"has {there}" in found.notes[0] or "is grey" in found.notes[0]
