"""Networks of computer vision by name, with the names of parameters that published weights have.

    features = mean over positions of the last convolutional maps

AlexNet and VGG (11, 13, 16 and 19 layers) have their parameters under `features.N` and `classifier.N`, as torchvision
names them, so that weights which were learnt elsewhere load from a file. As an encoder a network ends after its
convolutions, which take pictures of any size from 32 x 32 (AlexNet from 64 x 64). Grey pictures are repeated in all
three colour channels. `alexnet-lrn` has local response normalisation after its first two convolutions. The `-small`
variants are for pictures of 32 x 32: the same layers with fewer units in the classifier, and AlexNet's first filters
with a stride of 1; their parameters have the same names.

References:
    Krizhevsky, Sutskever, Hinton (2012). ImageNet classification with deep convolutional neural networks (in the form
    of Krizhevsky (2014). One weird trick for parallelizing convolutional neural networks; the constants of local
    response normalisation are those of 2012).
    Simonyan, Zisserman (2015). Very deep convolutional networks for large-scale image recognition.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from untaught.errors import SizeError
from untaught.nn.convolution import Convolution
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
SMALL = "-small"
"""The end of the names of variants for small pictures."""
NAMES = ("alexnet", *VGG, "alexnet-lrn", "alexnet-small", *(name + SMALL for name in VGG))
DENSE, SMALL_DENSE = 4096, 512
"""Units of each hidden layer of the classifier."""


class Standardising(nn.Module):
    """Pictures less a mean, divided by a deviation; by default colours as published weights expect them.

    Args:
        mean: What is taken off; by default the means of ImageNet's three colours, and grey pictures have all three.
        deviation: What is divided by.

    Example:
        >>> Standardising()(torch.zeros(2, 1, 5, 5)).shape
        torch.Size([2, 3, 5, 5])
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: Tensor | None = None, deviation: Tensor | None = None) -> None:
        super().__init__()
        self.coloured = mean is None
        # They are no weights of a file, so they are there even where a network is made without memory.
        published = _each_colour(0.485, 0.456, 0.406), _each_colour(0.229, 0.224, 0.225)
        self.mean = nn.Buffer(published[0] if mean is None else mean, persistent=False)
        self.deviation = nn.Buffer(published[1] if deviation is None else deviation, persistent=False)

    def forward(self, x: Images) -> Float[Tensor, "batch colour height width"]:
        """Standardised pictures, from pixels in [0, 1]."""
        return ((x.expand(-1, 3, -1, -1) if self.coloured else x) - self.mean) / self.deviation


class VisionNet(nn.Module):
    """Convolutions, and a classifier above them.

    Args:
        features: From pictures of three colours to maps.
        classifier: From maps of `side` x `side` to logits; empty where there is none.
        side: Height and width to which the maps are averaged for the classifier; without one to a single place.
        least: Height and width of the smallest picture that it takes.

    Example:
        >>> vision_net("vgg11-small").encode(torch.zeros(2, 1, 40, 40)).shape
        torch.Size([2, 512])
    """

    def __init__(self, features: nn.Sequential, classifier: nn.Sequential, side: int, least: int) -> None:
        super().__init__()
        self.features, self.classifier, self.least = features, classifier, least
        self.pool = nn.AdaptiveAvgPool2d(side if len(classifier) else 1)
        self.colours = Standardising()

    def forward(self, x: Images) -> Features:
        """Logits of the classes that it was trained on; without a classifier what `encode` gives."""
        return self.classifier(self.pool(self.maps(x)).flatten(1))

    def encode(self, x: Examples) -> Features:
        """Mean of each of the last maps."""
        return self.maps(x).mean((2, 3))

    @property
    def chain(self) -> tuple[nn.Module, ...]:
        """Its layers in order."""
        return (self.colours, *self.features, self.pool, nn.Flatten(), *self.classifier)

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
        return self.features(self.colours(x))


def _each_colour(*values: float) -> Tensor:
    return torch.tensor(values, device="cpu")[:, None, None]


def vision_net(name: str, classes: int | None = 1000) -> VisionNet:
    """Build a network with new weights.

    Args:
        name: One of `NAMES`.
        classes: Outputs of its classifier; None builds the convolutions alone.
    """
    if name in ("alexnet", "alexnet-lrn"):
        return _alexnet(classes, normalised=name != "alexnet")
    small = name.endswith(SMALL)
    kind = name.removesuffix(SMALL)
    return _small_alexnet(classes) if kind == "alexnet" else _vgg(VGG[kind], classes, small)


def convolution_blocks(
    blocks: Sequence[int], widths: Sequence[int] = WIDTHS, channels: int = 3, last: int = 2
) -> tuple[nn.Module, ...]:
    """The layers of VGG: blocks of 3x3 convolutions with ReLU units, each followed by pooling.

    Args:
        blocks: Convolutions in each block.
        widths: Maps of each block.
        channels: Channels of a picture.
        last: Side of the last pooling's windows; those of the others are of 2x2.
    """
    layers: list[nn.Module] = []
    sides = [*[2] * (len(blocks) - 1), last]
    for convolutions, width, side in zip(blocks, widths, sides, strict=True):
        for _ in range(convolutions):
            layers += [Convolution(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(side))
    return tuple(layers)


def _vgg(blocks: Sequence[int], classes: int | None, small: bool) -> VisionNet:
    side, units = (1, SMALL_DENSE) if small else (7, DENSE)
    dense = [] if classes is None else [
        nn.Linear(WIDTHS[-1] * side**2, units), nn.ReLU(), nn.Dropout(), nn.Linear(units, units), nn.ReLU(),
        nn.Dropout(), nn.Linear(units, classes),
    ]  # fmt: skip
    return VisionNet(nn.Sequential(*convolution_blocks(blocks)), nn.Sequential(*dense), side, least=32)


def _alexnet(classes: int | None, normalised: bool) -> VisionNet:
    # Inside one step of the chain, so that the numbers of the parameters stay those of published files. Torch divides
    # the published factor 1e-4 by the number of neighbours.
    units = [
        nn.Sequential(nn.ReLU(), nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0)) if normalised else nn.ReLU()
        for _ in range(2)
    ]
    bottom = [
        Convolution(3, 64, 11, stride=4, padding=2), units[0], nn.MaxPool2d(3, 2),
        Convolution(64, 192, 5, padding=2), units[1], nn.MaxPool2d(3, 2),
    ]  # fmt: skip
    return VisionNet(nn.Sequential(*bottom, *_top_of_alexnet()), _judge_of_alexnet(6, DENSE, classes), 6, least=64)


def _small_alexnet(classes: int | None) -> VisionNet:
    bottom = [
        Convolution(3, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        Convolution(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
    ]  # fmt: skip
    return VisionNet(
        nn.Sequential(*bottom, *_top_of_alexnet()), _judge_of_alexnet(3, SMALL_DENSE, classes), side=3, least=32
    )


def _top_of_alexnet() -> tuple[nn.Module, ...]:
    """Its last three convolutions."""
    return (
        Convolution(192, 384, 3, padding=1), nn.ReLU(),
        Convolution(384, 256, 3, padding=1), nn.ReLU(),
        Convolution(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
    )  # fmt: skip


def _judge_of_alexnet(side: int, units: int, classes: int | None) -> nn.Sequential:
    """Its fully connected layers; empty without classes."""
    dense = [] if classes is None else [
        nn.Dropout(), nn.Linear(256 * side**2, units), nn.ReLU(), nn.Dropout(), nn.Linear(units, units), nn.ReLU(),
        nn.Linear(units, classes),
    ]  # fmt: skip
    return nn.Sequential(*dense)
