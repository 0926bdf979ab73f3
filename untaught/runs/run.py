"""A run on disk: written by training, read by everything else.

runs/NAME/
  config.json        everything needed to train it again
  environment.json   versions, hardware, threads, commit, command line
  metrics.jsonl      one record per line
  statistics.safetensors   mean and deviation, where data are standardised
  checkpoints/       STAGE-STEP.safetensors and STAGE-STEP.json
  pictures/          what the model produced
  report.html        one page about it
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from untaught.ambient import as_torch_begins
from untaught.config import from_json, to_json
from untaught.data.source import Source, open_data
from untaught.data.spec import OnBad, is_pipe
from untaught.data.view import Statistics, View
from untaught.errors import ConfigError, RunError
from untaught.model import Encoding, Model, model_class
from untaught.nn.vision_nets import NAMES
from untaught.runs.checkpoint import (
    Torn,
    read_checkpoint,
    read_counters,
    read_tensors,
    write_checkpoint,
    write_json,
    write_tensors,
)
from untaught.runs.encoders import Given, network_encoder, network_file
from untaught.runs.matching import as_trained
from untaught.runs.published import is_published, on_disk, published_weights
from untaught.runs.settings import NetworkFile, OwnNetwork, Settings


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose digest was verified."""

    name: str
    state: dict[str, Any]
    counters: dict[str, Any]


