"""The report that is made later says what the report of the distillation said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest

from kdtab.bundle import ModelBundle
from kdtab.config.base import revise
from kdtab.config.columns import ColumnOptions
from kdtab.config.manifest import Provenance
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.errors.columns import ColumnMissing
from kdtab.errors.teachers import ClassesDiffer
from kdtab.metrics.retention import TooFewRows
from kdtab.recipes.compare import report_comparison
from kdtab.recipes.distill import distill_student
from kdtab.recipes.report import report_distillation
from kdtab.recipes.train import train_model
from kdtab.report.asked import AskedModels, ask_models
from kdtab.report.heldout import NOT_KNOWN
from kdtab.report.summary import Summary
from kdtab.report.verdict import gate
from kdtab.shell.timing import Speed
from kdtab.shell.trained import TrainedModel
from kdtab.teachers.resolve import resolve_teacher

CONFIG = TrainingConfig(target_column="y", epochs=4, batch_size=32, random_seed=3)
COLUMNS = ColumnOptions(exclude_columns=("row",))
UNGATED = LabelConfig(gate=False)


@cache
def table(task: str) -> pl.DataFrame:
    """Two numbers that decide the target, and the number of each row."""
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(300, 2))
    clear = numbers[:, 0] - numbers[:, 1] + generator.normal(0, 0.3, 300)
    values = np.where(clear > 0, "yes", "no") if task == "classification" else 1_000 + 50 * clear
    cells = {"row": np.arange(300), "a": numbers[:, 0], "b": numbers[:, 1], "y": values}
    return pl.DataFrame(cells)


@cache
def network(task: str) -> ModelBundle:
    config = revise(CONFIG, epochs=12, hidden_dim=32).unwrap()
    return train_model(table(task), config, columns=COLUMNS, device="cpu").unwrap().bundle


@cache
def scores(task: str) -> pl.DataFrame:
    """What some teacher once said, its rows and its classes in another order."""
    frame = table(task)
    lead = (frame["a"] - frame["b"]).to_numpy()
    share = 1 / (1 + np.exp(-6 * lead))
    said = (
        {"probability_yes": share, "probability_no": 1 - share}
        if task == "classification"
        else {"prediction": 1_000 + 50 * lead}
    )
    return pl.DataFrame({"row": frame["row"], **said}).reverse()


TEACHERS: dict[str, Callable[[str], object]] = {
    "a bundle": network,
    "recorded scores": lambda task: resolve_teacher(scores(task), key="row").unwrap(),
}


@cache
def distilled(task: str, teacher: str) -> TrainedModel:
    return distill_student(
        table(task), TEACHERS[teacher](task), CONFIG, labels=UNGATED, columns=COLUMNS,
        device="cpu", scratch=True,
    ).unwrap()  # fmt: skip


def scratch_of(model: TrainedModel) -> ModelBundle:
    assert model.report.evidence is not None
    assert model.report.evidence.scratch is not None
    return model.report.evidence.scratch.bundle


def asked(
    task: str = "classification",
    teacher: str = "recorded scores",
    frame: pl.DataFrame | None = None,
    scratch: ModelBundle | None = None,
) -> AskedModels:
    """Nobody's time is taken, which would take most of the test's."""
    return ask_models(
        TEACHERS[teacher](task), distilled(task, teacher).bundle,
        table(task) if frame is None else frame, scratch=scratch, clock=lambda *_: Speed(1.0),
    ).unwrap()  # fmt: skip


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("teacher", TEACHERS)
def test_the_later_report_has_the_numbers_of_the_first(task: str, teacher: str) -> None:
    model = distilled(task, teacher)
    first = report_distillation(table(task), model).unwrap()
    later = asked(task, teacher, scratch=scratch_of(model)).summary()
    for name in ("task", "classes", "rows", "different_rows", "which", "gaps", "gain", "segments"):
        assert getattr(later, name) == getattr(first, name), name
    assert later.fidelity == first.fidelity
    for one, other in zip(later.models, first.models, strict=True):
        assert (one.role, one.name, one.bytes) == (other.role, other.name, other.bytes)
        assert one.quality == other.quality
        assert (one.reliability, one.per_class) == (other.reliability, other.per_class)
    assert [fact for fact in later.facts if fact not in first.facts] == []


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_comparison_and_a_report_agree(task: str) -> None:
    found = asked(task)
    comparison, summary = found.comparison(), found.summary()
    for side, model in zip((comparison.teacher, comparison.student), summary.models, strict=True):
        assert side.metrics.test_metric_value == pytest.approx(model.quality.metric.value)
        assert side.bytes == model.bytes
    assert comparison.agreement == pytest.approx(summary.fidelity[0].agreement.value)


def test_a_spelling_of_the_table_changes_nothing() -> None:
    texts = table("classification").with_columns(
        pl.concat_str(pl.lit(" "), pl.col("row").cast(pl.Float64).cast(pl.String)).alias("row"),
        pl.col("a", "b").cast(pl.String),
    )
    first, again = asked(), asked(frame=texts)
    assert again.chosen.which == first.chosen.which != NOT_KNOWN
    assert again.summary().models[1].quality == first.summary().models[1].quality


def test_on_another_table_the_report_says_that_it_cannot_know() -> None:
    found = asked(frame=table("classification").reverse())
    summary = found.summary()
    assert (summary.rows, summary.which) == (300, NOT_KNOWN)
    assert summary.notes[-1].startswith("warning: the models may have been trained on some")


def test_what_a_teacher_of_elsewhere_saw_is_not_known() -> None:
    phrase = "held out from student and scratch student; what the teacher saw is not known"
    model = distilled("classification", "recorded scores")
    assert asked(scratch=scratch_of(model)).summary().which == phrase
    first = report_distillation(table("classification"), model).unwrap()
    assert first.which == phrase


def test_without_a_scratch_student_the_gain_is_left_out_and_the_gate_is_missed() -> None:
    summary = asked().summary()
    assert summary.gain is None
    assert len(summary.models) == 2
    assert (gate(summary, 0.0), gate(summary, 0.0, allow_undefined=True)) == (False, True)


def test_a_scratch_student_of_another_make_is_named() -> None:
    alone = scratch_of(distilled("classification", "recorded scores"))
    assert alone.provenance.training_config is not None
    config = revise(alone.provenance.training_config, learning_rate=0.5).unwrap()
    other = replace(alone, provenance=revise(alone.provenance, training_config=config).unwrap())
    (note,) = asked(scratch=other).notes
    assert "it was trained with another learning_rate" in note
    assert asked(scratch=alone).notes == ()
    (note,) = asked(scratch=network("classification")).notes
    assert "it is another network" in note


def test_another_teacher_than_the_recorded_one_is_named() -> None:
    student = distilled("classification", "recorded scores").bundle
    found = ask_models(
        network("classification"), student, table("classification"), clock=lambda *_: Speed(1.0)
    ).unwrap()
    (note,) = found.notes
    assert note.startswith("the student was taught by another teacher")
    assert found.chosen.which == "held out from teacher and student"


def test_classes_of_one_side_alone_need_the_policy_of_the_distillation() -> None:
    def says(rows: pl.DataFrame) -> list[list[float]]:
        return [[0.2, 0.3, 0.5]] * rows.height

    teacher = resolve_teacher(says, task="classification", classes=("maybe", "no", "yes")).unwrap()
    student = distilled("classification", "recorded scores").bundle
    refused = ask_models(teacher, student, table("classification"), clock=lambda *_: Speed(1.0))
    assert refused.failure().first == ClassesDiffer(only_teacher=("maybe",), only_table=())
    policy = LabelConfig(missing_classes="zero")
    lenient = replace(student, provenance=revise(student.provenance, label_config=policy).unwrap())
    found = ask_models(teacher, lenient, table("classification"), clock=lambda *_: Speed(1.0))
    assert found.unwrap().teacher.values[0].tolist() == pytest.approx([0.375, 0.625])


def test_the_public_report_times_every_model_and_looks_by_columns() -> None:
    frame = table("classification").with_columns(side=pl.when(pl.col("a") > 0).then(1).otherwise(2))
    student = replace(network("classification"), provenance=Provenance())
    found: Summary = report_comparison(
        student, student, frame.head(15), segments=("side",)
    ).unwrap()
    assert {line.value for line in found.segments} == {"1", "2"}
    assert all((model.p99 or 0) > 0 and model.parameters for model in found.models)
    refused = report_comparison(student, student, frame, segments=("sid",))
    assert isinstance(refused.failure().first, ColumnMissing)
    three = report_comparison(student, student, frame.head(15), scratch=student).unwrap()
    assert isinstance(three.gain, TooFewRows)
