"""Colours by the matrix and the range that a file names, beside the equations of the standards; and transparency."""

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from numbered_video import every
from PIL import Image

from untaught.data.source import open_data

RED_BLUE = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
"""Weights of red and blue in the luminance: BT.709, FCC, BT.470, SMPTE 170M and 240M, BT.2020, by FFmpeg's numbers."""
COLOURS = [(200, 30, 30), (20, 180, 60), (40, 60, 220)]


def stored(colour: tuple[int, int, int], matrix: int, full: bool) -> list[int]:
    """Luminance and colour differences, as bytes."""
    red_weight, blue_weight = RED_BLUE[matrix]
    red, green, blue = (value / 255 for value in colour)
    y = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    u, v = (blue - y) / (2 - 2 * blue_weight), (red - y) / (2 - 2 * red_weight)
    return [
        round(n)
        for n in ((255 * y, 255 * u + 128, 255 * v + 128) if full else (16 + 219 * y, 128 + 224 * u, 128 + 224 * v))
    ]


@pytest.mark.parametrize("matrix", RED_BLUE)
@pytest.mark.parametrize("full", [False, True])
def test_colours_follow_the_matrix_that_the_file_names(matrix: int, full: bool, tmp_path: Path) -> None:
    for ending, codec, pixel_format, exact in (("mkv", "ffv1", "yuv444p", 3), ("mp4", "libx264", "yuv420p", 4)):
        file = tmp_path / f"x.{ending}"
        with av.open(str(file), "w") as output:
            stream = output.add_stream(codec, rate=25, options={"crf": "0"} if codec == "libx264" else {})
            stream.width, stream.height, stream.pix_fmt = 32, 16, pixel_format
            stream.codec_context.colorspace, stream.codec_context.color_range = matrix, 1 + full
            for colour in COLOURS:
                frame = av.VideoFrame(32, 16, pixel_format)
                for plane, value in zip(frame.planes, stored(colour, matrix, full), strict=True):
                    plane.update(bytes([value]) * plane.buffer_size)
                frame.colorspace, frame.color_range = matrix, 1 + full
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        x = every(open_data(f"{file}?cuts=false"))[:, :, 5, 5]
        assert float((x.float() - torch.tensor(COLOURS).float()).abs().max()) <= exact


KINDS = {
    "vp9.webm": ("libvpx-vp9", "yuva420p"),
    "vp8.webm": ("libvpx", "yuva420p"),
    "vp9.mkv": ("libvpx-vp9", "yuva420p"),
    "prores.mov": ("prores_ks", "yuva444p10le"),
    "png.mov": ("png", "rgba"),
    "animation.mov": ("qtrle", "argb"),
    "ffv1.mkv": ("ffv1", "yuva420p"),
    "bgra.mkv": ("ffv1", "bgra"),
    "ut.avi": ("utvideo", "gbrap"),
    "grey.mov": ("png", "ya8"),
}


def half_shown() -> np.ndarray:
    """Red of which a third is opaque, a third half transparent, and a third not to be seen."""
    pixels = np.zeros((32, 48, 4), np.uint8)
    pixels[..., :3] = (200, 30, 30)
    pixels[:, :16, 3], pixels[:, 16:32, 3] = 255, 128
    return pixels


@pytest.mark.parametrize("name", KINDS)
def test_transparent_video_is_laid_on_white(name: str, tmp_path: Path) -> None:
    """As Pillow lays the same picture on white."""
    codec, pixel_format = KINDS[name]
    with av.open(str(tmp_path / name), "w") as output:
        stream = output.add_stream(codec, rate=25, options={"auto-alt-ref": "0"} if "vpx" in codec else {})
        stream.width, stream.height, stream.pix_fmt = 48, 32, pixel_format
        for _ in range(6):
            frame = av.VideoFrame.from_ndarray(half_shown(), "rgba").reformat(format=pixel_format)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    image = Image.fromarray(half_shown())
    laid = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert(
        "L" if name == "grey.mov" else "RGB"
    )
    expected = np.asarray(laid).astype(int).reshape(32, 48, -1)[8, [4, 24, 44]]
    for memory in (0, 2**30):
        source = open_data(tmp_path / name, memory=memory)
        x = source.train.frames.read(torch.tensor([5, 0]))
        assert len(source.train.frames.read(torch.arange(6))) == 6
        seen = x[:, :, 8, [4, 24, 44]].permute(0, 2, 1).numpy().astype(int)
        assert np.abs(seen - expected).max() <= 4, (name, seen)
    grey = open_data(f"{tmp_path / name}?grey=1").train.frames.read(torch.tensor([0]))
    assert abs(int(grey[0, 0, 8, 44]) - 255) <= 1


def test_a_transparent_gif_is_laid_on_white(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.roll(half_shown(), shift, 1)) for shift in (0, 3, 6)]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:], duration=40, disposal=2)
    with Image.open(tmp_path / "x.gif") as given:
        given.seek(2)
        rgba = given.convert("RGBA")
        expected = np.asarray(Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB"))
    seen = every(open_data(tmp_path / "x.gif"))[2].permute(1, 2, 0).numpy()
    assert np.array_equal(seen, expected)
