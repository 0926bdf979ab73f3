"""A folder with one page that shows a latent space in any browser, from disk or from a server, without network.

    index.html  page.css  page.js   the page
    map.js                          directions, examples, and a grid of decoded pictures
    decoder.js                      the decoder as ONNX, compressed
    runtime.js  ort.wasm.min.js     onnxruntime-web, compressed

Everything is a classic script, for browsers load no module, picture or WebAssembly from disk by `fetch`: files of
bytes are base64 of gzip inside of scripts. Until the decoder runs, and where a browser cannot run it, the page mixes
the nearest pictures of the grid.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from untaught.errors import ConfigError
from untaught.evaluate.subject import Subject, measuring
from untaught.export.drawn_map import drawn_map
from untaught.export.latent_map import LatentMap, Shades, latent_map, refuse_without_map, shades
from untaught.export.networks import networks
from untaught.export.onnx_files import checked, refuse_without_packages
from untaught.export.web_runtime import LOADER, MACHINE, SCRIPT, VERSION, runtime_files
from untaught.export.what_it_saw import data_named, told_of
from untaught.legible import legible
from untaught.model import Decodes, Generates, makes_of_draws
from untaught.runs.checkpoint import replacing
from untaught.runs.run import Run

GRID = 24
"""Pictures along each side of the grid."""
WALKED = 64
"""Examples, nearly, that a random walk goes to."""
SPRITE = 2016
"""Longest side of the picture of the grid in pixels: those of larger pictures are reduced."""
LOSSLESS = 2**20
"""Bytes above which the picture of the grid is compressed with loss."""
MOST_BYTES = 22 * 10**6
"""Of the decoder, compressed: with onnxruntime-web and the grid the folder stays below 30 MB."""


@dataclass(frozen=True)
class Page:
    """What was written."""

    folder: Path
    size: int
    """Bytes of all files."""
    without: str = ""
    """Why the decoder is not in it; empty where it is."""


def write_browser_folder(run: Run, subject: Subject, folder: Path, runtime: str | None = None) -> Page:
    """Write the page of a run's latent space; where its decoder cannot be in it, the page has the grid alone.

    Arguments:
        run: The run.
        subject: Its model, on the CPU, and the data whose features say where the page goes.
        folder: Where; made if missing.
        runtime: Folder with onnxruntime-web; None fetches it once.

    Raises:
        ConfigError: The model has neither features from which pictures are decoded nor codes that are drawn, or a
            package is missing.
        RunError: onnxruntime-web is not to be had.
    """
    refuse_without_map(subject.model)
    refuse_without_packages()
    with measuring(subject.model):
        plane = drawn_map(subject) if makes_of_draws(subject.model) else latent_map(subject)
        decoder = _decoder(run, subject)
        if isinstance(decoder, str):
            written, without = {"decoder.js": _script("DECODER", None)}, decoder
            plane = plane.flat
        else:
            written, without = _running(decoder, runtime_files(runtime)), ""
        made = decoded_grid(subject, plane)
        written |= {**_page(run, plane, shades(made)), **_data(run, plane, made)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in written.items():
        with replacing(folder / name) as part:
            part.write_bytes(content)
    return Page(folder, sum(map(len, written.values())), without)


def _decoder(run: Run, subject: Subject) -> bytes | str:
    """The decoder as ONNX, or why it cannot be in the page."""
    name = "generator" if makes_of_draws(subject.model) else "decoder"
    network = next(one for one in networks(subject.model, subject.statistics) if one.name == name)
    try:
        content, _ = checked(network, told_of(run))
    except ConfigError as error:
        return str(error)
    packed = len(_packed(content))
    return content if packed <= MOST_BYTES else f"the decoder takes {packed / 1e6:.0f} MB of {MOST_BYTES / 1e6:.0f} MB"


def _running(decoder: bytes, held: Mapping[str, bytes]) -> dict[str, bytes]:
    """The decoder and what runs it."""
    packed = {"machine": _packed(held[MACHINE]), "loader": _packed(held[LOADER])}
    return {
        "decoder.js": _script("DECODER", _packed(decoder)),
        "runtime.js": _script("RUNTIME", packed),
        SCRIPT: held[SCRIPT],
        "NOTICE.txt": f"{SCRIPT} and runtime.js are ONNX Runtime Web {VERSION}, (c) Microsoft Corporation, "
        "MIT licence, https://github.com/microsoft/onnxruntime\n".encode(),
    }


def _data(run: Run, plane: LatentMap, made: Tensor) -> dict[str, bytes]:
    """What the page knows: the map, and the grid of pictures."""
    shade = shades(made)
    sprite, tile = _sprite(shade.of(made))
    about = {
        "shape": list(made.shape[1:]),
        "names": plane.names,
        "single": plane.single,
        "drawn": plane.drawn,
        "mean": _numbers(plane.mean),
        "directions": [_numbers(one) for one in plane.directions],
        "first": _numbers(plane.first),
        "last": _numbers(plane.last),
        "least": _numbers(plane.least),
        "most": _numbers(plane.most),
        "examples": [_numbers(one) for one in plane.coordinates[:, :2]],
        "labels": plane.label.tolist(),
        "walk": [_numbers(one) for one in plane.coordinates[:: max(1, len(plane.coordinates) // WALKED)]],
        "classes": _classes(run, plane),
        **{"offset": shade.offset, "gain": shade.gain},
        "grid": {"side": GRID, "height": tile[0], "width": tile[1], "picture": sprite},
    }
    return {"map.js": _script("MAP", about)}


def decoded_grid(subject: Subject, plane: LatentMap) -> Tensor:
    """The pictures on a square grid over the map, row by row."""
    model, codes = subject.model, plane.features(plane.grid(GRID))
    if plane.drawn:
        assert isinstance(model, Generates)
        return subject.apply_to_codes(model.generate, codes)
    assert isinstance(model, Decodes)
    return subject.apply_to_codes(model.decode, codes)


def _classes(run: Run, plane: LatentMap) -> list[str]:
    """Names of the classes that examples have; none where they are not known, or too many for colours."""
    count = int(plane.label.max()) + 1
    names = [*run.settings.classes, *(str(number) for number in range(len(run.settings.classes), count))]
    return names[:count] if 1 < count <= 10 else []


def _sprite(pictures: Tensor) -> tuple[str, tuple[int, int]]:
    """All pictures in one, as a `data:` address, and the height and width of each."""
    height, width = pictures.shape[-2:]
    shrink = max(1.0, GRID * max(height, width) / SPRITE)
    tile = (max(1, int(height / shrink)), max(1, int(width / shrink)))
    if shrink > 1:
        pictures = torch.nn.functional.interpolate(pictures, tile, mode="area")
    levels = (pictures * 255).round().byte().unflatten(0, (GRID, GRID))
    rows = levels.permute(0, 3, 1, 4, 2).reshape(GRID * tile[0], GRID * tile[1], -1).numpy()
    return _picture(rows), tile


def _picture(rows: NDArray[np.uint8]) -> str:
    """A picture as a `data:` address."""
    image, buffer = Image.fromarray(rows[..., 0] if rows.shape[-1] == 1 else rows), io.BytesIO()
    image.save(buffer, "WEBP", lossless=True)
    if buffer.tell() > LOSSLESS:
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=88)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def _page(run: Run, plane: LatentMap, shade: Shades) -> dict[str, bytes]:
    """The page's own files, with what is seen and what to do written into it."""
    here = files("untaught.export") / "page"
    text = (here / "index.html").read_text(encoding="utf-8")
    for name, value in _words(run, plane, shade).items():
        text = text.replace(f"{{{{{name}}}}}", escape(legible(value)))
    return {"index.html": text.encode(), **{name: (here / name).read_bytes() for name in ("page.css", "page.js")}}


