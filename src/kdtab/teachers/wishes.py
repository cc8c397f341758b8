"""What a caller asks of a student, checked before anything is computed."""

from __future__ import annotations

import polars as pl
import torch
from returns.result import Result

from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.errors.issue import Issue, Issues
from kdtab.results import check, gather
from kdtab.shell.device import resolve_device
from kdtab.shell.progress import RunProgress
from kdtab.teachers.classroom import Classroom
from kdtab.teachers.studentfit import Wish, calibration_asked
from kdtab.teachers.taught import label_columns_issues


def checked_wish(
    frame: pl.DataFrame,
    config: TrainingConfig,
    distill: DistillConfig | None,
    *issues: Issue | None,
    labels: LabelConfig | None,
    unlabelled: pl.DataFrame | None,
    columns: ColumnOptions | None,
    device: str | torch.device | None,
    progress: RunProgress,
    scratch: bool,
    evidence: bool,
    own_rows: bool,
) -> Result[Wish, Issues]:
    """The wish behind the arguments of `distill_student` and `distill_many`.

    Args:
        frame: Raw rows.
        config: What to train, and how.
        distill: Of the student; None takes the defaults.
        *issues: What the caller has found already, said first.
        labels: How rows are labelled.
        unlabelled: More rows.
        columns: Which count.
        device: Where to train.
        progress: Hears of everything.
        scratch: Whether the student without a teacher is wanted.
        evidence: Whether a bundle is asked about more than the training rows.
        own_rows: Whether rows without a target are unlabelled rows.

    Returns:
        The wish; or those issues, `FieldInvalid` of a calibration, `DeviceUnusable`, and what is
        wrong with the columns that tie rows to each other.

    Example:
        >>> from kdtab.shell.progress import SILENT
        >>> found = checked_wish(
        ...     pl.DataFrame({"x": [0.0], "y": ["no"]}), TrainingConfig(target_column="y"), None,
        ...     labels=None, unlabelled=None, columns=None, device="cpu", progress=SILENT,
        ...     scratch=False, evidence=False, own_rows=True,
        ... )
        >>> found.unwrap().knobs.temperature
        2.0
    """
    knobs, policy = distill or DistillConfig(), labels or LabelConfig()
    place = resolve_device(device)
    return Result.do(
        Wish(
            Classroom(frame, config, columns or ColumnOptions(), policy, chosen),
            knobs,
            progress,
            scratch=scratch,
            evidence=evidence,
            unlabelled=unlabelled,
            own_rows=own_rows,
        )
        for _ in gather(
            check(*issues, calibration_asked(config, knobs)),
            place,
            check(*label_columns_issues(frame, policy)),
        )
        for chosen in place
    )
