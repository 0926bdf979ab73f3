"""Networks as ONNX files, with any number of examples in a batch.

A file appears only after onnxruntime has computed from it, for batches of one, two and five examples, what torch
computes, up to

    max |onnx - torch| <= 1e-4 max(1, max |torch|)                                                     (1)

Torch's TorchScript exporter is used: it needs no package besides onnx, and takes a second where the exporter by
torch.export takes ten and holds the batch fixed for networks that unroll over time.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils._python_dispatch import TorchDispatchMode

from untaught.errors import ConfigError
from untaught.export.extras import needed
from untaught.export.networks import Network
from untaught.randomness import seeded
from untaught.runs.checkpoint import replacing

TOLERANCE = 1e-4
"""Of equation (1)."""
BATCHES = (1, 2, 5)
"""Numbers of examples for which a file is compared with torch; it is traced with three."""
TRACED = 3
OPSET = 20
"""Version of ONNX's operators: the newest that the exporter knows."""
OPERATIONS = 5_000
"""Most operations of torch that one call may take. Sweeps over units one by one take more: ONNX would hold each."""


@dataclass(frozen=True)
class Written:
    """A file, and how it compares with torch."""

    path: Path
    network: Network
    difference: float
    """The left side of equation (1), over the right side's maximum."""


def write_onnx(found: Sequence[Network], folder: Path, about: Mapping[str, Any]) -> Iterator[Written]:
    """Write `NAME.onnx` for each network into a folder, and give each after it was compared with torch.

    Arguments:
        found: The networks.
        folder: Where files go; made if missing. Nothing is written before every network was compared.
        about: What the files' metadata say of the run, as JSON values by name.

    Raises:
        ConfigError: Packages are missing, or a network cannot be expressed in ONNX; the message says why.
    """
    refuse_without_packages()
    whole = [(network, *checked(network, about)) for network in found]
    folder.mkdir(parents=True, exist_ok=True)
    for network, content, difference in whole:
        path = folder / f"{network.name}.onnx"
        with replacing(path) as part:
            part.write_bytes(content)
        yield Written(path, network, difference)


def refuse_without_packages() -> None:
    """Refuse to begin where a package is missing.

    Raises:
        ConfigError: One is; the message says how to install it.
    """
    for package in ("onnx", "onnxruntime"):
        needed(package, "export")


def checked(network: Network, about: Mapping[str, Any]) -> tuple[bytes, float]:
    """A network as the content of an ONNX file, and its difference from torch.

    Raises:
        ConfigError: It cannot be expressed in ONNX, or does not compute there what it computes in torch.
    """
    with torch.no_grad():
        _refuse_long(network)
        content = described(_translated(network), about)
        return content, _difference(network, content)


def _translated(network: Network) -> bytes:
    """The graph that torch records while the network runs on three examples."""
    with tempfile.TemporaryDirectory() as folder, _quietly(), _told(network):
        file = Path(folder) / "network.onnx"
        torch.onnx.export(
            network.eval(),
            (network.tried[:TRACED],),
            file,
            dynamo=False,
            input_names=["input"],
            output_names=["output"],
            dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
            opset_version=OPSET,
        )
        return file.read_bytes()


def described(content: bytes, about: Mapping[str, Any]) -> bytes:
    """The content of an ONNX file with metadata: texts as they are, all else as JSON."""
    onnx = needed("onnx", "export")
    graph = onnx.load_from_string(content)
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in about.items()}
    onnx.helper.set_model_props(graph, texts)
    onnx.checker.check_model(graph)
    return graph.SerializeToString()


def runner(content: bytes | Path) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """The network of an ONNX file as a function of arrays, computed by onnxruntime on one thread."""
    runtime = needed("onnxruntime", "export")
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    held = content if isinstance(content, bytes) else str(content)
    session = runtime.InferenceSession(held, options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"input": x})[0]


def _difference(network: Network, content: bytes) -> float:
    """The largest difference (1) from torch over all batches.

    Raises:
        ConfigError: It is above the tolerance, or the file does not work for some number of examples.
    """
    with _told(network):
        run, worst = runner(content), 0.0
        for count in BATCHES:
            wanted, given = network(network.tried[:count]).numpy(), run(network.tried[:count].numpy())
            if given.shape != wanted.shape:
                raise ValueError(f"for {count} examples it gives {given.shape} and torch {wanted.shape}")
            worst = max(worst, float(np.abs(given - wanted).max() / max(1.0, np.abs(wanted).max())))
    if not worst <= TOLERANCE:
        raise ConfigError(
            f"the {network.name} cannot be exported: onnxruntime and torch differ by {worst:.2g}, more than {TOLERANCE}"
        )
    return worst


def _refuse_long(network: Network) -> None:
    """Refuse a network of so many steps that a graph, which has no loops, would hold a node for each."""
    counter = _Counter()
    try:
        with counter:
            network(network.tried[:1])
    except _TooMany as error:
        raise ConfigError(
            f"the {network.name} cannot be exported: it takes more than {OPERATIONS:,} steps one after another, "
            "and ONNX would hold each"
        ) from error


class _TooMany(Exception):
    """More operations than can be exported."""


class _Counter(TorchDispatchMode):
    """Counts torch's operations, and stops where they are too many."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        if self.count > OPERATIONS:
            raise _TooMany
        return func(*args, **(kwargs or {}))


@contextmanager
def _told(network: Network) -> Generator[None]:
    """Let whatever an exporter or a runtime raises say which network it was, in one line.

    Raises:
        ConfigError: Something was raised.
    """
    try:
        with seeded(0):
            yield
    except ConfigError:
        raise
    except Exception as error:  # torch and onnxruntime raise a dozen kinds, some of them from C++
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ConfigError(f"the {network.name} cannot be exported: {reason[:300]}") from error


@contextmanager
def _quietly() -> Generator[None]:
    """Keep the exporter's remarks about itself, and about branches that a trace follows, from the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # The exporter prints its whole graph where it fails.
        torch._C._jit_set_onnx_log_enabled(False)
        yield
