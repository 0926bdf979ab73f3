"""A machine of two layers without connections inside a layer: energies, conditionals, and Gibbs steps.

    E(v, h) = A(v) + B(h) - b.v - c.h - v.W.h                                     (1)
    F(v) = -log sum_h exp(-E(v, h)) = A(v) - b.v - log z_h(c + v.W)               (2)
    F(h) = -log sum_v exp(-E(v, h)) = B(h) - c.h - log z_v(b + W.h)               (3)
    F_t(v) = A(v) - (1 - t) a.v - t b.v - log z_h(t (c + v.W))                    (4)

A, B, z_v and z_h belong to the kinds of units (`untaught.nn.energy.units`). Where Gaussian visible units have a learnt
deviation s, v in these equations is what is seen divided by s, and sums over v become integrals over what is seen.

References:
    Smolensky (1986). Information processing in dynamical systems: foundations of harmony theory.
    Welling, Rosen-Zvi, Hinton (2005). Exponential family harmoniums with an application to information retrieval.
    Salakhutdinov and Hinton (2009). Deep Boltzmann machines (doubled inputs).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from untaught.errors import ConfigError
from untaught.nn.energy.units import UNITS, Kind
from untaught.nn.noise import wide

Visible = Float[Tensor, "batch visible"]
Hidden = Float[Tensor, "batch hidden"]
Nats = Float[Tensor, " batch"]
Temper = Tensor | float
"""Inverse temperature: one, or each row's own `(batch, 1)`."""


