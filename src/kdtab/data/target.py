"""The target: which task it asks for, and its cells as labels or numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import polars as pl
from returns.result import Success

from kdtab.config.training import Task
from kdtab.data.arrays import IntArray
from kdtab.data.cells import (
    INFINITY_PATTERN,
    NUMBER_PATTERN,
    WHOLE_NUMBER_PATTERN,
    MissingRule,
    canonical_texts,
    missing_rule,
    numbers,
    stripped_texts,
)
from kdtab.errors.columns import TargetNotNumeric
from kdtab.errors.teachers import LabelsUnknown
from kdtab.results import Checked, fail

MOST_INTEGER_CLASSES = 20


@dataclass(frozen=True)
class TaskDecision:
    """The task, and why.

    Example:
        >>> TaskDecision(task="regression", reason="numbers with a fraction").task
        'regression'
    """

    task: Task
    reason: str


@dataclass(frozen=True)
class LabelEncoder:
    """Labels as class codes, 0 to C − 1.

    Attributes:
        classes: The labels, in the order of their codes.

    Example:
        >>> LabelEncoder(("no", "yes")).transform(["yes", "no"]).unwrap().tolist()
        [1, 0]
    """

    classes: tuple[str, ...]

    def transform(self, texts: pl.Series | Sequence[str]) -> Checked[IntArray]:
        """Labels as codes.

        Args:
            texts: [N] canonical labels, none missing.

        Returns:
            [N] int64, or `LabelsUnknown` with every foreign label.

        Example:
            >>> LabelEncoder(("a", "b")).transform(["a", "c"]).failure().first
            LabelsUnknown(labels=('c',), rows=1, classes=('a', 'b'))
        """
        labels = pl.Series("label", texts, dtype=pl.String)
        known = pl.Series(self.classes, dtype=pl.String)
        order = pl.Series(range(len(self.classes)), dtype=pl.Int64)
        codes = labels.replace_strict(known, order, default=-1, return_dtype=pl.Int64)
        foreign = labels.filter(codes == -1)
        if len(foreign):
            names = tuple(foreign.unique(maintain_order=True))
            return fail(LabelsUnknown(labels=names, rows=len(foreign), classes=self.classes))
        return Success(codes.to_numpy().copy())

    def inverse_transform(self, codes: npt.NDArray[np.integer]) -> npt.NDArray[np.object_]:
        """Codes as labels.

        Args:
            codes: [N] integers in 0 to C − 1.

        Returns:
            [N] array of `str`; `.tolist()` is a list of plain texts.

        Example:
            >>> LabelEncoder(("a", "b")).inverse_transform(np.array([1, 0])).tolist()
            ['b', 'a']
        """
        labels: npt.NDArray[np.object_] = np.array(self.classes, dtype=np.object_)[codes]
        return labels


def fit_label_encoder(texts: pl.Series) -> LabelEncoder:
    """The encoder of the labels that occur: sorted as numbers if all are integers, else as texts.

    Args:
        texts: [N] canonical labels; nulls are passed over.

    Returns:
        The encoder.

    Example:
        >>> fit_label_encoder(pl.Series(["10", "9", "9"])).classes
        ('9', '10')
    """
    distinct = texts.drop_nulls().unique()
    whole = distinct.str.contains(WHOLE_NUMBER_PATTERN).all()
    return LabelEncoder(tuple(sorted(distinct.to_list(), key=_as_number if whole else str)))


def infer_task(target: pl.Series, markers: Iterable[str]) -> TaskDecision:
    """What a target asks for when nobody says (REQ-T04).

    Text, truth values, dates and any column of two values mean classification; numbers with a
    fraction mean regression; whole numbers mean classification up to 20 distinct values.

    Args:
        target: [N] cells of any type; a text column of nothing but numbers counts as numbers.
        markers: Texts that mean "missing".

    Returns:
        The task and the reason, as a sentence's end.

    Example:
        >>> infer_task(pl.Series(["1", "2", "1"]), ()).reason
        'the target has two distinct values'
        >>> infer_task(pl.Series([0.5, 1.5, 2.0]), ()).task
        'regression'
    """
    rule = missing_rule(markers)
    labels = _labels(target, rule)
    values = numbers(target, rule)
    distinct = labels.drop_nulls().n_unique()
    if distinct == 2:
        return TaskDecision("classification", "the target has two distinct values")
    if target.dtype == pl.Boolean or _is_text(target, labels, values):
        return TaskDecision("classification", "the target is not made of numbers")
    fractions = values.filter(values != values.round())
    if len(fractions):
        example = canonical_texts(fractions[:1], rule)[0]
        return TaskDecision(
            "regression", f"the target has numbers with a fraction, such as {example}"
        )
    if distinct <= MOST_INTEGER_CLASSES:
        few = f"the target has {distinct} distinct whole numbers, at most {MOST_INTEGER_CLASSES}"
        return TaskDecision("classification", few)
    many = f"the target has {distinct:,} distinct whole numbers, more than {MOST_INTEGER_CLASSES}"
    return TaskDecision("regression", many)


def target_labels(target: pl.Series, markers: Iterable[str]) -> pl.Series:
    """The cells of a target as canonical labels: 1, 1.0 and `"1.0"` are the label `"1"`.

    An infinity among numbers is missing, as a text too; among words `"inf"` is a word.

    Args:
        target: [N] cells of any type.
        markers: Texts that mean "missing".

    Returns:
        [N] texts, null where missing.

    Example:
        >>> target_labels(pl.Series([1.0, float("nan"), 2.0]), ()).to_list()
        ['1', None, '2']
    """
    return _labels(target, missing_rule(markers))


def target_values(target: pl.Series, markers: Iterable[str]) -> Checked[pl.Series]:
    """The cells of a target as numbers.

    Args:
        target: [N] cells of any type.
        markers: Texts that mean "missing".

    Returns:
        [N] Float64, null where missing, or `TargetNotNumeric` with the first cell that is no number.

    Example:
        >>> target_values(pl.Series("y", ["1.5", "?"]), ("?",)).unwrap().to_list()
        [1.5, None]
        >>> target_values(pl.Series("y", ["1.5", "low"]), ()).failure().first
        TargetNotNumeric(target='y', row=2, cell='low')
    """
    rule = missing_rule(markers)
    values = numbers(target, rule)
    texts = _without_infinities(stripped_texts(target, rule))
    truth = texts.str.to_lowercase().is_in(["true", "false"]) & (target.dtype != pl.Boolean)
    misfits = (texts.is_not_null() & (values.is_null() | truth)).arg_true()
    if len(misfits):
        row = int(misfits[0])
        return fail(TargetNotNumeric(target=target.name, row=row + 1, cell=texts[row]))
    return Success(values)


def _labels(target: pl.Series, rule: MissingRule) -> pl.Series:
    return _without_infinities(canonical_texts(target, rule))


def _without_infinities(texts: pl.Series) -> pl.Series:
    present = texts.drop_nulls()
    infinite = present.str.contains(INFINITY_PATTERN)
    numeric = present.str.contains(NUMBER_PATTERN)
    if not infinite.any() or not numeric.any() or not (infinite | numeric).all():
        return texts
    return texts.set(texts.str.contains(INFINITY_PATTERN), None)


def _is_text(target: pl.Series, labels: pl.Series, values: pl.Series) -> bool:
    unread = labels.is_not_null() & values.is_null()
    truth = labels.is_in(["true", "false"]).any() and not target.dtype.is_numeric()
    return bool(unread.any() or truth)


def _as_number(text: str) -> Decimal:
    return Decimal(text)
