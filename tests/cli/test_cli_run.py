"""`kdtab run`: seed 001's config, as its reader types it."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from cli.conftest import kdtab
from kdtab.cli.main import main
from kdtab.sequence_models import load_sequence_model, save_sequence_model, sequence_model
from kdtab.trajectories import validate_distillation_dataset

LINE = "Paradigm 'distillation' detected: loading labels as float32\n"
CONFIG = """\
model:
  backend: {backend}  # or torch
  model_path: student_model.soen

data:
  data_path: source_data.hdf5
  target_seq_len: 10
  min_scale: -1.0
  max_scale: 1.0

training:
  paradigm: distillation
  max_epochs: 4
  batch_size: 8

  distillation:
    teacher_model_path: teacher.soen
    subset_fraction: 1.0  # Use 100% of data
    max_samples: null     # No limit
    batch_size: 8         # Batch size for teacher inference
"""
NEW_STUDENT = """\
model:
  input_dim: 4
  layers:
    - {{type: GRU, dim: 3}}
    - {{type: BasicLayer, dim: {outputs}}}
{data}
training:
  max_epochs: 2
  distillation:
    {lesson}
"""
REUSED = "distillation_data_path: runs/distillation_config/distillation_data.hdf5"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source, a teacher and a student, and the run of seed 001's quick start."""
    place = tmp_path_factory.mktemp("run")
    rng = np.random.default_rng(0)
    with h5py.File(place / "source_data.hdf5", "w") as file:
        for name, series in (("train", 24), ("val", 8)):
            walk = np.cumsum(rng.normal(size=(series, 15, 4)), 1)
            file.create_group(name).create_dataset("data", data=walk.astype("<f4"))
    dendrites = [{"type": "SingleDendrite", "dim": dim} for dim in (4, 9, 2)]
    save_sequence_model(sequence_model(dendrites, random_seed=1), place / "teacher.soen")
    dense = [{"type": "BasicLayer", "dim": dim} for dim in (4, 2)]
    save_sequence_model(sequence_model(dense, random_seed=2), place / "student_model.soen")
    for name, backend in (("distillation_config", "torch"), ("in_jax", "jax")):
        (place / f"{name}.yaml").write_text(CONFIG.format(backend=backend), encoding="utf-8")
    ended = kdtab("run", "distillation_config.yaml", folder=place)
    assert ended.code == 0, ended.err
    assert ended.err.startswith(LINE)
    assert "distillation_data.hdf5 (generated)" in ended.out
    return place


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


def test_the_quick_start_leaves_trajectories_student_metrics_and_a_picture(folder: Path) -> None:
    run = folder / "runs" / "distillation_config"
    assert sorted(path.name for path in run.iterdir()) == [
        "distillation_data.hdf5",
        "metrics.json",
        "student.kdtab",
        "trajectories.png",
    ]
    with h5py.File(run / "distillation_data.hdf5") as file:
        assert file["train/data"].shape == (24, 10, 4)
        assert file["train/labels"].shape == (24, 11, 2)
        assert file["val/labels"].dtype == np.float32
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    assert metrics["trajectory_errors"]["val"]["series"] == 8
    assert len(metrics["history"]) == 4
    assert (run / "trajectories.png").read_bytes()[1:4] == b"PNG"
    student = load_sequence_model(run / "student.kdtab")
    assert student.fingerprint == metrics["fingerprint"]
    assert student.provenance.teacher_fingerprint == metrics["teacher_fingerprint"]
    assert student.fingerprint != load_sequence_model(folder / "student_model.soen").fingerprint


def test_inspect_says_what_a_student_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(folder / "runs/distillation_config/student.kdtab")]) == 0
    said = capsys.readouterr().out
    assert "4 inputs, BasicLayer 4, BasicLayer 2" in said
    assert "distillation" in said


