"""The ledger of a label store: begun before the first row is labelled, ended after the last."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

from pydantic import ValidationError
from returns.result import Success

from kdtab.config.base import revise
from kdtab.config.labels import ENDING, LABEL_FORMAT, LabelLedger
from kdtab.config.manifest import canonical_json
from kdtab.disk.atomic import write_bytes
from kdtab.disk.labelparts import described_part, has_part
from kdtab.errors.issue import Issue
from kdtab.errors.labels import (
    LabelFolderTaken,
    LabelsAbsent,
    LabelsDamaged,
    LabelsOfOtherRun,
    LabelsTooNew,
)
from kdtab.errors.tables import FolderMissing, NotWritable
from kdtab.results import Checked, check, collect, fail

LEDGER = "ledger.json"
TEMPORARY = ".kdtab-*.tmp"
STALE_SECONDS = 3600.0


def ledger_bytes(ledger: LabelLedger) -> bytes:
    """The one content of a ledger's file: canonical JSON with the digest of its other fields.

    Args:
        ledger: Any ledger.

    Returns:
        ASCII text on one line.

    Example:
        >>> from kdtab.config.labels import example_ledger
        >>> b'"sha256":' in ledger_bytes(example_ledger())
        True
    """
    fields = ledger.model_dump(mode="json")
    digest = hashlib.sha256(canonical_json(fields).encode()).hexdigest()
    return (canonical_json({**fields, "sha256": digest}) + "\n").encode()


def read_ledger(folder: str) -> Checked[LabelLedger]:
    """The ledger in a folder, of which every byte is what kdtab would have written.

    Args:
        folder: The label store.

    Returns:
        The ledger, finished or not; or `LabelsAbsent`, `LabelsDamaged`, `LabelsTooNew`.

    Example:
        >>> read_ledger("no-such-folder").failure().first
        LabelsAbsent(path='no-such-folder')
    """
    path = Path(folder, LEDGER)
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return fail(LabelsAbsent(path=folder))
    except (OSError, ValueError) as error:
        return fail(LabelsDamaged(path=str(path), reason=str(error).lower()))
    return _parsed(folder, str(path), content)


def begin_ledger(folder: str, ledger: LabelLedger) -> Checked[LabelLedger]:
    """Make the folder a label store of this plan, or find that it is one.

    Args:
        folder: A new folder in an old one, an empty one, or a store that is to be continued.
        ledger: The plan: no rows and no parts yet.

    Returns:
        The ledger as it stands there, perhaps finished; or `LabelsOfOtherRun`, `LabelFolderTaken`,
        `LabelsDamaged`, `LabelsTooNew`, `FolderMissing`, `NotWritable`, `DiskFull`.

    Example:
        >>> import tempfile
        >>> from kdtab.config.labels import example_ledger
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     begun = begin_ledger(folder, example_ledger())
        ...     begun == begin_ledger(folder, example_ledger()) == read_ledger(folder)
        True
    """
    refused = _made(folder)
    if refused is not None:
        return fail(refused)
    strangers = tuple(sorted(_strangers(folder)))
    if Path(folder, LEDGER).exists():
        return read_ledger(folder).bind(lambda there: _same_plan(folder, there, ledger))
    if strangers:
        return fail(LabelFolderTaken(path=folder, found=strangers))
    return write_bytes(Path(folder, LEDGER), ledger_bytes(ledger)).map(lambda _: ledger)


def end_ledger(folder: str, ledger: LabelLedger, rows: int) -> Checked[LabelLedger]:
    """Write the finished ledger if every part is there; whoever finishes last does.

    Args:
        folder: The label store.
        ledger: Its plan.
        rows: Of the table.

    Returns:
        The finished ledger, or the plan as it is while other writers are still at work;
        `LabelsDamaged`, `NotWritable`, `DiskFull`.

    Example:
        >>> import tempfile
        >>> from kdtab.config.labels import example_ledger
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     end_ledger(folder, example_ledger(), 5).unwrap().rows is None
        True
    """
    starts = list(range(0, rows, ledger.rows_per_part))
    if not all(has_part(folder, number, ledger.plan) for number in range(len(starts))):
        return Success(ledger)
    parts = collect(
        described_part(folder, number, first, min(ledger.rows_per_part, rows - first))
        for number, first in enumerate(starts)
    )
    return parts.bind(lambda every: revise(ledger, rows=rows, parts=every)).bind(
        lambda ended: write_bytes(Path(folder, LEDGER), ledger_bytes(ended)).map(lambda _: ended)
    )


def sweep(folder: str) -> None:
    """Remove what writers that were killed left behind an hour ago or longer.

    Args:
        folder: The label store; files of writers at work are younger.

    Example:
        >>> sweep("no-such-folder")
    """
    before = time.time() - STALE_SECONDS
    for left in Path(folder).glob(TEMPORARY):
        try:
            if left.stat().st_mtime < before:
                left.unlink()
        except OSError:
            continue  # another writer was faster


def _made(folder: str) -> Issue | None:
    place = Path(folder)
    try:
        place.mkdir(exist_ok=True)
    except FileExistsError:
        return NotWritable(path=folder, reason="it is a file, and labels need a folder")
    except FileNotFoundError:
        return FolderMissing(path=folder, folder=str(place.parent))
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else None
        return NotWritable(path=folder, reason=(words or str(error)).lower())
    return None


def _strangers(folder: str) -> set[str]:
    return {
        item.name
        for item in Path(folder).iterdir()
        if not item.match(TEMPORARY) and item.name != LEDGER
    }


def _parsed(folder: str, path: str, content: bytes) -> Checked[LabelLedger]:
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        return fail(LabelsDamaged(path=path, reason="it is not JSON"))
    if not isinstance(fields, dict) or fields.get("kind") != "labels":
        return fail(LabelsDamaged(path=path, reason="it is no ledger of labels"))
    version = fields.get("format_version")
    if type(version) is int and version > LABEL_FORMAT:
        return fail(LabelsTooNew(path=folder, found=version, known=LABEL_FORMAT))
    fields.pop("sha256", None)
    try:
        ledger = LabelLedger.model_validate_json(json.dumps(fields))
    except ValidationError as error:
        name = ".".join(str(part) for part in error.errors()[0]["loc"])
        return fail(LabelsDamaged(path=path, reason=f"its field {name!r} is refused"))
    if ledger_bytes(ledger) != content:
        return fail(LabelsDamaged(path=path, reason="some byte is not what was written"))
    return Success(ledger)


def _same_plan(folder: str, there: LabelLedger, here: LabelLedger) -> Checked[LabelLedger]:
    names = [name for name in LabelLedger.model_fields if name not in ENDING]
    differing = tuple(
        (name, str(getattr(there, name)), str(getattr(here, name)))
        for name in names
        if getattr(there, name) != getattr(here, name)
    )
    found = LabelsOfOtherRun(path=folder, differing=differing) if differing else None
    return check(found).map(lambda _: there)
