"""One step in torch: the only place in the package where gradients are computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from kdtab.models.network import TabularNetwork
from kdtab.tasks.supervised import Batch, Terms, TrainingTask

FUSED_ADAM_DEVICES = frozenset({"cpu", "cuda"})


class TorchState(NamedTuple):
    """What the steps hand on: both are changed in place.

    Example:
        >>> TorchState._fields
        ('network', 'optimizer')
    """

    network: TabularNetwork
    optimizer: torch.optim.Optimizer


class StepTerms(NamedTuple):
    """The terms of one step, and how many rows they are the mean of.

    Example:
        >>> StepTerms(rows=2, terms={"loss": torch.tensor(0.5)}).rows
        2
    """

    rows: int
    terms: Terms


def adam(network: nn.Module, *, learning_rate: float, weight_decay: float) -> torch.optim.Adam:
    """Adam with L2 weight decay (REQ-KD20, REQ-T10), all weights in one fused call.

    Args:
        network: Whose parameters to update; already on its device.
        learning_rate: Step size.
        weight_decay: Added to the gradient as weight_decay · weight.

    Returns:
        A new optimizer.

    Example:
        >>> adam(nn.Linear(2, 1), learning_rate=1e-3, weight_decay=1e-4).defaults["weight_decay"]
        0.0001
    """
    parameters = list(network.parameters())
    fused = all(parameter.device.type in FUSED_ADAM_DEVICES for parameter in parameters)
    return torch.optim.Adam(
        parameters, lr=learning_rate, weight_decay=weight_decay, fused=fused or None
    )


def take_torch_step(
    task: TrainingTask, state: TorchState, batch: Batch
) -> tuple[TorchState, StepTerms]:
    """Forward, gradient, update.

    Args:
        task: What to compute.
        state: Network in train mode, and its optimizer; both are changed.
        batch: At least two rows.

    Returns:
        The same state, and the terms without their graph. Nothing waits for the device.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.models.build import build_model
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> network = build_model(LinearSpec(input_dim=3, output_dim=1))
        >>> state = TorchState(network, adam(network, learning_rate=1e-3, weight_decay=1e-4))
        >>> batch = Batch(torch.zeros(4, 3), torch.zeros(4, 1), None)
        >>> _, step = take_torch_step(SupervisedTask(task="regression"), state, batch)
        >>> step.rows, step.terms["loss"].requires_grad
        (4, False)
    """
    state.optimizer.zero_grad(set_to_none=True)
    terms = task.terms(state.network, batch)
    torch.autograd.backward(terms["loss"])
    state.optimizer.step()
    detached = {name: term.detach() for name, term in terms.items()}
    return state, StepTerms(len(batch.inputs), detached)


def join_terms(steps: Sequence[StepTerms]) -> StepTerms:
    """The terms of many steps as one mean over their rows: Σ rows·term / Σ rows, in float64.

    Args:
        steps: At least one, all with the same terms.

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
    return StepTerms(rows, {name: _mean(name, steps, shares) for name in steps[0].terms})


def _mean(name: str, steps: Sequence[StepTerms], shares: Tensor) -> Tensor:
    terms = torch.stack([step.terms[name].double() for step in steps])
    return terms @ shares.to(terms.device)


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
