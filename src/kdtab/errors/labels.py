"""What can be wrong with a folder of labels, alone or beside a table."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, listed, quoted


class LabelsAbsent(IssueValue):
    """There is no label store in the folder.

    Example:
        >>> explain_label_issue(LabelsAbsent(path="labels"))
        "no labels in 'labels': make them with `kdtab label TABLE --teacher FILE -o FOLDER`"
    """

    path: str


class LabelsDamaged(IssueValue):
    """A file of a label store is missing or not what was written.

    Example:
        >>> explain_label_issue(LabelsDamaged(path="labels/ledger.json", reason="it is cut off"))
        "'labels/ledger.json' is damaged (it is cut off): delete the folder and label again"
    """

    path: str
    reason: str


class LabelsTooNew(IssueValue):
    """The label store was written by a newer kdtab.

    Example:
        >>> explain_label_issue(LabelsTooNew(path="labels", found=2, known=1))
        "the labels in 'labels' have format version 2, this kdtab knows 1: update kdtab"
    """

    path: str
    found: int
    known: int


class LabelsUnfinished(IssueValue):
    """Not every row of the table has its label yet.

    Example:
        >>> explain_label_issue(LabelsUnfinished(path="labels", parts=3))
        "the labels in 'labels' are not complete (3 parts so far): run the same `kdtab label` again, it goes on where it stopped"
    """

    path: str
    parts: int


class LabelsOfOtherRun(IssueValue):
    """The folder holds labels of another table or teacher, or of the same with other options.

    Attributes:
        path: The folder.
        differing: Each field that differs, what the folder has, and what this run has.

    Example:
        >>> explain_label_issue(LabelsOfOtherRun(path="labels", differing=(("id_column", "a", "b"),)))
        "'labels' holds labels of another run (id_column is 'a' there and 'b' here): choose another folder, or delete it"
    """

    path: str
    differing: tuple[tuple[str, str, str], ...]


class LabelFolderTaken(IssueValue):
    """The folder for the labels holds something else.

    Example:
        >>> explain_label_issue(LabelFolderTaken(path="data", found=("adult.csv",)))
        "labels go into a folder of their own, and 'data' holds 'adult.csv': name a new folder"
    """

    path: str
    found: tuple[str, ...]


class TableChanged(IssueValue):
    """The table's file changed while its rows were labelled.

    Example:
        >>> explain_label_issue(TableChanged(path="a.csv"))
        "'a.csv' changed while its rows were labelled: label it again, into a new folder"
    """

    path: str


class IdsMissing(IssueValue):
    """Rows without a value in the id column.

    Example:
        >>> explain_label_issue(IdsMissing(column="id", rows=2, first_row=7))
        "2 rows have no value in the id column 'id', the first is row 7: rows are told apart by it"
    """

    column: str
    rows: int
    first_row: int


class IdsRepeated(IssueValue):
    """One id stands for several rows.

    Attributes:
        column: The id column.
        place: Where: "the table" or "the labels".
        rows: Rows whose id another row before them has.
        example: One such id.

    Example:
        >>> explain_label_issue(IdsRepeated(column="id", place="the table", rows=2, example="7"))
        "2 rows of the table repeat an id of column 'id', for example '7': ids must be unique; drop the repeated rows, or label without an id column"
    """

    column: str
    place: str
    rows: int
    example: str


class KeyColumnsMissing(IssueValue):
    """The table lacks columns by which its rows are found among the labels.

    Example:
        >>> explain_label_issue(KeyColumnsMissing(missing=("age",), found=("x",)))
        "the labels know their rows by columns that the table lacks: 'age'. It has 'x'"
    """

    missing: tuple[str, ...]
    found: tuple[str, ...]


class RowsUnlabelled(IssueValue):
    """Rows of the table that the label store does not know.

    Attributes:
        path: The folder of labels.
        rows: How many.
        total: Rows of the table.
        first_row: The first of them.
        id_column: By which rows are known; None where it is their content.

    Example:
        >>> explain_label_issue(RowsUnlabelled(path="labels", rows=3, total=9, first_row=2, id_column=None))
        "3 of 9 rows have no label in 'labels', the first is row 2: they were added or changed since the table was labelled; label it again"
    """

    path: str
    rows: int
    total: int
    first_row: int
    id_column: str | None


class RowsChanged(IssueValue):
    """Rows whose id has a label, but whose cells are others than those that were labelled.

    Example:
        >>> explain_label_issue(RowsChanged(path="labels", rows=3, total=9, first_row=2, id_column="id"))
        "3 of 9 rows have other cells than when they were labelled in 'labels', the first is row 2: label the table again"
    """

    path: str
    rows: int
    total: int
    first_row: int
    id_column: str


StoreIssue: TypeAlias = (
    LabelsAbsent
    | LabelsDamaged
    | LabelsTooNew
    | LabelsUnfinished
    | LabelsOfOtherRun
    | LabelFolderTaken
    | TableChanged
)
RowIssue: TypeAlias = IdsMissing | IdsRepeated | KeyColumnsMissing | RowsUnlabelled | RowsChanged
LabelIssue: TypeAlias = StoreIssue | RowIssue


def explain_label_issue(issue: LabelIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of a label store.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_label_issue(TableChanged(path="b.csv"))
        "'b.csv' changed while its rows were labelled: label it again, into a new folder"
    """
    return _explain_store(issue) if isinstance(issue, StoreIssue) else _explain_rows(issue)


