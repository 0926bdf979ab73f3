"""Batches: every example once an epoch, windows inside their clips, the same from memory and from disk."""

import pytest
import torch
from torch import Tensor

from untaught.data.batches import Feed, collect, drawn_batches, epoch_order, fixed_batches, fixed_order
from untaught.data.part import Frames, Part, WholeFrames
from untaught.data.view import View, as_float, cut, patches
from untaught.errors import DataError
from untaught.randomness import seeded

CPU = torch.device("cpu")


class OnDisk(Frames):
    """Pretends to read from disk; remembers how much was read at once."""

    def __init__(self, tensor: Tensor) -> None:
        self.inside = WholeFrames(tensor)
        self.shape, self.dtype, self.count = self.inside.shape, self.inside.dtype, self.inside.count
        self.most = 0

    def read(self, index: Tensor) -> Tensor:
        """Gather, and note how many frames."""
        self.most = max(self.most, index.numel())
        return self.inside.read(index)


def clips(lengths: list[int]) -> Part:
    """Video in which every pixel of a frame is the frame's number."""
    total = sum(lengths)
    frames = torch.arange(total, dtype=torch.float32).view(-1, 1, 1, 1).expand(-1, 1, 2, 2).contiguous()
    length = torch.tensor(lengths)
    label = torch.arange(len(lengths)).repeat_interleave(length)
    latents = {"number": torch.arange(total, dtype=torch.float32)[:, None]}
    return Part(WholeFrames(frames), length.cumsum(0) - length, length, True, label, latents)


def feed(part: Part, view: View, batch_size: int = 4, rank: int = 0, ranks: int = 1) -> Feed:
    return Feed(part, view, None, None, CPU, batch_size, 0, rank, ranks)


def test_every_picture_once_an_epoch() -> None:
    part = Part.of(torch.arange(11.0).view(11, 1, 1, 1))
    fed = feed(part, View())
    for epoch in (0, 1):
        seen = torch.cat([fed.batch(ticket, training=True).x.flatten() for ticket in fed.tickets(epoch)])
        assert seen.sort().values.tolist() == list(range(11))
    assert fed.steps == 3


def test_order_depends_on_seed_and_epoch_alone() -> None:
    part = Part.of(torch.zeros(50, 3))
    first = epoch_order(part, View(), 1, 2)
    torch.rand(5)
    assert torch.equal(first, epoch_order(part, View(), 1, 2))
    assert not torch.equal(first, epoch_order(part, View(), 1, 3))
    assert not torch.equal(first, epoch_order(part, View(), 2, 2))


def test_windows_stay_inside_their_clips_and_reach_both_ends() -> None:
    part = clips([7, 3, 12])
    view = View(frames=4)
    starts = torch.cat([epoch_order(part, view, 0, epoch) for epoch in range(200)])
    allowed = [*range(0, 4), *range(10, 19)]
    assert sorted(set(starts.tolist())) == allowed
    assert feed(part, view).examples == 7 // 4 + 12 // 4


def test_a_window_is_consecutive_and_carries_its_latents() -> None:
    fed = feed(clips([9, 9]), View(frames=5))
    for ticket in fed.tickets(0):
        batch = fed.batch(ticket, training=True)
        numbers = batch.x[:, :, 0, 0, 0]
        assert torch.equal(numbers, batch.latents["number"][:, :, 0])
        assert (numbers.diff(dim=1) == 1).all()
        assert torch.equal(batch.label, (numbers[:, 0] >= 9).long())


def test_windows_shorten_where_every_clip_is_short() -> None:
    batch = collect(clips([3, 3]), View(frames=10), None)
    assert batch.x.shape == (2, 3, 1, 2, 2)


def test_single_frames_of_video() -> None:
    part = clips([5, 4]).time(0.2, 1)
    order = epoch_order(part, View(), 0, 0)
    assert sorted(order.tolist()) == [1, 2, 3, 4, 6, 7, 8]


def test_fixed_order_is_even_and_in_the_sources_order() -> None:
    part = clips([10, 5, 8])
    assert fixed_order(part, View(frames=4), None).tolist() == [0, 4, 10, 15, 19]
    assert fixed_order(part, View(frames=4), 3).tolist() == [0, 10, 19]


