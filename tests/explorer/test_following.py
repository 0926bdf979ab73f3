"""A training is followed while it runs: records as they come, and newer weights."""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from small_runs import PORT, ask, small_run

from untaught.explorer.application import application

PNG = b"\x89PNG"


def test_records_come_as_they_are_written(tmp_path: Path) -> None:
    run = small_run(tmp_path, "rbm")
    app = application(run, PORT)
    first = ask(app, "GET", "/api/training").json
    assert [record["step"] for record in first["records"]] == [1] and not first["more"]
    with (run.path / "metrics.jsonl").open("a") as lines:
        lines.write(
            json.dumps({"stage": "train", "step": 2, "held_out": {"x": float("nan")}}) + "\n{torn\n" + '{"step"'
        )
    second = ask(app, "GET", f"/api/training?from={first['place']}").json
    assert [record["step"] for record in second["records"]] == [2] and second["records"][0]["held_out"] == {"x": None}
    with (run.path / "metrics.jsonl").open("a") as lines:
        lines.write(": 3}\n")
    third = ask(app, "GET", f"/api/training?from={second['place']}").json
    assert [record["step"] for record in third["records"]] == [3]
    run.cut_records(1)  # as where a training is resumed
    again = ask(app, "GET", f"/api/training?from={third['place']}").json
    assert again["restarted"] and [record["step"] for record in again["records"]] == [1]


def test_pictures_of_each_step_are_listed_and_given(tmp_path: Path) -> None:
    run = small_run(tmp_path, "rbm")
    (run.pictures / "train-00000010").mkdir(parents=True)
    for age, name in enumerate(("samples.png", "train-00000010/samples.png", "elsewhere.png")):
        (run.pictures / name).write_bytes(PNG + name.encode())
        os.utime(run.pictures / name, (1000 - age, 1000 - age))
    (tmp_path / "secret.png").write_bytes(PNG)
    (run.pictures / "elsewhere.png").unlink()
    (run.pictures / "elsewhere.png").symlink_to(tmp_path / "secret.png")
    app = application(run, PORT)
    listed = ask(app, "GET", "/api/training").json["pictures"]
    assert listed == [{"name": "samples.png", "at": 1000.0}, {"name": "train-00000010/samples.png", "at": 999.0}]
    given = ask(app, "GET", "/api/training/picture?name=train-00000010/samples.png")
    assert given.status == 200 and given.body == PNG + b"train-00000010/samples.png"
    for name in ("elsewhere.png", "../config.json", "train-00000010/../samples.png"):
        assert ask(app, "GET", f"/api/training/picture?name={name}").status == 400


def test_newer_weights_are_taken_when_asked(tmp_path: Path) -> None:
    run = small_run(tmp_path, "rbm")
    app = application(run, PORT)
    before = ask(app, "GET", "/api/about").json["checkpoint"]
    state = {name: torch.ones_like(value) for name, value in run.load().state_dict().items()}
    run.save("train", 2, {"model": state}, {"stage_number": 0, "held_out_loss": 0.5})
    told = ask(app, "GET", "/api/training").json["checkpoint"]
    assert told != before == ask(app, "GET", "/api/about").json["checkpoint"]
    assert ask(app, "POST", "/api/renew").json == {"checkpoint": told}
    assert ask(app, "GET", "/api/about").json["checkpoint"] == told
