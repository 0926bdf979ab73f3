"""Flags: fields become arguments with help, words become checked values, mistakes are named."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from untaught import cli
from untaught.cli.asked import asked, groups
from untaught.cli.flags import Group, flags_of, parse
from untaught.config import Count, Positive, configuration, fields, from_json
from untaught.data.view import View
from untaught.errors import ConfigError
from untaught.model import model_class, model_names
from untaught.runs.settings import Training


@configuration
class Example:
    """A configuration with every kind of field."""

    layers: tuple[Count, ...] = (3, 2)
    """Several numbers."""
    rate: Positive | None = None
    """A number or nothing."""
    quick: bool = False
    """A switch."""
    kind: str = "plain"
    """Text."""


def typed(*words: str) -> dict[str, object]:
    return parse([Group("command", Example)], words, "prog", "About.")["command"]


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ((), {}),
        (("--layers", "4", "5", "6"), {"layers": (4, 5, 6)}),
        (("--layers=7",), {"layers": (7,)}),
        (("--rate", "0.5"), {"rate": 0.5}),
        (("--rate", "none"), {"rate": None}),
        (("--quick", "--kind", "none"), {"quick": True, "kind": "none"}),
        (("--no-quick",), {"quick": False}),
    ],
)
def test_words_become_values(words: Sequence[str], given: dict[str, object]) -> None:
    assert typed(*words) == given


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--layer", "4"), "did you mean --layers?"),
        (("--layers", "4", "0"), "--layers 4 0: input should be greater than or equal to 1"),
        (("--rate", "fast"), "--rate fast: input should be a valid number"),
        (("--rate",), "--rate needs"),
        (("--kind", "a", "stray"), "no place for 'stray'"),
    ],
)
def test_wrong_words_are_named(words: Sequence[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told.replace("?", r"\?")):
        typed(*words)


def test_second_field_of_a_name_is_prefixed() -> None:
    flags = flags_of([Group("model", Example), Group("other", Example)])
    assert [flag.name for flag in flags[:2]] == ["layers", "rate"]
    assert [flag.name for flag in flags[4:6]] == ["other-layers", "other-rate"]


@pytest.mark.parametrize("name", model_names())
def test_help_of_a_model_is_complete(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", name, "--help"]) == 0
    told = " ".join(capsys.readouterr().out.replace("│", " ").split())
    model = model_class(name)
    for field in (*fields(model.Config), *fields(View), *fields(Training)):
        if field.name not in ("view", "stage_epochs", "stage_learning_rates"):
            assert f"--{field.name.replace('_', '-')}" in told
            assert " ".join(field.text.split())[:40] in told
    assert f"(default: {model.recipe.batch_size})" in told
    assert "--epochs.NAME" in told


@pytest.mark.parametrize("name", model_names())
def test_flags_give_back_every_default(name: str) -> None:
    """A model's defaults, typed out word by word, make the same settings as typing nothing."""
    plain = asked([name, "--data", "digits"])
    words: list[str] = []
    for flag in flags_of([group for group in groups(model_class(name), None) if group.title == "model"]):
        if flag.is_switch:
            words.append(f"--{flag.name}" if flag.default else f"--no-{flag.name}")
        elif flag.default != ():
            value = flag.default if isinstance(flag.default, tuple) else (flag.default,)
            words += [f"--{flag.name}", *("none" if part is None else str(part) for part in value)]
    typed, config = asked([name, "--data", "digits", *words]), model_class(name).Config
    assert from_json(config, typed.config) == from_json(config, plain.config) == config()
    assert typed.training == plain.training and typed.command == plain.command
