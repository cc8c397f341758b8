"""Which rows of a table a student and its companions have not seen, as far as their records tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from returns.result import Success

from kdtab.config.columns import ColumnOptions
from kdtab.config.manifest import Provenance
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.data.arrays import IntArray
from kdtab.data.fingerprint import table_fingerprint
from kdtab.data.labelled import (
    LabelledRows,
    TableRequest,
    split_labelled_rows,
)
from kdtab.data.split import Split
from kdtab.report.summary import Role
from kdtab.report.wording import ROLE_NAMES
from kdtab.results import Checked

NOT_KNOWN = "all rows with a target; which of them the models were trained on is not known"
Records = Mapping[Role, Provenance | None]


@dataclass(frozen=True, eq=False)
class ChosenRows:
    """The rows that models are measured on.

    Attributes:
        labelled: Their numbers in the table, and their targets.
        unseen_by: The models whose records say that they were held out; empty where that of the
            student does not.
        unknown_to: The others.

    Example:
        >>> ChosenRows.__dataclass_params__.frozen
        True
    """

    labelled: LabelledRows
    unseen_by: tuple[Role, ...]
    unknown_to: tuple[Role, ...]

    @property
    def which(self) -> str:
        """Which rows these are, as a phrase.

        Example:
            >>> ChosenRows(None, ("student", "scratch"), ("teacher",)).which
            'held out from student and scratch student; what the teacher saw is not known'
            >>> ChosenRows(None, (), ("teacher", "student")).which == NOT_KNOWN
            True
        """
        return held_out_phrase(self.unseen_by, self.unknown_to) if self.unseen_by else NOT_KNOWN


def held_out_phrase(unseen_by: Sequence[Role], unknown_to: Sequence[Role]) -> str:
    """Which rows are measured, where they were held out from someone.

    Args:
        unseen_by: At least one model.
        unknown_to: The others.

    Returns:
        A phrase.

    Example:
        >>> held_out_phrase(("teacher", "student", "scratch"), ())
        'held out from teacher, student and scratch student'
    """
    phrase = f"held out from {_listed(unseen_by)}"
    if not unknown_to:
        return phrase
    article = "the " if len(unknown_to) == 1 else ""
    return f"{phrase}; what {article}{_listed(unknown_to)} saw is not known"


def chosen_rows(
    request: TableRequest, labelled: LabelledRows, records: Records
) -> Checked[ChosenRows]:
    """The test rows of a student, on the very table that it was trained on; else every row.

    The table is the same where its fingerprint is: column order and spelling (`1`, `1.0`) do not
    matter, the order of the rows does. The split is the same where target, seed, size, excluded
    columns, missing markers and the columns that tie rows are, and where it gives as many rows as
    the student recorded.

    Args:
        request: The table.
        labelled: Its rows with a target.
        records: What is known of each model that is measured; None for a foreign one.

    Returns:
        The rows and whom they were held out from, or `TooFewRows`.

    Example:
        >>> import polars as pl
        >>> from kdtab.data.labelled import labelled_rows
        >>> from kdtab.data.target import TaskDecision
        >>> frame = pl.DataFrame({"x": [1, 2], "y": ["a", "b"]})
        >>> request = TableRequest(frame, TrainingConfig(target_column="y"), ColumnOptions())
        >>> labelled = labelled_rows(request, TaskDecision("classification", "")).unwrap()
        >>> chosen_rows(request, labelled, {"student": Provenance()}).unwrap().which == NOT_KNOWN
        True
    """
    roles = tuple(records)
    fingerprint = table_fingerprint(request.frame)
    asked = _split_settings(fingerprint, request.config, request.options, request.labels)
    every = ChosenRows(labelled, (), roles)
    student = records["student"]
    if student is None or asked != _recorded_split(student):
        return Success(every)
    unseen = tuple(role for role in roles if asked == _recorded_split(records[role]))
    return split_labelled_rows(request, labelled).map(
        lambda split: (
            ChosenRows(
                rows_among(labelled, split.test),
                unseen,
                tuple(role for role in roles if role not in unseen),
            )
            if _is_as_recorded(split, student)
            else every
        )
    )


def rows_among(labelled: LabelledRows, rows: IntArray) -> LabelledRows:
    """Some of the rows with a target.

    Args:
        labelled: All of them.
        rows: [M] row numbers of the table, all among them.

    Returns:
        [M] rows.

    Example:
        >>> import polars as pl
        >>> every = LabelledRows(None, np.array([1, 4]), pl.Series(["a", "b"]))
        >>> rows_among(every, np.array([4])).cells.to_list()
        ['b']
    """
    chosen = labelled.cells.gather(np.searchsorted(labelled.rows, rows))
    return LabelledRows(labelled.decision, rows, chosen)


def _recorded_split(known: Provenance | None) -> tuple[object, ...] | None:
    if known is None or known.table_fingerprint is None or known.training_config is None:
        return None
    options = known.column_options or ColumnOptions()
    ties = known.label_config or LabelConfig()
    return _split_settings(known.table_fingerprint, known.training_config, options, ties)


def _split_settings(
    fingerprint: str, config: TrainingConfig, options: ColumnOptions, ties: LabelConfig
) -> tuple[object, ...]:
    """All that decides which rows are the test rows."""
    return (
        fingerprint,
        (config.target_column, config.random_seed, config.test_size),
        frozenset(options.exclude_columns),
        options.missing_markers,
        (ties.group_column, ties.time_column),
    )


def _is_as_recorded(split: Split, known: Provenance) -> bool:
    """Cells of one fingerprint may still be other labels, as where `?` is one: then rows differ."""
    rows = len(split.training) + len(split.validation) + len(split.test)
    found = {"rows": rows, "test_rows": len(split.test)}
    return all(getattr(known, name) in (None, count) for name, count in found.items())


def _listed(roles: Sequence[Role]) -> str:
    names = [ROLE_NAMES[role] for role in roles]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
