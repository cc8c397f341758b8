"""How a student learns a teacher's time course, and which series the teacher is asked about."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias, get_args

from pydantic import BeforeValidator, Field, model_validator

from kdtab.config.base import FrozenConfig, fields_disagree
from kdtab.config.manifest import Names
from kdtab.errors.configs import FieldInvalid
from kdtab.results import Checked, check

Backend: TypeAlias = Literal["torch", "jax"]
Resampling: TypeAlias = Literal["half_pixel", "endpoints"]
SubsetFraction: TypeAlias = Annotated[float, Field(gt=0, le=1)]
MaxSamples: TypeAlias = Annotated[int, Field(ge=1)]
BatchSize: TypeAlias = Annotated[int, Field(ge=1, le=2**20)]
Steps: TypeAlias = Annotated[int, Field(ge=1, le=2**24)]
Column: TypeAlias = Annotated[str, Field(min_length=1)]


def _a_path(given: object) -> object:
    """One sentence, where pydantic has one for each type of a union."""
    if given is None or isinstance(given, str | Path):
        return given
    raise ValueError("must be a path")


PathText: TypeAlias = Annotated[str | Path | None, BeforeValidator(_a_path)]


def check_backend(name: object) -> Checked[None]:
    """Whether a backend is known, for doors whose callers are not typed.

    Args:
        name: What was given.

    Returns:
        None, or `FieldInvalid`.

    Example:
        >>> check_backend("tf").failure().first.known
        ('torch', 'jax')
    """
    known = get_args(Backend)
    rule = FieldInvalid(name="backend", rule="must be a backend", found=str(name), known=known)
    return check(None if name in known else rule)


class DistillationConfig(FrozenConfig):
    """Seed 001's five fields of `training.distillation`, with its names and defaults.

    Attributes:
        teacher_model_path: The teacher's file; required where trajectories are to be generated.
        distillation_data_path: Trajectories that are there already; where the file exists, nothing
            is generated.
        subset_fraction: Share of each group of series, in (0, 1].
        max_samples: The most series of a group, after the fraction; None: no limit.
        batch_size: Series that the teacher is asked about at a time.

    Raises:
        pydantic.ValidationError: A `ValueError`; neither path, an unknown field, or a value out of
            range.

    Example:
        >>> DistillationConfig(teacher_model_path="teacher.soen").batch_size
        32
    """

    teacher_model_path: PathText = None
    distillation_data_path: PathText = None
    subset_fraction: SubsetFraction = 1.0
    max_samples: MaxSamples | None = None
    batch_size: BatchSize = 32

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if self.teacher_model_path is None and self.distillation_data_path is None:
            rule = "or distillation_data_path must be provided"
            raise fields_disagree("teacher_model_path", rule, None)
        return self


class SequenceColumns(FrozenConfig):
    """Which columns of a table make its rows into time series.

    Attributes:
        series_column: Whose value tells the series apart; None: the table is one series.
        time_column: By which the rows of a series are put in order; None: as they stand.
        feature_columns: The inputs, in this order; None takes every other column.
        exclude_columns: Columns that are no inputs.
        window: Steps of one sequence, cut out of a series; None takes each series whole.
        stride: Steps from the start of a window to the next one's; None: windows do not overlap.
        split_column: A column that names each series' group: train, val or test.
        validation_size: Share of the series, or of the end of a single series, for the group val.
        test_size: The same for the group test.

    Raises:
        pydantic.ValidationError: A `ValueError`; an unknown field or a value out of range.

    Example:
        >>> SequenceColumns(time_column="date", window=24).series_column is None
        True
    """

    series_column: Column | None = None
    time_column: Column | None = None
    feature_columns: Annotated[Names, Field(min_length=1)] | None = None
    exclude_columns: Names = ()
    window: Steps | None = None
    stride: Steps | None = None
    split_column: Column | None = None
    validation_size: Annotated[float, Field(ge=0, lt=1)] = 0.0
    test_size: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if self.stride is not None and self.window is None:
            raise fields_disagree("stride", "needs a window", self.stride)
        shares = self.validation_size + self.test_size
        if shares >= 1:
            rule = "plus test_size must be below 1, or no series is left to train on"
            raise fields_disagree("validation_size", rule, self.validation_size)
        if self.split_column is not None and shares:
            rule = "names the groups, so validation_size and test_size must be 0"
            raise fields_disagree("split_column", rule, self.split_column)
        return self


class TrajectoryRequest(FrozenConfig):
    """Which series a teacher is asked about, and what is done to them before.

    Attributes:
        subset_fraction: Share of each group, in (0, 1].
        max_samples: The most series of a group, after the fraction; None: no limit.
        batch_size: Series that the teacher is asked about at a time.
        target_seq_len: Steps to which each series is resampled; None leaves it as it is.
        resampling: Where the new steps lie: half_pixel takes the middles of T equal parts,
            endpoints keeps the first and the last step.
        scale_min: Where the least value of a feature goes, of all steps of the chosen training
            series after resampling.
        scale_max: Where the greatest goes. Both None: nothing is scaled.
        seed: Of the choice of series.
        columns: How a table becomes series; None for an HDF5 file.

    Raises:
        pydantic.ValidationError: A `ValueError`; an unknown field or a value out of range.

    Example:
        >>> TrajectoryRequest(target_seq_len=100, scale_min=-1.0, scale_max=1.0).resampling
        'half_pixel'
    """

    subset_fraction: SubsetFraction = 1.0
    max_samples: MaxSamples | None = None
    batch_size: BatchSize = 32
    target_seq_len: Steps | None = None
    resampling: Resampling = "half_pixel"
    scale_min: float | None = None
    scale_max: float | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42
    columns: SequenceColumns | None = None

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if (self.scale_min is None) != (self.scale_max is None):
            given = "scale_min" if self.scale_max is None else "scale_max"
            other = "scale_max" if self.scale_max is None else "scale_min"
            raise fields_disagree(given, f"stands without {other}: set both or none", "one")
        low, high = self.scale_min, self.scale_max
        if low is not None and high is not None and low >= high:
            raise fields_disagree("scale_min", f"must be below scale_max ({high})", low)
        return self
