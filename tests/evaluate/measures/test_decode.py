"""Ridge decoding against scikit-learn on the same split."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge as TheirRidge
from sklearn.metrics import r2_score
from torch import Tensor

from tests.evaluate.fakes import Forecast, Watcher, turning
from untaught.data.part import Part
from untaught.data.source import Parts
from untaught.data.view import View
from untaught.evaluate import representations
from untaught.evaluate.measures import decode
from untaught.evaluate.measures.decode import MEASURE, Reader, Ridge, applies
from untaught.evaluate.subject import Subject
from untaught.randomness import seeded


def split(width: int, noise: float) -> tuple[list[Tensor], list[Tensor]]:
    """Features and two targets of 60, 30 and 30 examples."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(width, 2, generator=generator)
    features = [torch.randn(count, width, generator=generator) + 1 for count in (60, 30, 30)]
    targets = [x @ weights + noise * torch.randn(len(x), 2, generator=generator) + 5 for x in features]
    return features, targets


def searched(features: list[Tensor], targets: list[Tensor], column: int) -> tuple[float, float]:
    """The alpha search for one target, with scikit-learn: R2 on the test third, and alpha."""
    x, y = [f.double().numpy() for f in features], [t.double().numpy()[:, column] for t in targets]

    def score(alpha: float) -> float:
        return float(r2_score(y[1], TheirRidge(alpha=alpha).fit(x[0], y[0]).predict(x[1])))

    tried = {alpha: score(alpha) for alpha in (1e3, 1e2, 1.0, 0.1, 0.01)}
    while True:
        best = max(tried, key=lambda alpha: tried[alpha])
        further = best / 10 if best == min(tried) else best * 10 if best == max(tried) else None
        if further is None or not 0.99e-5 < further < 1.01e5:
            return float(r2_score(y[2], TheirRidge(alpha=best).fit(x[0], y[0]).predict(x[2]))), best
        tried[further] = score(further)


@pytest.mark.parametrize(("width", "noise"), [(8, 0.0), (8, 1.0), (8, 50.0), (100, 0.1), (100, 5.0)])
def test_search_and_score_are_scikit_learns(width: int, noise: float) -> None:
    features, targets = split(width, noise)
    reader = Reader(features, targets)
    r2, alpha = reader.score(), reader.alphas()
    for column in (0, 1):
        score, best = searched(features, targets, column)
        if noise > 0:  # without noise all small alphas score alike
            assert float(alpha[column]) == pytest.approx(best)
        assert float(r2[column]) == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize("width", [5, 90])
def test_ridge_is_scikit_learns(width: int) -> None:
    features, targets = split(width, 1.0)
    ours = Ridge(features[0], targets[0]).predict(features[2], torch.tensor([0.1, 10.0]))
    for column, alpha in enumerate((0.1, 10.0)):
        theirs = TheirRidge(alpha=alpha).fit(features[0].double(), targets[0][:, column].double())
        assert np.allclose(ours[:, column].numpy(), theirs.predict(features[2].double()), atol=1e-6)


@pytest.mark.parametrize("width", [12, 90])
@pytest.mark.parametrize("components", [1, 5])
def test_some_principal_components_are_scikit_learns(width: int, components: int) -> None:
    features, targets = split(width, 1.0)
    plane = PCA(components, svd_solver="full").fit(features[0].double())
    scores = [torch.from_numpy(plane.transform(x.double())).float() for x in features]
    assert torch.allclose(Reader(features, targets).score(components), Reader(scores, targets).score(), atol=1e-4)


def test_all_principal_components_are_the_features() -> None:
    features, targets = split(12, 1.0)
    reader = Reader(features, targets)
    assert torch.allclose(reader.score(12), reader.score(), atol=1e-9)


def watched(**config: bool) -> Subject:
    """A model that shows its states, looking at a turning spot."""
    model = Watcher(Watcher.Config(**config), (1, 12, 12)).eval()
    return Subject(model, Parts(turning(300), turning(100, seed=1), turning(100, seed=2)), View(frames=6))


def test_components_are_told_apart() -> None:
    """The third component leaves no trace and the fourth never varies."""
    found = MEASURE.take(watched())
    first, second, third = found["r2_components"]["shape"]
    assert first > 0.8 and second > 0.8 and third < 0.1
    assert found["r2"]["shape"] == pytest.approx((first + second + third) / 3)
    assert set(found["r2_components_baselines"]) == {"raw_pixels", "random_weights"}
    assert set(found["r2_components"]) == {"shape"}


def test_states_are_read_beside_the_features() -> None:
    """The cell state is the frame alone and knows no speed; the hidden state is the features."""
    found = MEASURE.take(watched())
    hidden, cell = found["states"]["hidden"], found["states"]["cell"]
    assert hidden["speed"] == found["r2"]["speed"] > cell["speed"] + 0.1
    assert hidden["shape"] == found["r2"]["shape"] and hidden["shape_1"] == found["r2_components"]["shape"][0]
    assert cell["angle"] == pytest.approx(found["baselines"]["raw_pixels"]["angle"], abs=0.01)
    assert set(found["states_baselines"]) == {"random_weights"}
    scaled = MEASURE.take(watched(own_state=True))
    assert scaled["states"]["hidden"]["speed"] == pytest.approx(scaled["r2"]["speed"], abs=0.02)


def test_principal_components_know_more_and_more() -> None:
    found = MEASURE.take(watched())["principal_components"]
    assert list(found) == ["1", "5", "10", "25", "100"]
    assert found["1"]["speed"] < found["100"]["speed"] - 0.3
    assert set(found["10"]) == {"angle", "speed", "shape", "shape_1", "shape_2", "shape_3"}


