"""Random draws that are unbiased under reduced precision.

In bfloat16 a uniform draw has 256 levels, and `rand < p` is measurably biased. Probabilities are therefore made in
float32 at least, and every draw in float32, whatever precision the rest of the step has; in float64 the same draws are
made as in float32.
"""

from __future__ import annotations

import torch
from torch import Tensor


def wide(x: Tensor) -> Tensor:
    """At least float32: half precisions are widened, float64 stays.

    Example:
        >>> wide(torch.ones(2, dtype=torch.bfloat16)).dtype, wide(torch.ones(2, dtype=torch.float64)).dtype
        (torch.float32, torch.float64)
    """
    return x if x.dtype == torch.float64 else x.float()


def bernoulli(probability: Tensor) -> Tensor:
    """Draw 0 or 1 with the given probability of 1, of the same shape and type, from torch's ambient generator.

    Example:
        >>> bernoulli(torch.tensor([0.0, 1.0])).tolist()
        [0.0, 1.0]
    """
    uniform = torch.rand(probability.shape, device=probability.device, dtype=torch.float32)
    # In place the comparison writes zeros and ones at once: a quarter of the time that a tensor of truth values takes.
    return uniform.lt_(wide(probability.detach())).to(probability.dtype)
