"""A bundle of a sequence network trained as a config says, and what it then says of itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Literal, TypeAlias

import torch

from kdtab.config.sequencemanifest import SequenceProvenance
from kdtab.config.sequencerun import SequenceTraining
from kdtab.config.sequences import Backend
from kdtab.errors.sequenceteachers import DimensionsDiffer
from kdtab.models.sequences import SequenceBundle
from kdtab.results import Checked, check
from kdtab.shell.fit import FitSettings
from kdtab.shell.jax_step import fit_sequence_network_in_jax
from kdtab.shell.progress import SILENT, EpochRecord, Progress
from kdtab.shell.sequencebatches import SeriesRows
from kdtab.shell.sequences_fit import FittedSequence, fit_sequence_network
from kdtab.tasks.sequences import SequenceTask

What: TypeAlias = Literal["inputs", "outputs"]


@dataclass(frozen=True, eq=False)
class TrainedSequence:
    """A trained bundle and the course of its training.

    Attributes:
        bundle: Its network in eval mode.
        history: Every epoch that was run.

    Example:
        >>> [field for field in TrainedSequence.__dataclass_fields__]
        ['bundle', 'history']
    """

    bundle: SequenceBundle
    history: tuple[EpochRecord, ...]


def check_dimensions(who: str, inputs: int, outputs: int, student: SequenceBundle) -> Checked[None]:
    """Whether a student has the inputs and outputs of what it is to learn.

    Args:
        who: Whose dimensions they are, for the message.
        inputs: D_in.
        outputs: D_out.
        student: Any bundle.

    Returns:
        None, or `DimensionsDiffer` with both numbers, for inputs and for outputs.

    Example:
        >>> from kdtab.models.sequences import example_spec, new_sequence_bundle
        >>> student = new_sequence_bundle(example_spec(), random_seed=0)
        >>> check_dimensions("the teacher", 2, 5, student).failure().first
        DimensionsDiffer(what='outputs', one='the teacher', first=5, other='the student', second=1)
    """
    pairs: tuple[tuple[What, int, int], ...] = (
        ("inputs", inputs, student.input_dim),
        ("outputs", outputs, student.output_dim),
    )
    return check(
        *(
            DimensionsDiffer(what=what, one=who, first=one, other="the student", second=other)
            for what, one, other in pairs
            if one != other
        )
    )


def train_sequence_bundle(
    start: SequenceBundle,
    task: SequenceTask,
    rows: SeriesRows,
    validation: SeriesRows | None,
    training: SequenceTraining,
    backend: Backend = "torch",
    device: torch.device | None = None,
    progress: Progress = SILENT,
) -> Checked[TrainedSequence]:
    """Fit a bundle's network as a config says, in one backend or the other.

    Args:
        start: Where the weights start; not changed.
        task: What one step computes; JAX follows time courses only.
        rows: The series to fit.
        validation: Series whose loss chooses the epoch; None takes the last epoch.
        training: How.
        backend: torch or jax.
        device: Where torch computes; None: the CPU.
        progress: Hears of steps and epochs.

    Returns:
        The trained bundle; or `ExtraMissing`, `LossNotFinite`.

    Example:
        >>> import numpy as np
        >>> from kdtab.models.sequences import example_spec, new_sequence_bundle
        >>> from kdtab.tasks.sequences import TrajectoryTask
        >>> rows = SeriesRows(
        ...     np.ones((3, 4, 2), np.float32), np.ones((3, 5, 1), np.float32), np.full(3, 4)
        ... )
        >>> start = new_sequence_bundle(example_spec(), random_seed=0)
        >>> trained = train_sequence_bundle(
        ...     start, TrajectoryTask(), rows, None, SequenceTraining(max_epochs=2)
        ... ).unwrap()
        >>> trained.bundle.provenance.update_steps
        2
    """
    return _fitted(start, task, rows, validation, training, backend, device, progress).map(
        lambda fitted: TrainedSequence(
            replace(
                start,
                network=fitted.network,
                provenance=_provenance(fitted, training, rows, validation),
            ),
            fitted.history,
        )
    )


def _fitted(
    start: SequenceBundle,
    task: SequenceTask,
    rows: SeriesRows,
    validation: SeriesRows | None,
    training: SequenceTraining,
    backend: Backend,
    device: torch.device | None,
    progress: Progress,
) -> Checked[FittedSequence]:
    settings = FitSettings(
        epochs=training.max_epochs,
        batch_size=training.batch_size,
        learning_rate=training.learning_rate,
        random_seed=training.random_seed,
        weight_decay=training.weight_decay,
        patience=training.patience,
    )
    if backend == "jax":
        return fit_sequence_network_in_jax(
            start.network, task.pooling, rows, validation, settings, progress=progress
        )
    place = device or torch.device("cpu")
    return fit_sequence_network(
        start.network, task, rows, validation, settings, device=place, progress=progress
    )


def _provenance(
    fitted: FittedSequence,
    training: SequenceTraining,
    rows: SeriesRows,
    validation: SeriesRows | None,
) -> SequenceProvenance:
    return SequenceProvenance(
        kdtab_version=version("kdtab"),
        backend=fitted.backend,
        random_seed=training.random_seed,
        epochs=training.max_epochs,
        best_epoch=fitted.best_epoch,
        batch_size=training.batch_size,
        learning_rate=training.learning_rate,
        update_steps=fitted.update_steps,
        training_series=len(rows.inputs),
        validation_series=None if validation is None else len(validation.inputs),
        time_pooling=training.time_pooling,
    )
