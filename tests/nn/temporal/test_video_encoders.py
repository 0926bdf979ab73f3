"""Encoders of video: convolutions over time as sums, a GRU as torch's cell, time turned round, what each can see."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from untaught.errors import SizeError
from untaught.nn.temporal.recurrent import ConvGRU
from untaught.nn.temporal.video_encoders import (
    Conv3d,
    Frames,
    GruRcn,
    Kind,
    recurrence_weights,
    refuse_short,
    video_encoder,
)
from untaught.randomness import seeded

KINDS: tuple[Kind, ...] = ("frames", "conv3d", "cnn-lstm", "gru-rcn")


@pytest.fixture
def video() -> torch.Tensor:
    with seeded(0):
        return torch.rand(2, 10, 1, 12, 10)


def test_convolutions_over_time_are_sums_of_convolutions_of_frames(video: torch.Tensor) -> None:
    with seeded(1):
        encoder = Conv3d(1, (3, 4, 5))
    maps = video.transpose(1, 2)
    for layer in encoder.layers:
        weight, bias = layer.get_parameter("weight"), layer.get_parameter("bias")
        steps = [
            sum(F.conv2d(maps[:, :, t + k], weight[:, :, k], padding=1) for k in range(3)) + bias.view(-1, 1, 1)
            for t in range(maps.shape[2] - 2)
        ]
        maps = torch.stack([F.max_pool2d(torch.relu(step), 2) for step in steps], 2)
    torch.testing.assert_close(encoder.over_time(video), maps.mean((-2, -1)).transpose(1, 2))


def test_a_recurrence_with_one_by_one_filters_is_torch_s_cell() -> None:
    """Torch puts the reset gate behind the product U h, so that they agree where it is open: r = 1."""
    with seeded(2):
        ours, cell, x = ConvGRU(3, 4, 1), nn.GRUCell(3, 4), torch.randn(5, 2, 3, 1, 1)
    with torch.no_grad():
        z, r, candidate = ours.input.weight[:, :, 0, 0].chunk(3)
        gates, own = ours.gates.weight[:, :, 0, 0].chunk(2), ours.candidate.weight[:, :, 0, 0]
        b_z, _, b = ours.input.get_parameter("bias").chunk(3)
        ours.input.get_parameter("bias")[4:8] = 50.0
        # Torch's z keeps the old state, ours takes the new one.
        cell.weight_ih.copy_(torch.cat([r, -z, candidate]))
        cell.weight_hh.copy_(torch.cat([gates[1], -gates[0], own]))
        cell.bias_hh.zero_()
        cell.bias_ih.copy_(torch.cat([torch.full((4,), 50.0), -b_z, b]))
    state = torch.zeros(2, 4)
    for found, seen in zip(ours(x), x, strict=True):
        state = cell(seen[:, :, 0, 0], state)
        torch.testing.assert_close(found[0][:, :, 0, 0], state)


def test_both_directions_change_places_where_time_runs_back(video: torch.Tensor) -> None:
    with seeded(3):
        encoder = GruRcn(1, (2, 3, 4), stacked=True, bidirectional=True)
    there = encoder.states(video)
    encoder.cores = nn.ModuleList(reversed(list(encoder.cores)))
    back = encoder.states(video.flip(1))
    for forwards, turned in zip(there, back[3:] + back[:3], strict=True):
        torch.testing.assert_close(forwards, turned.flip(1))


def test_stacked_recurrences_see_the_one_below(video: torch.Tensor) -> None:
    with seeded(4):
        encoder = GruRcn(1, (2, 3, 4), stacked=True)
    first = encoder.cores[0].get_submodule("0").get_parameter("candidate.weight")
    apart, together = GruRcn(1, (2, 3, 4)).states(video), encoder.states(video)
    top = together[2].sum()
    assert apart[2].shape == together[2].shape
    assert bool(torch.autograd.grad(top, first)[0].any())


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_output_depends_on(kind: Kind, video: torch.Tensor) -> None:
    """The frames within the extent before it, and no others; of recurrences all before it."""
    with seeded(5):
        encoder = video_encoder(kind, 1, 5000)
    x = video.clone().requires_grad_()
    (slope,) = torch.autograd.grad(encoder.over_time(x)[:, -1].sum(), x)
    seen = slope.flatten(2).any(2).any(0).tolist()
    extent = encoder.extent or 10
    assert seen == [False] * (10 - extent) + [True] * extent


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_as_many_as_asked_for(kind: Kind) -> None:
    count = sum(weight.numel() for weight in video_encoder(kind, 1, 50_000).parameters())
    assert abs(count / 50_000 - 1) < 0.03


@pytest.mark.parametrize("size", [(1, 1), (5, 24), (17, 9)])
@pytest.mark.parametrize("kind", KINDS)
def test_any_size_and_channels(kind: Kind, size: tuple[int, int]) -> None:
    assert video_encoder(kind, 3, 3000)(torch.rand(2, 7, 3, *size)).isfinite().all()


def test_frames_in_any_order_are_the_same_to_frames_alone(video: torch.Tensor) -> None:
    encoder = Frames(1, (2, 3, 4))
    torch.testing.assert_close(encoder(video), encoder(video[:, torch.randperm(10)]))


def test_weights_of_recurrences_are_counted() -> None:
    encoder = GruRcn(1, (2, 3, 4), stacked=True)
    inside = sum(w.numel() for name, w in encoder.cores.named_parameters() if not name.endswith("bias"))
    assert recurrence_weights(encoder, 24)[0] == inside


def test_clips_shorter_than_the_extent_are_refused() -> None:
    with pytest.raises(SizeError, match="looks at 7 frames at once, and clips have 6"):
        refuse_short(Conv3d(1, (2, 3, 4)), 6)


def test_features_are_means_over_places(video: torch.Tensor) -> None:
    """Of the last level for frames alone; of every level's states for recurrences, forwards, then backwards."""
    frames = Frames(1, (3, 4, 5))
    torch.testing.assert_close(frames.over_time(video), frames.levels(video)[-1].mean((3, 4)))
    rcn = GruRcn(1, (3, 4, 5), bidirectional=True)
    means = [states.mean((3, 4)) for states in rcn.states(video)]
    assert [mean.shape[2] for mean in means] == [3, 4, 5] * 2 and rcn.features == 24
    torch.testing.assert_close(rcn.over_time(video), torch.cat(means, 2))


def test_recurrences_begin_with_longer_memories_from_level_to_level() -> None:
    """Update gates open by sigma(-level); weights have the variance that keeps their inputs'."""
    with seeded(0):
        rcn = GruRcn(1, (24, 32, 40))
    for level, core in enumerate(rcn.cores[0].children()):
        assert isinstance(core, ConvGRU)
        bias = core.input.get_parameter("bias").detach()
        assert (bias[: core.maps] == -level).all() and not bias[core.maps :].any()
        for layer in (core.input, core.gates, core.candidate):
            inputs = layer.weight[0].numel()
            assert float(layer.weight.detach().var()) == pytest.approx(1 / inputs, rel=0.1)
