"""What can be wrong with a bundle, in memory or on disk."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, quoted


class BundleMissing(IssueValue):
    """There is no bundle file at the path.

    Example:
        >>> explain_bundle_issue(BundleMissing(path="t.kdtab"))
        "no bundle at 't.kdtab': check the path and its spelling"
    """

    path: str


class BundleCorrupt(IssueValue):
    """The file is no bundle, or not the bundle that was written.

    Example:
        >>> explain_bundle_issue(BundleCorrupt(path="t.kdtab", reason="its checksum differs"))
        "'t.kdtab' is not a whole bundle: its checksum differs"
    """

    path: str
    reason: str


BundleIssue: TypeAlias = BundleMissing | BundleCorrupt


def explain_bundle_issue(issue: BundleIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of a bundle.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_bundle_issue(BundleMissing(path="s.kdtab"))
        "no bundle at 's.kdtab': check the path and its spelling"
    """
    match issue:
        case BundleMissing(path=path):
            return f"no bundle at {quoted(path)}: check the path and its spelling"
        case BundleCorrupt(path=path, reason=reason):
            return f"{quoted(path)} is not a whole bundle: {reason}"
        case _:
            assert_never(issue)
