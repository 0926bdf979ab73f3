"""A lopsided solid whose silhouette tells how it was turned."""

import math

import torch
from torch import Tensor

SOLID = torch.tensor([[0.0, 0.0, 3.0], [1.5, -1.0, -0.5], [-2.0, -0.5, 0.3], [0.4, 2.0, -1.0]])
FACES = torch.tensor([[0, 1, 3], [0, 3, 2], [0, 2, 1], [1, 2, 3]])


def corners(pan: float, roll: float, vertices: Tensor) -> list[tuple[float, float]]:
    """Where vertices lie in a picture, right and up: a pan to the right, a roll anticlockwise."""
    found: list[tuple[float, float]] = []
    for x, y, z in vertices.tolist():
        right = x * math.cos(pan) + z * math.sin(pan)
        found.append((right * math.cos(roll) - y * math.sin(roll), right * math.sin(roll) + y * math.cos(roll)))
    return found
