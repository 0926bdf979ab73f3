"""The recurrent temporal restricted Boltzmann machine against sums over states, loops over time and differences."""

from dataclasses import replace

import oracles
import pytest
import torch
from torch import Tensor

from untaught.data.part import Part
from untaught.data.source import Source
from untaught.errors import ConfigError, DataError, SizeError
from untaught.model import Batch
from untaught.models.rtrbm import RTRBM
from untaught.randomness import seeded
from untaught.runs.settings import Training
from untaught.training.fit import train
from untaught.training.plan import Asked, plan

SHAPE = (1, 2, 2)
VISIBLE = oracles.states(4)
HIDDEN = oracles.states(3)
START = torch.zeros(())


def machine(visible: str = "bernoulli", fantasies: str = "gibbs", steps: int = 2) -> RTRBM:
    """Four visible and three hidden units, with weights, biases and a first state that matter, in float64."""
    with seeded(1):
        config = replace(
            RTRBM.smoke.config, hidden=3, visible=visible, fantasies=fantasies, gibbs_steps=steps, initial_scale=0.8
        )
        model = RTRBM(config, SHAPE).double()
        with torch.no_grad():
            for vector in (model.visible_bias, model.hidden_bias, model.first_state):
                vector.copy_(torch.randn(len(vector)))
    return model


def clips(count: int = 2, time: int = 3) -> Tensor:
    with seeded(2):
        return torch.rand(count, time, *SHAPE).double()


def biases(model: RTRBM, rows: int) -> tuple[Tensor, Tensor]:
    """Biases of one frame's machine after a state as it may stand before a frame, the same in all rows."""
    state = model.states(clips(1).flatten(2))[2].detach()
    b, c = model.biases(state.expand(rows, -1))
    return b.detach(), c.detach()


def test_machine_of_a_frame_has_the_conditionals_of_its_energy() -> None:
    model = machine()
    b, c = biases(model, 16)
    joint = oracles.rbm_joint(model.weight, b[0], c[0]).detach()
    assert not torch.allclose(b[0], model.visible_bias) and not torch.allclose(c[0], model.hidden_bias)
    torch.testing.assert_close(model.hidden_given(VISIBLE, c), (joint @ HIDDEN) / joint.sum(1, keepdim=True))
    torch.testing.assert_close(model.visible_given(HIDDEN, b[:8]), (joint.T @ VISIBLE) / joint.sum(0)[:, None])


def test_gaussian_machine_has_the_conditionals_of_its_energy() -> None:
    """The energy's slope along each visible unit is zero at the mean, and its curvature one."""
    model = machine("gaussian")
    b, _ = biases(model, 1)
    for hidden in HIDDEN:
        mean = model.visible_given(hidden[None], b)[0].detach().requires_grad_()
        energy = (mean - b[0]).square().sum() / 2 - mean @ model.weight @ hidden
        (slope,) = torch.autograd.grad(energy, mean)
        torch.testing.assert_close(slope, torch.zeros(4).double())
    with seeded(3):
        drawn = model.units.draw(torch.zeros(100_000, 1).double())
    assert abs(float(drawn.var()) - 1) < 0.02


def states_by_loops(p: dict[str, Tensor], clip: Tensor) -> list[Tensor]:
    """r_0, ..., r_T of one clip, unit by unit from the paper's equation."""
    found = [p["first_state"]]
    for frame in clip.flatten(1):
        before, unit = found[-1], list[Tensor]()
        for j in range(3):
            total = p["hidden_bias"][j]
            for i in range(4):
                total = total + frame[i] * p["weight"][i, j]
            for k in range(3):
                total = total + before[k] * p["hidden_memory"][k, j]
            unit.append(1 / (1 + torch.exp(-total)))
        found.append(torch.stack(unit))
    return found


