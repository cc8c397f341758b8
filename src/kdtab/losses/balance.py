"""How several losses of one step become the one whose gradient is followed.

Every balancer is a frozen value with one law, `combine`: the distillation losses by name and the
student's own loss, if there is one, give a scalar. A term of weight 0 does not enter at all, since
0 · inf would be nan. They are made through the functions of `kdtab.losses.weights`, which say what
is wrong with a weight.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, final

import torch
from torch import Tensor

STUDENT_LOSS = "hard"


class Balancer(Protocol):
    """What combines losses; a user's own needs this one method.

    Example:
        >>> balancer: Balancer = StaticWeights((0.5,))
        >>> balancer.combine({"soft": torch.tensor(2.0)}, torch.tensor(4.0))
        tensor(3.)
    """

    def combine(self, terms: Mapping[str, Tensor], student_loss: Tensor | None = None) -> Tensor:
        """One scalar out of all.

        Args:
            terms: Distillation losses by name, in their order; at least one.
            student_loss: The student's own loss against the truth; None without one.

        Returns:
            A scalar.

        Example:
            >>> StaticWeights((1.0,)).combine({"soft": torch.tensor(2.0)})
            tensor(2.)
        """
        ...


@final
@dataclass(frozen=True)
class NamedWeights:
    """Σ w_name · ℓ_name + w · student: a fixed weight for each term, by name.

    Attributes:
        weights: Name and weight of each distillation loss.
        student_weight: Of the student's own loss, where there is one.

    Example:
        >>> NamedWeights((("soft", 5.0),)).student_weight
        1.0
    """

    weights: tuple[tuple[str, float], ...]
    student_weight: float = 1.0

    def combine(self, terms: Mapping[str, Tensor], student_loss: Tensor | None = None) -> Tensor:
        """The weighted sum.

        Args:
            terms: Distillation losses by name, exactly those that have a weight.
            student_loss: The student's own loss, or None.

        Returns:
            A scalar.

        Example:
            >>> balancer = NamedWeights((("soft", 5.0),), student_weight=0.3)
            >>> balancer.combine({"soft": torch.tensor(1.0)}, torch.tensor(10.0))
            tensor(8.)
        """
        assert terms.keys() == dict(self.weights).keys(), "one weight for each term, by name"
        pairs = [(weight, terms[name]) for name, weight in self.weights]
        if student_loss is not None:
            pairs.append((self.student_weight, student_loss))
        return _weighted_sum(pairs)


@final
@dataclass(frozen=True)
class ComplementaryWeight:
    """w · student + (1 − w) · Σ ℓ: what the student's own loss leaves is the teacher's.

    Attributes:
        student_weight: w in [0, 1]; it is `alpha` elsewhere.

    Example:
        >>> ComplementaryWeight(0.3).student_weight
        0.3
    """

    student_weight: float

    def combine(self, terms: Mapping[str, Tensor], student_loss: Tensor | None = None) -> Tensor:
        """The weighted sum.

        Args:
            terms: Distillation losses by name.
            student_loss: The student's own loss; needed where w is above 0.

        Returns:
            A scalar.

        Example:
            >>> ComplementaryWeight(0.25).combine({"soft": torch.tensor(4.0)}, torch.tensor(8.0))
            tensor(5.)
        """
        rest = [(1 - self.student_weight, term) for term in terms.values()]
        if student_loss is None:
            assert self.student_weight == 0, "a weight above 0 belongs to the student's own loss"
            return _weighted_sum(rest)
        return _weighted_sum([(self.student_weight, student_loss), *rest])


@final
@dataclass(frozen=True)
class StaticWeights:
    """Σ w_i · ℓ_i + (1 − Σ w) · student: one weight for each distillation loss, in their order.

    Attributes:
        weights: w, each in [0, 1], their sum at most 1.

    Example:
        >>> StaticWeights((0.25, 0.5)).student_share
        0.25
    """

    weights: tuple[float, ...]

    @property
    def student_share(self) -> float:
        """1 − Σ w, 0 where only rounding is left.

        Example:
            >>> StaticWeights((0.7, 0.2, 0.1)).student_share
            0.0
        """
        return 1 - exact_sum(self.weights)

    def combine(self, terms: Mapping[str, Tensor], student_loss: Tensor | None = None) -> Tensor:
        """The weighted sum.

        Args:
            terms: Distillation losses by name; their order is that of the weights.
            student_loss: The student's own loss; needed where the weights leave a share.

        Returns:
            A scalar.

        Example:
            >>> terms = {"one": torch.tensor(2.0), "two": torch.tensor(4.0)}
            >>> StaticWeights((0.25, 0.5)).combine(terms, torch.tensor(10.0))
            tensor(5.)
        """
        pairs = list(zip(self.weights, terms.values(), strict=True))
        if student_loss is not None:
            pairs.append((self.student_share, student_loss))
        else:
            assert self.student_share == 0, "the weights leave a share for the student's own loss"
        return _weighted_sum(pairs)


@final
@dataclass(frozen=True)
class MagnitudeWeights:
    """Losses brought to one size: intermediates to that of the logits, both to the student's own.

    kd = ℓ + r · ī with ℓ the loss of the logits, ī the mean of all others and r = ℓ / ī. Without
    the student's own loss the total is kd, else student + c · (student / kd) · kd. The ratios carry
    no gradient, and are 1 where what they would divide by is 0.

    Attributes:
        logits: Name of the loss of the logits.
        distillation_scale: c, above 0.

    Example:
        >>> MagnitudeWeights(logits="logits").distillation_scale
        1.0
    """

    logits: str
    distillation_scale: float = 1.0

    def combine(self, terms: Mapping[str, Tensor], student_loss: Tensor | None = None) -> Tensor:
        """The sum of what has been brought to one size.

        Args:
            terms: Distillation losses by name, that of the logits among them.
            student_loss: The student's own loss, or None.

        Returns:
            A scalar.

        Example:
            >>> terms = {"logits": torch.tensor(2.0), "one": torch.tensor(1.0), "two": torch.tensor(4.0)}
            >>> MagnitudeWeights(logits="logits").combine(terms)
            tensor(4.)
            >>> MagnitudeWeights("logits", distillation_scale=0.5).combine(terms, torch.tensor(5.0))
            tensor(7.5000)
        """
        logits = terms[self.logits]
        others = [term for name, term in terms.items() if name != self.logits]
        distilled = logits
        if others:
            mean = torch.stack(others).mean()
            distilled = logits + _ratio(logits, mean) * mean
        if student_loss is None:
            return distilled
        scale = self.distillation_scale * _ratio(student_loss, distilled)
        return student_loss + scale * distilled


def exact_sum(weights: Sequence[float]) -> float:
    """Σ w as if the weights were added without rounding, and 1 where only rounding is missing.

    Args:
        weights: In any order: [.7, .2, .1] and [.1, .2, .7] have one sum.

    Returns:
        The sum; exactly 1.0 within one rounding of each weight.

    Example:
        >>> 0.7 + 0.2 + 0.1, exact_sum((0.7, 0.2, 0.1)), exact_sum((0.1, 0.2, 0.7))
        (0.9999999999999999, 1.0, 1.0)
    """
    total = math.fsum(weights)
    return 1.0 if abs(total - 1) <= len(weights) * 2**-53 else total


def _weighted_sum(pairs: Iterable[tuple[float, Tensor]]) -> Tensor:
    """Σ w · ℓ over the terms that have a weight; a weight of 1 leaves a term as it is."""
    parts = [term if weight == 1 else weight * term for weight, term in pairs if weight != 0]
    assert len(parts) > 0, "at least one term has a weight"
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _ratio(wanted: Tensor, found: Tensor) -> Tensor:
    """Wanted / found without a gradient; 1 where there is nothing to bring to size."""
    numerator, denominator = wanted.detach(), found.detach()
    usable = denominator != 0
    return torch.where(usable, numerator / torch.where(usable, denominator, 1.0), 1.0)
