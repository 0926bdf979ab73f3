"""M1 and M2: the bounds against sums and quadrature, and few labels that are worth many."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from untaught.errors import ConfigError, DataError
from untaught.layerwise.class_latents import ClassLatents
from untaught.model import Batch, Example
from untaught.models.semi_supervised_vae import SemiSupervisedVAE
from untaught.nn.latent.densities import standard_log_density
from untaught.nn.latent.stochastic import Networks
from untaught.randomness import seeded

ONE = torch.ones(())
X = torch.randn(3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def upper(alpha: float = 2.0) -> ClassLatents:
    networks = Networks(latent=1, hidden=(6,), activation="tanh")
    with seeded(0):
        model = ClassLatents(ClassLatents.Config(networks=networks, classes=3, alpha=alpha), (4,)).double()
        for weight in model.decoder.parameters():
            weight.data.mul_(2.0)
    return model.eval()


@torch.no_grad()
def evidence(model: ClassLatents) -> Tensor:
    """Log p(x, y) of each example and class by quadrature over the latent."""
    z = torch.linspace(-9, 9, 2000, dtype=torch.float64)[:, None]
    cell, found = math.log(18 / 1999), torch.zeros(len(X), 3, dtype=torch.float64)
    for y in range(3):
        numbers = model.decoder(z, torch.full((len(z),), y))[None].expand(len(X), -1, -1)
        joint = model.outputs.log_density(numbers, X) + standard_log_density(z) - math.log(3)
        found[:, y] = torch.logsumexp(joint + cell, 1)
    return found


@torch.no_grad()
def test_bounds_are_below_the_evidence() -> None:
    model, exact = upper(), evidence(upper())
    with seeded(0):
        draws = torch.stack([model.bounds(X) for _ in range(300)])
        unlabelled = torch.stack([model.unlabelled_bound(X, model.bounds(X)) for _ in range(300)])
    error = draws.std(0) / math.sqrt(300)
    assert (draws.mean(0) < exact + 3 * error).all()
    q = model.class_probabilities(X)
    expected = (q * draws.mean(0)).sum(1) - (q * q.log()).sum(1)
    spread = unlabelled.std(0) / math.sqrt(300) + (q * error).sum(1)
    assert ((unlabelled.mean(0) - expected).abs() < 4.5 * spread).all()
    assert (unlabelled.mean(0) < exact.logsumexp(1) + 3 * spread).all()


@torch.no_grad()
def test_bounds_of_all_classes_are_those_of_each() -> None:
    model = upper()
    model.encoder.forward = (
        lambda x, label=None: (  # type: ignore[method-assign]
            0.1 * x[:, :1] + (label[:, None] if label is not None else 0),
            torch.full((len(x), 1), -60.0, dtype=torch.float64),
        )
    )  # a posterior without width: nothing is drawn
    each = torch.stack([model.bound(X, torch.full((3,), y)) for y in range(3)], 1)
    torch.testing.assert_close(model.bounds(X), each)


def test_loss_takes_the_bound_of_the_class_where_it_is_known() -> None:
    model, label = upper(2.0), torch.tensor([1, -1, 2])
    with seeded(3):
        loss = model.loss(Batch(X, label), "model", ONE)
    with seeded(3):
        bounds = model.bounds(X)
    q = model.class_probabilities(X)
    unknown = (q[1] * (bounds[1] - q[1].log())).sum()
    bound = (bounds[0, 1] + unknown + bounds[2, 2]) / 3
    classification = -(q[0, 1].log() + q[2, 2].log()) / 2
    torch.testing.assert_close(loss.total, -bound + 2 * classification)
    torch.testing.assert_close(loss.parts["upper_bound_nats"], -bound.detach())


def test_examples_beside_a_batch_are_named_and_no_more() -> None:
    """The bound is over the batch alone; the cross-entropy over the labelled examples of the step alone."""
    model, label = upper(2.0), torch.tensor([1, -1, 2])
    beside = Batch(X, torch.full((3,), -1), beside={"labelled": Batch(X + 1, label)})
    with seeded(3):
        loss = model.loss(beside, "model", ONE)
    with seeded(3):
        bound = model.unlabelled_bound(X, model.bounds(X)).mean()
    q = model.class_probabilities(X + 1)
    torch.testing.assert_close(loss.total, -bound - (q[0, 1].log() + q[2, 2].log()))


def test_features_warm_up_unless_they_begin_at_components() -> None:
    shape = (1, 5, 6)
    for start, output, rise in (("random", "bernoulli", 0.3), ("pca", "gaussian", 0.0)):
        fields = SemiSupervisedVAE.Config(latent=3, hidden=(8,), classes=4, start=start, output=output)  # type: ignore[arg-type]
        features = SemiSupervisedVAE(fields, shape).features
        assert features is not None and features.config.kl_warm_up == rise


def test_unlabelled_examples_move_the_classifier() -> None:
    """With no label at all its gradient comes from the bound alone."""
    model = upper()
    model.loss(Batch.of(X), "model", ONE).total.backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in model.classifier.parameters())


@pytest.mark.slow
def test_unlabelled_clusters_spread_few_labels() -> None:
    """Two crescents of points, one label each: M2 names nearly all, where the labelled points alone do not."""
    with seeded(0):
        angle, side = math.pi * torch.rand(400), torch.arange(400) % 2
        x = torch.stack([angle.cos(), angle.sin()], 1) * (1 - 2 * side[:, None]) + torch.tensor([0.5, -0.25]) * (
            2 * side[:, None] - 1
        )
        x = x + 0.06 * torch.randn(400, 2)
    label = torch.full((400,), -1)
    first = [int((side == y).nonzero()[number, 0]) for y in (0, 1) for number in range(4)]
    label[first] = side[first]
    networks = Networks(latent=1, hidden=(40,))
    with seeded(0):
        model = ClassLatents(ClassLatents.Config(networks=networks, classes=2), (2,))
        model.prepare(Batch(x, label))
        optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
        known = Batch(x[first], label[first])
        for _ in range(600):
            optimiser.zero_grad()
            model.loss(Batch(x, label, beside={"labelled": known}), "model", ONE).total.backward()
            optimiser.step()
    right = (model.class_probabilities(x).argmax(1) == side).float().mean()
    assert right > 0.9


@pytest.mark.parametrize("model", ["m1-m2", "m2"])
def test_capabilities_of_both(model: str) -> None:
    fields = SemiSupervisedVAE.Config(latent=3, hidden=(8,), class_hidden=(6,), classes=4, model=model)  # type: ignore[arg-type]
    with seeded(0):
        net = SemiSupervisedVAE(fields, (1, 5, 6)).eval()
    x = torch.rand(7, 1, 5, 6).round()
    assert net.encode(x).shape == (7, 3) and net.reconstruct(x).shape == x.shape
    torch.testing.assert_close(net.class_probabilities(x).sum(1), torch.ones(7))
    assert net.sample(2, 3).shape == (2, 1, 5, 6)
    assert [stage.name for stage in net.stages()] == (["features", "classes"] if model == "m1-m2" else ["classes"])


@torch.no_grad()
@pytest.mark.parametrize("model", ["m1-m2", "m2"])
def test_a_code_is_a_latent_a_class_and_the_noise_between(model: str) -> None:
    fields = SemiSupervisedVAE.Config(latent=3, hidden=(8,), class_hidden=(6,), classes=4, model=model)  # type: ignore[arg-type]
    with seeded(0):
        net, z, noise = SemiSupervisedVAE(fields, (1, 5, 6)).eval(), torch.randn(5, 3), torch.randn(5, 3)
        drawn = [net.prior_codes(4000, label) for label in (None, 2)]
    label = torch.tensor([0, 1, 2, 3, 3])
    numbers = net.classes.decoder(z, label)
    if net.features is None:
        codes, expected = torch.cat([z, torch.eye(4)[label]], 1), net.classes.outputs.mean(numbers)
    else:
        codes = torch.cat([z, torch.eye(4)[label], noise], 1)
        deviation = net.classes.outputs.log_variance(numbers).exp().sqrt()
        expected = net.features.decode(net.classes.outputs.mean(numbers) + deviation * noise).flatten(1)
    torch.testing.assert_close(net.generate(codes).flatten(1), expected)
    evenly, second = (codes.mean(0) for codes in drawn)
    torch.testing.assert_close(evenly[3:7], torch.full((4,), 0.25), atol=0.03, rtol=0)
    assert second[3:7].tolist() == [0, 0, 1, 0] and all(codes.shape == (4000, codes.shape[1]) for codes in drawn)
    normals = torch.cat([drawn[0][:, :3], drawn[0][:, 7:]], 1)
    assert normals.mean(0).abs().max() < 0.08 and (normals.std(0) - 1).abs().max() < 0.05
    assert normals.shape[1] == (6 if model == "m1-m2" else 3)


def test_gradients_are_clipped_where_values_have_no_bounds() -> None:
    """Documents are standardised and Gaussian; grey pictures stay between 0 and 1."""
    with seeded(0):
        words, grey = torch.rand(100, 300).square(), 0.3 + 0.4 * torch.rand(100, 1, 20, 20)
    for x, output, clip in ((words / words.sum(1, keepdim=True), "gaussian", 10.0), (grey, "squashed", None)):
        found = SemiSupervisedVAE.usual(Example.of(tuple(x.shape[1:])), Batch.of(x))
        assert found.config["output"] == output and found.recipe is not None and found.recipe.clip == clip


def test_bad_input() -> None:
    net = SemiSupervisedVAE(SemiSupervisedVAE.smoke.config, (1, 4, 4))
    with pytest.raises(ConfigError, match="no class 3; classes are 0 to 2"):
        net.sample(1, 3)
    with pytest.raises(DataError, match="no example has a label"):
        net.classes.prepare(Batch.of(torch.rand(3, 3)))
    with pytest.raises(DataError, match="a label is 5"):
        net.classes.prepare(Batch(torch.rand(3, 3), torch.tensor([0, 5, -1])))


@torch.no_grad()
def test_m2_learns_from_draws_of_features_and_names_classes_by_their_means() -> None:
    fields = SemiSupervisedVAE.Config(latent=3, hidden=(8,), class_hidden=(6,), classes=4)
    with seeded(0):
        net, x = SemiSupervisedVAE(fields, (1, 5, 6)).eval(), torch.rand(1, 1, 5, 6).round()
        drawn = net.below(x.expand(4000, -1, -1, -1))
    assert net.features is not None
    mean, log_variance = net.features.posterior(x)
    deviation = (0.5 * log_variance).exp()
    torch.testing.assert_close(drawn.std(0), deviation[0], rtol=0.06, atol=0)
    assert ((drawn.mean(0) - mean[0]).abs() < 4.5 * deviation[0] / 4000**0.5).all()
    torch.testing.assert_close(net.class_probabilities(x), net.classes.class_probabilities(mean))


def test_m2_alone_learns_from_the_examples_themselves() -> None:
    net = SemiSupervisedVAE(SemiSupervisedVAE.Config(latent=3, class_hidden=(6,), classes=4, model="m2"), (1, 5, 6))
    x = torch.rand(3, 1, 5, 6).round()
    (stage,) = net.stages()
    assert stage.sees is not None and torch.equal(stage.sees(x), x.flatten(1))


def test_without_features_what_comes_back_is_of_the_likeliest_class() -> None:
    with seeded(0):
        model = SemiSupervisedVAE(
            SemiSupervisedVAE.Config(classes=3, hidden=(6,), latent=2, model="m2", output="gaussian"), (4,)
        ).eval()
    x = X.float()
    label = model.class_probabilities(x).argmax(1)
    below = model.classes
    mean = below.encoder(x, label)[0]
    torch.testing.assert_close(model.reconstruct(x), below.outputs.mean(below.decoder(mean, label)))


@pytest.mark.parametrize("model", ["m2", "m1-m2"])
def test_classes_are_learnt_from_labelled_examples_beside_all(model: str) -> None:
    """Of few labels hardly one would be among the examples of a batch."""
    config = SemiSupervisedVAE.Config(**{**vars(SemiSupervisedVAE.smoke.config), "model": model})
    last = SemiSupervisedVAE(config, (1, 4, 4)).stages()[-1]
    assert not last.stream.labelled
    assert [stream.labelled for stream in last.beside.values()] == [True]
