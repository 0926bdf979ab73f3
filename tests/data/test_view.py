"""Views: patches, binarisation, augmentation, standardisation."""

import torch

from untaught.data.batches import collect
from untaught.data.part import Part
from untaught.data.view import View, cut, example_shape, statistics
from untaught.randomness import seeded


def test_bytes_become_fractions() -> None:
    raw = torch.tensor([[0, 51, 255]], dtype=torch.uint8)
    assert torch.allclose(cut(raw, View(), None, False), torch.tensor([[0.0, 0.2, 1.0]]))


def test_patches_are_pieces_of_the_picture_at_every_place() -> None:
    picture = torch.arange(30.0).view(1, 1, 5, 6).expand(2000, 2, 5, 6)
    with seeded(0):
        patches = cut(picture, View(patch=3), None, False)
    corners = patches[:, 0, 0, 0]
    assert sorted(set(corners.tolist())) == [0, 1, 2, 3, 6, 7, 8, 9, 12, 13, 14, 15]
    within = torch.tensor([[0.0, 1, 2], [6, 7, 8], [12, 13, 14]])
    assert torch.equal(patches, (corners[:, None, None, None] + within).expand(-1, 2, -1, -1))
    assert example_shape((2, 5, 6), View(patch=3)) == (2, 3, 3)


def test_a_patch_of_video_is_the_same_place_in_all_frames() -> None:
    video = torch.arange(30.0).view(1, 1, 1, 5, 6).expand(50, 4, 1, 5, 6)
    patches = cut(video, View(patch=2), None, False)
    assert patches.shape == (50, 4, 1, 2, 2)
    assert (patches == patches[:, :1]).all()


def test_binarisation_has_the_grey_value_as_its_mean() -> None:
    grey = torch.rand(1, 50, generator=torch.Generator().manual_seed(0)).expand(20_000, 50)
    with seeded(0):
        binary = cut(grey, View(binarise=True), None, True)
    assert set(binary.unique().tolist()) == {0.0, 1.0}
    error = (grey[0] * (1 - grey[0]) / 20_000).sqrt()
    assert ((binary.mean(0) - grey[0]).abs() < 5 * error + 1e-9).all()


def test_augmentation_changes_about_half_and_only_while_training() -> None:
    video = torch.arange(3 * 4 * 5.0).view(1, 3, 1, 4, 5).expand(1000, 3, 1, 4, 5)
    axes = {"flip": -2, "mirror": -1, "reverse": 1}
    for kind, axis in axes.items():
        view = View(augment=(kind,))  # type: ignore[arg-type]
        with seeded(0):
            changed = cut(video, view, None, True)
        turned = (changed == video.flip(axis)).flatten(1).all(1)
        kept = (changed == video).flatten(1).all(1)
        assert (turned ^ kept).all() and 400 < int(turned.sum()) < 600
        assert torch.equal(cut(video, view, None, False), video)


def test_standardised_data_have_mean_zero_and_deviation_one() -> None:
    with seeded(0):
        x = torch.rand(500, 2, 3, 3) * torch.rand(2, 3, 3) + torch.rand(2, 3, 3)
    part = Part.of(x)
    for kind in ("pixel", "all"):
        view = View(standardise=kind)  # type: ignore[arg-type]
        seen = collect(part, view, statistics(part, view)).x
        over = 0 if kind == "pixel" else (0, 1, 2, 3)
        assert seen.mean(over).abs().max() < 1e-5
        assert (seen.std(over, correction=0) - 1).abs().max() < 1e-4
    assert statistics(part, View()) is None


def test_a_constant_pixel_stays_finite() -> None:
    part = Part.of(torch.ones(10, 1, 2, 2))
    view = View(standardise="pixel")
    assert collect(part, view, statistics(part, view)).x.isfinite().all()
