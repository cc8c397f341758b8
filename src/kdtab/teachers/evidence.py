"""What there is to show for a teacher: how it labelled, and how good it is on rows nobody saw."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from returns.result import Result

from kdtab.bundle import ModelBundle
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.data.arrays import Float32Array
from kdtab.data.artifacts import network_targets
from kdtab.data.outputs import TeacherOutputs
from kdtab.data.prepared import PreparedTable
from kdtab.results import Checked
from kdtab.shell.trained import DistillEvidence, SeenRows
from kdtab.teachers.studentview import in_student_order, loss_of_targets, student_targets
from kdtab.teachers.taught import Taught


def gathered_evidence(
    taught: Taught,
    spoken: Float32Array,
    prepared: PreparedTable,
    table: pl.DataFrame,
    *,
    seconds: float,
) -> Checked[DistillEvidence]:
    """Ask the teacher about the test rows, and compare it there with its labels.

    Args:
        taught: The teacher and its labels.
        spoken: [N, C] its labels as the student takes them; NaN where there are none.
        prepared: The table, split and encoded.
        table: All its rows as the teacher takes them.
        seconds: What fitting and asking it took.

    Returns:
        The evidence, or the teacher's issues.

    Example:
        >>> from kdtab.recipes.distill import distill_student
        >>> frame = pl.DataFrame({"x": list(range(60)), "y": ["no", "yes"] * 30})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> student = distill_student(frame, "boosted", config, device="cpu").unwrap()
        >>> student.report.evidence.saw_training_rows, len(student.report.evidence.test_rows)
        ('no', 12)
    """

    def outputs_of(rows: pl.DataFrame) -> Checked[TeacherOutputs]:
        return taught.teacher.outputs(rows).bind(
            lambda said: in_student_order(said, prepared, taught.missing)
        )

    return Result.do(
        DistillEvidence(
            teacher=taught.teacher.info,
            method=taught.method,
            saw_training_rows=taught.saw_training_rows,
            outputs_of=outputs_of,
            table=table,
            test_rows=prepared.split.test,
            test_outputs=outputs,
            training_loss=loss_of_targets(spoken, prepared.training, prepared),
            held_out_loss=loss_of_targets(held_out, prepared.test, prepared) or 0.0,
            unlabelled_rows=int(np.isnan(spoken).any(axis=1).sum()),
            identical_share=taught.folds.identical_share if taught.folds else 0.0,
            seconds=seconds,
            folds=taught.folds,
            weights=taught.weights,
        )
        for outputs in outputs_of(table[prepared.split.test])
        for held_out in student_targets(outputs, prepared, taught.missing)
    )


def evidence_notes(evidence: DistillEvidence, prepared: PreparedTable) -> tuple[str, ...]:
    """What a person should know about the labels before believing in the student.

    Args:
        evidence: With the scratch student, where there is one.
        prepared: The table.

    Returns:
        Sentences; none where all is as it should be.

    Example:
        >>> from kdtab.config.teachers import LabelConfig
        >>> from kdtab.recipes.distill import distill_student
        >>> frame = pl.DataFrame({"x": list(range(60)), "y": ["no", "yes"] * 30})
        >>> config, labels = TrainingConfig(target_column="y", epochs=1), LabelConfig(labels="in_sample")
        >>> student = distill_student(frame, "forest", config, labels=labels, device="cpu").unwrap()
        >>> student.report.notes[0][:26]
        'warning: in-sample labels:'
    """
    return tuple(_sentences(evidence, prepared))


def rows_seen_by(
    bundle: ModelBundle, fingerprint: str, config: TrainingConfig, labels: LabelConfig
) -> SeenRows:
    """Whether a bundle was trained on the very rows that a student is now trained on.

    Args:
        bundle: The teacher.
        fingerprint: Of the student's table.
        config: Whose seed and sizes decide the student's split.
        labels: Whose group and time column do, too.

    Returns:
        "yes" where table, target, seed, sizes and these columns are those that the bundle recorded:
        then it saw the training rows and not the test rows. Else "unknown".

    Example:
        >>> from torch import nn
        >>> bundle = ModelBundle(nn.Linear(3, 2), "classification", *[None] * 10)
        >>> config = TrainingConfig(target_column="y")
        >>> rows_seen_by(bundle, "0", config, LabelConfig())
        'unknown'
    """
    record = bundle.provenance.training_config
    if record is None or bundle.provenance.table_fingerprint != fingerprint:
        return "unknown"
    decided = ("target_column", "random_seed", "test_size", "validation_size")
    same = all(getattr(record, name) == getattr(config, name) for name in decided)
    ties = bundle.provenance.label_config or LabelConfig()
    tied = all(
        getattr(ties, name) == getattr(labels, name) for name in ("group_column", "time_column")
    )
    return "yes" if same and tied else "unknown"


def _sentences(evidence: DistillEvidence, prepared: PreparedTable) -> Iterator[str]:
    if evidence.folds is not None:
        yield from evidence.folds.notes
    if evidence.unlabelled_rows and evidence.method == "out_of_bag":
        yield (
            f"{evidence.unlabelled_rows:,} training rows are in the sample of every tree: "
            "they keep their own labels alone"
        )
    if evidence.method == "in_sample":
        yield (
            "warning: in-sample labels: the teacher labelled rows that it was fitted on, so it "
            f"repeats what it memorised ({_both_losses(evidence)}). Leave labels at auto"
        )
    if evidence.method == "as_given" and evidence.training_loss is not None:
        if evidence.saw_training_rows == "yes":
            yield f"the teacher saw the rows that it labels ({_both_losses(evidence)})"
        else:
            yield (
                "the teacher is used as it is and may have seen any of the rows, the held-out ones "
                f"too ({_both_losses(evidence)})"
            )
    yield from _comparisons(evidence, prepared)


def _both_losses(evidence: DistillEvidence) -> str:
    training = evidence.training_loss or 0.0
    return f"its loss is {training:.4g} on them and {evidence.held_out_loss:.4g} on held-out rows"


def _comparisons(evidence: DistillEvidence, prepared: PreparedTable) -> Iterator[str]:
    constant = _constant_loss(prepared)
    if evidence.held_out_loss >= constant:
        yield (
            "the teacher knows no more than the mean answer: its loss on held-out rows is "
            f"{evidence.held_out_loss:.4g}, that of the mean answer {constant:.4g}"
        )


def _constant_loss(prepared: PreparedTable) -> float:
    """Of the training rows' class shares, or of their mean value, on the test rows."""
    training, test = prepared.training.targets, prepared.test.targets
    if prepared.task == "classification":
        counts = np.bincount(training.astype(np.int64), minlength=prepared.output_dim)
        shares = np.maximum(counts / counts.sum(), 1e-7)
        return float(-np.log(shares[test.astype(np.int64)]).mean())
    known, asked = (
        network_targets(values.astype(np.float64), prepared.artifacts).astype(np.float64)
        for values in (training, test)
    )
    return float(((asked - known.mean()) ** 2).mean())
