"""How many labels a training knows."""

import pytest
import torch

from untaught.data.labels import as_labelled, clip_labels, few_labels, labelled_only
from untaught.data.part import Part
from untaught.data.source import Parts, Source
from untaught.errors import DataError


def parts(count: int = 300, classes: int = 3) -> Parts:
    """Pictures whose one pixel is their class; the sources' own split shares one tensor of labels."""
    label = torch.arange(count) % classes
    return Source("made", Part.of(label.float().view(-1, 1, 1, 1), label)).parts()


def known(part: Part) -> dict[int, int]:
    label = clip_labels(part)
    return {int(number): int((label == number).sum()) for number in label.unique()}


@pytest.mark.parametrize(("asked", "learnt", "selecting"), [(1, 1, 0), (4, 4, 0), (5, 4, 1), (10, 8, 2), (20, 16, 4)])
def test_as_many_labels_as_were_asked_for_and_a_fifth_of_them_select(asked: int, learnt: int, selecting: int) -> None:
    whole = parts()
    few = few_labels(whole, asked, seed=0)
    assert {number: count for number, count in known(few.train).items() if number >= 0} == dict.fromkeys(
        range(3), learnt
    )
    shown = {number: count for number, count in known(few.validation).items() if number >= 0}
    assert shown == (dict.fromkeys(range(3), selecting) if selecting else {})
    assert len(few.train) == len(whole.train) and few.test is whole.test
    assert torch.equal(few.validation.first, whole.validation.first), "labels that select are of held-out examples"


def test_labels_that_stay_are_the_true_ones_and_the_seed_draws_them() -> None:
    first, same, other = (labelled_only(few_labels(parts(), 5, seed)).train for seed in (0, 0, 1))
    pixel = first.frames.read(first.first).flatten().long()
    assert torch.equal(pixel, clip_labels(first))
    assert torch.equal(first.first, same.first) and not torch.equal(first.first, other.first)


def test_where_none_selects_the_learnt_examples_do() -> None:
    found = as_labelled(parts(), 2, seed=0, only=True, selects=False)
    assert found.validation is found.train and len(found.train) == 6
    split = as_labelled(parts(), 10, seed=0, only=True, selects=False)
    assert len(split.validation) == 6 and not set(split.validation.first.tolist()) & set(split.train.first.tolist())


def test_a_clip_keeps_its_label_in_all_its_frames() -> None:
    video = Part.of(torch.zeros(20, 4, 1, 2, 2), torch.arange(20) % 2)
    part = few_labels(Parts(video, video, video), 3, seed=0).train
    of_frames = part.label.view(20, 4)
    assert bool((of_frames == of_frames[:, :1]).all()) and int((of_frames[:, 0] >= 0).sum()) == 6


def test_too_few_labels_and_none_are_refused() -> None:
    with pytest.raises(DataError, match="class 0 has .* labels in the training part, and 160 were asked for"):
        few_labels(parts(), 200, seed=0)
    unlabelled = Part.of(torch.zeros(9, 1, 2, 2))
    with pytest.raises(DataError, match="no example has a label"):
        labelled_only(Parts(unlabelled, unlabelled, unlabelled))


def test_where_labels_select_only_labelled_examples_do() -> None:
    """Of a learner that sees unlabelled examples too."""
    ten, two = (as_labelled(parts(), count, seed=0, only=False, selects=True) for count in (10, 2))
    assert known(ten.validation) == dict.fromkeys(range(3), 2) and known(two.validation) == dict.fromkeys(range(3), 2)
    assert len(ten.train) == len(parts().train)
    with pytest.raises(DataError, match="no example of the training part has a label"):
        few_labels(Parts(*(Part.of(torch.zeros(9, 1, 2, 2)),) * 3), 2, seed=0)
