"""What of a run's model is exported: networks by capability, which take and give pixels in [0, 1].

Standardisation is part of every network, so whoever uses one needs neither the run nor its statistics.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from untaught.data.view import Statistics
from untaught.errors import ConfigError, UntaughtError
from untaught.model import Classifies, Decodes, Encodes, Generates, Model, Predicts, Translates, in_words, model_name
from untaught.randomness import seeded
from untaught.shapes import Shape


class Network(nn.Module):
    """One function of a model, from pixels to what it gives, as a network of its own."""

    def __init__(self, name: str, model: Model, function: Callable[[Tensor], Tensor], tried: Tensor) -> None:
        """Take a function of a model.

        Arguments:
            name: What the network is called: encoder, decoder, ...
            model: Whose weights it uses.
            function: From a batch of inputs to a batch of outputs.
            tried: Inputs that it takes, by which it is traced and checked.
        """
        super().__init__()
        self.model, self.name, self.function, self.tried = model, name, function, tried

    def forward(self, x: Tensor) -> Tensor:
        """What the function gives, in float32."""
        return self.function(x).float()


@dataclass(frozen=True)
class _Kind:
    """One way in which a model with a capability is used."""

    name: str
    needs: type[ABC]
    used: Callable[[Any, Tensor, int], Tensor]
    """What a model gives of what it sees; the number is how many frames are predicted."""
    sees_pixels: bool = True
    gives_pixels: bool = False


KINDS = (
    _Kind("encoder", Encodes, lambda model, x, _: model.encode(x)),
    _Kind("decoder", Decodes, lambda model, x, _: model.decode(x), sees_pixels=False, gives_pixels=True),
    _Kind("generator", Generates, lambda model, x, _: model.generate(x), sees_pixels=False, gives_pixels=True),
    _Kind("predictor", Predicts, lambda model, x, frames: model.predict(x, frames), gives_pixels=True),
    _Kind("classifier", Classifies, lambda model, x, _: model.class_probabilities(x)),
    _Kind("translator", Translates, lambda model, x, _: model.translate(x), gives_pixels=True),
    _Kind("translator-back", Translates, lambda model, x, _: model.translate(x, forward=False), gives_pixels=True),
)
"""In the order in which they are written."""


def networks(model: Model, statistics: Statistics | None = None, frames: int = 1) -> list[Network]:
    """Every network that a model has; one that its configuration leaves out is left out here.

    Arguments:
        model: The model, on the CPU.
        statistics: Mean and deviation by which its data were standardised.
        frames: How many frames a predictor predicts.

    Raises:
        ConfigError: It has none.
    """
    kinds = [kind for kind in KINDS if isinstance(model, kind.needs)]
    found = [_network(kind, model, statistics, frames) for kind in kinds]
    able = [network for network in found if _works(network)]
    if not able:
        wanted = ", ".join(dict.fromkeys(in_words(kind.needs.__name__) for kind in KINDS))
        raise ConfigError(f"{model_name(model)} has no network that can be exported; it would need one of: {wanted}")
    return able


def _network(kind: _Kind, model: Model, statistics: Statistics | None, frames: int) -> Network:
    def function(x: Tensor) -> Tensor:
        seen = statistics.seen(x) if statistics and kind.sees_pixels else x
        given = kind.used(model, seen, frames)
        return statistics.shown(given) if statistics and kind.gives_pixels else given

    return Network(kind.name, model, function, _inputs(kind, model, statistics))


def _works(network: Network) -> bool:
    """Whether this configuration can do what its class can: a machine without classes classifies nothing."""
    try:
        with torch.no_grad(), seeded(0):
            network(network.tried[:1])
    except UntaughtError:
        return False
    return True


def _inputs(kind: _Kind, model: Model, statistics: Statistics | None) -> Tensor:
    """Inputs of a network: examples; for a decoder, features of examples and others that are no larger; drawn codes."""
    frames = model.example.frames
    examples = trial_examples(model.shape, frames)
    if kind.needs is Predicts and frames is not None:
        return examples[:, : max(1, frames - 1)]
    if kind.sees_pixels:
        return examples
    if kind.needs is Generates:
        assert isinstance(model, Generates)
        with torch.no_grad(), seeded(1):
            return model.prior_codes(len(examples)).float()
    if not isinstance(model, Encodes):
        raise ConfigError(f"{model_name(model)} decodes features, but says of no example what they are")
    with torch.no_grad(), seeded(1):
        features = model.encode(statistics.seen(examples) if statistics else examples).float()
        return torch.cat([features[:3], features[3:] * torch.rand_like(features[3:])])


def trial_examples(shape: Shape, frames: int | None = None) -> Tensor:
    """Five examples in [0, 1]: two of noise, a black one, a white one, a ramp; clips where a number of frames is given.

    Example:
        >>> trial_examples((1, 4, 4), frames=3).shape
        torch.Size([5, 3, 1, 4, 4])
    """
    whole = shape if frames is None else (frames, *shape)
    with seeded(0):
        noise = torch.rand(2, *whole)
    ramp = torch.linspace(0, 1, noise[0].numel()).reshape(1, *whole)
    return torch.cat([noise, torch.zeros_like(ramp), torch.ones_like(ramp), ramp])
