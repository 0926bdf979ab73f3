"""The training loop on every kind of model: one player, two players, stages; resume, interruption, generators."""

import math
from pathlib import Path

import pytest
import torch
from models_for_tests import TinyGAN, TinyStack
from torch import Tensor

from untaught.data.part import Part
from untaught.data.source import Source
from untaught.errors import DataError, NotFiniteError
from untaught.model import Batch, Example, Learner, Loss, Model
from untaught.models.autoencoder import Autoencoder
from untaught.models.rbm import RBM
from untaught.randomness import seeded
from untaught.recipe import Recipe
from untaught.runs.checkpoint import read_checkpoint
from untaught.runs.run import Run, create_run
from untaught.runs.settings import Settings, Training
from untaught.training.fit import Record, fit, train

SETTINGS = Settings(model="rbm", shape=(1, 4, 4), config={}, data="digits")


def source(count: int = 120, side: int = 4) -> Source:
    with seeded(3):
        return Source("made", Part.of((torch.rand(count, 1, side, side) > 0.6).float()))


def make(name: str) -> Model:
    shape = (1, 4, 4)
    with seeded(1):
        match name:
            case "rbm":
                return RBM(RBM.Config(hidden=6, persistent_chains=5), shape)
            case "autoencoder":
                return Autoencoder(Autoencoder.Config(hidden=(8,), latent=2), shape)
            case "gan":
                return TinyGAN(TinyGAN.smoke.config, shape)
            case _:
                return TinyStack(TinyStack.smoke.config, shape)


KINDS = ("rbm", "autoencoder", "gan", "stack")
QUICK = Training(epochs=12, stage_epochs={}, batch_size=16, precision="float32", threads=1, device="cpu")


def weights(model: Model) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def last_state(run: Run) -> dict[str, Tensor]:
    last = run.last()
    assert last is not None
    return last.state["model"]


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(value, second[name]) for name, value in first.items())


@pytest.mark.parametrize("name", KINDS)
def test_training_moves_every_player_and_ends(name: str) -> None:
    model = make(name)
    before = weights(model)
    last = train(model, source(), QUICK)
    assert last.progress == 1 and all(math.isfinite(value) for value in last.losses.values())
    moved = {key for key, value in model.named_parameters() if not torch.equal(value, before[key])}
    assert moved == {key for key, _ in model.named_parameters()}


@pytest.mark.parametrize("name", KINDS)
def test_the_callers_generator_is_the_callers(name: str) -> None:
    torch.manual_seed(5)
    expected = torch.get_rng_state()
    drawn: list[Tensor] = []
    for _ in fit(make(name), source(), QUICK):
        assert torch.equal(torch.get_rng_state(), expected)
        drawn.append(torch.rand(1))
        expected = torch.get_rng_state()
    with seeded(5):
        assert torch.equal(torch.cat(drawn), torch.cat([torch.rand(1) for _ in drawn]))


@pytest.mark.parametrize("name", KINDS)
def test_what_the_caller_draws_does_not_change_the_training(name: str) -> None:
    first, second = make(name), make(name)
    train(first, source(), QUICK)
    for _ in fit(second, source(), QUICK):
        torch.rand(7)
    assert same(weights(first), weights(second))


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name != "gan")) for name in KINDS])
@pytest.mark.parametrize("stop", [pytest.param(1, marks=pytest.mark.slow), 3, pytest.param(5, marks=pytest.mark.slow)])
def test_a_resumed_run_equals_an_uninterrupted_one(name: str, stop: int, tmp_path: Path) -> None:
    whole = create_run(tmp_path / "whole", SETTINGS)
    train(make(name), source(), QUICK, whole)
    broken = create_run(tmp_path / "broken", SETTINGS)
    training = fit(make(name), source(), QUICK, broken)
    for _ in range(stop):
        next(training)
    training.close()
    train(make(name), source(), QUICK, broken)
    assert same(last_state(whole), last_state(broken))
    assert same(whole.best().state["model"], broken.best().state["model"])
    steps = [(record["stage"], record["step"]) for record in broken.records()]
    assert steps == sorted(set(steps), key=steps.index), "a record was written twice"


def test_different_seeds_differ() -> None:
    first, second = make("rbm"), make("rbm")
    train(first, source(), QUICK)
    train(second, source(), Training(epochs=4, batch_size=16, seed=1, precision="float32", device="cpu"))
    assert not same(weights(first), weights(second))


def test_the_model_ends_with_its_best_weights(tmp_path: Path) -> None:
    run = create_run(tmp_path / "run", SETTINGS)
    model = make("autoencoder")
    records = list(fit(model, source(), QUICK, run))
    measured = [record for record in records if record.held_out]
    lowest = min(measured, key=lambda record: record.held_out["total"])
    best = run.best()
    assert best.counters["step"] == lowest.step
    assert same(weights(model), best.state["model"])


def test_stages_train_in_turn(tmp_path: Path) -> None:
    run = create_run(tmp_path / "run", SETTINGS)
    model = make("stack")
    order = [record.stage for record in fit(model, source(), QUICK, run)]
    names = [stage.name for stage in model.stages()]
    assert sorted(set(order), key=order.index) == names
    with_epochs = Training(epochs=2, stage_epochs={names[0]: 5}, batch_size=16, device="cpu")
    records = list(fit(make("stack"), source(), with_epochs))
    ends = {stage: max(record.epoch for record in records if record.stage == stage) for stage in names}
    assert ends == {names[0]: 5.0, names[1]: 2.0}


