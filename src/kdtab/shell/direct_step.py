"""A step without a graph: for our own networks, with tasks that know their gradient, on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias, TypeGuard

import torch
from torch import nn
from torch.nn.modules import module as module_hooks

from kdtab.models.handwritten import forward_through, parameters_of
from kdtab.models.network import TabularNetwork, is_hooked
from kdtab.shell.flat import FlatAdam, flat_weights
from kdtab.shell.torch_step import StepTerms, TorchState
from kdtab.tasks.trainingtask import Batch, GradientTask, ScheduledTask, TrainingTask

Step: TypeAlias = Callable[[TorchState, Batch], tuple[TorchState, StepTerms]]
AdamOf: TypeAlias = Callable[[list[nn.Parameter]], FlatAdam]


def goes_directly(task: TrainingTask, network: TabularNetwork) -> TypeGuard[GradientTask]:
    """Whether a step can do without a graph, and nobody would see the difference.

    Args:
        task: What to compute.
        network: On the device of the run.

    Returns:
        False for a task that needs more than outputs, on other devices than the CPU, and where a
        hook watches a module.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.models.build import build_model
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> network = build_model(LinearSpec(input_dim=1, output_dim=1))
        >>> goes_directly(SupervisedTask("regression"), network)
        True
    """
    return sees_outputs_alone(task, network) and is_on(network, "cpu")


def sees_outputs_alone(task: TrainingTask, network: TabularNetwork) -> TypeGuard[GradientTask]:
    """Whether every step is the same work on other rows, and nobody watches it.

    Args:
        task: What to compute.
        network: On any device.

    Returns:
        False for a task that needs more than outputs or changes from step to step, and where a hook
        watches a module.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.models.build import build_model
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> network = build_model(LinearSpec(input_dim=1, output_dim=1))
        >>> sees_outputs_alone(SupervisedTask("regression"), network)
        True
    """
    return (
        isinstance(task, GradientTask)
        and not isinstance(task, ScheduledTask)
        and not module_hooks._has_any_global_hook()
        and not any(map(is_hooked, network.modules()))
    )


def is_on(network: nn.Module, device: str) -> bool:
    """Whether every weight is on a kind of device.

    Args:
        network: Any module.
        device: As torch names the kind.

    Returns:
        True also for a network without weights.

    Example:
        >>> is_on(nn.Linear(1, 1), "cpu"), is_on(nn.Linear(1, 1), "cuda")
        (True, False)
    """
    return all(parameter.device.type == device for parameter in network.parameters())


@contextmanager
def stepping_directly(
    task: GradientTask, network: TabularNetwork, make_adam: AdamOf
) -> Iterator[tuple[TorchState, Step]]:
    """The state to begin with, and the step: forward, gradient, update, all by hand.

    The same numbers as `take_torch_step` up to the order of sums, in half the time: no node of a
    graph, no memory for gradients, one vector for Adam.

    Args:
        task: What to compute.
        network: In train mode; its parameters are parts of one vector inside the block.
        make_adam: Makes the optimizer of the parameters that it is given.

    Yields:
        State and step.

    Example:
        >>> from functools import partial
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.models.build import build_model
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> network = build_model(LinearSpec(input_dim=3, output_dim=1))
        >>> batch = Batch(torch.zeros(4, 3), torch.zeros(4, 1), None)
        >>> make_adam = partial(FlatAdam, learning_rate=1e-3)
        >>> with stepping_directly(SupervisedTask("regression"), network, make_adam) as (state, step):
        ...     step(state, batch)[1].rows
        4
    """
    layers = network.layers()
    with flat_weights(parameters_of(layers)) as flat:
        adam = make_adam([flat.vector])

        @torch.no_grad()
        def step(state: TorchState, batch: Batch) -> tuple[TorchState, StepTerms]:
            outputs, pull = forward_through(layers, batch.inputs)
            terms, gradient = task.gradient(outputs, batch)
            pull(gradient, flat.gradients)
            adam.step()
            return TorchState(network, adam, state.steps + 1), StepTerms(len(batch.inputs), terms)

        yield TorchState(network, adam), step
