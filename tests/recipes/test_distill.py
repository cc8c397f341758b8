from __future__ import annotations

import pytest

from clients import DATES, client_frame, config_for, teacher_of
from kdtab.config.distillation import DistillConfig
from kdtab.errors.configs import ModeNeedsClassification
from kdtab.errors.teachers import TaskMismatch
from kdtab.recipes.distill import distill_student, teacher_issues
from kdtab.shell.progress import EpochRecord


class Heard:
    """Writes down the epochs."""

    def __init__(self) -> None:
        self.records: list[EpochRecord] = []

    def start(self, epochs: int, steps_per_epoch: int) -> None: ...

    def step(self) -> None: ...

    def finish(self) -> None: ...

    def stage(self, name: str, detail: str = "") -> None: ...

    def remark(self, sentence: str) -> None: ...

    def epoch(self, record: EpochRecord) -> None:
        self.records.append(record)


@pytest.mark.requirement("REQ-KD19")
@pytest.mark.parametrize(
    ("alpha", "terms"),
    [(0.3, {"hard", "soft", "loss"}), (0.0, {"soft", "loss"}), (1.0, {"hard", "loss"})],
)
def test_every_epoch_says_what_its_loss_was_made_of(alpha: float, terms: set[str]) -> None:
    heard = Heard()
    model = distill_student(
        client_frame(), teacher_of(), config_for(), DistillConfig(alpha=alpha), progress=heard
    ).unwrap()
    assert model.report.fitted.history == tuple(heard.records)
    for record in heard.records:
        assert set(record.terms) == terms
        parts = [alpha * record.terms.get("hard", 0), (1 - alpha) * record.terms.get("soft", 0)]
        assert record.loss == pytest.approx(sum(parts), rel=1e-6)


def test_the_soft_loss_alone_brings_the_student_to_its_teacher() -> None:
    config = config_for(epochs=60, learning_rate=0.01)
    model = distill_student(
        client_frame(), teacher_of(), config, DistillConfig(alpha=0.0, student_dropout=0.0)
    ).unwrap()
    losses = [record.loss for record in model.report.fitted.history]
    assert losses[-1] < 0.1 * losses[0]


@pytest.mark.requirement("REQ-KD24")
def test_the_bundle_records_the_teacher_and_the_knobs() -> None:
    knobs = DistillConfig(temperature=3.0, alpha=0.25)
    model = distill_student(
        client_frame(), teacher_of(), config_for(), knobs, columns=DATES
    ).unwrap()
    known = model.bundle.provenance
    assert known.teacher_fingerprint == teacher_of().fingerprint
    assert known.distill_config == knobs
    assert known.table_fingerprint == teacher_of().provenance.table_fingerprint
    assert known.task_reason == "the teacher's task"


@pytest.mark.requirement("EC-KD03")
@pytest.mark.parametrize(("hidden", "larger"), [(4, False), (40, True)])
def test_a_student_that_is_not_smaller_is_reported_with_both_sizes(
    hidden: int, larger: bool
) -> None:
    knobs = DistillConfig(student_hidden_dim=hidden, student_num_hidden_layers=2)
    model = distill_student(client_frame(), teacher_of(), config_for(epochs=1), knobs).unwrap()
    sizes = f"{model.bundle.parameter_count:,} and {teacher_of().parameter_count:,} parameters"
    note = f"the student is not smaller than its teacher: {sizes}"
    assert (note in model.report.notes) is larger
    assert (note in model.bundle.provenance.notes) is larger


def test_the_frame_is_never_changed() -> None:
    frame = client_frame()
    distill_student(frame, teacher_of(), config_for(epochs=1)).unwrap()
    assert frame.equals(client_frame())


@pytest.mark.requirement("REQ-KD06", "REQ-KD07")
@pytest.mark.parametrize(
    ("teacher", "task", "mode", "found"),
    [
        ("classification", "auto", "imbalance_aware", ()),
        ("classification", "classification", "mlp_dense", ()),
        ("classification", "regression", "mlp_dense", (TaskMismatch,)),
        ("regression", "auto", "mlp_dense", ()),
        ("regression", "classification", "imbalance_aware", (TaskMismatch,)),
        ("regression", "auto", "imbalance_aware", (ModeNeedsClassification,)),
        ("regression", "regression", "calibrated_classifier", (ModeNeedsClassification,)),
    ],
)
def test_what_a_teacher_cannot_give_is_found_before_the_table_is_looked_at(
    teacher: str, task: str, mode: str, found: tuple[type[object], ...]
) -> None:
    config = config_for(teacher, task=task, training_mode=mode)
    assert tuple(map(type, teacher_issues(teacher_of(teacher), config))) == found
