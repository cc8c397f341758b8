"""Distil many students from one teacher in one pass, and tell which is best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import final

import polars as pl
import torch
from returns.result import Result, Success

from kdtab.config.base import revise
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.config.variants import StudentVariant
from kdtab.data.prepare import PreparedTable
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import Issues
from kdtab.results import Checked, check, collect, gather
from kdtab.shell.assemble import assembled_model, fit_networks
from kdtab.shell.device import resolve_device
from kdtab.shell.fit import FittedNetwork
from kdtab.shell.progress import SILENT, RunProgress
from kdtab.shell.trained import DistillEvidence, FitPlan, TrainedModel
from kdtab.teachers.classroom import Classroom
from kdtab.teachers.evidence import evidence_notes
from kdtab.teachers.gate import Baseline, gate_notes, has_validation_rows
from kdtab.teachers.instruction import Instruction, instruction_by, with_size_note
from kdtab.teachers.studentfit import STUDENT, Wish, gated_evidence, plan_alone
from kdtab.teachers.taught import label_columns_issues


@final
@dataclass(frozen=True, eq=False)
class DistilledVariant:
    """One student of many.

    Attributes:
        variant: What it changed of the run.
        outcome: The student, or what ended its training.

    Example:
        >>> DistilledVariant.__dataclass_params__.frozen
        True
    """

    variant: StudentVariant
    outcome: Checked[TrainedModel]

    @property
    def validation_loss(self) -> float | None:
        """The hard loss on the validation rows, of true labels; None without one.

        Example:
            >>> from kdtab.errors.training import LossNotFinite
            >>> from kdtab.results import fail
            >>> lost = fail(LossNotFinite(epoch=1, what="the loss"))
            >>> DistilledVariant(StudentVariant(), lost).validation_loss is None
            True
        """
        return self.outcome.map(lambda model: model.metrics.validation_loss).value_or(None)


@final
@dataclass(frozen=True, eq=False)
class DistilledStudents:
    """What a search came to.

    Attributes:
        every: Each student, in the order of the variants.
        best_place: Of the student with the smallest validation loss; the first of equals.
        scratch: The same student without a teacher, as the run has it, fitted in the same pass.

    Example:
        >>> DistilledStudents.__dataclass_params__.frozen
        True
    """

    every: tuple[DistilledVariant, ...]
    best_place: int
    scratch: TrainedModel | None = None

    @property
    def best(self) -> TrainedModel:
        """The student to keep.

        Example:
            >>> DistilledStudents((DistilledVariant(StudentVariant(), Success("s")),), 0).best
            's'
        """
        return self.every[self.best_place].outcome.unwrap()


def distill_many(
    frame: pl.DataFrame,
    teacher: object,
    config: TrainingConfig,
    variants: Sequence[StudentVariant],
    distill: DistillConfig | None = None,
    *,
    labels: LabelConfig | None = None,
    columns: ColumnOptions | None = None,
    device: str | torch.device | None = None,
    progress: RunProgress = SILENT,
    scratch: bool = False,
) -> Result[DistilledStudents, Issues]:
    """Distil students that differ in alpha, temperature, learning rate and seed, all in one pass.

    The table is encoded once and the teacher speaks once. On the CPU the students take their steps
    together; each is the student that `distill_student` would give for the same settings, up to
    the order of sums. The best is chosen by the loss of the validation rows against true labels, so
    the test rows have decided nothing.

    Args:
        frame: Raw rows, the target among the columns.
        teacher: As for `distill_student`.
        config: What to train, and how; with a `validation_size` above 0 for more than one student.
        variants: At least one; what each student changes of `config` and `distill`.
        distill: As for `distill_student`.
        labels: As for `distill_student`.
        columns: As for `distill_student`.
        device: Where to train; None takes CUDA where there is one.
        progress: Hears of every fit, and of the means over the students.
        scratch: Also fit the student without a teacher.

    Returns:
        Each student with its metrics, or what ended its training, and which is best; or the issues
        of `distill_student`, `FieldInvalid` without validation rows, and those of every student
        where none came to an end.

    Example:
        >>> from kdtab.config.variants import variant_grid
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 50, "y": ["no", "yes"] * 50})
        >>> config = TrainingConfig(target_column="y", epochs=5, validation_size=0.2)
        >>> grid = variant_grid(alpha=(0.3, 0.7), temperature=(1.0, 4.0))
        >>> found = distill_many(frame, "forest", config, grid, device="cpu").unwrap()
        >>> len(found.every), found.best.metrics.test_metric_name
        (4, 'accuracy')
    """
    knobs, options = distill or DistillConfig(), columns or ColumnOptions()
    policy, place = labels or LabelConfig(), resolve_device(device)
    return Result.do(
        students
        for _ in gather(
            check(_choice_issue(variants, config.validation_size > 0)),
            place,
            check(*label_columns_issues(frame, policy)),
        )
        for chosen in place
        for wish in Success(
            Wish(
                Classroom(frame, config, options, policy, chosen),
                knobs,
                progress,
                scratch=scratch,
                evidence=scratch or labels is not None,
            )
        )
        for wishes in collect([_own_wish(wish, variant) for variant in variants])
        for given in instruction_by(teacher, wish)
        for _rows in check(_choice_issue(variants, len(given.prepared.validation.targets) > 0))
        for plans in collect(
            [_own_plan(given, *pair) for pair in zip(wishes, variants, strict=True)]
        )
        for students in _searched(given, wish, variants, plans)
    )


def _choice_issue(variants: Sequence[StudentVariant], is_validated: bool) -> FieldInvalid | None:
    if not variants:
        return FieldInvalid(name="variants", rule="must name at least one student", found="none")
    if len(variants) == 1 or is_validated:
        return None
    rule = f"must leave validation rows: the best of {len(variants)} students is chosen on them"
    return FieldInvalid(name="validation_size", rule=rule, found="none")


def _own_wish(wish: Wish, variant: StudentVariant) -> Result[Wish, Issues]:
    """The seed of the run stays: it decides the split."""
    changes = variant.changes
    knobs = {name: changes[name] for name in ("alpha", "temperature") if name in changes}
    rates = {name: changes[name] for name in ("learning_rate",) if name in changes}
    return Result.do(
        replace(wish, knobs=own, room=replace(wish.room, config=config))
        for own in revise(wish.knobs, **knobs)
        for config in revise(wish.room.config, **rates)
    )


def _own_plan(given: Instruction, wish: Wish, variant: StudentVariant) -> Result[FitPlan, Issues]:
    return given.plan(wish).map(partial(_with_own_seed, seed=variant.random_seed))


def _with_own_seed(plan: FitPlan, seed: int | None) -> FitPlan:
    if seed is None or seed == plan.config.random_seed:
        return plan
    note = f"weights, orders and dropout have seed {seed}; the split has the recorded one"
    config = revise(plan.config, random_seed=seed).unwrap()
    return replace(plan, config=config, notes=(*plan.notes, note))


def _searched(
    given: Instruction, wish: Wish, variants: Sequence[StudentVariant], plans: Sequence[FitPlan]
) -> Result[DistilledStudents, Issues]:
    """All in one pass, the student without a teacher among them where it is wanted."""
    prepared, room = given.prepared, wish.room
    has_alone = wish.scratch or (
        given.evidence is not None and room.labels.gate and has_validation_rows(prepared, room)
    )
    return Result.do(
        found
        for base in given.plan(wish)
        for alone in Success(plan_alone(prepared, base, wish))
        for fitted in Success(_fitted(prepared, [*plans, *([alone] if has_alone else [])], wish))
        for scratch in _scratch(prepared, alone, fitted[len(plans) :])
        for evidence in Success(
            _evidence(given, base, Baseline(alone, room, wish.progress), scratch)
        )
        for found in _chosen(
            tuple(
                DistilledVariant(variant, network.map(partial(_student, given, plan, evidence)))
                for variant, plan, network in zip(variants, plans, fitted, strict=False)
            ),
            scratch,
        )
    )


def _fitted(
    prepared: PreparedTable, plans: Sequence[FitPlan], wish: Wish
) -> tuple[Checked[FittedNetwork], ...]:
    wish.progress.stage(STUDENT)
    return fit_networks(prepared, plans, device=wish.room.device, progress=wish.progress)


def _scratch(
    prepared: PreparedTable, plan: FitPlan, fitted: Sequence[Checked[FittedNetwork]]
) -> Result[TrainedModel | None, Issues]:
    for network in fitted:
        return network.map(partial(assembled_model, prepared, plan))
    return Success(None)


def _evidence(
    given: Instruction, plan: FitPlan, baseline: Baseline, scratch: TrainedModel | None
) -> DistillEvidence | None:
    if given.evidence is None:
        return None
    shown = replace(given.evidence, scratch=scratch)
    return gated_evidence(shown, given.prepared, plan, baseline)


def _student(
    given: Instruction, plan: FitPlan, evidence: DistillEvidence | None, fitted: FittedNetwork
) -> TrainedModel:
    notes = plan.notes
    if evidence is not None:
        notes = (*notes, *evidence_notes(evidence, given.prepared), *gate_notes(evidence.gate))
    model = assembled_model(given.prepared, replace(plan, notes=notes), fitted)
    return with_size_note(
        replace(model, report=replace(model.report, evidence=evidence)), given.bundle
    )


def _chosen(
    every: tuple[DistilledVariant, ...], scratch: TrainedModel | None
) -> Result[DistilledStudents, Issues]:
    """Where none came to an end, their issues; one without validation rows is the best of one."""
    done = [place for place, one in enumerate(every) if isinstance(one.outcome, Success)]
    if not done:
        return collect([one.outcome for one in every]).map(
            lambda _: DistilledStudents(every, 0, scratch)
        )

    def loss(place: int) -> float:
        found = every[place].validation_loss
        return math.inf if found is None else found

    return Success(DistilledStudents(every, min(done, key=loss), scratch))
