"""Distil many students from one teacher in one pass, and tell which is best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl
import torch
from returns.result import Result

from kdtab.config.base import revise
from kdtab.config.choice import ChoiceOptions
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.config.variants import StudentVariant
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import Issues
from kdtab.results import check, collect
from kdtab.shell.progress import SILENT, RunProgress
from kdtab.shell.trained import FitPlan
from kdtab.teachers.foundstudents import DistilledStudents, DistilledVariant
from kdtab.teachers.instruction import Instruction, instruction_by
from kdtab.teachers.studentfit import Wish
from kdtab.teachers.studentsearch import Search, searched_students
from kdtab.teachers.wishes import checked_wish

__all__ = ["DistilledStudents", "DistilledVariant", "distill_many"]

OF_THE_STUDENT = ("alpha", "temperature", "student_hidden_dim", "augment")
"""What a variant changes of `DistillConfig`."""


def distill_many(
    frame: pl.DataFrame,
    teacher: object,
    config: TrainingConfig,
    variants: Sequence[StudentVariant],
    distill: DistillConfig | None = None,
    *,
    labels: LabelConfig | None = None,
    unlabelled: pl.DataFrame | None = None,
    columns: ColumnOptions | None = None,
    device: str | torch.device | None = None,
    progress: RunProgress = SILENT,
    scratch: bool = False,
    own_rows: bool = True,
    choice: ChoiceOptions | None = None,
) -> Result[DistilledStudents, Issues]:
    """Distil students that differ in a few settings, all of one shape in one pass.

    The table is encoded once and the teacher speaks once. On the CPU the students take their steps
    together; each is the student that `distill_student` would give for the same settings, up to
    the order of sums; of fewer synthetic rows than another's they are the first. The best is chosen by the loss of the validation rows against true labels, so
    the test rows have decided nothing.

    Args:
        frame: Raw rows, the target among the columns.
        teacher: As for `distill_student`.
        config: What to train, and how; with a `validation_size` above 0 for more than one student.
        variants: At least one; what each student changes of `config` and `distill`.
        distill: As for `distill_student`.
        labels: As for `distill_student`.
        unlabelled: As for `distill_student`; labelled once for all.
        columns: As for `distill_student`.
        device: Where to train; None takes CUDA where there is one.
        progress: Hears of every fit, and of the means over the students.
        scratch: Also fit the student without a teacher.
        own_rows: As for `distill_student`.
        choice: Keep the first student, unless another leads by more than one standard error on the
            validation rows, or the teacher is worse than none; the student without a teacher is
            among the candidates, and a student beyond a limit of size or latency is none. None:
            keep the student with the smallest validation loss.

    Returns:
        Each student with its metrics, or what ended its training, and which is best; or the issues
        of `distill_student`, `FieldInvalid` without validation rows, `BudgetTooSmall` where no
        student is within the limits, and those of every student where none came to an end.

    Example:
        >>> from kdtab.config.variants import variant_grid
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 50, "y": ["no", "yes"] * 50})
        >>> config = TrainingConfig(target_column="y", epochs=5, validation_size=0.2)
        >>> grid = variant_grid(alpha=(0.3, 0.7), temperature=(1.0, 4.0))
        >>> found = distill_many(frame, "forest", config, grid, device="cpu").unwrap()
        >>> len(found.every), found.best.metrics.test_metric_name
        (4, 'accuracy')
    """
    return Result.do(
        students
        for wish in checked_wish(
            frame,
            config,
            distill,
            _choice_issue(variants, config.validation_size > 0),
            labels=labels,
            unlabelled=unlabelled,
            columns=columns,
            device=device,
            progress=progress,
            scratch=scratch,
            evidence=scratch or labels is not None or choice is not None,
            own_rows=own_rows,
        )
        for wishes in collect([_own_wish(wish, variant) for variant in variants])
        for given in instruction_by(teacher, _with_most_rows(wish, wishes))
        for _rows in check(_choice_issue(variants, len(given.prepared.validation.targets) > 0))
        for plans in _own_plans(given, wishes, variants)
        for students in searched_students(Search(given, wish, variants, plans, choice))
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
    knobs = {name: changes[name] for name in OF_THE_STUDENT if name in changes}
    rates = {name: changes[name] for name in ("learning_rate",) if name in changes}
    return Result.do(
        replace(wish, knobs=own, room=replace(wish.room, config=config))
        for own in revise(wish.knobs, **knobs)
        for config in revise(wish.room.config, **rates)
    )


def _with_most_rows(wish: Wish, wishes: Sequence[Wish]) -> Wish:
    """Synthetic rows are made once, as many as any student learns from."""
    most = max(each.knobs.augment for each in wishes)
    return replace(wish, knobs=revise(wish.knobs, augment=most).unwrap())


def _own_plans(
    given: Instruction, wishes: Sequence[Wish], variants: Sequence[StudentVariant]
) -> Result[tuple[FitPlan, ...], Issues]:
    """Students with as many synthetic rows share them: they go in one pass."""
    most = max(each.knobs.augment for each in wishes)
    shares = {wish.knobs.augment: wish.knobs.augment / most if most else 1.0 for wish in wishes}
    extras = {
        augment: None if given.extra is None else given.extra.with_share(share)
        for augment, share in shares.items()
    }

    def own(wish: Wish, variant: StudentVariant) -> Result[FitPlan, Issues]:
        extra = extras[wish.knobs.augment]
        planned = given.plan(wish).map(lambda plan: replace(plan, extra=extra))
        return planned.map(lambda plan: _with_own_seed(plan, variant.random_seed))

    return collect([own(*pair) for pair in zip(wishes, variants, strict=True)])


def _with_own_seed(plan: FitPlan, seed: int | None) -> FitPlan:
    if seed is None or seed == plan.config.random_seed:
        return plan
    note = f"weights, orders and dropout have seed {seed}; the split has the recorded one"
    config = revise(plan.config, random_seed=seed).unwrap()
    return replace(plan, config=config, notes=(*plan.notes, note))
