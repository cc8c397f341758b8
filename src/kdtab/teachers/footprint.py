"""What a student weighs and how long one row takes it: known before it has learnt anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import polars as pl
from returns.result import Result, Success

from kdtab.bundle import ModelBundle, to_record
from kdtab.config.choice import ChoiceOptions
from kdtab.data.prepare import PreparedTable
from kdtab.errors.issue import Issues
from kdtab.errors.training import BudgetTooSmall
from kdtab.models.build import build_model
from kdtab.results import fail
from kdtab.serving.models import served_model
from kdtab.shell.assemble import network_bundle, planned_provenance
from kdtab.shell.halving import halved_network
from kdtab.shell.scoring import stored_bytes
from kdtab.shell.seed import seeded
from kdtab.shell.timing import seconds_of_each
from kdtab.shell.trained import FitPlan

TIMED_ROWS = 64
TIMED_ROUNDS = 5


@final
@dataclass(frozen=True)
class Footprint:
    """What a student costs whoever serves it.

    Attributes:
        bytes: Of its file.
        row_microseconds: Of one row alone, from a dictionary to outputs; the median.

    Example:
        >>> Footprint(bytes=40_000, row_microseconds=11.0).bytes
        40000
    """

    bytes: int
    row_microseconds: float

    def within(self, choice: ChoiceOptions) -> bool:
        """Whether limits are kept.

        Args:
            choice: With the limits.

        Returns:
            False where one of them is exceeded.

        Example:
            >>> Footprint(40_000, 11.0).within(ChoiceOptions(max_bytes=30_000))
            False
        """
        small = choice.max_bytes is None or self.bytes <= choice.max_bytes
        fast = choice.max_latency is None or self.row_microseconds <= choice.max_latency
        return small and fast


def fitting_plans(
    prepared: PreparedTable, plans: Sequence[FitPlan], frame: pl.DataFrame, choice: ChoiceOptions
) -> Result[tuple[int, ...], Issues]:
    """Which plans give a student within the limits: weights do not matter, only their number.

    Args:
        prepared: The table.
        plans: Of the students.
        frame: The raw table; some of its rows are served to take the time.
        choice: The limits.

    Returns:
        Their places in order, or `BudgetTooSmall` with the smallest student where there is none.

    Example:
        >>> fitting_plans.__name__
        'fitting_plans'
    """
    rows = frame[prepared.split.training[:TIMED_ROWS]].to_dicts()
    found = [_footprint(prepared, plan, rows) for plan in plans]
    within = tuple(place for place, each in enumerate(found) if each.within(choice))
    if within:
        return Success(within)
    return fail(
        BudgetTooSmall(
            max_bytes=choice.max_bytes,
            max_latency=choice.max_latency,
            smallest_bytes=min(each.bytes for each in found),
            shortest_latency=round(min(each.row_microseconds for each in found), 1),
        )
    )


def small_enough(
    bundles: Sequence[ModelBundle | None], choice: ChoiceOptions
) -> Result[tuple[int, ...], Issues]:
    """Which fitted students are no larger than allowed: their speed was known before.

    Args:
        bundles: Each can be saved; None for a student whose fit failed.
        choice: The limits.

    Returns:
        Their places in order, those of failed fits among them; `BudgetTooSmall` with the smallest
        where all fitted ones are larger.

    Example:
        >>> small_enough([None], ChoiceOptions(max_bytes=9)).unwrap()
        (0,)
    """
    limit, every = choice.max_bytes, tuple(range(len(bundles)))
    if limit is None or not any(bundles):
        return Success(every)
    sizes = [None if bundle is None else stored_bytes(bundle) for bundle in bundles]
    within = tuple(place for place, size in enumerate(sizes) if size is None or size <= limit)
    if any(sizes[place] is not None for place in within):
        return Success(within)
    return fail(
        BudgetTooSmall(
            max_bytes=limit,
            max_latency=None,
            smallest_bytes=min(size for size in sizes if size is not None),
            shortest_latency=None,
        )
    )


def _footprint(
    prepared: PreparedTable, plan: FitPlan, rows: Sequence[Mapping[str, object]]
) -> Footprint:
    with seeded(plan.config.random_seed):
        network = build_model(plan.spec).eval()
    if plan.half_precision:
        network = halved_network(network)
    bundle = network_bundle(prepared, network, plan, planned_provenance(prepared, plan))
    return Footprint(stored_bytes(bundle), _row_microseconds(bundle, rows))


def _row_microseconds(bundle: ModelBundle, rows: Sequence[Mapping[str, object]]) -> float:
    """The smallest of a few medians: other work on the machine only ever adds to a time."""
    model = to_record(bundle).bind(served_model).unwrap()
    rounds = (seconds_of_each(model.outputs_of_row, rows) for _ in range(TIMED_ROUNDS))
    return min(float(np.median(seconds)) for seconds in rounds) * 1e6
