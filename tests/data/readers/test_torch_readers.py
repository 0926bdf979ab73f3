"""Torch's data sets and loaders: the same examples in the same order, in memory and by number, and errors in words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset, WeightedRandomSampler

import untaught
from untaught.data.describe import describe
from untaught.data.readers.reader_frames import ReaderFrames
from untaught.data.source import Source, open_data
from untaught.errors import ConfigError, DataError
from untaught.runs.run import create_run
from untaught.training.fit import train
from untaught.training.plan import Plan

X = torch.rand(24, 3, 8, 6, generator=torch.Generator().manual_seed(1))
Y = torch.arange(24) % 3


class Given(Dataset[Any]):
    """Examples from a list; errors in it are raised."""

    def __init__(self, examples: list[Any], classes: tuple[str, ...] = ()) -> None:
        self.examples, self.classes = examples, classes

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, number: int) -> Any:
        if isinstance(self.examples[number], Exception):
            raise self.examples[number]
        return self.examples[number]


class Following(IterableDataset[Any]):
    """Pairs one after another."""

    def __iter__(self) -> Iterator[Any]:
        yield from zip(X, Y, strict=True)


class Endless(Dataset[Any]):
    """Examples without a length."""

    def __getitem__(self, number: int) -> Tensor:
        return X[number % 24]


def frames(source: Source) -> Tensor:
    return source.train.frames.read(torch.arange(source.train.frames.count))


def labels(source: Source) -> list[int]:
    return source.train.label[source.train.first].tolist()


DOORS = {
    "data set": TensorDataset(X, Y),
    "loader": DataLoader(TensorDataset(X, Y), batch_size=7),
    "shuffled loader": DataLoader(TensorDataset(X, Y), batch_size=7, shuffle=True, drop_last=True),
    "loader of batches": DataLoader(
        TensorDataset(X, Y), batch_size=7, collate_fn=lambda b: {"img": [x for x, _ in b], "y": [int(y) for _, y in b]}
    ),
    "stream": Following(),
    "loader of a stream": DataLoader(Following(), batch_size=5),
    "loader without batches": DataLoader(Following(), batch_size=None),
    "subset": Subset(TensorDataset(X.flip(0), Y.flip(0)), list(range(23, -1, -1))),
    "fields": Given(
        [{"id": n, "image": x.numpy(), "label": int(y)} for n, (x, y) in enumerate(zip(X, Y, strict=True))]
    ),
}


@pytest.mark.parametrize("memory", [2**30, 1000], ids=["in memory", "larger than memory"])
@pytest.mark.parametrize("door", DOORS)
def test_every_door_gives_the_same(door: str, memory: int) -> None:
    source = open_data(DOORS[door], memory=memory)
    assert torch.equal(frames(source), X)
    assert labels(source) == Y.tolist()
    assert (source.train.frames.in_memory is None) == (memory == 1000)
    index = torch.tensor([[3, 5], [5, 0]])
    assert torch.equal(source.train.frames.read(index), X[index])


@pytest.mark.parametrize(
    ("example", "shape", "value"),
    [
        (np.full((8, 6, 3), 255, np.uint8), (3, 8, 6), 1.0),
        (np.full((8, 6), 255, np.uint8), (1, 8, 6), 1.0),
        (torch.full((8, 6, 1), 0.25), (1, 8, 6), 0.25),
        (np.full((3, 8, 6), 255, np.int64), (3, 8, 6), 1.0),
        (np.ones((1, 8, 6), bool), (1, 8, 6), 1.0),
        (torch.full((5,), 7.5, dtype=torch.float64), (5,), 7.5),
        (torch.full((3, 8, 6), 0.5, dtype=torch.bfloat16), (3, 8, 6), 0.5),
        ([0.5, 0.25], (2,), 0.5),
        (Image.new("RGB", (6, 8), (255, 0, 0)), (3, 8, 6), 1.0),
        (Image.new("L", (6, 8), 255), (1, 8, 6), 1.0),
        (Image.new("RGBA", (6, 8), (255, 0, 0, 0)), (1, 8, 6), 1.0),
    ],
)
def test_pictures_of_every_kind(example: Any, shape: tuple[int, ...], value: float) -> None:
    source = open_data(Given([example, example]))
    assert source.shape == shape
    read = frames(source)
    assert float((read.float() / (255 if read.dtype == torch.uint8 else 1)).flatten()[0]) == pytest.approx(value)


def test_clips_and_frames_of_clips() -> None:
    clips = [np.full((length, 3, 8, 6), n / 10, np.float32) for n, length in enumerate((4, 2, 5))]
    for memory in (2**30, 100):
        source = open_data(Given([(clip, n) for n, clip in enumerate(clips)]), memory=memory)
        assert source.is_video and source.train.length.tolist() == [4, 2, 5] and labels(source) == [0, 1, 2]
        assert torch.equal(frames(source), torch.from_numpy(np.concatenate(clips)))


def test_grey_and_coloured_pictures_are_coloured() -> None:
    pictures = [Image.new("L", (6, 8), 100), Image.new("RGB", (6, 8), (9, 99, 199))]
    for memory in (2**30, 100):
        source = open_data(Given(list(pictures)), memory=memory)
        assert source.shape == (3, 8, 6) and source.train.frames.dtype == torch.uint8
        assert frames(source)[:, :, 0, 0].tolist() == [[100, 100, 100], [9, 99, 199]]


def test_pictures_of_several_sizes_are_brought_to_one() -> None:
    pictures = [Image.new("RGB", size, (9, 99, 199)) for size in ((20, 30), (40, 40), (50, 20))]
    source = open_data(Given(list(pictures)))
    assert source.shape == (3, 20, 20) and source.chosen_size == (20, 20)
    assert open_data(Given(list(pictures)), size=(6, 5)).shape == (3, 6, 5)
    assert open_data((one for one in pictures), size=16).shape == (3, 16, 16)


def test_labels_are_named() -> None:
    text = open_data(Given([(X[n], name) for n, name in enumerate(("dog", "cat", None, "dog"))]))
    assert text.label_names == ("cat", "dog") and labels(text) == [1, 0, -1, 1]
    known = open_data(Given([(X[n], n) for n in range(2)], classes=("plane", "bird")))
    assert known.label_names == ("plane", "bird") and describe(known)["labels"] == {"plane": 1, "bird": 1}
    measured = open_data(Given([(X[n], n + 0.5) for n in range(3)]))
    assert labels(measured) == [-1, -1, -1] and "0.5" in " ".join(measured.notes)


def test_parts_share_scale_size_and_classes() -> None:
    train = Given([(np.full((8, 6), 16, np.int32), "b"), (np.full((8, 6), 4, np.int32), "a")])
    test = Given([(np.full((8, 6), 8, np.int32), "b")])
    source = open_data({"train": train, "val": test, "test": test})
    assert source.scale == 16 and source.label_names == ("a", "b")
    assert source.test is not None and source.validation is not None
    assert float(source.test.frames.read(torch.tensor([0])).max()) == 0.5 and source.test.label.tolist() == [1]


def test_broken_examples_are_left_out_where_that_is_asked_for() -> None:
    data = Given([(X[0], 0), ValueError("no page 3\nmore"), {"note": "x"}, (X[3], 1)])
    for memory in (2**30, 100):
        source = open_data(data, on_bad="skip", memory=memory)
        assert torch.equal(frames(source), X[[0, 3]]) and labels(source) == [0, 1]
        assert source.skipped == ("example 1 of Given", "example 2 of Given")


@pytest.mark.parametrize(
    ("thing", "options", "message"),
    [
        (Given([X[0], ValueError("no page 3")]), {}, "example 1 of Given cannot be read: ValueError: no page 3"),
        (
            Given([{"note": 1, "id": 2}]),
            {},
            "example 0 of Given has no field that is called a picture; there are: note, id",
        ),
        (Given([{"img": X[0]}, {"img": None}]), {}, "example 1 of Given has no picture: its field 'img' is empty"),
        (Given([X[0]]), {"image": "img"}, "is a picture alone, without fields, so it has no 'img'"),
        (Given([{"img": X[0]}]), {"label": "digit"}, "has no field 'digit'; there are: img"),
        (Given([(X[0], 1)]), {"label": 2}, "is a tuple of 2, and has no entry 2"),
        (Given([X[0], X[0, :2]]), {}, "example 1 of Given is a picture of 2x8x6, and the first is a picture of 3x8x6"),
        (Given([X[0], X[0, 0, 0]]), {}, "example 1 of Given is a vector of 6, and the first is a picture of 3x8x6"),
        ((x for x in (X[0], X[0, :, :4])), {}, "size=64 brings all to one size"),
        (Given([X[0], X[0].double()]), {}, "example 1 of Given holds float64, and the first float32"),
        (Given([X[0] - 0.5]), {}, "such as Normalize"),
        (Given([X[0] * np.nan]), {}, "values that are not finite"),
        (Given([[[1.0, 2.0], [3.0]]]), {}, "rows of different lengths"),
        (Given([3.5]), {}, "is a single number"),
        (Given([object()]), {}, "is a object"),
        (Given([("missing.png", 1)]), {}, "names a file that is not there: missing.png"),
        (Given([(X[0], [1, 0])]), {"label": 1}, "labels of Given are no classes"),
        (Given([(X[0], 1), (X[1], "a")]), {}, "text and numbers in turn"),
        (Given([]), {}, "Given gives no examples"),
        (Endless(), {}, "Endless has no length (__len__)"),
        ({"left": Given([X[0]]), "right": Given([X[0]])}, {}, "has the parts left, right; wanted: train"),
        (5, {}, "a int cannot be read"),
        (Given([X[0]]), {"limits": 3}, "unknown field 'limits' in Given; did you mean 'limit'"),
    ],
)
def test_errors_are_in_words(thing: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises((DataError, ConfigError)) as caught:
        open_data(thing, options=options)
    assert message in str(caught.value) and len(str(caught.value).split("\n")) <= 3


def test_a_sampler_that_draws_decides_and_is_the_same_again() -> None:
    """Weights of zero leave examples out; nothing of the caller's generator is used."""
    weights = [0.0] * 12 + [1.0] * 12
    loader = DataLoader(TensorDataset(X, Y), batch_size=4, sampler=WeightedRandomSampler(weights, 16))
    before = torch.get_rng_state()
    one, other = open_data(loader), open_data(loader)
    assert torch.equal(torch.get_rng_state(), before)
    assert len(one.train) == 16 and torch.equal(frames(one), frames(other))
    assert all(any(torch.equal(x, there) for there in X[12:]) for x in frames(one))


