"""Convolutional restricted Boltzmann machine with probabilistic max-pooling: filters shared across positions.

    I^k_ij = c_k + (W^k * v)_ij                                                            (1)
    E(v, h) = A(v) - sum_p b_p v_p - sum_k,ij h^k_ij I^k_ij                                (2)
    p(h^k_ij = 1 | v) = exp(I^k_ij) / (1 + sum_window exp(I^k))                            (3)
    p(pooled^k = 1 | v) = 1 - 1 / (1 + sum_window exp(I^k))                                (4)
    p(v_p | h):  mean f(b_p + (sum_k W^k *' h^k)_p)                                        (5)
    F(v) = -log sum_h exp(-E(v, h))
         = A(v) - sum_p b_p v_p - sum_windows log(1 + sum_window exp(I^k))                 (6)
    L = (E(v+, h+) - E(v-, h-)) / P,    P pixels                                           (7)
    dL / dc_k += cost (mean of h^k - target)                                               (8)

v is a picture and h^k the map of hidden units that look through filter W^k; * slides a filter over the picture and *'
is its adjoint. b has one value for each channel, c for each filter. Each map is cut into windows of `pool` x `pool`
units of which at most one is on (probabilistic max-pooling): a softmax with one more state, in which all are off. The
pooled unit of a window is on when one of its units is. For binary pixels A = 0 and f is the logistic function; for
Gaussian ones v is a picture divided by `deviation`, A(v) = |v|^2 / 2, and f the identity with noise of variance 1.

A map has as many units as the picture has pixels, both sides rounded up to whole windows. The picture is padded with
zeros, so that any size of picture works and every pixel is connected to as many units. Learning is contrastive
divergence (7); the sparsity target affects the biases only (8).

References:
    Lee, Grosse, Ranganath, Ng (2009). Convolutional deep belief networks for scalable unsupervised learning of
    hierarchical representations.
    Hinton (2002). Training products of experts by minimizing contrastive divergence.

Departures:
    The paper's filters stay inside the picture; here the picture is padded.
    Adam with a falling learning rate, which makes the number of pixels and the data's contrast hardly matter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from untaught.capability import Activations, Decodes, Encodes, Energy, Filters, Reconstructs, Samples, Side
from untaught.config import Count, Fraction, NonNegative, Positive, configuration
from untaught.errors import ConfigError, SizeError
from untaught.layerwise.from_components import few_and_large
from untaught.layerwise.suited import CONVOLVED, in_patches, patches_told
from untaught.layerwise.wide_range import GAUSSIAN, gaussian_outside
from untaught.model import Batch, Example, Learner, Loss, Smoke, Usual, View
from untaught.nn.energy.contrastive import after, sparsity_pull
from untaught.nn.energy.units import UNITS
from untaught.nn.named import chosen
from untaught.nn.noise import wide
from untaught.nn.sizes import frame_size
from untaught.recipe import Optimiser, Recipe
from untaught.shapes import Features, Images, PerExample, Scalar, Shape

Maps = Float[Tensor, "batch filter rows columns"]
Pooled = Float[Tensor, "batch filter window_rows window_columns"]
Windows = Float[Tensor, "batch filter unit window_rows window_columns"]


class ConvolutionalRBM(Learner, Encodes, Decodes, Reconstructs, Samples, Energy, Activations, Filters):
    """One layer: a picture, maps of hidden units, pooled units.

    Example:
        >>> machine = ConvolutionalRBM(ConvolutionalRBM.Config(filters=8, kernel=5), (3, 27, 32))
        >>> machine.pooled(torch.rand(2, 3, 27, 32)).shape
        torch.Size([2, 8, 14, 16])
    """

    def hidden_input(self, visible: Images) -> Maps:
        """Input of each hidden unit, equation (1)."""
        edges = [self._edges(side) for side in reversed(frame_size(visible))]
        return wide(F.conv2d(F.pad(visible, (*edges[0], *edges[1])), self.weight)) + self.hidden_bias.view(-1, 1, 1)

    def energy(self, v: Images, x: Maps, hidden: Maps) -> PerExample:
        """E(v, h) in nats, equation (2), where x is the hidden units' input."""
        pixels = self.units.own_energy(v.flatten(1)) - (v * self._bias(1.0)).flatten(1).sum(1)
        return pixels - (hidden * x).flatten(1).sum(1)

    def hidden_mean(self, x: Maps) -> Maps:
        """Probability that each hidden unit is on, equation (3), from its input."""
        return self._maps(self._with_none(x).softmax(2)[:, :, :-1])

    def hidden_draw(self, x: Maps) -> Maps:
        """At most one unit of each window on, with probabilities (3)."""
        upper = self._with_none(x).softmax(2).cumsum(2)[:, :, :-1]
        lower = F.pad(upper[:, :, :-1], (0, 0, 0, 0, 1, 0))
        place = torch.rand(upper[:, :, :1].shape, device=x.device)
        return self._maps(((place >= lower) & (place < upper)).to(x.dtype))

    def pooled(self, visible: Images) -> Pooled:
        """Probability that each pooled unit is on, equation (4), for pictures of any size."""
        return torch.sigmoid(torch.logsumexp(self._windows(self.hidden_input(visible / self.deviation)), 2))

    def visible_input(self, hidden: Maps, height: int, width: int) -> Images:
        """Input of each pixel from the maps, equation (5) without the bias, for pictures of the given size."""
        top = self._edges(height)[0]
        return wide(F.conv_transpose2d(hidden, self.weight))[:, :, top : top + height, top : top + width]

    def visible_mean(self, hidden: Maps, height: int, width: int) -> Images:
        """Mean of each pixel, equation (5)."""
        return self.units.mean(self.visible_input(hidden, height, width) + self.visible_bias.view(-1, 1, 1))

    def gibbs(self, visible: Images, temper: Scalar | float = 1.0) -> Images:
        """Draw the hidden units by (3) and then the pixels, equation (5)."""
        hidden = self.hidden_draw(temper * self.hidden_input(visible))
        x = temper * self.visible_input(hidden, visible.shape[2], visible.shape[3])
        return self.units.draw(x + self._bias(temper))

    def free_energy(self, visible: Tensor, temper: Scalar | float = 1.0) -> PerExample:
        """Free energy in nats, equation (6); below t = 1 with t W, t c and biases t b + (1 - t) a."""
        v = self._pictures(visible)
        seen = torch.logsumexp(self._with_none(temper * self.hidden_input(v)), 2).flatten(1).sum(1)
        return self.units.own_energy(v.flatten(1)) - (v * self._bias(temper)).flatten(1).sum(1) - seen

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (7), whose gradient is contrastive divergence, with hidden means (3); and (8)."""
        v = self._pictures(batch.x)
        size, pixels = v.shape[2:], v[0, 0].numel()
        with torch.no_grad():
            x = self.hidden_input(v)
            active = self.hidden_mean(x)
            begun = self.visible_input(self.hidden_draw(x), *size) + self._bias(1.0)
            reconstruction, fantasy = self.units.mean(begun), self.units.draw(begun)
            fantasy = after(self.gibbs, fantasy, self.config.gibbs_steps - 1)
            imagined = self.hidden_mean(self.hidden_input(fantasy))
        # Hidden units are fixed, so this is linear in the parameters. The two terms nearly cancel: full precision.
        with torch.autocast(v.device.type, enabled=False):
            energies = [self.energy(s, self.hidden_input(s), h) for s, h in ((v, active), (fantasy, imagined))]
            total = (energies[0] - energies[1]).mean() / pixels
        on = active.mean((0, 2, 3))
        if self.config.sparsity is not None:
            pull = sparsity_pull(on, self.config.sparsity, self.config.sparsity_cost)
            total = total + torch.dot(pull, self.hidden_bias)
        error = ((v - reconstruction) * self.deviation).square().flatten(1).sum(1).mean()
        return Loss(total, {"squared_error_per_image": error, "mean_activation": on.mean()})

    @configuration
    class Config:
        """Size, units and learning rule."""

        filters: Count = 24
        """Filters, each with a map of hidden units."""
        kernel: Count = 10
        """Side of the filters in pixels."""
        pool: Count = 2
        """Side of the windows in which at most one unit is on; 1 makes all units independent."""
        visible: Literal["bernoulli", "gaussian"] = "bernoulli"
        """Pixels: binary, or Gaussian for standardised data."""
        deviation: Positive = 1.0
        """Standard deviation of a Gaussian pixel around its mean, relative to that of the data."""
        gibbs_steps: Count = 1
        """Gibbs steps from the data to a fantasy: the k of CD-k."""
        sparsity: Fraction | None = 0.03
        """Target for, and initial value of, the hidden units' mean activation: below one unit a window. None sets
        no target."""
        sparsity_cost: NonNegative = 1.0
        """Weight of the sparsity target."""
        initial_scale: Positive = 1.0
        """Initial standard deviation of the hidden units' inputs, for pixels of variance 1."""
        sample_steps: Count = 1000
        """Gibbs steps from noise to a sample."""

    known_shortfalls = {
        "reconstruction": "it learns a density, and only a few units may be on in each place",
        "features": "a few dozen filters, which its units say where to find; pooling forgets places, and in small "
        "pictures the place tells most",
    }
    adapts = {**GAUSSIAN, **patches_told(CONVOLVED)}

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Gaussian visible units where values lie outside [0, 1]; large patches of few large pictures."""
        gaussian = gaussian_outside(sample)
        either = [Usual({"visible": "bernoulli"}), Usual({"visible": "gaussian"})]
        choices = [gaussian] if gaussian.config else either if few_and_large(example, sample) else [Usual()]
        return in_patches(cls, choices, example, sample, CONVOLVED)

    recipe = Recipe(optimiser=Optimiser(learning_rate=5e-3), batch_size=16)
    view = View(binarise=True)
    monitor = "squared_error_per_image"
    smoke = Smoke(config=Config(filters=2, kernel=2, sparsity=0.2, sample_steps=5), shape=(1, 3, 2), binary=True)
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build the machine; SizeError where examples are not pictures, ConfigError where sparsity is too high."""
        super().__init__()
        self.config, self.example = config, Example.of(example)
        if len(self.shape) != 3:
            raise SizeError(f"convolutional-rbm looks at pictures (channel, height, width), not at shape {self.shape}")
        if (config.sparsity or 0) * config.pool**2 >= 1:
            raise ConfigError(f"one unit of a window is on at most: sparsity must be below {1 / config.pool**2:.3g}")
        channels, self.view = self.shape[0], self.view_of(config)
        self.units = UNITS[config.visible]
        self.deviation = config.deviation if config.visible == "gaussian" else 1.0
        size = config.filters, channels, config.kernel, config.kernel
        self.weight = nn.Parameter(torch.randn(size) * config.initial_scale / math.prod(size[1:]) ** 0.5)
        self.visible_bias = nn.Parameter(torch.zeros(channels))
        self.hidden_bias = nn.Parameter(torch.zeros(config.filters))
        self.base = nn.Buffer(torch.zeros(channels))

    @classmethod
    def view_of(cls, config: Config) -> View:
        """Data are binarised by draws for binary pixels, standardised for Gaussian ones."""
        return cls.view if config.visible == "bernoulli" else View(standardise="all")

    @classmethod
    def takes_probabilities(cls, config: Config) -> bool:
        """Binary visible units do."""
        return config.visible == "bernoulli"

    def prepare(self, sample: Batch) -> None:
        """Set biases by each channel's mean and the sparsity target; DataError where pixels cannot have such values."""
        channels = sample.x.transpose(0, 1).flatten(1).T / self.deviation
        with torch.no_grad():
            self.base.copy_(self.units.bias_for(channels))
            self.visible_bias.copy_(self.base)
            if target := self.config.sparsity:
                self.hidden_bias.fill_(math.log(target / (1 - target * self.config.pool**2)))

    def gibbs_step(self, visible: Tensor, temper: Scalar | float = 1.0) -> Tensor:
        """One Gibbs step that leaves exp(-F_t) unchanged."""
        return (self.gibbs(self._pictures(visible), temper) * self.deviation).reshape(visible.shape)

    def base_rate(self) -> Tensor:
        """Bias a of each pixel at t = 0, as `prepare` found it for its channel; for a Gaussian pixel, its mean."""
        return (self._bias(0.0) * self.deviation).expand(self.shape).flatten()

    def base_partition(self) -> Scalar:
        """Log Z at t = 0: that of independent pixels, and of pool^2 + 1 equally likely states in each window."""
        pixels = self.units.log_sum(self._bias(0.0).expand(self.shape).flatten())
        windows = self.config.filters * math.prod(self._window_rows())
        stretch = math.prod(self.shape) * math.log(self.deviation)
        return pixels + windows * math.log(1 + self.config.pool**2) + stretch

    def sides(self) -> Sequence[Side]:
        """Binary pixels only: hidden units are not independent, since at most one in a window is on."""
        return [Side(math.prod(self.shape), self.free_energy)] if self.units.binary else []

    def encode(self, x: Images) -> Features:
        """Pooled units (4) as a vector."""
        return self.pooled(x).flatten(1)

    def decode(self, features: Features) -> Images:
        """Pictures of the trained size, means (5), with each pooled unit spread evenly over its window."""
        pooled = features.unflatten(1, (self.config.filters, *self._window_rows()))
        return self.visible_mean(self.unpooled(pooled), *self.shape[1:]) * self.deviation

    def unpooled(self, pooled: Pooled) -> Maps:
        """Hidden units of each window, all equally likely."""
        side = self.config.pool
        return (pooled / side**2).repeat_interleave(side, 2).repeat_interleave(side, 3)

    def reconstruct(self, x: Images) -> Images:
        """Mean of the pixels given the means of the hidden units."""
        hidden = self.hidden_mean(self.hidden_input(self._pictures(x)))
        return self.visible_mean(hidden, *x.shape[2:]) * self.deviation

    def sample(self, count: int, label: int | None = None) -> Images:
        """Run `count` chains from the base rates; the last step gives the means of pixels."""
        with torch.no_grad():
            visible = self.units.draw(self._bias(0.0).expand(count, *self.shape))
            visible = after(self.gibbs, visible, self.config.sample_steps - 1)
            hidden = self.hidden_draw(self.hidden_input(visible))
            return self.visible_mean(hidden, *self.shape[1:]) * self.deviation

    def activations(self, x: Images, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Maps `hidden`, means (3), and `pooled`, probabilities (4) of the windows."""
        return chosen(
            {"hidden": self.hidden_mean(self.hidden_input(self._pictures(x))), "pooled": self.pooled(x)}, names
        )

    def filters(self) -> Images:
        """Filters W."""
        return self.weight.detach()

    def _pictures(self, visible: Tensor) -> Images:
        """Examples as pictures, also where they come as vectors, in units of the deviation."""
        return (visible if visible.ndim == 4 else visible.unflatten(1, self.shape)) / self.deviation

    def _bias(self, temper: Scalar | float) -> Tensor:
        return (temper * self.visible_bias + (1 - temper) * self.base).view(-1, 1, 1)

    def _edges(self, side: int) -> tuple[int, int]:
        """Zeros before and after a side of the picture that make maps as large as it, rounded up to whole windows."""
        first = (self.config.kernel - 1) // 2
        return first, self.config.kernel - 1 - first + -side % self.config.pool

    def _window_rows(self) -> tuple[int, int]:
        """Windows of a map along both sides, for pictures of the trained size."""
        return -(-self.shape[1] // self.config.pool), -(-self.shape[2] // self.config.pool)

    def _windows(self, maps: Maps) -> Windows:
        return F.pixel_unshuffle(maps, self.config.pool).unflatten(1, (self.config.filters, -1))

    def _with_none(self, x: Maps) -> Windows:
        """Windows with one more state, all units off, whose input is 0."""
        return F.pad(self._windows(x), (0, 0, 0, 0, 0, 1))

    def _maps(self, windows: Windows) -> Maps:
        return F.pixel_shuffle(windows.flatten(1, 2), self.config.pool)
