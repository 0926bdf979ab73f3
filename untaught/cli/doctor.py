"""`untaught doctor`: versions, devices, and known problems of installations.

Each check is a function that yields findings. Packages that are known to break others when they are imported are
imported in a process of their own.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from untaught.cli.flags import read
from untaught.config import configuration

GIB = 2**30
NEEDED_BYTES = 2 * GIB
"""With less free disk space a long training may not be able to write its checkpoints."""


@dataclass(frozen=True)
class Finding:
    """One line of the answer."""

    level: Literal["ok", "warn", "broken"]
    text: str


@configuration
class Doctor:
    """Report what is installed, what it runs on, and which known problems are present."""


def doctor(words: Sequence[str]) -> None:
    """Print every finding; exit with 1 where something is broken."""
    read(Doctor, words, "untaught doctor")
    found: list[Finding] = []
    for check in (python, dependencies, torch_build, devices, imports_that_break, cache, disk):
        for finding in check():
            print(f"{finding.level:<7} {finding.text}", flush=True)
            found.append(finding)
    if any(finding.level == "broken" for finding in found):
        sys.exit(1)


def python() -> Iterator[Finding]:
    """The interpreter and the machine."""
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    yield Finding("ok", f"untaught {version('untaught')}, Python {platform.python_version()}, {machine}")


def dependencies() -> Iterator[Finding]:
    """The requirements of pyproject.toml, and the versions installed."""
    wanted = [line for line in requires("untaught") or () if "extra ==" not in line]
    for line in wanted:
        name, least = _requirement(line)
        try:
            have = version(name)
        except PackageNotFoundError:
            yield Finding("broken", f"{name} is missing; pip install '{line}'")
            continue
        old = _numbers(have) < _numbers(least)
        yield Finding("warn" if old else "ok", f"{name} {have}" + (f"; pip install -U '{line}'" if old else ""))


def torch_build() -> Iterator[Finding]:
    """Whether torch can be imported, and whether its build fits the machine."""
    try:
        import torch
    except Exception as error:
        yield Finding("broken", f"torch cannot be imported: {error}; reinstall it: pip install --force-reinstall torch")
        return
    yield from build_fits(torch.version.cuda, torch.cuda.is_available(), has_nvidia_driver())


def build_fits(cuda: str | None, usable: bool, driver: bool) -> Iterator[Finding]:
    """Compare torch's build with the driver."""
    if driver and cuda is None:
        yield Finding(
            "warn",
            "an NVIDIA driver is here, and torch is a build for processors only; "
            "pip install --force-reinstall torch (the default build has CUDA)",
        )
    elif driver and not usable:
        yield Finding("warn", f"torch is built for CUDA {cuda}, and cannot use the GPU; is the driver new enough?")
    else:
        yield Finding("ok", f"torch is built for {'CUDA ' + cuda if cuda else 'processors'}")


def has_nvidia_driver() -> bool:
    """Whether an NVIDIA driver is installed."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def devices() -> Iterator[Finding]:
    """What `--device auto` and `--precision auto` choose, and the number of threads."""
    import torch

    from untaught.training.devices import has_bf16_units

    for number in range(torch.cuda.device_count()):
        memory = torch.cuda.get_device_properties(number).total_memory / GIB
        yield Finding("ok", f"cuda:{number} {torch.cuda.get_device_name(number)}, {memory:.0f} GiB")
    if torch.backends.mps.is_available():
        yield Finding("ok", "mps")
    yield Finding("ok", f"cpu, {torch.get_num_threads()} threads")
    chosen = torch.device("cuda" if torch.cuda.is_available() else "mps" if torch.mps.is_available() else "cpu")
    precision = "bf16" if has_bf16_units(chosen) else "float32"
    yield Finding("ok", f"--device auto takes {chosen.type}, --precision auto takes {precision}")


def imports_that_break() -> Iterator[Finding]:
    """Packages that untaught does not use, but whose mere presence can break other packages."""
    remedies = {
        "torchvision": "pip uninstall torchvision",
        "torchcodec": "pip uninstall torchcodec, or, for a torch without CUDA, pip install 'torchcodec<0.14'",
    }
    for name, remedy in remedies.items():
        if importlib.util.find_spec(name) is not None:
            fault = import_fault(name)
            text = f"{name} is installed and {'works' if fault is None else f'cannot be imported: {fault}'}"
            yield Finding("ok", text) if fault is None else Finding("warn", f"{text}; {remedy}")


def import_fault(name: str) -> str | None:
    """Import a package in another process, and give the last line of what went wrong."""
    try:
        tried = subprocess.run(
            [sys.executable, "-c", f"import {name}"], capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        return "it takes more than two minutes"
    lines = tried.stderr.strip().splitlines()
    return None if tried.returncode == 0 else lines[-1] if lines else f"exit status {tried.returncode}"


def cache() -> Iterator[Finding]:
    """Whether the folder of downloaded and generated data can be written."""
    from untaught.data.reading.download import cache_folder

    folder = cache_folder()
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            yield Finding("ok", f"cache {folder}")
    except OSError as error:
        yield Finding("warn", f"the cache {folder} cannot be written: {error.strerror}; set XDG_CACHE_HOME to a folder")


def disk() -> Iterator[Finding]:
    """Free space where runs are written."""
    free = shutil.disk_usage(Path.cwd()).free
    if free < NEEDED_BYTES:
        yield Finding("warn", f"{free / GIB:.1f} GiB free in {Path.cwd()}; long trainings keep up to four checkpoints")
    else:
        yield Finding("ok", f"{free / GIB:.0f} GiB free in {Path.cwd()}")


def _requirement(line: str) -> tuple[str, str]:
    """Split `torch>=2.13; marker` into name and least version."""
    name = re.split(r"[^\w.-]", line, maxsplit=1)[0]
    least = re.search(r">=\s*([\w.]+)", line)
    return name, least[1] if least else "0"


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text.partition("+")[0])[:3])
