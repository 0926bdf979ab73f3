"""Every paper at its smallest budget: each experiment is trained and measured, and every cell finds its number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from own_clips import MADE

from untaught import cli
from untaught.config import values
from untaught.data.sets.documents import FILE as POSTS
from untaught.experiments import Budget, Paper, Published, Row
from untaught.experiments.cells import at
from untaught.experiments.find import paper_named, paper_names, problems
from untaught.experiments.records import Records

FIRST = 1
"""Experiments of a paper that are run each time; the others run with the slow tests."""
SHORT = ("donahue2017", "goodfellow2014", "kingma2014", "mirza2014", "salimans2016", "tran2015")
"""Papers of which that takes a second at most: of pictures, labels and video. All run with the slow tests."""
EVERY = [
    pytest.param(paper, name, marks=[pytest.mark.slow] if number >= FIRST or paper not in SHORT else [])
    for paper in paper_names()
    for number, (name, budgets) in enumerate(paper_named(paper).experiments.items())
    if "smoke" in budgets
]
TOO_SMALL = re.compile(
    r"accuracy\.[49]$|principal_components\.100\.|context_10\.(19|49)$|_(backward|low)$|effective_runs$"
)
"""What clips of 24 frames, five views and 32 units have no room for; partition functions are exact."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache" / name)
    monkeypatch.chdir(tmp_path)  # where runs are made


@pytest.mark.parametrize("name", paper_names())
def test_a_paper_fits_together(name: str) -> None:
    assert list(problems(paper_named(name))) == []


