"""All eight ways to lay a frame, beside Pillow, which lays a picture of the same orientation."""

from pathlib import Path

import av
import numpy as np
import pytest
from numbered_video import HEIGHT, WIDTH, every, picture, set_matrix, write
from PIL import Image, ImageOps

from untaught.data.source import open_data

MATRICES = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}
"""Numbers a, b, c, d of the display matrix that says what each EXIF orientation says."""


def shown(number: int, orientation: int) -> np.ndarray:
    """What Pillow shows of a picture that was stored in an orientation."""
    image = Image.fromarray(picture(number))
    image.getexif()[0x0112] = orientation
    return np.asarray(ImageOps.exif_transpose(image))


@pytest.mark.parametrize("orientation", MATRICES)
@pytest.mark.parametrize("ending", ["mov", "mkv"])
def test_frames_are_laid_as_pictures_are(ending: str, orientation: int, tmp_path: Path) -> None:
    file = tmp_path / f"x.{ending}"
    if ending == "mov":
        set_matrix(write(file, "png", "rgb24", 3), *MATRICES[orientation])
    else:
        _write_matroska(file, MATRICES[orientation])
    for memory in (0, 2**30):
        x = every(open_data(file, memory=memory)).permute(0, 2, 3, 1).numpy()
        assert x.shape[1:3] == ((HEIGHT, WIDTH) if orientation < 5 else (WIDTH, HEIGHT))
        assert all(np.array_equal(x[number], shown(number, orientation)) for number in range(3))


def _write_matroska(file: Path, matrix: tuple[int, int, int, int]) -> None:
    """Matroska keeps the matrix as angles; PyAV 18 is the first that can ask for them."""
    a, b, c, d = (65536 * n for n in matrix)
    with av.open(str(file), "w") as output:
        stream = output.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "bgr0"
        asked = getattr(stream, "set_display_matrix", None) or pytest.skip("this PyAV cannot write it")
        asked((a, b, 0, c, d, 0, 0, 0, 1 << 30))
        for number in range(3):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), "rgb24").reformat(format="bgr0")))
        output.mux(stream.encode(None))


@pytest.mark.parametrize(("flip", "expected"), [("horizontal", np.fliplr), ("vertical", np.flipud)])
def test_a_mirror_that_the_stream_itself_holds(flip: str, expected: object, tmp_path: Path) -> None:
    """H.264 can say so inside its data, where the container says nothing."""
    plain = write(tmp_path / "plain.mp4", "libx264", "yuv444p", 3, qp="0")
    with av.open(str(plain)) as given, av.open(str(tmp_path / "x.mp4"), "w") as output:
        source = given.streams.video[0]
        target = output.add_stream_from_template(source)
        told = av.bitstream.BitStreamFilterContext(f"h264_metadata=display_orientation=insert:flip={flip}", source)
        for packet in given.demux(source):
            for filtered in told.filter(packet if packet.dts is not None else None):
                filtered.stream = target
                output.mux(filtered)
    stored, x = every(open_data(plain)), every(open_data(tmp_path / "x.mp4"))
    for before, after in zip(stored, x, strict=True):
        assert np.array_equal(after.permute(1, 2, 0), expected(before.permute(1, 2, 0).numpy()))  # type: ignore[operator]
