"""Synthetic rows between neighbours, for a teacher to label: MUNGE for columns of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from kdtab.config.distillation import DistillConfig
from kdtab.data.arrays import BoolArray, Float32Array, IntArray
from kdtab.data.artifacts import Artifacts, encode_features
from kdtab.data.mutation import Cells, changeable_cells, with_cells
from kdtab.data.neighbours import (
    WHOLE_SEARCH_ROWS,
    distances_to,
    distances_to_others,
    metric_points,
    nearest_others,
)
from kdtab.data.split import input_hashes, twin_groups

FEWEST_ROWS = 20
"""Of fewer rows a neighbour is no neighbour."""

ROUNDS = 5
"""A row that exists already is drawn so many times in all before it is given up."""

MEASURED_ROWS = 1_000
"""Rows whose distances stand for those of all."""


@dataclass(frozen=True)
class AugmentReport:
    """What became of the wish for synthetic rows.

    Distances are mixed ones, to the nearest training row; see `metric_points`.

    Attributes:
        made: Synthetic rows.
        dropped: Rows that were not made: every draw gave one that exists already.
        skipped: Why no row was made at all; None where some were asked for and tried.
        distances: Of the synthetic rows, the median and the 95th percentile.
        own_distances: Of training rows from the nearest different one, the same two.

    Example:
        >>> AugmentReport(made=0, dropped=0, skipped="too few rows").notes
        ('no synthetic rows: too few rows',)
    """

    made: int
    dropped: int
    skipped: str | None = None
    distances: tuple[float, float] = (0.0, 0.0)
    own_distances: tuple[float, float] = (0.0, 0.0)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, one sentence each.

        Example:
            >>> AugmentReport(400, 0, None, (0.25, 1.0), (0.5, 2.0)).notes
            ('400 synthetic rows, labelled by the teacher: median distance to a training row 0.25 (95 %: 1), between training rows 0.5 (95 %: 2)',)
        """
        return tuple(self._sentences())

    def _sentences(self) -> Iterator[str]:
        if self.skipped is not None:
            yield f"no synthetic rows: {self.skipped}"
            return
        if self.made:
            (median, high), (own, own_high) = self.distances, self.own_distances
            yield (
                f"{self.made:,} synthetic rows, labelled by the teacher: median distance to a "
                f"training row {median:.3g} (95 %: {high:.3g}), between training rows {own:.3g} "
                f"(95 %: {own_high:.3g})"
            )
        if self.dropped:
            yield f"{self.dropped:,} synthetic rows were not made: they exist already"


@dataclass(frozen=True, eq=False)
class Augmented:
    """Synthetic rows.

    Attributes:
        frame: [M] rows with the columns and types of the rows that they were made from.
        inputs: [M, D] the same rows, encoded.
        report: What became of the wish.

    Example:
        >>> Augmented.__dataclass_params__.frozen
        True
    """

    frame: pl.DataFrame
    inputs: Float32Array
    report: AugmentReport


def augmented_rows(
    rows: pl.DataFrame, artifacts: Artifacts, knobs: DistillConfig, generator: np.random.Generator
) -> Augmented:
    """Rows like the training rows, and none of them (MUNGE, Bucilă et al. 2006).

    The nearest different row is the partner of a row. `augment` times over the table each column
    changes with probability `augment_swap`: a category, a truth value and a date become the
    partner's, a number is drawn from N(b, |a − b| / s) with b the partner's and s `augment_spread`,
    whole where the column is, and within the range that was seen. A cell without a value stays so,
    and none loses its value. Columns that are no features are the row's own.

    At least one cell changes in each row. A row that equals a training row, or a synthetic one, in
    every encoded column is drawn again, four times at most.

    Args:
        rows: [N] training rows and no others; not changed.
        artifacts: Say what the columns are, and encode.
        knobs: `augment`, `augment_swap` and `augment_spread`.
        generator: Of all random choices.

    Returns:
        About `augment` · N rows; none where N is below 20 or where nothing can change.

    Example:
        >>> from kdtab.config.schema import NumericColumn
        >>> from kdtab.data.artifacts import fit_artifacts
        >>> rows = pl.DataFrame({"x": [value / 7 for value in range(50)]})
        >>> known = fit_artifacts(rows, (NumericColumn(name="x", reason=""),), ())
        >>> made = augmented_rows(rows, known, DistillConfig(augment=2), np.random.default_rng(0))
        >>> made.frame.shape, made.inputs.shape, made.report.dropped
        ((100, 1), (100, 1), 0)
    """
    if rows.height < FEWEST_ROWS:
        return _nothing(rows, artifacts, f"{rows.height} training rows, fewer than {FEWEST_ROWS}")
    inputs = encode_features(rows, artifacts)
    twins = twin_groups(pl.DataFrame(inputs))
    _, firsts = np.unique(twins, return_index=True)
    if len(firsts) < 2:
        return _nothing(rows, artifacts, "the training rows are all the same")
    points = metric_points(inputs[firsts], artifacts)
    partners = firsts[nearest_others(points, generator)][twins]  # of each row, as of its twins
    every = changeable_cells(rows, artifacts, knobs.augment_spread)
    parents = _parents(rows.height, knobs.augment, generator)
    able = _able(every, partners)[parents]
    pairs = _Pairs(rows, inputs, artifacts, every, partners)
    frame, made, given_up = _made(pairs, parents[able], knobs.augment_swap, generator)
    report = AugmentReport(
        len(made),
        int((~able).sum()) + given_up,
        None,
        *_distances(metric_points(made, artifacts), points, generator),
    )
    return Augmented(frame, made, report)


