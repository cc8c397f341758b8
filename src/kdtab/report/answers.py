"""Models asked about rows: what they say, in the classes' order, and what it costs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np
import polars as pl
from returns.result import Success

from kdtab.bundle import ModelBundle, to_record
from kdtab.data.arrays import FloatArray
from kdtab.data.outputs import TeacherOutputs, align_classes
from kdtab.errors.teachers import NoModelColumns
from kdtab.models.describe import parameter_count
from kdtab.report.inputs import EpochLosses, ModelOutputs
from kdtab.results import Checked, fail
from kdtab.serving.models import served_model
from kdtab.shell.assemble import regression_values
from kdtab.shell.scoring import frame_outputs, stored_bytes
from kdtab.shell.timing import Speed, rows_per_second, speed_of
from kdtab.teachers.batched import batched_outputs
from kdtab.teachers.network import NetworkTeacher
from kdtab.teachers.recorded import RecordedTeacher
from kdtab.teachers.rows import typed_if_read_as_text
from kdtab.teachers.stored import StoredTeacher
from kdtab.teachers.teacher import Teacher, TeacherInfo

Clock: TypeAlias = Callable[
    [
        Callable[[pl.DataFrame], object],
        pl.DataFrame,
        Callable[[Mapping[str, object]], object] | None,
    ],
    Speed,
]
"""Takes the time that something needs for rows: `speed_of`, or `batch_speed`, which is quicker."""
REMEMBERS = RecordedTeacher | StoredTeacher
"""They answer from a table of answers: what that takes says nothing about the model."""


def batch_speed(
    score: Callable[[pl.DataFrame], object],
    rows: pl.DataFrame,
    score_row: Callable[[Mapping[str, object]], object] | None = None,
) -> Speed:
    """Rows per second in one large batch, and nothing of single rows, which take long to time.

    Args:
        score: What to time.
        rows: [N] rows, at least one.
        score_row: Of a row alone; not asked.

    Returns:
        A part of the measured speed.

    Example:
        >>> batch_speed(lambda rows: rows.sum(), pl.DataFrame({"x": [1.0]})).p99 is None
        True
    """
    return Speed(rows_per_second(score, rows))


def bundle_outputs(
    name: str,
    bundle: ModelBundle,
    rows: pl.DataFrame,
    epochs: Sequence[EpochLosses] = (),
    *,
    clock: Clock = speed_of,
) -> ModelOutputs:
    """What a bundle says about rows, in the order of its own classes, and what it costs.

    Args:
        name: A few words for a person.
        bundle: The model; left as it is.
        rows: [N] raw rows, at least one.
        epochs: How its training went, where that is known.
        clock: Takes the time.

    Returns:
        Its outputs, size and speed.

    Example:
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> bundle = train_model(frame, config, device="cpu").unwrap().bundle
        >>> bundle_outputs("student", bundle, frame).values.shape
        (40, 2)
    """

    def scored(frame: pl.DataFrame) -> FloatArray:
        outputs = frame_outputs(bundle, frame)
        if bundle.task == "regression":
            return regression_values(bundle, outputs)[:, np.newaxis]
        return outputs.astype(np.float64)

    speed = _served(bundle, rows, clock)
    return ModelOutputs(
        name=name,
        kind="values" if bundle.task == "regression" else "logits",
        values=scored(rows),
        parameters=parameter_count(bundle.model),
        bytes=stored_bytes(bundle),
        rows_per_second=speed.rows_per_second,
        p50=speed.p50,
        p99=speed.p99,
        epochs=tuple(epochs),
    )


def _served(bundle: ModelBundle, rows: pl.DataFrame, clock: Clock) -> Speed:
    """As `kdtab.Predictor` serves it: that is what a prediction costs."""
    model = to_record(bundle).bind(served_model).unwrap()
    return clock(model.outputs_of_frame, rows, model.outputs_of_row)


def check_columns(bundle: ModelBundle, frame: pl.DataFrame) -> Checked[None]:
    """Whether a table has anything that a model looks at.

    Args:
        bundle: The model.
        frame: Raw rows.

    Returns:
        Nothing, or `NoModelColumns`.

    Example:
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> bundle = train_model(frame, config, device="cpu").unwrap().bundle
        >>> check_columns(bundle, frame.select("y")).failure().first.expected
        ('x',)
    """
    expected = tuple(column.name for column in bundle.vectorizer.columns)
    if expected and not set(expected) & set(frame.columns):
        return fail(NoModelColumns(expected=expected, found=tuple(frame.columns)))
    return Success(None)


def rows_for(teacher: Teacher, frame: pl.DataFrame, target: str) -> pl.DataFrame:
    """A whole table as a teacher takes its rows, as when it taught.

    Args:
        teacher: Any.
        frame: [N] raw rows.
        target: The column of the truth.

    Returns:
        [N] rows. A foreign teacher gets no target, and typed columns where all are texts, as of a
        file of text; one that looks its answers up gets the table.

    Example:
        >>> from kdtab.teachers.function import function_teacher
        >>> from kdtab.teachers.hints import TeacherHints
        >>> rule = function_teacher(lambda rows: rows["x"], TeacherHints(task="regression")).unwrap()
        >>> rows_for(rule, pl.DataFrame({"x": ["1", "2"], "y": ["3", "4"]}), "y").to_dicts()
        [{'x': 1}, {'x': 2}]
    """
    if isinstance(teacher, NetworkTeacher | StoredTeacher):
        return frame
    return typed_if_read_as_text(frame.drop(target))


def teacher_outputs(
    teacher: Teacher,
    rows: pl.DataFrame,
    classes: tuple[str, ...],
    missing: Literal["error", "zero"] = "error",
    *,
    clock: Clock = speed_of,
) -> Checked[ModelOutputs]:
    """What a teacher says about rows, in the order of named classes, and what it costs.

    Args:
        teacher: Any, of the task of the rows.
        rows: [N] rows as from `rows_for`, at least one.
        classes: The order; empty for regression.
        missing: A class that one side lacks is an error, or gets probability 0.
        clock: Takes the time.

    Returns:
        Its outputs, with its size and speed where these are known; or the teacher's issues,
        `ClassesDiffer`.

    Example:
        >>> from kdtab.teachers.function import function_teacher
        >>> from kdtab.teachers.hints import TeacherHints
        >>> rule = function_teacher(lambda rows: rows["x"], TeacherHints(task="regression")).unwrap()
        >>> teacher_outputs(rule, pl.DataFrame({"x": [2.5]}), ()).unwrap().values.tolist()
        [[2.5]]
    """

    def outputs_of(frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        said = batched_outputs(teacher, frame)
        return said.bind(lambda found: align_classes(found, classes, missing=missing))

    ask = outputs_of if classes else lambda frame: batched_outputs(teacher, frame)
    network = teacher.bundle if isinstance(teacher, NetworkTeacher) else None
    parameters = None if network is None else parameter_count(network.model)

    def costed(said: TeacherOutputs) -> ModelOutputs:
        untimed = isinstance(teacher, REMEMBERS) or not isinstance(ask(rows.head(1)), Success)
        speed = None
        if not untimed:
            speed = clock(ask, rows, None) if network is None else _served(network, rows, clock)
        return outputs_with_cost(teacher.info, said, speed, parameters)

    return ask(rows).map(costed)


def outputs_with_cost(
    info: TeacherInfo, said: TeacherOutputs, speed: Speed | None, parameters: int | None = None
) -> ModelOutputs:
    """A teacher's outputs as a report takes them.

    Args:
        info: What the teacher says of itself.
        said: Its outputs.
        speed: What they took, where that is known.
        parameters: How many numbers it has learnt, where that is known.

    Returns:
        The same numbers.

    Example:
        >>> info = TeacherInfo("rule", "regression", (), "values", "1", size_bytes=9)
        >>> outputs_with_cost(info, TeacherOutputs("values", (), np.zeros((1, 1))), None).bytes
        9
    """
    return ModelOutputs(
        name=info.name,
        kind=said.kind,
        values=said.values,
        trees=said.trees,
        parameters=parameters,
        bytes=info.size_bytes,
        rows_per_second=None if speed is None else speed.rows_per_second,
        p50=None if speed is None else speed.p50,
        p99=None if speed is None else speed.p99,
    )
