"""Codes by linear and logistic planes, as baselines of a model's codes.

pca            principal components
logistic_pca   the plane of logits, of values in [0, 1] that are no word probabilities, where that is not too much work
lsa            latent semantic analysis, of word probabilities
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from untaught.evaluate.baselines.latent_semantic import is_bag_of_words, latent_semantic
from untaught.evaluate.baselines.logistic_principal import logistic_principal, possible
from untaught.nn.principal import principal
from untaught.shapes import Vectors

Given = Float[Tensor, "given feature"]
Codes = Float[Tensor, "given component"]


def plane_codes(train: Vectors, given: Given, components: int) -> dict[str, Codes]:
    """Codes of given examples, by the name of the plane that was fitted on training examples.

    Components beyond the number of values or of training examples are 0.

    Example:
        >>> import torch
        >>> {name: tuple(code.shape) for name, code in plane_codes(torch.rand(9, 5), torch.rand(4, 5), 2).items()}
        {'pca': (4, 2), 'logistic_pca': (4, 2)}
    """
    codes = {"pca": principal(train, components).encode(given)}
    if is_bag_of_words(train):
        codes["lsa"] = latent_semantic(train, components).encode(given)
    elif possible(train, components):
        codes["logistic_pca"] = logistic_principal(train, components).encode(given)
    return {name: functional.pad(code, (0, components - code.shape[1])) for name, code in codes.items()}
