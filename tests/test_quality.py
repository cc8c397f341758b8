"""The protocol of benchmarks/quality: what its figures mean, and that a run goes on where it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from benchmarks.quality import desk, findings, work
from benchmarks.quality.evaluation import (
    PooledTable,
    calibration_difference,
    is_harmless,
    loss_increase,
    pooled_difference,
    pooled_gain,
    pooled_table,
    table_gain,
    taught_gains,
)
from benchmarks.quality.page import BEGIN, END, put_section, section
from benchmarks.quality.records import TEACHER, Case, Measured, RowFigures, WorkFolder
from benchmarks.quality.sources import Source, drawn_table, sources
from benchmarks.quality.students import Rung, ladder
from benchmarks.quality.teaching import RecordedTeacher, Room
from returns.result import Success

from kdtab.config.columns import ColumnOptions
from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.prepare import prepare_table
from kdtab.metrics.bootstrap import Interval
from kdtab.results import Checked
from kdtab.teachers.kinds import KindTeacher
from kdtab.teachers.taught import Taught
from kdtab.teachers.teacher import TeacherInfo

ROWS = 400


def losses_of(mean: float, seed: int, rows: int = ROWS) -> FloatArray:
    noise = np.random.default_rng(seed).normal(size=rows)
    return np.asarray(mean + 0.01 * (noise - noise.mean()))


def table(name: str, scratch: float, teacher: float, student: float) -> PooledTable:
    means = {"scratch": scratch, TEACHER: teacher, "student": student}
    rows = np.arange(ROWS)
    return PooledTable(
        name,
        "classification",
        1,
        rows,
        {model: losses_of(mean, seed) for seed, (model, mean) in enumerate(means.items())},
        dict.fromkeys(means, np.full(ROWS, 0.75)),
        dict.fromkeys(means, rows % 4 > 0),
    )


TABLES = (
    table("wide", 1.0, 0.8, 0.9),
    table("narrow", 0.5, 0.45, 0.45),
    table("worse", 0.5, 0.6, 0.4),
)


def test_relative_gains_are_summed_over_the_tables_where_the_teacher_leads() -> None:
    """(.1 + .1) / (.2 + .1); the third table's teacher is worse, so its student does not count."""
    gains = taught_gains(TABLES, "student", "scratch")
    pooled = pooled_gain(gains)
    assert [gain.table for gain in gains] == ["wide", "narrow"]
    assert [gain.retained for gain in gains] == pytest.approx([0.5, 1.0])
    assert pooled is not None
    assert pooled.value == pytest.approx(0.2 / 0.3)
    assert (pooled.interval.low, pooled.interval.high) == pytest.approx((0.5, 1.0))


@pytest.mark.parametrize(("student", "retained"), [("scratch", 0.0), (TEACHER, 1.0)])
def test_the_scratch_student_keeps_nothing_and_the_teacher_all(
    student: str, retained: float
) -> None:
    pooled = pooled_gain(taught_gains(TABLES, student, "scratch"))
    assert pooled is not None
    assert pooled.value == pytest.approx(retained)
    assert pooled.interval.high - pooled.interval.low == pytest.approx(0.0)


def test_two_students_are_compared_on_the_same_draws_of_tables() -> None:
    gains = taught_gains(TABLES, "student", "scratch")
    same, lead = pooled_difference(gains, gains), pooled_difference(gains, None)
    assert same is not None
    assert (same.value, same.interval) == (0.0, Interval(0.0, 0.0))
    assert lead == pooled_gain(gains)


def test_without_a_table_where_the_teacher_leads_there_is_no_figure() -> None:
    assert pooled_gain(taught_gains(TABLES[2:], "student", "scratch")) is None


