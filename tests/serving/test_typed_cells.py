"""Single rows with typed cells: read without a frame, and exactly as a frame reads them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdtab.config.columns import DEFAULT_MISSING_MARKERS
from kdtab.config.schema import DateColumn, FeatureColumn
from kdtab.data.coerce import frame_from_rows
from kdtab.predictor import Predictor
from kdtab.serving.readers import OddCellError
from serving.conftest import COLUMNS, MARKERS, NAMES, bundle_of, predictor_of

SENTINELS = (*DEFAULT_MISSING_MARKERS, "-200")
TYPED = (
    None, True, False, 3, -200, 10**18, 0.5, float("nan"), float("inf"),
    date(2020, 2, 29), date(1, 1, 1), date(9999, 12, 31), time(7, 45), time(23, 59, 59, 999_999),
    datetime(2020, 2, 29, 7, 45), datetime(1999, 12, 31, 23, 59, 59, 5), datetime(2020, 2, 29, 23, 30, tzinfo=UTC),
    timedelta(days=-1, microseconds=3), timedelta(days=400), Decimal("1.50"), Decimal("-200"), Decimal("1E+3"), Decimal("NaN"),
    np.bool_(True), np.int16(-200), np.uint64(2**63), np.float32(0.1), np.float64("nan"), np.str_("Bern"),
    np.datetime64("2020-02-29"), np.datetime64("NaT"), np.timedelta64(90, "s"), [1, 2], {"a": 1}, (), b"Bern",
)  # fmt: skip
COMPANY = ("Bern", "29/02/2020 07:45", "n/a", "12")


def typed_cells() -> st.SearchStrategy[object]:
    zones = st.none() | st.integers(-12, 12).map(lambda hours: timezone(timedelta(hours=hours)))
    return st.one_of(
        st.sampled_from(TYPED),
        st.dates(),
        st.datetimes(timezones=zones),
        st.times(),
        st.timedeltas(),
        st.decimals(),
        st.integers(-(2**62), 2**62).map(np.int64),
        st.floats(width=32).map(np.float32),
        st.integers(1900, 2100).map(lambda year: year * 10_000 + 228),
    )


def alone(predictor: Predictor, column: str, cell: object) -> list[float]:
    found: list[float] = predictor.model.single.outputs({column: cell}).tolist()
    return found


def in_frames(predictor: Predictor, column: str, cell: object, beside: object) -> list[list[float]]:
    """By itself, and with another cell in its column."""
    companies = ([cell], [cell, beside])
    frames = [frame_from_rows([{column: each} for each in cells], NAMES) for cells in companies]
    return [predictor.model.blocks.outputs(frame)[0].tolist() for frame in frames]


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: str(column.name))
@settings(max_examples=25)
@given(data=st.data())
def test_a_typed_cell_means_what_it_means_in_a_frame_whatever_stands_beside_it(
    column: FeatureColumn, data: st.DataObject
) -> None:
    predictor = predictor_of(bundle_of(markers=data.draw(st.sampled_from((*MARKERS, SENTINELS)))))
    cell, beside = data.draw(typed_cells()), data.draw(st.sampled_from(COMPANY))
    try:
        found = alone(predictor, column.name, cell)
    except OddCellError:
        found = predictor.model.outputs_of_row({column.name: cell})
        expected = in_frames(predictor, column.name, cell, beside)[:1]
    else:
        expected = in_frames(predictor, column.name, cell, beside)
    for told in expected:
        np.testing.assert_allclose(found, told, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: str(column.name))
def test_cells_of_the_usual_types_need_no_frame(column: FeatureColumn) -> None:
    predictor = predictor_of(bundle_of(markers=SENTINELS))
    for cell in TYPED:
        finite = isinstance(cell, float | np.floating) and np.isfinite(float(cell))
        if not (finite and isinstance(column, DateColumn)):
            assert len(alone(predictor, column.name, cell)) == 3


def test_a_float_is_a_day_only_where_no_text_stands_beside_it() -> None:
    """Why a reader refuses one: what it means is not its own."""
    predictor = predictor_of(bundle_of())
    by_itself, beside_text = in_frames(predictor, "left", 20200229.0, "soon")
    assert not np.allclose(by_itself, beside_text)
    with pytest.raises(OddCellError):
        alone(predictor, "left", 20200229.0)
    np.testing.assert_allclose(
        predictor.model.outputs_of_row({"left": 20200229.0}), by_itself, atol=1e-6
    )


def test_a_day_that_a_marker_names_is_left_to_the_frame() -> None:
    predictor = predictor_of(bundle_of(markers=("2020-02-29",)))
    with pytest.raises(OddCellError):
        alone(predictor, "born", date(2020, 2, 29))
    missing = predictor.model.outputs_of_row({})
    assert predictor.model.outputs_of_row({"born": date(2020, 2, 29)}) == pytest.approx(missing)
    assert predictor.model.outputs_of_row({"born": date(2020, 3, 1)}) != pytest.approx(missing)


@pytest.mark.parametrize(
    "text", ["20200229", "+20200229", "20200229.0", "20200229,0", "2020-02-29T07:45"]
)
def test_a_text_of_a_day_that_is_a_marker_in_another_spelling_is_missing(text: str) -> None:
    predictor = predictor_of(bundle_of(markers=("20200229", "2020-02-29t07:45")))
    for name in ("born", "seen", "left"):
        [told] = predictor.model.blocks.outputs(frame_from_rows([{name: text}], NAMES)).tolist()
        np.testing.assert_allclose(alone(predictor, name, text), told, atol=1e-6)
        np.testing.assert_allclose(told, alone(predictor, name, None), atol=1e-6)


def test_rows_of_a_typed_frame_are_read_one_by_one() -> None:
    """A sensor's log: typed days, text of hours, and a number that means that nothing was measured."""
    frame = pl.DataFrame(
        {
            "age": [40, -200, None],
            "city": ["Bern", None, "Genf"],
            "born": [date(2004, 3, 10), None, date(2005, 4, 4)],
            "spent": [Decimal("2.6"), None, Decimal("-200.0")],
            "seen": [datetime(2004, 3, 10, 18), datetime(2004, 3, 10, 19), None],
            "code": [time(0, 0, 1), None, time(18)],
            "member": [True, None, False],
        }
    )
    predictor = predictor_of(bundle_of(markers=SENTINELS))
    rows = frame.rows(named=True)
    found = [predictor.model.single.outputs(row).tolist() for row in rows]
    told = predictor.model.blocks.outputs(frame)
    np.testing.assert_allclose(found, told, rtol=0, atol=1e-6)
