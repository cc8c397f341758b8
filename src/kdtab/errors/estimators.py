"""What can go wrong with a scikit-learn estimator as a student."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, quoted


class EstimatorNotUnderstood(IssueValue):
    """What should learn is no estimator of scikit-learn's manner.

    Example:
        >>> explain_estimator_issue(EstimatorNotUnderstood(found="str"))
        "a student must be an estimator of scikit-learn's manner, an object with fit, predict and get_params; got 'str'"
    """

    found: str


class EstimatorWithoutWeights(IssueValue):
    """A classifier whose `fit` takes no `sample_weight` cannot be given soft labels.

    Example:
        >>> explain_estimator_issue(EstimatorWithoutWeights(estimator="KNeighborsClassifier"))[:85]
        "'KNeighborsClassifier' cannot learn soft labels: its fit takes no sample_weight. Take"
    """

    estimator: str


class EstimatorTaskOther(IssueValue):
    """The estimator predicts something else than what was asked for.

    Example:
        >>> explain_estimator_issue(EstimatorTaskOther(
        ...     estimator="Ridge", predicts="regression", task="classification"))
        "'Ridge' is made for regression, the task is classification: take another estimator"
    """

    estimator: str
    predicts: str
    task: str


class EstimatorFailed(IssueValue):
    """The estimator raised an error while it was fitted or asked.

    Example:
        >>> explain_estimator_issue(EstimatorFailed(estimator="Ridge", reason="ValueError: no"))
        "the student 'Ridge' failed: ValueError: no"
    """

    estimator: str
    reason: str


EstimatorIssue: TypeAlias = (
    EstimatorNotUnderstood | EstimatorWithoutWeights | EstimatorTaskOther | EstimatorFailed
)


def explain_estimator_issue(issue: EstimatorIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One failure of an estimator.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_estimator_issue(EstimatorFailed(estimator="Ridge", reason="no"))
        "the student 'Ridge' failed: no"
    """
    match issue:
        case EstimatorNotUnderstood(found=found):
            return (
                "a student must be an estimator of scikit-learn's manner, an object with fit, "
                f"predict and get_params; got {quoted(found)}"
            )
        case EstimatorWithoutWeights(estimator=estimator):
            return (
                f"{quoted(estimator)} cannot learn soft labels: its fit takes no sample_weight. "
                "Take one that does, such as DecisionTreeClassifier, LogisticRegression or "
                "HistGradientBoostingClassifier"
            )
        case EstimatorTaskOther(estimator=estimator, predicts=predicts, task=task):
            return (
                f"{quoted(estimator)} is made for {predicts}, the task is {task}: "
                "take another estimator"
            )
        case EstimatorFailed(estimator=estimator, reason=reason):
            return f"the student {quoted(estimator)} failed: {reason}"
        case _:
            assert_never(issue)
