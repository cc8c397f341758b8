"""Laws of the data floor: they hold for every table, however hostile."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from kdtab.config.columns import ColumnOptions
from kdtab.config.schema import DateColumn, TableSchema
from kdtab.config.training import TrainingConfig
from kdtab.data.arrays import FloatArray
from kdtab.data.artifacts import encode_features, fit_artifacts
from kdtab.data.cells import canonical_texts, missing_rule, numbers
from kdtab.data.coerce import frame_from_any, frame_from_rows
from kdtab.data.columns import fit_columns
from kdtab.data.dates import date_features
from kdtab.data.fingerprint import table_fingerprint
from kdtab.data.prepare import PreparedTable, prepare_table, prepare_with_artifacts
from kdtab.data.scale import feature_medians, fit_scaler, fit_target_scaler, impute
from kdtab.data.split import split_rows, twin_groups
from kdtab.data.target import fit_label_encoder, infer_task, target_labels
from kdtab.data.vectorize import Vectorizer
from kdtab.results import either
from strategies import (
    columns,
    floats,
    frames,
    json_rows,
    labelled_frames,
    matrices,
    texts,
    valued_frames,
)

OPTIONS = ColumnOptions()
RULE = missing_rule(OPTIONS.missing_markers)
CONFIG = TrainingConfig(target_column="y")


def fitted(frame: pl.DataFrame) -> Vectorizer:
    """A vectorizer of a whole frame."""
    schema = fit_columns(frame, np.arange(frame.height), OPTIONS, "y").unwrap()
    return Vectorizer(schema.features, OPTIONS.missing_markers)


def prepared(frame: pl.DataFrame, **changes: float) -> PreparedTable:
    """A frame with a target, or another example where no column is a feature."""
    config = TrainingConfig(target_column="y", **changes)  # type: ignore[arg-type]  # floats and ints alike
    result = prepare_table(frame, config, OPTIONS)
    assume(
        either(
            result,
            lambda _: True,
            lambda issues: issues.first.__class__.__name__ != "NoFeatureColumns",
        )
    )
    return result.unwrap()


@given(frames(), st.randoms())
@pytest.mark.requirement("REQ-T18")
def test_column_order_extra_columns_and_batches_do_not_change_a_cell_of_the_matrix(
    frame: pl.DataFrame, random: object
) -> None:
    vectorizer = fitted(frame)
    whole = vectorizer.transform(frame)
    names = list(reversed(frame.columns))
    shuffled = frame.select(names).with_columns(pl.lit("x").alias("one more"))
    np.testing.assert_array_equal(vectorizer.transform(shuffled), whole)
    batches = [vectorizer.transform(frame[row : row + 1]) for row in range(frame.height)]
    np.testing.assert_array_equal(np.concatenate(batches), whole)


@given(frames())
@pytest.mark.requirement("REQ-T18", "REQ-T04")
def test_rows_as_mappings_give_the_same_matrix_as_the_frame(frame: pl.DataFrame) -> None:
    vectorizer = fitted(frame)
    rows = frame.to_dicts()
    again = frame_from_rows(rows, vectorizer.column_names or ("none",))
    np.testing.assert_array_equal(vectorizer.transform(again), vectorizer.transform(frame))


@given(frames())
def test_text_cells_as_a_csv_holds_them_give_the_same_matrix_for_simple_types(
    frame: pl.DataFrame,
) -> None:
    simple = frame.select(pl.selectors.by_dtype(pl.Float64, pl.Int64, pl.Boolean, pl.String))
    assume(simple.width > 0)
    vectorizer = fitted(simple)
    written = simple.cast(pl.String)
    np.testing.assert_array_equal(vectorizer.transform(written), vectorizer.transform(simple))


@given(frames(), st.data())
@pytest.mark.requirement("REQ-T18", "INV-T04")
def test_any_rows_are_encoded_to_finite_bounded_numbers_and_stay_as_they_were(
    frame: pl.DataFrame, data: st.DataObject
) -> None:
    vectorizer = fitted(frame)
    artifacts = fit_artifacts(frame, vectorizer.columns, OPTIONS.missing_markers)
    rows = data.draw(json_rows(vectorizer.column_names))
    before = repr(rows)
    encoded = encode_features(frame_from_any(rows, vectorizer.column_names).unwrap(), artifacts)
    assert encoded.shape == (len(rows), len(vectorizer.feature_names))
    assert encoded.dtype == np.float32
    assert encoded.flags.c_contiguous
    assert (np.abs(encoded) <= artifacts.scaler.clip).all()
    assert repr(rows) == before


@given(frames())
def test_absent_null_nan_infinite_and_marker_are_one_thing(frame: pl.DataFrame) -> None:
    vectorizer = fitted(frame)
    names = vectorizer.column_names
    assume(names)
    cells: tuple[object, ...] = (
        *(None, float("nan"), float("inf"), -float("inf")),
        *("", " NA ", "N/a", "null", "?", ".", "NONE"),
    )
    rows: list[dict[str, object]] = [{}, *(dict.fromkeys(names, cell) for cell in cells)]
    matrices_of_each = [vectorizer.transform(frame_from_rows([row], names)) for row in rows]
    for matrix in matrices_of_each[1:]:
        np.testing.assert_array_equal(matrix, matrices_of_each[0])


@given(frames())
def test_a_schema_comes_back_equal_from_its_json(frame: pl.DataFrame) -> None:
    schema = fit_columns(frame, np.arange(frame.height), OPTIONS, "y").unwrap()
    assert TableSchema.model_validate_json(schema.model_dump_json()) == schema
    assert [c.name for c in schema.features] == sorted(c.name for c in schema.features)
    every = {c.name for c in (*schema.features, *schema.left_out)}
    assert every == set(frame.columns)


@given(st.lists(texts(), min_size=1))
@pytest.mark.requirement("REQ-KD12", "REQ-T20")
def test_labels_come_back_from_their_codes(cells: list[str]) -> None:
    labels = target_labels(pl.Series(cells), OPTIONS.missing_markers).drop_nulls()
    encoder = fit_label_encoder(labels)
    codes = encoder.transform(labels).unwrap()
    assert encoder.inverse_transform(codes).tolist() == labels.to_list()
    assert sorted(set(codes.tolist())) == list(range(len(encoder.classes)))


@given(st.lists(texts()))
def test_canonical_texts_of_canonical_texts_are_the_same(cells: list[str]) -> None:
    once = canonical_texts(pl.Series(cells, dtype=pl.String), RULE)
    assert canonical_texts(once, RULE).to_list() == once.to_list()


@given(st.lists(floats(), min_size=1))
def test_a_float_and_its_text_are_one_number_and_one_label(cells: list[float]) -> None:
    typed = pl.Series(cells, dtype=pl.Float64)
    written = pl.Series([repr(cell) for cell in cells])
    finite = numbers(typed, RULE)
    assert numbers(written, RULE).to_list() == finite.to_list()
    kept = finite.is_not_null()
    assert (
        canonical_texts(typed, RULE).filter(kept).to_list()
        == canonical_texts(written, RULE).filter(kept).to_list()
    )


@given(columns("y", 8))
@pytest.mark.requirement("REQ-T04")
def test_a_task_is_inferred_for_any_target_with_a_reason(target: pl.Series) -> None:
    decision = infer_task(target, OPTIONS.missing_markers)
    assert decision.task in ("classification", "regression")
    assert decision.reason
    if target_labels(target, OPTIONS.missing_markers).drop_nulls().n_unique() == 2:
        assert decision.task == "classification"


@given(matrices())
@example(np.array([[1.7976931348623157e308], [-1.7976931348623157e308]]))
@example(np.array([[5e-324], [0.0]]))
def test_scaled_features_are_finite_and_bounded_for_any_numbers(matrix: FloatArray) -> None:
    scaler = fit_scaler(matrix, np.zeros(matrix.shape[1], dtype=np.bool_))
    assert np.isfinite(scaler.mean).all()
    assert (scaler.scale > 0).all()
    assert np.isfinite(scaler.scale).all()
    assert (np.abs(scaler.transform(matrix)) <= scaler.clip).all()


@given(matrices(finite=False))
@pytest.mark.requirement("AC-T18", "EC-T03")
def test_imputed_features_are_finite_and_present_ones_unchanged(matrix: FloatArray) -> None:
    medians = feature_medians(matrix)
    assert np.isfinite(medians).all()
    for fills in (medians, None, np.ones(matrix.shape[1] + 1)):
        filled = impute(matrix, fills)
        there = np.isfinite(matrix)
        assert np.isfinite(filled).all()
        np.testing.assert_array_equal(filled[there], matrix[there])


@given(matrices(max_columns=1))
@example(np.array([[1.7976931348623157e308], [0.0], [0.0], [0.0]]))
@pytest.mark.requirement("REQ-T21", "AC-T15")
def test_targets_come_back_from_scaled_units(matrix: FloatArray) -> None:
    values = matrix[:, 0]
    scaler = fit_target_scaler(values)
    again = scaler.inverse_transform(scaler.transform(values))
    largest = np.abs(values).max()
    assert np.isfinite(again).all()
    np.testing.assert_allclose(again / (largest or 1), values / (largest or 1), atol=1e-12)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), min_size=2, max_size=60),
    st.sampled_from([0.05, 0.2, 0.5, 0.9]),
    st.sampled_from([0.0, 0.1, 0.3]),
    st.integers(0, 2**32 - 1),
)
@pytest.mark.requirement("REQ-KD14", "AC-KD14", "REQ-T01", "EC-T02")
def test_a_split_shares_out_every_row_once_and_every_class_survives(
    cells: list[tuple[int, int]], test_size: float, validation_size: float, seed: int
) -> None:
    assume(test_size + validation_size < 1)
    strata = np.array([stratum for stratum, _ in cells])
    twins = twin_groups(pl.DataFrame({"y": strata, "x": [x for _, x in cells]}))
    rows = np.arange(len(cells)) * 2
    sizes = {"test_size": test_size, "validation_size": validation_size}
    split = split_rows(rows, strata, twins, **sizes, seed=seed).unwrap()
    parts = (split.training, split.validation, split.test)
    assert sorted(np.concatenate(parts).tolist()) == rows.tolist()
    assert len(split.test) > 0
    assert len(split.training) > 0
    if np.bincount(strata).max() > 1:
        assert set(strata[split.training // 2].tolist()) == set(strata.tolist())
    side = defaultdict(set)
    for at, part in enumerate(parts):
        for row in part // 2:
            side[int(twins[row])].add(at)
    assert split.notes or all(len(sides) == 1 for sides in side.values())
    again = split_rows(rows, strata, twins, **sizes, seed=seed).unwrap()
    alone = split_rows(rows, strata, twins, test_size=test_size, validation_size=0.0, seed=seed)
    for part, other in zip(parts, (again.training, again.validation, again.test), strict=True):
        np.testing.assert_array_equal(part, other)
    np.testing.assert_array_equal(split.test, alone.unwrap().test)


@given(frames(), st.randoms())
def test_identical_rows_are_one_group_whatever_the_order_of_columns(
    frame: pl.DataFrame, random: object
) -> None:
    doubled = pl.concat([frame, frame])
    groups = twin_groups(doubled)
    np.testing.assert_array_equal(groups[: frame.height], groups[frame.height :])
    np.testing.assert_array_equal(groups, twin_groups(doubled.select(reversed(doubled.columns))))


@given(columns("d", 6).filter(lambda series: series.dtype in (pl.Date, pl.Datetime, pl.String)))
@pytest.mark.requirement("REQ-T02", "REQ-KD10")
def test_a_date_that_is_missing_or_unreadable_is_null_in_every_derived_column(
    series: pl.Series,
) -> None:
    column = DateColumn(name="d", reason="", format="%d/%m/%Y", has_time=True)
    parts = date_features(series, column, RULE)
    nulls = parts[0].is_null()
    for part in parts:
        assert part.dtype == pl.Float64
        assert (part.is_null() == nulls).all()
        assert part.drop_nulls().is_finite().all()
    if series.dtype != pl.String:
        assert (nulls == series.is_null()).all()


@given(labelled_frames(), st.integers(0, 3))
@pytest.mark.requirement("REQ-T06", "AC-T06", "REQ-KD11", "REQ-KD25", "AC-KD11")
def test_artifacts_of_a_table_prepare_it_again_with_the_same_split_and_matrices(
    frame: pl.DataFrame, seed: int
) -> None:
    first = prepared(frame, random_seed=seed)
    config = TrainingConfig(target_column="y", random_seed=seed)
    again = prepare_with_artifacts(frame, config, OPTIONS, first.artifacts, first.task).unwrap()
    assert again.artifacts is first.artifacts
    for part in ("training", "validation", "test"):
        one, other = getattr(first, part), getattr(again, part)
        np.testing.assert_array_equal(getattr(first.split, part), getattr(again.split, part))
        np.testing.assert_array_equal(one.inputs, other.inputs)
        np.testing.assert_array_equal(one.targets, other.targets)


@given(st.one_of(labelled_frames(), valued_frames()))
@pytest.mark.requirement("REQ-KD09", "REQ-T01")
def test_the_order_of_columns_does_not_change_a_prepared_table(frame: pl.DataFrame) -> None:
    first = prepared(frame)
    other = prepared(frame.select(reversed(frame.columns)))
    assert first.schema == other.schema
    assert first.artifacts.scaler == other.artifacts.scaler
    np.testing.assert_array_equal(first.split.test, other.split.test)
    np.testing.assert_array_equal(first.training.inputs, other.training.inputs)
    np.testing.assert_array_equal(first.training.targets, other.training.targets)


@given(labelled_frames())
def test_prepared_inputs_are_finite_and_every_label_of_the_test_rows_is_right(
    frame: pl.DataFrame,
) -> None:
    table = prepared(frame)
    assert np.isfinite(table.training.inputs).all()
    encoder = table.artifacts.label_encoder
    assert encoder is not None
    assert (
        encoder.inverse_transform(table.test.targets.astype(np.int64)).tolist()
        == frame["y"].gather(table.split.test).to_list()
    )


@given(frames())
def test_a_fingerprint_does_not_see_the_order_of_columns(frame: pl.DataFrame) -> None:
    assert table_fingerprint(frame) == table_fingerprint(frame.select(reversed(frame.columns)))
    assert table_fingerprint(frame) != table_fingerprint(pl.concat([frame, frame]))
