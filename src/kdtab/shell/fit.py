"""Matrices, a task and settings in; a fitted network out. Every training run goes through here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from returns.result import Result

from kdtab.config.networks import NetworkSpec
from kdtab.errors.issue import Issues
from kdtab.errors.training import NoValidBatch
from kdtab.models.build import build_model
from kdtab.models.describe import parameter_count
from kdtab.models.network import TabularNetwork
from kdtab.results import check
from kdtab.shell.averages import WeightAverage, averaged
from kdtab.shell.batches import ShuffledBatches, steps_per_epoch
from kdtab.shell.checkpoint import finished_network, keep_state
from kdtab.shell.course import Course, course_of_run
from kdtab.shell.fitrows import FitRows, heard_rows
from kdtab.shell.host import tensor_from_array
from kdtab.shell.infer import network_outputs
from kdtab.shell.loop import LoopEnd, LoopParts, LoopPlan, run_loop
from kdtab.shell.progress import SILENT, EpochRecord, Progress
from kdtab.shell.seed import seeded
from kdtab.shell.settings import FitSettings
from kdtab.shell.threads import limited_threads, threads_for_step
from kdtab.shell.torch_step import StepTerms, TorchState, join_terms, read_terms
from kdtab.tasks.running import in_run
from kdtab.tasks.supervised import Batch, TrainingTask

__all__ = ["FitRows", "FitSettings", "FittedNetwork", "fit_network"]


@final
@dataclass(frozen=True, eq=False)
class FittedNetwork:
    """A network after its last step.

    Attributes:
        network: In eval mode, on the device of the run (REQ-T14, REQ-T08).
        history: Every epoch that was run.
        train_loss: The mean training loss of the epoch whose weights these are; that of the raw
            weights where a running mean of them is kept.
        update_steps: Weight updates that were made.
        best_epoch: The epoch whose weights these are: the last, or the best by validation loss.
        threads: That torch computed with; another count gives other bits.

    Example:
        >>> [field for field in FittedNetwork.__dataclass_fields__][:2]
        ['network', 'history']
    """

    network: TabularNetwork
    history: tuple[EpochRecord, ...]
    train_loss: float
    update_steps: int
    best_epoch: int
    threads: int


def fit_network(
    spec: NetworkSpec,
    task: TrainingTask,
    training: FitRows,
    validation: FitRows | None,
    settings: FitSettings,
    *,
    device: torch.device,
    progress: Progress = SILENT,
) -> Result[FittedNetwork, Issues]:
    """Build a network and fit it; the process's random state and thread count stay as they were.

    Args:
        spec: Which network.
        task: What one step computes.
        training: The rows to fit; with soft targets where the task asks for them. Rows without a
            label are left out where it does not listen to a teacher.
        validation: Rows whose hard loss chooses the epoch; None (or no row) takes the last epoch.
        settings: How long and how fast.
        device: Where to compute.
        progress: Hears of steps and epochs.

    Returns:
        The fitted network, the same to the bit for the same arguments, device and thread count;
        `NoValidBatch` before the first epoch (REQ-KD22, REQ-T13), or `LossNotFinite`.

    Example:
        >>> import numpy as np
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> x = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
        >>> fitted = fit_network(
        ...     LinearSpec(input_dim=1, output_dim=2), SupervisedTask(task="classification"),
        ...     FitRows(x, (x[:, 0] > 0).astype(np.int64)), None,
        ...     FitSettings(epochs=3, batch_size=16, learning_rate=0.1, random_seed=0),
        ...     device=torch.device("cpu"),
        ... ).unwrap()
        >>> fitted.update_steps, fitted.network.training
        (12, False)
    """
    task, training = heard_rows(task, training)
    return _refuse_batches(len(training.inputs), settings.batch_size).bind(
        lambda _: _fit_seeded(spec, task, training, validation, settings, device, progress)
    )


def _refuse_batches(rows: int, batch_size: int) -> Result[None, Issues]:
    possible = steps_per_epoch(rows, batch_size) > 0
    return check(None if possible else NoValidBatch(rows=rows, batch_size=batch_size))


def _fit_seeded(
    spec: NetworkSpec,
    task: TrainingTask,
    training: FitRows,
    validation: FitRows | None,
    settings: FitSettings,
    device: torch.device,
    progress: Progress,
) -> Result[FittedNetwork, Issues]:
    with seeded(settings.random_seed):
        network = build_model(spec).to(device)
        count = threads_for_step(
            parameter_count(network),
            min(settings.batch_size, len(training.inputs)),
            at_most=torch.get_num_threads(),
        )
        plan = LoopPlan(
            epochs=settings.epochs,
            steps_per_epoch=steps_per_epoch(len(training.inputs), settings.batch_size),
            patience=settings.patience,
        )
        steps = plan.epochs * plan.steps_per_epoch
        with (
            limited_threads(count) as threads,
            in_run(task, network) as running,
            course_of_run(running, network, settings, steps=steps) as course,
        ):
            parts = _parts(running, course, training, validation, settings, device)
            end = run_loop(course.state, plan, parts, progress)
            if course.average is not None and parts.validate is None:
                course.average.settle()
    return end.bind(lambda found: _fitted(found, plan, threads))


def _parts(
    task: TrainingTask,
    course: Course,
    training: FitRows,
    validation: FitRows | None,
    settings: FitSettings,
    device: torch.device,
) -> LoopParts[TorchState, Batch, StepTerms]:
    rows = _on_device(task, training, device)

    def keep(state: TorchState) -> Callable[[], TorchState]:
        with averaged(course.average):
            return keep_state(state)

    return LoopParts(
        batches=ShuffledBatches(rows, batch_size=settings.batch_size, seed=settings.random_seed),
        step=course.step,
        join=join_terms,
        read=read_terms,
        validate=_validation(task, validation, course.average),
        keep=keep,
    )


def _on_device(task: TrainingTask, rows: FitRows, device: torch.device) -> Batch:
    soft = rows.soft_targets
    prepared = task.prepare(None if soft is None else tensor_from_array(soft).to(device))
    return Batch(
        inputs=tensor_from_array(rows.inputs).to(device),
        targets=tensor_from_array(rows.targets).to(device),
        soft_targets=prepared,
    )


def _validation(
    task: TrainingTask, rows: FitRows | None, average: WeightAverage | None
) -> Callable[[TorchState], float] | None:
    if rows is None or len(rows.inputs) == 0:
        return None
    targets = tensor_from_array(rows.targets)

    def hard_loss(state: TorchState) -> float:
        with averaged(average):
            outputs = tensor_from_array(network_outputs(state.network, rows.inputs))
        return float(task.hard_loss(outputs, targets))

    return hard_loss


def _fitted(
    end: LoopEnd[TorchState], plan: LoopPlan, threads: int
) -> Result[FittedNetwork, Issues]:
    return finished_network(end.state.network, end.best_epoch).map(
        lambda network: FittedNetwork(
            network=network,
            history=end.history,
            train_loss=end.history[end.best_epoch - 1].loss,
            update_steps=len(end.history) * plan.steps_per_epoch,
            best_epoch=end.best_epoch,
            threads=threads,
        )
    )
