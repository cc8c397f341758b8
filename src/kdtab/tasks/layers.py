"""Learn layer by layer: one forward of student and teacher, a loss for each pair, one total."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, TypeAlias, final

import torch
from returns.result import Success
from torch import Tensor, nn

from kdtab.errors.layers import (
    LossNotScalar,
)
from kdtab.models.loans import Loan
from kdtab.results import Checked, collect, fail
from kdtab.tasks.captures import ModelTaps
from kdtab.tasks.pairs import PairLoss, keywords_fit, trained_modules
from kdtab.tasks.totals import (
    STUDENT_LOSS_KEY,
    LossBalancer,
    NamedLosses,
    balanced_total,
    balancer_fits,
    with_student_loss,
)

TOTAL_KEY = "loss"

Reduction: TypeAlias = Callable[[Tensor], Tensor]
Runs: TypeAlias = Literal["both", "student", "teacher"]


@final
class LayerLesson:
    """Student and teacher on the same inputs, and the losses between what their layers give.

    Args:
        student: Only hooks are added to it, and `end` takes them away.
        loan: The teacher, until `end` gives it back.
        losses: One for each pair of layers.
        balancer: What makes one number of several; None for a single loss.
        projections: From the student's width to the teacher's, by their names in `losses`.

    Attributes:
        teacher: The model on loan.
        trained: Everything beside the student that has numbers: projections, losses, balancer.
        runs: Who runs in the next forward.
        step: How many totals were taken in train mode.
        last_terms: Every term of the last total by name, without its graph.

    Example:
        >>> from kdtab.models.layers import LayerPair
        >>> from kdtab.models.loans import borrowed
        >>> student, teacher = nn.Linear(2, 2), nn.Linear(2, 2)
        >>> loss = PairLoss(LayerPair("", ""), nn.MSELoss(), "MSELoss_0")
        >>> lesson = LayerLesson(student, borrowed(teacher), (loss,), None, {})
        >>> lesson.forward(student, (torch.zeros(3, 2),), {}).shape
        torch.Size([3, 2])
        >>> lesson.total(None, None, {}).unwrap().requires_grad
        True
    """

    def __init__(
        self,
        student: nn.Module,
        loan: Loan,
        losses: tuple[PairLoss, ...],
        balancer: LossBalancer | None,
        projections: Mapping[str, nn.Module],
    ) -> None:
        self.loan = loan
        self.losses = losses
        self.balancer = balancer
        self.trained = trained_modules(projections, losses, balancer)
        self.student_taps = ModelTaps(student, {loss.pair.student: None for loss in losses})
        self.teacher_taps = ModelTaps(loan.model, {loss.pair.teacher: None for loss in losses})
        names = tuple(loss.name for loss in losses)
        # Asked once: a step is short.
        self._fits = {
            own: balancer_fits(balancer, names, student_loss=own) for own in (True, False)
        }
        self.runs: Runs = "both"
        self.step = 0
        self.last_terms: NamedLosses = {}

    @property
    def teacher(self) -> nn.Module:
        """The model on loan, in eval mode.

        Example:
            >>> from kdtab.models.loans import borrowed
            >>> LayerLesson(nn.ReLU(), borrowed(nn.Tanh()), (), None, {}).teacher
            Tanh()
        """
        return self.loan.model

    def forward(
        self,
        student: Callable[..., object],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> object:
        """Both models on the same inputs, or the one that `runs` names.

        Args:
            student: The student's own forward.
            args: Its positional inputs.
            kwargs: Its named inputs.

        Returns:
            The student's output; the teacher's where only that runs.

        Example:
            >>> from kdtab.models.loans import borrowed
            >>> lesson = LayerLesson(nn.ReLU(), borrowed(nn.Tanh()), (), None, {})
            >>> lesson.forward(nn.ReLU(), (torch.tensor(-1.0),), {})
            tensor(0.)
        """
        if self.runs != "student":
            if self.runs == "teacher" and self.teacher_taps.ran:
                self.student_taps.forget(taken=False)
            output = self._ask_teacher(args, kwargs)
            if self.runs == "teacher":
                return output
        elif self.student_taps.ran:
            self.teacher_taps.forget(taken=False)
        self.student_taps.begin()
        output = student(*args, **kwargs)
        self.student_taps.end(output)
        return output

    def _ask_teacher(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> object:
        if self.teacher.training:
            self.teacher.eval()
        self.teacher_taps.begin()
        with torch.no_grad():
            output = self.teacher(*args, **kwargs)
        self.teacher_taps.end(output)
        return output

    @contextmanager
    def running(self, runs: Runs) -> Iterator[None]:
        """Who runs in the forwards of a block.

        Args:
            runs: Both, or one of them.

        Yields:
            Nothing.

        Example:
            >>> from kdtab.models.loans import borrowed
            >>> lesson = LayerLesson(nn.ReLU(), borrowed(nn.Tanh()), (), None, {})
            >>> with lesson.running("student"):
            ...     lesson.runs
            'student'
        """
        before, self.runs = self.runs, runs
        try:
            yield
        finally:
            self.runs = before

    def terms(
        self, reduction: Reduction | None, said: Mapping[str, object]
    ) -> Checked[NamedLosses]:
        """The loss of every pair, once for each forward.

        Args:
            reduction: Applied to each loss; None leaves them as they are.
            said: Keywords of this step, each for the losses that take it.

        Returns:
            The losses by name, in the order of the pairs; or, all at once, `LayerOutputMissing`,
            `LayerOutputStale`, `LossArgumentUnknown`, `LossArgumentMissing` and what `PairLoss.value` refuses.

        Example:
            >>> from kdtab.models.loans import borrowed
            >>> LayerLesson(nn.ReLU(), borrowed(nn.Tanh()), (), None, {}).terms(None, {}).unwrap()
            {}
        """
        return keywords_fit(self.losses, said).bind(
            lambda _: collect(self._term(loss, reduction, said) for loss in self.losses).map(
                self._taken
            )
        )

    def total(
        self,
        student_loss: Tensor | None,
        reduction: Reduction | None,
        said: Mapping[str, object],
        *,
        learning: bool = True,
    ) -> Checked[Tensor]:
        """The one number whose gradient is followed.

        Args:
            student_loss: The student's own loss; None without one.
            reduction: Applied to each loss of a pair before the balancer.
            said: Keywords of this step.
            learning: Whether this counts as a step.

        Returns:
            A scalar; or the issues of `terms`, `BalancerMissing`, `LossNotScalar` and what the
            balancer refuses.

        Example:
            >>> from kdtab.models.loans import borrowed
            >>> lesson = LayerLesson(nn.ReLU(), borrowed(nn.Tanh()), (), None, {})
            >>> lesson.total(torch.tensor(1.0), None, {}).failure().first
            BalancerMissing(terms=('student_loss',))
        """
        if not _may_be_loss(student_loss):
            found = f"{STUDENT_LOSS_KEY} {type(student_loss).__name__}"
            return fail(LossNotScalar(terms=(found,)))
        return self._fits[student_loss is not None].bind(
            lambda _: self.terms(reduction, said).bind(
                lambda terms: balanced_total(self.balancer, terms, student_loss).map(
                    lambda total: self._reported(terms, student_loss, total, learning)
                )
            )
        )

    def resume(self, step: int) -> None:
        """Go on after so many steps; what layers gave before does not count.

        Args:
            step: How many totals were taken.

        Example:
            >>> from kdtab.models.loans import borrowed
            >>> lesson = LayerLesson(nn.ReLU(), borrowed(nn.Tanh()), (), None, {})
            >>> lesson.resume(7)
            >>> lesson.step
            7
        """
        self.step = step
        self.student_taps.forget(taken=False)
        self.teacher_taps.forget(taken=False)

    def end(self) -> None:
        """Take all hooks away and give the teacher back as it came.

        Example:
            >>> from kdtab.models.loans import borrowed
            >>> teacher = nn.Linear(2, 2)
            >>> LayerLesson(nn.ReLU(), borrowed(teacher), (), None, {}).end()
            >>> teacher.training
            True
        """
        self.student_taps.remove()
        self.teacher_taps.remove()
        self.loan.give_back()

    def _term(
        self, loss: PairLoss, reduction: Reduction | None, said: Mapping[str, object]
    ) -> Checked[tuple[str, Tensor]]:
        student = self.student_taps.given(loss.names, "student")
        teacher = self.teacher_taps.given(loss.names, "teacher")
        return collect((student, teacher)).bind(
            lambda both: loss.value(self._projected(loss, both[0]), both[1], said).bind(
                lambda found: _reduced(loss, found, reduction)
            )
        )

    def _projected(self, loss: PairLoss, output: object) -> object:
        if loss.projection is None:
            return output
        projections = self.trained["projections"]
        assert isinstance(projections, nn.ModuleDict)
        return projections[loss.projection](output)

    def _taken(self, terms: tuple[tuple[str, Tensor], ...]) -> NamedLosses:
        self.student_taps.forget(taken=True)
        self.teacher_taps.forget(taken=True)
        return dict(terms)

    def _reported(
        self, terms: NamedLosses, student_loss: Tensor | None, total: Tensor, learning: bool
    ) -> Tensor:
        named = {**with_student_loss(terms, student_loss), TOTAL_KEY: total}
        self.last_terms = {name: value.detach() for name, value in named.items()}
        self.step += learning
        return total


def _may_be_loss(found: object) -> bool:
    return found is None or isinstance(found, Tensor)


def _reduced(
    loss: PairLoss, value: object, reduction: Reduction | None
) -> Checked[tuple[str, Tensor]]:
    if not isinstance(value, Tensor):
        return fail(LossNotScalar(terms=(f"{loss.name} {type(value).__name__}",)))
    return Success((loss.name, value if reduction is None else reduction(value)))
