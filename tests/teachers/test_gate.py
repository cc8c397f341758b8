"""A teacher beside the student's own baseline, before the student is trained."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.data.arrays import FloatArray
from kdtab.data.prepare import EncodedRows, PreparedTable, prepare_table
from kdtab.metrics.bootstrap import Interval
from kdtab.recipes.distill import distill_student
from kdtab.results import Checked
from kdtab.shell.assemble import FitPlan, TrainedModel, fit_model
from kdtab.shell.progress import EpochRecord
from kdtab.shell.trained import DistillEvidence, TeacherGate
from kdtab.teachers import gate as gate_module
from kdtab.teachers.gate import gate_notes
from kdtab.teachers.resolve import resolve_teacher
from spies import weights

ROWS = 400
CONFIG = TrainingConfig(target_column="y", epochs=2, batch_size=32, hidden_dim=16)


class Heard:
    """Everything that was said, in its order."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def start(self, epochs: int, steps_per_epoch: int) -> None:
        self.said.append("start")

    def step(self) -> None: ...

    def epoch(self, record: EpochRecord) -> None: ...

    def finish(self) -> None:
        self.said.append("finish")

    def stage(self, name: str, detail: str = "") -> None:
        self.said.append(f"{name}: {detail}")

    def remark(self, sentence: str) -> None:
        self.said.append(sentence)


def hard_frame() -> pl.DataFrame:
    """A parity of two signs, which two epochs of a small network do not learn."""
    drawn = np.random.default_rng(0)
    cells = drawn.standard_normal((ROWS, 2))
    yes = (cells[:, 0] > 0) != (cells[:, 1] > 0)
    return pl.DataFrame({"a": cells[:, 0], "b": cells[:, 1], "y": np.where(yes, "yes", "no")})


def speaking(shares: Callable[[pl.DataFrame], FloatArray]) -> object:
    def said(rows: pl.DataFrame) -> FloatArray:
        yes = shares(rows)
        return np.stack([1 - yes, yes], axis=1)

    found = resolve_teacher(said, task="classification", classes=("no", "yes"), name="rule")
    return found.unwrap()


def knowing(rows: pl.DataFrame) -> FloatArray:
    return np.where((rows["a"].to_numpy() > 0) != (rows["b"].to_numpy() > 0), 0.99, 0.01)


def wrong(rows: pl.DataFrame) -> FloatArray:
    return 1 - knowing(rows)


def unsure(rows: pl.DataFrame) -> FloatArray:
    shares: FloatArray = 0.5 + 0.2 * np.sin(rows["a"].to_numpy() * 50)
    return shares


def distilled(
    teacher: object, labels: LabelConfig | None = None, config: TrainingConfig = CONFIG,
    heard: Heard | None = None, *, scratch: bool = False, frame: pl.DataFrame | None = None,
) -> TrainedModel:  # fmt: skip
    return distill_student(
        hard_frame() if frame is None else frame,
        teacher,
        config,
        DistillConfig(student_hidden_dim=16),
        labels=labels,
        device="cpu",
        progress=heard or Heard(),
        scratch=scratch,
    ).unwrap()


def evidence_of(model: TrainedModel) -> DistillEvidence:
    assert model.report.evidence is not None
    return model.report.evidence


def gate_of(model: TrainedModel) -> TeacherGate:
    found = evidence_of(model).gate
    assert found is not None
    return found


def test_a_worse_teacher_is_named_before_the_student_is_trained_and_written_down() -> None:
    heard = Heard()
    model = distilled(speaking(wrong), heard=heard)
    gate = gate_of(model)
    assert gate.verdict == "worse"
    assert gate.lead < 0
    (warning,) = (words for words in heard.said if words.startswith("warning"))
    assert "worse than the same student without it" in warning
    assert heard.said.index(warning) < heard.said.index("distilling: ")
    assert warning in model.report.notes
    assert warning in model.bundle.provenance.notes


def test_a_better_teacher_needs_no_word() -> None:
    heard = Heard()
    model = distilled(speaking(knowing), heard=heard)
    assert gate_of(model).verdict == "better"
    assert gate_of(model).saw_rows == "unknown"
    assert not any("student without it" in words for words in (*heard.said, *model.report.notes))


def test_one_that_knows_no_more_is_said_to_be_not_clearly_better() -> None:
    yes = np.random.default_rng(1).random(ROWS) < 0.5
    noise = hard_frame().with_columns(pl.Series("y", np.where(yes, "yes", "no")))
    model = distilled(speaking(unsure), frame=noise)
    assert gate_of(model).verdict == "not_clearly_better"
    assert any("not clearly better" in note for note in model.report.notes)


def test_teachers_that_kdtab_fits_are_compared_on_a_fold_that_neither_saw() -> None:
    gate = gate_of(distilled("boosted"))
    assert (gate.place, gate.saw_rows, gate.rows) == ("held_out_fold", "no", 64)
    assert gate.different_rows == 64


