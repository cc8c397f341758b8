"""A target that nobody named, answered with the columns that it could be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from returns.result import Result

from kdtab.cli.fields import parsed_run
from kdtab.config.base import FrozenConfig
from kdtab.config.run import ReadRun
from kdtab.errors.configs import FieldMissing, TargetNotGiven
from kdtab.errors.issue import Issues
from kdtab.results import Checked, Value, either, fail, gather

Run = TypeVar("Run", bound=FrozenConfig)


def run_of_table(
    run: Result[Run, Issues], *others: Checked[object], table: str, flags: Mapping[str, object]
) -> Result[Run, Issues]:
    """A run, if nothing else is wrong; else every issue, a missing target with the columns.

    Args:
        run: The parsed run.
        others: What was checked beside it, such as where the output goes.
        table: The path of its table.
        flags: How the table is read.

    Returns:
        The run, or the issues of all.

    Example:
        >>> lost = run_of_table(parsed_run(ReadRun, None, {"separator": 7}), table="t", flags={})
        >>> lost.failure().first.name
        'separator'
    """
    return (
        gather(run, *others)
        .bind(lambda _: run)
        .lash(lambda issues: with_columns(issues, table, flags))
    )


def with_columns(issues: Issues, table: str, flags: Mapping[str, object]) -> Result[Value, Issues]:
    """The issues again; a missing target with the columns that it could be.

    Args:
        issues: Of a run.
        table: Its table's path.
        flags: How the table is read.

    Returns:
        The failure, with the issues of reading the table where it cannot be read.

    Example:
        >>> lost = with_columns(Issues((FieldMissing(name="target_column"),)), "no.csv", {})
        >>> [type(issue).__name__ for issue in lost.failure()]
        ['TargetNotGiven', 'FileMissing']
    """
    from kdtab.disk.tables import read_table

    target = FieldMissing(name="target_column")
    if target not in issues:
        return fail(*issues)
    frame = parsed_run(ReadRun, None, flags).bind(lambda run: read_table(table, run.reading))
    columns: tuple[str, ...] = either(frame, lambda read: tuple(read.columns), lambda _: ())
    found = TargetNotGiven(table=table, columns=columns)
    every = tuple(found if issue == target else issue for issue in issues)
    return gather(fail(*every), frame).bind(lambda _: fail(*every))
