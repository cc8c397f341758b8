"""Students of teachers that kdtab fits: honest labels, no row seen that should not be."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from sklearn import ensemble
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression

from clients import DATES, client_frame, config_for, teacher_of
from kdtab.bundle import ModelBundle
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.teachers import LabelConfig, LabelPolicy
from kdtab.config.training import Task, TrainingConfig
from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.artifacts import encode_features
from kdtab.data.folds import Folds
from kdtab.data.prepare import EncodedRows, PreparedTable, prepare_table
from kdtab.errors.columns import ColumnMissing
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import explain
from kdtab.errors.teachers import TaskMismatch
from kdtab.recipes.distill import distill_student
from kdtab.recipes.train import train_model
from kdtab.results import Checked
from kdtab.shell.assemble import TrainedModel, measure_bundle
from kdtab.shell.trained import DistillEvidence
from kdtab.teachers import instruction as instruction_module
from kdtab.teachers import source as source_module
from kdtab.teachers import taught as taught_module
from kdtab.teachers import trees as trees_module
from kdtab.teachers.crossfit import Says, Targets
from kdtab.teachers.lesson import Lesson
from kdtab.teachers.resolve import resolve_teacher
from spies import weights

NOISE_ROWS = 300
SURE = DistillConfig(alpha=0.0, temperature=1.0, student_dropout=0.0, student_hidden_dim=256)
MEMORY = TrainingConfig(target_column="y", epochs=120, batch_size=32, learning_rate=3e-3)


def noise(seed: int = 0) -> pl.DataFrame:
    """Labels that have nothing to do with the columns beside them."""
    drawn = np.random.default_rng(seed)
    columns = {f"x{at}": drawn.standard_normal(NOISE_ROWS) for at in range(12)}
    return pl.DataFrame({**columns, "y": drawn.choice(["no", "yes"], NOISE_ROWS, p=[0.4, 0.6])})


def training_accuracy(model: TrainedModel, frame: pl.DataFrame, config: TrainingConfig) -> float:
    prepared = prepare_table(frame, config, ColumnOptions()).unwrap()
    return measure_bundle(model.bundle, prepared.training).test_metric_value


def highest_honest_accuracy(frame: pl.DataFrame, config: TrainingConfig) -> float:
    """The upper end of the 99 % binomial band of someone who always says the frequent class."""
    targets = prepare_table(frame, config, ColumnOptions()).unwrap().training.targets
    rows, share = len(targets), np.bincount(targets.astype(np.int64)).max() / len(targets)
    chances = [
        math.comb(rows, hits) * share**hits * (1 - share) ** (rows - hits)
        for hits in range(rows + 1)
    ]
    return float(np.searchsorted(np.cumsum(chances), 0.995) / rows)


def memorising_forest() -> RandomForestClassifier:
    return RandomForestClassifier(n_estimators=60, random_state=0)


def taught_on_noise(policy: LabelPolicy, teacher: object) -> tuple[float, DistillEvidence]:
    labels = LabelConfig(labels=policy, gate=False)
    model = distill_student(noise(), teacher, MEMORY, SURE, labels=labels, device="cpu").unwrap()
    assert model.report.evidence is not None
    return training_accuracy(model, noise(), MEMORY), model.report.evidence


@pytest.mark.parametrize("teacher", ["forest", memorising_forest()], ids=["bag", "folds"])
def test_a_student_of_noise_learns_no_label_out_of_fold(teacher: object) -> None:
    accuracy, evidence = taught_on_noise("auto", teacher)
    assert accuracy <= highest_honest_accuracy(noise(), MEMORY)
    assert evidence.saw_training_rows == "no"
    assert evidence.method == ("out_of_bag" if teacher == "forest" else "out_of_fold")


def test_a_student_of_noise_learns_what_the_forest_memorised_in_sample() -> None:
    accuracy, evidence = taught_on_noise("in_sample", memorising_forest())
    assert accuracy > 0.9
    assert evidence.saw_training_rows == "yes"
    assert evidence.leak_gap is not None
    assert evidence.leak_gap > 0.3


def test_a_planted_leak_through_the_folds_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same test fails where each fold's teacher has seen the rows that it labels."""
    honest = taught_module.training_folds

    def leaking(*arguments: object, **named: object) -> Checked[Folds]:
        found: Checked[Folds] = honest(*arguments, **named)  # type: ignore[arg-type]  # handed on
        return found.map(
            lambda folds: Folds(
                folds.parts,
                tuple(np.arange(len(folds.parts)) for _ in folds.fits),
                folds.groups,
                folds.identical_share,
            )
        )

    monkeypatch.setattr(source_module, "training_folds", leaking)
    accuracy, _ = taught_on_noise("auto", memorising_forest())
    assert accuracy > highest_honest_accuracy(noise(), MEMORY)


