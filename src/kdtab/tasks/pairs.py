"""A pair of layers with its loss: what it can compare, and its value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, final

from returns.result import Success
from torch import Tensor, nn

from kdtab.errors.layers import (
    ClassCountsDiffer,
    LayerOutputForeign,
    LayerWidthsDiffer,
    LossArgumentMissing,
    LossArgumentUnknown,
    Side,
)
from kdtab.losses.reduce import weighted_mean
from kdtab.models.layers import LayerPair
from kdtab.results import Checked, check, fail
from kdtab.tasks.criteria import (
    Criterion,
    Keywords,
    compares_classes,
    criterion_name,
    is_of_ours,
    keywords_of,
    needs_same_shape,
    needs_tensors,
)

Form: TypeAlias = tuple[int, ...] | str


@final
@dataclass(frozen=True, eq=False)
class PairLoss:
    """A pair of layers and the loss between what they give.

    Attributes:
        pair: The layers.
        criterion: The loss: student output, teacher output and perhaps keywords to a tensor.
        name: Of the term, as balancers see it: `MSELoss_0`.
        projection: Name of the projection of the student's output; None without one.

    Example:
        >>> import torch
        >>> PairLoss(LayerPair("h", "h"), nn.MSELoss(), "MSELoss_0").projection is None
        True
    """

    pair: LayerPair
    criterion: Criterion
    name: str
    projection: str | None = None

    @property
    def names(self) -> tuple[str, str]:
        """The two layers, as errors name them.

        Example:
            >>> import torch
        >>> PairLoss(LayerPair("h", "g"), nn.MSELoss(), "MSELoss_0").names
            ('h', 'g')
        """
        return (self.pair.student, self.pair.teacher)

    @cached_property
    def keywords(self) -> Keywords:
        """What the loss takes beside the two outputs.

        Example:
            >>> PairLoss(LayerPair("h", "h"), nn.MSELoss(), "MSELoss_0").keywords.needed
            ()
        """
        return keywords_of(self.criterion)

    def value(
        self, student: object, teacher: object, said: Mapping[str, object]
    ) -> Checked[object]:
        """The loss between two outputs.

        Args:
            student: What the student's layer gave, projected where there is a projection.
            teacher: What the teacher's layer gave.
            said: Keywords of this step; the loss gets those that it takes.

        Returns:
            What the loss gives, one of kdtab's row losses as its mean over the rows; or
            `LayerOutputForeign`, `ClassCountsDiffer`, `LayerWidthsDiffer`.

        Example:
            >>> import torch
            >>> loss = PairLoss(LayerPair("h", "h"), nn.MSELoss(), "MSELoss_0")
            >>> loss.value(torch.ones(2, 3), torch.zeros(2, 3), {}).unwrap()
            tensor(1.)
            >>> loss.value(torch.ones(2, 3), torch.zeros(2, 4), {}).failure().first.teacher
            (2, 4)
        """
        if _are_alike(student, teacher):
            return self._asked(student, teacher, said)
        return self.fitting(form_of(student), form_of(teacher)).bind(
            lambda _: self._asked(student, teacher, said)
        )

    def fitting(self, student: Form, teacher: Form) -> Checked[None]:
        """Whether the loss can compare outputs of these forms, as far as that is known of it.

        Args:
            student: Shape of the student's output, or the type of what is no tensor.
            teacher: The same of the teacher's.

        Returns:
            None, or the issue of `value`. A loss that kdtab does not know takes anything.

        Example:
            >>> import torch
            >>> loss = PairLoss(LayerPair("h", "h"), nn.MSELoss(), "MSELoss_0")
            >>> loss.fitting((2, 3), "tuple").failure().first.found
            'tuple'
        """
        if not needs_tensors(self.criterion):
            return Success(None)
        sides: tuple[tuple[Side, Form], ...] = (("student", student), ("teacher", teacher))
        for side, form in sides:
            if isinstance(form, str):
                return fail(LayerOutputForeign(pair=self.names, side=side, found=form))
        if isinstance(student, str) or isinstance(teacher, str) or student == teacher:
            return Success(None)
        if not needs_same_shape(self.criterion):
            return Success(None)
        return self._different(student, teacher)

    def _different(
        self, student: tuple[int, ...], teacher: tuple[int, ...], reason: str = ""
    ) -> Checked[None]:
        loss = criterion_name(self.criterion)
        if compares_classes(self.criterion) and student[:-1] == teacher[:-1]:
            return fail(
                ClassCountsDiffer(
                    pair=self.names, loss=loss, student=student[-1], teacher=teacher[-1]
                )
            )
        return fail(
            LayerWidthsDiffer(
                pair=self.names, loss=loss, student=student, teacher=teacher, reason=reason
            )
        )

    def _asked(
        self, student: object, teacher: object, said: Mapping[str, object]
    ) -> Checked[object]:
        try:
            value = self.criterion(student, teacher, **self.keywords.of(said))
        except RuntimeError as error:
            forms = (form_of(student), form_of(teacher))
            if isinstance(forms[0], str) or isinstance(forms[1], str) or forms[0] == forms[1]:
                raise
            return self._different(forms[0], forms[1], str(error)).map(lambda _: None)
        if isinstance(value, Tensor) and value.dim() and is_of_ours(self.criterion):
            return Success(weighted_mean(value))
        return Success(value)


def _are_alike(student: object, teacher: object) -> bool:
    if isinstance(student, Tensor) and isinstance(teacher, Tensor):
        return not (student.is_nested or teacher.is_nested) and student.shape == teacher.shape
    return False


def form_of(output: object) -> Form:
    """The shape of a tensor, or the type of anything else.

    Args:
        output: What a layer gave.

    Returns:
        Lengths, or a name.

    Example:
        >>> form_of((1, 2))
        'tuple'
    """
    if not isinstance(output, Tensor):
        return type(output).__name__
    # torch's encoder makes one of a padded batch in eval mode; it has no shape
    return "nested tensor" if output.is_nested else tuple(output.shape)


def keywords_fit(losses: Sequence[PairLoss], said: Mapping[str, object]) -> Checked[None]:
    """Whether every keyword of a step is taken by a loss, and none is missing.

    Args:
        losses: All of a step.
        said: By name.

    Returns:
        None; or `LossArgumentUnknown`, `LossArgumentMissing` for each.

    Example:
        >>> loss = PairLoss(LayerPair("h", "h"), nn.MSELoss(), "MSELoss_0")
        >>> keywords_fit([loss], {"labels": 1}).failure().first
        LossArgumentUnknown(name='labels', known=())
    """
    missing = [
        LossArgumentMissing(loss=loss.name, names=names)
        for loss in losses
        if (names := tuple(name for name in loss.keywords.needed if name not in said))
    ]
    if not said or any(loss.keywords.known is None for loss in losses):
        return check(*missing)
    known = tuple(sorted({name for loss in losses for name in loss.keywords.known or ()}))
    strange = [LossArgumentUnknown(name=name, known=known) for name in said if name not in known]
    return check(*strange, *missing)


def trained_modules(
    projections: Mapping[str, nn.Module], losses: Iterable[PairLoss], balancer: object
) -> nn.ModuleDict:
    """Everything beside the student that may have numbers to train, each once.

    Args:
        projections: By the names that the losses have for them.
        losses: Those that are modules are taken.
        balancer: Taken where it is a module.

    Returns:
        `projections`, `losses` and perhaps `balancer`.

    Example:
        >>> loss = nn.MSELoss()
        >>> pairs = [PairLoss(LayerPair(name, name), loss, name) for name in "ab"]
        >>> sorted(trained_modules({}, pairs, None)), len(trained_modules({}, pairs, None)["losses"])
        (['losses', 'projections'], 1)
    """
    asked = dict.fromkeys(loss.criterion for loss in losses)
    modules = [criterion for criterion in asked if isinstance(criterion, nn.Module)]
    trained: dict[str, nn.Module] = {
        "projections": nn.ModuleDict(projections),
        "losses": nn.ModuleList(modules),
    }
    if isinstance(balancer, nn.Module):
        trained["balancer"] = balancer
    return nn.ModuleDict(trained)
