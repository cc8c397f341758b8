"""`kdtab distill --quantiles`: the student that tells them, and what has no place beside it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cli.conftest import kdtab
from kdtab.disk.bundles import read_record
from kdtab.predictor import Predictor

FOREST = ("distill", "t.csv", "--target", "y", "--teacher", "forest")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    generator = np.random.default_rng(0)
    x = generator.uniform(0, 4, 200)
    y = x + generator.normal(0, 0.2 + x)
    place = tmp_path_factory.mktemp("quantiles")
    pl.DataFrame({"x": x, "y": y}).write_csv(place / "t.csv")
    return place


def test_a_student_of_quantiles_takes_the_preset_and_tells_its_levels(folder: Path) -> None:
    run = kdtab(
        *(*FOREST, "--quantiles", "9", "--steps", "60", "-o", "q.kdtab", "--json", "-q"),
        folder=folder,
    )
    assert run.code == 0, run.err
    scores = json.loads(run.out)["quantiles"]
    assert scores["levels"] == [round(place / 10, 1) for place in range(1, 10)]
    assert 0 < scores["student"] < 3 * scores["teacher"]
    record = read_record(folder / "q.kdtab").unwrap()
    known = record.manifest.provenance
    assert known.training_config is not None
    assert known.training_config.numeric_encoding == "piecewise_linear"
    assert known.weight_precision == "float16"
    told = Predictor.load(folder / "q.kdtab").predict_frame(pl.DataFrame({"x": [2.0]}))
    (row,) = told.select(pl.col("^quantile_.*$")).rows()
    assert len(row) == 9
    assert list(row) == sorted(row)


def test_a_person_reads_what_the_quantiles_are_worth(folder: Path) -> None:
    run = kdtab(
        *(*FOREST, "--quantiles", ".1,.5,.9", "--epochs", "2", "-o", "p.kdtab"), folder=folder
    )
    assert run.code == 0, run.err
    (line,) = (line for line in run.out.splitlines() if line.startswith("CRPS"))
    assert " of the student held out, " in line
    assert line.endswith(" of the teacher")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--quantiles", "8"), "quantiles must hold 0.5, the median, got '8'"),
        (("--quantiles", "many"), "quantiles must be levels such as .1,.5,.9, or how many"),
        (("--quantiles", ".5,.1,.9"), "quantiles must rise from each to the next"),
        (("--quantiles", "9", "--tune"), "tune must be left out beside quantiles"),
        (("--quantiles", "9", "--max-bytes", "9"), "max_bytes must be left out beside quantiles"),
        (("--quantiles", "9", "--alpha", ".3,.5"), "alpha must be left out beside quantiles"),
        (("--quantiles", "9", "--report", "r.html"), "report must be left out beside quantiles"),
        (("--quantiles", "9", "--min-gain", ".5"), "min_gain must be left out beside quantiles"),
        (("--quantiles", "9", "--unlabelled", "t.csv"), "unlabelled must be left out beside"),
        (("--quantiles", "9", "--augment", "2"), "augment must be left out: a student of"),
        (("--quantiles", "9", "--teacher", "boosted"), "teacher must be forest or extra_trees"),
    ],
)
def test_what_has_no_place_is_refused_before_a_forest_grows(
    folder: Path, flags: tuple[str, ...], said: str
) -> None:
    run = kdtab(*FOREST, *flags, "-o", "never.kdtab", folder=folder)
    assert run.code == 2
    assert said in run.err
    assert not (folder / "never.kdtab").exists()


def test_classes_have_no_quantiles(folder: Path) -> None:
    pl.DataFrame({"x": range(40), "y": ["a", "b"] * 20}).write_csv(folder / "classes.csv")
    run = kdtab(
        *("distill", "classes.csv", "--target", "y", "--teacher", "forest", "--quantiles", "9"),
        folder=folder,
    )
    assert run.code == 3
    assert "Traceback" not in run.err
    assert "needs a target of numbers, but row 1 of 'y' holds 'a'" in run.err