def test_a_row_that_two_seeds_test_is_one_observation() -> None:
    """The same rows twice give the interval of the rows once, and not a narrower one."""
    once = TABLES[0]
    twice = replace(
        once,
        groups=np.tile(once.groups, 2),
        losses={name: np.tile(losses, 2) for name, losses in once.losses.items()},
    )
    first, second = (table_gain(one, "student", "scratch").student for one in (once, twice))
    assert second.value == pytest.approx(first.value)
    assert second.interval.low == pytest.approx(first.interval.low)
    assert second.interval.high == pytest.approx(first.interval.high)


def test_a_loss_increase_is_a_gain_turned_round() -> None:
    increase = loss_increase(TABLES[0], "student", "scratch")
    gain = table_gain(TABLES[0], "student", "scratch").student
    assert increase.value == -gain.value
    assert increase.interval == Interval(-gain.interval.high, -gain.interval.low)


def test_a_small_table_keeps_its_promise_unless_it_is_worse_beyond_chance() -> None:
    worse = loss_increase(TABLES[0], "scratch", "student")
    assert not is_harmless(TABLES[0], worse)
    assert is_harmless(TABLES[0], replace(worse, interval=Interval(0.0, 0.3)))


def test_a_large_table_is_held_to_a_number() -> None:
    large = replace(TABLES[0], groups=np.arange(2_000))
    found = loss_increase(TABLES[0], "student", "scratch")
    assert is_harmless(large, replace(found, value=0.002, interval=Interval(0.001, 0.02)))
    assert not is_harmless(large, replace(found, value=0.004, interval=Interval(-0.01, 0.02)))
    assert not is_harmless(large, replace(found, value=0.002, interval=Interval(-0.01, 0.03)))


def test_a_model_is_as_calibrated_as_itself() -> None:
    assert calibration_difference(TABLES[0], "student").value == 0.0
    assert calibration_difference(TABLES[0], "student").interval == Interval(0.0, 0.0)


def test_a_model_that_is_too_sure_has_the_larger_calibration_error() -> None:
    """Right in 3 of 4 rows: said .75 there is no error, said .95 there is one of .2."""
    sure = replace(TABLES[0], said=dict(TABLES[0].said) | {"student": np.full(ROWS, 0.95)})
    found = calibration_difference(sure, "student")
    assert found.value == pytest.approx(0.2)
    assert found.interval.low > 0.1


def figures(seed: int) -> RowFigures:
    numbers = np.arange(10, 10 + ROWS)
    return RowFigures(numbers, losses_of(0.5, seed), np.full(ROWS, 0.5), numbers % 2 > 0)


def measured(student: str, loss: float = 0.5, seed: int = 0) -> Measured:
    return Measured(
        "t", seed, student, "classification", ROWS, 600, loss, 0.5, 0.5, 0.1, 1.0, 100, 10
    )


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    folder, case = WorkFolder(tmp_path), Case("t", 0)
    folder.keep(measured("a"), figures(0))
    folder.keep(measured("b"), figures(1))
    folder.keep(measured("b", loss=0.4), figures(2))
    assert folder.done(case) == {"a": measured("a"), "b": measured("b", loss=0.4)}
    assert list(folder.every()) == [measured("a"), measured("b", loss=0.4)]
    found = folder.rows(case, "b")
    assert found.losses == pytest.approx(figures(2).losses, abs=1e-7)
    assert (found.numbers == figures(2).numbers).all()
    assert (found.right == figures(2).right).all()


def test_a_line_that_broke_off_is_not_counted(tmp_path: Path) -> None:
    folder = WorkFolder(tmp_path)
    folder.keep(measured("a"), figures(0))
    path = tmp_path / "measured" / "t-0.jsonl"
    path.write_text(path.read_text("utf-8") + '{"table": "t", "se', encoding="utf-8")
    assert set(folder.done(Case("t", 0))) == {"a"}


