"""Good input of every kind that `--data` takes, small, drawn from a generator; gives the spec."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Maker = Callable[[Path, Random], str]
MODES = ("L", "RGB", "RGBA", "P", "1", "LA", "I;16", "CMYK", "I", "F")
FORMATS = {
    "png": ("L", "RGB", "RGBA", "P", "1", "LA", "I;16"),
    "jpg": ("L", "RGB", "CMYK"),
    "tif": MODES,
    "bmp": ("L", "RGB", "P", "1"),
    "gif": ("L", "P", "RGB"),
    "webp": ("RGB", "RGBA", "L"),
    "pgm": ("L",),
    "ppm": ("RGB",),
    "pbm": ("1",),
    "ico": ("RGBA",),
    "tga": ("RGB", "RGBA", "L"),
}
SIDES = (1, 2, 7, 8, 8, 8, 16, 16, 33)
TYPES = ("uint8", "uint8", "uint8", "float32", "float64", "float16", "int64", "int8", "uint16", "bool", ">f4", "uint64")


def noise(draw: Random, *shape: int) -> NDArray[np.uint8]:
    """Bytes of a gradient with noise over it."""
    random = np.random.default_rng(draw.randrange(2**32))
    return random.integers(0, 256, shape, dtype=np.uint8)


def picture(path: Path, draw: Random, side: tuple[int, int] | None = None, pages: int = 1) -> None:
    """A picture in the format of its ending, in any mode that this can hold."""
    width, height = side or (draw.choice(SIDES), draw.choice(SIDES))
    mode = draw.choice(FORMATS[path.suffix[1:]])
    made = [_image(noise(draw, height, width, 3), mode) for _ in range(pages)]
    more: dict[str, Any] = {"save_all": True, "append_images": made[1:]} if pages > 1 else {}
    if path.suffix in (".jpg", ".png", ".tif") and draw.random() < 0.2:
        exif = Image.Exif()
        exif[274] = draw.randrange(0, 10)
        more["exif"] = exif
    made[0].save(path, **more)


def _image(bytes: NDArray[np.uint8], mode: str) -> Image.Image:
    if mode in ("I;16", "I", "F"):
        kind: type[Any] = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
        return Image.fromarray(bytes[..., 0].astype(kind) * 200)
    colour = Image.fromarray(bytes)
    return colour.convert("L").convert("LA") if mode == "LA" else colour.convert(mode)


def one_picture(folder: Path, draw: Random) -> str:
    """A file of its own, perhaps with pages."""
    ending = draw.choice(list(FORMATS))
    picture(folder / f"one.{ending}", draw, pages=3 if ending in ("tif", "gif", "webp") else 1)
    return f"one.{ending}"


def pictures(folder: Path, draw: Random) -> str:
    """A folder of pictures, of one size or several."""
    (folder / "photos").mkdir()
    _fill(folder / "photos", draw, draw.randint(1, 7))
    return "photos"


def _fill(folder: Path, draw: Random, count: int) -> None:
    side = (draw.choice(SIDES), draw.choice(SIDES)) if draw.random() < 0.7 else None
    one = draw.choice(list(FORMATS))
    for number in range(count):
        ending = one if draw.random() < 0.7 else draw.choice(list(FORMATS))
        picture(folder / f"{number}.{ending}", draw, side, 2 if ending == "tif" and draw.random() < 0.3 else 1)


def classes(folder: Path, draw: Random) -> str:
    """Class folders, perhaps below parts, perhaps with something stray beside them."""
    for part in draw.choice([("",), ("",), ("train", "val"), ("train", "test"), ("train",)]):
        for name in draw.sample(["cat", "dog", "fox", "-1", "1", "ünïcode", "a b"], draw.randint(1, 3)):
            place = folder / "animals" / part / name
            place.mkdir(parents=True)
            _fill(place, draw, draw.randint(1, 4))
    if draw.random() < 0.3:
        picture(folder / "animals" / "cover.png", draw)
    if draw.random() < 0.3:
        (folder / "animals" / "README").write_text("about them")
    return "animals"


def video(folder: Path, draw: Random) -> str:
    """A video file."""
    name = f"film.{draw.choice(['mp4', 'mkv', 'avi', 'mov', 'webm'])}"
    _film(folder / name, draw)
    return name


def videos(folder: Path, draw: Random) -> str:
    """A folder of video files."""
    (folder / "clips").mkdir()
    for number in range(draw.randint(1, 3)):
        _film(folder / "clips" / f"{number}.mp4", draw)
    return "clips"


def _film(path: Path, draw: Random) -> None:
    import av

    codec = "libvpx" if path.suffix == ".webm" else draw.choice(["mpeg4", "libx264"])
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream(codec, rate=draw.choice([1, 25, 30]))
        stream.width, stream.height = draw.choice([(16, 16), (32, 16), (18, 34)])
        stream.pix_fmt = "yuv420p"
        for _ in range(draw.choice([1, 2, 8, 12])):
            frame = av.VideoFrame.from_ndarray(noise(draw, stream.height, stream.width, 3), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def frames(folder: Path, draw: Random) -> str:
    """Numbered pictures, perhaps with gaps, perhaps of several clips."""
    for clip in draw.choice([("",), ("",), ("a", "b")]):
        place = folder / "numbered" / clip
        place.mkdir(parents=True)
        pattern = draw.choice(["{:04d}.png", "{}.png", "frame{:02d}.jpg", "x{}_y.png"])
        side = (draw.choice((8, 16)), 8)
        for number in draw.sample(range(14), draw.choice([1, 6, 12])):
            picture(place / pattern.format(number), draw, side)
    return draw.choice(["numbered", "numbered?video=true", "numbered/%04d.png", "numbered/##.png", "numbered/%d.png"])


def _values(draw: Random) -> NDArray[Any]:
    side = draw.choice((1, 4, 8))
    shape = draw.choice(
        [(20, 6), (12, side, side), (9, 3, side, side), (9, side, side, 3), (4, 6, 1, 8, 8), (3, 5, 8, 8, 3), (1, 1)]
    )
    kind = np.dtype(draw.choice(TYPES))
    made = noise(draw, *shape)
    return (made / 255).astype(kind) if kind.kind == "f" else made.astype(kind)


def array(folder: Path, draw: Random) -> str:
    """An array in a file of its own."""
    np.save(folder / "x.npy", _values(draw))
    return "x.npy"


def arrays(folder: Path, draw: Random) -> str:
    """Several arrays, with labels and parts as people name them."""
    x = _values(draw)
    named: dict[str, NDArray[Any]] = {draw.choice(["x", "data", "images", "arr_0", "X_train", "x_train"]): x}
    if draw.random() < 0.7:
        labels = noise(draw, len(x)) % 3
        named[draw.choice(["y", "label", "labels", "y_train", "arr_1"])] = draw.choice(
            [labels, labels.astype(np.int64) - 1, labels.astype(str), np.eye(3)[labels], labels.astype(float)]
        )
    if draw.random() < 0.3:
        named["x_test"] = x[:3]
    (np.savez if draw.random() < 0.5 else np.savez_compressed)(folder / "x.npz", **named)  # type: ignore[operator]
    return "x.npz"


def counts(folder: Path, draw: Random) -> str:
    """Counts of words in sparse rows."""
    table = noise(draw, 8, 6) % 3
    data, indices, ends = [], [], [0]
    for row in table:
        data += row[row > 0].tolist()
        indices += np.flatnonzero(row).tolist()
        ends.append(len(data))
    np.savez(
        folder / "counts.npz",
        train_data=np.array(data),
        train_indices=np.array(indices),
        train_indptr=np.array(ends),
        vocab=np.array([f"word{n}" for n in range(6)]),
        train_labels=np.arange(8) % 2,
        groups=np.array(["a", "b"]),
    )
    return f"documents:counts.npz{draw.choice(['', '?words=3', '?common=1', '?common=1&on_empty=skip'])}"


def texts(folder: Path, draw: Random) -> str:
    """A folder of text files, in two classes."""
    words = ["alpha", "beta", "gamma", "delta", "épée", "zeta"]
    for name in ("a", "b"):
        (folder / "texts" / name).mkdir(parents=True)
        for number in range(draw.randint(1, 4)):
            place = folder / "texts" / name / f"{number}{draw.choice(['.txt', '.md', ''])}"
            place.write_text(" ".join(draw.choices(words, k=12)), draw.choice(["utf-8", "utf-16", "latin-1"]))
    return f"documents:texts{draw.choice(['', '?common=1', '?common=1&on_empty=skip'])}"


def idx(folder: Path, draw: Random) -> str:
    """The four files of MNIST, small."""
    (folder / "idx").mkdir()
    for part, count in (("train", 12), ("t10k", 4)):
        pixels = struct.pack(">IIII", 2051, count, 28, 28) + noise(draw, count, 28, 28).tobytes()
        labels = struct.pack(">II", 2049, count) + bytes(n % 10 for n in range(count))
        for name, content in (("images-idx3", pixels), ("labels-idx1", labels)):
            (folder / "idx" / f"{part}-{name}-ubyte.gz").write_bytes(gzip.compress(content, 1))
    return f"{draw.choice(['mnist', 'fashion'])}:idx"


def faces(folder: Path, draw: Random) -> str:
    """Files of sets that are read by name."""
    if draw.random() < 0.5:
        np.savez(folder / "faces.npz", x=noise(draw, 12, 28, 20))
        return f"frey:faces.npz{draw.choice(['', '?video=true'])}"
    np.savez(folder / "faces.npz", x=noise(draw, 12, 64, 64), y=np.arange(12) // 2)
    return "olivetti:faces.npz"


def generated(folder: Path, draw: Random) -> str:
    """A set that is made by itself."""
    return draw.choice(
        [
            "balls?clips=3&frames=6&size=12",
            "balls?clips=12&frames=4&size=8",
            "bars",
            "digits",
            "causes",
            "one-hot",
            "curves?count=12",
            "without?of=digits&classes=3",
            "whitened?of=digits",
        ]
    )


def no_data(folder: Path, draw: Random) -> str:
    """Something that is no data at all."""
    kind = draw.choice(["text", "empty folder", "empty file", "missing", "pipe"])
    if kind == "empty folder":
        (folder / "nothing").mkdir()
    if kind in ("text", "empty file"):
        (folder / "nothing").write_text("words" if kind == "text" else "")
    if kind == "pipe":
        import os

        os.mkfifo(folder / "nothing")
    return "nothing"


MAKERS: tuple[Maker, ...] = (
    one_picture,
    pictures,
    pictures,
    classes,
    classes,
    video,
    videos,
    frames,
    array,
    arrays,
    arrays,
    counts,
    texts,
    idx,
    faces,
    generated,
    no_data,
)
