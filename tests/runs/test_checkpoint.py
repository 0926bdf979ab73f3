"""Checkpoints: what is written is what is read, and a torn one is never read."""

import errno
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from untaught.config import to_json
from untaught.data.view import Statistics, View
from untaught.errors import ConfigError, RunError
from untaught.runs.checkpoint import Torn, pack, read_checkpoint, replacing, unpack, write_checkpoint
from untaught.runs.run import Run, build, create_run, open_run, remove_run
from untaught.runs.settings import Settings, Training

SETTINGS = Settings(model="rbm", shape=(1, 8, 8), config={"hidden": 4}, data="digits", training=Training(epochs=2))


def save(run: Run, step: int, held_out: float | None, stage: str = "train", number: int = 0) -> None:
    run.save(
        stage,
        step,
        {"model": {"w": torch.full((3,), float(step))}},
        {"stage_number": number, "held_out_loss": held_out},
    )


def names(run: Run) -> list[str]:
    return sorted(path.stem for path in run.checkpoints.glob("*.json"))


def test_state_goes_round(tmp_path: Path) -> None:
    shared = torch.arange(6.0)
    state = {"a": shared[::2], "b": shared, "deep": {3: [torch.ones(2, dtype=torch.uint8), None, 0.5]}, "empty": {}}
    write_checkpoint(tmp_path, "x", state, {"stage": "s", "stage_number": 0, "step": 1})
    read, counters = read_checkpoint(tmp_path / "x.json")
    assert torch.equal(read["a"], shared[::2]) and torch.equal(read["b"], shared)
    assert torch.equal(read["deep"][3][0], torch.ones(2, dtype=torch.uint8))
    assert read["deep"][3][1:] == [None, 0.5] and read["empty"] == {}
    assert counters["step"] == 1


def test_pack_leaves_json() -> None:
    tensors: dict[str, torch.Tensor] = {}
    packed = pack({"x": [1, "two", {"y": torch.ones(1)}]}, tensors)
    assert unpack(json.loads(json.dumps(packed)), tensors)["x"][1] == "two"


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "not json", "no digest"])
def test_a_torn_checkpoint_is_refused(tmp_path: Path, damage: str) -> None:
    write_checkpoint(tmp_path, "x", {"w": torch.ones(100)}, {"stage": "s", "stage_number": 0, "step": 1})
    tensors, counters = tmp_path / "x.safetensors", tmp_path / "x.json"
    content = bytearray(tensors.read_bytes())
    match damage:
        case "flip":
            content[-5] ^= 1
            tensors.write_bytes(content)
        case "cut":
            tensors.write_bytes(content[:-8])
        case "gone":
            tensors.unlink()
        case "not json":
            counters.write_text("{")
        case _:
            counters.write_text("{}")
    with pytest.raises(Torn):
        read_checkpoint(counters)


def test_first_best_and_last_two_are_kept(tmp_path: Path) -> None:
    run = create_run(tmp_path / "run", SETTINGS)
    for step, loss in [(1, 9.0), (2, 5.0), (3, 2.0), (4, 3.0), (5, 4.0), (6, 6.0)]:
        save(run, step, loss)
    assert names(run) == [f"train-{step:08d}" for step in (1, 3, 5, 6)]
    assert run.best().counters["step"] == 3
    last = run.last()
    assert last is not None and last.counters["step"] == 6


def test_best_is_of_the_last_stage(tmp_path: Path) -> None:
    run = create_run(tmp_path / "run", SETTINGS)
    save(run, 5, 0.1, "first", 0)
    save(run, 0, None, "second", 1)
    assert run.best().counters["stage"] == "second"
    save(run, 3, 7.0, "second", 1)
    assert run.best().counters["step"] == 3


def test_a_torn_last_checkpoint_gives_way_to_the_one_before(tmp_path: Path) -> None:
    run = create_run(tmp_path / "run", SETTINGS)
    save(run, 1, None)
    save(run, 2, None)
    (run.checkpoints / "train-00000002.safetensors").write_bytes(b"torn")
    with pytest.warns(RuntimeWarning, match="torn"):
        last = run.last()
    assert last is not None and last.counters["step"] == 1


def test_a_run_with_only_torn_checkpoints_says_so(tmp_path: Path) -> None:
    run = create_run(tmp_path / "run", SETTINGS)
    save(run, 1, 1.0)
    (run.checkpoints / "train-00000001.safetensors").write_bytes(b"torn")
    with pytest.warns(RuntimeWarning), pytest.raises(RunError, match="no whole checkpoint"):
        run.best()


