"""The predictor against the networks of torch, over every cell that a row can hold."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdtab.config.schema import FeatureColumn
from kdtab.data.artifacts import encode_features
from kdtab.data.coerce import frame_from_rows
from kdtab.recipes.predict import predict_frame
from kdtab.shell.assemble import regression_values
from kdtab.shell.infer import network_outputs
from serving.conftest import (
    COLUMNS,
    KINDS,
    MARKERS,
    NAMES,
    TASKS,
    bundle_of,
    predictor_of,
    same_frames,
    same_values,
)
from strategies import json_cells

NUMBER_TEXTS = (
    "40", "-200", "-200.0", "-200,0", "+5", "-5", "-0", "0.10", "1.", ".5", "1e3", "1E+3", "1_000", "007",
    "9007199254740993", "12345678901234567890", "0.1234567890123456789", "1e400", "-1e-400", "nan", "inf",
    "-Infinity", "true", "TRUE", "False", " 12 ", "12\n", "１２", "1,5", "1.5", "12,0", "12.0", "0x10", "",
)  # fmt: skip
WORDS = (
    "Bern",
    " Bern",
    "bern",
    "zürich",
    "Zürich",
    "東京",
    "L",
    "M",
    "XL",
    "l",
    "n/a",
    "N/A",
    "?",
    "é",
    "É",
)
DATE_TEXTS = (
    "2020-02-29", "2020-2-9", "2021-02-29", "1999-12-31T23:59", "1999-12-31 23:59:59.5", "2020-02-29T24:00",
    "2020-02-29T12:30:00Z", "2020-02-29T23:30:00-02:00", "29/02/2020 07:45", "9/2/2020 7:45", "31/12/2020",
    "29 Feb 2020", "9 feb 2020", "20200229", "20201301", "2020", "0001-01-01", "9999-12-31", "2020-02-29 ",
)  # fmt: skip
ODD = (
    np.int8(3), np.int64(2**53 + 1), np.float64(0.5), np.float32(0.1), np.float64("nan"), np.bool_(True),
    np.str_("Bern"), np.str_("007"), np.datetime64("2020-02-29"), np.timedelta64(3, "s"), Decimal("1.5"),
    Decimal(1), Fraction(1), complex(1, 0), time(7, 45), timedelta(days=1), (), [1, 2], {"a": 1}, b"Bern",
    object, 2**53, 2**53 + 1, 2**63, -(2**70), 10**400, 10**5000, "\ud800", 20200229, 20200229.0,
    datetime(2020, 2, 29, 23, 30, tzinfo=UTC), datetime(2020, 2, 29, 23, 30, tzinfo=timezone(timedelta(hours=-2))),
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))), pl.Series([1]),
)  # fmt: skip


def cells() -> st.SearchStrategy[object]:
    """Plain cells most of the time, and everything else that can stand in a row."""
    return st.one_of(
        st.sampled_from((None, True, False, 0, 1, -200, 1.0, -0.0, 40, 63.5, 1e16, 0.1, -5, 7)),
        st.sampled_from(NUMBER_TEXTS),
        st.sampled_from(WORDS),
        st.sampled_from(DATE_TEXTS),
        st.dates(),
        st.datetimes(),
        st.sampled_from(ODD),
        st.floats(),
        st.floats(-100, 100).map(repr),
        st.integers(-(10**6), 10**6).map(str),
        st.dates().map(str),
        st.datetimes().map(lambda moment: f"{moment:%d/%m/}{moment.year:04d}{moment: %H:%M}"),
        st.text(st.sampled_from("aA1.-+ e0"), max_size=4),
        json_cells(),
    )


def rows(max_rows: int) -> st.SearchStrategy[list[dict[str, object]]]:
    row = st.dictionaries(st.sampled_from((*NAMES, "unknown")), cells(), max_size=len(NAMES))
    return st.lists(row, min_size=1, max_size=max_rows)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15)
@given(data=st.data())
def test_rows_have_the_answers_of_torch(kind: str, task: str, data: st.DataObject) -> None:
    bundle = bundle_of(kind, task, data.draw(st.sampled_from(MARKERS)))
    drawn = data.draw(rows(4))
    expected = predict_frame(bundle, frame_from_rows(drawn, NAMES), "cpu").unwrap()
    predictor = predictor_of(bundle)
    same_frames(predictor.predict_frame(frame_from_rows(drawn, NAMES)), expected)
    found = predictor.model.outputs_of_rows(drawn)
    same_frames(predictor.model.decoder.frame(found).unwrap(), expected)


@pytest.mark.parametrize("markers", MARKERS, ids=str)
@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: str(column.name))
def test_a_cell_alone_means_what_it_means_in_a_frame(
    column: FeatureColumn, markers: tuple[str, ...]
) -> None:
    bundle = bundle_of("linear", "regression", markers, (column,))
    predictor = predictor_of(bundle)
    texts = (*NUMBER_TEXTS, *WORDS, *DATE_TEXTS)  # which mean the same beside each other
    frames = [pl.DataFrame({column.name: texts})] + [
        frame_from_rows([{column.name: cell}], [column.name]) for cell in ODD
    ]
    inputs = np.vstack([encode_features(frame, bundle.artifacts) for frame in frames])
    expected = regression_values(bundle, network_outputs(bundle.model, inputs))
    rows = [{column.name: cell} for cell in (*texts, *ODD)]
    same_values([predictor.predict_row(row) for row in rows], list(expected))
