"""Predictive Generative Network: features learnt by predicting the next frame of video.

x_t is frame t, T frames long; E a stack of convolutions, D its mirror, R a recurrent core with state s_t; A is a fully
connected layer with ReLU where `dense` asks for one and otherwise leaves the hidden state h_t, the first part of s_t,
as it is:

    s_t    = R(E(x_t), s_{t-1}),   s_0 = 0                                    (1)
    y_t    = D(A(h_t))                                                        (2)
    q_t+1  = y_t                                                              (3)
    q_t+1  = x_t + y_t                          with `residual`               (4)
    L      = 1/(T-1) sum_t=2^T |x_t - p_t|^2,   with `residual` |x_t - q_t|^2 (5)

The published loss is the last term of (5) alone (`last_only`). Predicted is p_t = min(max(q_t, 0), 1), a ReLU followed
by saturation at 1; it takes the place of x_t in (1), (4) and (8) beyond the first predicted frame. `scheduled_sampling`
does so in training: frames after the first `always_true` are replaced, with a probability that grows from zero.

`adversarial` adds a second player, a discriminator that sees x_1 ... x_T-1 and either x_T or p_T, and classifies it as
real or predicted (`untaught.nn.temporal.discriminator`). With d = -log p_real(p_T) and frames of P numbers,

    L_generator = squared_error L + adversarial P d                           (6)

so that `adversarial` is the weight of d relative to the error of one pixel. Noise z ~ U[0, 1/2], if asked for by
`noise`, is concatenated with the state: A(h_t, z) in (2). The discriminator learns first in each step, from the same
frames. `target = last` makes the same network an autoencoder of video: y_t is compared with x_t, the last frame seen.

Natural video moves. With `seen` = k > 1 the encoder takes the k - 1 changes before a frame as further channels (frames
before the first are taken to equal it). With `motion` the decoder gives a flow f_t beside the change y_t: what the last
frame showed is moved, then changed; both are zero at first. `relative` divides each window's error by its change:

    s_t    = R(E(c_t), s_{t-1}),   c_t = (x_t, x_t - x_t-1, ...)              (7)
    q_t+1  = x_t(p + f_t(p)) + y_t                   at each pixel p          (8)
    L      = sum_t |x_t - q_t|^2 / (sum_t |x_t - x_t-1|^2 + e P),   e = 1e-4  (9)
    f_t, y_t = g_t D(A(h_t)),   g_t(p) = max(0, 1 - r / m_t),   r = 1.6e-5    (10)

m_t is the mean square of the changes in c_t around p, so that nothing is predicted to move where nothing did. With
a convolutional core (`untaught.nn.temporal.recurrent`), a network takes frames of any size; a `gru-rcn` (`on_levels`)
has a state at every level of E, and D takes them all.

References:
    Lotter, Kreiman, Cox (2015). Unsupervised learning of visual structure using predictive generative networks.
    arXiv:1511.06380.
    Ballas, Yao, Pal, Courville (2016). Delving deeper into convolutional networks for learning video representations.
    arXiv:1511.06432 (cores convgru and gru-rcn).
    Bengio, Vinyals, Jaitly, Shazeer (2015). Scheduled sampling for sequence prediction. arXiv:1506.03099.
    Patraucean, Handa, Cipolla (2015). Spatio-temporal video autoencoder with differentiable memory. arXiv:1511.06309.

Departures:
    The default network is smaller, convolutional throughout, predicts changes (4) and scores all frames but the first.
    Gates are logistic functions; the paper's code has their piecewise linear approximation (Keras 0.x).
    With (4) the error is of q, as a clipped value has no gradient; held-out errors and what is shown are of p.
    All windows of a training have one length; the paper draws 5 to 14 context frames anew in each epoch.
    Adam with a falling learning rate instead of RMSprop, except where there is a discriminator.
    Natural video gets a network without memory that sees four frames at once and moves the last (`PGN.usual`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import init

from untaught.capability import Activations, Decodes, Encodes, Filters, Predicts, PredictsMotion, Reconstructs
from untaught.config import Count, NonNegative, Probability, Whole, configuration
from untaught.data.view import Batch, View
from untaught.errors import ConfigError, DataError, SizeError
from untaught.model import Example, Learner, Loss, Player, Smoke, Stage, Stream, Usual
from untaught.nn.convolution import Decoder, Encoder
from untaught.nn.named import chosen
from untaught.nn.noise import bernoulli
from untaught.nn.sizes import Layer, frame_size, layers, sizes
from untaught.nn.temporal.between import Between
from untaught.nn.temporal.cores import Core, core, states_over_time
from untaught.nn.temporal.discriminator import FrameDiscriminator
from untaught.nn.temporal.motion import Flow, Share, moved, share_moving, with_changes
from untaught.nn.temporal.recurrent import State
from untaught.recipe import Optimiser, Recipe
from untaught.shapes import Examples, Features, Images, Scalar, Shape, Video

Frames = Float[Tensor, "frame channel height width"]
Future = Float[Tensor, "batch predicted channel height width"]
Earlier = Float[Tensor, "batch earlier channel height width"]


class PGN(Learner, Encodes, Decodes, Predicts, PredictsMotion, Reconstructs, Activations, Filters):
    """Encoder, recurrent core and decoder, trained on the next frame.

    Example:
        >>> model = PGN(PGN.Config(), (1, 30, 30))
        >>> video = torch.rand(2, 5, 1, 30, 30)
        >>> model.predict(video, frames=3).shape, model.encode(video).shape
        (torch.Size([2, 3, 1, 30, 30]), torch.Size([2, 6400]))
    """

    def _watch(self, x: Video, before: Watched | None = None) -> Watched:
        """What is known after each frame, equations (1) and (7)."""
        seen = self._frames(x, before)
        maps = self.encoder.maps(seen)
        state = None if before is None or not before.states else before.states[-1]
        states = states_over_time(self.core, [level.unflatten(0, (x.shape[1], -1)) for level in maps], state)
        below = maps[:-1] if self.config.skips else self._lower(states)
        return Watched(states, below, self._recent(x, before), self._moving(seen))

    def _next(self, hidden: Tensor, last: Images, watched: Watched) -> Images:
        """The frame q after `last`, equations (2) to (4) and (8), in the frames' own precision."""
        y = self._decoded(hidden, last, watched)
        if self.config.motion:
            last, y = moved(last, y[:, :2]), y[:, 2:]
        return last + y if self.config.residual else y

    def _clipped(self, frames: Tensor) -> Tensor:
        """The frames p that are shown, for q."""
        return frames.clamp(0, 1) if self.config.saturate else frames

    def reconstruct(self, x: Examples) -> Future:
        """Predict every frame from the second on from the true frames before it: (batch, time - 1, ...).

        With `target = last`, reconstruct every frame from it and those before it: (batch, time, ...).
        """
        return self._clipped(self._reconstructed(x))

    def _reconstructed(self, x: Examples) -> Future:
        """The frames q for every true frame before them."""
        before = x if self.config.target == "last" else self._before(x)
        watched = self._watch(before)
        hidden = torch.stack([state[0] for state in watched.states])
        predicted = self._next(hidden.flatten(0, 1), before.transpose(0, 1).flatten(0, 1), watched)
        return predicted.unflatten(0, hidden.shape[:2]).transpose(0, 1)

    def predict(self, context: Video, frames: int) -> Future:
        """Continue video of at least one frame: after the first predicted frame, from own predictions."""
        if frames < 1:
            raise ConfigError(f"frames = {frames}: at least 1 frame can be predicted")
        watched = self._after(context)
        found = [self._clipped(self._next(watched.states[-1][0], context[:, -1], watched))]
        while len(found) < frames:
            watched = self._watch(found[-1][:, None], watched)
            found.append(self._clipped(self._next(watched.states[-1][0], found[-1], watched)))
        return torch.stack(found, 1)

    def motion(self, context: Video) -> Flow | None:
        """The flow f in (8) from the last frame to the next; None without `motion`."""
        if not self.config.motion:
            return None
        watched = self._after(context)
        return self._decoded(watched.states[-1][0], context[:, -1], watched)[:, :2]

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Squared error (5), mean over the batch, with `relative` (9); or a player's side of (6)."""
        return self._side(batch.x, player, progress, of_changes=self.config.residual)

    def held_out(self, batch: Batch, player: str) -> Loss:
        """The loss of what is shown, p in place of q."""
        return self._side(batch.x, player, torch.ones((), device=batch.x.device), of_changes=False)

    def _side(self, x: Examples, player: str, progress: Scalar, of_changes: bool) -> Loss:
        if player == "discriminator":
            return self._telling_apart(x, progress)
        config, given = self.config, self._given_back(x, progress)
        given = given if of_changes else self._clipped(given)
        scored = 1 if config.last_only else given.shape[1]
        errors = _squares(given[:, -scored:] - x[:, -scored:])
        parts = {"squared_error_per_frame": errors.mean().detach()}
        if config.relative:
            copying = _squares(x.diff(dim=1)[:, -scored:])
            errors = errors / (copying + STILL * x[0, 0].numel())
            parts["error_relative_to_copying"] = errors.mean().detach()
        if not config.adversarial:
            return Loss(errors.mean(), parts)
        nats = self.discriminator.being_fooled(self._before(x), self._clipped(given[:, -1]))
        total = config.squared_error * errors.mean() + config.adversarial * x[0, 0].numel() * nats
        return Loss(total, {**parts, "fooling_nats": nats.detach()})

    def _telling_apart(self, x: Examples, progress: Scalar) -> Loss:
        """The discriminator's side of the game, on frames that the generator proposes."""
        before = self._before(x)
        with torch.no_grad():
            plain = self.config.target == "next" and not self.config.scheduled_sampling
            given = self._only_next(before) if plain else self._given_back(x, progress)
            proposed = self._clipped(given[:, -1])
        nats, right = self.discriminator.telling_apart(before, x[:, -1], proposed)
        return Loss(nats, {"discriminator_nats": nats.detach(), "discriminator_accuracy": right})

    def _given_back(self, x: Examples, progress: Scalar) -> Future:
        """The frames q that are compared with the last ones: from true frames, some of them replaced by predictions."""
        if not self.config.scheduled_sampling:
            alone = self.config.last_only and not self.core.remembers and self.config.target == "next"
            return self._only_next(self._before(x)) if alone else self._reconstructed(x)
        if self.config.always_true > max(1, x.shape[1] - 2):
            raise DataError(
                f"windows of {x.shape[1]} frames leave none to replace after always_true = {self.config.always_true}; "
                f"give at least --frames {self.config.always_true + 2}"
            )
        chance = (self.config.scheduled_sampling * progress).expand(len(x))
        shown, watched, found = self._before(x)[:, 0], None, list[Images]()
        for number, true in enumerate(x.unbind(1)[1:], 1):
            watched = self._watch(shown[:, None], watched)
            found.append(self._next(watched.states[-1][0], shown, watched))
            own = bernoulli(chance if number >= self.config.always_true else 0 * chance).view(-1, 1, 1, 1).bool()
            shown = torch.where(own, self._clipped(found[-1]), true)
        return torch.stack(found, 1)

    def _only_next(self, context: Video) -> Future:
        """The frame q after all of the context, (batch, 1, ...)."""
        watched = self._after(context)
        return self._next(watched.states[-1][0], context[:, -1], watched)[:, None]

    @configuration
    class Config:
        """The network. Lists have one entry for each layer of the encoder, from the frame upwards, or one for all."""

        core: Core = "convgru"
        """What carries information through time; an lstm ties the network to one frame size, and dilated, a stack of
        dilated convolutions, remembers nothing beyond the frames that the encoder sees. A gru-rcn is a convgru on every
        layer of the encoder."""
        units: Count = 64
        """Maps of a convolutional core, units of an lstm; of a gru-rcn at the highest layer, and at each lower one as
        many as its filters."""
        core_kernel: Count = 3
        """Side of a convolutional core's filters, in units of its maps."""
        filters: tuple[Count, ...] = (64,)
        """Filters of each layer of the encoder."""
        kernels: tuple[Count, ...] = (6,)
        """Side of the filters in pixels."""
        strides: tuple[Count, ...] = (3,)
        """Step of the filters in pixels."""
        pools: tuple[Count, ...] = (1,)
        """Side of the max-pooling windows; 1 pools nothing."""
        paddings: tuple[Literal["full", "same", "valid"], ...] = ("same",)
        """How far filters reach over the edge: by all but one pixel, by half, or not at all."""
        decoder_kernels: tuple[Count, ...] | None = None
        """Side of the decoder's filters, in the encoder's order; none takes the encoder's."""
        dense: bool = False
        """A fully connected layer with ReLU between lstm and decoder; without it the lstm needs as many units as the
        decoder has inputs."""
        seen: Count = 1
        """Frames that the encoder sees at once, equation (7): the last one, and the changes that led to it."""
        skips: bool = False
        """Whether the decoder also takes the encoder's maps, so that fine detail need not pass through the core; with a
        gru-rcn it takes the states of all layers instead."""
        residual: bool = True
        """Predict the change from the last frame, equation (4), rather than the frame, equation (3): most of a frame of
        natural video stays the same. The published networks predict the frame."""
        motion: bool = False
        """Move the last frame along a predicted flow before the change is added, equation (8)."""
        relative: bool = False
        """Divide each window's error by how much its frames changed, equation (9), so that still moments count too."""
        saturate: bool = True
        """Clip predictions to [0, 1]; leave it out where frames are standardised."""
        last_only: bool = False
        """Score only the last frame of a window, as the paper did, and not every frame from the second on."""
        target: Literal["next", "last"] = "next"
        """Which frame is predicted: the next one, or the last one seen, which makes an autoencoder of video."""
        scheduled_sampling: Probability = 0.0
        """Probability, at the end of training, that an input frame is replaced by the network's own prediction."""
        always_true: Count = 1
        """Number of first frames in a window that scheduled sampling never replaces."""
        adversarial: NonNegative = 0.0
        """Weight of the adversarial loss relative to the squared error of a pixel, equation (6); 0 has none."""
        squared_error: NonNegative = 1.0
        """Weight of the squared error in equation (6); 0 leaves the adversarial loss alone."""
        noise: Whole = 0
        """Random numbers that are concatenated with the state before the decoder."""
        judge: tuple[Count, ...] = (1024, 1024, 256)
        """Units of the discriminator: of its LSTM, then of each fully connected layer above."""
        judge_optimiser: Literal["sgd", "adam"] = "sgd"
        """Optimiser of the discriminator: as published, or Adam, which takes a tenth of the updates."""

    adapts: ClassVar[dict[str, str]] = {
        "core": "dilated where frames have colours or texture, as those of a camera: with four frames seen at once, "
        "motion, skips, relative error, and patches of 64 pixels",
        **{name: "see core" for name in ("units", "filters", "kernels", "strides", "seen", "skips", "motion")},
        **{name: "see core" for name in ("relative", "last_only")},
        "saturate": "off where values lie outside [0, 1]",
    }
    view = View(frames=20)
    recipe = Recipe(optimiser=Optimiser(learning_rate=4e-3), batch_size=4)
    smoke = Smoke(config=Config(units=4, filters=(3,), kernels=(4,), strides=(2,)), shape=(1, 8, 8), frames=4)
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build the network.

        Raises:
            ConfigError: Lists differ in length, or the units of an lstm do not fit the decoder.
            SizeError: Frames are too small for the encoder.
        """
        super().__init__()
        self.config, self.example = config, Example.of(example)
        shape = self.shape
        if len(shape) != 3:
            raise SizeError(f"pgn looks at frames (channel, height, width), not at examples of shape {shape}")
        stack = layers(config.filters, config.kernels, config.strides, config.pools, config.paddings)
        levels = self._levels(stack)
        top = levels[-1]
        self.encoder = Encoder(config.seen * shape[0], stack)
        self.core = core(config.core, levels, config.units, config.core_kernel)
        self.adapter = Between(config.units, top, config.core == "lstm", config.dense, config.noise)
        _refuse_contradictions(config)
        # Few frames of one clip are held out, and they say little about the next ones: later weights are preferred.
        self.begins_solved = config.motion
        if config.relative:
            self.tolerance, self.negligible = TOLERANCE, NEGLIGIBLE
        taken = top[0] if config.core == "lstm" else config.units
        given, kernels = shape[0] + 2 * config.motion, config.decoder_kernels or ()
        self.decoder = Decoder(given, stack, kernels=kernels, top=taken, skips=config.skips or self._several)
        if config.adversarial:
            self.discriminator = FrameDiscriminator(shape, stack, config.judge[0], config.judge[1:])
            own = RULES[config.judge_optimiser]
            self.players = {
                "discriminator": Player(("discriminator.",), own),
                "generator": Player(GENERATOR, RULES["rmsprop"]),
            }
            self.monitor = None  # in a game of two players no loss need fall
        if config.residual:
            # Initially it copies the last frame, the best prediction of natural video without learning.
            init.zeros_(self.decoder.layers[0].get_parameter("weight"))
        elif config.saturate:
            # Initially grey, since clipped values have no gradient.
            init.constant_(self.decoder.layers[0].get_parameter("bias"), 0.5)

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """For video from a camera, or in colour: the network that moves the last frame, on patches."""
        if len(example.shape) != 3 or not _natural(sample.x):
            return Usual()
        side = min(SIDE, *example.shape[1:])
        within = float(sample.x.min()) >= 0 and float(sample.x.max()) <= 1
        return Usual(
            config=NATURAL if within else {**NATURAL, "saturate": False},
            view=View(frames=NATURAL["seen"] + 1, patch=side, augment=("mirror", "flip", "reverse")),
            recipe=Recipe(optimiser=Optimiser(learning_rate=2e-3), batch_size=8, clip=1.0),
            because="frames have colours or texture, as a camera's: what was there is moved, and the rest changed",
        )

    # -------- what it does

    def decode(self, features: Features) -> Images:
        """The frame decoded from a hidden state, (2) and (3), clipped; with `residual` the change, from -1 to 1."""
        hidden, *lower = self._hidden(features)
        y = self.decoder(self.adapter(hidden), (self.shape[1], self.shape[2]), lower[::-1])[:, -self.shape[0] :]
        return y.clamp(-1.0 if self.config.residual else 0.0, 1.0) if self.config.saturate else y

    def encode(self, x: Video) -> Features:
        """Hidden state after the last frame, laid out as a vector; of a gru-rcn all states, the highest first."""
        state = self._after(x).states[-1]
        hidden = state if self._several else state[:1]
        return torch.cat([level.flatten(1) for level in hidden], 1)

    def activations(self, x: Video, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Maps `encoder.1`, ... of every frame, `hidden` and an lstm's `cell` state: (batch, time, ...).

        Of a gru-rcn `hidden` is the highest state, `hidden.1`, ... are those below, from the lowest upwards.
        """
        maps = self.encoder.maps(self._frames(x, None))
        batch_first = [m.unflatten(0, (x.shape[1], x.shape[0])).transpose(0, 1) for m in maps]
        found = {f"encoder.{number}": m for number, m in enumerate(batch_first, 1)}
        states = zip(*self._watch(x).states, strict=True)
        lower = [f"hidden.{number}" for number in range(len(maps) - 1, 0, -1)]
        kinds = ["hidden", *lower] if self._several else ["hidden", "cell"]
        found |= {name: torch.stack(kind, 1) for name, kind in zip(kinds, states, strict=False)}
        return chosen(found, names)

    def filters(self) -> Images:
        """Filters of the encoder's first layer; those for changes are left of those for the frame, the oldest first."""
        weight = self.encoder.downs[0].convolution.weight.detach()
        return torch.cat(weight.unflatten(1, (self.config.seen, self.shape[0])).flip(1).unbind(1), -1)

    # -------- learning

    def stages(self) -> Sequence[Stage]:
        """One stage; the two players of equation (6) have their own optimisers, with constant learning rates."""
        recipe = replace(self.recipe, schedule="constant") if self.config.adversarial else self.recipe
        return (Stage("train", self, recipe, Stream(self.view)),)

    # -------- how

    @property
    def _several(self) -> bool:
        """Whether the core has a state at every level, the highest first, and not at the highest alone."""
        return self.config.core == "gru-rcn"

    def _frames(self, x: Examples, before: Watched | None) -> Frames:
        """All frames with the changes before them, time by time: (time * batch, channel, height, width)."""
        if x.ndim != 5 or x.shape[1] < 1 or x.shape[2] != self.shape[0]:
            raise DataError(f"pgn is for video (batch, time, {self.shape[0]}, height, width); this is {tuple(x.shape)}")
        if self.config.core == "lstm" and tuple(x.shape[2:]) != self.shape:
            size, wanted = ("x".join(str(side) for side in s[-2:]) for s in (x.shape, self.shape))
            raise SizeError(f"an lstm built for frames of {wanted} cannot look at {size}; resize, or use core convgru")
        seen = with_changes(x, self._earlier(x, before)) if self.config.seen > 1 else x
        return seen.transpose(0, 1).flatten(0, 1)

    def _after(self, context: Video) -> Watched:
        """What is known after the last frame; without a memory only the frames that are seen at once count."""
        if not self.core.remembers and context.shape[1] > 1:
            return self._watch(context[:, -1:], Watched([], [], self._recent(context[:, :-1], None)))
        watched, last = self._watch(context), slice(-context.shape[0], None)
        moving = None if watched.moving is None else watched.moving[last]
        return replace(watched, below=[maps[last] for maps in watched.below], moving=moving)

    def _lower(self, states: list[State]) -> list[Tensor]:
        """States below the highest in a gru-rcn, the lowest first: (time * batch, ...)."""
        if not self._several:
            return []
        return [torch.cat(level) for level in reversed(list(zip(*states, strict=True))[1:])]

    def _levels(self, stack: Sequence[Layer]) -> list[Shape]:
        """Shape of the encoder's maps at each layer."""
        after = sizes(stack, (self.shape[1], self.shape[2]))[1:]
        return [(layer.filters, *size) for layer, size in zip(stack, after, strict=True)]

    def _hidden(self, features: Features) -> list[Tensor]:
        """The hidden state that features are, as `encode` lays it out."""
        if self.config.core == "lstm":
            return [features]
        *lower, top = self._levels(self.encoder.stack)
        shapes = [(self.config.units, *top[1:])]
        shapes += lower[::-1] if self._several else []
        parts = features.split([torch.Size(shape).numel() for shape in shapes], 1)
        return [part.unflatten(1, shape) for part, shape in zip(parts, shapes, strict=True)]

    def _earlier(self, x: Video, before: Watched | None) -> Earlier:
        """The frames before the first that are seen with it; where there are none, they are taken to equal it."""
        return x[:, :1].expand(-1, self.config.seen - 1, -1, -1, -1) if before is None else before.recent

    def _recent(self, x: Video, before: Watched | None) -> Earlier:
        """The last frames, one fewer than are seen at once."""
        both = torch.cat([self._earlier(x, before), x], 1)
        return both[:, both.shape[1] - (self.config.seen - 1) :]

    def _decoded(self, hidden: Tensor, last: Images, watched: Watched) -> Tensor:
        """The output of the decoder for a frame of the size of `last`, less where nothing moved, equation (10)."""
        y = self.decoder(self.adapter(hidden), frame_size(last), watched.below).to(last.dtype)
        return y if watched.moving is None else watched.moving * y

    def _moving(self, seen: Frames) -> Share | None:
        """Where the frames that are seen at once moved, g in (10); None without `motion`, or where one is seen."""
        changes = seen[:, self.shape[0] :]
        return share_moving(changes) if self.config.motion and changes.shape[1] else None

    def _before(self, x: Examples) -> Video:
        """All frames but the last."""
        if x.ndim != 5 or x.shape[1] < 2:
            raise DataError(
                f"windows of {x.shape[1] if x.ndim == 5 else 1} frame have no next frame to predict;\n"
                "give video and at least 2 frames: --frames 20"
            )
        return x[:, :-1]


