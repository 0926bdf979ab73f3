"""The sigmoid belief network against delta rules written out, and against sums over all of its states."""

from dataclasses import replace
from typing import Literal

import pytest
import torch
from torch import Tensor

from tests.oracles import states
from untaught.errors import ConfigError, DataError, SizeError
from untaught.model import Batch, Player
from untaught.models.sigmoid_belief import SigmoidBelief
from untaught.nn.noise import bernoulli
from untaught.randomness import seeded

SHAPE = (1, 2, 3)
VISIBLE = states(6)
HIDDEN = states(6)
START = torch.zeros(())
How = Literal["recognition", "factorial", "exact"]
HOWS: tuple[How, ...] = ("recognition", "factorial", "exact")


def machine(how: How = "recognition", scale: float = 1.0) -> SigmoidBelief:
    """A network of 6, 4 and 2 units with weights and biases that matter, in float64."""
    with seeded(1):
        made = SigmoidBelief(replace(SigmoidBelief.smoke.config, inference=how, initial_scale=scale), SHAPE).double()
        with torch.no_grad():
            for name, value in made.named_parameters():
                if "biases" in name:
                    value.copy_(torch.randn(len(value)))
    return made


def pictures(count: int = 7) -> Tensor:
    with seeded(2):
        return bernoulli(torch.full((count, *SHAPE), 0.4)).double()


def log_joints(made: SigmoidBelief) -> Tensor:
    """Log p of every visible with every hidden state, `(64, 64)`, from probabilities of single units."""
    w, u = made.generative.weights
    a, b, c = made.generative.biases
    rows: list[Tensor] = []
    for h, top in zip(HIDDEN[:, :4], HIDDEN[:, 4:], strict=True):
        v_on, h_on, t_on = torch.sigmoid(a + w @ h), torch.sigmoid(b + u @ top), torch.sigmoid(c)
        prior = (h * h_on + (1 - h) * (1 - h_on)).prod() * (top * t_on + (1 - top) * (1 - t_on)).prod()
        rows.append((VISIBLE * v_on + (1 - VISIBLE) * (1 - v_on)).prod(1) * prior)
    return torch.stack(rows, 1).log()


def gradients(made: SigmoidBelief, total: Tensor, player: str) -> dict[str, Tensor]:
    named = {name: value for name, value in made.named_parameters() if name.startswith(made.players[player].prefixes)}
    return dict(zip(named, torch.autograd.grad(total, list(named.values())), strict=True))


def test_wake_is_the_delta_rule_on_generative_weights() -> None:
    made, x = machine(), pictures()
    with seeded(3):
        found = gradients(made, made.loss(Batch.of(x), "generative", START).total, "generative")
    (w, u), (r, s) = ([value.detach() for value in net.weights] for net in (made.generative, made.inference))  # type: ignore[union-attr]
    (a, b, c), (d, e) = ([value.detach() for value in net.biases] for net in (made.generative, made.inference))  # type: ignore[union-attr]
    with seeded(3):
        v = x.flatten(1)
        h = (torch.rand(7, 4) < torch.sigmoid(v @ r.T + d)).double()
        top = (torch.rand(7, 2) < torch.sigmoid(h @ s.T + e)).double()
    wanted = [torch.zeros_like(value) for value in (w, u, a, b, c)]
    for n in range(7):
        errors = v[n] - torch.sigmoid(w @ h[n] + a), h[n] - torch.sigmoid(u @ top[n] + b), top[n] - torch.sigmoid(c)
        for total, rule in zip(
            wanted, (torch.outer(errors[0], h[n]), torch.outer(errors[1], top[n]), *errors), strict=True
        ):
            total -= rule / 7
    for name, value in zip(("weights.0", "weights.1", "biases.0", "biases.1", "biases.2"), wanted, strict=True):
        torch.testing.assert_close(found[f"generative.{name}"], value)


@pytest.mark.parametrize("fantasies", [1, 3])
def test_sleep_is_the_delta_rule_on_recognition_weights(fantasies: int) -> None:
    """Summed over an example's fantasies, mean over the examples."""
    made = machine()
    made.config = replace(made.config, fantasies=fantasies)
    with seeded(3):
        found = gradients(made, made.loss(Batch.of(pictures()), "recognition", START).total, "recognition")
    with seeded(3):
        v, h, top = made.generative.sample(7 * fantasies)
    r, s, d, e = (value.detach() for value in made.inference.parameters())  # type: ignore[union-attr]
    wanted = [torch.zeros_like(value) for value in (r, s, d, e)]
    for n in range(7 * fantasies):
        errors = h[n] - torch.sigmoid(r @ v[n] + d), top[n] - torch.sigmoid(s @ h[n] + e)
        for total, rule in zip(
            wanted, (torch.outer(errors[0], v[n]), torch.outer(errors[1], h[n]), *errors), strict=True
        ):
            total -= rule / 7
    for name, value in zip(("weights.0", "weights.1", "biases.0", "biases.1"), wanted, strict=True):
        torch.testing.assert_close(found[f"inference.{name}"], value)


