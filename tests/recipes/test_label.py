"""Labelling a table: same bytes whatever happens on the way."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from returns.result import Success

import labelling
from clients import teacher_of
from kdtab.config.labels import LabelOptions, WorkerShare
from kdtab.config.tables import ReadOptions
from kdtab.data.outputs import TeacherOutputs
from kdtab.disk.labelledger import LEDGER, TEMPORARY
from kdtab.disk.labels import joined_outputs, read_labels
from kdtab.errors.columns import ColumnMissing
from kdtab.errors.labels import (
    IdsMissing,
    IdsRepeated,
    LabelFolderTaken,
    LabelsOfOtherRun,
    LabelsUnfinished,
    TableChanged,
)
from kdtab.errors.tables import FileMissing, FolderMissing, NotWritable
from kdtab.errors.teachers import NoTeacherColumns, TeacherOutputsInvalid
from kdtab.errors.texts import RowRagged
from kdtab.recipes.label import label_table
from kdtab.results import Checked
from kdtab.teachers.teacher import TeacherInfo
from labelling import RuleTeacher, label_bytes, numbered_frame

ROWS = 1_000
OPTIONS = LabelOptions(rows_per_part=50)
PARTS = 20


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    numbered_frame(ROWS).write_csv(path)
    return path


@pytest.fixture
def whole(table: Path) -> dict[str, bytes]:
    """The store of a run that nothing disturbed."""
    folder = table.parent / "whole"
    label_table(table, RuleTeacher(), folder, OPTIONS).unwrap()
    return label_bytes(folder)


def started(
    table: Path, folder: Path, seconds: float, **environment: str
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, labelling.__file__, str(table), str(folder), str(seconds)],
        env={**os.environ, "PYTHONPATH": str(Path(labelling.__file__).parent), **environment},
    )


def test_a_store_has_a_ledger_and_a_part_for_each_piece(whole: dict[str, bytes]) -> None:
    assert sorted(whole) == [LEDGER, *(f"part-{number:06}.parquet" for number in range(PARTS))]


def test_twenty_sigkills_later_the_bytes_are_the_same(tmp_path: Path) -> None:
    table, folder, draw = tmp_path / "table.csv", tmp_path / "killed", random.Random(0)
    numbered_frame(5_000).write_csv(table)
    for kill in range(20):
        seen = len(list(folder.glob("part-*")))
        process = started(table, folder, 0.1 if kill % 2 else 0)
        while process.poll() is None and len(list(folder.glob("part-*"))) <= seen:
            time.sleep(0.002)
        time.sleep(draw.uniform(0, 0.12) if kill % 2 else 0)
        process.kill()
        assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
    assert isinstance(read_labels(folder).failure().first, LabelsUnfinished)
    assert started(table, folder, 0).wait() == 0
    label_table(table, RuleTeacher(), tmp_path / "whole", OPTIONS).unwrap()
    assert label_bytes(folder) == label_bytes(tmp_path / "whole")


def test_two_writers_of_all_parts_at_once_write_the_same_bytes(
    table: Path, whole: dict[str, bytes]
) -> None:
    folder = table.parent / "twice"
    writers = [started(table, folder, 0.01) for _ in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert label_bytes(folder) == whole
    assert not list(folder.glob(TEMPORARY))


def test_two_writers_of_their_shares_at_once_write_the_same_bytes(
    table: Path, whole: dict[str, bytes]
) -> None:
    folder = table.parent / "shared"
    writers = [started(table, folder, 0.01, RANK=str(rank), WORLD_SIZE="2") for rank in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert label_bytes(folder) == whole


def test_ranks_one_after_the_other_write_every_part_once(
    table: Path, whole: dict[str, bytes]
) -> None:
    folder = table.parent / "ranks"
    outcomes = [
        label_table(
            table, RuleTeacher(), folder, OPTIONS, share=WorkerShare(rank=rank, world=3)
        ).unwrap()
        for rank in range(3)
    ]
    assert [outcome.written for outcome in outcomes] == [7, 7, 6]
    assert [outcome.finished for outcome in outcomes] == [False, False, True]
    assert label_bytes(folder) == whole


def test_a_finished_store_asks_the_teacher_for_nothing_but_its_kind(table: Path) -> None:
    folder, teacher = table.parent / "again", RuleTeacher()
    label_table(table, teacher, folder, OPTIONS).unwrap()
    teacher.asked.clear()
    outcome = label_table(table, teacher, folder).unwrap()
    assert (outcome.written, outcome.kept, outcome.finished) == (0, PARTS, True)
    assert len(teacher.asked) == 1


def test_a_damaged_or_deleted_part_is_written_again(table: Path, whole: dict[str, bytes]) -> None:
    folder = table.parent / "damaged"
    label_table(table, RuleTeacher(), folder, OPTIONS).unwrap()
    (folder / "part-000003.parquet").unlink()
    (folder / "part-000004.parquet").write_bytes(b"PAR1 cut off")
    assert label_table(table, RuleTeacher(), folder, OPTIONS).unwrap().written == 2
    assert label_bytes(folder) == whole


def test_leftovers_of_a_kill_go_when_they_are_old(table: Path) -> None:
    folder = table.parent / "left"
    folder.mkdir()
    old, new = folder / ".kdtab-0.tmp", folder / ".kdtab-1.tmp"
    for left in (old, new):
        left.write_bytes(b"half")
    os.utime(old, (0, 0))
    label_table(table, RuleTeacher(), folder, OPTIONS).unwrap()
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize("rows_per_part", [1, 49, 50, 999, 1_000, 1_001])
def test_the_size_of_a_part_changes_no_label(table: Path, rows_per_part: int) -> None:
    frame = numbered_frame(ROWS)
    folder = table.parent / "sized"
    frame.head(60).write_csv(table) if rows_per_part == 1 else None
    options = LabelOptions(rows_per_part=rows_per_part)
    store = label_table(table, RuleTeacher(), folder, options).unwrap().store
    shown = frame.head(store.ledger.rows or 0)
    said = joined_outputs(store, shown).unwrap()
    assert np.array_equal(said.values, labelling.expected(shown))


def test_a_csv_and_a_parquet_of_the_same_rows_have_the_same_labels(tmp_path: Path) -> None:
    frame = numbered_frame(200)
    frame.write_csv(tmp_path / "a.csv")
    frame.write_parquet(tmp_path / "a.parquet", row_group_size=64)
    parts = []
    for name in ("a.csv", "a.parquet"):
        folder = tmp_path / f"labels of {name}"
        label_table(tmp_path / name, RuleTeacher(), folder, OPTIONS).unwrap()
        parts.append([pl.read_parquet(item) for item in sorted(folder.glob("part-*"))])
    assert all(one.equals(other) for one, other in zip(*parts, strict=True))


def test_another_teacher_table_or_option_is_refused_by_name(table: Path) -> None:
    folder = table.parent / "mine"
    label_table(table, RuleTeacher(), folder, OPTIONS).unwrap()
    other = label_table(table, RuleTeacher("rule-2"), folder, OPTIONS).failure().first
    assert isinstance(other, LabelsOfOtherRun)
    assert other.differing == (("teacher_fingerprint", "rule-1", "rule-2"),)
    numbered_frame(ROWS + 1).write_csv(table)
    options = LabelOptions(id_column="id", rows_per_part=60)
    changed = label_table(table, RuleTeacher(), folder, options).failure().first
    assert isinstance(changed, LabelsOfOtherRun)
    assert [name for name, _, _ in changed.differing] == [
        "table_sha256",
        "table_bytes",
        "columns",
        "id_column",
        "rows_per_part",
    ]


def test_a_folder_with_something_else_is_left_alone(table: Path) -> None:
    found = label_table(table, RuleTeacher(), table.parent).failure().first
    assert found == LabelFolderTaken(path=str(table.parent), found=("table.csv",))
    assert sorted(item.name for item in table.parent.iterdir()) == ["table.csv"]


def test_a_file_or_a_missing_folder_as_output_is_refused(table: Path) -> None:
    assert isinstance(label_table(table, RuleTeacher(), table).failure().first, NotWritable)
    lost = table.parent / "no" / "labels"
    assert isinstance(label_table(table, RuleTeacher(), lost).failure().first, FolderMissing)


def test_a_missing_table_is_an_issue(tmp_path: Path) -> None:
    found = label_table(tmp_path / "no.csv", RuleTeacher(), tmp_path / "labels").failure().first
    assert isinstance(found, FileMissing)
    assert not (tmp_path / "labels").exists()


def test_a_missing_id_column_is_an_issue(table: Path) -> None:
    options = LabelOptions(id_column="ID")
    found = label_table(table, RuleTeacher(), table.parent / "labels", options).failure().first
    assert found == ColumnMissing(name="ID", role="id_column", columns=("id", "x", "text"))


def test_missing_and_repeated_ids_are_counted_with_the_rows_of_the_table(tmp_path: Path) -> None:
    ids = [str(number) for number in range(120)]
    ids[70] = ids[90] = ""
    ids[80] = "79"
    table = tmp_path / "a.csv"
    pl.DataFrame({"id": ids, "x": range(120)}).write_csv(table)
    options = LabelOptions(id_column="id", rows_per_part=50)
    issues = label_table(table, RuleTeacher(), tmp_path / "labels", options).failure()
    assert list(issues) == [
        IdsMissing(column="id", rows=2, first_row=71),
        IdsRepeated(column="id", place="the table", rows=1, example="79"),
    ]


def test_a_ragged_row_far_down_is_named_by_its_line(tmp_path: Path) -> None:
    lines = ["x,y", *(f"{number},{number}" for number in range(2_000_000))]
    lines[1_900_000] = "1,2,3"
    table = tmp_path / "a.csv"
    table.write_text("\n".join(lines) + "\n", "utf-8")
    options = LabelOptions(rows_per_part=1_900_000)
    found = label_table(table, RuleTeacher(), tmp_path / "labels", options).failure().first
    assert isinstance(found, RowRagged)
    assert (found.row, found.cells) == (1_900_001, 3)


def test_a_table_that_changes_meanwhile_ends_in_an_issue(table: Path) -> None:
    class Meddler(RuleTeacher):
        def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
            os.utime(table, (1, len(self.asked)))
            return super().outputs(frame)

    folder = table.parent / "labels"
    found = label_table(table, Meddler(), folder, OPTIONS).failure().first
    assert isinstance(found, TableChanged)
    assert isinstance(read_labels(folder).failure().first, LabelsUnfinished)


def test_unusable_outputs_are_named_by_the_rows_of_the_table(table: Path) -> None:
    class Broken(RuleTeacher):
        def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
            said = super().outputs(frame).unwrap()
            said.values[frame["id"].cast(pl.Int64).to_numpy() == 700] = np.nan
            return Success(said)

    found = label_table(table, Broken(), table.parent / "labels", OPTIONS).failure().first
    assert isinstance(found, TeacherOutputsInvalid)
    assert found.reason.endswith("the first is row 1 with nan (in rows 701 to 750 of the table)")


def test_a_network_that_shares_no_column_with_the_table_is_refused(tmp_path: Path) -> None:
    class Networked(RuleTeacher):
        @property
        def info(self) -> TeacherInfo:
            return replace(super().info, artifacts=teacher_of().artifacts)

    (tmp_path / "a.csv").write_text("z\n1\n", "utf-8")
    found = label_table(tmp_path / "a.csv", Networked(), tmp_path / "labels").failure().first
    assert isinstance(found, NoTeacherColumns)


def test_how_the_file_is_read_is_part_of_the_plan(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("x;stadt\n1;Köln\n2;Ulm\n".encode("latin-1"))
    reading = ReadOptions(encoding="latin-1")
    folder = tmp_path / "labels"
    label_table(tmp_path / "a.csv", RuleTeacher(), folder, reading=reading).unwrap()
    found = label_table(
        tmp_path / "a.csv", RuleTeacher(), folder, reading=ReadOptions(encoding="cp1252")
    )
    assert isinstance(found.failure().first, LabelsOfOtherRun)


def test_heard_is_told_of_every_part_up_to_the_whole_table(table: Path) -> None:
    told: list[tuple[int, float]] = []
    label_table(
        table, RuleTeacher(), table.parent / "labels", OPTIONS,
        heard=lambda rows, share: told.append((rows, share)),
    ).unwrap()  # fmt: skip
    assert [rows for rows, _ in told] == list(range(50, 1_001, 50))
    assert told[-1][1] == 1.0