def _refuse_contradictions(config: PGN.Config) -> None:
    if config.target == "last" and config.residual:
        raise ConfigError("the last frame seen plus a change gives itself back at once; add --no-residual")
    if config.target == "last" and config.scheduled_sampling:
        raise ConfigError("scheduled sampling shows predictions, and target last makes none; leave one out")
    if config.always_true > 1 and not config.scheduled_sampling:
        raise ConfigError("without scheduled sampling all frames are true; leave out always_true")
    if not config.adversarial and not config.squared_error:
        raise ConfigError("with neither squared error nor adversarial loss there is nothing to learn from")
    if config.skips and config.core == "gru-rcn":
        raise ConfigError("a gru-rcn gives the decoder the states of all layers already: --no-skips")
    if config.motion and not config.residual:
        raise ConfigError("what was moved is then changed: leave out either motion or --no-residual")


def _squares(difference: Future) -> Tensor:
    """Sum of squares of each frame, mean over the frames of a window: (batch,)."""
    return difference.square().sum((2, 3, 4)).mean(1)


def _natural(frames: Images) -> bool:
    """Whether frames have colours, or texture: in drawn ones neighbouring pixels are mostly alike."""
    return frames.shape[1] > 1 or float((frames.diff(dim=-1) == 0).float().mean()) < FLAT