@pytest.mark.parametrize(("paper", "experiment"), EVERY)
def test_an_experiment_runs_and_fills_its_cells(
    paper: str, experiment: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    smoke, cached = paper_named(paper).experiments[experiment]["smoke"], tmp_path / "cache" / "untaught"
    if smoke.folder:
        MADE[smoke.folder](cached / smoke.folder)
    if smoke.data.startswith("documents"):
        (cached / "documents").mkdir(parents=True)
        (cached / "documents" / POSTS).symlink_to(request.getfixturevalue("shared_data") / "documents" / POSTS)
    words = ["tables", paper, "--budget", "smoke", "--experiment", experiment, "--results", str(tmp_path)]
    assert cli.main(words) == 0
    held = Records(paper, paper_named(paper), tmp_path / paper)
    (record,) = held.of(experiment, "smoke")
    assert not held.is_stale(record)
    for place in places(held.paper, experiment):
        assert at(record, place) is not None, place
    if held.paper.experiments[experiment]["smoke"].watch is None:
        assert record["watched"] == []
    else:
        # A training of a second tells when it begins and when it ends, and not always in between.
        assert record["watched"][0]["step"] == 0 and record["watched"][-1]["progress"] == 1


def places(paper: Paper, experiment: str) -> list[str]:
    """Where the tables look for an experiment's numbers, but for what is too small here and what is measured later."""
    rows: list[Row] = [row for table in paper.tables for row in table.rows if row.experiment == experiment]
    every = [place for row in rows for place in row.places if place]
    taken = {budget: {take.key for take in own.takes} for budget, own in paper.experiments[experiment].items()}
    later = set().union(*taken.values()) - taken["smoke"]
    return [place for place in every if not TOO_SMALL.search(place) and place.split(".")[0] not in later]


PRINTED: dict[str, list[tuple[str, tuple[float, ...]]]] = {
    "ackley1985": [("8-3-8", (16 / 20,)), ("40-10-40", (0.986,))],
    "bengio2007": [
        ("pretrained as Boltzmann", (0.012,)), ("pretrained as autoencoders", (0.014,)), ("from random", (0.024,)),
        ("pretrained with labels", (0.020,)), ("shallow", (0.019,)),
    ],
    "burda2016": [
        ("VAE, 1 draw, 1 ", (-86.76,)), ("VAE, 5 draws, 1 ", (-86.47,)), ("VAE, 50 draws, 1 ", (-86.35,)),
        ("IWAE, 5 draws, 1 ", (-85.54,)), ("IWAE, 50 draws, 1 ", (-84.78,)), ("VAE, 1 draw, 2 ", (-85.33,)),
        ("VAE, 5 draws, 2 ", (-85.01,)), ("VAE, 50 draws, 2 ", (-84.78,)), ("IWAE, 5 draws, 2 ", (-83.89,)),
        ("IWAE, 50 draws, 2 ", (-82.90,)), ("VAE, 1 draw, 1 ", (-88.71,)), ("IWAE, 5 draws, 1 ", (-87.63,)),
        ("IWAE, 50 draws, 1 ", (-87.10,)),
    ],
    "donahue2017": [
        ("BiGAN", (0.9739,)), ("BiGAN", (0.9735,)), ("discriminator", (0.9730,)), ("latent regressor", (0.9744,)),
        ("joint latent regressor", (0.9713,)), ("squared", (0.9758,)), ("absolute", (0.9763,)), ("BiGAN", (5.95,)),
        ("BiGAN", (9.60,)),
    ],
    "erhan2010": [
        ("1 hidden layer, pretrained", (0.0141, 0.0007)), ("1 hidden layer, random", (0.0181, 0.0007)),
        ("2 hidden layers, pretrained", (0.0137, 0.0009)), ("2 hidden layers, random", (0.0177, 0.0010)),
    ],
    "goodfellow2014": [
        ("adversarial nets", (225.0, 2.0)), ("belief", (138.0, 2.0)), ("contractive", (121.0, 1.6)),
        ("stochastic", (214.0, 1.1)), ("training digits", (243.0,)),
    ],
    "hinton1995": [("open reimplementation", (0.451,)), ("16-8-1", (0.10,))],
    "hinton2006": [
        ("greedy without labels", (0.0115,)), ("greedy layers", (0.0249,)), ("up-down", (0.0125,)),
        ("3 x 1000", (0.0134,)), ("alone", (0.016,)), ("500-500-2000", (0.0323,)), ("support vector", (0.014,)),
    ],
    "hinton_salakhutdinov2006": [
        ("784-1000-500-250-30", (3.00,)), ("linear code, 18", (2.45,)), ("linear code, 6", (7.64,)),
        ("linear code", (8.01,)), ("784-400", (1.44,)), ("PCA, 18", (5.90,)), ("625-2000", (126,)),
        ("the same, begun", (126,)),
        ("PCA", (13.87,)), ("PCA", (135,)),
    ],
    "kingma2014": [("10 latents", (-100,)), ("20 latents", (-100,))],
    "kingma_semi2014": [
        ("M1+M2, 100 ", (0.0333, 0.0014)), ("M2, 100 ", (0.1197, 0.0171)), ("M1+M2, 1,000 ", (0.0240,)),
        ("M2, 1,000 ", (0.0360,)),
    ],
    "larochelle2008": [
        ("then a network", (0.0141,)), ("sparse hybrid", (0.0116,)), ("hybrid", (0.0128,)),
        ("discriminative", (0.0181,)), ("RBM, 6000", (0.0339,)), ("support vector", (0.0140,)), ("network", (0.0193,)),
    ],
    "lotter2015": [
        ("PGN", (0.65, 0.11)), ("DTSBN-S", (2.79, 0.39)), ("SRTRBM", (3.31, 0.33)), ("RTRBM", (3.88, 0.33)),
        ("previous frame", (11.86, 0.27)),
    ],
    "mirza2014": [("conditional", (132.0, 1.8))],
    "ng2011": [("softmax layer alone", (0.123,)), ("then all layers", (0.024,))],
    "radford2016": [("CIFAR-10", (0.828,))],
    "salakhutdinov2008": [
        ("CD-1, 500", (-125.53,)), ("CD-3, 500", (-105.50,)), ("CD-25, 500", (-86.34,)), ("CD-1, 20", (-164.50,)),
        ("CD-3, 20", (-154.73,)), ("CD-25, 20", (-143.20,)), ("deep belief net", (-86.22,)),
        ("mixture of 100", (-137.64,)),
    ],
    "salakhutdinov2009": [
        ("500-500-1000", (-85.10,)), ("500-500-1000", (0.0101,)), ("500-1000", (-84.62,)), ("500-1000", (0.0095,)),
    ],
    "salimans2016": [
        ("20 labels", (0.1677, 0.0452)), ("50 labels", (0.0221, 0.0136)), ("100 labels", (0.0093, 0.00065)),
        ("200 labels", (0.0090, 0.00042)),
    ],
    "srivastava2015": [("ConvLSTM", (29.80,)), ("ConvLSTM", (0.9288,)), ("PredNet", (161.38,)), ("PredNet", (0.7783,))],
    "sutskever2008": [
        ("SRTRBM", (3.31, 0.33)), ("RTRBM", (3.88, 0.33)), ("DTSBN-S", (2.79, 0.39)), ("previous", (11.86, 0.27)),
    ],
    "vincent2008": [
        ("SdA-3", (0.0280,)), ("SdA-3", (0.0130,)), ("SAA-3", (0.0346,)), ("DBN-3", (0.0311,)),
        ("support vector", (0.0303,)),
    ],
}  # fmt: skip
"""What was published: words of a row's label, and its number with the spread where one was given."""
READ = {
    225.0, 138.0, 121.0, 214.0, 0.9735, 5.95, 9.60, 0.828,
    0.8, 0.986, 0.451, 0.0125, 0.0115, 0.0134, 0.0323, -86.34, 0.0095, 0.0130, -86.76, -85.54,
    ("IWAE, 50 draws, 1 ", -84.78),
}  # fmt: skip
"""Those that were read in print; all others are recalled, and the tables say so."""


@pytest.mark.parametrize("name", sorted(PRINTED))
def test_published_numbers_are_those_that_were_published(name: str) -> None:
    """The first entry whose words and number fit a row; words alone, such as `CD-1, 500`, choose among numbers."""
    left = list(PRINTED.get(name, []))
    for label, said in published(paper_named(name)):
        told = (said.value,) if said.spread is None else (said.value, said.spread)
        fitting = [entry for entry in PRINTED[name] if entry[0] in label and told == pytest.approx(entry[1], rel=1e-9)]
        assert fitting, f"{label}: {told} is not among the numbers published"
        assert fitting[0][0] == longest(name, label), f"{label}: {told} is the number of another row"
        left = [entry for entry in left if entry not in fitting]
        value = round(said.value, 6)
        assert said.recalled == (value not in READ and (fitting[0][0], value) not in READ), (
            f"{label}: whether {told} was read or recalled"
        )
        assert said.source
    assert not left, "published, and in no table"


def published(paper: Paper) -> list[tuple[str, Published]]:
    rows = [row for table in paper.tables for row in table.rows]
    return [(row.label, said) for row in rows for said in row.published if said is not None]


def longest(name: str, label: str) -> str:
    """The words for a row: of those that its label contains, the most."""
    return max((words for words, _ in PRINTED[name] if words in label), key=len)


def configured(name: str, experiment: str, budget: Budget = "full") -> dict[str, Any]:
    config = paper_named(name).experiments[experiment][budget].config
    return dict(config) if isinstance(config, Mapping) else values(config)


def test_trainings_at_full_budget_have_the_papers_settings() -> None:
    """Sizes, weights of losses, noise and passes, as read in the papers or in their authors' code."""
    game = configured("lotter2015", "heads-al-mse")
    assert (game["adversarial"], game["squared_error"], game["noise"], game["judge_optimiser"]) == (2e-4, 1, 128, "sgd")
    assert game["judge"] == (1024, 1024, 256)
    assert configured("lotter2015", "heads-al")["squared_error"] == 0
    faces = paper_named("lotter2015").experiments["heads"]["full"].training
    assert faces is not None and (faces.learning_rate, faces.epochs, faces.view) == (1e-3, 300, {"frames": 6})
    deep = paper_named("hinton_salakhutdinov2006").experiments["digits-pretrained"]["full"]
    assert configured("hinton_salakhutdinov2006", "digits-pretrained")["hidden"] == (1000, 500, 250)
    assert deep.training is not None and (deep.training.optimiser, deep.training.batch_size) == ("cg", 1000)
    assert deep.training.epochs == 200 and set(deep.training.stage_epochs.values()) == {50}
    assert configured("hinton_salakhutdinov2006", "curves-pretrained")["hidden"] == (400, 200, 100, 50, 25)
    assert configured("hinton_salakhutdinov2006", "faces")["hidden"] == (2000, 1000, 500)
    assert configured("hinton2006", "up-down")["hidden"] == (500, 500, 2000)
    tuned = paper_named("hinton2006").experiments
    assert [tuned[name]["full"].training.epochs for name in ("greedy", "up-down")] == [30, 300]  # type: ignore[union-attr]
    assert configured("salakhutdinov2009", "three")["hidden"] == (500, 500, 1000)
    for rule, steps in (("cd-1", 1), ("cd-3", 3), ("cd-25", 25)):
        own = configured("salakhutdinov2008", f"{rule}-500")
        assert (own["hidden"], own["gibbs_steps"], own["persistent_chains"]) == (500, steps, 0)
        assert own.get("growing", False) == (rule == "cd-25")
    units = {"generative": 6000, "discriminative": 500, "hybrid": 1500, "sparse": 3000}
    assert {kind: configured("larochelle2008", kind)["hidden"] for kind in units} == units
    assert configured("larochelle2008", "hybrid")["alpha"] == 0.01
    assert configured("krizhevsky2011", "256-bits")["hidden"] == (8192, 4096, 2048, 1024, 512)
    assert configured("sutskever2008", "rtrbm")["hidden"] == 3750
    first = configured("ackley1985", "4-2-4", "cpu")
    assert (first["turned_off"], first["turned_on"], first["fixed_steps"]) == (0.15, 0.05, True)


SETTINGS: dict[tuple[str, str], dict[str, Any]] = {
    ("burda2016", "vae-50-1"): {"latent": (50,), "hidden": (200,), "objective": "vae", "samples": 50},
    ("burda2016", "iwae-5-2"): {"latent": (100, 50), "hidden": (200, 100), "objective": "iwae", "samples": 5},
    ("burda2016", "fixed-iwae-50"): {"latent": (50,), "hidden": (200,), "objective": "iwae", "samples": 50},
    ("donahue2017", "bigan"): {"latent": 50, "generator": (1024, 1024), "discriminator": (1024, 1024)},
    ("erhan2010", "depth-3-random"): {"hidden": (1000,) * 3, "pretraining": False, "fine_tuning": "backpropagation"},
    ("goodfellow2014", "dense"): {
        "latent": 100, "prior": "uniform", "generator": (1200, 1200), "discriminator": (240, 240),
        "discriminator_units": "maxout", "dropout": (0.2, 0.5, 0.5),
    },
    ("goodfellow2014", "minimax"): {"objective": "minimax"},
    ("goodfellow2014", "smoothed"): {"smoothing": 0.1},
    ("higgins2017", "beta-1"): {"latent": 10, "beta": 1.0},
    ("higgins2017", "beta-4"): {"latent": 10, "beta": 4.0},
    ("hinton1995", "bars-8-1"): {"hidden": (8, 1), "visible_bias": -4.0, "hidden_bias": -2.0},
    ("kingma2014", "mnist-20"): {"hidden": (500,), "activation": "tanh", "latent": 20},
    ("kingma2014", "frey-2"): {"hidden": (200,), "activation": "tanh", "latent": 2, "output": "squashed"},
    ("larochelle2008", "sparse"): {"hidden": 3000, "sparsity": 1e-4},
    ("ng2011", "patches"): {"hidden": (64,), "sparsity": 0.035, "sparsity_cost": 50.0, "output": "linear"},
    ("ng2011", "strokes"): {"hidden": (196,), "sparsity": 0.1, "sparsity_cost": 3.0, "weight_cost": 0.003},
    ("radford2016", "mnist"): {"latent": 100, "prior": "uniform", "kernel": 5},
    ("rasmus2015", "baseline-100"): {"noise": 0.5, "costs": ()},
    ("rasmus2015", "bottom-1000"): {"noise": 0.2, "variant": "bottom"},
    ("rasmus2015", "full-100"): {"noise": 0.3, "costs": (1000.0, 10.0, 0.1), "hidden": (1000, 500, 250, 250, 250)},
    ("rasmus2015", "full-1000"): {"noise": 0.2, "costs": (2000.0, 20.0, 0.1)},
    ("rasmus2015", "full-50000"): {"noise": 0.3, "costs": (1000.0, 1.0, 0.01)},
    ("rasmus2015", "gamma-100"): {"noise": 0.3, "variant": "gamma", "costs": (0.5,)},
    ("rasmus2015", "gamma-1000"): {"noise": 0.2, "variant": "gamma", "costs": (10.0,)},
    ("rasmus2015", "gamma-50000"): {"noise": 0.3, "variant": "gamma", "costs": (2.0,)},
    ("sutskever2008", "rtrbm-divergence"): {"fantasies": "gibbs", "prediction_steps": 1},
    ("vincent2008", "denoising-all-digits"): {"level": 0.1},
    ("zhang2016", "sae-first-100"): {"losses": "first", "switches": "fixed"},
    ("zhang2016", "swwae-all-400"): {"losses": "all", "switches": "known"},
    ("zhang2016", "sae-layerwise-2000"): {"losses": "layerwise", "switches": "fixed"},
    ("zhao2015", "fixed-100"): {"switches": "fixed"},
    ("zhao2015", "plain-100"): {"dropout": 0.0},
}  # fmt: skip
"""What the papers, their authors' code or the table itself says of a row at full budget; where we depart from a paper,
the file of the paper says so, and it is not here."""
RATES = {
    "burda2016": ("vae-1-1", 1e-3), "donahue2017": ("bigan", 2e-4), "radford2016": ("mnist", 2e-4),
    "rasmus2015": ("full-100", 2e-3), "zhu2017": ("turned", 2e-4),
}  # fmt: skip


@pytest.mark.parametrize(("name", "experiment"), SETTINGS)
def test_a_row_has_the_settings_that_were_published(name: str, experiment: str) -> None:
    own = configured(name, experiment)
    assert {key: own.get(key) for key in SETTINGS[name, experiment]} == SETTINGS[name, experiment]


@pytest.mark.parametrize("name", RATES)
def test_a_row_has_the_rate_that_was_published(name: str) -> None:
    experiment, rate = RATES[name]
    training = paper_named(name).experiments[experiment]["full"].training
    assert training is not None and training.learning_rate == rate
