"""Video classifier: late fusion, the flow stream, tasks without labels, what cannot be; what each encoder learns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from untaught import cli, measure
from untaught.data.part import Part, WholeFrames
from untaught.data.source import Source, open_data
from untaught.data.view import Batch
from untaught.errors import ConfigError, DataError, SizeError
from untaught.model import Encoding, Example
from untaught.models.finetuned_classifier import FinetunedClassifier
from untaught.models.video_classifier import VideoClassifier, flow_video
from untaught.randomness import seeded
from untaught.runs.settings import Training
from untaught.training.fit import train
from untaught.training.plan import Asked, plan

CLIPS = Example((1, 12, 12), frames=8)


def built(**config: Any) -> VideoClassifier:
    with seeded(0):
        return VideoClassifier(VideoClassifier.Config(**{"classes": 3, "weights": 2000, **config}), CLIPS)


@pytest.fixture
def batch() -> Batch:
    with seeded(1):
        return Batch(torch.rand(6, 8, 1, 12, 12), torch.tensor([0, 1, 2, 0, 1, 2]))


def test_probabilities_of_both_streams_are_averaged_and_each_learns_by_itself(batch: Batch) -> None:
    model = built(stream="both")
    seen = {"frames": batch.x, "flow": flow_video(batch.x)}
    each = [torch.softmax(model.outputs[name](10 * model.encoders[name](x)), 1) for name, x in seen.items()]
    torch.testing.assert_close(model.class_probabilities(batch.x), (each[0] + each[1]) / 2)
    right = [one.gather(1, batch.label[:, None]).log().mean() for one in each]
    found = model.loss(batch, "model", torch.ones(()))
    torch.testing.assert_close(found.total, -(right[0] + right[1]) / 2)
    mean = ((each[0] + each[1]) / 2).gather(1, batch.label[:, None])
    torch.testing.assert_close(found.parts["wrong_class_probability"], (1 - mean).mean().detach())


def test_flow_is_that_of_each_frame_less_its_mean_and_the_last_is_repeated() -> None:
    with seeded(2):
        smooth = torch.nn.functional.avg_pool2d(torch.rand(1, 1, 26, 26), 3, 1)
    x = torch.stack([smooth.clone(), smooth.clone(), smooth.clone()], 1)
    x[:, 1, ..., 8:16, 8:16] = smooth[..., 8:16, 7:15]  # a square moves to the right
    x[:, 2] = x[:, 1]
    flow = flow_video(x)
    assert flow.shape == (1, 3, 2, 24, 24)
    assert torch.equal(flow[:, 2], flow[:, 1]) and (flow[:, 1] - 0.5).abs().max() < 1e-3
    assert (flow[0, 0, 0, 10:14, 10:14] - flow[0, 0, 0, :4].mean()).mean() > 0.1
    assert (flow[:, 0].mean((-2, -1)) - 0.5).abs().max() < 1e-3


@pytest.mark.parametrize(("task", "answers"), [("direction", 2), ("speed", 2), ("order", 6)])
def test_tasks_without_labels_have_answers_of_their_own(task: str, answers: int, batch: Batch) -> None:
    model = built(task=task, network="frames")
    assert not model.stages()[0].stream.labelled and built().stages()[0].stream.labelled
    assert model.outputs["frames"].out_features == answers
    assert model.loss(Batch.of(batch.x), "model", torch.ones(())).total.isfinite()
    with pytest.raises(ConfigError, match="without classes"):
        model.class_probabilities(batch.x)


def test_a_clip_is_asked_about_what_was_done_to_it() -> None:
    """Clips that grow brighter: those that are said to run backwards grow darker."""
    model, clips = built(task="direction"), torch.linspace(0, 1, 8).view(1, 8, 1, 1, 1).expand(20, -1, 1, 12, 12)
    shown, answer = model._asked(Batch.of(clips))
    assert torch.equal((shown[:, 0] > shown[:, -1]).flatten(1).all(1).long(), answer)


def test_features_are_those_of_both_streams_and_the_mean_over_time(batch: Batch) -> None:
    model = built(stream="both")
    features, over_time = model.encode(batch.x), model.activations(batch.x)
    assert features.std(0).min() > 0
    means = [over_time[name].mean(1) for name in ("frames", "flow")]
    torch.testing.assert_close(features, torch.cat(means, 1))


def test_direction_is_chance_for_frames_alone(batch: Batch) -> None:
    """The loss of a frame-wise encoder does not depend on which clips were turned round."""
    model = built(task="direction", network="frames")
    torch.testing.assert_close(model.encode(batch.x), model.encode(batch.x.flip(1)))


@pytest.mark.parametrize(
    ("config", "example", "said"),
    [
        ({}, Example((1, 12, 12)), "looks at clips"),
        ({"network": "conv3d"}, Example((1, 12, 12), frames=5), "looks at 7 frames at once, and clips have 5"),
        ({"network": "conv3d", "task": "speed"}, CLIPS, "looks at 7 frames at once, and clips have 4"),
        ({"network": "frames", "stacked": True}, CLIPS, "only a gru-rcn is stacked"),
        ({"task": "order"}, Example((1, 12, 12), frames=2), "task order needs clips of 3 frames"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(config: dict[str, Any], example: Example, said: str) -> None:
    with pytest.raises((ConfigError, SizeError), match=said) as caught:
        VideoClassifier(VideoClassifier.Config(**config), example)
    assert "\n" not in str(caught.value)


def test_one_class_alone_is_refused(batch: Batch) -> None:
    with pytest.raises(DataError, match="all clips are of one class"):
        built().prepare(Batch(batch.x, torch.zeros(6, dtype=torch.int64)))


def test_two_classes_among_clips_without_labels_suffice(batch: Batch) -> None:
    built().prepare(Batch(batch.x, torch.tensor([0, 1, -1, -1, -1, -1])))


@pytest.mark.parametrize("config", [{}, {"task": "direction"}])
def test_single_pictures_are_refused_in_a_line(config: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="the model needs video, and this source has single pictures") as caught:
        plan(Asked("video-classifier", config), open_data("digits"))
    assert "\n" not in str(caught.value)


def test_the_length_of_clips_comes_from_the_data() -> None:
    sample = Batch(torch.zeros(4, 1, 12, 12), torch.tensor([0, 3, 1, 2]))
    labelled = VideoClassifier.usual(Example((1, 12, 12), frames=10), sample)
    assert labelled.config == {} and labelled.view is not None and labelled.view.frames == 10
    long = VideoClassifier.usual(Example((1, 12, 12), frames=500), sample)
    assert long.view is not None and long.view.frames == 32
    without = VideoClassifier.usual(Example((1, 12, 12), frames=500), Batch.of(sample.x))
    assert without.view is None and VideoClassifier.view.frames == 16


def test_windows_are_as_long_as_most_clips() -> None:
    """Of twenty clips one is short and one long; a window of the longest's length would leave all others out."""
    length = torch.tensor([4, 30] + [12] * 18)
    part = Part.over(WholeFrames(torch.zeros(int(length.sum()), 1, 8, 8)), length, torch.arange(20) % 2)
    config = {"weights": 300, "network": "frames"}
    found = plan(Asked("video-classifier", config), Source("made", part, validation=part, test=part))
    assert found.settings.view.frames == 12


