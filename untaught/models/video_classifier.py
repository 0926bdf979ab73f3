"""Video classifier: an encoder of video and a softmax layer, on frames, on their optical flow, or on both.

    f_t   = flow from x_t to x_t+1, less its mean, in units of 2 pixels; the last is repeated   (1)
    p_s   = softmax(10 W_s E_s(s) + b_s)   of each stream s = x, f                 (2)
    p     = mean_s p_s                                                             (3)
    loss  = -mean_s log p_s(y)                                                     (4)

x is a clip, y its class. `network` chooses E: frames one at a time, convolutions over time (C3D), an LSTM on top of a
convolutional network (LRCN), or convolutional recurrences on several of its levels (GRU-RCN); their equations are in
`untaught.nn.temporal.video_encoders`. Features are means over places and times, which differ little from clip to clip;
ten times as large they are learnt from much sooner. With `stream = both` two encoders learn side by side, each from its
own loss, and their probabilities are averaged: late fusion. (4) is the mean over labelled clips, in nats.

`task` replaces the classes by what video poses without labels: whether it runs forwards, how fast, in which order its
pieces are (`untaught.nn.temporal.pretexts`). Features learnt in this way are asked by `probe` like any others.

References:
    Tran, Bourdev, Fergus, Torresani, Paluri (2015). Learning spatiotemporal features with 3D convolutional networks.
    arXiv:1412.0767.
    Simonyan, Zisserman (2014). Two-stream convolutional networks for action recognition in videos. arXiv:1406.2199.
    Ballas, Yao, Pal, Courville (2016). Delving deeper into convolutional networks for learning video representations.
    arXiv:1511.06432.

Departures:
    Networks are small and begin from random weights; the papers' begin from ImageNet or Sports-1M.
    One softmax layer sees all levels of a GRU-RCN; Ballas et al. average the probabilities of one for each level.
    A flow stream sees the flow of each frame; Simonyan and Zisserman stack ten, which the source `flow:SPEC` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from untaught.capability import Activations, Classifies, Encodes, Poses
from untaught.config import Count, configuration
from untaught.errors import ConfigError, DataError
from untaught.model import Batch, Example, Learner, Loss, Optimiser, Recipe, Smoke, Stage, Stream, Usual, View
from untaught.nn.named import chosen
from untaught.nn.noise import wide
from untaught.nn.optical_flow import optical_flow
from untaught.nn.targets import check_labels, class_losses, label_nats
from untaught.nn.temporal.pretexts import ANSWERS, changed, posed, shown_frames
from untaught.nn.temporal.video_encoders import Kind, VideoEncoder, refuse_short, video_encoder
from untaught.shapes import Examples, Features, Labels, Scalar, Shape, Video

FlowVideo = Float[Tensor, "batch time 2 height width"]

GAIN = 10.0
"""By how much features are enlarged, in equation (2)."""
UNIT = 2.0
"""Pixels of flow that are 1, in equation (1)."""
WINDOW, ROUNDS = 2.0, 2
"""Of the estimator of flow: small, for clips are."""
LONGEST = 32
"""Frames of a window at most, by default."""


class VideoClassifier(Learner, Classifies, Poses, Encodes, Activations):
    """A softmax layer on an encoder of video.

    Example:
        >>> model = VideoClassifier(VideoClassifier.Config(classes=3, weights=5000), Example((1, 16, 16), frames=8))
        >>> video = torch.rand(2, 8, 1, 16, 16)
        >>> model.class_probabilities(video).shape, model.encode(video).shape
        (torch.Size([2, 3]), torch.Size([2, 15]))

        The weights of a GRU-RCN's recurrences, and of fully connected ones on the same maps, for frames of 24 pixels:

        >>> from untaught.nn.temporal.video_encoders import recurrence_weights
        >>> recurrence_weights(video_encoder("gru-rcn", 1, 20_000), side=24)
        (18630, 6969240)
    """

    def _streams(self, x: Video) -> dict[str, Tensor]:
        """What each encoder sees, equation (1)."""
        found = {"frames": x} if self.config.stream != "flow" else {}
        return found | ({"flow": flow_video(x)} if self.config.stream != "frames" else {})

    def logits(self, x: Video) -> list[Features]:
        """Exponents of (2), for each stream."""
        return [wide(self.outputs[name](GAIN * self.encoders[name](seen))) for name, seen in self._streams(x).items()]

    def class_probabilities(self, x: Examples) -> Features:
        """Equation (3).

        Raises:
            ConfigError: It learnt a task without labels.
        """
        if self.config.task != "classes":
            raise ConfigError(f"it learnt the task {self.config.task!r}, without classes")
        return self._fused(x)

    def _fused(self, x: Video) -> Features:
        """Equation (3)."""
        return torch.stack([torch.softmax(one, 1) for one in self.logits(x)]).mean(0)

    @property
    def answers(self) -> tuple[str, ...]:
        """What its task asks; none where it learns classes."""
        return ANSWERS[self.config.task] if self.config.task != "classes" else ()

    def asked(self, x: Examples, answer: int) -> Examples:
        """Clips whose time was changed so that this is the answer.

        Raises:
            ConfigError: It learns classes.
        """
        if self.config.task == "classes":
            raise ConfigError("it learns classes and asks nothing")
        return changed(x, self.config.task, torch.full((len(x),), answer, device=x.device))

    def answer_probabilities(self, x: Examples) -> Features:
        """Equation (3), of the answers of its task."""
        return self._fused(x)

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Equation (4)."""
        x, label = self._asked(batch)
        every = self.logits(x)
        nats = torch.stack([label_nats(one, label) for one in every]).mean()
        fused = torch.stack([torch.log_softmax(one, 1) for one in every]).logsumexp(0)
        return Loss(nats, {"label_nats": nats.detach(), **class_losses(fused.detach(), label)})

    def encode(self, x: Examples) -> Features:
        """Features of all streams side by side."""
        return torch.cat([self.encoders[name](seen) for name, seen in self._streams(x).items()], 1)

    def _asked(self, batch: Batch) -> tuple[Video, Labels]:
        """Clips and classes; of a task without labels, clips whose time was changed, and how."""
        if self.config.task == "classes":
            return batch.x, batch.label
        return posed(batch.x, self.config.task)

    @configuration
    class Config:
        """What is told apart, by which encoder, of which stream."""

        classes: Count = 10
        """Classes."""
        network: Kind = "gru-rcn"
        """How it looks at time: frames (not at all), conv3d (7 frames at once), cnn-lstm, gru-rcn."""
        stream: Literal["frames", "flow", "both"] = "frames"
        """What it looks at: the frames, their optical flow, or both, by an encoder each."""
        task: Literal["classes", "direction", "speed", "order"] = "classes"
        """What it tells apart: classes, or without labels whether a clip runs forwards, how fast, in which order its
        three pieces are."""
        weights: Count = 20_000
        """Weights of each encoder, about: widths are chosen so that all kinds have as many."""
        stacked: bool = False
        """In a gru-rcn, whether each recurrence also sees the state of the one below."""
        bidirectional: bool = False
        """In a gru-rcn, whether other recurrences run back in time."""

    adapts = {"frames": f"all of a labelled clip, up to {LONGEST}"}
    view = View(frames=16)
    recipe = Recipe(optimiser=Optimiser(learning_rate=3e-3), batch_size=16, clip=1.0)
    monitor = "wrong_class_probability"
    smoke = Smoke(config=Config(classes=3, network="conv3d", weights=300), shape=(1, 8, 8), frames=8, classes=3)
    config: Config

    def __init__(self, config: Config, example: Example | Shape) -> None:
        """Build encoders and softmax layers.

        Raises:
            ConfigError: Examples are no video, or options contradict each other.
            SizeError: Clips are shorter than what the encoder sees at once.
        """
        super().__init__()
        self.config, self.example = config, Example.of(example)
        if len(self.shape) != 3 or self.example.frames is None:
            raise ConfigError(f"video-classifier looks at clips, not at single examples of {self.shape}: --frames 16")
        if config.network != "gru-rcn" and (config.stacked or config.bidirectional):
            raise ConfigError(f"only a gru-rcn is stacked or bidirectional, and the network is {config.network}")
        frames, answers = self.example.frames, config.classes
        if config.task != "classes":
            frames, answers = shown_frames(config.task, frames), len(ANSWERS[config.task])
        seen = {"frames": {"frames": self.shape[0]}, "flow": {"flow": 2}}
        seen["both"] = seen["frames"] | seen["flow"]
        built = {name: self._encoder(channels) for name, channels in seen[config.stream].items()}
        refuse_short(next(iter(built.values())), frames)
        self.encoders = nn.ModuleDict(built)
        self.outputs = nn.ModuleDict({name: nn.Linear(one.features, answers) for name, one in built.items()})

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Whole clips where they have labels, unless they are long."""
        if not example.frames or not bool((sample.label >= 0).any()):
            return Usual()
        return Usual(view=View(frames=min(LONGEST, example.frames)), because="a label is one of a whole clip")

    def stages(self) -> Sequence[Stage]:
        """One; on labelled clips where classes are learnt."""
        return (Stage("train", self, self.recipe, Stream(self.view, labelled=self.config.task == "classes")),)

    def prepare(self, sample: Batch) -> None:
        """Check the labels.

        Raises:
            DataError: There are none, or of one class only, or one is beyond `classes`.
        """
        if self.config.task != "classes":
            return
        check_labels(sample.label, self.config.classes, needed=True)
        if len(sample.label[sample.label >= 0].unique()) < 2 and len(sample.label) > 1:
            raise DataError("all clips are of one class: there is nothing to tell apart; --task direction needs none")

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Features over time of each stream, `frames` and `flow`: (batch, step, feature)."""
        found: dict[str, Tensor] = {}
        for name, seen in self._streams(x).items():
            encoder = self.encoders[name]
            assert isinstance(encoder, VideoEncoder)
            found[name] = encoder.over_time(seen - 0.5)
        return chosen(found, names)

    def _encoder(self, channels: int) -> VideoEncoder:
        c = self.config
        return video_encoder(c.network, channels, c.weights, c.stacked, c.bidirectional)


def flow_video(x: Video) -> FlowVideo:
    """The flow of each frame to the next as a clip of two channels, around 1/2 as grey values are."""
    if x.shape[1] < 2:
        return x.new_full((len(x), 1, 2, *x.shape[-2:]), 0.5)
    with torch.no_grad():
        flow = optical_flow(x[:, :-1].flatten(0, 1), x[:, 1:].flatten(0, 1), WINDOW, ROUNDS)
    flow = (flow - flow.mean((2, 3), keepdim=True)).unflatten(0, (len(x), -1)) / UNIT
    return torch.cat([flow, flow[:, -1:]], 1).clamp(-3, 3) + 0.5
