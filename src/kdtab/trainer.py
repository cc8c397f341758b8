"""Files in, models out: the door of seeds PT-DISTILL-001 and PT-TRAINER-001.

Everything here raises: `KdtabError` (a `ValueError`) or one of its subclasses that is also the
builtin exception that callers expect. `error.issues` holds every problem that was found.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

import polars as pl
import torch
from returns.result import Failure, Result, Success

from kdtab import serialization
from kdtab.bundle import Metrics, ModelBundle
from kdtab.config.base import parse_config
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.tables import ReadOptions
from kdtab.config.training import TrainingConfig
from kdtab.data.coerce import frame_from_any
from kdtab.disk.tables import read_table
from kdtab.errors.configs import ArgumentOfWrongType, TargetExcluded
from kdtab.errors.issue import Issue, Issues
from kdtab.errors.raised import KdtabError, raise_issues
from kdtab.errors.teachers import TeacherMissing
from kdtab.recipes.distill import distill_student, teacher_issues
from kdtab.recipes.predict import predict_frame
from kdtab.recipes.train import train_model
from kdtab.results import check, either, fail, gather
from kdtab.serialization import load_bundle, save_bundle
from kdtab.shell.assemble import TrainedModel
from kdtab.shell.device import resolve_device
from kdtab.shell.seed import seeded

__all__ = [
    "Metrics",
    "ModelBundle",
    "TrainingConfig",
    "distill_model_from_file",
    "load_bundle",
    "predict_rows",
    "save_bundle",
    "train_model_from_file",
]

Path = str | os.PathLike[str]
Device = str | torch.device | None


def train_model_from_file(
    data_path: Path,
    cfg: TrainingConfig,
    sheet_name: str | None = None,
    exclude_columns: Sequence[str] | None = None,
    date_columns: Sequence[str] | None = None,
    device: Device = None,
) -> tuple[ModelBundle, Metrics]:
    """Train a network on a table's file (PT-TRAINER-001).

    Args:
        data_path: CSV, TSV, Parquet, Arrow, JSON lines or Excel; a local regular file.
        cfg: What to train, and how.
        sheet_name: Sheet of an Excel workbook; None takes the first.
        exclude_columns: Columns that are no features.
        date_columns: Text columns to read as dates.
        device: Where to train; None takes CUDA where there is one, else the CPU (REQ-T07).

    Returns:
        The model in eval mode with its preprocessing, and its metrics on the held-out rows.

    Raises:
        KdtabError: A `ValueError`: `target_column cannot be excluded` (REQ-T03), a mode that needs
            another task (REQ-T05), no batch of two rows (REQ-T13), a table or column that cannot
            be used, a loss that is not finite.
        FileNotFoundError: No file at the path.
        TypeError: An argument of another type.

    Example:
        >>> import polars as pl, tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "table.csv"
        >>> pl.DataFrame({"x": [0.0, 1.0] * 50, "y": ["no", "yes"] * 50}).write_csv(path)
        >>> config = TrainingConfig(target_column="y", epochs=40, batch_size=16)
        >>> model, metrics = train_model_from_file(path, config, device="cpu")
        >>> metrics.test_metric_name, metrics.test_metric_value
        ('accuracy', 1.0)
    """
    _require("cfg", cfg, TrainingConfig)
    with seeded(cfg.random_seed):
        options = _column_options(exclude_columns, date_columns)
        asked = options.bind(lambda columns: check(_exclusion(cfg, columns)))
        trained = Result.do(
            model
            for _ in gather(options, asked, resolve_device(device))
            for columns in options
            for frame in _table(data_path, sheet_name)
            for model in train_model(frame, cfg, columns=columns, device=device)
        )
    return either(trained, _bundle_and_metrics, raise_issues)


def distill_model_from_file(
    data_path: Path,
    cfg: TrainingConfig,
    teacher_path: Path | None = None,
    teacher_bundle: ModelBundle | None = None,
    sheet_name: str | None = None,
    exclude_columns: Sequence[str] | None = None,
    date_columns: Sequence[str] | None = None,
    device: Device = None,
    temperature: float = 2.0,
    alpha: float = 0.5,
    student_hidden_dim: int | None = None,
    student_num_hidden_layers: int | None = None,
    student_dropout: float | None = None,
) -> tuple[ModelBundle, Metrics]:
    """Train a student on a table's file and on what a teacher knows (PT-DISTILL-001).

    loss = alpha · hard + (1 − alpha) · soft. Checks run in the seed's order: temperature and
    alpha, teacher, task, exclusion, and only then is the table opened.

    Args:
        data_path: CSV, TSV, Parquet, Arrow, JSON lines or Excel; a local regular file.
        cfg: What to train, and how; `task="auto"` takes the teacher's task (REQ-KD06).
        teacher_path: A saved bundle; read only when no `teacher_bundle` is given (REQ-KD02).
        teacher_bundle: A model in memory; left as it was (INV-KD01).
        sheet_name: Sheet of an Excel workbook; None takes the first.
        exclude_columns: Columns that are no features.
        date_columns: Text columns to read as dates; the teacher's own are known from it.
        device: Where to train; None takes CUDA where there is one, else the CPU.
        temperature: T in softmax(z / T), above 0.
        alpha: Weight of the hard loss, in [0, 1].
        student_hidden_dim: None: max(16, half of the teacher's).
        student_num_hidden_layers: None: max(1, one fewer than the teacher's).
        student_dropout: None: min(0.5, the teacher's plus 0.05).

    Returns:
        The student in eval mode, with the teacher's own preprocessing objects (REQ-KD25), and its
        metrics on the held-out rows.

    Raises:
        KdtabError: A `ValueError` with the seed's text of the first failing check.
        FileNotFoundError: No file at one of the paths.
        RuntimeError: A teacher file that is not a whole bundle.
        TypeError: An argument of another type.

    Example:
        >>> import polars as pl, tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "table.csv"
        >>> pl.DataFrame({"x": [0.0, 1.0] * 50, "y": ["no", "yes"] * 50}).write_csv(path)
        >>> config = TrainingConfig(target_column="y", epochs=40, batch_size=16)
        >>> teacher, _ = train_model_from_file(path, config, device="cpu")
        >>> student, metrics = distill_model_from_file(
        ...     path, config, teacher_bundle=teacher, temperature=2.5, device="cpu"
        ... )
        >>> student.scaler is teacher.scaler, metrics.test_metric_value
        (True, 1.0)
    """
    _require("cfg", cfg, TrainingConfig)
    if teacher_bundle is not None:
        _require("teacher_bundle", teacher_bundle, ModelBundle)
    knobs = {
        "temperature": temperature,
        "alpha": alpha,
        "student_hidden_dim": student_hidden_dim,
        "student_num_hidden_layers": student_num_hidden_layers,
        "student_dropout": student_dropout,
    }
    with seeded(cfg.random_seed):
        distill = parse_config(DistillConfig, knobs)
        teacher = _teacher(teacher_path, teacher_bundle, bounds=distill)
        options = _column_options(exclude_columns, date_columns)
        asked = options.bind(lambda columns: check(_exclusion(cfg, columns)))
        task = teacher.bind(lambda bundle: check(*teacher_issues(bundle, cfg)))
        distilled = Result.do(
            model
            for _ in gather(distill, teacher, task, options, asked, resolve_device(device))
            for knobs_checked in distill
            for bundle in teacher
            for columns in options
            for frame in _table(data_path, sheet_name)
            for model in distill_student(
                frame,
                bundle,
                cfg,
                knobs_checked,
                columns=columns,
                device=device,
                own_rows=False,
            )
        )
    return either(distilled, _bundle_and_metrics, raise_issues)


def predict_rows(
    bundle: ModelBundle, rows: Sequence[Mapping[str, object]] | object, device: Device = None
) -> list[str] | list[float]:
    """Decoded predictions for raw rows (REQ-T17 to REQ-T21).

    Args:
        bundle: A trained model; left as it was, its mode and device included.
        rows: Dictionaries of raw cells (any JSON types), or a frame of polars, pandas or Arrow;
            never changed. An absent key is a missing cell.
        device: Where to compute; None takes CUDA where there is one, else the CPU.

    Returns:
        Label texts, or values in the target's unit; `[]` for no rows.

    Raises:
        KdtabError: A `ValueError`: a classification bundle without its label encoder, a device
            that is not there.
        TypeError: Rows of another type.

    Example:
        >>> import polars as pl, tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "table.csv"
        >>> pl.DataFrame({"x": [0.0, 1.0] * 50, "y": ["no", "yes"] * 50}).write_csv(path)
        >>> config = TrainingConfig(target_column="y", epochs=40, batch_size=16)
        >>> model, _ = train_model_from_file(path, config, device="cpu")
        >>> predict_rows(model, [{"x": 1}, {"x": "0.0"}, {}])[:2]
        ['yes', 'no']
    """
    if isinstance(rows, list | tuple) and not rows:
        return []
    _require("bundle", bundle, ModelBundle)
    predicted = frame_from_any(rows).bind(lambda frame: predict_frame(bundle, frame, device))
    frame = either(predicted, lambda found: found, raise_issues)
    decoded: list[str] | list[float] = frame["prediction"].to_list()
    return decoded


def _require(name: str, found: object, kind: type[object]) -> None:
    if not isinstance(found, kind):
        expected, actual = f"a {kind.__name__}", type(found).__name__
        raise_issues(Issues((ArgumentOfWrongType(name=name, expected=expected, found=actual),)))


def _column_options(
    exclude_columns: Sequence[str] | None, date_columns: Sequence[str] | None
) -> Result[ColumnOptions, Issues]:
    given: dict[str, object] = {"exclude_columns": exclude_columns, "date_columns": date_columns}
    return parse_config(
        ColumnOptions,
        {
            name: tuple(names)
            if isinstance(names, Iterable) and not isinstance(names, str)
            else names
            for name, names in given.items()
            if names is not None
        },
    )


def _exclusion(cfg: TrainingConfig, columns: ColumnOptions) -> Issue | None:
    excluded = cfg.target_column in columns.exclude_columns
    return TargetExcluded(target=cfg.target_column) if excluded else None


def _teacher(
    path: Path | None, bundle: ModelBundle | None, *, bounds: Result[DistillConfig, Issues]
) -> Result[ModelBundle, Issues]:
    """The teacher; bounds are checked before its file is opened."""
    if bundle is not None:
        return Success(bundle)
    if path is None:
        return fail(TeacherMissing())
    return bounds.bind(lambda _: _loaded_teacher(path))


def _loaded_teacher(path: Path) -> Result[ModelBundle, Issues]:
    try:
        return Success(serialization.load_bundle(path))
    except KdtabError as error:
        return Failure(error.issues)


def _table(path: Path, sheet_name: str | None) -> Result[pl.DataFrame, Issues]:
    return parse_config(ReadOptions, {"sheet_name": sheet_name}).bind(
        lambda options: read_table(path, options)
    )


def _bundle_and_metrics(model: TrainedModel) -> tuple[ModelBundle, Metrics]:
    return model.bundle, model.metrics
