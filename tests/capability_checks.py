"""What each capability must give: shapes, finite values, ranges. One function for one capability."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from untaught import model as contract
from untaught.randomness import seeded


def encodes(model: Any, x: Tensor) -> None:
    """Features are one vector per example, the same whatever the seed."""
    with seeded(1):
        first = model.encode(x)
    with seeded(2):
        second = model.encode(x)
    _sized(first, (len(x), first.shape[1]))
    assert torch.equal(first, second), "encode draws: it must give a mean"


def decodes(model: Any, x: Tensor) -> None:
    """Features become examples."""
    width = model.encode(x).shape[1]
    _sized(model.decode(torch.rand(3, width)), (3, *model.shape))


def reconstructs(model: Any, x: Tensor) -> None:
    """Each example comes back; of video, the frames from the second on."""
    video = model.smoke.frames is not None
    _sized(model.reconstruct(x), (len(x), x.shape[1] - 1, *model.shape) if video else tuple(x.shape))


def completes(model: Any, x: Tensor) -> None:
    """What is known stays; what is unknown comes back whatever stood there, in the range of examples."""
    known = torch.arange(x[0].numel()).reshape(x.shape[1:]) % 2 == 0
    completed = model.complete(x, known)
    _sized(completed, tuple(x.shape))
    _between(completed, 0, 1)
    assert torch.equal(completed[:, known], x[:, known])
    with seeded(1):
        first = model.complete(x, known)
    with seeded(1):
        assert torch.equal(first, model.complete(x * known, known)), "complete looks at what is unknown"


def samples(model: Any, x: Tensor) -> None:
    """Draws have the shape and the range of examples."""
    drawn = model.sample(3)
    _sized(drawn, (3, *x.shape[1:]))
    _between(drawn, 0, 1)


def generates(model: Any, x: Tensor) -> None:
    """A code makes the same example whatever stands beside it, and samples are the examples of drawn codes."""
    with seeded(2):
        codes = model.prior_codes(5)
        made = model.generate(codes)
    _sized(codes, (5, codes.shape[1]))
    _sized(made, (5, *x.shape[1:]))
    _between(made, 0, 1)
    torch.testing.assert_close(model.generate(codes[1:3]), made[1:3], atol=1e-5, rtol=1e-5)
    with seeded(2):
        torch.testing.assert_close(model.sample(5), made, atol=1e-5, rtol=1e-5)


def predicts(model: Any, x: Tensor) -> None:
    """As many frames as asked for follow a context of any length."""
    for context, frames in ((x, 3), (x[:, :2], 1)):
        predicted = model.predict(context, frames)
        _sized(predicted, (len(x), frames, *model.shape))
    short, long = model.predict(x, 1), model.predict(x, 2)
    assert torch.allclose(short, long[:, :1], atol=1e-6), "the first frame changes with the number of frames"


def predicts_motion(model: Any, x: Tensor) -> None:
    """A displacement for each pixel of the next frame, of every clip; or none, of all clips alike."""
    flow = model.motion(x)
    if flow is not None:
        _sized(flow, (len(x), 2, *model.shape[1:]))
    assert (flow is None) == (model.motion(x[:1]) is None)


def classifies(model: Any, x: Tensor) -> None:
    """Probabilities sum to one."""
    probability = model.class_probabilities(x)
    _sized(probability, (len(x), probability.shape[1]))
    _between(probability, 0, 1)
    assert torch.allclose(probability.sum(1), torch.ones(len(x)))


def scores(model: Any, x: Tensor) -> None:
    """A log-likelihood for each example; that of binary examples is below zero."""
    likelihood = model.log_likelihood(x)
    _sized(likelihood.nats, (len(x),))
    if model.smoke.binary:
        assert (likelihood.nats <= 0).all()


def energy(model: Any, x: Tensor) -> None:
    """Free energies, a chain at every temperature, a base rate for each visible unit."""
    visible = x.flatten(1)
    _sized(model.free_energy(visible), (len(x),))
    for temper in (0.0, 0.5, 1.0):
        _sized(model.gibbs_step(visible, temper), tuple(visible.shape))
    steps: list[Tensor] = []
    for own in ((), (1.0,)):
        with seeded(1):
            steps.append(model.gibbs_step(visible, *own))
    assert torch.equal(*steps), "a step is the machine's own where no temper is said"
    base = model.base_rate()
    assert base.numel() == visible.shape[1] and base.isfinite().all()


def lower_bound(model: Any, x: Tensor) -> None:
    """A bound for each example, and the energy whose partition function it lacks, with units that can be drawn."""
    _sized(model.unnormalised_bound(x), (len(x),))
    states = model.states_of(x)
    _sized(states, (len(x), model.machine().base_rate().numel()))
    _sized(model.machine().gibbs_step(states), tuple(states.shape))
    machine = model.machine()
    units = machine.base_rate().numel()
    energy(machine, machine.gibbs_step(torch.zeros(len(x), units), 0.0))


def latent_variable(model: Any, x: Tensor) -> None:
    """Both densities are one number per example."""
    latent, density = model.posterior_sample(x)
    _sized(latent, (len(x), latent.shape[1]))
    _sized(density, (len(x),))
    _sized(model.log_joint(x, latent), (len(x),))


def activations(model: Any, x: Tensor) -> None:
    """Layers have names, numbered from 1, and begin with the batch; asking for one gives that one.

    Logits are those of the classes, the code is what `encode` gives.
    """
    every = model.activations(x)
    assert every
    numbered = [name.rsplit(".", 1) for name in every if "." in name]
    for kind in {kind for kind, _ in numbered}:
        numbers = {number for other, number in numbered if other == kind}
        assert numbers == {str(number) for number in range(1, len(numbers) + 1)}, kind
    for name, value in every.items():
        assert len(value) == len(x) and value.isfinite().all(), name
    first = next(iter(every))
    one = model.activations(x, [first])
    assert list(one) == [first] and torch.equal(one[first], every[first])
    if isinstance(model, contract.Classifies) and "logits" in every:
        torch.testing.assert_close(every["logits"].softmax(1), model.class_probabilities(x))
    if isinstance(model, contract.Encodes) and "code" in every:
        torch.testing.assert_close(every["code"].flatten(1), model.encode(x))


def layered(model: Any, x: Tensor) -> None:
    """The layers one after another give the classes."""
    given = model.layers()(x)
    if isinstance(model, contract.Classifies):
        torch.testing.assert_close(given.softmax(1), model.class_probabilities(x))


def poses(model: Any, x: Tensor) -> None:
    """Every question has an answer; without any, nothing is asked."""
    for answer in range(len(model.answers)):
        given = model.answer_probabilities(model.asked(x, answer))
        _sized(given, (len(x), len(model.answers)))
        torch.testing.assert_close(given.sum(1), torch.ones(len(x)))


def translates(model: Any, x: Tensor) -> None:
    """There and back gives pictures."""
    _sized(model.translate(model.translate(x), forward=False), tuple(x.shape))


def filters(model: Any, x: Tensor) -> None:
    """Weights are pictures with the data's channels."""
    pictures = model.filters()
    assert pictures.ndim == 4 and pictures.isfinite().all()


