"""Runs of small models that were not trained, on small pictures and clips with classes and true variables."""

from __future__ import annotations

import asyncio
import json
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from untaught.config import to_json
from untaught.model import model_class
from untaught.randomness import seeded
from untaught.runs.run import Run, build, create_run
from untaught.runs.settings import Settings

PORT = 8765
HERE = {"host": f"127.0.0.1:{PORT}"}
CLASSES = 3


def data_file(folder: Path, frames: int | None = None, side: int = 8) -> Path:
    """Sixty blobs, each with its place as true variables and a class; or twelve clips in which they move."""
    draw = np.random.default_rng(0)
    count = 60 if frames is None else 12
    place = draw.uniform(0.2 * side, 0.8 * side, (count, frames or 1, 2))
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1) + 0.5
    x = np.exp(-((grid - place[:, :, None, None]) ** 2).sum(-1) / 3)[:, :, None]
    x = x.astype(np.float32) if frames else x[:, 0].astype(np.float32)
    path = folder / f"blobs-{frames}-{side}.npz"
    known = place if frames else place[:, 0]
    np.savez(path, x=x, label=np.arange(count) % CLASSES, latent_place=known.astype(np.float32))
    return path


def small_run(folder: Path, model: str, side: int = 8, **config: Any) -> Run:
    """A run with one checkpoint of new weights."""
    cls = model_class(model)
    frames = 6 if cls.smoke.frames else None
    data = data_file(folder, 2 * frames if frames else None, side)
    held = {**to_json(cls.smoke.config), **config}
    view = replace(cls.view, frames=frames, binarise=False)
    classes = tuple("abc")
    settings = Settings(
        model=model, shape=(1, side, side), frames=frames, config=held, data=str(data), seen=view, classes=classes
    )
    run = create_run(folder / "run", settings)
    with seeded(0):
        held_by = build(settings).state_dict()
        # Some weights begin at 0, and a network that copies its input shows nothing.
        state = {name: x + 0.1 * torch.randn(x.shape) if x.is_floating_point() else x for name, x in held_by.items()}
    run.save("train", 1, {"model": state}, {"stage_number": 0, "held_out_loss": 1.0})
    run.append({"stage": "train", "step": 1, "seconds": 0.5, "progress": 0.5, "losses": {"loss": 2.0}, "held_out": {}})
    return run


@dataclass(frozen=True)
class Reply:
    """What the server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def message(self) -> dict[str, Any]:
        """The message, its arrays as tensors."""
        (length,) = struct.unpack("<I", self.body[:4])
        head = json.loads(self.body[4 : 4 + length])
        at = 4 + length
        for name, kind, shape in head["arrays"]:
            array = np.frombuffer(self.body, "<" + kind, int(np.prod(shape)), at).reshape(shape)
            head[name] = torch.from_numpy(array.copy())
            at += -(-array.nbytes // 4) * 4
        return head


def ask(app: Any, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Reply:
    """Send one request to an application, without a server."""
    return asyncio.run(_asked(app, method, path, body, {**HERE, **(headers or {})}))


async def _asked(app: Any, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
    where, _, query = path.partition("?")
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "path": where, "raw_path": where.encode(),
        "query_string": query.encode(), "scheme": "http", "server": ("127.0.0.1", PORT), "client": ("127.0.0.1", 1),
        "root_path": "", "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    sent: list[dict[str, Any]] = []
    pieces = [body[at : at + 65536] for at in range(0, len(body), 65536)] or [b""]

    async def receive() -> dict[str, Any]:
        piece = pieces.pop(0) if pieces else b""
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    begin = sent[0]
    told = {name.decode(): value.decode() for name, value in begin["headers"]}
    return Reply(begin["status"], told, b"".join(message.get("body", b"") for message in sent[1:]))
