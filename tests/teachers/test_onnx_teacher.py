"""ONNX files as teachers, run by the real runtime on exports of real converters."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from skl2onnx import to_onnx  # type: ignore[import-untyped]  # has no types
from skl2onnx.common.data_types import (  # type: ignore[import-untyped]  # has no types
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from kdtab.errors.answers import (
    TeacherCallFailed,
    TeacherColumnsAbsent,
    TeacherColumnsUncounted,
)
from kdtab.errors.extras import ExtraMissing
from kdtab.errors.sources import (
    TeacherClassesUnclear,
    TeacherFileBroken,
    TeacherTaskUnclear,
)
from kdtab.errors.tables import PathIsFolder
from kdtab.teachers.hints import TeacherHints
from kdtab.teachers.onnx import OnnxTeacher, onnx_teacher
from kdtab.teachers.rows import pandas_rows

DRAWN = np.random.default_rng(5)
MATRIX = DRAWN.standard_normal((60, 3)).astype(np.float32)
LABELS = np.where(MATRIX[:, 0] + MATRIX[:, 1] > 0, "yes", "no")
FRAME = pl.DataFrame(MATRIX, schema=["a", "b", "c"])
FOREST = RandomForestClassifier(n_estimators=5, random_state=0).fit(MATRIX, LABELS)
LINEAR = LogisticRegression().fit(MATRIX, LABELS)


def saved(folder: Path, model: onnx.ModelProto) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def exported(folder: Path, model: object, **options: object) -> Path:
    return saved(folder, to_onnx(model, MATRIX[:1], **options))


def teacher_of(path: Path, **hints: object) -> OnnxTeacher:
    return onnx_teacher(path, TeacherHints(**hints)).unwrap()  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("model", [FOREST, LINEAR])
def test_an_export_says_what_the_model_says_and_names_its_classes(
    tmp_path: Path, model: RandomForestClassifier | LogisticRegression, zipmap: bool
) -> None:
    path = exported(tmp_path, model, options={"zipmap": zipmap})
    spoken = teacher_of(path).outputs(FRAME).unwrap()
    assert spoken.classes == ("no", "yes")
    np.testing.assert_allclose(spoken.values, model.predict_proba(MATRIX), atol=1e-5)


@settings(max_examples=15)
@given(data=st.data())
def test_outputs_do_not_depend_on_the_batch_nor_on_the_order_of_rows(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    teacher = teacher_of(exported(tmp_path_factory.mktemp("onnx"), FOREST))
    whole = teacher.outputs(FRAME).unwrap().values
    order = np.array(data.draw(st.permutations(range(60))))
    shuffled = teacher.outputs(FRAME[order]).unwrap().values
    np.testing.assert_allclose(shuffled, whole[order], rtol=1e-6)
    start, rows = data.draw(st.integers(0, 59)), data.draw(st.integers(0, 9))
    part = teacher.outputs(FRAME.slice(start, rows)).unwrap().values
    np.testing.assert_allclose(part, whole[start : start + rows], rtol=1e-6)


def test_named_columns_are_taken_in_their_order(tmp_path: Path) -> None:
    path = exported(tmp_path, LINEAR)
    frame = FRAME.select(pl.lit("x").alias("note"), "c", "b", "a")
    spoken = teacher_of(path, columns=("a", "b", "c")).outputs(frame).unwrap()
    np.testing.assert_allclose(spoken.values, LINEAR.predict_proba(MATRIX), atol=1e-5)
    uncounted = teacher_of(path).outputs(frame).failure().first
    assert uncounted == TeacherColumnsUncounted(teacher="ONNX model", expected=3, found=4)
    absent = teacher_of(path, columns=("a", "b", "d")).outputs(frame).failure().first
    assert isinstance(absent, TeacherColumnsAbsent)


def mixed() -> tuple[pl.DataFrame, list[str]]:
    city = ["Ulm", "Bern", "Wien"] * 20
    frame = FRAME.select("a").with_columns(
        pl.Series("home city", city), pl.Series("count", list(range(60)))
    )
    return frame, [str(label) for label in LABELS]


def test_a_pipeline_with_an_input_for_each_column_finds_them_by_name(tmp_path: Path) -> None:
    frame, labels = mixed()
    encoder = make_column_transformer(
        (StandardScaler(), ["a", "count"]), (OneHotEncoder(), ["home city"])
    )
    rows = pandas_rows(frame).unwrap()
    pipeline = make_pipeline(encoder, LogisticRegression()).fit(rows, labels)
    types = [
        ("a", FloatTensorType([None, 1])),
        ("home_city", StringTensorType([None, 1])),
        ("count", Int64TensorType([None, 1])),
    ]
    renamed = rows.rename(columns={"home city": "home_city"})
    encoder = make_column_transformer(
        (StandardScaler(), ["a", "count"]), (OneHotEncoder(), ["home_city"])
    )
    pipeline = make_pipeline(encoder, LogisticRegression()).fit(renamed, labels)
    path = saved(tmp_path, to_onnx(pipeline, initial_types=types))
    teacher = teacher_of(path)
    spoken = teacher.outputs(frame[:, ::-1]).unwrap()
    np.testing.assert_allclose(spoken.values, pipeline.predict_proba(renamed), atol=1e-5)
    holed = frame.with_columns(pl.Series("count", [None, *range(59)]))
    issue = teacher.outputs(holed).failure().first
    assert isinstance(issue, TeacherCallFailed)
    assert "column 'count' has missing cells" in issue.reason


def test_a_regression_is_seen_as_one(tmp_path: Path) -> None:
    model = LinearRegression().fit(MATRIX, MATRIX[:, 0] * 3)
    spoken = teacher_of(exported(tmp_path, model)).outputs(FRAME).unwrap()
    assert spoken.kind == "values"
    np.testing.assert_allclose(spoken.values[:, 0], MATRIX[:, 0] * 3, atol=1e-5)


def product(batch: int | None = None, *, outside: bool = False) -> onnx.ModelProto:
    weights = MATRIX[:3, :2]
    tensor = helper.make_tensor("w", TensorProto.FLOAT, weights.shape, weights.ravel().tolist())
    if outside:
        tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=weights.shape)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="/etc/hostname")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 2])],
        [tensor],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("batch", [None, 1])
def test_a_network_needs_task_classes_and_kind(tmp_path: Path, batch: int | None) -> None:
    path = saved(tmp_path, product(batch))
    assert isinstance(onnx_teacher(path).failure().first, TeacherTaskUnclear)
    unnamed = onnx_teacher(path, TeacherHints(task="classification")).failure().first
    assert isinstance(unnamed, TeacherClassesUnclear)
    spoken = teacher_of(path, classes=("b", "a"), output_kind="logits").outputs(FRAME).unwrap()
    assert (spoken.kind, spoken.classes) == ("logits", ("b", "a"))
    np.testing.assert_allclose(spoken.values, MATRIX @ MATRIX[:3, :2], atol=1e-5)


def test_a_fixed_batch_is_refused(tmp_path: Path) -> None:
    issue = onnx_teacher(saved(tmp_path, product(8))).failure().first
    assert isinstance(issue, TeacherFileBroken)
    assert issue.reason == "its batch size is fixed at 8"


def test_numbers_in_other_files_are_refused_wherever_they_are(tmp_path: Path) -> None:
    model = product(outside=True)
    issue = onnx_teacher(saved(tmp_path, model)).failure().first
    assert isinstance(issue, TeacherFileBroken)
    assert "1 of its tensors in other files" in issue.reason
    hidden = product()
    constant = helper.make_node("Constant", [], ["k"], value=model.graph.initializer[0])
    branch = helper.make_graph([constant], "branch", [], [])
    hidden.graph.node.append(helper.make_node("If", ["c"], ["z"], then_branch=branch))
    assert isinstance(onnx_teacher(saved(tmp_path, hidden)).failure().first, TeacherFileBroken)


@pytest.mark.parametrize("content", [b"", b"no model", b"\x80\x04K\x01.", b"PK\x03\x04" * 9])
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert isinstance(onnx_teacher(path).failure().first, TeacherFileBroken)
    assert onnx_teacher(tmp_path).failure().first == PathIsFolder(path=str(tmp_path))


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_package_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    path = exported(tmp_path, LINEAR)
    monkeypatch.setitem(sys.modules, package, None)
    assert onnx_teacher(path).failure().first == ExtraMissing(extra="onnx", package=package)


def test_nothing_is_drawn_and_the_file_is_the_fingerprint(tmp_path: Path) -> None:
    state = torch.get_rng_state()
    path = exported(tmp_path, LINEAR)
    first, again = teacher_of(path), teacher_of(path)
    assert first.info.fingerprint == again.info.fingerprint
    assert first.info.size_bytes == path.stat().st_size
    assert teacher_of(exported(tmp_path, FOREST)).info.fingerprint != first.info.fingerprint
    assert torch.equal(torch.get_rng_state(), state)
