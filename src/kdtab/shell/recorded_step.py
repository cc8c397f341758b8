"""A step that is recorded once and replayed: launching kernels is most of a small step on CUDA.

Only steps of one shape are replayed; what differs from step to step (the rows, the learning rate) is
written into memory that the recording reads. Every launch of the recording is one that an ordinary
step makes, so the numbers are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias, final

import torch

from kdtab.shell.direct_step import Step
from kdtab.shell.torch_step import StepTerms, TorchState
from kdtab.tasks.trainingtask import Batch

Work: TypeAlias = Callable[[], StepTerms]
Shapes: TypeAlias = tuple[torch.Size | None, ...]
Record: TypeAlias = Callable[[Work], Work]
"""Notes down what a piece of work does, without doing it; what comes back does it."""
FIRST_STEPS = 3
"""Taken as they are: libraries choose their kernels and memory in them."""


@final
class RecordedStep:
    """A step whose work is recorded after the first few, and then replayed.

    Args:
        step: The step; it must not look at the numbers that it computes, and must not wait.
        record: How work is recorded: `cuda_record`, or whatever does the same work again.
        aside: The context of the first steps: a stream of their own on CUDA.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.models.build import build_model
        >>> from kdtab.shell.flat import FlatAdam
        >>> from kdtab.shell.torch_step import take_torch_step
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> from contextlib import nullcontext
        >>> from functools import partial
        >>> network = build_model(LinearSpec(input_dim=3, output_dim=1))
        >>> state = TorchState(network, FlatAdam(network.parameters(), learning_rate=1e-3))
        >>> whole = partial(take_torch_step, SupervisedTask("regression"))
        >>> step = RecordedStep(whole, lambda work: work, nullcontext)
        >>> batch = Batch(torch.zeros(4, 3), torch.zeros(4, 1), None)
        >>> for _ in range(5):
        ...     state, terms = step(state, batch)
        >>> state.steps, terms.rows
        (5, 4)
    """

    def __init__(
        self,
        step: Step,
        record: Record,
        aside: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._step = step
        self._record = record
        self._aside = aside
        self._taken = 0
        self._shapes: Shapes = ()
        self._recorded: tuple[Batch, Work] | None = None

    def __call__(self, state: TorchState, batch: Batch) -> tuple[TorchState, StepTerms]:
        """One step, replayed where it has the shape of the first one.

        Args:
            state: Always that of the same network and optimizer.
            batch: One of another shape, as the tail of an epoch is, is an ordinary step.

        Returns:
            As the step itself: terms are the caller's own.

        Example:
            >>> RecordedStep.__call__.__name__
            '__call__'
        """
        self._taken += 1
        if self._taken <= FIRST_STEPS:
            self._shapes = self._shapes or _shapes(batch)
            with self._aside():
                return self._step(state, batch)
        if _shapes(batch) != self._shapes:
            return self._step(state, batch)
        terms = self._replay_of(state, batch)()
        copied = {name: term.clone() for name, term in terms.terms.items()}
        return state._replace(steps=state.steps + 1), StepTerms(terms.rows, copied)

    def _replay_of(self, state: TorchState, batch: Batch) -> Work:
        """The recording, with the rows of this batch where it reads them."""
        if self._recorded is None:
            soft = batch.soft_targets
            own = Batch(
                batch.inputs.clone(), batch.targets.clone(), None if soft is None else soft.clone()
            )
            self._recorded = own, self._record(_work(self._step, state, own))
        else:
            for kept, part in zip(self._recorded[0], batch, strict=True):
                if kept is not None and part is not None:
                    kept.copy_(part)
        return self._recorded[1]


def cuda_record(work: Work, device: torch.device) -> Work:
    """Record the kernels that a piece of work launches, as one graph of CUDA.

    Args:
        work: Launches on the device, waits for nothing, and finds all that it reads where it will
            be in every replay.
        device: Of the work. What is launched on another one than the current one is not recorded
            but done, and would be missing from every replay.

    Returns:
        Launches all of them at once; the terms are always in the same memory.

    Example:
        >>> cuda_record.__name__
        'cuda_record'
    """
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.device(device), torch.cuda.graph(graph, stream=torch.cuda.Stream(device)):
        terms = work()

    def replay() -> StepTerms:
        graph.replay()
        return terms

    return replay


@final
class SideStream:
    """Work on a stream of its own, in order with what comes before and after it.

    Args:
        device: Of the work.

    Example:
        >>> SideStream.__name__
        'SideStream'
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def __enter__(self) -> None:
        stream = torch.cuda.Stream(self._device)
        stream.wait_stream(torch.cuda.current_stream(self._device))
        self._stream, self._inside = stream, torch.cuda.stream(stream)
        self._inside.__enter__()

    def __exit__(self, *raised: object) -> None:
        self._inside.__exit__(None, None, None)
        torch.cuda.current_stream(self._device).wait_stream(self._stream)


def _work(step: Step, state: TorchState, batch: Batch) -> Work:
    return lambda: step(state, batch)[1]


def _shapes(batch: Batch) -> Shapes:
    return tuple(None if part is None else part.shape for part in batch)
