"""Pictures and films as files: .png, .gif and .mp4, whole or not at all."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from untaught.errors import ConfigError
from untaught.evaluate.drawing.pictures import Film, Picture
from untaught.runs.checkpoint import replacing

RATE = 8
"""Frames a second: slow enough to follow."""
PAUSE = 1000
"""Milliseconds that a .gif stops at its end before it begins again."""
STACKED = 10
"""Frames of a film that a .png shows, evenly spaced, one under another."""


def write_picture(path: Path, picture: Picture | Film, rate: int = RATE) -> Path:
    """Write bytes `(height, width, 3)` or `(time, height, width, 3)` in the format that the ending names.

    A film as .png shows up to ten of its frames; a picture as .gif or .mp4 is a film of one frame.

    Raises:
        ConfigError: The ending is none of .png, .gif and .mp4.
    """
    writers = {".png": _write_png, ".gif": _write_gif, ".mp4": _write_mp4}
    if path.suffix.lower() not in writers:
        raise ConfigError(f"{path}: pictures are written as {', '.join(writers)}")
    film = picture if picture.ndim == 4 else picture[None]
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        writers[path.suffix.lower()](part, film, rate)
    return path


def _write_png(path: Path, film: Film, rate: int) -> None:
    chosen = np.linspace(0, len(film) - 1, min(STACKED, len(film))).round().astype(int)
    Image.fromarray(np.concatenate(film[chosen])).save(path, format="PNG", optimize=True)


def _write_gif(path: Path, film: Film, rate: int) -> None:
    """One palette for all frames: with one for each, what does not move would flicker."""
    sample = np.concatenate(film[:: max(1, len(film) // 16)])
    palette = Image.fromarray(sample).quantize(256)
    frames = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in film]
    duration = [1000 // rate] * (len(frames) - 1) + [PAUSE]
    frames[0].save(path, format="GIF", save_all=True, append_images=frames[1:], duration=duration, loop=0)


def _write_mp4(path: Path, film: Film, rate: int) -> None:
    """H.264 with sides made even by repeating the last row or column, as every player needs."""
    import av  # only films as .mp4 need it

    even = np.pad(film, ((0, 0), (0, film.shape[1] % 2), (0, film.shape[2] % 2), (0, 0)), mode="edge")
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(rate), options={"crf": "16"})
        stream.height, stream.width, stream.pix_fmt = even.shape[1], even.shape[2], "yuv420p"
        for frame in even:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode())
