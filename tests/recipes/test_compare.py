from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from returns.result import Result
from sklearn.ensemble import RandomForestClassifier

from clients import DATES, client_frame, clients, config_for, own_teacher, teacher_of
from kdtab.bundle import ModelBundle
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.manifest import Provenance
from kdtab.data.prepare import prepare_table
from kdtab.data.target import LabelEncoder
from kdtab.errors.columns import ColumnMissing
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import Issues
from kdtab.errors.sources import TeacherClassesUnclear
from kdtab.errors.teachers import (
    LabelEncoderMissing,
    LabelsUnknown,
    NoModelColumns,
    TaskMismatch,
)
from kdtab.recipes.compare import compare_models
from kdtab.recipes.distill import distill_student
from kdtab.recipes.train import train_model
from kdtab.report.asked import HELD_OUT, HELD_OUT_OF_STUDENT, AskedModels, ask_models
from kdtab.report.comparison import Comparison
from kdtab.report.heldout import NOT_KNOWN
from kdtab.shell.timing import Speed
from kdtab.teachers.resolve import resolve_teacher
from kdtab.trainer import predict_rows, save_bundle


@cache
def student_of(task: str = "classification") -> ModelBundle:
    distilled = distill_student(
        client_frame(task), teacher_of(task), config_for(task), DistillConfig(student_hidden_dim=4),
        columns=DATES, device="cpu",
    )  # fmt: skip
    return distilled.unwrap().bundle


def quickly_compared(
    teacher: object,
    student: ModelBundle,
    frame: pl.DataFrame,
    *,
    target_column: str | None = None,
    columns: ColumnOptions | None = None,
) -> Result[Comparison, Issues]:
    """As `compare_models`, but nobody's time is taken."""
    asked = ask_models(
        teacher, student, frame, target_column=target_column, columns=columns,
        clock=lambda *_: Speed(1.0),
    )  # fmt: skip
    return asked.map(AskedModels.comparison)


def compared(task: str = "classification", frame: pl.DataFrame | None = None) -> Comparison:
    rows = client_frame(task) if frame is None else frame
    return quickly_compared(teacher_of(task), student_of(task), rows).unwrap()


def held_out(task: str = "classification") -> pl.DataFrame:
    split = prepare_table(client_frame(task), config_for(task), DATES).unwrap().split
    return client_frame(task)[split.test]


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_on_the_table_of_both_only_the_test_rows_count(task: str) -> None:
    found = compared(task)
    assert (found.rows, found.rows_were) == (16, HELD_OUT)
    said = predict_rows(teacher_of(task), held_out(task))
    if task == "classification":
        expected = float(np.mean(np.array(said) == held_out()["bought"].to_numpy()))
        assert found.teacher.metrics.test_metric_value == expected
    else:
        truth = held_out(task)["price"].cast(pl.Float64).to_numpy()
        rmse = float(np.sqrt(np.mean((np.array(said, dtype=np.float64) - truth) ** 2)))
        assert found.teacher.metrics.test_metric_value == pytest.approx(rmse, rel=1e-6)


def test_the_order_of_columns_and_their_types_do_not_make_another_table() -> None:
    turned = client_frame().select(reversed(client_frame().columns))
    typed = turned.with_columns(pl.col("spent").cast(pl.Float64))
    for frame in (turned, typed):
        found = compared(frame=frame)
        assert (found.rows, found.rows_were) == (16, HELD_OUT)
        assert found.to_plain()["agreement"] == compared().agreement
        assert found.teacher.metrics.test_loss == compared().teacher.metrics.test_loss


def test_a_teacher_of_another_split_may_have_seen_the_rows() -> None:
    config = config_for(random_seed=9)
    other = train_model(client_frame(), config, columns=DATES).unwrap().bundle
    found = quickly_compared(other, student_of(), client_frame()).unwrap()
    assert (found.rows, found.rows_were) == (16, HELD_OUT_OF_STUDENT)


@pytest.mark.parametrize(
    "frame",
    [
        client_frame().head(50),
        client_frame().reverse(),
        client_frame().with_columns(more=pl.lit(1)),
        client_frame().drop("city"),
    ],
)
def test_on_any_other_table_all_rows_count_and_it_says_what_it_cannot_know(
    frame: pl.DataFrame,
) -> None:
    found = compared(frame=frame)
    assert (found.rows, found.rows_were) == (frame.height, NOT_KNOWN)


