"""Later weights are preferred within a learner's tolerance, in memory and on disk, unless copying is better."""

from pathlib import Path

import pytest
import torch

from untaught.data.part import Part
from untaught.data.source import Source, open_data
from untaught.models.pgn import NATURAL, NEGLIGIBLE, PGN, TOLERANCE
from untaught.randomness import seeded
from untaught.runs.run import Run, create_run
from untaught.runs.settings import Training
from untaught.training.fit import fit
from untaught.training.plan import Asked, plan


def film(moving: bool) -> Source:
    """A picture of blobs under which the camera moves by a pixel a frame; or new noise in every frame."""
    with seeded(0):
        wide = torch.rand(1, 1, 5, 20)
        if not moving:
            return Source("noise", Part.of(torch.rand(1, 40, 1, 16, 16)))
    wide = torch.nn.functional.interpolate(wide, size=(16, 80), mode="bicubic").clamp(0, 1)[0]
    return Source("pan", Part.of(torch.stack([wide[..., t : t + 16] for t in range(40)])[None]))


def trained(source: Source, run: Run | None, rate: float) -> tuple[PGN, list[float]]:
    small = {**NATURAL, "units": 4, "filters": (4, 4)}
    training = Training(epochs=6, threads=1, learning_rate=rate, batch_size=2, view={"frames": 5, "patch": 16})
    decided = plan(Asked("pgn", small, training), source)
    losses = [record.held_out["total"] for record in fit(decided, run=run) if record.held_out]
    assert isinstance(decided.model, PGN)
    return decided.model, losses


def test_the_run_opens_with_the_weights_that_the_training_ended_with(tmp_path: Path) -> None:
    source = film(moving=True)
    decided = plan(Asked("pgn"), source)
    run = create_run(tmp_path / "run", decided.settings)
    model, losses = trained(source, run, 3e-3)
    lowest = [min(losses[: number + 1]) for number in range(len(losses))]
    preferred = max(n for n, loss in enumerate(losses) if loss <= (1 + TOLERANCE) * lowest[n] + NEGLIGIBLE)
    kept = run.best()
    assert kept.counters["held_out_loss"] == pytest.approx(losses[preferred], rel=1e-6)
    for name, value in model.state_dict().items():
        assert torch.equal(value, kept.state["model"][name]), name


def test_where_training_ruins_it_copies() -> None:
    """On noise at a ruinous rate the weights of the beginning are kept, and the last frame comes back."""
    model, losses = trained(film(moving=False), None, 1.0)
    assert min(losses) > 1 + TOLERANCE, "copying has 1 less a little"
    x = torch.rand(1, 6, 1, 16, 16)
    torch.testing.assert_close(model.predict(x, 1)[:, 0], x[:, -1])


def test_the_last_weights_are_kept_where_asked(tmp_path: Path) -> None:
    """At a rate that ruins it the best weights are early ones."""
    kept: dict[str, int] = {}
    for keep in ("best", "last"):
        training = Training(epochs=20, threads=1, learning_rate=0.3, keep=keep)
        decided = plan(Asked("autoencoder", {"hidden": (8,), "latent": 2}, training), open_data("digits"))
        run = create_run(tmp_path / keep, decided.settings)
        losses = {record.step: record.held_out["total"] for record in fit(decided, run=run) if record.held_out}
        kept[keep] = run.best().counters["step"]
        assert run.best().counters["selects"] == {"best": "total", "last": "last"}[keep]
        for name, value in decided.model.state_dict().items():
            assert torch.equal(value, run.best().state["model"][name]), name
    assert kept["last"] == max(losses) and losses[kept["best"]] < losses[kept["last"]]
