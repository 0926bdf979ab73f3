"""Lotter, Kreiman, Cox 2015."""

from __future__ import annotations

from untaught.models.pgn import PGN

BALLS_2015 = PGN.Config(
    core="lstm", units=1568, filters=(32, 32), kernels=(3,), strides=(1,), pools=(2,), paddings=("full", "valid"),
    last_only=True, residual=False,
)  # fmt: skip
"""The paper's network for bouncing balls of 30x30 pixels."""

FACES_2015 = PGN.Config(
    core="lstm", units=1024, dense=True, filters=(64, 64), kernels=(5,), strides=(1,), pools=(3,), paddings=("valid",),
    decoder_kernels=(7,), last_only=True, residual=False,
)  # fmt: skip
"""The paper's network for rotating faces of 150x150 pixels."""
