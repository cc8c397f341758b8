"""Synthetic rows: like the training rows, none of them, and never quietly unchanged."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.training import TrainingConfig
from kdtab.data.artifacts import Artifacts, encode_features
from kdtab.data.augment import Augmented, augmented_rows
from kdtab.data.prepare import prepare_table

ROWS = 80


def artifacts_of(rows: pl.DataFrame, *dates: str) -> Artifacts:
    """Fitted on (nearly) all rows: the target is beside them and does not matter."""
    target = pl.Series("target", np.linspace(0.1, 0.9, rows.height))
    config = TrainingConfig(target_column="target", task="regression")
    table = rows.with_columns(target)
    return prepare_table(table, config, ColumnOptions(date_columns=dates)).unwrap().artifacts


def made_of(rows: pl.DataFrame, seed: int = 0, *dates: str, **changes: object) -> Augmented:
    knobs = DistillConfig(**{"augment": 2.0, **changes})  # type: ignore[arg-type]  # checked by pydantic
    return augmented_rows(rows, artifacts_of(rows, *dates), knobs, np.random.default_rng(seed))


def numbers(columns: int, rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    drawn = np.random.default_rng(seed).standard_normal((rows, columns))
    return pl.DataFrame({f"x{at}": drawn[:, at] for at in range(columns)})


def mixed(rows: int = ROWS, seed: int = 0, *, with_missing: bool = True) -> pl.DataFrame:
    drawn = np.random.default_rng(seed)
    frame = pl.DataFrame(
        {
            "id": [f"row {at}" for at in range(rows)],
            "age": drawn.integers(18, 90, rows),
            "height": drawn.normal(1.7, 0.1, rows),
            "city": drawn.choice(["Ulm", "Bonn", "Kiel"], rows),
            "member": drawn.random(rows) < 0.5,
            "born": [
                date(1980, 1, 1) + timedelta(days=int(d)) for d in drawn.integers(0, 9999, rows)
            ],
            "level": drawn.choice([0, 100], rows),
        }
    )
    if not with_missing:
        return frame
    return frame.with_columns(
        pl.when(pl.Series(drawn.random(rows) < 0.2)).then(None).otherwise(pl.col(name)).alias(name)
        for name in frame.columns
        if name != "id"
    )


@pytest.mark.parametrize("columns", [1, 2, 3, 5, 8, 9, 12])
def test_every_row_is_a_new_one_however_few_columns_there_are(columns: int) -> None:
    """AutoGluon changes int(0.1 · d) columns: none below ten; 46 to 80 % were exact duplicates."""
    rows = numbers(columns)
    made = made_of(rows, augment=4.0)
    assert made.report.made == 4 * ROWS
    every = pl.concat([rows, made.frame])
    assert every.is_duplicated().sum() == 0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), swap=st.sampled_from([0.01, 0.25, 1.0]))
def test_a_row_differs_from_its_parent_and_from_all_others(seed: int, swap: float) -> None:
    rows = mixed(seed=seed)
    made = made_of(rows, seed, augment_swap=swap)
    features = [name for name in rows.columns if name != "id"]
    known = set(rows.select(features).rows())
    found = made.frame.select(features).rows()
    assert known.isdisjoint(found)
    assert len(set(found)) == len(found) == made.report.made
    parents = {row[0]: row for row in rows.rows()}
    for row in made.frame.rows():
        parent = parents[row[0]]  # the id is no feature: it is the parent's
        assert row != parent
        # missing stays missing, and no cell loses its value
        assert [cell is None for cell in row] == [cell is None for cell in parent]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_cells_are_of_the_kind_of_their_column(seed: int) -> None:
    rows = mixed(seed=seed)
    made = made_of(rows, seed, augment_swap=0.8).frame
    assert made.schema == rows.schema
    for name in ("city", "member", "born", "level"):
        assert set(made[name].to_list()) <= set(rows[name].to_list())
    for name in ("age", "height"):
        low, high = rows[name].min(), rows[name].max()
        assert made[name].drop_nulls().is_between(low, high).all()


def test_a_swapped_cell_is_that_of_the_nearest_different_row() -> None:
    """Two far groups of twins: a category can only come from the own group."""
    rows = pl.DataFrame(
        {
            "x": [0.0] * 20 + [0.1] * 20 + [9.0] * 20 + [9.1] * 20,
            "city": ["Ulm"] * 20 + ["Bonn"] * 20 + ["Kiel"] * 20 + ["Bern"] * 20,
        }
    )
    made = made_of(rows, augment=3.0, augment_swap=1.0)
    near = made.frame.filter(pl.col("x") < 5)
    assert near.height
    assert set(near["city"].to_list()) <= {"Ulm", "Bonn"}
    far = made.frame.filter(pl.col("x") > 5)
    assert set(far["city"].to_list()) <= {"Kiel", "Bern"}


def test_a_number_is_drawn_around_its_partner_with_the_spread() -> None:
    """Pairs (10 k, 10 k + 1): N(b, |a − b| / s) has its centre at the partner."""
    at = np.arange(400) * 10.0
    rows = pl.DataFrame({"x": np.sort(np.concatenate([at, at + 1.1]))})
    values = rows["x"].to_numpy()
    partner = np.where(np.arange(800) % 2 == 0, np.roll(values, -1), np.roll(values, 1))
    made = made_of(rows, augment=1.0, augment_spread=4.0).frame["x"].to_numpy()
    inside = slice(2, -2)  # the outermost are clipped to the range that was seen
    away = (made - partner)[inside]
    assert abs(float(away.mean())) < 0.05
    assert float(away.std()) == pytest.approx(1.1 / 4, rel=0.1)


def test_whole_numbers_stay_whole_also_where_they_are_floats_or_texts() -> None:
    drawn = np.random.default_rng(3)
    whole = drawn.integers(0, 50, ROWS)
    rows = pl.DataFrame(
        {
            "int": whole,
            "float": pl.Series(whole.astype(np.float64)).set(pl.Series(whole > 45), None),
            "text": pl.Series(whole.astype(str)).set(pl.Series(whole > 45), "?"),
            "real": drawn.standard_normal(ROWS),
        }
    )
    made = made_of(rows, augment=4.0, augment_swap=0.9).frame
    assert made.schema == rows.schema
    assert (made["float"].drop_nulls() % 1 == 0).all()
    assert made["text"].str.contains(r"^(\d+|\?)$").all()
    assert set(made["text"].to_list()) - {"?"} != set()


def test_a_column_of_two_numbers_takes_no_third() -> None:
    rows = numbers(2).with_columns(flag=pl.Series([0, 7] * (ROWS // 2)))
    assert set(made_of(rows, augment_swap=1.0).frame["flag"].to_list()) <= {0, 7}


def test_a_date_moves_as_one_column() -> None:
    rows = mixed(with_missing=False)
    made = made_of(rows, 0, "born", augment_swap=0.5)
    known = artifacts_of(rows, "born")
    dates = [at for at, name in enumerate(known.vectorizer.feature_names) if "born__" in name]
    days = {tuple(row) for row in encode_features(rows, known)[:, dates].tolist()}
    assert {tuple(row) for row in made.inputs[:, dates].tolist()} <= days


def test_the_matrix_is_the_encoded_frame() -> None:
    rows = mixed()
    made = made_of(rows)
    np.testing.assert_array_equal(made.inputs, encode_features(made.frame, artifacts_of(rows)))


@pytest.mark.parametrize(("times", "expected"), [(0.25, 20), (1.0, 80), (2.5, 200)])
def test_the_table_is_passed_over_in_whole_and_in_part(times: float, expected: int) -> None:
    made = made_of(numbers(3), augment=times)
    assert made.report.made == expected == made.frame.height == len(made.inputs)


def test_the_same_generator_gives_the_same_rows_and_another_gives_others() -> None:
    rows = mixed()
    first, again, other = made_of(rows, 1), made_of(rows, 1), made_of(rows, 2)
    assert first.frame.equals(again.frame)
    assert not first.frame.equals(other.frame)


def test_two_calls_of_different_size_know_nothing_of_each_other() -> None:
    """AutoGluon changes its default arguments: the first call's row count stays for the process."""
    small, large = numbers(3, rows=30), numbers(3, rows=70)
    counts = [made_of(rows, augment=2.0).report.made for rows in (small, large, small)]
    assert counts == [60, 140, 60]