def test_jax_comes_to_the_same_student_and_to_the_same_inputs(folder: Path) -> None:
    ended = kdtab("run", "in_jax.yaml", "--json", folder=folder)
    found = json.loads(ended.out)
    here = json.loads((folder / "runs/distillation_config/metrics.json").read_text("utf-8"))
    assert (found["backend"], here["backend"]) == ("jax", "torch")
    error, other = (one["trajectory_errors"]["val"]["mse"] for one in (found, here))
    assert error == pytest.approx(other, rel=1e-3)
    files = [
        folder / "runs" / name / "distillation_data.hdf5"
        for name in ("in_jax", "distillation_config")
    ]
    with h5py.File(files[0]) as one, h5py.File(files[1]) as two:
        np.testing.assert_array_equal(one["train/data"][:], two["train/data"][:])
        np.testing.assert_allclose(one["train/labels"][:], two["train/labels"][:], atol=1e-5)


def test_trajectories_that_are_there_teach_other_students(folder: Path) -> None:
    text = NEW_STUDENT.format(outputs=2, data="", lesson=REUSED)
    name = written(folder, "student_v1.yaml", text)
    before = (folder / "runs/distillation_config/distillation_data.hdf5").read_bytes()
    ended = kdtab("run", name, "--log-dir", "v1", "--quiet", folder=folder)
    assert (ended.code, ended.err) == (0, "")
    assert "(reused: no teacher was asked)" in ended.out
    assert (folder / "v1" / "student.kdtab").exists()
    assert not (folder / "v1" / "distillation_data.hdf5").exists()
    assert (folder / "runs/distillation_config/distillation_data.hdf5").read_bytes() == before


def test_a_config_that_asks_for_something_else_names_what_differs(folder: Path) -> None:
    text = NEW_STUDENT.format(outputs=2, data="", lesson=f"{REUSED}\n    subset_fraction: 0.5")
    ended = kdtab("run", written(folder, "other.yaml", text), folder=folder)
    assert ended.code == 4
    assert "(subset_fraction is '1.0' there and '0.5' here)" in ended.err


def test_a_config_without_a_student_only_generates(folder: Path) -> None:
    text = "data: {data_path: source_data.hdf5}\ntraining: {distillation: {teacher_model_path: teacher.soen, max_samples: 5}}\n"
    ended = kdtab("run", written(folder, "gen_trajectories.yaml", text), folder=folder)
    assert ended.code == 0
    assert "so none was trained" in ended.err
    report = validate_distillation_dataset(folder / "runs/gen_trajectories/distillation_data.hdf5")
    assert not report.issues


def test_dimensions_that_differ_end_the_run_before_a_state_is_asked_for(folder: Path) -> None:
    text = NEW_STUDENT.format(
        outputs=7,
        data="data: {data_path: source_data.hdf5}",
        lesson="teacher_model_path: teacher.soen",
    ).replace("input_dim: 4\n  ", "")
    ended = kdtab("run", written(folder, "mismatch.yaml", text), folder=folder)
    assert ended.code == 2
    assert ended.err.splitlines()[1:] == [
        "error: the teacher has 4 inputs at a step and the student (by its first layer: set "
        "model.input_dim) has 3: they must be the same",
        "error: the teacher has 2 outputs at a step and the student has 7: they must be the same",
    ]
    assert not (folder / "runs" / "mismatch").exists()


def test_a_device_that_is_not_there_ends_the_run_before_a_state_is_asked_for(folder: Path) -> None:
    text = CONFIG.format(backend="torch").replace("model:", "model:\n  device: warp")
    ended = kdtab("run", written(folder, "on_warp.yaml", text), folder=folder)
    assert ended.code == 2
    assert "device 'warp' cannot be used" in ended.err
    assert not (folder / "runs/on_warp").exists()


def test_a_table_becomes_sequences_with_a_series_a_time_and_a_window(folder: Path) -> None:
    lines = ["machine,hour,a,b,c,d"]
    rng = np.random.default_rng(1)
    for machine in range(6):
        for hour in range(12):
            cells = ",".join(f"{cell:.4f}" for cell in rng.normal(size=4))
            lines.append(f"m{machine},2024-01-01 {hour:02d}:00,{cells}")
    (folder / "machines.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    data = (
        "data:\n  data_path: machines.csv\n  columns: {series_column: machine, time_column: hour, "
        "window: 6, validation_size: 0.2}"
    )
    text = NEW_STUDENT.format(outputs=2, data=data, lesson="teacher_model_path: teacher.soen")
    ended = kdtab("run", written(folder, "table.yaml", text), "--json", folder=folder)
    assert ended.code == 0, ended.err
    errors = json.loads(ended.out)["trajectory_errors"]
    assert {name: error["series"] for name, error in errors.items()} == {"train": 10, "val": 2}


