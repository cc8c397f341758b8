"""Models saved with skops as teachers."""

from __future__ import annotations

import sys
from pathlib import Path

import lightgbm
import numpy as np
import polars as pl
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from kdtab.errors.extras import ExtraMissing
from kdtab.errors.sources import SkopsTypesUntrusted, TeacherFileBroken
from kdtab.errors.tables import FileMissing
from kdtab.teachers.hints import TeacherHints
from kdtab.teachers.skops import skops_teacher

FRAME = pl.DataFrame({"x": [float(number) for number in range(40)]})
LABELS = ["no"] * 20 + ["yes"] * 20


def saved(folder: Path, model: object) -> Path:
    path = folder / "model.skops"
    path.write_bytes(skops.io.dumps(model))
    return path


def test_a_model_of_known_types_teaches_as_in_memory(tmp_path: Path) -> None:
    model = LogisticRegression().fit(FRAME, LABELS)
    path = saved(tmp_path, model)
    teacher = skops_teacher(path).unwrap()
    spoken = teacher.outputs(FRAME).unwrap()
    np.testing.assert_array_equal(spoken.values, model.predict_proba(FRAME))
    assert teacher.info.classes == ("no", "yes")
    assert teacher.info.size_bytes == path.stat().st_size
    assert teacher.info.fingerprint == skops_teacher(path).unwrap().info.fingerprint


def test_types_that_nobody_trusts_are_listed_and_never_built(tmp_path: Path) -> None:
    model = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(
        FRAME.to_numpy(), np.array(LABELS)
    )
    path = saved(tmp_path, model)
    types = ("collections.OrderedDict", "lightgbm.basic.Booster", "lightgbm.sklearn.LGBMClassifier")
    assert skops_teacher(path).failure().first == SkopsTypesUntrusted(path=str(path), types=types)
    some = TeacherHints(trusted=types[:1])
    assert skops_teacher(path, some).failure().first == SkopsTypesUntrusted(
        path=str(path), types=types[1:]
    )
    teacher = skops_teacher(path, TeacherHints(trusted=types)).unwrap()
    spoken = teacher.outputs(FRAME).unwrap().values
    np.testing.assert_allclose(spoken, np.asarray(model.predict_proba(FRAME.to_numpy())))


@pytest.mark.parametrize("kept", [0, 3, 200, -30])
def test_a_damaged_file_is_refused(tmp_path: Path, kept: int) -> None:
    path = saved(tmp_path, LogisticRegression())
    path.write_bytes(path.read_bytes()[:kept])
    assert isinstance(skops_teacher(path).failure().first, TeacherFileBroken)


def test_a_pickle_by_another_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    path.write_bytes(b"\x80\x04cos\nsystem\n.")
    assert isinstance(skops_teacher(path).failure().first, TeacherFileBroken)


def test_a_missing_file_comes_before_a_missing_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, LogisticRegression())
    monkeypatch.setitem(sys.modules, "skops.io", None)
    assert skops_teacher(path).failure().first == ExtraMissing(extra="skops", package="skops")
    assert isinstance(skops_teacher(tmp_path / "none.skops").failure().first, FileMissing)
