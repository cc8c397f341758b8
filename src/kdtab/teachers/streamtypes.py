"""Types for the text columns of a table that is never whole in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias, final

import polars as pl
from returns.result import Success

from kdtab.data.outputs import TeacherOutputs
from kdtab.disk.tablestream import TablePiece, TableSource
from kdtab.results import Checked, collect
from kdtab.teachers.rows import typed_frame
from kdtab.teachers.teacher import Teacher, TeacherInfo

PIECE_ROWS = 2**14

ColumnTypes: TypeAlias = Mapping[str, pl.DataType]
_Found: TypeAlias = dict[str, pl.DataType | None]


def streamed_types(pieces: Iterable[Checked[TablePiece]]) -> Checked[ColumnTypes]:
    """What `typed_frame` would make of each column, had it the whole table.

    Args:
        pieces: Every row, in pieces.

    Returns:
        A type for each column, or what is wrong with the table.

    Example:
        >>> from returns.result import Success
        >>> frames = [pl.DataFrame({"x": ["1"]}), pl.DataFrame({"x": ["2.5"]})]
        >>> streamed_types(Success(TablePiece(0, 0, 1, one, 1.0)) for one in frames).unwrap()
        {'x': Float64}
    """
    found = collect(piece.map(_piece_types) for piece in pieces)
    return found.map(lambda every: _decided(reduce(_merged, every)))


def typed_as(frame: pl.DataFrame, types: ColumnTypes) -> pl.DataFrame:
    """Rows of the table with the types of all its rows.

    Args:
        frame: [N] rows of a piece.
        types: As `streamed_types` found them; a column that it does not name stays as it is.

    Returns:
        [N] rows.

    Example:
        >>> typed_as(pl.DataFrame({"x": ["1", "?"]}), {"x": pl.Float64()})["x"].to_list()
        [1.0, None]
    """
    changed = [
        name
        for name, kind in types.items()
        if frame.schema.get(name) == pl.String and kind != pl.String
    ]
    typed = typed_frame(frame.select(changed)) if changed else frame.select(changed)
    return frame.with_columns(typed[name].cast(types[name]) for name in changed)


@final
@dataclass(frozen=True, eq=False)
class TypedTeacher:
    """A teacher that wants typed columns, asked about rows of text.

    Attributes:
        teacher: Whom to ask.
        types: Of the whole table's columns.

    Example:
        >>> TypedTeacher.outputs.__name__
        'outputs'
    """

    teacher: Teacher
    types: ColumnTypes

    @property
    def info(self) -> TeacherInfo:
        """What the teacher says of itself.

        Example:
            >>> isinstance(TypedTeacher.info, property)
            True
        """
        return self.teacher.info

    def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        """What the teacher says of rows.

        Args:
            frame: [N] rows of text; not changed.

        Returns:
            [N, C] or [N, 1] outputs, or the teacher's issues.

        Example:
            >>> TypedTeacher.outputs.__name__
            'outputs'
        """
        return self.teacher.outputs(typed_as(frame, self.types))


def suited_teacher(teacher: Teacher, source: TableSource) -> Checked[Teacher]:
    """A teacher that can be asked about any piece of a table.

    One with kdtab's preprocessing reads text as it is. For another, the table is read once more
    where it has columns of text, so that no piece alone decides what they are.

    Args:
        teacher: Any teacher.
        source: The table.

    Returns:
        The teacher, in a `TypedTeacher` where types are to be decided, or what is wrong with the
        table.

    Example:
        >>> class Rule:
        ...     info = TeacherInfo("rule", "regression", (), "values", "rule-1")
        ...     def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        ...         return Success(TeacherOutputs("values", (), frame.to_numpy()))
        >>> rows = pl.DataFrame({"x": ["1", "2.5"]})
        >>> piece = TablePiece(0, 0, 2, rows, 1.0)
        >>> source = TableSource(rows, lambda rows, wanted: iter([Success(piece)]))
        >>> suited_teacher(Rule(), source).unwrap().outputs(rows).unwrap().values.tolist()
        [[1.0], [2.5]]
    """
    if teacher.info.artifacts is not None or pl.String not in source.head.dtypes:
        return Success(teacher)
    pieces = source.pieces(PIECE_ROWS, lambda _: True)
    return streamed_types(pieces).map(lambda types: TypedTeacher(teacher, types))


def _piece_types(piece: TablePiece) -> _Found:
    frame = pl.DataFrame() if piece.frame is None else piece.frame
    typed = typed_frame(frame)
    return {
        name: None if typed[name].null_count() == frame.height else kind
        for name, kind in typed.schema.items()
    }


def _merged(first: _Found, second: _Found) -> _Found:
    return {name: _common(kind, second.get(name)) for name, kind in first.items()}


def _common(first: pl.DataType | None, second: pl.DataType | None) -> pl.DataType | None:
    if first is None or second is None or first == second:
        return first or second
    both = {first, second}
    return pl.Float64() if both == {pl.Int64(), pl.Float64()} else pl.String()


def _decided(found: _Found) -> ColumnTypes:
    """A column without a cell is one of numbers, as in `typed_frame`."""
    return {name: pl.Float64() if kind is None else kind for name, kind in found.items()}
