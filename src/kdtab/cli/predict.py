"""`kdtab predict`: a table and a model in, predictions out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import click
from returns.result import Result, Success

from kdtab.cli.console import Answer
from kdtab.cli.fields import parsed_run
from kdtab.cli.options import (
    FieldOption,
    SectionedCommand,
    field_flags,
    plain_flags,
    table_argument,
)
from kdtab.config.run import ReadRun
from kdtab.config.tables import ReadOptions
from kdtab.disk.documents import output_issue
from kdtab.errors.base import listed, quoted
from kdtab.errors.issue import Issues
from kdtab.errors.teachers import NoModelColumns
from kdtab.results import check, gather

if TYPE_CHECKING:
    import polars as pl

    from kdtab.data.vectorize import Vectorizer
    from kdtab.record import BundleRecord

    FramePredictor: TypeAlias = Callable[[pl.DataFrame], Result[pl.DataFrame, Issues]]


@click.command(cls=SectionedCommand)
@table_argument
@click.option("-m", "--model", required=True, metavar="FILE", help="The model's bundle.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write a .csv, .tsv, .parquet or .jsonl file. Without it CSV goes to stdout.",
)
@click.option(
    "--probabilities", is_flag=True, help="One more column for each class, or each quantile."
)
@plain_flags
@field_flags("Reading", ReadOptions)
@click.option(
    "--device",
    cls=FieldOption,
    section="Computing",
    metavar="TEXT",
    help="Where to compute: cpu, or cuda or cuda:1 by torch. Without it the CPU, without torch.",
)
def predict(
    table: str,
    model: str,
    output: str | None,
    probabilities: bool,
    quiet: bool,
    **flags: object,
) -> Result[Answer, Issues]:
    """Predict the rows of TABLE.

    One line for each row, in the table's order. Columns that the model does not know are ignored; columns that it misses count as missing.

    Example:
        >>> predict.name
        'predict'
    """
    from kdtab.disk.bundles import read_record
    from kdtab.disk.frames import suffix_issue

    run = parsed_run(ReadRun, None, flags)
    inputs = {"the table": table, "the model": model}
    outlet = check(
        *((suffix_issue(output), output_issue(output, inputs)) if output is not None else ())
    )
    record = read_record(model)
    return gather(run, outlet, record).bind(
        lambda _: Result.do(
            answer
            for checked in run
            for read in record
            for answer in _predicted(table, read, checked, output, probabilities, quiet)
        )
    )


def _predicted(
    table: str,
    record: BundleRecord,
    run: ReadRun,
    output: str | None,
    probabilities: bool,
    quiet: bool,
) -> Result[Answer, Issues]:
    from kdtab.data.storage import artifacts_from_record
    from kdtab.disk.frames import write_frame
    from kdtab.disk.tables import read_table

    nothing: Result[None, Issues] = Success(None)
    return Result.do(
        _answer(shown, output, () if quiet else column_notes(vectorizer, frame))
        for frame in read_table(table, run.reading)
        for predict_frame in _computing(record, run.compute.device)
        for vectorizer in Success(artifacts_from_record(record).vectorizer)
        for _ in check(columns_issue(vectorizer, frame))
        for predicted in predict_frame(frame)
        for shown in Success(predicted if probabilities else predicted.select("prediction"))
        for _ in (nothing if output is None else write_frame(output, shown))
    )


def _computing(record: BundleRecord, device: str | None) -> Result[FramePredictor, Issues]:
    """Without torch, unless a device is named that only torch can use."""
    if device in (None, "cpu"):
        from kdtab.serving.models import served_model

        return served_model(record).map(lambda model: model.predicted)
    from kdtab.cli.models import restore_model
    from kdtab.recipes.predict import predict_frame

    return restore_model(record, device).map(
        lambda model: lambda frame: predict_frame(model, frame, device)
    )


def _answer(predicted: pl.DataFrame, output: str | None, notes: tuple[str, ...]) -> Answer:
    if output is None:
        plain: dict[str, object] = {"rows": predicted.height, "predictions": predicted.to_dicts()}
        return Answer(text=predicted.write_csv(), plain=plain, notes=notes)
    written = {"rows": predicted.height, "output": output, "columns": predicted.columns}
    return Answer(text="", plain=written, notes=notes)


def columns_issue(vectorizer: Vectorizer, frame: pl.DataFrame) -> NoModelColumns | None:
    """Why a table cannot be predicted: it shares no feature column with the model.

    Args:
        vectorizer: Of the model.
        frame: [N rows] raw columns.

    Returns:
        `NoModelColumns` or None.

    Example:
        >>> import polars as pl
        >>> from kdtab.config.schema import NumericColumn
        >>> from kdtab.data.vectorize import Vectorizer
        >>> vectorizer = Vectorizer((NumericColumn(name="x", reason=""),), ())
        >>> columns_issue(vectorizer, pl.DataFrame({"z": [1]}))
        NoModelColumns(expected=('x',), found=('z',))
    """
    expected = vectorizer.column_names
    if set(expected) & set(frame.columns):
        return None
    return NoModelColumns(expected=expected, found=tuple(frame.columns))


def column_notes(vectorizer: Vectorizer, frame: pl.DataFrame) -> tuple[str, ...]:
    """What a person should know about a table's columns before trusting its predictions.

    Args:
        vectorizer: Of the model.
        frame: [N rows] raw columns.

    Returns:
        A sentence for the model's columns that the table lacks, and one for each column with
        cells that mean nothing in it.

    Example:
        >>> import polars as pl
        >>> from kdtab.config.schema import NumericColumn
        >>> from kdtab.data.vectorize import Vectorizer
        >>> vectorizer = Vectorizer((NumericColumn(name="x", reason=""),), ())
        >>> column_notes(vectorizer, pl.DataFrame({"x": ["0.5", "much"]}))
        ("1 cell of column 'x' is unreadable and counts as missing, first in row 2: 'much'",)
    """
    expected = vectorizer.column_names
    absent = [name for name in expected if name not in frame.columns]
    lacking = (
        f"the table lacks {len(absent):,} of the model's {len(expected):,} columns, which count "
        f"as missing: {listed(absent)}"
    )
    return (
        *((lacking,) if absent else ()),
        *(
            f"{cells.count:,} {'cell' if cells.count == 1 else 'cells'} of column "
            f"{quoted(cells.column)} {'is' if cells.count == 1 else 'are'} unreadable and "
            f"{'counts' if cells.count == 1 else 'count'} as missing, first in row "
            f"{cells.first_row:,}: {quoted(cells.example)}"
            for cells in vectorizer.unreadable(frame)
        ),
    )
