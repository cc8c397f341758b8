"""The names and signatures that others build on."""

from __future__ import annotations

import ast
import inspect
import pickle
from collections.abc import Callable

import pytest

import kdtab
from kdtab import serialization, trainer
from kdtab.errors import raised
from kdtab.errors.issue import Issues
from kdtab.errors.raised import KdtabError
from kdtab.errors.teachers import TeacherMissing

FACADE = {
    "ColumnOptions",
    "DistillConfig",
    "Issues",
    "KdtabError",
    "Metrics",
    "ModelBundle",
    "ReadOptions",
    "TrainingConfig",
    "compare_models",
    "distill_student",
    "explain",
    "load_bundle",
    "predict_frame",
    "read_table",
    "save_bundle",
    "train_model",
}


def parameters(function: Callable[..., object]) -> list[str]:
    return list(inspect.signature(function).parameters)


def required(function: Callable[..., object]) -> list[str]:
    rules = inspect.signature(function).parameters.values()
    return [rule.name for rule in rules if rule.default is inspect.Parameter.empty]


def test_the_trainer_exports_exactly_what_its_specification_lists() -> None:
    assert sorted(trainer.__all__) == [
        "Metrics",
        "ModelBundle",
        "TrainingConfig",
        "distill_model_from_file",
        "load_bundle",
        "predict_rows",
        "save_bundle",
        "train_model_from_file",
    ]
    assert all(hasattr(trainer, name) for name in trainer.__all__)


@pytest.mark.requirement("REQ-KD24")
def test_distillation_from_a_file_takes_the_arguments_of_its_specification() -> None:
    assert parameters(trainer.distill_model_from_file) == [
        "data_path",
        "cfg",
        "teacher_path",
        "teacher_bundle",
        "sheet_name",
        "exclude_columns",
        "date_columns",
        "device",
        "temperature",
        "alpha",
        "student_hidden_dim",
        "student_num_hidden_layers",
        "student_dropout",
    ]
    assert required(trainer.distill_model_from_file) == ["data_path", "cfg"]


@pytest.mark.requirement("REQ-T16")
def test_training_from_a_file_takes_the_arguments_of_its_specification() -> None:
    assert parameters(trainer.train_model_from_file) == [
        "data_path",
        "cfg",
        "sheet_name",
        "exclude_columns",
        "date_columns",
        "device",
    ]
    assert required(trainer.train_model_from_file) == ["data_path", "cfg"]


def test_prediction_takes_a_bundle_and_rows_and_maybe_a_device() -> None:
    assert parameters(trainer.predict_rows) == ["bundle", "rows", "device"]
    assert required(trainer.predict_rows) == ["bundle", "rows"]


@pytest.mark.requirement("REQ-T22")
def test_loading_takes_a_path_and_maybe_a_device() -> None:
    for load in (trainer.load_bundle, serialization.load_bundle):
        assert parameters(load) == ["path", "map_location"]
        assert required(load) == ["path"]


@pytest.mark.requirement("REQ-T23", "AC-T23")
def test_the_trainer_saves_with_the_very_function_of_serialization() -> None:
    assert trainer.save_bundle is serialization.save_bundle
    assert parameters(trainer.save_bundle) == ["bundle", "path"]


def test_the_seeded_defaults_stay() -> None:
    config = kdtab.TrainingConfig(target_column="y")
    assert (config.task, config.training_mode) == ("auto", "mlp_dense")
    assert (config.test_size, config.random_seed, config.learning_rate) == (0.2, 42, 1e-3)
    assert (config.hidden_dim, config.num_hidden_layers, config.dropout) == (128, 2, 0.1)
    assert (config.epochs, config.batch_size) == (None, None)


def test_metrics_keep_their_five_fields_in_front() -> None:
    assert parameters(kdtab.Metrics)[:5] == [
        "task",
        "train_loss",
        "test_loss",
        "test_metric_name",
        "test_metric_value",
    ]


def test_a_bundle_has_the_fields_that_others_replace() -> None:
    fields = {
        "model",
        "task",
        "vectorizer",
        "scaler",
        "feature_medians",
        "label_encoder",
        "target_scaler",
        "target_column",
        "input_dim",
        "output_dim",
        "class_names",
        "schema",
        "provenance",
    }
    assert fields <= set(parameters(kdtab.ModelBundle))


def test_the_facade_holds_every_promised_name() -> None:
    assert set(kdtab.__all__) >= FACADE


@pytest.mark.parametrize("name", kdtab.__all__)
def test_every_name_of_the_facade_resolves(name: str) -> None:
    assert getattr(kdtab, name) is not None
    assert name in dir(kdtab)


def test_what_the_type_checker_sees_is_what_the_facade_holds() -> None:
    tree = ast.parse(inspect.getsource(kdtab))
    seen = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kdtab.")
        for alias in node.names
    }
    assert seen == set(kdtab.__all__)


def test_an_unknown_name_of_the_facade_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        getattr(kdtab, "no_such_name")  # noqa: B009 - the type checker refuses the plain form


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("MissingFileError", FileNotFoundError),
        ("CorruptBundleError", RuntimeError),
        ("DiskError", OSError),
        ("MissingExtraError", ImportError),
        ("WrongTypeError", TypeError),
    ],
)
def test_every_error_is_a_value_error_and_what_its_world_expects(
    name: str, builtin: type[Exception]
) -> None:
    error = getattr(raised, name)
    assert issubclass(error, KdtabError)
    assert issubclass(error, ValueError)
    assert issubclass(error, builtin)


def test_an_error_carries_its_issues_through_a_process_boundary() -> None:
    error = KdtabError(Issues((TeacherMissing(),)))
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.issues) == (str(error), error.issues)
