"""A student and, for comparison, the same one without a teacher: from labels to a fitted model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from returns.result import Result, Success

from kdtab.config.base import revise
from kdtab.config.distillation import DistillConfig
from kdtab.config.manifest import Provenance
from kdtab.config.networks import network_spec
from kdtab.data.arrays import Float32Array
from kdtab.data.fingerprint import table_fingerprint
from kdtab.data.prepare import PreparedTable
from kdtab.errors.issue import Issues
from kdtab.models.describe import StudentSize
from kdtab.shell.assemble import FitPlan, TrainedModel, fit_model
from kdtab.shell.progress import Progress
from kdtab.shell.trained import DistillEvidence
from kdtab.tasks.partial_targets import PartialTargetTask
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import SupervisedTask
from kdtab.teachers.evidence import evidence_notes
from kdtab.teachers.source import Classroom

Size = TypeVar("Size", int, float)


@dataclass(frozen=True, eq=False)
class Wish:
    """What is wanted of the student.

    Attributes:
        room: Table, configs and device.
        knobs: Temperature, alpha and sizes.
        progress: Hears of every epoch.
        scratch: Whether the student without a teacher is wanted too.
        evidence: Whether a bundle is asked about more than the training rows.

    Example:
        >>> Wish.__dataclass_params__.frozen
        True
    """

    room: Classroom
    knobs: DistillConfig
    progress: Progress
    scratch: bool
    evidence: bool

    def provenance(self, **known: object) -> Provenance:
        """What is known of the run before it begins.

        Args:
            **known: More of it, by field name.

        Returns:
            The table, the configs, and what was given.

        Example:
            >>> Wish.provenance.__name__
            'provenance'
        """
        begun = Provenance(
            table_fingerprint=table_fingerprint(self.room.frame),
            training_config=self.room.config,
            column_options=self.room.options,
            distill_config=self.knobs,
        )
        return revise(begun, **known).unwrap()


def fit_student(
    prepared: PreparedTable, plan: FitPlan, wish: Wish, evidence: DistillEvidence | None
) -> Result[TrainedModel, Issues]:
    """Fit the student; before it, where that is asked for, the one without a teacher.

    Args:
        prepared: The table.
        plan: The student's.
        wish: Device, progress, and whether the scratch student is wanted.
        evidence: Of the teacher; None where nobody asked for it.

    Returns:
        The student, with the evidence in its report.

    Example:
        >>> fit_student.__name__
        'fit_student'
    """
    if evidence is None:
        return fit_model(prepared, plan, device=wish.room.device, progress=wish.progress)
    return Result.do(
        _with_evidence(model, shown)
        for scratch in _scratch(prepared, plan, wish)
        for shown in (Success(replace(evidence, scratch=scratch)))
        for model in fit_model(
            prepared,
            replace(plan, notes=evidence_notes(shown, prepared)),
            device=wish.room.device,
            progress=wish.progress,
        )
    )


def _scratch(
    prepared: PreparedTable, plan: FitPlan, wish: Wish
) -> Result[TrainedModel | None, Issues]:
    if not wish.scratch:
        return Success(None)
    alone = replace(
        plan,
        task=SupervisedTask(prepared.task),
        soft_targets=None,
        provenance=wish.provenance(distill_config=None),
    )
    return fit_model(prepared, alone, device=wish.room.device, progress=wish.progress)


def student_plan(
    prepared: PreparedTable,
    sizes: StudentSize,
    spoken: Float32Array,
    provenance: Provenance,
    wish: Wish,
) -> FitPlan:
    """What to fit: the network, the loss, and the teacher's words.

    Args:
        prepared: The table.
        sizes: Of the student, where the wish leaves them open.
        spoken: [N, C] as the student takes them; NaN in rows of which no teacher spoke.
        provenance: What is known of the run.
        wish: Config, temperature, alpha.

    Returns:
        The plan; rows without the teacher's word learn from their own label alone.

    Example:
        >>> student_plan.__name__
        'student_plan'
    """
    config, knobs = wish.room.config, wish.knobs
    taught = SoftTargetTask(task=prepared.task, temperature=knobs.temperature, alpha=knobs.alpha)
    return FitPlan(
        config=config,
        spec=network_spec(
            config.training_mode,
            input_dim=prepared.training.inputs.shape[1],
            output_dim=prepared.output_dim,
            hidden_dim=_given(knobs.student_hidden_dim, sizes.hidden_dim),
            num_hidden_layers=_given(knobs.student_num_hidden_layers, sizes.num_hidden_layers),
            dropout=_given(knobs.student_dropout, sizes.dropout),
        ),
        task=PartialTargetTask(taught) if np.isnan(spoken).any() else taught,
        soft_targets=spoken,
        provenance=provenance,
    )


def _with_evidence(model: TrainedModel, evidence: DistillEvidence) -> TrainedModel:
    return replace(model, report=replace(model.report, evidence=evidence))


def _given(asked: Size | None, default: Size) -> Size:
    return default if asked is None else asked
