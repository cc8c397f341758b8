"""The exceptions that doors raise; nothing below a door raises them."""

from __future__ import annotations

from typing import NoReturn

from kdtab.errors.bundles import (
    BundleIssue,
    BundleMissing,
    BundleNotReadable,
    NetworkForeign,
)
from kdtab.errors.columns import RowsNotUnderstood
from kdtab.errors.configs import ArgumentOfWrongType
from kdtab.errors.extras import ExtraMissing
from kdtab.errors.issue import Issue, Issues, explain
from kdtab.errors.sources import TeacherNotUnderstood
from kdtab.errors.tables import (
    DiskFull,
    FileMissing,
    FileNotReadable,
    FolderMissing,
    NotWritable,
)


class KdtabError(ValueError):
    """A user's mistake, with every problem that was found.

    Args:
        issues: What was found, the one to read first in front.

    Attributes:
        issues: The same issues, as values.

    Example:
        >>> from kdtab.errors.teachers import TeacherMissing
        >>> str(KdtabError(Issues((TeacherMissing(),))))
        'teacher_path or teacher_bundle is required.'
    """

    def __init__(self, issues: Issues) -> None:
        super().__init__(explain(issues.first))
        self.issues = issues

    def __reduce__(self) -> tuple[type[KdtabError], tuple[Issues]]:
        return type(self), (self.issues,)


class MissingFileError(KdtabError, FileNotFoundError):
    """A file that is not there.

    Example:
        >>> issubclass(MissingFileError, FileNotFoundError)
        True
    """


class CorruptBundleError(KdtabError, RuntimeError):
    """A bundle that cannot be trusted.

    Example:
        >>> issubclass(CorruptBundleError, RuntimeError)
        True
    """


class DiskError(KdtabError, OSError):
    """A file that the system will not read or write.

    Example:
        >>> issubclass(DiskError, OSError)
        True
    """


class MissingExtraError(KdtabError, ImportError):
    """An optional dependency that is not installed.

    Example:
        >>> issubclass(MissingExtraError, ImportError)
        True
    """


class WrongTypeError(KdtabError, TypeError):
    """An argument of a type that the function does not take.

    Example:
        >>> issubclass(WrongTypeError, TypeError)
        True
    """


def raised_as(issue: Issue) -> type[KdtabError]:
    """The exception class that callers of this world expect for an issue.

    Args:
        issue: The first issue of a failure.

    Returns:
        `KdtabError` or the subclass that is also the expected builtin.

    Example:
        >>> raised_as(FileMissing(path="a.csv")).__name__
        'MissingFileError'
    """
    match issue:
        case FileMissing() | BundleMissing():
            return MissingFileError
        case FileNotReadable() | BundleNotReadable() | FolderMissing() | NotWritable() | DiskFull():
            return DiskError
        case (
            NetworkForeign() | ArgumentOfWrongType() | RowsNotUnderstood() | TeacherNotUnderstood()
        ):
            return WrongTypeError
        case ExtraMissing():
            return MissingExtraError
        case _ if isinstance(issue, BundleIssue):
            return CorruptBundleError
        case _:
            return KdtabError


def raise_issues(issues: Issues) -> NoReturn:
    """Raise what was found, as the exception that fits its first issue.

    Args:
        issues: What was found.

    Raises:
        KdtabError: Always; a subclass where the first issue asks for one.

    Example:
        >>> raise_issues(Issues((FileMissing(path="a.csv"),)))
        Traceback (most recent call last):
        kdtab.errors.raised.MissingFileError: no file at 'a.csv': check the path and its spelling
    """
    raise raised_as(issues.first)(issues)
