"""A stack of convolutional machines: what each sees, the way down, and filters drawn as pictures."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from untaught.data.reading.arrays import from_array
from untaught.errors import ConfigError, SizeError
from untaught.evaluate.drawing.illustrate import illustrate
from untaught.evaluate.subject import Subject
from untaught.models.convolutional_dbn import ConvolutionalDBN
from untaught.randomness import seeded
from untaught.training.fit import Training, train

Config = ConvolutionalDBN.Config


def net(shape: tuple[int, ...] = (2, 7, 9), **changes: object) -> ConvolutionalDBN:
    """Three machines with weights that matter, in float64."""
    with seeded(1):
        config = replace(Config(filters=(3, 4, 2), kernels=(3, 3, 2), pools=(2, 2, 1), initial_scale=2.4), **changes)
        model = ConvolutionalDBN(config, shape).double()
        with torch.no_grad():
            for machine in model.machines:
                machine.hidden_bias.copy_(torch.randn(len(machine.hidden_bias)))
    return model


def test_each_machine_sees_the_pooled_units_below() -> None:
    model, x = net(), torch.rand(2, 2, 7, 9).double()
    first, second, third = model.machines
    seen = [x, first.pooled(x), second.pooled(first.pooled(x))]
    for stage, expected in zip(model.stages(), seen, strict=True):
        assert stage.sees is not None
        torch.testing.assert_close(stage.sees(x), expected)
        assert stage.learner.shape == tuple(expected.shape[1:])
    torch.testing.assert_close(model.encode(x), third.pooled(seen[2]).flatten(1))
    assert list(model.activations(x, ["pooled.2"])) == ["pooled.2"]
    torch.testing.assert_close(model.activations(x)["pooled.2"], seen[2])


def test_only_the_lowest_machine_has_gaussian_pixels() -> None:
    kinds = [machine.config.visible for machine in net(visible="gaussian").machines]
    assert kinds == ["gaussian", "bernoulli", "bernoulli"]
    assert ConvolutionalDBN.view_of(Config(visible="gaussian")).standardise == "all"


def test_the_way_down_goes_through_every_machine() -> None:
    model = net()
    features = torch.rand(2, 2 * 2 * 3).double()
    expected = features
    for machine in reversed(model.machines):
        expected = machine.decode(expected.flatten(1))
    torch.testing.assert_close(model.decode(features), expected)
    assert expected.shape == (2, 2, 7, 9)


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_drawn_filters_are_what_a_unit_adds_up_from_the_pixels(layer: int) -> None:
    """A unit's slope along each pixel, where machines below are linear and pool by averages."""
    model = net((1, 40, 40))
    x = torch.zeros(1, 1, 40, 40, dtype=torch.float64, requires_grad=True)
    seen: Tensor = x
    for machine in model.machines[: layer - 1]:
        maps = machine.hidden_input(seen) - machine.hidden_bias.view(-1, 1, 1)
        seen = torch.nn.functional.avg_pool2d(maps, machine.config.pool)
    maps = model.machines[layer - 1].hidden_input(seen)
    drawn = model.filters(layer)
    for unit, picture in enumerate(drawn):
        (slope,) = torch.autograd.grad(maps[0, unit, maps.shape[2] // 2, maps.shape[3] // 2], x, retain_graph=True)
        rows, columns = (slope[0, 0] != 0).nonzero().unbind(1)
        found = slope[0, :, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        torch.testing.assert_close(found, picture)


def test_every_layer_is_drawn(tmp_path: Path) -> None:
    with seeded(2):
        source = from_array((torch.rand(30, 1, 8, 8) > 0.5).float())
        model = ConvolutionalDBN(replace(ConvolutionalDBN.smoke.config), (1, 8, 8)).eval()
        written = illustrate(Subject(model, source.parts(), ConvolutionalDBN.view), tmp_path)
    assert [path.name for path in written][-2:] == ["filters.png", "filters-2.png"]


def test_every_stage_learns() -> None:
    with seeded(3):
        x = (torch.rand(64, 1, 8, 8) > 0.5).float()
        model = ConvolutionalDBN(ConvolutionalDBN.smoke.config, (1, 8, 8))
    before = [machine.weight.detach().clone() for machine in model.machines]
    last = train(model, x, Training(epochs=1, stage_epochs={"layer-1": 1}, threads=1))
    assert last.stage == "layer-2"
    moved = [(machine.weight.detach() - old).abs().max() for machine, old in zip(model.machines, before, strict=True)]
    assert min(float(m) for m in moved) > 0


def test_bad_configurations_are_named() -> None:
    with pytest.raises(ConfigError, match="kernels has 2 entries for 3 machines"):
        net(kernels=(3, 3))
    with pytest.raises(ConfigError, match="filters is empty"):
        net(filters=())
    with pytest.raises(ConfigError, match="there are 1 to 3"):
        net().filters(4)
    with pytest.raises(SizeError, match="not at shape"):
        ConvolutionalDBN(Config(), (6,))


def test_machines_learn_by_the_settings_of_the_net() -> None:
    config = Config(
        filters=(3, 4), kernels=(3, 2), pools=(2, 3), sparsity=(0.05, 0.02), sparsity_cost=7.0, visible="gaussian",
        deviation=0.6, gibbs_steps=4, initial_scale=0.3,
    )  # fmt: skip
    machines = [machine.config for machine in ConvolutionalDBN(config, (1, 9, 9)).machines]
    for name, values in {
        "filters": [3, 4], "kernel": [3, 2], "pool": [2, 3], "sparsity": [0.05, 0.02], "sparsity_cost": [7.0, 7.0],
        "gibbs_steps": [4, 4], "initial_scale": [0.3, 0.3], "visible": ["gaussian", "bernoulli"],
    }.items():  # fmt: skip
        assert [getattr(own, name) for own in machines] == values, name
    assert machines[0].deviation == 0.6


def test_settings_are_those_of_2009() -> None:
    """Lee et al., natural pictures: 24 filters of 10 x 10, then 100 of 10 x 10, windows of 2 x 2."""
    assert (Config().filters, Config().kernels, Config().pools) == ((24, 100), (10,), (2,))
