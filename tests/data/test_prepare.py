"""From a frame to encoded rows and artifacts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from returns.pipeline import is_successful

from kdtab.config.columns import ColumnOptions
from kdtab.config.schema import CategoricalColumn, DateColumn
from kdtab.config.training import Task, TrainingConfig
from kdtab.data.artifacts import Artifacts, encode_features, network_targets
from kdtab.data.prepare import PreparedTable, prepare_table, prepare_with_artifacts
from kdtab.data.scale import Scaler, TargetScaler
from kdtab.data.vectorize import Vectorizer
from kdtab.errors.columns import (
    ColumnMissing,
    NoFeatureColumns,
    TargetEmpty,
    TargetNotNumeric,
    TooFewRows,
)
from kdtab.errors.configs import FieldInvalid, ModeNeedsClassification, TargetExcluded
from kdtab.errors.issue import Issue, explain
from kdtab.errors.teachers import LabelEncoderMissing, LabelsUnknown, NoTeacherColumns

OPTIONS = ColumnOptions()


def table(rows: int = 60) -> pl.DataFrame:
    """Every kind of column, missing cells, a two-valued and a numeric target."""
    at = np.arange(rows)
    return pl.DataFrame(
        {
            "age": [None if n % 13 == 0 else float(20 + n % 40) for n in at],
            "city": [["Bern", "São Paulo", "?", "東京"][n % 4] for n in at],
            "member": [["true", "False", ""][n % 3] for n in at],
            "joined": [f"{1 + n % 28:02d}/12/20{10 + n % 10}" for n in at],
            "row": [f"row {n}" for n in at],
            "y": ["yes" if n % 5 < 2 else "no" for n in at],
            "spent": [1.7e9 + n * 0.25 for n in at],
        }
    )


def prepared(
    frame: pl.DataFrame, options: ColumnOptions = OPTIONS, **config: object
) -> PreparedTable:
    """A prepared table."""
    chosen = TrainingConfig.model_validate({"target_column": "y", **config})
    return prepare_table(frame, chosen, options).unwrap()


def issues(frame: pl.DataFrame, options: ColumnOptions = OPTIONS, **config: object) -> list[Issue]:
    """What is wrong."""
    chosen = TrainingConfig.model_validate({"target_column": "y", **config})
    return list(prepare_table(frame, chosen, options).failure())


def inherited(
    frame: pl.DataFrame,
    artifacts: Artifacts,
    task: Task = "classification",
    options: ColumnOptions = OPTIONS,
    **config: object,
) -> PreparedTable:
    """A table prepared with the artifacts of a teacher."""
    chosen = TrainingConfig.model_validate({"target_column": "y", **config})
    return prepare_with_artifacts(frame, chosen, options, artifacts, task).unwrap()


@pytest.mark.requirement("REQ-T02", "REQ-T06", "AC-T06", "AC-T02")
def test_every_kind_of_column_reaches_the_network() -> None:
    options = ColumnOptions(date_columns=("joined",), exclude_columns=("spent",))
    found = prepared(table(), options)
    assert [(c.name, c.kind) for c in found.schema.features] == [
        ("age", "numeric"),
        ("city", "categorical"),
        ("joined", "date"),
        ("member", "boolean"),
    ]
    assert [c.name for c in found.schema.left_out] == ["row"]
    assert found.training.inputs.shape == (48, 1 + 4 + 14 + 1)
    assert found.training.inputs.dtype == np.float32
    assert found.test.inputs.shape == (12, 20)
    assert found.output_dim == 2
    assert found.training.targets.dtype == np.int64
    assert found.task_reason == "the target has two distinct values"


def test_statistics_come_from_the_training_rows_alone() -> None:
    frame = pl.DataFrame({"x": [float(n) for n in range(50)], "y": ["a", "b"] * 25})
    found = prepared(frame)
    values = frame["x"].to_numpy()[found.split.training]
    assert found.artifacts.scaler.mean[0] == pytest.approx(values.mean())
    assert found.artifacts.scaler.scale[0] == pytest.approx(values.std())
    assert found.artifacts.feature_medians is not None
    assert found.artifacts.feature_medians[0] == np.median(values)


@pytest.mark.requirement("REQ-T15", "AC-T15", "REQ-KD13")
def test_regression_targets_keep_their_units_and_are_scaled_for_the_network() -> None:
    found = prepared(table(), target_column="spent")
    assert found.task == "regression"
    assert found.output_dim == 1
    scaled = network_targets(found.training.targets, found.artifacts).astype(np.float64)
    assert network_targets(found.training.targets, found.artifacts).dtype == np.float32
    assert scaled.shape == (48, 1)
    assert scaled.std() == pytest.approx(1.0, rel=1e-5)
    assert len(np.unique(scaled)) == 48
    scaler = found.artifacts.target_scaler
    assert scaler is not None
    assert scaler.inverse_transform(scaled[:, 0]) == pytest.approx(found.training.targets, abs=1e-4)


def test_class_codes_are_the_networks_targets_as_they_are() -> None:
    found = prepared(table())
    assert network_targets(found.training.targets, found.artifacts) is found.training.targets


def test_rows_without_a_target_are_left_out_and_counted() -> None:
    cells = ["a", "nan", None, "b", "?", "a", "b"]
    frame = pl.DataFrame({"x": range(7), "y": cells})
    found = prepared(frame)
    rows = np.concatenate([found.split.training, found.split.test])
    assert sorted(rows.tolist()) == [0, 3, 5, 6]
    assert found.report.rows_without_target == 3
    assert found.report.notes[0] == "3 of 7 rows have no target and were left out"
    assert found.report.class_counts == (("a", 2), ("b", 2))


def test_a_missing_marker_counts_in_the_target_too() -> None:
    frame = pl.DataFrame({"x": range(6), "y": [-200, 1, 2, 1, 2, -200]})
    found = prepared(frame, ColumnOptions(missing_markers=("-200",)))
    assert found.report.rows_without_target == 2
    assert found.report.class_counts == (("1", 2), ("2", 2))


def test_integral_floats_and_text_are_one_label() -> None:
    frame = pl.DataFrame({"x": range(8), "y": ["1", "1.0", "2", " 2.0"] * 2})
    encoder = prepared(frame).artifacts.label_encoder
    assert encoder is not None
    assert encoder.classes == ("1", "2")


def test_a_class_of_one_row_trains_and_is_reported() -> None:
    frame = pl.DataFrame({"x": range(21), "y": ["a", "b"] * 10 + ["c"]})
    found = prepared(frame)
    assert 20 in found.split.training
    assert found.report.rare_classes == ("c",)
    assert "classes too rare to be tested on: 'c'" in found.report.notes


@pytest.mark.requirement("REQ-T04")
def test_a_task_that_is_given_is_taken() -> None:
    frame = pl.DataFrame({"x": range(9), "y": [0.5, 1.5, 2.5] * 3})
    assert prepared(frame).task == "regression"
    given = prepared(frame, task="classification")
    assert given.report.class_counts == (("0.5", 3), ("1.5", 3), ("2.5", 3))
    assert (
        prepared(pl.DataFrame({"x": range(4), "y": [0, 1, 0, 1]}), task="regression").task
        == "regression"
    )


@pytest.mark.requirement("REQ-T05", "AC-T05")
@pytest.mark.parametrize("mode", ["imbalance_aware", "calibrated_classifier"])
def test_some_modes_need_classification(mode: str) -> None:
    (issue,) = issues(table(), target_column="spent", training_mode=mode)
    assert isinstance(issue, ModeNeedsClassification)
    assert "fraction" in explain(issue)
    assert prepared(table(), training_mode=mode).task == "classification"


@pytest.mark.requirement("REQ-KD08", "REQ-T03")
def test_wrong_columns_are_all_named_at_once_with_near_names() -> None:
    options = ColumnOptions(exclude_columns=("y", "citty"), date_columns=("joind", "y"))
    found = issues(table(), options)
    assert [type(issue) for issue in found] == [
        TargetExcluded,
        ColumnMissing,
        ColumnMissing,
        FieldInvalid,
    ]
    sentences = [explain(issue) for issue in found]
    assert sentences[0] == "target_column cannot be excluded"
    assert sentences[1] == "exclude_columns 'citty' is not in the table. Did you mean 'city'?"
    assert "Did you mean 'joined'?" in sentences[2]


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (pl.DataFrame({"x": [1, 2], "z": [1, 2]}), ColumnMissing),
        (pl.DataFrame({"x": [1, 2], "y": [None, "?"]}), TargetEmpty),
        (pl.DataFrame({"x": [1, 2], "y": [float("nan")] * 2}), TargetEmpty),
        (pl.DataFrame({"x": [1, 2], "y": ["a", None]}), TooFewRows),
        (pl.DataFrame({"x": [], "y": []}), TargetEmpty),
        (pl.DataFrame({"y": ["a", "b"]}), NoFeatureColumns),
        (pl.DataFrame({"x": [None, "?"], "y": ["a", "b"]}), NoFeatureColumns),
    ],
)
def test_a_table_that_cannot_teach_says_why(frame: pl.DataFrame, expected: type) -> None:
    (issue,) = issues(frame)
    assert isinstance(issue, expected)
    assert "\n" not in explain(issue)


def test_regression_on_text_names_the_cell() -> None:
    frame = pl.DataFrame({"x": range(3), "y": ["1", "2", "low"]})
    (issue,) = issues(frame, task="regression")
    assert issue == TargetNotNumeric(target="y", row=3, cell="low")


def test_the_frame_that_was_given_is_not_changed() -> None:
    frame = table()
    before = frame.clone()
    prepared(frame, ColumnOptions(date_columns=("joined",)))
    assert frame.equals(before)


@pytest.mark.requirement("REQ-KD11", "REQ-KD12", "REQ-KD13", "REQ-KD25", "INV-KD03")
def test_a_student_inherits_the_very_objects() -> None:
    teacher = prepared(table()).artifacts
    frame = table().with_columns(pl.col("age") * 100)
    student = inherited(frame, teacher).artifacts
    assert student.vectorizer is teacher.vectorizer
    assert student.scaler is teacher.scaler
    assert student.label_encoder is teacher.label_encoder
    assert student.feature_medians is teacher.feature_medians


@pytest.mark.requirement("REQ-KD26", "AC-KD26")
def test_medians_that_the_teacher_lacks_come_from_this_tables_training_rows() -> None:
    teacher = prepared(table()).artifacts
    bare = replace(teacher, feature_medians=None)
    found = inherited(table().with_columns(pl.col("age") + 1_000), bare)
    medians = found.artifacts.feature_medians
    assert teacher.feature_medians is not None
    assert medians is not None
    moved = medians - teacher.feature_medians
    assert moved[0] == pytest.approx(1_000)
    assert not moved[1:].any()
    assert found.artifacts.vectorizer is teacher.vectorizer
    assert found.artifacts.scaler is teacher.scaler


@pytest.mark.requirement("REQ-KD12", "AC-KD12")
def test_a_classification_teacher_needs_its_label_encoder() -> None:
    teacher = replace(prepared(table()).artifacts, label_encoder=None)
    config = TrainingConfig(target_column="y")
    result = prepare_with_artifacts(table(), config, OPTIONS, teacher, "classification")
    assert result.failure().first == LabelEncoderMissing()


@pytest.mark.requirement("REQ-KD13")
def test_without_a_target_scaler_targets_stay_as_they_are() -> None:
    teacher = replace(prepared(table(), target_column="spent").artifacts, target_scaler=None)
    found = inherited(table(), teacher, "regression", target_column="spent")
    raw = network_targets(found.test.targets, found.artifacts)
    assert raw[:, 0].tolist() == found.test.targets.astype(np.float32).tolist()


def test_labels_that_the_teacher_does_not_know_are_named_and_counted() -> None:
    teacher = prepared(table()).artifacts
    frame = table().with_columns(pl.Series("y", ["yes", "maybe", "no"] * 20))
    config = TrainingConfig(target_column="y")
    issue = (
        prepare_with_artifacts(frame, config, OPTIONS, teacher, "classification").failure().first
    )
    assert issue == LabelsUnknown(labels=("maybe",), rows=20, classes=("no", "yes"))


def test_a_table_without_one_column_of_the_teacher_is_an_error_that_names_them() -> None:
    teacher = prepared(table()).artifacts
    frame = pl.DataFrame({"x": [1, 2], "y": ["yes", "no"]})
    config = TrainingConfig(target_column="y")
    issue = (
        prepare_with_artifacts(frame, config, OPTIONS, teacher, "classification").failure().first
    )
    assert isinstance(issue, NoTeacherColumns)
    assert issue.found == ("x",)
    assert "age" in issue.expected


@pytest.mark.requirement("EC-KD04")
def test_any_other_difference_of_columns_trains_and_is_reported() -> None:
    teacher = prepared(table(), ColumnOptions(date_columns=("joined",))).artifacts
    frame = (
        table()
        .drop("age")
        .with_columns(
            new=pl.lit(1),
            joined=pl.when(pl.col("y") == "yes").then(pl.lit("soon")).otherwise("joined"),
        )
    )
    found = inherited(frame, teacher, options=ColumnOptions(date_columns=("city",)))
    assert found.report.columns_absent == ("age",)
    assert found.report.columns_extra == ("row", "new")
    assert [(cells.column, cells.example) for cells in found.report.unreadable] == [
        ("joined", "soon")
    ]
    notes = "\n".join(found.report.notes)
    assert "the table lacks columns of the teacher, taken as missing: 'age'" in notes
    assert "24 cells of column 'joined' cannot be read" in notes
    assert "does not read these date_columns as dates: 'city'" in notes
    assert np.isfinite(found.training.inputs).all()


def test_a_teacher_of_more_classes_gives_the_split_of_the_table() -> None:
    teacher = prepared(pl.concat([table(), table().with_columns(y=pl.lit("maybe"))])).artifacts
    own = prepared(table())
    np.testing.assert_array_equal(inherited(table(), teacher).split.test, own.split.test)


def test_validation_rows_are_encoded_and_leave_the_test_rows_as_they_are() -> None:
    found = prepared(table(), validation_size=0.25)
    assert found.validation.inputs.shape[0] == len(found.split.validation) == 15
    np.testing.assert_array_equal(found.split.test, prepared(table()).split.test)


def test_encoding_goes_in_chunks_that_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    found = prepared(table(), ColumnOptions(date_columns=("joined",)))
    whole = encode_features(table(), found.artifacts)
    monkeypatch.setattr("kdtab.data.artifacts.CHUNK_CELLS", 7)
    monkeypatch.setattr("kdtab.data.artifacts.FEWEST_CHUNK_ROWS", 7)
    np.testing.assert_array_equal(encode_features(table(), found.artifacts), whole)
    assert whole.flags.c_contiguous
    assert encode_features(table().head(0), found.artifacts).shape == (0, whole.shape[1])


def test_categories_are_never_moved_nor_stretched() -> None:
    artifacts = prepared(table()).artifacts
    flags = artifacts.vectorizer.indicators
    assert any(isinstance(c, CategoricalColumn) for c in artifacts.vectorizer.columns)
    assert (artifacts.scaler.mean[flags] == 0).all()
    assert (artifacts.scaler.scale[flags] == 1).all()


def test_a_bare_set_of_artifacts_encodes_without_medians() -> None:
    column = DateColumn(name="d", reason="", format=None, has_time=False)
    bare = Artifacts(
        Vectorizer((column,), ()),
        Scaler(np.ones(14), np.ones(14), 10.0),
        None,
        None,
        TargetScaler(0, 1),
    )
    assert encode_features(pl.DataFrame({"x": [1]}), bare).tolist() == [[-1.0] * 14]


def test_rows_that_are_identical_but_for_an_excluded_column_stay_together() -> None:
    frame = pl.DataFrame({"x": [n // 2 for n in range(40)], "id": range(40), "y": ["a"] * 40})
    assert prepared(frame).report.identical_share == 0
    found = prepared(frame, ColumnOptions(exclude_columns=("id",)))
    assert found.report.identical_share == 1
    assert {n // 2 for n in found.split.test}.isdisjoint(n // 2 for n in found.split.training)
    assert "100.0% of the rows are identical to another row" in found.report.notes


def test_a_table_of_awkward_names_is_prepared() -> None:
    frame = pl.DataFrame({"": [1, 2, 3, 4], "a\nb": ["🙂", "é", "🙂", "é"], "y": [0, 1, 0, 1]})
    result = prepare_table(frame, TrainingConfig(target_column="y"), OPTIONS)
    assert is_successful(result)