def spied_fits(monkeypatch: pytest.MonkeyPatch) -> list[EncodedRows]:
    """The training rows of every student that is fitted for the gate."""
    fitted: list[EncodedRows] = []

    def spy(prepared: PreparedTable, plan: FitPlan, **named: object) -> Checked[TrainedModel]:
        fitted.append(prepared.training)
        assert plan.soft_targets is None
        return fit_model(prepared, plan, **named)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(gate_module, "fit_model", spy)
    return fitted


@pytest.mark.parametrize("policy", [LabelConfig(folds=4), LabelConfig(folds=4, time_column="a")])
def test_the_baseline_is_fitted_on_the_rows_of_the_folds_teacher(
    policy: LabelConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = spied_fits(monkeypatch)
    model = distilled("boosted", policy)
    folds = evidence_of(model).folds
    assert folds is not None
    prepared = prepare_table(hard_frame(), CONFIG, ColumnOptions(), policy).unwrap()
    fold = 3 if policy.time_column else 0
    (rows,) = fitted
    np.testing.assert_array_equal(rows.inputs, prepared.training.inputs[folds.fits[fold]])
    assert gate_of(model).rows == len(folds.rows(fold))


def test_the_losses_are_those_of_teacher_and_baseline_on_that_fold() -> None:
    model = distilled(speaking(knowing), LabelConfig(labels="as_given"))
    assert gate_of(model).teacher_loss == pytest.approx(-np.log(0.99), rel=1e-4)
    interval = gate_of(model).lead_interval
    assert interval.low < gate_of(model).lead < interval.high
    assert 0.4 < gate_of(model).scratch_loss < 1.0


def test_validation_rows_are_taken_where_there_are_some() -> None:
    config = TrainingConfig(**{**CONFIG.model_dump(), "validation_size": 0.2})
    model = distilled("boosted", config=config)
    gate, scratch = gate_of(model), evidence_of(model).scratch
    assert (gate.place, gate.rows, gate.saw_rows) == ("validation", 80, "no")
    assert scratch is not None
    assert scratch.metrics.validation_loss == pytest.approx(gate.scratch_loss, rel=1e-5)


def test_of_in_sample_labels_a_fold_would_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = spied_fits(monkeypatch)
    assert evidence_of(distilled("boosted", LabelConfig(labels="in_sample"))).gate is None
    assert not fitted


def test_without_the_gate_nothing_more_is_fitted_and_the_student_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fitted = spied_fits(monkeypatch)
    plain = distilled("forest", LabelConfig(gate=False))
    assert (evidence_of(plain).gate, fitted) == (None, [])
    gated = distilled("forest")
    assert len(fitted) == 1
    assert weights(plain.bundle.model) == weights(gated.bundle.model)


def test_too_few_rows_for_a_verdict_give_none() -> None:
    assert evidence_of(distilled("forest", frame=hard_frame().head(60))).gate is None


def test_copies_of_a_row_are_no_evidence_of_their_own() -> None:
    frame = pl.concat([hard_frame().head(40)] * 10)
    labels = LabelConfig(folds=2)
    found = evidence_of(distilled("boosted", labels, frame=frame)).gate
    assert found is None


def test_a_report_has_its_scratch_student_of_all_rows_beside_the_gate() -> None:
    evidence = evidence_of(distilled("forest", scratch=True))
    assert evidence.scratch is not None
    assert evidence.scratch.metrics.training_rows == 320
    assert evidence.gate is not None
    assert evidence.gate.place == "held_out_fold"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 0.2, "better"),
        (0.0, 0.2, "not_clearly_better"),
        (-0.2, 0.0, "not_clearly_better"),
        (-0.2, -0.1, "worse"),
    ],
)
def test_the_verdict_needs_an_interval_on_one_side_of_zero(
    low: float, high: float, verdict: str
) -> None:
    gate = TeacherGate("validation", 90, 80, 0.5, 0.4, Interval(low, high), "no")
    assert gate.verdict == verdict
    assert bool(gate_notes(gate)) == (verdict != "better")


def test_the_parts_of_a_run_are_told_in_their_order() -> None:
    heard = Heard()
    distilled("boosted", LabelConfig(folds=2), heard=heard)
    stages = [words for words in heard.said if ": " in words and "student without it" not in words]
    assert stages == [
        "teacher: boosted, fold 1 of 2",
        "teacher: boosted, fold 2 of 2",
        "teacher: boosted, all training rows",
        "student without a teacher, on the other folds: ",
        "distilling: ",
    ]


def test_progress_is_finished_when_a_teacher_is_interrupted() -> None:
    class Impatient(Heard):
        def stage(self, name: str, detail: str = "") -> None:
            super().stage(name, detail)
            if detail.startswith("boosted, fold 2"):
                raise KeyboardInterrupt

    heard = Impatient()
    with pytest.raises(KeyboardInterrupt):
        distilled("boosted", heard=heard)
    assert heard.said[-2:] == ["teacher: boosted, fold 2 of 5", "finish"]
