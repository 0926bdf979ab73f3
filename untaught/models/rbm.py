"""The restricted Boltzmann machine: a density over binary pictures, and features that cost one product.

    E(v, h) = -b.v - c.h - v.W.h                                                  (1)
    F(v) = -log sum_h exp(-E(v, h)) = -b.v - sum_j log(1 + exp(c_j + (v.W)_j))    (2)
    p(h_j = 1 | v) = s(c_j + (v.W)_j)                                             (3)
    p(v_i = 1 | h) = s(b_i + (W.h)_i)                                             (4)
    d log p(v+) / dW = v+ h+ - <v- h->                                            (5)
    F_t(v) = -(1 - t) a.v - t b.v - sum_j log(1 + exp(t (c_j + (v.W)_j)))         (6)

v and h are binary visible and hidden units without connections inside a layer; s(x) = 1 / (1 + exp(-x)). Grey values in
[0, 1] are taken as probabilities of ones. (1) is the energy, p(v, h) ~ exp(-E); (2) the free energy, p(v) ~ exp(-F).
The gradient (5) pits the data v+ against the machine's fantasies v-, with h+ and h- the means (3). Fantasies come from
a few Gibbs steps, each drawing (3) and then (4), that begin at the data (contrastive divergence) or where the last ones
ended (persistent chains). For annealing, (6) leads from independent units with biases a at t = 0 to (2) at t = 1.

References:
    Smolensky (1986). Information processing in dynamical systems: foundations of harmony theory.
    Hinton (2002). Training products of experts by minimizing contrastive divergence.
    Tieleman (2008). Training restricted Boltzmann machines using approximations to the likelihood gradient.
    Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief networks.
    Hinton (2010). A practical guide to training restricted Boltzmann machines.

Departures:
    Momentum has one value throughout, where the guide raises it from 0.5 to 0.9.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from untaught.config import Count, Positive, Whole, configuration
from untaught.errors import ConfigError, DataError
from untaught.model import (
    Activations,
    Batch,
    Decodes,
    Encodes,
    Energy,
    Filters,
    Learner,
    Loss,
    Reconstructs,
    Samples,
    Side,
    Smoke,
    View,
)
from untaught.nn.noise import bernoulli, wide
from untaught.recipe import Optimiser, Recipe
from untaught.shapes import Examples, Features, Images, PerExample, Scalar, Shape

Visible = Float[Tensor, "batch visible"]
Hidden = Float[Tensor, "batch hidden"]
Fantasies = Float[Tensor, "fantasy visible"]


class RBM(Learner, Encodes, Decodes, Reconstructs, Samples, Energy, Activations, Filters):
    """A restricted Boltzmann machine.

    Example:
        >>> machine = RBM(RBM.Config(hidden=20), (1, 8, 8))
        >>> machine.encode(torch.zeros(5, 1, 8, 8)).shape
        torch.Size([5, 20])
    """

    @configuration
    class Config:
        """Size and learning rule."""

        hidden: Count = 500
        """Hidden units."""
        gibbs_steps: Count = 1
        """Gibbs steps from where a chain begins to a fantasy: the k of CD-k."""
        persistent_chains: Whole = 100
        """Chains that go on from one update to the next, in each process; 0 begins them at the data: CD-k."""
        initial_scale: Positive = 0.01
        """Standard deviation of the initial weights (section 8 of the guide)."""
        sample_steps: Count = 1000
        """Gibbs steps from noise to a sample."""

    recipe = Recipe(optimiser=Optimiser(name="sgd", learning_rate=0.005, momentum=0.9), batch_size=100)
    view = View(binarise=True)
    monitor = "squared_error_per_image"

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.config, self.shape, visible = config, shape, math.prod(shape)
        self.weight = nn.Parameter(torch.randn(visible, config.hidden) * config.initial_scale)
        self.visible_bias = nn.Parameter(torch.zeros(visible))
        self.hidden_bias = nn.Parameter(torch.zeros(config.hidden))
        self.base = nn.Buffer(torch.zeros(visible))
        self.chains = nn.Buffer(torch.zeros(config.persistent_chains, visible))

    def free_energy(self, visible: Examples, temper: Scalar | float = 1.0) -> PerExample:
        """Free energy in nats, equation (2); at other inverse temperatures (6)."""
        flat = visible.flatten(1)
        bias = temper * self.visible_bias + (1 - temper) * self.base
        return -flat @ bias - F.softplus(temper * self.hidden_input(flat)).sum(1)

    def hidden_input(self, visible: Visible) -> Hidden:
        """Logit of each hidden unit, inside equation (3)."""
        return wide(visible @ self.weight) + self.hidden_bias

    def visible_input(self, hidden: Hidden) -> Visible:
        """Logit of each visible unit, inside equation (4)."""
        return wide(hidden @ self.weight.T) + self.visible_bias

    def hidden_given(self, visible: Visible) -> Hidden:
        """Probability that each hidden unit is on, equation (3)."""
        return torch.sigmoid(self.hidden_input(visible))

    def visible_given(self, hidden: Hidden) -> Visible:
        """Probability that each visible unit is on, equation (4)."""
        return torch.sigmoid(self.visible_input(hidden))

    def gibbs(self, visible: Visible) -> Visible:
        """Draw the hidden units given the visible ones, then the visible given the hidden: (3), (4)."""
        return bernoulli(self.visible_given(bernoulli(self.hidden_given(visible))))

    def prepare(self, sample: Batch) -> None:
        """Let the biases alone explain each unit's mean, and begin the chains there.

        Raises:
            DataError: Values lie outside [0, 1], so they are no probabilities.
        """
        low, high = (float(value) for value in sample.x.aminmax())
        if low < 0 or high > 1:
            raise DataError(f"values run from {low:.3g} to {high:.3g}; binary units need 0 to 1 (no standardising)")
        with torch.no_grad():
            # 1 / (n + 2) keeps a unit that never changed in the sample away from certainty.
            mean = (sample.x.flatten(1).sum(0) + 1) / (len(sample.x) + 2)
            self.base.copy_(torch.logit(mean))
            self.visible_bias.copy_(self.base)
            self.chains.copy_(bernoulli(mean.expand_as(self.chains)))

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """E(v+, h+) - E(v-, h-), whose gradient is the learning rule (5), with h+ and h- the means (3)."""
        with torch.no_grad():
            data = batch.x.flatten(1)
            active = self.hidden_given(data)
            reconstruction = self.visible_given(bernoulli(active))
            fantasy = self.fantasies(reconstruction)
            slopes = energy_slopes(data, active, fantasy, self.hidden_given(fantasy))
        # All states are held fixed, so this is linear in the parameters. Its value is no likelihood.
        with torch.autocast(data.device.type, enabled=False):
            parameters = (self.weight, self.visible_bias, self.hidden_bias)
            terms = [torch.dot(v.flatten(), s.flatten()) for v, s in zip(parameters, slopes, strict=True)]
        error = (data - reconstruction).square().sum(1).mean()
        return Loss(torch.stack(terms).sum(), {"squared_error_per_image": error})

    def fantasies(self, reconstruction: Visible) -> Fantasies:
        """v-: k Gibbs steps from the data, of which the first is half made, or from where the chains ended."""
        steps = self.config.gibbs_steps
        if not self.config.persistent_chains:
            return self.chain(bernoulli(reconstruction), steps - 1)
        visible = self.chain(self.chains, steps)
        if self.training:
            self.chains.copy_(visible)
        return visible

    def chain(self, visible: Visible, steps: int) -> Visible:
        """Take some Gibbs steps."""
        for _ in range(steps):
            visible = self.gibbs(visible)
        return visible

    def encode(self, x: Examples) -> Features:
        """Mean of the hidden units, equation (3)."""
        return self.hidden_given(x.flatten(1))

    def decode(self, features: Features) -> Examples:
        """Mean of the visible units, equation (4)."""
        return self.visible_given(features).unflatten(1, self.shape)

    def reconstruct(self, x: Examples) -> Examples:
        """Mean of the visible units given the hidden units' means."""
        return self.decode(self.encode(x))

    def sample(self, count: int, label: int | None = None) -> Examples:
        """Run `count` chains from the base rate; the last step gives grey values, the means (4)."""
        with torch.no_grad():
            noise = bernoulli(torch.sigmoid(self.base).expand(count, -1))
            visible = self.chain(noise, self.config.sample_steps - 1)
            return self.decode(bernoulli(self.hidden_given(visible)))

    def gibbs_step(self, visible: Tensor, temper: Scalar | float = 1.0) -> Tensor:
        """One Gibbs step that leaves exp(-F_t) unchanged, equation (6)."""
        hidden = bernoulli(torch.sigmoid(temper * self.hidden_input(visible.flatten(1))))
        logit = temper * self.visible_input(hidden) + (1 - temper) * self.base
        return bernoulli(torch.sigmoid(logit)).reshape(visible.shape)

    def base_rate(self) -> Tensor:
        """Biases a of equation (6): logits of the data's mean, as `prepare` found it."""
        return self.base

    def base_partition(self) -> Scalar:
        """log Z of (6) at t = 0: hidden units have no say, and each has two states."""
        return F.softplus(self.base).sum() + self.config.hidden * math.log(2)

    def sides(self) -> Sequence[Side]:
        """Hidden units, with visible ones summed out as in (2), and visible units."""
        hidden = Side(self.config.hidden, self.hidden_free_energy)
        return hidden, Side(len(self.visible_bias), self.free_energy)

    def hidden_free_energy(self, hidden: Hidden) -> PerExample:
        """-log sum_v exp(-E(v, h)), the counterpart of (2)."""
        return -hidden @ self.hidden_bias - F.softplus(self.visible_input(hidden)).sum(1)

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """The layer `hidden`: its means."""
        unknown = set(names or ()) - {"hidden"}
        if unknown:
            raise ConfigError(f"no layer is called {min(unknown)!r}; there is: hidden")
        return {"hidden": self.encode(x)}

    def filters(self) -> Images:
        """Weights of each hidden unit; a vector's as a picture of one row."""
        pictures = self.shape if len(self.shape) == 3 else (1, 1, *self.shape)
        return self.weight.detach().T.unflatten(1, pictures)

    smoke = Smoke(
        config=Config(hidden=4, persistent_chains=3, initial_scale=0.5, sample_steps=5), shape=(1, 2, 3), binary=True
    )
    """Six visible and four hidden units: all 1,024 states can be summed."""


def energy_slopes(
    data: Visible, active: Hidden, fantasy: Fantasies, imagined: Float[Tensor, "fantasy hidden"]
) -> tuple[Float[Tensor, "visible hidden"], Float[Tensor, " visible"], Float[Tensor, " hidden"]]:
    """Derivatives of E(v+, h+) - E(v-, h-) by W, b and c: <v- h-> - <v+ h+> and so on, each mean over its own rows."""
    # In full precision, for the two means nearly cancel.
    with torch.autocast(data.device.type, enabled=False):
        by_weight = torch.addmm(fantasy.T @ (imagined / len(imagined)), data.T, active, alpha=-1 / len(active))
        return by_weight, fantasy.mean(0) - data.mean(0), imagined.mean(0) - active.mean(0)