@dataclass(frozen=True, eq=False)
class _Pairs:
    rows: pl.DataFrame
    inputs: Float32Array
    artifacts: Artifacts
    cells: tuple[Cells, ...]
    partners: IntArray


def _nothing(rows: pl.DataFrame, artifacts: Artifacts, reason: str) -> Augmented:
    nobody = np.empty((0, artifacts.input_dim), dtype=np.float32)
    return Augmented(rows.clear(), nobody, AugmentReport(0, 0, reason))


def _parents(rows: int, times: float, generator: np.random.Generator) -> IntArray:
    """Every row in each whole pass, and some rows in the last part of one."""
    whole = np.tile(np.arange(rows), int(times))
    rest = generator.permutation(rows)[: round(rows * (times - int(times)))]
    return np.concatenate([whole, np.sort(rest)])


def _able(every: tuple[Cells, ...], partners: IntArray) -> BoolArray:
    """[N] whether any cell of the row differs from its partner's, both being there."""
    own = np.arange(len(partners))
    able = np.zeros(len(partners), dtype=np.bool_)
    for cells in every:
        able |= cells.differ(own, partners)
    return able


def _made(
    pairs: _Pairs, parents: IntArray, swap: float, generator: np.random.Generator
) -> tuple[pl.DataFrame, Float32Array, int]:
    """The rows, encoded too, in the order of their parents; and how many were given up."""
    known = input_hashes(pairs.inputs)
    waiting = np.arange(len(parents))
    frames, matrices, places = [pairs.rows.clear()], [pairs.inputs[:0]], [waiting[:0]]
    for _ in range(ROUNDS):
        drawn = _drawn(pairs, parents[waiting], swap, generator)
        inputs = encode_features(drawn, pairs.artifacts)
        hashes = input_hashes(inputs)
        is_new = ~np.isin(hashes, known) & _is_first(hashes)
        frames.append(drawn.filter(pl.Series(is_new)))
        matrices.append(inputs[is_new])
        places.append(waiting[is_new])
        known = np.concatenate([known, hashes[is_new]])
        waiting = waiting[~is_new]
        if not len(waiting):
            break
    order = np.argsort(np.concatenate(places), kind="stable")
    return pl.concat(frames)[order], np.concatenate(matrices)[order], len(waiting)


def _drawn(
    pairs: _Pairs, parents: IntArray, swap: float, generator: np.random.Generator
) -> pl.DataFrame:
    partners = pairs.partners[parents]
    differ = np.stack([cells.differ(parents, partners) for cells in pairs.cells], axis=1)
    changes = (generator.random(differ.shape) < swap) & differ
    chosen = np.where(differ, generator.random(differ.shape), -1.0).argmax(axis=1)
    none = ~changes.any(axis=1)
    changes[none, chosen[none]] = True
    return with_cells(pairs.rows, pairs.cells, parents, partners, changes, generator)


def _is_first(hashes: IntArray) -> BoolArray:
    first = np.zeros(len(hashes), dtype=np.bool_)
    first[np.unique(hashes, return_index=True)[1]] = True
    return first


def _distances(
    made: Float32Array, training: Float32Array, generator: np.random.Generator
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Samples of both against the same training rows."""
    beside = training[generator.permutation(len(training))[:WHOLE_SEARCH_ROWS]]
    asked = made[generator.permutation(len(made))[:MEASURED_ROWS]]
    own = np.arange(min(len(beside), MEASURED_ROWS))
    if not len(asked):
        return (0.0, 0.0), (0.0, 0.0)
    measured = distances_to(asked, beside), distances_to_others(beside, own)
    (median, high), (own_median, own_high) = (np.quantile(each, (0.5, 0.95)) for each in measured)
    return (float(median), float(high)), (float(own_median), float(own_high))
