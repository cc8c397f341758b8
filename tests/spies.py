"""What tests see of a process from outside: random states, training steps, calls, weights."""

from __future__ import annotations

import pickle
import random
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook
from torch.utils._python_dispatch import TorchDispatchMode

from kdtab.models.network import TabularNetwork
from kdtab.shell.flat import FlatAdam

P = ParamSpec("P")
T = TypeVar("T")


def random_states() -> bytes:
    """The states of python's, numpy's and torch's generators, as one value."""
    numpy_state = np.random.get_state(legacy=False)
    return pickle.dumps((random.getstate(), numpy_state, torch.get_rng_state().numpy()))


def stir_random_states(seed: int) -> None:
    """Bring the generators into a state that no seed of kdtab leads to."""
    random.seed(f"not a seed of kdtab {seed}")
    np.random.seed(seed + 1_000_003)
    torch.manual_seed(seed + 2_000_003)
    random.random()
    np.random.random_sample(3)
    torch.rand(5)


def weights(network: nn.Module) -> dict[str, bytes]:
    """Every parameter and buffer, to the bit."""
    return {name: value.numpy().tobytes() for name, value in network.state_dict().items()}


@dataclass
class TrainingSeen:
    """What went through the networks, the gradients and the optimizers of a run."""

    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    optimizers: list[FlatAdam] = field(default_factory=list)

    @property
    def batch_sizes(self) -> list[int]:
        """Rows of each forward in train mode."""
        return [len(inputs) for inputs in self.inputs]


@contextmanager
def watched_training() -> Iterator[TrainingSeen]:
    """See every forward in train mode, every loss that is followed, every optimizer's step."""
    seen = TrainingSeen()
    backward, update = torch.autograd.backward, FlatAdam.step

    def on_forward(module: nn.Module, inputs: tuple[Tensor, ...], outputs: Tensor) -> None:
        if isinstance(module, TabularNetwork) and module.training:
            seen.inputs.append(inputs[0].detach().clone())
            seen.outputs.append(outputs.detach().clone())

    def on_backward(tensors: Tensor, *args: object, **kwargs: object) -> None:
        seen.losses.append(tensors.item())
        backward(tensors)

    def on_step(optimizer: FlatAdam) -> None:
        update(optimizer)
        seen.optimizers.append(optimizer)

    forwards = register_module_forward_hook(on_forward)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.autograd, "backward", on_backward)
        patch.setattr(FlatAdam, "step", on_step)
        try:
            yield seen
        finally:
            forwards.remove()


def record_calls(
    patch: pytest.MonkeyPatch, owner: object, name: str, log: list[str] | None = None
) -> list[str]:
    """Write down the name, and the first argument, of each call of a function of `owner`."""
    calls: list[str] = [] if log is None else log
    patch.setattr(owner, name, _recorded(getattr(owner, name), name, calls))
    return calls


def record_calls_everywhere(patch: pytest.MonkeyPatch, name: str) -> list[str]:
    """The same for a function of kdtab, under whichever module's name it is called."""
    calls: list[str] = []
    for path, module in list(sys.modules.items()):
        if path.startswith("kdtab") and callable(getattr(module, name, None)):
            record_calls(patch, module, name, calls)
    return calls


def _recorded(function: Callable[P, T], name: str, calls: list[str]) -> Callable[P, T]:
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        calls.append(f"{name}({args[0]!r})" if args and isinstance(args[0], int) else name)
        return function(*args, **kwargs)

    return wrapper


class Operations(TorchDispatchMode, ABC):
    """Hears of every operation of torch, which is done as it would be."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch gives it no types

    def __torch_dispatch__(
        self,
        called: Callable[..., object],
        types: Sequence[type],
        given: Sequence[object] = (),
        named: Mapping[str, object] | None = None,
    ) -> object:
        result = called(*given, **(named or {}))
        self.hear(called, given, named or {}, result)
        return result

    @abstractmethod
    def hear(
        self,
        called: Callable[..., object],
        given: Sequence[object],
        named: Mapping[str, object],
        result: object,
    ) -> None:
        """What was done, with what, and what came of it."""