def test_a_bundle_that_records_nothing_knows_nothing_of_its_rows() -> None:
    silent = replace(student_of(), provenance=Provenance())
    found = quickly_compared(teacher_of(), silent, client_frame()).unwrap()
    assert (found.rows, found.rows_were) == (80, NOT_KNOWN)


@pytest.mark.parametrize(
    "columns", [ColumnOptions(exclude_columns=("city",)), ColumnOptions(missing_markers=("?",))]
)
def test_other_columns_than_in_training_make_another_split_that_nobody_held_out(
    columns: ColumnOptions,
) -> None:
    found = quickly_compared(teacher_of(), student_of(), client_frame(), columns=columns).unwrap()
    assert (found.rows, found.rows_were) == (80, NOT_KNOWN)


def test_another_target_column_makes_another_split_that_nobody_held_out() -> None:
    frame = client_frame().with_columns(truth=pl.col("bought"))
    student = train_model(frame, config_for()).unwrap()
    found = quickly_compared(student.bundle, student.bundle, frame, target_column="truth").unwrap()
    assert (found.rows, found.rows_were) == (80, NOT_KNOWN)
    again = quickly_compared(student.bundle, student.bundle, frame).unwrap()
    assert (again.rows, again.rows_were) == (16, HELD_OUT)


def test_a_teacher_of_any_make_is_measured_on_the_same_rows() -> None:
    """An estimator that knows the classes in another order, and says nothing of parameters."""
    frame = client_frame()
    numbers = frame["spent"].cast(pl.Float64).to_numpy()[:, None]
    codes = (frame["bought"] == "no").to_numpy().astype(np.int64)
    forest = RandomForestClassifier(n_estimators=5, random_state=0).fit(numbers, codes)

    def says(rows: pl.DataFrame) -> pl.DataFrame:
        shares = forest.predict_proba(rows["spent"].cast(pl.Float64).to_numpy()[:, None])
        return pl.DataFrame({"yes": shares[:, 0], "no": shares[:, 1]})

    teacher = resolve_teacher(says, task="classification", classes=("yes", "no")).unwrap()
    found = quickly_compared(teacher, student_of(), frame).unwrap()
    rows = prepare_table(frame, config_for(), DATES).unwrap().split.test
    accuracy = float(np.mean(forest.predict(numbers[rows]) == codes[rows]))
    assert (found.rows, found.rows_were) == (16, HELD_OUT_OF_STUDENT)
    assert found.teacher.metrics.test_metric_value == pytest.approx(accuracy)
    assert found.student.metrics.test_loss == compared().student.metrics.test_loss
    assert (found.teacher.parameters, found.parameters_saved) == (None, None)


def test_values_of_any_teacher_are_in_the_unit_of_the_target() -> None:
    frame = client_frame("regression")
    teacher = resolve_teacher(lambda rows: np.full(rows.height, 400.0), task="regression").unwrap()
    found = quickly_compared(teacher, student_of("regression"), frame).unwrap()
    truth = held_out("regression")["price"].cast(pl.Float64).to_numpy()
    rmse = float(np.sqrt(np.mean((truth - 400.0) ** 2)))
    assert found.teacher.metrics.test_metric_value == pytest.approx(rmse)
    scaler = student_of("regression").target_scaler
    assert scaler is not None
    assert found.teacher.metrics.test_loss == pytest.approx((rmse / scaler.scale) ** 2)
    assert np.isnan(found.agreement)


def test_recorded_scores_are_found_by_their_key_and_have_no_speed() -> None:
    frame = client_frame().with_row_index("row")
    scores = pl.DataFrame({"row": frame["row"], "no": 0.25, "yes": 0.75}).reverse()
    kept = resolve_teacher(scores, key="row", task="classification", classes=("no", "yes"))
    student = train_model(frame, config_for(), columns=ColumnOptions(exclude_columns=("row",)))
    found = quickly_compared(kept.unwrap(), student.unwrap().bundle, frame).unwrap()
    share = np.mean((frame[rows_of_test(frame)]["bought"] == "yes").to_numpy())
    assert found.teacher.metrics.test_metric_value == pytest.approx(share)
    assert (found.teacher.rows_per_second, found.student.rows_per_second) == (None, 1.0)