class Run:
    """A folder with everything about one training. Make one with `create_run`, open one with `open_run`."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path = path
        self.settings = settings

    @property
    def pictures(self) -> Path:
        """Where pictures are kept."""
        return self.path / "pictures"

    @property
    def checkpoints(self) -> Path:
        """Where checkpoints are kept."""
        return self.path / "checkpoints"

    @property
    def view(self) -> View:
        """How batches were cut."""
        return self.settings.view

    def source(self, spec: Any = None, size: tuple[int, int] | None = None, on_bad: OnBad | None = None) -> Source:
        """Open the run's own data, or other data as the run would have seen them: size, scale, channels, classes."""
        held = self.settings
        size, on_bad, video = size or held.size, on_bad or held.on_bad, held.frames is not None
        given = held.data if spec is None or (isinstance(spec, str) and not spec) else spec
        seen = open_data(given, size=size, on_bad=on_bad, scale=held.scale, classes=held.classes, video=video)
        return as_trained(seen, held)

    def other_source(
        self, spec: Any = None, size: tuple[int, int] | None = None, on_bad: OnBad | None = None
    ) -> Source | None:
        """Open the second source, or other data as the run would have seen them in its place; None where it has none.

        Classes have the numbers that the first source gives them.
        """
        held = self.settings
        if held.other is None:
            return None
        size, on_bad, video = size or held.size, on_bad or held.on_bad, held.frames is not None
        given, scale = spec or held.other, held.other_scale
        seen = open_data(given, size=size, on_bad=on_bad, scale=scale, classes=held.classes, video=video)
        return as_trained(seen, held)

    def records(self) -> list[dict[str, Any]]:
        """Every record that training wrote; a line that is damaged is passed over."""
        return [record for record in map(_object, self._lines()) if record]

    def count_records(self) -> int:
        """How many lines metrics.jsonl has, damaged ones too."""
        return len(self._lines())

    def _lines(self) -> list[bytes]:
        path = self.path / "metrics.jsonl"
        return path.read_bytes().splitlines(keepends=True) if path.is_file() else []

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a line to metrics.jsonl."""
        with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(record) + "\n")

    def cut_records(self, count: int) -> None:
        """Remove the records after a checkpoint, so that a resumed run does not write them twice."""
        path = self.path / "metrics.jsonl"
        temporary = path.with_suffix(".part")
        temporary.write_bytes(b"".join(self._lines()[:count]))
        temporary.replace(path)

    def environment(self) -> dict[str, Any]:
        """The content of environment.json; nothing where it is missing or damaged."""
        return _environment_in(self.path)

    def save(self, stage: str, step: int, state: Mapping[str, Any], counters: Mapping[str, Any]) -> None:
        """Write a checkpoint, then remove those that are neither first, nor best, nor among the last two."""
        self.checkpoints.mkdir(exist_ok=True)
        write_checkpoint(self.checkpoints, f"{stage}-{step:08d}", state, {**counters, "stage": stage, "step": step})
        found = self._counted()
        best = _best(found)
        keep = {name for name, _ in [*found[:1], *found[-2:], *([best] if best else [])]}
        for name, _ in found:
            if name not in keep:
                # The JSON goes first: a checkpoint without it does not exist.
                (self.checkpoints / f"{name}.json").unlink()
                (self.checkpoints / f"{name}.safetensors").unlink(missing_ok=True)

    def last(self) -> Checkpoint | None:
        """The newest intact checkpoint; a torn one is skipped with a warning."""
        for name, _ in reversed(self._counted()):
            found = self._whole(name)
            if found is not None:
                return found
        return None

    def best(self) -> Checkpoint:
        """The checkpoint that the last stage preferred by held-out loss, or the newest where none was measured.

        Raises:
            RunError: The run has no intact checkpoint.
        """
        if is_published(self.path):
            return Checkpoint("published", {"model": published_weights(self.path)}, {})
        counted = self._counted()
        while counted:
            name, counters = _best(counted) or counted[-1]
            found = self._whole(name)
            if found is not None:
                return found
            counted.remove((name, counters))
        raise RunError(f"{self.path} has no whole checkpoint; train it again")

    def best_name(self) -> str | None:
        """The name of that checkpoint, found from the counters without reading tensors."""
        counted = self._counted()
        return (_best(counted) or counted[-1])[0] if counted else None

    def at(self, step: int) -> Checkpoint:
        """The checkpoint of one step of the last stage.

        Raises:
            RunError: There is none, or it is torn.
        """
        if is_published(self.path):
            raise RunError(f"{self.path} was published with the weights of one step alone; leave --step out")
        counted = self._counted()
        steps = {counters["step"]: name for name, counters in counted if counters["stage"] == counted[-1][1]["stage"]}
        if step not in steps:
            raise RunError(f"{self.path} has no checkpoint of step {step}; there are: {', '.join(map(str, steps))}")
        found = self._whole(steps[step])
        if found is None:
            raise RunError(f"the checkpoint of step {step} in {self.path} is torn; leave --step out to take another")
        return found

    @as_torch_begins()
    def load(self, step: int | None = None, device: torch.device | str = "cpu", **modules: nn.Module) -> Model:
        """Build the model with its best weights, or those of a step, ready for use.

        Args:
            step: A step of the last stage; the best by default.
            device: Device on which to put it.
            modules: The caller's own networks, for a model that was built on them: `encoder=module`.

        Raises:
            ConfigError: The configuration does not fit the model.
            RunError: There is no intact checkpoint, its weights do not fit, or the caller's own encoder is missing.
        """
        checkpoint = self.best() if step is None else self.at(step)
        model = self._built(modules)
        self._fill(model, checkpoint.state.get("average") or checkpoint.state["model"])
        model.view = self.view
        return model.to(device).eval()

    def keep_statistics(self, statistics: Statistics | None) -> None:
        """Write the mean and deviation by which data are standardised; they belong to the run, not to a checkpoint."""
        if statistics is not None:
            write_tensors(self.path / "statistics.safetensors", asdict(statistics))

    def statistics(self) -> Statistics | None:
        """Mean and deviation by which the run standardised its data; none where it did not.

        Raises:
            RunError: The file is torn or was changed.
        """
        path = self.path / "statistics.safetensors"
        if self.view.standardise == "none":
            return None
        if not path.exists():  # runs of older versions have them in each checkpoint
            held = self.best().state.get("statistics")
            if not held:
                raise RunError(f"{path} is missing: the data of this run are standardised by what it holds")
            return Statistics(**held)
        try:
            return Statistics(**read_tensors(path))
        except Torn as torn:
            raise RunError(f"{path} is torn ({torn}); train the run again") from torn

    def _built(self, modules: Mapping[str, nn.Module]) -> Model:
        """The untrained model; if the code has changed since, the error names the version that wrote the run."""
        with told_who_wrote(self.path):
            return build(self.settings, **modules)

    def _fill(self, model: Model, state: Mapping[str, Tensor]) -> None:
        """Give a model its weights."""
        try:
            model.load_state_dict(state)
        except RuntimeError as error:
            own = {name: value.shape for name, value in model.state_dict().items()}
            held = {name: value.shape for name, value in state.items()}
            wrong = min(name for name, _ in own.items() ^ held.items())
            raise RunError(
                f"{wrong} of the model and of {self.path} do not fit; if it was built on networks of your own, "
                "give all of them: untaught.load(path, encoder=network, decoder=network)"
            ) from error

    def _counted(self) -> list[tuple[str, dict[str, Any]]]:
        """Name and counters of every checkpoint that has a readable JSON, oldest first."""
        found: list[tuple[str, dict[str, Any]]] = []
        for path in self.checkpoints.glob("*.json") if self.checkpoints.is_dir() else ():
            try:
                found.append((path.stem, read_counters(path)))
            except Torn as torn:
                _warn(torn)
        return sorted(found, key=lambda item: (item[1]["stage_number"], item[1]["step"]))

    def _whole(self, name: str) -> Checkpoint | None:
        try:
            state, counters = read_checkpoint(self.checkpoints / f"{name}.json")
        except Torn as torn:
            _warn(torn)
            return None
        return Checkpoint(name, state, counters)


@contextmanager
def told_who_wrote(folder: Path) -> Generator[None]:
    """Let an error about a run's configuration name the version that wrote the run.

    Raises:
        ConfigError: The configuration is not one of this version's.
    """
    try:
        yield
    except ConfigError as error:
        written = _environment_in(folder).get("versions", {}).get("untaught", "of an unknown version")
        raise ConfigError(f"{folder} was written by untaught {written}, and this one cannot: {error}") from error


def build(settings: Settings, **modules: nn.Module) -> Model:
    """Build the model that a run's settings describe, untrained; on the encoder that they describe, if any.

    Raises:
        ConfigError: The configuration does not fit the model, for instance because an older version wrote it.
    """
    cls = model_class(settings.model)
    config = from_json(cls.Config, settings.config, f"the configuration of {settings.model}")
    held = settings.encoder
    if held is not None and "encoder" not in modules:
        modules = {**modules, "encoder": rebuilt_encoder(held)}
    return cls(config, settings.example, **modules)


def rebuilt_encoder(held: Settings | NetworkFile | OwnNetwork) -> Encoding:
    """An encoder built again from a run's settings, with new weights: those of a checkpoint take their place.

    Raises:
        ConfigError: Its configuration does not fit its model.
        RunError: It is a network of somebody's own, which settings cannot build.
    """
    match held:
        case Settings():
            return Encoding(build(held), held.view)
        case NetworkFile():
            return network_encoder(held, weights=False)
        case OwnNetwork():
            raise RunError(
                f"this run's encoder is a network of the caller's own, {held.own}: "
                "open the run in Python, untaught.load(path, encoder=network)"
            )


def create_run(path: Path | str, settings: Settings, command: str | None = None) -> Run:
    """Make the folder of a new run.

    Raises:
        RunError: The folder is not empty; nothing in it is changed.
    """
    path = Path(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        what = "another run" if (path / "config.json").exists() else "other files"
        raise RunError(f"{path} holds {what}; choose another --out, or --resume to continue a run")
    path.mkdir(parents=True, exist_ok=True)
    write_json(path / "environment.json", environment(command))
    write_json(path / "config.json", to_json(settings))
    return Run(path, settings)


def open_run(path: Path | str) -> Run:
    """Open the folder of a run, or `hub:USER/NAME`, a run on the hub of models.

    Raises:
        RunError: There is no run there.
        ConfigError: Its config.json has an unknown key or a value that is not allowed; the error names the version
            that wrote it.
    """
    path = on_disk(path)
    if not (path / "config.json").is_file():
        raise RunError(f"{path} is no run: it has no config.json; `untaught train` makes one")
    if pipe := next((file for file in path.rglob("*") if is_pipe(file)), None):
        raise RunError(f"{pipe} is no file; a run holds files and folders alone")
    with told_who_wrote(path):
        return Run(path, read_settings(path / "config.json"))


def read_settings(path: Path) -> Settings:
    """Read a config.json.

    Raises:
        RunError: It cannot be read or is not JSON.
        ConfigError: It has an unknown key or a value that is not allowed.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise RunError(f"{path} is not a configuration: it must hold one JSON object")
    return from_json(Settings, values, str(path))


