"""Recurrent temporal restricted Boltzmann machine: an RBM for each frame, whose biases depend on the frames before.

    b_t = b + V r_t-1                                                            (1)
    c_t = c + U r_t-1                                                            (2)
    E_t(v, h) = -b_t.v - c_t.h - v.W.h                                           (3)
    E_t(v, h) = |v - b_t|^2 / 2 - c_t.h - v.W.h           Gaussian units         (4)
    p(h_j = 1 | v, r_t-1) = s(c_t + v.W)_j                                       (5)
    E[v_i | h, r_t-1] = s(b_t + W.h)_i,  or without s where units are Gaussian   (6)
    r_t = s(c_t + v_t.W)                                                         (7)
    L = 1/T sum_t E_t(v_t, r_t) - E_t(v-_t, h-_t)                                (8)

v_t is frame t of a clip of T frames, laid out as a vector, and h its binary hidden units; s(x) = 1 / (1 + exp(-x)).
The hidden means (7), with r_0 learnt, carry the past: given r_t-1 each frame has a machine of its own, with energy (3),
and all of them share W. Grey values in [0, 1] are taken as probabilities of ones; Gaussian units have variance 1 and
are for standardised frames.

(8) contrasts the data with fantasies v-_t of hidden means h-_t: contrastive divergence. Once the states (7) are known,
the machines are independent, so the chains of all frames run as one batch. The gradient of (8) holds fantasies and
hidden units fixed, but not the biases (1) and (2): through these it is propagated back in time.

Fantasies come from Gibbs steps that begin at the frame. With `fantasies = predictions` they are made as predictions
are: starting from the frame before, hidden means (5) and visible means (6) are computed in turn. The machine then
learns where its predictions are wrong.

References:
    Sutskever, Hinton, Taylor (2008). The recurrent temporal restricted Boltzmann machine.
    Hinton (2010). A practical guide to training restricted Boltzmann machines.
    Mittelman, Kuipers, Savarese, Lee (2014). Structured recurrent temporal restricted Boltzmann machines (the measure
    of one-step prediction on bouncing balls).

Departures:
    A fantasy's last step gives visible means, not draws, as the guide says.
    Adam with a falling learning rate; by default fantasies are predictions. The paper has contrastive divergence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from untaught.capability import Activations, Encodes, Filters, Predicts, Reconstructs, Samples
from untaught.config import Count, Positive, configuration
from untaught.errors import ConfigError, DataError, SizeError
from untaught.layerwise.from_components import LARGE
from untaught.layerwise.suited import in_patches
from untaught.model import Batch, Example, Learner, Loss, Smoke, Usual, View
from untaught.nn.energy.contrastive import contrast
from untaught.nn.energy.units import UNITS
from untaught.nn.named import chosen, weight_pictures
from untaught.nn.noise import bernoulli, wide
from untaught.recipe import Optimiser, Recipe
from untaught.shapes import Examples, Features, Images, Scalar, Shape, Video

PATCH = 30
"""Side of the patches of large frames: as many pixels as in the paper's bouncing balls."""
Clips = Float[Tensor, "batch time visible"]
Visible = Float[Tensor, "frame visible"]
Hidden = Float[Tensor, "frame hidden"]
States = Float[Tensor, "batch time hidden"]
Future = Float[Tensor, "batch predicted channel height width"]