@dataclass(frozen=True)
class Watched:
    """What the network knows after some frames."""

    states: list[State]
    """After each frame."""
    below: list[Tensor]
    """With `skips`, maps of the encoder's lower layers, of a gru-rcn their states: (time * batch, ...)."""
    recent: Earlier
    """The last frames, one fewer than the encoder sees at once."""
    moving: Share | None = None
    """With `motion`, where they moved, from 0 to 1: (time * batch, 1, height, width)."""


GENERATOR = ("encoder.", "core.", "adapter.", "decoder.")
RULES = {
    "sgd": Optimiser(name="sgd", learning_rate=0.01, momentum=0.5),
    "adam": Optimiser(name="adam", learning_rate=2e-4, betas=(0.5, 0.999)),
    "rmsprop": Optimiser(name="rmsprop", learning_rate=1e-3, decay=0.9),
}
"""Optimisers of the players, those of the paper's code: SGD for the discriminator, RMSprop for the generator."""
STILL = 1e-4
"""Squared error of a pixel, in equation (9), beside which a smaller change counts little: 1 % of white, squared."""
TOLERANCE, NEGLIGIBLE = 0.1, 0.01
"""Fraction by which the error (9) may exceed the lowest so far while later weights are still preferred, and what it may
exceed it by where all that is held out is still: then it is near 0, and says nothing of motion."""
SIDE = 64
"""Side of the patches of natural video in pixels."""
FLAT = 0.5
"""Fraction of neighbouring pixels that are equal, from which on frames are drawn and not filmed."""
NATURAL: dict[str, Any] = {
    "core": "dilated", "units": 64, "filters": (32, 64), "kernels": (4, 4), "strides": (2, 2), "seen": 4, "skips": True,
    "motion": True, "relative": True, "last_only": True,
}  # fmt: skip
"""The network for natural video."""