def test_exact_inference_climbs_the_likelihood() -> None:
    made = machine("exact")
    likelihood = torch.logsumexp(log_joints(made), 1).mean()
    total = made.loss(Batch.of(VISIBLE.unflatten(1, SHAPE)), "generative", START).total
    torch.testing.assert_close(total, -likelihood)
    theirs = gradients(made, -likelihood, "generative")
    for name, ours in gradients(made, total, "generative").items():
        torch.testing.assert_close(ours, theirs[name])
    assert made.players == {"generative": Player(("generative.",))}


def test_factorial_inference_climbs_its_bound() -> None:
    made = machine("factorial")
    total = made.loss(Batch.of(VISIBLE.unflatten(1, SHAPE)), "generative", START).total
    mean = made.encode(VISIBLE.unflatten(1, SHAPE)).detach()
    q = torch.where(HIDDEN.bool(), mean[:, None], 1 - mean[:, None]).prod(2)
    bound = (q * (log_joints(made) - q.log())).sum(1).mean()
    torch.testing.assert_close(total, -bound)
    theirs = gradients(made, -bound, "generative")
    for name, ours in gradients(made, total, "generative").items():
        torch.testing.assert_close(ours, theirs[name])
    assert total > -torch.logsumexp(log_joints(made), 1).mean()


@pytest.mark.parametrize("how", HOWS)
def test_draws_weighted_by_their_densities_give_the_likelihood(how: How) -> None:
    """p(x) is the mean of p(x, h) / q(h), whatever q is; the mean of its logarithm is a bound."""
    made, count = machine(how), 2_000
    x = VISIBLE[[11]].unflatten(1, SHAPE).expand(count, *SHAPE)
    with seeded(4), torch.no_grad():
        latent, density = made.posterior_sample(x)
        weight = made.log_joint(x, latent) - density
    exact = made.log_likelihood(x[:1]).nats[0].detach()
    torch.testing.assert_close(exact, torch.logsumexp(log_joints(made)[11], 0).detach())
    ratio = (weight - exact).exp()
    assert abs(float(ratio.mean()) - 1) < 4 * float(ratio.std()) / count**0.5 + 1e-9
    assert weight.mean() <= exact + 1e-9


@pytest.mark.parametrize("how", HOWS)
def test_monitor_is_above_the_negative_likelihood(how: How) -> None:
    made, x = machine(how), pictures(500)
    with seeded(5):
        said = made.loss(Batch.of(x), "generative", START).parts["upper_bound_nats"]
    exact = -made.log_likelihood(x).nats.mean().detach()
    assert (said - exact).abs() < 1e-9 if how == "exact" else said > exact


def test_likelihoods_say_what_they_are() -> None:
    small, x = machine(), pictures()
    with seeded(5):
        large = SigmoidBelief(SigmoidBelief.Config(hidden=(13,)), SHAPE).double()
    assert small.log_likelihood(x).kind == "exact"
    assert small.log_likelihood(0.9 * x).kind == "lower bound"
    with seeded(6):
        bound = large.log_likelihood(x)
    assert bound.kind == "lower bound"
    assert bound.nats.mean() < large.generative.log_likelihood(x.flatten(1)).mean()


def test_samples_have_the_means_of_the_marginals() -> None:
    made, count = machine(), 20_000
    with seeded(7):
        drawn = made.sample(count).flatten(1)
    exact = log_joints(made).exp().sum(1) @ VISIBLE
    assert ((drawn.mean(0) - exact) / (drawn.std(0) / count**0.5)).abs().max() < 4
    assert len(drawn.unique(dim=0)) == 16  # means of the pixels, one for each state of the layer above


def test_features_are_the_layers_from_below() -> None:
    made, x = machine(), pictures()
    layers = made.activations(x)
    assert list(layers) == ["hidden.1", "hidden.2"]
    torch.testing.assert_close(made.encode(x), torch.cat(list(layers.values()), 1))
    torch.testing.assert_close(made.decode(made.encode(x)), made.reconstruct(x))
    w, a = made.generative.weights[0], made.generative.biases[0]
    torch.testing.assert_close(made.reconstruct(x).flatten(1), torch.sigmoid(layers["hidden.1"] @ w.T + a))
    torch.testing.assert_close(made.filters()[3, 0, 1, 2], w[5, 3].detach())
    with pytest.raises(ConfigError, match="'hidden'; there are: hidden.1, hidden.2"):
        made.activations(x, ["hidden"])


@pytest.mark.parametrize("how", ["factorial", "exact"])
def test_large_layers_are_refused_where_their_states_are_summed(how: How) -> None:
    with pytest.raises(SizeError, match="up to 12 units a layer; --inference recognition"):
        SigmoidBelief(SigmoidBelief.Config(hidden=(5, 13), inference=how), SHAPE)


def test_what_cannot_be_trained_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs a hidden layer"):
        SigmoidBelief(SigmoidBelief.Config(hidden=()), SHAPE)
    with pytest.raises(DataError, match="binary units need 0 to 1"):
        machine().prepare(Batch.of(3 * pictures()))


