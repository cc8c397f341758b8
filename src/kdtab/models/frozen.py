"""A module that somebody else owns, seen in eval mode and without gradients."""

from __future__ import annotations

import copy

import torch
from returns.result import Success
from torch import Tensor, nn
from torch.nn.parallel import DataParallel, DistributedDataParallel
from torch.nn.parameter import is_lazy

from kdtab.errors.taskteachers import TeacherNotFrozen
from kdtab.results import Checked, fail


def frozen_view(module: nn.Module) -> Checked[nn.Module]:
    """The same weights under other modules, which are in eval mode and cannot be trained.

    The modules are copied, the numbers are not: parameters and buffers of the view share the memory
    of the given ones, so that a view costs nothing and follows weights that are loaded later. Modes,
    `requires_grad`, hooks and attributes of the given module stay as they are, and what is done
    to the view (`to`, `half`) does not reach it.

    Args:
        module: Any module; a wrapper for several devices is taken off. What `copy.deepcopy` does not
            take of its attributes (a lock, an open file) is shared.

    Returns:
        The view, or `TeacherNotFrozen`.

    Example:
        >>> import torch
        >>> given = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))
        >>> view = frozen_view(given).unwrap()
        >>> view[0].weight.data_ptr() == given[0].weight.data_ptr()
        True
        >>> view.training, view[0].weight.requires_grad, given.training, given[0].weight.requires_grad
        (False, False, True, True)
    """
    own = without_parallel(module)
    found = type(own).__name__
    if any(is_lazy(parameter) for parameter in own.parameters()):
        return fail(TeacherNotFrozen(found=found, reason="it has lazy layers that never ran"))
    try:
        # Without a graph: torch copies a script's parameters by `clone`, and they must be leaves.
        with torch.no_grad():
            view = _copied(own)
            _share_scripts(own, view)
        for parameter in view.parameters():  # a script has no `requires_grad_` of its own
            parameter.requires_grad_(False)
        view.eval()
    except Exception as error:  # whatever a foreign class does when it is copied
        return fail(TeacherNotFrozen(found=found, reason=str(error).partition("\n")[0]))
    return Success(view)


def without_parallel(module: nn.Module) -> nn.Module:
    """The module inside of a wrapper for several devices or processes.

    Args:
        module: Any module.

    Returns:
        What `DataParallel` or `DistributedDataParallel` wraps, else the module itself.

    Example:
        >>> module = nn.Linear(3, 2)
        >>> without_parallel(nn.DataParallel(module)) is without_parallel(module) is module
        True
    """
    if isinstance(module, DataParallel | DistributedDataParallel):
        inner: nn.Module = module.module
        return inner
    return module


def unwrapped(module: nn.Module) -> nn.Module:
    """The module that a user wrote, without the wrappers of torch around it.

    Args:
        module: Any module; perhaps compiled, perhaps for several processes.

    Returns:
        The innermost one, which has the attributes that its author gave it.

    Example:
        >>> module = nn.Linear(3, 2)
        >>> unwrapped(nn.DataParallel(module)) is module
        True
    """
    inner = without_parallel(module)
    compiled = getattr(inner, "_orig_mod", None)
    if isinstance(compiled, nn.Module):
        return unwrapped(compiled)
    return module if inner is module else unwrapped(inner)


def _copied(module: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(module, _shared(module))
    except Exception:  # an attribute that cannot be copied: it is shared, the rest is not
        return _copied_as_far_as_possible(module)


def _share_scripts(module: nn.Module, view: nn.Module) -> None:
    """A script is copied by torch itself, which knows nothing of what shall be shared."""
    for owner, copied in zip(module.modules(), view.modules(), strict=True):
        if isinstance(owner, torch.jit.ScriptModule):
            for name, parameter in owner.named_parameters(recurse=False):
                setattr(copied, name, nn.Parameter(parameter.detach(), requires_grad=False))
            for name, buffer in owner.named_buffers(recurse=False):
                setattr(copied, name, buffer.detach())


def _copied_as_far_as_possible(module: nn.Module) -> nn.Module:
    pairs = [(owner, type(owner).__new__(type(owner))) for owner in module.modules()]
    known = _shared(module) | {id(owner): fresh for owner, fresh in pairs}
    for owner, fresh in pairs:
        for name, value in vars(owner).items():
            try:
                fresh.__dict__[name] = copy.deepcopy(value, dict(known))
            except Exception:
                fresh.__dict__[name] = value
    return pairs[0][1]


def _shared(module: nn.Module) -> dict[int, object]:
    """What `deepcopy` shall take for the copies of tensors: views on the same memory."""
    shared: dict[int, object] = {}
    for parameter in module.parameters():
        shared[id(parameter)] = nn.Parameter(parameter.detach(), requires_grad=False)
    for owner in module.modules():
        for tensor in (*owner._buffers.values(), *vars(owner).values()):
            if isinstance(tensor, Tensor):
                shared.setdefault(id(tensor), tensor.detach())
    return shared
