"""What is compared: models, each in one configuration, under one budget of updates."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

from untaught.config import from_json, to_json
from untaught.errors import ConfigError
from untaught.model import Encodes, model_class, model_names


@dataclass(frozen=True)
class Variant:
    """One model in one configuration."""

    label: str
    """As it was asked for: `pgn`, `pgn@residual=false`."""
    model: str
    config: dict[str, Any] = field(default_factory=dict[str, Any])
    """Those fields of the model's `Config` that are not as usual."""

    @property
    def network(self) -> dict[str, Any]:
        """The whole configuration.

        Raises:
            ConfigError: A field is unknown, or a value is not allowed.
        """
        return to_json(from_json(model_class(self.model).Config, self.config, f"the configuration of {self.label}"))

    @property
    def file_name(self) -> str:
        """The label as a file can be called."""
        return re.sub(r"[^\w.=+@-]", "_", self.label)


@dataclass(frozen=True)
class Budget:
    """What is the same for all variants."""

    data: str
    """The source's spec, in full."""
    size: tuple[int, int] | None
    updates: int
    """Updates in all; a model of several stages shares them out evenly."""
    batch_size: int
    frames: int | None = None
    """The longest window that a variant looks at; none where all look at single frames."""

    sparse_coding: bool = False
    """Whether sparse codes of a dictionary stand beside each model's features."""

    def digest(self, variant: Variant) -> str:
        """Twelve letters that change with whatever decides a trial's result, the seed aside."""
        said = [self.data, self.size, self.updates, self.batch_size, self.frames, variant.model, variant.network]
        said += [True] if self.sparse_coding else []
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]


def refuse_unable(variant: Variant) -> None:
    """Refuse a model that has no features.

    Raises:
        ConfigError: There is no such model, or it does not encode.
    """
    if not issubclass(model_class(variant.model), Encodes):
        able = [name for name in model_names() if issubclass(model_class(name), Encodes)]
        raise ConfigError(
            f"{variant.model} does not encode: it has no features to compare\nthese do: {', '.join(able)}"
        )