def test_moments_of_the_last_stage_have_records_and_change_no_weight() -> None:
    training = Training(epochs=10, batch_size=16, device="cpu", threads=1)
    plain, watched = make("stack"), make("stack")
    train(plain, source(), training)
    records = list(fit(watched, source(), training, moments=(0.07, 0.5, 0.93)))
    assert same(weights(plain), weights(watched))
    first, last = (stage.name for stage in plain.stages())
    total = max(record.step for record in records if record.stage == last)
    asked = {math.ceil(fraction * total / 100) for fraction in (7, 50, 93)}
    assert asked <= {record.step for record in records if record.stage == last}
    assert not asked <= {record.step for record in records if record.stage == first}


class Exploding(Learner):
    """A loss that is not a number from a given step on."""

    Config = RBM.Config
    at = 60

    def __init__(self) -> None:
        super().__init__()
        self.config, self.example = RBM.Config(), Example((1, 4, 4))
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.steps = torch.nn.Buffer(torch.zeros((), dtype=torch.int64))

    def loss(self, batch: Batch, player: str, progress: Tensor) -> Loss:
        """A square, and a part that breaks."""
        self.steps += 1
        bad = torch.where(self.steps >= self.at, torch.nan, 1.0)
        total = (self.weight * batch.x.mean()) ** 2
        return Loss(total, {"fine": total.detach(), "broken": total.detach() * bad})


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_place(tmp_path: Path) -> None:
    run = create_run(tmp_path / "run", SETTINGS)
    with pytest.raises(NotFiniteError, match="at step 60 broken of player model"):
        train(Exploding(), source(), Training(epochs=20, batch_size=16, precision="float32", device="cpu"), run)
    last = run.last()
    assert last is not None and last.counters["step"] < 60
    assert all(value.isfinite().all() for value in last.state["model"].values())


def test_a_short_last_batch_counts_by_its_rows() -> None:
    class Mean(Exploding):
        at = 10**9

        def loss(self, batch: Batch, player: str, progress: Tensor) -> Loss:
            return Loss(self.weight * 0, {"mean": batch.x.mean()})

    x = torch.zeros(7, 1, 4, 4)
    x[:6] = torch.arange(6.0).view(6, 1, 1, 1)
    part = Part.of(x)
    record = train(
        Mean(), Source("made", part, part, part), Training(epochs=1, batch_size=4, precision="float32", device="cpu")
    )
    assert record.losses["mean"] <= 15 / 7 + 1e-5
    assert record.held_out["mean"] == pytest.approx(15 / 7, rel=1e-5)


def test_an_average_of_the_weights_is_kept_and_used(tmp_path: Path) -> None:
    run = create_run(tmp_path / "run", SETTINGS)
    train(make("autoencoder"), source(), Training(epochs=4, batch_size=16, average=0.9, device="cpu"), run)
    last = run.last()
    assert last is not None
    assert not same(last.state["average"], last.state["model"])


def test_the_average_follows_its_formula() -> None:
    class Counting(Exploding):
        recipe = Recipe(average=0.5, schedule="constant")

        def loss(self, batch: Batch, player: str, progress: Tensor) -> Loss:
            return Loss(self.weight, {})

    model = Counting()
    part = Part.of(torch.zeros(3, 1, 4, 4))
    training = Training(epochs=1, batch_size=1, learning_rate=0.1, precision="float32", device="cpu")
    expected, weight = 1.0, 1.0
    for step in range(3):
        weight -= 0.1  # Adam under a constant gradient of one
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * weight
    records = list(fit(model, Source("made", part, part, part), training))
    assert float(model.weight.detach()) == pytest.approx(expected, rel=1e-4)
    assert records[-1].held_out["total"] == pytest.approx(expected, rel=1e-4), "what is kept is what is measured"


def test_lbfgs_line_search_sees_one_function() -> None:
    recipe = Recipe(optimiser={"name": "lbfgs", "learning_rate": 1.0}, batch_size=1000, schedule="constant")  # type: ignore[arg-type]
    model = make("autoencoder")
    type(model).recipe, kept = recipe, type(model).recipe
    try:
        records = [
            record
            for record in fit(model, source(), Training(epochs=5, precision="float32", device="cpu"))
            if record.losses
        ]
    finally:
        type(model).recipe = kept
    assert records[-1].losses["loss"] < records[0].losses["loss"]


def test_video_is_refused_by_name_where_there_is_none() -> None:
    with pytest.raises(DataError, match="video"):
        train(make("autoencoder"), source(), Training(epochs=1, view={"frames": 5}, device="cpu"))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_examples_trains(count: int) -> None:
    assert train(make("autoencoder"), source(count), QUICK).progress == 1


def test_tell_before_the_first_step() -> None:
    first: Record = next(fit(make("autoencoder"), source(), QUICK))
    assert first.step == 0 and first.needs is not None and first.rate > 0
    assert first.needs.weights == sum(value.numel() for value in make("autoencoder").parameters())
    assert first.needs.bytes > 4 * first.needs.weights


def test_a_checkpoint_holds_no_pickle(tmp_path: Path) -> None:
    run = create_run(tmp_path / "run", SETTINGS)
    train(make("rbm"), source(), QUICK, run)
    assert {path.suffix for path in run.checkpoints.iterdir()} == {".safetensors", ".json"}
    for path in run.checkpoints.glob("*.json"):
        read_checkpoint(path)
