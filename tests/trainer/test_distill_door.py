"""`distill_model_from_file`: a run of PT-DISTILL-001, its student and its metrics."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from clients import (
    DATES,
    client_frame,
    clients,
    config_for,
    features_of,
    teacher_of,
    write_clients,
    write_rows,
)
from kdtab import serialization
from kdtab.bundle import Metrics, ModelBundle
from kdtab.data.prepare import EncodedRows, prepare_table
from kdtab.recipes.compare import compare_models
from kdtab.shell import assemble
from kdtab.trainer import distill_model_from_file, predict_rows, save_bundle, train_model_from_file
from spies import (
    record_calls,
    record_calls_everywhere,
    stir_random_states,
    watched_training,
    weights,
)

TRAINING_ROWS = 64


def distil(
    folder: Path,
    teacher: ModelBundle | None = None,
    /,
    *,
    hidden: int | None = None,
    layers: int | None = None,
    dropout: float | None = None,
    alpha: float = 0.5,
    **changes: object,
) -> tuple[ModelBundle, Metrics]:
    """One student of the clients, by default of the shared teacher."""
    chosen = teacher or teacher_of()
    return distill_model_from_file(
        write_clients(folder, chosen.task),
        config_for(chosen.task, **changes),
        teacher_bundle=chosen,
        device="cpu",
        alpha=alpha,
        student_hidden_dim=hidden,
        student_num_hidden_layers=layers,
        student_dropout=dropout,
    )


@pytest.mark.requirement("REQ-KD01", "AC-KD01")
def test_a_teacher_in_memory_is_used_and_no_file_is_read_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = record_calls_everywhere(monkeypatch, "load_bundle")
    reads = record_calls_everywhere(monkeypatch, "read_record")
    student, _ = distill_model_from_file(
        write_clients(tmp_path),
        config_for(),
        teacher_path=tmp_path / "none.kdtab",
        teacher_bundle=teacher_of(),
    )
    assert student.provenance.teacher_fingerprint == teacher_of().fingerprint
    assert (loads, reads) == ([], [])


@pytest.mark.requirement("REQ-KD02", "AC-KD02", "REQ-KD09", "AC-KD09")
def test_a_teacher_in_a_file_is_loaded_by_serialization_and_gives_the_same_student(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = tmp_path / "teacher.kdtab"
    save_bundle(teacher_of(), saved)
    loads = record_calls(monkeypatch, serialization, "load_bundle")
    path = write_clients(tmp_path)
    from_file, metrics = distill_model_from_file(path, config_for(), teacher_path=saved)
    assert loads == ["load_bundle"]
    from_memory, metrics_again = distil(tmp_path)
    assert weights(from_file.model) == weights(from_memory.model)
    assert metrics == metrics_again
    assert from_file.fingerprint == from_memory.fingerprint


@pytest.mark.requirement("REQ-KD06", "AC-KD06", "REQ-KD06a", "AC-KD06a")
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_task_is_the_teachers_and_never_inferred(
    tmp_path: Path, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = teacher_of(task)
    inferred = record_calls_everywhere(monkeypatch, "infer_task")
    student, metrics = distil(tmp_path, teacher, epochs=1, task="auto")
    assert (student.task, metrics.task) == (task, task)
    assert student.output_dim == (2 if task == "classification" else 1)
    assert inferred == []
    train_model_from_file(tmp_path / f"{task}.csv", config_for(task, epochs=1))
    assert inferred == ["infer_task"]


@pytest.mark.requirement("REQ-KD06a", "AC-KD06a")
def test_a_regression_teacher_decides_also_where_the_target_has_two_values(tmp_path: Path) -> None:
    rows = [row | {"price": str(200 + 100 * (at % 2))} for at, row in enumerate(clients())]
    student, metrics = distill_model_from_file(
        write_rows(tmp_path / "t.csv", rows),
        config_for("regression"),
        teacher_bundle=teacher_of("regression"),
    )
    assert (student.task, metrics.test_metric_name) == ("regression", "rmse")


@pytest.mark.requirement("REQ-KD09", "AC-KD09", "INV-KD04")
def test_the_same_seed_gives_the_same_student_whatever_was_drawn_before(tmp_path: Path) -> None:
    stir_random_states(1)
    first, metrics = distil(tmp_path)
    stir_random_states(2)
    again, metrics_again = distil(tmp_path)
    assert weights(first.model) == weights(again.model)
    assert metrics == metrics_again
    other, _ = distil(tmp_path, random_seed=43)
    assert weights(first.model) != weights(other.model)


@pytest.mark.requirement("REQ-KD10")
def test_dates_and_exclusions_are_those_of_training(tmp_path: Path) -> None:
    rows = [row | {"leak": row["bought"]} for row in clients()]
    path = write_rows(tmp_path / "t.csv", rows)
    asked = {"exclude_columns": ["leak", "price"], "date_columns": ["joined"]}
    teacher, _ = train_model_from_file(path, config_for(), **asked)  # type: ignore[arg-type]  # by name
    with watched_training() as seen:
        student, _ = distill_model_from_file(
            path,
            config_for(epochs=1),
            teacher_bundle=teacher,
            **asked,  # type: ignore[arg-type]  # by name
        )
    prepared = prepare_table(client_frame(), config_for(), DATES).unwrap()
    rows_seen = sorted(map(tuple, torch.cat(seen.inputs).tolist()))
    assert rows_seen == sorted(map(tuple, prepared.training.inputs.tolist()))
    assert "joined__year" in student.vectorizer.feature_names
    assert student.provenance.notes == ()


@pytest.mark.requirement("REQ-KD10")
def test_the_teachers_dates_are_known_without_being_named(tmp_path: Path) -> None:
    path = write_clients(tmp_path)
    named, _ = distill_model_from_file(
        path, config_for(), teacher_bundle=teacher_of(), date_columns=["joined"]
    )
    unnamed, _ = distil(tmp_path)
    assert weights(named.model) == weights(unnamed.model)


@pytest.mark.requirement("REQ-KD14", "AC-KD14")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_split_is_stratified(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[EncodedRows] = []
    measure = assemble.measure_bundle

    def on_measure(bundle: ModelBundle, rows: EncodedRows) -> Metrics:
        measured.append(rows)
        return measure(bundle, rows)

    monkeypatch.setattr(assemble, "measure_bundle", on_measure)
    rows = [row | {"bought": "yes" if at % 10 == 0 else "no"} for at, row in enumerate(clients())]
    distill_model_from_file(
        write_rows(tmp_path / "t.csv", rows),
        config_for(epochs=1, random_seed=seed, test_size=0.25),
        teacher_bundle=teacher_of(),
    )
    assert np.bincount(measured[0].targets.astype(np.int64)).tolist() == [18, 2]


@pytest.mark.requirement("REQ-KD14")
def test_a_single_label_is_not_stratified_and_trains(tmp_path: Path) -> None:
    rows = [row | {"bought": "yes"} for row in clients(30)]
    _, metrics = distill_model_from_file(
        write_rows(tmp_path / "t.csv", rows), config_for(), teacher_bundle=teacher_of()
    )
    assert metrics.test_rows == 6


@pytest.mark.requirement("REQ-KD20")
def test_the_optimizer_is_adam_with_the_seeds_weight_decay(tmp_path: Path) -> None:
    with watched_training() as seen:
        student, _ = distil(tmp_path, learning_rate=0.0123)
    adam = seen.optimizers[0]
    assert (adam.learning_rate, adam.weight_decay, adam.decoupled) == (0.0123, 1e-4, False)
    learnt = {parameter.data_ptr() for parameter in student.model.parameters()}
    assert {parameter.data_ptr() for parameter in adam.tensors} == learnt


@pytest.mark.requirement("REQ-KD21", "AC-KD21")
def test_a_tail_of_one_row_is_skipped(tmp_path: Path) -> None:
    with watched_training() as seen:
        student, _ = distil(tmp_path, epochs=2, batch_size=9)
    assert TRAINING_ROWS % 9 == 1
    assert seen.batch_sizes == [9] * 14
    assert len(seen.optimizers) == len(seen.losses) == student.provenance.update_steps == 14


@pytest.mark.requirement("REQ-KD23")
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_metric_is_what_predict_rows_gives_on_the_held_out_rows(
    tmp_path: Path, task: str
) -> None:
    student, metrics = distil(tmp_path, teacher_of(task), epochs=30, learning_rate=0.02)
    split = prepare_table(client_frame(task), config_for(task), DATES).unwrap().split
    rows = [clients()[at] for at in split.test]
    said = predict_rows(student, features_of(rows))
    if task == "classification":
        right = [label == row["bought"] for label, row in zip(said, rows, strict=True)]
        assert (metrics.test_metric_name, metrics.test_metric_value) == ("accuracy", np.mean(right))
        return
    truth = np.array([float(row["price"]) for row in rows])
    rmse = float(np.sqrt(np.mean((np.array(said, dtype=np.float64) - truth) ** 2)))
    assert metrics.test_metric_name == "rmse"
    assert metrics.test_metric_value == pytest.approx(rmse, rel=1e-6)
    assert rmse > 1.0


@pytest.mark.requirement("REQ-KD24", "AC-KD24", "INV-KD02")
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_result_is_a_bundle_in_eval_mode_and_metrics(tmp_path: Path, task: str) -> None:
    result = distil(tmp_path, teacher_of(task))
    assert type(result) is tuple
    student, metrics = result
    assert isinstance(student, ModelBundle)
    assert isinstance(metrics, Metrics)
    assert not any(module.training for module in student.model.modules())
    assert student.model is not teacher_of(task).model
    assert (metrics.training_rows, metrics.epochs, metrics.update_steps) == (64, 3, 12)


@pytest.mark.requirement("EC-KD03")
def test_a_student_of_its_teachers_size_trains_saves_nothing_and_says_so(tmp_path: Path) -> None:
    student, metrics = distil(tmp_path, hidden=16, layers=2, dropout=0.1)
    assert student.parameter_count == teacher_of().parameter_count
    assert math.isfinite(metrics.test_loss)
    compared = compare_models(teacher_of(), student, client_frame()).unwrap()
    assert compared.parameters_saved == 0
    count = f"{student.parameter_count:,}"
    assert student.provenance.notes == (
        f"the student is not smaller than its teacher: {count} and {count} parameters",
    )


@pytest.mark.requirement("EC-KD04")
def test_another_schema_trains_with_the_teachers_vectorizer_and_is_reported(tmp_path: Path) -> None:
    rows = [
        {name: cell for name, cell in row.items() if name not in ("city", "price")}
        | {"height": "180", "age": "old" if at == 4 else row["age"]}
        for at, row in enumerate(clients())
    ]
    student, metrics = distill_model_from_file(
        write_rows(tmp_path / "t.csv", rows), config_for(), teacher_bundle=teacher_of()
    )
    assert student.vectorizer is teacher_of().vectorizer
    assert math.isfinite(metrics.test_loss)
    notes = " | ".join(student.provenance.notes)
    assert "lacks columns of the teacher, taken as missing: 'city'" in notes
    assert "does not use these columns: 'height'" in notes
    assert "column 'age' cannot be read" in notes
