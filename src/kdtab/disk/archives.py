"""Look into the zip archive of a workbook before its reader does: it must not unpack without end.

The reader keeps a sheet as one full rectangle, so that a single cell in the last corner of an
otherwise empty sheet would ask for more memory than any machine has.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass

from kdtab.disk.compression import MOST_BYTES_FREE, MOST_TIMES_LARGER
from kdtab.errors.formats import UnpackedTooLarge
from kdtab.errors.issue import Issue
from kdtab.errors.tables import FileNotReadable
from kdtab.errors.workbooks import CellStray

MOST_CELLS_FREE = 20_000_000
MOST_TIMES_WIDER = 100
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{0,3})([0-9]{1,8})["']""")


@dataclass(frozen=True)
class _Extent:
    """The rectangle that the cells of one part of a workbook span."""

    cells: int = 0
    rows: int = 0
    columns: int = 0

    @property
    def area(self) -> int:
        return self.rows * self.columns

    @property
    def is_stray(self) -> bool:
        return self.area > max(MOST_CELLS_FREE, MOST_TIMES_WIDER * self.cells)


def check_archive(path: str, content: bytes) -> Issue | None:
    """What speaks against handing a zipped workbook to its reader.

    Args:
        path: The file's name, for messages.
        content: Its bytes.

    Returns:
        None, `FileNotReadable`, `UnpackedTooLarge` or `CellStray`.

    Example:
        >>> check_archive("a.xlsx", b"PK").reason
        'it is no whole workbook (File is not a zip file)'
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            limit = max(MOST_BYTES_FREE, MOST_TIMES_LARGER * len(content))
            if sum(entry.file_size for entry in entries) > limit:
                return UnpackedTooLarge(path=path, limit=limit)
            parts = [entry for entry in entries if entry.filename.lower().endswith(".xml")]
            extents = [_extent(archive.read(part)) for part in parts]
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        return _damaged(path, error)
    except (NotImplementedError, RuntimeError, ValueError) as error:  # a foreign or locked archive
        return _damaged(path, error)
    stray = next((extent for extent in extents if extent.is_stray), None)
    if stray is None:
        return None
    return CellStray(path=path, rows=stray.rows, columns=stray.columns, cells=stray.cells)


def column_letters(position: int) -> str:
    """The letters by which a workbook names a column.

    Args:
        position: The column, from 0.

    Returns:
        `A`, …, `Z`, `AA`, …

    Example:
        >>> column_letters(0), column_letters(25), column_letters(26), column_letters(16_383)
        ('A', 'Z', 'AA', 'XFD')
    """
    rest, last = divmod(position, 26)
    return (column_letters(rest - 1) if rest else "") + chr(ord("A") + last)


def _extent(part: bytes) -> _Extent:
    references = _REFERENCE.findall(part)
    if not references:
        return _Extent()
    letters = {letters.upper() for letters, _ in references}
    return _Extent(
        cells=sum(letters != b"" for letters, _ in references),
        rows=max(map(int, {digits for _, digits in references})),
        columns=max(_column_number(one) for one in letters),
    )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number


def _damaged(path: str, error: Exception) -> FileNotReadable:
    return FileNotReadable(path=path, reason=f"it is no whole workbook ({error})")