def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = create_run(tmp_path / "run", SETTINGS)
    save(run, 1, 1.0)

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as half:
            half.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="No space"):
            save(run, 2, 0.5)
    assert run.best().counters["step"] == 1
    assert not [path for path in run.checkpoints.iterdir() if path.name.startswith(".")]


def test_replacing_leaves_the_old_file_on_failure(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(ValueError), replacing(path) as part:
        part.write_text("half")
        raise ValueError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_settings_go_round(tmp_path: Path) -> None:
    create_run(tmp_path / "run", SETTINGS)
    assert open_run(tmp_path / "run").settings == SETTINGS


def test_a_folder_that_is_taken_is_refused(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(RunError, match="other files"):
        create_run(tmp_path, SETTINGS)
    with pytest.raises(RunError, match="no run"):
        remove_run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_a_run_is_not_overwritten(tmp_path: Path) -> None:
    create_run(tmp_path / "run", SETTINGS)
    with pytest.raises(RunError, match="another run"):
        create_run(tmp_path / "run", SETTINGS)
    remove_run(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_unknown_key_in_config_json_is_named(tmp_path: Path) -> None:
    create_run(tmp_path / "run", SETTINGS)
    path = tmp_path / "run/config.json"
    path.write_text(json.dumps({**to_json(SETTINGS), "modle": "rbm"}))
    with pytest.raises(ConfigError, match="modle.*did you mean 'model'"):
        open_run(tmp_path / "run")


def test_an_unknown_key_deep_in_config_json_is_named(tmp_path: Path) -> None:
    create_run(tmp_path / "run", SETTINGS)
    values = to_json(SETTINGS)
    values["training"]["epoch"] = 3
    (tmp_path / "run/config.json").write_text(json.dumps(values))
    with pytest.raises(ConfigError, match="epoch"):
        open_run(tmp_path / "run")


def test_the_view_comes_from_the_training_or_the_model(tmp_path: Path) -> None:
    assert create_run(tmp_path / "a", SETTINGS).view == View(binarise=True)
    other = Settings(**{**to_json(SETTINGS), "training": Training(view={"patch": 4})})
    assert create_run(tmp_path / "b", other).view == View(binarise=True, patch=4)


def test_a_loaded_model_sees_as_the_run_did(tmp_path: Path) -> None:
    run = create_run(tmp_path / "run", replace(SETTINGS, seen=View(standardise="all")))
    run.save("train", 1, {"model": build(SETTINGS).state_dict()}, {"stage_number": 0})
    assert run.load().view == View(standardise="all")


@pytest.mark.parametrize("changed", ["deviation", "mean"])
def test_changed_statistics_are_refused(tmp_path: Path, changed: str) -> None:
    run = create_run(tmp_path / "run", replace(SETTINGS, seen=View(standardise="pixel")))
    held = {"mean": torch.full((1, 8, 8), 0.5), "deviation": torch.full((1, 8, 8), 2.0)}
    run.keep_statistics(Statistics(**held))
    found = run.statistics()
    assert (
        found is not None and torch.equal(found.mean, held["mean"]) and torch.equal(found.deviation, held["deviation"])
    )
    path = run.path / "statistics.safetensors"
    with safe_open(path, "pt") as file:
        told = file.metadata()
    save_file({**held, changed: held[changed] + 1}, path, told)
    with pytest.raises(RunError, match="torn"):
        run.statistics()


def test_nothing_is_looked_for_where_data_are_as_they_are(tmp_path: Path) -> None:
    """No file, and no checkpoint, which have none anyway."""
    assert create_run(tmp_path / "run", SETTINGS).statistics() is None


def test_a_step_is_one_of_the_last_stage(tmp_path: Path) -> None:
    run = create_run(tmp_path / "run", SETTINGS)
    save(run, 5, None, "first", 0)
    save(run, 3, None, "second", 1)
    assert run.at(3).counters["stage"] == "second"
    with pytest.raises(RunError, match="no checkpoint of step 5; there are: 3"):
        run.at(5)


@pytest.mark.parametrize("lacking", ["stage", "stage_number", "step", "state", "sha256"])
def test_counters_without_their_place_are_no_checkpoint(tmp_path: Path, lacking: str) -> None:
    run = create_run(tmp_path / "run", SETTINGS)
    save(run, 1, None)
    path = run.checkpoints / "train-00000001.json"
    path.write_text(json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key != lacking}))
    with pytest.warns(RuntimeWarning, match="torn"):
        assert run.last() is None
