"""Data sets of Hugging Face's library: handed over, saved to disk, streamed, and by name on the command line."""

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from untaught.cli import main
from untaught.data.source import Source, open_data
from untaught.errors import DataError

datasets: Any = pytest.importorskip("datasets", reason="the library datasets is not installed")


def made(count: int = 6, first: int = 100) -> Any:
    features = datasets.Features(
        {"img": datasets.Image(), "id": datasets.Value("int64"), "label": datasets.ClassLabel(names=["dog", "cat"])}
    )
    pictures = [Image.new("RGB", (6, 8), (first + n, 9, 99)) for n in range(count)]
    return datasets.Dataset.from_dict(
        {"img": pictures, "id": list(range(count)), "label": [n % 2 for n in range(count)]}, features=features
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hf") / "set"
    datasets.DatasetDict({"train": made(), "test": made(3, 200)}).save_to_disk(path)
    return path


def red(source: Source, part: str = "train") -> list[int]:
    frames = source.all_parts()[part].frames
    return frames.read(torch.arange(frames.count))[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("memory", [2**30, 100])
def test_sets_that_are_handed_over(memory: int) -> None:
    for given in (made(), made().to_iterable_dataset()):
        source = open_data(given, memory=memory)
        assert red(source) == [100, 101, 102, 103, 104, 105] and source.shape == (3, 8, 6)
        assert source.label_names == ("dog", "cat") and source.train.label.tolist() == [0, 1, 0, 1, 0, 1]
        assert "left out 1 field, not used: id" in source.notes
    tensors = made().with_format("torch")
    assert red(open_data(tensors, memory=memory)) == [100, 101, 102, 103, 104, 105]


def test_undecoded_pictures_and_arrays() -> None:
    undecoded = made().cast_column("img", datasets.Image(decode=False))
    assert red(open_data(undecoded)) == [100, 101, 102, 103, 104, 105]
    arrays = datasets.Dataset.from_dict({"pixel_values": [[[n / 4, 0.5]] for n in range(3)], "kind": ["b", "a", None]})
    source = open_data(arrays, options={"label": "kind"})
    assert source.shape == (1, 1, 2) and source.label_names == ("a", "b") and source.train.label.tolist() == [1, 0, -1]


@pytest.mark.parametrize("streaming", ["", "streaming=true"])
def test_a_saved_set_is_opened_by_its_path_and_its_spec_opens_it_again(saved: Path, streaming: str) -> None:
    source = open_data(f"hf:{saved}?image=img&{streaming}".rstrip("&"))
    for _ in range(2):
        assert red(source) == [100, 101, 102, 103, 104, 105] and red(source, "test") == [200, 201, 202]
        assert source.label_names == ("dog", "cat") and source.validation is None
        source = open_data(source.spec)
    one = open_data(f"hf:{saved}?split=test&size=4&{streaming}".rstrip("&"))
    assert red(one) == [200, 201, 202] and one.shape == (3, 4, 4) and one.test is None


def test_files_and_folders_that_the_library_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    made().to_parquet(tmp_path / "set.parquet")
    for spec in ("?", "?streaming=true"):
        source = open_data(f"hf:{tmp_path / 'set.parquet'}{spec}".rstrip("?"))
        assert red(source) == [100, 101, 102, 103, 104, 105] and source.label_names == ("dog", "cat")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("hf:{saved}?split=dev", "has no part 'dev'; there are: train, test"),
        ("hf:{saved}?image=picture", "has no field 'picture'; there are: img, id, label"),
        ("hf:{saved}/dataset_dict.txt", "cannot open hf:"),
        ("hf", "hf takes the name of a data set, or a folder"),
    ],
)
def test_errors_are_in_words(saved: Path, spec: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    with pytest.raises(DataError) as caught:
        open_data(spec.format(saved=saved))
    assert message in str(caught.value) and len(str(caught.value).split("\n")) <= 3


@pytest.mark.slow
def test_the_command_line_trains_on_one(saved: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [
        "train",
        "autoencoder",
        "--data",
        f"hf:{saved}?image=img",
        "--epochs",
        "1",
        "--hidden",
        "8",
        "--latent",
        "2",
    ]
    assert main([*command, "--out", str(run)]) == 0
    assert main(["encode", str(run), "--data", f"hf:{saved}?split=test", "--out", str(tmp_path / "codes.npz")]) == 0
