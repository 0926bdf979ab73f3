"""Convolutions whose maps have their channels last in memory."""

import torch
from torch import nn

from untaught.nn.convolution import Convolution, channels_last
from untaught.nn.mirrors.pathways import Blocks, EncoderLayers, Mirrors, pathway_encoder


def last(maps: torch.Tensor) -> bool:
    return maps.is_contiguous(memory_format=torch.channels_last)


def test_values_and_parameters_are_those_of_torch() -> None:
    ours, torchs, x = Convolution(2, 5, 3, padding=1), nn.Conv2d(2, 5, 3, padding=1), torch.rand(4, 2, 6, 7)
    torchs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours(x), torchs(x))
    assert last(ours(x))
    assert not last(torchs(x))


def test_values_remain_in_their_places() -> None:
    x = torch.rand(4, 2, 6, 7)
    assert torch.equal(channels_last(x), x)


def test_a_pathway_has_its_channels_last_from_end_to_end() -> None:
    shape = (1, 8, 12)
    blocks = Blocks.of(pathway_encoder(shape, EncoderLayers(maps=(3, 4), units=(5,))), shape)
    looked = blocks.look(torch.rand(2, *shape))
    assert all(map(last, looked.values[1:]))
    for way in ("known", "fixed"):
        mirrors = Mirrors(blocks, way)
        assert all(map(last, mirrors.chained(looked)))
        assert all(map(last, mirrors.layerwise(looked)))
