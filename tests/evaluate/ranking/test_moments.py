"""Which examples are named: in order, ties in the source's order, moments of video apart."""

from __future__ import annotations

import torch

from tests.evaluate.fakes import Forecast, Linear, blobs, drifting, subject_of
from untaught.data.origin import Origin
from untaught.data.part import Part
from untaught.data.view import View
from untaught.evaluate.ranking.moments import Ranked, rank


def ranked(score: list[float], part: Part) -> Ranked:
    frame = torch.arange(len(score))
    none, seen = torch.zeros_like(frame), torch.zeros(len(score), dtype=torch.bool)
    return Ranked("prediction", ("train",), (part,), none, frame, torch.tensor(score), part.label, seen, [None])


def timed(frames: int, rate: float, files: tuple[str, ...] = ("a.mp4",)) -> Part:
    part = Part.of(torch.zeros(len(files), frames, 1, 4, 4))
    times = [number / rate for _ in files for number in range(frames)]
    firsts = [number * frames for number in range(len(files))]
    return Part(part.frames, part.first, part.length, True, part.label, origin=Origin(files, firsts, times))


def test_pictures_are_ranked_and_ties_keep_their_order() -> None:
    pictures = ranked([1.0, 3.0, 2.0, 3.0, 1.0], Part.of(torch.zeros(5, 1, 4, 4)))
    assert pictures.most(3) == [1, 3, 2]
    assert pictures.least(3) == [0, 4, 2]
    assert pictures.most(99) == [1, 3, 2, 0, 4]


def test_all_equal_and_a_single_one() -> None:
    assert ranked([0.0] * 4, Part.of(torch.zeros(4, 2))).ends(2) == ([0, 1], [2, 3])
    assert ranked([0.5], Part.of(torch.zeros(1, 2))).ends(3) == ([0], [])


def test_no_example_is_both_most_and_least_unusual() -> None:
    most, least = ranked([5.0, 4.0, 3.0, 2.0, 1.0], Part.of(torch.zeros(5, 2))).ends(4)
    assert (most, least) == ([0, 1, 2, 3], [4])


def test_moments_of_one_clip_are_a_second_apart() -> None:
    score = [0.0] * 100
    score[50], score[51], score[59], score[60], score[41], score[40] = 9, 8, 7, 6, 5, 4
    assert ranked(score, timed(100, rate=10)).most(3) == [50, 60, 40]


def test_the_same_time_of_two_files_is_two_moments() -> None:
    score = [0.0] * 40
    score[5], score[25] = 2, 1
    found = ranked(score, timed(20, rate=10, files=("a.mp4", "b.mp4")))
    assert found.most(2) == [5, 25]
    assert [found.short_name(number) for number in (5, 25)] == ["a.mp4 0:00.5", "b.mp4 0:00.5"]


def test_without_times_frames_are_counted() -> None:
    score = [0.0] * 30
    score[10], score[19], score[20] = 3, 2, 1
    assert ranked(score, Part.of(torch.zeros(1, 30, 1, 4, 4))).most(2) == [10, 20]


def test_a_planted_outlier_is_first_and_what_was_trained_on_is_marked() -> None:
    part = blobs(40)
    x = part.frames.read(part.first).clone()
    x[17] = 1.0
    source = {"train": Part.of(x[:30]), "test": Part.of(x[30:])}
    model = Linear(Linear.Config(keep=0.5), (1, 4, 4)).eval()
    found = rank(subject_of(model, part, part), source, "reconstruction", source["train"].clips(torch.arange(20)))
    assert found.most(1) == [17]
    assert found.seen.tolist() == [number < 20 for number in range(40)]
    assert [found.name(number) for number in (17, 33)] == ["train row 17", "test row 3"]
    assert found.label.tolist() == [-1] * 40


def test_frames_of_all_clips_are_known_by_their_place() -> None:
    x = 0.5 + 0.01 * drifting(3, 12)
    x[1, 7] += 0.3
    subject = subject_of(Forecast(Forecast.Config(), (1, 6, 6)).eval(), Part.of(x), Part.of(x), View(frames=4))
    found = rank(subject, {"train": Part.of(x)}, "prediction")
    assert len(found) == 27
    assert found.name(found.most(1)[0]) in ("row 1, frame 7", "row 1, frame 8")
