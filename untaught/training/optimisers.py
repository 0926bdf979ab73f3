"""Optimisers: those of torch, built from a recipe, and conjugate gradients."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor, nn

from untaught.recipe import Optimiser

Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
CAPTURABLE = frozenset({"adam", "adamw", "sgd", "rmsprop"})
"""Optimisers that can be captured in a CUDA graph."""
FUSED_FROM = 100_000
"""Number of weights from which the fused form is faster on a processor."""


def make_optimiser(parameters: Iterable[nn.Parameter], chosen: Optimiser, captured: bool) -> torch.optim.Optimizer:
    """Build torch's optimiser, in its fused or capturable form if it has one."""
    own = list(parameters)
    rate: Any = torch.tensor(chosen.learning_rate, device=own[0].device) if captured else chosen.learning_rate
    decay = chosen.weight_decay
    # On processors the fused form starts all threads at every step, which is slower for few weights.
    fused = own[0].device.type != "cpu" or sum(weight.numel() for weight in own) > FUSED_FROM
    match chosen.name:
        case "adam":
            return torch.optim.Adam(own, rate, chosen.betas, weight_decay=decay, fused=fused, capturable=captured)
        case "adamw":
            return torch.optim.AdamW(own, rate, chosen.betas, weight_decay=decay, fused=fused, capturable=captured)
        case "sgd":
            return torch.optim.SGD(own, rate, momentum=chosen.momentum, weight_decay=decay, fused=fused)
        case "rmsprop":
            return torch.optim.RMSprop(
                own, rate, chosen.decay, momentum=chosen.momentum, weight_decay=decay, capturable=captured
            )
        case "adagrad":
            return torch.optim.Adagrad(own, rate, weight_decay=decay)
        case "lbfgs":
            return torch.optim.LBFGS(own, rate, history_size=chosen.history, line_search_fn="strong_wolfe")
        case "cg":
            return ConjugateGradient(own, chosen.searches)


class ConjugateGradient(torch.optim.Optimizer):
    """Nonlinear conjugate gradients (Polak and Ribiere), with line searches under Wolfe's conditions.

    They begin anew at each step.

    The searches are SciPy's, in float64 on the processor; weights keep their device and precision. A step that
    finds no lower loss leaves the weights unchanged. There is no learning rate: each line search finds its step size.

    Example:
        >>> x = nn.Parameter(torch.tensor([3.0, -2.0]))
        >>> optimiser = ConjugateGradient([x], searches=5)
        >>> def closure():
        ...     optimiser.zero_grad()
        ...     loss = x.square().sum()
        ...     loss.backward()
        ...     return loss
        >>> _ = optimiser.step(closure)
        >>> bool(x.abs().max() < 1e-4)
        True
    """

    def __init__(self, parameters: Iterable[nn.Parameter], searches: int = 3) -> None:
        super().__init__(parameters, {"lr": 1.0})
        self.searches = searches

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor:  # type: ignore[override]
        """Search along `searches` directions.

        Args:
            closure: Clears the gradients, computes the loss and its gradients, and returns the loss.
        """
        assert closure is not None
        own: list[Tensor] = [parameter for group in self.param_groups for parameter in group["params"]]
        before = _flat(own)
        first: list[Tensor] = []

        def value(x: Numbers) -> tuple[float, Numbers]:
            _put(own, x)
            with torch.enable_grad():
                loss = closure()
            first.append(loss.detach())
            slopes = [torch.zeros_like(each) if each.grad is None else each.grad for each in own]
            return float(loss), _flat(slopes)

        found = minimize(value, before, jac=True, method="CG", options={"maxiter": self.searches, "gtol": 0.0})
        _put(own, found.x if found.fun < float(first[0]) else before)
        return first[0]


def _flat(tensors: Iterable[Tensor]) -> Numbers:
    return torch.cat([each.detach().flatten() for each in tensors]).double().cpu().numpy()


def _put(tensors: Iterable[Tensor], x: Numbers) -> None:
    given, begin = torch.from_numpy(x), 0
    for each in tensors:
        each.copy_(given[begin : begin + each.numel()].view_as(each))
        begin += each.numel()


def rate_factor(schedule: Literal["constant", "linear", "cosine"], warm_up: float, progress: float) -> float:
    """Fraction of the highest learning rate at `progress` from 0 to 1.

    Example:
        >>> [rate_factor("cosine", 0.0, p) for p in (0.0, 0.5, 1.0)]
        [1.0, 0.5, 0.0]
    """
    if progress < warm_up:
        return max(progress / warm_up, 1e-3)
    after = min((progress - warm_up) / (1 - warm_up), 1.0)
    return {"constant": 1.0, "linear": 1 - after, "cosine": round((1 + math.cos(math.pi * after)) / 2, 12)}[schedule]
