"""What a task sets up for the time of a run, and what is trained beside the student."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, cast, runtime_checkable

from torch import nn

from kdtab.models.network import TabularNetwork
from kdtab.tasks.members import task_for
from kdtab.tasks.trainingtask import TrainingTask


@runtime_checkable
class PreparedTask(TrainingTask, Protocol):
    """A task that installs something for a run, hooks perhaps, and takes it away again.

    Example:
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> isinstance(SupervisedTask(task="regression"), PreparedTask)
        False
    """

    def context(self, student: TabularNetwork) -> AbstractContextManager[TrainingTask]:
        """The task as it is inside of the run.

        Args:
            student: Built, on the device of the run.

        Returns:
            A context whose end leaves no trace on student and teacher.

        Example:
            >>> class Later(Protocol):
            ...     def context(self, student: TabularNetwork) -> object: ...
        """
        ...


@contextmanager
def in_run(task: TrainingTask, student: TabularNetwork) -> Iterator[TrainingTask]:
    """The task of one run: itself, or what a `PreparedTask` says; for an ensemble of each member.

    Args:
        task: Any.
        student: Built, on the device of the run.

    Yields:
        What every step of the run computes.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.models.build import build_model
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> task = SupervisedTask(task="regression")
        >>> with in_run(task, build_model(LinearSpec(input_dim=1, output_dim=1))) as running:
        ...     running is task
        True
    """
    if isinstance(task, PreparedTask):
        with task.context(student) as running:
            yield task_for(student, running)
    else:
        yield task_for(student, task)


def trained_beside(task: TrainingTask) -> tuple[nn.Parameter, ...]:
    """The numbers of a task that are trained with the student and thrown away after it.

    Args:
        task: Of a run; one that trains something names it by `modules`.

    Returns:
        Parameters, mostly none.

    Example:
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> trained_beside(SupervisedTask(task="regression"))
        ()
    """
    modules = cast(tuple[nn.Module, ...], getattr(task, "modules", ()))
    return tuple(parameter for module in modules for parameter in module.parameters())
