"""One number out of named losses, by whichever balancer: kdtab's, a user's, or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeGuard

from returns.result import Success
from torch import Tensor

from kdtab.errors.conversions import BalancerMissing
from kdtab.errors.layers import LossNotScalar
from kdtab.losses.balance import Balancer
from kdtab.losses.weights import KnownBalancer, fitted_balancer
from kdtab.results import Checked, fail

STUDENT_LOSS_KEY = "student_loss"

NamedLosses: TypeAlias = dict[str, Tensor]
LossBalancer: TypeAlias = Balancer | Callable[[NamedLosses], Tensor]


def with_student_loss(terms: NamedLosses, student_loss: Tensor | None) -> NamedLosses:
    """The losses of the pairs, and the student's own in front of them.

    Args:
        terms: By name.
        student_loss: Named "student_loss"; None adds nothing.

    Returns:
        A new dictionary.

    Example:
        >>> import torch
        >>> list(with_student_loss({"MSELoss_0": torch.tensor(1.0)}, torch.tensor(2.0)))
        ['student_loss', 'MSELoss_0']
    """
    own = {} if student_loss is None else {STUDENT_LOSS_KEY: student_loss}
    return {**own, **terms}


def balancer_fits(
    balancer: LossBalancer | None, names: tuple[str, ...], *, student_loss: bool
) -> Checked[None]:
    """Whether a balancer can make one number of these losses, before any is computed.

    Args:
        balancer: Of kdtab, of a user, or None.
        names: Of the losses of the pairs.
        student_loss: Whether the student's own loss is there.

    Returns:
        None, or `BalancerMissing` and what `fitted_balancer` refuses.

    Example:
        >>> balancer_fits(None, ("MSELoss_0",), student_loss=True).failure().first
        BalancerMissing(terms=('student_loss', 'MSELoss_0'))
    """
    if balancer is None and (student_loss or len(names) != 1):
        return fail(BalancerMissing(terms=(*([STUDENT_LOSS_KEY] * student_loss), *names)))
    # A module may say by `weights` which of kdtab's balancers it asks.
    known = getattr(balancer, "weights", balancer)
    if isinstance(known, KnownBalancer):
        return fitted_balancer(known, names, student_loss=student_loss).map(lambda _: None)
    return Success(None)


def balancer_may_fit(balancer: LossBalancer | None, names: tuple[str, ...]) -> Checked[None]:
    """Whether a balancer can fit these losses, with or without the student's own.

    Args:
        balancer: Of kdtab, of a user, or None.
        names: Of the losses of the pairs.

    Returns:
        None, or what `balancer_fits` refuses in both cases.

    Example:
        >>> balancer_may_fit(None, ("MSELoss_0",))
        <Success: None>
    """
    alone = balancer_fits(balancer, names, student_loss=False)
    if balancer is None or isinstance(alone, Success):
        return alone
    return balancer_fits(balancer, names, student_loss=True)


def balanced_total(
    balancer: LossBalancer | None, terms: NamedLosses, student_loss: Tensor | None
) -> Checked[Tensor]:
    """The number whose gradient is followed.

    Args:
        balancer: One of kdtab's, anything with `combine`, or a function of all losses by name.
        terms: The losses of the pairs, as `balancer_fits` found them fit.
        student_loss: The student's own loss, or None.

    Returns:
        A scalar, or `LossNotScalar`; without a balancer the single loss as it is.

    Example:
        >>> import torch
        >>> terms = {"one": torch.tensor(1.0), "two": torch.tensor(2.0)}
        >>> balanced_total(lambda losses: sum(losses.values()), terms, None).unwrap()
        tensor(3.)
    """
    if balancer is None:
        (only,) = terms.values()
        return Success(only)
    if _combines(balancer):
        total = balancer.combine(terms, student_loss)
    else:
        assert callable(balancer), "a config takes no other balancer"
        total = balancer(with_student_loss(terms, student_loss))
    if getattr(total, "shape", None) == ():  # a user's balancer may return anything
        return Success(total)
    every = with_student_loss(terms, student_loss)
    shapes = tuple(f"{name} {list(term.shape)}" for name, term in every.items())
    return fail(LossNotScalar(terms=shapes))


def _combines(balancer: LossBalancer) -> TypeGuard[Balancer]:
    return callable(getattr(balancer, "combine", None))
