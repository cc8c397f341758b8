"""`kdtab distill` as a process against the same work written by hand, to the same log loss.

A table of the shape of heart_2020: 319,795 rows, 13 text columns and a text target, 4 columns of
numbers, 9 % of the rows "Yes" by a rule that can be learnt. One teacher for both: kdtab trains it,
and its weights are copied into a network over the columns of scikit-learn's ColumnTransformer, so
that `peers/handwritten.py` starts where `kdtab distill TABLE -t teacher.kdtab` starts. Both
processes read, encode, split, distil with kdtab's default sizes and epochs, measure and save. Their
students are compared on rows that nobody saw. Run: `python -m pytest benchmarks/test_process.py -s`.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from benchmarks.peers import handwritten
from benchmarks.processes import spent
from torch import nn

import kdtab
from kdtab.config.columns import ColumnOptions
from kdtab.config.networks import MlpSpec
from kdtab.data.arrays import Float32Array, FloatArray, IntArray
from kdtab.data.prepare import prepare_table

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
THREADS = os.environ.get("BENCH_THREADS", "1")
ROWS, FRESH_ROWS, SEED = 319_795, 60_000, 11
NUMBERS = ("BMI", "PhysicalHealth", "MentalHealth", "SleepTime")
WORDS = {
    **dict.fromkeys(("Smoking", "AlcoholDrinking", "Stroke", "DiffWalking", "Sex"), 2),
    "AgeCategory": 13,
    "Race": 6,
    "Diabetic": 4,
    "PhysicalActivity": 2,
    "GenHealth": 5,
    **dict.fromkeys(("Asthma", "KidneyDisease", "SkinCancer"), 2),
}
LARGEST_DIFFERENCE = 0.003


class Columns(Protocol):
    """A fitted ColumnTransformer, which has no types."""

    def transform(self, rows: pd.DataFrame) -> FloatArray:
        """Rows as a matrix."""
        ...


def survey(rows: int, seed: int) -> pl.DataFrame:
    """Answers, measures, and a disease that depends on six of them, once not additively."""
    random = np.random.default_rng(seed)
    codes = {name: random.integers(0, count, rows) for name, count in WORDS.items()}
    sick = np.where(random.random((2, rows)) < 0.6, 0, random.integers(0, 31, (2, rows)))
    numbers = {
        "BMI": random.normal(28.0, 6.0, rows).clip(12.0, 80.0).round(2),
        "PhysicalHealth": sick[0].astype(np.float64),
        "MentalHealth": sick[1].astype(np.float64),
        "SleepTime": random.normal(7.0, 1.4, rows).round().clip(1.0, 14.0),
    }
    score = 0.3 * codes["AgeCategory"] + 0.5 * codes["GenHealth"] + 1.1 * codes["Stroke"]
    score += 0.03 * numbers["PhysicalHealth"] + 0.7 * codes["Smoking"] * codes["Sex"]
    ill = random.random(rows) < 1.0 / (1.0 + np.exp(6.4 - score))
    texts = {
        name: np.array([f"answer {word:02d}" for word in range(WORDS[name])])[found]
        for name, found in codes.items()
    }
    return pl.DataFrame({handwritten.TARGET: np.where(ill, "Yes", "No")} | numbers | texts)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table, and the teacher for both sides."""
    place, frame = tmp_path_factory.mktemp("process"), survey(ROWS, SEED)
    frame.write_csv(place / "survey.csv")
    config = kdtab.TrainingConfig(target_column=handwritten.TARGET, epochs=2)
    teacher = kdtab.train_model(frame, config, device="cpu").unwrap().bundle
    kdtab.save_bundle(teacher, place / "teacher.kdtab")
    prepared = prepare_table(frame, config, ColumnOptions()).unwrap()
    rows = prepared.split.training
    columns = fitted_columns(pd.read_csv(place / "survey.csv").iloc[rows])
    theirs = columns.transform(pd.read_csv(place / "survey.csv").iloc[rows[:20_000]])
    order = same_columns(prepared.training.inputs[:20_000], theirs)
    copied = copied_teacher(teacher.model, order)
    with torch.no_grad():
        told = copied(torch.from_numpy(theirs.astype(np.float32))).numpy()
    expected = teacher.model(torch.from_numpy(prepared.training.inputs[:20_000])).detach().numpy()
    np.testing.assert_allclose(told, expected, rtol=0, atol=1e-3)
    torch.save(copied.state_dict(), place / "teacher.pt")
    import_module("joblib").dump(columns, place / "columns.joblib")
    return place


