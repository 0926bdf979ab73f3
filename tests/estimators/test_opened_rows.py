"""Estimators take readers: the same model as from the array that the reader holds."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from untaught.data.source import open_data
from untaught.errors import DataError
from untaught.estimators import SoftmaxClassifier

X = torch.rand(30, 1, 4, 4, generator=torch.Generator().manual_seed(0))
Y = torch.arange(30) % 2
READERS = {
    "data set": lambda: TensorDataset(X, Y),
    "loader": lambda: DataLoader(TensorDataset(X, Y), batch_size=4, shuffle=True),
    "source": lambda: open_data(TensorDataset(X, Y)),
    "by number": lambda: open_data(TensorDataset(X, Y), memory=10),
    "generator": lambda: ((x, int(y)) for x, y in zip(X, Y, strict=True)),
}


@pytest.mark.parametrize("name", READERS)
def test_a_reader_teaches_what_its_array_does(name: str) -> None:
    given = SoftmaxClassifier(max_epochs=2, random_state=0).fit(READERS[name]())
    plain = SoftmaxClassifier(max_epochs=2, random_state=0).fit(X.numpy(), Y.numpy())
    assert np.array_equal(given.predict_proba(READERS[name]()), plain.predict_proba(X.numpy()))


def test_names_of_classes_are_labels() -> None:
    pairs: list[Any] = [(x, "odd" if y else "even") for x, y in zip(X, Y, strict=True)]
    found = SoftmaxClassifier(max_epochs=2, random_state=0).fit(iter(pairs))
    assert found.classes_.tolist() == ["even", "odd"] and set(found.predict(X.numpy())) <= {"even", "odd"}


def test_errors_are_in_words() -> None:
    with pytest.raises(ValueError, match="requires y to be passed"):
        SoftmaxClassifier().fit(TensorDataset(X))
    with pytest.raises(DataError, match="X is video"):
        SoftmaxClassifier().fit(TensorDataset(X[None], Y[:1]))
