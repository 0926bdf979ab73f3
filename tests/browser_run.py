"""A run with a decoder that is good at once: an autoencoder that begins at principal components, on digits."""

from __future__ import annotations

from pathlib import Path

from untaught.config import to_json
from untaught.data.source import open_data
from untaught.model import Batch, model_class
from untaught.randomness import seeded
from untaught.runs.run import Run, create_run
from untaught.runs.settings import Settings


def run_on_digits(path: Path, latent: int, size: tuple[int, int] | None = None) -> Run:
    """The run; its model has seen the digits, and was not trained."""
    cls = model_class("autoencoder")
    source = open_data("digits", size=size)
    with seeded(0):
        model = cls(cls.Config(latent=latent, start="pca", output="clipped"), source.shape)
        x = source.train.frames.read(source.train.first[:500]).float()
        model.prepare(Batch.of(x / max(1.0, float(x.max()))))
    settings = Settings(
        model="autoencoder", shape=source.shape, config=to_json(model.config), data="digits", size=size,
        classes=source.label_names,
    )  # fmt: skip
    run = create_run(path, settings)
    run.save("train", 1, {"model": model.state_dict()}, {"stage_number": 0, "held_out_loss": 1.0})
    return run
