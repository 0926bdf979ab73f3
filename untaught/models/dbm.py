"""The deep Boltzmann machine: several hidden layers, each connected to the ones below and above, learnt together.

    E(v, h1, ..., hn) = -b.v - v.W_1.h1 - sum_k c_k.hk - sum_k hk.W_{k+1}.h{k+1}           (1)
    p(hk = 1 | neighbours) = s(c_k + h{k-1}.W_k + W_{k+1}.h{k+1})                          (2)
    m_k = s(c_k + m_{k-1}.W_k + W_{k+1}.m_{k+1}), m_0 = v                                  (3)
    log p(v) >= -E(v, m) + H(m) - log Z                                                    (4)
    d bound / dW_k = m_{k-1} m_k - <h{k-1} hk>                                             (5)
    u_k = s(c_k + u_{k-1}.W_k + m_{k+1}.A_k), u_0 = v, p(y | v) ~ exp(d_y + u_n.U_y)       (6)

v are visible and h1 to hn hidden units, binary; s(x) = 1 / (1 + exp(-x)). First each layer is trained as a restricted
Boltzmann machine on the means of the layer below. So that the machines fit together, the input of the lowest one's
hidden units and of the highest one's visible units is doubled, and the weights of those in between are halved
afterwards. Then all layers are trained as one: (5) contrasts the mean-field posterior (3) with the machine's fantasies,
persistent Gibbs chains that update even and odd layers in turn. H is the entropy of independent units with means m. Z
is the partition function, estimated by annealed importance sampling over even layers, with odd ones summed out. Last,
where there are classes, a network (6) learns labels by backpropagation. Its weights start as copies of the machine's,
A_k as the transpose of W_{k+1}. It also sees the means m of the layers above, which are computed by the machine and
stay fixed.

References:
    Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.

Departures:
    The network is trained by Adam instead of conjugate gradients.
    A hidden layer's bias is the mean of the two that it has in the machine below and the machine above.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from untaught.capability import Activations, Classifies, Encodes, Energy, Filters, LowerBound, Reconstructs, Samples
from untaught.config import Count, Positive, Whole, configuration, from_json
from untaught.errors import ConfigError
from untaught.layerwise.greedy_stages import greedy_stages
from untaught.layerwise.suited import in_patches, patches_told
from untaught.model import Batch, Example, Learner, Loss, Model, Smoke, Stage, Stream, Usual, View
from untaught.models.rbm import RBM
from untaught.nn.energy.contrastive import after, contrast
from untaught.nn.energy.deep_machine import DeepMachine, MeanFieldNetwork
from untaught.nn.named import chosen, weight_pictures
from untaught.nn.noise import bernoulli
from untaught.nn.targets import check_labels, class_losses, label_nats
from untaught.recipe import Optimiser, Recipe
from untaught.shapes import Examples, Features, Images, PerExample, Scalar, Shape

PLACES = 4
"""Units of each held-out example for which the likelihood given all others is bounded."""


class DBM(Model, Classifies, Encodes, Samples, Reconstructs, LowerBound, Activations, Filters):
    """A deep Boltzmann machine.

    Example:
        >>> machine = DBM(DBM.Config(hidden=(20, 30)), (1, 8, 8))
        >>> machine.encode(torch.zeros(5, 1, 8, 8)).shape, [stage.name for stage in machine.stages()]
        (torch.Size([5, 50]), ['layer-1', 'layer-2', 'joint'])
    """

    def encode(self, x: Examples) -> Features:
        """Means of all hidden layers, concatenated, equation (3)."""
        return torch.cat(self._means(x)[1:], 1)

    def unnormalised_bound(self, x: Examples) -> PerExample:
        """The bound without log Z, in nats, equation (4)."""
        return self.deep.unnormalised_bound(x.flatten(1), self.config.sweeps)

    class Joint(Learner):
        """All layers learn together, equation (5)."""

        recipe = Recipe(optimiser=Optimiser(name="sgd", learning_rate=0.002, momentum=0.9), batch_size=100)
        monitor = "pseudo_likelihood_nats"

        def __init__(self, deep: DeepMachine, config: DBM.Config) -> None:
            super().__init__()
            self.deep, self.config = deep, config
            self.chains = nn.Buffer(torch.zeros(config.persistent_chains, sum(deep.sizes[1::2])))

        def prepare(self, sample: Batch) -> None:
            """Begin the chains at the mean-field means of examples."""
            with torch.no_grad():
                rows = torch.arange(len(self.chains), device=sample.x.device) % len(sample.x)
                means = self.deep.mean_field(sample.x.flatten(1)[rows], self.config.sweeps)
                self.chains.copy_(bernoulli(torch.cat(means[1::2], 1)))

        def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
            """E(v+, m) - E(fantasies) with all states held fixed: its gradient is minus that of equation (5)."""
            with torch.no_grad():
                x = batch.x.flatten(1)
                means = self.deep.mean_field(x, self.config.sweeps)
                odd = after(self.deep.gibbs, self.chains, self.config.gibbs_steps)
                self.chains.copy_(odd)
                up, down = self.deep.slopes(means), self.deep.slopes(self.deep.completed(odd))
                error = x - torch.sigmoid(self.deep.layer_input(0, means))
                parts = {"squared_error_per_image": error.square().sum(1).mean()}
            every = zip((*self.deep.weights, *self.deep.biases), down, up, strict=True)
            return Loss(contrast((own, fantasy - seen) for own, fantasy, seen in every), parts)

        def held_out(self, batch: Batch, player: str) -> Loss:
            """The loss, and the pseudo-likelihood by which the best state is selected."""
            loss = self.loss(batch, player, torch.ones((), device=batch.x.device))
            with torch.no_grad():
                nats = self.deep.pseudo_likelihood(batch.x.flatten(1), self.config.sweeps, PLACES)
            return Loss(loss.total, {**loss.parts, "pseudo_likelihood_nats": nats})

    class Labels(Learner):
        """The network (6) learns labels; its input is v and the means m_2 to m_n, concatenated."""

        recipe = Recipe(optimiser=Optimiser(learning_rate=1e-3), batch_size=100)
        monitor = "wrong_class_probability"

        def __init__(self, network: MeanFieldNetwork, classes: int) -> None:
            super().__init__()
            self.network, self.classes = network, classes

        def prepare(self, sample: Batch) -> None:
            """Refuse labels that cannot be learnt: DataError where there are none, or one is not below `classes`."""
            check_labels(sample.label, self.classes, needed=True)

        def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
            """-log p(y | v), mean over examples that have a label, equation (6)."""
            logits = self.network(batch.x)
            return Loss(label_nats(logits, batch.label), class_losses(logits, batch.label))

    def class_probabilities(self, x: Examples) -> Features:
        """Probability of each class, equation (6); ConfigError where there are no classes."""
        if self.labels is None:
            raise ConfigError("this machine was built without classes; classes=10 trains a network for them in the end")
        return torch.softmax(self.labels.network(self._seen(x)), 1)

    @configuration
    class Config:
        """Layers, and how they are trained."""

        hidden: tuple[Count, ...] = (500, 1000)
        """Units of each hidden layer, from below; at least two layers."""
        classes: Whole = 0
        """Classes that a network, initialised from the machine, learns in a last stage; 0 leaves that stage out."""
        pretrained: bool = False
        """Leave the machine's weights as they are, and train the network only."""
        sweeps: Count = 10
        """Sweeps of mean field over the hidden layers, equation (3)."""
        gibbs_steps: Count = 5
        """Gibbs steps of each chain between two updates."""
        persistent_chains: Count = 100
        """Persistent chains, in each process."""
        initial_scale: Positive = 0.01
        """Standard deviation of the initial weights."""
        sample_steps: Count = 1000
        """Gibbs steps from noise to a sample."""

    known_shortfalls = {
        "reconstruction": "it learns a density, not a code of least error, and its layers share the time with the "
        "training of all of them",
        "features": "its stages share the time; shares of words are taken as probabilities of ones, and nearly all "
        "units are off in every document",
    }
    adapts = patches_told()

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Patches of few large pictures."""
        return in_patches(cls, [Usual()], example, sample)

    view = View(binarise=True)
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build the machine, or raise ConfigError where it has one hidden layer or nothing to learn."""
        if len(config.hidden) < 2:
            raise ConfigError(f"hidden has {len(config.hidden)} layer; a deep machine has two or more, one is an rbm")
        if config.pretrained and not config.classes:
            raise ConfigError("nothing would be trained: a pretrained machine leaves only labels; classes=10")
        super().__init__()
        self.config, self.example = config, Example.of(example)
        sizes = math.prod(self.shape), *config.hidden
        self.layers = nn.ModuleList(self._layer(k, sizes) for k in range(len(config.hidden)))
        self.joint = self.Joint(DeepMachine(sizes, config.initial_scale), config)
        self.labels = self.Labels(MeanFieldNetwork(sizes, config.classes), config.classes) if config.classes else None

    @property
    def deep(self) -> DeepMachine:
        """The machine itself."""
        return self.joint.deep

    def stages(self) -> Sequence[Stage]:
        """Layer by layer, then together, then labels."""
        found: list[Stage] = []
        if not self.config.pretrained:
            found += greedy_stages(self._machines(), self._up, self.view, GREEDY)
            found.append(Stage("joint", self.joint, self.joint.recipe, Stream(self.view), begin=self._join))
        if self.labels is not None:
            own = self.labels
            begin = partial(own.network.begin, self.deep)
            found.append(Stage("labels", own, own.recipe, Stream(), sees=self._seen, begin=begin))
        return found

    def reconstruct(self, x: Examples) -> Examples:
        """Mean of the visible units given the means of the first hidden layer."""
        return torch.sigmoid(self.deep.layer_input(0, self._means(x))).unflatten(1, self.shape)

    def sample(self, count: int, label: int | None = None) -> Examples:
        """Run `count` chains from independent odd layers; the last step gives means (2). A class cannot be chosen."""
        if label is not None:
            raise ConfigError("a deep Boltzmann machine draws no classes on demand; a dbn with classes does")
        with torch.no_grad():
            first = bernoulli(torch.sigmoid(self._base(1)).expand(count, -1))
            odd = after(self.deep.gibbs, first, self.config.sample_steps - 1)
            return self.deep.completed(odd)[0].unflatten(1, self.shape)

    def machine(self) -> Energy:
        """The even layers, visible units among them, as a machine whose hidden units are the odd ones."""
        base = self._base(0)
        weight, even, odd = self.deep.two_sided()
        machine = RBM(RBM.Config(hidden=len(odd), persistent_chains=0), (len(even),)).to(base)
        with torch.no_grad():
            machine.weight.copy_(weight)
            for own, value in ((machine.visible_bias, even), (machine.hidden_bias, odd), (machine.base, base)):
                own.copy_(value)
        return machine.requires_grad_(False)

    def states_of(self, x: Examples) -> Tensor:
        """Examples, and draws of the other even layers from their means."""
        return bernoulli(torch.cat(self._means(x)[0::2], 1))

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Layers `hidden.1`, ..., from below: their means."""
        found = {f"hidden.{k}": mean for k, mean in enumerate(self._means(x)) if k}
        return chosen(found, names)

    def filters(self) -> Images:
        """Weights between visible units and each unit of the first layer; for vectors, pictures of one row."""
        return weight_pictures(self.deep.weights[0], self.shape)

    def _layer(self, k: int, sizes: Sequence[int]) -> RBM:
        """The machine for layer k alone, which learns by CD-1."""
        doubled = {0: "visible", len(sizes) - 2: "hidden"}.get(k, "no")
        chosen = {"hidden": sizes[k + 1], "persistent_chains": 0, "initial_scale": self.config.initial_scale}
        return RBM(from_json(RBM.Config, {**chosen, "doubled": doubled}), self.shape if k == 0 else (sizes[k],))

    def _machines(self) -> list[RBM]:
        return [layer for layer in self.layers if isinstance(layer, RBM)]

    def _join(self) -> None:
        """Join the machines into one; the weights of those in the middle are halved."""
        with torch.no_grad():
            every = self._machines()
            for k, layer in enumerate(every):
                self.deep.weights[k].copy_(layer.weight / 2 if 0 < k < len(every) - 1 else layer.weight)
                below = every[k - 1].hidden_bias if k else layer.visible_bias
                self.deep.biases[k].copy_((layer.visible_bias + below) / 2)
            self.deep.biases[-1].copy_(every[-1].hidden_bias)

    def _up(self, x: Examples, layers: int) -> Features:
        """Means of the hidden units of the lowest `layers` machines, one on top of the other."""
        state = x.flatten(1)
        for layer in self._machines()[:layers]:
            state = layer.hidden_given(state)
        return state

    def _means(self, x: Examples) -> list[Tensor]:
        return self.deep.mean_field(x.flatten(1), self.config.sweeps)

    def _seen(self, x: Examples) -> Features:
        """Input of the network."""
        means = self._means(x)
        return torch.cat([means[0], *means[2:]], 1)

    def _base(self, parity: int) -> Tensor:
        """Logits of the means of the even (0) or odd (1) units over the chains, after one more mean-field step."""
        with torch.no_grad():
            even = self.deep.given(self.joint.chains, 1)
            mean = (self.deep.given(even, 0) if parity else even).mean(0)
            return torch.logit(mean, 1e-3)  # keeps the base rates finite

    smoke = Smoke(
        config=Config(hidden=(3, 4), classes=3, persistent_chains=5, initial_scale=0.5, sample_steps=5, gibbs_steps=2),
        shape=(1, 2, 3), binary=True, classes=3,
    )  # fmt: skip
    """Six visible units and seven hidden ones in two layers: all 8,192 states can be summed."""


GREEDY = Recipe(optimiser=Optimiser(name="sgd", learning_rate=0.05, momentum=0.5), batch_size=100, schedule="linear")
"""How each layer is trained on its own."""
