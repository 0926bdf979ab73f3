"""What folders say: parts, classes, files that have neither; of pictures, video and texts alike."""

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from untaught.data.source import Source, open_data

DOORS = {"pictures": ("", ".png"), "video": ("", ".mp4"), "texts": ("documents:", ".txt")}


def write(file: Path, number: int) -> None:
    """A file of its kind, of another content for each number."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".txt":
        file.write_text("boat sea " * number + "wood tree " * (9 - number % 9))
        return
    pixels = np.full((16, 16, 3), 20 * number + 40, np.uint8)
    if file.suffix == ".png":
        Image.fromarray(pixels).save(file)
        return
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", 10)
        stream.width = stream.height = 16
        for _ in range(7):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode())


def opened(folder: Path, door: str, *names: str) -> Source:
    prefix, ending = DOORS[door]
    for number, name in enumerate(names):
        write(folder / f"{name}{ending}", number)
    return open_data(f"{prefix}{folder}?{'common=1' if prefix else 'grey=1'}")


def classes(source: Source) -> dict[str, list[str]]:
    """Names of the classes of each part's examples."""
    found = {name: part.label[part.first].tolist() for name, part in source.all_parts().items()}
    return {name: [source.label_names[one] if one >= 0 else "" for one in labels] for name, labels in found.items()}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("cat/1", "dog/2"), {"train": ["cat", "dog"]}),
        (("cat/1", "cat/2", "cover", "dog/2"), {"train": ["cat", "cat", "", "dog"]}),
        (("all/cat/1", "all/dog/2"), {"train": ["cat", "dog"]}),
        (("train/1", "car/2", "bus/3"), {"train": ["bus", "car", "train"]}),
        (
            ("train/cat/1", "train/dog/2", "test/cat/3", "test/owl/4"),
            {"train": ["cat", "dog"], "test": ["cat", "owl"]},
        ),
        (("set/Train/cat/1", "set/Train/dog/2", "set/Test/3"), {"train": ["cat", "dog"], "test": [""]}),
        (("cat/training/1", "cat/testing/2", "dog/training/3"), {"train": ["cat", "dog"], "test": ["cat"]}),
        (("train/1", "train/2", "test/3"), {"train": ["", ""], "test": [""]}),
        (
            ("train/cat/1", "train/dog/2", "test/cat/3", "more/cat/4", "loose"),
            {"train": ["cat", "dog"], "test": ["cat"]},
        ),
    ],
)
def test_parts_and_classes(door: str, names: tuple[str, ...], found: dict[str, list[str]], tmp_path: Path) -> None:
    source = opened(tmp_path, door, *names)
    assert classes(source) == found
    told = " ".join(source.notes)
    assert ("folders are parts" in told) == (len(found) > 1) and ("without a label: cover" in told) == (
        "cover" in names
    )
    assert ("left out 2 files of no part: loose" in told) == ("loose" in names) and bool(source.left_out) == (
        "loose" in names
    )


def test_a_validation_part_selects(tmp_path: Path) -> None:
    source = opened(tmp_path, "pictures", "train/cat/1", "train/dog/2", "val/cat/3", "val/dog/4")
    assert classes(source) == {"train": ["cat", "dog"], "validation": ["cat", "dog"]}
    values = [part.frames.read(part.first)[:, 0, 0, 0].tolist() for part in source.all_parts().values()]
    assert values == [[40, 60], [80, 100]]


def test_where_most_files_lie_loose_folders_are_no_classes(tmp_path: Path) -> None:
    source = opened(tmp_path, "pictures", "old/1", "new/2", "3", "4", "5")
    assert classes(source) == {"train": [""] * 5} and "3 of 5 files in no sub-folder" in source.notes[-1]


@pytest.mark.parametrize("memory", [0, 2**30])
def test_broken_files_and_pages_keep_their_places(memory: int, tmp_path: Path) -> None:
    opened(tmp_path, "pictures", "train/cat/1", "train/dog/2", "test/cat/3", "test/dog/4")
    pages = [Image.fromarray(np.full((16, 16), value, np.uint8)) for value in (10, 20, 210)]
    pages[0].save(tmp_path / "train/cat/pages.tif", save_all=True, append_images=pages[1:])
    (tmp_path / "train/cat/0.png").write_text("no picture")
    source = open_data(tmp_path, on_bad="skip", memory=memory)
    assert classes(source) == {"train": ["cat"] * 4 + ["dog"], "test": ["cat", "dog"]}
    values = [part.frames.read(part.first)[:, 0, 0, 0].tolist() for part in source.all_parts().values()]
    assert values == [[40, 10, 20, 210, 60], [80, 100]]
    assert torch.equal(
        source.train.frames.read(torch.tensor([3, 2])), source.train.frames.read(torch.tensor([2, 3])).flip(0)
    )
    assert str(source.train.place_of(int(source.train.first[2]))) == f"{tmp_path / 'train/cat/pages.tif'}, page 2"
