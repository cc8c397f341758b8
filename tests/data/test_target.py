"""The target: task, labels, numbers."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from kdtab.config.columns import DEFAULT_MISSING_MARKERS
from kdtab.data.target import (
    LabelEncoder,
    fit_label_encoder,
    infer_task,
    target_labels,
    target_values,
)
from kdtab.errors.columns import TargetNotNumeric
from kdtab.errors.teachers import LabelsUnknown


@pytest.mark.requirement("REQ-T04", "AC-T04")
@pytest.mark.parametrize(
    ("cells", "task", "reason"),
    [
        (["a", "b", "c"], "classification", "not made of numbers"),
        ([True, False, None], "classification", "two distinct values"),
        ([True, True], "classification", "not made of numbers"),
        ([0.5, 1.5, 0.5], "classification", "two distinct values"),
        (["0", "1", "1.0"], "classification", "two distinct values"),
        ([0.5, 1.5, 2.5], "regression", "a fraction, such as 0.5"),
        (["0.5", "1.5", "2"], "regression", "a fraction, such as 0.5"),
        ([1.0, 2.0, 3.0], "classification", "3 distinct whole numbers, at most 20"),
        (list(range(20)), "classification", "20 distinct whole numbers"),
        (list(range(21)), "regression", "21 distinct whole numbers, more than 20"),
        ([str(n) for n in range(21)], "regression", "more than 20"),
        (["007", "008", "009"], "classification", "not made of numbers"),
        ([date(2020, 1, day) for day in (1, 2, 3)], "classification", "not made of numbers"),
        ([7, 7], "classification", "1 distinct whole numbers"),
        (["1", "2", "3", "?"], "classification", "3 distinct whole numbers"),
        (["1", "2", "true", "3"], "classification", "not made of numbers"),
        (["0.5", "inf", "1.5", "-Infinity", "2.5"], "regression", "a fraction, such as 0.5"),
        (["0", "1", "inf"], "classification", "two distinct values"),
        (["low", "high", "inf"], "classification", "not made of numbers"),
    ],
)
def test_the_target_decides_its_task(cells: list[object], task: str, reason: str) -> None:
    decision = infer_task(pl.Series("y", cells), DEFAULT_MISSING_MARKERS)
    assert decision.task == task
    assert reason in decision.reason


def test_labels_that_are_one_value_are_one_label() -> None:
    labels = target_labels(pl.Series(["1.0", " 1 ", "TRUE", "nan", "b"]), DEFAULT_MISSING_MARKERS)
    assert labels.to_list() == ["1", "1", "true", None, "b"]


@pytest.mark.parametrize(
    ("cells", "labels"),
    [(["1", "inf", "2"], ["1", None, "2"]), (["a", "inf"], ["a", "inf"]), (["inf"], ["inf"])],
)
def test_an_infinity_among_numbers_is_missing_and_among_words_a_word(
    cells: list[str], labels: list[str | None]
) -> None:
    assert target_labels(pl.Series(cells), DEFAULT_MISSING_MARKERS).to_list() == labels


def test_infinities_written_as_text_are_missing_target_values() -> None:
    cells = pl.Series("y", ["1.5", "-inf", "Infinity", "2.5"])
    assert target_values(cells, ()).unwrap().to_list() == [1.5, None, None, 2.5]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["10", "9", "a"], ("10", "9", "a")),
        (["1.5", "10", "9"], ("1.5", "10", "9")),
        (["9" * 5_000, "1"], ("1", "9" * 5_000)),
        (["b", "a", "b", None], ("a", "b")),
    ],
)
def test_classes_are_sorted_as_numbers_where_all_are_integers(
    labels: list[str | None], classes: tuple[str, ...]
) -> None:
    assert fit_label_encoder(pl.Series(labels)).classes == classes


@pytest.mark.requirement("REQ-KD12", "AC-T20")
def test_codes_and_labels_translate_both_ways() -> None:
    encoder = LabelEncoder(("no", "yes"))
    codes = encoder.transform(pl.Series(["yes", "no", "yes"])).unwrap()
    assert codes.dtype == np.int64
    labels = encoder.inverse_transform(codes).tolist()
    assert labels == ["yes", "no", "yes"]
    assert all(type(label) is str for label in labels)


def test_foreign_labels_are_all_named_and_their_rows_counted() -> None:
    issue = LabelEncoder(("a",)).transform(["b", "a", "c", "b"]).failure().first
    assert issue == LabelsUnknown(labels=("b", "c"), rows=3, classes=("a",))
    assert LabelEncoder(()).transform([]).unwrap().shape == (0,)


@pytest.mark.parametrize(
    ("series", "row", "cell"),
    [
        (pl.Series("y", ["1", "", "low", "high"]), 3, "low"),
        (pl.Series("y", ["1", "007"]), 2, "007"),
        (pl.Series("y", ["1", "true"]), 2, "true"),
        (pl.Series("y", [date(2020, 1, 2)]), 1, "2020-01-02"),
    ],
)
def test_regression_on_text_names_the_first_cell_that_is_no_number(
    series: pl.Series, row: int, cell: str
) -> None:
    issue = target_values(series, DEFAULT_MISSING_MARKERS).failure().first
    assert issue == TargetNotNumeric(target="y", row=row, cell=cell)


def test_numbers_of_any_type_are_values_and_missing_ones_null() -> None:
    for cells in (["1.5", "nan"], [1.5, float("nan")], [1.5, None], ["1.50", "?"]):
        values = target_values(pl.Series("y", cells), DEFAULT_MISSING_MARKERS).unwrap()
        assert values.to_list() == [1.5, None]
    assert target_values(pl.Series([True, False]), ()).unwrap().to_list() == [1.0, 0.0]
    assert target_values(pl.Series([-200, 3]), ("-200",)).unwrap().to_list() == [None, 3.0]
