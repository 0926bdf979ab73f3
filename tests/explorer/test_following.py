"""A training is followed while it runs: records as they come, and newer weights."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from small_runs import PORT, ask, small_run

from untaught.explorer.application import application


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
