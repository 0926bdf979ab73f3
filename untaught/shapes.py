"""Tensor types by name: what each axis means, and which values are allowed.

The types are jaxtyping annotations: free at run time, checked with beartype in the tests.
Images and video are float32 in [0, 1]; a label that is absent is -1.
"""

from jaxtyping import Float, Int
from torch import Tensor

Images = Float[Tensor, "batch channel height width"]
"""Pictures, values in [0, 1]."""
Video = Float[Tensor, "batch time channel height width"]
"""Clips of equal length, values in [0, 1]."""
Vectors = Float[Tensor, "batch feature"]
"""Examples without spatial structure."""
Examples = Float[Tensor, "batch *example"]
"""Whatever a model was built for: images, video or vectors."""
Features = Float[Tensor, "batch feature"]
"""What `encode` returns."""
Labels = Int[Tensor, " batch"]
"""Class numbers from 0; -1 where the label is absent."""
PerExample = Float[Tensor, " batch"]
"""One number for each example."""
Scalar = Float[Tensor, ""]
"""One number."""

Shape = tuple[int, ...]
"""One example's shape: (channel, height, width), or (feature,). A video's is that of one frame."""
