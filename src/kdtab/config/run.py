"""What one command is told, from a file's flat fields and flags: configs side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from returns.result import Result

from kdtab.config.base import FrozenConfig, parse_config
from kdtab.config.choice import ChoiceOptions
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.labels import LabelOptions
from kdtab.config.reporting import ReportOptions
from kdtab.config.tables import ReadOptions
from kdtab.config.teacherfiles import TeacherFileOptions
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.errors.configs import FieldUnknown
from kdtab.errors.issue import Issues
from kdtab.results import check, collect


class DeviceOptions(FrozenConfig):
    """Where to compute.

    Attributes:
        device: Where to compute, as torch names it: cpu, cuda, cuda:1. None takes CUDA where there is one.

    Example:
        >>> DeviceOptions().device is None
        True
    """

    device: str | None = None


class TrainRun(FrozenConfig):
    """All that `kdtab train` can be told, but for its files.

    Example:
        >>> parse_run(TrainRun, {"target_column": "y", "epochs": 3}).unwrap().training.epochs
        3
    """

    training: TrainingConfig
    columns: ColumnOptions
    reading: ReadOptions
    compute: DeviceOptions


class DistillRun(FrozenConfig):
    """All that `kdtab distill` can be told, but for its files.

    Example:
        >>> parse_run(DistillRun, {"target_column": "y", "alpha": 0.3}).unwrap().distill.alpha
        0.3
    """

    training: TrainingConfig
    distill: DistillConfig
    choice: ChoiceOptions
    labelling: LabelConfig
    reporting: ReportOptions
    teacher: TeacherFileOptions
    columns: ColumnOptions
    reading: ReadOptions
    compute: DeviceOptions


class ReadRun(FrozenConfig):
    """All that a command which only reads a table and models can be told.

    Example:
        >>> parse_run(ReadRun, {"separator": ";"}).unwrap().reading.separator
        ';'
    """

    reading: ReadOptions
    compute: DeviceOptions


class LabelRun(FrozenConfig):
    """All that `kdtab label` can be told, but for its files.

    Example:
        >>> parse_run(LabelRun, {"id_column": "customer"}).unwrap().labelling.id_column
        'customer'
    """

    labelling: LabelOptions
    teacher: TeacherFileOptions
    reading: ReadOptions
    compute: DeviceOptions


class CompareRun(FrozenConfig):
    """All that `kdtab compare` can be told, but for its files.

    Example:
        >>> parse_run(CompareRun, {"min_gain": 0.9}).unwrap().reporting.wanted
        True
    """

    reporting: ReportOptions
    teacher: TeacherFileOptions
    reading: ReadOptions
    compute: DeviceOptions


Run = TypeVar("Run", TrainRun, DistillRun, ReadRun, LabelRun, CompareRun)


def parse_run(kind: type[Run], fields: Mapping[str, object]) -> Result[Run, Issues]:
    """Flat fields sorted into the configs of a run, or every problem of them at once.

    Args:
        kind: Which run.
        fields: Values by field name; the configs of a run share no name.

    Returns:
        The run, or `FieldUnknown` for each name that none of its configs has, beside whatever
        `parse_config` finds in each config.

    Example:
        >>> parse_run(TrainRun, {"target_column": "y", "epocs": 3, "dropout": 2.0}).failure().every
        (FieldUnknown(name='epocs', known=('target_column', ...)), FieldInvalid(name='dropout', ...))
    """
    parts = run_parts(kind)
    known = tuple(name for part in parts.values() for name in part.model_fields)
    strangers = check(
        *(FieldUnknown(name=name, known=known) for name in fields if name not in known)
    )
    configs = collect([parse_config(part, _subset(fields, part)) for part in parts.values()])
    nothing: tuple[FrozenConfig, ...] = ()
    return collect([strangers.map(lambda _: nothing), configs]).bind(
        lambda found: parse_config(kind, dict(zip(parts, found[1], strict=True)))
    )


def run_parts(kind: type[Run]) -> dict[str, type[FrozenConfig]]:
    """The configs of a run by name, in their order.

    Args:
        kind: Which run.

    Returns:
        Config classes by the run's field name.

    Example:
        >>> list(run_parts(ReadRun))
        ['reading', 'compute']
    """
    return {
        name: field.annotation
        for name, field in kind.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, FrozenConfig)
    }


def _subset(fields: Mapping[str, object], config: type[FrozenConfig]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if name in config.model_fields}
