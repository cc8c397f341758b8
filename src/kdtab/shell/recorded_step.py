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
        >>> from kdtab.shell.torch_step import adam, take_torch_step
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> from contextlib import nullcontext
        >>> from functools import partial
        >>> network = build_model(LinearSpec(input_dim=3, output_dim=1))
        >>> state = TorchState(network, adam(network.parameters(), learning_rate=1e-3, weight_decay=0.0))
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
        self._batch: Batch | None = None
        self._replay: Work | None = None

    def __call__(self, state: TorchState, batch: Batch) -> tuple[TorchState, StepTerms]:
        """One step, replayed where a step of this shape was recorded.

        Args:
            state: Always that of the same network and optimizer.
            batch: A batch of another shape than the first one's is an ordinary step.

        Returns:
            As the step itself: terms are the caller's own.

        Example:
            >>> RecordedStep.__call__.__name__
            '__call__'
        """
        if self._taken < FIRST_STEPS:
            self._taken += 1
            with self._aside():
                return self._step(state, batch)
        if self._batch is None or self._replay is None:
            soft = batch.soft_targets
            self._batch = Batch(
                batch.inputs.clone(), batch.targets.clone(), None if soft is None else soft.clone()
            )
            self._replay = self._record(_work(self._step, state, self._batch))
        if not _is_alike(self._batch, batch):
            return self._step(state, batch)
        for own, part in zip(self._batch, batch, strict=True):
            if own is not None and part is not None:
                own.copy_(part)
        terms = self._replay()
        copied = {name: term.clone() for name, term in terms.terms.items()}
        return state._replace(steps=state.steps + 1), StepTerms(terms.rows, copied)


def cuda_record(work: Work) -> Work:
    """Record the kernels that a piece of work launches, as one graph of CUDA.

    Args:
        work: Launches on the current device, waits for nothing, and finds all that it reads where
            it will be in every replay.

    Returns:
        Launches all of them at once; the terms are always in the same memory.

    Example:
        >>> cuda_record.__name__
        'cuda_record'
    """
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        terms = work()

    def replay() -> StepTerms:
        graph.replay()
        return terms

    return replay


@final
class SideStream:
    """Work on a stream of its own, in order with what comes before and after it.

    Example:
        >>> SideStream.__name__
        'SideStream'
    """

    def __enter__(self) -> None:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        self._stream, self._inside = stream, torch.cuda.stream(stream)
        self._inside.__enter__()

    def __exit__(self, *raised: object) -> None:
        self._inside.__exit__(None, None, None)
        torch.cuda.current_stream().wait_stream(self._stream)


def _work(step: Step, state: TorchState, batch: Batch) -> Work:
    return lambda: step(state, batch)[1]


def _is_alike(own: Batch, batch: Batch) -> bool:
    return all(
        (one is None and other is None)
        or (one is not None and other is not None and one.shape == other.shape)
        for one, other in zip(own, batch, strict=True)
    )
