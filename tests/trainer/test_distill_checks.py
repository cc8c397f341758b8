"""`distill_model_from_file`: what it refuses, with which words, in which order."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from clients import clients, config_for, teacher_of, write_clients, write_rows
from kdtab import serialization, trainer
from kdtab.config.training import TrainingConfig
from kdtab.errors.raised import KdtabError
from kdtab.trainer import distill_model_from_file, save_bundle
from spies import record_calls, record_calls_everywhere, watched_training

NO_TEACHER = "teacher_path or teacher_bundle is required."
BAD_TEMPERATURE = "temperature must be > 0"
BAD_ALPHA = "alpha must be between 0 and 1"
BAD_TASK = "Requested task does not match teacher task."
EXCLUDED = "target_column cannot be excluded"
NO_ENCODER = "Teacher model is missing a label encoder."


def refusal(
    path: Path | str, config: TrainingConfig | None = None, **arguments: object
) -> KdtabError:
    """What a call that must fail raises."""
    with pytest.raises(KdtabError) as caught:
        distill_model_from_file(path, config or config_for(), **arguments)  # type: ignore[arg-type]  # by name
    return caught.value


def names(error: KdtabError) -> list[str]:
    return [type(issue).__name__ for issue in error.issues]


@pytest.mark.requirement("REQ-KD03", "AC-KD03")
def test_without_a_teacher_it_says_so(tmp_path: Path) -> None:
    error = refusal(write_clients(tmp_path))
    assert (type(error), str(error)) == (KdtabError, NO_TEACHER)


@pytest.mark.requirement("REQ-KD04", "AC-KD04")
@pytest.mark.parametrize("temperature", [0, 0.0, -0.0, -1, -1e-300, math.nan, math.inf, -math.inf])
def test_a_temperature_that_is_no_finite_number_above_zero_is_refused(temperature: float) -> None:
    error = refusal("none.csv", teacher_bundle=teacher_of(), temperature=temperature)
    assert (str(error), names(error)) == (BAD_TEMPERATURE, ["TemperatureOutOfRange"])


@pytest.mark.requirement("REQ-KD05", "AC-KD05")
@pytest.mark.parametrize("alpha", [1.5, -0.1, 1 + 1e-9, -1e-300, 2, math.nan, math.inf])
def test_an_alpha_outside_of_zero_and_one_is_refused(alpha: float) -> None:
    error = refusal("none.csv", teacher_bundle=teacher_of(), alpha=alpha)
    assert (str(error), names(error)) == (BAD_ALPHA, ["AlphaOutOfRange"])


@pytest.mark.requirement("REQ-KD04", "REQ-KD05", "EC-KD01", "EC-KD02")
@pytest.mark.parametrize(
    "knobs", [{"temperature": 1e-3}, {"temperature": 50}, {"alpha": 0}, {"alpha": 1}]
)
def test_the_ends_of_the_ranges_run(tmp_path: Path, knobs: Mapping[str, float]) -> None:
    path = write_clients(tmp_path)
    _, metrics = distill_model_from_file(
        path,
        config_for(epochs=2),
        teacher_bundle=teacher_of(),
        **knobs,  # type: ignore[arg-type]  # by name
    )
    assert all(map(math.isfinite, (metrics.train_loss, metrics.test_loss)))


@pytest.mark.requirement("REQ-KD07", "AC-KD07")
@pytest.mark.parametrize(
    ("teacher", "asked"), [("classification", "regression"), ("regression", "classification")]
)
def test_another_task_than_the_teachers_is_refused(teacher: str, asked: str) -> None:
    config = config_for(teacher, task=asked)
    error = refusal("none.csv", config, teacher_bundle=teacher_of(teacher))
    assert (str(error), names(error)) == (BAD_TASK, ["TaskMismatch"])


@pytest.mark.requirement("REQ-KD08", "AC-KD08")
def test_an_excluded_target_is_refused_before_the_file_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = record_calls_everywhere(monkeypatch, "read_table")
    error = refusal("none.csv", teacher_bundle=teacher_of(), exclude_columns=["bought"])
    assert (str(error), opened) == (EXCLUDED, [])


@pytest.mark.requirement("REQ-KD12", "AC-KD12")
def test_a_classification_teacher_without_label_encoder_is_refused(tmp_path: Path) -> None:
    teacher = replace(teacher_of(), label_encoder=None)
    error = refusal(write_clients(tmp_path), teacher_bundle=teacher)
    assert str(error) == NO_ENCODER


@pytest.mark.requirement("REQ-KD12")
def test_a_regression_teacher_needs_no_label_encoder(tmp_path: Path) -> None:
    student, _ = distill_model_from_file(
        write_clients(tmp_path, "regression"),
        config_for("regression"),
        teacher_bundle=teacher_of("regression"),
    )
    assert student.label_encoder is None


@pytest.mark.requirement("REQ-KD03", "REQ-KD04", "REQ-KD05", "REQ-KD07", "REQ-KD08")
def test_the_first_check_of_the_seeds_order_speaks_and_all_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = record_calls_everywhere(monkeypatch, "read_table")
    path = tmp_path / "none.csv"
    wrong: dict[str, object] = {
        "temperature": 0,
        "alpha": 1.5,
        "teacher_bundle": None,
        "exclude_columns": ["bought"],
        "student_hidden_dim": 0,
        "device": "banana",
    }
    mended: list[dict[str, object]] = [
        {},
        {"temperature": 2.0},
        {"alpha": 0.5},
        {"student_hidden_dim": 8},
        {"teacher_bundle": teacher_of()},
        {"exclude_columns": ["price"]},
    ]
    said = []
    for change in mended:
        wrong |= change
        error = refusal(path, config_for(task="regression"), **wrong)
        said.append((str(error).split(" must be greater")[0], names(error)))
    assert said == [
        (BAD_TEMPERATURE, ["TemperatureOutOfRange", "AlphaOutOfRange", "FieldInvalid", "TeacherMissing", "TargetExcluded", "DeviceUnusable"]),
        (BAD_ALPHA, ["AlphaOutOfRange", "FieldInvalid", "TeacherMissing", "TargetExcluded", "DeviceUnusable"]),
        ("student_hidden_dim", ["FieldInvalid", "TeacherMissing", "TargetExcluded", "DeviceUnusable"]),
        (NO_TEACHER, ["TeacherMissing", "TargetExcluded", "DeviceUnusable"]),
        (BAD_TASK, ["TaskMismatch", "TargetExcluded", "DeviceUnusable"]),
        (BAD_TASK, ["TaskMismatch", "DeviceUnusable"]),
    ]  # fmt: skip
    assert opened == []


@pytest.mark.requirement("REQ-KD02", "REQ-KD08")
def test_a_lost_teacher_comes_before_an_excluded_target(tmp_path: Path) -> None:
    lost = tmp_path / "none.kdtab"
    error = refusal("none.csv", teacher_path=lost, exclude_columns=["bought"])
    assert names(error) == ["BundleMissing", "TargetExcluded"]
    assert isinstance(error, FileNotFoundError)
    assert "none.kdtab" in str(error)


@pytest.mark.requirement("REQ-KD02", "REQ-KD04", "REQ-KD05")
@pytest.mark.parametrize("wrong", [{"temperature": 0}, {"alpha": 2}, {"student_hidden_dim": 0}])
def test_bounds_are_checked_before_the_teachers_file_is_opened(
    wrong: Mapping[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = record_calls(monkeypatch, serialization, "load_bundle")
    asked = {"teacher_path": "none.kdtab", "exclude_columns": ["bought"]}
    error = refusal("none.csv", config_for(), **asked, **wrong)
    assert names(error)[1:] == ["TargetExcluded"]
    assert str(error).startswith(next(iter(wrong)))
    assert opened == []


@pytest.mark.requirement("REQ-KD02")
def test_a_corrupt_teacher_is_a_runtime_error(tmp_path: Path) -> None:
    path = tmp_path / "teacher.kdtab"
    save_bundle(teacher_of(), path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert isinstance(refusal("none.csv", teacher_path=path), RuntimeError)


@pytest.mark.requirement("REQ-KD09", "INV-KD04")
@pytest.mark.parametrize(
    "wrong", [{"temperature": 0}, {}, {"teacher_path": "none.kdtab"}, {"alpha": 9.0}]
)
def test_python_numpy_and_torch_are_seeded_before_any_check(
    wrong: Mapping[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    log: list[str] = []
    for owner, name in (
        (random, "seed"),
        (np.random, "seed"),
        (torch, "manual_seed"),
        (trainer, "parse_config"),
        (serialization, "load_bundle"),
    ):
        record_calls(monkeypatch, owner, name, log)
    refusal("none.csv", config_for(random_seed=7), **wrong)
    assert sorted(log[:3]) == ["manual_seed(7)", "seed(7)", "seed(7)"]
    assert "parse_config" in log[3:]


@pytest.mark.requirement("REQ-KD22", "AC-KD22")
def test_batches_of_one_row_are_an_error_before_the_first_epoch(tmp_path: Path) -> None:
    config = config_for(batch_size=1, epochs=10_000)
    with watched_training() as seen:
        error = refusal(write_clients(tmp_path), config, teacher_bundle=teacher_of())
    assert isinstance(error, ValueError)
    assert "update_steps == 0" in str(error)
    assert seen.batch_sizes == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("student_hidden_dim", 0),
        ("student_hidden_dim", -3),
        ("student_num_hidden_layers", 0),
        ("student_dropout", 1.0),
        ("student_dropout", math.nan),
    ],
)
def test_a_student_size_out_of_range_is_an_error_and_no_default(name: str, value: float) -> None:
    error = refusal("none.csv", config_for(), teacher_bundle=teacher_of(), **{name: value})
    assert str(error).startswith(f"{name} must be ")


def test_an_argument_of_another_type_is_a_type_error(tmp_path: Path) -> None:
    path = write_clients(tmp_path)
    error = refusal(path, "bought")  # type: ignore[arg-type]  # what the test is about
    assert isinstance(error, TypeError)
    error = refusal(path, teacher_bundle="teacher.kdtab")
    assert isinstance(error, TypeError)
    assert str(error) == "teacher_bundle must be a ModelBundle, got 'str'"
    error = refusal(path, teacher_bundle=teacher_of(), exclude_columns=3)
    assert str(error) == "exclude_columns must be a list, got '3'"


@pytest.mark.requirement("EC-KD04")
def test_a_table_without_any_column_of_the_teacher_is_an_error_that_names_them(
    tmp_path: Path,
) -> None:
    rows = [{"height": str(at), "bought": "no" if at % 2 else "yes"} for at in range(20)]
    error = refusal(write_rows(tmp_path / "t.csv", rows), teacher_bundle=teacher_of())
    assert names(error) == ["NoTeacherColumns"]
    assert "'age'" in str(error)
    assert "'height'" in str(error)


def test_labels_that_the_teacher_does_not_know_are_an_error_that_names_them(
    tmp_path: Path,
) -> None:
    rows = [
        row | {"bought": "perhaps" if at < 3 else row["bought"]} for at, row in enumerate(clients())
    ]
    error = refusal(write_rows(tmp_path / "t.csv", rows), teacher_bundle=teacher_of())
    assert str(error) == (
        "3 rows have a label that the teacher does not know: 'perhaps'. Its classes: 'no', 'yes'"
    )


def test_a_missing_table_is_a_missing_file(tmp_path: Path) -> None:
    error = refusal(tmp_path / "none.csv", teacher_bundle=teacher_of())
    assert isinstance(error, FileNotFoundError)