class RTRBM(Learner, Encodes, Predicts, Reconstructs, Samples, Activations, Filters):
    """A restricted Boltzmann machine for every frame, with biases from the frames before.

    Example:
        >>> model = RTRBM(RTRBM.Config(hidden=20), (1, 8, 8))
        >>> video = torch.rand(2, 5, 1, 8, 8)
        >>> model.predict(video, frames=3).shape, model.encode(video).shape
        (torch.Size([2, 3, 1, 8, 8]), torch.Size([2, 20]))
    """

    def biases(self, state: Hidden) -> tuple[Visible, Hidden]:
        """Biases b_t and c_t from the state r_t-1, equations (1) and (2)."""
        visible, hidden = wide(state @ self.visible_memory), wide(state @ self.hidden_memory)
        return visible + self.visible_bias, hidden + self.hidden_bias

    def hidden_given(self, visible: Visible, bias: Hidden) -> Hidden:
        """Probability that each hidden unit is on, equation (5); of a true frame the state (7)."""
        return torch.sigmoid(wide(visible @ self.weight) + bias)

    def visible_given(self, hidden: Hidden, bias: Visible) -> Visible:
        """Mean of each visible unit, equation (6)."""
        return self.units.mean(self._visible_input(hidden, bias))

    def states(self, x: Clips) -> list[Hidden]:
        """States r_0, r_1, ..., r_T of clips, equation (7)."""
        seen = wide(x @ self.weight) + self.hidden_bias
        found = [self.first_state.expand(x.shape[0], -1)]
        for product in seen.unbind(1):
            found.append(torch.sigmoid(product + wide(found[-1] @ self.hidden_memory)))
        return found

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (8), mean over clips."""
        x = self._flat(batch.x)
        return self._contrast(x, torch.stack(self.states(x), 1))

    def _contrast(self, x: Clips, states: Float[Tensor, "batch states hidden"]) -> Loss:
        """The same, from the states r_0 to r_T."""
        visible_bias, hidden_bias = self.biases(states[:, :-1].flatten(0, 1))
        with torch.no_grad():
            data, active = x.flatten(0, 1), states[:, 1:].flatten(0, 1)
            fantasy = self._fantasies(x, active, visible_bias, hidden_bias)
            imagined = self.hidden_given(fantasy, hidden_bias)
            with torch.autocast(x.device.type, enabled=False):  # the two energies nearly cancel
                slope = fantasy.T @ imagined - data.T @ active
        # Fantasies and hidden units are fixed, so the gradient goes back in time through the biases alone.
        slopes = ((self.weight, slope), (visible_bias, fantasy - data), (hidden_bias, imagined - active))
        total = contrast(slopes) / len(data)
        parts = {"fantasy_squared_error_per_frame": (fantasy - data).square().sum(1).mean()}
        return Loss(total, parts)

    def _fantasies(self, x: Clips, active: Hidden, visible_bias: Visible, hidden_bias: Hidden) -> Visible:
        """v- of every frame, for all times at once."""
        if self.config.fantasies == "predictions":
            guess = torch.cat([x[:, :1], x[:, :-1]], 1).flatten(0, 1)
            return self._settled(guess, visible_bias, hidden_bias, self.config.gibbs_steps)
        return self._chain(active, visible_bias, hidden_bias, self.config.gibbs_steps)

    def _chain(self, active: Hidden, visible_bias: Visible, hidden_bias: Hidden, steps: int) -> Visible:
        """Gibbs steps (5), (6) from means of the hidden units; the last gives visible means."""
        for _ in range(steps - 1):
            visible = self.units.draw(self._visible_input(bernoulli(active), visible_bias))
            active = self.hidden_given(visible, hidden_bias)
        return self.visible_given(bernoulli(active), visible_bias)

    def _settled(self, visible: Visible, visible_bias: Visible, hidden_bias: Hidden, steps: int) -> Visible:
        """Visible means after some mean-field steps, (5) and (6) in turn."""
        for _ in range(steps):
            visible = self.visible_given(self.hidden_given(visible, hidden_bias), visible_bias)
        return visible

    @configuration
    class Config:
        """Size and learning rule."""

        hidden: Count = 300
        """Hidden units."""
        visible: Literal["bernoulli", "gaussian"] = "bernoulli"
        """Visible units: for grey values in [0, 1], or for standardised ones."""
        fantasies: Literal["predictions", "gibbs"] = "predictions"
        """What the data are contrasted with: predictions from the frame before, or Gibbs chains from the frame."""
        gibbs_steps: Count = 2
        """Steps to a fantasy: the k of CD-k."""
        prediction_steps: Count = 2
        """Mean-field steps to a prediction; best equal to `gibbs_steps` where fantasies are predictions."""
        initial_scale: Positive = 0.1
        """Standard deviation of the initial weights."""
        sample_frames: Count = 20
        """Frames of a clip that is drawn."""
        sample_steps: Count = 25
        """Gibbs steps to each of its frames."""

    known_shortfalls = {
        "prediction": "it draws every pixel anew from its hidden units, of which a few hundred hold a film's texture "
        "less well than a copy does; where objects move over an even ground it is better than a copy",
        "reconstruction": "it learns a density, not a code of least error; principal components, as many as its hidden "
        "units, have the least of all linear codes",
    }
    adapts = {"patch": f"{PATCH} where frames are at least {LARGE} x {LARGE}"}

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Patches of large frames, as large as the paper's."""
        return in_patches(cls, [Usual()], example, sample, PATCH)

    view = View(frames=20)
    recipe = Recipe(optimiser=Optimiser(learning_rate=4e-3), batch_size=10)
    monitor = "squared_error_per_frame"
    smoke = Smoke(
        config=Config(hidden=4, initial_scale=0.5, sample_frames=4, sample_steps=3), shape=(1, 2, 3), frames=4
    )
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build the machine.

        Raises:
            SizeError: Examples are not frames.
        """
        super().__init__()
        self.config, self.example = config, Example.of(example)
        if len(self.shape) != 3:
            raise SizeError(f"rtrbm looks at frames (channel, height, width), not at examples of shape {self.shape}")
        visible, hidden = math.prod(self.shape), config.hidden
        self.units = UNITS[config.visible]
        self.weight = nn.Parameter(torch.randn(visible, hidden) * config.initial_scale)
        self.visible_memory = nn.Parameter(torch.randn(hidden, visible) * config.initial_scale)
        self.hidden_memory = nn.Parameter(torch.randn(hidden, hidden) * config.initial_scale)
        self.visible_bias = nn.Parameter(torch.zeros(visible))
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))
        self.first_state = nn.Parameter(torch.full((hidden,), 0.5))

    def prepare(self, sample: Batch) -> None:
        """Let the visible biases alone explain each pixel's mean.

        Raises:
            DataError: The examples are single frames, or values are not probabilities, under Bernoulli units.
        """
        x = self._flat(sample.x)
        if x.shape[1] < 2:
            raise DataError("windows of 1 frame have no next frame to predict; give at least 2: --frames 20")
        with torch.no_grad():
            self.visible_bias.copy_(self.units.bias_for(x.flatten(0, 1)))

    def held_out(self, batch: Batch, player: str) -> Loss:
        """The loss, and the squared error of predictions."""
        x = self._flat(batch.x)
        states = torch.stack(self.states(x), 1)
        loss = self._contrast(x, states)
        with torch.no_grad():
            predicted = self._predicted(x[:, :-1], states[:, 1:-1]).flatten(2)
            error = (predicted - x[:, 1:]).square().sum(2).mean()
        return Loss(loss.total, {**loss.parts, "squared_error_per_frame": error})

    def predict(self, context: Video, frames: int) -> Future:
        """Continue video of at least one frame: mean-field steps from the last frame, or from the last prediction."""
        if frames < 1:
            raise ConfigError(f"frames = {frames}: at least 1 frame can be predicted")
        x = self._flat(context)
        state, last = self.states(x)[-1], x[:, -1]
        found: list[Tensor] = []
        for _ in range(frames):
            visible_bias, hidden_bias = self.biases(state)
            last = self._settled(last, visible_bias, hidden_bias, self.config.prediction_steps)
            state = self.hidden_given(last, hidden_bias)
            found.append(last)
        return torch.stack(found, 1).unflatten(2, self.shape)

    def reconstruct(self, x: Examples) -> Future:
        """Predict every frame from the second on from the true frames before it: (batch, time - 1, ...)."""
        before = self._flat(x)[:, :-1]
        if before.shape[1] < 1:
            raise DataError("windows of 1 frame have no next frame to predict; give at least 2: --frames 20")
        return self._predicted(before, torch.stack(self.states(before)[1:], 1))

    def _predicted(self, before: Clips, states: States) -> Future:
        """The frame after each, from that frame and the state after it."""
        visible_bias, hidden_bias = self.biases(states.flatten(0, 1))
        found = self._settled(before.flatten(0, 1), visible_bias, hidden_bias, self.config.prediction_steps)
        return found.view(*before.shape[:2], *self.shape)

    def encode(self, x: Video) -> Features:
        """State (7) after the last frame."""
        return self.states(self._flat(x))[-1]

    def activations(self, x: Video, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """The layer `hidden`, its state (7) after every frame: (batch, time, hidden)."""
        return chosen({"hidden": torch.stack(self.states(self._flat(x))[1:], 1)}, names)

    def sample(self, count: int, label: int | None = None) -> Video:
        """Draw clips: for each frame Gibbs steps from the frame before, then its visible means."""
        with torch.no_grad():
            state = self.first_state.expand(count, -1)
            visible = self.units.draw(self.biases(state)[0])
            frames: list[Tensor] = []
            for _ in range(self.config.sample_frames):
                visible_bias, hidden_bias = self.biases(state)
                active = self.hidden_given(visible, hidden_bias)
                visible = self._chain(active, visible_bias, hidden_bias, self.config.sample_steps)
                state = self.hidden_given(visible, hidden_bias)
                frames.append(visible)
            return torch.stack(frames, 1).unflatten(2, self.shape)

    def filters(self) -> Images:
        """Weights W of each hidden unit to a frame."""
        return weight_pictures(self.weight, self.shape)

    def _visible_input(self, hidden: Hidden, bias: Visible) -> Visible:
        return wide(hidden @ self.weight.T) + bias

    def _flat(self, x: Examples) -> Clips:
        """Frames as vectors: (batch, time, visible).

        Raises:
            DataError: It is not video of the frame size that the machine was built for.
        """
        if x.ndim != 5 or x.shape[1] < 1 or tuple(x.shape[2:]) != self.shape:
            wanted = ", ".join(str(size) for size in self.shape)
            raise DataError(f"this rtrbm is for video (batch, time, {wanted}); this is {tuple(x.shape)}")
        return x.flatten(2)
