"""A decoded frame as bytes: red, green and blue or the luminance, laid on white where it is transparent, upright.

Red, green and blue follow from the matrix and the range that the file names, or else from ITU-R 601 and the short
range. Of a frame with transparency a, from 0 to 1, what is shown is a x + (1 - a) white, as of pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import torch
from av.codec.context import CodecContext
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray
from torch import Tensor

from untaught.data.reading.clips.upright import Orientation, laid

KEEPS_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""The decoder that gives transparency, where FFmpeg's own leaves it out."""


def picture_of(frame: VideoFrame, grey: bool, how: Orientation) -> Tensor:
    """Lay a decoded frame as it is shown: uint8 `(1 or 3, height, width)`."""
    x = torch.from_numpy(_on_white(frame, grey))
    return laid(x[None] if grey else x.permute(2, 0, 1), how)


def is_grey(frame: VideoFrame) -> bool:
    """Whether a frame is without colour."""
    coloured = [part for part in frame.format.components if not part.is_alpha]
    return len(coloured) == 1 and not frame.format.has_palette


def frames_of(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Decode from where the container stands, with transparency where there is any."""
    decoder = _decoder_with_alpha(stream)
    if decoder is None:
        yield from container.decode(stream)
        return
    for packet in container.demux(stream):
        yield from decoder.decode(packet)


def _decoder_with_alpha(stream: VideoStream) -> VideoCodecContext | None:
    """A decoder that keeps transparency, for streams of which FFmpeg's own drops it."""
    name = KEEPS_ALPHA.get(stream.codec_context.name)
    if name is None or stream.metadata.get("alpha_mode", stream.metadata.get("ALPHA_MODE")) != "1":
        return None
    try:
        decoder = CodecContext.create(name, "r")
    except ValueError:  # this FFmpeg was built without it
        return None
    assert isinstance(decoder, VideoCodecContext)
    return decoder


def _on_white(frame: VideoFrame, grey: bool) -> NDArray[np.uint8]:
    pixels = cast("NDArray[np.uint8]", frame.to_ndarray(format="gray" if grey else "rgb24"))
    if not frame.format.has_palette and not any(part.is_alpha for part in frame.format.components):
        return pixels
    alpha = frame.to_ndarray(format="rgba")[..., 3].astype(np.uint32)
    alpha = alpha if grey else alpha[..., None]
    return ((pixels * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
