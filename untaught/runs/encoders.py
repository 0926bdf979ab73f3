"""Existing encoders: that of a run, or a named network with a file of weights.

A run's config.json describes the encoder that it was given, and the run's own checkpoints hold its weights. So neither
the encoder's run nor its file is needed to use the model later.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from untaught.data.view import View
from untaught.errors import ConfigError, RunError
from untaught.model import Encoding
from untaught.nn.vision_nets import NAMES, VisionNet, vision_net
from untaught.runs.settings import NetworkFile, OwnNetwork, Settings


@dataclass(frozen=True)
class Given:
    """An encoder that a model is built on."""

    network: nn.Module
    """From a batch of examples to features."""
    origin: Settings | NetworkFile | OwnNetwork | None = None
    """The run or the file that it comes from; None for a network of the caller's own."""

    @property
    def recorded(self) -> Settings | NetworkFile | OwnNetwork:
        """What config.json says of it."""
        return self.origin or OwnNetwork(own=type(self.network).__qualname__)

    @property
    def view(self) -> View | None:
        """The view of data under which it was trained; None unless it is a run's model."""
        if isinstance(self.origin, Settings):
            return self.origin.view.undrawn
        own = self.network.view if isinstance(self.network, Encoding) else None
        return None if own is None else own.undrawn


def network_file(text: str) -> NetworkFile | None:
    """A network and its file, `vgg16:weights.safetensors`; None if the text is anything else.

    Example:
        >>> network_file("vgg16:weights.pt"), network_file("runs/vgg16")
        (NetworkFile(network='vgg16', file='weights.pt'), None)
    """
    name, colon, file = text.partition(":")
    return NetworkFile(network=name, file=file) if colon and file and name in NAMES else None


class Convolutions(nn.Module):
    """The convolutional part of a vision network as an encoder."""

    def __init__(self, network: VisionNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Mean over positions of each map of the last layer, `(batch, map)`."""
        return self.network.encode(x)


def network_encoder(asked: NetworkFile, weights: bool = True) -> Encoding:
    """The encoder of a named network: its convolutions. A file may hold its classifier too, which is not used.

    Args:
        asked: The network and its file.
        weights: Whether to read the file; otherwise weights are random, to be replaced by those of a checkpoint.

    Raises:
        ConfigError: No network has that name, or the weights do not fit its convolutions.
        RunError: The file cannot be read, or holds more than tensors.
    """
    if asked.network not in NAMES:
        raise ConfigError(f"no network is called {asked.network!r}; there are: {', '.join(NAMES)}")
    network = vision_net(asked.network, classes=None)
    if weights:
        read = read_weights(Path(asked.file))
        held = {name: value for name, value in read.items() if not name.startswith("classifier.")}
        refuse_other_weights(network, held, asked)
        network.load_state_dict(held)
    return Encoding(Convolutions(network))


def whole_network(asked: NetworkFile) -> VisionNet:
    """A named network with all weights of its file, its classifier too where the file has one.

    Raises:
        ConfigError: No network has that name, or the weights do not fit it.
        RunError: The file cannot be read, or holds more than tensors.
    """
    if asked.network not in NAMES:
        raise ConfigError(f"no network is called {asked.network!r}; there are: {', '.join(NAMES)}")
    held = read_weights(Path(asked.file))
    last = held.get("classifier.6.bias")
    with torch.device("meta"):
        network = vision_net(asked.network, None if last is None else len(last))
    refuse_other_weights(network, held, asked)
    network.load_state_dict(held, assign=True)
    return network.eval()


def refuse_other_weights(network: nn.Module, held: dict[str, Tensor], asked: NetworkFile) -> None:
    """Compare names and shapes of weights.

    Raises:
        ConfigError: They differ; the message names the first that does.
    """
    for name, own in network.state_dict().items():
        if name not in held:
            raise ConfigError(f"{asked.file} has no {name}, so it is no file of {asked.network}")
        if held[name].shape != own.shape:
            raise ConfigError(
                f"{asked.file} has {name} of {tuple(held[name].shape)}, and {asked.network} has {tuple(own.shape)}"
            )
    more = held.keys() - network.state_dict().keys()
    if more:
        raise ConfigError(f"{asked.file} has {min(more)}, which {asked.network} has not")


def read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file, or of a torch file that holds nothing else; nothing in it is executed.

    Raises:
        RunError: It cannot be read, or holds more than tensors.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        held = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # torch's reader raises different errors for different content
        raise RunError(f"{path} is no file of tensors alone, so it is not opened") from error
    if not isinstance(held, dict) or not all(isinstance(value, Tensor) for value in held.values()):
        raise RunError(f"{path} holds more than named tensors; save a network's state_dict")
    return held
