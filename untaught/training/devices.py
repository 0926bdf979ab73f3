"""Devices, precision and processes, as Lightning Fabric sets them up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision import MixedPrecision
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.utilities.exceptions import MisconfigurationException

from untaught.errors import ConfigError
from untaught.model import Learner
from untaught.recipe import SEARCHING
from untaught.runs.settings import Training


def has_bf16_units(device: torch.device) -> bool:
    """Whether the device multiplies matrices faster in bf16: CUDA from Ampere, processors with AMX or AVX-512 BF16."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        processor = torch.cpu.get_capabilities()
        return bool(processor.get("amx_bf16") or processor.get("avx512_bf16")) and faster_in_bf16()
    return False


@lru_cache
def faster_in_bf16() -> bool:
    """Whether this processor takes less than 4/5 of float32's time for a product in bf16.

    Some processors that report the instructions do not, above all virtual ones.
    """
    least: dict[torch.dtype, float] = {}
    for dtype in (torch.float32, torch.bfloat16):
        x = torch.ones(512, 512, dtype=dtype)
        took: list[float] = []
        for _ in range(6):
            begin = time.perf_counter()
            torch.mm(x, x)
            took.append(time.perf_counter() - begin)
        least[dtype] = min(took)
    return least[torch.bfloat16] < 0.8 * least[torch.float32]


def make_fabric(training: Training, learners: Sequence[Learner]) -> Fabric:
    """Set up device, precision and processes of a training.

    Raises:
        ConfigError: The device is not available, or FSDP is requested for a model of several players.
    """
    # A single player with all parameters uses all in each step; otherwise some have no gradient.
    partial = any(player.prefixes != ("",) for learner in learners for player in learner.players.values())
    if partial and "fsdp" in training.strategy:
        raise ConfigError("strategy fsdp is not tested where a step trains some of the weights; use --strategy ddp")
    if training.optimiser in SEARCHING and training.devices * training.nodes > 1:
        raise ConfigError(f"--optimiser {training.optimiser}: a line search is one process's; use --devices 1")
    try:
        fabric = Fabric(**_wanted(training, partial))
    except (MisconfigurationException, RuntimeError, ValueError) as error:
        asked = f"--device {training.device} --devices {training.devices} --strategy {training.strategy}"
        raise ConfigError(f"this machine cannot train with {asked}; `untaught doctor` lists its devices") from error
    exact = training.optimiser in SEARCHING  # a line search sees the rounding of bf16 as steps of the loss
    if training.precision == "float32" or (
        training.precision == "auto" and (exact or not has_bf16_units(fabric.device))
    ):
        return fabric
    # The device is known only now, and a strategy can be used by one Fabric only: both are made anew.
    return Fabric(**_wanted(training, partial), plugins=MixedPrecision("bf16-mixed", fabric.device.type))


def precision_of(fabric: Fabric) -> str:
    """The arithmetic that was chosen, `bf16` or `float32`."""
    return "bf16" if "bf16" in fabric.strategy.precision.precision else "float32"


def _wanted(training: Training, partial: bool) -> dict[str, Any]:
    several = training.devices * training.nodes > 1
    strategy: Any = training.strategy
    if several and training.strategy in ("auto", "ddp"):
        # Broadcasting buffers would overwrite the Markov chains of every process with those of the first.
        strategy = DDPStrategy(find_unused_parameters=partial, broadcast_buffers=False)
    return {
        "accelerator": "auto" if training.device == "auto" else training.device,
        "devices": training.devices,
        "num_nodes": training.nodes,
        "strategy": strategy,
    }
