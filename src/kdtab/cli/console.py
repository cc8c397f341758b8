"""What a command hands back, and how results, mistakes and numbers look on a terminal."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from kdtab.cli.exits import Exit
from kdtab.errors.bundles import BundleIssue
from kdtab.errors.columns import ColumnIssue
from kdtab.errors.configs import ConfigIssue
from kdtab.errors.estimators import EstimatorIssue
from kdtab.errors.extras import ExtraMissing
from kdtab.errors.issue import Issue, Issues, explain
from kdtab.errors.labels import LabelIssue
from kdtab.errors.layers import LayerIssue
from kdtab.errors.objectives import ObjectiveIssue
from kdtab.errors.sequences import SeriesIssue
from kdtab.errors.sequenceteachers import DimensionsDiffer, SequenceTeacherIssue
from kdtab.errors.tables import DiskFull, FolderMissing, NotWritable, TableIssue
from kdtab.errors.taskmodules import TaskModuleIssue
from kdtab.errors.teachers import LabelEncoderMissing, TaskMismatch, TeacherIssue, TeacherMissing
from kdtab.errors.training import BudgetTooSmall, TrainingIssue
from kdtab.errors.trajectories import TrajectoriesAbsent, TrajectoryIssue


@dataclass(frozen=True)
class Answer:
    r"""What a command found, before anyone prints it.

    Attributes:
        text: For people, on stdout; ends with a line break.
        plain: The same for programs, the one document of `--json`.
        notes: Sentences beside the result, on stderr.
        gate_missed: All is written, but not as good as was asked for; the exit code is 1.

    Example:
        >>> Answer(text="done\n", plain={"done": True}).notes
        ()
    """

    text: str
    plain: Mapping[str, object]
    notes: tuple[str, ...] = ()
    gate_missed: bool = False


def exit_code(issues: Issues) -> Exit:
    """The exit code that the first issue stands for.

    Args:
        issues: Why a command failed.

    Returns:
        2 for usage and configs, 3 for data, 4 for bundles, 5 for training, 6 for the disk.

    Example:
        >>> exit_code(Issues((FolderMissing(path="a/b", folder="a"),)))
        <Exit.DISK: 6>
    """
    return _issue_code(issues.first)


def _issue_code(issue: Issue) -> Exit:
    if isinstance(issue, FolderMissing | NotWritable | DiskFull):
        return Exit.DISK
    if isinstance(
        issue, ConfigIssue | ObjectiveIssue | TaskMismatch | TeacherMissing | ExtraMissing
    ):
        return Exit.USAGE
    if isinstance(issue, BundleIssue | LabelEncoderMissing):
        return Exit.BUNDLE
    if isinstance(issue, BudgetTooSmall):
        return Exit.USAGE
    if isinstance(issue, TrainingIssue):
        return Exit.TRAINING
    if isinstance(issue, TableIssue | ColumnIssue | TeacherIssue | LabelIssue | SeriesIssue):
        return Exit.DATA
    if isinstance(
        issue, EstimatorIssue | LayerIssue | TaskModuleIssue | TrajectoriesAbsent | DimensionsDiffer
    ):
        return Exit.USAGE
    if isinstance(issue, TrajectoryIssue | SequenceTeacherIssue):
        return Exit.BUNDLE
    assert_never(issue)


def issue_lines(issues: Issues) -> str:
    r"""One line for each issue, for stderr.

    Args:
        issues: Why a command failed.

    Returns:
        `error: sentence` lines, each with its line break.

    Example:
        >>> issue_lines(Issues((FolderMissing(path="a/b", folder="a"),)))
        "error: cannot write 'a/b': there is no folder 'a'; create it first\n"
    """
    return "".join(f"error: {explain(issue)}\n" for issue in issues)


def issue_document(issues: Issues) -> dict[str, object]:
    """The issues as the one document of `--json`.

    Args:
        issues: Why a command failed.

    Returns:
        `{"error": [...]}`, each with its kind, its sentence and its facts.

    Example:
        >>> issue_document(Issues((FolderMissing(path="a/b", folder="a"),)))["error"][0]["kind"]
        'FolderMissing'
    """
    return {
        "error": [
            {
                "kind": type(issue).__name__,
                "message": explain(issue),
                "facts": issue.model_dump(mode="json"),
            }
            for issue in issues
        ]
    }


def json_text(document: Mapping[str, object]) -> str:
    r"""One JSON document on lines of its own; numbers that JSON lacks become null.

    Args:
        document: Dictionaries, lists, texts, numbers, booleans and None.

    Returns:
        The text, ending with a line break.

    Example:
        >>> json_text({"loss": float("nan")})
        '{\n  "loss": null\n}\n'
    """
    return json.dumps(_finite(document), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(name): _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def aligned(rows: Sequence[Sequence[str]], *, numbers: bool = False) -> str:
    """A table of texts with its columns in line, two blanks between them.

    Args:
        rows: Rows of equally many cells.
        numbers: All columns but the first are numbers, and end in line.

    Returns:
        One line for each row, without blanks at its end; control characters are escaped.

    Example:
        >>> print(aligned([("rows", "9"), ("accuracy", "0.9")], numbers=True), end="")
        rows        9
        accuracy  0.9
    """
    cells = [[_on_one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if numbers and place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    )
    return "".join(line.rstrip() + "\n" for line in lines)


def _on_one_line(cell: str) -> str:
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in cell
    )


def figure(value: float) -> str:
    """A number with the digits that a person can use.

    Args:
        value: A loss, a metric, a rate.

    Returns:
        Four significant digits, no powers of ten below a million millions; `-` for NaN.

    Example:
        >>> [figure(value) for value in (0.91377, 12345.6, 0.00012345, 2.0)]
        ['0.9138', '12,346', '0.0001234', '2.000']
    """
    if math.isnan(value):
        return "-"
    if abs(value) >= 1_000:
        return f"{value:,.0f}" if abs(value) < 1e12 else f"{value:.3e}"
    return f"{value:#.4g}"
