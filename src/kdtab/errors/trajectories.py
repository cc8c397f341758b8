"""What can be wrong with an HDF5 file of series or of trajectories."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, quoted


class TrajectoriesAbsent(IssueValue):
    """Trajectories are to be reused that are not there, and no teacher is named to make them.

    Example:
        >>> explain_trajectory_issue(TrajectoriesAbsent(path="d.hdf5"))
        "no distillation data at 'd.hdf5', and no teacher_model_path to generate it: name the teacher, or the file that was generated"
    """

    path: str


class TrajectoryFileForeign(IssueValue):
    """A file that is no HDF5 file.

    Example:
        >>> explain_trajectory_issue(TrajectoryFileForeign(path="d.hdf5", found="an empty file"))
        "'d.hdf5' is an empty file, not an HDF5 file with train/data and train/labels"
    """

    path: str
    found: str


class TrajectoryFileRefused(IssueValue):
    """The file has something that is never read, since reading it can do harm.

    Attributes:
        path: The file.
        place: The object in it.
        found: What it is or has.

    Example:
        >>> explain_trajectory_issue(
        ...     TrajectoryFileRefused(path="d.hdf5", place="/train/data", found="is an external link")
        ... )
        "'d.hdf5' is not read: its '/train/data' is an external link; store plain numbers and fixed-length strings in the file itself"
    """

    path: str
    place: str
    found: str


class TrajectoryFileBroken(IssueValue):
    """A file that the HDF5 library cannot read to the end, or that ends it.

    Example:
        >>> explain_trajectory_issue(TrajectoryFileBroken(path="d.hdf5", reason="it is cut off"))
        "'d.hdf5' is damaged (it is cut off): make it again"
    """

    path: str
    reason: str


class TrajectoryShapeInvalid(IssueValue):
    """An array of the file is absent, or has other axes than it must.

    Attributes:
        path: The file.
        place: Which array.
        expected: Its axes.
        found: What is there.

    Example:
        >>> issue = TrajectoryShapeInvalid(path="d", place="/data", expected="[N]", found="[3, 4]")
        >>> explain_trajectory_issue(issue)
        "'/data' of 'd' must be [N], and is [3, 4]"
    """

    path: str
    place: str
    expected: str
    found: str


class TrajectoriesTooNew(IssueValue):
    """The file was written by a newer kdtab.

    Example:
        >>> explain_trajectory_issue(TrajectoriesTooNew(path="d.hdf5", found=2, known=1))
        "the trajectories in 'd.hdf5' have format version 2, this kdtab knows 1: update kdtab"
    """

    path: str
    found: int
    known: int


class TrajectoriesOfOtherRun(IssueValue):
    """The file holds trajectories of another teacher or source, or made with other options.

    Attributes:
        path: The file.
        differing: Each key that differs, what the file has, and what this run asks for.

    Example:
        >>> explain_trajectory_issue(TrajectoriesOfOtherRun(path="d.hdf5", differing=(("seed", "1", "2"),)))
        "'d.hdf5' holds trajectories of another run (seed is '1' there and '2' here): name another file, or delete it"
    """

    path: str
    differing: tuple[tuple[str, str, str], ...]


class TrajectoriesUnrecorded(IssueValue):
    """A file that does not say whose trajectories it holds stands where some are to be written.

    Example:
        >>> explain_trajectory_issue(TrajectoriesUnrecorded(path="d.hdf5"))
        "'d.hdf5' is there and does not say by which teacher it was made: pass it as distillation_data_path to use it as it is, or name another file"
    """

    path: str


class TrajectoriesChanged(IssueValue):
    """The numbers of a file are not those that its record knows.

    Example:
        >>> explain_trajectory_issue(TrajectoriesChanged(path="d.hdf5", place="/train/labels"))
        "'/train/labels' of 'd.hdf5' is not what was written: its checksum differs; generate it again"
    """

    path: str
    place: str


class TrajectoriesNotFinite(IssueValue):
    """Numbers of a file of trajectories that are missing or infinite.

    Example:
        >>> explain_trajectory_issue(TrajectoriesNotFinite(path="d.hdf5", place="/train/labels", count=3, series=7))
        "3 numbers in '/train/labels' of 'd.hdf5' are not finite, the first in series 7: nothing can be learned from them"
    """

    path: str
    place: str
    count: int
    series: int


class SourceScaled(IssueValue):
    """The source's inputs are scaled already, and would be scaled twice.

    Example:
        >>> explain_trajectory_issue(SourceScaled(path="s.hdf5"))
        "the inputs in 's.hdf5' were scaled when it was generated: leave out scale_min and scale_max, or name the file that it was made from"
    """

    path: str


class SourceChanged(IssueValue):
    """The source changed while the teacher was asked about it.

    Example:
        >>> explain_trajectory_issue(SourceChanged(path="s.hdf5"))
        "'s.hdf5' changed while the teacher was asked about its series: run the same again"
    """

    path: str


class ScalingWithoutTrain(IssueValue):
    """Inputs are to be scaled, and there is no training series to fit on.

    Example:
        >>> explain_trajectory_issue(ScalingWithoutTrain(path="s.hdf5"))
        "scaling is fitted on the group train, and 's.hdf5' has none: leave out scale_min and scale_max"
    """

    path: str


FileIssue: TypeAlias = (
    TrajectoriesAbsent
    | TrajectoryFileForeign
    | TrajectoryFileRefused
    | TrajectoryFileBroken
    | TrajectoryShapeInvalid
    | TrajectoriesTooNew
)
ReuseIssue: TypeAlias = (
    TrajectoriesOfOtherRun | TrajectoriesUnrecorded | TrajectoriesChanged | TrajectoriesNotFinite
)
SourceIssue: TypeAlias = SourceScaled | SourceChanged | ScalingWithoutTrain
TrajectoryIssue: TypeAlias = FileIssue | ReuseIssue | SourceIssue


def explain_trajectory_issue(issue: TrajectoryIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of a file of series or trajectories.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_trajectory_issue(SourceChanged(path="b.h5"))
        "'b.h5' changed while the teacher was asked about its series: run the same again"
    """
    if isinstance(issue, FileIssue):
        return _explain_file(issue)
    return _explain_reuse(issue) if isinstance(issue, ReuseIssue) else _explain_source(issue)


