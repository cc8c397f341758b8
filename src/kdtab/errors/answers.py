"""What can go wrong when a teacher is asked about rows, or looked up in what it once said."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, did_you_mean, listed, quoted


class TeacherColumnsAbsent(IssueValue):
    """The table lacks columns that the teacher was fitted on.

    Example:
        >>> explain_answer_issue(TeacherColumnsAbsent(teacher="Pipeline", names=("ages",), found=("age",)))
        "the teacher 'Pipeline' needs columns that the table has not: 'ages'. Did you mean 'age'?"
    """

    teacher: str
    names: tuple[str, ...]
    found: tuple[str, ...]


class TeacherColumnsUncounted(IssueValue):
    """The teacher was fitted on a matrix of another width, and knows no names.

    Example:
        >>> explain_answer_issue(TeacherColumnsUncounted(teacher="SVC", expected=4, found=5))
        "the teacher 'SVC' was fitted on a matrix of 4 columns and knows no names, the table has 5: pass columns, the names in the order of the matrix"
    """

    teacher: str
    expected: int
    found: int


class TeacherCallFailed(IssueValue):
    """The teacher raised an error when it was asked.

    Example:
        >>> explain_answer_issue(TeacherCallFailed(teacher="SVC", reason="ValueError: no"))
        "the teacher 'SVC' failed on the rows: ValueError: no"
    """

    teacher: str
    reason: str


class TeacherRowsAmbiguous(IssueValue):
    """The teacher tells a missing text of pandas from one of polars.

    Example:
        >>> explain_answer_issue(TeacherRowsAmbiguous(teacher="Pipeline", columns=("city",)))
        "the teacher 'Pipeline' gives other answers for missing texts of pandas (NaN) and of polars (None), here in 'city': pass rows='pandas' or rows='polars', as it was fitted"
    """

    teacher: str
    columns: tuple[str, ...]


class ScoresUnclear(IssueValue):
    """Recorded scores in which the key or the outputs cannot be told.

    Example:
        >>> explain_answer_issue(ScoresUnclear(source="s.parquet", reason="no column holds outputs"))
        "the scores of 's.parquet' are not clear: no column holds outputs"
    """

    source: str
    reason: str


class ScoreKeysUnusable(IssueValue):
    """Keys that are missing or stand there twice: a row cannot be found by them.

    Example:
        >>> explain_answer_issue(ScoreKeysUnusable(
        ...     place="the table", key="id", missing=0, repeated=2, example="7"))
        "each row has a key of its own, but in column 'id' of the table 2 keys stand there more than once, such as '7'"
    """

    place: str
    key: str
    missing: int
    repeated: int
    example: str


class ScoresAbsent(IssueValue):
    """Rows of the table without a recorded score.

    Example:
        >>> explain_answer_issue(ScoresAbsent(source="s.parquet", key="id", count=3, rows=10, example="7"))
        "3 of 10 rows have no score in 's.parquet': the first has 'id' = '7'"
    """

    source: str
    key: str
    count: int
    rows: int
    example: str


TeacherAnswerIssue: TypeAlias = (
    TeacherColumnsAbsent
    | TeacherColumnsUncounted
    | TeacherCallFailed
    | TeacherRowsAmbiguous
    | ScoresUnclear
    | ScoreKeysUnusable
    | ScoresAbsent
)


def explain_answer_issue(issue: TeacherAnswerIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One thing that went wrong when a teacher was asked.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_answer_issue(ScoreKeysUnusable(
        ...     place="'s.csv'", key="id", missing=1, repeated=0, example=""))
        "each row has a key of its own, but in column 'id' of 's.csv' 1 key is missing"
    """
    match issue:
        case TeacherColumnsAbsent(teacher=teacher, names=names, found=found):
            return (
                f"the teacher {quoted(teacher)} needs columns that the table has not: "
                f"{listed(names)}.{did_you_mean(names[0], found)}"
            )
        case TeacherColumnsUncounted(teacher=teacher, expected=expected, found=width):
            return (
                f"the teacher {quoted(teacher)} was fitted on a matrix of {expected:,} columns and "
                f"knows no names, the table has {width:,}: "
                "pass columns, the names in the order of the matrix"
            )
        case TeacherCallFailed(teacher=teacher, reason=reason):
            return f"the teacher {quoted(teacher)} failed on the rows: {reason}"
        case TeacherRowsAmbiguous(teacher=teacher, columns=columns):
            return (
                f"the teacher {quoted(teacher)} gives other answers for missing texts of pandas "
                f"(NaN) and of polars (None), here in {listed(columns)}: "
                "pass rows='pandas' or rows='polars', as it was fitted"
            )
        case ScoresUnclear(source=source, reason=reason):
            return f"the scores of {quoted(source)} are not clear: {reason}"
        case ScoreKeysUnusable(place=place, key=key):
            rule = "each row has a key of its own"
            return f"{rule}, but in column {quoted(key)} of {place} {_key_faults(issue)}"
        case ScoresAbsent(source=source, key=key, count=count, rows=rows, example=example):
            return (
                f"{count:,} of {rows:,} rows have no score in {quoted(source)}: "
                f"the first has {quoted(key)} = {quoted(example)}"
            )
        case _:
            assert_never(issue)


def _key_faults(issue: ScoreKeysUnusable) -> str:
    missing = f"{_keys(issue.missing)} missing" if issue.missing else ""
    stands = "stands" if issue.repeated == 1 else "stand"
    count = f"{issue.repeated:,} key{'' if issue.repeated == 1 else 's'}"
    repeated = f"{count} {stands} there more than once, such as {quoted(issue.example)}"
    return " and ".join(part for part in (missing, repeated if issue.repeated else "") if part)


def _keys(count: int) -> str:
    return "1 key is" if count == 1 else f"{count:,} keys are"
