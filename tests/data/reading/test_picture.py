"""Pictures as people have them: held in any way, with a key colour, of 12 and 16 bits, of many pages and endings."""

import struct
import zlib
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import tifffile
import torch
from numpy.typing import NDArray
from PIL import Image, features

from untaught.data.reading.picture import decode, upright_sizes
from untaught.data.source import Source, open_data
from untaught.data.view import as_float
from untaught.errors import DataError

Samples = NDArray[Any]
FORMATS: dict[str, dict[str, Any]] = {
    "tif": {},
    "tiff": {"compression": "tiff_lzw"},
    "jpg": {"quality": 95},
    "jfif": {"format": "JPEG", "quality": 95},
    "png": {},
    "webp": {"lossless": True},
    **({"avif": {"quality": 95}} if features.check("avif") else {}),
}


def upright() -> Samples:
    """A corner of each colour, so that every turn and every mirror image is another picture."""
    x = np.zeros((20, 30, 3), np.uint8)
    x[:10, :15], x[10:, 15:], x[:10, 15:] = (250, 20, 20), (20, 20, 250), (20, 250, 20)
    return x


def as_stored(x: Samples, orientation: int) -> Samples:
    """How rows and columns of what is shown lie in the file: the eight orientations written out."""
    turned = x.swapaxes(0, 1)
    of = {1: x, 2: x[:, ::-1], 3: x[::-1, ::-1], 4: x[::-1], 5: turned, 6: turned[::-1], 7: turned[::-1, ::-1]}
    return np.ascontiguousarray(of.get(orientation, turned[:, ::-1]))


def every(source: Source) -> Samples:
    return as_float(source.train.frames.read(source.train.first)).numpy()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_grey_tiffs_are_upright(dtype: Any, compression: str | None, tmp_path: Path) -> None:
    """Pillow itself gives wrong rows of such that are not compressed, where it opens them by name."""
    x = (np.arange(126).reshape(9, 14) * (1 / 126 if dtype == np.float32 else 2 if dtype == np.uint8 else 300)).astype(
        dtype
    )
    white = {np.uint8: 255, np.uint16: 65535, np.int32: 65535, np.float32: 1}[dtype]
    for orientation in range(1, 9):
        tag = [(274, "H", 1, orientation, True)]
        tifffile.imwrite(
            tmp_path / "x.tif",
            as_stored(x, orientation),
            photometric="minisblack",
            compression=compression,
            extratags=tag,
        )
        assert np.abs(decode(tmp_path / "x.tif")[0].numpy() / 255 - x / white).max() <= 0.51 / 255, orientation


@pytest.mark.parametrize("ending", FORMATS)
def test_size_and_pixels_are_upright_by_one_rule(ending: str, tmp_path: Path) -> None:
    exif, file = Image.Exif(), tmp_path / f"x.{ending}"
    for orientation in range(1, 9):
        exif[0x0112] = orientation
        Image.fromarray(as_stored(upright(), orientation)).save(file, exif=exif, **FORMATS[ending])
        assert upright_sizes(file) == {0: (20, 30)}, orientation
        x = every(open_data(tmp_path, memory=2**30 * (orientation % 2)))[0].transpose(1, 2, 0) * 255
        assert np.abs(x - upright()).mean() < 15, orientation  # colours of a JPEG are coarse


