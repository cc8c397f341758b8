"""What can be asked of a student of quantiles, checked before a forest is grown."""

from __future__ import annotations

from collections.abc import Iterator

from kdtab.config.distillation import DistillConfig
from kdtab.config.quantiles import levels_problem
from kdtab.config.training import TrainingConfig
from kdtab.errors.base import listed
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import Issue
from kdtab.errors.teachers import TaskMismatch
from kdtab.teachers.leafquantiles import QUANTILE_KINDS

PLAIN_MODES = ("mlp_dense", "tabresnet", "linear_glm_baseline")
"""Networks whose outputs are those of one last layer, learnt from labels as they are."""


def quantile_issues(
    teacher: object, config: TrainingConfig, levels: tuple[float, ...], knobs: DistillConfig
) -> tuple[Issue, ...]:
    """Every reason for which a student of quantiles cannot be what was asked for.

    Args:
        teacher: Its name, if it has leaves.
        config: Of the student.
        levels: Which quantiles.
        knobs: Of the distillation: what has no place is refused, for it would change nothing.

    Returns:
        `FieldInvalid` and `TaskMismatch`, one for each mistake.

    Example:
        >>> config = TrainingConfig(target_column="y")
        >>> quantile_issues("boosted", config, (0.1, 0.5, 0.9), DistillConfig())[0].name
        'teacher'
    """
    return (*_issues(teacher, config, levels), *_knob_issues(knobs))


def _issues(teacher: object, config: TrainingConfig, levels: tuple[float, ...]) -> Iterator[Issue]:
    if teacher not in QUANTILE_KINDS:
        rule = f"must be {' or '.join(QUANTILE_KINDS)}: the leaves of other teachers are not known"
        found = teacher if isinstance(teacher, str) else type(teacher).__name__
        yield FieldInvalid(name="teacher", rule=rule, found=found, known=QUANTILE_KINDS)
    problem = levels_problem(levels)
    if problem is not None:
        yield FieldInvalid(name="quantiles", rule=problem, found=listed(map(str, levels)))
    if config.task == "classification":
        yield TaskMismatch(requested="classification", teacher="regression")
    elif config.training_mode not in PLAIN_MODES:
        rule = f"must be one of {listed(PLAIN_MODES)} for quantiles"
        yield FieldInvalid(
            name="training_mode", rule=rule, found=config.training_mode, known=PLAIN_MODES
        )


def _knob_issues(knobs: DistillConfig) -> Iterator[Issue]:
    asked = {
        "objective": knobs.objective is not None,
        "layers": bool(knobs.layers),
        "augment": knobs.augment > 0,
        "calibrate": knobs.calibrate,
    }
    for name, given in asked.items():
        if given:
            rule = "must be left out: a student of quantiles has a loss of its own"
            yield FieldInvalid(name=name, rule=rule, found="given")