def test_nothing_is_changed_in_the_rows_that_were_given() -> None:
    rows = mixed()
    before = rows.clone()
    made_of(rows)
    assert rows.equals(before)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (numbers(3, rows=19), "19 training rows, fewer than 20"),
        (pl.DataFrame({"x": [1.0] * 25, "y": [2.0] * 25}), "the training rows are all the same"),
    ],
)
def test_where_nothing_can_be_made_it_says_why(rows: pl.DataFrame, reason: str) -> None:
    known = artifacts_of(numbers(2).rename({"x0": "x", "x1": "y"}))
    made = augmented_rows(rows, known, DistillConfig(augment=4.0), np.random.default_rng(0))
    assert made.frame.height == len(made.inputs) == 0
    assert made.report.notes == (f"no synthetic rows: {reason}",)


def test_a_table_whose_every_combination_is_there_gives_no_row_and_says_so() -> None:
    pairs = [(a, b) for a in "abcde" for b in "vwxyz"] * 2
    rows = pl.DataFrame(pairs, schema=["a", "b"], orient="row")
    made = made_of(rows, augment=1.0)
    assert made.report.made == 0
    assert made.report.dropped == rows.height
    assert made.report.notes == ("50 synthetic rows were not made: they exist already",)


def test_most_rows_of_a_table_of_categories_are_new_ones() -> None:
    drawn = np.random.default_rng(0)
    rows = pl.DataFrame({f"c{at}": drawn.choice(list("abcd"), ROWS) for at in range(8)})
    made = made_of(rows, augment=1.0)
    assert made.report.made + made.report.dropped == ROWS
    assert made.report.made > ROWS / 2


def test_the_report_tells_how_far_the_rows_lie() -> None:
    """Rows between neighbours lie nearer to the data than neighbours do to each other."""
    report = made_of(numbers(6), augment=2.0).report
    assert 0 < report.distances[0] < report.own_distances[0]
    assert report.distances[0] <= report.distances[1]
    assert "median distance to a training row" in report.notes[0]


def test_values_far_out_are_no_reason_to_lose_rows() -> None:
    rows = numbers(2).with_columns(huge=pl.Series([1e300, -1e300, 0.5, 2.0] * (ROWS // 4)))
    made = made_of(rows, augment_swap=1.0)
    assert made.frame["huge"].is_finite().all()
    assert np.isfinite(made.inputs).all()
