"""Read a table from a local file; its suffix names the format, its content must agree."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias, assert_never

import polars as pl

from kdtab.config.tables import ReadOptions
from kdtab.disk.columnar import read_columnar
from kdtab.disk.compression import unpack
from kdtab.disk.delimited import read_delimited
from kdtab.disk.jsonlines import read_json_lines
from kdtab.disk.localfiles import check_local_file, read_local_file
from kdtab.disk.textscan import clean_utf8
from kdtab.disk.workbooks import read_workbook
from kdtab.errors.formats import OptionNotForFormat, SuffixUnknown
from kdtab.errors.issue import Issue
from kdtab.results import Checked, check, fail

TableFormat: TypeAlias = Literal["csv", "tsv", "json lines", "parquet", "arrow", "excel"]
_FORMATS: Mapping[str, TableFormat] = MappingProxyType(
    {
        ".csv": "csv",
        ".tsv": "tsv",
        ".jsonl": "json lines",
        ".ndjson": "json lines",
        ".parquet": "parquet",
        ".arrow": "arrow",
        ".feather": "arrow",
        ".ipc": "arrow",
        ".xlsx": "excel",
        ".xls": "excel",
        ".ods": "excel",
    }
)
_NAMES: Mapping[TableFormat, str] = MappingProxyType(
    {
        "csv": "CSV text",
        "tsv": "TSV text",
        "json lines": "JSON lines",
        "parquet": "a Parquet file",
        "arrow": "an Arrow file",
        "excel": "an Excel workbook",
    }
)
DEFAULT_READ_OPTIONS = ReadOptions()
_PACKINGS = (".gz", ".zst")
_TEXT_FORMATS: tuple[TableFormat, ...] = ("csv", "tsv", "json lines")
_DELIMITED: tuple[TableFormat, ...] = ("csv", "tsv")


def table_suffixes() -> tuple[str, ...]:
    """Every suffix that `read_table` understands, text formats also packed.

    Returns:
        Suffixes with their dot.

    Example:
        >>> ".csv.gz" in table_suffixes(), ".parquet" in table_suffixes()
        (True, True)
    """
    packed = (
        f"{suffix}{packing}"
        for suffix, kind in _FORMATS.items()
        if kind in _TEXT_FORMATS
        for packing in _PACKINGS
    )
    return (*_FORMATS, *packed)


def read_table(
    path: str | os.PathLike[str], options: ReadOptions = DEFAULT_READ_OPTIONS
) -> Checked[pl.DataFrame]:
    r"""Read one local file as a frame.

    CSV and TSV give columns of text, null for an empty cell: what they mean is decided later, for
    all rows at once. JSON lines, Parquet, Arrow and Excel keep numbers, booleans and dates.

    Args:
        path: A local regular file; nothing in its name is expanded.
        options: What the file cannot say about itself.

    Returns:
        The frame, at least one row and one column, or what is wrong with the path, the options, the
        format or the content, with the row of the file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     written = Path(folder, "a[1].csv").write_text("age;city\n39;Ulm\n41;\n")
        ...     read_table(Path(folder, "a[1].csv")).unwrap().rows()
        [('39', 'Ulm'), ('41', None)]
    """
    named = os.fspath(path)
    return table_format(named, options).bind(
        lambda found: (
            read_local_file(named)
            .bind(lambda content: unpack(named, found[1], content))
            .bind(lambda content: _read(named, found[0], content, options))
        )
    )


def table_format(
    path: str | os.PathLike[str], options: ReadOptions = DEFAULT_READ_OPTIONS
) -> Checked[tuple[TableFormat, str]]:
    """The format that a file's name promises; the file is not opened.

    Args:
        path: A local file.
        options: How it is to be read.

    Returns:
        The format and the suffix of its packing (`.gz`, `.zst` or none), or `SuffixUnknown`,
        `OptionNotForFormat`.

    Example:
        >>> table_format("a.csv.gz").unwrap()
        ('csv', '.gz')
    """
    named = os.fspath(path)
    suffix, packing = _suffixes(named)
    kind = _FORMATS.get(suffix)
    if kind is None or (packing and kind not in _TEXT_FORMATS):
        return check_local_file(named).bind(lambda _: fail(_unknown(named, suffix + packing)))
    return check(*_misplaced_options(named, kind, options)).map(lambda _: (kind, packing))


def _suffixes(named: str) -> tuple[str, str]:
    name = Path(named)
    last = name.suffix.lower()
    if last in _PACKINGS:
        return Path(name.stem).suffix.lower(), last
    return last, ""


def _unknown(named: str, suffix: str) -> SuffixUnknown:
    return SuffixUnknown(path=named, suffix=suffix, known=table_suffixes())


def _misplaced_options(named: str, kind: TableFormat, options: ReadOptions) -> list[Issue]:
    made_for: dict[str, tuple[str, bool]] = {
        "sheet_name": ("Excel workbooks", kind == "excel"),
        "encoding": ("text files", kind in _TEXT_FORMATS),
        "separator": ("CSV and TSV files", kind in _DELIMITED),
        "decimal_comma": ("CSV and TSV files", kind in _DELIMITED),
    }
    return [
        OptionNotForFormat(path=named, option=option, made_for=formats, found=_NAMES[kind])
        for option, (formats, fits) in made_for.items()
        if not fits and getattr(options, option) != getattr(DEFAULT_READ_OPTIONS, option)
    ]


def _read(
    named: str, kind: TableFormat, content: bytes, options: ReadOptions
) -> Checked[pl.DataFrame]:
    match kind:
        case "csv" | "tsv":
            return _text(named, kind, content, options).bind(
                lambda text: read_delimited(
                    named,
                    text,
                    separator=options.separator,
                    decimal_comma=options.decimal_comma,
                    tab_first=kind == "tsv",
                )
            )
        case "json lines":
            return _text(named, kind, content, options).bind(
                lambda text: read_json_lines(named, text)
            )
        case "parquet":
            return read_columnar(named, content, "Parquet")
        case "arrow":
            return read_columnar(named, content, "Arrow")
        case "excel":
            return read_workbook(named, content, options.sheet_name)
        case _:
            assert_never(kind)


def _text(named: str, kind: TableFormat, content: bytes, options: ReadOptions) -> Checked[bytes]:
    return clean_utf8(named, content, options.encoding, _NAMES[kind])
