"""Default settings on real tables: teacher, student and a 200-tree forest on the same rows.

    python benchmarks/results.py --data DIR [--tables adult,iris] [--seeds 0,1,2] [-o FILE]

DIR holds tables and an `index.json` that names for each its file, target, id and leak columns, date
columns and missing markers. Each table is read, a teacher is trained and a student distilled with
default settings, and a forest of 200 trees is fitted on the very training rows of kdtab's own split
(text as ordinal codes, dates as numbers, missing cells left missing). All three are measured on the
same test rows: AUC for two classes, accuracy for more, RMSE for regression.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from time import perf_counter

import numpy as np
import polars as pl
import torch
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from kdtab.bundle import ModelBundle
from kdtab.config.columns import DEFAULT_MISSING_MARKERS, ColumnOptions
from kdtab.config.training import TrainingConfig
from kdtab.data.arrays import FloatArray
from kdtab.data.prepare import PreparedTable, prepare_table
from kdtab.disk.tables import read_table
from kdtab.metrics.logits import accuracy_from_logits, auc_from_logits
from kdtab.metrics.numbers import root_mean_squared_error
from kdtab.recipes.distill import distill_student
from kdtab.recipes.train import train_model
from kdtab.shell.assemble import regression_values
from kdtab.shell.infer import network_outputs

TREES = 200
MANY_ROWS = 60_000
SEQUENCES = ("etth1", "japanese_vowels")
TIMES_OF_DAY = ("Time",)  # text such as 18.00.00: a category, not a date


@dataclass(frozen=True)
class TableEntry:
    """One table of the index, and how it is to be read."""

    name: str
    path: Path
    target: str
    columns: ColumnOptions


@dataclass(frozen=True)
class Row:
    """One table and seed: the metric of each model, and seconds."""

    table: str
    metric: str
    rows: int
    seed: int
    teacher: float
    student: float
    forest: float
    seconds_read: float
    seconds_train: float
    seconds_distill: float
    seconds_predict: float
    seconds_forest: float
    parameters: tuple[int, int]


def table_entries(folder: Path, names: Sequence[str]) -> Iterator[TableEntry]:
    for entry in json.loads((folder / "index.json").read_text(encoding="utf-8")):
        if entry["name"] in SEQUENCES:
            continue
        if names and entry["name"] not in names:
            continue
        yield _entry(folder, entry)


def _entry(folder: Path, entry: dict[str, object]) -> TableEntry:
    sentinel = entry.get("target_sentinel")
    markers = DEFAULT_MISSING_MARKERS + ((str(sentinel),) if sentinel is not None else ())
    excluded = (*_texts(entry["id_columns"]), *_texts(entry["leak_columns"]))
    return TableEntry(
        name=str(entry["name"]),
        path=folder / str(entry["file"]),
        target=str(entry["target"]),
        columns=ColumnOptions(
            exclude_columns=excluded,
            date_columns=tuple(
                name for name in _texts(entry["date_columns"]) if name not in TIMES_OF_DAY
            ),
            missing_markers=markers,
        ),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def measured(bundle: ModelBundle, prepared: PreparedTable) -> tuple[str, float]:
    """The metric of a bundle on the test rows: AUC, accuracy or RMSE."""
    outputs = network_outputs(bundle.model, prepared.test.inputs)
    if prepared.task == "regression":
        values = regression_values(bundle, outputs)
        return "RMSE", root_mean_squared_error(values, prepared.test.targets.astype(np.float64))
    codes = prepared.test.targets.astype(np.int64)
    auc = auc_from_logits(outputs, codes)
    return ("accuracy", accuracy_from_logits(outputs, codes)) if auc is None else ("AUC", auc)


def forest_features(frame: pl.DataFrame, columns: ColumnOptions, target: str) -> FloatArray:
    """Columns as the index's forest sees them: codes of sorted texts, date parts, NaN kept."""
    parts: list[pl.Series] = []
    for series in frame.drop([target, *columns.exclude_columns], strict=False):
        if series.dtype == pl.Null or series.null_count() == len(series):
            continue
        parts.extend(_forest_columns(series, series.name in columns.date_columns))
    return np.column_stack([part.cast(pl.Float64).to_numpy() for part in parts])


def _forest_columns(series: pl.Series, is_date: bool) -> list[pl.Series]:
    if is_date and series.dtype == pl.String:
        series = series.str.to_date("%b %d %Y", strict=False)
    if series.dtype.is_temporal():
        moment = series.cast(pl.Datetime("us"))
        return [
            moment.dt.epoch("s"),
            moment.dt.month(),
            moment.dt.day(),
            moment.dt.weekday(),
            moment.dt.hour(),
        ]
    if series.dtype.is_numeric() or series.dtype == pl.Boolean:
        return [series]
    text = series.cast(pl.String)
    order = {value: code for code, value in enumerate(sorted(text.drop_nulls().unique()))}
    return [text.replace_strict(order, default=None, return_dtype=pl.Float64)]


