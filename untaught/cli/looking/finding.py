"""`untaught unusual`: what a run finds improbable in its own data or in others."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from untaught.cli.flags import read
from untaught.cli.opening import device_named, open_source, subject_of
from untaught.cli.output import check_ending
from untaught.cli.terminal.streams import tell
from untaught.config import Count, Whole, configuration
from untaught.data.part import Part
from untaught.data.source import Source
from untaught.errors import ConfigError
from untaught.evaluate.drawing.odd_sheet import Tile, odd_sheet
from untaught.evaluate.drawing.picture_files import write_picture
from untaught.evaluate.drawing.pictures import Picture
from untaught.evaluate.quantity import significant
from untaught.evaluate.ranking.improbable import KINDS, Kind, available, explained, missing
from untaught.evaluate.ranking.moments import Ranked, rank
from untaught.evaluate.subject import Subject, measuring
from untaught.legible import legible, one_line
from untaught.runs.checkpoint import replacing
from untaught.runs.run import Run, open_run


@configuration
class Unusual:
    """Rank examples, or moments of video, by how improbable the run's model finds them, and print the most unusual.

    All examples are ranked, those that the model was trained on too; these are marked, for their scores are lower.
    """

    run: str
    """Folder of the run."""
    data: str | None = None
    """What to rank; by default all of the data that the run was trained on."""
    out: str | None = None
    """File to write: a .png shows the most and the least unusual; .csv, .json and .npz have the score of every
    example. By default the list is only printed."""
    by: Kind | None = None
    """Which score: that of a prediction (of video), the likelihood, the free energy or the reconstruction; by default
    the first of these that the model has."""
    count: Count = 10
    """How many are printed; how many of each kind are drawn."""
    json: bool = False
    """Print one JSON object, and everything else on standard error."""
    size: str | None = None
    """Bring every picture to this size: one side, 64, or height x width, 48x64; by default the run's."""
    on_bad: Literal["stop", "skip"] | None = None
    """What to do with a broken file: stop, or leave it out and count it; by default as in the run."""
    step: Whole | None = None
    """Take the checkpoint of this step; by default the best."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""


def unusual(words: Sequence[str]) -> None:
    """Rank, print, and write the file that was asked for."""
    asked = read(Unusual, words, "untaught unusual", positional=["run"])
    out = None if asked.out is None else check_ending(asked.out, ".png", ".csv", ".json", ".npz")
    run = open_run(asked.run)
    source = open_source(run, asked.data, asked.size, asked.on_bad)
    subject = _of_everything(subject_of(run, source, asked.step, device_named(asked.device)), source)
    kind = _kind(subject, run, asked.by)
    _refuse_to_draw(source, out)
    with measuring(subject.model):
        ranked = rank(subject, _everything(source), kind, _trained_on(run, source))
        if not len(ranked):
            raise ConfigError(f"{source.spec} has no clip of two frames or more, so nothing can be predicted")
        if out is not None:
            _write(out, subject, ranked, source, asked.count)
    about = {"run": str(run.path), "data": source.spec, "by": kind, "score": KINDS[kind], "examples": len(ranked)}
    if asked.json:
        most, least = ranked.ends(asked.count)
        print(json.dumps({**about, "most": _entries(ranked, source, most), "least": _entries(ranked, source, least)}))
    else:
        _print(ranked, source, available(subject), asked.count)
    if out is not None:
        tell(out, file=sys.stderr if asked.json else sys.stdout)


def _everything(source: Source) -> dict[str, Part]:
    """All parts of a source, each shot of video as a clip: after a cut nothing is judged from what came before."""
    return {name: part.shots() for name, part in source.all_parts().items()}


def _of_everything(subject: Subject, source: Source) -> Subject:
    """The subject with all of a source in place of its test part."""
    longest = max(source.all_parts().values(), key=lambda part: int(part.length.max()))
    return replace(subject, parts=replace(subject.parts, test=longest))


def _kind(subject: Subject, run: Run, asked: Kind | None) -> Kind:
    """The score that was asked for, or the preferred one.

    Raises:
        ConfigError: The model does not give it, or gives none on these data.
    """
    able, reasons = available(subject), missing(subject)
    if asked is not None and asked not in able:
        hint = f"\n--by {' or '.join(able)} is possible" if able else ""
        raise ConfigError(f"--by {asked}: {reasons[asked]}; this is {run.settings.model}{hint}")
    if not able:
        why = "; ".join(dict.fromkeys(reason for reason in reasons.values() if reason))
        raise ConfigError(f"{run.settings.model}, the model of {run.path}, has no score of what is unusual:\n{why}")
    return asked or able[0]


def _refuse_to_draw(source: Source, out: Path | None) -> None:
    if out is not None and out.suffix.lower() == ".png" and len(source.shape) != 3:
        raise ConfigError(
            f"--out {out}: vectors of {source.shape[0]} numbers cannot be drawn; .csv, .json and .npz can be written"
        )


def _trained_on(run: Run, source: Source) -> Part | None:
    """What of a source the run was trained on."""
    return source.parts().train if source.spec == run.settings.data else None


# ---------------------------------------------------------------- what is told


def _print(ranked: Ranked, source: Source, able: Sequence[Kind], count: int) -> None:
    chosen = ranked.most(count)
    others = " or ".join(kind for kind in able if kind != ranked.kind)
    tell(f"{_what(ranked, source)}, by {KINDS[ranked.kind]}{f'; --by {others} is possible' if others else ''}")
    print(_middle(ranked))
    print()
    names = [one_line(ranked.name(number)) for number in chosen]
    scores = [significant(float(ranked.score[number])) for number in chosen]
    wide, high = max(map(len, names)), max(5, *map(len, scores))
    print(f"{'score':>{high}}  the most unusual")
    for number, name, score in zip(chosen, names, scores, strict=True):
        print(f"{score:>{high}}  {name:<{wide}}  {', '.join(_remarks(ranked, source, number))}".rstrip())


def _what(ranked: Ranked, source: Source) -> str:
    """How much was ranked."""
    judged = "frames" if ranked.parts[0].is_video else "examples"
    total = sum(int(part.length.sum()) for part in ranked.parts)
    of = "" if total == len(ranked) else f" (of {total:,}; the first ones of a clip cannot be predicted)"
    return f"{len(ranked):,} {judged} of {source.spec}{of}"


def _middle(ranked: Ranked) -> str:
    """The median score; where some examples were trained on, of these and of the others."""
    groups = {"trained on": ranked.seen, "not trained on": ~ranked.seen}
    told = [
        f"{int(some.sum()):,} {name}, median score {significant(float(ranked.score[some].median()))}"
        for name, some in groups.items()
        if bool(some.any())
    ]
    return "; ".join(told) if bool(ranked.seen.any()) else told[0].partition(", ")[2]


def _remarks(ranked: Ranked, source: Source, number: int) -> list[str]:
    label = _label(ranked, source, number)
    return [*([] if label is None else [f"class {label}"]), *(["trained on"] if ranked.seen[number] else [])]


def _label(ranked: Ranked, source: Source, number: int) -> str | None:
    label = int(ranked.label[number])
    if label < 0:
        return None
    return source.label_names[label] if label < len(source.label_names) else str(label)


def _entries(ranked: Ranked, source: Source, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Examples as JSON."""
    return list(_each(ranked, source, numbers))


