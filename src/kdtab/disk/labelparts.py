"""One part of a label store: a Parquet file of keys and outputs, written whole or not at all."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from polars.exceptions import PanicException, PolarsError
from returns.result import Success

from kdtab.config.labels import LabelLedger, LabelPart
from kdtab.data.arrays import FloatArray
from kdtab.disk.atomic import write_bytes
from kdtab.errors.labels import LabelsDamaged
from kdtab.results import Checked, fail

PLAN = "kdtab.plan"
KEY, ID, OUTPUT = "key", "id", "output_"


@dataclass(frozen=True, eq=False)
class LabelRows:
    """Labels of consecutive rows.

    Attributes:
        keys: [N] digests of the rows' cells.
        ids: [N] texts of the id column; None without one.
        values: [N, C] what the teacher said.

    Example:
        >>> import numpy as np
        >>> LabelRows(pl.Series([b"k"]), None, np.zeros((1, 2))).frame.columns
        ['key', 'output_0', 'output_1']
    """

    keys: pl.Series
    ids: pl.Series | None
    values: FloatArray

    @property
    def frame(self) -> pl.DataFrame:
        """The columns of the file.

        Example:
            >>> import numpy as np
            >>> LabelRows(pl.Series([b"k"]), pl.Series(["7"]), np.zeros((1, 1))).frame.columns
            ['id', 'key', 'output_0']
        """
        ids = [] if self.ids is None else [self.ids.alias(ID)]
        outputs = [
            pl.Series(f"{OUTPUT}{at}", self.values[:, at]) for at in range(self.values.shape[1])
        ]
        return pl.DataFrame([*ids, self.keys.alias(KEY), *outputs])


def part_name(number: int) -> str:
    """The file name of a part.

    Args:
        number: Of the part, from 0.

    Returns:
        A name that sorts by number below a million.

    Example:
        >>> part_name(123)
        'part-000123.parquet'
    """
    return f"part-{number:06}.parquet"


def write_part(folder: str, number: int, plan: str, rows: LabelRows) -> Checked[None]:
    """Put a part into the folder in one step; equal rows are equal bytes.

    Args:
        folder: The label store.
        number: Of the part.
        plan: `LabelLedger.plan`, which the file carries.
        rows: Its labels.

    Returns:
        None, or `FolderMissing`, `NotWritable`, `DiskFull`; then there is no such part, or the one
        that was there.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> rows = LabelRows(pl.Series([b"k"]), None, np.zeros((1, 1)))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = write_part(folder, 0, "plan", rows)
        ...     has_part(folder, 0, "plan"), has_part(folder, 0, "other"), has_part(folder, 1, "plan")
        (True, False, False)
    """
    stream = io.BytesIO()
    rows.frame.write_parquet(stream, compression="zstd", statistics=False, metadata={PLAN: plan})
    return write_bytes(Path(folder, part_name(number)), stream.getvalue())


def has_part(folder: str, number: int, plan: str) -> bool:
    """Whether a part of this plan is there; one that is there is whole.

    Args:
        folder: The label store.
        number: Of the part.
        plan: `LabelLedger.plan`.

    Returns:
        False also for a damaged file, or one of another plan.

    Example:
        >>> has_part("no-such-folder", 0, "plan")
        False
    """
    try:
        return pl.read_parquet_metadata(Path(folder, part_name(number))).get(PLAN) == plan
    except (PolarsError, PanicException, OSError, ValueError):
        return False


def described_part(folder: str, number: int, first_row: int, rows: int) -> Checked[LabelPart]:
    """What the ledger says of a part that is there.

    Args:
        folder: The label store.
        number: Of the part.
        first_row: The table's row of its first label.
        rows: How many labels it must have.

    Returns:
        Its entry, or `LabelsDamaged`.

    Example:
        >>> described_part("no-such-folder", 0, 0, 2).failure().first.reason
        'it is missing'
    """
    name = part_name(number)
    path = str(Path(folder, name))

    def described(content: bytes) -> LabelPart:
        digest = hashlib.sha256(content).hexdigest()
        return LabelPart(
            name=name, first_row=first_row, rows=rows, size=len(content), sha256=digest
        )

    return _content(path).bind(
        lambda content: _frame(path, content, rows).map(lambda _: described(content))
    )


def read_part(folder: str, part: LabelPart, ledger: LabelLedger) -> Checked[pl.DataFrame]:
    """The labels of a part, of which every byte is what the ledger says.

    Args:
        folder: The label store.
        part: Its entry in the ledger.
        ledger: The ledger.

    Returns:
        [N] rows with the columns of `LabelRows.frame`, or `LabelsDamaged`.

    Example:
        >>> from kdtab.config.labels import example_ledger
        >>> part = LabelPart(name=part_name(0), first_row=0, rows=2, size=9, sha256="0" * 64)
        >>> read_part("no-such-folder", part, example_ledger()).failure().first.reason
        'it is missing'
    """
    path = str(Path(folder, part.name))
    columns = [*([] if ledger.id_column is None else [ID]), KEY]
    columns += [f"{OUTPUT}{at}" for at in range(ledger.width)]

    def verified(content: bytes) -> Checked[pl.DataFrame]:
        if hashlib.sha256(content).hexdigest() != part.sha256:
            return fail(LabelsDamaged(path=path, reason="its checksum differs"))
        return _frame(path, content, part.rows)

    def with_columns(frame: pl.DataFrame) -> Checked[pl.DataFrame]:
        if frame.columns != columns:
            return fail(LabelsDamaged(path=path, reason="its columns are not the ledger's"))
        return Success(frame)

    return _content(path).bind(verified).bind(with_columns)


def _content(path: str) -> Checked[bytes]:
    try:
        return Success(Path(path).read_bytes())
    except FileNotFoundError:
        return fail(LabelsDamaged(path=path, reason="it is missing"))
    except OSError as error:
        return fail(LabelsDamaged(path=path, reason=(error.strerror or str(error)).lower()))


def _frame(path: str, content: bytes, rows: int) -> Checked[pl.DataFrame]:
    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except (PolarsError, PanicException, OSError, ValueError):
        return fail(LabelsDamaged(path=path, reason="it is no Parquet file"))
    if frame.height != rows:
        reason = f"it has {frame.height:,} rows, not {rows:,}"
        return fail(LabelsDamaged(path=path, reason=reason))
    return Success(frame)
