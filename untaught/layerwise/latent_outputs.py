"""Models with a density of examples given latents, and which density suits the data.

Pixels of digits are nearly all near 0 or 1, and may be taken as probabilities of ones. Those of faces and photographs
are amounts, for which a Gaussian is the simplest density.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, TypeAlias

import torch

from untaught.errors import ConfigError
from untaught.layerwise.from_components import WARM_UP
from untaught.layerwise.suited import SHARES, amounts, are_documents, in_patches, patches_told
from untaught.layerwise.wide_range import STANDARDISED, standardised_outside
from untaught.model import Batch, Example, Learner, Model, Usual, View
from untaught.nn.latent.densities import OutputDensity, OutputKind

ENOUGH = 100
"""Training examples from which principal components are worth beginning at."""
CLIP = 10.0
"""Largest norm of a gradient where values have no bounds: of few documents with far values one step undid the rest."""
GREY = 0.15
"""Mean distance of values from the nearer of 0 and 1 above which pictures are grey: MNIST 0.03, 8x8 digits 0.11, faces
0.3."""
DENSITIES = {
    "output": f"squashed where pictures have colours or are grey, values on average {GREY} from both 0 and 1; gaussian "
    "for documents and where values lie outside [0, 1]",
    **STANDARDISED,
    **patches_told(),
}
"""How `density_for` chooses, for help and documentation."""


Start: TypeAlias = Literal["random", "pca"]
"""Where learning begins."""
BEGUN = {"start": f"pca where outputs are Gaussian or squashed and training examples at least {ENOUGH}"}
"""How `begun_at_components` chooses, for help and documentation."""


def refuse_start(output: OutputKind) -> None:
    """Refuse a start at principal components with other outputs than Gaussian ones.

    Raises:
        ConfigError: Outputs are Bernoulli.
    """
    if output == "bernoulli":
        raise ConfigError("principal components are those of Gaussian outputs, not Bernoulli: output=squashed")


def begun_at_components(cls: type[Model], found: Usual, sample: Batch) -> Usual:
    """The same choice with a start at principal components where outputs are Gaussian, at a rate that rises slowly.

    Not of few examples: their components leave almost nothing of them over, and far too little of others.
    """
    output = found.config.get("output", "bernoulli")
    if output == "bernoulli" or len(sample.x) < ENOUGH:
        return found
    clip = CLIP if output == "gaussian" else cls.recipe.clip
    begun, slowly = {**found.config, "start": "pca"}, replace(cls.recipe, warm_up=WARM_UP, clip=clip)
    because = f"{found.because}; Gaussian outputs can begin at principal components"
    return replace(found, config=begun, recipe=slowly, because=because, instead=found)


def greyness(sample: Batch) -> float:
    """Mean distance of values from the nearer of 0 and 1.

    Example:
        >>> greyness(Batch.of(torch.tensor([[0.0, 1.0, 0.5, 0.5]])))
        0.25
    """
    return float(torch.minimum(sample.x, 1 - sample.x).mean())


def density_for(cls: type[Model], example: Example, sample: Batch) -> Usual:
    """Gaussian outputs where values are amounts, and a way to standardise those without a natural range."""
    found = standardised_outside(example, sample)
    if found.because:
        found = Usual({"output": "gaussian"}, found.view, because=found.because)
    elif are_documents(example, sample):
        found = Usual({"output": "gaussian"}, View(standardise="pixel"), because=SHARES)
    elif because := amounts(example, sample) or _grey(sample):
        found = Usual({"output": "squashed"}, because=because)
    return in_patches(cls, [found, Usual()] if found.config else [found], example, sample)


def _grey(sample: Batch) -> str:
    middle = greyness(sample)
    return f"values are grey, {middle:.2f} from 0 and 1 on average" if middle > GREY else ""


class DensityModel(Model):
    """A model whose `Config.output` is the kind of density of an example's values."""

    adapts = DENSITIES
    known_shortfalls = {
        "reconstruction": "it learns a density: latents are drawn while it learns, and those that say less than they "
        "cost stay at the prior, where as many principal components all serve the squared error",
        "features": "latents that say little in nats stay at the prior, though a classifier could use them",
    }

    @classmethod
    def usual(cls, example: Example, sample: Batch) -> Usual:
        """Gaussian outputs where values are amounts, not probabilities of ones; patches of few large pictures.

        Where outputs are Gaussian and the model can, a start at principal components.
        """
        found = density_for(cls, example, sample)
        return begun_at_components(cls, found, sample) if "start" in cls.adapts else found

    @classmethod
    def view_of(cls, config: Any) -> View:
        """Bernoulli outputs are densities of pixels that are 0 or 1."""
        return View(binarise=config.output == "bernoulli")


class DensityLearner(DensityModel, Learner):
    """One that learns the density itself, in its `outputs`."""

    outputs: OutputDensity

    def prepare(self, sample: Batch) -> None:
        """Begin at independent values with the data's mean and variance.

        Raises:
            DataError: Values are not probabilities, under Bernoulli outputs.
        """
        self.outputs.look(sample.x.flatten(1))