def test_states_follow_the_recurrence() -> None:
    model, x = machine(), clips()
    expected = [torch.stack(states_by_loops(dict(model.named_parameters()), clip)) for clip in x]
    torch.testing.assert_close(torch.stack(model.states(x.flatten(2)), 1), torch.stack(expected))
    torch.testing.assert_close(model.encode(x), torch.stack(expected)[:, -1])
    torch.testing.assert_close(model.activations(x)["hidden"], torch.stack(expected)[:, 1:])


def free_energy_difference(p: dict[str, Tensor], x: Tensor, fantasy: Tensor, gaussian: bool) -> Tensor:
    """Mean over frames of F_t(v+) - F_t(v-), with the hidden units summed out state by state."""
    total = torch.zeros((), dtype=torch.float64)
    for clip, imagined in zip(x, fantasy, strict=True):
        states = states_by_loops(p, clip)
        for t, frames in enumerate(zip(clip.flatten(1), imagined, strict=True)):
            b = p["visible_bias"] + states[t] @ p["visible_memory"]
            c = p["hidden_bias"] + states[t] @ p["hidden_memory"]
            for sign, v in zip((1, -1), frames, strict=True):
                energy = oracles.rbm_energy(v[None], HIDDEN, p["weight"], b, c)[0]
                total = total - sign * torch.logsumexp(-energy, 0)
                total = total + sign * (v.square().sum() / 2 if gaussian else 0)
    return total / (x.shape[0] * x.shape[1])


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("fantasies", ["gibbs", "predictions"])
def test_gradient_goes_back_in_time(visible: str, fantasies: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against autograd through the slow sums, and that against central differences, the same fantasies held fixed."""
    model, x = machine(visible, fantasies), clips()
    made: list[Tensor] = []
    original = model._fantasies  # pyright: ignore[reportPrivateUsage]

    def remembered(*given: Tensor) -> Tensor:
        made.append(original(*given))
        return made[-1]

    monkeypatch.setattr(model, "_fantasies", remembered)
    with seeded(4):
        model.loss(Batch.of(x), "model", START).total.backward()
    fantasy = made[0].unflatten(0, (2, 3))
    here = {name: value.detach().clone().requires_grad_() for name, value in model.named_parameters()}
    total = free_energy_difference(here, x, fantasy, visible == "gaussian")
    for (name, value), expected in zip(
        model.named_parameters(), torch.autograd.grad(total, list(here.values())), strict=True
    ):
        torch.testing.assert_close(value.grad, expected, msg=name)
        along = torch.ones_like(value) * 1e-5
        with torch.no_grad():
            ahead, behind = (
                free_energy_difference({**here, name: here[name] + step}, x, fantasy, visible == "gaussian")
                for step in (along, -along)
            )
        torch.testing.assert_close(expected.sum(), (ahead - behind) / 2e-5, rtol=1e-5, atol=1e-8, msg=name)


def test_value_is_the_difference_of_energies() -> None:
    model, x = machine(fantasies="predictions", steps=1), clips()
    total = model.loss(Batch.of(x), "model", START).total
    expected = torch.zeros((), dtype=torch.float64)
    for clip in x:
        before = clip[0].flatten()
        for state, frame in zip(model.states(clip[None].flatten(2)), clip.flatten(1), strict=False):
            (b,), (c,) = model.biases(state)
            fantasy = torch.sigmoid(model.weight @ torch.sigmoid(before @ model.weight + c) + b)
            for sign, v in ((1, frame), (-1, fantasy)):
                hidden = torch.sigmoid(v @ model.weight + c)
                expected += sign * oracles.rbm_energy(v[None], hidden[None], model.weight, b, c)[0, 0] / 6
            before = frame
    torch.testing.assert_close(total, expected)


@pytest.mark.parametrize("steps", [1, 3])
def test_chains_leave_each_frames_exact_distribution_unchanged(steps: int) -> None:
    """Started from the exact distribution of a frame's machine, a fantasy's mean is the exact mean of that machine."""
    model, draws = machine(), 40_000
    b, c = biases(model, draws)
    joint = oracles.rbm_joint(model.weight, b[0], c[0]).detach()
    with seeded(5):
        start = VISIBLE[torch.multinomial(joint.sum(1), draws, replacement=True)]
        active = model.hidden_given(start, c)
        fantasy = model._chain(active, b, c, steps)  # pyright: ignore[reportPrivateUsage]
    far = (fantasy.mean(0) - joint.sum(1) @ VISIBLE) / (fantasy.std(0) / draws**0.5)
    assert far.abs().max() < 4


def test_predictions_settle_where_the_free_energy_cannot_fall() -> None:
    """Fixed points of the mean-field steps are stationary points of a Gaussian machine's free energy."""
    model, x = machine("gaussian"), clips()
    with torch.no_grad():
        model.weight.mul_(0.3)
    model.config = replace(model.config, prediction_steps=300)
    predicted = model.predict(x, 1)[:, 0].flatten(1).detach().requires_grad_()
    b, c = model.biases(model.states(x.flatten(2))[-1])
    free = (predicted - b).square().sum() / 2 - torch.nn.functional.softplus(predicted @ model.weight + c).sum()
    torch.testing.assert_close(torch.autograd.grad(free, predicted)[0], torch.zeros(2, 4).double(), atol=1e-8, rtol=0)


def test_one_step_predictions_agree_with_those_of_every_frame() -> None:
    model, x = machine(), clips(2, 5)
    every = model.reconstruct(x)
    for time in range(1, 5):
        torch.testing.assert_close(every[:, time - 1], model.predict(x[:, :time], 1)[:, 0])


def test_later_predictions_come_from_earlier_ones() -> None:
    model, x = machine(), clips()
    first = model.predict(x, 1)
    again = model.predict(torch.cat([x, first], 1), 1)
    torch.testing.assert_close(model.predict(x, 2), torch.cat([first, again], 1))


def test_held_out_error_is_that_of_predictions() -> None:
    model, x = machine(), clips()
    with seeded(6):
        parts = model.held_out(Batch.of(x), "model").parts
    expected = (model.reconstruct(x) - x[:, 1:]).square().sum() / (2 * 2)
    torch.testing.assert_close(parts["squared_error_per_frame"], expected.detach())


def test_samples_remember() -> None:
    """Given the frame before, of which there are eight, a frame has the exact mean of the machine that remembers it."""
    model, draws = machine(), 40_000
    model.config = replace(model.config, sample_frames=2, sample_steps=40)
    p = {name: value.detach() for name, value in model.named_parameters()}
    with seeded(8):
        first, second = model.sample(draws).flatten(2).unbind(1)

    def exact_mean(state: Tensor) -> Tensor:
        b, c = p["visible_bias"] + state @ p["visible_memory"], p["hidden_bias"] + state @ p["hidden_memory"]
        return oracles.rbm_joint(p["weight"], b, c).sum(1) @ VISIBLE

    assert off(first, exact_mean(p["first_state"])) < 4
    before = p["hidden_bias"] + p["first_state"] @ p["hidden_memory"]
    kinds, kind = torch.unique(first, dim=0, return_inverse=True)
    assert len(kinds) == 8
    means = [exact_mean(torch.sigmoid(frame @ p["weight"] + before)) for frame in kinds]
    for number, mean in enumerate(means):
        assert off(second[kind == number], mean) < 4.5
    assert (torch.stack(means) - exact_mean(p["first_state"])).abs().max() > 0.1  # memory matters


def off(drawn: Tensor, exact: Tensor) -> float:
    """Distance of a mean over rows from the exact one, in standard errors, where it is largest."""
    return float(((drawn.mean(0) - exact) / (drawn.std(0) / len(drawn) ** 0.5)).abs().max())


@pytest.mark.parametrize("steps", [1, 3])
def test_predictions_take_their_own_number_of_steps(steps: int) -> None:
    """Mean-field steps by hand, from the last frame and then from the prediction; whatever fantasies take."""
    model, x = machine(fantasies="predictions", steps=2), clips()
    model.config = replace(model.config, prediction_steps=steps)
    found = model.predict(x, 2).flatten(2)
    state, last = model.states(x.flatten(2))[-1], x[:, -1].flatten(1)
    for number in range(2):
        b, c = model.biases(state)
        for _ in range(steps):
            last = torch.sigmoid(torch.sigmoid(last @ model.weight + c) @ model.weight.T + b)
        torch.testing.assert_close(found[:, number], last)
        state = torch.sigmoid(last @ model.weight + c)
    torch.testing.assert_close(model.reconstruct(torch.cat([x, x[:, :1]], 1))[:, -1].flatten(1), found[:, 0])


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("fantasies", ["predictions", "gibbs"])
def test_fantasies_take_their_own_number_of_steps(fantasies: str, steps: int) -> None:
    """Means from the frame before, the first frame's from itself; or draws from the frame, the last step a mean."""
    model, x = machine(fantasies=fantasies, steps=steps), clips()
    model.config = replace(model.config, prediction_steps=2)
    states = torch.stack(model.states(x.flatten(2)), 1).detach()
    b, c = model.biases(states[:, :-1].flatten(0, 1))
    flat = x.flatten(2)
    with seeded(9):
        found = model._fantasies(flat, states[:, 1:].flatten(0, 1), b, c)  # pyright: ignore[reportPrivateUsage]
    with seeded(9):
        if fantasies == "predictions":
            v = torch.stack([flat[:, 0], flat[:, 0], flat[:, 1]], 1).flatten(0, 1)
            for _ in range(steps):
                v = torch.sigmoid(torch.sigmoid(v @ model.weight + c) @ model.weight.T + b)
        else:
            v = flat.flatten(0, 1)
            for number in range(steps):
                h = (torch.rand(6, 3) < torch.sigmoid(v @ model.weight + c)).double()
                v = torch.sigmoid(h @ model.weight.T + b)
                if number < steps - 1:
                    v = model.units.draw(h @ model.weight.T + b)
    torch.testing.assert_close(found, v)


@pytest.mark.parametrize("steps", [1, 2])
def test_first_frame_of_a_sample_is_so_many_steps_from_independent_units(steps: int) -> None:
    """Few steps have not reached the machine's distribution; how far they have gone is known from its kernel."""
    model, draws = machine(), 40_000
    model.config = replace(model.config, sample_frames=1, sample_steps=steps)
    with seeded(10):
        found = model.sample(draws).flatten(1)
    b, c = (value.detach()[0] for value in model.biases(model.first_state[None]))
    on = torch.sigmoid(b)
    joint = oracles.rbm_joint(model.weight, b, c).detach()
    begin = (on * VISIBLE + (1 - on) * (1 - VISIBLE)).prod(1)
    exact = begin @ torch.linalg.matrix_power(oracles.gibbs_kernel(joint), steps) @ VISIBLE
    assert off(found, exact) < 4.5


def test_weights_begin_at_their_scale() -> None:
    with seeded(11):
        model = RTRBM(RTRBM.Config(hidden=60, initial_scale=0.3), (1, 7, 7))
    for weight in (model.weight, model.visible_memory, model.hidden_memory):
        assert weight.std().item() == pytest.approx(0.3, rel=0.07)
    assert (model.first_state == 0.5).all()  # before anything is seen, a unit is on or off alike


def test_clips_that_are_drawn_have_their_length() -> None:
    model = machine()
    model.config = replace(model.config, sample_frames=3, sample_steps=1)
    assert model.sample(2).shape == (2, 3, *SHAPE)
    assert RTRBM.Config().prediction_steps == RTRBM.Config().gibbs_steps  # best equal where fantasies are predictions


def test_learns_what_a_single_frame_does_not_tell() -> None:
    """A dot runs left or right on a ring: the next place is known from two frames, and from one not at all."""
    with seeded(7):
        start, way = torch.randint(0, 6, (64, 1)), torch.randint(0, 2, (64, 1)) * 2 - 1
        place = (start + way * torch.arange(8)) % 6
        x = torch.nn.functional.one_hot(place, 6).float()[:, :, None, None]
        model = RTRBM(RTRBM.Config(hidden=20, initial_scale=0.1), (1, 1, 6))
        model.prepare(Batch.of(x))
        optimiser = torch.optim.Adam(model.parameters(), 0.03)
        for _ in range(250):
            optimiser.zero_grad()
            model.loss(Batch.of(x), "model", START).total.backward()
            optimiser.step()
    error = (model.reconstruct(x) - x[:, 1:]).square().sum((2, 3, 4))[:, 1:].mean()
    assert error < 0.1  # 0.5 for who knows no way, 2 for a copy


def test_prepared_biases_give_the_mean_frame() -> None:
    model, x = RTRBM(RTRBM.smoke.config, (1, 2, 3)), torch.rand(200, 4, 1, 2, 3) ** 2
    model.prepare(Batch.of(x))
    torch.testing.assert_close(torch.sigmoid(model.visible_bias), x.mean((0, 1)).flatten(), rtol=0, atol=2e-3)


def test_bad_input_is_named() -> None:
    model, x = RTRBM(RTRBM.smoke.config, (1, 2, 3)), torch.rand(3, 4, 1, 2, 3)
    with pytest.raises(DataError, match="visible=gaussian"):
        model.prepare(Batch.of(x * 3))
    with pytest.raises(DataError, match="--frames 20"):
        model.prepare(Batch.of(x[:, :1]))
    with pytest.raises(DataError, match="--frames 20"):
        model.reconstruct(x[:, :1])
    with pytest.raises(DataError, match="time, 1, 2, 3"):
        model.reconstruct(x[:, 0])
    with pytest.raises(ConfigError, match="'cell'; there are: hidden"):
        model.activations(x, ["cell"])
    with pytest.raises(ConfigError, match="frames = 0"):
        model.predict(x, 0)
    with pytest.raises(SizeError, match="not at examples of shape"):
        RTRBM(RTRBM.smoke.config, (6,))


def test_held_out_follows_the_states_once() -> None:
    model, x, calls = machine(), clips(), list[Tensor]()
    states = model.states
    model.states = lambda seen: (calls.append(seen), states(seen))[1]  # type: ignore[method-assign]
    with seeded(6):
        held = model.held_out(Batch.of(x), "model")
    assert len(calls) == 1
    with seeded(6):
        torch.testing.assert_close(held.total, model.loss(Batch.of(x), "model", START).total)


@pytest.mark.parametrize(("side", "patch"), [(30, None), (96, 30)])
def test_large_frames_are_learnt_from_in_patches(side: int, patch: int | None) -> None:
    """A memory of whole frames would have hundreds of values for each pixel."""
    film = Part.of(torch.rand(12, 6, 1, side, side))
    found = plan(Asked("rtrbm", {"hidden": 3}, Training(epochs=1, threads=1, view={"frames": 4})), Source("film", film))
    assert found.settings.view.patch == patch and found.settings.shape[-1] == (patch or side)
    assert train(found).progress == 1
    shown = found.model.predict(torch.rand(2, 4, *found.settings.shape), 1)
    assert shown.shape == (2, 1, *found.settings.shape)


def test_error_of_fantasies_is_summed_over_the_values_of_a_frame() -> None:
    model, x = machine(), clips()
    with seeded(3):
        told = model.loss(Batch.of(x), "model", START).parts["fantasy_squared_error_per_frame"]
    with seeded(3):
        states, seen = torch.stack(model.states(x.flatten(2)), 1), x.flatten(2)
        fantasy = model._fantasies(seen, states[:, 1:].flatten(0, 1), *model.biases(states[:, :-1].flatten(0, 1)))
    torch.testing.assert_close(told, (fantasy - seen.flatten(0, 1)).square().sum() / 6)
