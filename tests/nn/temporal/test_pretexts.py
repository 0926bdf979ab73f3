"""Tasks without labels: each answer as often as any other, and what is shown is what the answer says."""

from itertools import pairwise

import pytest
import torch

from untaught.errors import SizeError
from untaught.nn.temporal.pretexts import ANSWERS, ORDERS, Pretext, posed, shown_frames
from untaught.randomness import seeded

CLIP = torch.arange(9.0).view(1, 9, 1, 1, 1)


@pytest.mark.parametrize("task", ["direction", "speed", "order"])
def test_answers_are_balanced_in_every_batch(task: Pretext) -> None:
    answers = len(ANSWERS[task])
    for seed in range(5):
        with seeded(seed):
            _, answer = posed(CLIP.expand(4 * answers + 1, -1, -1, -1, -1), task)
        counts = answer.bincount(minlength=answers)
        assert sorted(counts.tolist()) == [4] * (answers - 1) + [5]


def test_which_clip_gets_which_answer_is_drawn() -> None:
    """Where an answer stands in a batch says nothing of it, nor which one is the odd one out."""
    drawn: list[list[int]] = []
    for seed in range(8):
        with seeded(seed):
            drawn.append(posed(CLIP.expand(7, -1, -1, -1, -1), "order")[1].tolist())
    assert len({tuple(answers) for answers in drawn}) == 8
    assert all(len({answers[place] for answers in drawn}) > 1 for place in range(7))
    assert len({max(answers, key=answers.count) for answers in drawn}) > 1
    steps = {(later - earlier) % 6 for answers in drawn for earlier, later in pairwise(answers)}
    assert len(steps) > 2


@pytest.mark.parametrize("task", ["direction", "speed", "order"])
def test_what_is_shown_is_what_the_answer_says(task: Pretext) -> None:
    with seeded(0):
        shown, answer = posed(CLIP.expand(60, -1, -1, -1, -1), task)
    assert shown.shape[1] == shown_frames(task, 9)
    pieces = CLIP.flatten().long().view(3, 3)
    for frames, said in zip(shown.flatten(1).long(), answer.tolist(), strict=True):
        right = {
            "direction": torch.arange(9) if said == 0 else torch.arange(9).flip(0),
            "speed": frames[0] + torch.arange(4) * (1 + said),
            "order": pieces[list(ORDERS[said])].flatten(),
        }[task]
        assert frames.tolist() == right.tolist()
    begins = shown[answer == 0, 0].flatten().unique().tolist()
    assert begins == ([0, 1, 2, 3, 4, 5] if task == "speed" else [0])


def test_short_clips_are_refused() -> None:
    with pytest.raises(SizeError, match="task speed needs clips of 4 frames, and these have 3"):
        shown_frames("speed", 3)
