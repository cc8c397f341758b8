"""A run of trajectory distillation: trajectories, a student, its numbers and a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from returns.result import Result, Success

from kdtab.cli.console import Answer, aligned, figure, json_text
from kdtab.cli.progress import shown_progress
from kdtab.config.sequencenetworks import layer_list
from kdtab.config.sequencerun import PARADIGM_LINE, SequenceRun
from kdtab.disk.atomic import write_bytes
from kdtab.disk.runfolders import made_folder
from kdtab.disk.sequencebundles import read_sequence_record, write_sequence_record
from kdtab.disk.trajectories import read_trajectories
from kdtab.disk.trajectoryreuse import TrajectoryDataset
from kdtab.errors.issue import Issues
from kdtab.errors.sequenceteachers import DimensionsDiffer
from kdtab.models.jaxsequences import check_jax
from kdtab.models.sequences import (
    SequenceBundle,
    from_sequence_record,
    new_sequence_bundle,
    to_sequence_record,
)
from kdtab.recipes.sequences import LearnedTrajectories, check_student, learn_trajectories
from kdtab.recipes.trajectories import distillation_data
from kdtab.report.timecourses import draw_time_courses
from kdtab.report.wording import size_text
from kdtab.results import Checked
from kdtab.shell.device import resolve_device
from kdtab.shell.progress import RunProgress
from kdtab.teachers.sequencebundle import BundleSequenceTeacher
from kdtab.teachers.sequences import sequence_teacher

STUDENT, METRICS, PICTURE = "student.kdtab", "metrics.json", "trajectories.png"
SHARE_BETWEEN_LINES = 0.2


@dataclass(frozen=True)
class _Known:
    """What is known before anything is generated.

    Attributes:
        student: Untrained; None for a run that only generates.
        notes: What a person should know.
    """

    student: SequenceBundle | None
    notes: tuple[str, ...]


def run_distillation(run: SequenceRun, folder: str, *, quiet: bool) -> Checked[Answer]:
    """Generate or reuse trajectories, train a student on them, write everything into a folder.

    Args:
        run: What the config says.
        folder: Of the run; made where it is not there.
        quiet: Nothing on stderr but errors.

    Returns:
        What was made; or the issues of student, teacher, series, trajectories, training or disk.

    Example:
        >>> run_distillation.__name__
        'run_distillation'
    """
    progress = shown_progress("distilling", quiet=quiet)
    progress.remark(PARADIGM_LINE)
    began = perf_counter()
    return Result.do(
        answer
        for known in _known(run)
        for made in made_folder(folder)
        for dataset in distillation_data(
            run.distillation,
            run.request,
            run.data.data_path,
            made,
            backend=run.model.backend,
            heard=_spoken(progress),
        )
        for answer in (
            Success(_generated(dataset))
            if known.student is None
            else _taught(run, known, known.student, dataset, made, progress, began)
        )
    )


def _known(run: SequenceRun) -> Checked[_Known]:
    ready = check_jax() if run.model.backend == "jax" else Success(None)
    return (
        ready.bind(lambda _: resolve_device(run.model.device))
        .bind(lambda _: _student(run))
        .bind(lambda student: _beside_teacher(run, student))
    )


def _student(run: SequenceRun) -> Checked[SequenceBundle | None]:
    none: Checked[SequenceBundle | None] = Success(None)
    if run.student is not None:
        return Success(new_sequence_bundle(run.student, run.training.random_seed))
    path = run.model.model_path
    if path is None:
        return none
    return Result.do(
        bundle
        for record in read_sequence_record(path)
        for device in resolve_device("cpu")
        for bundle in from_sequence_record(record, device)
    )


def _beside_teacher(run: SequenceRun, student: SequenceBundle | None) -> Checked[_Known]:
    there, path = run.distillation.distillation_data_path, run.distillation.teacher_model_path
    reused = there is not None and Path(there).exists()
    if student is None or path is None or reused:
        return Success(_Known(student, ()))
    return sequence_teacher(path, run.model.backend).bind(
        lambda teacher: (
            check_student(student, teacher.info)
            .alt(lambda issues: _with_width(issues, run))
            .map(lambda _: _Known(student, _size_notes(teacher, student)))
        )
    )


def _with_width(issues: Issues, run: SequenceRun) -> Issues:
    """Say where a new student's inputs came from, when nobody named them."""
    if run.student is None or run.width_said:
        return issues
    other = "the student (by its first layer: set model.input_dim)"
    return Issues(
        tuple(
            issue.model_copy(update={"other": other})
            if isinstance(issue, DimensionsDiffer) and issue.what == "inputs"
            else issue
            for issue in issues
        )
    )


def _size_notes(teacher: object, student: SequenceBundle) -> tuple[str, ...]:
    if not isinstance(teacher, BundleSequenceTeacher):
        return ()
    first, second = teacher.bundle.parameter_count, student.parameter_count
    if second < first:
        return ()
    return (
        f"the student is not smaller than its teacher: {second:,} parameters against {first:,}",
    )


