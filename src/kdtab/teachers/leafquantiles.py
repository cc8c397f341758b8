"""Quantiles of a forest: rows that share leaves with a row are a sample of what may come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from kdtab.data.arrays import BoolArray, Float32Array, FloatArray, IntArray
from kdtab.shell.trained import LabelMethod
from kdtab.teachers.kinds import Lessons

if TYPE_CHECKING:  # scikit-learn is imported where trees are grown: that takes a second
    from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

    Forest: TypeAlias = RandomForestRegressor | ExtraTreesRegressor

QuantileKind: TypeAlias = Literal["forest", "extra_trees"]
QUANTILE_KINDS: tuple[QuantileKind, ...] = ("forest", "extra_trees")
TREES = 200
LEAF_ROWS = 5
SPLIT_COLUMNS = 1 / 3
BLOCK_ROWS = 1_024
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class LeafQuantiles:
    """A forest with the values of its training rows (Meinshausen 2006, "Quantile regression forests").

    The weight of a training row i for a row x is the mean over trees of
    n_i · [i shares the leaf of x] / Σ_j n_j · [j shares the leaf of x], with n_i how often i is in
    the sample of the tree. The τ-quantile of x is the smallest value up to which the weights sum
    to τ.

    Attributes:
        forest: Grown.
        ranked: [N] values of the training rows, ascending.
        leaves: [leaves of all trees, N] weight of each training row, by rank, within each leaf.
        first_leaf: [B] the row of `leaves` at which each tree's nodes begin.

    Example:
        >>> LeafQuantiles.__dataclass_params__.frozen
        True
    """

    forest: Forest
    ranked: FloatArray
    leaves: csr_array
    first_leaf: IntArray

    def quantiles(
        self, rows: Float32Array, levels: tuple[float, ...], asked: BoolArray | None = None
    ) -> FloatArray:
        """Quantiles of what may come of rows.

        Args:
            rows: [M, D].
            levels: [K] τ, rising.
            asked: [M, B] which trees speak of a row; None: all.

        Returns:
            [M, K], not falling along a row; NaN for a row of which no tree speaks.

        Example:
            >>> x = np.array([[0.0], [0.0], [0.0], [9.0], [9.0], [9.0]], dtype=np.float32)
            >>> grown = grown_quantiles("forest", x, np.array([1.0, 2.0, 3.0, 7.0, 8.0, 9.0]), seed=0)
            >>> grown.quantiles(x[:1], (0.1, 0.5)).shape
            (1, 2)
        """
        nodes = self.forest.apply(rows).astype(np.int64)
        trees = np.ones(nodes.shape, dtype=np.bool_) if asked is None else asked
        found = np.full((len(rows), len(levels)), np.nan)
        for start in range(0, len(rows), BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            found[block] = self._of_block(nodes[block], trees[block], levels)
        return found

    def _of_block(self, nodes: IntArray, asked: BoolArray, levels: tuple[float, ...]) -> FloatArray:
        row, tree = np.nonzero(asked)
        share = 1 / asked.sum(axis=1)[row]
        places = nodes[row, tree] + self.first_leaf[tree]
        ends = np.concatenate([[0], np.cumsum(asked.sum(axis=1))])
        shape = (len(nodes), int(self.first_leaf[-1]))
        weights = (csr_array((share, places, ends), shape=shape) @ self.leaves).sorted_indices()
        return self._at_levels(weights, levels)

    def _at_levels(self, weights: csr_array, levels: tuple[float, ...]) -> FloatArray:
        """One search for all rows: their cumulated weights stand one after the other."""
        starts, ends = weights.indptr[:-1], weights.indptr[1:]
        found = np.full((len(starts), len(levels)), np.nan)
        known = ends > starts
        if not known.any():
            return found
        sums = np.cumsum(weights.data)
        before = np.concatenate([[0.0], sums])[starts[known]]
        for column, level in enumerate(levels):
            at = np.searchsorted(sums, before + level - ROUNDING)
            held = np.clip(at, starts[known], ends[known] - 1)
            found[known, column] = self.ranked[weights.indices[held]]
        return found


def grown_quantiles(
    kind: QuantileKind, rows: Float32Array, values: FloatArray, *, seed: int, trees: int = TREES
) -> LeafQuantiles:
    """Grow a forest whose leaves are samples: five rows each, at least.

    Args:
        kind: Breiman's random forest, or extremely randomised trees; both on bootstrap samples.
        rows: [N, D] training rows.
        values: [N] their targets, in any unit.
        seed: Of the forest.
        trees: B.

    Returns:
        The forest, ready to be asked.

    Example:
        >>> x = np.linspace(0, 1, 40, dtype=np.float32)[:, None]
        >>> grown = grown_quantiles("extra_trees", x, x[:, 0].astype(float), seed=0, trees=9)
        >>> low, high = grown.quantiles(x[20:21], (0.1, 0.9))[0]
        >>> bool(low < high)
        True
    """
    from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

    regressor = RandomForestRegressor if kind == "forest" else ExtraTreesRegressor
    forest = regressor(
        trees,
        bootstrap=True,
        max_features=SPLIT_COLUMNS,
        min_samples_leaf=LEAF_ROWS,
        n_jobs=1,
        random_state=seed,
    ).fit(rows, values)
    nodes = forest.apply(rows).astype(np.int64)
    first = np.concatenate([[0], np.cumsum(nodes.max(axis=0) + 1)])
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[order] = np.arange(len(values))
    leaves = _leaf_weights(
        nodes + first[:-1], _bag_counts(forest, len(rows)), ranks, int(first[-1])
    )
    return LeafQuantiles(forest, values[order], leaves, first)


def out_of_bag_quantiles(
    grown: LeafQuantiles, rows: Float32Array, levels: tuple[float, ...], groups: IntArray
) -> FloatArray:
    """Quantiles of the training rows themselves, each by the trees that saw none of its group.

    Args:
        grown: Grown on these very rows.
        rows: [N, D] the training rows.
        levels: [K] τ, rising.
        groups: [N] rows of one number are never on both sides.

    Returns:
        [N, K]; NaN for a row whose group is in the sample of every tree.

    Example:
        >>> x = np.linspace(0, 1, 40, dtype=np.float32)[:, None]
        >>> grown = grown_quantiles("forest", x, x[:, 0].astype(float), seed=0, trees=1)
        >>> said = out_of_bag_quantiles(grown, x, (0.5,), np.arange(40))
        >>> 0.2 < float(np.isnan(said).mean()) < 0.8
        True
    """
    seen = _bag_counts(grown.forest, len(rows)) > 0  # [N, B]
    _, numbers = np.unique(groups, return_inverse=True)
    by_group = np.zeros((int(numbers.max()) + 1, seen.shape[1]), dtype=np.bool_)
    np.logical_or.at(by_group, numbers, seen)
    return grown.quantiles(rows, levels, asked=~by_group[numbers])


@dataclass(frozen=True, eq=False)
class SpokenQuantiles:
    """What a forest says of its training rows, and the forest of all of them.

    Attributes:
        training: [N, K] quantiles, NaN in rows of which no tree could speak.
        grown: To ask about other rows.
        method: How the training rows were kept from the trees that label them.

    Example:
        >>> SpokenQuantiles.__dataclass_params__.frozen
        True
    """

    training: FloatArray
    grown: LeafQuantiles
    method: LabelMethod


def spoken_quantiles(
    kind: QuantileKind, lessons: Lessons, levels: tuple[float, ...], *, trees: int = TREES
) -> SpokenQuantiles:
    """Grow a forest on the training rows, and let it label them.

    Args:
        kind: Which forest.
        lessons: Rows, values, folds and policy: out of bag where few rows have twins and none are
            tied by a column, by folds elsewhere, and "in_sample" only by that policy.
        levels: [K] τ, rising.
        trees: B.

    Returns:
        Its quantiles in the unit of the targets.

    Example:
        >>> from kdtab.data.folds import fold_rows
        >>> from kdtab.teachers.lesson import Lesson
        >>> x, y = np.linspace(0, 1, 60, dtype=np.float32)[:, None], np.linspace(0, 1, 60)
        >>> folds = fold_rows(np.zeros(60, np.int64), np.arange(60), count=3, seed=0).unwrap()
        >>> said = spoken_quantiles("forest", Lessons(Lesson("regression", 1), x, y, folds), (0.5,))
        >>> said.method, said.training.shape
        ('out_of_bag', (60, 1))
    """
    rows, values = lessons.rows, lessons.targets.astype(np.float64)
    seed = lessons.lesson.random_seed
    lessons.heard("all training rows")
    grown = grown_quantiles(kind, rows, values, seed=seed, trees=trees)
    if lessons.policy == "in_sample":
        return SpokenQuantiles(grown.quantiles(rows, levels), grown, "in_sample")
    if lessons.out_of_bag:
        groups = lessons.folds.groups
        return SpokenQuantiles(
            out_of_bag_quantiles(grown, rows, levels, groups), grown, "out_of_bag"
        )
    every = np.full((len(rows), len(levels)), np.nan)
    for fold, seen in enumerate(lessons.folds.fits):
        asked = lessons.folds.rows(fold)
        if len(seen) and len(asked):
            lessons.heard(f"fold {fold + 1} of {len(lessons.folds.fits)}")
            other = grown_quantiles(kind, rows[seen], values[seen], seed=seed, trees=trees)
            every[asked] = other.quantiles(rows[asked], levels)
    return SpokenQuantiles(every, grown, "out_of_fold")


def _bag_counts(forest: Forest, rows: int) -> IntArray:
    """[N, B] how often each row is in the sample of each tree."""
    samples = forest.estimators_samples_
    return np.stack([np.bincount(sample, minlength=rows) for sample in samples], axis=1)


def _leaf_weights(
    places: IntArray, counts: IntArray, ranks: IntArray, leaf_count: int
) -> csr_array:
    """[leaves, N] shares of a leaf's sample, by rank; a leaf's own sum to 1."""
    row, tree = np.nonzero(counts)
    at, often = places[row, tree], counts[row, tree].astype(np.float64)
    totals = np.bincount(at, often, minlength=leaf_count)
    order = np.lexsort((ranks[row], at))
    ends = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=leaf_count))])
    shares = (often / totals[at])[order]
    return csr_array((shares, ranks[row][order], ends), shape=(leaf_count, len(ranks)))
