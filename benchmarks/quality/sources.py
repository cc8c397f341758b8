"""The tables of the protocol: those of a folder with an index, and scikit-learn's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from benchmarks.results import table_entries
from sklearn import datasets

from kdtab.config.columns import ColumnOptions
from kdtab.config.training import RequestedTask
from kdtab.data.arrays import IntArray
from kdtab.disk.tables import read_table

TEST_SHARE = VALIDATION_SHARE = 0.2
TRAINING_SHARE = 1 - TEST_SHARE - VALIDATION_SHARE
TARGET = "target"
OWN: dict[str, RequestedTask] = {
    "iris": "classification",
    "wine": "classification",
    "breast_cancer": "classification",
    "digits": "classification",
    "diabetes": "regression",
}


@dataclass(frozen=True)
class Source:
    """A table that can be read, and how.

    `columns` says what the index knows of it; `task` is "auto" where the target decides.
    """

    name: str
    target: str
    task: RequestedTask
    columns: ColumnOptions
    read: Callable[[], pl.DataFrame]


@dataclass(frozen=True)
class DrawnTable:
    """Rows of a table: all, or as many as the protocol allows.

    `numbers` are the rows' numbers in the whole table, so that a row that two seeds test is known
    to be one row.
    """

    frame: pl.DataFrame
    numbers: IntArray


def sources(folder: Path | None, names: Sequence[str] = ()) -> tuple[Source, ...]:
    """The folder's tables, then scikit-learn's that are not among them.

    An unknown name ends the program: a run that silently leaves a table out would look complete.
    """
    found = {source.name: source for source in (*_own(), *_of_folder(folder))}
    unknown = sorted(set(names) - set(found))
    if unknown:
        known = ", ".join(sorted(found))
        raise SystemExit(f"no table is named {', '.join(unknown)}: there are {known}")
    return tuple(found[name] for name in sorted(found) if not names or name in names)


def drawn_table(source: Source, seed: int, most_training_rows: int) -> DrawnTable:
    """At most so many rows that the training part has no more than the protocol allows."""
    frame = source.read()
    most = round(most_training_rows / TRAINING_SHARE)
    if frame.height <= most:
        return DrawnTable(frame, np.arange(frame.height))
    generator = np.random.default_rng(seed)
    numbers = np.sort(generator.choice(frame.height, most, replace=False))
    return DrawnTable(frame[numbers], numbers)


def _of_folder(folder: Path | None) -> Iterator[Source]:
    if folder is None:
        return
    for entry in table_entries(folder, ()):
        yield Source(
            entry.name,
            entry.target,
            "auto",
            entry.columns,
            partial(_of_file, entry.path, entry.target),
        )


def _of_file(path: Path, target: str) -> pl.DataFrame:
    """Rows without a target are left out: no student of the protocol may learn from them."""
    return read_table(path).unwrap().drop_nulls(target)


def _own() -> Iterator[Source]:
    for name, task in OWN.items():
        yield Source(name, TARGET, task, ColumnOptions(), partial(_of_sklearn, name))


def _of_sklearn(name: str) -> pl.DataFrame:
    inputs, targets = getattr(datasets, f"load_{name}")(return_X_y=True)
    columns = {f"x{place}": inputs[:, place] for place in range(inputs.shape[1])}
    texts = OWN[name] == "classification"
    return pl.DataFrame(columns).with_columns(
        pl.Series(TARGET, [f"class {code}" for code in targets] if texts else targets)
    )