def test_what_learnt_from_time_is_fine_tuned_on_classes(batch: Batch) -> None:
    """Its features and every weight that they depend on, and no others, learn from labels."""
    encoder = built(task="direction", stream="both")
    net = FinetunedClassifier.on(FinetunedClassifier.Config(classes=3), CLIPS, Encoding(encoder))
    torch.testing.assert_close(net.encode(batch.x), encoder.encode(batch.x))
    net.loss(batch, "model", torch.ones(())).total.backward()
    learns = {name for name, weight in encoder.named_parameters() if weight.grad is not None}
    assert learns == {name for name, _ in encoder.named_parameters() if name.startswith("encoders.")}


@pytest.mark.slow
def test_a_run_serves_a_fine_tuned_classifier_and_stands_beside_other_models(tmp_path: Path) -> None:
    data = ("--data", "actions?task=mixed&gap=4&clips=60&validation=20&test=20&size=12&frames=12")
    quick, out = ("--threads", "1", "--epochs", "1"), str(tmp_path / "time")
    words = ("--task", "direction", "--weights", "1000")
    assert cli.main(["train", "video-classifier", *data, *words, *quick, "--out", out]) == 0
    tuned = tmp_path / "tuned"
    assert cli.main(["train", "finetuned-classifier", *data, "--encoder", out, *quick, "--out", str(tuned)]) == 0
    assert set(measure(tuned, ["classification"])) == {"classification"}
    beside = "pgn,predictive-encoder,autoencoder,video-classifier@task=direction,video-classifier"
    words = ("--models", beside, "--set", "weights=1000", "--seeds", "1", "--updates", "2", "--threads", "1")
    assert cli.main(["compare", *data, *words, "--out", str(tmp_path / "compared")]) == 0
    found = json.loads((tmp_path / "compared" / "compare.json").read_text())
    assert all(set(of) == set(beside.split(",")) for of in found["quantities"].values())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "task", "learns"),
    [
        ("frames", "appearance", True),
        ("frames", "local", False),
        ("conv3d", "local", True),
        ("gru-rcn", "global", True),
    ],
)
def test_each_encoder_learns_what_it_can_see(network: str, task: str, learns: bool) -> None:
    source = open_data(f"actions?task={task}&clips=1000&test=200&size=16&cell=2")
    asked = Asked("video-classifier", {"network": network}, Training(epochs=12, threads=1))
    found = plan(asked, source)
    train(found)
    test = source.parts().test
    x = test.frames.read(test.first[:, None] + torch.arange(24)).float() / 255
    model = found.model
    assert isinstance(model, VideoClassifier)
    with torch.no_grad():
        right = (model.class_probabilities(x).argmax(1) == test.label[test.first]).float().mean()
    chance = 1 / model.config.classes
    assert right > 0.9 if learns else right < chance + 0.12


def test_a_single_frame_has_no_flow_and_a_fast_one_is_bounded() -> None:
    assert torch.equal(flow_video(torch.rand(2, 1, 1, 12, 12)), torch.full((2, 1, 2, 12, 12), 0.5))
    x = torch.zeros(1, 2, 1, 24, 24)
    x[0, 0, 0, 8:12, 4:8], x[0, 1, 0, 8:12, 8:12] = 1.0, 1.0
    large = torch.nn.functional.interpolate(x[0], scale_factor=4)[None]
    there, back = flow_video(large), flow_video(large.flip(1))
    assert (there.max(), back.min()) == (3.5, -2.5)