def test_a_student_of_labels_out_of_sample_is_warned_about() -> None:
    config = config_for(epochs=1)
    labels = LabelConfig(labels="in_sample")
    model = distill_student(client_frame(), "forest", config, labels=labels, device="cpu").unwrap()
    (warning,) = (note for note in model.report.notes if note.startswith("warning"))
    assert "the teacher labelled rows that it was fitted on" in warning
    assert warning in model.bundle.provenance.notes


class SeenRows:
    """An estimator whose clones write down which rows each of them was fitted on and asked about."""

    fitted: ClassVar[list[list[int]]] = []
    asked: ClassVar[list[list[int]]] = []

    def get_params(self, deep: bool = True) -> dict[str, object]:
        return {}

    def fit(self, X: pl.DataFrame, y: npt.NDArray[np.generic]) -> SeenRows:
        self.fitted.append(list(X["number"]))
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: pl.DataFrame) -> npt.NDArray[np.generic]:
        raise AssertionError

    def predict_proba(self, X: pl.DataFrame) -> FloatArray:
        self.asked.append(list(X["number"]))
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


def numbered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.int_range(frame.height).cast(pl.Float64).alias("number"))


def with_validation_rows(prepared: PreparedTable) -> PreparedTable:
    """The table with its validation rows among the training rows: the leak to be caught."""
    split, kept, leaked = prepared.split, prepared.training, prepared.validation
    rows = np.concatenate([split.training, split.validation])
    both = EncodedRows(
        np.concatenate([kept.inputs, leaked.inputs]), np.concatenate([kept.targets, leaked.targets])
    )
    return replace(prepared, split=replace(split, training=rows), training=both)


