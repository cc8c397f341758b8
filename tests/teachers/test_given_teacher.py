"""Teachers that are asked as they are: what may be passed, and which rows of the table are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from kdtab.config.columns import ColumnOptions
from kdtab.config.labels import LabelOptions
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.disk.labels import read_labels
from kdtab.errors.labels import RowsChanged, RowsUnlabelled
from kdtab.errors.sources import TeacherNotUnderstood
from kdtab.recipes.distill import distill_student
from kdtab.recipes.label import label_table
from kdtab.teachers.resolve import resolve_teacher

CONFIG = TrainingConfig(target_column="y", epochs=1)
GIVEN = LabelConfig(gate=False)


def numbered(rows: int = 60) -> pl.DataFrame:
    x = np.random.default_rng(0).normal(size=rows)
    return pl.DataFrame({"id": range(rows), "x": x, "y": np.where(x > 0, "yes", "no")})


def test_a_frame_of_scores_is_a_teacher_and_an_array_is_none() -> None:
    frame, options = numbered(), ColumnOptions(exclude_columns=("id",))
    yes = pl.when(pl.col("y") == "yes").then(0.75).otherwise(0.25)
    scores = frame.select("id", probability_yes=yes, probability_no=1 - yes)
    student = distill_student(frame, scores, CONFIG, labels=GIVEN, columns=options, device="cpu")
    evidence = student.unwrap().report.evidence
    assert evidence is not None
    assert evidence.method == "as_given"
    refused = distill_student(frame, np.zeros((60, 2)), CONFIG, labels=GIVEN, device="cpu")
    assert isinstance(refused.failure().first, TeacherNotUnderstood)


@pytest.mark.parametrize("key", [None, "id"])
def test_a_store_names_the_rows_as_the_table_counts_them(tmp_path: Path, key: str | None) -> None:
    frame, place = numbered(), tmp_path / "table.parquet"
    frame.write_parquet(place)
    rule = resolve_teacher(lambda rows: rows["x"] * 2, task="regression").unwrap()
    label_table(place, rule, tmp_path / "labels", LabelOptions(id_column=key)).unwrap()
    changed = frame.with_columns(x=pl.when(pl.col("id") >= 40).then(9.0).otherwise("x"))
    config = TrainingConfig(target_column="x", task="regression", epochs=1)
    store = read_labels(tmp_path / "labels").unwrap()
    found = distill_student(changed, store, config, labels=GIVEN, device="cpu").failure().first
    assert isinstance(found, RowsUnlabelled if key is None else RowsChanged)
    # of some 48 training rows the first changed one is about the thirty-second
    assert found.first_row >= 41
