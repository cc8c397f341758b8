"""Whatever a user calls a teacher."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import skops.io
import torch
from sklearn.linear_model import LinearRegression, LogisticRegression

from clients import client_frame, teacher_of
from kdtab.bundle import ModelBundle
from kdtab.disk.localfiles import check_local_file
from kdtab.errors.bundles import BundleForeign, BundleMissing
from kdtab.errors.issue import Issues, explain
from kdtab.errors.labels import LabelsAbsent
from kdtab.errors.raised import WrongTypeError, raise_issues
from kdtab.errors.sources import (
    EnsembleWeightsInvalid,
    TeacherFileForeign,
    TeacherNameUnknown,
    TeacherNotUnderstood,
    TeacherTaskOther,
    TeacherTaskUnclear,
)
from kdtab.errors.tables import FileMissing
from kdtab.errors.teachers import TaskMismatch
from kdtab.serialization import save_bundle
from kdtab.teachers.ensemble import EnsembleTeacher
from kdtab.teachers.estimator import EstimatorTeacher
from kdtab.teachers.function import FunctionTeacher
from kdtab.teachers.network import NetworkTeacher
from kdtab.teachers.recorded import RecordedTeacher
from kdtab.teachers.resolve import resolve_teacher

SCORES = pl.DataFrame({"id": [1, 2], "prediction": [0.5, 1.5]})


def linear() -> LinearRegression:
    return LinearRegression().fit(pl.DataFrame({"x": [0.0, 1.0]}), [1.0, 3.0])


def test_each_object_becomes_its_teacher() -> None:
    expected = {
        NetworkTeacher: teacher_of(),
        EstimatorTeacher: linear(),
        RecordedTeacher: SCORES,
    }
    for kind, given in expected.items():
        assert type(resolve_teacher(given).unwrap()) is kind
    function = resolve_teacher(lambda frame: frame["x"], task="regression").unwrap()
    assert isinstance(function, FunctionTeacher)


def test_a_teacher_stays_itself() -> None:
    teacher = NetworkTeacher(teacher_of())
    assert resolve_teacher(teacher).unwrap() is teacher


def test_each_file_becomes_its_teacher(tmp_path: Path) -> None:
    bundle = teacher_of()
    for name in ("student.kdtab", "no suffix"):
        save_bundle(bundle, tmp_path / name)
        found = resolve_teacher(tmp_path / name).unwrap()
        assert found.info.fingerprint == bundle.fingerprint
    SCORES.write_parquet(tmp_path / "scores.parquet")
    SCORES.write_csv(tmp_path / "scores.csv")
    (tmp_path / "model.skops").write_bytes(skops.io.dumps(linear()))
    for name in ("scores.parquet", "scores.csv", "model.skops"):
        assert resolve_teacher(str(tmp_path / name)).unwrap().info.task == "regression"


def test_pairs_become_an_ensemble() -> None:
    frame = pl.DataFrame({"x": [1.0], "id": [2]})
    for members in (
        [(linear(), 3), (SCORES, 1)],
        {linear(): 3, resolve_teacher(SCORES).unwrap(): 1},
    ):
        found = resolve_teacher(members).unwrap()
        assert isinstance(found, EnsembleTeacher)
        np.testing.assert_allclose(found.outputs(frame).unwrap().values, [[0.75 * 3 + 0.25 * 1.5]])


def test_every_member_that_is_none_is_named() -> None:
    issues = resolve_teacher([(1, 1.0), ("forrest", 1.0), (linear(), 1.0)]).failure()
    assert [type(issue) for issue in issues] == [TeacherNotUnderstood, TeacherNameUnknown]
    assert isinstance(resolve_teacher([]).failure().first, EnsembleWeightsInvalid)
    assert isinstance(resolve_teacher([linear()]).failure().first, TeacherNotUnderstood)


@pytest.mark.parametrize("name", ["forest", "forrest", "nothing at all"])
def test_a_name_is_no_teacher_yet(name: str) -> None:
    issue = resolve_teacher(name).failure().first
    assert isinstance(issue, TeacherNameUnknown)
    sentence = explain(issue)
    assert ("Did you mean 'forest'?" in sentence) == (name == "forrest")
    assert ("fits on a table" in sentence) == (name == "forest")


@pytest.mark.parametrize("suffix", ["pkl", "pickle", "joblib", "sav", "pt"])
def test_a_file_that_could_run_code_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model.{suffix}"
    assert isinstance(resolve_teacher(path).failure().first, FileMissing)
    path.write_bytes(b"\x80\x04cos\nsystem\n.")
    issue = resolve_teacher(path).failure().first
    assert isinstance(issue, TeacherFileForeign)
    assert "skops" in explain(issue)


def test_other_files_say_what_they_are(tmp_path: Path) -> None:
    assert isinstance(resolve_teacher(tmp_path / "no.kdtab").failure().first, BundleMissing)
    assert isinstance(resolve_teacher(tmp_path).failure().first, LabelsAbsent)
    (tmp_path / "model.bin").write_bytes(b"\x80\x04cos\nsystem\n.")
    issue = resolve_teacher(tmp_path / "model.bin").failure().first
    assert isinstance(issue, BundleForeign)
    assert check_local_file(tmp_path / "model.bin").unwrap() == str(tmp_path / "model.bin")


@pytest.mark.parametrize(
    "given", [None, 3, b"path", np.zeros(3), torch.nn.Linear(1, 1), LogisticRegression, ModelBundle]
)
def test_what_scores_no_rows_is_refused_as_a_wrong_type(given: object) -> None:
    issue = resolve_teacher(given).failure().first
    assert isinstance(issue, TeacherNotUnderstood)
    with pytest.raises(WrongTypeError):
        raise_issues(Issues((issue,)))


def test_another_task_than_asked_for_is_refused() -> None:
    issue = resolve_teacher(teacher_of(), task="regression").failure().first
    assert issue == TaskMismatch(requested="regression", teacher="classification")
    own = resolve_teacher(linear(), task="classification").failure().first
    assert isinstance(own, TeacherTaskOther)
    assert isinstance(resolve_teacher(len).failure().first, TeacherTaskUnclear)


def test_the_same_rows_are_heard_through_every_road() -> None:
    frame = client_frame()
    direct = NetworkTeacher(teacher_of()).outputs(frame).unwrap()
    through = resolve_teacher([(teacher_of(), 2.0)]).unwrap().outputs(frame).unwrap()
    np.testing.assert_array_equal(direct.values, through.values)