def test_every_mistake_of_a_config_is_named_at_once(folder: Path) -> None:
    text = (
        "model: {backend: keras, layers: [{type: Dendrite, dim: 3}]}\n"
        "data: {data_path: source_data.hdf5, min_scale: 1.0}\n"
        "training:\n  max_epoch: 3\n  time_pooling: ewma\n"
        "  distillation: {subset_fraction: 0.0, max_samples: 0}\nlogdir: x\n"
    )
    ended = kdtab("run", written(folder, "wrong.yaml", text), folder=folder)
    assert ended.code == 2
    said = ended.err
    for sentence in (
        "unknown field 'logdir'. Did you mean 'log_dir'?",
        "model.backend must be 'torch' or 'jax', got 'keras'",
        "layers.0.type must be one of SingleDendrite, BasicLayer, GRU, LSTM, got 'Dendrite'",
        "unknown field 'training.max_epoch'",
        "training.time_pooling must be one of none, max,",
        "training.distillation.subset_fraction must be greater than 0",
        "training.distillation.max_samples must be greater than or equal to 1",
    ):
        assert sentence in said


@pytest.mark.parametrize(
    ("text", "code", "sentence"),
    [
        ("training: {distillation: {}}", 2, "teacher_model_path or distillation_data_path must be provided"),
        ("training: {distillation: {distillation_data_path: no.hdf5}}", 2, "no distillation data at 'no.hdf5', and no teacher_model_path"),
        ("training: {distillation: {teacher_model_path: teacher.soen}}", 2, "data.data_path is needed to generate trajectories"),
        ("training: {}", 2, "training.distillation is required"),
        ("training: 3", 2, "training must be a section"),
        ("target_column: y", 2, "kdtab train TABLE --config"),
        ("model: {model_path: no.soen}\ntraining: {distillation: {distillation_data_path: no.hdf5}}", 4, "no bundle at 'no.soen'"),
        ("data: {data_path: source_data.hdf5}\ntraining: {distillation: {teacher_model_path: weights.pth}}", 4, "export the teacher as ONNX"),
        ("training: {distilation: {teacher_model_path: t}}", 2, "unknown field 'training.distilation'. Did you mean 'distillation'?"),
        ("model: {layer: []}\ntraining: {distillation: {teacher_model_path: t}}", 2, "unknown field 'model.layer'. Did you mean 'layers'?"),
        ("data: {column: {}}\ntraining: {distillation: {teacher_model_path: t}}", 2, "unknown field 'data.column'. Did you mean 'columns'?"),
        ("model: {layers: [{type: BasicLayer}]}\ntraining: {distillation: {teacher_model_path: t}}", 2, "error: model.layers.0.dim is required\n"),
        ("model: {input_dim: 4}\ntraining: {distillation: {distillation_data_path: t}}", 2, "model.layers is required"),
        ("data: {data_path: 5}\ntraining: {distillation: {teacher_model_path: t}}", 2, "error: data.data_path must be a path, got '5'\n"),
        ("log_dir: [a]\ntraining: {distillation: {distillation_data_path: t}}", 2, "error: log_dir must be a path, got"),
        ("data: {data_path: source_data.hdf5, max_scale: 1.0}\ntraining: {distillation: {teacher_model_path: teacher.soen}}", 2, "data.max_scale stands without min_scale"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_that_says_what_to_do(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str,
    code: int,
    sentence: str,
) -> None:
    (folder / "weights.pth").write_bytes(b"\x80\x02}q\x00.")
    monkeypatch.chdir(folder)
    assert main(["run", written(folder, "mistake.yaml", text)]) == code
    assert sentence in capsys.readouterr().err