def _spoken(progress: RunProgress) -> Callable[[int, int], None]:
    """A line at every fifth of the series: a batch is too short a way for one."""
    spoken = 0.0

    def heard(done: int, series: int) -> None:
        nonlocal spoken
        share = done / series
        if share - spoken >= SHARE_BETWEEN_LINES or done == series:
            spoken = share
            progress.stage("teacher", f"states of {done:,} of {series:,} series")

    return heard


def _taught(
    run: SequenceRun,
    known: _Known,
    student: SequenceBundle,
    dataset: TrajectoryDataset,
    folder: str,
    progress: RunProgress,
    began: float,
) -> Checked[Answer]:
    progress.stage("student")
    return Result.do(
        _answer(run, known, dataset, learned, folder, notes, perf_counter() - began)
        for trajectories in read_trajectories(dataset.path)
        for device in resolve_device(run.model.device)
        for learned in learn_trajectories(
            student,
            trajectories,
            dataset.path,
            run.training,
            backend=run.model.backend,
            device=device,
            progress=progress,
        ).alt(lambda issues: _with_width(issues, run))
        for notes in _written(run, dataset, learned, folder)
    )


def _written(
    run: SequenceRun, dataset: TrajectoryDataset, learned: LearnedTrajectories, folder: str
) -> Checked[tuple[str, ...]]:
    """Student, metrics and picture; the picture's extra may be absent, which is worth a note."""
    metrics = json_text(_plain(run, dataset, learned, folder)).encode("utf-8")
    picture = draw_time_courses(learned.examples)
    none: Checked[None] = Success(None)
    drawn = picture.map(lambda content: content).value_or(b"")
    return Result.do(
        () if drawn else ("no picture was drawn: pip install 'kdtab[report]'",)
        for record in to_sequence_record(learned.student)
        for _ in write_sequence_record(Path(folder, STUDENT), record)
        for _metrics in write_bytes(Path(folder, METRICS), metrics)
        for _picture in (write_bytes(Path(folder, PICTURE), drawn) if drawn else none)
    )


def _plain(
    run: SequenceRun, dataset: TrajectoryDataset, learned: LearnedTrajectories, folder: str
) -> dict[str, object]:
    student = learned.student
    record = dataset.record
    return {
        "paradigm": run.training.paradigm,
        "backend": run.model.backend,
        "student": str(Path(folder, STUDENT)),
        "layers": [layer.model_dump(mode="json") for layer in student.network.spec.layers],
        "input_dim": student.input_dim,
        "output_dim": student.output_dim,
        "parameters": student.parameter_count,
        "fingerprint": student.fingerprint,
        "trajectories": dataset.path,
        "reused": dataset.reused,
        "teacher": None if record is None else record.teacher,
        "teacher_fingerprint": None if record is None else record.teacher_fingerprint,
        "trajectory_errors": {
            name: {**asdict(error), "rmse": error.rmse} for name, error in learned.errors.items()
        },
        "best_epoch": student.provenance.best_epoch,
        "update_steps": student.provenance.update_steps,
        "history": [
            {"epoch": one.epoch, "loss": one.loss, "validation_loss": one.validation_loss}
            for one in learned.history
        ],
    }


def _answer(
    run: SequenceRun,
    known: _Known,
    dataset: TrajectoryDataset,
    learned: LearnedTrajectories,
    folder: str,
    notes: tuple[str, ...],
    seconds: float,
) -> Answer:
    student, path = learned.student, Path(folder, STUDENT)
    rows = [
        ("trajectories", _origin(dataset)),
        *(
            (f"error on {name}", _error_text(asdict(error) | {"rmse": error.rmse}))
            for name, error in learned.errors.items()
        ),
        (
            "trained",
            f"{len(learned.history):,} epochs in {run.model.backend}, best "
            f"{student.provenance.best_epoch}, {seconds:.1f} s",
        ),
        ("student", layer_list(student.network.spec)),
        ("parameters", f"{student.parameter_count:,}"),
        ("saved", f"{path} ({size_text(path.stat().st_size)})"),
    ]
    plain = {**_plain(run, dataset, learned, folder), "seconds": seconds}
    return Answer(aligned(rows), plain, (*known.notes, *notes))


def _error_text(error: Mapping[str, float | None]) -> str:
    explained = error["explained"]
    share = "" if explained is None else f", {explained:.1%} of the variance explained"
    return f"rmse {figure(error['rmse'] or 0.0)} over {error['series']:,} series{share}"


def _generated(dataset: TrajectoryDataset) -> Answer:
    plain = {"trajectories": dataset.path, "reused": dataset.reused}
    note = "no student is named (model.model_path or model.layers), so none was trained"
    return Answer(aligned([("trajectories", _origin(dataset))]), plain, (note,))


def _origin(dataset: TrajectoryDataset) -> str:
    return f"{dataset.path} ({'reused: no teacher was asked' if dataset.reused else 'generated'})"
