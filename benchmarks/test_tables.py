"""From a CSV to a matrix, against reading alone and against what a user would write instead.

The table has the shape of a health survey: 14 text columns of 2 to 13 words, 4 of numbers. Each side
ends with a matrix of the same width whose numbers are compared. Sides alternate in one run, five
times; a ratio is the median of the five. Run: `python -m pytest benchmarks/test_tables.py -s`.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from kdtab.config.columns import ColumnOptions
from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.artifacts import encode_features, fit_artifacts
from kdtab.data.coded import code_texts
from kdtab.data.columns import fit_columns
from kdtab.disk.tables import read_table

ROWS, RUNS = 300_000, int(os.environ.get("BENCH_ROUNDS", "5"))
# CPU time is what other work on the machine does not stretch, but two threads count it twice.
CLOCK = time.process_time if pl.thread_pool_size() == 1 else time.perf_counter
NUMBERS = ("n0", "n1", "n2", "n3")
WORDS = (2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 4, 5, 6, 13)
TARGET = "y"


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "survey.csv"
    survey_frame(ROWS).write_csv(path)
    return path


def survey_frame(rows: int) -> pl.DataFrame:
    random = np.random.default_rng(0)
    words = {
        f"w{at}": np.array([f"answer {word}" for word in range(count)])[
            random.integers(0, count, rows)
        ]
        for at, count in enumerate(WORDS)
    }
    numbers = {name: random.normal(28.0, 6.0, rows).round(2) for name in NUMBERS}
    return pl.DataFrame({TARGET: random.choice(["No", "Yes"], rows)} | words | numbers)


def by_kdtab(path: Path) -> Float32Array:
    """Every check on: ragged rows, quotes, encodings, column kinds, unseen and missing values."""
    frame = read_table(path).unwrap()
    texts = frozenset(name for name, dtype in frame.schema.items() if dtype == pl.String)
    coded, options = code_texts(frame.drop(TARGET)), ColumnOptions()
    schema = fit_columns(coded, np.arange(coded.height), options, TARGET, texts=texts).unwrap()
    return encode_features(coded, fit_artifacts(coded, schema.features, options.missing_markers))


def by_scikit_learn(path: Path) -> FloatArray:
    frame = pd.read_csv(path)
    words = [f"w{at}" for at in range(len(WORDS))]
    steps = import_module("sklearn.preprocessing")
    one_hot = steps.OneHotEncoder(sparse_output=False)
    parts = [("numbers", steps.StandardScaler(), list(NUMBERS)), ("words", one_hot, words)]
    matrix: FloatArray = (
        import_module("sklearn.compose").ColumnTransformer(parts).fit_transform(frame)
    )
    return matrix


def by_dict_rows(path: Path, rows: int) -> FloatArray:
    records = pd.read_csv(path, nrows=rows).drop(columns=[TARGET]).to_dict("records")
    vectors = import_module("sklearn.feature_extraction").DictVectorizer(sparse=False)
    scaler = import_module("sklearn.preprocessing").StandardScaler()
    matrix: FloatArray = scaler.fit_transform(vectors.fit_transform(records))
    return matrix


def seconds(run: Callable[[], object]) -> float:
    begin = CLOCK()
    run()
    return CLOCK() - begin


def test_the_matrices_are_the_same(survey: Path) -> None:
    ours, theirs = by_kdtab(survey), by_scikit_learn(survey)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours[:, : len(NUMBERS)], theirs[:, : len(NUMBERS)], atol=1e-4)
    assert ours[:, len(NUMBERS) :].sum() == theirs[:, len(NUMBERS) :].sum() == ROWS * len(WORDS)


def test_csv_to_matrix(survey: Path) -> None:
    by_kdtab(survey)
    few = ROWS // 10
    runs = [
        (
            seconds(lambda: by_kdtab(survey)),
            seconds(lambda: pl.read_csv(survey)),
            seconds(lambda: by_scikit_learn(survey)),
            seconds(lambda: by_dict_rows(survey, few)) * ROWS / few,
        )
        for _ in range(RUNS)
    ]
    ours, read, transformer, dicts = (float(np.median(side)) for side in zip(*runs, strict=True))
    against_reading = np.median([run[0] / run[1] for run in runs])
    against_transformer = np.median([run[2] / run[0] for run in runs])
    against_dicts = np.median([run[3] / run[0] for run in runs])
    print(
        f"\n{platform.machine()}, {pl.thread_pool_size()} polars threads, {ROWS:,} rows: "
        f"ours {ours:.2f} s; read_csv alone {read:.2f} s, {against_reading:.1f} times of it; "
        f"ColumnTransformer {transformer:.2f} s, {against_transformer:.1f} times as fast; "
        f"DictVectorizer {dicts:.1f} s (a tenth of the rows, times ten), "
        f"{against_dicts:.0f} times as fast\n"
        f"figure\tkdtab / polars read_csv\t{against_reading}\n"
        f"figure\tpandas + ColumnTransformer / kdtab\t{against_transformer}\n"
        f"figure\tDictVectorizer / kdtab\t{against_dicts}"
    )


@pytest.mark.parametrize("what", ["rows", "columns"])
def test_growth_is_close_to_linear(what: str, tmp_path: Path) -> None:
    small, large = (10_000, 300_000) if what == "rows" else (10, 1_000)
    times = []
    for size in (small, large):
        frame = survey_frame(size) if what == "rows" else wide_frame(size)
        path = tmp_path / f"{size}.csv"
        frame.write_csv(path)
        by_kdtab(path)
        times.append(min(seconds(partial(by_kdtab, path)) for _ in range(RUNS)))
    exponent = np.log(times[1] / times[0]) / np.log(large / small)
    print(f"\nCSV to matrix, {small:,} to {large:,} {what}: exponent {exponent:.2f}")
    print(f"figure\texponent of growth, {small:,} to {large:,} {what}\t{exponent}")


def wide_frame(columns: int) -> pl.DataFrame:
    random = np.random.default_rng(0)
    numbers = {f"n{at}": random.normal(size=2_000).round(3) for at in range(columns)}
    return pl.DataFrame({TARGET: random.choice(["No", "Yes"], 2_000)} | numbers)
