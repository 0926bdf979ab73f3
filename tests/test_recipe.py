"""Conjugate gradients against closed forms, and the rules that a caller may ask for."""

import pytest
import torch
from torch import Tensor, nn

from untaught.data.part import Part
from untaught.data.source import Source
from untaught.errors import ConfigError
from untaught.model import Batch
from untaught.models.autoencoder import Autoencoder
from untaught.randomness import seeded
from untaught.recipe import Optimiser, Recipe
from untaught.runs.settings import Training
from untaught.training.devices import make_fabric
from untaught.training.fit import fit, train
from untaught.training.optimisers import ConjugateGradient
from untaught.training.plan import recipe_for


def test_conjugate_gradients_solve_a_quadratic_in_as_many_searches_as_it_has_dimensions() -> None:
    with seeded(0):
        root = torch.randn(6, 6, dtype=torch.float64)
        matrix, b = root @ root.T + torch.eye(6).double(), torch.randn(6, dtype=torch.float64)
    x, y = nn.Parameter(torch.zeros(2, 2, dtype=torch.float64)), nn.Parameter(torch.zeros(2, dtype=torch.float64))
    optimiser = ConjugateGradient([x, y], searches=40)

    def closure() -> Tensor:
        optimiser.zero_grad()
        z = torch.cat([x.flatten(), y])
        loss = z @ matrix @ z / 2 - b @ z
        loss.backward()
        return loss

    optimiser.step(closure)
    torch.testing.assert_close(
        torch.cat([x.flatten(), y]).detach(), torch.linalg.solve(matrix, b), rtol=1e-5, atol=1e-6
    )


def test_a_step_never_leaves_a_higher_loss() -> None:
    with seeded(1):
        x = nn.Parameter(torch.randn(5))
    optimiser = ConjugateGradient([x], searches=3)

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = (x.square() - 1).square().sum() + x.sin().sum()
        loss.backward()
        return loss

    losses = [float(optimiser.step(closure).detach()) for _ in range(6)]
    assert losses == sorted(losses, reverse=True)
    before = x.detach().clone()
    assert float(closure().detach()) <= losses[-1]
    assert torch.equal(before, x.detach())


@pytest.mark.parametrize("rule", ["cg", "lbfgs"])
def test_a_training_by_line_searches_learns(rule: str) -> None:
    with seeded(2):
        x = torch.rand(200, 1, 5, 5)
        model = Autoencoder(Autoencoder.Config(hidden=(12,), latent=3, activation="sigmoid"), (1, 5, 5))
    asked = Training(epochs=6, batch_size=200, optimiser=rule, threads=1)  # type: ignore[arg-type]
    before = model.loss(Batch.of(x), "model", torch.zeros(())).total.item()
    train(model, x, asked)
    assert model.loss(Batch.of(x), "model", torch.zeros(())).total.item() < 0.9 * before


def test_records_tell_the_loss_where_each_line_search_begins() -> None:
    """One step an epoch on all examples: the first record tells the loss of the weights that it began from."""
    with seeded(2):
        x = torch.rand(100, 1, 4, 4)
        model = Autoencoder(Autoencoder.Config(hidden=(6,), latent=3, activation="sigmoid"), (1, 4, 4))
    source = Source("made", Part.of(x), validation=Part.of(x), test=Part.of(x))
    model.prepare(Batch.of(x))
    begin = model.loss(Batch.of(x), "model", torch.zeros(())).total.item()
    asked = Training(epochs=1, batch_size=100, optimiser="cg", precision="float32", threads=1)
    (told,) = [record.losses for record in fit(model, source, asked) if record.losses]
    assert told["loss"] == pytest.approx(begin, rel=1e-5)


def test_line_searches_are_refused_to_several_processes() -> None:
    with pytest.raises(ConfigError, match="a line search is one process's"):
        make_fabric(Training(optimiser="cg", devices=2, device="cpu"), [])


def test_a_rule_that_is_asked_for_comes_at_its_usual_rate() -> None:
    recipe = Recipe(optimiser=Optimiser(learning_rate=3e-4))
    assert recipe_for("train", recipe, Training(optimiser="adam")).optimiser.learning_rate == 3e-4
    searching = recipe_for("train", recipe, Training(optimiser="lbfgs"))
    assert (searching.optimiser.learning_rate, searching.schedule) == (1.0, "constant")
    slower = recipe_for("train", recipe, Training(optimiser="sgd", learning_rate=0.02))
    assert (slower.optimiser.name, slower.optimiser.learning_rate, slower.schedule) == ("sgd", 0.02, "cosine")


def test_another_rule_decays_weights_as_the_models_own_did() -> None:
    recipe = Recipe(optimiser=Optimiser(weight_decay=0.03, betas=(0.5, 0.9)))
    asked = recipe_for("train", recipe, Training(optimiser="rmsprop")).optimiser
    assert asked == Optimiser(name="rmsprop", learning_rate=1e-3, weight_decay=0.03)


def test_no_average_is_kept_where_none_is_asked_for() -> None:
    assert recipe_for("train", Recipe(average=0.9), Training(average=0)).average is None
    assert recipe_for("train", Recipe(average=0.9), Training()).average == 0.9
