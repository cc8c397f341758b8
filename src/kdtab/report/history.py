"""What the records of models tell: how a student was taught, and who belongs to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kdtab.bundle import ModelBundle
from kdtab.config.distillation import DistillConfig
from kdtab.config.layerpairs import layer_term
from kdtab.config.manifest import Provenance
from kdtab.config.objectives import ObjectiveConfig
from kdtab.config.schedules import Schedule, schedule_ends
from kdtab.teachers.teacher import TeacherInfo

METHODS: Mapping[str, str] = {
    "out_of_fold": "out of fold: no row is labelled by a teacher that saw it",
    "out_of_bag": "out of bag: no row is labelled by a tree that saw it",
    "in_sample": "in-sample: the teacher labelled rows that it was fitted on",
    "as_given": "as given: the teacher was fitted elsewhere",
}
SAME_BUDGET = (
    "target_column", "training_mode", "test_size", "validation_size", "patience", "random_seed",
    "learning_rate", "optimizer", "weight_decay", "learning_rate_schedule", "warmup_steps", "ema_decay",
)  # fmt: skip


def run_facts(known: Provenance) -> tuple[tuple[str, str], ...]:
    """How a student was trained, as names and values for a person.

    Args:
        known: What it recorded.

    Returns:
        A pair for each thing that is known.

    Example:
        >>> run_facts(Provenance(training_rows=1_234))
        (('training rows', '1,234'),)
    """
    knobs, config = known.distill_config, known.training_config
    effort = (known.epochs, known.batch_size, known.update_steps)
    every = (
        *(() if knobs is None else _lesson_facts(knobs)),
        ("training rows", None if known.training_rows is None else f"{known.training_rows:,}"),
        ("epochs, batch size, steps", None if None in effort else ", ".join(map(str, effort))),
        ("seed", None if config is None else str(config.random_seed)),
    )
    return tuple((name, text) for name, text in every if text is not None)


def _lesson_facts(knobs: DistillConfig) -> Iterator[tuple[str, str]]:
    asked = knobs.objective or ObjectiveConfig()
    yield "temperature", _course(asked.temperature, knobs.temperature)
    if asked.balancer is None:
        yield "alpha", _course(asked.alpha, knobs.alpha)
    else:
        yield "balancer", asked.balancer.kind
    if asked.losses:
        yield "losses", ", ".join(loss.kind for loss in asked.losses)
    if knobs.layers:
        pairs = (f"{layer_term(pair.student, pair.teacher)} {pair.loss}" for pair in knobs.layers)
        yield "layers", ", ".join(pairs)


def _course(schedule: Schedule | None, constant: float) -> str:
    start, end = (constant, constant) if schedule is None else schedule_ends(schedule)
    return f"{start:g}" if start == end else f"{start:g} to {end:g}"


def draw_seed(known: Provenance) -> int:
    """The seed of a report's draws: that of the training, so that a later report draws the same.

    Args:
        known: What the student recorded.

    Returns:
        The seed; 0 where there is no record.

    Example:
        >>> from kdtab.config.training import TrainingConfig
        >>> draw_seed(Provenance(training_config=TrainingConfig(target_column="y", random_seed=7)))
        7
    """
    return 0 if known.training_config is None else known.training_config.random_seed


def taught_by_another(known: Provenance, teacher: TeacherInfo) -> str | None:
    """What to say where a student's record names another teacher than the one at hand.

    Args:
        known: What the student recorded.
        teacher: The one that it is compared with.

    Returns:
        A sentence, or None where it is the same one, or nothing is recorded.

    Example:
        >>> info = TeacherInfo("rule", "regression", (), "values", "rule-1")
        >>> taught_by_another(Provenance(teacher_fingerprint="rule-1"), info) is None
        True
        >>> taught_by_another(Provenance(teacher_fingerprint="rule-2"), info)[:33]
        'the student was taught by another'
    """
    if known.teacher_fingerprint in (None, teacher.fingerprint):
        return None
    kind = "" if known.teacher_kind is None else f" ({known.teacher_kind})"
    return (
        f"the student was taught by another teacher{kind}, or by fits of this one to other rows: "
        "what it kept is measured against the teacher given here"
    )


def differences_from(student: ModelBundle, scratch: ModelBundle) -> tuple[str, ...]:
    """Why a bundle is not the student's scratch student: the same one without a teacher.

    Args:
        student: The student.
        scratch: What is given as its scratch student.

    Returns:
        Phrases; none where all that both recorded is the same. What one of them does not record
        is no difference.

    Example:
        >>> from dataclasses import replace
        >>> from torch import nn
        >>> student = ModelBundle(nn.Linear(3, 2), "classification", *[None] * 10)
        >>> differences_from(student, student)
        ()
        >>> differences_from(student, replace(student, provenance=Provenance(teacher_kind="forest")))
        ('it had a teacher',)
    """
    return tuple(_differences(student, scratch))


def _differences(student: ModelBundle, scratch: ModelBundle) -> Iterator[str]:
    mine, its = student.provenance, scratch.provenance
    if its.teacher_fingerprint is not None or its.teacher_kind is not None:
        yield "it had a teacher"
    specs = [getattr(bundle.model, "spec", None) for bundle in (student, scratch)]
    if specs[0] != specs[1]:
        yield "it is another network"
    if _differ(mine.table_fingerprint, its.table_fingerprint):
        yield "it was trained on another table"
    if mine.training_config is not None and its.training_config is not None:
        ours, theirs = mine.training_config, its.training_config
        names = [name for name in SAME_BUDGET if getattr(ours, name) != getattr(theirs, name)]
        if names:
            yield f"it was trained with another {', '.join(names)}"
    budget = (mine.epochs, mine.batch_size), (its.epochs, its.batch_size)
    if any(_differ(ours, theirs) for ours, theirs in zip(*budget, strict=True)):
        yield "it had another budget of steps"


def _differ(mine: object, its: object) -> bool:
    return None not in (mine, its) and mine != its
