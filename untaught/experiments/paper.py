"""What a file of `papers/` defines: trainings, and tables whose cells refer to the measures of these trainings.

PAPER = Paper(
    title="...", reference="...", url="...",
    experiments={"balls": {"smoke": Experiment(...), "cpu": Experiment(...), "full": Experiment(...)}},
    tables=(Table("bouncing balls", columns=(Column("squared error per frame"),), rows=(Row(...), ...)),),
)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from untaught.config import from_json, unusual
from untaught.data.reading.download import cache_folder
from untaught.model import model_class
from untaught.runs.settings import Training

Budget = Literal["smoke", "cpu", "hour", "full"]
BUDGETS: tuple[Budget, ...] = ("smoke", "cpu", "hour", "full")
"""A minute for the whole paper; ten minutes a row on two cores, more where the paper says so; at most ninety minutes a
row on one core, with the paper's own sizes; one GPU."""
Drawing: TypeAlias = Callable[[Sequence[Mapping[str, Any]], Path], Sequence[Path]]
"""Draws the figures of one budget from its records into a folder, and gives the files."""


@dataclass(frozen=True)
class Take:
    """One measure to take."""

    measure: str
    """Its name: a file of `evaluate/`."""
    data: str | None = None
    """Another source to take it on; none takes the training's."""
    size: tuple[int, int] | int | None = None
    """The size of that source's pictures."""
    name: str = ""
    """Name under which it is recorded, if not the measure's: one measure may be taken on several sources."""
    limit: int | None = None
    """Test examples at most."""

    @property
    def key(self) -> str:
        """Name under which it is recorded."""
        return self.name or self.measure


@dataclass(frozen=True)
class Watch:
    """Measures to take while the network learns: at the first record at or after each of these moments.

    Each fraction has a record of its own where the stage's length is known and has as many steps. Otherwise moments
    between two records are measured once, at the later one.
    """

    takes: tuple[Take, ...]
    epochs: tuple[float, ...] = ()
    """Passes over the data in the last stage; 0 is before its first step."""
    fractions: tuple[float, ...] = ()
    """Or fractions of the last stage, from 0 to 1."""


@dataclass(frozen=True)
class Experiment:
    """One network, what it is trained on and how, and what is measured of it."""

    model: str
    data: str
    """The source's spec; a path in it is relative to where the command is given."""
    takes: tuple[Take, ...] = ()
    config: Any = field(default_factory=dict[str, Any])
    """The model's `Config`, or a dictionary of those fields that are not as usual."""
    training: Training | None = Training()
    """How it is trained, the seed aside; none measures the network untrained."""
    size: tuple[int, int] | int | None = None
    """Height and width to which pictures are resized."""
    seeds: int = 1
    """Trainings, with seeds 0, 1, ..."""
    begin_from: str | None = None
    """Another experiment of the same budget whose trained weights it begins from, those that fit by name and shape."""
    encoder: str | None = None
    """Another experiment of the same budget whose network is the model's encoder, for models that take one."""
    watch: Watch | None = None
    other: str | None = None
    """The second source's spec, for models that learn from two."""
    folder: str = ""
    """A folder in the cache folder from which its data are read, where they cannot be downloaded: readers put their
    own there, and without it the experiment is left out."""
    pictures: tuple[str, ...] = ()
    """Pictures of the trained network to keep: "prediction.png", "filters.png", as training shows them."""

    @property
    def all_takes(self) -> tuple[Take, ...]:
        """Measures that are taken at the end or while it learns."""
        return (*self.takes, *(self.watch.takes if self.watch else ()))

    @property
    def bases(self) -> list[str]:
        """Experiments that come before this one."""
        return [name for name in (self.begin_from, self.encoder) if name]

    @property
    def network(self) -> Any:
        """The model's `Config`.

        Raises:
            ConfigError: A field is unknown, or a value is not allowed.
        """
        config = model_class(self.model).Config
        if isinstance(self.config, Mapping):
            return from_json(config, self.config, f"the configuration of {self.model}")
        return self.config

    @property
    def lacks(self) -> Path | None:
        """The folder of the reader's own that it needs and that is not there."""
        wanted = cache_folder() / self.folder
        return wanted if self.folder and not wanted.is_dir() else None

    def definition(self) -> dict[str, Any]:
        """All settings that affect the result, defaults left out, as JSON."""
        said = {"model": self.model, "data": self.data, "size": self.size, "begin_from": self.begin_from}
        measured = {"takes": [asdict(take) for take in self.takes], "watch": self.watch and asdict(self.watch)}
        said |= {"encoder": self.encoder} if self.encoder else {}
        said |= {"other": self.other} if self.other else {}
        return {
            **said,
            **measured,
            "config": unusual(self.network),
            "training": self.training and unusual(self.training),
        }


@dataclass(frozen=True)
class Published:
    """A number that a paper printed."""

    value: float
    spread: float | None = None
    source: str = ""
    """Where it stands: a table, a figure, another paper."""
    recalled: bool = False
    """Whether it was written down from memory and is still to be read in the paper."""


@dataclass(frozen=True)
class Column:
    """One quantity of a table."""

    name: str
    """With its unit."""
    better: Literal["lower", "higher", ""] = ""
    digits: int = 2
    """Behind the decimal point."""


@dataclass(frozen=True)
class Row:
    """One line of a table; `places` and `published` have one entry for each column, or none at all."""

    label: str
    experiment: str = ""
    """The experiment whose records hold our numbers; empty where the row is only published."""
    places: tuple[str, ...] = ()
    """Where ours is in a record: keys into its measures, `prediction.baselines.previous_frame`; "" has none.

    `watched.0.measures.decode.r2.angle` is what was measured first while it learnt, `trained.seconds` how long it took.
    """
    published: tuple[Published | None, ...] = ()
    departures: str = ""
    """How ours differs from what was published."""
    gap: str = ""
    """What would bring ours nearer to what was published."""
    comparable: bool = True
    """Whether the data are enough like the paper's that one number can be held against the other."""


@dataclass(frozen=True)
class Table:
    """One table of a paper: for each column, published and ours of every row."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: str = ""


@dataclass(frozen=True)
class Paper:
    """A paper: what is trained, and what is compared with what it printed."""

    title: str
    reference: str
    url: str
    experiments: Mapping[str, Mapping[Budget, Experiment]]
    """Each experiment by name, for each budget that it has."""
    tables: tuple[Table, ...]
    figures: Drawing | None = None

    def digest(self, name: str, budget: Budget) -> str:
        """Twelve letters that change with whatever decides the result of an experiment."""
        experiment = self.experiments[name][budget]
        before = " ".join(self.digest(base, budget) for base in experiment.bases)
        text = json.dumps([experiment.definition(), before], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]
