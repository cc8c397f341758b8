"""Where the two specifications leave a choice: what was decided, at the level of files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from openpyxl import Workbook

from clients import (
    DATES,
    Row,
    client_frame,
    clients,
    config_for,
    features_of,
    teacher_of,
    write_clients,
    write_rows,
)
from kdtab.config.training import TrainingConfig
from kdtab.data.prepare import prepare_table
from kdtab.disk.tables import read_table
from kdtab.trainer import distill_model_from_file, predict_rows, train_model_from_file
from spies import weights


def write_workbook(path: Path, sheets: dict[str, Sequence[dict[str, object]]]) -> Path:
    """An Excel file of these sheets."""
    book = Workbook()
    for at, (title, rows) in enumerate(sheets.items()):
        sheet = book.active if at == 0 else book.create_sheet(title)
        sheet.title = title
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append(list(row.values()))
    book.save(path)
    return path


def typed(row: Row) -> dict[str, object]:
    """The cells as a typed file holds them: numbers, truth values, None for a gap."""
    cells: dict[str, object] = {}
    for name, cell in row.items():
        if cell in ("", "?", "n/a"):
            cells[name] = None
        elif name in ("age", "spent", "price"):
            cells[name] = float(cell)
        elif name == "member":
            cells[name] = cell == "True"
        else:
            cells[name] = cell
    return cells


@pytest.mark.requirement("REQ-T02", "REQ-KD10")
@pytest.mark.parametrize("name", ["t.tsv", "t.jsonl", "t.xlsx", "t.parquet"])
def test_every_format_gives_the_same_teacher_and_student(tmp_path: Path, name: str) -> None:
    rows = [typed(row) for row in client_frame().to_dicts()]
    path = tmp_path / name
    if name == "t.xlsx":
        write_workbook(path, {"other": [{"a": 1}], "data": rows})
    elif name == "t.parquet":
        prepared = read_table(write_rows(tmp_path / "t.jsonl", rows)).unwrap()
        prepared.write_parquet(path)
    else:
        write_rows(path, client_frame().to_dicts() if name == "t.tsv" else rows)
    sheet = "data" if name == "t.xlsx" else None
    teacher, _ = train_model_from_file(
        path, config_for(), sheet_name=sheet, date_columns=["joined"], device="cpu"
    )
    assert weights(teacher.model) == weights(teacher_of().model)
    assert teacher.scaler == teacher_of().scaler
    student, _ = distill_model_from_file(
        path, config_for(), teacher_bundle=teacher, sheet_name=sheet, device="cpu"
    )
    expected, _ = distill_model_from_file(
        write_clients(tmp_path), config_for(), teacher_bundle=teacher_of(), device="cpu"
    )
    assert weights(student.model) == weights(expected.model)


def test_a_sheet_of_a_csv_is_an_error(tmp_path: Path) -> None:
    path = write_clients(tmp_path)
    with pytest.raises(ValueError, match="sheet"):
        train_model_from_file(path, config_for(), sheet_name="data")


def test_excel_headers_that_look_like_cells_stay_headers(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"X1": at / 7, "X2": at % 5, "Y": "yes" if at % 2 else "no"} for at in range(20)
    ]
    path = write_workbook(tmp_path / "t.xlsx", {"Sheet": rows})
    bundle, metrics = train_model_from_file(path, TrainingConfig(target_column="Y", epochs=2))
    assert bundle.vectorizer.column_names == ("X1", "X2")
    assert (metrics.training_rows or 0) + (metrics.test_rows or 0) == 20


@pytest.mark.requirement("AC-T02", "REQ-T02")
def test_columns_of_a_date_type_are_found_by_themselves(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"day": date(2020, 1 + at % 12, 1 + at % 28), "y": "yes" if at % 2 else "no"}
        for at in range(40)
    ]
    path = write_workbook(tmp_path / "t.xlsx", {"Sheet": rows})
    bundle, _ = train_model_from_file(path, TrainingConfig(target_column="y", epochs=2))
    assert "day__day_of_week" in bundle.vectorizer.feature_names
    assert "day" not in bundle.vectorizer.feature_names
    assert predict_rows(bundle, [rows[3]]) == predict_rows(bundle, [{"day": "2020-04-04"}])


@pytest.mark.parametrize("marker", ["", "nan", "NaN", "n/a", "?", "null"])
def test_rows_without_a_target_are_left_out_and_counted(tmp_path: Path, marker: str) -> None:
    rows = [row | ({"bought": marker} if at in (3, 50) else {}) for at, row in enumerate(clients())]
    path = write_rows(tmp_path / "t.csv", rows)
    asked = {"exclude_columns": ["price"], "date_columns": ["joined"]}
    teacher, metrics = train_model_from_file(path, config_for(), **asked)  # type: ignore[arg-type]  # by name
    student, distilled = distill_model_from_file(
        path,
        config_for(),
        teacher_bundle=teacher,
        **asked,  # type: ignore[arg-type]  # by name
    )
    for bundle, found in ((teacher, metrics), (student, distilled)):
        assert (found.training_rows or 0) + (found.test_rows or 0) == 78
        assert bundle.class_names == ("no", "yes")
        assert "2 of 80 rows have no target and were left out" in bundle.provenance.notes


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_missing_numeric_target_is_left_out_and_not_a_class(tmp_path: Path, task: str) -> None:
    rows = [row | {"bought": "nan" if at == 4 else str(at % 3)} for at, row in enumerate(clients())]
    path = write_rows(tmp_path / "t.csv", rows)
    bundle, metrics = train_model_from_file(path, config_for(task=task), exclude_columns=["price"])
    assert bundle.class_names == (("0", "1", "2") if task == "classification" else ())
    assert math.isfinite(metrics.train_loss)
    assert bundle.provenance.rows == 79


def test_classes_of_a_single_row_train_and_are_reported(tmp_path: Path) -> None:
    labels = {0: "only one", 1: "lonely", 2: "pair", 3: "pair"}
    rows = [row | {"bought": labels.get(at, row["bought"])} for at, row in enumerate(clients())]
    path = write_rows(tmp_path / "t.csv", rows)
    teacher, _ = train_model_from_file(path, config_for(), exclude_columns=["price"])
    student, _ = distill_model_from_file(
        path, config_for(), teacher_bundle=teacher, exclude_columns=["price"]
    )
    for bundle in (teacher, student):
        assert bundle.class_names == ("lonely", "no", "only one", "pair", "yes")
        assert any("too rare" in note and "'lonely'" in note for note in bundle.provenance.notes)


def test_a_table_of_nothing_but_singleton_classes_trains(tmp_path: Path) -> None:
    rows = [{"x": str(at), "y": f"class {at}"} for at in range(6)]
    bundle, metrics = train_model_from_file(
        write_rows(tmp_path / "t.csv", rows), TrainingConfig(target_column="y", epochs=1)
    )
    assert (metrics.training_rows, metrics.test_rows) == (5, 1)
    assert len(bundle.class_names) == 6


@pytest.mark.requirement("REQ-T15", "REQ-T21", "REQ-KD23")
def test_targets_near_two_thousand_million_keep_their_differences(tmp_path: Path) -> None:
    """float32 counts in steps of 128 there: whatever is not scaled in float64 is lost."""
    rows = [
        {"x": f"{at / 60:.6f}", "when": f"{1.7e9 + 40 * at / 60 + 0.25:.3f}"} for at in range(60)
    ]
    path = write_rows(tmp_path / "t.csv", rows)
    config = TrainingConfig(
        target_column="when", training_mode="linear_glm_baseline", epochs=250, batch_size=16,
        learning_rate=0.05,
    )  # fmt: skip
    teacher, metrics = train_model_from_file(path, config)
    student, distilled = distill_model_from_file(path, config, teacher_bundle=teacher)
    for bundle, found in ((teacher, metrics), (student, distilled)):
        assert found.test_metric_name == "rmse"
        assert found.test_metric_value < 1.0
        low, high = predict_rows(bundle, [{"x": 0.0}, {"x": 0.9}])
        assert float(high) - float(low) == pytest.approx(36, abs=2)
        assert float(low) == pytest.approx(1.7e9 + 0.25, abs=2)


def test_features_near_two_thousand_million_keep_their_differences(tmp_path: Path) -> None:
    rows = [{"at": f"{1.7e9 + at:.1f}", "y": "yes" if at % 80 < 40 else "no"} for at in range(80)]
    bundle, metrics = train_model_from_file(
        write_rows(tmp_path / "t.csv", rows), TrainingConfig(target_column="y", epochs=60)
    )
    assert metrics.test_metric_value > 0.9
    assert predict_rows(bundle, [{"at": 1.7e9 + 1}, {"at": 1.7e9 + 78}]) == ["yes", "no"]


def test_true_as_text_and_as_json_are_one_value(tmp_path: Path) -> None:
    texts = [row | {"member": ("True", "true", "TRUE")[at % 3] if row["member"] == "True" else row["member"]} for at, row in enumerate(client_frame().to_dicts())]  # fmt: skip
    bundle, _ = train_model_from_file(
        write_rows(tmp_path / "t.csv", texts), config_for(), date_columns=["joined"]
    )
    assert bundle.fingerprint == teacher_of().fingerprint


def test_doubled_quotes_survive(tmp_path: Path) -> None:
    rows = [
        {
            "said": 'a "quoted, word"' if at % 2 else "plain",
            "x": str(at),
            "y": "yes" if at % 2 else "no",
        }
        for at in range(40)
    ]
    bundle, _ = train_model_from_file(
        write_rows(tmp_path / "t.csv", rows), TrainingConfig(target_column="y", epochs=1)
    )
    assert 'said = a "quoted, word"' in bundle.vectorizer.feature_names


@pytest.mark.parametrize(
    "wrong",
    [
        {"task": "clustering"},
        {"training_mode": "xgboost"},
        {"test_size": 0.0},
        {"test_size": 1.0},
        {"test_size": math.nan},
        {"epochs": 0},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"learning_rate": math.inf},
        {"hidden_dim": 0},
        {"num_hidden_layers": 0},
        {"dropout": 1.0},
        {"random_seed": -1},
        {"target_column": ""},
        {"temprature": 2.0},
    ],
)
def test_a_config_out_of_range_is_an_error_when_it_is_made(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TrainingConfig.model_validate({"target_column": "y", **wrong})


@pytest.mark.requirement("AC-T13", "REQ-T13")
def test_a_batch_size_of_one_is_a_valid_config() -> None:
    assert TrainingConfig(target_column="y", batch_size=1).batch_size == 1


def test_the_reported_metric_holds_for_rows_with_gaps_and_dates(tmp_path: Path) -> None:
    """One set of medians: held-out rows go the road of `predict_rows`."""
    path = write_clients(tmp_path, "regression")
    config = config_for("regression", test_size=0.5, epochs=10)
    teacher, metrics = train_model_from_file(path, config, date_columns=["joined"])
    student, distilled = distill_model_from_file(path, config, teacher_bundle=teacher)
    split = prepare_table(client_frame("regression"), config, DATES).unwrap().split
    rows = [clients()[at] for at in split.test]
    gaps = [name for row in rows for name, cell in row.items() if cell in ("", "?", "n/a")]
    assert set(gaps) == {"age", "city", "joined", "member"}
    truth = np.array([float(row["price"]) for row in rows])
    for bundle, found in ((teacher, metrics), (student, distilled)):
        said = np.array(predict_rows(bundle, features_of(rows)), dtype=np.float64)
        rmse = float(np.sqrt(np.mean((said - truth) ** 2)))
        assert found.test_metric_value == pytest.approx(rmse, rel=1e-6)