def fitted_columns(training: pd.DataFrame) -> Columns:
    """Numbers scaled, text as one column for each word, as the teacher's training rows have them."""
    steps = import_module("sklearn.preprocessing")
    one_hot = steps.OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts = [("words", one_hot, list(WORDS)), ("numbers", steps.StandardScaler(), list(NUMBERS))]
    found: Columns = import_module("sklearn.compose").ColumnTransformer(parts).fit(training)
    return found


def same_columns(ours: Float32Array, theirs: FloatArray) -> IntArray:
    """For each of their columns the place of the very same column in ours."""
    squares = (ours.astype(np.float64) ** 2).sum(axis=0)[None] + (theirs**2).sum(axis=0)[:, None]
    order: IntArray = (squares - 2 * theirs.T @ ours).argmin(axis=1)
    assert sorted(order) == list(range(ours.shape[1]))
    np.testing.assert_allclose(ours[:, order], theirs, rtol=0, atol=1e-4)
    return order


def copied_teacher(teacher: nn.Module, order: IntArray) -> nn.Sequential:
    """The weights of a network of kdtab in one written by hand, over the columns in another order."""
    values = [value.clone() for value in teacher.state_dict().values()]
    values[0] = values[0][:, torch.from_numpy(order)]
    copied = handwritten.network(len(order), *handwritten.TEACHER)
    names = copied.state_dict()
    copied.load_state_dict(dict(zip(names, values, strict=True)))
    return copied.eval()


def log_losses(folder: Path) -> dict[str, float]:
    """Of both students, on rows that neither they nor their teacher saw."""
    fresh = survey(FRESH_ROWS, SEED + 1)
    truth = (fresh[handwritten.TARGET] == "Yes").to_numpy().astype(np.int64)
    ours = kdtab.Predictor.load(folder / "student.kdtab").outputs(fresh)
    columns: Columns = import_module("joblib").load(folder / "columns.joblib")
    fresh.write_csv(folder / "fresh.csv")
    matrix = columns.transform(pd.read_csv(folder / "fresh.csv")).astype(np.float32)
    student = handwritten.loaded(folder / "student.pt", matrix.shape[1], handwritten.STUDENT)
    theirs = student(torch.from_numpy(matrix)).detach()
    losses = {"kdtab": torch.from_numpy(ours), "by hand": theirs}
    return {
        name: float(nn.functional.cross_entropy(logits.double(), torch.from_numpy(truth)))
        for name, logits in losses.items()
    }


def test_distilling_as_a_process(folder: Path) -> None:
    given = ["survey.csv", "-t", "teacher.kdtab", "-o", "student.kdtab"]
    sides = {
        "kdtab": [sys.executable, "-m", "kdtab", "distill", *given],
        "by hand": [sys.executable, handwritten.__file__, "survey.csv", "."],
    }
    rounds = [
        {name: spent(command, folder) for name, command in sides.items()} for _ in range(ROUNDS)
    ]
    check_same_work(folder)
    losses = log_losses(folder)
    print(f"\n{ROWS:,} rows of {len(WORDS) + len(NUMBERS)} columns, {THREADS} thread(s)")
    for name in sides:
        wall, cpu, memory = np.median(np.array([found[name] for found in rounds]), axis=0)
        print(
            f"  {name:8} {wall:6.2f} s wall, {cpu:6.2f} s CPU, {memory:6,.0f} MiB at the peak, "
            f"log loss {losses[name]:.4f}"
        )
    for clock in ("cpu", "wall"):
        ratios = [getattr(one["by hand"], clock) / getattr(one["kdtab"], clock) for one in rounds]
        print(f"figure\tpandas + scikit-learn + literal loop / kdtab, {clock}\t{np.median(ratios)}")
    assert abs(losses["kdtab"] - losses["by hand"]) < LARGEST_DIFFERENCE


def check_same_work(folder: Path) -> None:
    """What is written by hand has the sizes and the steps that kdtab's defaults come to."""
    student = kdtab.load_bundle(folder / "student.kdtab")
    found, spec, (widths, dropout) = student.provenance, student.model.spec, handwritten.STUDENT
    assert isinstance(spec, MlpSpec)
    assert (spec.hidden_dim,) * spec.num_hidden_layers == widths
    assert spec.dropout == pytest.approx(dropout)
    assert (found.epochs, found.batch_size) == (handwritten.EPOCHS, handwritten.BATCH_SIZE)
    assert found.distill_config == kdtab.DistillConfig(
        temperature=handwritten.TEMPERATURE, alpha=handwritten.ALPHA
    )
