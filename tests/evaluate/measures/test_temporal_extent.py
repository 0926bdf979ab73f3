"""How far back features depend on frames: by the architecture, by a model whose answer is known, and in the picture."""

from __future__ import annotations

import pytest
import torch

from untaught.data.part import Part
from untaught.data.source import Parts
from untaught.data.view import View
from untaught.evaluate.measures import temporal_extent
from untaught.evaluate.subject import Subject
from untaught.model import Example
from untaught.models.video_classifier import VideoClassifier
from untaught.nn.temporal.video_encoders import Kind
from untaught.randomness import seeded

FRAMES = 11


def subject(kind: Kind) -> Subject:
    with seeded(0):
        model = VideoClassifier(VideoClassifier.Config(network=kind, weights=2000), Example((1, 12, 12), frames=FRAMES))
        part = Part.of(torch.rand(4, FRAMES, 1, 12, 12))
    return Subject(model.eval(), Parts(part, part, part), View(frames=FRAMES))


@pytest.mark.parametrize(("kind", "frames"), [("frames", 1), ("conv3d", 7), ("cnn-lstm", FRAMES), ("gru-rcn", FRAMES)])
def test_the_measured_extent_is_that_of_the_architecture(kind: Kind, frames: int) -> None:
    found = {one.name: one for group in temporal_extent.measure(subject(kind)) for one in group}
    assert found["temporal_extent_frames"].value == frames
    assert 1 <= found["half_of_the_gradient_frames"].value <= frames
    hidden = torch.tensor(found["occlusion"].value)
    assert (hidden[:frames] > 0).all() and not hidden[frames:].any()
    assert sum(found["gradient"].value) == pytest.approx(1)
    assert ("architecture_frames" in found) == (frames < FRAMES)


def test_the_gradient_is_that_of_differences() -> None:
    """Of the mean over clips of the norm of each frame's slope, by central differences on one pixel after another."""
    known = subject("frames")
    x = known.seen(known.tested(2).x)[:2, :3]
    gradient = temporal_extent.by_gradient(known, x)
    with seeded(known.seed):
        features = temporal_extent._features(known, x)
        u = torch.nn.functional.normalize(torch.randn_like(features), dim=1)
    slopes, step = torch.zeros(2, 144), 1e-2
    for pixel in range(144):
        ends: list[torch.Tensor] = []
        for sign in (1, -1):
            moved = x.clone()
            moved[:, -1].view(2, -1)[:, pixel] += sign * step
            ends.append((temporal_extent._features(known, moved) * u).sum(1))
        slopes[:, pixel] = (ends[0] - ends[1]).detach() / (2 * step)
    assert float(gradient[0]) == pytest.approx(float(slopes.norm(dim=1).mean()), rel=0.1)
    assert not gradient[1:].any()


def test_a_frame_is_hidden_behind_its_neighbour() -> None:
    """Where all frames are alike nothing changes; where the one before the last differs, the last does."""
    known = subject("frames")
    still = torch.rand(1, 1, 1, 12, 12).expand(2, 5, -1, -1, -1).clone()
    assert not temporal_extent.by_occlusion(known, still).any()
    still[:, 3] = torch.rand(12, 12)
    assert temporal_extent.by_occlusion(known, still).bool().tolist() == [True, False, False, False, False]


def test_a_picture_of_both() -> None:
    known = subject("conv3d")
    found = {one.name: one for group in temporal_extent.measure(known) for one in group}
    drawn = temporal_extent.picture(found)
    assert drawn is not None and drawn.ndim == 3 and drawn.std() > 5


def test_single_frames_have_no_extent() -> None:
    known = subject("frames")
    still = Subject(known.model, known.parts, View())
    assert temporal_extent.applies(still) == "the model sees single frames"
