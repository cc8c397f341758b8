"""The lesson that a converted model carries in its own dictionary, where no state dict looks."""

from __future__ import annotations

from returns.result import Success

from kdtab.errors.conversions import ModelNotConverted
from kdtab.results import Checked, fail
from kdtab.tasks.layers import LayerLesson

LESSON = "_kdtab_lesson"


def carries_lesson(model: object) -> bool:
    """Whether a model is converted.

    Args:
        model: Anything.

    Returns:
        True for what `convert` returned, until it is exported.

    Example:
        >>> from torch import nn
        >>> carries_lesson(nn.ReLU())
        False
    """
    return LESSON in getattr(model, "__dict__", {})


def lesson_of(model: object) -> Checked[LayerLesson]:
    """The lesson of a converted model.

    Args:
        model: Anything.

    Returns:
        Its lesson, or `ModelNotConverted`.

    Example:
        >>> from torch import nn
        >>> lesson_of(nn.ReLU()).failure().first
        ModelNotConverted(found='ReLU')
    """
    lesson = getattr(model, "__dict__", {}).get(LESSON)
    if isinstance(lesson, LayerLesson):
        return Success(lesson)
    return fail(ModelNotConverted(found=type(model).__name__))
