"""Which value is white, or on: one rule for whole numbers of every type, wherever they are read.

Let the values run from 0 to h. The type says nothing, since the same numbers are saved as bytes by one program and as
64 bits by another; h and what the values are of say it:

    h <= 1                          1 is white: truth values
    pictures,  1 < h < 32           h is white: grey levels from 0 to h; as bytes they would be black
    pictures,  32 <= h <= 255       255 is white
    vectors, 224 <= h <= 255        255 is 1: vectors of pixels
    vectors, any other values       as they are: counts, measurements

Floats are taken as they are. `?scale=VALUE` says which value is white, whatever the rule is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from untaught.errors import DataError

Finite = Annotated[float, Field(gt=0, allow_inf_nan=False)]
"""What `?scale` may be."""
BYTE = 255
DARK = 32
"""Pictures whose highest value is below this have few grey levels rather than little light."""
PIXELS_FROM = 224
"""Vectors of whole numbers are pixels from this highest value on: those of pictures nearly always reach it."""
WHITES = (BYTE, 1023, 4095, 16383, 65535)
"""White of 8, 10, 12, 14 and 16 bits."""
ROUNDING = 1e-5
"""How far beyond [0, 1] a picture's values may be: what float32 arithmetic leaves behind."""


@dataclass(frozen=True)
class Values:
    """The range of an array, or of several that belong together.

    Example:
        >>> Values(0, 7, whole=True).joined(Values(0, 16, whole=True))
        Values(low=0, high=16, whole=True)
    """

    low: float
    high: float
    whole: bool
    """Whether their type is one of whole numbers or truth values."""

    def joined(self, other: Values) -> Values:
        """The range of both."""
        return Values(min(self.low, other.low), max(self.high, other.high), self.whole and other.whole)

    @property
    def text(self) -> str:
        """In words."""
        return f"run from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Scale:
    """Which value becomes 1."""

    one: float
    told: str = ""
    """How that was decided, where it is not the plain case."""


def decided(values: Values, pictures: bool, name: str, asked: float | None, held: float | None = None) -> Scale:
    """Decide which value becomes 1.

    Args:
        values: What there is.
        pictures: Whether they are of pictures, or else of vectors.
        name: What an error calls them.
        asked: What the user says.
        held: What was decided for the data of a run, to whose model these are shown.

    Raises:
        DataError: Values of pictures lie outside the range that the scale gives.

    Example:
        >>> decided(Values(0, 16, whole=True), True, "x", None).one
        16
    """
    if asked is None and values.whole and held is not None and (not pictures or 0 <= values.low <= values.high <= held):
        return Scale(held, dim(values.high, held, name) if pictures else "")
    if asked is not None or not values.whole:
        one = asked or 1.0
        if pictures:
            _refuse_beyond(values, one, name)
        return Scale(one)
    if values.low == values.high == 0:
        return Scale(BYTE if pictures else 1.0)
    if values.low >= 0 and values.high <= 1:
        return Scale(1.0, f"{name}: whole numbers that are 0 or 1; 1 is taken for {'white' if pictures else 'on'}")
    return _of_pictures(values, name) if pictures else _of_vectors(values, name)


def _of_pictures(values: Values, name: str) -> Scale:
    if values.low < 0 or values.high > BYTE:
        raise DataError(
            f"whole numbers in {name} {values.text}; pictures take 0 to 255, or floats 0 to 1\n{_remedy(values)}"
        )
    if values.high >= DARK:
        return Scale(BYTE, dim(values.high, BYTE, name))
    other = f"; ?scale={BYTE} takes {BYTE}, which makes them nearly black"
    return Scale(values.high, f"{name}: whole numbers from 0 to {values.high:g}; {values.high:g} is white{other}")


def _of_vectors(values: Values, name: str) -> Scale:
    if values.low >= 0 and PIXELS_FROM <= values.high <= BYTE:
        return Scale(
            BYTE, f"{name}: whole numbers {_from_to(values)} are divided by 255; ?scale=1 leaves them as they are"
        )
    return Scale(1.0, f"{name}: whole numbers {_from_to(values)} are taken as they are; ?scale=VALUE divides them")


def dim(high: float, white: float, name: str) -> str:
    """What is said where the highest value is less than half of white: that much of the grey scale is not used."""
    if high > white / 2 or high == 0:
        return ""
    levels = int(high * BYTE / white) + 1
    return (
        f"{name}: the highest value is {high:g}, and {white:g} is white, which leaves {levels} of 256 grey levels; "
        f"?scale={white_for(high):g} takes that for white"
    )


def white_for(high: float) -> float:
    """What is likely to be white where the highest value is `high`.

    Example:
        >>> white_for(16), white_for(100), white_for(200.5), white_for(4000), white_for(1e6)
        (16, 100, 255, 4095, 1000000.0)
    """
    return next((white for white in WHITES if high <= white < 2 * high), high)


def _refuse_beyond(values: Values, one: float, name: str) -> None:
    """Refuse values of pictures that lie outside [0, 1] once they are divided.

    Raises:
        DataError: They do; the message says by what to divide.
    """
    if values.low / one >= -ROUNDING and values.high / one <= 1 + ROUNDING:
        return
    wanted = "must lie in [0, 1]" if one == 1 else f"must lie in [0, {one:g}] with ?scale={one:g}"
    raise DataError(f"values of {name} {values.text}, and pictures {wanted}\n{_remedy(values)}")


def _remedy(values: Values) -> str:
    """How to bring values of pictures into the range."""
    if values.low < -ROUNDING:
        if values.low >= -1 - ROUNDING and values.high <= 1 + ROUNDING:
            return "scale them: add 1 and divide by 2"
        return f"scale them to lie within: subtract {values.low:g} and divide by {values.high - values.low:g}"
    white = white_for(values.high)
    return f"scale them: divide by {white:g}, or let ?scale={white:g}, the value that is white, behind the name do so"


def _from_to(values: Values) -> str:
    return f"from {values.low:g} to {values.high:g}"
