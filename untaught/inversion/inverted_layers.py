"""Errors of what comes back from every layer, and where information is lost: to the filters or to the pooling.

    lost to the filters = error with known switches                                      (1)
    lost to the pooling = error with fixed switches - error with known switches          (2)

An error is the squared error per picture, pixels from 0 to 1. Switches tell the way back where every maximum was, so
what is missing with them is what filters, and the number of values that is left, do not pass on; what is missing
without them in addition is where things were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from untaught.evaluate.image_quality import psnr_db, squared_error, ssim
from untaught.inversion.ways_back import WAYS, Way
from untaught.shapes import Images


@dataclass(frozen=True)
class Quality:
    """How near pictures that came back are to their originals, on average."""

    squared_error_per_image: float
    psnr_db: float
    ssim: float

    @staticmethod
    def of(x: Images, back: Images) -> Quality:
        """Of pictures and what came back of them."""
        given = back.clamp(0, 1)
        means = [float(measured(x, given).mean()) for measured in (squared_error, psnr_db, ssim)]
        return Quality(*means)


@dataclass(frozen=True)
class InvertedLayer:
    """One layer."""

    name: str
    values: int
    """Numbers that it gives of a picture."""
    qualities: Mapping[Way, Quality]

    @property
    def lost_to_filters(self) -> float:
        """Equation (1)."""
        return self.qualities["known"].squared_error_per_image

    @property
    def lost_to_pooling(self) -> float:
        """Equation (2); 0 below the first pooling."""
        return self.qualities["fixed"].squared_error_per_image - self.lost_to_filters

    def as_json(self) -> dict[str, Any]:
        """All numbers by name."""
        ways = {way: vars(quality) for way, quality in self.qualities.items()}
        lost = {"lost_to_filters": self.lost_to_filters, "lost_to_pooling": self.lost_to_pooling}
        return {"layer": self.name, "values": self.values, **ways, **lost}


def markdown(layers: Sequence[InvertedLayer], about: str, pictures: int, searched: int) -> str:
    """Both tables as a page."""
    ways = list(WAYS)
    heads = " | ".join(WAYS[way] for way in ways)
    lines = [
        "# What comes back from every layer", "", about, "", "![inversion](inversion.png)", "",
        "Squared error per picture / PSNR in dB / SSIM. Means over "
        f"{pictures} test pictures; of the input searched for over {searched}.", "",
        f"| layer | values | {heads} |", "|---" * (len(ways) + 2) + "|",
    ]  # fmt: skip
    for layer in layers:
        cells = " | ".join(_cell(layer.qualities[way]) for way in ways)
        lines.append(f"| {layer.name} | {layer.values:,} | {cells} |")
    lines += [
        "", "## Where information is lost", "",
        "Known switches tell where every maximum was. What is missing with them is lost to the filters; what is",
        "missing without them in addition is lost to the pooling.", "",
        "| layer | lost to the filters | lost to the pooling |", "|---|---|---|",
    ]  # fmt: skip
    lines += [f"| {own.name} | {own.lost_to_filters:.1f} | {own.lost_to_pooling:.1f} |" for own in layers]
    return "\n".join(lines) + "\n"


def _cell(quality: Quality) -> str:
    return f"{quality.squared_error_per_image:.1f} / {quality.psnr_db:.1f} / {quality.ssim:.2f}"
