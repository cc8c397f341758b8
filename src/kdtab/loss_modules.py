"""Losses and balancers as modules, for users who own their loop and come from ModelOpt.

Everything here raises `KdtabError` (a `ValueError`) at construction for what it cannot take.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Literal, TypeAlias, get_args

from torch import Tensor, nn

from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import Issue
from kdtab.errors.raised import raise_issues
from kdtab.losses.balance import StaticWeights
from kdtab.losses.corrected import label_corrected_kl_divergence
from kdtab.losses.soft import kl_divergence_from_logits
from kdtab.losses.weights import fitted_balancer, static_weights
from kdtab.results import check, either
from kdtab.tasks.criteria import labels_problem
from kdtab.tasks.totals import STUDENT_LOSS_KEY
from kdtab.tasks.weighting import temperature_problem

__all__ = [
    "STUDENT_LOSS_KEY",
    "DistillationLossBalancer",
    "LogitsDistillationLoss",
    "MFTLoss",
    "StaticLossBalancer",
]

Reduction: TypeAlias = Literal["mean", "batchmean", "elementmean", "sum", "none"]
SETTINGS = ("temperature", "reduction", "threshold")
REDUCTIONS: tuple[str, ...] = get_args(Reduction)


class _ClassLoss(nn.Module):
    """What both losses of classes have."""

    compares_classes = True

    def __init__(self, temperature: float, reduction: Reduction) -> None:
        super().__init__()
        _require(temperature_problem(temperature), _reduction(reduction))
        self.temperature, self.reduction = temperature, reduction

    def extra_repr(self) -> str:
        settings = {name: value for name, value in vars(self).items() if name in SETTINGS}
        return ", ".join(f"{name}={value}" for name, value in settings.items())


class LogitsDistillationLoss(_ClassLoss):
    """T² · KL(softmax(t / T) ‖ softmax(s / T)) between outputs (arXiv:1503.02531).

    NOTE[DIFF]: the denominator is named. "mean" is the mean over rows, "elementmean" is what
    ModelOpt and torch call "mean": it divides by the number of classes too.

    Args:
        temperature: T, above 0 and finite.
        reduction: "mean" over all rows (every leading dimension), "batchmean" by the length of the
            first dimension, "elementmean" by the number of all logits, "sum", or "none" for one
            value for each row.

    Raises:
        KdtabError: A temperature or a reduction that there is not.

    Example:
        >>> import torch
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> LogitsDistillationLoss()(s, t)
        tensor(0.2691)
        >>> LogitsDistillationLoss(temperature=2.0, reduction="none")(s, t)
        tensor([0.4078, 0.2115])
        >>> LogitsDistillationLoss()
        LogitsDistillationLoss(temperature=1.0, reduction=mean)
    """

    def __init__(self, temperature: float = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__(temperature, reduction)

    def forward(self, logits_s: Tensor, logits_t: Tensor) -> Tensor:
        """The loss of the student's logits; the teacher's get no gradient.

        Args:
            logits_s: [..., C] of the student.
            logits_t: [..., C] of the teacher.

        Returns:
            A scalar in float32 or wider, or [...] with "none".

        Example:
            >>> from torch import zeros
            >>> LogitsDistillationLoss().forward(zeros(2, 3), zeros(2, 3))
            tensor(0.)
        """
        rows = kl_divergence_from_logits(logits_s, logits_t.detach(), temperature=self.temperature)
        return _reduced(rows, self.reduction, first=len(logits_s), every=logits_s.numel())


class MFTLoss(_ClassLoss):
    """T² · KL(p' ‖ softmax(s / T)), p' the teacher's distribution put right by the label.

    Minifinetuning (arXiv:2506.15702); see `kdtab.losses.label_corrected_kl_divergence` for p'.

    NOTE[DIFF]: "none" gives one value for each row, summed over classes; ModelOpt keeps the classes.

    Args:
        temperature: T, above 0 and finite.
        threshold: δ in [0, 1], by how much the label should lead.
        reduction: As for `LogitsDistillationLoss`; here "batchmean" is the mean over rows too.

    Raises:
        KdtabError: A number out of range, a reduction that there is not.

    Example:
        >>> import torch
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> MFTLoss()(s, t, torch.tensor([1, 2]))
        tensor(0.2175)
    """

    def __init__(
        self,
        temperature: float = 1.0,
        threshold: float = 0.2,
        reduction: Reduction = "batchmean",
    ) -> None:
        _require(temperature_problem(temperature), _threshold(threshold), _reduction(reduction))
        super().__init__(temperature, reduction)
        self.threshold = threshold

    def forward(self, logits_s: Tensor, logits_t: Tensor, labels: Tensor) -> Tensor:
        """The loss of the student's logits; the teacher's get no gradient.

        Args:
            logits_s: [..., C] of the student.
            logits_t: [..., C] of the teacher.
            labels: [...] int64 class codes, or all of them in one dimension.

        Returns:
            A scalar in float32 or wider, or [...] with "none".

        Example:
            >>> import torch
            >>> labels = torch.tensor([0, 2])
            >>> MFTLoss(threshold=0.0).forward(torch.zeros(2, 3), torch.zeros(2, 3), labels)
            tensor(0.)
        """
        _require(labels_problem(labels, logits_s.shape[:-1].numel(), logits_s.shape[-1]))
        rows = label_corrected_kl_divergence(
            logits_s,
            logits_t,
            labels.reshape(logits_s.shape[:-1]),
            temperature=self.temperature,
            threshold=self.threshold,
        )
        return _reduced(rows, self.reduction, first=rows.numel(), every=logits_s.numel())


class DistillationLossBalancer(nn.Module):
    """Base of balancers of one's own: define `forward`; parameters are trained with the student.

    Example:
        >>> import torch
        >>> class Plain(DistillationLossBalancer):
        ...     def forward(self, loss):
        ...         return sum(loss.values())
        >>> Plain()({"student_loss": torch.tensor(1.0), "MSELoss_0": torch.tensor(2.0)})
        tensor(3.)
    """

    def __init__(self) -> None:
        super().__init__()
        self._student_loss_reduction_fn: Callable[[Tensor], Tensor] | None = None

    def set_student_loss_reduction_fn(
        self, student_loss_reduction_fn: Callable[[Tensor], Tensor] | None
    ) -> None:
        """What makes one number of a student loss that has not been reduced.

        Args:
            student_loss_reduction_fn: From the loss as given to a scalar; None takes it as it is.

        Example:
            >>> import torch
            >>> balancer = StaticLossBalancer(0.5)
            >>> balancer.set_student_loss_reduction_fn(torch.mean)
            >>> balancer({"student_loss": torch.ones(4), "MSELoss_0": torch.tensor(3.0)})
            tensor(2.)
        """
        self._student_loss_reduction_fn = student_loss_reduction_fn

    def forward(self, loss: dict[str, Tensor]) -> Tensor:
        """One number of all losses.

        Args:
            loss: By name, in the order of the pairs: `MSELoss_0`, a function under its own name;
                `student_loss` in front, where it was given.

        Returns:
            A scalar.

        Example:
            >>> DistillationLossBalancer().forward({})
            Traceback (most recent call last):
            NotImplementedError: a balancer defines forward
        """
        raise NotImplementedError("a balancer defines forward")


class StaticLossBalancer(DistillationLossBalancer):
    """Σ wᵢ · kdᵢ + (1 − Σ w) · student; a loss of weight 0 does not enter at all.

    Args:
        kd_loss_weight: One weight for each pair, in their order; or one number, the weight of the
            sum of all of them. Each in [0, 1], their sum at most 1, added without rounding.

    Attributes:
        weights: kdtab's balancer that does it; None for one number.

    Raises:
        KdtabError: A weight out of range, a sum above 1; when used, another number of weights than
            of losses, or a share for a student loss that is not given.

    Example:
        >>> import torch
        >>> losses = {"student_loss": 10.0, "a": 2.0, "b": 4.0}
        >>> StaticLossBalancer([0.25, 0.5])({name: torch.tensor(x) for name, x in losses.items()})
        tensor(5.)
    """

    def __init__(self, kd_loss_weight: float | Sequence[float] = 0.5) -> None:
        super().__init__()
        self._static = either(static_weights(kd_loss_weight), lambda made: made, raise_issues)
        self._of_sum = isinstance(kd_loss_weight, Real)

    @property
    def weights(self) -> StaticWeights | None:
        """Kdtab's balancer that does it; None for one number, which suits any number of losses.

        Example:
            >>> StaticLossBalancer([0.25, 0.5]).weights
            StaticWeights(weights=(0.25, 0.5))
        """
        return None if self._of_sum else self._static

    def forward(self, loss: dict[str, Tensor]) -> Tensor:
        """The weighted sum.

        Args:
            loss: By name; `student_loss` is the student's own.

        Returns:
            A scalar.

        Example:
            >>> import torch
            >>> StaticLossBalancer(1.0).forward({"a": torch.tensor(2.0), "b": torch.tensor(4.0)})
            tensor(6.)
        """
        terms = dict(loss)
        own = terms.pop(STUDENT_LOSS_KEY, None)
        if own is not None and self._student_loss_reduction_fn is not None:
            own = self._student_loss_reduction_fn(own)
        if self._of_sum and len(terms) > 1:
            every = list(terms.values())
            terms = {"kd_losses": sum(every[1:], start=every[0])}
        fitted = fitted_balancer(self._static, tuple(terms), student_loss=own is not None)
        return either(
            fitted.map(lambda static: static.combine(terms, own)), lambda total: total, raise_issues
        )


def _reduced(rows: Tensor, reduction: Reduction, *, first: int, every: int) -> Tensor:
    if reduction == "none":
        return rows
    counts = {"mean": rows.numel(), "batchmean": first, "elementmean": every, "sum": 1}
    return rows.sum() / counts[reduction]


def _require(*found: Issue | None) -> None:
    either(check(*found), lambda _: None, raise_issues)


def _threshold(found: object) -> Issue | None:
    rule = "must be a number between 0 and 1"
    fits = isinstance(found, Real) and 0 <= float(found) <= 1
    return None if fits else FieldInvalid(name="threshold", rule=rule, found=str(found))


def _reduction(found: object) -> Issue | None:
    if found in REDUCTIONS:
        return None
    rule = f"must be one of {', '.join(REDUCTIONS)}"
    return FieldInvalid(name="reduction", rule=rule, found=str(found), known=REDUCTIONS)
