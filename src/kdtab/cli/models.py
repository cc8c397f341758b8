"""Bundles in and out of files, and a trained model as an answer; imports torch."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from returns.result import Result

from kdtab.bundle import ModelBundle, from_record, to_record
from kdtab.cli.console import Answer, aligned, figure
from kdtab.config.manifest import Provenance
from kdtab.disk.bundles import write_record
from kdtab.errors.issue import Issues
from kdtab.metrics.quantiles import QuantileScores
from kdtab.record import BundleRecord
from kdtab.report.wording import size_text
from kdtab.shell.assemble import TrainedModel
from kdtab.shell.device import resolve_device
from kdtab.shell.trained import DistillEvidence, TeacherGate


def restore_model(record: BundleRecord, device: str | None = None) -> Result[ModelBundle, Issues]:
    """The bundle of a record, its network on a device.

    Args:
        record: What a file held.
        device: As torch names it; None takes the best there is.

    Returns:
        The bundle, or the issues of the record or the device.

    Example:
        >>> import polars as pl
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> model = train_model(frame, config, device="cpu").unwrap()
        >>> record = to_record(model.bundle).unwrap()
        >>> restore_model(record, "cpu").unwrap().target_column
        'y'
    """
    return resolve_device(device).bind(lambda chosen: from_record(record, chosen))


def save_model(bundle: ModelBundle, path: str) -> Result[None, Issues]:
    """Write a bundle to a file, whole or not at all.

    Args:
        bundle: What to save.
        path: Where; what is there is replaced.

    Returns:
        None, or the issues of the bundle or the disk.

    Example:
        >>> import polars as pl
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> model = train_model(frame, config, device="cpu").unwrap()
        >>> save_model(model.bundle, "no-such-folder/m.kdtab").failure().first
        FolderMissing(path='no-such-folder/m.kdtab', folder='no-such-folder')
    """
    return to_record(bundle).bind(lambda record: write_record(path, record))


def saved_answer(model: TrainedModel, path: str, seconds: float, *, quiet: bool) -> Answer:
    """What people and programs want to know about a model that was trained and saved.

    Args:
        model: The model with its metrics and report.
        path: The file that it was saved to.
        seconds: How long the training took.
        quiet: Leave the notes out.

    Returns:
        The answer of `kdtab train` and `kdtab distill`.

    Example:
        >>> import tempfile
        >>> import polars as pl
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> model = train_model(frame, config, device="cpu").unwrap()
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     saved_answer(model, file.name, 1.0, quiet=False).plain["seconds"]
        1.0
    """
    size = Path(path).stat().st_size
    return Answer(
        text=aligned(_rows(model, path, size, seconds)),
        plain=_plain(model, path, size, seconds),
        notes=() if quiet else model.report.notes,
    )


def _rows(model: TrainedModel, path: str, size: int, seconds: float) -> list[tuple[str, str]]:
    metrics, bundle, settings = model.metrics, model.bundle, model.report.settings
    record = bundle.provenance
    loss = "log loss" if metrics.task == "classification" else "loss"
    evidence, scores = model.report.evidence, model.report.quantiles
    return [
        ("task", f"{metrics.task} of {bundle.target_column!r}" + _reason(record.task_reason)),
        (
            metrics.test_metric_name,
            f"{figure(metrics.test_metric_value)} on {record.test_rows or 0:,} held-out rows",
        ),
        (loss, f"{figure(metrics.test_loss)} held out, {figure(metrics.train_loss)} in training"),
        *([] if scores is None else [("CRPS", _scores_text(scores))]),
        *([] if evidence is None else [("teacher", _teacher_text(evidence))]),
        (
            "trained",
            f"{len(model.report.fitted.history):,} epochs of {_rows_learnt(record):,} rows in batches of "
            f"{settings.batch_size:,}, {seconds:.1f} s",
        ),
        ("parameters", f"{bundle.parameter_count:,}"),
        ("saved", f"{path} ({size_text(size)})"),
    ]


def _scores_text(scores: QuantileScores) -> str:
    return (
        f"{figure(scores.student)} of the student held out, {figure(scores.teacher)} of the teacher"
    )


def _rows_learnt(record: Provenance) -> int:
    counts = (record.training_rows, record.synthetic_rows, record.unlabelled_rows)
    return sum(count or 0 for count in counts)


def _teacher_text(evidence: DistillEvidence) -> str:
    count = _fold_count(evidence)
    folds = "" if count is None else f" ({count} folds)"
    loss = f"loss {figure(evidence.held_out_loss)} held out"
    method = evidence.method.replace("_", " ")
    return f"{evidence.teacher.name}, {loss}, labels {method}{folds}, {evidence.seconds:.1f} s"


def _fold_count(evidence: DistillEvidence) -> int | None:
    folds = evidence.folds if evidence.method == "out_of_fold" else None
    return None if folds is None else len(folds.fits)


def _evidence(evidence: DistillEvidence) -> dict[str, object]:
    return {
        "name": evidence.teacher.name,
        "fingerprint": evidence.teacher.fingerprint,
        "bytes": evidence.teacher.size_bytes,
        "labels": evidence.method,
        "saw_training_rows": evidence.saw_training_rows,
        "training_loss": evidence.training_loss,
        "held_out_loss": evidence.held_out_loss,
        "folds": _fold_count(evidence),
        "unlabelled_rows": evidence.unlabelled_rows,
        "identical_share": evidence.identical_share,
        "weights": [{"member": name, "weight": weight} for name, weight in evidence.weights],
        "seconds": round(evidence.seconds, 3),
        "gate": None if evidence.gate is None else _gate(evidence.gate),
    }


def _gate(gate: TeacherGate) -> dict[str, object]:
    return {**asdict(gate), "lead": gate.lead, "verdict": gate.verdict}


def _reason(reason: str | None) -> str:
    return f" ({reason})" if reason else ""


def _plain(model: TrainedModel, path: str, size: int, seconds: float) -> dict[str, object]:
    bundle, evidence, scores = model.bundle, model.report.evidence, model.report.quantiles
    return {
        "metrics": asdict(model.metrics),
        "parameters": bundle.parameter_count,
        "output": path,
        "bytes": size,
        "seconds": round(seconds, 3),
        "history": [
            {"epoch": record.epoch, **record.terms, "validation_loss": record.validation_loss}
            for record in model.report.fitted.history
        ],
        "provenance": bundle.provenance.model_dump(mode="json", exclude_none=True),
        "notes": list(model.report.notes),
        **({} if evidence is None else {"teacher": _evidence(evidence)}),
        **({} if scores is None else {"quantiles": asdict(scores)}),
    }
