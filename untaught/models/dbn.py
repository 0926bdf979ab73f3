"""The deep belief net: restricted Boltzmann machines stacked greedily, then tuned as one.

    p(v, h1, ..., hn) = p(v | h1) p(h1 | h2) ... p(hn-1, hn)                            (1)
    p(hk-1,i = 1 | hk) = s(b_k,i + (G_k.hk)_i),    q(hk,j = 1 | hk-1) = s(c_k,j + (hk-1.W_k)_j)   (2)
    log p(v) >= E_q[sum_k log p(hk-1 | hk) - log q(hk | hk-1) - F(hn-1)] - log Z        (3)
    dG_k = hk (hk-1 - p(hk-1 | hk)), states from recognition                            (4)
    dW_k = hk-1 (hk - q(hk | hk-1)), states from generation                             (5)
    p(y | v) ~ exp(d_y + U_y.hn), each hk the mean of (2)                               (6)

v are visible units (h0), h1 to hn hidden layers; s(x) = 1 / (1 + exp(-x)). The top two layers are a restricted
Boltzmann machine of free energy F and partition function Z, which includes the class y where there are labels. Below
it, p goes down through generative weights G, and q, which approximates the posterior, up through recognition weights W.
Each layer is first trained as a machine of its own on the means of the layer below, with G = W. This cannot lower the
bound (3) if it starts from the transposed weights of the machine below. Then `up-down` unties the weights: a
recognition pass gives states for (4), the top machine runs a few Gibbs steps from there (contrastive divergence) or
from where its chains ended in the last update, and a top-down pass from where these end gives states for (5). A machine
may hold likely what lies far from data: chains that begin at data do not find that, those of samples do. Or
`backpropagation` fine-tunes the recognition network (6) on labels, which the machines do not see.

References:
    Hinton, Osindero, Teh (2006). A fast learning algorithm for deep belief nets.
    Hinton, Salakhutdinov (2006). Reducing the dimensionality of data with neural networks.
    Erhan, Bengio, Courville, Manzagol, Vincent, Bengio (2010). Why does unsupervised pre-training help deep learning?

Departures:
    Each machine begins with small random weights, not with those of the one below transposed, since widths differ.
    The next machine is trained on means, where the first paper draws states. Machines between the first and the top one
    count their visible units from their means, and the first where many are on. Without pretraining, initial weights
    are uniform in +-1 / sqrt(fan-in), as in Erhan et al.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from untaught.capability import (
    Activations,
    Classifies,
    Decodes,
    Encodes,
    Energy,
    Filters,
    LowerBound,
    Reconstructs,
    Samples,
)
from untaught.config import Count, NonNegative, Positive, Whole, configuration
from untaught.errors import ConfigError
from untaught.layerwise.greedy_stages import greedy_stages
from untaught.layerwise.suited import LIT, in_patches, patches_told, units_on
from untaught.model import Batch, Example, Learner, Loss, Player, Smoke, Stage, Stream, Usual, View
from untaught.models.discriminative_rbm import DRAW, DiscriminativeRBM
from untaught.models.rbm import RBM
from untaught.nn.energy.contrastive import after
from untaught.nn.named import chosen, weight_pictures
from untaught.nn.noise import bernoulli, wide
from untaught.nn.targets import check_labels, class_losses, label_nats, state_nats
from untaught.recipe import Optimiser, Recipe
from untaught.shapes import Examples, Features, Images, Labels, PerExample, Scalar, Shape

OVERHEAD = 200_000
"""What a step costs besides its products, in weights: so many take as long."""
States = Float[Tensor, "batch _"]
Dreams = Float[Tensor, "chain _"]


class DBN(Learner, Classifies, Encodes, Decodes, Samples, Reconstructs, LowerBound, Activations, Filters):
    """A deep belief net.

    Example:
        >>> net = DBN(DBN.Config(hidden=(20, 30)), (1, 8, 8))
        >>> net.encode(torch.zeros(5, 1, 8, 8)).shape, [stage.name for stage in net.stages()]
        (torch.Size([5, 30]), ['layer-1', 'layer-2'])
    """

    def _up(self, x: Examples, layers: int | None = None) -> States:
        """Means of a layer below the top, by recognition: (2)."""
        state = x.flatten(1)
        for layer in self.machines[:layers]:
            state = layer.hidden_given(state)
        return state

    def _generated(self, k: int, above: States) -> States:
        """Logits of layer k given the one above, inside (2)."""
        layer = self.machines[k]
        if self.config.fine_tuning != "up-down":
            return layer.visible_input(above)
        return wide(above @ self.generative[k]) + layer.visible_bias

    def _down(self, state: States, draw: Callable[[States], States]) -> list[States]:
        """Every layer below `state`, by (2): the visible units first, as means, the others by `draw`."""
        states = [state]
        for k in reversed(range(len(self.layers))):
            states[0] = draw(states[0])
            states.insert(0, torch.sigmoid(self._generated(k, states[0])))
        return states

    def unnormalised_bound(self, x: Examples) -> PerExample:
        """The bound without log Z, with one draw of the hidden layers from q: equation (3)."""
        state, nats = x.flatten(1), torch.zeros(len(x), device=x.device, dtype=x.dtype)
        for k, layer in enumerate(self.machines):
            logits = layer.hidden_input(state)
            above = bernoulli(torch.sigmoid(logits))
            nats = nats - state_nats(self._generated(k, above), state) + state_nats(logits, above)
            state = above
        return nats - self.top.free_energy(state)

    def _up_down(self, batch: Batch) -> Loss:
        """A loss whose gradients are (4), (5) and, with hidden means, the top machine's contrastive divergence."""
        with torch.no_grad():
            wake = [batch.x.flatten(1)]
            for layer in self.machines:
                wake.append(bernoulli(layer.hidden_given(wake[-1])))
            label = self._completed(wake[-1], batch.label)
            dream, dreamt = self._dream(wake[-1], label)
            sleep = self._down(dream, bernoulli)
        # States are held fixed: `down` has the gradient (4), `up` (5), and `contrast` the top machine's.
        down = [state_nats(self._generated(k, wake[k + 1]), wake[k]).mean() for k in range(len(self.layers))]
        up = [state_nats(m.hidden_input(sleep[k]), sleep[k + 1]).mean() for k, m in enumerate(self.machines)]
        with torch.autocast(dream.device.type, enabled=False):  # the two energies nearly cancel
            contrast = self._top_energy(wake[-1], label).mean() - self._top_energy(dream, dreamt).mean()
        wake_nats = torch.stack([torch.zeros_like(contrast), *down]).sum()
        parts = {"wake_nats": wake_nats.detach()}
        return Loss(torch.stack([contrast, wake_nats, *up]).sum(), parts)

    def _dream(self, state: States, label: States) -> tuple[Dreams, Dreams]:
        """Visible units and class where the top machine's chains end, which begin at a recognition pass or persist."""
        top, steps, persist = self.top, self.config.dream_steps, self.config.persistent_chains > 0
        if isinstance(top, RBM):
            dream = after(top.gibbs, top.chains if persist else state, steps)
            dreamt = dream.new_zeros(len(dream), 0)
        else:
            begin = (top.chains, top.label_chains) if persist else (state, label)
            dream, dreamt = after(lambda both: top.gibbs(*both), begin, steps)
        if persist:
            top.chains.copy_(dream)
        if persist and isinstance(top, DiscriminativeRBM):
            top.label_chains.copy_(dreamt)
        return dream, dreamt

    def _top_energy(self, state: States, label: States) -> PerExample:
        """Free energy of the top machine for one state of its visible units and class; nats."""
        top = self.top
        if isinstance(top, RBM):
            return top.free_energy(state)
        return -state @ top.visible_bias - label @ top.label_bias - F.softplus(top.hidden_input(state, label)).sum(1)

    def _label_logits(self, x: Examples) -> Features:
        """Logit of each class in the network that backpropagation tunes, equation (6)."""
        return wide(self.output(self.encode(x)))

    @configuration
    class Config:
        """Layers, and how they are trained."""

        hidden: tuple[Count, ...] = (500, 500, 2000)
        """Units of each hidden layer, from below."""
        classes: Whole = 0
        """Classes, whose labels are units of the top machine or targets of backpropagation; 0 learns without labels."""
        pretraining: bool = True
        """Train the layers one by one first."""
        fine_tuning: Literal["none", "up-down", "backpropagation"] = "none"
        """What follows: contrastive wake-sleep, or labels alone, equation (6)."""
        gibbs_steps: Count = 1
        """Gibbs steps of each machine while layers are trained: CD-k."""
        dream_steps: Count = 5
        """Gibbs steps of the top machine from recognition, or from the last dream, to a dream, in up-down."""
        persistent_chains: Whole = 100
        """Persistent chains of the top machine, which samples come from; 0 begins chains at the data."""
        chains_below: Whole = 0
        """Persistent chains of the machines below it, while they are trained; 0 begins chains at the data."""
        weight_cost: NonNegative = 2e-4
        """Decay of the weights of the layers below the top, while they are trained."""
        centred_first: bool = False
        """Count visible units of the first machine from their means, `untaught.nn.energy.centring`."""
        centred_between: bool = True
        """The same for machines between the first and the top one."""
        initial_scale: Positive = 0.01
        """Standard deviation of the weights before pretraining."""
        sample_steps: Count = 1000
        """Gibbs steps of the top machine from noise to a sample."""

    known_shortfalls = {
        "reconstruction": "layers are trained one by one, each as a density of the one below and none to give a "
        "picture back; what comes back has passed all of them twice",
        "features": "its layers share the time; shares of words are taken as probabilities of ones, and nearly all "
        "units are off in every document",
    }
    adapts = {
        "rate": f"0.1 times {LIT} / units on of an example, where more are on",
        "persistent_chains": f"0 where more than {LIT} units of an example are on",
        "centred_first": "where that is so",
        **patches_told(),
    }

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Where more units are on than in pictures of digits, of a patch if any, a lower rate and CD; patches.

        There features are better by CD in all machines (`docs/log.md` has the numbers).
        """
        found = in_patches(cls, [Usual()], example, sample)
        lit = units_on(example, sample)
        if lit <= LIT:
            return found
        slower = replace(cls.recipe.optimiser, learning_rate=cls.recipe.optimiser.learning_rate * LIT / lit)
        because = "; ".join(filter(None, (found.because, f"{lit:.0f} units are on in an example")))
        suited = replace(found, recipe=replace(cls.recipe, optimiser=slower), because=because)
        of_data = {"persistent_chains": 0, "centred_first": True}
        return replace(suited, config={**found.config, **of_data}, instead=suited)

    view = View()
    recipe = Recipe(optimiser=Optimiser(name="sgd", learning_rate=0.1, momentum=0.5), batch_size=100)
    """The learning rate of the 2006 papers, with the guide's early momentum; below the top it is the late one."""
    config: Config

    @classmethod
    def takes_probabilities(cls, config: Config) -> bool:
        """Visible units are binary in every configuration."""
        del config
        return True

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build the net, or raise ConfigError where it has no layer, nothing to train, or lacks classes."""
        super().__init__()
        _check(config)
        self.config, self.example = config, Example.of(example)
        widths = (math.prod(self.shape), *config.hidden)
        names = ("gibbs_steps", "initial_scale", "sample_steps")
        shared: dict[str, Any] = {name: getattr(config, name) for name in names}
        lower = RBM.Config(**shared, persistent_chains=config.chains_below, weight_cost=config.weight_cost)
        shared["persistent_chains"] = config.persistent_chains
        between = [config.centred_first, *(config.centred_between for _ in config.hidden[2:])]
        own = [replace(lower, hidden=above, centred=c) for above, c in zip(config.hidden[:-1], between, strict=False)]
        below = [RBM(layer, (width,)) for layer, width in zip(own, widths, strict=False)]
        self.layers, self.top = nn.ModuleList(below), _top(config, shared, widths[-2])
        if not config.pretraining:
            self._spread()
        if config.fine_tuning == "up-down":
            self.generative = nn.ParameterList(layer.weight.detach().T.clone() for layer in below)
            self.untied = nn.Buffer(torch.zeros(()))
        if config.fine_tuning == "backpropagation":
            tuned = [f"layers.{k}.{name}" for k in range(len(below)) for name in ("weight", "hidden_bias")]
            self.players = {"model": Player((*tuned, "top.weight", "top.hidden_bias", "output."))}
            self.output = nn.Linear(config.hidden[-1], config.classes)
        self.monitor = "wrong_class_probability" if config.classes else "wake_nats"

    @property
    def machines(self) -> list[RBM]:
        """The machines below the top."""
        return [layer for layer in self.layers if isinstance(layer, RBM)]

    @property
    def greedy(self) -> Recipe:
        """How the top machine is trained: at the net's rate and momentum."""
        return replace(self.recipe, schedule="linear")

    @property
    def greedy_below(self) -> Recipe:
        """How those below it are: with the guide's late momentum, which chains that begin at the data bear."""
        return replace(self.greedy, optimiser=replace(self.recipe.optimiser, momentum=0.9))

    def stages(self) -> Sequence[Stage]:
        """Each layer on the means of the layer below, then the net as a whole."""
        machines = (*self.machines, self.top)
        greedy = greedy_stages(machines, self._up, self.view, self.greedy_below)
        greedy = [replace(stage, time=time) for stage, time in zip(greedy, self._times(), strict=True)]
        greedy[-1] = replace(greedy[-1], recipe=self.greedy)
        last = Stage(self.config.fine_tuning, self, self.recipe, Stream(self.view), begin=self._untie)
        return greedy * self.config.pretraining + [last] * (last.name != "none")

    def _times(self) -> list[float]:
        """Parts of the time, 1 on average, by what a step costs, so that machines make about as many passes each."""
        costs = [OVERHEAD + machine.weight.numel() for machine in (*self.machines, self.top)]
        return [len(costs) * cost / sum(costs) for cost in costs]

    def prepare(self, sample: Batch) -> None:
        """Check the labels that fine-tuning needs."""
        if self.config.classes:
            check_labels(sample.label, self.config.classes, needed=self.config.fine_tuning == "backpropagation")

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Fine-tuning: -log p(y | v) by (6) on labelled examples, or the loss of up-down."""
        if self.config.fine_tuning == "backpropagation":
            logits = self._label_logits(batch.x)
            nats = label_nats(logits, batch.label)
            return Loss(nats, {"label_nats": nats.detach(), **class_losses(logits, batch.label)})
        return self._up_down(batch)

    def held_out(self, batch: Batch, player: str) -> Loss:
        """The loss, and the error of the top machine's classes."""
        loss = self.loss(batch, player, torch.ones((), device=batch.x.device))
        if self.config.fine_tuning == "backpropagation" or not isinstance(self.top, DiscriminativeRBM):
            return loss
        named = class_losses(self.top.class_logits(self._up(batch.x)).detach(), batch.label)
        return Loss(loss.total, {**loss.parts, **named})

    def encode(self, x: Examples) -> Features:
        """Mean of the highest hidden layer."""
        return self.top.encode(self._up(x))

    def class_probabilities(self, x: Examples) -> Features:
        """Probability of each class: by the top machine's free energies, or after backpropagation by (6) alone."""
        if self.config.fine_tuning == "backpropagation":
            return torch.softmax(self._label_logits(x), 1)
        return self._labelled().class_probabilities(self._up(x))

    def decode(self, features: Features) -> Examples:
        """Means of the visible units, after a pass of means down from the highest hidden layer."""
        return self._down(self.top.decode(features), lambda mean: mean)[0].unflatten(1, self.shape)

    def reconstruct(self, x: Examples) -> Examples:
        """The same after a pass of means up to that layer."""
        return self.decode(self.encode(x))

    def sample(self, count: int, label: int | None = None) -> Examples:
        """Gibbs steps at the top, with the class clamped if one is given, then one pass down that ends in means."""
        with torch.no_grad():
            top = self.top.sample(count) if label is None else self._labelled().sample(count, label)
            return self._down(top, bernoulli)[0].unflatten(1, self.shape)

    def machine(self) -> Energy:
        """The top machine, whose Z the bound needs."""
        return self.top

    def states_of(self, x: Examples) -> Tensor:
        """Draws of the layer below the top from its means."""
        return bernoulli(self._up(x))

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Layers `hidden.1`, ..., from below: means."""
        found = {f"hidden.{k + 1}": self._up(x, k + 1) for k in range(len(self.layers))}
        found[f"hidden.{len(found) + 1}"] = self.encode(x)
        return chosen(found, names)

    def filters(self) -> Images:
        """Recognition weights of the first hidden layer; for vectors, pictures of one row."""
        return weight_pictures((*self.machines, self.top)[0].weight, self.shape)

    def _completed(self, state: States, label: Labels) -> States:
        """One-hot classes, drawn by the top machine where labels are absent."""
        if isinstance(self.top, RBM):
            return state.new_zeros(len(state), 0)
        absent = (label < 0).to(state.dtype)[:, None]
        return self.top.one_hot(label) + absent * DRAW(self.top.class_logits(state))

    def _untie(self) -> None:
        """Copy the recognition weights, transposed, to the generative ones, unless these exist already."""
        if self.config.fine_tuning == "up-down" and not self.untied:
            with torch.no_grad():
                for layer, weight in zip(self.machines, self.generative, strict=True):
                    weight.copy_(layer.weight.T)
                self.untied.fill_(1)

    def _labelled(self) -> DiscriminativeRBM:
        if not isinstance(self.top, DiscriminativeRBM):
            raise ConfigError("this net was built without classes; classes=10 joins labels to the top machine")
        return self.top

    def _spread(self) -> None:
        """Draw initial weights that preserve the variance approximately."""
        with torch.no_grad():
            for machine in (*self.machines, self.top):
                machine.weight.uniform_(-1, 1).div_(math.sqrt(len(machine.weight)))

    of_classes = True
    smoke = Smoke(
        config=Config(hidden=(4, 3, 4), classes=3, fine_tuning="up-down", initial_scale=0.5, sample_steps=5),
        shape=(1, 2, 3), binary=True, classes=3,
    )  # fmt: skip


def _top(config: DBN.Config, shared: dict[str, Any], width: int) -> RBM | DiscriminativeRBM:
    if not config.classes or config.fine_tuning == "backpropagation":
        return RBM(RBM.Config(**shared, hidden=config.hidden[-1]), (width,))
    own = DiscriminativeRBM.Config(**shared, hidden=config.hidden[-1], classes=config.classes, objective="generative")
    return DiscriminativeRBM(own, (width,))


def _check(config: DBN.Config) -> None:
    if not config.hidden:
        raise ConfigError("a deep belief net needs at least one hidden layer; hidden is empty")
    if not config.pretraining and config.fine_tuning == "none":
        raise ConfigError("nothing would be trained: pretraining=true, or a kind of fine_tuning")
    if config.fine_tuning == "backpropagation" and not config.classes:
        raise ConfigError("backpropagation goes by labels: classes=10 says how many there are")
