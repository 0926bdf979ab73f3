"""Predictive encoder: a feed-forward network that predicts the next frame of a patch of video from the last few.

x_t is frame t, T frames long; k = T - 1 are seen (`--frames` is T), f the activation, W_1, ..., W_n and V are
fully connected, or convolutions (V their mirror):

    h_t   = f(W_n ... f(W_1 [x_t-k+1, ..., x_t] + b_1) ... + b_n)               (1)
    y_t   = V h_t + c                                                           (2)
    y_t   = x_t + V h_t + c                            with `residual`          (3)
    p_t+1 = min(max(y_t, low), high)                                            (4)
    L     = |x_T - y_k|^2                                                       (5)

Prediction error alone is minimised, without a penalty on weights or units. On patches of natural video, Palm reports,
that is enough for W_1 to become receptive fields like those of visual area V1. Without `residual` units here become
spots and short edges in the last frame; with it, edges that move from one frame to the next. They emerge soonest from
grey video: in colour, Adam moves weights on directions of little variance as far as others, and these hide the fields.
Low and high are the extremes of the training data. Beyond the first predicted frame, predictions take the place of
frames in (1) and (3). Near the start of a clip, where fewer than k frames have been seen, the earliest frame is
repeated.

References:
    Palm (2012). Prediction as a candidate for learning deep hierarchical models of data. Technical University of
    Denmark.
    Olshausen, Field (1996). Emergence of simple-cell receptive field properties by learning a sparse code for natural
    images.

Departures:
    By default the network predicts the change (3), not the frame (2). Most of a frame of natural video stays the same,
    and units that need not carry the frame itself are free to describe what moves.
    W_1 begins near zero. There is no weight decay, and large initial weights would remain and hide the fields.
    ReLU units, Adam with a falling learning rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from untaught.capability import Activations, Encodes, Filters, Predicts, Reconstructs
from untaught.config import Count, configuration
from untaught.errors import ConfigError, DataError, SizeError
from untaught.model import Batch, Example, Learner, Loss, Optimiser, Recipe, Smoke, View
from untaught.nn.convolution import Decoder, Encoder
from untaught.nn.dense import Layer
from untaught.nn.named import chosen
from untaught.nn.sizes import frame_size, layers, sizes
from untaught.shapes import Examples, Features, Images, Scalar, Shape, Video

Future = Float[Tensor, "batch predicted channel height width"]
Seen = Float[Tensor, "batch *time seen channel height width"]

SMALL = 0.003
"""Scale of the first layer's initial weights, as a fraction of the one that preserves the variance."""


