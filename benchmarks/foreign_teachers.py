"""Teachers that kdtab did not fit: a pipeline, a LightGBM model, a Parquet of scores.

    python -m benchmarks.foreign_teachers --data DIR [--tables telco_churn,adult] [--rows 10000]

DIR as in `results.py`. On each table a scikit-learn pipeline and a LightGBM model are fitted as a
practitioner would, and handed to `distill_student`, which refits clones of them by folds. The scores
are out-of-fold probabilities of the LightGBM model, written to a Parquet file with a key. One line for
each says what the student kept.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from benchmarks.results import TableEntry, table_entries

from kdtab.config.base import revise
from kdtab.config.training import TrainingConfig
from kdtab.disk.tables import read_table
from kdtab.recipes.distill import distill_student
from kdtab.recipes.report import report_distillation
from kdtab.teachers.resolve import resolve_teacher

KEY = "row"


def pipeline(features: pl.DataFrame) -> Any:
    """Imputed numbers, one-hot texts, a forest."""
    compose, steps = import_module("sklearn.compose"), import_module("sklearn.preprocessing")
    imputer = import_module("sklearn.impute").SimpleImputer(strategy="median")
    texts = [name for name, dtype in features.schema.items() if dtype == pl.String]
    numbers = [name for name in features.columns if name not in texts]
    encoder = steps.OneHotEncoder(handle_unknown="ignore", min_frequency=20)
    parts = [("texts", encoder, texts), ("numbers", imputer, numbers)]
    forest = import_module("sklearn.ensemble").RandomForestClassifier(
        200, min_samples_leaf=3, random_state=0, n_jobs=1
    )
    return import_module("sklearn.pipeline").make_pipeline(compose.ColumnTransformer(parts), forest)


def boosted(features: pl.DataFrame) -> Any:
    """LightGBM over ordinal codes."""
    compose, steps = import_module("sklearn.compose"), import_module("sklearn.preprocessing")
    texts = [name for name, dtype in features.schema.items() if dtype == pl.String]
    codes = steps.OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1
    )
    encoder = compose.ColumnTransformer([("texts", codes, texts)], remainder="passthrough")
    model = import_module("lightgbm").LGBMClassifier(
        n_estimators=150, learning_rate=0.05, n_jobs=1, verbose=-1, random_state=0
    )
    return import_module("sklearn.pipeline").make_pipeline(encoder, model)


def teachers(entry: TableEntry, frame: pl.DataFrame, folder: Path) -> Iterator[tuple[str, Any]]:
    """Each with its name."""
    features = frame.drop(entry.target, KEY, *entry.columns.exclude_columns, strict=False)
    rows, labels = features.to_pandas(), frame[entry.target].cast(pl.String).to_numpy()
    yield "scikit-learn pipeline", pipeline(features).fit(rows, labels)
    model = boosted(features)
    yield "LightGBM", model.fit(rows, labels)
    predict = import_module("sklearn.model_selection").cross_val_predict
    scores = predict(boosted(features), rows, labels, cv=5, method="predict_proba")
    classes = [str(name) for name in np.unique(labels)]
    path = folder / f"{entry.name}-scores.parquet"
    pl.DataFrame({KEY: frame[KEY]} | dict(zip(classes, scores.T, strict=True))).write_parquet(path)
    yield "Parquet of scores", resolve_teacher(path, key=KEY, task="classification").unwrap()


def main() -> int:
    """Print one line of a Markdown table for each teacher."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tables", default="telco_churn,adult")
    parser.add_argument("--rows", type=int, default=10_000)
    options = parser.parse_args()
    print("| table | rows | teacher | teacher, student, scratch loss | gain retained |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for entry in table_entries(options.data, options.tables.split(",")):
            frame = read_table(entry.path).unwrap().head(options.rows).with_row_index(KEY)
            columns = revise(
                entry.columns, exclude_columns=(*entry.columns.exclude_columns, KEY)
            ).unwrap()
            config = TrainingConfig(target_column=entry.target)
            for name, teacher in teachers(entry, frame, Path(folder)):
                student = distill_student(
                    frame, teacher, config, columns=columns, device="cpu", scratch=True
                ).unwrap()
                summary = report_distillation(frame, student).unwrap().to_plain()
                print(line(entry.name, frame.height, name, summary), flush=True)
    return 0


def line(table: str, rows: int, teacher: str, summary: Any) -> str:
    losses = {model["role"]: model["quality"]["log_loss"]["value"] for model in summary["models"]}
    gain = summary["gain"]
    kept = "no lead"
    if gain is not None and gain["kind"] == "retained":
        low, high = gain["interval"]["low"], gain["interval"]["high"]
        kept = f"{gain['value']:.2f} [{low:.2f}, {high:.2f}]"
    said = ", ".join(f"{losses[role]:.4f}" for role in ("teacher", "student", "scratch"))
    return f"| {table} | {rows:,} | {teacher} | {said} | {kept} |"


if __name__ == "__main__":
    sys.exit(main())
