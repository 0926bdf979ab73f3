"""A discriminator of next frames: tells the true next frame from a proposed one, and gives the adversarial loss.

c are the frames before, x a proposed frame, E a stack of convolutions, R an LSTM with hidden state h_T after the last
of the frames c, A and B fully connected layers with ReLU, B several:

    u = [h_T(E(c)), A(E(x))]                                                   (1)
    p = softmax(W B(u) + w),   (p_proposed, p_real)                            (2)

The discriminator minimises (3) over pairs of the true next frame x and a proposed one x~. The generator minimises (4),
which unlike log p_proposed does not saturate where the discriminator is confident:

    -1/2 (log p_real(x) + log p_proposed(x~))                                  (3)
    -log p_real(x~)                                                            (4)

References:
    Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio (2014). Generative adversarial nets.
    arXiv:1406.2661.
    Glorot, Bengio (2010). Understanding the difficulty of training deep feedforward neural networks (first weights).
    Lotter, Kreiman, Cox (2015). Unsupervised learning of visual structure using predictive generative networks.
    arXiv:1511.06380.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from untaught.nn.convolution import Encoder
from untaught.nn.noise import wide
from untaught.nn.sizes import Layer, sizes
from untaught.nn.temporal.recurrent import LSTM
from untaught.shapes import Images, Scalar, Shape, Video

PROPOSED, REAL = 0, 1


class FrameDiscriminator(nn.Module):
    """Judges a proposed next frame given the frames before it, equations (1) and (2).

    Example:
        >>> network = FrameDiscriminator((1, 8, 8), [Layer(4)], units=6, hidden=(5, 3))
        >>> network(torch.rand(2, 4, 1, 8, 8), torch.rand(2, 1, 8, 8)).shape
        torch.Size([2, 2])
    """

    def __init__(self, shape: Shape, stack: Sequence[Layer], units: int, hidden: Sequence[int]) -> None:
        """Build the network.

        Args:
            shape: One frame's.
            stack: Convolutions that every frame goes through.
            units: Of R, and of A.
            hidden: Units of each layer of B.
        """
        super().__init__()
        self.encoder = Encoder(shape[0], stack)
        seen = stack[-1].filters * torch.Size(sizes(stack, (shape[1], shape[2]))[-1]).numel()
        self.core = LSTM(seen, units)
        self.proposed = nn.Sequential(nn.Flatten(), nn.Linear(seen, units), nn.ReLU())
        layers: list[nn.Module] = []
        for below, above in zip((2 * units, *hidden), hidden, strict=False):
            layers += [nn.Linear(below, above), nn.ReLU()]
        self.head = nn.Sequential(*layers, nn.Linear(hidden[-1] if hidden else 2 * units, 2))
        for module in (*self.proposed, *self.head):
            if isinstance(module, nn.Linear):
                # With torch's smaller default weights it stays at chance for a thousand updates.
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, context: Video, frame: Images) -> Tensor:
        """Logarithms, up to a common constant, of the two probabilities (2), `(batch, 2)`."""
        return self._verdict(self._state(context), frame)

    def _state(self, context: Video) -> Tensor:
        """h_T of equation (1)."""
        maps = self.encoder(context.transpose(0, 1).flatten(0, 1))
        return self.core(maps.unflatten(0, (context.shape[1], len(context))))[-1][0]

    def _verdict(self, state: Tensor, frame: Images) -> Tensor:
        return self.head(torch.cat([state, self.proposed(self.encoder(frame))], 1))

    def telling_apart(self, context: Video, real: Images, proposed: Images) -> tuple[Scalar, Scalar]:
        """Loss (3) in nats, and the fraction of frames that are classified correctly."""
        both = self._verdict(self._state(context).repeat(2, 1), torch.cat([real, proposed]))
        kind = torch.tensor([REAL, PROPOSED], device=both.device).repeat_interleave(len(real))
        return F.cross_entropy(wide(both), kind), (both.argmax(1) == kind).float().mean()

    def being_fooled(self, context: Video, proposed: Images) -> Scalar:
        """Loss (4) of the generator, in nats."""
        return -F.log_softmax(wide(self(context, proposed)), 1)[:, REAL].mean()
