"""Distil: a table and a teacher in, a smaller student that learnt from both out."""

from __future__ import annotations

import polars as pl
import torch
from returns.result import Result

from kdtab.bundle import ModelBundle
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.errors.issue import Issues
from kdtab.shell.assemble import TrainedModel
from kdtab.shell.progress import SILENT, RunProgress
from kdtab.teachers.instruction import instruction_by, teacher_issues
from kdtab.teachers.studentfit import Wish, fit_student
from kdtab.teachers.studentnotes import with_size_note
from kdtab.teachers.wishes import checked_wish

__all__ = ["distill_student", "teacher_issues"]


def distill_student(
    frame: pl.DataFrame,
    teacher: object,
    config: TrainingConfig,
    distill: DistillConfig | None = None,
    *,
    labels: LabelConfig | None = None,
    unlabelled: pl.DataFrame | None = None,
    columns: ColumnOptions | None = None,
    device: str | torch.device | None = None,
    progress: RunProgress = SILENT,
    scratch: bool = False,
    own_rows: bool = True,
) -> Result[TrainedModel, Issues]:
    """Train a student on the labels of a frame and on what the teacher knows (PT-DISTILL-001).

    loss = alpha · hard + (1 − alpha) · soft, both from one student forward. Classification: hard is
    cross-entropy, soft is T² · KL(teacher ‖ student) at temperature T (Hinton et al. 2015,
    arXiv:1503.02531). Regression: both are mean squared errors. The teacher speaks once, before
    the first step, in eval mode and without gradients, and is left as it was.

    A teacher that kdtab can fit is fitted on the training rows alone, and labels none of them that
    it saw: by folds, or out of bag (Dao et al., arXiv:2104.09732). No teacher sees a test or
    validation row.

    Args:
        frame: Raw rows, the target among the columns.
        teacher: A `ModelBundle`, whose preprocessing becomes the student's; the name of a kind
            ("forest", "extra_trees", "boosted", "ensemble"); an estimator of scikit-learn's manner,
            fitted or not, which is cloned; or whatever else `resolve_teacher` takes, used as given.
        config: What to train, and how; `task="auto"` takes the teacher's task.
        distill: Temperature, alpha, or an objective and pairs of layers; and the student's sizes,
            which come from a bundle's network or else from `config`.
        labels: How the training rows are labelled; None cross-fits whatever can be fitted.
        unlabelled: More rows, without a target or with one that is not looked at. The teacher of
            all training rows labels them, and the student learns from them by the soft loss alone;
            those that equal a row of the frame are dropped.
        columns: Which columns count; None takes all but the target.
        device: Where to train; None takes CUDA where there is one.
        progress: Hears of every fit and epoch, and of a teacher that is not better than none.
        scratch: Also fit the same student without a teacher, for the evidence. With `labels.gate`
            one is fitted anyway, on the rows of all folds but one where there is no validation row.
        own_rows: Whether rows of the frame without a target are unlabelled rows too; never with a
            group or time column, which ties them to rows that are held out.

    Returns:
        The student, its metrics on the held-out rows and a report, with evidence of the teacher
        (of a bundle only where `labels` or `scratch` asks for it: it would be asked more than
        once); or every issue of the task, the columns, the target, the teacher, the device, the
        objective, the batch settings or the training itself.

    Example:
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 50, "y": ["no", "yes"] * 50})
        >>> config = TrainingConfig(target_column="y", epochs=40, batch_size=16)
        >>> teacher = train_model(frame, config, device="cpu").unwrap().bundle
        >>> student = distill_student(frame, teacher, config, device="cpu").unwrap()
        >>> student.bundle.model.spec.hidden_dim, student.bundle.scaler is teacher.scaler
        (64, True)
        >>> student = distill_student(frame, "forest", config, device="cpu").unwrap()
        >>> student.report.evidence.method, student.metrics.test_metric_value
        ('out_of_fold', 1.0)
    """
    own = teacher_issues(teacher, config) if isinstance(teacher, ModelBundle) else ()
    return checked_wish(
        frame,
        config,
        distill,
        *own,
        labels=labels,
        unlabelled=unlabelled,
        columns=columns,
        device=device,
        progress=progress,
        scratch=scratch,
        evidence=scratch or labels is not None,
        own_rows=own_rows,
    ).bind(lambda wish: _distilled(teacher, wish))


def _distilled(teacher: object, wish: Wish) -> Result[TrainedModel, Issues]:
    return Result.do(
        with_size_note(model, given.bundle)
        for given in instruction_by(teacher, wish)
        for plan in given.plan(wish)
        for model in fit_student(given.prepared, plan, wish, given.evidence)
    )
