"""Notebooks are their scripts, executed; what they say of their own numbers is true."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from untaught import cli
from untaught.model import Encodes, model_class

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "examples"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_examples", FOLDER / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = _generator()


def read(name: str) -> NotebookNode:
    """The notebook as it is in the repository."""
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def test_every_script_has_its_notebook() -> None:
    assert NAMES and [script.stem for script in GENERATE.SCRIPTS] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_the_scripts(name: str) -> None:
    script, notebook = (FOLDER / f"{name}.py").read_text(), read(name)
    assert GENERATE.cells(notebook) == GENERATE.cells(GENERATE.of_script(FOLDER / f"{name}.py"))
    assert len(notebook.cells) == len(re.findall(r"^# %%", script, re.M))
    assert all(cell.source in script for cell in notebook.cells)
    nbformat.validate(notebook)


def test_generator_finds_what_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "sum.py"
    script.write_text('# %% [markdown]\n"""\n# Sum\n"""\n\n# %%\nprint(1 + 1)\n')
    monkeypatch.setattr(GENERATE, "SCRIPTS", [script])
    assert GENERATE.stale() == [script]
    nbformat.write(GENERATE.of_script(script), tmp_path / "sum.ipynb")
    assert GENERATE.stale() == []
    script.write_text(script.read_text().replace("1 + 1", "1 + 2"))
    assert GENERATE.stale() == [script]


@pytest.mark.parametrize("name", NAMES)
def test_notebook_shows_its_outputs(name: str) -> None:
    notebook, file = read(name), FOLDER / f"{name}.ipynb"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {"stream", "execute_result", "display_data"}
    assert {output.get("name", "stdout") for output in outputs} == {"stdout"}, "a cell warns"
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 3
    assert file.stat().st_size < 400_000
    assert not re.search(r"/(home|work|root|tmp|Users)/|0x[0-9a-f]{6}|image/jpeg", file.read_text())


@pytest.mark.parametrize("name", NAMES)
def test_links_and_commands_lead_somewhere(name: str) -> None:
    text = "\n".join(cell.source for cell in read(name).cells if cell.cell_type == "markdown")
    assert all((FOLDER / link).exists() for link in re.findall(r"\]\((?!http)([^)]+)\)", text))
    for command in re.findall(r"^untaught .+$", text, re.M):
        words = command.split()
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            assert cli.main([*words[1 : 3 if words[1] == "train" else 2], "--help"]) == 0
        assert {word for word in words if word.startswith("--")} <= set(re.findall(r"--[\w.-]+", out.getvalue()))


# What the texts say, of the values that their code has found


def autoencoder(found: dict[str, Any]) -> None:
    """The claims of the notebook about the autoencoder."""
    error, order, likeness, means = found["error"], found["order"], found["likeness"], found["means"]
    assert sum(found["examples"]) == 1797 and found["code"] == 12 and found["pixels"] == 64
    # "The autoencoder's is the lower one", and both measures of it agree.
    assert error["autoencoder"] < 0.75 * error["PCA"] < error["PCA"] < error["mean image"]
    told = found["found"]["reconstruction"]
    assert told["squared_error_per_image"] == pytest.approx(error["autoencoder"], rel=1e-4)
    assert told["baselines"]["pca"] == pytest.approx(error["PCA"], rel=1e-3)
    assert told["baselines"]["mean_image"] == pytest.approx(error["mean image"], rel=1e-4)
    # "They look like the noise that they began from ... strokes and spots stand out".
    assert abs(likeness["autoencoder"]) < 0.1 < 0.3 < likeness["Boltzmann machine"]
    assert order["autoencoder"] > order["PCA"] + 0.05
    # "ahead of the same network from random weights, whatever the number of labels", and what follows.
    kinds = ("fine-tuned", "from scratch", "without the narrow layer", "pixels")
    for tuned, scratch, wide, pixels in zip(*(means[kind] for kind in kinds), strict=True):
        assert tuned < scratch and pixels < scratch
        assert abs(tuned - wide) < abs(scratch - wide)
    # "Random weights are far behind; ... about as well as all 64 pixels, and so does PCA".
    for measure, number, near in (
        ("probe", "nearest_neighbours_accuracy", 0.03),
        ("retrieval", "mean_average_precision", 0.06),
    ):
        own, beside = found["found"][measure][number], found["found"][measure]["baselines"]
        assert all(abs(own - beside[name][number]) < near for name in ("raw_pixels", "pca"))
        assert beside["random_weights"][number] < own - 2 * near
    # "All of them encode."
    assert all(issubclass(model_class(name), Encodes) for name in ("autoencoder", "denoising-autoencoder", "rbm"))


def video(found: dict[str, Any]) -> None:
    """The claims of the notebook about video."""
    assert found["clip"] == ""
    error, rollout, known = found["error"], found["rollout"], found["known"]
    # "One frame ahead the network is the best of all ... In the end the linear map has the smaller error."
    assert error["model"] < 0.5 * min(value for name, value in error.items() if name != "model")
    assert rollout["model"] == sorted(rollout["model"])
    assert rollout["model"][4] < rollout["ridge_4_frames"][4] < rollout["previous_frame"][4]
    assert rollout["ridge_4_frames"][-1] < rollout["model"][-1] < rollout["previous_frame"][-1]
    # "A linear map of the last one finds nothing ... Training about doubles that".
    velocity = {name: values["velocity"] for name, values in known.items()}
    assert abs(velocity["raw_pixels"]) < 0.1 < velocity["random_weights"]
    assert 1.5 < velocity["model"] / velocity["random_weights"] < 2.5


