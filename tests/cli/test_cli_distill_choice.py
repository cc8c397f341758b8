"""`kdtab distill` with presets, tuning and limits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from returns.result import Success

from cli.conftest import Trained, kdtab
from kdtab.cli.choosing import with_choice
from kdtab.cli.console import Answer
from kdtab.cli.searching import with_students
from kdtab.cli.variants import Search
from kdtab.config.choice import ChoiceOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.training import TrainingConfig
from kdtab.disk.bundles import read_record
from kdtab.recipes.students import DistilledStudents, DistilledVariant
from kdtab.recipes.train import train_model
from kdtab.record import BundleRecord
from kdtab.teachers.studentsearch import ALONE

SMALL = ("--steps", "40", "--student-hidden-dim", "24", "--augment", "1")
UNGATED = ("--no-gate",)
"""The teachers of these tests have learnt next to nothing; nobody need hear of it."""


@dataclass(frozen=True)
class Distilled:
    """What a command printed for programs, and its file."""

    found: dict[str, Any]
    path: Path

    @property
    def record(self) -> BundleRecord:
        return read_record(self.path).unwrap()

    @property
    def training(self) -> TrainingConfig:
        config = self.record.manifest.provenance.training_config
        assert config is not None
        return config

    @property
    def knobs(self) -> DistillConfig:
        config = self.record.manifest.provenance.distill_config
        assert config is not None
        return config

    @property
    def bytes_for_a_weight(self) -> float:
        weights = sum(
            array.size for name, array in self.record.arrays.items() if name.startswith("weights/")
        )
        return self.path.stat().st_size / weights


def distilled(folder: Path, output: str, *flags: str) -> Distilled:
    run = kdtab("distill", *flags, "-o", output, "--json", "-q", folder=folder)
    assert run.code == 0, run.err
    return Distilled(json.loads(run.out), folder / output)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(240, 3)).round(3)
    y = np.where(x[:, 0] + x[:, 1] * x[:, 2] + generator.normal(0, 0.3, 240) > 0, "yes", "no")
    path = tmp_path_factory.mktemp("choice") / "t.csv"
    pl.DataFrame(x, schema=["a", "b", "c"]).with_columns(y=y).write_csv(path)
    return path


@pytest.fixture(scope="module")
def asked(trained: Trained) -> Distilled:
    """A bundle's student, by a preset and flags that contradict it."""
    return distilled(
        trained.folder,
        "asked.kdtab",
        *("iris.csv", "--teacher", "teacher.kdtab", "--preset", "standard", *SMALL[2:], *UNGATED),
        *("--epochs", "2", "--numeric-encoding", "scaled", "--no-half-precision"),
    )


def test_a_foreign_teacher_takes_the_standard_preset(table: Path) -> None:
    student = distilled(
        table.parent,
        "standard.kdtab",
        *("t.csv", "--target", "y", "--teacher", "boosted", *SMALL[:2], *SMALL[4:], *UNGATED),
    )
    students = student.found["students"]
    assert [each.get("alpha") for each in students] == [None, 0.25, 1.0]
    assert [each["is_alone"] for each in students] == [False, False, True]
    assert student.training.numeric_encoding == "piecewise_linear"
    assert student.training.learning_rate_schedule == "cosine"
    assert student.training.steps == 40
    assert student.bytes_for_a_weight < 3  # half precision


def test_what_a_flag_says_goes_before_the_preset(asked: Distilled) -> None:
    training = asked.training
    assert (training.epochs, training.steps, training.numeric_encoding) == (2, None, "scaled")
    assert training.learning_rate_schedule == "cosine"
    assert asked.bytes_for_a_weight >= 4  # float32, as nobody else asked


def test_the_seeds_recipe_is_one_student_of_a_teacher_that_saw_the_rows(table: Path) -> None:
    student = distilled(
        table.parent,
        "seed.kdtab",
        *("t.csv", "--target", "y", "--teacher", "boosted", "--preset", "seed", "--epochs", "2"),
    )
    assert "students" not in student.found
    assert student.record.manifest.provenance.label_method == "in_sample"
    assert student.training.numeric_encoding == "scaled"
    assert (student.knobs.temperature, student.knobs.alpha) == (2.0, 0.5)


def test_a_bundle_teaches_without_a_preset_unless_one_is_asked_for(
    trained: Trained, asked: Distilled
) -> None:
    assert "students" not in json.loads(trained.student.out)
    assert len(asked.found["students"]) == 3


