"""Rows without a label that a teacher has labelled, beside the training rows of a table."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from kdtab.data.arrays import Float32Array, IntArray
from kdtab.shell.fitrows import FitRows

MOST_SYNTHETIC = 12
"""Synthetic rows for each labelled one, by weight: so many were tried, and were not worse."""


@dataclass(frozen=True, eq=False)
class ExtraRows:
    """What a student learns from beside the training rows, by the soft loss alone.

    They are no part of the `PreparedTable`: metrics, folds and the gate never see them.

    Attributes:
        inputs: [M, D] encoded rows.
        spoken: [M, C] what the teacher said, as students take it; no row of it NaN.
        synthetic: How many of them were made up.
        unlabelled: How many of them are real.
        notes: What a person should know of the real ones.
        synthetic_notes: And of those that were made up.

    Example:
        >>> ExtraRows(np.zeros((0, 3), np.float32), np.zeros((0, 2), np.float32)).synthetic
        0
    """

    inputs: Float32Array
    spoken: Float32Array
    synthetic: int = 0
    unlabelled: int = 0
    notes: tuple[str, ...] = ()
    synthetic_notes: tuple[str, ...] = ()

    def repeats(self, rows: int) -> int:
        """How often each labelled row is seen in an epoch, so that it is not drowned.

        Synthetic rows weigh at most 12 times what the labelled ones do: beyond that the labelled
        rows are seen twice, three times …

        Args:
            rows: Labelled rows, at least one.

        Returns:
            ⌈synthetic / (12 · rows)⌉, at least 1.

        Example:
            >>> nobody = np.zeros((0, 1), np.float32)
            >>> [ExtraRows(nobody, nobody, synthetic=count).repeats(100) for count in (400, 1_201)]
            [1, 2]
        """
        return max(1, math.ceil(self.synthetic / (MOST_SYNTHETIC * rows)))

    def with_share(self, share: float) -> ExtraRows:
        """The real rows, and some of the synthetic ones.

        Args:
            share: Of the synthetic rows, in [0, 1]: the first of them.

        Returns:
            The same value for a share of 1; without a word of synthetic rows where none is left.

        Example:
            >>> rows = np.zeros((5, 1), np.float32)
            >>> ExtraRows(rows, rows, synthetic=4, unlabelled=1).with_share(0.5).inputs.shape
            (3, 1)
        """
        if share >= 1:
            return self
        synthetic = round(self.synthetic * share)
        kept = self.unlabelled + synthetic
        return replace(
            self,
            inputs=self.inputs[:kept],
            spoken=self.spoken[:kept],
            synthetic=synthetic,
            synthetic_notes=(*self.synthetic_notes, f"{synthetic:,} of them are learnt from")
            if synthetic
            else (),
        )

    def beside(self, rows: FitRows) -> FitRows:
        """The labelled rows, and after them these.

        Args:
            rows: The training rows, with soft targets.

        Returns:
            Rows of which the last M have no label.

        Example:
            >>> one = np.ones((1, 1), np.float32)
            >>> ExtraRows(one, one).beside(FitRows(one, np.array([0]), one)).targets.tolist()
            [0, -1]
        """
        assert rows.soft_targets is not None, "who has extra rows has a teacher"
        times = self.repeats(len(rows.inputs))
        return FitRows(
            np.concatenate([rows.inputs] * times + [self.inputs]),
            _targets(rows.targets, times, len(self.inputs)),
            np.concatenate([rows.soft_targets] * times + [self.spoken]),
        )


def _targets(
    targets: IntArray | Float32Array, times: int, unlabelled: int
) -> IntArray | Float32Array:
    if targets.dtype.kind == "f":
        values = np.full((unlabelled, 1), np.nan, dtype=np.float32)
        floats: Float32Array = np.concatenate([*[targets] * times, values]).astype(np.float32)
        return floats
    codes: IntArray = np.concatenate([*[targets] * times, np.full(unlabelled, -1)]).astype(np.int64)
    return codes
