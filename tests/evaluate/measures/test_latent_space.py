"""What latents mean, on a model whose latents are known, and pictures in which they can be seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures
from torch import Tensor

from tests.evaluate.fakes import Linear, subject_of
from untaught.data.part import Part
from untaught.data.view import View
from untaught.evaluate.drawing.illustrate import illustrate_measures
from untaught.evaluate.evaluate import evaluate
from untaught.evaluate.measures import latent_space
from untaught.evaluate.measures.latent_space import MANIFOLD, MEASURE, REACH, STEPS, best_single, correlation, cubic_r2
from untaught.evaluate.subject import Subject, measuring
from untaught.models.sigmoid_belief import SigmoidBelief
from untaught.models.vae import VAE
from untaught.nn.latent.stochastic import Networks
from untaught.randomness import seeded

CAUSES = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))


def subject(latent: int = 2) -> Subject:
    """Pictures whose first two pixels are two independent causes, and an encoder that reads one pixel a latent."""
    with seeded(0):
        config = VAE.Config(networks=Networks(latent=latent, hidden=()), output="gaussian", deviation=0.1)
        model = VAE(config, (1, 2, 3)).eval()
    first = torch.eye(latent, 6)
    model.encoder.network.load_state_dict(
        {"layers.0.weight": torch.cat([first, 0 * first]), "layers.0.bias": torch.zeros(2 * latent)}
    )
    model.decoder.network.load_state_dict({"layers.0.weight": first.T, "layers.0.bias": torch.zeros(6)})
    x = torch.zeros(400, 1, 2, 3)
    x.flatten(1)[:, :2] = CAUSES
    part = replace(Part.of(x), latents={"cause": CAUSES})
    return subject_of(model, part, part, View())


def test_pictures_show_the_examples_that_were_measured(tmp_path: Path) -> None:
    """Nine examples that the model was not trained on, of which a measure that learns from some judges one."""
    few = Part.of(torch.rand(9, 1, 2, 3))
    split = subject()
    split = replace(split, parts=replace(split.parts, test=few.clips(torch.arange(1))), whole=few)
    taken = evaluate(split, ["latent_space"])
    assert taken["latent_space"]["examples"] == 9
    drawn = {path.name for path in illustrate_measures(split, tmp_path, taken)}
    assert drawn == {"traversals.png", "interpolation.png", "manifold.png"}


def test_latents_that_are_the_causes() -> None:
    found = evaluate(subject(), ["latent_space"])["latent_space"]
    assert found["active_latents"] == 2
    assert found["correlation"] == pytest.approx(abs(float(torch.corrcoef(CAUSES.T)[0, 1])), abs=1e-5)
    assert found["single_latent_r2"]["cause_1"] == pytest.approx(1, abs=1e-4)
    assert found["best_latent"] == {"cause_1": 0, "cause_2": 1}
    assert found["single_latent_r2_baselines"]["pca"].keys() == {"cause_1", "cause_2"}
    assert evaluate(subject(4), ["latent_space"])["latent_space"]["active_latents"] == 2


def test_correlation_and_reading() -> None:
    a = torch.randn(2000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    noise = torch.randn(2000, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    assert correlation(torch.stack([a, a * 0.6 + noise * 0.8], 1)) == pytest.approx(0.6, abs=0.05)
    assert float(cubic_r2(a, a**3 - 2 * a)) == pytest.approx(1, abs=1e-9)
    assert float(cubic_r2(noise, a)) < 0.02
    assert best_single(torch.stack([noise, a], 1), {"still": torch.ones(2000, 1), "a": a[:, None]}).keys() == {"a"}


def test_a_cubic_is_judged_on_the_other_half_as_scikit_learn_does() -> None:
    generator = torch.Generator().manual_seed(1)
    code = torch.randn(300, generator=generator, dtype=torch.float64)
    value = code**2 + 3 + torch.randn(300, generator=generator, dtype=torch.float64)
    cubic = make_pipeline(PolynomialFeatures(3), LinearRegression()).fit(code[::2, None], value[::2])
    assert float(cubic_r2(code, value)) == pytest.approx(cubic.score(code[1::2, None], value[1::2]), abs=1e-9)


@pytest.mark.parametrize("name", ["traversals", "interpolation", "manifold"])
def test_pictures(name: str) -> None:
    held = subject()
    with measuring(held.model):
        picture = getattr(latent_space, name)(held, {})
        tall = getattr(latent_space, name)(subject(3), {})
    assert picture.ndim == 3 and picture.shape[2] == 3 and picture.std() > 1
    assert (tall is None) == (name == "manifold")


def test_traversal_moves_its_own_latent_alone() -> None:
    """In each row the decoder is shown codes that differ in one latent."""
    held, seen = subject(), list[Tensor]()
    assert isinstance(held.model, VAE)
    decode = held.model.decode
    held.model.decode = lambda features: (seen.append(features), decode(features))[1]  # type: ignore[method-assign]
    with measuring(held.model):
        latent_space.traversals(held, {})
    rows = torch.cat(seen).unflatten(0, (-1, STEPS))
    assert [(row.std(0) > 1e-6).sum().item() for row in rows] == [1, 1]
    most = int(CAUSES.var(0).argmax())
    for latent, row in zip((most, 1 - most), rows, strict=True):
        reach = REACH * float(CAUSES[:, latent].std())
        ends = float(CAUSES[:, latent].mean()) + torch.tensor([-reach, reach])
        torch.testing.assert_close(row[[0, -1], latent], ends, rtol=1e-4, atol=1e-5)


def test_sheets_have_whole_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The grid of the manifold, and as many steps of each latent."""
    laid: list[list[int]] = []
    draw = latent_space.mosaic
    monkeypatch.setattr(
        latent_space, "mosaic", lambda rows, *more: (laid.append([len(row) for row in rows]), draw(rows, *more))[1]
    )
    held = subject()
    with measuring(held.model):
        latent_space.manifold(held, {})
        latent_space.traversals(held, {})
    assert laid == [[MANIFOLD] * MANIFOLD, [STEPS] * 2]


def test_manifold_has_equally_probable_cells() -> None:
    held, seen = subject(), list[Tensor]()
    assert isinstance(held.model, VAE)
    decode = held.model.decode
    held.model.decode = lambda features: (seen.append(features), decode(features))[1]  # type: ignore[method-assign]
    with measuring(held.model):
        latent_space.manifold(held, {})
    codes = torch.cat(seen)
    shares = torch.distributions.Normal(0.0, 1.0).cdf(codes).unique(sorted=True)
    gaps = shares[shares.diff(prepend=shares.new_tensor([-1.0])) > 1e-3].diff()
    torch.testing.assert_close(gaps, torch.full((MANIFOLD - 1,), 1 / MANIFOLD), rtol=1e-3, atol=1e-4)
    assert codes[0, 1] > codes[-1, 1] and codes[0, 0] < codes[MANIFOLD - 1, 0], "up is more, right is more"


def test_it_says_why_it_does_not_apply() -> None:
    part = Part.of(torch.rand(20, 6))
    assert "no continuous latent" in str(MEASURE.applies(subject_of(Linear(Linear.Config(), (6,)), part, part)))
    belief = SigmoidBelief(SigmoidBelief.smoke.config, (6,))
    assert "no continuous latent" in str(MEASURE.applies(subject_of(belief, part, part)))