def _words(run: Run, plane: LatentMap, shade: Shades) -> Mapping[str, str]:
    kind = "latents" if plane.single else "principal directions of the features"
    dot = "draw" if plane.drawn else "test example"
    if plane.drawn:
        share = f"{round(100 * plane.share)} % of all change"
        seen = f"The map has the two directions along which pictures change most, {share}; sliders have further ones."
        still = " with every slider where it begins"
    elif len(plane.names) > 2:
        share = f"{round(100 * plane.share)} % of the variance"
        seen = f"The map has the two {kind} that vary most between test examples, {share}; sliders have the next ones."
        still = " with every slider where it begins"
    else:
        seen, still = f"The map has both {kind}.", ""
    signed = (
        " The decoder gives changes of pixels here: grey is none, brighter is more, darker less."
        if shade.offset
        else ""
    )
    return {
        "title": f"Latent space of {run.settings.model}, trained on {_data_word(run)}",
        "seen": f"{seen} A dot is a {dot}; a small picture is decoded from its middle{still}.{signed}",
    }


def _data_word(run: Run) -> str:
    """The data in a word: a set's name, or a file's without its ending."""
    word = data_named(run.settings.data).partition("?")[0]
    return word if word.startswith("hf:") else Path(word).stem


def _script(name: str, value: Any) -> bytes:
    """A script that gives a value a name."""
    return f"self.UNTAUGHT_{name} = {json.dumps(value)};\n".replace("</", "<\\/").encode()


def _packed(content: bytes) -> str:
    """Bytes as text: base64 of gzip, the same at every export."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def _numbers(values: Tensor) -> list[float]:
    return [float(f"{value:.5g}") for value in values.tolist()]
