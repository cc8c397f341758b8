"""Many students of one instruction: fitted in one pass, and the one to hand out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from returns.result import Result, Success

from kdtab.config.choice import ChoiceOptions
from kdtab.config.variants import StudentVariant
from kdtab.data.arrays import FloatArray
from kdtab.data.prepare import PreparedTable
from kdtab.errors.issue import Issues
from kdtab.results import Checked, collect
from kdtab.shell.assemble import assembled_model, fit_networks
from kdtab.shell.fit import FittedNetwork
from kdtab.shell.infer import network_outputs
from kdtab.shell.trained import DistillEvidence, FitPlan, TrainedModel
from kdtab.teachers.evidence import evidence_notes
from kdtab.teachers.footprint import fitting_plans, small_enough
from kdtab.teachers.foundstudents import DistilledStudents, DistilledVariant
from kdtab.teachers.gate import Baseline, dependent_rows, gate_notes, has_validation_rows
from kdtab.teachers.instruction import Instruction
from kdtab.teachers.keeping import kept_place
from kdtab.teachers.studentfit import STUDENT, Wish, gated_evidence, plan_alone
from kdtab.teachers.studentnotes import with_notes, with_size_note
from kdtab.teachers.studentview import losses_of_targets

ALONE = StudentVariant(alpha=1.0)


@dataclass(frozen=True, eq=False)
class Search:
    """What is to be fitted.

    Attributes:
        given: The table, the labels, the evidence.
        wish: Of the run.
        variants: What each student changes of it.
        plans: One for each of them.
        choice: Keep the first student without better knowledge, within limits, the one without a
            teacher among the candidates. None: keep the smallest validation loss.

    Example:
        >>> Search.__dataclass_params__.frozen
        True
    """

    given: Instruction
    wish: Wish
    variants: Sequence[StudentVariant]
    plans: Sequence[FitPlan]
    choice: ChoiceOptions | None = None


def searched_students(search: Search) -> Result[DistilledStudents, Issues]:
    """Fit all students in one pass, the one without a teacher among them where it is wanted.

    Args:
        search: What is to be fitted.

    Returns:
        Each student and the one to keep; or the issues of every student where none came to an end,
        `BudgetTooSmall` where the smallest exceeds the limits.

    Example:
        >>> searched_students.__name__
        'searched_students'
    """
    return _within_limits(search).bind(_fitted_search)


def _within_limits(search: Search) -> Result[Search, Issues]:
    """Without the students that would be too large or too slow whatever they learn."""
    choice, given = search.choice, search.given
    if choice is None or not choice.limited:
        return Success(search)
    return fitting_plans(given.prepared, search.plans, search.wish.room.frame, choice).map(
        lambda places: replace(
            search,
            variants=[search.variants[place] for place in places],
            plans=[search.plans[place] for place in places],
        )
    )


def _fitted_search(search: Search) -> Result[DistilledStudents, Issues]:
    if search.choice is not None:
        return _alone_first(search, search.choice)
    given, wish, plans = search.given, search.wish, search.plans
    prepared, room = given.prepared, wish.room
    gated = given.evidence is not None and room.labels.gate and has_validation_rows(prepared, room)
    has_alone = wish.scratch or gated
    return Result.do(
        found
        for base in given.plan(wish)
        for alone in Success(plan_alone(prepared, base, wish))
        for fitted in Success(_fitted(prepared, [*plans, *([alone] if has_alone else [])], wish))
        for scratch in _scratch(prepared, alone, fitted[len(plans) :])
        for evidence in Success(
            _evidence(given, base, Baseline(alone, room, wish.progress), scratch)
        )
        for found in _chosen(search, _taught(search, fitted, evidence), scratch, evidence)
    )


def _alone_first(search: Search, choice: ChoiceOptions) -> Result[DistilledStudents, Issues]:
    """What the teacher is worth is said before anybody learns from it."""
    given, prepared, wish = search.given, search.given.prepared, search.wish
    alone = plan_alone(prepared, search.plans[0], wish)
    baseline = Baseline(alone, wish.room, wish.progress)
    lonely = baseline.fitted(prepared)
    scratch = lonely.value_or(None)
    evidence = _evidence(given, search.plans[0], baseline, scratch)
    fitted = _fitted(prepared, search.plans, wish)
    every = (*_taught(search, fitted, evidence), _alone(prepared, lonely, evidence))
    return _small(every, choice).bind(lambda small: _chosen(search, small, scratch, evidence))


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


def _taught(
    search: Search, fitted: Sequence[Checked[FittedNetwork]], evidence: DistillEvidence | None
) -> tuple[DistilledVariant, ...]:
    return tuple(
        DistilledVariant(variant, network.map(partial(_student, search.given, plan, evidence)))
        for variant, plan, network in zip(search.variants, search.plans, fitted, strict=False)
    )


def _alone(
    prepared: PreparedTable, lonely: Checked[TrainedModel], evidence: DistillEvidence | None
) -> DistilledVariant:
    def shown(model: TrainedModel) -> TrainedModel:
        told = with_notes(model, _known(evidence, prepared))
        return replace(told, report=replace(told.report, evidence=evidence))

    return DistilledVariant(ALONE, lonely.map(shown), alone=True)


def _known(evidence: DistillEvidence | None, prepared: PreparedTable) -> tuple[str, ...]:
    """Of the teacher and its labels, whichever student is handed out."""
    if evidence is None:
        return ()
    return (*evidence_notes(evidence, prepared), *gate_notes(evidence.gate))


def _student(
    given: Instruction, plan: FitPlan, evidence: DistillEvidence | None, fitted: FittedNetwork
) -> TrainedModel:
    notes = (*plan.notes, *_known(evidence, given.prepared))
    model = assembled_model(given.prepared, replace(plan, notes=notes), fitted)
    return with_size_note(
        replace(model, report=replace(model.report, evidence=evidence)), given.bundle
    )


def _small(
    every: tuple[DistilledVariant, ...], choice: ChoiceOptions
) -> Checked[tuple[DistilledVariant, ...]]:
    """Without those that are larger than allowed after all: what a fit notes is part of a file."""
    bundles = [one.outcome.map(lambda model: model.bundle).value_or(None) for one in every]
    return small_enough(bundles, choice).map(lambda places: tuple(every[place] for place in places))


def _chosen(
    search: Search,
    every: tuple[DistilledVariant, ...],
    scratch: TrainedModel | None,
    evidence: DistillEvidence | None,
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

    best = min(done, key=loss)
    if search.choice is not None and len(search.given.prepared.validation.targets):
        best = _kept(search, every, done[0], evidence)
    return Success(DistilledStudents(every, best, scratch, done[0]))


def _kept(
    search: Search,
    every: Sequence[DistilledVariant],
    usual: int,
    evidence: DistillEvidence | None,
) -> int:
    prepared = search.given.prepared
    rows, numbers = prepared.validation, prepared.split.validation
    gate = None if evidence is None else evidence.gate
    _, groups = np.unique(dependent_rows(rows, numbers, search.wish.room), return_inverse=True)
    return kept_place(
        [_validation_losses(prepared, one) for one in every],
        usual,
        alone=len(every) - 1 if every[-1].alone else None,
        verdict=None if gate is None else gate.verdict,
        groups=groups,
    )


def _validation_losses(prepared: PreparedTable, one: DistilledVariant) -> FloatArray:
    """NaN for a student that was not fitted."""
    rows = prepared.validation
    lost: FloatArray = np.full(len(rows.targets), np.nan)

    def losses(model: TrainedModel) -> FloatArray:
        outputs = network_outputs(model.bundle.model, rows.inputs)
        return losses_of_targets(outputs, rows, prepared)

    return one.outcome.map(losses).value_or(lost)
