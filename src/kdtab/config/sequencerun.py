"""One file, one run of trajectory distillation: the YAML of seed 001."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from kdtab.config.base import FrozenConfig, fields_disagree, parse_config
from kdtab.config.sequencenetworks import SequenceSpec
from kdtab.config.sequences import (
    Backend,
    BatchSize,
    DistillationConfig,
    PathText,
    Resampling,
    SequenceColumns,
    Steps,
    TrajectoryRequest,
)
from kdtab.config.timepooling import POOLINGS, TimePooling, WholeCourse
from kdtab.results import Checked

PARADIGM_LINE = "Paradigm 'distillation' detected: loading labels as float32"


class ModelSection(FrozenConfig):
    """The student.

    Attributes:
        backend: With what teacher and student are computed: torch or jax.
        model_path: The student's bundle, whose weights training starts from.
        device: Where torch computes; None takes CUDA where there is one.

    Example:
        >>> ModelSection(model_path="student.soen").backend
        'torch'
    """

    backend: Backend = "torch"
    model_path: PathText = None
    device: str | None = None


class DataSection(FrozenConfig):
    """The series, and what is done to them before teacher and student see them.

    Attributes:
        data_path: An HDF5 file, or a table; not needed where trajectories are reused.
        target_seq_len: Steps to which each series is resampled; None leaves it.
        min_scale: Where the least value of each feature of the training series goes.
        max_scale: Where the greatest goes.
        resampling: half_pixel or endpoints.

    Example:
        >>> DataSection(data_path="source.hdf5", target_seq_len=100).resampling
        'half_pixel'
    """

    data_path: PathText = None
    target_seq_len: Steps | None = None
    min_scale: float | None = None
    max_scale: float | None = None
    resampling: Resampling = "half_pixel"


class SequenceTraining(FrozenConfig):
    """How a student of time series is trained.

    Attributes:
        paradigm: "distillation".
        max_epochs: Passes over the training series, at most.
        batch_size: Series of a step.
        learning_rate: Adam's step size.
        weight_decay: Adam's L2; states are to be met, so none by default.
        random_seed: Of the choice of series, of new weights and of the batches.
        patience: Epochs without a better loss on the group val before the run stops; None: all.
        time_pooling: What of the time course is compared: a name, or a name with its settings
            (`{kind: ewa, min_weight: 0.2}`). none compares every step.

    Example:
        >>> SequenceTraining(time_pooling="final").time_pooling
        FinalPooling(kind='final')
    """

    paradigm: Literal["distillation"] = "distillation"
    max_epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    batch_size: BatchSize = 32
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 3e-3
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    random_seed: Annotated[int, Field(ge=0, lt=2**32)] = 42
    patience: Annotated[int, Field(ge=1)] | None = None
    time_pooling: TimePooling = WholeCourse()

    @field_validator("time_pooling", mode="before")
    @classmethod
    def _by_name(cls, given: object) -> object:
        named = {"kind": given} if isinstance(given, str) else given
        if isinstance(named, dict) and named.get("kind") not in POOLINGS:
            raise ValueError(f"must be one of {', '.join(POOLINGS)}")
        return named


class SequenceRun(FrozenConfig):
    """All that a run is told.

    Attributes:
        model: The student.
        student: The layers of a new student, in place of `model.model_path`; None without.
        width_said: Whether the new student's inputs were named, and not taken from its first layer.
        data: The series.
        columns: How a table becomes series; None for HDF5.
        training: How the student is trained.
        distillation: Seed 001's five fields.
        log_dir: The run's folder; None: `runs/` and the name of the config.

    Example:
        >>> SequenceRun(distillation=DistillationConfig(distillation_data_path="d.hdf5")).log_dir is None
        True
    """

    model: ModelSection = ModelSection()
    student: SequenceSpec | None = None
    width_said: bool = True
    data: DataSection = DataSection()
    columns: SequenceColumns | None = None
    training: SequenceTraining = SequenceTraining()
    distillation: DistillationConfig
    log_dir: PathText = None

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if self.student is not None and self.model.model_path is not None:
            rule = "names the student, and so do model.layers: keep one of them"
            raise fields_disagree("model.model_path", rule, self.model.model_path)
        if self.distillation.distillation_data_path is None and self.data.data_path is None:
            rule = "is needed to generate trajectories"
            raise fields_disagree("data.data_path", rule, None)
        return self

    @property
    def request(self) -> TrajectoryRequest:
        """Which series the teacher is asked about, and what is done to them before.

        Only what was written down counts as said: the rest agrees with any file.

        Example:
            >>> run = SequenceRun(
            ...     data=DataSection(data_path="s.hdf5", min_scale=-1.0, max_scale=1.0),
            ...     distillation=DistillationConfig(teacher_model_path="t.soen"),
            ... )
            >>> run.request.scale_min
            -1.0
        """
        return requested_trajectories(self.data, self.columns, self.training).unwrap()


def requested_trajectories(
    data: DataSection, columns: SequenceColumns | None, training: SequenceTraining
) -> Checked[TrajectoryRequest]:
    """Which series the teacher is asked about, from the sections of a run.

    Args:
        data: The series.
        columns: How a table becomes series.
        training: Whose `random_seed` chooses the series.

    Returns:
        A request in which only what was written down is set; or `FieldInvalid`.

    Example:
        >>> data = DataSection(target_seq_len=100)
        >>> requested_trajectories(data, None, SequenceTraining()).unwrap().model_fields_set
        {'target_seq_len'}
    """
    spelled = {"min_scale": "scale_min", "max_scale": "scale_max"}
    names = ("target_seq_len", "min_scale", "max_scale", "resampling")
    said = {
        spelled.get(name, name): getattr(data, name)
        for name in names
        if name in data.model_fields_set
    }
    if "random_seed" in training.model_fields_set:
        said["seed"] = training.random_seed
    if columns is not None:
        said["columns"] = columns
    return parse_config(TrajectoryRequest, said)
