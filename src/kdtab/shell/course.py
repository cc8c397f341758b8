"""The steps of a run, from the first weights to the last: rates, updates, the mean of the weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from kdtab.models.network import TabularNetwork, in_one_node
from kdtab.shell.averages import WeightAverage, running_statistics
from kdtab.shell.direct_step import (
    Step,
    goes_directly,
    is_on,
    sees_outputs_alone,
    stepping_directly,
)
from kdtab.shell.flat import FlatAdam
from kdtab.shell.rates import learning_rate_at
from kdtab.shell.recorded_step import RecordedStep, SideStream, cuda_record
from kdtab.shell.settings import FitSettings
from kdtab.shell.torch_step import StepTerms, TorchState, take_torch_step
from kdtab.tasks.running import trained_beside
from kdtab.tasks.trainingtask import Batch, TrainingTask


class Course(NamedTuple):
    """A run before its first step.

    Attributes:
        state: The network, and its optimizer.
        step: One update, at the learning rate of its place in the run.
        average: The running mean of the weights, where it is what will be kept.

    Example:
        >>> Course._fields
        ('state', 'step', 'average')
    """

    state: TorchState
    step: Step
    average: WeightAverage | None


@contextmanager
def course_of_run(
    task: TrainingTask, network: TabularNetwork, settings: FitSettings, *, steps: int
) -> Iterator[Course]:
    """A run that can begin, by the road that is fastest for its task and its network.

    Args:
        task: What every step computes.
        network: On the device of the run; put in train mode.
        settings: Optimizer, rates and running mean.
        steps: Weight updates of the whole run, over which a schedule stretches.

    Yields:
        The run. Its weights may share memory until the end of the block.

    Example:
        >>> import torch
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.models.build import build_model
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> network = build_model(LinearSpec(input_dim=3, output_dim=1))
        >>> run = FitSettings(
        ...     epochs=1, batch_size=4, learning_rate=0.1, random_seed=0, warmup_steps=4
        ... )
        >>> batch = Batch(torch.zeros(4, 3), torch.zeros(4, 1), None)
        >>> with course_of_run(SupervisedTask("regression"), network, run, steps=10) as course:
        ...     state, _ = course.step(course.state, batch)
        ...     state.optimizer.learning_rate
        0.025
    """
    with _stepping(task, network, settings) as (state, step, weights):
        average: WeightAverage | None = None
        if settings.ema_decay is not None:
            followed = (*weights, *running_statistics(network))
            average = WeightAverage(settings.ema_decay, followed)

        def take(state: TorchState, batch: Batch) -> tuple[TorchState, StepTerms]:
            state.optimizer.learning_rate = learning_rate_at(state.steps, settings, steps=steps)
            state, terms = step(state, batch)
            if average is not None:
                average.follow()
            return state, terms

        yield Course(state, take, average)


@contextmanager
def _stepping(
    task: TrainingTask, network: TabularNetwork, settings: FitSettings
) -> Iterator[tuple[TorchState, Step, tuple[Tensor, ...]]]:
    """State and step, without a graph where that will do, and the weights as few tensors."""
    network.train()
    make_adam = partial(
        FlatAdam,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        decoupled=settings.optimizer == "adamw",
    )
    beside = trained_beside(task)
    if not beside and goes_directly(task, network):
        with stepping_directly(task, network, make_adam) as (state, step):
            yield state, step, state.optimizer.tensors
    else:
        # A decay would pull learnt weights of losses back to where they began.
        optimizer = make_adam(network.parameters(), undecayed=beside)
        whole: Step = partial(take_torch_step, task)
        is_alike = not beside and sees_outputs_alone(task, network) and is_on(network, "cuda")
        if is_alike and optimizer.hold_rate():
            whole = _recorded(task, optimizer.tensors[0].device, settings)
        with in_one_node(network):
            yield TorchState(network, optimizer), whole, tuple(network.parameters())


def _recorded(task: TrainingTask, device: torch.device, settings: FitSettings) -> Step:
    whole = partial(take_torch_step, task)
    if settings.matmul_precision == "bfloat16":
        # Without its memory, which would outlive a recording: no weight is used twice in a forward.
        forward = partial(torch.autocast, device.type, torch.bfloat16, cache_enabled=False)
        whole = partial(whole, forward=forward)
    return RecordedStep(whole, partial(cuda_record, device=device), partial(SideStream, device))
