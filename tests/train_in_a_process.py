"""A training in a process of its own, to be killed, resumed, or run twice side by side.

python tests/train_in_a_process.py MODEL FOLDER [--devices N] [--epochs N]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))

from kinds_of_training import KINDS
from models_for_tests import TinyGAN

from untaught.data.part import Part
from untaught.data.source import Source
from untaught.model import Model
from untaught.models.autoencoder import Autoencoder
from untaught.models.rbm import RBM
from untaught.randomness import seeded
from untaught.runs.run import Run, create_run
from untaught.runs.settings import Settings, Training
from untaught.training import clock, fit

SETTINGS = Settings(model="rbm", shape=(1, 4, 4), config={}, data="made")


def make(name: str) -> Model:
    """A small model of each kind; the GAN takes its noise from the data, so that processes can be compared."""
    with seeded(1):
        match name:
            case "rbm":
                return RBM(RBM.Config(hidden=16, persistent_chains=10), (1, 4, 4))
            case "autoencoder":
                return Autoencoder(Autoencoder.Config(hidden=(8,), latent=2), (1, 4, 4))
            case _:
                return TinyGAN(TinyGAN.Config(noise_from_data=True), (1, 4, 4))


def slowly(rehearse: Any) -> Any:
    """Of several processes one believes to be slow: times differ between processes."""

    def rehearsed(*given: Any) -> Any:
        needs, seconds = rehearse(*given)
        return needs, 100 * seconds

    return rehearsed


def main() -> None:
    """Train, or go on with, the run in a folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=4)
    asked = parser.parse_args()
    clock.CHECKPOINT_SECONDS = 0.05
    if os.environ.get("LOCAL_RANK") == "1":
        fit.rehearse = slowly(fit.rehearse)
    with seeded(3):
        x = (torch.rand(400, 1, 4, 4) > 0.6).float()
    training = Training(
        epochs=asked.epochs, batch_size=16, precision="float32", threads=1, device="cpu", devices=asked.devices
    )
    taken = (asked.folder / "config.json").exists()
    run = Run(asked.folder, SETTINGS) if taken else create_run(asked.folder, SETTINGS)
    if asked.model in KINDS:
        fit.train(KINDS[asked.model].plan(training), run=run)
        return
    # Whole batches only: with a short one, processes would weigh its examples otherwise than one process does.
    part = Part.of(x)
    fit.train(make(asked.model), Source("made", part, part, part), training, run)


if __name__ == "__main__":
    main()
