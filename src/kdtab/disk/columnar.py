"""Read Parquet and Arrow files: types as they are, but for those that no column kind is made of."""

from __future__ import annotations

import io
from typing import Literal

import polars as pl
from polars.exceptions import PanicException, PolarsError

from kdtab.disk.headers import named_columns
from kdtab.disk.jsonlines import text_of_json
from kdtab.errors.formats import ContentContradictsSuffix, FileEmpty
from kdtab.errors.tables import FileNotReadable
from kdtab.results import Checked, fail

_MAGIC = {"Parquet": b"PAR1", "Arrow": b"ARROW1"}
_KEPT = frozenset(f"{kind}{bits}" for kind in ("Int", "UInt") for bits in (8, 16, 32, 64))
_KEPT |= {"Float32", "Float64"}
_STREAM = b"\xff\xff\xff\xff"


def read_columnar(
    path: str, content: bytes, kind: Literal["Parquet", "Arrow"]
) -> Checked[pl.DataFrame]:
    """A frame of the file's columns.

    Categories become text, decimals and numbers of rare widths 64-bit floats, binary cells hexadecimal text, and nested cells
    the text of their JSON. Dates and times keep their types.

    Args:
        path: The file's name, for messages.
        content: Its bytes.
        kind: What its suffix promised; Arrow covers Feather version 2 and IPC streams.

    Returns:
        The frame, or `FileEmpty`, `ContentContradictsSuffix`, `FileNotReadable`, `HeaderBlank`,
        `TableWithoutRows`.

    Example:
        >>> file = io.BytesIO()
        >>> pl.DataFrame({"x": ["a"]}, schema={"x": pl.Categorical}).write_parquet(file)
        >>> read_columnar("a.parquet", file.getvalue(), "Parquet").unwrap().schema
        Schema([('x', String)])
    """
    if not content:
        return fail(FileEmpty(path=path))
    is_stream = kind == "Arrow" and content.startswith(_STREAM)
    if not content.startswith(_MAGIC[kind]) and not is_stream:
        return fail(_not(path, kind))
    try:
        frame = _read(content, kind, is_stream=is_stream)
        columns = [plain_column(column) for column in frame.get_columns()]
    except (PolarsError, PanicException, OSError, ValueError) as error:
        reason = f"its {kind} data are damaged ({_first_line(error)})"
        return fail(FileNotReadable(path=path, reason=reason))
    return named_columns(path, frame.columns, columns)


def _read(content: bytes, kind: Literal["Parquet", "Arrow"], *, is_stream: bool) -> pl.DataFrame:
    file = io.BytesIO(content)
    if kind == "Parquet":
        return pl.read_parquet(file)
    return pl.read_ipc_stream(file) if is_stream else pl.read_ipc(file)


def plain_column(column: pl.Series) -> pl.Series:
    """A column of a type that column kinds are made of, as `read_columnar` describes.

    Args:
        column: [N] cells of any type.

    Returns:
        [N] the same cells; the column itself where its type is kept.

    Example:
        >>> plain_column(pl.Series([[1, 2], None])).to_list()
        ['[1, 2]', None]
    """
    kind = column.dtype
    if isinstance(kind, pl.Categorical | pl.Enum | pl.Null):
        return column.cast(pl.String)
    if kind.is_numeric() and str(kind) not in _KEPT:
        return column.cast(pl.Float64)
    if isinstance(kind, pl.Binary):
        return column.bin.encode("hex")
    if kind.is_nested() or isinstance(kind, pl.Object):
        return pl.Series(column.name, [text_of_json(cell) for cell in column.to_list()], pl.String)
    return column


def _not(path: str, kind: str) -> ContentContradictsSuffix:
    return ContentContradictsSuffix(
        path=path,
        found="something else",
        expected=f"{kind} data",
        remedy="give it the suffix of what it holds, or export it again",
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
