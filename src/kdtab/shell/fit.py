"""Matrices, a task and settings in; a fitted network out. Every training run goes through here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import final

import torch
from returns.result import Result

from kdtab.config.networks import NetworkSpec
from kdtab.data.arrays import Float32Array, IntArray
from kdtab.errors.issue import Issues
from kdtab.errors.training import NoValidBatch
from kdtab.models.build import build_model
from kdtab.models.describe import parameter_count
from kdtab.models.network import TabularNetwork, in_one_node
from kdtab.results import check
from kdtab.shell.batches import ShuffledBatches, steps_per_epoch
from kdtab.shell.checkpoint import finished_network, keep_state
from kdtab.shell.direct_step import Step, goes_directly, stepping_directly
from kdtab.shell.host import tensor_from_array
from kdtab.shell.infer import network_outputs
from kdtab.shell.loop import LoopEnd, LoopParts, LoopPlan, run_loop
from kdtab.shell.progress import SILENT, EpochRecord, Progress
from kdtab.shell.seed import seeded
from kdtab.shell.threads import limited_threads, threads_for_step
from kdtab.shell.torch_step import (
    StepTerms,
    TorchState,
    adam,
    join_terms,
    read_terms,
    take_torch_step,
)
from kdtab.tasks.running import in_run, trained_beside
from kdtab.tasks.supervised import Batch, TrainingTask

WEIGHT_DECAY = 1e-4


@final
@dataclass(frozen=True, eq=False)
class FitRows:
    """Rows to fit or to validate on.

    Attributes:
        inputs: [N, D] float32 encoded rows.
        targets: [N] int64 class codes, or [N, 1] float32 values in the unit of training.
        soft_targets: [N, C] untempered logits or log-probabilities of the teacher, or [N, 1] its
            values in the unit of training; None without a teacher.

    Example:
        >>> import numpy as np
        >>> FitRows(np.zeros((4, 3), np.float32), np.zeros(4, np.int64)).soft_targets is None
        True
    """

    inputs: Float32Array
    targets: IntArray | Float32Array
    soft_targets: Float32Array | None = None


@final
@dataclass(frozen=True)
class FitSettings:
    """How to fit, with nothing left to resolve.

    Attributes:
        epochs: Passes over the training rows, at most.
        batch_size: Rows of a step.
        learning_rate: Adam's step size.
        random_seed: Decides weights, orders and dropout.
        weight_decay: Adam's, 1e-4 (REQ-KD20, REQ-T10).
        patience: Epochs without a better validation loss before the run stops; None runs them all.

    Example:
        >>> FitSettings(epochs=5, batch_size=32, learning_rate=1e-3, random_seed=42).weight_decay
        0.0001
    """

    epochs: int
    batch_size: int
    learning_rate: float
    random_seed: int
    weight_decay: float = WEIGHT_DECAY
    patience: int | None = None


@final
@dataclass(frozen=True, eq=False)
class FittedNetwork:
    """A network after its last step.

    Attributes:
        network: In eval mode, on the device of the run (REQ-T14, REQ-T08).
        history: Every epoch that was run.
        train_loss: The mean training loss of the epoch whose weights these are.
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
        training: The rows to fit; with soft targets where the task asks for them.
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
        with (
            limited_threads(count) as threads,
            in_run(task, network) as running,
            _stepping(running, network, settings) as stepping,
        ):
            state, step = stepping
            parts = _parts(running, step, training, validation, settings, device)
            end = run_loop(state, plan, parts, progress)
    return end.bind(lambda found: _fitted(found, plan, threads))


@contextmanager
def _stepping(
    task: TrainingTask, network: TabularNetwork, settings: FitSettings
) -> Iterator[tuple[TorchState, Step]]:
    """The state before the first step, and the step: without a graph where that will do."""
    network.train()
    make_adam = partial(
        adam, learning_rate=settings.learning_rate, weight_decay=settings.weight_decay
    )
    beside = trained_beside(task)
    if not beside and goes_directly(task, network):
        with stepping_directly(task, network, make_adam) as stepping:
            yield stepping
    else:
        optimizer = make_adam(network.parameters())
        if beside:
            # A decay would pull learnt weights of losses back to where they began.
            optimizer.add_param_group({"params": list(beside), "weight_decay": 0.0})
        with in_one_node(network):
            yield TorchState(network, optimizer), partial(take_torch_step, task)


def _parts(
    task: TrainingTask,
    step: Step,
    training: FitRows,
    validation: FitRows | None,
    settings: FitSettings,
    device: torch.device,
) -> LoopParts[TorchState, Batch, StepTerms]:
    rows = _on_device(task, training, device)
    return LoopParts(
        batches=ShuffledBatches(rows, batch_size=settings.batch_size, seed=settings.random_seed),
        step=step,
        join=join_terms,
        read=read_terms,
        validate=_validation(task, validation),
        keep=keep_state,
    )


def _on_device(task: TrainingTask, rows: FitRows, device: torch.device) -> Batch:
    soft = rows.soft_targets
    prepared = task.prepare(None if soft is None else tensor_from_array(soft).to(device))
    return Batch(
        inputs=tensor_from_array(rows.inputs).to(device),
        targets=tensor_from_array(rows.targets).to(device),
        soft_targets=prepared,
    )


def _validation(task: TrainingTask, rows: FitRows | None) -> Callable[[TorchState], float] | None:
    if rows is None or len(rows.inputs) == 0:
        return None
    targets = tensor_from_array(rows.targets)

    def hard_loss(state: TorchState) -> float:
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
