"""Predictive Generative Network: features learnt by predicting the next frame of video.

x_t is frame t, T frames long; E a stack of convolutions, D its mirror, R a recurrent core with state s_t; A is a fully
connected layer with ReLU where `dense` asks for one and otherwise leaves the hidden state h_t, the first part of s_t,
as it is:

    s_t    = R(E(x_t), s_{t-1}),   s_0 = 0                                    (1)
    y_t    = D(A(h_t))                                                        (2)
    p_t+1  = min(max(y_t, 0), 1)                                              (3)
    p_t+1  = min(max(x_t + y_t, 0), 1)          with `residual`               (4)
    L      = 1/(T-1) sum_t=2^T |x_t - p_t|^2                                  (5)

(3) is the published ReLU followed by saturation at 1. The published loss is the last term of (5) alone (`last_only`).
Beyond the first predicted frame, predictions take the place of frames in (1) and (4).

The networks of the paper are `BALLS_2015` and `FACES_2015`. With a convolutional core, a network looks at frames of any
size, whatever size it was trained on.

References:
    Lotter, Kreiman, Cox (2015). Unsupervised learning of visual structure using predictive generative networks.
    arXiv:1511.06380.
    Ballas, Yao, Pal, Courville (2016). Delving deeper into convolutional networks for learning video representations.
    arXiv:1511.06432 (the default core).
    Shi, Chen, Wang, Yeung, Wong, Woo (2015). Convolutional LSTM network. arXiv:1506.04214.
    Hochreiter, Schmidhuber (1997). Long short-term memory.

Departures:
    The default network is smaller, convolutional throughout, predicts the change (4) and scores every frame from the
    second on.
    Gates are logistic functions; the paper's code has their piecewise linear approximation (Keras 0.x).
    Windows have one length in a training; the paper draws 5 to 14 context frames anew in each epoch.
    Where pooled maps are repeated to more or fewer rows than were pooled, the last row is repeated or cut off.
    Adam with a falling learning rate instead of RMSprop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from untaught.config import Count, configuration
from untaught.errors import ConfigError, DataError, SizeError
from untaught.model import (
    Activations,
    Batch,
    Encodes,
    Filters,
    Learner,
    Loss,
    Optimiser,
    Predicts,
    Recipe,
    Reconstructs,
    Smoke,
    View,
)
from untaught.nn.convolution import Decoder, Encoder
from untaught.nn.recurrent import LSTM, ConvGRU, ConvLSTM, Recurrent, State
from untaught.nn.stack import layers, sizes
from untaught.shapes import Examples, Features, Images, Scalar, Shape, Video

Frames = Float[Tensor, "frame channel height width"]
Future = Float[Tensor, "batch predicted channel height width"]


class PGN(Learner, Encodes, Predicts, Reconstructs, Activations, Filters):
    """Encoder, recurrent core and decoder, trained on the next frame.

    Example:
        >>> model = PGN(PGN.Config(), (1, 30, 30))
        >>> video = torch.rand(2, 5, 1, 30, 30)
        >>> model.predict(video, frames=3).shape, model.encode(video).shape
        (torch.Size([2, 3, 1, 30, 30]), torch.Size([2, 6400]))
    """

    @configuration
    class Config:
        """The network. Lists have one entry for each layer of the encoder, from the frame upwards, or one for all."""

        core: Literal["convgru", "convlstm", "lstm"] = "convgru"
        """What carries information through time; an lstm ties the network to one frame size."""
        units: Count = 64
        """Maps of a convolutional core, units of an lstm."""
        core_kernel: Count = 3
        """Side of a convolutional core's filters, in units of its maps."""
        filters: tuple[Count, ...] = (64,)
        """Filters of each layer of the encoder."""
        kernels: tuple[Count, ...] = (6,)
        """Side of the filters in pixels."""
        strides: tuple[Count, ...] = (3,)
        """Step of the filters in pixels."""
        pools: tuple[Count, ...] = (1,)
        """Side of the windows whose largest value is kept; 1 pools nothing."""
        paddings: tuple[Literal["full", "same", "valid"], ...] = ("same",)
        """How far filters reach over the edge: by all but one pixel, by half, or not at all."""
        decoder_kernels: tuple[Count, ...] | None = None
        """Side of the decoder's filters, in the encoder's order; none takes the encoder's."""
        dense: bool = False
        """A fully connected layer with ReLU between an lstm and the decoder; without it the lstm's units must be as
        many as the encoder's values."""
        residual: bool = True
        """Predict the change from the last frame, equation (4), rather than the frame, equation (3): most of a frame
        of natural video stays. The published networks do not."""
        saturate: bool = True
        """Cut predictions off at 0 and 1; leave it out where frames are standardised."""
        last_only: bool = False
        """Score only the last frame of a window, as the paper did, and not every frame from the second on."""

    view = View(frames=20)
    recipe = Recipe(optimiser=Optimiser(learning_rate=4e-3), batch_size=4)
    smoke = Smoke(config=Config(units=4, filters=(3,), kernels=(4,), strides=(2,)), shape=(1, 8, 8), frames=4)
    config: Config

    def __init__(self, config: Config, shape: Shape) -> None:
        """Build the network.

        Raises:
            ConfigError: Lists differ in length, or the units of an lstm do not fit the decoder.
            SizeError: Frames are too small for the encoder.
        """
        super().__init__()
        self.config, self.shape = config, shape
        if len(shape) != 3:
            raise SizeError(f"pgn looks at frames (channel, height, width), not at examples of shape {shape}")
        stack = layers(config.filters, config.kernels, config.strides, config.pools, config.paddings)
        top = (stack[-1].filters, *sizes(stack, (shape[1], shape[2]))[-1])
        self.encoder = Encoder(shape[0], stack)
        self.core = _core(config, top)
        self.adapter = _adapter(config, top)
        maps = config.units if config.core != "lstm" else top[0]
        self.decoder = Decoder(shape[0], stack, kernels=config.decoder_kernels or (), top=maps)
        if config.residual:
            # It begins by copying the last frame, the best that is known about natural video without learning.
            nn.init.zeros_(self.decoder.layers[0].get_parameter("weight"))

    # -------- what it does

    def predict(self, context: Video, frames: int) -> Future:
        """Continue video, equations (1) to (4): the first frame from the context, each further one from predictions.

        Args:
            context: At least one frame; all of it is used.
            frames: How many to predict.
        """
        if frames < 1:
            raise ConfigError(f"frames = {frames}: at least 1 frame can be predicted")
        states = self._watch(context)
        found = [self._next(states[-1][0], context[:, -1])]
        while len(found) < frames:
            states = self._watch(found[-1][:, None], states[-1])
            found.append(self._next(states[-1][0], found[-1]))
        return torch.stack(found, 1)

    def reconstruct(self, x: Examples) -> Future:
        """Predict every frame from the second on from the true frames before it: (batch, time - 1, ...)."""
        if x.ndim != 5 or x.shape[1] < 2:
            raise DataError(
                f"windows of {x.shape[1] if x.ndim == 5 else 1} frame have no next frame to predict;\n"
                "give video and at least 2 frames: --frames 20"
            )
        before = x[:, :-1]
        hidden = torch.stack([state[0] for state in self._watch(before)])
        predicted = self._next(hidden.flatten(0, 1), before.transpose(0, 1).flatten(0, 1))
        return predicted.unflatten(0, hidden.shape[:2]).transpose(0, 1)

    def encode(self, x: Video) -> Features:
        """Hidden state after the last frame, laid out as a vector."""
        return self._watch(x)[-1][0].flatten(1)

    def activations(self, x: Video, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Maps `encoder.1`, ... of every frame, `hidden` and an lstm's `cell` state: (batch, time, ...)."""
        maps = self.encoder.maps(self._frames(x))
        batch_first = [m.unflatten(0, (x.shape[1], x.shape[0])).transpose(0, 1) for m in maps]
        found = {f"encoder.{number}": m for number, m in enumerate(batch_first, 1)}
        states = zip(*self._watch(x), strict=True)
        found |= {name: torch.stack(kind, 1) for name, kind in zip(("hidden", "cell"), states, strict=False)}
        return found if names is None else {name: found[name] for name in names}

    def filters(self) -> Images:
        """Filters of the encoder's first layer."""
        return self.encoder.downs[0].convolution.weight.detach()

    # -------- learning

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Squared error, equation (5), mean over the batch."""
        errors = (self.reconstruct(batch.x) - batch.x[:, 1:]).square().sum((2, 3, 4))
        total = (errors[:, -1] if self.config.last_only else errors).mean()
        return Loss(total, {"squared_error_per_frame": total.detach()})

    # -------- how

    def _frames(self, x: Examples) -> Frames:
        """All frames, time by time: (time * batch, channel, height, width)."""
        if x.ndim != 5 or x.shape[1] < 1 or x.shape[2] != self.shape[0]:
            raise DataError(
                f"pgn was built for video (batch, time, {self.shape[0]}, height, width); this is {tuple(x.shape)}"
            )
        if self.config.core == "lstm" and tuple(x.shape[2:]) != self.shape:
            size, wanted = ("x".join(str(side) for side in s[-2:]) for s in (x.shape, self.shape))
            raise SizeError(f"an lstm built for frames of {wanted} cannot look at {size}; resize, or use core convgru")
        return x.transpose(0, 1).flatten(0, 1)

    def _watch(self, x: Video, state: State | None = None) -> list[State]:
        """States after each frame, equation (1)."""
        maps = self.encoder(self._frames(x))
        return self.core(maps.unflatten(0, (x.shape[1], x.shape[0])), state)

    def _next(self, hidden: Tensor, last: Images) -> Images:
        """The frame after `last`, equations (2) to (4), in the frames' own precision."""
        y = self.decoder(self.adapter(hidden), (last.shape[-2], last.shape[-1])).to(last.dtype)
        predicted = last + y if self.config.residual else y
        return predicted.clamp(0, 1) if self.config.saturate else predicted


def _core(config: PGN.Config, top: Shape) -> Recurrent:
    match config.core:
        case "convgru":
            return ConvGRU(top[0], config.units, config.core_kernel)
        case "convlstm":
            return ConvLSTM(top[0], config.units, config.core_kernel)
        case "lstm":
            return LSTM(torch.Size(top).numel(), config.units)


def _adapter(config: PGN.Config, top: Shape) -> nn.Module:
    """A of equation (2), and the layout of an lstm's units as maps."""
    if config.core != "lstm":
        if config.dense:
            raise ConfigError(f"a {config.core} keeps maps: it has no use for dense; leave it out, or use core lstm")
        return nn.Identity()
    values = torch.Size(top).numel()
    as_maps = nn.Unflatten(1, top)
    if config.dense:
        return nn.Sequential(nn.Linear(config.units, values), nn.ReLU(), as_maps)
    if config.units != values:
        raise ConfigError(
            f"units = {config.units}: the decoder of frames of this size takes {values} values;\n"
            f"give --units {values}, or --dense for a fully connected layer between"
        )
    return as_maps


BALLS_2015 = PGN.Config(
    core="lstm", units=1568, filters=(32, 32), kernels=(3,), strides=(1,), pools=(2,), paddings=("full", "valid"),
    last_only=True, residual=False,
)  # fmt: skip
"""The paper's network for bouncing balls of 30x30 pixels."""

FACES_2015 = PGN.Config(
    core="lstm", units=1024, dense=True, filters=(64, 64), kernels=(5,), strides=(1,), pools=(3,), paddings=("valid",),
    decoder_kernels=(7,), last_only=True, residual=False,
)  # fmt: skip
"""The paper's network for rotating faces of 150x150 pixels."""