def _explain_store(issue: StoreIssue) -> str:
    path = quoted(issue.path)
    match issue:
        case LabelsAbsent():
            return (
                f"no labels in {path}: make them with `kdtab label TABLE --teacher FILE -o FOLDER`"
            )
        case LabelsDamaged(reason=reason):
            return f"{path} is damaged ({reason}): delete the folder and label again"
        case LabelsTooNew(found=found, known=known):
            return (
                f"the labels in {path} have format version {found}, this kdtab knows {known}: "
                "update kdtab"
            )
        case LabelsUnfinished(parts=parts):
            return (
                f"the labels in {path} are not complete ({parts:,} parts so far): run the same "
                "`kdtab label` again, it goes on where it stopped"
            )
        case LabelsOfOtherRun(differing=differing):
            pairs = ", ".join(
                f"{name} is {quoted(there)} there and {quoted(here)} here"
                for name, there, here in differing
            )
            return (
                f"{path} holds labels of another run ({pairs}): choose another folder, or delete it"
            )
        case LabelFolderTaken(found=found):
            return (
                f"labels go into a folder of their own, and {path} holds {listed(found)}: "
                "name a new folder"
            )
        case TableChanged():
            return f"{path} changed while its rows were labelled: label it again, into a new folder"
        case _:
            assert_never(issue)


def _explain_rows(issue: RowIssue) -> str:
    match issue:
        case IdsMissing(column=column, rows=rows, first_row=first):
            return (
                f"{_rows(rows)} no value in the id column {quoted(column)}, the first is row "
                f"{first:,}: rows are told apart by it"
            )
        case IdsRepeated(column=column, place=place, rows=rows, example=example):
            return (
                f"{rows:,} {'row' if rows == 1 else 'rows'} of {place} "
                f"{'repeats' if rows == 1 else 'repeat'} an id of column {quoted(column)}, for "
                f"example {quoted(example)}: ids must be unique; drop the repeated rows, or label "
                "without an id column"
            )
        case KeyColumnsMissing(missing=missing, found=found):
            return (
                "the labels know their rows by columns that the table lacks: "
                f"{listed(missing)}. It has {listed(found)}"
            )
        case RowsUnlabelled(path=path, rows=rows, total=total, first_row=first, id_column=key):
            why = "were added" if key is not None else "were added or changed"
            return (
                f"{_share(rows, total)} no label in {quoted(path)}, the first is row {first:,}: "
                f"they {why} since the table was labelled; label it again"
            )
        case RowsChanged(path=path, rows=rows, total=total, first_row=first):
            return (
                f"{_share(rows, total)} other cells than when they were labelled in "
                f"{quoted(path)}, the first is row {first:,}: label the table again"
            )
        case _:
            assert_never(issue)


def _rows(count: int) -> str:
    return "1 row has" if count == 1 else f"{count:,} rows have"


def _share(count: int, total: int) -> str:
    return f"{count:,} of {total:,} rows {'has' if count == 1 else 'have'}"