def test_pages_may_be_held_in_different_ways(tmp_path: Path) -> None:
    """Written by tifffile, each page with an orientation of its own, and thumbnails between them."""
    with tifffile.TiffWriter(tmp_path / "x.tif") as file:
        for orientation in range(1, 9):
            tag = [(274, "H", 1, orientation, True)]
            file.write(as_stored(upright(), orientation), photometric="rgb", extratags=tag)
            file.write(np.zeros((4, 5, 3), np.uint8), photometric="rgb", subfiletype=1)
    for memory in (0, 2**30):
        source = open_data(tmp_path, memory=memory)
        assert np.array_equal(every(source) * 255, np.stack([upright().transpose(2, 0, 1)] * 8))
    assert str(source.train.place_of(1)).endswith("x.tif, page 3") and "8 in all" in source.notes[0]


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(samples: Samples, bits: int, key: tuple[int, ...] = ()) -> bytes:
    """A PNG of grey values or colours `(height, width[, 3 or 4])` with a transparent key colour, byte for byte."""
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    head = struct.pack(
        ">IIBBBBB", samples.shape[1], samples.shape[0], bits, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0
    )
    rows = b""
    for row in samples.reshape(len(samples), -1).tolist():
        text = "".join(f"{value:0{bits}b}" for value in row)
        text += "0" * (-len(text) % 8)
        rows += b"\0" + int(text, 2).to_bytes(len(text) // 8, "big")
    clear = chunk(b"tRNS", struct.pack(f">{len(key)}H", *key)) if key else b""
    body = chunk(b"IHDR", head) + clear + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def by_ffmpeg(file: Path) -> Samples:
    """Red, green, blue and opacity of 16 bits, from 0 to 1."""
    with av.open(str(file)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgba64le") / 65535


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_key_colour_is_laid_on_white_and_nothing_else_is(bits: int, tmp_path: Path) -> None:
    samples = np.tile(np.linspace(0, 2**bits - 1, 40).round().astype(int), (3, 1))
    key = int(samples[0, 10])
    (tmp_path / "x.png").write_bytes(png(samples, bits, (key,)))
    expected = np.where(samples == key, 1, samples / (2**bits - 1))
    assert np.abs(every(open_data(tmp_path))[0, 0] - expected).max() <= 0.5 / 255 + 1e-6
    if bits in (8, 16):
        colours = by_ffmpeg(tmp_path / "x.png")
        laid = colours[..., 0] * colours[..., 3] + 1 - colours[..., 3]
        assert np.abs(laid - expected).max() < 0.01
        assert np.abs(every(open_data(tmp_path)).mean() - laid.mean()) < 0.01


@pytest.mark.parametrize("bits", [8, 16])
def test_a_key_colour_among_colours(bits: int, tmp_path: Path) -> None:
    ramp = np.linspace(0, 2**bits - 1, 40).astype(int)
    samples = np.tile(np.stack([ramp, ramp[::-1], ramp // 2], -1), (3, 1, 1))
    samples[0, 0] = samples[0, 11] + [0, 0, 1]  # nearly the key colour
    (tmp_path / "x.png").write_bytes(png(samples, bits, tuple(samples[0, 11].tolist())))
    colours = by_ffmpeg(tmp_path / "x.png")
    laid = colours[..., :3] * colours[..., 3:] + 1 - colours[..., 3:]
    x = every(open_data(tmp_path))[0].transpose(1, 2, 0)
    assert np.abs(x - laid).max() <= 1 / 255 + 1e-3 and (x[1, 11] == 1).all() and not (x[0, 0] == 1).all()


def twelve_bits(channels: int) -> Samples:
    x = np.random.default_rng(channels).integers(0, 4096, (20, 25, channels)).astype(np.uint16)
    x[0, 0] = 4095
    if channels in (2, 4):
        x[..., -1] = 65535
    return x[..., 0] if channels == 1 else x


@pytest.mark.parametrize(
    ("ending", "channels"), [("png", 1), ("png", 2), ("png", 3), ("png", 4), ("tif", 1), ("tif", 3)]
)
def test_twelve_bits_in_files_of_sixteen(ending: str, channels: int, tmp_path: Path) -> None:
    x, file, memory = twelve_bits(channels), tmp_path / f"x.{ending}", 2**30 * (channels % 2)
    if ending == "png":
        file.write_bytes(png(x.astype(int), 16))
    else:
        tifffile.imwrite(file, x, photometric="rgb" if channels == 3 else "minisblack")
    told = open_data(tmp_path, memory=memory).notes
    assert "the highest value is 4095" in told[0] and "16 of 256 grey levels; ?scale=4095" in told[0]
    source = open_data(f"{tmp_path}?scale=4095", memory=memory)
    colours = np.atleast_3d(x)[..., : 1 if channels < 3 else 3].transpose(2, 0, 1) / 4095
    assert np.abs(every(source)[0] - colours).max() <= 0.51 / 255 and source.notes == () and source.scale == 4095
    assert len(np.unique(every(source))) > 150
    with pytest.raises(DataError, match="4095, and 255 should be white"):
        open_data(f"{tmp_path}?scale=255")


@pytest.mark.parametrize(("high", "white"), [(1, 1), (16, 16), (200, 255)])
@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
def test_few_values_in_files_of_many_bits(high: int, white: int, dtype: Any, tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, high + 1, (20, 25)).astype(dtype)
    x[0, 0] = high
    tifffile.imwrite(tmp_path / "x.tif", x)
    source = open_data(tmp_path)
    assert np.abs(every(source)[0, 0] - x / white).max() <= 0.51 / 255 and source.scale == white
    assert source.notes or (dtype == np.int32 and high == 200)
    assert open_data(f"{tmp_path}?scale=65535").scale == 65535


@pytest.mark.parametrize(("high", "white"), [(1, 1), (16, 16), (200, 255), (0, None)])
def test_few_values_in_colours_of_sixteen_bits(high: int, white: int | None, tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, high + 1, (20, 25, 3))
    x[0, 0] = [high, 0, high]
    (tmp_path / "x.png").write_bytes(png(x, 16))
    source = open_data(tmp_path)
    assert np.abs(every(source)[0].transpose(1, 2, 0) - x / (white or 1)).max() <= 0.51 / 255
    assert source.scale == white and bool(source.notes) == (white is not None)


def test_eight_bits_beside_twelve_keep_their_white(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(twelve_bits(1).astype(int), 16))
    Image.fromarray(np.full((20, 25), 200, np.uint8)).save(tmp_path / "b.png")
    assert every(open_data(f"{tmp_path}?scale=4095"))[1].mean() == pytest.approx(200 / 255)


def test_sixteen_bits_of_a_grey_map_stay_sixteen(tmp_path: Path) -> None:
    for white, values in ((65535, [0, 100, 200]), (4095, [0, 2048, 4095])):
        (tmp_path / "x.pgm").write_bytes(b"P5 3 1 %d\n" % white + np.array(values, ">u2").tobytes())
        assert np.abs(decode(tmp_path / "x.pgm")[0, 0].numpy() / 255 - np.array(values) / white).max() <= 0.51 / 255


def test_floats_with_a_white(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.tif", np.linspace(0, 200, 12, dtype=np.float32).reshape(3, 4))
    with pytest.raises(DataError, match=r"from 0 to 200, beyond \[0, 1\]; \?scale=255"):
        open_data(tmp_path)
    assert every(open_data(f"{tmp_path}?scale=200")).max() == 1


PAGED: dict[str, dict[str, Any]] = {
    "tif": {},
    "webp": {"lossless": True},
    "gif": {},
    "png": {},
    "apng": {"format": "PNG"},
}


@pytest.mark.parametrize("ending", PAGED)
@pytest.mark.parametrize("memory", [0, 2**30])
def test_every_page_is_a_picture(ending: str, memory: int, tmp_path: Path) -> None:
    grey = [20 * number + 10 for number in range(10)]
    pages = [Image.fromarray(np.full((16, 16), value, np.uint8)) for value in grey]
    pages[0].save(tmp_path / f"many.{ending}", save_all=True, append_images=pages[1:], **PAGED[ending])
    Image.fromarray(np.full((16, 16), 255, np.uint8)).save(tmp_path / "one.bmp")
    source = open_data(tmp_path, memory=memory)
    assert (every(source).mean((1, 2, 3)) * 255).round().tolist() == [*grey, 255]
    assert "1 file of several pages or frames, 10 in all" in source.notes[0]
    assert str(source.train.place_of(3)).endswith("page 4") and str(source.train.place_of(10)).endswith("one.bmp")
    first = open_data(f"{tmp_path}?pages=first", memory=memory)
    assert len(first.train) == 2 and "9 are left out" in first.notes[0]
    assert torch.equal(
        source.train.frames.read(torch.tensor([[9, 2]]))[0, :, 0, 0, 0], torch.tensor(grey)[[9, 2]].byte()
    )


def test_every_ending_is_read_and_what_is_left_out_is_counted(tmp_path: Path) -> None:
    picture, known = Image.fromarray(np.full((9, 9), 255, np.uint8)), ["jfif", "jpe", "jpg", "JPG", "png", "tga", "dib"]
    for number, ending in enumerate(known):
        picture.save(tmp_path / f"{number}.{ending}", format="JPEG" if ending.lower()[0] == "j" else None)
    picture.convert("1").save(tmp_path / "7.pbm")
    picture.save(tmp_path / "8.pnm", format="PPM")
    for name in ("labels.csv", "notes.txt", "sub/more.json", ".hidden", "Thumbs.db"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text")
    source = open_data(tmp_path)
    assert len(source.train) == 9 and every(source).min() == 1
    assert source.left_out == ("labels.csv", "notes.txt", "sub/more.json")
    assert source.notes == ("left out 3 files, no pictures that can be read: labels.csv, notes.txt, sub/more.json",)


def test_a_page_that_cannot_be_read_is_told_with_a_way_out(tmp_path: Path) -> None:
    """A page of transparency, which Pillow does not know, behind one that it does."""
    with tifffile.TiffWriter(tmp_path / "x.tif") as file:
        file.write(upright(), photometric="rgb")
        file.write(np.zeros((20, 30), bool), photometric="minisblack", subfiletype=4)
    with pytest.raises(DataError, match=r"x\.tif is broken: .*\?pages=first"):
        open_data(tmp_path)
    assert np.array_equal(every(open_data(f"{tmp_path}?pages=first"))[0].transpose(1, 2, 0) * 255, upright())
