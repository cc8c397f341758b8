"""What a folder of labels says of itself, and who writes which of its parts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field
from returns.result import Success

from kdtab.config.base import FrozenConfig, parse_config
from kdtab.config.manifest import Count, Names, canonical_json
from kdtab.config.tables import ReadOptions
from kdtab.config.training import Task
from kdtab.errors.configs import FieldInvalid
from kdtab.results import Checked, fail

LABEL_FORMAT = 1
ENDING = frozenset({"rows", "parts"})
Digest: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class LabelOptions(FrozenConfig):
    """How a table is labelled.

    Attributes:
        id_column: A column that tells the rows apart. None takes the content of the row: rows with
            the same cells then share a label.
        rows_per_part: Rows of one file of labels, which are in memory at a time. None takes 65,536,
            fewer where the table has more than 64 columns.

    Example:
        >>> LabelOptions(id_column="customer").rows_per_part is None
        True
    """

    id_column: Annotated[str, Field(min_length=1)] | None = None
    rows_per_part: Annotated[int, Field(ge=1, le=2**24)] | None = None


class LabelPart(FrozenConfig):
    """One file of labels.

    Attributes:
        name: Its name in the folder.
        first_row: The table's row of its first label, from 0.
        rows: How many labels it has.
        size: Its bytes.
        sha256: Their digest.

    Example:
        >>> LabelPart(name="part-000000.parquet", first_row=0, rows=2, size=9, sha256="0" * 64).rows
        2
    """

    name: Annotated[str, Field(pattern=r"^part-[0-9]{6,}\.parquet$")]
    first_row: Count
    rows: Annotated[int, Field(ge=1)]
    size: Count
    sha256: Digest


class LabelLedger(FrozenConfig):
    """All of a label store but the labels: whose they are, and how rows find theirs.

    Attributes:
        kind: "labels".
        format_version: 1.
        kdtab_version: The kdtab that wrote it.
        table_sha256: Digest of the table's file.
        table_bytes: Its size.
        reading: How the file was read.
        columns: The columns whose cells make up a row's content, sorted.
        id_column: The column that tells rows apart; None where their content does.
        rows_per_part: Rows of every part but the last.
        teacher: What the teacher calls itself.
        teacher_fingerprint: The same text for the same teacher.
        task: Classification or regression.
        output_kind: What the numbers are.
        classes: Whose they are, in order; empty for regression.
        trees: B, when the probabilities are the mean vote of B trees.
        fold: The fold without whose rows the teacher was fitted; None where there is none.
        rows: Rows of the table; None until every row has its label.
        parts: The files in the order of the rows; empty until every row has its label.

    Example:
        >>> example_ledger().output_kind
        'values'
    """

    kind: Literal["labels"] = "labels"
    format_version: Literal[1] = 1
    kdtab_version: str
    table_sha256: Digest
    table_bytes: Count
    reading: ReadOptions
    columns: Names
    id_column: str | None
    rows_per_part: Annotated[int, Field(ge=1)]
    teacher: str
    teacher_fingerprint: str
    task: Task
    output_kind: Literal["logits", "log_probabilities", "probabilities", "values"]
    classes: Names
    trees: Annotated[int, Field(ge=1)] | None
    fold: Count | None = None
    rows: Count | None = None
    parts: Annotated[tuple[LabelPart, ...], Field(strict=False)] = ()

    @property
    def plan(self) -> str:
        """Digest of all that is known before the first row is labelled; every part carries it.

        Example:
            >>> len(example_ledger().plan)
            64
        """
        fields = self.model_dump(mode="json", exclude=set(ENDING))
        return hashlib.sha256(canonical_json(fields).encode()).hexdigest()

    @property
    def width(self) -> int:
        """Numbers of one label: one for each class, or one value.

        Example:
            >>> example_ledger().width
            1
        """
        return max(1, len(self.classes))


class WorkerShare(FrozenConfig):
    """Which parts a process writes: those whose number leaves `rank` when divided by `world`.

    Attributes:
        rank: Of this process, from 0.
        world: How many processes there are.

    Example:
        >>> [part for part in range(5) if WorkerShare(rank=1, world=2).has(part)]
        [1, 3]
    """

    rank: Annotated[int, Field(ge=0)] = 0
    world: Annotated[int, Field(ge=1)] = 1

    def has(self, part: int) -> bool:
        """Whether this process writes a part.

        Args:
            part: Its number, from 0.

        Returns:
            True for exactly one rank of the world.

        Example:
            >>> WorkerShare().has(7)
            True
        """
        return part % self.world == self.rank


def worker_share(environ: Mapping[str, str]) -> Checked[WorkerShare]:
    """The share that RANK and WORLD_SIZE stand for, as torchrun sets them.

    Args:
        environ: Environment variables.

    Returns:
        The share, all parts where neither is set; or `FieldInvalid`.

    Example:
        >>> worker_share({"RANK": "1", "WORLD_SIZE": "4"}).unwrap()
        WorkerShare(rank=1, world=4)
        >>> worker_share({"RANK": "4", "WORLD_SIZE": "4"}).failure().first.rule
        'must be less than WORLD_SIZE (4)'
    """
    names = {"rank": "RANK", "world": "WORLD_SIZE"}
    given = {field: environ[name] for field, name in names.items() if environ.get(name)}
    if len(given) == 1:
        (present,) = given
        rule = f"stands without {names['world' if present == 'rank' else 'rank']}: set both or none"
        return fail(FieldInvalid(name=names[present], rule=rule, found=given[present]))
    wrong = [
        FieldInvalid(name=names[field], rule="must be a whole number", found=text)
        for field, text in given.items()
        if not text.isascii() or not text.isdigit()
    ]
    if wrong:
        return fail(*wrong)
    numbers = {field: int(text) for field, text in given.items()}
    return parse_config(WorkerShare, numbers).bind(_possible)


def _possible(share: WorkerShare) -> Checked[WorkerShare]:
    if share.rank < share.world:
        return Success(share)
    rule = f"must be less than WORLD_SIZE ({share.world})"
    return fail(FieldInvalid(name="RANK", rule=rule, found=str(share.rank)))


def example_ledger() -> LabelLedger:
    """A ledger of a table of two rows, for examples.

    Returns:
        The ledger before any row is labelled.

    Example:
        >>> example_ledger().rows is None
        True
    """
    return LabelLedger(
        kdtab_version="0",
        table_sha256="0" * 64,
        table_bytes=9,
        reading=ReadOptions(),
        columns=("x",),
        id_column=None,
        rows_per_part=2,
        teacher="rule",
        teacher_fingerprint="rule-1",
        task="regression",
        output_kind="values",
        classes=(),
        trees=None,
    )
