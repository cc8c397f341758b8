"""A target that nobody named, answered with the columns that it could be."""

from __future__ import annotations

from collections.abc import Mapping

from returns.result import Result

from kdtab.cli.fields import parsed_run
from kdtab.config.run import ReadRun
from kdtab.errors.configs import FieldMissing, TargetNotGiven
from kdtab.errors.issue import Issues
from kdtab.results import Value, either, fail, gather


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
