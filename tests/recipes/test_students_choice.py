"""Many students of one teacher, and one of them kept with the student without a teacher in mind."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from kdtab.config.base import revise
from kdtab.config.choice import ChoiceOptions
from kdtab.config.columns import ColumnOptions
from kdtab.config.training import TrainingConfig
from kdtab.config.variants import StudentVariant, variant_grid
from kdtab.data.arrays import FloatArray
from kdtab.data.artifacts import Artifacts, encode_features
from kdtab.data.augment import Augmented, AugmentReport, augmented_rows
from kdtab.data.prepare import prepare_table
from kdtab.errors.issue import Issues
from kdtab.errors.training import BudgetTooSmall
from kdtab.recipes.students import DistilledStudents, distill_many
from kdtab.recipes.train import train_model
from kdtab.results import Checked
from kdtab.shell.scoring import stored_bytes
from kdtab.shell.trained import TrainedModel
from kdtab.teachers import morerows as morerows_module
from kdtab.teachers.resolve import resolve_teacher

ROWS = 300
TRAINED = 180
CONFIG = TrainingConfig(
    target_column="y", epochs=3, batch_size=32, hidden_dim=16, validation_size=0.2
)
GRID = variant_grid(alpha=(0.5, 0.25))


def table(rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    """A parity of two signs, which few epochs of a small network do not learn."""
    cells = np.random.default_rng(seed).standard_normal((rows, 2))
    yes = (cells[:, 0] > 0) != (cells[:, 1] > 0)
    return pl.DataFrame({"a": cells[:, 0], "b": cells[:, 1], "y": np.where(yes, "yes", "no")})


def speaking(sure: float) -> object:
    """A rule that gives the true label this probability."""

    def said(rows: pl.DataFrame) -> FloatArray:
        parity = (rows["a"].to_numpy() > 0) != (rows["b"].to_numpy() > 0)
        yes = np.where(parity, sure, 1 - sure)
        return np.stack([1 - yes, yes], axis=1)

    return resolve_teacher(said, task="classification", classes=("no", "yes"), name="rule").unwrap()


USUAL = ChoiceOptions()
KNOWING, WRONG = speaking(0.99), speaking(0.01)


def searched(
    teacher: object = KNOWING,
    variants: tuple[StudentVariant, ...] = GRID,
    choice: ChoiceOptions | None = USUAL,
    unlabelled: pl.DataFrame | None = None,
    config: TrainingConfig = CONFIG,
) -> Checked[DistilledStudents]:
    return distill_many(
        table(),
        teacher,
        config,
        variants,
        choice=choice,
        unlabelled=unlabelled,
        device="cpu",
    )


def model_at(found: DistilledStudents, place: int) -> TrainedModel:
    return found.every[place].outcome.unwrap()


def refusal(found: Checked[DistilledStudents]) -> BudgetTooSmall:
    issues: Issues = found.failure()
    (issue,) = issues
    assert isinstance(issue, BudgetTooSmall)
    return issue


def test_the_student_without_a_teacher_is_the_last_candidate() -> None:
    found = searched().unwrap()
    assert [one.alone for one in found.every] == [False, False, True]
    assert found.scratch is not None
    assert model_at(found, -1).bundle.model is found.scratch.bundle.model
    assert found.scratch.bundle.provenance.distill_config is None
    assert not any(one.alone for one in searched(choice=None).unwrap().every)


def test_of_a_teacher_that_is_worse_than_none_no_student_is_handed_out() -> None:
    found = searched(WRONG).unwrap()
    evidence = found.best.report.evidence
    assert evidence is not None
    assert evidence.gate is not None
    assert evidence.gate.verdict == "worse"
    assert [one.alone for one in found.every] == [False, False, True]
    assert found.best is found.every[-1].outcome.unwrap()


def test_of_a_teacher_that_knows_more_a_student_is_kept() -> None:
    found = searched().unwrap()
    evidence = found.best.report.evidence
    assert evidence is not None
    assert evidence.gate is not None
    assert evidence.gate.verdict == "better"
    assert not found.every[found.best_place].alone


def test_the_usual_student_is_the_first_that_came_to_an_end() -> None:
    grid = (StudentVariant(learning_rate=1e38), StudentVariant(), StudentVariant(alpha=0.5))
    found = searched(variants=grid).unwrap()
    assert found.every[0].validation_loss is None
    assert found.usual_place == 1
    assert found.best_place == 1  # the third is its twin, which leads by nothing


def test_students_of_fewer_synthetic_rows_learn_from_the_first_of_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []

    def counted(*asked: object) -> object:
        rows = augmented_rows(*asked)  # type: ignore[arg-type]  # as it is called
        made.append(len(rows.inputs))
        return rows

    monkeypatch.setattr(morerows_module, "augmented_rows", counted)
    grid = variant_grid(augment=(2.0, 1.0, 0.0))
    found = searched(variants=grid, unlabelled=table(40, seed=1).drop("y")).unwrap()
    assert made == [2 * TRAINED]
    records = [model_at(found, place).bundle.provenance for place in range(3)]
    assert [each.synthetic_rows for each in records] == [2 * TRAINED, TRAINED, None]
    assert [each.unlabelled_rows for each in records] == [40, 40, 40]


def test_each_student_says_of_its_own_synthetic_rows_what_is_true() -> None:
    grid = variant_grid(augment=(2.0, 1.0, 0.0))
    found = searched(variants=grid, unlabelled=table(40, seed=1).drop("y")).unwrap()
    most, some, none = (
        [
            note
            for note in model_at(found, place).report.notes
            if "labelled by" in note or "of them" in note
        ]
        for place in range(3)
    )
    assert most[0] == some[0] == none[0] == "40 unlabelled rows labelled by the teacher"
    assert [note.partition(",")[0] for note in most[1:]] == ["360 synthetic rows"]
    assert some[1:] == [*most[1:], "180 of them are learnt from"]
    assert none[1:] == []


def test_students_beyond_a_limit_are_not_fitted() -> None:
    grid = variant_grid(student_hidden_dim=(256, 32, 16))
    sizes = [
        stored_bytes(model_at(searched(variants=grid).unwrap(), place).bundle) for place in range(3)
    ]
    found = searched(variants=grid, choice=ChoiceOptions(max_bytes=sizes[1])).unwrap()
    widths = [one.variant.student_hidden_dim for one in found.every if not one.alone]
    assert widths == [32, 16]


def test_no_student_is_kept_that_grew_beyond_the_limit_in_its_fit() -> None:
    grid = variant_grid(student_hidden_dim=(16,))
    before = refusal(searched(variants=grid, choice=ChoiceOptions(max_bytes=1))).smallest_bytes
    taught, alone = (
        stored_bytes(one.outcome.unwrap().bundle)
        for one in searched(variants=grid, choice=ChoiceOptions()).unwrap().every
    )
    assert (
        before < alone < taught
    )  # notes are part of a file, and of a teacher there is more to say
    found = searched(variants=grid, choice=ChoiceOptions(max_bytes=alone)).unwrap()
    (last,) = found.every
    assert last.alone
    assert stored_bytes(found.best.bundle) == alone


def test_a_limit_holds_without_validation_rows_too() -> None:
    config = revise(CONFIG, validation_size=0.0).unwrap()
    grid = variant_grid(student_hidden_dim=(16,))
    found = searched(variants=grid, choice=ChoiceOptions(max_bytes=1), config=config)
    assert refusal(found).max_bytes == 1


def test_a_bundle_that_teaches_meets_the_student_alone_too() -> None:
    bundle = train_model(table(), CONFIG, device="cpu").unwrap().bundle
    found = searched(bundle).unwrap()
    evidence = found.best.report.evidence
    assert evidence is not None
    assert evidence.gate is not None


def test_a_synthetic_row_that_equals_a_held_out_row_is_not_learnt_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = table()
    prepared = prepare_table(frame, CONFIG, ColumnOptions()).unwrap()
    held_out = np.concatenate([prepared.split.test[:3], prepared.split.validation[:2]])
    rows = pl.concat([frame[held_out], table(4, seed=1)]).drop("y")

    def made(_: object, artifacts: Artifacts, *others: object) -> Augmented:
        return Augmented(rows, encode_features(rows, artifacts), AugmentReport(rows.height, 0))

    monkeypatch.setattr(morerows_module, "augmented_rows", made)
    model = model_at(searched(variants=variant_grid(augment=(1.0,))).unwrap(), 0)
    assert model.bundle.provenance.synthetic_rows == 4
    assert any("5 synthetic rows dropped: each equals" in note for note in model.report.notes)
