"""A machine of two layers without connections inside a layer: parameters, units, and what annealing needs.

    v = seen / s                                                                  (1)
    F_t(v) = A(v) - (1 - t) a.v - t b.v - log z_h(t (c + v.W))                    (2)
    log Z_0 = log z_v(a) + log z_h(0)                                             (3)
    F(h) = -log sum_v exp(-E(v, h)) = B(h) - c.h - log z_v(b + W.h)               (4)

The energy E, with A and B, is that of `untaught.models.rbm`; kinds of units have A, B, z_v and z_h
(`untaught.nn.energy.units`). Gaussian visible units may have a learnt standard deviation s (1): then sums over v are
integrals over the unscaled data. For annealing, (2) leads from independent visible units with biases a at t = 0, whose
partition function is (3), to the machine at t = 1.

References:
    Salakhutdinov, Murray (2008). On the quantitative analysis of deep belief networks.
    Salakhutdinov, Hinton (2009). Deep Boltzmann machines (doubled inputs).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from untaught.errors import ConfigError
from untaught.nn.energy.units import UNITS, Kind
from untaught.nn.noise import wide
from untaught.shapes import Scalar

Visible = Float[Tensor, "batch visible"]
Hidden = Float[Tensor, "batch hidden"]
Nats = Float[Tensor, " batch"]
Temper = Tensor | float
"""Inverse temperature: one, or each row's own `(batch, 1)`."""


class Bipartite(nn.Module, ABC):
    """Weights, biases and units of two layers; a subclass defines the inputs that layers give each other.

    Args:
        visible: Visible units.
        hidden: Hidden units.
        kinds: Kind of the visible and of the hidden units.
        scale: Standard deviation of the initial weights.
        learn_deviation: Whether Gaussian visible units learn their standard deviations.
        doubled: Layer that stands for two tied copies, so that the other's input is doubled.

    Raises:
        ConfigError: Only Gaussian units have a deviation to learn.
    """

    def __init__(
        self,
        visible: int,
        hidden: int,
        kinds: tuple[Kind, Kind],
        scale: float,
        learn_deviation: bool,
        doubled: Literal["no", "visible", "hidden"],
    ) -> None:
        super().__init__()
        if learn_deviation and kinds[0] != "gaussian":
            raise ConfigError(f"{kinds[0]} units have no deviation to learn; take visible=gaussian")
        self.visible_units, self.hidden_units, self.doubled = UNITS[kinds[0]], UNITS[kinds[1]], doubled
        self.weight = nn.Parameter(torch.randn(visible, hidden) * scale)
        self.visible_bias = nn.Parameter(torch.zeros(visible))
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))
        self.log_deviation = nn.Parameter(torch.zeros(visible)) if learn_deviation else None
        self.base = nn.Buffer(torch.zeros(visible))

    @abstractmethod
    def hidden_input(self, visible: Visible) -> Hidden:
        """c + v.W."""

    @abstractmethod
    def visible_input(self, hidden: Hidden) -> Visible:
        """b + W.h."""

    @abstractmethod
    def free_energy_given(self, seen: Visible, x: Hidden, temper: Temper) -> Nats:
        """F_t(v) in nats, equation (2), where x is c + v.W."""

    def in_deviations(self, seen: Visible) -> Visible:
        """Scaled visible units v of data, equation (1)."""
        return seen if self.log_deviation is None else seen * torch.exp(-self.log_deviation)

    def in_values(self, v: Visible) -> Visible:
        """Data of scaled visible units v, the inverse of equation (1)."""
        return v if self.log_deviation is None else v * torch.exp(self.log_deviation)

    # -------- annealing

    def gibbs_step(self, visible: Tensor, temper: Temper = 1.0) -> Tensor:
        """One Gibbs step that leaves exp(-F_t) unchanged."""
        return self._step(self.hidden_input(visible.flatten(1)), temper).reshape(visible.shape)

    def anneal(self, visible: Tensor, before: Temper, after: Temper) -> tuple[Tensor, Nats]:
        """A step at `after`, and F_before(v) - F_after(v); both free energies and the step share one matrix product."""
        flat = visible.flatten(1)
        x = self.hidden_input(flat)
        weight = self.free_energy_given(flat, x, before) - self.free_energy_given(flat, x, after)
        return self._step(x, after).reshape(visible.shape), weight

    def base_rate(self) -> Tensor:
        """Biases a of equation (2)."""
        return self.base

    def base_draw(self, count: int) -> Visible:
        """Visible units drawn at t = 0."""
        return self.in_values(self.visible_units.draw(self.base.expand(count, -1)))

    def base_partition(self) -> Tensor:
        """Log Z at t = 0, equation (3): hidden units contribute their number of states."""
        self.refuse_without_energy()
        hidden = self.hidden_units.log_sum(torch.zeros_like(self.hidden_bias))
        return self.visible_units.log_sum(self.base) + hidden + self._log_volume()

    # -------- likelihoods

    def hidden_free_energy(self, hidden: Hidden) -> Nats:
        """Free energy of hidden states in nats, equation (4)."""
        self.refuse_without_energy()
        inside = self.hidden_units.own_energy(hidden) - hidden @ self.hidden_bias
        return inside - self.visible_units.log_sum(self.visible_input(hidden)) - self._log_volume()

    def pseudo_likelihood(self, visible: Visible, places: int) -> Scalar:
        """-sum_i log p(v_i | all others) in nats, from a few random i of each row; for binary visible units."""
        x = self.hidden_input(visible)
        total = torch.zeros((), device=visible.device, dtype=x.dtype)
        for _ in range(places):
            i = (torch.rand(len(visible), device=visible.device) * visible.shape[1]).long()
            v, row = visible.gather(1, i[:, None]), wide(self.weight[i])
            off = x - v * row
            logit = self.visible_bias[i] + self.hidden_units.log_sum(off + row) - self.hidden_units.log_sum(off)
            total += (F.softplus(logit) - v[:, 0] * logit).mean()
        return total * visible.shape[1] / places

    @property
    def has_energy(self) -> bool:
        """Whether an energy describes the machine: not with noisy rectified units, nor with a layer that is doubled."""
        return self.doubled == "no" and self.hidden_units is not UNITS["relu"]

    def refuse_without_energy(self) -> None:
        """Raise where no energy describes the machine."""
        if not self.has_energy:
            what = "noisy rectified units have" if self.doubled == "no" else "a machine with a doubled layer has"
            raise ConfigError(f"{what} no free energy, and so no likelihood")

    def _step(self, x: Hidden, temper: Temper) -> Visible:
        hidden = self.hidden_units.draw(temper * x)
        y = temper * self.visible_input(hidden) + (1 - temper) * self.base
        return self.in_values(self.visible_units.draw(y))

    def _log_volume(self) -> Tensor | float:
        """Log ratio of an integral over unscaled data to the one over v."""
        return 0.0 if self.log_deviation is None else self.log_deviation.sum()
