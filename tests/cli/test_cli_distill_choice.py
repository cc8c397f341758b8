"""`kdtab distill` with presets, tuning and limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from cli.conftest import kdtab
from kdtab.config.distillation import DistillConfig
from kdtab.config.training import TrainingConfig
from kdtab.disk.bundles import read_record

SMALL = ("--steps", "40", "--student-hidden-dim", "24", "--augment", "1")


@pytest.fixture
def table(tmp_path: Path) -> str:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(240, 3)).round(3)
    y = np.where(x[:, 0] + x[:, 1] * x[:, 2] + generator.normal(0, 0.3, 240) > 0, "yes", "no")
    path = tmp_path / "t.csv"
    pl.DataFrame(x, schema=["a", "b", "c"]).with_columns(y=y).write_csv(path)
    return str(path)


def distilled(table: str, *flags: str) -> dict[str, Any]:
    student = str(Path(table).with_name("s.kdtab"))
    run = kdtab(
        "distill",
        table,
        "--target",
        "y",
        "-o",
        student,
        "--json",
        "-q",
        *flags,
        folder=Path(table).parent,
    )
    assert run.code == 0, run.err
    found: dict[str, Any] = json.loads(run.out)
    return found


def recorded(table: str) -> tuple[TrainingConfig, DistillConfig]:
    record = read_record(Path(table).with_name("s.kdtab")).unwrap().manifest.provenance
    assert record.training_config is not None
    assert record.distill_config is not None
    return record.training_config, record.distill_config


def test_a_foreign_teacher_takes_the_standard_preset(table: str) -> None:
    found = distilled(table, "--teacher", "forest", *SMALL)
    students = found["students"]
    assert [each.get("alpha") for each in students] == [None, 0.25, 1.0]
    assert [each["is_alone"] for each in students] == [False, False, True]
    training, _ = recorded(table)
    assert training.numeric_encoding == "piecewise_linear"
    assert training.learning_rate_schedule == "cosine"
    assert training.steps == 40


def test_what_a_flag_says_goes_before_the_preset(table: str) -> None:
    distilled(
        table, "--teacher", "forest", "--epochs", "2", "--numeric-encoding", "scaled", *SMALL[2:]
    )
    training, _ = recorded(table)
    assert (training.epochs, training.steps, training.numeric_encoding) == (2, None, "scaled")


def test_the_seeds_recipe_is_one_student_of_a_teacher_that_saw_the_rows(table: str) -> None:
    found = distilled(table, "--teacher", "forest", "--preset", "seed", "--epochs", "2")
    assert "students" not in found
    training, knobs = recorded(table)
    assert (training.numeric_encoding, knobs.temperature, knobs.alpha) == ("scaled", 2.0, 0.5)


def test_a_bundle_teaches_without_a_preset_unless_one_is_asked_for(table: str) -> None:
    teacher = str(Path(table).with_name("teacher.kdtab"))
    assert (
        kdtab(
            "train",
            table,
            "--target",
            "y",
            "--epochs",
            "3",
            "-o",
            teacher,
            folder=Path(table).parent,
        ).code
        == 0
    )
    plain = distilled(table, "--teacher", teacher, "--epochs", "2")
    assert "students" not in plain
    asked = distilled(table, "--teacher", teacher, "--preset", "quick", *SMALL)
    assert len(asked["students"]) == 3


def test_a_limit_of_bytes_is_kept(table: str) -> None:
    found = distilled(
        table, "--teacher", "forest", "--max-bytes", "30000", "--steps", "40", "--augment", "0"
    )
    size = Path(table).with_name("s.kdtab").stat().st_size
    assert size <= 30_000
    widths = [each.get("student_hidden_dim") for each in found["students"]]
    assert widths[0] == max(width for width in widths if width is not None)
    assert 512 not in widths


def test_a_limit_that_nothing_keeps_is_one_sentence(table: str) -> None:
    done = kdtab(
        *("distill", table, "--target", "y", "--teacher", "forest", "--max-bytes", "100"),
        *("-o", str(Path(table).with_name("s.kdtab")), "--steps", "40", "--augment", "0"),
        folder=Path(table).parent,
    )
    assert done.code == 2
    assert "no student is within max_bytes (100): the smallest that was tried has" in done.err
    assert not Path(table).with_name("s.kdtab").exists()


def test_a_limit_of_latency_that_all_keep_takes_the_widest(table: str) -> None:
    found = distilled(
        table,
        *("--teacher", "forest", "--max-latency", "1e6", "--steps", "20", "--augment", "0"),
    )
    widths = [each.get("student_hidden_dim") for each in found["students"]]
    assert widths == [512, 256, 128, 64, 32, 16, None]


def test_tuning_tries_more_and_says_so(table: str) -> None:
    found = distilled(table, "--teacher", "forest", "--tune", *SMALL[:2], "--augment", "1")
    changes = [
        {name: each[name] for name in ("temperature", "student_hidden_dim") if name in each}
        for each in found["students"]
    ]
    assert {"temperature": 2.0} in changes
    assert {"student_hidden_dim": 128} in changes


def test_a_limit_beside_a_list_is_refused(table: str) -> None:
    done = kdtab(
        *("distill", table, "--target", "y", "--teacher", "forest"),
        *("--alpha", ".3,.5", "--max-bytes", "9000"),
        folder=Path(table).parent,
    )
    assert done.code == 2
    assert "max_bytes leaves no place for a list of values" in done.err


def test_an_unknown_preset_is_refused_with_the_known_ones(table: str) -> None:
    done = kdtab(
        "distill",
        table,
        "--target",
        "y",
        "--teacher",
        "forest",
        "--preset",
        "best",
        folder=Path(table).parent,
    )
    assert done.code == 2
    assert "'standard'" in done.err
    assert "Traceback" not in done.err


def test_half_precision_halves_the_file(table: str) -> None:
    distilled(table, "--teacher", "forest", *SMALL)
    small = Path(table).with_name("s.kdtab").stat().st_size
    distilled(table, "--teacher", "forest", "--no-half-precision", *SMALL)
    assert small < Path(table).with_name("s.kdtab").stat().st_size