def _each(ranked: Ranked, source: Source, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
    for number in numbers:
        place = ranked.place(number)
        score = float(ranked.score[number])
        yield {
            "score": score if np.isfinite(score) else None,
            "name": ranked.name(number),
            "file": place.file,
            "part": ranked.names[int(ranked.part[number])],
            "row": place.row,
            "frame": place.frame,
            "seconds": None if place.seconds is None else round(place.seconds, 3),
            "class": _label(ranked, source, number),
            "trained_on": bool(ranked.seen[number]),
        }


# ---------------------------------------------------------------- files


def _write(out: Path, subject: Subject, ranked: Ranked, source: Source, count: int) -> None:
    if out.suffix.lower() == ".png":
        write_picture(out, _sheet(subject, ranked, source, count))
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as part:
        {".csv": _write_csv, ".json": _write_json, ".npz": _write_npz}[out.suffix.lower()](part, ranked, source)


def _write_csv(path: Path, ranked: Ranked, source: Source) -> None:
    """A line for each example, the most unusual first."""
    rows = _entries(ranked, source, _in_order(ranked))
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(
            {key: legible(value) if isinstance(value, str) else value for key, value in row.items()} for row in rows
        )


def _write_json(path: Path, ranked: Ranked, source: Source) -> None:
    """A list of all examples, the most unusual first."""
    path.write_text(json.dumps(_entries(ranked, source, _in_order(ranked)), indent=1), encoding="utf-8")


def _write_npz(path: Path, ranked: Ranked, source: Source) -> None:
    """Arrays in the source's order."""
    del source
    arrays: dict[str, Any] = {name: value.numpy() for name, value in _arrays(ranked).items()}
    with path.open("wb") as file:
        np.savez(file, name=np.array([ranked.name(number) for number in range(len(ranked))]), **arrays)


def _arrays(ranked: Ranked) -> dict[str, Tensor]:
    seconds = [ranked.place(number).seconds for number in range(len(ranked))]
    told = {"score": ranked.score, "label": ranked.label, "part": ranked.part, "frame": ranked.frame}
    timed = {} if None in seconds else {"seconds": torch.tensor(seconds, dtype=torch.float64)}
    return {**told, "trained_on": ranked.seen, **timed}


def _in_order(ranked: Ranked) -> list[int]:
    return ranked.score.argsort(descending=True, stable=True).tolist()


def _sheet(subject: Subject, ranked: Ranked, source: Source, count: int) -> Picture:
    groups = dict(zip(("most unusual", "least unusual"), ranked.ends(count), strict=True))
    tiles = {name: [_tile(subject, ranked, source, number) for number in some] for name, some in groups.items() if some}
    title = one_line(f"{Path(source.spec.partition('?')[0]).name}: {len(ranked):,} ranked by {KINDS[ranked.kind]}")
    of_prediction = ("predicted", "error at each place", "times the usual error there")
    return odd_sheet(title, tiles, *(of_prediction if ranked.kind == "prediction" else ()))


def _tile(subject: Subject, ranked: Ranked, source: Source, number: int) -> Tile:
    part = ranked.parts[int(ranked.part[number])]
    found = explained(subject, part, int(ranked.frame[number]), ranked.kind, ranked.usual[int(ranked.part[number])])
    told = [ranked.short_name(number), f"score {significant(float(ranked.score[number]))}"]
    told = [*map(one_line, told), *_remarks(ranked, source, number)]
    return Tile(found.picture, found.made, found.where, told)