class Bipartite(nn.Module, ABC):
    """Weights, biases and units of two layers.

    Args:
        visible: Visible units.
        hidden: Hidden units.
        kinds: Kind of the visible and of the hidden units.
        scale: Standard deviation of the initial weights.
        learn_deviation: Whether Gaussian visible units learn theirs.
        doubled: Which layer stands for two, tied, so that the other gets its input twice.

    Raises:
        ConfigError: Only Gaussian units have a deviation to learn.
    """

    def __init__(
        self,
        visible: int,
        hidden: int,
        kinds: tuple[Kind, Kind] = ("bernoulli", "bernoulli"),
        scale: float = 0.01,
        learn_deviation: bool = False,
        doubled: Literal["no", "visible", "hidden"] = "no",
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
    def sides(self) -> Sequence[object]:
        """Sides over whose states the partition function could be summed, as the contract describes them."""

    @property
    def has_energy(self) -> bool:
        """Whether (1) describes the machine: not with noisy rectified units, nor with a layer that stands for two."""
        return self.doubled == "no" and self.hidden_units is not UNITS["relu"]

    def hidden_input(self, visible: Visible) -> Hidden:
        """C + v.W."""
        product = wide(self.in_deviations(visible) @ self.weight)
        return (2 * product if self.doubled == "visible" else product) + self.hidden_bias

    def visible_input(self, hidden: Hidden) -> Visible:
        """B + W.h."""
        product = wide(hidden @ self.weight.T)
        return (2 * product if self.doubled == "hidden" else product) + self.visible_bias

    def hidden_given(self, visible: Visible) -> Hidden:
        """Mean of the hidden units given the visible ones."""
        return self.hidden_units.mean(self.hidden_input(visible))

    def visible_given(self, hidden: Hidden) -> Visible:
        """Mean of the visible units given the hidden ones."""
        return self.in_values(self.visible_units.mean(self.visible_input(hidden)))

    def free_energy(self, visible: Tensor, temper: Temper = 1.0) -> Nats:
        """Free energy in nats, equation (2), or at another inverse temperature (4).

        Raises:
            ConfigError: The machine has none.
        """
        flat = visible.flatten(1)
        return self._free_energy(flat, self.hidden_input(flat), temper)

    def hidden_free_energy(self, hidden: Hidden) -> Nats:
        """Free energy of hidden states in nats, equation (3)."""
        self.refuse_without_energy()
        inside = self.hidden_units.own_energy(hidden) - hidden @ self.hidden_bias
        return inside - self.visible_units.log_sum(self.visible_input(hidden)) - self._log_volume()

    def gibbs(self, visible: Visible) -> Visible:
        """Draw the hidden units given the visible ones, then the visible given the hidden."""
        return self.gibbs_step(visible)

    def gibbs_step(self, visible: Tensor, temper: Temper = 1.0) -> Tensor:
        """One Gibbs step that leaves exp(-F_t) unchanged."""
        return self._step(self.hidden_input(visible.flatten(1)), temper).reshape(visible.shape)

    def anneal(self, visible: Tensor, before: Temper, after: Temper) -> tuple[Tensor, Nats]:
        """A step at `after`, and F_before(v) - F_after(v): both free energies and the step share one product."""
        flat = visible.flatten(1)
        x = self.hidden_input(flat)
        weight = self._free_energy(flat, x, before) - self._free_energy(flat, x, after)
        return self._step(x, after).reshape(visible.shape), weight

    def base_rate(self) -> Tensor:
        """Biases a of equation (4)."""
        return self.base

    def base_partition(self) -> Tensor:
        """Log Z at t = 0: hidden units have no say, and count their states."""
        self.refuse_without_energy()
        hidden = self.hidden_units.log_sum(torch.zeros_like(self.hidden_bias))
        return self.visible_units.log_sum(self.base) + hidden + self._log_volume()

    def refuse_without_energy(self) -> None:
        """Raise where (1) does not describe the machine."""
        if not self.has_energy:
            what = "noisy rectified units have" if self.doubled == "no" else "a machine with a doubled layer has"
            raise ConfigError(f"{what} no free energy, and so no likelihood")

    def in_deviations(self, seen: Visible) -> Visible:
        """V of the equations."""
        return seen if self.log_deviation is None else seen * torch.exp(-self.log_deviation)

    def in_values(self, v: Visible) -> Visible:
        """What is seen."""
        return v if self.log_deviation is None else v * torch.exp(self.log_deviation)

    def base_draw(self, count: int) -> Visible:
        """Visible units drawn at t = 0."""
        return self.in_values(self.visible_units.draw(self.base.expand(count, -1)))

    def _free_energy(self, flat: Visible, x: Hidden, temper: Temper) -> Nats:
        self.refuse_without_energy()
        v = self.in_deviations(flat)
        bias = temper * self.visible_bias + (1 - temper) * self.base
        biased = v @ bias if bias.ndim == 1 else (v * bias).sum(1)
        return self.visible_units.own_energy(v) - biased - self.hidden_units.log_sum(temper * x)

    def _step(self, x: Hidden, temper: Temper) -> Visible:
        hidden = self.hidden_units.draw(temper * x)
        y = temper * self.visible_input(hidden) + (1 - temper) * self.base
        return self.in_values(self.visible_units.draw(y))

    def _log_volume(self) -> Tensor | float:
        """How much larger an integral over what is seen is than one over v."""
        return 0.0 if self.log_deviation is None else self.log_deviation.sum()


class TwoLayers(Bipartite):
    """A machine that is only asked, and never learns."""

    def sides(self) -> Sequence[object]:
        """Who made it knows its sides."""
        return ()


def energy_slopes(
    data: Visible,
    active: Hidden,
    fantasy: Float[Tensor, "fantasy visible"],
    imagined: Float[Tensor, "fantasy hidden"],
) -> tuple[Float[Tensor, "visible hidden"], Float[Tensor, " visible"], Float[Tensor, " hidden"]]:
    """Derivatives of E(v+, h+) - E(v-, h-) by W, b and c: <v- h-> - <v+ h+> and so on, each mean over its own rows."""
    # In full precision, for the two means nearly cancel.
    with torch.autocast(data.device.type, enabled=False):
        by_weight = (fantasy.T @ (imagined / len(imagined))).addmm_(data.T, active, alpha=-1 / len(active))
        return by_weight, fantasy.mean(0) - data.mean(0), imagined.mean(0) - active.mean(0)