def test_only_what_stands_between_the_marks_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Results\n\nbefore\n", encoding="utf-8")
    put_section(page, r"old \1")
    page.write_text(page.read_text("utf-8") + "\nafter\n", encoding="utf-8")
    put_section(page, r"new \g<0>")
    put_section(page, r"new \g<0>")
    found = page.read_text("utf-8")
    assert found == f"# Results\n\nbefore\n\n{BEGIN}\nnew \\g<0>\n{END}\n\nafter\n"


def test_an_unknown_table_ends_the_run() -> None:
    with pytest.raises(SystemExit, match="no table is named wein"):
        sources(None, ["wine", "wein"])


def test_at_most_so_many_training_rows_are_drawn() -> None:
    [digits] = sources(None, ["digits"])
    whole, drawn = drawn_table(digits, 0, 20_000), drawn_table(digits, 0, 300)
    assert whole.frame.height == 1_797
    assert drawn.frame.height == 500
    assert drawn.frame.equals(whole.frame[drawn.numbers])
    assert not np.array_equal(drawn.numbers, drawn_table(digits, 1, 300).numbers)


# A case from end to end, with a teacher that is quick to fit.


def frame() -> pl.DataFrame:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(240, 3))
    truth = np.where(x[:, 0] + 0.3 * generator.normal(size=240) > 0, "yes", "no")
    return pl.DataFrame({f"x{place}": x[:, place] for place in range(3)} | {"y": truth})


SOURCE = Source("noise", "y", "auto", ColumnOptions(), frame)


