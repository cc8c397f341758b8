"""The students of one search: what each changes of the run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Annotated

from pydantic import Field

from kdtab.config.base import FrozenConfig


class StudentVariant(FrozenConfig):
    """One student of many; what is None is as the run has it.

    Attributes:
        alpha: Weight of the hard loss, in [0, 1].
        temperature: T in softmax(z / T), above 0 and finite.
        learning_rate: Adam's step size.
        random_seed: Of this student's weights, orders of rows and dropout. The split keeps the seed
            of the run: all students are compared on the same rows.
        student_hidden_dim: Units of a hidden layer.
        augment: Synthetic rows for each training row.

    Raises:
        pydantic.ValidationError: A `ValueError`; an unknown field or a value out of range.

    Example:
        >>> StudentVariant(alpha=0.3).changes
        {'alpha': 0.3}
    """

    alpha: Annotated[float, Field(ge=0, le=1)] | None = None
    temperature: Annotated[float, Field(gt=0)] | None = None
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    random_seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    student_hidden_dim: Annotated[int, Field(ge=1, le=65_536)] | None = None
    augment: Annotated[float, Field(ge=0, le=100)] | None = None

    @property
    def changes(self) -> dict[str, float]:
        """What differs from the run, by field name.

        Example:
            >>> StudentVariant().changes
            {}
        """
        return {name: value for name, value in self if value is not None}


VARIED = tuple(StudentVariant.model_fields)


def variant_grid(
    *,
    alpha: Sequence[float] = (),
    temperature: Sequence[float] = (),
    learning_rate: Sequence[float] = (),
    random_seed: Sequence[int] = (),
    student_hidden_dim: Sequence[int] = (),
    augment: Sequence[float] = (),
) -> tuple[StudentVariant, ...]:
    """Every combination of these values.

    Args:
        alpha: Values of alpha; none leaves the run's.
        temperature: Of the temperature.
        learning_rate: Of the step size.
        random_seed: Seeds of students.
        student_hidden_dim: Widths.
        augment: Shares of synthetic rows.

    Returns:
        One variant for each combination, the last field changing fastest.

    Raises:
        pydantic.ValidationError: A `ValueError`; a value out of range.

    Example:
        >>> [each.changes for each in variant_grid(alpha=(0.3, 0.7), random_seed=(1,))]
        [{'alpha': 0.3, 'random_seed': 1}, {'alpha': 0.7, 'random_seed': 1}]
    """
    values = (alpha, temperature, learning_rate, random_seed, student_hidden_dim, augment)
    return tuple(
        StudentVariant.model_validate(dict(zip(VARIED, each, strict=True)))
        for each in product(*(given or (None,) for given in values))
    )
