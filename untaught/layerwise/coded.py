"""An encoder, a code and a decoder: what is common to autoencoders of two networks.

    z = E(x),   y = g(D(z) + a)     (1)

x is an example, z its code, y the reconstruction; g are output units (`untaught.nn.output_units`), and the offset a
makes y the mean of the data where D(z) is 0; it is set once, before training. A system defines how E's outputs become a
code, and its loss.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from untaught.capability import Activations, Decodes, Encodes, Filters, Reconstructs, TakesEncoder
from untaught.errors import ConfigError
from untaught.layerwise.suited import LIT, SHARES, are_documents, in_patches, patches_told, units_on
from untaught.layerwise.wide_range import LINEAR, linear_outside
from untaught.model import Batch, Example, Learner, Usual, View, view_on
from untaught.nn.coders import Coders, first_weights, outputs, refuse_misfit
from untaught.nn.convolution import Activation
from untaught.nn.corrected import CorrectedDecoder, CorrectedEncoder, begin_at_components
from untaught.nn.named import chosen
from untaught.nn.noise import wide
from untaught.nn.output_units import OutputUnits
from untaught.shapes import Examples, Features, Images, Shape

Values = Float[Tensor, "batch value"]


class Coded(Learner, Encodes, Decodes, Reconstructs, Activations, Filters, TakesEncoder):
    """Two networks with a code between them.

    The `Config` of a system has the fields `coders`, the networks, and `output`.
    """

    adapts = {
        **LINEAR,
        "output": f"linear where values lie outside [0, 1] or sum to more than {LIT}, softmax for documents",
        **patches_told(),
    }

    def __init__(
        self,
        config: Any,
        example: Example | Shape,
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
        code: Activation = "linear",
    ) -> None:
        """Build the networks, or take the caller's own.

        Args:
            config: The system's configuration.
            example: The shape of one example, or its full description.
            encoder: Maps a batch of examples to `latent` numbers each; replaces the one that `config` describes.
            decoder: Maps `latent` numbers each to a batch of examples, before the output units.
            code: Activation of the code layer, of an encoder that is built here.

        Raises:
            ConfigError: A network of the caller's own does not fit, or weights cannot be tied to it.
            SizeError: The examples are too small for the convolutions.
        """
        super().__init__()
        self.config, self.example = config, Example.of(example)
        coders: Coders = config.coders
        if coders.tied and (encoder is not None or decoder is not None):
            raise ConfigError("weights can be tied only where both networks are built here; leave tied out")
        self.view = view_on(encoder, self.view)
        passed = {"encoder": encoder, "decoder": decoder}
        self._passed = tuple(name for name, network in passed.items() if network is not None)
        if encoder is None or decoder is None:
            ours = coders.build(self.shape, code)
            encoder = ours[0] if encoder is None else encoder
            decoder = ours[1] if decoder is None else decoder
        self.encoder, self.decoder = encoder, decoder
        self.offset = nn.Buffer(torch.zeros(self.shape))
        self.outputs = OutputUnits(config.output)
        if coders.start == "pca" and config.output not in ("linear", "clipped"):
            raise ConfigError(f"what begins at principal components has linear or clipped outputs, not {config.output}")
        self.begins_solved = coders.start == "pca"
        refuse_misfit(self.encoder, self.decoder, self.shape, coders.latent)

    @abstractmethod
    def codes(self, x: Examples) -> dict[str, Tensor]:
        """Activations between the networks, by name; `code` is the decoder's input."""

    @classmethod
    def on(cls, config: Any, example: Example | Shape, encoder: nn.Module) -> Self:
        """The system on an existing encoder, whose features are the code."""
        return cls(config, example, encoder)

    @property
    def given(self) -> Mapping[str, nn.Module]:
        """The caller's own networks: the encoder, the decoder, both or none."""
        return {name: self.get_submodule(name) for name in self._passed}

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Linear units and standardised values outside [0, 1] and where many are high, softmax for documents; patches.

        Where many values of an example are high, their common mean outweighs in the code's inputs what tells examples
        apart, and every bit is the same in all of them.
        """
        found, lit = linear_outside(example, sample), units_on(example, sample)
        if not found.config and lit > LIT:
            because = f"the values of an example sum to {lit:.0f}"
            found = Usual({"output": "linear"}, View(standardise="pixel"), because=because)
        if are_documents(example, sample):
            found = Usual({"output": "softmax"}, because=SHARES)
        return in_patches(cls, [found, Usual()] if found.config else [found], example, sample)

    @classmethod
    def takes_probabilities(cls, config: Any) -> bool:
        """Cross-entropy of logistic units does."""
        return config.output == "bernoulli"

    def decode(self, features: Features) -> Examples:
        """Decode codes to examples, equation (1)."""
        return self.outputs(self.output_inputs(features)).unflatten(1, self.shape)

    def reconstruct(self, x: Examples) -> Examples:
        """Reconstruct each example from its code."""
        return self.decode(self.encode(x))

    def filters(self) -> Images:
        """Weights of the first layer."""
        return first_weights(self.encoder, self.shape)

    def activations(self, x: Examples, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Every layer: `encoder.1`, ..., those of `codes`, `decoder.1`, ...; the reconstruction is not included.

        Raises:
            ConfigError: There is no layer of one of the names.
        """
        codes = self.codes(x)
        below, above = outputs(self.encoder, self.seen(x)), outputs(self.decoder, codes["code"])
        found = {f"encoder.{number}": value for number, value in enumerate(below[:-1], 1)} | codes
        return chosen(found | {f"decoder.{number}": value for number, value in enumerate(above[:-1], 1)}, names)

    def prepare(self, sample: Batch) -> None:
        """Find the range of the output units, and the offset with which they give the mean of the data.

        Raises:
            DataError: Values are not probabilities, under cross-entropy.
        """
        values = sample.x.flatten(1)
        self.outputs.look(values)
        if isinstance(self.encoder, CorrectedEncoder) and isinstance(self.decoder, CorrectedDecoder):
            begin_at_components(self.encoder, self.decoder, sample.x, self.encode)
            return
        self.offset.copy_(self.outputs.inputs_for(values.mean(0)).view(self.shape))

    def seen(self, x: Examples) -> Examples:
        """Input of the encoder: for word probabilities log(1 + n x), with n words in the dictionary."""
        return torch.log1p(x * x[0].numel()) if self.config.output == "softmax" else x

    def output_inputs(self, features: Features) -> Values:
        """Inputs D(z) + a of the output units, in full precision."""
        return wide(self.decoder(features)).flatten(1) + self.offset.flatten()