def test_a_limit_of_bytes_is_kept(trained: Trained) -> None:
    student = distilled(
        trained.folder,
        "small.kdtab",
        *("iris.csv", "--teacher", "teacher.kdtab", "--max-bytes", "20000", "--steps", "10"),
        *UNGATED,
    )
    assert student.path.stat().st_size <= 20_000
    widths = [each.get("student_hidden_dim") for each in student.found["students"]]
    assert widths[0] == max(width for width in widths if width is not None)
    assert 512 not in widths


def test_a_limit_that_nothing_keeps_is_one_sentence(trained: Trained) -> None:
    done = kdtab(
        *("distill", "iris.csv", "--teacher", "teacher.kdtab", "--max-bytes", "100"),
        *("-o", "none.kdtab"),
        folder=trained.folder,
    )
    assert done.code == 2
    assert "no student is within max_bytes (100): the smallest that was tried has" in done.err
    assert not (trained.folder / "none.kdtab").exists()


def test_tuning_tries_more_and_says_so(trained: Trained) -> None:
    student = distilled(
        trained.folder,
        "tuned.kdtab",
        *("iris.csv", "--teacher", "teacher.kdtab", "--tune", "--steps", "10", "--augment", "1"),
        *("--preset", "standard"),
        *UNGATED,
    )
    changes = [
        {name: each[name] for name in ("temperature", "student_hidden_dim") if name in each}
        for each in student.found["students"]
    ]
    assert {"temperature": 2.0} in changes
    assert {"student_hidden_dim": 128} in changes


def asked_widths(**flags: object) -> list[int | None]:
    search = with_choice(Search(flags, ()), None, "forest", is_bundle=False).unwrap()
    return [each.student_hidden_dim for each in search.variants]


def test_a_limit_tries_every_width_the_widest_first() -> None:
    assert asked_widths(max_latency="1e6") == [512, 256, 128, 64, 32, 16]


def test_a_limit_tries_the_width_that_was_given_alone() -> None:
    assert asked_widths(max_bytes="9000", student_hidden_dim="40") == [None]


def test_a_network_without_hidden_layers_is_not_tried_in_widths() -> None:
    flags: dict[str, object] = {"training_mode": "linear_glm_baseline"}
    assert asked_widths(max_bytes="9000", **flags) == [None]
    assert set(asked_widths(tune=True, **flags)) == {None}


def test_a_choice_that_was_asked_for_is_not_passed_over_where_no_row_can_make_it(
    trained: Trained,
) -> None:
    assert asked_widths(max_bytes="9000", validation_size="0") == asked_widths(max_bytes="9000")
    done = kdtab(
        *("distill", "iris.csv", "--teacher", "teacher.kdtab", "--tune", "--validation-size", "0"),
        folder=trained.folder,
    )
    assert done.code == 2
    assert "validation_size must leave validation rows" in done.err


@pytest.mark.parametrize("teacher", ["scores.csv", "labels"])
def test_what_was_said_of_known_rows_takes_no_synthetic_rows_and_no_way_of_fitting(
    teacher: str,
) -> None:
    tuned = with_choice(Search({"tune": True}, ()), None, teacher, is_bundle=False).unwrap()
    assert "augment" not in tuned.fields
    assert all(each.augment is None for each in tuned.variants)
    seed = with_choice(Search({"preset": "seed"}, ()), None, teacher, is_bundle=False).unwrap()
    assert "labels" not in seed.fields
    of_a_kind = with_choice(Search({"preset": "seed"}, ()), None, "forest", is_bundle=False)
    assert of_a_kind.unwrap().fields["labels"] == "in_sample"


def test_a_limit_beside_a_list_is_refused(table: Path) -> None:
    done = kdtab(
        *("distill", "t.csv", "--target", "y", "--teacher", "forest"),
        *("--alpha", ".3,.5", "--max-bytes", "9000"),
        folder=table.parent,
    )
    assert done.code == 2
    assert "max_bytes leaves no place for a list of values" in done.err


def test_an_unknown_preset_is_refused_with_the_known_ones(table: Path) -> None:
    done = kdtab(
        *("distill", "t.csv", "--target", "y", "--teacher", "forest", "--preset", "best"),
        folder=table.parent,
    )
    assert done.code == 2
    assert "'standard'" in done.err
    assert "Traceback" not in done.err


def test_the_one_student_within_the_limits_was_not_kept_of_many() -> None:
    frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["a", "b"] * 20})
    config = TrainingConfig(target_column="y", epochs=1, validation_size=0.2)
    model = train_model(frame, config, device="cpu").unwrap()
    found = DistilledStudents((DistilledVariant(ALONE, Success(model), alone=True),), 0)
    told = with_students(Answer("done", {}), found, ChoiceOptions(max_bytes=10**6)).text
    assert "one student was within the limits, without a teacher:" in told
    assert "1 students" not in told
