"""The restricted Boltzmann machine: a distribution over pictures, and features at the cost of one matrix product.

    E(v, h) = A(v) + B(h) - b.v - c.h - v.W.h                                     (1)
    F(v) = -log sum_h exp(-E(v, h)) = A(v) - b.v - log z_h(c + v.W)               (2)
    <h | v> = mean of hidden units under the input c + v.W                        (3)
    <v | h> = mean of visible units under the input b + W.h                       (4)
    d log p(v+) / dW = v+ h+ - <v- h->                                            (5)
    F_t(v) = A(v) - (1 - t) a.v - t b.v - log z_h(t (c + v.W))                    (6)
    d (sparsity) / dc = k (q - r)                                                 (7)

v and h are visible and hidden units without connections inside a layer. A, B, means and log z follow from the kind of
units (`untaught.nn.energy.units`): binary ones have means 1 / (1 + exp(-input)), log z_h(x) = sum_j log(1 + exp(x_j)).
Grey values in [0, 1] are taken as probabilities of ones. (1) is the energy, p(v, h) ~ exp(-E); (2) the free energy,
p(v) ~ exp(-F). Gaussian visible units may have a learnt standard deviation s: then v is the data divided by s.

The gradient (5) contrasts the data v+ with the machine's fantasies v-, with h+ and h- the means (3). Fantasies come
from a few Gibbs steps, each drawing (3) and then (4). Chains begin at the data (contrastive divergence), or where those
of the last update ended (persistent chains, at several temperatures if need be). (7) drives the mean activation q of
each hidden unit, over the last batches, towards r. For annealing, (6) leads from independent units with biases a at t =
0 to (2) at t = 1.

References:
    Smolensky (1986). Information processing in dynamical systems: foundations of harmony theory.
    Hinton (2002). Training products of experts by minimizing contrastive divergence.
    Tieleman (2008). Training restricted Boltzmann machines using approximations to the likelihood gradient.
    Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief networks (CD-k that grows).
    Salakhutdinov and Hinton (2009). Deep Boltzmann machines (doubled inputs).
    Hinton (2010). A practical guide to training restricted Boltzmann machines.

Departures:
    Momentum has one value throughout, where the guide raises it from 0.5 to 0.9.
    Noisy rectified and doubled units have no free energy, and so no likelihood.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from untaught.capability import Activations, Decodes, Encodes, Energy, Filters, Reconstructs, Samples, Side
from untaught.config import Count, Fraction, NonNegative, Positive, Whole, configuration
from untaught.errors import ConfigError
from untaught.layerwise.from_components import few_and_large
from untaught.layerwise.suited import amounts, in_patches, patches_told
from untaught.model import Batch, Example, Learner, Loss, Smoke, Usual, View
from untaught.nn.energy.bipartite import Bipartite, Hidden, Temper, Visible
from untaught.nn.energy.centring import centred
from untaught.nn.energy.contrastive import after, after_growing, contrast, sparsity_pull
from untaught.nn.energy.tempering import tempered_step
from untaught.nn.energy.units import Kind
from untaught.nn.named import chosen, weight_pictures
from untaught.nn.noise import wide
from untaught.recipe import Optimiser, Recipe
from untaught.shapes import Examples, Features, Images, PerExample, Scalar, Shape

Fantasies = Float[Tensor, "fantasy visible"]
Imagined = Float[Tensor, "fantasy hidden"]
PLACES = 8
"""Units of each example for which the likelihood given all others is measured."""
GAUSSIAN_RATE = 0.001
"""Learning rate for Gaussian visible units, whose reconstructions have no bound; five times higher, they diverge on
columns that share few causes."""


class RBM(Bipartite, Learner, Encodes, Decodes, Reconstructs, Samples, Energy, Activations, Filters):
    """A restricted Boltzmann machine, with parameters `weight` W, `visible_bias` b and `hidden_bias` c.

    Example:
        >>> machine = RBM(RBM.Config(hidden=20), (1, 8, 8))
        >>> machine.encode(torch.zeros(5, 1, 8, 8)).shape
        torch.Size([5, 20])
    """

    def energy(self, visible: Visible, hidden: Hidden) -> PerExample:
        """E(v, h) of pairs of states in nats, equation (1)."""
        v = self.in_deviations(visible)
        own = self.visible_units.own_energy(v) + self.hidden_units.own_energy(hidden)
        return own - v @ self.visible_bias - hidden @ self.hidden_bias - ((v @ self.weight) * hidden).sum(1)

    def free_energy(self, visible: Tensor, temper: Temper = 1.0) -> PerExample:
        """F(v) in nats, equation (2), or at another inverse temperature (6); ConfigError where units have none."""
        flat = visible.flatten(1)
        return self.free_energy_given(flat, self.hidden_input(flat), temper)

    def free_energy_given(self, seen: Visible, x: Hidden, temper: Temper) -> PerExample:
        """The same, where x is c + v.W."""
        self.refuse_without_energy()
        v, bias = self.in_deviations(seen), temper * self.visible_bias + (1 - temper) * self.base
        biased = v @ bias if bias.ndim == 1 else (v * bias).sum(1)
        return self.visible_units.own_energy(v) - biased - self.hidden_units.log_sum(temper * x)

    def hidden_input(self, visible: Visible) -> Hidden:
        """c + v.W, inside equation (3)."""
        product = wide(self.in_deviations(visible) @ self.weight)
        return (2 * product if self.doubled == "visible" else product) + self.hidden_bias

    def hidden_given(self, visible: Visible) -> Hidden:
        """<h | v>, equation (3)."""
        return self.hidden_units.mean(self.hidden_input(visible))

    def visible_input(self, hidden: Hidden) -> Visible:
        """b + W.h, inside equation (4)."""
        product = wide(hidden @ self.weight.T)
        return (2 * product if self.doubled == "hidden" else product) + self.visible_bias

    def visible_given(self, hidden: Hidden) -> Visible:
        """<v | h>, equation (4)."""
        return self.in_values(self.visible_units.mean(self.visible_input(hidden)))

    def gibbs(self, visible: Visible) -> Visible:
        """Draw h given v, then v given h."""
        hidden = self.hidden_units.draw(self.hidden_input(visible))
        return self.in_values(self.visible_units.draw(self.visible_input(hidden)))

    def fantasies(self, begin: Visible, progress: Scalar) -> Fantasies:
        """v-: k Gibbs steps from the data, the first of which is done in `begin`, or from where the chains ended."""
        if not self.config.persistent_chains:
            return self._walk(begin, progress, done=1)
        self.chains.copy_(self._walk(self.chains, progress))
        return self.chains[-self.config.persistent_chains :]

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """E(v+, h+) - E(v-, h-), whose gradient is minus the right-hand side of equation (5)."""
        data = batch.x.flatten(1)
        with torch.no_grad():
            active, begin, parts = self._begun(data, measured=not self.config.persistent_chains)
        return Loss(self._contrast(data, active, begin, progress), parts)

    def _contrast(self, data: Visible, active: Hidden, begin: Visible, progress: Scalar) -> Scalar:
        """E(v+, h+) - E(v-, h-) with all states, h+ and h- included, held fixed."""
        with torch.no_grad():
            fantasy = self.fantasies(begin, progress)
            imagined = self.hidden_given(fantasy)
            slopes = self._slopes(self.in_deviations(data), active, self.in_deviations(fantasy), imagined)
        return contrast(slopes)

    def _slopes(self, v: Visible, active: Hidden, f: Fantasies, imagined: Imagined) -> Sequence[tuple[Tensor, Tensor]]:
        """Each parameter with the derivative of what is minimised, costs and equation (7) included."""
        by_weight, by_visible, by_hidden = energy_slopes(v, active, f, imagined)
        if self.config.centred:
            by_weight, by_hidden = centred(by_weight, by_hidden, v)
        if self.active is not None:
            config = self.config
            pull = sparsity_pull(active.mean(0), config.sparsity or 0, config.sparsity_cost, self.active)
            by_weight.addr_(v.mean(0), pull)
            by_hidden = by_hidden + pull
        if self.config.weight_cost:
            by_weight.add_(self.weight, alpha=self.config.weight_cost)
        slopes = [(self.weight, by_weight), (self.visible_bias, by_visible), (self.hidden_bias, by_hidden)]
        if self.log_deviation is not None:
            slopes.append((self.log_deviation, self._stretch(v, active) - self._stretch(f, imagined)))
        return slopes

    def _stretch(self, v: Visible, hidden: Hidden) -> Tensor:
        """dE / d log s, mean over rows: since v = x / s, it is v (input - v)."""
        return (v * (self.visible_input(hidden) - v)).mean(0)

    @configuration
    class Config:
        """Size, units and learning rule."""

        hidden: Count = 500
        """Hidden units."""
        visible: Literal["bernoulli", "gaussian", "softmax"] = "bernoulli"
        """Visible units: binary; Gaussian, for standardised data; or softmax, one of all being on."""
        hidden_units: Literal["bernoulli", "gaussian", "softmax", "relu"] = "bernoulli"
        """Hidden units: binary, Gaussian of variance 1, softmax (one of all is on), or noisy rectified linear."""
        learn_deviation: bool = False
        """Learn the standard deviation of each Gaussian visible unit, which is 1 otherwise."""
        gibbs_steps: Count = 1
        """Gibbs steps from where a chain begins to a fantasy: the k of CD-k."""
        growing: bool = False
        """Let the number of Gibbs steps grow from 1 to `gibbs_steps` through the training."""
        persistent_chains: Whole = 100
        """Persistent chains, in each process; 0 begins chains at the data, which is CD-k."""
        temperatures: Count = 1
        """Temperatures of parallel tempering, whose chains exchange states with their neighbours; 1 does without."""
        sparsity: Fraction | None = None
        """Target for the mean activation of hidden units; none sets no target."""
        sparsity_cost: NonNegative = 0.1
        """Weight of the sparsity target."""
        weight_cost: NonNegative = 0.0
        """Decay of the weights, biases apart: adds cost / 2 times the sum of squares to what is minimised."""
        centred: bool = False
        """Count visible units from their means, `untaught.nn.energy.centring`, for data where most vary little."""
        initial_scale: Positive = 0.01
        """Standard deviation of the initial weights (section 8 of the guide)."""
        doubled: Literal["no", "visible", "hidden"] = "no"
        """Layer that stands for two tied copies, so that the other's input is doubled: pretrains a deep Boltzmann
        machine."""
        sample_steps: Count = 1000
        """Gibbs steps from noise to a sample."""

    known_shortfalls = {
        "reconstruction": "it learns a density, not a code of least error; as many principal components, where hidden "
        "units are as many as values, copy",
        "features": "hidden units are hardly better than untrained ones until many steps are made, and large pictures "
        "or documents make few in a few minutes",
    }
    adapts = {"visible": "gaussian where values lie outside [0, 1], for documents and for colours", **patches_told()}

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Gaussian units at a lower rate (section 13.2 of the guide) for what is no probability; patches."""
        slower = replace(cls.recipe, optimiser=replace(cls.recipe.optimiser, learning_rate=GAUSSIAN_RATE))
        why = amounts(example, sample)
        if not why and not few_and_large(example, sample):
            return Usual()
        gaussian, binary = Usual({"visible": "gaussian"}, recipe=slower, because=why), Usual({"visible": "bernoulli"})
        return in_patches(cls, (gaussian, binary) if why else (binary, gaussian), example, sample)

    recipe = Recipe(optimiser=Optimiser(name="sgd", learning_rate=0.005, momentum=0.9), batch_size=100)
    view = View(binarise=True)
    monitor = "pseudo_likelihood_nats"
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build the machine, or raise ConfigError where units or learning rule do not fit together."""
        _check(config)
        example = Example.of(example)
        kinds: tuple[Kind, Kind] = (config.visible, config.hidden_units)
        size = math.prod(example.shape)
        super().__init__(size, config.hidden, kinds, config.initial_scale, config.learn_deviation, config.doubled)
        self.config, self.example, self.view = config, example, self.view_of(config)
        target = config.sparsity
        self.active = None if target is None else nn.Buffer(torch.full((config.hidden,), target))
        self.chains = nn.Buffer(torch.zeros(config.persistent_chains * config.temperatures, size))
        if config.visible != "bernoulli" or not self.has_energy:
            self.monitor = "squared_error_per_image"

    @classmethod
    def view_of(cls, config: Config) -> View:
        """Data are binarised by draws for binary units, standardised for Gaussian ones."""
        return {"bernoulli": cls.view, "gaussian": View(standardise="pixel"), "softmax": View()}[config.visible]

    @classmethod
    def takes_probabilities(cls, config: Config) -> bool:
        """Binary visible units do."""
        return config.visible == "bernoulli"

    def prepare(self, sample: Batch) -> None:
        """Let the biases alone explain each unit's mean, and begin the chains there.

        Raises:
            DataError: Values are outside the range of the visible units.
        """
        with torch.no_grad():
            flat = sample.x.flatten(1)
            if self.log_deviation is not None:
                self.log_deviation.copy_(flat.std(0, correction=0).clamp_min(1e-2).log())
            self.base.copy_(self.visible_units.bias_for(self.in_deviations(flat)))
            self.visible_bias.copy_(self.base)
            self.chains.copy_(self.base_draw(len(self.chains)))

    def held_out(self, batch: Batch, player: str) -> Loss:
        """The loss, the squared error of one Gibbs step and, if it selects the best state, the pseudo-likelihood."""
        data = batch.x.flatten(1)
        with torch.no_grad():
            active, begin, parts = self._begun(data, measured=True)
            if self.monitor == "pseudo_likelihood_nats":
                parts[self.monitor] = self.pseudo_likelihood(data, PLACES)
        return Loss(self._contrast(data, active, begin, torch.ones((), device=data.device)), parts)

    def _begun(self, data: Visible, measured: bool) -> tuple[Hidden, Visible, dict[str, Scalar]]:
        """Means h+, the first Gibbs step from the data, and its error; only the means unless `measured`."""
        x = self.hidden_input(data)
        if not measured:  # persistent chains do not need that step
            return self.hidden_units.mean(x), data, {}
        active, hidden = self.hidden_units.mean_and_draw(x)
        mean, begin = self.visible_units.mean_and_draw(self.visible_input(hidden))
        error = data - self.in_values(mean)
        return active, self.in_values(begin), {"squared_error_per_image": error.square().sum(1).mean()}

    def _walk(self, visible: Visible, progress: Scalar, done: int = 0) -> Visible:
        """The Gibbs steps to a fantasy, of which `done` are done already; fewer at first where their number grows."""
        step, steps = self.gibbs if self.config.temperatures == 1 else self._tempered, self.config.gibbs_steps
        if self.config.growing:
            return after_growing(step, visible, steps, progress, done)
        return after(step, visible, steps - done)

    def _tempered(self, visible: Visible) -> Visible:
        return tempered_step(visible, self.config.temperatures, self.gibbs_step, self.free_energy)

    def sides(self) -> Sequence[Side]:
        """Hidden units, with the visible ones summed out, and visible units; binary ones only."""
        both = (
            (self.hidden_units, Side(self.config.hidden, self.hidden_free_energy)),
            (self.visible_units, Side(len(self.visible_bias), self.free_energy)),
        )
        return [side for units, side in both if units.binary and self.has_energy]

    def encode(self, x: Examples) -> Features:
        """Means (3) of the hidden units."""
        return self.hidden_given(x.flatten(1))

    def decode(self, features: Features) -> Examples:
        """Means (4) of the visible units."""
        return self.visible_given(features).unflatten(1, self.shape)

    def reconstruct(self, x: Examples) -> Examples:
        """Mean of the visible units given the means of the hidden ones."""
        return self.decode(self.encode(x))

    def sample(self, count: int, label: int | None = None) -> Examples:
        """Run `count` chains from the base rates; the last step gives grey values, means (4) of visible units."""
        with torch.no_grad():
            visible = after(self.gibbs, self.base_draw(count), self.config.sample_steps - 1)
            return self.decode(self.hidden_units.draw(self.hidden_input(visible)))

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """The layer `hidden`: its means."""
        return chosen({"hidden": self.encode(x)}, names)

    def filters(self) -> Images:
        """Weights of each hidden unit; for vectors, pictures of one row."""
        return weight_pictures(self.weight, self.shape)

    smoke = Smoke(
        config=Config(hidden=4, persistent_chains=3, initial_scale=0.5, sample_steps=5), shape=(1, 2, 3), binary=True
    )
    """All 1,024 states can be summed."""


def energy_slopes(
    v: Visible, active: Hidden, f: Fantasies, imagined: Imagined
) -> tuple[Float[Tensor, "visible hidden"], Float[Tensor, " visible"], Float[Tensor, " hidden"]]:
    """Derivatives of E(v+, h+) - E(v-, h-) by W, b and c: <v- h-> - <v+ h+> and so on, each mean over its own rows."""
    # In full precision, because the two means nearly cancel.
    with torch.autocast(v.device.type, enabled=False):
        by_weight = (f.T @ (imagined / len(imagined))).addmm_(v.T, active, alpha=-1 / len(active))
        return by_weight, f.mean(0) - v.mean(0), imagined.mean(0) - active.mean(0)


def _check(config: RBM.Config) -> None:
    if config.temperatures > 1 and not config.persistent_chains:
        raise ConfigError("several temperatures need persistent chains; CD-k begins at the data")
    if config.temperatures > 1 and (config.hidden_units == "relu" or config.doubled != "no"):
        raise ConfigError("chains exchange states by their energies, which these units do not have; temperatures=1")
    if config.sparsity is not None and config.hidden_units != "bernoulli":
        raise ConfigError("the sparsity target is a fraction of the time, for binary hidden units only")
    if {config.visible, config.hidden_units} == {"gaussian"}:
        raise ConfigError("with Gaussian units in both layers the energy has no lower end; make one layer binary")