def _explain_file(issue: FileIssue) -> str:
    path = quoted(issue.path)
    match issue:
        case TrajectoriesAbsent():
            return (
                f"no distillation data at {path}, and no teacher_model_path to generate it: "
                "name the teacher, or the file that was generated"
            )
        case TrajectoryFileForeign(found=found):
            return f"{path} is {found}, not an HDF5 file with train/data and train/labels"
        case TrajectoryFileRefused(place=place, found=found):
            return (
                f"{path} is not read: its {quoted(place)} {found}; "
                "store plain numbers and fixed-length strings in the file itself"
            )
        case TrajectoryFileBroken(reason=reason):
            return f"{path} is damaged ({reason}): make it again"
        case TrajectoryShapeInvalid(place=place, expected=expected, found=found):
            return f"{quoted(place)} of {path} must be {expected}, and is {found}"
        case TrajectoriesTooNew(found=version, known=known):
            return (
                f"the trajectories in {path} have format version {version}, this kdtab knows "
                f"{known}: update kdtab"
            )
        case _:
            assert_never(issue)


def _explain_reuse(issue: ReuseIssue) -> str:
    path = quoted(issue.path)
    match issue:
        case TrajectoriesOfOtherRun(differing=differing):
            pairs = ", ".join(
                f"{name} is {quoted(there)} there and {quoted(here)} here"
                for name, there, here in differing
            )
            return (
                f"{path} holds trajectories of another run ({pairs}): "
                "name another file, or delete it"
            )
        case TrajectoriesUnrecorded():
            return (
                f"{path} is there and does not say by which teacher it was made: pass it as "
                "distillation_data_path to use it as it is, or name another file"
            )
        case TrajectoriesChanged(place=place):
            return (
                f"{quoted(place)} of {path} is not what was written: its checksum differs; "
                "generate it again"
            )
        case TrajectoriesNotFinite(place=place, count=count, series=series):
            are = "1 number" if count == 1 else f"{count:,} numbers"
            return (
                f"{are} in {quoted(place)} of {path} {'is' if count == 1 else 'are'} not finite, "
                f"the first in series {series:,}: nothing can be learned from them"
            )
        case _:
            assert_never(issue)


def _explain_source(issue: SourceIssue) -> str:
    path = quoted(issue.path)
    match issue:
        case SourceScaled():
            return (
                f"the inputs in {path} were scaled when it was generated: leave out scale_min and "
                "scale_max, or name the file that it was made from"
            )
        case SourceChanged():
            return (
                f"{path} changed while the teacher was asked about its series: run the same again"
            )
        case ScalingWithoutTrain():
            return (
                f"scaling is fitted on the group train, and {path} has none: "
                "leave out scale_min and scale_max"
            )
        case _:
            assert_never(issue)