def plan(thing: Any, memory: int = 2**30) -> Plan:
    asked = untaught.Asked(
        "autoencoder", {"hidden": (8,), "latent": 2}, untaught.Training(epochs=2, device="cpu", threads=1)
    )
    return untaught.plan(asked, open_data(thing, memory=memory))


def weights(model: torch.nn.Module) -> Tensor:
    return torch.cat([value.flatten() for value in model.state_dict().values()])


def test_training_by_number_is_training_in_memory_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Equal bits from both, and from a run that is left at its first record and taken up by another plan."""
    plans = [plan(DOORS["data set"], memory) for memory in (2**30, 100)]
    for one in plans:
        train(one)
    run = create_run(tmp_path / "run", plans[0].settings)
    stopped = untaught.fit(plan(DOORS["data set"], 100), run=run)
    for record in stopped:
        if record.step:
            break
    stopped.close()
    gone_on = plan(DOORS["data set"], 100)
    train(gone_on, run=run)
    assert run.records()
    for other in (plans[1], gone_on):
        assert torch.equal(weights(plans[0].model), weights(other.model))


def test_a_run_opens_other_things_and_says_that_its_own_are_gone(tmp_path: Path) -> None:
    run = create_run(tmp_path / "run", plan(TensorDataset(X, Y)).settings)
    assert len(run.source(TensorDataset(X[:5], Y[:5])).train) == 5
    with pytest.raises(DataError, match="TensorDataset was handed over in Python"):
        run.source()


def test_readers_by_number_are_frames() -> None:
    assert isinstance(open_data(TensorDataset(X), memory=10).train.frames, ReaderFrames)
