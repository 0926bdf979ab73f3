"""Tensor types by name: what each axis means, and which values are allowed.

The types are jaxtyping annotations: free at run time, checked with beartype in the tests.
Images and video are float32 in [0, 1]; a label that is absent is -1.
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Example:
    """What one example is: its shape, and how many frames it has where it is video.

    Example:
        >>> Example.of((1, 28, 28))
        Example(shape=(1, 28, 28), frames=None)
        >>> Example((3, 64, 64), frames=10).is_video
        True
    """

    shape: Shape
    """(channel, height, width), or (feature,); of video, one frame's."""
    frames: int | None = None
    """Frames of an example of video; None where examples are single frames or vectors."""

    @staticmethod
    def of(what: Example | Shape) -> Example:
        """The example itself, or a single frame or vector of that shape."""
        return what if isinstance(what, Example) else Example(tuple(what))

    @property
    def is_video(self) -> bool:
        """Whether an example has a time axis."""
        return self.frames is not None
