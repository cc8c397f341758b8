"""Parts of the rows, by columns that a person names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import polars as pl
from returns.result import Success

from kdtab.data.arrays import FloatArray
from kdtab.errors.columns import ColumnMissing
from kdtab.report.inputs import Segmentation
from kdtab.report.wording import number_text
from kdtab.results import Checked, collect, fail
from kdtab.teachers.rows import typed_frame

MOST_SEGMENTS = 8
MISSING = "missing"
OTHERS = "all others"


def segments_by_columns(
    frame: pl.DataFrame, names: Sequence[str]
) -> Checked[tuple[Segmentation, ...]]:
    """Segments by the values of columns: quarters of a numeric one, else the most frequent values.

    A text column of nothing but numbers, as a CSV has them, is numeric.

    Args:
        frame: [N] the measured rows, in their order.
        names: The columns.

    Returns:
        One segmentation for each column, at most eight segments in each; or a `ColumnMissing` for
        each name that the frame does not have.

    Example:
        >>> frame = pl.DataFrame({"sex": ["f", "m", "f", None]})
        >>> (found,) = segments_by_columns(frame, ["sex"]).unwrap()
        >>> found.labels, found.codes.tolist()
        (('f', 'm', 'missing'), [0, 1, 0, 2])
    """
    return collect(_segmentation(frame, name) for name in names)


def _segmentation(frame: pl.DataFrame, name: str) -> Checked[Segmentation]:
    if name not in frame.columns:
        return fail(ColumnMissing(name=name, role="segment", columns=tuple(frame.columns)))
    column = frame[name]
    (typed,) = typed_frame(frame.select(name)).get_columns()
    if typed.dtype.is_numeric() and typed.n_unique() > MOST_SEGMENTS:
        return Success(_quarters(name, typed.cast(pl.Float64).fill_null(float("nan")).to_numpy()))
    return Success(_by_frequency(name, [None if item is None else str(item) for item in column]))


def _quarters(name: str, values: FloatArray) -> Segmentation:
    known = np.isfinite(values)
    inner = np.unique(np.quantile(values[known], [0.25, 0.5, 0.75])) if known.any() else values[:0]
    places = np.searchsorted(inner, values[known], side="left")
    kept, codes = np.unique(places, return_inverse=True)
    labels = [_span(values[known][places == place]) for place in kept]
    every = np.full(len(values), len(labels))
    every[known] = codes
    return Segmentation(name, (*labels, *([MISSING] * (not known.all()))), every)


def _span(values: FloatArray) -> str:
    low, high = number_text(float(values.min())), number_text(float(values.max()))
    return low if low == high else f"{low} to {high}"


def _by_frequency(name: str, values: Sequence[str | None]) -> Segmentation:
    counts = Counter(value for value in values if value is not None)
    ranked = sorted(counts, key=lambda value: (-counts[value], value))
    kept = ranked if len(ranked) <= MOST_SEGMENTS else ranked[: MOST_SEGMENTS - 1]
    missing = None in values
    labels = (*kept, *([OTHERS] * (len(kept) < len(ranked))), *([MISSING] * missing))
    places: dict[str | None, int] = {value: place for place, value in enumerate(kept)}
    places |= {None: len(labels) - 1}
    codes = [places.get(value, len(kept)) for value in values]
    return Segmentation(name, labels, np.array(codes, dtype=np.int64))
