"""The core without memory: its equation, its reach, and that it remembers nothing."""

import pytest
import torch

from untaught.errors import ConfigError
from untaught.nn.temporal.dilated import Dilated
from untaught.randomness import seeded


def test_layers_look_at_every_second_fourth_and_eighth_position() -> None:
    torch.manual_seed(0)
    core = Dilated(2, 2, 3).double()
    x = torch.rand(1, 2, 40, 40, dtype=torch.float64)
    expected = x
    for number, layer in enumerate(core.layers):
        weight, bias, step = layer.get_parameter("weight"), layer.get_parameter("bias"), 2**number
        padded = torch.nn.functional.pad(expected, (step,) * 4)
        total = bias.view(1, 2, 1, 1) + sum(
            torch.einsum("oc,bchw->bohw", weight[:, :, i, j], padded[..., i * step :, j * step :][..., :40, :40])
            for i in range(3)
            for j in range(3)
        )
        expected = expected + total.relu()
    torch.testing.assert_close(core.drive(x), expected)


def test_it_reaches_fifteen_positions_and_no_further() -> None:
    core = Dilated(1, 1, 3)
    for layer in core.layers:
        torch.nn.init.ones_(layer.get_parameter("weight"))
    x = torch.zeros(1, 1, 1, 41)
    x[..., 20] = 1
    reached = core.drive(x)[0, 0, 0].nonzero()[:, 0]
    assert (int(reached.min()), int(reached.max())) == (5, 35)


def test_only_the_last_input_counts() -> None:
    core = Dilated(2, 2, 3)
    x = torch.rand(3, 1, 2, 5, 5)
    torch.testing.assert_close(core(x)[-1][0], core(x[2:])[-1][0])
    assert not core.remembers


def test_maps_that_cannot_be_added_are_refused() -> None:
    with pytest.raises(ConfigError, match="--units 4"):
        Dilated(4, 8, 3)
    with pytest.raises(ConfigError, match="odd"):
        Dilated(4, 4, 2)


def test_layers_begin_with_the_variance_of_their_inputs() -> None:
    with seeded(0):
        core = Dilated(40, 40, 3)
    for layer in core.layers:
        assert float(layer.get_parameter("weight").detach().var()) == pytest.approx(1 / (40 * 9), rel=0.05)
        assert not layer.get_parameter("bias").any()
