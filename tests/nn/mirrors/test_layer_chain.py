"""Taking networks apart: names, shapes, what cannot be taken apart, what a chain gives."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from untaught.errors import ConfigError
from untaught.nn.mirrors.layer_chain import LayerChain
from untaught.nn.vision_nets import vision_net
from untaught.randomness import seeded


def network() -> nn.Sequential:
    """Two blocks, the second of two convolutions, and two fully connected layers."""
    with seeded(0):
        return nn.Sequential(
            nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
            nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 1), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Flatten(), nn.Linear(16, 6), nn.ReLU(), nn.Dropout(), nn.Linear(6, 2),
        )  # fmt: skip


def test_layers_have_their_names_and_shapes() -> None:
    chain = LayerChain.of(network(), (1, 14, 14))
    after = {name: chain.steps[end - 1].after for name, end in chain.names.items()}
    assert after == {
        "conv1_1": (3, 14, 14), "pool1": (3, 7, 7), "conv2_1": (4, 5, 5), "conv2_2": (4, 5, 5), "pool2": (4, 2, 2),
        "fc3": (6,), "fc4": (2,),
    }  # fmt: skip
    assert chain.levels() == (chain.names["pool1"], chain.names["pool2"])


def test_vgg_has_the_names_of_its_paper() -> None:
    names = [
        "conv1_1",
        "pool1",
        "conv2_1",
        "pool2",
        "conv3_1",
        "conv3_2",
        "pool3",
        "conv4_1",
        "conv4_2",
        "pool4",
        "conv5_1",
        "conv5_2",
        "pool5",
    ]
    assert list(LayerChain.of(vision_net("vgg11-small", 10), (3, 32, 32)).names) == [*names, "fc6", "fc7", "fc8"]


def test_a_chain_gives_what_the_network_gives_and_its_switches() -> None:
    net = network().eval()
    with seeded(1):
        x = torch.rand(3, 1, 14, 14)
    trace = LayerChain.of(net, (1, 14, 14)).run(x)
    torch.testing.assert_close(trace.values[-1], net(x))
    first = F.relu(net[0][1](net[0][0](x)))
    torch.testing.assert_close(trace.values[3], first)
    assert torch.equal(trace.switches[3], F.max_pool2d(first, 2, return_indices=True)[1])
    assert len(trace.switches) == 2 and not trace.switches[3].is_floating_point()


def test_without_pooling_every_layer_is_a_level() -> None:
    chain = LayerChain.of(nn.Sequential(nn.Flatten(), nn.Linear(9, 4), nn.Tanh(), nn.Linear(4, 2)), (1, 3, 3))
    assert chain.names == {"fc1": 3, "fc2": 4} and chain.levels() == (3, 4)


def test_the_activation_below_a_layer_lies_above_the_next_weights() -> None:
    chain = LayerChain.of(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 3), nn.Linear(3, 2)), (4,))
    assert [chain.activation_below(number) is not None for number in (0, 2, 3)] == [False, True, False]


def test_layers_are_chosen_by_name() -> None:
    chain = LayerChain.of(network(), (1, 14, 14))
    assert list(chain.named(["all"])) == list(chain.names)
    assert list(chain.named(["fc3", "pool1"])) == ["pool1", "fc3"]
    with pytest.raises(ConfigError, match=r"no layer is called 'pool9'; there are: conv1_1, pool1, .*fc4"):
        chain.named(["pool9"])


class Skipping(nn.Module):
    """A network that is no chain."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        """A layer, and its input beside it."""
        return x + self.first(x)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (Skipping(), "Skipping is no chain"),
        (nn.Sequential(nn.Softmax(1)), "Softmax has no mirror"),
        (nn.Sequential(nn.Linear(4, 3), nn.Linear(4, 3)), r"Linear cannot follow what gives \(3,\)"),
        (nn.Sequential(nn.Unflatten(1, (1, 2, 2)), nn.MaxPool2d(2, ceil_mode=True)), "has no mirror"),
    ],
)
def test_what_cannot_be_taken_apart_is_refused(module: nn.Module, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        LayerChain.of(module, (4,))
