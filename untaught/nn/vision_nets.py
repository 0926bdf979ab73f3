"""Networks of computer vision by name, with the names of parameters that published weights have.

    features = mean over positions of the last convolutional maps

AlexNet and VGG (11, 13, 16 and 19 layers) have their parameters under `features.N` and `classifier.N`, as torchvision
names them, so that weights which were learnt elsewhere load from a file. As an encoder a network ends after its
convolutions, which take pictures of any size from 32 x 32 (AlexNet from 64 x 64). Grey pictures are repeated in all
three colour channels.

References:
    Krizhevsky, Sutskever, Hinton (2012). ImageNet classification with deep convolutional neural networks (in the form
    of Krizhevsky (2014). One weird trick for parallelizing convolutional neural networks).
    Simonyan, Zisserman (2015). Very deep convolutional networks for large-scale image recognition.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from untaught.errors import SizeError
from untaught.shapes import Examples, Features, Images

Maps = Float[Tensor, "batch map above across"]

VGG: dict[str, tuple[int, ...]] = {
    "vgg11": (1, 1, 2, 2, 2),
    "vgg13": (2, 2, 2, 2, 2),
    "vgg16": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
}
"""Convolutions of 3x3 between one pooling and the next; table 1 of the paper."""
WIDTHS = (64, 128, 256, 512, 512)
"""Maps of each block."""
NAMES = ("alexnet", *VGG)


class VisionNet(nn.Module):
    """Convolutions, and a classifier above them.

    Args:
        features: From pictures of three colours to maps.
        classifier: From maps of `side` x `side` to logits; empty where there is none.
        side: Height and width to which the maps are averaged for the classifier.
        least: Height and width of the smallest picture that it takes.

    Example:
        >>> vision_net("vgg11").encode(torch.zeros(2, 1, 40, 40)).shape
        torch.Size([2, 512])
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, features: nn.Sequential, classifier: nn.Sequential, side: int, least: int) -> None:
        super().__init__()
        self.features, self.classifier, self.least = features, classifier, least
        self.pool = nn.AdaptiveAvgPool2d((side, side))
        # What published weights expect of pixels in [0, 1]: means and deviations of ImageNet's three colours.
        self.mean = nn.Buffer(torch.tensor([0.485, 0.456, 0.406])[:, None, None], persistent=False)
        self.deviation = nn.Buffer(torch.tensor([0.229, 0.224, 0.225])[:, None, None], persistent=False)

    def forward(self, x: Images) -> Features:
        """Logits of the classes that it was trained on."""
        return self.classifier(self.pool(self.maps(x)).flatten(1))

    def encode(self, x: Examples) -> Features:
        """Mean of each of the last maps."""
        return self.maps(x).mean((2, 3))

    def maps(self, x: Examples) -> Maps:
        """The last convolutional maps.

        Raises:
            SizeError: Examples are no pictures, are too small, or have neither one channel nor three.
        """
        by, least = "x".join(map(str, x.shape[1:])), f"{self.least}x{self.least}"
        if x.ndim != 4 or x.shape[1] not in (1, 3):
            raise SizeError(f"this network looks at grey or colour pictures from {least}, not at examples of {by}")
        if min(x.shape[2:]) < self.least:
            raise SizeError(f"this network looks at pictures from {least}, not at {by}; resize them")
        return self.features((x.expand(-1, 3, -1, -1) - self.mean) / self.deviation)


def vision_net(name: str, classes: int | None = 1000) -> VisionNet:
    """Build a network with new weights.

    Args:
        name: One of `NAMES`.
        classes: Outputs of its classifier; None builds the convolutions alone.
    """
    return _alexnet(classes) if name == "alexnet" else _vgg(VGG[name], classes)


def _vgg(blocks: Sequence[int], classes: int | None) -> VisionNet:
    layers: list[nn.Module] = []
    channels = 3
    for convolutions, width in zip(blocks, WIDTHS, strict=True):
        for _ in range(convolutions):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    dense = [] if classes is None else [
        nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(),
        nn.Linear(4096, classes),
    ]  # fmt: skip
    return VisionNet(nn.Sequential(*layers), nn.Sequential(*dense), side=7, least=32)


def _alexnet(classes: int | None) -> VisionNet:
    features = nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
    )  # fmt: skip
    dense = [] if classes is None else [
        nn.Dropout(), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(),
        nn.Linear(4096, classes),
    ]  # fmt: skip
    return VisionNet(features, nn.Sequential(*dense), side=6, least=64)
