"""Historical averaging: a penalty on parameters that are far from where they were on average.

    m_t = m_{t-1} + (w_t - m_{t-1}) / t                             (1)
    penalty = sum |w_t - m_t|^2                                     (2)

w_t are a player's parameters at its update t. Players that circle around an equilibrium are drawn into it.

References:
    Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen (2016). Improved techniques for training GANs.
"""

from __future__ import annotations

import torch
from torch import nn

from untaught.shapes import Scalar


class ParameterHistory(nn.Module):
    """The mean of a network's parameters over all its updates.

    Example:
        >>> network = nn.Linear(2, 2)
        >>> history = ParameterHistory(network)
        >>> float(history.penalty(network))
        0.0
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.updates = nn.Buffer(torch.zeros(()))
        for number, value in enumerate(network.parameters()):
            self.register_buffer(f"mean_{number}", value.detach().clone())

    def penalty(self, network: nn.Module) -> Scalar:
        """Count the parameters as they are, equation (1), and give how far they are from their mean, equation (2)."""
        means = [mean for name, mean in self.named_buffers() if name != "updates"]
        with torch.no_grad():
            self.updates += 1
            for mean, own in zip(means, network.parameters(), strict=True):
                mean += (own - mean) / self.updates
        apart = [(own - mean).square().sum() for mean, own in zip(means, network.parameters(), strict=True)]
        return torch.stack(apart).sum()
