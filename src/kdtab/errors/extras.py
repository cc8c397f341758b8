"""What an optional dependency is missing for."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, quoted


class ExtraMissing(IssueValue):
    """An optional dependency is not installed, or does not work where it is.

    Attributes:
        extra: The name in `kdtab[...]` that brings it.
        package: What could not be imported, as it is imported.

    Example:
        >>> explain_extra_issue(ExtraMissing(extra="report", package="matplotlib"))
        "this needs the package 'matplotlib', which is not installed: pip install 'kdtab[report]'"
    """

    extra: str
    package: str


ExtraIssue: TypeAlias = ExtraMissing


def explain_extra_issue(issue: ExtraIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One missing dependency.

    Returns:
        One sentence without a line break, with the command that installs it.

    Example:
        >>> explain_extra_issue(ExtraMissing(extra="onnx", package="onnxruntime"))
        "this needs the package 'onnxruntime', which is not installed: pip install 'kdtab[onnx]'"
    """
    match issue:
        case ExtraMissing(extra=extra, package=package):
            return (
                f"this needs the package {quoted(package)}, which is not installed: "
                f"pip install {quoted(f'kdtab[{extra}]')}"
            )
        case _:
            assert_never(issue)