def rows_of_test(frame: pl.DataFrame) -> list[int]:
    options = ColumnOptions(exclude_columns=("row",))
    rows: list[int] = prepare_table(frame, config_for(), options).unwrap().split.test.tolist()
    return rows


def test_rows_without_a_target_are_not_compared() -> None:
    frame = client_frame().with_columns(
        bought=pl.Series([None if at < 7 else row["bought"] for at, row in enumerate(clients())])
    )
    assert compared(frame=frame).rows == 73


def test_agreement_is_the_share_of_equal_predictions() -> None:
    frame = client_frame().head(70)
    said, learnt = predict_rows(teacher_of(), frame), predict_rows(student_of(), frame)
    expected = float(np.mean(np.array(said) == np.array(learnt)))
    assert compared(frame=frame).agreement == expected
    assert 0 < expected < 1


def test_agreement_of_values_is_the_students_r_squared_against_the_teacher() -> None:
    frame = client_frame("regression").head(70)
    said = np.array(predict_rows(teacher_of("regression"), frame), dtype=np.float64)
    learnt = np.array(predict_rows(student_of("regression"), frame), dtype=np.float64)
    expected = 1 - np.sum((learnt - said) ** 2) / np.sum((said - said.mean()) ** 2)
    assert compared("regression", frame).agreement == pytest.approx(expected, rel=1e-6)


def test_the_order_of_the_classes_does_not_matter() -> None:
    """The same student, its outputs and its labels turned around together."""
    turned = own_teacher()
    head = list(turned.model.parameters())[-2:]
    for parameter in head:
        parameter.data = parameter.data.flip(0)
    turned = replace(turned, label_encoder=LabelEncoder(("yes", "no")), class_names=("yes", "no"))
    found = quickly_compared(teacher_of(), turned, client_frame()).unwrap()
    assert found.agreement == 1.0
    assert found.student.metrics.test_metric_value == found.teacher.metrics.test_metric_value
    assert found.student.metrics.test_loss == pytest.approx(found.teacher.metrics.test_loss)


@pytest.mark.requirement("EC-KD03")
def test_equal_sizes_save_nothing_and_a_smaller_student_the_difference() -> None:
    same = quickly_compared(teacher_of(), teacher_of(), client_frame()).unwrap()
    assert (same.parameters_saved, same.agreement) == (0, 1.0)
    found, saved = compared(), teacher_of().parameter_count - student_of().parameter_count
    assert saved > 0
    assert found.parameters_saved == saved
    assert found.teacher.parameters == teacher_of().parameter_count


def test_bytes_are_those_of_the_file(tmp_path: Path) -> None:
    found = compared()
    for bundle, figures in ((teacher_of(), found.teacher), (student_of(), found.student)):
        save_bundle(bundle, tmp_path / "model.kdtab")
        assert figures.bytes == (tmp_path / "model.kdtab").stat().st_size
    assert found.student.bytes is not None
    assert found.teacher.bytes is not None
    assert found.student.bytes < found.teacher.bytes


def test_speed_is_a_positive_number_of_rows() -> None:
    found = compare_models(teacher_of(), student_of(), client_frame()).unwrap()
    assert (found.teacher.rows_per_second or 0) > 0
    assert (found.student.rows_per_second or 0) > 0


def test_it_becomes_json() -> None:
    plain = compared().to_plain()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert {"rows", "rows_were", "teacher", "student", "agreement", "parameters_saved"} == set(
        plain
    )


@pytest.mark.parametrize(
    ("teacher", "frame", "issue"),
    [
        (teacher_of("regression"), client_frame(), TaskMismatch),
        (teacher_of(), client_frame().drop("bought"), ColumnMissing),
        (teacher_of(), client_frame().with_columns(bought=pl.lit("perhaps")), LabelsUnknown),
        (replace(teacher_of(), label_encoder=None), client_frame(), LabelEncoderMissing),
        (teacher_of(), client_frame().select("bought"), NoModelColumns),
        ("forest", client_frame(), FieldInvalid),
        (lambda rows: [[0.5, 0.5]] * rows.height, client_frame(), TeacherClassesUnclear),
    ],
)
def test_what_cannot_be_compared_is_a_failure(
    teacher: object, frame: pl.DataFrame, issue: type[object]
) -> None:
    assert isinstance(quickly_compared(teacher, student_of(), frame).failure().first, issue)
