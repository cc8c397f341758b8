"""Every way to fail, as one closed union, and a collection of them that is never empty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from kdtab.errors.bundles import BundleIssue, explain_bundle_issue
from kdtab.errors.columns import ColumnIssue, explain_column_issue
from kdtab.errors.configs import ConfigIssue, explain_config_issue
from kdtab.errors.estimators import EstimatorIssue, explain_estimator_issue
from kdtab.errors.extras import ExtraIssue, ExtraMissing, explain_extra_issue
from kdtab.errors.labels import LabelIssue, explain_label_issue
from kdtab.errors.layers import LayerIssue, explain_layer_issue
from kdtab.errors.objectives import ObjectiveIssue, explain_objective_issue
from kdtab.errors.sequences import SequenceIssue, explain_sequence_issue
from kdtab.errors.tables import TableIssue, explain_table_issue
from kdtab.errors.taskmodules import TaskModuleIssue, explain_task_module_issue
from kdtab.errors.teachers import TeacherIssue, explain_teacher_issue
from kdtab.errors.training import TrainingIssue, explain_training_issue

Issue: TypeAlias = (
    TableIssue
    | ColumnIssue
    | ConfigIssue
    | TeacherIssue
    | BundleIssue
    | TrainingIssue
    | ExtraIssue
    | LabelIssue
    | ObjectiveIssue
    | LayerIssue
    | TaskModuleIssue
    | SequenceIssue
    | EstimatorIssue
)


@dataclass(frozen=True)
class Issues:
    """One issue or more, in the order in which a person should read them.

    Raises:
        AssertionError: On none: a failure always says why.

    Example:
        >>> from kdtab.errors.teachers import TeacherMissing
        >>> len(Issues((TeacherMissing(),)))
        1
    """

    every: tuple[Issue, ...]

    def __post_init__(self) -> None:
        assert self.every, "a failure carries at least one issue"

    def __iter__(self) -> Iterator[Issue]:
        return iter(self.every)

    def __len__(self) -> int:
        return len(self.every)

    def __add__(self, other: Issues) -> Issues:
        return Issues(self.every + other.every)

    @property
    def first(self) -> Issue:
        """The issue to show first.

        Example:
            >>> from kdtab.errors.teachers import TeacherMissing
            >>> Issues((TeacherMissing(),)).first
            TeacherMissing()
        """
        return self.every[0]


def explain(issue: Issue) -> str:
    """The sentence for a person: the rule, what was found where, what to do.

    Args:
        issue: Any issue.

    Returns:
        One sentence without a line break; user values escaped and cut.

    Example:
        >>> from kdtab.errors.configs import TargetExcluded
        >>> explain(TargetExcluded(target="income"))
        'target_column cannot be excluded'
    """
    if isinstance(issue, TableIssue):
        return explain_table_issue(issue)
    if isinstance(issue, ColumnIssue):
        return explain_column_issue(issue)
    if isinstance(issue, ConfigIssue):
        return explain_config_issue(issue)
    if isinstance(issue, TeacherIssue):
        return explain_teacher_issue(issue)
    if isinstance(issue, BundleIssue):
        return explain_bundle_issue(issue)
    if isinstance(issue, TrainingIssue):
        return explain_training_issue(issue)
    if isinstance(issue, ExtraMissing):
        return explain_extra_issue(issue)
    if isinstance(issue, LabelIssue):
        return explain_label_issue(issue)
    if isinstance(issue, ObjectiveIssue):
        return explain_objective_issue(issue)
    if isinstance(issue, LayerIssue):
        return explain_layer_issue(issue)
    if isinstance(issue, TaskModuleIssue):
        return explain_task_module_issue(issue)
    if isinstance(issue, SequenceIssue):
        return explain_sequence_issue(issue)
    if isinstance(issue, EstimatorIssue):
        return explain_estimator_issue(issue)
    assert_never(issue)
