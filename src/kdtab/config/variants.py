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
) -> tuple[StudentVariant, ...]:
    """Every combination of these values.

    Args:
        alpha: Values of alpha; none leaves the run's.
        temperature: Of the temperature.
        learning_rate: Of the step size.
        random_seed: Seeds of students.

    Returns:
        One variant for each combination, the last field changing fastest.

    Raises:
        pydantic.ValidationError: A `ValueError`; a value out of range.

    Example:
        >>> [each.changes for each in variant_grid(alpha=(0.3, 0.7), random_seed=(1,))]
        [{'alpha': 0.3, 'random_seed': 1}, {'alpha': 0.7, 'random_seed': 1}]
    """
    return tuple(
        StudentVariant(alpha=a, temperature=t, learning_rate=rate, random_seed=seed)
        for a, t, rate, seed in product(
            alpha or (None,),
            temperature or (None,),
            learning_rate or (None,),
            random_seed or (None,),
        )
    )