def open_encoder(text: str) -> Given:
    """Open an encoder by the path of a run, or by a network's name and its file of weights.

    Raises:
        ConfigError: The weights do not fit the network, its file is not named, or the run's model does not encode.
        RunError: There is no such run or network, or the file cannot be read.
    """
    named = network_file(text)
    if named is not None:
        return Given(network_encoder(named), named)
    refuse_missing(text, "--encoder ")
    run = open_run(text)
    return Given(Encoding(run.load(), run.view), run.settings)


def refuse_missing(text: str, flag: str = "") -> None:
    """Refuse what is meant as a run, or as a network with its file, and is neither.

    Args:
        text: What the user wrote.
        flag: What stands before it on the command line.

    Raises:
        ConfigError: It is a network's name without a file.
        RunError: There is no such run.
    """
    if (Path(text) / "config.json").is_file():
        return
    name = text.removesuffix(":")
    if name in NAMES:
        raise ConfigError(f"{name} is a network: name the file of its weights too, {flag}{name}:FILE")
    raise RunError(
        f"{flag}{text}: there is no run in this place, and a network is named with the file of its weights,\n"
        f"NETWORK:FILE; there are: {', '.join(NAMES)}"
    )


def remove_run(path: Path | str) -> None:
    """Remove a run's folder, so that another can take its place.

    Raises:
        RunError: The folder holds something that is not a run; nothing in it is changed.
    """
    path = Path(path)
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not (path / "config.json").is_file():
        raise RunError(f"{path} is no run, so it is not replaced; choose another --out")
    shutil.rmtree(path)


