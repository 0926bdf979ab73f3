"""Directions through the features, and what the page's folder consists of. The page itself: `test_browser.py`."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import tarfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from browser_run import run_on_digits
from PIL import Image
from subject import ready

from untaught import randomness
from untaught.data.source import open_data
from untaught.errors import ConfigError, RunError
from untaught.evaluate.subject import Subject, subject_of_run
from untaught.export import browser_folder, onnx_files, web_runtime
from untaught.export.browser_folder import GRID, decoded_grid, write_browser_folder
from untaught.export.drawn_map import DRAWS, drawn_map
from untaught.export.latent_map import SLIDERS, latent_map, refuse_without_map
from untaught.export.onnx_files import runner
from untaught.model import Decodes, model_class
from untaught.runs.run import Run

RUNTIME = {name: name.encode() for name in web_runtime.FILES}
"""What stands in for onnxruntime-web where no browser runs it."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_on_digits(tmp_path_factory.mktemp("run") / "run", latent=5)


@pytest.fixture(scope="module")
def subject(run: Run) -> Subject:
    return subject_of_run(run)


@pytest.fixture(scope="module")
def folder(run: Run, subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(browser_folder, "runtime_files", lambda folder: RUNTIME)
        write_browser_folder(run, subject, out)
    return out


def script(path: Path) -> object:
    """The value that a script of the folder names."""
    return json.loads(path.read_text().partition(" = ")[2].removesuffix(";\n"))


def test_principal_directions_are_those_of_the_covariance(subject: Subject) -> None:
    plane = latent_map(subject)
    z = subject.features(subject.tested().x).double()
    values, vectors = np.linalg.eigh(np.cov(z.numpy().T))
    assert not plane.single and len(plane.names) == 5
    for k in range(5):
        assert abs(float(plane.directions[k].double().numpy() @ vectors[:, -1 - k])) == pytest.approx(1, abs=1e-3)
    assert plane.share == pytest.approx(values[-2:].sum() / values.sum(), rel=1e-3)
    restored = plane.features(plane.coordinates)
    torch.testing.assert_close(restored.double(), z, atol=1e-3, rtol=1e-3)


def test_features_stay_within_those_of_examples(subject: Subject) -> None:
    plane = latent_map(subject)
    far = plane.features(torch.full((1, 5), 1e6))
    assert bool(((far >= plane.least) & (far <= plane.most)).all())


def test_latents_are_ordered_by_activity(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    scale = torch.tensor([0.001, 3.0, 0.05, 2.0, 1.0])
    monkeypatch.setattr(Subject, "features", lambda self, x: torch.randn(len(x), 5, generator=seeded()) * scale)
    monkeypatch.setattr("untaught.export.latent_map.LatentVariable", type(subject.model))
    monkeypatch.setattr(type(subject.model), "continuous", True, raising=False)
    assert latent_map(subject).names == ("latent 2", "latent 4", "latent 5"), "the inactive ones have no slider"


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("width", [1, 2, 40])
def test_any_number_of_features_has_a_map(subject: Subject, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Subject, "features", lambda self, x: torch.randn(len(x), width, generator=seeded()))
    plane = latent_map(subject)
    assert len(plane.directions) == len(plane.names) == max(2, min(width, 2 + SLIDERS))
    assert bool((plane.last > plane.first).all()) and plane.features(plane.grid(3)).shape == (9, width)


def test_features_that_never_differ_are_refused(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Subject, "features", lambda self, x: torch.ones(len(x), 3))
    with pytest.raises(ConfigError, match="nothing to map"):
        latent_map(subject)


def test_grid_goes_right_and_down(subject: Subject, folder: Path) -> None:
    plane = latent_map(subject)
    grid = plane.grid(GRID)
    assert grid[0].tolist() == pytest.approx([float(plane.first[0]), float(plane.last[1])])
    assert grid[-1].tolist() == pytest.approx([float(plane.last[0]), float(plane.first[1])])
    told = script(folder / "map.js")
    assert isinstance(told, dict)
    sprite = np.array(Image.open(io.BytesIO(base64.b64decode(told["grid"]["picture"].partition(",")[2]))).convert("L"))
    made = decoded_grid(subject, plane).clamp(0, 1).unflatten(0, (GRID, GRID))
    for row, column in ((0, 0), (2, 7), (GRID - 1, 3)):
        tile = sprite[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
        np.testing.assert_allclose(tile, 255 * made[row, column, 0], atol=1.5)


def test_scripts_hold_the_decoder_and_its_runtime(folder: Path, subject: Subject) -> None:
    packed = script(folder / "decoder.js")
    z = torch.rand(3, 5)
    made = runner(gzip.decompress(base64.b64decode(str(packed))))(z.numpy())
    assert isinstance(subject.model, Decodes)
    np.testing.assert_allclose(made, subject.model.decode(z).detach(), atol=1e-4)
    held = script(folder / "runtime.js")
    assert isinstance(held, dict)
    assert gzip.decompress(base64.b64decode(held["machine"])) == web_runtime.MACHINE.encode()


def test_page_names_no_other_host_and_no_folder_of_this_machine(folder: Path, run: Run) -> None:
    for path in folder.iterdir():
        if path.name not in ("NOTICE.txt", web_runtime.SCRIPT):
            assert not re.search(r"https?://", path.read_text()), path.name
            assert str(run.path) not in path.read_text()
    assert "{{" not in (folder / "index.html").read_text()


@pytest.mark.parametrize(
    ("module", "most", "told"),
    [(browser_folder, "MOST_BYTES", "the decoder takes"), (onnx_files, "OPERATIONS", "the decoder cannot be exported")],
)
def test_a_decoder_that_a_page_cannot_hold_leaves_the_grid(
    module: ModuleType,
    most: str,
    told: str,
    run: Run,
    subject: Subject,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(browser_folder, "runtime_files", lambda folder: RUNTIME)
    monkeypatch.setattr(module, most, 3)
    page = write_browser_folder(run, subject, tmp_path / "page")
    assert page.without.startswith(told) and script(tmp_path / "page" / "decoder.js") is None
    held = script(tmp_path / "page" / "map.js")
    assert isinstance(held, dict) and len(held["names"]) == len(held["directions"]) == 2, "sliders would move nothing"
    assert not (tmp_path / "page" / "runtime.js").exists()


def test_a_runtime_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"has no ort\.wasm\.min\.js of onnxruntime-web"):
        web_runtime.runtime_files(str(tmp_path))
    (tmp_path / web_runtime.SCRIPT).write_text("another")
    with pytest.raises(RunError, match="its digest differs"):
        web_runtime.runtime_files(str(tmp_path))


def package(path: Path) -> str:
    """An archive as npm has them, with files that stand in for the real ones; its address."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in RUNTIME.items():
            entry = tarfile.TarInfo(f"package/dist/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path.as_uri()


def test_runtime_is_fetched_once_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_runtime, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(web_runtime, "URL", package(tmp_path / "a.tgz"))
    monkeypatch.setattr(web_runtime, "FILES", {n: hashlib.sha256(c).hexdigest() for n, c in RUNTIME.items()})
    with pytest.raises(RunError, match="another digest"):
        web_runtime.runtime_files()
    assert not (tmp_path / "cache").exists()
    monkeypatch.setattr(web_runtime, "ARCHIVE", hashlib.sha512((tmp_path / "a.tgz").read_bytes()).hexdigest())
    assert web_runtime.runtime_files() == RUNTIME
    (tmp_path / "a.tgz").unlink()
    assert web_runtime.runtime_files() == RUNTIME, "it is in the cache"
    next((tmp_path / "cache").rglob("*.wasm")).write_bytes(b"changed")
    with pytest.raises(RunError, match=r"cannot fetch .*\ngive --runtime DIR"):
        web_runtime.runtime_files()


@pytest.mark.parametrize(
    ("name", "told"), [("dbm", "lacks what the page shows: decodes"), ("softmax", "encodes"), ("ladder", "decodes")]
)
def test_what_has_no_map_is_refused(name: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        refuse_without_map(ready(name))


def subject_codes(subject: Subject) -> torch.Tensor:
    """The codes that a map's draws are."""
    model: Any = subject.model
    with randomness.seeded(subject.seed):
        return model.prior_codes(DRAWS)


def generated(name: str) -> Subject:
    """A generator that nobody trained, with digits for data."""
    model, source = ready(name), open_data("digits")
    return Subject(model, source.parts(), type(model).view, label_names=("a", "b", "c"))


def test_the_map_of_a_generator_goes_where_its_pictures_change_most() -> None:
    """Steps of one length along the directions change pictures less and less."""
    subject = generated("gan")
    model: Any = subject.model
    plane = drawn_map(subject)
    assert plane.drawn and plane.names[:2] == ("change 1", "change 2") and 0 < plane.share <= 1
    z = plane.features(plane.coordinates)
    step = 0.05
    with torch.no_grad():
        moved = [model.generate(z + step * one) - model.generate(z - step * one) for one in plane.directions]
    changes = [float(one.square().mean()) for one in moved]
    assert changes == sorted(changes, reverse=True)
    found = (z[:, None] - subject_codes(subject)[None]).abs().amax(2).amin(1)
    assert (found < 1e-4).all(), "of as many directions as units, a draw's coordinates give its code back"


def test_sliders_lead_from_class_to_class() -> None:
    subject = generated("conditional-gan")
    plane = drawn_map(subject)
    assert plane.names[-2:] == ("towards b", "towards c")
    at = torch.zeros(3, len(plane.names))
    at[1, -2] = at[2, -1] = 1
    assert plane.features(at)[:, -3:].tolist() == torch.eye(3).tolist()
    assert (plane.directions[:-2, -3:] == 0).all(), "no other direction changes the class"


def test_vectors_are_refused() -> None:
    cls = model_class("autoencoder")
    with pytest.raises(ConfigError, match="shows pictures of one channel or three, and this run's examples are 64"):
        refuse_without_map(cls(cls.Config(latent=2), (64,)))
