"""Students that learn from more rows than have a label."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression

from clients import DATES, client_frame, config_for, teacher_of
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.config.variants import StudentVariant
from kdtab.data.augment import Augmented, augmented_rows
from kdtab.data.prepare import prepare_table
from kdtab.errors.issue import explain
from kdtab.errors.morerows import NewRowsUnspoken, NoRowColumns
from kdtab.recipes.distill import distill_student
from kdtab.recipes.predict import predict_frame
from kdtab.recipes.students import distill_many
from kdtab.shell.assemble import TrainedModel
from kdtab.teachers import morerows as morerows_module
from kdtab.teachers import source as source_module
from kdtab.teachers.resolve import resolve_teacher
from kdtab.trainer import distill_model_from_file
from spies import weights

ROWS = 240


def table(rows: int = ROWS, seed: int = 0, low: float = 0.0, high: float = 1.0) -> pl.DataFrame:
    drawn = np.random.default_rng(seed)
    x, z = drawn.uniform(low, high, rows), drawn.standard_normal(rows)
    kind = drawn.choice(["a", "b"], rows)
    y = np.where(x + 0.1 * z > 0.5, "yes", "no")
    return pl.DataFrame({"x": x, "z": z, "kind": kind, "y": y, "value": 3 * x + z})


QUICK = TrainingConfig(target_column="y", epochs=3, batch_size=32, hidden_dim=16)
CLASSES = ColumnOptions(exclude_columns=("value",))


def student_of(
    frame: pl.DataFrame,
    teacher: object = "boosted",
    config: TrainingConfig = QUICK,
    columns: ColumnOptions = CLASSES,
    **changes: object,
) -> TrainedModel:
    knobs = {
        name: changes.pop(name) for name in list(changes) if name in DistillConfig.model_fields
    }
    return distill_student(
        frame,
        teacher,
        config,
        DistillConfig.model_validate(knobs),
        columns=columns,
        device="cpu",
        **changes,  # type: ignore[arg-type]  # named arguments of the recipe
    ).unwrap()


def noted(model: TrainedModel, text: str) -> str:
    (found,) = (note for note in model.report.notes if text in note)
    return found


def _classifier() -> object:
    return resolve_teacher(
        lambda rows: 1 / (1 + np.exp(-9 * rows["x"])), task="classification", classes=("no", "yes")
    ).unwrap()


@pytest.mark.parametrize("teacher", ["forest", "boosted"])
def test_a_student_learns_from_rows_that_were_made_up(teacher: str) -> None:
    plain, more = student_of(table(), teacher), student_of(table(), teacher, augment=2.0)
    record = more.bundle.provenance
    assert record.training_rows == 192
    assert record.synthetic_rows == 2 * 192
    assert record.update_steps == 3 * 18  # 576 rows in batches of 32
    assert plain.bundle.provenance.synthetic_rows is None
    assert weights(more.bundle.model) != weights(plain.bundle.model)
    assert "384 synthetic rows" in noted(more, "synthetic")
    assert "median distance" in noted(more, "synthetic")


def test_the_step_budget_counts_all_rows() -> None:
    config = TrainingConfig(target_column="y", steps=30, batch_size=32, hidden_dim=16)
    more = student_of(table(), config=config, augment=3.0)
    assert more.bundle.provenance.epochs == 2  # of 24 steps
    assert more.bundle.provenance.update_steps == 48


def test_parents_and_partners_are_training_rows_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[pl.DataFrame] = []
    usual = augmented_rows

    def watched(rows: pl.DataFrame, *others: object) -> Augmented:
        given.append(rows)
        return usual(rows, *others)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(morerows_module, "augmented_rows", watched)
    frame, config = table(), QUICK.model_copy(update={"validation_size": 0.2})
    student_of(frame, config=config, augment=1.0)
    split = prepare_table(frame, config, CLASSES).unwrap().split
    (rows,) = given
    assert rows.equals(frame.drop("y")[split.training])
    assert len(split.validation)
    assert len(split.test)


def test_the_same_run_gives_the_same_student_and_another_seed_other_rows() -> None:
    columns = ColumnOptions(exclude_columns=("value", "kind"))
    first, again, other = (
        student_of(
            table(),
            _classifier(),
            QUICK.model_copy(update={"random_seed": seed}),
            columns,
            augment=1.0,
        )
        for seed in (1, 1, 2)
    )
    assert weights(first.bundle.model) == weights(again.bundle.model)
    assert noted(first, "synthetic") == noted(again, "synthetic") != noted(other, "synthetic")


def test_unlabelled_rows_teach_where_the_table_says_nothing() -> None:
    """Labels rise with x up to 1; the teacher, and the unlabelled rows, know that it ends there."""
    frame = table().select("x", "z", "value")
    more = table(300, seed=5, low=0.0, high=3.0).select("z", "x")
    rule = resolve_teacher(
        lambda rows: 3 * rows["x"].clip(0, 1) + rows["z"], task="regression"
    ).unwrap()
    config = TrainingConfig(
        target_column="value", task="regression", epochs=25, batch_size=32, learning_rate=1e-2
    )
    asked = pl.DataFrame({"x": [2.2, 2.8], "z": [0.0, 0.0]})
    errors = []
    for unlabelled in (None, more):
        student = student_of(
            frame,
            rule,
            config,
            ColumnOptions(),
            alpha=0.5,
            student_dropout=0.0,
            unlabelled=unlabelled,
        )
        told = predict_frame(student.bundle, asked).unwrap()["prediction"].to_numpy()
        errors.append(float(np.abs(told - 3).max()))
    assert errors[1] < errors[0] / 3, errors
    assert student.bundle.provenance.unlabelled_rows == 300
    assert noted(student, "unlabelled") == "300 unlabelled rows labelled by the teacher"


def test_the_target_of_unlabelled_rows_is_not_looked_at() -> None:
    more = table(50, seed=7)
    told = [
        student_of(table(), _classifier(), unlabelled=rows)
        for rows in (more, more.drop("y"), more.with_columns(y=pl.lit("yes")))
    ]
    assert len({str(weights(each.bundle.model)) for each in told}) == 1


def test_an_unlabelled_row_of_a_group_that_is_held_out_is_dropped() -> None:
    frame = table().with_columns(owner=pl.int_range(ROWS) // 4)
    labels = LabelConfig(group_column="owner")
    columns = ColumnOptions(exclude_columns=("value", "owner"))
    split = prepare_table(frame, QUICK, columns, labels).unwrap().split
    asked, known = (
        frame["owner"][numbers].unique().to_list() for numbers in (split.test, split.training)
    )
    assert not set(asked) & set(known)
    owners = [str(owner) for owner in (*asked[:3], *known[:4])] + [None, "new"]  # as texts
    more = table(9, seed=5).drop("y").with_columns(owner=pl.Series(owners))
    told = student_of(frame, columns=columns, labels=labels, unlabelled=more)
    assert told.bundle.provenance.unlabelled_rows == 6
    assert noted(told, "has test or validation rows") == (
        "3 unlabelled rows dropped: their 'owner' has test or validation rows"
    )


def test_rows_that_are_in_the_table_are_dropped_and_counted() -> None:
    frame, config = table(), QUICK.model_copy(update={"validation_size": 0.25})
    split = prepare_table(frame, config, CLASSES).unwrap().split
    seen = student_of(frame, config=config, unlabelled=frame)
    without = student_of(frame, config=config)
    held_out = len(split.test) + len(split.validation)
    assert noted(seen, "test or a validation row").startswith(f"{held_out} unlabelled rows")
    assert noted(seen, "equals a training row").startswith(f"{len(split.training)} unlabelled")
    assert weights(seen.bundle.model) == weights(without.bundle.model)
    assert seen.bundle.provenance.unlabelled_rows is None


def test_an_absent_column_is_missing_and_said_so() -> None:
    told = student_of(table(), unlabelled=table(30, seed=3).select("x", "kind"))
    assert noted(told, "lack columns") == (
        "the unlabelled rows lack columns, taken as missing: 'z'"
    )


def test_rows_that_are_no_rows_of_this_table_are_refused_before_a_teacher_is_fitted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(*_: object, **__: object) -> object:
        raise AssertionError("no teacher is fitted for this")

    monkeypatch.setattr(source_module, "taught_by_kind", never)
    for teacher, frame, config, columns in (
        ("boosted", table(), QUICK, CLASSES),
        (teacher_of(), client_frame(), config_for(), DATES),
    ):
        found = distill_student(
            frame,
            teacher,
            config,
            columns=columns,
            unlabelled=pl.DataFrame({"q": [1]}),
            device="cpu",
        )
        (issue,) = found.failure()
        assert isinstance(issue, NoRowColumns)
        assert "they have 'q'" in explain(issue)


def test_rows_of_the_table_without_a_target_are_labelled_too() -> None:
    frame = table().with_columns(
        y=pl.when(pl.int_range(pl.len()) % 4 == 0).then(None).otherwise(pl.col("y"))
    )
    told = student_of(frame)
    count = told.bundle.provenance.unlabelled_rows
    assert count == 60
    assert noted(told, "labelled by the teacher").startswith(
        "60 rows of the table without a target"
    )
    alone = student_of(frame, own_rows=False)
    assert alone.bundle.provenance.unlabelled_rows is None
    assert weights(told.bundle.model) != weights(alone.bundle.model)


def test_rows_that_belong_to_a_group_are_left_out() -> None:
    frame = table().with_columns(
        who=pl.int_range(pl.len()) % 20,
        y=pl.when(pl.int_range(pl.len()) % 4 == 0).then(None).otherwise(pl.col("y")),
    )
    told = student_of(frame, labels=LabelConfig(group_column="who"))
    assert told.bundle.provenance.unlabelled_rows is None


def test_the_seeds_own_function_learns_from_no_other_rows(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    frame = client_frame().with_columns(
        bought=pl.when(pl.int_range(pl.len()) % 4 == 0).then(None).otherwise(pl.col("bought"))
    )
    path = tmp_path_factory.mktemp("seed") / "clients.csv"
    frame.write_csv(path)
    student, _ = distill_model_from_file(
        path, config_for(), teacher_bundle=teacher_of(), date_columns=("joined",), device="cpu"
    )
    assert student.provenance.unlabelled_rows is None


@pytest.mark.parametrize("teacher", ["bundle", "boosted"])
def test_alpha_one_is_the_student_without_a_teacher_to_the_bit(teacher: str) -> None:
    config = config_for(validation_size=0.25)
    speaker = teacher_of() if teacher == "bundle" else teacher
    told = student_of(
        client_frame(),
        speaker,
        config,
        DATES,
        alpha=1.0,
        augment=2.0,
        unlabelled=client_frame(count=140)[80:],
        scratch=True,
    )
    evidence = told.report.evidence
    assert evidence is not None
    assert evidence.scratch is not None
    assert weights(told.bundle.model) == weights(evidence.scratch.bundle.model)
    assert told.bundle.provenance.synthetic_rows is None
    assert "left out" in noted(told, "rows without a label")


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_bundle_speaks_of_more_rows_too(task: str) -> None:
    told = student_of(
        client_frame(task),
        teacher_of(task),
        config_for(task),
        DATES,
        augment=2.0,
        unlabelled=client_frame(task, 140)[80:],
    )
    record = told.bundle.provenance
    assert record.unlabelled_rows == 60
    assert record.synthetic_rows is not None
    assert record.synthetic_rows > 100


def _estimator() -> object:
    return LinearRegression()


def _function() -> object:
    return resolve_teacher(lambda rows: 3 * rows["x"], task="regression").unwrap()


@pytest.mark.parametrize("make", [_estimator, _function, lambda: "extra_trees"])
def test_every_make_of_teacher_speaks_of_rows_that_were_read_as_text(
    make: Callable[[], object],
) -> None:
    frame = table().select("x", "z", "value")
    texts = frame.with_columns(pl.all().cast(pl.String))
    more = table(40, seed=9).select("x", "z").with_columns(pl.all().cast(pl.String))
    config = TrainingConfig(target_column="value", task="regression", epochs=2, hidden_dim=8)
    told = student_of(texts, make(), config, ColumnOptions(), augment=1.0, unlabelled=more)
    assert told.bundle.provenance.synthetic_rows == 192
    assert told.bundle.provenance.unlabelled_rows == 40


def test_scores_of_known_rows_say_nothing_of_others() -> None:
    frame = table().with_row_index("row")
    scores = pl.DataFrame({"row": frame["row"], "probability_no": 0.25, "probability_yes": 0.75})
    kept = resolve_teacher(scores, key="row").unwrap()
    found = distill_student(
        frame, kept, QUICK, DistillConfig(augment=1.0), columns=CLASSES, device="cpu"
    )
    (issue,) = found.failure()
    assert isinstance(issue, NewRowsUnspoken)
    assert "leave augment at 0" in explain(issue)


def test_a_tiny_table_gets_no_rows_and_a_sentence() -> None:
    config = QUICK.model_copy(update={"batch_size": 4})
    told = student_of(table(22), config=config, augment=4.0)
    assert told.bundle.provenance.synthetic_rows is None
    assert noted(told, "no synthetic rows").endswith("training rows, fewer than 20")


def test_students_of_one_search_share_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    usual = augmented_rows

    def counted(*arguments: object) -> Augmented:
        made.append(1)
        return usual(*arguments)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(morerows_module, "augmented_rows", counted)
    frame, config = table(), QUICK.model_copy(update={"validation_size": 0.2})
    variants = tuple(StudentVariant(alpha=alpha) for alpha in (0.25, 0.5, 1.0))
    knobs, more = DistillConfig(augment=2.0), table(50, seed=4)
    found = distill_many(
        frame,
        "boosted",
        config,
        variants,
        knobs,
        unlabelled=more,
        columns=CLASSES,
        device="cpu",
        scratch=True,
    ).unwrap()
    assert made == [1]
    for each in found.every:
        alone = student_of(
            frame,
            config=config,
            augment=2.0,
            unlabelled=more,
            alpha=each.variant.changes["alpha"],
            scratch=True,
        )
        model = each.outcome.unwrap()
        assert model.metrics.validation_loss == pytest.approx(
            alone.metrics.validation_loss, rel=1e-3
        )
        assert model.bundle.provenance.update_steps == alone.bundle.provenance.update_steps
    last = found.every[-1].outcome.unwrap()
    assert found.scratch is not None
    assert weights(last.bundle.model) == weights(found.scratch.bundle.model)


def test_metrics_gate_and_folds_see_the_rows_of_the_table_alone() -> None:
    frame, config = table(), QUICK.model_copy(update={"validation_size": 0.2})
    plain, more = (student_of(frame, config=config, augment=times) for times in (0.0, 2.0))
    first, second = plain.report.evidence, more.report.evidence
    assert first is not None
    assert second is not None
    assert first.gate == second.gate
    assert first.training_loss == second.training_loss
    assert first.held_out_loss == second.held_out_loss
    assert first.folds is not None
    assert second.folds is not None
    np.testing.assert_array_equal(first.folds.parts, second.folds.parts)


def test_layers_and_other_losses_learn_from_more_rows() -> None:
    told = student_of(
        client_frame(),
        teacher_of(),
        config_for(),
        DATES,
        augment=1.0,
        layers=({"student": "head", "teacher": "head"},),
        objective={"losses": ({"kind": "total_variation"},)},
    )
    assert (told.bundle.provenance.synthetic_rows or 0) > 50
    assert np.isfinite(told.metrics.train_loss)
