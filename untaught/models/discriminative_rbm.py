"""A restricted Boltzmann machine with a label among its visible units: a density of examples and classes together.

    E(x, y, h) = -b.x - d_y - c.h - x.W.h - U_y.h                                     (1)
    p(h_j = 1 | x, y) = s(c_j + U_yj + (x.W)_j)                                       (2)
    p(x_i = 1 | h) = s(b_i + (W.h)_i)                                                 (3)
    p(y | h) ~ exp(d_y + U_y.h)                                                       (4)
    p(y | x) ~ exp(d_y + sum_j log(1 + exp(c_j + U_yj + (x.W)_j)))                    (5)
    F(x) = -b.x - log sum_y exp(d_y + sum_j log(1 + exp(c_j + U_yj + (x.W)_j)))       (6)
    d log p(x+, y+) / dW = x+ h+ - <x- h->, the same with y and U                     (7)
    loss = -log p(y | x) - alpha log p(x, y), of an example without label -u log p(x) (8)
    F_t(x) = -(1 - t) a.x - t b.x - log sum_y exp(t d_y + sum_j log(1 + exp(t (..)))) (9)

x are visible and h hidden units, binary; grey values in [0, 1] are taken as probabilities of ones. y is the class, one
unit of several, of which exactly one is on. s(x) = 1 / (1 + exp(-x)). There are few classes to sum over, so (5) and its
gradient are exact. The gradient (7) contrasts the data with fantasies (x-, y-), which are a few Gibbs steps (2), (3),
(4) away from the data or from the ends of the last chains. The discriminative objective is the first term of the loss
(8), the generative one the second with weight 1, and the hybrid has both. The class of an example without label is
drawn from (5). For annealing, (9) leads from independent units with biases a at t = 0 to (6) at t = 1; its dots stand
for those of (6).

References:
    Larochelle and Bengio (2008). Classification using discriminative restricted Boltzmann machines. ICML.
    Hinton (2002). Training products of experts by minimizing contrastive divergence.

Departures:
    Initial weights are normal, where the paper draws them uniformly. Adam in batches, where the paper updates after
    each example: from the same weights it is several times faster.
    The paper subtracts a constant from hidden biases after each update; here a term of the loss does, so the optimiser
    scales it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from untaught.capability import Activations, Classifies, Decodes, Encodes, Energy, Filters, Reconstructs, Samples, Side
from untaught.config import Count, NonNegative, Positive, Whole, configuration
from untaught.errors import ConfigError
from untaught.model import Batch, Example, Learner, Loss, Player, Smoke, View
from untaught.nn.energy.contrastive import after, contrast
from untaught.nn.energy.units import UNITS
from untaught.nn.named import chosen, weight_pictures
from untaught.nn.noise import bernoulli, wide
from untaught.nn.targets import check_labels, class_losses
from untaught.recipe import Optimiser, Recipe
from untaught.shapes import Examples, Features, Images, Labels, PerExample, Scalar, Shape

Visible = Float[Tensor, "row visible"]
Hidden = Float[Tensor, "row hidden"]
Classes = Float[Tensor, "row class"]
"""Classes as rows that sum to 1: one-hot, or probabilities."""
DRAW = UNITS["softmax"].draw
"""Draws one class for each row of logits."""
ROWS = 500
"""Examples for which every class is tried at once: a value for each example, class and hidden unit is held."""


class DiscriminativeRBM(Learner, Classifies, Encodes, Decodes, Samples, Reconstructs, Energy, Activations, Filters):
    """A restricted Boltzmann machine over examples and classes.

    Example:
        >>> machine = DiscriminativeRBM(DiscriminativeRBM.Config(hidden=20), (1, 8, 8))
        >>> machine.class_probabilities(torch.zeros(5, 1, 8, 8)).shape
        torch.Size([5, 10])
    """

    def hidden_input(self, x: Visible, label: Classes) -> Hidden:
        """Logit of each hidden unit, inside equation (2)."""
        return wide(x @ self.weight) + wide(label @ self.label_weight) + self.hidden_bias

    def hidden_given(self, x: Visible, label: Classes) -> Hidden:
        """Probability that each hidden unit is on, equation (2)."""
        return torch.sigmoid(self.hidden_input(x, label))

    def visible_input(self, hidden: Hidden) -> Visible:
        """Logit of each visible unit, inside equation (3)."""
        return wide(hidden @ self.weight.T) + self.visible_bias

    def visible_given(self, hidden: Hidden) -> Visible:
        """Probability that each visible unit is on, equation (3)."""
        return torch.sigmoid(self.visible_input(hidden))

    def label_input(self, hidden: Hidden) -> Classes:
        """Logit of each class given the hidden units, inside equation (4)."""
        return wide(hidden @ self.label_weight.T) + self.label_bias

    def gibbs(self, x: Visible, label: Classes) -> tuple[Visible, Classes]:
        """Draw hidden units by (2), then visible units by (3) and a class by (4)."""
        hidden = bernoulli(self.hidden_given(x, label))
        return bernoulli(self.visible_given(hidden)), DRAW(self.label_input(hidden))

    def class_logits(self, x: Visible, temper: Scalar | float = 1.0) -> Classes:
        """Exponent of equation (5); at other inverse temperatures that of (9)."""
        reached = wide(x @ self.weight) + self.hidden_bias
        each = [F.softplus(temper * (some[:, None] + self.label_weight)).sum(2) for some in _few_at_once(reached)]
        return temper * self.label_bias + torch.cat(each)

    def class_probabilities(self, x: Examples) -> Features:
        """Exact probability of each class, equation (5)."""
        return torch.softmax(self.class_logits(x.flatten(1)), 1)

    def free_energy(self, visible: Examples, temper: Scalar | float = 1.0) -> PerExample:
        """Free energy with class and hidden units summed out, in nats, equation (6); at other temperatures (9)."""
        flat = visible.flatten(1)
        bias = temper * self.visible_bias + (1 - temper) * self.base
        return -flat @ bias - torch.logsumexp(self.class_logits(flat, temper), 1)

    def _slopes(self, x: Visible, label: Classes, share: PerExample) -> tuple[list[Tensor], Scalar]:
        """Minus (7), rows weighted by `share`: derivatives of E(data) - E(fantasies); and one step's squared error."""
        active = self.hidden_given(x, label)
        hidden = bernoulli(active)
        mean = self.visible_given(hidden)
        if self.config.persistent_chains:
            fantasy = self._chain((self.chains, self.label_chains), self.config.gibbs_steps)
            self.chains.copy_(fantasy[0])
            self.label_chains.copy_(fantasy[1])
            others = share.sum().expand(len(self.chains)) / len(self.chains)
        else:
            fantasy = self._chain((bernoulli(mean), DRAW(self.label_input(hidden))), self.config.gibbs_steps - 1)
            others = share
        up = statistics(x, label, active, share)
        down = statistics(*fantasy, self.hidden_given(*fantasy), others)
        return [minus - plus for minus, plus in zip(down, up, strict=True)], (x - mean).square().sum(1).mean()

    def _chain(self, begin: tuple[Visible, Classes], steps: int) -> tuple[Visible, Classes]:
        return after(lambda both: self.gibbs(*both), begin, steps)

    def _shared_loss(self, batch: Batch, classes: bool) -> Loss:
        """Equation (8), the term of classes only if it is asked for."""
        x, known = batch.x.flatten(1), (batch.label >= 0).to(batch.x.dtype)
        label = self.one_hot(batch.label)
        discriminative, generative, unlabelled = self.shares
        total, parts = self.config.sparsity * self.hidden_bias.sum(), dict[str, Scalar]()
        if classes:
            logits = self.class_logits(x)
            parts |= class_losses(logits, batch.label)
            total = total - discriminative * (torch.log_softmax(logits, 1) * label).sum(1).mean()
            label = label + (1 - known)[:, None] * DRAW(logits.detach())
        if generative or unlabelled:
            with torch.no_grad():
                share = (generative * known + unlabelled * (1 - known)) / len(x)
                slopes, parts["squared_error_per_image"] = self._slopes(x, label, share)
            own = (self.weight, self.label_weight, self.visible_bias, self.label_bias, self.hidden_bias)
            total = total + contrast(zip(own, slopes, strict=True))
        return Loss(total, {name: part.detach() for name, part in parts.items()})

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Mean of (8) over all examples, with energies of gradient (7) in place of log p: see `_shared_loss`."""
        # Trying every class takes as long as a Gibbs step.
        return self._shared_loss(batch, classes=bool(self.shares[0] or self.shares[2]))

    @configuration
    class Config:
        """Size and objective."""

        hidden: Count = 500
        """Hidden units."""
        classes: Count = 10
        """Classes."""
        objective: Literal["generative", "discriminative", "hybrid"] = "hybrid"
        """What is maximised: p(x, y), p(y|x), or both as in (8)."""
        alpha: NonNegative = 0.01
        """Weight of p(x, y) in the hybrid objective."""
        unlabelled: NonNegative = 0.0
        """Weight of p(x) of examples without label, u in (8); 0 leaves them out."""
        sparsity: NonNegative = 0.0
        """Weight of the sum of hidden biases in the loss: the larger, the less often hidden units are on."""
        gibbs_steps: Count = 1
        """Gibbs steps from where a chain begins to a fantasy: the k of CD-k."""
        persistent_chains: Whole = 0
        """Persistent chains, in each process; 0 begins chains at the data, which is CD-k."""
        initial_scale: Positive = 0.03
        """Standard deviation of the initial weights."""
        sample_steps: Count = 1000
        """Gibbs steps from noise to a sample."""

    known_shortfalls = {
        "reconstruction": "it learns classes, and a little of the density, not a code of least error",
        "features": "its features are to name classes together with weights of its own; where pictures have colours, "
        "few steps teach it less than as many principal components keep",
    }
    recipe = Recipe(optimiser=Optimiser(learning_rate=1e-2), batch_size=100)
    view = View()
    monitor = "wrong_class_probability"

    def __init__(self, config: Config, example: Example | Shape) -> None:
        super().__init__()
        self.config, self.example = config, Example.of(example)
        visible = math.prod(self.shape)
        self.weight = nn.Parameter(torch.randn(visible, config.hidden) * config.initial_scale)
        self.label_weight = nn.Parameter(torch.randn(config.classes, config.hidden) * config.initial_scale)
        self.visible_bias = nn.Parameter(torch.zeros(visible))
        self.hidden_bias = nn.Parameter(torch.zeros(config.hidden))
        self.label_bias = nn.Parameter(torch.zeros(config.classes))
        self.base = nn.Buffer(torch.zeros(visible))
        self.chains = nn.Buffer(torch.zeros(config.persistent_chains, visible))
        self.label_chains = nn.Buffer(torch.zeros(config.persistent_chains, config.classes))
        likelihood = {"generative": 1.0, "discriminative": 0.0, "hybrid": config.alpha}
        self.shares = float(config.objective != "generative"), likelihood[config.objective], config.unlabelled
        if not any(self.shares[1:]):
            own = ("weight", "label_weight", "hidden_bias", "label_bias")
            self.players = {"model": Player(own)}  # p(y | x) does not depend on visible biases
        if config.objective == "generative":
            self.monitor = "squared_error_per_image"

    @classmethod
    def takes_probabilities(cls, config: Config) -> bool:
        """Visible units are binary in every configuration."""
        del config
        return True

    def prepare(self, sample: Batch) -> None:
        """Let the biases alone explain each unit's mean and each class's frequency, and begin the chains there.

        Raises:
            DataError: Values lie outside [0, 1], there is no label, or one is beyond `classes`.
        """
        base = UNITS["bernoulli"].bias_for(sample.x.flatten(1))
        check_labels(sample.label, self.config.classes, needed=True)
        with torch.no_grad():
            self.base.copy_(base)
            self.visible_bias.copy_(base)
            self.label_bias.copy_(UNITS["softmax"].bias_for(self.one_hot(sample.label[sample.label >= 0])))
            self.chains.copy_(bernoulli(torch.sigmoid(base).expand_as(self.chains)))
            self.label_chains.copy_(DRAW(self.label_bias.expand_as(self.label_chains)))

    def held_out(self, batch: Batch, player: str) -> Loss:
        """The loss, and the classification error."""
        return self._shared_loss(batch, classes=True)

    def encode(self, x: Examples) -> Features:
        """Mean of the hidden units over all classes: sum_y p(y|x) p(h|x, y)."""
        reached = wide(x.flatten(1) @ self.weight) + self.hidden_bias
        pairs = zip(_few_at_once(reached), _few_at_once(self.class_probabilities(x)), strict=True)
        return torch.cat([(p[:, :, None] * torch.sigmoid(r[:, None] + self.label_weight)).sum(1) for r, p in pairs])

    def decode(self, features: Features) -> Examples:
        """Mean of the visible units given hidden ones, which say alone what is seen."""
        return self.visible_given(features).unflatten(1, self.shape)

    def reconstruct(self, x: Examples) -> Examples:
        """Mean of the visible units given the hidden units' means."""
        return self.decode(self.encode(x))

    def sample(self, count: int, label: int | None = None) -> Examples:
        """Run `count` chains from the base rates, the class clamped if given; the last step gives the means (3) of x.

        Raises:
            ConfigError: There is no such class.
        """
        if label is not None and not 0 <= label < self.config.classes:
            raise ConfigError(f"there is no class {label}; classes are 0 to {self.config.classes - 1}")
        with torch.no_grad():
            x = bernoulli(torch.sigmoid(self.base).expand(count, -1))
            wanted = torch.full((count,), -1 if label is None else label, device=x.device)
            y = DRAW(self.label_bias.expand(count, -1)) if label is None else self.one_hot(wanted)
            for _ in range(self.config.sample_steps - 1):
                x, drawn = self.gibbs(x, y)
                y = drawn if label is None else y
            return self.visible_given(bernoulli(self.hidden_given(x, y))).unflatten(1, self.shape)

    def gibbs_step(self, visible: Tensor, temper: Scalar | float = 1.0) -> Tensor:
        """Draw class and hidden units together given x, then x, so that exp(-F_t) of (9) is left unchanged."""
        x = visible.flatten(1)
        label = DRAW(self.class_logits(x, temper))
        hidden = bernoulli(torch.sigmoid(temper * self.hidden_input(x, label)))
        logit = temper * self.visible_input(hidden) + (1 - temper) * self.base
        return bernoulli(torch.sigmoid(logit)).reshape(visible.shape)

    def base_rate(self) -> Tensor:
        """Biases a of equation (9): logits of the data's mean, as `prepare` found it."""
        return self.base

    def base_partition(self) -> Scalar:
        """Log Z of (9) at t = 0: classes are equally likely, and hidden units have two states each."""
        return F.softplus(self.base).sum() + math.log(self.config.classes) + self.config.hidden * math.log(2)

    def sides(self) -> Sequence[Side]:
        """Two sides: hidden units, with visible ones and the class summed out, and visible units."""
        return Side(self.config.hidden, self.hidden_free_energy), Side(len(self.visible_bias), self.free_energy)

    def hidden_free_energy(self, hidden: Hidden) -> PerExample:
        """-log of the sum of exp(-E) over x and y, in nats."""
        classes = torch.logsumexp(self.label_input(hidden), 1)
        return -hidden @ self.hidden_bias - F.softplus(self.visible_input(hidden)).sum(1) - classes

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """The layers `hidden`, means over classes, and `class`, their probabilities."""
        layers = {"hidden": self.encode, "class": self.class_probabilities}
        return chosen({name: layer(x) for name, layer in layers.items()}, names)

    def filters(self) -> Images:
        """Weights of each hidden unit; for vectors, pictures of one row."""
        return weight_pictures(self.weight, self.shape)

    def one_hot(self, label: Labels) -> Classes:
        """One-hot rows; all zeros where the label is absent."""
        return (label[:, None] == torch.arange(self.config.classes, device=label.device)).to(self.weight.dtype)

    of_classes = True
    smoke = Smoke(
        config=Config(hidden=4, classes=3, alpha=0.5, unlabelled=0.5, sparsity=1e-3, initial_scale=0.5, sample_steps=5),
        shape=(1, 2, 3), binary=True, classes=3,
    )  # fmt: skip
    """Six visible units, four hidden ones and three classes: all 3,072 states can be summed."""


def statistics(x: Visible, label: Classes, hidden: Hidden, share: PerExample) -> tuple[Tensor, ...]:
    """Derivatives of -E by W, U, b, d and c: sums over rows of x h, y h, x, y and h, weighted by `share`."""
    # In full precision, because the two terms of the difference nearly cancel.
    with torch.autocast(x.device.type, enabled=False):
        shared = share[:, None] * hidden
        return x.T @ shared, label.T @ shared, share @ x, share @ label, shared.sum(0)


def _few_at_once(rows: Tensor) -> Sequence[Tensor]:
    """Rows in pieces of `ROWS`; few rows are one piece, as they are, so that an export works for any number."""
    return rows.split(ROWS) if rows.shape[0] > ROWS else (rows,)