def forest_measured(
    frame: pl.DataFrame, entry: TableEntry, prepared: PreparedTable, seed: int
) -> float:
    """The same metric for a forest of 200 trees, fitted on the same training rows."""
    features = forest_features(frame, entry.columns, entry.target)
    training, test = prepared.split.training, prepared.split.test
    truth = prepared.test.targets
    many = len(training) > MANY_ROWS
    if prepared.task == "regression":
        regressor = RandomForestRegressor(
            n_estimators=TREES, random_state=seed, n_jobs=2, max_features=0.33 if many else 1.0
        )
        regressor.fit(features[training], prepared.training.targets)
        return root_mean_squared_error(regressor.predict(features[test]), truth.astype(np.float64))
    classifier = RandomForestClassifier(
        n_estimators=TREES, random_state=seed, n_jobs=2, max_samples=MANY_ROWS if many else None
    )
    classifier.fit(features[training], prepared.training.targets)
    logits = np.log(np.clip(classifier.predict_proba(features[test]), 1e-12, 1.0))
    codes = truth.astype(np.int64)
    auc = auc_from_logits(logits, codes)
    return accuracy_from_logits(logits, codes) if auc is None else auc


def run(entry: TableEntry, seed: int, *, forest: bool) -> Row:
    """Read, train, distil, predict and compare on one table with one seed."""
    clock = [perf_counter()]
    frame = read_table(entry.path).unwrap()
    clock.append(perf_counter())
    config = TrainingConfig(target_column=entry.target, random_seed=seed)
    teacher = train_model(frame, config, columns=entry.columns).unwrap()
    clock.append(perf_counter())
    student = distill_student(frame, teacher.bundle, config, columns=entry.columns).unwrap()
    clock.append(perf_counter())
    prepared = prepare_table(frame, config, entry.columns).unwrap()
    metric, of_teacher = measured(teacher.bundle, prepared)
    started = perf_counter()
    of_student = measured(student.bundle, prepared)[1]
    clock.append(perf_counter())
    of_forest = forest_measured(frame, entry, prepared, seed) if forest else float("nan")
    ended = perf_counter()
    return Row(
        table=entry.name,
        metric=metric,
        rows=frame.height,
        seed=seed,
        teacher=of_teacher,
        student=of_student,
        forest=of_forest,
        seconds_read=clock[1] - clock[0],
        seconds_train=clock[2] - clock[1],
        seconds_distill=clock[3] - clock[2],
        seconds_predict=clock[4] - started,
        seconds_forest=ended - clock[4],
        parameters=(teacher.bundle.parameter_count, student.bundle.parameter_count),
    )


def within_target(rows: Sequence[Row]) -> bool:
    """Mean teacher within 1.5 points, or 10 % of RMSE, of the mean forest."""
    teacher, forest = mean(row.teacher for row in rows), mean(row.forest for row in rows)
    return teacher <= 1.1 * forest if rows[0].metric == "RMSE" else teacher >= forest - 0.015


def rendered(groups: dict[str, list[Row]]) -> str:
    """The rows of all tables, averaged over seeds, as a Markdown table."""
    lines = [
        "| table | rows | metric | teacher | student | forest | teacher near forest "
        "| read s | train s | distil s | forest s | parameters |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, rows in groups.items():
        figures = [
            _figure(rows[0].metric, mean(getattr(row, side) for row in rows))
            for side in ("teacher", "student", "forest")
        ]
        seconds = [
            f"{mean(getattr(row, f'seconds_{part}') for row in rows):.1f}"
            for part in ("read", "train", "distill", "forest")
        ]
        near = "yes" if within_target(rows) else "no"
        sizes = "{:,} → {:,}".format(*rows[0].parameters)
        cells = [name, f"{rows[0].rows:,}", rows[0].metric, *figures, near, *seconds, sizes]
        lines.append("| " + " | ".join(cells) + " |")
    met = sum(within_target(rows) for rows in groups.values())
    lines.append("")
    lines.append(f"Teacher near the forest on {met} of {len(groups)} tables.")
    return "\n".join(lines)


def _figure(metric: str, value: float) -> str:
    return f"{value:.4g}" if metric == "RMSE" else f"{value:.4f}"


def machine_facts() -> str:
    """What the figures were measured on."""
    return (
        f"Python {platform.python_version()}, torch {torch.__version__}, polars {pl.__version__}, "
        f"{os.cpu_count()} cores, {platform.machine()}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with index.json")
    parser.add_argument("--tables", default="", help="names, separated by commas; all by default")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--no-forest", action="store_true")
    parser.add_argument("-o", "--output", type=Path, help="Markdown file to write")
    given = parser.parse_args()
    groups: dict[str, list[Row]] = {}
    for entry in table_entries(given.data, [name for name in given.tables.split(",") if name]):
        for seed in (int(text) for text in given.seeds.split(",")):
            row = run(entry, seed, forest=not given.no_forest)
            groups.setdefault(entry.name, []).append(row)
            print(row, file=sys.stderr, flush=True)
    page = f"{rendered(groups)}\n\n{machine_facts()}\n"
    print(page)
    if given.output:
        given.output.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