def takes_encoder(model: Any, x: Tensor) -> None:
    """Built on any network from examples to features, it looks through that network."""
    width = model.encode(x).shape[1]
    with seeded(0):
        given = nn.Sequential(nn.Flatten(), nn.Linear(x[0].numel(), width))
        built = type(model).on(model.config, model.example, given).eval()
    assert any(module is given for module in built.modules())
    assert not model.given and list(built.given) == ["encoder"] and built.given["encoder"] is given
    expected = given(x) if model.differentiable else (given(x) > 0).to(x.dtype)
    torch.testing.assert_close(built.encode(x), expected)


CHECKS: dict[type, Callable[[Any, Tensor], None]] = {
    contract.Encodes: encodes,
    contract.Decodes: decodes,
    contract.Reconstructs: reconstructs,
    contract.Completes: completes,
    contract.Samples: samples,
    contract.Generates: generates,
    contract.Predicts: predicts,
    contract.PredictsMotion: predicts_motion,
    contract.Classifies: classifies,
    contract.Poses: poses,
    contract.Scores: scores,
    contract.Energy: energy,
    contract.LowerBound: lower_bound,
    contract.LatentVariable: latent_variable,
    contract.Activations: activations,
    contract.Layered: layered,
    contract.Translates: translates,
    contract.Filters: filters,
    contract.TakesEncoder: takes_encoder,
}


def per_example(model: Any, x: Tensor) -> dict[str, Tensor]:
    """All that a model says about each example without drawing, by the name of the method."""
    asked = {
        "encode": (contract.Encodes, lambda: model.encode(x)),
        "reconstruct": (contract.Reconstructs, lambda: model.reconstruct(x)),
        "class_probabilities": (contract.Classifies, lambda: model.class_probabilities(x)),
        "log_likelihood": (contract.Scores, lambda: model.log_likelihood(x).nats),
        "free_energy": (contract.Energy, lambda: model.free_energy(x.flatten(1))),
        "predict": (contract.Predicts, lambda: model.predict(x, 2)),
    }
    with seeded(0):
        return {name: ask() for name, (capability, ask) in asked.items() if isinstance(model, capability)}


def _sized(value: Tensor, shape: tuple[int, ...]) -> None:
    assert tuple(value.shape) == shape
    assert value.isfinite().all()


def _between(value: Tensor, low: float, high: float) -> None:
    assert low <= float(value.min()) and float(value.max()) <= high