@pytest.mark.parametrize("planted", [False, True])
def test_no_teacher_sees_a_test_or_a_validation_row(
    planted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    SeenRows.fitted.clear()
    SeenRows.asked.clear()
    frame = numbered(noise())
    config = TrainingConfig(target_column="y", epochs=1, validation_size=0.2)
    if planted:
        honest = source_module.prepared_for
        monkeypatch.setattr(
            instruction_module,
            "prepared_for",
            lambda *arguments: honest(*arguments).map(with_validation_rows),
        )
    distill_student(frame, SeenRows(), config, device="cpu").unwrap()
    split = prepare_table(frame, config, ColumnOptions()).unwrap().split
    kept = set(split.training.tolist())
    assert len(SeenRows.fitted) == 6
    assert all(set(rows) <= kept for rows in SeenRows.fitted) is not planted
    for fitted, asked in zip(SeenRows.fitted[:5], SeenRows.asked[:5], strict=True):
        assert not set(fitted) & set(asked)
        assert sorted([*fitted, *asked]) == sorted(SeenRows.fitted[-1])


def fitted_matrices(monkeypatch: pytest.MonkeyPatch) -> list[Float32Array]:
    """The rows of every forest, booster and network that is fitted for a teacher."""
    seen: list[Float32Array] = []

    def spied(fit: Callable[..., object]) -> Callable[..., object]:
        def on_fit(model: object, X: Float32Array, *rest: object, **more: object) -> object:
            seen.append(np.asarray(X))
            return fit(model, X, *rest, **more)

        return on_fit

    for name in (
        "RandomForestClassifier",
        "ExtraTreesClassifier",
        "HistGradientBoostingClassifier",
    ):
        model = getattr(ensemble, name)
        monkeypatch.setattr(model, "fit", spied(model.fit))

    def network(_: object, __: object) -> Callable[..., Checked[Says[Float32Array]]]:
        def fit(
            rows: Float32Array, targets: Targets, seed: int, _: int
        ) -> Checked[Says[Float32Array]]:
            seen.append(rows)
            lesson = Lesson("classification", 2, random_seed=seed)
            return trees_module.forest_fit("forest", lesson, trees=3)(rows, targets)

        return fit

    monkeypatch.setattr(source_module, "supervised_network_fit", network)
    return seen


@pytest.mark.parametrize("kind", ["forest", "boosted", "ensemble"])
def test_no_member_of_a_kind_sees_a_test_or_a_validation_row(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = fitted_matrices(monkeypatch)
    frame = noise()
    config = TrainingConfig(target_column="y", epochs=1, validation_size=0.2)
    model = distill_student(frame, kind, config, device="cpu").unwrap()
    split = prepare_table(frame, config, ColumnOptions()).unwrap().split
    inputs = encode_features(frame, model.bundle.artifacts)
    kept = {row.tobytes() for row in inputs[split.training]}
    assert seen
    assert all({row.tobytes() for row in rows} <= kept for rows in seen)


def test_the_weights_of_an_ensemble_lie_on_the_simplex_and_are_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fitted_matrices(monkeypatch)
    config = config_for(epochs=1)
    model = distill_student(client_frame(), "ensemble", config, device="cpu").unwrap()
    evidence = model.report.evidence
    assert evidence is not None
    names = [name for name, _ in evidence.weights]
    assert names == ["forest", "extra_trees", "boosted", "network", "network", "network"]
    assert sum(weight for _, weight in evidence.weights) == pytest.approx(1.0)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("kind", ["forest", "extra_trees", "boosted"])
def test_each_kind_teaches_each_task_and_is_written_down(kind: str, task: str) -> None:
    model = distill_student(client_frame(task), kind, config_for(task), device="cpu").unwrap()
    record, evidence = model.bundle.provenance, model.report.evidence
    assert evidence is not None
    assert record.teacher_kind == evidence.teacher.name == kind.replace("_", " ")
    assert record.teacher_fingerprint == evidence.teacher.fingerprint
    assert record.label_config == LabelConfig()
    assert record.label_method == evidence.method
    assert evidence.test_outputs.classes == model.bundle.class_names
    assert len(evidence.test_outputs.values) == len(evidence.test_rows) == 16
    again = evidence.outputs_of(evidence.table[evidence.test_rows]).unwrap()
    np.testing.assert_array_equal(again.values, evidence.test_outputs.values)


@pytest.mark.parametrize("kind", ["forest", "boosted"])
def test_the_same_seed_gives_the_same_student_to_the_bit(kind: str) -> None:
    first, again, other = (
        distill_student(client_frame(), kind, config_for(random_seed=seed), device="cpu").unwrap()
        for seed in (3, 3, 4)
    )
    assert weights(first.bundle.model) == weights(again.bundle.model)
    assert (
        first.bundle.provenance.teacher_fingerprint == again.bundle.provenance.teacher_fingerprint
    )
    assert (
        first.bundle.provenance.teacher_fingerprint != other.bundle.provenance.teacher_fingerprint
    )


def test_rows_without_a_vote_learn_from_their_own_label_and_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trees_module, "TREES", 2)
    whole = trees_module.out_of_bag
    monkeypatch.setattr(
        "kdtab.teachers.kinds.out_of_bag",
        lambda *arguments: whole(*arguments, trees=2),
    )
    model = distill_student(noise(), "forest", MEMORY, SURE, device="cpu").unwrap()
    evidence = model.report.evidence
    assert evidence is not None
    assert 0 < evidence.unlabelled_rows < 240
    assert any(
        note.startswith(f"{evidence.unlabelled_rows} training rows") for note in model.report.notes
    )
    assert training_accuracy(model, noise(), MEMORY) > 0.6


def test_groups_and_times_decide_the_folds() -> None:
    frame = noise().with_columns(
        pl.Series("who", [f"p{at % 11}" for at in range(NOISE_ROWS)]),
        pl.Series("day", [f"2020-01-{1 + at % 28:02d}" for at in range(NOISE_ROWS)]),
    )
    config = TrainingConfig(target_column="y", epochs=1)
    by_who = LabelConfig(group_column="who", folds=3)
    by_day = LabelConfig(time_column="day", folds=3)
    split = prepare_table(frame, config, ColumnOptions(), by_who).unwrap().split
    grouped = distill_student(frame, "forest", config, labels=by_who, device="cpu").unwrap()
    assert grouped.report.evidence is not None
    folds = grouped.report.evidence.folds
    assert folds is not None
    assert grouped.report.evidence.method == "out_of_fold"
    who = frame["who"].to_numpy()[split.training]
    assert all(len(set(folds.parts[who == name])) == 1 for name in set(who))
    assert not set(who) & set(frame["who"].to_numpy()[grouped.report.evidence.test_rows])
    timed = distill_student(frame, "boosted", config, labels=by_day, device="cpu").unwrap()
    assert timed.report.evidence is not None
    folds = timed.report.evidence.folds
    assert folds is not None
    split = prepare_table(frame, config, ColumnOptions(), by_day).unwrap().split
    day = frame["day"].to_numpy()[split.training]
    assert max(day) < min(frame["day"].to_numpy()[timed.report.evidence.test_rows])
    for fold, seen in enumerate(folds.fits):
        assert max(day[seen]) < min(day[folds.rows(fold)])
    assert timed.report.evidence.unlabelled_rows == (folds.parts < 0).sum() > 0


def test_the_scratch_student_is_the_same_network_with_the_same_steps() -> None:
    model = distill_student(
        client_frame(), "forest", config_for(), device="cpu", scratch=True
    ).unwrap()
    assert model.report.evidence is not None
    scratch = model.report.evidence.scratch
    assert scratch is not None
    assert scratch.bundle.model.spec == model.bundle.model.spec
    assert scratch.metrics.update_steps == model.metrics.update_steps
    assert scratch.bundle.provenance.teacher_fingerprint is None
    assert weights(scratch.bundle.model) != weights(model.bundle.model)
    alone = distill_student(
        client_frame(), "forest", config_for(), DistillConfig(alpha=1.0), device="cpu"
    ).unwrap()
    assert weights(scratch.bundle.model) == weights(alone.bundle.model)


def test_a_fitted_estimator_is_cloned_and_left_as_it_was() -> None:
    frame = client_frame()
    numeric = frame.select(pl.col("age").cast(pl.Int64, strict=False).fill_null(0), "bought")
    forest = RandomForestClassifier(n_estimators=8, random_state=1)
    forest.fit(numeric.select("age").to_pandas(), numeric["bought"].to_list())
    before = forest.predict_proba(numeric.select("age").to_pandas())
    model = distill_student(numeric, forest, config_for(), device="cpu").unwrap()
    evidence = model.report.evidence
    assert evidence is not None
    assert (evidence.method, evidence.saw_training_rows) == ("out_of_fold", "no")
    np.testing.assert_array_equal(forest.predict_proba(numeric.select("age").to_pandas()), before)
    given = distill_student(
        numeric, forest, config_for(), labels=LabelConfig(labels="as_given"), device="cpu"
    ).unwrap()
    assert given.report.evidence is not None
    assert given.report.evidence.method == "as_given"
    assert given.report.evidence.saw_training_rows == "unknown"
    assert any("may have seen any of the rows" in note for note in given.report.notes)


def test_an_estimator_need_not_be_fitted() -> None:
    frame = pl.DataFrame({"a": np.arange(60.0), "b": np.arange(60.0)[::-1] ** 2})
    frame = frame.with_columns((pl.col("a") * 3 + 0.25).alias("y"))
    config = TrainingConfig(target_column="y", epochs=1)
    model = distill_student(frame, LinearRegression(), config, device="cpu").unwrap()
    assert model.report.evidence is not None
    assert model.report.evidence.held_out_loss < 1e-6


def test_classes_in_another_order_give_the_same_student() -> None:
    frame = client_frame()
    bought = (frame["bought"] == "yes").to_numpy()

    def rule(order: tuple[str, str]) -> object:
        def said(rows: pl.DataFrame) -> FloatArray:
            ages = rows["age"].cast(pl.Float64, strict=False).fill_null(40).to_numpy()
            yes = 1 / (1 + np.exp(40 - ages))
            return np.stack([yes if name == "yes" else 1 - yes for name in order], axis=1)

        return resolve_teacher(said, task="classification", classes=order, name=str(order)).unwrap()

    first, turned = (
        distill_student(frame, rule(order), config_for(), device="cpu").unwrap()
        for order in (("no", "yes"), ("yes", "no"))
    )
    assert bought.any()
    assert weights(first.bundle.model) == weights(turned.bundle.model)


def test_weights_of_one_and_nothing_are_the_first_teacher_alone() -> None:
    frame, config = client_frame("regression"), config_for("regression")

    def constant(value: float) -> object:
        rule = lambda rows: np.full(rows.height, value)  # noqa: E731
        return resolve_teacher(rule, task="regression", name=str(value)).unwrap()

    alone = distill_student(frame, constant(300.0), config, device="cpu").unwrap()
    mixed = distill_student(
        frame, [(constant(300.0), 1.0), (constant(900.0), 0.0)], config, device="cpu"
    )
    assert weights(alone.bundle.model) == weights(mixed.unwrap().bundle.model)


def test_a_bundle_is_asked_about_test_rows_only_when_somebody_wants_to_know() -> None:
    plain = distill_student(client_frame(), teacher_of(), config_for(), columns=DATES, device="cpu")
    asked = distill_student(
        client_frame(),
        teacher_of(),
        config_for(),
        labels=LabelConfig(),
        columns=DATES,
        device="cpu",
    )
    assert plain.unwrap().report.evidence is None
    evidence = asked.unwrap().report.evidence
    assert evidence is not None
    assert (evidence.method, evidence.saw_training_rows) == ("as_given", "yes")
    assert weights(plain.unwrap().bundle.model) == weights(asked.unwrap().bundle.model)


@pytest.mark.parametrize(
    ("teacher", "policy", "sentence"),
    [
        ("forest", "as_given", "labels must be auto or in_sample with the teacher 'forest'"),
        (lambda rows: rows["age"], "in_sample", "which cannot be fitted again"),
    ],
)
def test_a_policy_that_the_teacher_cannot_follow_is_refused(
    teacher: object, policy: LabelPolicy, sentence: str
) -> None:
    lost = distill_student(
        client_frame("regression"),
        teacher,
        config_for("regression"),
        labels=LabelConfig(labels=policy),
    ).failure()
    assert isinstance(lost.first, FieldInvalid)
    assert sentence in explain(lost.first)


def test_a_bundle_of_another_split_may_have_seen_the_test_rows() -> None:
    frame = client_frame().with_columns(pl.Series("who", [f"p{at % 9}" for at in range(80)]))
    config = config_for()
    teacher = train_model(frame, config, device="cpu").unwrap().bundle
    seen = []
    for labels in (LabelConfig(gate=False), LabelConfig(group_column="who", gate=False)):
        model = distill_student(frame, teacher, config, labels=labels, device="cpu").unwrap()
        assert model.report.evidence is not None
        seen.append(model.report.evidence.saw_training_rows)
    assert seen == ["yes", "unknown"]
    assert model.bundle.provenance.label_config == LabelConfig(group_column="who", gate=False)


def test_columns_that_are_not_there_and_a_wrong_task_are_named() -> None:
    labels = LabelConfig(group_column="patient", time_column="when")
    lost = distill_student(client_frame(), "forest", config_for(), labels=labels).failure()
    assert [type(issue) for issue in lost] == [ColumnMissing, ColumnMissing]
    config = config_for(task="regression")
    wrong = distill_student(client_frame(), RandomForestClassifier(), config).failure()
    assert wrong.first == TaskMismatch(requested="regression", teacher="classification")


def test_a_regressor_takes_texts_and_missing_cells_as_its_own_library_does() -> None:
    frame = pl.DataFrame({"a": ["1", "2", "?", "4"] * 20, "y": [0.5, 1.5, 2.5, 3.5] * 20})
    config = TrainingConfig(target_column="y", task="regression", epochs=1)
    model = distill_student(frame, RandomForestRegressor(5, random_state=0), config, device="cpu")
    assert model.unwrap().report.evidence is not None


def test_the_road_of_a_bundle_in_a_list_of_one_or_a_teacher_of_it_is_the_same() -> None:
    bundle: ModelBundle = teacher_of()
    teacher = resolve_teacher(bundle).unwrap()
    first = distill_student(client_frame(), bundle, config_for(), columns=DATES, device="cpu")
    again = distill_student(client_frame(), teacher, config_for(), columns=DATES, device="cpu")
    assert weights(first.unwrap().bundle.model) == weights(again.unwrap().bundle.model)
    assert again.unwrap().bundle.scaler is bundle.scaler


def test_a_teacher_that_knows_nothing_is_named() -> None:
    task: Task = "classification"
    model = distill_student(noise(), "forest", config_for(task, target_column="y"), device="cpu")
    assert any("knows no more than the mean answer" in note for note in model.unwrap().report.notes)