def test_a_model_without_states_has_none() -> None:
    found = MEASURE.take(subject())
    assert "states" not in found and "states_baselines" not in found


def subject() -> Subject:
    """Clips whose first pixel and its change are known, and something that never changes."""

    def part(seed: int) -> Part:
        x = torch.rand(60, 10, 1, 3, 3, generator=torch.Generator().manual_seed(seed))
        pixel = x[:, :, 0, 0, 0]
        change = pixel - pixel.roll(1, 1)
        latents = {"pixel": pixel[..., None], "change": torch.stack([change, torch.zeros_like(change)], -1)}
        return Part.of(x, latents={**latents, "constant": torch.ones(60, 10, 1)})

    with seeded(0):  # now and then a mixture drawn at random can hardly be undone
        model = Forecast(Forecast.Config(), (1, 3, 3)).eval()
    return Subject(model, Parts(part(0), part(1), part(2)), View(frames=2))


def test_variables_are_read_at_the_last_frame() -> None:
    """The model's features are the last frame and its change; pixels of the last frame know only the first."""
    found = MEASURE.take(subject())
    assert found["r2"]["pixel"] > 0.999 and found["r2"]["change"] > 0.999
    assert found["baselines"]["raw_pixels"]["pixel"] > 0.999 > 0.9 > found["baselines"]["raw_pixels"]["change"]
    assert set(found["baselines"]) == {"raw_pixels", "random_weights"}
    assert found["examples"] == {"fit": 300, "choose": 300, "test": 300}


def test_what_does_not_vary_is_left_out() -> None:
    assert set(MEASURE.take(subject())["r2"]) == {"pixel", "change"}


def test_what_varies_in_training_only_is_left_out() -> None:
    held = subject()
    still = {**held.parts.test.latents, "pixel": torch.ones(600, 1)}
    test = replace(held.parts.test, latents=still)
    assert set(MEASURE.take(replace(held, parts=replace(held.parts, test=test)))["r2"]) == {"change"}


def test_it_says_why_it_does_not_apply() -> None:
    held = subject()
    unknown = Part.of(torch.rand(3, 4, 1, 3, 3))
    assert applies(held) is None
    assert "not known" in str(applies(replace(held, parts=Parts(unknown, unknown, unknown))))


def test_the_protocol_is_that_of_2015() -> None:
    """2,000 to fit, 1,000 to choose, 1,000 to test; five alphas first, then within [1e-5, 1e5]; after five frames."""
    assert (decode.FITTED, decode.CHOSEN, decode.TESTED) == (2000, 1000, 1000)
    assert decode.ALPHAS == (1e3, 1e2, 1.0, 0.1, 0.01)
    assert decode.COMPONENTS == (1, 5, 10, 25, 100)
    assert (decode.LISTED, decode.NAMED) == (10, 4)
    assert representations.CONTEXT == 5
    for peak, found in ((1e-9, 1e-5), (1e9, 1e5), (1e-4, 1e-4), (10.0, 100.0)):
        best = decode.best_alphas(lambda alpha, peak=peak: -(torch.tensor([alpha / peak]).log10() - 0.01).abs())
        assert float(best) == pytest.approx(found)


@pytest.mark.parametrize(("examples", "width", "rank"), [(25, 40, 24), (25, 7, 7), (26, 25, 25)])
def test_centred_examples_have_one_direction_fewer_than_there_are_examples(
    examples: int, width: int, rank: int
) -> None:
    x = torch.randn(examples, width, generator=torch.Generator().manual_seed(0))
    assert Ridge(x, torch.rand(examples, 1)).rank == rank == np.linalg.matrix_rank(x - x.mean(0))


def test_each_third_has_its_own_use() -> None:
    """Nonsense in the part that is chosen on changes alpha alone; nonsense in the test part changes the score alone."""
    features, targets = split(40, 5.0)
    reader = Reader(features, targets)
    mixed = [t[torch.randperm(len(t), generator=torch.Generator().manual_seed(1))] for t in targets]
    other = Reader(features, [targets[0], mixed[1], targets[2]])
    assert not torch.equal(other.alphas(), reader.alphas())
    judged = Reader(features, [targets[0], targets[1], mixed[2]])
    assert torch.equal(judged.alphas(), reader.alphas()) and (judged.score() < reader.score()).all()


def test_parts_of_the_source_are_kept_apart() -> None:
    held = watched()
    counts = (300, 100, 90)
    parts = Parts(*(part.clips(torch.arange(count)) for part, count in zip(vars_of(held), counts, strict=True)))
    fitted, chosen, tested = decode.three_batches(replace(held, parts=parts))
    for batch, part in zip((fitted, chosen, tested), vars_of(held), strict=True):
        assert {round(float(v), 4) for v in batch.latents["speed"][:, -1, 0]} <= {
            round(float(v), 4) for v in part.latents["speed"][:, 0]
        }


def vars_of(held: Subject) -> tuple[Part, Part, Part]:
    return held.parts.train, held.parts.validation, held.parts.test


def test_the_baseline_is_another_network() -> None:
    found = MEASURE.take(watched())
    for name in ("angle", "speed"):
        assert found["states_baselines"]["random_weights"]["cell"][name] == pytest.approx(
            found["states"]["cell"][name], abs=0.05
        )  # frames alone, whatever the weights
    assert found["r2"] != found["baselines"]["random_weights"]
