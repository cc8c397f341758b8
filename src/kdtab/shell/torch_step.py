"""One step in torch: the only place in the package where gradients are computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor

from kdtab.models.network import TabularNetwork
from kdtab.shell.flat import FlatAdam
from kdtab.tasks.trainingtask import Batch, Terms, TrainingTask, task_at_step


class TorchState(NamedTuple):
    """What the steps hand on: network and optimizer are changed in place.

    Attributes:
        network: In train mode.
        optimizer: Of its weights.
        steps: Weight updates made so far.

    Example:
        >>> TorchState._fields
        ('network', 'optimizer', 'steps')
    """

    network: TabularNetwork
    optimizer: FlatAdam
    steps: int = 0


class StepTerms(NamedTuple):
    """The terms of one step, and how many rows they are the mean of.

    Example:
        >>> StepTerms(rows=2, terms={"loss": torch.tensor(0.5)}).rows
        2
    """

    rows: int
    terms: Terms


def take_torch_step(
    task: TrainingTask,
    state: TorchState,
    batch: Batch,
    *,
    forward: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> tuple[TorchState, StepTerms]:
    """Forward, gradient, update.

    Args:
        task: What to compute.
        state: Network in train mode, and its optimizer; both are changed.
        batch: At least two rows.
        forward: The context of the forward; gradients follow its number types.

    Returns:
        The state with one step more, and the terms without their graph. Nothing waits for the
        device.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.models.build import build_model
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> network = build_model(LinearSpec(input_dim=3, output_dim=1))
        >>> state = TorchState(network, FlatAdam(network.parameters(), learning_rate=1e-3))
        >>> batch = Batch(torch.zeros(4, 3), torch.zeros(4, 1), None)
        >>> _, step = take_torch_step(SupervisedTask(task="regression"), state, batch)
        >>> step.rows, step.terms["loss"].requires_grad
        (4, False)
    """
    network, optimizer, steps = state
    optimizer.zero_grad()
    with forward():
        terms = task_at_step(task, steps).terms(network, batch)
    torch.autograd.backward(terms["loss"])
    optimizer.step()
    detached = {name: term.detach() for name, term in terms.items()}
    return TorchState(network, optimizer, steps + 1), StepTerms(len(batch.inputs), detached)


def join_terms(steps: Sequence[StepTerms]) -> StepTerms:
    """The terms of many steps as one mean over their rows: Σ rows·term / Σ rows, in float64.

    Args:
        steps: At least one; a term that some of them lack, as a schedule may have it, is left out.

    Returns:
        All their rows, and the mean terms, still on the device.

    Example:
        >>> one = StepTerms(rows=1, terms={"loss": torch.tensor(1.0)})
        >>> three = StepTerms(rows=3, terms={"loss": torch.tensor(2.0)})
        >>> join_terms([one, three])
        StepTerms(rows=4, terms={'loss': tensor(1.7500, dtype=torch.float64)})
    """
    rows = sum(step.rows for step in steps)
    shares = torch.tensor([step.rows / rows for step in steps], dtype=torch.float64)
    names = [name for name in steps[0].terms if all(name in step.terms for step in steps)]
    return StepTerms(rows, {name: _mean(name, steps, shares) for name in names})


def _mean(name: str, steps: Sequence[StepTerms], shares: Tensor) -> Tensor:
    terms = torch.stack([step.terms[name] for step in steps]).double()
    return (
        shares.to(terms.device, non_blocking=True) @ terms
    )  # of a scalar, or of one number for each student


def read_terms(step: StepTerms) -> Mapping[str, float]:
    """Terms as numbers; this waits for the device.

    Args:
        step: Of one step, or of many joined.

    Returns:
        A number for each term.

    Example:
        >>> read_terms(StepTerms(rows=2, terms={"loss": torch.tensor(0.5)}))
        {'loss': 0.5}
    """
    return {name: float(term) for name, term in step.terms.items()}
