"""Two translators against two discriminators: the losses by hand, and the commands on two folders of pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from untaught import cli
from untaught.data.reading.arrays import from_array
from untaught.model import Batch
from untaught.models.cycle_gan import CycleGAN
from untaught.nn.adversarial.energy_distance import energy_distance
from untaught.randomness import seeded
from untaught.runs.run import open_run
from untaught.runs.settings import Training
from untaught.training.fit import fit
from untaught.training.plan import plan_for

ONE = torch.ones(())
TINY = ("--maps", "2", "--blocks", "1", "--epochs", "1", "--threads", "1", "--device", "cpu", "--batch-size", "4")


def small(**fields: object) -> CycleGAN:
    with seeded(0):
        return CycleGAN(CycleGAN.Config(maps=2, blocks=1, **fields), (1, 6, 5))


def both(x: Tensor, y: Tensor) -> Batch:
    return replace(Batch.of(x), beside={"other": Batch.of(y)})


@pytest.fixture
def batch() -> Batch:
    with seeded(3):
        return both(torch.rand(3, 1, 6, 5), torch.rand(4, 1, 6, 5))


@torch.no_grad()
def test_the_translators_loss_is_that_of_the_equations(batch: Batch) -> None:
    model = small(cycle=3.0, identity=0.5)
    there, back = model.translators["there"], model.translators["back"]
    first, second = model.discriminators["first"], model.discriminators["second"]
    x, y = list(batch.x.split(1)), list(batch.beside["other"].x.split(1))

    def mean(values: list[Tensor]) -> Tensor:
        return torch.stack(values).mean()

    fool = mean([(second(there(one)) - 1).pow(2).mean() for one in x])
    fool += mean([(first(back(one)) - 1).pow(2).mean() for one in y])
    cycle = mean([(back(there(one)) - one).abs().mean() for one in x])
    cycle += mean([(there(back(one)) - one).abs().mean() for one in y])
    same = mean([(back(one) - one).abs().mean() for one in x]) + mean([(there(one) - one).abs().mean() for one in y])
    loss = model.loss(batch, "translators", ONE)
    torch.testing.assert_close(loss.total, fool + 3 * (cycle + 0.5 * same))
    torch.testing.assert_close(loss.parts["cycle_absolute_error"], cycle / 2)


@torch.no_grad()
def test_the_discriminators_loss_is_that_of_the_equations(batch: Batch) -> None:
    model = small(pool=0)
    first, second = model.discriminators["first"], model.discriminators["second"]
    x, y = batch.x, batch.beside["other"].x
    expected = (second(y) - 1).pow(2).mean() + second(model.translate(x)).pow(2).mean()
    expected += (first(x) - 1).pow(2).mean() + first(model.translate(y, forward=False)).pow(2).mean()
    torch.testing.assert_close(model.loss(batch, "discriminators", ONE).total, expected / 2)


def test_the_discriminators_cost_the_translators_no_gradient(batch: Batch) -> None:
    model = small()
    model.loss(batch, "discriminators", ONE).total.backward()
    assert all(value.grad is None for value in model.translators.parameters())


@torch.no_grad()
def test_weights_are_judged_by_translations_beside_pictures_of_their_kind(batch: Batch) -> None:
    model, x, y = small(), batch.x, batch.beside["other"].x
    ways = energy_distance(model.translate(x), y) + energy_distance(model.translate(y, forward=False), x)
    torch.testing.assert_close(model.held_out(batch, "translators").parts["energy_distance"], ways / 2)


@pytest.mark.parametrize(("invert", "sign"), [(False, 1.0), (True, -1.0)])
def test_translators_begin_at_the_nearer_of_a_picture_and_its_negative(invert: bool, sign: float) -> None:
    """Bright strokes, and others of the same kind or inverted; as a training prepares them."""
    with seeded(0):
        x, y = ((torch.rand(2, 30, 1, 6, 5) < 0.2).float()).unbind()
    data, other = (from_array(some) for some in (x, 1 - y if invert else y))
    made = plan_for(small(), data, Training(epochs=1, threads=1, device="cpu", precision="float32"), other)
    next(fit(made))
    model = made.model
    assert isinstance(model, CycleGAN)
    for forward in (True, False):
        with torch.no_grad():
            apart = (model.translate(x, forward) - (1 - x if invert else x)).abs().mean()
        assert float(apart) < 0.2
    assert [float(network.get_buffer("sign")) for network in model.translators.children()] == [sign, sign]


def test_settings_are_the_published_ones() -> None:
    """But for those that the departures name."""
    config = CycleGAN.Config()
    assert (config.cycle, config.pool, CycleGAN.recipe.optimiser.betas) == (10, 50, (0.5, 0.999))


def test_discriminators_see_what_was_made_before(batch: Batch) -> None:
    """With a pool of three, the second step is judged by some pictures of the first."""
    model = small(pool=3)
    with seeded(0), torch.no_grad():
        model.loss(batch, "discriminators", ONE)
        kept = model.pools["second"].kept.clone()
        assert torch.equal(kept, model.translate(batch.x))
        model.loss(both(1 - batch.x, batch.beside["other"].x), "discriminators", ONE)
    changed = (model.pools["second"].kept != kept).flatten(1).any(1)
    assert 0 < int(changed.sum()) < 3


def write(folder: Path, grey: int, side: int = 8, count: int = 12, seed: int = 0) -> Path:
    """A folder of pictures around a grey value."""
    folder.mkdir()
    made = np.random.default_rng(seed)
    for number in range(count):
        noisy = np.clip(grey + made.normal(0, 20, (side, side)), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    place = tmp_path_factory.mktemp("kinds")
    return write(place / "dark", 60), write(place / "bright", 200, seed=1)


@pytest.fixture(scope="module")
def run(folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs") / "run"
    dark, bright = map(str, folders)
    assert cli.main(["train", "cycle-gan", "--data", dark, "--other", bright, "--out", str(place), *TINY]) == 0
    return place


def test_a_run_keeps_both_sources_and_shows_both_ways(run: Path, folders: tuple[Path, Path]) -> None:
    assert open_run(run).settings.other == str(folders[1])
    assert (run / "pictures" / "translation.png").is_file()
    assert "untaught translate" in (run / "report.html").read_text()
    assert open_run(run).best().counters["selects"] == "energy_distance"


@pytest.mark.parametrize("back", [False, True])
def test_translations_are_written_as_arrays(run: Path, folders: tuple[Path, Path], tmp_path: Path, back: bool) -> None:
    out = tmp_path / "there.npz"
    assert cli.main(["translate", str(run), *(["--back"] if back else []), "--out", str(out)]) == 0
    with np.load(out) as arrays:
        made, files = arrays["translation"], list(arrays["file"])
    assert len(files) == 12 and str(folders[int(back)]) in str(files[0])
    x = np.stack([np.asarray(Image.open(file)) for file in files])[:, None] / np.float32(255)
    with torch.no_grad():
        expected = open_run(run).load().translate(torch.as_tensor(x), forward=not back)  # type: ignore[attr-defined]
    np.testing.assert_allclose(made, expected.numpy(), atol=1e-5)


def test_translations_of_other_sizes_are_drawn(run: Path, tmp_path: Path) -> None:
    """As a picture, and as a film of one pair after the other."""
    large = write(tmp_path / "large", 100, side=17, count=3)
    for name in ("there.png", "there.gif"):
        assert cli.main(["translate", str(run), "--data", f"{large}?size=17", "--out", str(tmp_path / name)]) == 0
    with Image.open(tmp_path / "there.gif") as film:
        assert getattr(film, "n_frames", 1) == 3


def test_measures_stand_beside_what_was_not_translated(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", str(run)]) == 0
    told = capsys.readouterr().out
    assert "distance from the other kind" in told and "untranslated" in told and "labels kept" not in told


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("one source", "learns from two sources: --data one --other another"),
        ("sizes", "has examples of 1x9x9, and the first source of 1x8x8; --size brings pictures to one size"),
        ("one picture", "has one picture; what pictures of its kind have in common is learnt from many"),
        ("vectors", "translates pictures, and examples are vectors of 5 numbers"),
        ("standardised", "--standardise: values of both kinds are translated as they are"),
        ("other model", "--other: gan learns from one source; leave it out"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(
    kind: str, told: str, folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dark, bright = map(str, folders)
    np.save(tmp_path / "vectors.npy", np.zeros((20, 5), np.float32))
    words = {
        "one source": ["cycle-gan", "--data", dark],
        "sizes": ["cycle-gan", "--data", dark, "--other", str(write(tmp_path / "large", 9, side=9))],
        "one picture": ["cycle-gan", "--data", dark, "--other", str(write(tmp_path / "one", 9, count=1))],
        "vectors": ["cycle-gan", "--data", str(tmp_path / "vectors.npy")],
        "standardised": ["cycle-gan", "--data", dark, "--other", bright, "--standardise", "all"],
        "other model": ["gan", "--data", dark, "--other", bright],
    }[kind]
    out = tmp_path / "run"
    assert cli.main(["train", *words, "--out", str(out), "--epochs", "1"]) == 2
    said = capsys.readouterr().err
    assert told in said and said.count("\n") <= 3 and not out.exists()


def test_only_a_run_that_translates_can_translate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert cli.main(["train", "softmax", "--data", "digits", "--epochs", "1", "--out", str(out)]) == 0
    assert cli.main(["translate", str(out), "--out", str(tmp_path / "there.png")]) == 2
    assert "lacks what this needs: translates" in capsys.readouterr().err
