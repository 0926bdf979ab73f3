r"""Documents: bags of words; an example is a vector of word probabilities, from counts, text files or 20 newsgroups.

With :math:`n_{dw}` the number of times that document d has word w, of the words that are kept,

.. math:: x_{dw} = n_{dw} / \sum_v n_{dv} \qquad (1)

so each vector's sum is 1; the most frequent word comes first. Left out are words that more than half of the training
documents have, which in posts are those of the header, and all but the 2,000 most frequent of the rest. What stands
behind the colon is

- a file of counts, `documents:FILE.npz`: sparse rows `train_data`, `train_indices`, `train_indptr`, as
  `scipy.sparse.csr_matrix` has them, and `vocab`, a word for each column; if there are any, `train_labels` with
  `groups`, the classes' names, and the same with `test_`,
- or a folder of text files, `documents:DIR`, ending in .txt, .text, .md or nothing. Sub-folders are classes, or parts
  with classes below them, as of pictures; a validation part is learnt from too. Words are runs of two letters or more,
  in small letters; English stop words are left out.

Without it `20news_bow2000.npz` in the cache folder is read, where there is one, else the 20 newsgroups through
scikit-learn, which downloads them into a folder of its own, in their division by date and without headers and
signatures; posts of which nothing remains are left out.

References:
    Hinton, Salakhutdinov 2006, Reducing the dimensionality of data with neural networks, Science 313.
    Lang 1995, Newsweeder: learning to filter netnews, ICML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from untaught.config import Count, configuration
from untaught.data.classes.class_folders import arranged
from untaught.data.classes.class_names import MinusOne, numbered
from untaught.data.part import Part
from untaught.data.reading.array_files import holds_several, read_several
from untaught.data.reading.download import cache_folder
from untaught.data.reading.folder import files_of, left_out_of
from untaught.data.source import Source
from untaught.data.spec import OnBad
from untaught.data.telling import counted, listed
from untaught.errors import DataError

TEXT = frozenset({".txt", ".text", ".md", ""})
FILE = "20news_bow2000.npz"
"""A file of counts that stands for the 20 newsgroups where the cache folder has it."""
WORD = r"(?u)\b[^\W\d_]{2,}\b"
"""Two letters or more."""


@configuration
class Options:
    """Which words are kept."""

    words: Count = 2000
    """Words at most: those that the training documents have most often."""
    common: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Leave out a word that more than this fraction of the training documents have; 1 leaves out none."""
    on_empty: OnBad = "stop"
    """What to do with a document that has none of the words: stop and name it, or skip and count it."""
    minus_one: MinusOne = "auto"
    """What a label of -1 means: a class beside 1 alone and otherwise none, always none, or always a class."""


@dataclass(frozen=True)
class Counts:
    """How often some documents have each word."""

    table: Any
    """scipy's sparse rows, `(document, word)`."""
    names: Sequence[str]
    """What an error calls each document."""
    label: Tensor | None


def load(path: Path | None, options: Options) -> Source:
    """Open a file of counts, a folder of texts, or the 20 newsgroups."""
    kept = cache_folder() / "documents" / FILE
    if path is None and kept.is_file():
        path = kept
    if path is None:
        read, options = _newsgroups(), replace(options, on_empty="skip")
    else:
        read = _from_folder(path) if path.is_dir() else _from_file(path, options.minus_one)
    words = kept_words(read.train.table, options)
    if not len(words):
        raise DataError(f"no word is left: each is in more than {options.common:g} of the documents; give ?common=1")
    made = [_part(counts, words, options.on_empty) for counts in (read.train, read.test) if counts is not None]
    skipped = tuple(name for _, empty in made for name in empty)
    test = made[1][0] if len(made) > 1 else None
    return Source("documents", made[0][0], None, test, read.classes, skipped, left_out=read.left_out, notes=read.notes)


