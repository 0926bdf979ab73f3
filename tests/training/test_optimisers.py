"""What a recipe says of an optimiser is what torch's optimiser is told."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from untaught.recipe import Optimiser
from untaught.training.optimisers import make_optimiser

SAID = {"learning_rate": 0.3, "momentum": 0.6, "decay": 0.8, "betas": (0.4, 0.7), "weight_decay": 0.05, "history": 7}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("adam", {"lr": 0.3, "betas": (0.4, 0.7), "weight_decay": 0.05}),
        ("adamw", {"lr": 0.3, "betas": (0.4, 0.7), "weight_decay": 0.05}),
        ("sgd", {"lr": 0.3, "momentum": 0.6, "weight_decay": 0.05}),
        ("rmsprop", {"lr": 0.3, "alpha": 0.8, "momentum": 0.6, "weight_decay": 0.05}),
        ("adagrad", {"lr": 0.3, "weight_decay": 0.05}),
        ("lbfgs", {"lr": 0.3, "history_size": 7, "line_search_fn": "strong_wolfe"}),
    ],
)
def test_settings_reach_the_optimiser(name: str, told: dict[str, object]) -> None:
    chosen = Optimiser(name=name, **SAID)  # type: ignore[arg-type]
    (group,) = make_optimiser([nn.Parameter(torch.zeros(2))], chosen, captured=False).param_groups
    assert {key: group[key] for key in told} == told
