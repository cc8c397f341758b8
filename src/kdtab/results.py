"""The few helpers that kdtab adds to `returns.Result`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar

from returns.result import Failure, Result, Success

from kdtab.errors.issue import Issue, Issues

Value = TypeVar("Value")
Outcome = TypeVar("Outcome")

Checked: TypeAlias = Result[Value, Issues]


def fail(*issues: Issue) -> Result[Value, Issues]:
    """A failure with these issues; the only way kdtab makes one.

    Args:
        *issues: At least one.

    Returns:
        `Failure(Issues(...))`.

    Example:
        >>> from kdtab.errors.teachers import TeacherMissing
        >>> fail(TeacherMissing())
        <Failure: Issues(every=(TeacherMissing(),))>
    """
    return Failure(Issues(issues))


def either(
    result: Result[Value, Issues],
    on_success: Callable[[Value], Outcome],
    on_failure: Callable[[Issues], Outcome],
) -> Outcome:
    """Leave the world of results: one function for each case, both of one type.

    Args:
        result: What was computed.
        on_success: Takes the value.
        on_failure: Takes the issues.

    Returns:
        What the called function returned.

    Example:
        >>> either(Success(2), lambda value: value + 1, lambda issues: -1)
        3
    """
    if isinstance(result, Success):
        return on_success(result.unwrap())
    return on_failure(result.failure())


def collect(results: Iterable[Result[Value, Issues]]) -> Result[tuple[Value, ...], Issues]:
    """All values, or the issues of *every* failure (`Fold.collect` stops at the first).

    Args:
        results: Computed independently of each other.

    Returns:
        The values in order, or all issues in order.

    Example:
        >>> collect([Success(1), Success(2)])
        <Success: (1, 2)>
        >>> from kdtab.errors.teachers import TeacherMissing
        >>> len(collect([fail(TeacherMissing()), Success(1), fail(TeacherMissing())]).failure())
        2
    """
    values: list[Value] = []
    issues: list[Issue] = []
    for result in results:
        either(result, values.append, issues.extend)
    return Failure(Issues(tuple(issues))) if issues else Success(tuple(values))


def gather(*results: Result[object, Issues]) -> Result[None, Issues]:
    """Success when every result is one, else each issue of all failures, named once.

    Args:
        *results: Of any types, some perhaps computed from others.

    Returns:
        `Success(None)`, or the issues in order, without repetition.

    Example:
        >>> from kdtab.errors.teachers import TeacherMissing
        >>> lost: Checked[int] = fail(TeacherMissing())
        >>> len(gather(lost, Success(1), lost).failure())
        1
    """
    issues: dict[Issue, None] = {}
    for result in results:
        if isinstance(result, Failure):
            issues.update(dict.fromkeys(result.failure()))
    return Failure(Issues(tuple(issues))) if issues else Success(None)


def check(*found: Issue | None) -> Result[None, Issues]:
    """Success when no check found anything, else all that was found.

    Args:
        *found: The outcome of each check: an issue, or None.

    Returns:
        `Success(None)` or all issues in order.

    Example:
        >>> check(None, None)
        <Success: None>
    """
    issues = tuple(issue for issue in found if issue is not None)
    return Failure(Issues(issues)) if issues else Success(None)
