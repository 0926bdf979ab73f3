"""Softmax regression against its closed-form gradient and scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from untaught.errors import DataError
from untaught.model import Batch
from untaught.models.softmax import Softmax
from untaught.randomness import seeded

START = torch.zeros(())


def data(count: int = 60) -> Batch:
    with seeded(0):
        x, label = torch.randn(count, 5, dtype=torch.float64), torch.arange(count) % 3
        x[:, 0] += label
    return Batch(x, label)


def test_gradient_is_features_times_the_difference_of_probabilities() -> None:
    model, batch = Softmax(Softmax.Config(classes=3, weight_cost=0.3), (5,)).double(), data()
    with torch.no_grad(), seeded(1):
        model.weight.normal_()
        model.bias.normal_()
    by_weight, by_bias = torch.autograd.grad(model.loss(batch, "model", START).total, (model.weight, model.bias))
    difference = model.class_probabilities(batch.x).detach() - torch.eye(3).double()[batch.label]
    torch.testing.assert_close(by_weight, batch.x.T @ difference / len(batch.x) + 0.3 * model.weight.detach())
    torch.testing.assert_close(by_bias, difference.mean(0))


def test_optimum_is_that_of_scikit_learn() -> None:
    batch, cost = data(), 0.05
    model = Softmax(Softmax.Config(classes=3, weight_cost=cost), (5,)).double()
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        total = model.loss(batch, "model", START).total
        total.backward()
        return total

    for _ in range(3):
        optimiser.step(closure)  # type: ignore[arg-type]
    known = LogisticRegression(C=1 / (cost * len(batch.x)), tol=1e-10, max_iter=1000).fit(batch.x, batch.label)
    np.testing.assert_allclose(model.class_probabilities(batch.x).detach(), known.predict_proba(batch.x), atol=1e-4)


def test_examples_without_label_have_no_say() -> None:
    model, batch = Softmax(Softmax.Config(classes=3), (5,)).double(), data()
    hidden = Batch(batch.x, torch.where(torch.arange(60) < 30, batch.label, -1))
    half = Batch(batch.x[:30], batch.label[:30])
    with torch.no_grad(), seeded(1):
        model.weight.normal_()
    assert model.loss(hidden, "model", START).total == model.loss(half, "model", START).total
    parts, alone = (model.loss(batch, "model", START).parts for batch in (hidden, half))
    p = model.class_probabilities(half.x).detach()
    wrong = sum(1 - float(row[c]) for row, c in zip(p, half.label, strict=True)) / 30
    assert parts["wrong_class_probability"].item() == pytest.approx(wrong)
    assert parts["classification_error"] == alone["classification_error"]


def test_labels_are_checked() -> None:
    model, batch = Softmax(Softmax.Config(classes=2), (5,)), data()
    with pytest.raises(DataError, match="a label is 2, but there are 2 classes"):
        model.prepare(batch)
    with pytest.raises(DataError, match="no example has a label"):
        model.prepare(Batch.of(batch.x))
