"""Which rows count as held out: never any that a record does not speak for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful
from torch import nn

from kdtab.bundle import ModelBundle
from kdtab.config.base import revise
from kdtab.config.columns import ColumnOptions
from kdtab.config.manifest import Provenance
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.data.fingerprint import row_twins, table_fingerprint
from kdtab.data.labelled import (
    LabelledRows,
    TableRequest,
    decide_task,
    labelled_rows,
    split_labelled_rows,
)
from kdtab.data.split import Split
from kdtab.data.target import LabelEncoder
from kdtab.report.heldout import NOT_KNOWN, ChosenRows, chosen_rows
from kdtab.report.inputs import MeasuredRows
from kdtab.report.truth import measured_rows, rows_with_target, student_request

SPELLINGS = (("1", "1.0", " 1", "+1", "1e0"), ("", "?", "NA", " null"), ("True", "true"), ("b",))
CONFIG = TrainingConfig(target_column="y", random_seed=5)
Row = tuple[int, int, int, str]
spelt_twice = st.tuples(
    st.integers(0, 3), st.integers(0, 4), st.integers(0, 4), st.sampled_from("ab")
)


def spelt(rows: list[Row], time: int) -> pl.DataFrame:
    """Each cell in one of the spellings of its value, the first or the second time."""
    ways = [(SPELLINGS[value], (one, two)[time]) for value, one, two, _ in rows]
    x = [known[way % len(known)] for known, way in ways]
    return pl.DataFrame({"x": x, "y": [row[3] for row in rows]})


def request_of(frame: pl.DataFrame, options: ColumnOptions | None = None) -> TableRequest:
    return TableRequest(frame, CONFIG, options or ColumnOptions())


def rows_of(request: TableRequest) -> LabelledRows:
    decision = decide_task(request).unwrap()
    return labelled_rows(request, decision).unwrap()


def split_of(request: TableRequest) -> Split:
    return split_labelled_rows(request, rows_of(request)).unwrap()


def record_of(request: TableRequest, ties: LabelConfig | None = None) -> Provenance:
    """What a model trained on the table records."""
    split = split_of(request)
    return Provenance(
        table_fingerprint=table_fingerprint(request.frame),
        training_config=request.config,
        column_options=request.options,
        label_config=ties,
        rows=len(split.training) + len(split.validation) + len(split.test),
        test_rows=len(split.test),
    )


def chosen(request: TableRequest, **records: Provenance | None) -> ChosenRows:
    named = {"teacher": None, "student": None, **records}
    return chosen_rows(request, rows_of(request), named).unwrap()  # type: ignore[arg-type]  # roles


@given(st.lists(spelt_twice, min_size=2, max_size=40))
def test_a_table_of_the_same_fingerprint_has_the_same_split(rows: list[Row]) -> None:
    """Else a re-spelt table would be split otherwise, and still be called held out."""
    first, second = spelt(rows, 0), spelt(rows, 1)
    assert table_fingerprint(first) == table_fingerprint(second)
    one, other = split_of(request_of(first)), split_of(request_of(second))
    assert one.test.tolist() == other.test.tolist()
    assert one.training.tolist() == other.training.tolist()


def test_a_table_that_is_spelt_otherwise_is_held_out_on_the_rows_of_training() -> None:
    """Under raw cells these twins came apart, and the rows of the test with them."""
    generator = np.random.default_rng(0)
    values = generator.integers(0, 30, 200)
    labels = generator.choice(["a", "b"], 200)
    mixed = [f"{value}.0" if at % 2 else str(value) for at, value in enumerate(values.tolist())]
    trained = request_of(pl.DataFrame({"x": mixed, "y": labels}))
    again = request_of(pl.DataFrame({"x": values.astype(np.float64), "y": labels}))
    found = chosen(again, student=record_of(trained))
    assert found.labelled.rows.tolist() == split_of(trained).test.tolist()
    assert found.which == "held out from student; what the teacher saw is not known"


def test_twins_are_rows_of_one_value() -> None:
    frame = pl.DataFrame({"x": ["1", "1.0", "2", None], "z": ["?", None, "", "x"]})
    assert row_twins(frame).tolist() == [0, 0, 1, 2]


def test_rows_in_another_order_are_another_table() -> None:
    frame = pl.DataFrame({"x": list(range(40)), "y": ["a", "b"] * 20})
    found = chosen(request_of(frame.reverse()), student=record_of(request_of(frame)))
    assert (found.which, len(found.labelled.rows)) == (NOT_KNOWN, 40)


def test_cells_of_one_fingerprint_that_are_other_labels_are_noticed() -> None:
    """`?` was a class of its own in training; a null in its place is no label at all."""
    options = ColumnOptions(missing_markers=("na",))
    frame = pl.DataFrame({"x": list(range(60)), "y": ["a", "b", "?"] * 20})
    silent = frame.with_columns(y=pl.Series(["a", "b", None] * 20))
    assert table_fingerprint(frame) == table_fingerprint(silent)
    record = record_of(request_of(frame, options))
    assert chosen(request_of(frame, options), student=record).unseen_by == ("student",)
    assert chosen(request_of(silent, options), student=record).which == NOT_KNOWN


def test_a_record_without_counts_is_believed() -> None:
    frame = pl.DataFrame({"x": list(range(40)), "y": ["a", "b"] * 20})
    record = revise(record_of(request_of(frame)), rows=None, test_rows=None).unwrap()
    assert chosen(request_of(frame), student=record).unseen_by == ("student",)


def test_each_model_is_believed_for_itself() -> None:
    frame = pl.DataFrame({"x": list(range(40)), "y": ["a", "b"] * 20})
    request = request_of(frame)
    mine = record_of(request)
    config = revise(CONFIG, random_seed=6).unwrap()
    other = revise(mine, training_config=config).unwrap()
    named = {"teacher": mine, "student": mine, "scratch": other}
    found = chosen_rows(request, rows_of(request), named).unwrap()  # type: ignore[arg-type]  # roles
    assert (
        found.which
        == "held out from teacher and student; what the scratch student saw is not known"
    )


@pytest.mark.parametrize("column", ["group_column", "time_column"])
def test_a_split_by_a_column_is_another_split(column: str) -> None:
    ties = LabelConfig.model_validate({column: "who"})
    frame = pl.DataFrame({"who": [at // 4 for at in range(40)], "y": ["a", "b"] * 20})
    tied, free = TableRequest(frame, CONFIG, ColumnOptions(), ties), request_of(frame)
    record = record_of(tied, ties)
    found = chosen(tied, student=record)
    assert found.labelled.rows.tolist() == split_of(tied).test.tolist()
    assert chosen(free, student=record).which == NOT_KNOWN
    assert chosen(tied, student=record, teacher=record_of(free)).unseen_by == ("student",)


def silent_student(ties: LabelConfig | None = None) -> ModelBundle:
    """A model of the classes a and b, which no test asks about a row."""
    bundle = ModelBundle(nn.Linear(1, 2), "classification", *[None] * 10)  # type: ignore[arg-type]  # unused
    return replace(
        bundle,
        target_column="y",
        label_encoder=LabelEncoder(("a", "b")),
        provenance=Provenance(label_config=ties),
    )


def measured(frame: pl.DataFrame, ties: LabelConfig | None = None) -> MeasuredRows:
    student = silent_student(ties)
    request = student_request(student, frame)
    labelled = rows_with_target(student, request).unwrap()
    return measured_rows(student, request, labelled, which="these rows").unwrap()


def test_rows_of_one_group_are_drawn_together() -> None:
    frame = pl.DataFrame({"x": [1, 2, 3, 3, 4], "who": ["p", "p", "q", "r", None], "y": [*"abaab"]})
    alone, tied = measured(frame), measured(frame, LabelConfig(group_column="who"))
    assert alone.groups is not None
    assert alone.groups.tolist() == [0, 1, 2, 3, 4]
    assert tied.groups is not None
    assert tied.groups.tolist() == [0, 0, 1, 2, 3]
    assert (alone.which, tied.which) == ("these rows", "these rows; rows of one who count as one")


def test_a_table_without_the_columns_of_the_record_is_measured_all_the_same() -> None:
    found = measured(pl.DataFrame({"y": ["a", "b", None]}), LabelConfig(group_column="who"))
    assert found.truth.tolist() == [0, 1]
    assert found.which == "these rows"


def test_a_label_that_the_student_does_not_know_is_named() -> None:
    student = silent_student()
    request = student_request(student, pl.DataFrame({"y": ["a", "z"]}))
    labelled = rows_with_target(student, request).unwrap()
    assert not is_successful(measured_rows(student, request, labelled, which=""))