class Fits:
    """Fits a rule of the first column, and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, room: Room) -> Taught:
        self.count += 1
        prepared = room.prepared

        def says(rows: Float32Array) -> Checked[FloatArray]:
            share = 1 / (1 + np.exp(-3 * rows[:, :1].astype(np.float64)))
            return Success(np.concatenate([1 - share, share], axis=1))

        info = TeacherInfo("rule", "classification", ("no", "yes"), "probabilities", "rule")
        outputs = says(prepared.training.inputs).unwrap() * 0.5 + 0.25
        teacher = KindTeacher(info, prepared.artifacts, says)
        heard = teacher.outputs(room.frame[prepared.split.training]).unwrap()
        return Taught(teacher, "out_of_fold", "no", replace(heard, values=outputs))


def room_and_teacher(tmp_path: Path, fits: Fits) -> tuple[Room, RecordedTeacher]:
    drawn = drawn_table(SOURCE, 0, 20_000)
    room = work.room_of(SOURCE, drawn, 0)
    return room, RecordedTeacher(WorkFolder(tmp_path), Case("noise", 0), room, fits)


def test_training_rows_get_the_honest_labels_and_all_others_the_whole_teacher(
    tmp_path: Path,
) -> None:
    room, teacher = room_and_teacher(tmp_path, Fits())
    split = room.prepared.split
    for rows in (split.training, split.validation, split.test):
        said = teacher.outputs(room.frame[rows]).unwrap().values
        share = 1 / (1 + np.exp(-3 * prepared_first_column(room, rows)))
        expected = 0.25 + 0.5 * share if rows is split.training else share
        assert said[:, 1] == pytest.approx(expected, abs=1e-6)


def prepared_first_column(
    room: Room, rows: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> FloatArray:
    scaler = room.prepared.artifacts.scaler
    values = room.frame["x0"].to_numpy()[rows]
    return np.asarray((values - scaler.mean[0]) / scaler.scale[0])


def test_a_teacher_is_fitted_once_for_all_runs(tmp_path: Path) -> None:
    first, second = Fits(), Fits()
    room, teacher = room_and_teacher(tmp_path, first)
    new_rows = room.frame.with_columns(pl.col("x0") + 0.125)[:30]
    said = teacher.outputs(new_rows).unwrap().values
    _, again = room_and_teacher(tmp_path, second)
    assert again.outputs(new_rows).unwrap().values == pytest.approx(said, abs=1e-6)
    assert again.info.fingerprint == teacher.info.fingerprint
    assert (first.count, second.count) == (1, 0)


def test_labels_of_other_rows_are_not_taken(tmp_path: Path) -> None:
    fits = Fits()
    room, _ = room_and_teacher(tmp_path, fits)
    other = work.room_of(replace(SOURCE, columns=ColumnOptions(exclude_columns=("x2",))),
                         drawn_table(SOURCE, 0, 20_000), 0)  # fmt: skip
    RecordedTeacher(WorkFolder(tmp_path), Case("noise", 0), other, fits)
    assert fits.count == 2
    assert room.prepared.training.inputs.shape != other.prepared.training.inputs.shape


def small_ladder() -> Sequence[Rung]:
    """The same rungs, with students that are fitted in no time."""
    shrunk = {"student_hidden_dim": 8, "student_num_hidden_layers": 1}
    return tuple(
        replace(
            rung,
            training={**rung.training, "hidden_dim": 8}
            | ({"steps": 30, "warmup_steps": 5} if "steps" in rung.training else {"epochs": 3}),
            distill=rung.distill if rung.beginning else {**rung.distill, **shrunk},
        )
        for rung in ladder()
    )


def test_a_case_is_measured_once_and_becomes_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = Fits()
    for module in (work, findings):
        monkeypatch.setattr(module, "ladder", small_ladder)
    monkeypatch.setattr(work, "fitted_teacher", fits)
    folder, case = WorkFolder(tmp_path), Case("noise", 0)
    drawn = drawn_table(SOURCE, 0, 20_000)
    room = work.room_of(SOURCE, drawn, 0)
    lines = list(work.measure(case, drawn, room, folder))
    models = {TEACHER, *(name for rung in ladder() for name in rung.measured)}
    assert set(folder.done(case)) == models
    assert len(lines) == len(models)
    assert list(work.measure(case, drawn, room, folder)) == []
    assert fits.count == 1

    found = findings.findings(folder, [0])
    assert [one.name for one in found.tables] == ["noise"]
    assert found.tables[0].rows == len(room.prepared.split.test)
    text = section(found, "facts")
    assert "| noise | 48 |" in text
    assert "gain retained" in text
    assert findings.findings(folder, [1]).tables == ()


def test_the_student_that_is_handed_out_is_one_of_those_that_were_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "kept_place", lambda losses, *_, **__: len(losses) - 1)
    folder, case, drawn = WorkFolder(tmp_path), Case("noise", 0), drawn_table(SOURCE, 0, 20_000)
    room, teacher = room_and_teacher(tmp_path, Fits())
    place = desk.Desk(case, room, folder, drawn.numbers[room.prepared.split.test])
    preset = small_ladder()[-1]
    list(place.keep_rung(preset, teacher))
    handed_out, alone = (folder.rows(case, str(name)) for name in (preset.handed_out, preset.alone))
    assert (handed_out.losses == alone.losses).all()


def test_seeds_are_pooled_row_by_row() -> None:
    cases = {Case("t", seed): {TEACHER: figures(seed), "a": figures(seed + 5)} for seed in (0, 1)}
    pooled = pooled_table("t", "classification", cases)
    assert (pooled.seeds, pooled.rows, int(pooled.groups.max()) + 1) == (2, 2 * ROWS, ROWS)
    assert (pooled.losses["a"][ROWS:] == figures(6).losses).all()


def test_the_ladder_ends_with_the_preset_and_prepares_like_every_table() -> None:
    rungs = ladder()
    assert [rung.beginning for rung in rungs] == [True, *[False] * (len(rungs) - 1)]
    base = work.room_of(SOURCE, drawn_table(SOURCE, 0, 20_000), 0)
    for rung in rungs:
        config = rung.training_config(base.config)
        split = prepare_table(base.frame, config, base.columns).unwrap().split
        assert (split.test == base.prepared.split.test).all()
        assert (split.validation == base.prepared.split.validation).all()
