"""Other data as a run's model knows its own: with the same channels, and classes by their names.

Classes are matched by name. A class that the run did not see gets a number behind all that the model knows, so that no
output is taken for it; where a source has numbers in place of names, they are the run's classes in their order.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from untaught.data.channels import with_channels
from untaught.data.classes.class_names import as_others
from untaught.data.part import Part
from untaught.data.source import Source
from untaught.data.telling import listed
from untaught.runs.settings import Settings


def class_names(source: Source) -> tuple[str, ...]:
    """The classes of a source by name, or by number where they have no names; empty where there are no labels.

    Example:
        >>> from untaught.data.reading.arrays import from_array
        >>> class_names(from_array(torch.rand(4, 2), label=[0, 2, -1, 1]))
        ('0', '1', '2')
    """
    highest = max(int(part.label.max()) if len(part.label) else -1 for part in source.all_parts().values())
    return source.label_names + tuple(str(number) for number in range(len(source.label_names), highest + 1))


def as_trained(source: Source, settings: Settings) -> Source:
    """A source as the run of these settings would have seen it; what was changed is among its notes."""
    turned = with_channels(source, settings.shape[0]) if len(settings.shape) == 3 else source
    return _with_classes(turned, settings) if settings.classes else turned


def _with_classes(source: Source, settings: Settings) -> Source:
    """The same with the run's numbers for its classes."""
    if not class_names(source) and None not in as_others([source.only_folder], settings.classes):
        source = _of_one_class(source)
    own, held = class_names(source), settings.classes
    by_number = not source.label_names and not set(own) & set(held)
    found = as_others(held[: len(own)] if by_number and len(own) <= len(held) else own, held)
    number = list(found)
    names = list(held)
    if None in found:
        names += [str(n) for n in range(len(held), int(settings.config.get("classes") or 0))]
        for place, name in enumerate(own):
            if number[place] is None:
                number[place] = len(names)
                names.append(name)
    notes = _told(source, own, found, held, by_number)
    if number == list(range(len(own))) and not notes:
        return source
    table = torch.tensor([-1, *number])
    parts = {name: _renumbered(part, table) for name, part in source.all_parts().items()}
    return replace(source, **parts, label_names=tuple(names), notes=(*source.notes, *notes))


def _of_one_class(source: Source) -> Source:
    """A source all of whose files lie in one folder, which is called as a class of the run."""
    parts = {name: replace(part, label=torch.zeros_like(part.label)) for name, part in source.all_parts().items()}
    return replace(source, **parts, label_names=(source.only_folder,))


def _renumbered(part: Part, table: torch.Tensor) -> Part:
    return replace(part, label=table[part.label + 1])


def _told(
    source: Source, own: tuple[str, ...], found: list[int | None], held: tuple[str, ...], by_number: bool
) -> list[str]:
    """Which classes are new, and which are missing; nothing where the same are there, or where there are no labels."""
    if not own:
        return []
    if by_number and None not in found:
        same = listed([f"{number} is {name}" for number, name in enumerate(held[: len(own)])])
        return [f"{source.spec} has numbers for classes, which are taken in the order of the run's: {same}"]
    new = [name for name, number in zip(own, found, strict=True) if number is None]
    missing = [name for number, name in enumerate(held) if number not in found]
    told = [
        f"new: {listed(new)}" if new else "",
        f"missing: {listed(missing)}" if missing and (source.label_names or new) else "",
    ]
    told = [one for one in told if one]
    return [f"classes of {source.spec} are matched with the run's by name; {'; '.join(told)}"] if told else []
