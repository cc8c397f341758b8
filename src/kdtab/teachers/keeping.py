"""Which student of a search is handed out, with the teacher's own standing in mind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kdtab.data.arrays import FloatArray, IntArray
from kdtab.metrics.choice import place_to_keep
from kdtab.shell.trained import GateVerdict


def kept_place(
    losses: Sequence[FloatArray],
    usual: int,
    *,
    alone: int | None = None,
    verdict: GateVerdict | None = None,
    groups: IntArray | None = None,
) -> int:
    """The student to keep: the usual one, unless the teacher or the rows speak against it.

    The gate compares a teacher with the student alone; here students are compared with each other, on
    the same footing. Where the teacher is worse, a student of it must lead the one alone by more than
    one standard error; where its lead is in doubt, the validation rows decide between the two.

    Args:
        losses: [N] losses of the validation rows for each student; NaN for one that was not fitted.
        usual: Place of the student that is kept without better knowledge.
        alone: Place of the student without a teacher; None without one.
        verdict: Of the teacher's gate; None where there was none.
        groups: [N] codes of rows that depend on each other; None makes every row one.

    Returns:
        Its place.

    Example:
        >>> import numpy as np
        >>> taught, alone = np.array([1.0, 1.1]), np.array([0.9, 1.3])
        >>> [kept_place([taught, alone], 0, alone=1, verdict=said)
        ...  for said in ("better", "not_clearly_better", "worse")]
        [0, 0, 1]
        >>> kept_place([alone, taught], 0, alone=1, verdict="not_clearly_better")
        1
    """
    if alone is None or not np.isfinite(losses[alone]).all():
        return place_to_keep(losses, usual, groups)
    if verdict == "worse":
        return place_to_keep(losses, alone, groups)
    kept = place_to_keep(losses, usual, groups)
    is_nearer = bool(losses[alone].mean() < losses[kept].mean())
    return alone if verdict == "not_clearly_better" and is_nearer else kept
