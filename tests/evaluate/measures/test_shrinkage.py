"""Identity of predicted frames: oracles by NumPy, and models that copy or fade what they see."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from tests.evaluate.fakes import Forecast, Watcher, drifting, subject_of, turning
from untaught.data.part import Part
from untaught.data.source import Parts
from untaught.data.view import View
from untaught.evaluate.measures.shrinkage import MEASURE, applies, correlation, slope
from untaught.evaluate.subject import Subject


def watched(keep: float = 1.0, still: bool = True) -> Subject:
    model = Watcher(Watcher.Config(keep=keep), (1, 12, 12)).eval()
    parts = [turning(count, seed=seed, still=still) for seed, count in enumerate((300, 100, 100))]
    return Subject(model, Parts(*parts), View(frames=6))


def test_correlation_and_slope_are_numpys() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(30, 3, generator=generator), torch.randn(30, 3, generator=generator)
    a = a + 0.5 * b
    for column in range(3):
        x, y = a[:, column].numpy(), b[:, column].numpy()
        assert float(correlation(a, b)[column]) == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-5)
        assert float(slope(a, b)[column]) == pytest.approx(np.polyfit(y, x, 1)[0], abs=1e-5)


def test_what_never_varies_has_no_correlation_and_no_slope() -> None:
    assert correlation(torch.ones(5, 1), torch.rand(5, 1)).tolist() == [0.0]
    assert slope(torch.ones(5, 1), torch.rand(5, 1)).tolist() == [0.0]
    assert slope(torch.rand(5, 1), torch.ones(5, 1)).tolist() == [0.0]


@pytest.mark.parametrize("keep", [1.0, 0.5, 0.0])
def test_fading_is_shrinkage(keep: float) -> None:
    """Clips stand still, so a copy is perfect; what is faded towards grey by half is read at half of its distance."""
    found = MEASURE.take(watched(keep))
    for name in ("angle", "shape_1", "shape_2"):
        assert found["slope"][name] == pytest.approx(keep, abs=1e-4)
        true = found["baselines"]["true_frame"]
        assert true["slope"][name] == pytest.approx(1)
        assert found["correlation"][name] == pytest.approx(true["correlation"][name] if keep else 0, abs=1e-4)
    assert found["baselines"]["true_frame"]["squared_error_per_frame"] == 0
    assert (found["context"], found["clips"]) == (5, 100)


def test_the_previous_frame_has_the_shape_at_another_angle() -> None:
    found = MEASURE.take(watched(still=False))
    beside = found["baselines"]["previous_frame"]
    assert beside["correlation"] == pytest.approx(found["correlation"], abs=1e-6)
    assert beside["slope"] == pytest.approx(found["slope"], abs=1e-6)
    truth = found["baselines"]["true_frame"]["correlation"]
    assert truth["angle"] > 0.7 and truth["shape_1"] > 0.8 and abs(truth["shape_3"]) < 0.4
    assert set(truth) == {"angle", "speed", "shape", "shape_1", "shape_2", "shape_3"}
    assert truth["shape"] == pytest.approx(np.mean([truth[f"shape_{n}"] for n in (1, 2, 3)]))


def test_it_says_why_it_does_not_apply() -> None:
    held = watched()
    unknown = Part.of(drifting(4, 6, side=12))
    assert applies(held) is None
    assert "not known" in str(applies(subject_of(held.model, unknown, unknown, View(frames=6))))
    assert "patches" in str(applies(replace(held, view=View(frames=6, patch=4))))
    pictures = Part.of(torch.rand(4, 1, 12, 12))
    assert applies(subject_of(Forecast(Forecast.Config(), (1, 12, 12)), pictures, pictures)) is not None


def test_the_readout_is_fitted_on_training_frames_chosen_on_validation_frames() -> None:
    """With scikit-learn, alpha by alpha; the truth is that of the test clips."""
    held = watched(0.5, still=False)
    parts = (held.parts.train, held.parts.validation, held.parts.test)
    clips = [part.frames.read(torch.arange(len(part) * 6)).unflatten(0, (-1, 6)) for part in parts]
    x = [some[:, -1].flatten(1).double().numpy() for some in clips]
    y = [part.latents["angle"].unflatten(0, (-1, 6))[:, -1, 0].double().numpy() for part in parts]
    fits = {alpha: Ridge(alpha=alpha).fit(x[0], y[0]) for alpha in 10.0 ** np.arange(-5, 6)}
    best = max(fits, key=lambda alpha: fits[alpha].score(x[1], y[1]))
    found = MEASURE.take(held)
    read = fits[best].predict(x[2])
    assert found["baselines"]["true_frame"]["correlation"]["angle"] == pytest.approx(
        np.corrcoef(read, y[2])[0, 1], abs=1e-3
    )
    faded = fits[best].predict((0.5 + 0.5 * (clips[2][:, -2] - 0.5)).flatten(1).double().numpy())
    assert found["correlation"]["angle"] == pytest.approx(np.corrcoef(faded, y[2])[0, 1], abs=1e-3)
    assert found["slope"]["angle"] == pytest.approx(np.polyfit(read, faded, 1)[0], abs=1e-3)
