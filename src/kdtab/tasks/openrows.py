"""Which tasks learn from rows without a label, and how."""

from __future__ import annotations

from dataclasses import replace

from kdtab.tasks.layertask import LayerTask
from kdtab.tasks.objectives import ObjectiveTask
from kdtab.tasks.partial_targets import PartialTargetTask
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.trainingtask import TrainingTask


def task_of_open_rows(task: TrainingTask) -> TrainingTask | None:
    """The task for rows some of which have no label: the class code −1, or the value NaN.

    Args:
        task: Any.

    Returns:
        The same for rows with a label; of the others it learns by what the teacher said alone. None
        where the teacher has no say, as at alpha 1: such rows are to be left out.

    Example:
        >>> task_of_open_rows(SoftTargetTask("regression", alpha=0.3)).taught.alpha
        0.3
        >>> task_of_open_rows(SoftTargetTask("regression", alpha=1.0)) is None
        True
    """
    match task:
        case SoftTargetTask(alpha=alpha):
            return PartialTargetTask(task) if alpha < 1 else None
        case PartialTargetTask(taught=taught):
            return task if taught.alpha < 1 else None
        case ObjectiveTask():
            return replace(task, open_rows=True) if task.has_teacher else None
        case LayerTask(taught=taught):
            opened = replace(task, taught=replace(taught, open_rows=True))
            return opened if taught.has_teacher else None
        case _:
            return None
