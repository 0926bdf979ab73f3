"""Binarized MNIST: 28x28 digits of 0 and 1, drawn once and for all, 50,000, 10,000 and 10,000, without labels.

Read from the file or folder behind the colon, `binarized-mnist:DIR`; without one from the cache folder. Two forms are
read: the three text files `binarized_mnist_train.amat`, `..._valid.amat` and `..._test.amat`, as published, and an
array file `.npz` whose `train`, `valid` and `test` have a digit in each row, as 784 numbers or as 98 bytes of packed
bits. The set is not downloaded, for no digest of it was published.

A model that draws bits from grey values anew in each step sees other digits each time; likelihoods on either cannot be
compared.

References:
    Larochelle, Murray (2011). The neural autoregressive distribution estimator. AISTATS.
    Burda, Grosse, Salakhutdinov (2016). Importance weighted autoencoders. ICLR, appendix (the two ways compared).
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch

from untaught.config import configuration
from untaught.data.part import Part
from untaught.data.reading.download import cache_folder
from untaught.data.source import Source
from untaught.errors import DataError

Bits: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]

SET = "binarized-mnist"
PARTS = ("train", "valid", "test")
TEXTS = tuple(f"binarized_mnist_{part}.amat" for part in PARTS)
PUBLISHED = "http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/"
SIDE = 28
ZERO = ord("0")


@configuration
class Options:
    """Binarized MNIST has no options."""


def load(path: Path | None, options: Options) -> Source:
    """Open the digits from an array file, a folder or the cache."""
    del options
    place = _find(cache_folder() / SET if path is None else path)
    read = _from_texts(place) if place.is_dir() else _from_arrays(place)
    train, validation, test = (Part.of(255 * torch.from_numpy(one).view(-1, 1, SIDE, SIDE)) for one in read)
    return Source(SET, train, validation, test)


def _find(path: Path) -> Path:
    """The array file, or the folder of the texts.

    Raises:
        DataError: Neither form is there; the message says where to get it and where to put it.
    """
    if path.is_file() or all((path / name).is_file() for name in TEXTS):
        return path
    found = next(iter(sorted(path.glob("binarized_mnist*.npz"))), None) if path.is_dir() else None
    if found is None:
        raise DataError(
            f"neither {', '.join(TEXTS)} nor binarized_mnist*.npz in {path}\nthe first are at {PUBLISHED}\n"
            f"put them there, or anywhere and give --data {SET}:DIR"
        )
    return found


def _from_texts(folder: Path) -> list[Bits]:
    return [_from_text(folder / name) for name in TEXTS]


def _from_text(file: Path) -> Bits:
    """Zeros and ones, a digit in each line.

    Raises:
        DataError: There are other characters, or the last digit is not whole.
    """
    characters = np.frombuffer(file.read_bytes(), np.uint8)
    bits = characters[characters > ord(" ")] - ZERO
    if not len(bits) or bits.max() > 1 or len(bits) % SIDE**2:
        raise DataError(f"{file} is damaged or of another kind: wanted {SIDE**2} zeros and ones in each line")
    return bits.reshape(-1, SIDE**2)


def _from_arrays(file: Path) -> list[Bits]:
    """Three arrays, packed or not.

    Raises:
        DataError: The file is none of arrays, or one is missing or of another shape.
    """
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return [_unpacked(arrays[name], f"{name} of {file}") for name in PARTS]
    except (OSError, ValueError, KeyError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{file} is no .npz file with the arrays {', '.join(PARTS)}: {error}") from error


def _unpacked(rows: np.ndarray[Any, np.dtype[Any]], name: str) -> Bits:
    if rows.dtype == np.uint8 and rows.ndim == 2 and rows.shape[1] == SIDE**2 // 8:
        return np.unpackbits(rows, axis=1)
    if rows.ndim == 2 and rows.shape[1] == SIDE**2 and len(rows) and np.isin(rows, (0, 1)).all():
        return rows.astype(np.uint8)
    found = f"{rows.dtype} {rows.shape}"
    raise DataError(f"{name} is {found}; wanted: rows of {SIDE**2} zeros and ones, or of {SIDE**2 // 8} bytes")
