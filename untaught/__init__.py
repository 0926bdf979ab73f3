"""untaught: unsupervised deep learning for images and video.

shapes        tensor types by name
errors        what we raise
config        validated configurations: flags, JSON, documentation
randomness    a seed for the length of a `with`
legible       text that any terminal or page can hold
ambient       what torch keeps for the whole process, one thread at a time
threads       how many processor threads compute: chosen by trying
heap          what a process does with memory that it frees
recipe        how parameters are moved: settings
nn            building blocks that know no model
data          sources, parts, views, batches
capability    what a model may be able to do
model         the contract
layerwise     what systems share that are trained layer by layer
models        one file per system
runs          a run on disk
evaluate      measures
training      the plan, the loop, and what it is made of
report        one page about one run
estimators    the scikit-learn face
experiments   many trainings: papers' tables, comparisons
inversion     pictures brought back from every layer of a network
export        a run taken elsewhere: ONNX, the model hub, a browser
papers        one file per paper
explorer      a local server and a page to see and steer what a run learnt
cli           the commands
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from untaught.data.source import open_data as open_data
    from untaught.evaluate.evaluate import evaluate as measure
    from untaught.evaluate.subject import Subject as Subject
    from untaught.inversion.inverted import invert as invert
    from untaught.model import Encoding as Encoding
    from untaught.model import Example as Example
    from untaught.randomness import seeded as seeded
    from untaught.runs.run import load as load
    from untaught.runs.run import open_run as open_run
    from untaught.runs.settings import Training as Training
    from untaught.training.fit import fit as fit
    from untaught.training.plan import Asked as Asked
    from untaught.training.plan import plan as plan

__all__ = [
    "Asked",
    "Encoding",
    "Example",
    "Subject",
    "Training",
    "fit",
    "invert",
    "load",
    "measure",
    "open_data",
    "open_run",
    "plan",
    "seeded",
]
__version__ = "0.2.0"

_HOMES = {
    "fit": "training.fit.fit",
    "plan": "training.plan.plan",
    "Asked": "training.plan.Asked",
    "Training": "runs.settings.Training",
    "load": "runs.run.load",
    "open_run": "runs.run.open_run",
    "invert": "inversion.inverted.invert",
    "measure": "evaluate.evaluate.evaluate",
    "open_data": "data.source.open_data",
    "seeded": "randomness.seeded",
    "Subject": "evaluate.subject.Subject",
    "Encoding": "model.Encoding",
    "Example": "shapes.Example",
}
"""Where public names are; none is a module's name, for importing the module would put it in the name's place."""


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: a function above, or a model class by the name of its file."""
    if name in _HOMES:
        module, own = _HOMES[name].rsplit(".", 1)
        return getattr(importlib.import_module(f"untaught.{module}"), own)
    contract = importlib.import_module("untaught.model")
    for model in contract.model_names():
        if model.replace("-", "") == name.lower():
            return contract.model_class(model)
    raise AttributeError(f"module 'untaught' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
