"""What goes between page and server: numbers and pictures as bytes, behind a line of JSON that says what they are.

A message is the length of its head, four bytes, little end first; the head, JSON, filled with spaces; then the arrays
that it lists, float32 or bytes, each begun at a multiple of four.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from untaught.errors import ConfigError
from untaught.shapes import Images

ALIGNED = 4


def pack(head: Mapping[str, Any], arrays: Mapping[str, Tensor]) -> bytes:
    """One message: bytes stay bytes, other numbers become float32.

    Example:
        >>> message = pack({"told": "two"}, {"pair": torch.zeros(2)})
        >>> len(message) % 4, message[-8:] == bytes(8)
        (0, True)
    """
    stored = {name: x if x.dtype == torch.uint8 else x.float() for name, x in arrays.items()}
    listed = [[name, "u1" if x.dtype == torch.uint8 else "f4", list(x.shape)] for name, x in stored.items()]
    text = json.dumps({**finite(dict(head)), "arrays": listed}).encode()
    text += b" " * (-len(text) % ALIGNED)
    parts = [len(text).to_bytes(4, "little"), text]
    for x in stored.values():
        content = x.detach().cpu().contiguous().numpy().tobytes()
        parts.append(content + b"\0" * (-len(content) % ALIGNED))
    return b"".join(parts)


def floats(body: bytes, count: int) -> Tensor:
    """The finite numbers of a request, as many as there must be; a NaN is kept, it says that a number is not given.

    Raises:
        ConfigError: There are more or fewer, or some are infinite.
    """
    if len(body) != 4 * count:
        raise ConfigError(f"{len(body):,} bytes came where {count:,} numbers of 4 bytes belong")
    found = np.frombuffer(body, dtype="<f4").astype(np.float32)
    if np.isinf(found).any():
        raise ConfigError("a number that was sent is infinite")
    return torch.from_numpy(found)


def as_bytes(images: Images, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Pictures as bytes `(batch, 1 or 3, height, width)`: of two or more than four channels their mean, no opacity."""
    channels = images.shape[1]
    shown = images[:, :3] if channels in (3, 4) else images if channels == 1 else images.mean(1, keepdim=True)
    return ((shown.detach().cpu() - low) / (high - low)).clamp(0, 1).mul(255).round().byte()


def finite(value: Any) -> Any:
    """The same with None for numbers that JSON cannot hold."""
    match value:
        case dict():
            return {str(key): finite(one) for key, one in cast(dict[Any, Any], value).items()}
        case list() | tuple():
            return [finite(one) for one in cast(list[Any], value)]
        case float():
            return value if math.isfinite(value) else None
        case _:
            return value
