"""Series, a task and settings in; a fitted sequence network out, in torch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast, final

import numpy as np
import torch
from returns.result import Result

from kdtab.config.sequences import Backend
from kdtab.data.arrays import Float32Array
from kdtab.errors.issue import Issues
from kdtab.models.network import TabularNetwork
from kdtab.models.sequences import SequenceNetwork
from kdtab.shell.checkpoint import finished_network, keep_state
from kdtab.shell.fit import FitSettings
from kdtab.shell.flat import FlatAdam
from kdtab.shell.host import tensor_from_array
from kdtab.shell.infer import in_eval_mode
from kdtab.shell.loop import LoopEnd, LoopParts, LoopPlan, run_loop
from kdtab.shell.progress import SILENT, EpochRecord, Progress
from kdtab.shell.seed import seeded
from kdtab.shell.sequencebatches import SeriesOrders, SeriesRows, series_chunks
from kdtab.shell.threads import limited_threads, threads_for_step
from kdtab.shell.torch_step import (
    StepTerms,
    TorchState,
    join_terms,
    read_terms,
    take_torch_step,
)
from kdtab.tasks.sequences import SequenceBatch, SequenceTask
from kdtab.tasks.supervised import Batch, TrainingTask


@final
@dataclass(frozen=True, eq=False)
class FittedSequence:
    """A sequence network after its last step.

    Attributes:
        network: In eval mode, on the device of the run.
        backend: With what it was fitted.
        history: Every epoch that was run.
        best_epoch: The epoch whose weights these are: the last, or the best by validation loss.
        update_steps: Weight updates that were made.

    Example:
        >>> [field for field in FittedSequence.__dataclass_fields__][:2]
        ['network', 'backend']
    """

    network: SequenceNetwork
    backend: Backend
    history: tuple[EpochRecord, ...]
    best_epoch: int
    update_steps: int


def fit_sequence_network(
    network: SequenceNetwork,
    task: SequenceTask,
    training: SeriesRows,
    validation: SeriesRows | None,
    settings: FitSettings,
    *,
    device: torch.device,
    progress: Progress = SILENT,
) -> Result[FittedSequence, Issues]:
    """Fit a copy of a network; the process's random state and thread count stay as they were.

    Args:
        network: Where the weights start; not changed.
        task: What one step computes.
        training: The series to fit, at least one.
        validation: Series whose loss chooses the epoch; None takes the last epoch.
        settings: How long and how fast.
        device: Where to compute.
        progress: Hears of steps and epochs.

    Returns:
        The fitted network, the same to the bit for the same arguments, device and thread count; or
        `LossNotFinite`.

    Example:
        >>> from kdtab.models.sequences import example_spec, new_sequence_bundle
        >>> from kdtab.tasks.sequences import TrajectoryTask
        >>> start = new_sequence_bundle(example_spec(), random_seed=0).network
        >>> rows = SeriesRows(
        ...     np.ones((3, 4, 2), np.float32), np.ones((3, 5, 1), np.float32), np.full(3, 4)
        ... )
        >>> settings = FitSettings(epochs=2, batch_size=2, learning_rate=0.1, random_seed=0)
        >>> fitted = fit_sequence_network(
        ...     start, TrajectoryTask(), rows, None, settings, device=torch.device("cpu")
        ... ).unwrap()
        >>> fitted.update_steps, fitted.network.training
        (4, False)
    """
    orders = SeriesOrders(
        len(training.inputs), batch_size=settings.batch_size, seed=settings.random_seed
    )
    plan = LoopPlan(settings.epochs, orders.steps_per_epoch, settings.patience)
    with seeded(settings.random_seed):
        student = copy.deepcopy(network).to(device).train()
        optimizer = FlatAdam(
            student.parameters(),
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        parameters = sum(parameter.numel() for parameter in student.parameters())
        rows_of_step = settings.batch_size * training.inputs.shape[1]
        count = threads_for_step(parameters, rows_of_step, at_most=torch.get_num_threads())
        # The step asks no more of a network and a batch than these have.
        state = TorchState(cast(TabularNetwork, student), optimizer)
        with limited_threads(count):
            parts = _parts(task, training, validation, orders, device)
            end = run_loop(state, plan, parts, progress)
    return end.bind(lambda found: _fitted(found, plan))


def sequence_states(network: SequenceNetwork, inputs: Float32Array) -> Float32Array:
    """A network's time courses in eval mode without gradients, where the network is.

    Args:
        network: Not changed.
        inputs: [N, T, D_in] float32.

    Returns:
        [N, T + 1, D_out] float32 on the host.

    Example:
        >>> from kdtab.models.sequences import example_spec, new_sequence_bundle
        >>> network = new_sequence_bundle(example_spec(), random_seed=0).network
        >>> sequence_states(network, np.zeros((2, 3, 2), np.float32)).shape
        (2, 4, 1)
    """
    home = next(network.parameters()).device
    with in_eval_mode(network), torch.no_grad():
        parts = [
            network(tensor_from_array(inputs[part]).to(home)).cpu().numpy()
            for part in series_chunks(len(inputs))
        ]
    return np.concatenate(parts)


def _parts(
    task: SequenceTask,
    training: SeriesRows,
    validation: SeriesRows | None,
    orders: SeriesOrders,
    device: torch.device,
) -> LoopParts[TorchState, SequenceBatch, StepTerms]:
    series = _batch(task, training, device)

    def batches() -> Iterable[SequenceBatch]:
        for places in orders():
            chosen = torch.from_numpy(places).to(device, non_blocking=True)
            yield SequenceBatch(*(rows.index_select(0, chosen) for rows in series))

    def step(state: TorchState, batch: SequenceBatch) -> tuple[TorchState, StepTerms]:
        return take_torch_step(cast(TrainingTask, task), state, cast(Batch, batch))

    return LoopParts(
        batches=batches,
        step=step,
        join=join_terms,
        read=read_terms,
        validate=_validation(task, validation, device),
        keep=keep_state,
    )


def _batch(task: SequenceTask, rows: SeriesRows, device: torch.device) -> SequenceBatch:
    return SequenceBatch(
        tensor_from_array(rows.inputs).to(device),
        tensor_from_array(rows.targets).to(device),
        tensor_from_array(rows.weights(task.pooling)).to(device),
    )


def _validation(
    task: SequenceTask, rows: SeriesRows | None, device: torch.device
) -> Callable[[TorchState], float] | None:
    if rows is None or len(rows.inputs) == 0:
        return None
    series = _batch(task, rows, device)

    def loss(state: TorchState) -> float:
        total = 0.0
        with in_eval_mode(state.network), torch.no_grad():
            for part in series_chunks(len(series.inputs)):
                batch = SequenceBatch(*(tensor[part] for tensor in series))
                mean = task.loss(state.network(batch.inputs), batch)
                total += float(mean) * len(batch.inputs)
        return total / len(series.inputs)

    return loss


def _fitted(end: LoopEnd[TorchState], plan: LoopPlan) -> Result[FittedSequence, Issues]:
    student = cast(SequenceNetwork, end.state.network)
    return finished_network(student, end.best_epoch).map(
        lambda network: FittedSequence(
            network=network,
            backend="torch",
            history=end.history,
            best_epoch=end.best_epoch,
            update_steps=len(end.history) * plan.steps_per_epoch,
        )
    )
