"""Keep what a run measured: its settings, environment and measures as one file of results/.

    python benchmarks/record.py runs/demo balls-demo

Run `untaught evaluate` first. Paths of data are kept by their last name only, for they belong to a machine.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from untaught.config import to_json
from untaught.runs.checkpoint import write_json
from untaught.runs.run import open_run

RESULTS = Path(__file__).resolve().parents[1] / "results"


def recorded(path: Path) -> dict[str, Any]:
    """Everything that a table needs to know of a run."""
    run = open_run(path)
    measured = json.loads((path / "evaluation.json").read_text("utf-8"))
    settings = to_json(run.settings)
    settings["data"] = Path(settings["data"]).name if "/" in settings["data"] else settings["data"]
    environment = {key: value for key, value in run.environment().items() if key != "command"}
    last = run.records()[-1]
    trained = {key: last[key] for key in ("stage", "step", "epoch", "seconds")}
    return {"settings": settings, "environment": environment, "trained": trained, "measures": measured["measures"]}


def main() -> None:
    """Write the file."""
    path, name = Path(sys.argv[1]), sys.argv[2]
    RESULTS.mkdir(exist_ok=True)
    write_json(RESULTS / f"{name}.json", recorded(path))
    print(f"results/{name}.json")


if __name__ == "__main__":
    main()
