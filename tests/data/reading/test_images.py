"""Folders of pictures: every kind that Pillow knows, classes, sizes, and what is broken."""

from pathlib import Path

import numpy as np
import PIL
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from untaught.data.channels import to_channels
from untaught.data.reading.images import ImageFiles, chosen_size
from untaught.data.reading.picture import decode, upright_size
from untaught.data.source import Source, open_data
from untaught.errors import ConfigError, DataError

Pixels = NDArray[np.uint8]


def coloured(height: int = 12, width: int = 16, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def smooth(height: int, width: int) -> Image.Image:
    """A picture that survives JPEG: red grows to the right, green downwards."""
    down, across = np.mgrid[0:height, 0:width]
    red, green = 255 * across / max(1, width - 1), 255 * down / max(1, height - 1)
    return Image.fromarray(np.stack([red, green, np.full_like(red, 60)], -1).astype(np.uint8))


def save(folder: Path, *names: str, pixels: Pixels | None = None) -> None:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(coloured(seed=number) if pixels is None else pixels).save(folder / name)


def cut_off(file: Path) -> None:
    """Leave two thirds of a file."""
    raw = file.read_bytes()
    file.write_bytes(raw[: len(raw) * 2 // 3])


def every(source: Source) -> Pixels:
    return source.train.frames.read(torch.arange(len(source.train))).numpy()


def test_pictures_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    save(tmp_path, "b.png", "a.png", "sub/c.bmp", ".hidden.png", "__MACOSX/d.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    x = every(open_data(tmp_path))
    assert np.array_equal(x, np.stack([coloured(seed=seed) for seed in (1, 0, 2)]).transpose(0, 3, 1, 2))


def test_sub_folders_are_classes(tmp_path: Path) -> None:
    save(tmp_path, "dog/1.png", "cat/1.png", "cat/young/tabby/2.png", "owl/x.png")
    source = open_data(tmp_path)
    assert source.label_names == ("cat", "dog", "owl") and source.train.label.tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize(
    "names", [("cat/1.png", "dog/1.png", "1.png", "2.png", "3.png"), ("all/1.png", "all/2.png"), ("1.png",)]
)
def test_otherwise_there_are_no_classes(names: tuple[str, ...], tmp_path: Path) -> None:
    save(tmp_path, *names)
    source = open_data(tmp_path)
    assert source.label_names == () and source.train.label.tolist() == [-1] * len(names)


def test_one_picture_is_a_source(tmp_path: Path) -> None:
    save(tmp_path, "one.png")
    assert np.array_equal(every(open_data(tmp_path / "one.png"))[0], coloured().transpose(2, 0, 1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(orientation: int, tmp_path: Path) -> None:
    """The eight orientations written out: how rows and columns of what is shown lie in the file."""
    upright = coloured()
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = tmp_path / "held.png"
    Image.fromarray(np.ascontiguousarray(stored)).save(file, exif=exif)
    assert upright_size(file) == (12, 16)
    assert np.array_equal(decode(file).numpy(), upright.transpose(2, 0, 1))


def test_transparent_pictures_are_laid_on_white(tmp_path: Path) -> None:
    pixels = np.zeros((4, 6, 4), np.uint8)
    pixels[..., 0], pixels[..., 3] = 200, np.linspace(0, 255, 6).astype(np.uint8)
    Image.fromarray(pixels, "RGBA").save(tmp_path / "a.png")
    alpha = pixels[..., 3:] / 255.0
    expected = pixels[..., :3] * alpha + 255 * (1 - alpha)
    assert np.abs(decode(tmp_path / "a.png").numpy() - expected.transpose(2, 0, 1)).max() <= 1


def test_grey_with_transparency(tmp_path: Path) -> None:
    pixels = np.full((4, 4, 2), 100, np.uint8)
    pixels[:2, :, 1], pixels[2:, :, 1] = 0, 255
    Image.fromarray(pixels, "LA").save(tmp_path / "la.png")
    assert decode(tmp_path / "la.png").tolist() == [[[255] * 4] * 2 + [[100] * 4] * 2]


def test_a_palette_with_a_transparent_entry(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.save(tmp_path / "p.png")
    red, green, blue = [255, 0, 0], [0, 255, 0], [0, 0, 255]
    assert decode(tmp_path / "p.png").permute(1, 2, 0).tolist() == [[red, green], [blue, green]]
    image.save(tmp_path / "p.png", transparency=1)
    assert decode(tmp_path / "p.png").permute(1, 2, 0).tolist() == [[red, [255] * 3], [blue, [255] * 3]]


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bits_become_eight(ending: str, tmp_path: Path) -> None:
    values = np.array([[0, 128, 129, 257], [32768, 40000, 65406, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / f"deep.{ending}")
    assert decode(tmp_path / f"deep.{ending}").tolist() == [np.round(values / 257).astype(int).tolist()]


def test_numbers_of_thirty_two_bits(tmp_path: Path) -> None:
    file = tmp_path / "x.tif"
    for values, expected in (([[0, 65535]], [[[0, 255]]]), ([[0, 200]], [[[0, 200]]])):
        Image.fromarray(np.array(values, np.int32)).save(file)
        assert decode(file).tolist() == expected
    Image.fromarray(np.array([[0.0, 0.5, 1.0]], np.float32)).save(file)
    assert decode(file).tolist() == [[[0, 128, 255]]]
    for values in (np.array([[-1, 4]], np.int32), np.array([[0, 70000]], np.int32), np.array([[0, 1.5]], np.float32)):
        Image.fromarray(values).save(file)
        with pytest.raises(DataError, match="its .*values run from"):
            decode(file)


OLD = pytest.mark.skipif(
    int(PIL.__version__.split(".")[0]) < 13, reason="older ones cannot read the file that they wrote"
)


@pytest.mark.parametrize("mode", ["1", "L", "CMYK", pytest.param("YCbCr", marks=OLD), "LAB"])
def test_other_modes_are_converted_as_pillow_does(mode: str, tmp_path: Path) -> None:
    image = Image.new("LAB", (10, 8), (120, 90, 70)) if mode == "LAB" else smooth(8, 10).convert(mode)
    file = tmp_path / "x.tif"
    image.save(file)
    with Image.open(file) as saved:
        expected = np.atleast_3d(np.array(saved.convert("L" if mode in ("1", "L") else "RGB")))
    assert np.array_equal(decode(file).numpy(), expected.transpose(2, 0, 1))


def test_an_animation_gives_its_first_frame_among_pictures(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((6, 6), value, np.uint8)) for value in (50, 200)]
    frames[0].save(tmp_path / "moves.gif", save_all=True, append_images=frames[1:])
    save(tmp_path, "still.png", pixels=np.zeros((6, 6), np.uint8))
    assert every(open_data(tmp_path))[0].ravel().tolist() == [50] * 36


def test_grey_when_every_picture_is(tmp_path: Path) -> None:
    grey = coloured()[..., 0]
    save(tmp_path, "a.png", pixels=grey)
    save(tmp_path, "b.png", pixels=np.repeat(grey[..., None], 3, 2))
    assert np.array_equal(every(open_data(tmp_path)), np.stack([grey, grey])[:, None])
    save(tmp_path, "c.png")
    assert every(open_data(tmp_path)).shape == (3, 3, 12, 16)


def test_grey_on_request_is_the_luminance(tmp_path: Path) -> None:
    save(tmp_path, "a.png", "b.png")
    x = every(open_data(f"{tmp_path}?grey=1"))
    expected = [np.asarray(Image.fromarray(coloured(seed=seed)).convert("L")) for seed in (0, 1)]
    assert x.shape == (2, 1, 12, 16) and np.abs(x[:, 0].astype(int) - np.stack(expected)).max() <= 1
    with pytest.raises(ConfigError, match="did you mean 'grey'"):
        open_data(f"{tmp_path}?gray=1")


def test_pictures_of_many_sizes_are_brought_to_one_that_is_told_and_kept(tmp_path: Path) -> None:
    save(tmp_path, "a.png", "b.png")
    save(tmp_path, "c.png", pixels=coloured(20, 40))
    chosen = open_data(tmp_path)
    assert chosen.shape == (3, 12, 12) and chosen.chosen_size == (12, 12)
    save(tmp_path, "d.png", pixels=coloured(8, 8))
    again = open_data(chosen.spec)
    assert again.shape == (3, 12, 12) and again.chosen_size is None
    for size, shape in ((12, (3, 12, 12)), ((6, 9), (3, 6, 9))):
        assert open_data(tmp_path, size=size).shape == shape
    assert open_data(f"{tmp_path}?size=6x9").shape == (3, 6, 9)


def test_a_size_that_nearly_all_cover() -> None:
    assert chosen_size([(900, 1200), (3000, 2000), (800, 700)]) == (512, 512)
    assert chosen_size([(300, 200)] * 19 + [(16, 16), (400, 400)]) == (200, 200)
    assert chosen_size([(300, 200), *[(400, 400)] * 600]) == (64, 64)
    assert chosen_size([(16, 12), (20, 40)]) == (12, 12)


def test_a_large_jpeg_is_reduced_as_well_as_in_full(tmp_path: Path) -> None:
    smooth(800, 1200).save(tmp_path / "photo.jpg", quality=95)
    expected = np.asarray(smooth(800, 1200).crop((200, 0, 1000, 800)).resize((32, 32), Image.Resampling.BOX))
    x = every(open_data(tmp_path, size=32))[0].transpose(1, 2, 0)
    assert np.abs(x.astype(int) - expected).max() <= 6


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no pictures or videos in .* \(it is empty\)"):
        open_data(tmp_path)
    (tmp_path / "readme.txt").touch()
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    with pytest.raises(DataError, match=r"\(1 \.txt\)"):
        open_data(tmp_path)


def test_pictures_and_videos_together_are_refused(tmp_path: Path) -> None:
    save(tmp_path, "a.png")
    (tmp_path / "b.mp4").touch()
    with pytest.raises(DataError, match="1 pictures and 1 videos"):
        open_data(tmp_path)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif", "bmp", "gif"])
def test_a_cut_off_picture_is_named_or_skipped(ending: str, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        Image.fromarray(coloured(40, 40)).save(tmp_path / f"{name}.{ending}")
    cut_off(tmp_path / f"b.{ending}")
    with pytest.raises(DataError) as caught:
        open_data(tmp_path)
    first, second = str(caught.value).splitlines()
    assert str(tmp_path / f"b.{ending}") in first and second == "1 of 3 files are broken; --on-bad skip leaves them out"
    source = open_data(tmp_path, on_bad="skip")
    assert source.skipped == (str(tmp_path / f"b.{ending}"),) and len(source.train) == 2
    whole = decode(tmp_path / f"a.{ending}").numpy()
    assert np.array_equal(every(source)[1], whole) and np.array_equal(every(source)[0], whole)


def test_skipping_keeps_labels_with_their_pictures(tmp_path: Path) -> None:
    save(tmp_path, "ant/1.png", "bee/1.png", "bee/2.png", "cow/1.png")
    cut_off(tmp_path / "bee" / "1.png")
    (tmp_path / "ant" / "2.png").write_text("no picture")
    for memory in (0, 2**20):
        source = open_data(tmp_path, on_bad="skip", memory=memory)
        assert source.train.label.tolist() == [0, 1, 2] and len(source.skipped) == 2
        expected = np.stack([coloured(seed=seed) for seed in (0, 2, 3)]).transpose(0, 3, 1, 2)
        assert np.array_equal(every(source), expected)


def test_when_all_are_broken_skipping_does_not_help(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_text("no picture")
    with pytest.raises(DataError, match=r"all 2 files of .* are broken"):
        open_data(tmp_path, on_bad="skip")
    with pytest.raises(DataError, match=r"a\.png is no picture that can be decoded"):
        open_data(tmp_path / "a.png", on_bad="skip")


def test_what_does_not_fit_into_memory_is_read_by_file(tmp_path: Path) -> None:
    save(tmp_path, *(f"{number}.png" for number in range(5)))
    whole, lazy = open_data(tmp_path), open_data(tmp_path, memory=5 * 12 * 16 * 3 - 1)
    assert whole.train.frames.in_memory is not None and isinstance(lazy.train.frames, ImageFiles)
    assert np.array_equal(every(whole), every(lazy)) and lazy.shape == (3, 12, 16)
    index = torch.tensor([[4, 0, 4], [2, 2, 1]])
    assert torch.equal(lazy.train.frames.read(index), whole.train.frames.read(index))
    assert lazy.train.frames.nbytes == whole.train.frames.nbytes


def test_a_file_that_vanishes_is_named(tmp_path: Path) -> None:
    save(tmp_path, "a.png", "b.png")
    frames = open_data(tmp_path, memory=0).train.frames
    (tmp_path / "b.png").unlink()
    with pytest.raises(DataError, match=r"b\.png"):
        frames.read(torch.tensor([0, 1]))


def test_folders_that_are_links_are_followed_once(tmp_path: Path) -> None:
    save(tmp_path / "elsewhere", "a.png")
    save(tmp_path / "set", "b.png")
    (tmp_path / "set" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set" / "loop").symlink_to(tmp_path / "set")
    assert len(open_data(tmp_path / "set").train) == 2


def test_a_folder_keeps_its_own_name_where_a_link_leads_to_it(tmp_path: Path) -> None:
    save(tmp_path, "cat/1.png", "dog/1.png")
    (tmp_path / "a cat").symlink_to(tmp_path / "cat")
    assert open_data(tmp_path).label_names == ("cat", "dog")


def test_luminance() -> None:
    x = torch.tensor([[[200]], [[100]], [[50]]], dtype=torch.uint8)
    assert to_channels(x, 1).item() == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)
    assert to_channels(x[:1], 3).flatten().tolist() == [200] * 3