class PredictiveEncoder(Learner, Encodes, Predicts, Reconstructs, Activations, Filters):
    """Hidden layers over the last frames, trained on the next one.

    Example:
        >>> model = PredictiveEncoder(PredictiveEncoder.Config(hidden=(20,)), Example((1, 12, 12), frames=3))
        >>> video = torch.rand(2, 5, 1, 12, 12)
        >>> model.predict(video, frames=3).shape, model.encode(video).shape
        (torch.Size([2, 3, 1, 12, 12]), torch.Size([2, 20]))
    """

    def _hidden(self, seen: Seen) -> list[Tensor]:
        """Every hidden layer, equation (1)."""
        if isinstance(self.encoder, Encoder):
            return self.encoder.maps(seen.flatten(1, 2))
        values = [seen.flatten(1)]
        for layer in self.encoder:
            values.append(layer(values[-1]))
        return values[1:]

    def encode(self, x: Video) -> Features:
        """The highest hidden layer after the last frame, equation (1), as a vector."""
        return self._hidden(self._windows(x)[:, -1])[-1].flatten(1)

    def _next(self, seen: Seen) -> Images:
        """The frame after those seen, equations (2) and (3), in the frames' own precision."""
        top, last = self._hidden(seen)[-1], seen[:, -1]
        size = frame_size(last)
        y = self.decoder(top, size) if isinstance(self.decoder, Decoder) else self.decoder(top).view_as(last)
        return last + y.to(last.dtype) if self.config.residual else y.to(last.dtype)

    def _limited(self, y: Images) -> Images:
        """Equation (4)."""
        return y.clamp(self.low, self.high)

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Squared error of an example's last frame, equation (5), mean over the batch."""
        # Held-out clips may be shorter than the windows that are learnt from; then the earliest frame is repeated.
        x = batch.x[:, : self.context + 1]
        seen, last = self._windows(x[:, :-1])[:, -1], x[:, -1]
        error = (self._next(seen) - last).square().sum() / len(last)
        return Loss(error, {"squared_error_per_frame": error.detach()})

    def predict(self, context: Video, frames: int) -> Future:
        """Continue video by (1) to (4): the first frame from the context, each further one from predictions.

        Args:
            context: At least one frame. The last ones are used; where there are fewer than the network sees, the
                earliest is repeated.
            frames: How many to predict.
        """
        if frames < 1:
            raise ConfigError(f"frames = {frames}: at least 1 frame can be predicted")
        seen = self._windows(context)[:, -1]
        found: list[Tensor] = []
        while len(found) < frames:
            found.append(self._limited(self._next(seen)))
            seen = torch.cat([seen[:, 1:], found[-1][:, None]], 1)
        return torch.stack(found, 1)

    def reconstruct(self, x: Examples) -> Future:
        """Predict every frame from the second on from the true frames before it: (batch, time - 1, ...)."""
        if x.ndim != 5 or x.shape[1] < 2:
            raise DataError(
                f"windows of {x.shape[1] if x.ndim == 5 else 1} frame have no next frame to predict;\n"
                f"give video and at least 2 frames: --frames {self.context + 1}"
            )
        seen = self._windows(x[:, :-1])
        return self._limited(self._next(seen.flatten(0, 1))).unflatten(0, seen.shape[:2])

    @configuration
    class Config:
        """The network."""

        network: Literal["dense", "convolution"] = "dense"
        """Kind of the layers. Fully connected ones need patches of the size they were trained on; convolutions take
        frames of any size."""
        hidden: tuple[Count, ...] = (100,)
        """Units (dense) or maps (convolution) of each hidden layer."""
        kernel: Count = 9
        """Side of a convolution's filters in pixels."""
        stride: Count = 1
        """Step of a convolution's filters in pixels."""
        activation: Literal["relu", "sigmoid", "tanh"] = "relu"
        """Hidden units."""
        residual: bool = True
        """Predict the change from the last frame, equation (3), rather than the frame, equation (2)."""

    view = View(frames=3, patch=12, standardise="all")
    recipe = Recipe(optimiser=Optimiser(learning_rate=2e-3), batch_size=128)
    smoke = Smoke(config=Config(hidden=(5, 4)), shape=(1, 6, 6), frames=4)
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build the network.

        Raises:
            ConfigError: There is no hidden layer, or no frame to see before the one to predict.
            SizeError: Examples are no frames, or too small for the convolutions.
        """
        super().__init__()
        self.config, self.example = config, Example.of(example)
        shape = self.shape
        if len(shape) != 3:
            raise SizeError(
                f"predictive-encoder looks at frames (channel, height, width), not at examples of shape {shape}"
            )
        if (self.example.frames or 0) < 2:
            raise ConfigError(
                f"predictive-encoder sees all frames of an example but the last, which it predicts; this one has "
                f"{self.example.frames or 1}: --frames 3, or Example(shape, frames=3)"
            )
        if not config.hidden:
            raise ConfigError("predictive-encoder needs at least one hidden layer; hidden is empty")
        self.low, self.high = nn.Buffer(torch.zeros(())), nn.Buffer(torch.ones(()))
        if config.network == "convolution":
            stack = layers(config.hidden, (config.kernel,), (config.stride,))
            sizes(stack, (shape[1], shape[2]))
            self.encoder = Encoder(self.context * shape[0], stack, config.activation)
            self.decoder = Decoder(shape[0], stack, config.activation)
        else:
            values = math.prod(shape)
            widths = pairwise((self.context * values, *config.hidden))
            self.encoder = nn.ModuleList(Layer(*pair, config.activation) for pair in widths)
            self.decoder = Layer(config.hidden[-1], values, "linear")
        with torch.no_grad():
            self._first().mul_(SMALL)

    @property
    def context(self) -> int:
        """Number k of frames that the network sees: all of an example but the last."""
        assert self.example.frames is not None
        return self.example.frames - 1

    # -------- what it does

    def activations(self, x: Video, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Hidden layers `hidden.1`, ... after every frame: (batch, time, ...).

        Raises:
            ConfigError: There is no layer of one of the names.
        """
        seen = self._windows(x)
        values = self._hidden(seen.flatten(0, 1))
        found = {f"hidden.{number}": value.unflatten(0, seen.shape[:2]) for number, value in enumerate(values, 1)}
        return chosen(found, names)

    def filters(self) -> Images:
        """Weights of the first layer; those for the frames seen are side by side, the oldest on the left."""
        weight = self._first().detach()
        sides = weight.shape[2:] if weight.ndim == 4 else self.shape[1:]
        frames = weight.reshape(len(weight), self.context, self.shape[0], *sides)
        return torch.cat(frames.unbind(1), -1)

    # -------- learning

    def prepare(self, sample: Batch) -> None:
        """Find the extremes of the data."""
        low, high = sample.x.aminmax()
        self.low.copy_(low)
        self.high.copy_(high)

    # -------- how

    def _first(self) -> Tensor:
        """W_1."""
        if isinstance(self.encoder, Encoder):
            return self.encoder.downs[0].convolution.weight
        return self.encoder[0].get_parameter("weight")

    def _windows(self, x: Examples) -> Seen:
        """The frames seen after each frame, the earliest repeated: (batch, time, context, channel, height, width)."""
        if x.ndim != 5 or x.shape[1] < 1 or x.shape[2] != self.shape[0]:
            raise DataError(
                f"predictive-encoder was built for video (batch, time, {self.shape[0]}, height, width); "
                f"this is {tuple(x.shape)}"
            )
        if self.config.network == "dense" and tuple(x.shape[2:]) != self.shape:
            size, wanted = ("x".join(str(side) for side in s[-2:]) for s in (x.shape, self.shape))
            raise SizeError(
                f"fully connected layers built for {wanted} cannot look at {size}; resize, or use network convolution"
            )
        before = x[:, :1].expand(-1, self.context - 1, -1, -1, -1)
        return torch.cat([before, x], 1).unfold(1, self.context, 1).movedim(5, 2)
