"""A coded column is the same column: whatever is asked of it has the same answer."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from kdtab.config.columns import DEFAULT_MISSING_MARKERS, ColumnOptions
from kdtab.config.schema import NumericColumn
from kdtab.data import coded
from kdtab.data.artifacts import encode_features, encode_parts, fit_artifacts
from kdtab.data.cells import (
    canonical_texts,
    missing_rule,
    numbers,
    stripped_texts,
    text_counts,
    truths,
)
from kdtab.data.coded import FEWER_THAN, code_texts, coded_parts, with_codes
from kdtab.data.columns import fit_columns

RULE = missing_rule((*DEFAULT_MISSING_MARKERS, "-200"))
OPTIONS = ColumnOptions(missing_markers=(*DEFAULT_MISSING_MARKERS, "-200"))

words = st.sampled_from(
    ["a", " a", "b ", "1", "1.0", "01", "+1", "TRUE", "false", "?", "", " ", "-200.0", "inf", "é"]
)
pools = st.lists(st.none() | words, min_size=1, max_size=5)


@st.composite
def repeating_texts(draw: st.DrawFn) -> pl.Series:
    pool = draw(pools)
    picks = draw(st.lists(st.sampled_from(range(len(pool))), min_size=1, max_size=30))
    cells = [pool[at] for at in picks] * (FEWER_THAN + 1)
    return pl.Series("x", cells, dtype=pl.String)


@given(repeating_texts())
def test_a_repeating_column_is_coded_and_keeps_its_cells(texts: pl.Series) -> None:
    column = with_codes(texts)
    assert isinstance(column.dtype, pl.Enum)
    assert column.cast(pl.String).to_list() == texts.to_list()


@given(repeating_texts())
def test_every_reading_of_a_coded_column_is_that_of_its_texts(texts: pl.Series) -> None:
    column, distinct = with_codes(texts), texts.unique().to_list()
    for read in (canonical_texts, stripped_texts, numbers, truths):
        alone = {text: read(pl.Series([text], dtype=pl.String), RULE)[0] for text in distinct}
        expected = [alone[text] for text in texts]
        assert read(column, RULE).to_list() == expected
        assert read(texts, RULE).to_list() == expected


@given(repeating_texts())
def test_counts_are_those_of_a_plain_count(texts: pl.Series) -> None:
    found = text_counts(with_codes(texts), "stripped", RULE)
    plain = stripped_texts(texts, RULE).to_list()
    expected = {text: plain.count(text) for text in set(plain)}
    assert dict(found.iter_rows()) == expected
    assert found["rows"].to_list() == sorted(expected.values(), reverse=True)


@given(repeating_texts(), repeating_texts())
def test_a_coded_table_has_the_same_schema_and_matrix(one: pl.Series, other: pl.Series) -> None:
    rows = min(len(one), len(other))
    frame = pl.DataFrame({"a": one[:rows], "b": other[:rows], "n": range(rows), "y": [0] * rows})
    training = np.arange(0, rows, 2)
    plain = fit_columns(frame, training, OPTIONS, "y").unwrap()
    again = fit_columns(code_texts(frame), training, OPTIONS, "y", texts=("a", "b")).unwrap()
    assert again == plain
    artifacts = fit_artifacts(frame[training], plain.features, OPTIONS.missing_markers)
    from_coded = fit_artifacts(code_texts(frame)[training], plain.features, OPTIONS.missing_markers)
    assert from_coded.scaler == artifacts.scaler
    np.testing.assert_array_equal(
        encode_features(code_texts(frame), artifacts), encode_features(frame, artifacts)
    )


def test_columns_whose_texts_stand_alone_stay_texts() -> None:
    names = pl.Series("x", [f"name {at}" for at in range(40)])
    assert with_codes(names) is names


def test_a_type_that_the_user_gave_is_no_text() -> None:
    given_type = pl.Series("x", ["1", "2"] * 9, dtype=pl.Enum(["1", "2"]))
    schema = fit_columns(given_type.to_frame(), np.arange(18), OPTIONS, "y").unwrap()
    assert [(column.kind, column.reason) for column in schema.features] == [
        ("categorical", "a categorical type")
    ]


def test_a_few_rows_of_a_column_with_many_texts_are_read_as_they_are() -> None:
    column = with_codes(pl.Series("x", [f"word {at % 10}" for at in range(50)]))
    assert coded_parts(column) is not None
    assert coded_parts(column[:10]) is None
    assert canonical_texts(column[:10], RULE).to_list() == [f"word {at}" for at in range(10)]


@given(
    st.lists(st.sampled_from([None, "", "a", "b", "c", "d", "é", "seven", "a long text"])),
    st.integers(2, 8),
)
def test_whatever_the_head_shows_the_column_is_the_same(cells: list[str | None], head: int) -> None:
    texts = pl.Series("x", cells, dtype=pl.String)
    with patch.object(coded, "HEAD_ROWS", head), patch.object(coded, "COMPARED_WORDS", 3):
        column = with_codes(texts)
    assert column.name == "x"
    assert column.cast(pl.String).to_list() == cells
    if isinstance(column.dtype, pl.Enum):
        present = [cell for cell in dict.fromkeys(cells) if cell is not None]
        assert column.dtype.categories.to_list() == present


def test_a_word_that_comes_late_is_found() -> None:
    texts = pl.Series("x", ["a", "b"] * 5_000 + ["c"])
    assert with_codes(texts).dtype == pl.Enum(["a", "b", "c"])


def test_a_column_whose_head_stands_alone_is_not_searched() -> None:
    names = pl.Series("x", [f"name {at}" for at in range(5_000)])
    assert with_codes(names) is names


def test_neighbours_that_are_looked_up_together_are_the_columns_one_by_one() -> None:
    random = np.random.default_rng(3)
    pool, numbers = ["a", "b", "c", None], ["1", "2.5", "?", "-0"]
    words = {f"w{at}": [pool[pick] for pick in random.integers(0, 4, 500)] for at in range(6)}
    frame = pl.DataFrame(words | {"v": [numbers[pick] for pick in random.integers(0, 4, 500)]})
    columns = fit_columns(frame[:3], np.arange(3), OPTIONS, "y").unwrap().features
    artifacts = fit_artifacts(frame, columns, OPTIONS.missing_markers)
    features = artifacts.vectorizer.transform(frame)
    indicators = features[:, artifacts.vectorizer.indicators]
    assert (indicators.sum(axis=1) < 6).any(), "some words were not seen"
    medians = artifacts.feature_medians
    assert medians is not None
    plain = artifacts.scaler.transform(np.where(np.isnan(features), medians, features))
    for rows in (np.arange(500), np.arange(0, 500, 3)):
        (found,) = encode_parts(code_texts(frame), artifacts, (rows,))
        np.testing.assert_array_equal(found, plain[rows].astype(np.float32))


@given(repeating_texts())
def test_statistics_of_some_rows_are_those_of_a_frame_of_them(texts: pl.Series) -> None:
    frame = pl.DataFrame({"n": texts})
    rows = np.arange(0, len(texts), 2)
    column = (NumericColumn(name="n", reason=""),)
    markers = OPTIONS.missing_markers
    part = fit_artifacts(frame[rows], column, markers)
    whole = fit_artifacts(code_texts(frame), column, markers, rows)
    assert whole.scaler == part.scaler
    np.testing.assert_array_equal(whole.feature_medians, part.feature_medians)