def kept_words(table: Any, options: Options) -> NDArray[np.int64]:
    """Number the columns that are kept, the most frequent word's first.

    Example:
        >>> import scipy.sparse
        >>> table = scipy.sparse.csr_matrix([[1, 1, 0, 0], [2, 0, 4, 0], [1, 0, 0, 3]])
        >>> kept_words(table, Options(words=2)).tolist()
        [2, 3]
    """
    count, having = (np.asarray(each.sum(0), np.float64).ravel() for each in (table, table > 0))
    order = np.argsort(-count, kind="stable")
    allowed = (having > 0) & (having <= options.common * table.shape[0])
    return order[allowed[order]][: options.words]


def _part(counts: Counts, words: NDArray[np.int64], on_empty: OnBad) -> tuple[Part, list[str]]:
    """Equation (1), and the documents that have none of the words."""
    table = counts.table[:, words].astype(np.float32)
    total = np.asarray(table.sum(1)).ravel()
    empty = [counts.names[number] for number in np.flatnonzero(total == 0).tolist()]
    if empty and (on_empty == "stop" or len(empty) == len(total)):
        advice = "; ?on_empty=skip leaves them out" if len(empty) < len(total) else ""
        raise DataError(
            f"{empty[0]} has none of the {len(words)} words\n{len(empty)} of {len(total)} documents are empty{advice}"
        )
    full = np.flatnonzero(total)
    x = torch.from_numpy(table[full].toarray()) / torch.from_numpy(total[full])[:, None]
    return Part.of(x, None if counts.label is None else counts.label[torch.from_numpy(full)]), empty


@dataclass(frozen=True)
class Read:
    """Documents of a file or a folder."""

    train: Counts
    test: Counts | None
    classes: tuple[str, ...]
    """Names of the classes."""
    notes: tuple[str, ...] = ()
    """What is to be told."""
    left_out: tuple[str, ...] = ()
    """Files that are not read."""


def _from_file(file: Path, minus_one: MinusOne) -> Read:
    """Read a file of counts."""
    if file.suffix.lower() != ".npz" and not holds_several(file):
        raise DataError(f"{file} is no .npz file of counts; give one, or a folder of texts: --data documents:DIR")
    arrays = read_several(file)
    parts = ("train", "test") if "test_data" in arrays else ("train",)
    counts = [_counts(arrays, part, file) for part in parts]
    groups = tuple(str(name) for name in np.ravel(arrays.get("groups", ())))
    labels = [arrays.get(f"{part}_labels") for part in parts]
    # With names for the classes from 0 on, -1 is none of them.
    classes = numbered(labels, str(file), "absent" if groups else minus_one)
    groups = classes.names or groups
    for part, one, label in zip(parts, counts, classes.labels, strict=True):
        _refuse_labels(label, f"{part}_labels of {file}", one.table.shape[0], groups)
    train, *test = (replace(one, label=label) for one, label in zip(counts, classes.labels, strict=True))
    return Read(train, test[0] if test else None, groups, classes.notes)


def _refuse_labels(label: Tensor | None, name: str, documents: int, groups: tuple[str, ...]) -> None:
    """Compare labels with the documents and the classes' names.

    Raises:
        DataError: They do not belong together.
    """
    if label is not None and len(label) != documents:
        raise DataError(f"{name} should be {documents} whole numbers, one for each document")
    if label is not None and groups and int(label.max()) >= len(groups):
        raise DataError(f"{name} go up to {int(label.max())}, and groups names {len(groups)} classes")