def load(path: Path | str, step: int | None = None, device: torch.device | str = "cpu", **modules: nn.Module) -> Model:
    """Load the model of a run: `untaught.load("runs/demo").encode(x)`, or of one on the hub, `hub:USER/NAME`."""
    return open_run(path).load(step, device, **modules)


def environment(command: str | None = None) -> dict[str, Any]:
    """Versions, hardware, threads, commit and command line, for the record."""
    packages = ("untaught", "torch", "lightning-fabric", "numpy", "scikit-learn", "safetensors")
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "command": command or _command(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": torch.cpu.get_capabilities().get("cpu_name", platform.processor()),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": gpu,
        "commit": _commit(),
    }


def _command() -> str:
    """The command line of this process, as it can be typed again."""
    program, *words = sys.argv
    path = Path(program)
    if path.name == "__main__.py":
        return shlex.join(["python", "-m", path.parent.name, *words])
    return shlex.join([path.name if path.name == "untaught" else program, *words])


def _environment_in(folder: Path) -> dict[str, Any]:
    path = folder / "environment.json"
    return _object(path.read_bytes()) if path.is_file() else {}


def _object(text: bytes) -> dict[str, Any]:
    """A JSON object; an empty one where the text is something else."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}


def _commit() -> str | None:
    """The package's commit, if it runs from a checkout."""
    home = Path(__file__).parent
    try:
        asked = subprocess.run(["git", "-C", str(home), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return asked.stdout.strip() or None if asked.returncode == 0 else None


def _best(counted: list[tuple[str, dict[str, Any]]]) -> tuple[str, dict[str, Any]] | None:
    last = counted[-1][1]["stage"] if counted else None
    measured = [item for item in counted if item[1]["stage"] == last and item[1].get("held_out_loss") is not None]
    chosen = counted[-1][1].get("clock", {}).get("chosen") if counted else None
    preferred = [item for item in measured if item[1]["step"] == chosen]
    if preferred:
        return preferred[-1]
    return min(measured, key=lambda item: item[1]["held_out_loss"]) if measured else None


def _warn(torn: Torn) -> None:
    warnings.warn(f"passed over a torn checkpoint: {torn}", RuntimeWarning, stacklevel=3)
