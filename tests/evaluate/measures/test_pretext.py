"""Questions that a model asks itself: one that knows, one that always says the same, and the sentence of each."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from untaught.capability import Poses
from untaught.config import configuration
from untaught.data.part import Part
from untaught.data.source import Parts
from untaught.data.view import View
from untaught.evaluate.judgement.verdict import verdict
from untaught.evaluate.measures import pretext
from untaught.evaluate.subject import Subject
from untaught.model import Example, Model, Stage
from untaught.models.video_classifier import VideoClassifier
from untaught.nn.temporal.pretexts import ANSWERS, Pretext, changed
from untaught.randomness import seeded

FRAMES = 9


class Watch(Model, Poses):
    """Reads off clips that grow brighter by one step a frame what was done to them, or always says the first answer."""

    @configuration
    class Config:
        """The task, and whether it looks."""

        task: str = "direction"
        looks: bool = True

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config, self.example = config, Example((1, 2, 2), frames=FRAMES)

    def stages(self) -> Sequence[Stage]:
        """Nothing is trained."""
        return ()

    @property
    def answers(self) -> tuple[str, ...]:
        """Those of the task."""
        return ANSWERS[self.config.task]  # type: ignore[index]

    def asked(self, x: Tensor, answer: int) -> Tensor:
        """As the task says."""
        return changed(x, self.config.task, torch.full((len(x),), answer))  # type: ignore[arg-type]

    def answer_probabilities(self, x: Tensor) -> Tensor:
        """All on one answer."""
        said = [self._said((one.mean((1, 2, 3)) * FRAMES).round().long()) if self.config.looks else 0 for one in x]
        return torch.eye(len(self.answers))[said]

    def _said(self, frame: Tensor) -> int:
        step = int(frame[1] - frame[0])
        match self.config.task:
            case "direction":
                return int(step < 0)
            case "speed":
                return step - 1
            case _:
                pieces = "".join(str(int(frame[at]) // 3 + 1) for at in (0, 3, 6))
                return self.answers.index(pieces)


def subject(model: Model, clips: int = 20) -> Subject:
    x = torch.arange(FRAMES).view(1, -1, 1, 1, 1).expand(clips, -1, 1, 2, 2) / FRAMES
    part = Part.of(x.clone())
    return Subject(model.eval(), Parts(part, part, part), View(frames=FRAMES))


@pytest.mark.parametrize("task", ["direction", "speed", "order"])
def test_who_knows_is_never_wrong_and_who_always_says_the_same_is_at_chance(task: Pretext) -> None:
    knows, same = (subject(Watch(Watch.Config(task=task, looks=looks))) for looks in (True, False))
    assert not pretext.wrong_answers(knows).any()
    found = {one.name: one for group in pretext.measure(same) for one in group}
    chance = 1 - 1 / len(ANSWERS[task])
    assert found["error_rate"].value == pytest.approx(chance)
    assert found["error_rate"].baselines["one_answer"].value == pytest.approx(chance)
    assert found["answer_error_rates"].value == {name: float(at > 0) for at, name in enumerate(ANSWERS[task])}
    assert found["examples"].value == 20


def test_the_error_of_the_rate_is_that_of_the_mean_over_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [1.0, 0.0]], dtype=torch.double)
    monkeypatch.setattr(pretext, "wrong_answers", lambda subject: wrong)
    rate = pretext.measure(subject(Watch(Watch.Config())))[0][0]
    assert rate.spread == pytest.approx(statistics.stdev([0.5, 1, 0, 0.5]) / 2)


def test_the_sentence_says_whether_it_is_above_chance() -> None:
    knows, same = (verdict(subject(Watch(Watch.Config(looks=looks)))) for looks in (True, False))
    assert knows is not None and same is not None
    assert (knows.standing, same.standing) == ("better", "level")
    assert "20 clips: the rate of wrong answers to its own questions is 0.0 %" in knows.words
    assert "no better than always the same answer (50.0 %)" in same.words


@pytest.mark.parametrize("task", ["direction", "speed", "order"])
def test_a_video_classifier_is_asked_about_its_task(task: Pretext) -> None:
    """By hand: every clip, every answer, one at a time."""
    config = VideoClassifier.Config(task=task, network="frames", weights=500)
    with seeded(0):
        model = VideoClassifier(config, Example((1, 8, 8), frames=FRAMES)).eval()
        x = torch.rand(6, FRAMES, 1, 8, 8)
    part = Part.of(x)
    known = Subject(model, Parts(part, part, part), View(frames=FRAMES))
    assert pretext.applies(known) is None
    found, by_hand = pretext.wrong_answers(known), torch.zeros(6, len(ANSWERS[task]), dtype=torch.double)
    with seeded(known.seed), torch.no_grad():
        for answer in range(len(ANSWERS[task])):
            given = model.answer_probabilities(changed(x, task, torch.full((6,), answer)))
            by_hand[:, answer] = (given.argmax(1) != answer).double()
    assert torch.equal(found, by_hand) and 0 < float(found.mean()) < 1


def test_who_learns_classes_asks_nothing() -> None:
    model = VideoClassifier(VideoClassifier.Config(network="frames", weights=500), Example((1, 8, 8), frames=4))
    part = Part.of(torch.rand(2, 4, 1, 8, 8))
    assert pretext.applies(Subject(model, Parts(part, part, part), View(frames=4))) == "the model asks itself nothing"
