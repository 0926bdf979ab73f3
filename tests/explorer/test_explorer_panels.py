"""What the panels answer, against what the model itself says."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from small_runs import Reply, ask

from untaught.explorer.application import Studio
from untaught.explorer.explored import Explored
from untaught.explorer.latent_axes import latent_axes
from untaught.explorer.panels import PANELS

Apps = Callable[[str], Any]


def told(app: Any, path: str, body: bytes | np.ndarray[Any, Any] = b"") -> Reply:
    reply = ask(app, "POST", f"/api/{path}", body if isinstance(body, bytes) else body.tobytes())
    assert reply.status == 200, reply.body
    return reply


def seen_by(app: Any) -> Explored:
    """What the application holds."""
    cells = [cell.cell_contents for cell in app.app.routes[-1].endpoint.__closure__]
    studio = next(held for held in cells if isinstance(held, Studio))
    assert studio.explored is not None
    return studio.explored


@pytest.mark.parametrize(
    ("model", "panels"),
    [
        ("vae", ["latent", "draws", "examples", "layers"]),
        ("rbm", ["latent", "chains", "draws", "examples", "layers"]),
        ("boltzmann", ["latent", "chains", "draws", "examples", "layers"]),
        ("discriminative-rbm", ["latent", "chains", "draws", "examples", "layers"]),
        ("dbn", ["latent", "draws", "examples", "layers"]),
        ("semi-supervised-vae", ["latent", "draws", "examples"]),
        ("gan", ["latent", "draws", "examples", "layers"]),
        ("monte-carlo-generator", ["latent", "draws"]),
        ("pgn", ["clips", "examples", "layers"]),
    ],
)
def test_panels_are_those_of_the_capabilities(application_of: Apps, model: str, panels: list[str]) -> None:
    about = ask(application_of(model), "GET", "/api/about").json
    assert list(about["panels"]) == panels and about["shape"] == [1, 8, 8] and about["model"] == model
    assert {panel.name for panel in PANELS} >= set(panels)


def test_codes_are_decoded(application_of: Apps) -> None:
    app = application_of("vae")
    codes = np.array([[0.3, -0.2], [1, 2]], "<f4")
    got = np.frombuffer(told(app, "latent/decode?count=2", codes).body, np.uint8).reshape(2, 1, 8, 8)
    model: Any = seen_by(app).model
    wanted = model.decode(torch.tensor(codes)).detach().clamp(0, 1).numpy() * 255
    assert np.abs(got - wanted).max() <= 0.51


def test_directions_are_one_deviation_long(application_of: Apps) -> None:
    """A step along a unit changes it alone; steps along components by their coordinates give the codes back."""
    explored = seen_by(application_of("vae"))
    f, axes = explored.features.double(), latent_axes(explored)
    units = [axis for axis in axes if axis.kind == "unit"]
    assert [axis.name for axis in axes if axis.kind == "variable"] == ["place 1", "place 2"]
    for axis in units:
        number = int(axis.name.split()[1]) - 1
        assert axis.direction.nonzero().flatten().tolist() == [number]
        assert float(axis.direction[number]) == pytest.approx(float(f[:, number].std(correction=0)), rel=1e-4)
    components = [axis for axis in axes if axis.kind == "component"]
    rebuilt = f.mean(0) + sum(axis.coordinates.double()[:, None] * axis.direction.double() for axis in components)
    assert torch.allclose(rebuilt, f, atol=1e-5)


def test_a_generator_is_moved_along_what_changes_its_pictures(application_of: Apps) -> None:
    """Coordinates of draws along units give their codes back; a class on demand is a draw of that class."""
    app = application_of("conditional-gan")
    explored, space = seen_by(app), told(app, "latent/space").message
    about = ask(app, "GET", "/api/about").json["panels"]["latent"]
    assert about["drawn"] and about["classes"] == ["a", "b", "c"] and about["features"] == 6
    assert [axis["kind"] for axis in space["axes"]] == ["change"] * 3 + ["unit"] * 6 and space["usual"] == [0, 1]
    z = space["mean"] + space["coordinates"][3:].T @ space["directions"][3:]
    torch.testing.assert_close(z, explored.codes, atol=1e-5, rtol=1e-4)
    changes = space["mean"] + space["coordinates"][:3].T @ space["directions"][:3]
    torch.testing.assert_close(changes, explored.codes, atol=1e-4, rtol=1e-3)
    code = told(app, "latent/code?label=2").message["code"]
    assert code[3:].tolist() == [0, 0, 1] and explored.codes[:, 3].eq(1).all()


def test_a_picture_of_ones_own_is_given_back(application_of: Apps) -> None:
    app = application_of("vae")
    explored = seen_by(app)
    held = io.BytesIO()
    pixels = explored.as_bytes(explored.examples.x[[5]])[0, 0].numpy()
    Image.fromarray(pixels).save(held, "PNG")
    found = told(app, "examples/picture", held.getvalue()).message
    assert found["nearest"][0] == 5 and found["original"][0, 0].tolist() == pixels.tolist()
    assert torch.allclose(found["code"], explored.features[5], atol=0.05)
    model: Any = explored.model
    back = model.reconstruct(torch.tensor(pixels)[None, None] / 255).detach().clamp(0, 1) * 255
    assert float((found["reconstruction"] - back).abs().max()) <= 0.51
    swapped = told(app, "examples/picture?inverted=1", held.getvalue()).message
    assert swapped["original"][0, 0].tolist() == (255 - pixels.astype(int)).tolist()


def test_pictures_of_other_sizes_and_colours_are_brought_to_the_runs(application_of: Apps) -> None:
    held = io.BytesIO()
    Image.new("RGB", (300, 200), (255, 0, 0)).save(held, "JPEG")
    found = told(application_of("vae"), "examples/picture", held.getvalue()).message
    assert found["original"].shape == (1, 1, 8, 8) and abs(float(found["original"].float().mean()) - 0.299 * 255) < 2


@pytest.mark.parametrize("model", ["rbm", "boltzmann", "discriminative-rbm"])
def test_what_is_held_stays(application_of: Apps, model: str) -> None:
    """Held pixels are as they were sent in every chain; the others move."""
    app = application_of(model)
    begun = told(app, "chains/start?count=3").message
    held = np.full((8, 8), np.nan, "<f4")
    held[2, :4], held[5] = 1, 0
    sent = np.concatenate([begun["states"].numpy().ravel(), held.ravel()])
    for show in ("states", "mean"):
        found = told(app, f"chains/step?count=3&steps=2&show={show}", sent).message
        for pictures in (found["states"], found["pictures"] / 255):
            assert bool((pictures[:, 0, 2, :4] == 1).all()) and bool((pictures[:, 0, 5] == 0).all())
    assert bool((found["states"] != begun["states"]).any())


def test_chains_follow_the_models_distribution(application_of: Apps) -> None:
    """With all pixels but one held, that one is on as often as the free energies say."""
    app = application_of("rbm")
    model: Any = seen_by(app).model
    held = np.zeros((8, 8), "<f4")
    held[0, 0] = np.nan
    state, ons, count = np.zeros((16, 8, 8), "<f4"), 0.0, 40
    for _ in range(count):
        found = told(app, "chains/step?count=16&steps=2", np.concatenate([state.ravel(), held.ravel()])).message
        state = found["states"].numpy().astype("<f4")
        ons += float(found["states"][:, 0, 0, 0].sum())
    two = torch.zeros(2, 64)
    two[1, 0] = 1
    off, on = model.free_energy(two)
    chance = float(torch.sigmoid(off - on))
    assert abs(ons / (16 * count) - chance) < 5 * (chance * (1 - chance) / (16 * count)) ** 0.5
    assert torch.allclose(found["energy"], model.free_energy(found["states"].flatten(1)), atol=1e-4)


def test_hot_chains_are_those_of_the_base(application_of: Apps) -> None:
    app = application_of("rbm")
    sent = np.concatenate([np.zeros(16 * 64, "<f4"), np.full(64, np.nan, "<f4")])
    model: Any = seen_by(app).model
    pixels = torch.stack([told(app, "chains/step?count=16&temperature=100", sent).message["states"] for _ in range(10)])
    assert abs(float(pixels.mean() - torch.sigmoid(model.base_rate()).mean())) < 0.03


def test_classes_are_drawn_on_demand(application_of: Apps) -> None:
    app = application_of("discriminative-rbm")
    assert ask(app, "GET", "/api/about").json["panels"]["chains"]["classes"] == ["a", "b", "c"]
    assert told(app, "chains/start?count=2&from=class&label=2").message["states"].shape == (2, 1, 8, 8)
    assert told(app, "draws/draw?count=5&label=1").message["pictures"].shape == (5, 1, 8, 8)
    assert ask(application_of("vae"), "GET", "/api/about").json["panels"]["draws"]["classes"] == []


def test_clips_are_predicted(application_of: Apps) -> None:
    app = application_of("pgn")
    model: Any = seen_by(app).model
    found = told(app, "clips/clip?clip=1").message
    x = found["frames"].float()[None] / 255
    one = model.predict(x[:, :3], 1)[0]
    assert found["first"] == 1 and torch.allclose(found["predicted"][2] / 255.0, one[0].detach(), atol=0.01)
    far = told(app, "clips/ahead?clip=1&context=4&frames=20").message
    assert far["predicted"].shape == (20, 1, 8, 8) and far["known"] == len(far["error"]) == 8
    better = (far["error"] <= far["copying"]).tolist()
    assert far["holds"] == (better.index(False) if False in better else 8)
    assert float(far["copying"][0]) == pytest.approx(float((x[0, 4] - x[0, 3]).square().sum()), abs=0.02)


def test_a_pushed_state_moves_the_frame(application_of: Apps) -> None:
    app = application_of("pgn")
    names = told(app, "clips/directions").json["axes"]
    assert {axis["kind"] for axis in names} == {"unit", "component", "variable"}
    still = told(app, "clips/push?clip=0&context=5&axis=0&amount=0").message["pictures"]
    moved = told(app, "clips/push?clip=0&context=5&axis=0&amount=4").message["pictures"]
    assert still[0].tolist() == still[1].tolist() == moved[0].tolist() != moved[1].tolist()


@pytest.mark.parametrize("method", ["pca", "mds", "tsne"])
def test_examples_are_mapped(application_of: Apps, method: str) -> None:
    app = application_of("vae")
    explored = seen_by(app)
    found = told(app, f"examples/map?method={method}").message
    assert found["places"].shape == (len(explored.features), 2) and len(found["examples"]) == len(found["places"])
    f = explored.features
    own, other = torch.pdist(f), torch.pdist(found["places"])
    assert float(torch.corrcoef(torch.stack([own, other]))[0, 1]) > (0.999 if method == "pca" else 0.7)


def test_a_group_has_its_mean_and_its_nearest(application_of: Apps) -> None:
    app = application_of("vae")
    explored = seen_by(app)
    chosen = np.array([1, 4, 7], "<i4")
    found = told(app, "examples/group", chosen).message
    mean = explored.features[chosen.astype(int)].mean(0)
    apart = (explored.features - mean).norm(dim=1)
    order = [n for n in apart.argsort().tolist() if n not in chosen]
    assert found["nearest"] == order[: len(found["nearest"])]
    wanted = explored.examples.x[chosen.astype(int)].mean(0) * 255
    assert float((found["mean"][0] - wanted).abs().max()) <= 0.51 and found["decoded"].shape == (1, 1, 8, 8)


def test_examples_come_with_what_is_known_of_them(application_of: Apps) -> None:
    found = told(application_of("vae"), "examples/examples").message
    assert found["named"] == ["place 1", "place 2"] and found["variables"].shape == (2, len(found["label"]))
    assert found["pictures"].shape[1:] == (1, 8, 8)


def test_layers_and_what_drives_them(application_of: Apps) -> None:
    app = application_of("vae")
    explored = seen_by(app)
    model: Any = explored.model
    seen = model.activations(explored.examples.x, ["mean"])["mean"].detach()
    found = told(app, "layers/look?layer=mean&example=3").message
    assert torch.allclose(found["activations"], seen[3], atol=1e-5)
    driven = told(app, "layers/strongest?layer=mean&unit=1").message
    assert driven["examples"] == seen[:, 1].topk(len(driven["examples"])).indices.tolist()
    filters = told(app, "layers/filters?name=filters").message["pictures"]
    assert filters.shape[1:] == (1, 8, 8) and {
        int(one) for one in filters.float().sub(127.5).abs().amax((1, 2, 3))
    } == {127}


def test_maps_of_a_convolutional_layer_over_time(application_of: Apps) -> None:
    app = application_of("pgn")
    about = ask(app, "GET", "/api/about").json["panels"]["layers"]
    found = told(app, "layers/look?layer=encoder.1&example=0").message
    assert list(found["activations"].shape) == about["layers"]["encoder.1"] and found["units"] == 3
