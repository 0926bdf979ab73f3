"""The map of the test examples by their features: near examples are alike to the model.

Its maps are those of `evaluate/embeddings.py`; metric scaling, which compares all pairs in every step, takes fewer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from untaught.errors import ConfigError
from untaught.evaluate.embeddings import embed, pca
from untaught.explorer.dropped import BYTES, dropped_picture
from untaught.explorer.explored import Explored, can_encode
from untaught.explorer.panel import Asked, Panel, Request
from untaught.explorer.wire import pack
from untaught.model import Decodes, Reconstructs

METHODS = {"pca": "PCA", "mds": "MDS", "tsne": "t-SNE"}
EMBEDDINGS = {"mds": "smacof", "tsne": "tsne"}
PAIRED = 500
"""Examples of a map by metric scaling at most."""
NEAREST = 12
LEAST = 4


def applies(explored: Explored) -> bool:
    """For models that encode, where there are examples enough."""
    return can_encode(explored) and len(explored.examples.x) >= LEAST


def about(explored: Explored) -> dict[str, Any]:
    """The maps, and how examples can be coloured."""
    decodes = isinstance(explored.model, Decodes) and explored.is_pictures and not explored.is_video
    return {
        "methods": METHODS,
        "classes": explored.classes,
        "decodes": decodes,
        "features": explored.width,
        "drop": explored.is_pictures and not explored.is_video,
        "bytes": BYTES,
    }


def examples(explored: Explored, asked: Asked) -> bytes:
    """Small pictures, classes and true variables of all examples."""
    arrays: dict[str, Tensor] = {"label": explored.examples.label.float()}
    if explored.is_pictures:
        arrays["pictures"] = explored.thumbnails
    if explored.variables:
        arrays["variables"] = torch.stack(list(explored.variables.values()))
    return pack({"named": [name.replace("_", " ") for name in explored.variables]}, arrays)


def map_of(explored: Explored, asked: Asked) -> bytes:
    """Where each example is on a map, and which examples are on it."""
    method = asked.word("method", list(METHODS))
    count = len(explored.examples.x)
    chosen = torch.linspace(0, count - 1, min(count, PAIRED if method == "mds" else count)).round().long()
    features = explored.features[chosen]
    # Principal components need no distances, which of thousands of features take seconds.
    make = (lambda: pca(features)) if method == "pca" else (lambda: embed(EMBEDDINGS[method], features))
    found = explored.once(f"map {method}", make)
    return pack({}, {"examples": chosen.float(), "places": found})


def group(explored: Explored, asked: Asked) -> bytes:
    """The mean of some examples, what their mean code decodes to, and the nearest of the others."""
    numbers = torch.from_numpy(np.unique(np.frombuffer(asked.body[: len(asked.body) // 4 * 4], dtype="<i4")).copy())
    count = len(explored.examples.x)
    if not len(numbers) or int(numbers.min()) < 0 or int(numbers.max()) >= count:
        raise ConfigError(f"a group is some of the examples 0 to {count - 1}")
    chosen = numbers.long()
    code = explored.features[chosen].mean(0, keepdim=True)
    nearest, apart = explored.nearest(code, NEAREST, chosen if len(chosen) < count else None)
    arrays: dict[str, Tensor] = {"apart": apart}
    if explored.is_pictures:
        arrays["mean"] = explored.as_bytes(explored.last_frames[chosen].mean(0, keepdim=True))
        if about(explored)["decodes"]:
            arrays["decoded"] = explored.as_bytes(explored.decoded(code))
    return pack({"nearest": nearest.tolist()}, arrays)


def picture(explored: Explored, asked: Asked) -> bytes:
    """A picture of a person's own: as the run sees it, its code, its reconstruction, and the nearest examples."""
    x = dropped_picture(explored, asked.body, asked.word("inverted", ("0", "1")) == "1")
    found = explored.subject.features(x)
    model = explored.model
    nearest, apart = explored.nearest(found, NEAREST)
    arrays = {"original": explored.as_bytes(x), "code": found[0], "apart": apart}
    if isinstance(model, Reconstructs):
        back = explored.subject.shown(explored.subject.apply(model.reconstruct, x))
        arrays["reconstruction"] = explored.as_bytes(back)
        squared = float((back - x).square().sum())
        return pack({"nearest": nearest.tolist(), "squared_error": squared}, arrays)
    return pack({"nearest": nearest.tolist()}, arrays)


PANEL = Panel(
    "examples",
    applies,
    about,
    {
        "examples": Request(examples, slow=True),
        "map": Request(map_of, slow=True),
        "group": Request(group, most=2**16),
        "picture": Request(picture, slow=True, most=BYTES),
    },
)