def test_prepared_biases_give_the_mean_of_the_data() -> None:
    made, x = machine(), pictures(2_000)
    made.prepare(Batch.of(x))
    torch.testing.assert_close(torch.sigmoid(made.generative.biases[0]), x.flatten(1).mean(0), rtol=0, atol=2e-3)
    dark = SigmoidBelief(SigmoidBelief.Config(hidden=(3, 2), visible_bias=-4, hidden_bias=-2), SHAPE)
    dark.prepare(Batch.of(x.float()))
    biases = [value for name, value in dark.named_parameters() if "biases" in name]
    assert [set(value.tolist()) for value in biases] == [{-4.0}, {-2.0}, {-2.0}, {-2.0}, {-2.0}]


@pytest.mark.parametrize(("how", "left"), [("recognition", 0.5), ("exact", 0.1)])
def test_training_finds_what_depends_on_what(how: How, left: float) -> None:
    """Of the divergence that is left by independent pixels, on pictures of which half is the other half's opposite."""
    halves = states(3)
    x = torch.cat([halves, 1 - halves], 1).repeat(4, 1).unflatten(1, SHAPE)
    with seeded(8):
        made = SigmoidBelief(SigmoidBelief.Config(hidden=(6,), inference=how, initial_scale=0.5), SHAPE).double()
        optimiser = torch.optim.Adam(made.parameters(), lr=0.03)
        made.prepare(Batch.of(x))
        for _ in range(600):
            for player in made.players:
                optimiser.zero_grad()
                made.loss(Batch.of(x), player, START).total.backward()
                optimiser.step()
    before, best = 6 * torch.tensor(2.0).log(), 3 * torch.tensor(2.0).log()
    after = -made.log_likelihood(x).nats.mean()
    assert after - best < left * (before - best)


@pytest.mark.parametrize("bias", [0.0, -2.0])
def test_both_networks_begin_alike(bias: float) -> None:
    """Weights of one scale, hidden biases of one value, in the generative and the recognition network."""
    with seeded(9):
        made = SigmoidBelief(SigmoidBelief.Config(hidden=(50, 40), initial_scale=0.3, hidden_bias=bias), (60,))
    for network in (made.generative, made.inference):
        for weight in network.weights:  # type: ignore[union-attr]
            assert weight.std().item() == pytest.approx(0.3, rel=0.1)
    hidden = [*list(made.generative.biases)[1:], *made.inference.biases]  # type: ignore[union-attr]
    assert {value for own in hidden for value in own.tolist()} == {bias}


def test_bound_is_a_mean_over_draws() -> None:
    """Of as many draws as would be taken one by one; its spread is smaller than that of one draw by their root."""
    with seeded(10):
        large = SigmoidBelief(SigmoidBelief.Config(hidden=(13,), initial_scale=1.0), SHAPE).double()
        x = pictures(1).expand(400, *SHAPE)
        one, many = large._bound(x.flatten(1)).detach(), large.log_likelihood(x).nats.detach()
    assert many.std().item() == pytest.approx(one.std().item() / 20**0.5, rel=0.2)
    assert abs(float(many.mean() - one.mean())) < 4 * float(one.std()) / 400**0.5


def test_monitor_is_the_mean_of_the_bound_of_what_was_drawn() -> None:
    made, x = machine(), pictures(50)
    with seeded(11):
        said = made.loss(Batch.of(x), "generative", START).parts["upper_bound_nats"]
    with seeded(11):
        bound = made._bound(x.flatten(1))
    torch.testing.assert_close(said, -bound.mean().detach())
    with seeded(12):
        surprise = made.loss(Batch.of(x), "recognition", START).parts["surprise_nats"]
    with seeded(12):
        fantasy = made.generative.sample(50)
    torch.testing.assert_close(surprise, -made.inference.log_density(fantasy).mean().detach())  # type: ignore[union-attr]


@pytest.mark.parametrize("sweeps", [1, 5])
def test_factorial_inference_sweeps_as_often_as_asked(sweeps: int) -> None:
    """From the prior means, one unit after the other: the mean that makes the bound largest, by trying both ends."""
    with seeded(13):
        config = replace(SigmoidBelief.smoke.config, inference="factorial", sweeps=sweeps, initial_scale=1.5)
        made = SigmoidBelief(config, SHAPE).double()
    x = pictures(1)
    joint = log_joints(made).detach()
    row = joint[int((x.flatten() * 2 ** torch.arange(5, -1, -1)).sum())]
    mean = torch.exp(joint).sum(0) @ HIDDEN  # of the prior
    for _ in range(sweeps):
        for unit in range(6):
            q = torch.where(HIDDEN.bool(), mean, 1 - mean)
            q[:, unit] = 1
            each = q.prod(1) * row
            on = HIDDEN[:, unit] == 1
            mean = mean.clone()
            mean[unit] = torch.sigmoid(each[on].sum() - each[~on].sum())
    torch.testing.assert_close(made.encode(x)[0].detach(), mean)
