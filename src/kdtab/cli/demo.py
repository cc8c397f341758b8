"""`kdtab demo`: the whole road on a real table, offline, in seconds."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
from returns.result import Result, Success

from kdtab.cli.compare import comparison_text
from kdtab.cli.console import Answer, aligned
from kdtab.cli.options import SectionedCommand, plain_flags
from kdtab.cli.progress import shown_progress
from kdtab.config.distillation import DistillConfig
from kdtab.config.tables import ReadOptions
from kdtab.config.training import TrainingConfig
from kdtab.errors.issue import Issues
from kdtab.errors.tables import NotWritable
from kdtab.results import fail

if TYPE_CHECKING:
    import polars as pl

TABLE, TEACHER, STUDENT = "digits.csv", "teacher.kdtab", "student.kdtab"
TARGET = "digit"
TRAINING = TrainingConfig(target_column=TARGET)
DISTILLATION = DistillConfig()


@click.command(cls=SectionedCommand)
@click.option(
    "--folder", metavar="FOLDER", help="Where to put the files. Without it a new temporary folder."
)
@plain_flags
def demo(folder: str | None, quiet: bool) -> Result[Answer, Issues]:
    """Run the whole road on a real table in seconds.

    Trains a teacher, distils it, saves, reloads, predicts and compares. The table comes with scikit-learn: 1,797 handwritten digits, 64 pixels each. Nothing is
    downloaded.

    Example:
        >>> demo.name
        'demo'
    """
    made = Path(tempfile.mkdtemp(prefix="kdtab-demo-")) if folder is None else None
    try:
        return _folder(folder, made).bind(lambda place: _demonstrated(place, quiet))
    except BaseException:
        # A half-made demo in a folder that nobody asked for is of no use.
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
        raise


def _folder(asked: str | None, made: Path | None) -> Result[Path, Issues]:
    place = made or Path(asked or ".")
    try:
        place.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        return fail(NotWritable(path=str(place), reason=reason))
    return Success(place)


def _demonstrated(place: Path, quiet: bool) -> Result[Answer, Issues]:
    from kdtab.cli.models import restore_model, save_model
    from kdtab.disk.bundles import read_record
    from kdtab.disk.frames import write_frame
    from kdtab.disk.tables import read_table
    from kdtab.recipes.compare import compare_models
    from kdtab.recipes.distill import distill_student
    from kdtab.recipes.predict import predict_frame
    from kdtab.recipes.train import train_model

    table, teacher_file, student_file = (str(place / name) for name in (TABLE, TEACHER, STUDENT))
    return Result.do(
        Answer(
            text=f"{comparison_text(found)}\n{_shown(frame, predicted)}\n{next_steps(place)}",
            plain={"folder": str(place), **found.to_plain()},
        )
        for _ in write_frame(table, digits())
        for frame in read_table(table, ReadOptions())
        for teacher in train_model(frame, TRAINING, progress=shown_progress("teacher", quiet=quiet))
        for _ in save_model(teacher.bundle, teacher_file)
        for student in distill_student(
            frame,
            teacher.bundle,
            TRAINING,
            DISTILLATION,
            progress=shown_progress("student", quiet=quiet),
        )
        for _ in save_model(student.bundle, student_file)
        for record in read_record(student_file)
        for reloaded in restore_model(record)
        for predicted in predict_frame(reloaded, frame.head(3))
        for found in compare_models(teacher.bundle, reloaded, frame)
    )


def digits() -> pl.DataFrame:
    """The table of the demo: one handwritten digit of 8 x 8 pixels in each row.

    Returns:
        [1797 rows] 64 pixel columns and the digit.

    Example:
        >>> digits().shape
        (1797, 65)
    """
    import polars as pl
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pixels = {name: bunch.data[:, place] for place, name in enumerate(bunch.feature_names)}
    return pl.DataFrame(pixels | {TARGET: bunch.target}).cast(pl.Int64)


def next_steps(place: Path) -> str:
    """What to type next, in this folder.

    Args:
        place: The folder of the demo's files.

    Returns:
        Lines for a terminal.

    Example:
        >>> print(next_steps(Path("x")).splitlines()[1])
          cd x
    """
    return (
        "The files are yours. What to type next:\n"
        f"  cd {place}\n"
        f"  kdtab inspect {STUDENT}\n"
        f"  kdtab predict {TABLE} --model {STUDENT} --probabilities | head -3\n"
        f"  kdtab distill {TABLE} --teacher {TEACHER} --student-hidden-dim 16 -o tiny.kdtab\n"
        f"  kdtab compare {TABLE} --teacher {TEACHER} --student tiny.kdtab\n"
        "  kdtab train your_table.csv --target your_column\n"
    )


def _shown(frame: pl.DataFrame, predicted: pl.DataFrame) -> str:
    truth, said = frame[TARGET].head(3).to_list(), predicted["prediction"].to_list()
    rows = [(str(row + 1), str(truth[row]), str(said[row])) for row in range(len(said))]
    return aligned([("row", TARGET, "the student says"), *rows])
