"""The class in front of a student's own: a teacher beside it, and the loss between the two."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, NoReturn, Self, cast, overload

from torch import Tensor, nn

from kdtab.errors.conversions import NotPickled
from kdtab.errors.issue import Issues
from kdtab.errors.raised import raise_issues
from kdtab.results import either
from kdtab.tasks.carried import lesson_of
from kdtab.tasks.layers import LayerLesson
from kdtab.tasks.totals import LossBalancer, NamedLosses, with_student_loss


class DistillationModel(nn.Module):
    """What `convert` makes of a student: still the student, with a teacher beside it.

    It is an instance of the student's class too, its forward has the student's signature and gives
    the student's output, its state dict is the student's. `parameters()` has those of projections,
    losses and balancers as well, and none of the teacher.

    Example:
        >>> from kdtab.metamodel import convert
        >>> config = {"teacher_model": nn.ReLU(), "criterion": nn.MSELoss()}
        >>> model = convert(nn.Tanh(), [("kd_loss", config)])
        >>> isinstance(model, nn.Tanh), isinstance(model, DistillationModel)
        (True, True)
    """

    @property
    def _lesson(self) -> LayerLesson:
        return either(lesson_of(self), lambda lesson: lesson, raise_issues)

    @property
    def teacher_model(self) -> nn.Module:
        """The teacher, frozen and in eval mode until `export`.

        Example:
            >>> from kdtab.metamodel import convert
            >>> config = {"teacher_model": nn.ReLU, "criterion": nn.MSELoss()}
            >>> convert(nn.Tanh(), [("kd_loss", config)]).teacher_model
            ReLU()
        """
        return self._lesson.teacher

    @property
    def loss_balancer(self) -> LossBalancer | None:
        """What makes one number of the losses, or None.

        Example:
            >>> from kdtab.metamodel import convert
            >>> config = {"teacher_model": nn.ReLU, "criterion": nn.MSELoss()}
            >>> convert(nn.Tanh(), [("kd_loss", config)]).loss_balancer is None
            True
        """
        return self._lesson.balancer

    @property
    def loss_modules(self) -> nn.ModuleList:
        """The losses that are modules, each once.

        Example:
            >>> from kdtab.metamodel import convert
            >>> config = {"teacher_model": nn.ReLU, "criterion": nn.MSELoss()}
            >>> len(convert(nn.Tanh(), [("kd_loss", config)]).loss_modules)
            1
        """
        return cast(nn.ModuleList, self._lesson.trained["losses"])

    @property
    def last_losses(self) -> dict[str, Tensor]:
        """Every term of the last total by name, and the total as "loss"; without gradients.

        Example:
            >>> from kdtab.metamodel import convert
            >>> import torch
            >>> config = {"teacher_model": nn.ReLU, "criterion": nn.MSELoss()}
            >>> model = convert(nn.Identity(), [("kd_loss", config)])
            >>> _ = model(torch.tensor([-2.0])), model.compute_kd_loss()
            >>> model.last_losses
            {'MSELoss_0': tensor(4.), 'loss': tensor(4.)}
        """
        return dict(self._lesson.last_terms)

    @overload
    def compute_kd_loss(
        self,
        student_loss: Tensor | None = None,
        skip_balancer: Literal[False] = False,
        *,
        loss_reduction_fn: Callable[[Tensor], Tensor] | None = None,
        **loss_kwargs: object,
    ) -> Tensor: ...

    @overload
    def compute_kd_loss(
        self,
        student_loss: Tensor | None = None,
        *,
        skip_balancer: Literal[True],
        loss_reduction_fn: Callable[[Tensor], Tensor] | None = None,
        **loss_kwargs: object,
    ) -> NamedLosses: ...

    def compute_kd_loss(
        self,
        student_loss: Tensor | None = None,
        skip_balancer: bool = False,
        *,
        loss_reduction_fn: Callable[[Tensor], Tensor] | None = None,
        **loss_kwargs: object,
    ) -> Tensor | NamedLosses:
        """The loss of the last forward; once for each forward.

        Args:
            student_loss: The student's own loss; needs a balancer.
            skip_balancer: Give the losses by name instead of their total.
            loss_reduction_fn: Applied to each loss before the balancer, for masks.
            **loss_kwargs: Each goes to the losses that take it.

        Returns:
            A scalar, or the losses by name.

        Raises:
            KdtabError: No forward since the last loss, a layer that it did not reach, shapes that a
                loss cannot compare, an argument that no loss takes, a balancer that does not fit.

        Example:
            >>> from kdtab.metamodel import convert
            >>> import torch
            >>> config = {"teacher_model": nn.ReLU, "criterion": nn.MSELoss()}
            >>> model = convert(nn.Identity(), [("kd_loss", config)])
            >>> model.compute_kd_loss()
            Traceback (most recent call last):
            kdtab.errors.raised.KdtabError: the layers '' (student) and '' (teacher) cannot be compared: the student has not run since the last loss; call the model on a batch before each loss
        """
        lesson = self._lesson
        if skip_balancer:
            named = lesson.terms(loss_reduction_fn, loss_kwargs)
            return either(named, lambda found: with_student_loss(found, student_loss), raise_issues)
        total = lesson.total(student_loss, loss_reduction_fn, loss_kwargs, learning=self.training)
        return either(total, lambda loss: loss, raise_issues)

    @contextmanager
    def only_teacher_forward(self, enable: bool = True) -> Iterator[None]:
        """Only the teacher runs in the block, and its output is what the model gives.

        Args:
            enable: False leaves things as they are.

        Yields:
            Nothing.

        Example:
            >>> from kdtab.metamodel import convert
            >>> import torch
            >>> config = {"teacher_model": nn.ReLU, "criterion": nn.MSELoss()}
            >>> model = convert(nn.Identity(), [("kd_loss", config)])
            >>> with model.only_teacher_forward():
            ...     model(torch.tensor([-2.0]))
            tensor([0.])
        """
        with self._lesson.running("teacher" if enable else "both"):
            yield

    @contextmanager
    def only_student_forward(self, enable: bool = True) -> Iterator[None]:
        """Only the student runs in the block, as in validation.

        Args:
            enable: False leaves things as they are.

        Yields:
            Nothing.

        Example:
            >>> from kdtab.metamodel import convert
            >>> import torch
            >>> config = {"teacher_model": nn.ReLU, "criterion": nn.MSELoss()}
            >>> model = convert(nn.Identity(), [("kd_loss", config)])
            >>> with model.only_student_forward():
            ...     model(torch.tensor([-2.0]))
            tensor([-2.])
        """
        with self._lesson.running("student" if enable else "both"):
            yield

    def train(self, mode: bool = True) -> Self:
        """Train mode for the student and all that is trained with it; never for the teacher.

        Args:
            mode: False is eval mode.

        Returns:
            The model.

        Example:
            >>> from kdtab.metamodel import convert
            >>> config = {"teacher_model": nn.ReLU, "criterion": nn.MSELoss()}
            >>> convert(nn.Identity(), [("kd_loss", config)]).train().teacher_model.training
            False
        """
        super().train(mode)
        self._lesson.trained.train(mode)
        return self

    def named_modules(
        self,
        memo: set[nn.Module] | None = None,
        prefix: str = "",
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, nn.Module]]:
        """The student's modules, then projections, losses and balancer under `distillation`.

        They are no children of the student (a `Sequential` would run them), but optimizers and
        `DistributedDataParallel` find them here.

        Args:
            memo: What was met already.
            prefix: In front of every name.
            remove_duplicate: Each module once.

        Yields:
            Name and module.

        Example:
            >>> from kdtab.metamodel import convert
            >>> config = {"teacher_model": nn.ReLU, "criterion": nn.MSELoss()}
            >>> model = convert(nn.Identity(), [("kd_loss", config)])
            >>> [name for name, _ in model.named_modules()][-1]
            'distillation.losses.0'
        """
        memo = set() if memo is None else memo
        yield from super().named_modules(memo, prefix, remove_duplicate)
        inner = f"{prefix}.distillation" if prefix else "distillation"
        yield from self._lesson.trained.named_modules(memo, inner, remove_duplicate)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]  # torch has no types here
        for model in (self._lesson.trained, self._lesson.teacher) if recurse else ():
            model._apply(fn)
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        made = type(self).__new__(type(self))
        memo[id(self)] = made
        made.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return made

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise_issues(Issues((NotPickled(found=type(self).__bases__[1].__name__),)))
