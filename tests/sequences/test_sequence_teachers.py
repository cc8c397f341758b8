"""Teachers of time series out of files: known by content, never executed, checked when asked."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import h5py
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from kdtab.config.sequences import SequenceColumns, TrajectoryRequest
from kdtab.data.arrays import Float32Array
from kdtab.disk.trajectories import read_trajectories
from kdtab.errors.issue import explain
from kdtab.errors.sequenceteachers import SequenceTeacherForeign, SeriesUnrecorded, StatesInvalid
from kdtab.errors.sources import TeacherFileBroken
from kdtab.errors.tables import FileMissing
from kdtab.errors.trajectories import TrajectoryFileRefused, TrajectoryShapeInvalid
from kdtab.teachers.sequences import asked_states, sequence_teacher
from kdtab.teachers.trajectories import generate_trajectories
from trajectory_cases import (
    REQUEST,
    LeakyTeacher,
    leaky_states,
    random_series,
    write_source,
    write_trajectories,
)

INPUTS: Float32Array = random_series(6).astype(np.float32)


def graph(
    folder: Path,
    axes: list[int | str],
    *,
    pads: tuple[int, ...] = (0, 1, 0, 0, 0, 0),
    second_input: bool = False,
) -> Path:
    """s_t = the sum of the inputs before t: a running sum behind a step of zeros."""
    nodes = [
        helper.make_node("CumSum", ["x", "axis"], ["sums"]),
        helper.make_node("Pad", ["sums", "pads"], ["states"]),
    ]
    kept = [
        helper.make_tensor("axis", TensorProto.INT64, [], [1]),
        helper.make_tensor("pads", TensorProto.INT64, [6], pads),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, axes)]
    if second_input:
        inputs.append(helper.make_tensor_value_info("y", TensorProto.FLOAT, [1]))
    states = helper.make_tensor_value_info("states", TensorProto.FLOAT, ["n", "s", "d"])
    made = helper.make_graph(nodes, "sums", inputs, [states], kept)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = folder / "teacher.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def running_sums(x: Float32Array) -> Float32Array:
    return np.pad(np.cumsum(x, axis=1, dtype=np.float32), ((0, 0), (1, 0), (0, 0)))


@pytest.mark.parametrize("axes", [["n", "t", 2], [1, "t", 2], ["n", 8, 2], [1, 8, 2]])
def test_a_graph_has_states(tmp_path: Path, axes: list[int | str]) -> None:
    teacher = sequence_teacher(graph(tmp_path, axes)).unwrap()
    assert (teacher.info.input_dim, teacher.info.output_dim) == (2, 2)
    assert teacher.info.steps == (8 if axes[1] == 8 else None)
    assert np.allclose(asked_states(teacher, INPUTS).unwrap(), running_sums(INPUTS), atol=1e-6)


def test_a_graph_is_named_by_its_content(tmp_path: Path) -> None:
    one = sequence_teacher(graph(tmp_path, ["n", "t", 2])).unwrap().info.fingerprint
    assert one == sequence_teacher(graph(tmp_path, ["n", "t", 2])).unwrap().info.fingerprint
    assert one != sequence_teacher(graph(tmp_path, ["n", "t", 3])).unwrap().info.fingerprint


def test_a_graph_teaches_a_file(tmp_path: Path) -> None:
    source = write_source(tmp_path / "s.h5", train=random_series(11))
    teacher = sequence_teacher(graph(tmp_path, ["n", "t", 2])).unwrap()
    generate_trajectories(source, teacher, tmp_path / "d.hdf5", REQUEST).unwrap()
    group = read_trajectories(tmp_path / "d.hdf5").unwrap().groups["train"]
    assert np.allclose(group.labels, running_sums(group.data), atol=1e-5)


def test_a_graph_without_the_first_state_is_refused_with_both_numbers(tmp_path: Path) -> None:
    path = graph(tmp_path, ["n", "t", 2], pads=(0, 0, 0, 0, 0, 0))
    found = sequence_teacher(path).failure().first
    assert isinstance(found, StatesInvalid)
    assert "2 steps give 2 states" in found.reason


@pytest.mark.parametrize(
    ("axes", "second", "reason"),
    [
        (["n", "t", "d"], False, "does not say how many numbers"),
        ([4, "t", 2], False, "fixed at 4"),
        (["n", "t", 2], True, "three axes"),
    ],
)
def test_other_graphs_are_refused(
    tmp_path: Path, axes: list[int | str], second: bool, reason: str
) -> None:
    found = sequence_teacher(graph(tmp_path, axes, second_input=second)).failure().first
    assert isinstance(found, TeacherFileBroken)
    assert reason in found.reason


def test_a_graph_with_numbers_elsewhere_is_refused(tmp_path: Path) -> None:
    path = graph(tmp_path, ["n", "t", 2])
    model = onnx.load_model(str(path))
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    path.write_bytes(model.SerializeToString())
    assert isinstance(sequence_teacher(path).failure().first, TeacherFileBroken)


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02.")
    return stream.getvalue()


@pytest.mark.parametrize("name", ["t.pt", "t.pth", "t.pt2", "t.ckpt", "t.pkl", "t.soen", "t"])
@pytest.mark.parametrize("content", [zipped(), b"\x80\x04K\x01.", b"", b"import os"])
def test_files_that_could_run_code_are_refused_with_the_way_out(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    found = sequence_teacher(path).failure().first
    assert isinstance(found, SequenceTeacherForeign)
    assert "ONNX" in explain(found)
    assert "HDF5" in explain(found)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    assert isinstance(sequence_teacher(tmp_path / "t.pt").failure().first, FileMissing)


def test_recorded_states_are_found_by_their_inputs(tmp_path: Path) -> None:
    path = write_trajectories(tmp_path / "teacher.soen")
    teacher = sequence_teacher(path).unwrap()
    places = np.array([4, 0, 2, 4])
    assert np.array_equal(teacher.states(INPUTS[places]).unwrap(), leaky_states(INPUTS)[places])
    assert teacher.info.input_dim == 2
    assert teacher.info.output_dim == 3


def test_inputs_that_were_not_recorded_are_counted(tmp_path: Path) -> None:
    path = write_trajectories(tmp_path / "t.h5")
    asked = INPUTS.copy()
    asked[[1, 3], 0, 0] += np.float32(1e-6)
    found = sequence_teacher(path).unwrap().states(asked).failure().first
    assert found == SeriesUnrecorded(path=str(path), count=2, asked=6)


def test_recorded_states_of_shorter_series_end_with_them(tmp_path: Path) -> None:
    import polars as pl

    table = tmp_path / "t.parquet"
    pl.DataFrame({"id": [0, 0, 0, 1], "a": range(4), "b": range(4)}).write_parquet(table)
    request = TrajectoryRequest(columns=SequenceColumns(series_column="id"))
    generate_trajectories(table, LeakyTeacher(), tmp_path / "one.hdf5", request).unwrap()
    recorded = sequence_teacher(tmp_path / "one.hdf5").unwrap()
    generate_trajectories(table, recorded, tmp_path / "two.hdf5", request).unwrap()
    one, two = (read_trajectories(tmp_path / name).unwrap() for name in ("one.hdf5", "two.hdf5"))
    assert np.array_equal(one.groups["train"].labels, two.groups["train"].labels)


def test_recorded_states_without_the_first_are_no_teacher(tmp_path: Path) -> None:
    path = tmp_path / "t.h5"
    with h5py.File(path, "w") as file:
        file["train/data"], file["train/labels"] = INPUTS, leaky_states(INPUTS)[:, 1:]
    found = sequence_teacher(path).failure().first
    assert isinstance(found, TrajectoryShapeInvalid)
    assert found.expected.startswith("9 steps long")
    assert read_trajectories(path).unwrap().groups["train"].labels.shape == (6, 8, 3)


def test_a_recorded_teacher_is_read_as_safely_as_any_file(tmp_path: Path) -> None:
    path = write_trajectories(tmp_path / "t.h5")
    with h5py.File(path, "a") as file:
        file["val/data"] = h5py.ExternalLink("other.h5", "/data")
    assert isinstance(sequence_teacher(path).failure().first, TrajectoryFileRefused)


def test_the_teachers_inputs_are_not_changed_by_asking() -> None:
    before = INPUTS.copy()
    asked_states(LeakyTeacher(), INPUTS).unwrap()
    assert np.array_equal(INPUTS, before)
