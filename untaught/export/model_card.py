"""The card of a published run: what the model is, how it is opened, and what was measured.

Numbers come from the run's evaluation.json; where there is none, the card says that nothing was measured.
"""

from __future__ import annotations

import inspect
import json
from abc import ABC
from collections.abc import Iterator, Mapping
from importlib.metadata import metadata, version
from numbers import Real
from typing import Any

from torch import Tensor

from untaught.evaluate.baselines.names import full
from untaught.evaluate.evaluate import measures
from untaught.evaluate.quantity import Quantity
from untaught.export.what_it_saw import data_named
from untaught.model import Classifies, Encodes, Model, Samples, Translates, capabilities, in_words, model_class
from untaught.runs.run import Run

TASKS: tuple[tuple[type[ABC], str], ...] = (
    (Classifies, "image-classification"),
    (Samples, "unconditional-image-generation"),
    (Encodes, "image-feature-extraction"),
)
"""The hub's names of what a model of pictures is for; the first that fits is taken."""

CALLS: tuple[tuple[type[ABC], str], ...] = (
    (Encodes, "model.encode(x)"),
    (Classifies, "model.class_probabilities(x)"),
    (Samples, "model.sample(16)"),
    (Translates, "model.translate(x)"),
)
"""What is shown of the model's use: the first that it can."""


def model_card(run: Run, weights: Mapping[str, Tensor], measured: Mapping[str, Any]) -> str:
    """The card, in Markdown with the hub's header.

    Arguments:
        run: The run.
        weights: Its weights by name, which are counted.
        measured: The content of evaluation.json; empty where nothing was measured.
    """
    model, data = model_class(run.settings.model), data_named(run.settings.data)
    sections = (
        _header(run, model, data, measured),
        f"# {run.settings.model} trained on `{data}`",
        inspect.cleandoc(model.__doc__ or "").splitlines()[0],
        "\n".join(_facts(run, model, weights)),
        "## Use\n\n" + _use(run, model),
        "## What was measured\n\n" + "\n\n".join(_results(measured)),
        "## How it was trained\n\n" + _training(run),
    )
    return "\n\n".join(sections) + "\n"


def _header(run: Run, model: type[Model], data: str, measured: Mapping[str, Any]) -> str:
    """What the hub reads: YAML, each value written as JSON, which is YAML too."""
    able = [in_words(name).replace(" ", "-") for name in capabilities(model)]
    fields: dict[str, Any] = {
        "library_name": "untaught",
        "license": _licence().lower(),
        "tags": ["untaught", "unsupervised-learning", run.settings.model, *able],
    }
    if len(run.settings.shape) == 3 and (task := next((name for kind, name in TASKS if issubclass(model, kind)), None)):
        fields["pipeline_tag"] = task
    if data.startswith("hf:"):
        fields["datasets"] = [data.removeprefix("hf:").partition("?")[0]]
    if results := list(_index(measured)):
        fields["model-index"] = [{"name": run.settings.model, "results": results}]
    return "\n".join(["---", *(f"{name}: {json.dumps(value)}" for name, value in fields.items()), "---"])


def _index(measured: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The main number of every measure, as the hub lists results."""
    data = str(measured.get("data", ""))
    for title, quantities in _read(measured):
        one = next((one for one in quantities if isinstance(one.value, Real)), None)
        if one is not None:
            yield {
                "task": {"type": "other", "name": title},
                "dataset": {"name": data, "type": data.partition("?")[0].removeprefix("hf:")},
                "metrics": [{"type": one.name, "name": one.heading, "value": one.value}],
            }


def _facts(run: Run, model: type[Model], weights: Mapping[str, Tensor]) -> Iterator[str]:
    held = run.settings
    frames = "" if held.frames is None else f", {held.frames} frames"
    axes = "channel, height, width" if len(held.shape) == 3 else "numbers"
    yield f"- Examples: {' x '.join(map(str, held.shape))} ({axes}){frames}"
    yield f"- Capabilities: {', '.join(in_words(name) for name in capabilities(model))}"
    yield f"- Weights: {sum(value.numel() for value in weights.values()):,} numbers"
    yield f"- Licence: {_licence()}; the data have terms of their own"
    if held.classes:
        yield f"- Classes: {', '.join(held.classes)}"


def _use(run: Run, model: type[Model]) -> str:
    frames = () if run.settings.frames is None else (run.settings.frames,)
    shape = ", ".join(map(str, (1, *frames, *run.settings.shape)))
    used = next((call for kind, call in CALLS if issubclass(model, kind)), "model")
    return f"""```
pip install untaught[hub]
```

```python
import torch
import untaught

model = untaught.load("hub:USER/NAME")  # or the path of this folder
x = torch.rand({shape})  # values between 0 and 1
{used}
```"""


def _results(measured: Mapping[str, Any]) -> Iterator[str]:
    """A table for each measure: every number of the model, and those of its baselines."""
    found = list(_read(measured))
    if not found:
        yield "Nothing yet: `untaught evaluate` measures it beside trivial baselines."
        return
    yield f"On `{measured.get('data')}`, by `untaught evaluate` {version('untaught')}."
    for title, quantities in found:
        numbers = [one for one in quantities if isinstance(one.value, Real)]
        if numbers:
            yield f"### {title}\n\n" + _table(numbers)


def _table(numbers: list[Quantity]) -> str:
    """Rows of numbers, columns of the model and its baselines."""
    columns = list(dict.fromkeys(name for one in numbers for name in one.all))
    rows = [["", *(full(name) for name in columns)], ["---"] * (len(columns) + 1)]
    for one in numbers:
        cells = [one.all.get(name) for name in columns]
        better = f" ({one.better} is better)" if one.better and len(one.all) > 1 else ""
        rows.append(
            [one.heading + better, *("" if cell is None else one.text(cell.value, cell.spread) for cell in cells)]
        )
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def _read(measured: Mapping[str, Any]) -> Iterator[tuple[str, list[Quantity]]]:
    """Title and quantities of every measure that this version knows."""
    known = measures()
    for name, stored in dict(measured.get("measures", {})).items():
        if name in known:
            yield known[name].title, list(known[name].read(stored).values())


def _training(run: Run) -> str:
    about, held = run.environment(), run.settings
    told = {
        "versions": ", ".join(f"{name} {number}" for name, number in about.get("versions", {}).items()),
        "hardware": about.get("gpu") or about.get("processor"),
        "seed": held.training.seed,
        "settings chosen from the data": held.because,
    }
    lines = [f"- {name}: {value}" for name, value in told.items() if value not in (None, "")]
    return "\n".join([*lines, "- every setting: `config.json`"])


def _licence() -> str:
    """The project's licence, which is that of its weights."""
    return metadata("untaught")["License-Expression"] or "other"