def _counts(arrays: Mapping[str, NDArray[Any]], part: str, file: Path) -> Counts:
    """Make sparse rows of the arrays of a part.

    Raises:
        DataError: An array is missing, they do not belong together, or a count is none.
    """
    from scipy.sparse import csr_matrix  # it takes a fifth of a second to import

    wanted = [f"{part}_data", f"{part}_indices", f"{part}_indptr", "vocab"]
    missing = [name for name in wanted if name not in arrays]
    if missing:
        raise DataError(f"{file} has no {missing[0]}; it has {', '.join(sorted(arrays)) or 'nothing'}")
    data, indices, rows, vocabulary = (arrays[name] for name in wanted)
    documents = max(0, np.size(rows) - 1)
    try:
        table = csr_matrix((data, indices.astype(np.int64), rows), (documents, len(vocabulary)))
        table.check_format(full_check=True)
        if rows[-1] != len(data):
            raise ValueError(f"{len(data)} values for the {rows[-1]} that {wanted[2]} ends with")
    except (ValueError, TypeError, IndexError) as error:
        raise DataError(f"{', '.join(wanted)} of {file} do not belong together: {error}") from error
    if data.dtype.kind not in "iuf" or not (np.isfinite(data).all() and (data >= 0).all()):
        raise DataError(f"{part}_data of {file} should be counts, numbers from 0")
    names = [f"row {number} of {part} in {file}" for number in range(documents)]
    return Counts(table, names, None)


def _from_folder(folder: Path) -> Read:
    files = files_of(folder, TEXT)
    if not files:
        raise DataError(f"no text in {folder}; files that end in .txt, .text, .md or nothing are read")
    folders, others = arranged(folder, files), left_out_of(folder, files)
    texts = {file: _text(file) for file, part in zip(files, folders.part, strict=True) if part}
    parts = {name: _rows_of(folders.part, name) for name in ("train", "validation", "test")}
    trained = [files[row] for name in ("train", "validation") for row in parts[name]]
    tested = [files[row] for row in parts["test"]]
    tables = _counted([texts[file] for file in trained], *([[texts[file] for file in tested]] if tested else []))
    made = [
        Counts(table, [str(file) for file in some], _labels_of(folders.label, files, some))
        for table, some in zip(tables, (trained, tested), strict=False)
    ]
    told = (f"left out {counted(len(others), 'file')}, no texts that can be read: {listed(others)}",) if others else ()
    notes, left_out = (*folders.notes, *told), (*others, *folders.left_out)
    return Read(made[0], made[1] if tested else None, folders.names, notes, left_out)


def _rows_of(parts: Sequence[str], name: str) -> list[int]:
    return [row for row, part in enumerate(parts) if part == name]


def _labels_of(label: Tensor | None, files: Sequence[Path], some: Sequence[Path]) -> Tensor | None:
    row = {file: number for number, file in enumerate(files)}
    return None if label is None else label[torch.tensor([row[file] for file in some])]


def _text(file: Path) -> str:
    """Read a text: UTF-8, or else Latin-1."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}") from error
    if b"\0" in raw:
        raise DataError(f"{file} is no text in UTF-8 or Latin-1")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _counted(train: Sequence[str], *others: Sequence[str]) -> list[Any]:
    """Count words of texts; the vocabulary is that of the first."""
    from sklearn.feature_extraction.text import CountVectorizer  # it takes a second to import

    counter = CountVectorizer(token_pattern=WORD, stop_words="english")
    try:
        return [counter.fit_transform(train), *(counter.transform(other) for other in others)]
    except ValueError as error:  # there is no word at all
        raise DataError(f"no words in {len(train)} documents: {str(error).partition(chr(10))[0]}") from error


def _newsgroups() -> Read:
    """Read the 20 newsgroups through scikit-learn."""
    from sklearn.datasets import fetch_20newsgroups  # it takes a second to import

    try:
        train, test = (
            cast(Any, fetch_20newsgroups(subset=part, shuffle=False, remove=("headers", "footers"), n_retries=1))
            for part in ("train", "test")
        )
    except OSError as error:
        raise DataError(
            f"scikit-learn cannot download the 20 newsgroups: {error}\n"
            "give counts or a folder of texts: --data documents:FILE.npz, --data documents:DIR"
        ) from error
    found = [
        Counts(table, [Path(name).name for name in part.filenames], torch.as_tensor(part.target).long())
        for table, part in zip(_counted(train.data, test.data), (train, test), strict=True)
    ]
    return Read(found[0], found[1], tuple(train.target_names))
