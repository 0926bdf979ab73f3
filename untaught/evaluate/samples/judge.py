"""A small classifier of the data's own classes, through whose features samples are compared: the recipe `v1`.

    5x5, 32 maps, step 2; 3x3, 64 maps, step 2; 3x3, 64 maps; each with ReLU
    mean over 4 x 4 squares (as many as there are, where maps are smaller); 128 units with ReLU: the features
    dropout of half of them; one unit for each class, softmax

It is trained on at most 20,000 labelled training examples, in [0, 1], with cross-entropy in batches of 128: 30 epochs
and at most 800 steps of Adam, the learning rate 3e-3 falling to 0 on a cosine. Its seed is its own, so that every run
on one set of data is judged by the same classifier, which is kept in the user's cache folder. A number that it gives
is comparable with others by it alone: not with those of Inception, nor across sets of data.
"""

from __future__ import annotations

import hashlib
import math
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from untaught.data.reading.download import cache_folder
from untaught.randomness import seeded
from untaught.shapes import Features, Images, Labels

RECIPE = "v1"
FEATURES, SQUARES = 128, 4
EPOCHS, STEPS, BATCH, RATE = 30, 800, 128, 3e-3
MOST = 20_000
"""Training examples of the classifier."""
SMALLEST = 8
"""Side of the smallest pictures that it takes."""


class Judge(nn.Module):
    """The classifier.

    Example:
        >>> judge = Judge((1, 28, 28), 10)
        >>> judge.features(torch.zeros(3, 1, 28, 28)).shape, judge(torch.zeros(3, 1, 28, 28)).shape
        (torch.Size([3, 128]), torch.Size([3, 10]))
    """

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        channels, *sides = shape
        squares = [min(SQUARES, math.ceil(side / 4)) for side in sides]
        self.maps = nn.Sequential(
            nn.Conv2d(channels, 32, 5, 2, 2), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(),
            nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(), nn.AdaptiveAvgPool2d((squares[0], squares[1])), nn.Flatten(),
        )  # fmt: skip
        self.units = nn.Linear(64 * math.prod(squares), FEATURES)
        self.classes = nn.Linear(FEATURES, classes)

    def features(self, x: Images) -> Features:
        """What samples are compared by."""
        return torch.relu(self.units(self.maps(x - 0.5)))

    def forward(self, x: Images) -> Features:
        """Logits of the classes."""
        return self.classes(F.dropout(self.features(x), 0.5, self.training))


@dataclass(frozen=True)
class Opinion:
    """What a judge makes of examples."""

    features: Features
    probabilities: Float[Tensor, "batch class"]


def opinion(judge: Judge, x: Images) -> Opinion:
    """Features and class probabilities, in evaluation mode."""
    judge.eval()
    with torch.no_grad():
        features = torch.cat([judge.features(some) for some in x.split(512)])
        return Opinion(features, torch.softmax(judge.classes(features), 1))


def judge_for(x: Images, label: Labels, kept: Path | None = None) -> Judge:
    """The classifier of some labelled pictures: from the cache, or trained now.

    Args:
        x: Pictures in [0, 1], on the CPU.
        label: Their classes, counted from 0.
        kept: The folder of trained judges; none takes the user's cache folder.
    """
    x, label = x[:MOST], label[:MOST]
    with seeded(0):
        judge = Judge(tuple(x.shape[1:]), int(label.max()) + 1)
    path = (kept or cache_folder() / "judges") / f"{digest(x, label)}.safetensors"
    if path.exists():
        # What was damaged is trained again.
        with suppress(SafetensorError, RuntimeError):
            judge.load_state_dict(load_file(path))
            return judge.eval()
    _train(judge, x, label)
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(f".{os.getpid()}.part")
    save_file(judge.state_dict(), whole)
    whole.replace(path)
    return judge


def digest(x: Images, label: Labels) -> str:
    """What tells the judge of these pictures from every other one."""
    x, label = x[:MOST], label[:MOST]
    found = hashlib.sha256(f"{RECIPE} {tuple(x.shape)}".encode())
    found.update(x.contiguous().numpy().tobytes())
    found.update(label.contiguous().numpy().tobytes())
    return found.hexdigest()[:32]


def _train(judge: Judge, x: Images, label: Labels) -> None:
    steps = min(STEPS, EPOCHS * math.ceil(len(x) / BATCH))
    rule = torch.optim.Adam(judge.parameters(), lr=RATE)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(rule, steps)
    judge.train()
    with seeded(0), torch.enable_grad():
        for _ in range(steps):
            chosen = torch.randint(len(x), (min(BATCH, len(x)),))
            loss = F.cross_entropy(judge(x[chosen]), label[chosen])
            rule.zero_grad()
            loss.backward()
            rule.step()
            falling.step()
    judge.eval()
