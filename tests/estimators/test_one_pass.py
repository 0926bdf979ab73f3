"""Passes that go on from the one before, against optimisation by hand."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from models_for_tests import TinyGAN, TinyStack
from torch import nn

from untaught.config import configuration
from untaught.errors import NotFiniteError
from untaught.estimators import AutoencoderEstimator, RBMEstimator, estimator_class
from untaught.model import Batch, Encodes, Example, Learner, Loss, Smoke
from untaught.models.autoencoder import Autoencoder
from untaught.randomness import seeded
from untaught.shapes import Examples, Features, Scalar, Shape

ROWS = np.random.default_rng(0).random((20, 9))
BITS = (ROWS < 0.3).astype(float)


def test_passes_are_those_of_one_adam() -> None:
    """Three passes, each of one batch of all rows: order does not matter, and Adam's moments carry over."""
    estimator = AutoencoderEstimator(latent=2, hidden=(6,), learning_rate=0.01, random_state=0)
    for _ in range(3):
        assert estimator.partial_fit(ROWS) is estimator
    with seeded(int(np.random.RandomState(0).randint(2**31 - 1))):
        model = Autoencoder(Autoencoder.Config(latent=2, hidden=(6,)), (9,))
    adam = torch.optim.Adam(model.parameters(), 0.01)
    x = torch.tensor(ROWS, dtype=torch.float32)
    model.prepare(Batch.of(x))
    for _ in range(3):
        adam.zero_grad()
        model.loss(Batch.of(x), "model", torch.ones(())).total.backward()
        adam.step()
    for name, value in model.state_dict().items():
        torch.testing.assert_close(estimator.model_.state_dict()[name], value, rtol=1e-4, atol=1e-5)
    assert estimator.n_iter_ == len(estimator.history_) == 3


def test_pickled_between_passes_it_goes_on() -> None:
    whole = AutoencoderEstimator(latent=2, random_state=0).partial_fit(ROWS)
    parted = pickle.loads(pickle.dumps(whole))
    np.testing.assert_array_equal(parted.partial_fit(ROWS).transform(ROWS), whole.partial_fit(ROWS).transform(ROWS))


def test_passes_lower_the_error() -> None:
    estimator = AutoencoderEstimator(latent=4, hidden=(20,), batch_size=5, learning_rate=0.01, random_state=0)
    scores = [estimator.partial_fit(ROWS).score(ROWS) for _ in range(30)]
    assert scores[-1] > scores[0] / 2
    assert estimator.history_[-1]["loss"] < 0.5 * estimator.history_[0]["loss"]


def test_a_pass_after_fit_does_not_look_at_the_data_anew() -> None:
    """The base rate is what `prepare` finds at a training's beginning; a pass over other rows leaves it."""
    machine = RBMEstimator(hidden=3, max_epochs=2, random_state=0).fit(BITS)
    before = machine.model_.base_rate().clone()
    weight = machine.model_.weight.detach().clone()
    machine.partial_fit(1 - BITS)
    assert torch.equal(machine.model_.base_rate(), before)
    assert not torch.equal(machine.model_.weight, weight)
    assert machine.n_iter_ == 3


class Noting(Learner, Encodes):
    """Notes the progress that it is told and a number that it draws."""

    @configuration
    class Config:
        """Nothing."""

    smoke = Smoke(config=Config(), shape=(4,))

    def __init__(self, config: Config, example: Example | Shape) -> None:
        super().__init__()
        self.config, self.example = config, Example.of(example)
        self.weight = nn.Parameter(torch.zeros(self.shape))
        self.told, self.drawn = nn.Buffer(torch.zeros(())), nn.Buffer(torch.zeros(()))

    def encode(self, x: Examples) -> Features:
        """Give what it is given."""
        return x

    def loss(self, batch: Batch, player: str, progress: Scalar) -> Loss:
        """Squared distance of the mean."""
        self.told.copy_(progress)
        self.drawn.copy_(torch.rand(()))
        return Loss((batch.x - self.weight).square().sum(1).mean(), {})


def test_each_pass_is_at_the_end_of_schedules_and_has_its_own_draws() -> None:
    passes = estimator_class(Noting)(random_state=0), estimator_class(Noting)(random_state=0)
    drawn = [[float(one.partial_fit(ROWS).model_.drawn) for _ in range(3)] for one in passes]
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 3
    assert float(passes[0].model_.told) == 1


def test_stages_begin_once_and_all_go_on() -> None:
    estimator = estimator_class(TinyStack)(hidden=4, random_state=0).partial_fit(BITS)
    first = {name: value.clone() for name, value in estimator.model_.state_dict().items()}
    estimator.partial_fit(BITS)
    assert int(estimator.model_.begun) == 1
    moved = {name for name, value in estimator.model_.state_dict().items() if not torch.equal(value, first[name])}
    assert {"first.weight", "second.weight"} <= moved
    assert [(entry["epoch"], entry["stage"]) for entry in estimator.history_] == [
        (1, "first"), (1, "second"), (2, "first"), (2, "second")
    ]  # fmt: skip


class EncodingGAN(TinyGAN, Encodes):
    """A model of two players with features: the discriminator's hidden units."""

    def encode(self, x: Examples) -> Features:
        """Hidden units."""
        return nn.Sequential(*self.discriminator[:3])(x)


def test_every_player_moves_and_stays_trainable() -> None:
    estimator = estimator_class(EncodingGAN)(hidden=4, random_state=0).partial_fit(ROWS)
    before = {name: value.clone() for name, value in estimator.model_.named_parameters()}
    estimator.partial_fit(ROWS)
    for name, value in estimator.model_.named_parameters():
        assert value.requires_grad
        assert not torch.equal(value, before[name]), name
    assert {"discriminator_nats", "generator_nats"} <= estimator.history_[-1].keys()


def test_a_loss_that_is_not_finite_stops_the_pass() -> None:
    with pytest.raises(NotFiniteError, match="became infinite or not a number"):
        AutoencoderEstimator(latent=2, hidden=(4,), output="sigmoid").partial_fit(1e30 * ROWS)
