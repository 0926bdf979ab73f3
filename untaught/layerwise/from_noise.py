"""Samples of a network that turns noise z, drawn by `prior_codes`, into examples x' = G(z)."""

from __future__ import annotations

from untaught.capability import Generates, Samples
from untaught.model import Learner
from untaught.nn.adversarial.generator_network import Generator
from untaught.shapes import Examples, Features


class FromNoise(Learner, Samples, Generates):
    """A model that samples by its `generator`."""

    generator: Generator

    def generate(self, codes: Features) -> Examples:
        """The samples x' of codes z."""
        return self.generator(codes)

    def sample(self, count: int, label: int | None = None) -> Examples:
        """Draw examples; of one class where the model draws classes.

        Raises:
            ConfigError: There is no such class.
        """
        return self.generator.made(self.prior_codes(count, label))
