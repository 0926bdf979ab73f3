r"""Sparse codes of a dictionary, as scikit-learn learns it.

    D, a = argmin 1/2 |x - a D|^2 + lambda |a|_1,   |D_k| <= 1                             (1)

The dictionary D has as many atoms as a model has features and is learnt from examples less their mean, divided by their
deviation. Codes a of examples are found by least angle regression; a negative and a positive code of an atom are one
feature.

References:
    Mairal, Bach, Ponce, Sapiro (2009). Online dictionary learning for sparse coding.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

FITTED, BATCH, PASSES, PENALTY = 2_000, 64, 10, 1
"""Examples that the dictionary is learnt from, of which a step takes so many; passes over them; lambda."""
MOST_ATOMS = 256
"""Atoms at most: more take minutes."""


def sparse_codes(batches: Sequence[Tensor], atoms: int, seed: int) -> list[Tensor]:
    """Codes of the examples of several batches; the dictionary is learnt from the first.

    Args:
        batches: Examples as vectors.
        atoms: Atoms of the dictionary.
        seed: Of its first atoms and of the order of examples.
    """
    from sklearn.decomposition import MiniBatchDictionaryLearning

    mean = batches[0].mean(0)
    deviation = (batches[0] - mean).square().mean().sqrt().clamp_min(1e-6)
    learner = MiniBatchDictionaryLearning(
        min(atoms, MOST_ATOMS), alpha=PENALTY, batch_size=BATCH, max_iter=PASSES, transform_algorithm="lasso_lars",
        transform_alpha=PENALTY, random_state=seed,
    )  # fmt: skip
    learner.fit(((batches[0][:FITTED] - mean) / deviation).numpy())
    return [torch.from_numpy(learner.transform(((x - mean) / deviation).numpy())).to(x.dtype) for x in batches]
