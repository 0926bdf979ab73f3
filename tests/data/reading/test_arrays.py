"""Arrays: every layout, every kind of number, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from untaught.data.part import Part
from untaught.data.reading.arrays import MappedFrames, from_array
from untaught.data.source import open_data
from untaught.data.view import as_float
from untaught.errors import DataError


def noise(*shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def every(part: Part) -> NDArray[np.generic]:
    return part.frames.read(torch.arange(part.frames.count)).numpy()


LAYOUTS = [
    ((6, 9), (9,), None),
    ((6, 8, 9), (1, 8, 9), None),
    ((6, 3, 8, 9), (3, 8, 9), None),
    ((6, 8, 9, 3), (3, 8, 9), "last"),
    ((6, 8, 9, 1), (1, 8, 9), "last"),
    ((6, 8, 9, 4), (4, 8, 9), "last"),
    ((6, 2, 8, 9), (2, 8, 9), None),
    ((6, 8, 9, 2), (2, 8, 9), "last"),
    ((6, 3, 8, 3), (3, 8, 3), None),
    ((2, 5, 3, 8, 9), (3, 8, 9), None),
    ((2, 5, 8, 9, 1), (1, 8, 9), "last"),
    ((2, 5, 1, 8, 4), (1, 8, 4), None),
]


@pytest.mark.parametrize(("shape", "frame", "order"), LAYOUTS)
@pytest.mark.parametrize("memory", [0, 2**30])
def test_layouts(
    shape: tuple[int, ...], frame: tuple[int, ...], order: str | None, memory: int, tmp_path: Path
) -> None:
    x = noise(*shape)
    np.save(tmp_path / "x.npy", x)
    source = open_data(tmp_path / "x.npy", memory=memory)
    expected = np.moveaxis(x, -1, -3) if order == "last" else x
    assert source.shape == frame and np.array_equal(every(source.train), expected.reshape(-1, *frame))
    assert source.is_video == (len(shape) == 5) and len(source.train) == shape[0]
    assert isinstance(source.train.frames, MappedFrames) == (memory == 0)
    if source.is_video:
        assert source.train.length.tolist() == [5, 5]


@pytest.mark.parametrize("shape", [(6, 9), (6, 8, 9), (2, 3, 8, 9, 1)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_mapped_frames_are_read_at_any_index(shape: tuple[int, ...], order: str, tmp_path: Path) -> None:
    x = np.asarray(noise(*shape) / 255, dtype=np.float64, order=order)  # type: ignore[call-overload]
    np.save(tmp_path / "x.npy", x)
    whole, mapped = (open_data(tmp_path / "x.npy", memory=memory).train.frames for memory in (2**30, 0))
    index = torch.tensor([[5, 0], [3, 3]])
    assert torch.equal(mapped.read(index), whole.read(index)) and mapped.read(index).dtype == torch.float32
    assert mapped.nbytes == whole.nbytes and mapped.in_memory is None


@pytest.mark.parametrize(
    ("dtype", "stored"),
    [("float64", "float32"), ("float32", "float32"), ("float16", "float16"), (">f4", "float32"), ("int64", "uint8")],
)
def test_numbers_of_pictures(dtype: str, stored: str) -> None:
    values = np.array([[[0, 1], [1, 0]]])
    source = from_array(values.astype(dtype))
    assert source.train.frames.dtype == getattr(torch, stored)
    assert as_float(torch.from_numpy(every(source.train))).tolist() == [values.tolist()]


def test_truth_values_are_black_and_white() -> None:
    for x in (np.array([[[True, False]]]), np.array([[True, False]])):
        assert every(from_array(x).train).ravel().tolist() == [255, 0]


def test_vectors_may_have_any_finite_value() -> None:
    values = [[-3.5, 1e30], [2.0, 700.0]]
    assert np.allclose(every(from_array(values).train), values)
    assert every(from_array(np.array([[-3, 70_000]])).train).tolist() == [[-3.0, 70_000.0]]


def test_a_tensor_is_not_tied_to_its_source() -> None:
    x = torch.rand(4, 3, 8, 8, requires_grad=True)
    source = from_array(x)
    assert (
        torch.equal(source.train.frames.read(torch.arange(4)), x)
        and not source.train.frames.read(torch.arange(4)).requires_grad
    )
    assert from_array(torch.rand(3, 5).bfloat16()).shape == (5,)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_values_that_are_not_finite_are_counted_and_the_first_named(value: float, tmp_path: Path) -> None:
    x = np.zeros((6, 4, 5))
    x[3, 2, 1] = x[5, 0, 0] = value
    np.save(tmp_path / "holes.npy", x)
    for memory in (0, 2**30):
        with pytest.raises(DataError, match=r"holes\.npy has 2 values that are not finite.*first is at \[3, 2, 1\]"):
            open_data(tmp_path / "holes.npy", memory=memory)


def test_values_are_counted_beyond_the_first_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("untaught.data.reading.layout.CHUNK", 10)
    x = np.zeros((50, 5), np.float32)
    x[7, 3] = x[7, 4] = x[41, 0] = np.nan
    with pytest.raises(DataError, match=r"has 3 values .* at \[7, 3\]"):
        from_array(x)
    pictures = np.zeros((50, 5, 1), np.float32)
    pictures[48, 0, 0] = 3
    with pytest.raises(DataError, match="run from 0 to 3"):
        from_array(pictures)


@pytest.mark.parametrize(
    ("low", "high", "hint"), [(0.0, 255.0, "divide by 255"), (-1.0, 1.0, "scale them"), (0.0, 4096.0, "scale them")]
)
def test_pictures_beyond_one_are_refused_with_their_range(low: float, high: float, hint: str) -> None:
    x = np.zeros((2, 4, 4), np.float32)
    x[0, 0, 0], x[1, 1, 1] = low, high
    with pytest.raises(DataError) as caught:
        from_array(x)
    assert f"run from {low:g} to {high:g}" in str(caught.value) and hint in str(caught.value)
    rounding = np.full((2, 4, 4), 1 + 1e-6, np.float32)
    assert len(from_array(rounding).train) == 2


@pytest.mark.parametrize("values", [[-1, 0], [0, 256], [0, 65535]])
def test_whole_numbers_of_pictures_must_be_bytes(values: list[int]) -> None:
    with pytest.raises(DataError, match=f"run from {values[0]} to {values[1]}"):
        from_array(np.array(values, np.int32).reshape(1, 1, 2))


@pytest.mark.parametrize("shape", [(), (7,), (2, 2, 2, 2, 2, 2)])
def test_a_wrong_number_of_axes_is_named(shape: tuple[int, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(shape))
    with pytest.raises(DataError, match=rf"x\.npy has {len(shape)} axes"):
        open_data(tmp_path / "x.npy")


@pytest.mark.parametrize("shape", [(0, 4), (3, 0), (2, 4, 0)])
def test_an_empty_array_is_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(shape))
    with pytest.raises(DataError, match="is empty"):
        open_data(tmp_path / "x.npy")


@pytest.mark.parametrize("x", [np.array([["a", "b"]]), np.zeros((2, 2), complex), np.zeros((2, 2), "datetime64[s]")])
def test_what_is_no_number_is_refused(x: NDArray[np.generic]) -> None:
    with pytest.raises(DataError, match="holds values of type"):
        from_array(x)


@pytest.mark.parametrize("ending", ["npy", "npz"])
def test_objects_are_never_unpickled(ending: str, tmp_path: Path) -> None:
    objects = np.array([{"a": 1}, None], dtype=object)
    file = tmp_path / f"x.{ending}"
    np.savez(file, x=objects) if ending == "npz" else np.save(file, objects)
    with pytest.raises(DataError, match=rf"x\.{ending} holds Python objects"):
        open_data(file)


@pytest.mark.parametrize("ending", ["npy", "npz"])
@pytest.mark.parametrize("damage", ["text", "empty", "cut off"])
def test_a_broken_file_is_named(ending: str, damage: str, tmp_path: Path) -> None:
    file = tmp_path / f"x.{ending}"
    np.savez(file, x=noise(30, 30)) if ending == "npz" else np.save(file, noise(30, 30))
    raw = {"text": b"not an array", "empty": b"", "cut off": file.read_bytes()[:700]}[damage]
    file.write_bytes(raw)
    with pytest.raises(DataError, match=rf"x\.{ending} is a broken array file") as caught:
        open_data(file)
    assert len(str(caught.value).splitlines()) == 1


def test_an_npz_brings_labels_test_part_and_latents(tmp_path: Path) -> None:
    x, x_test = noise(6, 4, 4), noise(3, 4, 4, seed=1)
    np.savez(
        tmp_path / "set.npz",
        x=x, y=[4, 1, 0, 1, -1, 2], x_test=x_test, y_test=np.array([[1.0], [2.0], [0.0]]),
        latent_angle=np.arange(6), latent_place=np.ones((6, 2)), latent_angle_test=np.arange(3) * 10,
    )  # fmt: skip
    source = open_data(tmp_path / "set.npz")
    assert source.test is not None
    assert np.array_equal(every(source.train)[:, 0], x) and np.array_equal(every(source.test)[:, 0], x_test)
    assert source.train.label.tolist() == [4, 1, 0, 1, -1, 2] and source.test.label.tolist() == [1, 2, 0]
    assert source.train.latents["angle"].tolist() == [[0], [1], [2], [3], [4], [5]]
    assert source.train.latents["place"].shape == (6, 2)
    assert source.test.latents["angle"].tolist() == [[0], [10], [20]]


def test_clips_have_latents_of_clips_and_of_frames() -> None:
    speed, place = np.arange(2), np.arange(12).reshape(2, 3, 2)
    part = from_array(noise(2, 3, 1, 4, 4), [5, 6], {"speed": speed, "place": place}).train
    assert part.latents["speed"].ravel().tolist() == [0, 0, 0, 1, 1, 1]
    assert part.latents["place"].tolist() == place.reshape(6, 2).tolist()
    assert part.label.tolist() == [5, 5, 5, 6, 6, 6]
    for wrong in (np.zeros((3, 2)), np.zeros((2, 4, 1)), np.zeros((2, 3, 1, 1))):
        with pytest.raises(DataError, match=r"latent_place is .* wanted: \(2, k\) or \(2, 3, k\)"):
            from_array(noise(2, 3, 1, 4, 4), latents={"place": wrong})


@pytest.mark.parametrize("names", [["cat", "ant", "cat"], [b"cat", b"ant", b"cat"]])
def test_labels_may_be_names(names: list[str | bytes], tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", x=noise(3, 4), labels=names, x_test=noise(1, 4), labels_test=["bee"])
    source = open_data(tmp_path / "set.npz")
    assert source.label_names == ("ant", "bee", "cat") and source.train.label.tolist() == [2, 0, 2]
    assert source.test is not None and source.test.label.tolist() == [1]


@pytest.mark.parametrize("label", [[0.5, 1, 2], [np.nan, 0, 0], [-2, 0, 1], [1j, 0, 0]])
def test_labels_that_are_no_classes_are_refused(label: list[float]) -> None:
    with pytest.raises(DataError, match="labels of x should be whole numbers"):
        from_array(noise(3, 4), label)


def test_labels_that_are_too_few_are_refused() -> None:
    with pytest.raises(DataError, match="x has 3 examples and 2 labels"):
        from_array(noise(3, 4), [0, 1])


@pytest.mark.parametrize("name", ["x", "images", "data", "frames", "anything"])
def test_the_array_with_the_examples_is_found(name: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", **{name: noise(3, 4)})
    assert np.array_equal(every(open_data(tmp_path / "set.npz").train), noise(3, 4))


def test_an_npz_with_several_unknown_arrays_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", first=noise(3, 4), second=noise(3, 4))
    with pytest.raises(DataError, match="holds first, second; the examples should be called x"):
        open_data(tmp_path / "set.npz")


def test_parts_of_different_shapes_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", x=noise(3, 4), x_test=noise(3, 5))
    with pytest.raises(DataError, match=r"x and x_test of .* differ in shape"):
        open_data(tmp_path / "set.npz")


def test_an_npz_larger_than_memory_is_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "set.npz", x=np.zeros((100, 1000), np.uint8))
    with pytest.raises(DataError, match=r"save its array as \.npy"):
        open_data(tmp_path / "set.npz", memory=99_000)


def test_pictures_are_brought_to_a_size(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", x=noise(4, 8, 8), x_test=noise(2, 8, 8))
    source = open_data(tmp_path / "set.npz", size=(4, 6))
    assert source.shape == (1, 4, 6) and source.test is not None and source.test.shape == (1, 4, 6)
    np.save(tmp_path / "x.npy", noise(4, 8, 8))
    mapped = open_data(tmp_path / "x.npy", size=(4, 6), memory=0)
    assert mapped.train.frames.in_memory is None and np.array_equal(every(mapped.train), every(source.train))


def test_real_arrays(shared_data: Path) -> None:
    frey = open_data(shared_data / "frey" / "freyfaces.npz")
    assert frey.shape == (1, 28, 20) and len(frey.train) == 1965
    faces = open_data(shared_data / "olivetti" / "olivetti.npz")
    assert faces.shape == (1, 64, 64) and faces.train.label.bincount().max() == 10
