"""What a loss between two layers tells of itself, whoever wrote it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import Issue

Criterion: TypeAlias = Callable[..., object]

BY_PLACE = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
BY_NAME = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
CODES = (torch.int64, torch.int32)
OF_OURS = "kdtab.losses."
OF_FEATURES = "kdtab.losses.features"
OF_RELATIONS = "kdtab.losses.relational"
POINTWISE = (nn.L1Loss, nn.MSELoss, nn.SmoothL1Loss, nn.HuberLoss, nn.KLDivLoss)
POINTWISE_NAMES = frozenset({"l1_loss", "mse_loss", "smooth_l1_loss", "huber_loss", "kl_div"})


def _function(criterion: Criterion) -> Criterion:
    return _function(criterion.func) if isinstance(criterion, functools.partial) else criterion


def criterion_name(criterion: Criterion) -> str:
    """What a loss is called: its class, or the function's own name.

    Args:
        criterion: A module, a function, or one with some arguments set.

    Returns:
        A name without its module.

    Example:
        >>> criterion_name(nn.MSELoss()), criterion_name(functools.partial(nn.functional.mse_loss))
        ('MSELoss', 'mse_loss')
    """
    function = _function(criterion)
    named = getattr(function, "__name__", None)
    return named if isinstance(named, str) else type(function).__name__


@dataclass(frozen=True)
class Keywords:
    """What a loss takes beside the two outputs.

    Attributes:
        known: Names; None where it takes any, or does not tell.
        needed: Those without a default.

    Example:
        >>> Keywords(known=None, needed=()).of({"labels": 1})
        {'labels': 1}
    """

    known: tuple[str, ...] | None
    needed: tuple[str, ...]

    def of(self, said: Mapping[str, object]) -> dict[str, object]:
        """Those of the keywords of a step that the loss takes.

        Args:
            said: By name.

        Returns:
            A part of them.

        Example:
            >>> Keywords(known=("labels",), needed=()).of({"mask": 1})
            {}
        """
        return {key: said[key] for key in said if self.known is None or key in self.known}


def keywords_of(criterion: Criterion) -> Keywords:
    """The keywords that a loss takes beside the two outputs.

    Args:
        criterion: Any loss.

    Returns:
        Their names, as its signature has them.

    Example:
        >>> keywords_of(lambda student, teacher, labels, mask=None: 0)
        Keywords(known=('labels', 'mask'), needed=('labels',))
        >>> keywords_of(nn.MSELoss()).known
        ()
    """
    asked = criterion.forward if isinstance(criterion, nn.Module) else criterion
    try:
        rules = list(inspect.signature(asked).parameters.values())
    except (TypeError, ValueError):
        return Keywords(None, ())
    outputs = [rule for rule in rules if rule.kind in BY_PLACE][:2]
    named = [rule for rule in rules if rule.kind in BY_NAME and rule not in outputs]
    takes_any = any(rule.kind is rule.VAR_KEYWORD for rule in rules)
    return Keywords(
        None if takes_any else tuple(rule.name for rule in named),
        tuple(rule.name for rule in named if rule.default is rule.empty),
    )


def is_of_ours(criterion: Criterion) -> bool:
    """Whether a loss is a function of `kdtab.losses`, which gives one value for each row.

    Args:
        criterion: Any loss.

    Returns:
        True for those, with some arguments set too.

    Example:
        >>> from kdtab.losses.features import feature_squared_error
        >>> is_of_ours(feature_squared_error), is_of_ours(nn.MSELoss())
        (True, False)
    """
    return _home(criterion).startswith(OF_OURS)


def compares_classes(criterion: Criterion) -> bool:
    """Whether a loss reads outputs as one number for each class, in one order.

    Args:
        criterion: Any loss.

    Returns:
        True for kdtab's losses of logits, and for a loss that says so by `compares_classes = True`.

    Example:
        >>> from kdtab.losses.logits import logit_squared_error
        >>> compares_classes(logit_squared_error), compares_classes(nn.MSELoss())
        (True, False)
    """
    if is_of_ours(criterion):
        return _home(criterion) not in {OF_FEATURES, OF_RELATIONS}
    return getattr(criterion, "compares_classes", False) is True


def needs_tensors(criterion: Criterion) -> bool:
    """Whether a loss is known to compare two tensors and nothing else.

    Args:
        criterion: Any loss.

    Returns:
        True for kdtab's and for torch's pointwise ones.

    Example:
        >>> needs_tensors(nn.functional.mse_loss), needs_tensors(lambda s, t: 0)
        (True, False)
    """
    return is_of_ours(criterion) or compares_classes(criterion) or _is_pointwise(criterion)


def needs_same_shape(criterion: Criterion) -> bool:
    """Whether a loss is known to need outputs of one shape, which torch would else broadcast.

    Args:
        criterion: Any loss.

    Returns:
        False for relational losses and for those that kdtab does not know.

    Example:
        >>> from kdtab.losses.relational import relational_distance_over_batch
        >>> needs_same_shape(nn.MSELoss()), needs_same_shape(relational_distance_over_batch)
        (True, False)
    """
    return needs_tensors(criterion) and _home(criterion) != OF_RELATIONS


def takes_any_width(criterion: Criterion) -> bool:
    """Whether a loss sees to widths that differ by itself, so that no projection helps it.

    Args:
        criterion: Any loss.

    Returns:
        True for relational losses, for losses of classes, for a module with parameters of its own,
        and for a loss that says so by `takes_any_width = True`.

    Example:
        >>> takes_any_width(nn.MSELoss()), takes_any_width(nn.Bilinear(2, 3, 1))
        (False, True)
    """
    if compares_classes(criterion) or _home(criterion) == OF_RELATIONS:
        return True
    own = isinstance(criterion, nn.Module) and next(criterion.parameters(), None) is not None
    return own or getattr(criterion, "takes_any_width", False) is True


def labels_problem(labels: Tensor, rows: int, classes: int) -> Issue | None:
    """What keeps labels from being compared with so many rows.

    Args:
        labels: What was given as class codes.
        rows: How many the logits have.
        classes: How many the logits have.

    Returns:
        `FieldInvalid`, or None. Codes that no class has are looked for in the memory of the CPU
        only: elsewhere it would make the device wait.

    Example:
        >>> labels_problem(torch.tensor([0, 1]), 3, 2).found
        'torch.int64 [2] for 3 rows'
        >>> labels_problem(torch.tensor([0, -100]), 2, 2).found
        '-100'
    """
    if labels.numel() == rows and labels.dtype in CODES:
        return _codes_problem(labels, classes)
    told = f"{labels.dtype} {list(labels.shape)} for {rows} rows"
    return FieldInvalid(name="labels", rule="must be one int64 class code for each row", found=told)


def _codes_problem(labels: Tensor, classes: int) -> Issue | None:
    if labels.device.type != "cpu" or torch.compiler.is_compiling():
        return None
    strange = labels[(labels < 0) | (labels >= classes)]
    if not strange.numel():
        return None
    rule = (
        f"must be class codes from 0 to {classes - 1} (no code such as -100 means 'ignore': "
        "leave rows without a label out)"
    )
    return FieldInvalid(name="labels", rule=rule, found=str(strange[0].item()))


def _is_pointwise(criterion: Criterion) -> bool:
    if isinstance(criterion, POINTWISE):
        return True
    return (
        _home(criterion) == "torch.nn.functional" and criterion_name(criterion) in POINTWISE_NAMES
    )


def _home(criterion: Criterion) -> str:
    home = getattr(_function(criterion), "__module__", None)
    return home if isinstance(home, str) else ""