def energy(found: dict[str, Any]) -> None:
    """The claims of the notebook about energies."""
    assert found["sum"] == pytest.approx(found["package"], abs=1e-6)
    nats, left = found["nats"], found["left"]
    assert found["kinds"] == {"small": "exact", "large": "estimate"}
    assert nats["large"] > nats["small"] + 0.5 > nats["independent"] + 1 > nats["coins"]
    # "A machine that has hardly learnt forgets within a few steps. The better it knows the digits, ... the longer".
    young, small, large = (left[name] for name in ("200 units, 3 epochs", "14 units", "200 units"))
    assert max(map(abs, young[2:])) < 0.1 < small[1] < large[1]
    assert max(abs(small[-1]), abs(large[-1])) < 0.05


def generative_adversarial(found: dict[str, Any]) -> None:
    """The claims of the notebook about games."""
    covering, keeping, between = found["nearest"]
    # "q covers all ... q keeps to one bump ... never more than log 2", of bumps at 3 and -3.
    assert abs(covering["centre"]) < 0.01 and covering["deviation"] > 2.5
    assert abs(abs(keeping["centre"]) - 3) < 0.01 > abs(abs(between["centre"]) - 3)
    assert between["divergence"] < math.log(2) < covering["divergence"]
    # "near one half wherever there are data": where p is above 0.1 at the end.
    assert 0.4 < min(found["judged"]) <= max(found["judged"]) < 0.6
    # "the best answer is a single point ... the discriminator that learns is different".
    fixed, game = found["found"]["against the density"], found["found"]["against a discriminator"]
    assert fixed["modes_covered"] == 1 and game["modes_covered"] == 8
    assert game["high_quality"] > 0.8


def variational_autoencoder(found: dict[str, Any]) -> None:
    """The claims of the notebook about a generator with an encoder."""
    encoder, prior = found["bounds"]["draws from the encoder"], found["bounds"]["draws from the prior"]
    # "Both rise with K to the same number".
    assert encoder == sorted(encoder) and prior == sorted(prior)
    assert all(blind < seen for seen, blind in zip(encoder, prior, strict=True))
    gaps = [encoder[-1] - blind for blind in prior]
    assert gaps[-1] < 0.1 * gaps[0]
    # "Nearly all random codes say nothing of a given digit, so one of them carries the sum".
    assert found["carry"]["the prior"] < 2 < 10 < found["carry"]["the encoder"]
    # Of random codes the variational autoencoder makes the digits nearest to true ones.
    far = found["far"]
    assert far["test digits"] < far["variational"] < far["plain, fitted"] < far["plain, random"]
    # "the same number".
    assert found["together"] == pytest.approx(found["bound"], abs=1e-6)


CLAIMS: dict[str, tuple[str, Callable[[dict[str, Any]], None]]] = {
    "autoencoder": (
        "dict(error=error, order=order, likeness=likeness, means=means, found=found, code=CODE, pixels=x[0].numel(), "
        "examples=[len(part) for part in (parts.train, parts.validation, parts.test)])",
        autoencoder,
    ),
    "energy": (
        "dict(sum=log_z, package=package, left=left, kinds={k: v['log_partition_kind'] for k, v in found.items()}, "
        "nats={k: v['log_likelihood_nats'] for k, v in found.items()} | "
        "dict(zip(('independent', 'coins'), found['small']['baselines'].values())))",
        energy,
    ),
    "generative_adversarial": (
        "dict(found=found, judged=final[p > 0.1].tolist(), nearest=[dict(centre=float(one.density.centres), "
        "deviation=float(one.density.deviation), divergence=one.divergence) for one in nearest.values()])",
        generative_adversarial,
    ),
    "variational_autoencoder": (
        "dict(bounds={k: v.tolist() for k, v in bounds.items()}, together=float(log_p - apart), bound=float(bound), "
        "carry={k: float((1 / w[:, :500].softmax(1).square().sum(1)).mean()) for k, w in "
        "(('the encoder', by_encoder), ('the prior', by_chance))}, far={k: float(torch.cdist(v.flatten(1), train)"
        ".square().min(1).values.mean()) for k, v in drawn.items()})",
        variational_autoencoder,
    ),
    "video": (
        "dict(clip=CLIP, **{name: {k: v.value for k, v in one.items()} for name, one in "
        "dict(error=error, rollout=rollout, known=known).items()})",
        video,
    ),
}


def test_every_text_is_checked() -> None:
    assert CLAIMS.keys() == set(NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_what_the_text_says_is_true(name: str) -> None:
    values, claims = CLAIMS[name]
    notebook = GENERATE.of_script(FOLDER / f"{name}.py")
    notebook.cells.append(new_code_cell(f"import json\nprint(json.dumps({values}))"))
    claims(json.loads(GENERATE.executed(notebook).cells[-1].outputs[0].text))
