"""A model on loan: frozen while another learns from it, and given back as it came."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast
from weakref import WeakSet

import torch
from torch import Tensor, nn

Store = dict[str, Tensor | None]


@dataclass(frozen=True, eq=False)
class _Held:
    """One parameter or buffer: the object, its numbers and its flag on the day of the loan."""

    store: Store
    name: str
    tensor: Tensor
    numbers: Tensor
    requires_grad: bool


@dataclass(frozen=True, eq=False)
class Loan:
    """What must be put back: the mode of every module, the flags and places of every tensor.

    Attributes:
        model: The one on loan, in eval mode and without gradients until it is given back.

    Example:
        >>> model = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
        >>> loan = borrowed(model)
        >>> model.training, model[0].weight.requires_grad
        (False, False)
        >>> loan.give_back()
        >>> model[1].training, model[0].weight.requires_grad
        (True, True)
    """

    model: nn.Module
    modes: tuple[tuple[nn.Module, bool], ...]
    held: tuple[_Held, ...]

    def give_back(self) -> None:
        """Put back modes, flags, tensors and devices, as they were when it was first borrowed.

        Nothing happens to a model that another loan still has: the last one puts it back.

        Example:
            >>> model = nn.Linear(2, 2)
            >>> before, loan = model.weight.detach().clone(), borrowed(model)
            >>> loan.model.to(torch.bfloat16).weight.dtype
            torch.bfloat16
            >>> loan.give_back()
            >>> torch.equal(model.weight, before)
            True
        """
        _OPEN.discard(self)
        if _other_loan(self.model) is not None:
            return
        for module, training in self.modes:
            module.training = training
        with torch.no_grad():
            for held in self.held:
                _put_back(held)


# Weak: a student that is dropped without being exported keeps no teacher on loan.
_OPEN: WeakSet[Loan] = WeakSet()


def borrowed(model: nn.Module) -> Loan:
    """Take a model on loan: eval mode, no parameter that learns.

    Args:
        model: Any module; nothing but its modes and flags changes. One that is on loan already is
            lent once more, and its owner gets it back from whoever has it last.

    Returns:
        What gives it back. It holds the tensors where they were, so a model that moves to a
        device keeps its memory on the old one.

    Example:
        >>> borrowed(nn.Linear(2, 2)).model.training
        False
    """
    other = _other_loan(model)
    if other is None:
        modes = tuple((module, module.training) for module in model.modules())
        loan = Loan(model, modes, tuple(_tensors_of(model)))
    else:
        loan = Loan(model, other.modes, other.held)
    _OPEN.add(loan)
    model.eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return loan


def shared_tensors(model: nn.Module, other: nn.Module) -> tuple[str, ...]:
    """What two models have in common: tensors, or modules (a dropout has a mode of its own).

    Args:
        model: The one whose names are told.
        other: The other.

    Returns:
        Names in the first model, none when the two are apart.

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> shared_tensors(nn.Sequential(layer), nn.Sequential(nn.ReLU(), layer))
        ('0', '0.weight', '0.bias')
    """
    theirs = {id(module) for module in other.modules()} | {
        id(tensor) for tensor in (*other.parameters(), *other.buffers())
    }
    ours: list[tuple[str, object]] = [
        *model.named_modules(),
        *model.named_parameters(),
        *model.named_buffers(),
    ]
    return tuple(name or "the model itself" for name, item in ours if id(item) in theirs)


def _other_loan(model: nn.Module) -> Loan | None:
    return next((loan for loan in _OPEN if loan.model is model), None)


def _tensors_of(model: nn.Module) -> Iterator[_Held]:
    for module in model.modules():
        for store in (cast(Store, module._parameters), module._buffers):
            for name, tensor in store.items():
                if tensor is not None:
                    yield _Held(store, name, tensor, tensor.data, tensor.requires_grad)


def _put_back(held: _Held) -> None:
    current = held.store.get(held.name)
    if current is not held.tensor:
        held.store[held.name] = held.tensor
    if _is_elsewhere(held.tensor, held.numbers):
        held.tensor.data = held.numbers
    if held.tensor.requires_grad != held.requires_grad:
        held.tensor.requires_grad_(held.requires_grad)


def _is_elsewhere(tensor: Tensor, numbers: Tensor) -> bool:
    same_kind = tensor.dtype == numbers.dtype and tensor.device == numbers.device
    return not same_kind or tensor.data_ptr() != numbers.data_ptr()


@contextmanager
def in_eval_mode(model: nn.Module) -> Iterator[None]:
    """Eval mode and no gradients for the time of a block; every module's own mode comes back.

    Args:
        model: Any module.

    Yields:
        Nothing.

    Example:
        >>> model = nn.Sequential(nn.Dropout())
        >>> with in_eval_mode(model):
        ...     model[0].training
        False
        >>> model[0].training
        True
    """
    modes = tuple((module, module.training) for module in model.modules())
    try:
        model.eval()
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training
