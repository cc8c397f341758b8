"""Labels join rows by key: joined right, or refused with counts."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdtab.config.base import revise
from kdtab.config.labels import LabelOptions, example_ledger
from kdtab.data.outputs import TeacherOutputs
from kdtab.disk.labelledger import LEDGER, ledger_bytes, read_ledger
from kdtab.disk.labels import LabelStore, joined_outputs, read_labels
from kdtab.errors.issue import Issues
from kdtab.errors.labels import (
    IdsMissing,
    IdsRepeated,
    KeyColumnsMissing,
    LabelsAbsent,
    LabelsDamaged,
    LabelsTooNew,
    RowsChanged,
    RowsUnlabelled,
)
from kdtab.recipes.label import label_table
from labelling import CLASSES, RuleTeacher, expected, numbered_frame

FRAME = numbered_frame(40)


def stored(folder: Path, frame: pl.DataFrame, id_column: str | None = None) -> LabelStore:
    frame.write_csv(folder / "table.csv")
    options = LabelOptions(id_column=id_column, rows_per_part=7)
    label_table(folder / "table.csv", RuleTeacher(), folder / "labels", options).unwrap()
    return read_labels(folder / "labels").unwrap()


@pytest.fixture(scope="module", params=[None, "id"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LabelStore:
    return stored(tmp_path_factory.mktemp("store"), FRAME, request.param)


def said(store: LabelStore, frame: pl.DataFrame) -> TeacherOutputs:
    return joined_outputs(store, frame).unwrap()


def refused(store: LabelStore, frame: pl.DataFrame) -> Issues:
    return joined_outputs(store, frame).failure()


@given(rows=st.lists(st.integers(0, 39), max_size=40, unique=True))
def test_rows_in_any_order_and_number_get_their_own_outputs_to_the_bit(
    store: LabelStore, rows: list[int]
) -> None:
    frame = FRAME[rows]
    outputs = said(store, frame)
    assert (outputs.kind, outputs.classes, outputs.trees) == ("probabilities", CLASSES, None)
    assert np.array_equal(outputs.values, expected(frame))


@settings(max_examples=30)
@given(
    rows=st.lists(st.tuples(st.sampled_from("012"), st.sampled_from("ab")), min_size=1, max_size=9)
)
def test_rows_of_equal_content_share_a_label(rows: list[tuple[str, str]]) -> None:
    frame = pl.DataFrame(rows, schema=["x", "text"], orient="row")
    with tempfile.TemporaryDirectory() as folder:
        store = stored(Path(folder), frame)
        again = pl.concat([frame, frame.reverse()])
        assert np.array_equal(said(store, again).values, expected(again))


def test_other_columns_and_other_types_of_the_same_cells_change_nothing(store: LabelStore) -> None:
    texts = FRAME.cast(pl.String).with_columns(target=pl.lit("new")).select(
        "text", "target", "x", "id"
    )  # fmt: skip
    assert np.array_equal(said(store, texts).values, expected(FRAME))


def test_rows_that_were_never_labelled_are_counted(store: LabelStore) -> None:
    frame = pl.concat([FRAME[:3], numbered_frame(44)[40:], FRAME[3:]])
    assert list(refused(store, frame)) == [
        RowsUnlabelled(
            path=store.folder, rows=4, total=44, first_row=4, id_column=store.ledger.id_column
        )
    ]


def test_changed_rows_are_counted_by_either_key(store: LabelStore) -> None:
    frame = FRAME.with_columns(
        text=pl.when(pl.col("id").is_in([5, 9])).then(pl.lit("new")).otherwise("text")
    )
    (found,) = refused(store, frame)
    assert isinstance(found, RowsChanged if store.ledger.id_column else RowsUnlabelled)
    assert (found.rows, found.total, found.first_row) == (2, 40, 6)


def test_without_its_key_columns_a_frame_is_refused(store: LabelStore) -> None:
    missing = ("id", "text")
    assert list(refused(store, FRAME.select("x"))) == [
        KeyColumnsMissing(missing=missing, found=("x",))
    ]


def test_missing_unlabelled_and_changed_rows_are_told_together(tmp_path: Path) -> None:
    store = stored(tmp_path, FRAME, "id")
    frame = pl.concat([numbered_frame(41)[40:], FRAME.with_columns(x=pl.col("x") + 1)])
    first, second = refused(store, frame)
    assert isinstance(first, RowsUnlabelled)
    assert isinstance(second, RowsChanged)
    assert (first.rows, second.rows) == (1, 40)


def test_repeated_and_missing_ids_of_a_frame_are_refused(tmp_path: Path) -> None:
    store = stored(tmp_path, FRAME, "id")
    twice = pl.concat([FRAME, FRAME[10:13]])
    assert list(refused(store, twice)) == [
        IdsRepeated(column="id", place="the table", rows=3, example="10")
    ]
    blank = FRAME.with_columns(id=pl.when(pl.col("id") != 4).then("id"))
    assert list(refused(store, blank)) == [IdsMissing(column="id", rows=1, first_row=5)]


def test_an_id_that_two_parts_share_is_refused_where_it_is_asked_for(tmp_path: Path) -> None:
    frame = FRAME.with_columns(id=pl.when(pl.col("id") == 30).then(2).otherwise("id"))
    store = stored(tmp_path, frame, "id")
    assert IdsRepeated(column="id", place="the labels", rows=1, example="2") in list(
        refused(store, FRAME[:5])
    )
    assert len(said(store, FRAME[3:5]).values) == 2


def test_a_frame_without_rows_gets_no_outputs(store: LabelStore) -> None:
    assert said(store, FRAME.clear()).values.shape == (0, 2)


def test_a_part_with_one_changed_byte_is_refused(tmp_path: Path) -> None:
    store = stored(tmp_path, FRAME)
    part = Path(store.folder, "part-000002.parquet")
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    assert refused(store, FRAME).first == LabelsDamaged(
        path=str(part), reason="its checksum differs"
    )


def test_missing_and_cut_parts_are_refused_before_any_is_read(tmp_path: Path) -> None:
    store = stored(tmp_path, FRAME)
    folder = Path(store.folder)
    (folder / "part-000001.parquet").unlink()
    (folder / "part-000002.parquet").write_bytes(b"")
    reasons = [issue.model_dump()["reason"] for issue in read_labels(folder).failure()]
    assert reasons[0] == "it is missing"
    assert reasons[1].startswith("it has 0 bytes")


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"kind": "labels"}', b"[" * 5_000],
)
def test_a_ledger_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LEDGER).write_bytes(content)
    assert isinstance(read_labels(tmp_path).failure().first, LabelsDamaged)


def test_a_ledger_with_one_changed_byte_is_refused(tmp_path: Path) -> None:
    content = ledger_bytes(example_ledger())
    (tmp_path / LEDGER).write_bytes(content)
    assert read_ledger(str(tmp_path)).unwrap() == example_ledger()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        (tmp_path / LEDGER).write_bytes(changed)
        assert isinstance(read_ledger(str(tmp_path)).failure().first, LabelsDamaged | LabelsTooNew)


def test_a_ledger_of_a_newer_kdtab_says_so(tmp_path: Path) -> None:
    fields = {**json.loads(ledger_bytes(example_ledger())), "format_version": 2}
    (tmp_path / LEDGER).write_text(json.dumps(fields), "utf-8")
    assert read_labels(tmp_path).failure().first == LabelsTooNew(
        path=str(tmp_path), found=2, known=1
    )


def test_a_folder_without_labels_or_no_folder_is_absent(tmp_path: Path) -> None:
    assert isinstance(read_labels(tmp_path).failure().first, LabelsAbsent)
    assert isinstance(read_labels(tmp_path / "no").failure().first, LabelsAbsent)


def test_the_plan_leaves_out_what_only_the_end_knows() -> None:
    ended = revise(example_ledger(), rows=2).unwrap()
    other = revise(example_ledger(), teacher_fingerprint="rule-2").unwrap()
    assert ended.plan == example_ledger().plan != other.plan