def test_what_is_measured_is_not_augmented() -> None:
    with seeded(6):
        x = torch.rand(30, 1, 3, 3)
    whole = fixed_batches(feed(Part.of(x), View(augment=("mirror", "flip")), batch_size=8), None)
    assert torch.equal(torch.cat([batch.x for batch in whole]), x)


def test_few_frames_are_drawn_from_many_times() -> None:
    fed = feed(clips([10]), View(frames=8))
    starts = torch.cat([batch.latents["number"][:, 0, 0] for batch in drawn_batches(fed, 250, 32)])
    assert len(starts) == 32 and set(starts.tolist()) == {0, 1, 2}
    again = torch.cat([batch.latents["number"][:, 0, 0] for batch in drawn_batches(fed, 250, 32)])
    assert torch.equal(starts, again)
    assert sum(len(batch.x) for batch in drawn_batches(fed, 5, 32)) == 5
    pictures = feed(Part.of(torch.rand(6, 1, 2, 2)), View())
    assert sum(len(batch.x) for batch in drawn_batches(pictures, 250, 32)) == 6


def test_from_disk_as_from_memory() -> None:
    tensor = torch.rand(40, 1, 3, 3)
    memory = Part.of(tensor)
    disk = Part(OnDisk(tensor), memory.first, memory.length, False, memory.label)
    first, second = feed(memory, View()), feed(disk, View())
    assert first.resident and not second.resident
    for one, two in zip(first.tickets(3, skip=2), second.tickets(3, skip=2), strict=True):
        assert torch.equal(first.batch(one, training=True).x, second.batch(two, training=True).x)


def test_video_on_disk_is_read_by_window() -> None:
    part = clips([1000])
    frames = OnDisk(part.frames.read(torch.arange(1000)))
    fed = feed(Part(frames, part.first, part.length, True, part.label), View(frames=5), batch_size=2)
    list(fed.tickets(0))
    list(fixed_batches(fed, 10))
    assert frames.most == 10


def test_processes_share_every_batch() -> None:
    part = Part.of(torch.arange(20.0).view(20, 1))
    feeds = [feed(part, View(), 8, rank, 2) for rank in (0, 1)]
    whole = feed(part, View(), 8)
    for one, first, second in zip(*[list(f.tickets(0)) for f in (whole, *feeds)], strict=True):
        assert torch.equal(one[0], torch.cat([first[0], second[0]]))


def test_a_batch_smaller_than_the_processes_is_refused() -> None:
    with pytest.raises(DataError, match="2 processes"):
        feed(Part.of(torch.zeros(4, 1)), View(), 1, 0, 2)


def test_what_a_stage_sees() -> None:
    part = Part.of(torch.ones(4, 3))
    fed = Feed(part, View(), None, lambda x: x * 7, CPU, 4, 0)
    batch = fed.batch(next(fed.tickets(0)), training=True)
    assert (batch.x == 7).all() and not batch.x.requires_grad


def test_what_is_to_be_given_back_is_made_of_what_the_stage_does_not_see() -> None:
    part = Part.of(torch.ones(4, 3))
    fed = Feed(part, View(), None, lambda x: x * 7, CPU, 4, 0, target=lambda x: x + 1)
    batch = fed.batch(next(fed.tickets(0)), training=True)
    assert (batch.x == 7).all() and (batch.wanted == 2).all()


def test_an_epoch_of_patches_covers_the_pictures() -> None:
    feed = Feed(Part.of(torch.rand(3, 1, 9, 8)), View(patch=4), None, None, torch.device("cpu"), 5, 0)
    assert feed.examples == 12 and feed.steps == 3
    starts = torch.cat([ticket.starts for ticket in feed.tickets(0)])
    assert starts.bincount().tolist() == [4, 4, 4]
    assert fixed_order(feed.part, feed.view, None).tolist() == [0] * 4 + [1] * 4 + [2] * 4


@pytest.mark.parametrize("video", [False, True])
def test_gathered_patches_are_those_cut_from_whole_frames(video: bool) -> None:
    frames = torch.randint(0, 256, (6, 2, 7, 9), dtype=torch.uint8)
    index = torch.tensor([[0, 1], [3, 4], [4, 5]]) if video else torch.tensor([5, 0, 0, 2])
    with seeded(3):
        expected = cut(frames[index], View(patch=3), None, training=False)
    with seeded(3):
        found = patches(frames, index, 3)
    assert torch.equal(as_float(found), expected)
