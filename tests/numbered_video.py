"""Videos whose frames tell their numbers, and the plainest way to read one."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor

from untaught.data.source import Source

HEIGHT, WIDTH = 32, 48


def picture(number: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """A frame that tells its number: in its grey value, and in where a red square is."""
    pixels = np.full((height, width, 3), 3 * number % 240, np.uint8)
    left, top = 2 * number % (width - 8), number // 4 % (height - 8)
    pixels[top : top + 8, left : left + 8] = (250, 20, 30)
    return pixels


def write(
    file: Path,
    codec: str,
    pixel_format: str,
    frames: int = 40,
    *,
    times: Sequence[int] | None = None,
    size: tuple[int, int] = (HEIGHT, WIDTH),
    turned: int = 0,
    container: dict[str, str] | None = None,
    **options: str,
) -> Path:
    """Write a video of numbered pictures; `times` are in hundredths of a second."""
    with av.open(str(file), "w", options=container or {}) as output:
        stream = output.add_stream(codec, rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = *size, pixel_format
        stream.codec_context.gop_size = 12
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 100)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number, *size), "rgb24").reformat(format=pixel_format)
            if times is not None:
                frame.pts, frame.time_base = times[number], Fraction(1, 100)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    if turned:
        set_matrix(file, *TURNS[turned % 360])
    return file


TURNS = {90: (0, -1, 1, 0), 180: (-1, 0, 0, -1), 270: (0, 1, -1, 0)}
"""Numbers a, b, c, d of the display matrix by which a frame is turned anticlockwise."""


def set_matrix(file: Path, a: int, b: int, c: int, d: int) -> None:
    """Write the display matrix into the track header of an .mp4 or .mov."""
    raw = bytearray(file.read_bytes())
    begin = raw.index(b"tkhd") + 4
    begin += 52 if raw[begin] == 1 else 40
    raw[begin : begin + 36] = struct.pack(">9i", *(65536 * n for n in (a, b, 0, c, d, 0, 0, 0)), 1 << 30)
    file.write_bytes(raw)


def sequential(file: Path) -> Tensor:
    """Every frame, decoded from the start by one thread."""
    with av.open(str(file)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)


def every(source: Source) -> Tensor:
    return source.train.frames.read(torch.arange(source.train.frames.count))
