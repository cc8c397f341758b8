"""All hypothesis strategies: hostile values are the default, not the exception."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
from hypothesis import strategies as st

HOSTILE_TEXTS = (
    "",
    " ",
    "NA",
    "n/a",
    "nan",
    "None",
    ".",
    "?",
    "True",
    "FALSE",
    "0",
    "-0",
    "1",
    "1.0",
    "+5",
    "1e-3",
    " 12 ",
    "007",
    "1_000",
    "inf",
    "1e400",
    "2,5",
    "18.00.00",
    "2020-02-29",
    "🙂",
    "é",
    "e\u0301",
    "a\nb",
    "a\x00b",
    '"quoted"',
    "=1+1",
    "x" * 300,
)
HOSTILE_NUMBERS = (
    0.0,
    -0.0,
    1.0,
    -200.0,
    0.1,
    1e-300,
    5e-324,
    1e300,
    -1e300,
    1.7976931348623157e308,
    1.7e9,
    1.7e9 + 1,
    2.0**53 + 2,
    float("nan"),
    float("inf"),
    float("-inf"),
)
COLUMN_NAMES = ("age", "city", "é 🙂", "", "is rare", "d__year", "target ", "a.b", "x\ny")


def texts() -> st.SearchStrategy[str]:
    """Texts that go wrong somewhere, and any others that UTF-8 can hold."""
    anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
    return st.one_of(st.sampled_from(HOSTILE_TEXTS), anything)


def floats() -> st.SearchStrategy[float]:
    """Any float64: huge, tiny, NaN and infinite ones above all."""
    return st.one_of(st.sampled_from(HOSTILE_NUMBERS), st.floats(), st.floats(-5, 5))


def finite_floats() -> st.SearchStrategy[float]:
    """Any finite float64."""
    return floats().filter(np.isfinite)


def json_cells() -> st.SearchStrategy[object]:
    """What a JSON document can hold in a cell, and a little more."""
    simple: st.SearchStrategy[object] = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 3),
        st.integers(-(10**30), 10**30),
        floats(),
        texts(),
        st.sampled_from([b"\xff", date(2020, 2, 29), datetime(2020, 1, 1, 12), "\ud800"]),
    )
    return st.one_of(simple, st.lists(simple, max_size=2), st.dictionaries(texts(), simple))


def json_rows(
    names: tuple[str, ...], max_rows: int = 6
) -> st.SearchStrategy[list[dict[str, object]]]:
    """Rows to predict: any cell under any of the names, keys absent, one row, equal rows."""
    row = st.dictionaries(st.sampled_from((*names, "unknown")), json_cells())
    return st.lists(row, min_size=1, max_size=max_rows)


@st.composite
def columns(draw: st.DrawFn, name: str, rows: int) -> pl.Series:
    """One column of any kind, nulls in it, sometimes nothing else."""
    few = draw(st.lists(texts(), min_size=1, max_size=3))
    kinds: list[tuple[pl.DataType | type[pl.DataType], st.SearchStrategy[object]]] = [
        (pl.Float64, floats()),
        (pl.Float32, st.floats(width=32)),
        (pl.Int64, st.integers(-(2**63), 2**63 - 1)),
        (pl.UInt8, st.integers(0, 3)),
        (pl.Boolean, st.booleans()),
        (pl.String, st.sampled_from(few)),
        (pl.String, texts()),
        (pl.String, floats().map(str)),
        (pl.Categorical, st.sampled_from(few)),
        (pl.Date, st.dates(date(1, 1, 2), date(9999, 12, 30))),
        (pl.Datetime("us"), st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))),
        (
            pl.Datetime("us", "Asia/Tokyo"),
            st.datetimes(datetime(1970, 1, 2), datetime(2037, 1, 1)),
        ),
        (pl.Duration("us"), st.timedeltas(timedelta(-9999), timedelta(9999))),
        (pl.Time, st.times()),
        (pl.List(pl.Int64), st.lists(st.integers(0, 2), max_size=2)),
        (pl.Null, st.none()),
    ]
    dtype, cells = draw(st.sampled_from(kinds))
    missing = draw(st.sampled_from([0.0, 0.3, 1.0]))
    cell = st.none() if missing == 1 else st.one_of(cells, st.none()) if missing else cells
    drawn = draw(st.lists(cell, min_size=rows, max_size=rows))
    if dtype == pl.Datetime("us", "Asia/Tokyo"):
        return pl.Series(name, drawn, dtype=pl.Datetime("us")).dt.replace_time_zone(
            "Asia/Tokyo", ambiguous="earliest", non_existent="null"
        )
    return pl.Series(name, drawn, dtype=dtype)


@st.composite
def frames(draw: st.DrawFn, min_rows: int = 1, max_rows: int = 12) -> pl.DataFrame:
    """One to four columns of any kinds; some rows stand there twice."""
    rows = draw(st.integers(min_rows, max_rows))
    names = draw(st.lists(st.sampled_from(COLUMN_NAMES), min_size=1, max_size=4, unique=True))
    frame = pl.DataFrame([draw(columns(name, rows)) for name in names])
    return _with_duplicates(draw, frame)


@st.composite
def labelled_frames(draw: st.DrawFn, min_rows: int = 2, max_rows: int = 16) -> pl.DataFrame:
    """A frame with a text target `y` that is never missing: one class, or a few, some of one row."""
    frame = draw(frames(min_rows=min_rows, max_rows=max_rows))
    labels = st.sampled_from(draw(st.sampled_from([("a",), ("a", "b"), ("a", "b", "c", "🙂")])))
    drawn = draw(st.lists(labels, min_size=frame.height, max_size=frame.height))
    return _with_duplicates(draw, frame.with_columns(pl.Series("y", drawn)))


@st.composite
def valued_frames(draw: st.DrawFn, min_rows: int = 2, max_rows: int = 16) -> pl.DataFrame:
    """A frame with a numeric target `y`: constant, near 1.7e9, huge, never missing."""
    frame = draw(frames(min_rows=min_rows, max_rows=max_rows))
    drawn = draw(st.lists(finite_floats(), min_size=frame.height, max_size=frame.height))
    return frame.with_columns(pl.Series("y", drawn, dtype=pl.Float64))


@st.composite
def matrices(
    draw: st.DrawFn, *, finite: bool = True, max_rows: int = 8, max_columns: int = 3
) -> npt.NDArray[np.float64]:
    """[N, D] float64 with huge, tiny, constant and almost constant columns."""
    shape = draw(st.tuples(st.integers(1, max_rows), st.integers(1, max_columns)))
    cell = finite_floats() if finite else floats()
    near = st.integers(0, 3).map(lambda step: 1.7e9 + step * 1e-7)
    columns = [
        draw(st.lists(draw(st.sampled_from([cell, near])), min_size=shape[0], max_size=shape[0]))
        for _ in range(shape[1])
    ]
    return np.array(columns, dtype=np.float64).T.copy()


@st.composite
def logits(
    draw: st.DrawFn, rows: int | None = None, classes: int | None = None
) -> npt.NDArray[np.float64]:
    """[N, C] finite logits: huge (±60, ±1e4), tiny, equal; one row, one class."""
    shape = (
        rows or draw(st.integers(1, 5)),
        classes or draw(st.integers(1, 5)),
    )
    cell = st.one_of(
        st.sampled_from([0.0, 60.0, -60.0, 1e4, -1e4, 1e-30]), st.floats(-20, 20, width=32)
    )
    cells = draw(st.lists(cell, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]))
    return np.array(cells, dtype=np.float64).reshape(shape)


def _with_duplicates(draw: st.DrawFn, frame: pl.DataFrame) -> pl.DataFrame:
    twice = draw(st.lists(st.integers(0, frame.height - 1), max_size=4))
    return pl.concat([frame, frame[twice]]) if twice else frame


def tame_cells() -> st.SearchStrategy[str]:
    """Cells that hold neither a separator nor a quote nor a blank."""
    return st.from_regex(r"[a-z0-9.]{1,6}", fullmatch=True)


@st.composite
def text_tables(draw: st.DrawFn, cells: st.SearchStrategy[str] | None = None) -> list[list[str]]:
    """A header and rows of texts; by default with quotes, separators and line breaks in them."""
    awkward = st.text(st.sampled_from('"\n\r,;|\t a1é🙂'), max_size=6)
    anything = st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6
    )
    cell = st.one_of(awkward, anything) if cells is None else cells
    columns = draw(st.integers(1, 4))
    names = st.lists(cell.filter(str.strip), min_size=columns, max_size=columns, unique=True)
    row = st.lists(cell, min_size=columns, max_size=columns)
    return [draw(names), *draw(st.lists(row, min_size=1, max_size=6))]


def json_objects() -> st.SearchStrategy[list[dict[str, object]]]:
    """Objects as a JSON-lines file can hold them: nested, of mixed types, with keys absent."""
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    values: st.SearchStrategy[object] = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | text,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(text, inner, max_size=2),
        max_leaves=4,
    )
    row = st.dictionaries(st.sampled_from(["a", "b", "ä"]), values, min_size=1)
    return st.lists(row, min_size=1, max_size=6)
