"""Messages between page and server."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from small_runs import Reply

from untaught.errors import ConfigError
from untaught.explorer.panel import Asked
from untaught.explorer.wire import as_bytes, finite, floats, pack


def test_a_message_goes_round() -> None:
    arrays = {"bytes": torch.arange(5, dtype=torch.uint8), "numbers": torch.tensor([[0.5, -2.0]]).double()}
    found = Reply(200, {}, pack({"told": "ü"}, arrays)).message
    assert found["told"] == "ü" and found["bytes"].tolist() == [0, 1, 2, 3, 4]
    assert found["numbers"].tolist() == [[0.5, -2.0]]


def test_numbers_of_a_request_are_counted_and_finite() -> None:
    sent = np.array([1.0, math.nan], dtype="<f4")
    assert floats(sent.tobytes(), 2)[0] == 1
    for body, count in ((sent.tobytes(), 3), (sent.tobytes()[:-1], 2), (np.array([math.inf], "<f4").tobytes(), 1)):
        with pytest.raises(ConfigError):
            floats(body, count)


def test_pictures_become_bytes() -> None:
    grey = torch.tensor([[-1.0, 0.0, 0.5, 1.0, 2.0]]).view(1, 1, 1, 5)
    assert as_bytes(grey).flatten().tolist() == [0, 0, 128, 255, 255]
    assert as_bytes(torch.rand(2, 4, 3, 3)).shape == (2, 3, 3, 3) and as_bytes(torch.rand(2, 20, 3, 3)).shape[1] == 1


def test_json_holds_no_numbers_that_browsers_refuse() -> None:
    told = finite({"a": math.nan, "b": [math.inf, 1.5], "c": {"d": "x"}})
    assert json.loads(json.dumps(told, allow_nan=False)) == {"a": None, "b": [None, 1.5], "c": {"d": "x"}}


@pytest.mark.parametrize("text", ["", "x", "1.5", "-1", "10", "9" * 5000, "١٢x"])
def test_words_of_a_request_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        Asked({"count": text}).whole("count", 0, 9)
    assert Asked({}).whole("count", 0, 9, 3) == 3


@pytest.mark.parametrize("text", ["nan", "inf", "", "1e999", "x"])
def test_numbers_of_a_request_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        Asked({"t": text}).number("t", 0, 9, 1)


def test_every_script_belongs_to_the_page() -> None:
    """Scripts import scripts that are there; no address of another host is written anywhere, but names of XML."""
    folder = Path(__file__).parents[2] / "untaught/explorer/page"
    for path in folder.iterdir():
        text = path.read_text()
        for name in re.findall(r'from "([^"]+)"', text):
            assert name.startswith("./") and (folder / name).is_file(), name
        assert set(re.findall(r"https?://[^\"'\s]+", text)) <= {"http://www.w3.org/2000/svg"}
