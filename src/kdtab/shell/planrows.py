"""The rows that a plan is fitted on: a table's own, and those that only the teacher has labelled."""

from __future__ import annotations

from kdtab.data.arrays import Float32Array
from kdtab.data.artifacts import network_targets
from kdtab.data.prepare import EncodedRows, PreparedTable
from kdtab.shell.budget import resolve_settings
from kdtab.shell.extrarows import ExtraRows
from kdtab.shell.fitrows import FitRows
from kdtab.shell.settings import FitSettings
from kdtab.shell.trained import FitPlan
from kdtab.tasks.openrows import task_of_open_rows


def heard_rows(plan: FitPlan) -> ExtraRows | None:
    """The rows without a label, where the plan's task listens to a teacher.

    Args:
        plan: Any.

    Returns:
        None for a task that would learn nothing from them.

    Example:
        >>> heard_rows.__name__
        'heard_rows'
    """
    return None if task_of_open_rows(plan.task) is None else plan.extra


def plan_settings(prepared: PreparedTable, plan: FitPlan) -> FitSettings:
    """Epochs and batch size for all rows that are learnt from.

    Args:
        prepared: The table.
        plan: What to fit on it.

    Returns:
        Settings with nothing left open.

    Example:
        >>> plan_settings.__name__
        'plan_settings'
    """
    labelled, extra = len(prepared.training.targets), heard_rows(plan)
    rows = labelled
    if extra is not None:
        rows = labelled * extra.repeats(labelled) + len(extra.inputs)
    return resolve_settings(plan.config, rows, prepared.task, labelled_rows=labelled)


def training_rows(
    prepared: PreparedTable, spoken: Float32Array | None, extra: ExtraRows | None
) -> FitRows:
    """The training rows, with those beside them.

    Args:
        prepared: The table.
        spoken: [N, C] what the teacher said of the training rows.
        extra: From `heard_rows`.

    Returns:
        The rows as a fit takes them.

    Example:
        >>> training_rows.__name__
        'training_rows'
    """
    rows = fit_rows(prepared, prepared.training, spoken)
    return rows if extra is None else extra.beside(rows)


def fit_rows(
    prepared: PreparedTable, rows: EncodedRows, soft_targets: Float32Array | None
) -> FitRows:
    """Rows of a table with targets in the unit of training.

    Args:
        prepared: Their table.
        rows: Some of its rows.
        soft_targets: [N, C] what the teacher said of them.

    Returns:
        The rows as a fit takes them.

    Example:
        >>> fit_rows.__name__
        'fit_rows'
    """
    targets = network_targets(rows.targets, prepared.artifacts)
    return FitRows(inputs=rows.inputs, targets=targets, soft_targets=soft_targets)


def extra_notes(plan: FitPlan) -> tuple[str, ...]:
    """What a person should know of rows beside the table's own.

    Args:
        plan: Any.

    Returns:
        Sentences.

    Example:
        >>> extra_notes.__name__
        'extra_notes'
    """
    if plan.extra is None:
        return ()
    if heard_rows(plan) is None:
        count = len(plan.extra.inputs)
        return (f"alpha 1 does not listen to the teacher: {count:,} rows without a label left out",)
    return plan.extra.notes + plan.extra.synthetic_notes


def extra_counts(plan: FitPlan) -> dict[str, object]:
    """How many rows beside the table's own were learnt from, as a provenance records them.

    Args:
        plan: Any.

    Returns:
        Counts above 0 by field name.

    Example:
        >>> extra_counts.__name__
        'extra_counts'
    """
    extra = heard_rows(plan)
    if extra is None:
        return {}
    counts = {"synthetic_rows": extra.synthetic, "unlabelled_rows": extra.unlabelled}
    return {name: count for name, count in counts.items() if count}
