"""What can go wrong between the first epoch and the last."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue


class NoValidBatch(IssueValue):
    """REQ-KD22, REQ-T13: no batch has two rows, so no weight would ever change.

    Example:
        >>> explain_training_issue(NoValidBatch(rows=10, batch_size=1))
        'update_steps == 0: 10 training rows in batches of 1 give no batch of at least 2 rows; use a batch_size of 2 or more and at least 2 training rows'
    """

    rows: int
    batch_size: int


class LossNotFinite(IssueValue):
    """The loss or a weight became NaN or infinite; the network is not returned.

    Example:
        >>> explain_training_issue(LossNotFinite(epoch=3, what="the loss"))
        'training stopped in epoch 3: the loss is not finite. Try a smaller learning_rate'
    """

    epoch: int
    what: str


class BudgetTooSmall(IssueValue):
    """No student is as small, or as fast, as was asked for.

    Example:
        >>> explain_training_issue(BudgetTooSmall(
        ...     max_bytes=900, max_latency=None, smallest_bytes=8_200, shortest_latency=9.5
        ... ))
        'no student is within max_bytes (900): the smallest that was tried has 8,200 bytes and takes 9.5 µs for one row; allow more, or give the student fewer columns'
    """

    max_bytes: int | None
    max_latency: float | None
    smallest_bytes: int
    shortest_latency: float | None = None


TrainingIssue: TypeAlias = NoValidBatch | LossNotFinite | BudgetTooSmall


def explain_training_issue(issue: TrainingIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One failure of training.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_training_issue(LossNotFinite(epoch=1, what="a weight"))
        'training stopped in epoch 1: a weight is not finite. Try a smaller learning_rate'
    """
    match issue:
        case NoValidBatch(rows=rows, batch_size=batch_size):
            return (
                f"update_steps == 0: {rows:,} training rows in batches of {batch_size:,} give no "
                "batch of at least 2 rows; use a batch_size of 2 or more and at least 2 training "
                "rows"
            )
        case BudgetTooSmall():
            limits = [
                f"max_bytes ({issue.max_bytes:,})" if issue.max_bytes is not None else "",
                f"max_latency ({issue.max_latency:g} µs)" if issue.max_latency is not None else "",
            ]
            return (
                f"no student is within {' and '.join(filter(None, limits))}: the smallest that was "
                f"tried has {issue.smallest_bytes:,} bytes{_time(issue.shortest_latency)}; allow "
                "more, or give the student fewer columns"
            )
        case LossNotFinite(epoch=epoch, what=what):
            return (
                f"training stopped in epoch {epoch}: {what} is not finite. "
                "Try a smaller learning_rate"
            )
        case _:
            assert_never(issue)


def _time(microseconds: float | None) -> str:
    return "" if microseconds is None else f" and takes {microseconds:g} µs for one row"
