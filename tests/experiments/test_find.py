"""Papers by name, and what is wrong with one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from untaught.errors import ConfigError
from untaught.experiments import Column, Experiment, Paper, Row, Table, Take, Watch
from untaught.experiments.find import paper_named, paper_names, problems

GOOD = Experiment("autoencoder", "digits", (Take("reconstruction"),))


def told(experiment: Experiment, *rows: Row) -> str:
    table = Table("t", (Column("a"), Column("b")), rows)
    return " | ".join(problems(Paper("T", "R", "U", {"one": {"cpu": experiment}}, (table,))))


def test_the_folder_is_the_registry(tiny: str) -> None:
    assert tiny in paper_names()
    assert paper_named(tiny).title == "Tiny codes"


@pytest.mark.slow
def test_every_paper_of_the_package_fits_together() -> None:
    for name in paper_names():
        assert paper_named(name).tables


def test_unknown_paper_gets_a_hint(tiny: str) -> None:
    with pytest.raises(ConfigError, match="did you mean 'tiny2001'"):
        paper_named("tiny2011")


def test_what_fits_together_has_no_problems() -> None:
    assert told(GOOD, Row("r", "one", ("x", "y"))) == ""


@pytest.mark.parametrize(
    ("experiment", "problem"),
    [
        (replace(GOOD, model="autoencodr"), "did you mean 'autoencoder'"),
        (replace(GOOD, config={"latnt": 3}), "did you mean 'latent'"),
        (replace(GOOD, config={"latent": 0}), "greater than or equal to 1"),
        (replace(GOOD, takes=(Take("reconstructing"),)), "no measure is called 'reconstructing'"),
        (replace(GOOD, watch=Watch((Take("probing"),), (0,))), "no measure is called 'probing'"),
        (replace(GOOD, watch=Watch((Take("probe"),))), "give one of them"),
        (replace(GOOD, begin_from="two"), "begins from 'two', which has no cpu"),
    ],
)
def test_a_wrong_experiment_is_named(experiment: Experiment, problem: str) -> None:
    message = told(experiment)
    assert message.startswith("experiment one, cpu: ") and problem in message


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (Row("r", "two", ("x", "y")), "experiment 'two', which there is not"),
        (Row("r", "one", ("x",)), "has 1 places, the table 2 columns"),
        (Row("r", published=(None,)), "has 1 published numbers, the table 2 columns"),
        (Row("r", "one"), "needs an experiment and places"),
        (Row("r", places=("x", "y")), "needs an experiment and places"),
    ],
)
def test_a_wrong_row_is_named(row: Row, problem: str) -> None:
    message = told(GOOD, row)
    assert message.startswith("table 't': row 'r' ") and problem in message
