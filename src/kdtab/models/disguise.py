"""A model that takes a second class in front of its own: which can, and how it goes back."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias, cast

import torch
from returns.result import Result, Success
from torch import nn

from kdtab.errors.base import quoted
from kdtab.errors.configs import ArgumentOfWrongType
from kdtab.errors.conversions import ModelNotConvertible
from kdtab.errors.issue import Issues
from kdtab.errors.layers import Side
from kdtab.results import Checked, Value, fail

LONGEST_RECIPE = 3
WRAPPERS = (nn.DataParallel, nn.parallel.DistributedDataParallel)

# The model, its own forward, the positional and the named inputs.
Forward: TypeAlias = Callable[
    [nn.Module, Callable[..., object], tuple[object, ...], Mapping[str, object]], object
]


def built_model(given: object) -> Checked[nn.Module]:
    """A model, from itself or from what makes it.

    Args:
        given: A module, a class or function without arguments, or a tuple of one, its arguments and
            its named arguments.

    Returns:
        The module, or `ModelNotConvertible` where something else was made, or where arguments are
        missing. What the function itself raises is its own.

    Example:
        >>> built_model((nn.Linear, (3,), {"out_features": 2})).unwrap()
        Linear(in_features=3, out_features=2, bias=True)
        >>> built_model(dict).failure().first.found
        'dict'
        >>> built_model(nn.Linear).failure().first.reason[:44]
        'it cannot be made: missing a required argume'
    """
    parts: tuple[object, ...] = given if isinstance(given, tuple) else (given,)
    if isinstance(parts[0], nn.Module):
        return Success(parts[0])
    makes = cast(Callable[..., object], parts[0])
    args = cast(Sequence[object], parts[1]) if len(parts) > 1 else ()
    named = cast(Mapping[str, object], parts[-1]) if len(parts) == LONGEST_RECIPE else {}
    refused = _refused_arguments(makes, args, named)
    if refused is not None:
        found = getattr(makes, "__name__", type(makes).__name__)
        reason = f"it cannot be made: {refused}; give (class, args, kwargs), or the module itself"
        return fail(ModelNotConvertible(side="teacher", found=found, reason=reason))
    made = makes(*args, **named)
    if isinstance(made, nn.Module):
        return Success(made)
    return _unusable("teacher", made, "it is no torch.nn.Module")


def unwrapped_model(model: object) -> object:
    """What a model is without the wrappers of data parallelism and compilation.

    Args:
        model: Any model.

    Returns:
        The innermost.

    Example:
        >>> unwrapped_model(nn.DataParallel(nn.ReLU()))
        ReLU()
    """
    if isinstance(model, WRAPPERS):
        return unwrapped_model(model.module)
    compiled = getattr(model, "_orig_mod", None)
    return model if compiled is None else unwrapped_model(compiled)


def plain_model(model: object, reserved: Iterable[str]) -> Checked[nn.Module]:
    """A model that can be a student: no wrapper, no script, nothing in the way.

    Args:
        model: Perhaps a module.
        reserved: Names that the second class adds.

    Returns:
        The very model; or `ArgumentOfWrongType`, `ModelNotConvertible`.

    Example:
        >>> plain_model(nn.ReLU(), ["inplace"]).failure().first.reason
        "it has an attribute 'inplace' of its own, which a converted model needs"
    """
    if not isinstance(model, nn.Module):
        found = type(model).__name__
        return fail(ArgumentOfWrongType(name="model", expected="a torch.nn.Module", found=found))
    if isinstance(model, WRAPPERS) or hasattr(model, "_orig_mod"):
        reason = "it is wrapped; convert the model inside, then wrap or compile what comes back"
        return _unusable("student", model, reason)
    if isinstance(model, torch.jit.ScriptModule):
        return _unusable("student", model, "it is a script; convert the model it was made of")
    if "forward" in model.__dict__:
        reason = "its forward is set on the object; define it in its class"
        return _unusable("student", model, reason)
    taken = next((name for name in reserved if hasattr(model, name)), None)
    if taken is not None:
        reason = f"it has an attribute {quoted(taken)} of its own, which a converted model needs"
        return _unusable("student", model, reason)
    return Success(model)


def disguised(model: nn.Module, front: type[nn.Module], forward: Forward) -> Checked[nn.Module]:
    """Give a model a class made of another and its own; the forward's signature stays.

    Args:
        model: Any plain model.
        front: The class whose methods come first.
        forward: Called with the model, its own forward and the inputs.

    Returns:
        The very model; or `ModelNotConvertible` where python refuses, and nothing has changed.

    Example:
        >>> class Front(nn.Module): ...
        >>> model = nn.Linear(2, 2)
        >>> twice = lambda model, own, args, kwargs: 2 * own(*args, **kwargs)
        >>> _ = disguised(model, Front, twice).unwrap()
        >>> isinstance(model, nn.Linear), type(model) is nn.Linear
        (True, False)
    """
    try:
        model.__class__ = _joined_class(type(model), front, forward)
    except TypeError as error:
        return _unusable("student", model, f"its class takes no other in front of it ({error})")
    return Success(model)


def undisguised(model: nn.Module) -> nn.Module:
    """Give a model its own class back.

    Args:
        model: What `disguised` returned.

    Returns:
        The very model.

    Example:
        >>> class Front(nn.Module): ...
        >>> model = nn.ReLU()
        >>> _ = disguised(model, Front, lambda model, own, args, kwargs: None).unwrap()
        >>> type(undisguised(model)) is nn.ReLU
        True
    """
    joined = type(model)
    assert issubclass(joined, joined.__bases__[1]), "a class in front, and the model's own"
    model.__class__ = joined.__bases__[1]
    return model


def _refused_arguments(
    makes: Callable[..., object], args: Sequence[object], named: Mapping[str, object]
) -> str | None:
    try:
        signature = inspect.signature(makes)
    except ValueError:  # a class written in C tells nothing
        return None
    try:
        signature.bind(*args, **named)
    except TypeError as error:
        return str(error)
    return None


def _joined_class(
    own: type[nn.Module], front: type[nn.Module], forward: Forward
) -> type[nn.Module]:
    @functools.wraps(own.forward)
    def joined_forward(self: nn.Module, *args: object, **kwargs: object) -> object:
        return forward(self, own.forward.__get__(self), args, kwargs)

    names: dict[str, object] = {"forward": joined_forward, "__doc__": own.__doc__}
    return cast(
        type[nn.Module],
        types.new_class(
            f"Distilled{own.__name__}", (front, own), {}, lambda space: space.update(names)
        ),
    )


def _unusable(side: Side, model: object, reason: str) -> Result[Value, Issues]:
    return fail(ModelNotConvertible(side=side, found=type(model).__name__, reason=reason))
