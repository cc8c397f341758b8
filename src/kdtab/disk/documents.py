"""Config files in (TOML, YAML 1.2), and the check that an output can be written at all."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from returns.result import Result, Success

from kdtab.errors.configs import DocumentInvalid, DocumentUnreadable, OutputIsInput
from kdtab.errors.issue import Issues
from kdtab.errors.tables import FolderMissing, NotWritable
from kdtab.results import fail

if TYPE_CHECKING:
    from ruamel.yaml import YAML

AnyPath: TypeAlias = str | os.PathLike[str]

MAX_DOCUMENT_BYTES = 65_536
MAX_DEPTH = 8
MAX_REASON = 160
TOO_DEEP = "it is nested too deeply"
DOCUMENT_SUFFIXES = (".toml", ".yaml", ".yml")


def read_document(path: AnyPath) -> Result[dict[str, object], Issues]:
    r"""A config file as a plain mapping.

    YAML is read as version 1.2: `1e-3` is a number and `no` is a text. Duplicate keys, tags,
    anchors, directives and more than one document are refused; nothing is ever constructed but
    plain data.

    Args:
        path: A `.toml`, `.yaml` or `.yml` file of at most 64 KiB, in UTF-8.

    Returns:
        Values by key, in the file's order; empty for an empty file. `DocumentUnreadable`, or
        `DocumentInvalid` with the line where the format's reader names one.

    Example:
        >>> folder = tempfile.TemporaryDirectory()
        >>> file = Path(folder.name, "run.yaml")
        >>> _ = file.write_text("learning_rate: 1e-3\ntarget_column: no\n", encoding="utf-8")
        >>> read_document(file).unwrap()
        {'learning_rate': 0.001, 'target_column': 'no'}
        >>> folder.cleanup()
    """
    place = os.fspath(path)
    suffix = Path(place).suffix.lower()
    if suffix not in DOCUMENT_SUFFIXES:
        return _unreadable(place, "its name must end in .toml, .yaml or .yml")
    return _text(place).bind(
        lambda text: _toml(place, text) if suffix == ".toml" else _yaml(place, text)
    )


def output_issue(
    path: AnyPath, inputs: Mapping[str, AnyPath]
) -> FolderMissing | NotWritable | OutputIsInput | None:
    """Why nothing could be written at a path, found out before hours of work are lost.

    A file without a name is made in the folder and vanishes again, so that a full or read-only
    disk is noticed; an existing file is left as it is.

    Args:
        path: Where a file is to be written; an existing regular file may be replaced.
        inputs: The files that the same command reads or writes besides, by what they are ("the
            table").

    Returns:
        `FolderMissing`, `NotWritable`, `OutputIsInput` or None.

    Example:
        >>> output_issue("no-such-folder/model.kdtab", {})
        FolderMissing(path='no-such-folder/model.kdtab', folder='no-such-folder')
    """
    named = os.fspath(path)
    try:
        return _same_file(named, inputs) or _obstacle(named)
    except (OSError, ValueError) as error:
        return NotWritable(path=named, reason=_system_reason(error))


def _same_file(named: str, inputs: Mapping[str, AnyPath]) -> OutputIsInput | None:
    for role, given in inputs.items():
        if _is_same_file(Path(named), Path(given)):
            return OutputIsInput(path=named, role=role)
    return None


def _is_same_file(one: Path, other: Path) -> bool:
    """Two outputs of one command are not there yet, so links are followed by name as well."""
    both_there = one.exists() and other.exists()
    return one.samefile(other) if both_there else one.resolve() == other.resolve()


def _obstacle(named: str) -> FolderMissing | NotWritable | None:
    place = Path(named)
    if place.is_dir():
        return NotWritable(path=named, reason="it is a folder")
    if place.exists() and not place.is_file():
        return NotWritable(path=named, reason="it is a pipe, a device or a socket")
    if place.exists() and not os.access(place, os.W_OK):
        return NotWritable(path=named, reason="the file there is read-only")
    folder = place.resolve().parent
    if not folder.is_dir():
        return FolderMissing(path=named, folder=str(place.parent))
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(b"kdtab")
    return None


def _system_reason(error: OSError | ValueError) -> str:
    words = error.strerror if isinstance(error, OSError) else None
    return (words or str(error)).lower()


def _unreadable(path: str, reason: str) -> Result[dict[str, object], Issues]:
    return fail(DocumentUnreadable(path=path, reason=reason))


def _invalid(path: str, line: int | None, reason: str) -> Result[dict[str, object], Issues]:
    return fail(DocumentInvalid(path=path, line=line, reason=reason))


def _text(path: str) -> Result[str, Issues]:
    try:
        if not Path(path).is_file():
            reason = "it is not a file" if Path(path).exists() else "there is no such file"
            return fail(DocumentUnreadable(path=path, reason=reason))
        with Path(path).open("rb") as file:
            content = file.read(MAX_DOCUMENT_BYTES + 1)
    except (OSError, ValueError) as error:
        return fail(DocumentUnreadable(path=path, reason=_system_reason(error)))
    if len(content) > MAX_DOCUMENT_BYTES:
        return fail(DocumentUnreadable(path=path, reason="it is larger than 64 KiB"))
    try:
        return Success(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} is not UTF-8: save the file as UTF-8"
        line = content[: error.start].count(b"\n") + 1
        return fail(DocumentInvalid(path=path, line=line, reason=reason))


def _toml(path: str, text: str) -> Result[dict[str, object], Issues]:
    try:
        return Success(tomllib.loads(text))
    except RecursionError:
        return _invalid(path, None, TOO_DEEP)
    except ValueError as error:
        reason, _, place = str(error).partition(" (at ")
        digits = place.removeprefix("line ").partition(",")[0]
        end_line = text.count("\n") + 1 if place.startswith("end") else None
        return _invalid(path, int(digits) if digits.isdigit() else end_line, _cleaned(reason))


def _yaml(path: str, text: str) -> Result[dict[str, object], Issues]:
    # Every command imports this module, and hardly one reads YAML.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    reader = YAML(typ="safe", pure=True)
    try:
        for line, reason in _refused(reader, text):
            return _invalid(path, line, reason)
        loaded = YAML(typ="safe", pure=True).load(text)
    except RecursionError:
        return _invalid(path, None, TOO_DEEP)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = None if mark is None else int(mark.line) + 1
        return _invalid(path, place, _cleaned(error.problem or error.context or "it is not YAML"))
    except (YAMLError, ValueError) as error:
        return _invalid(path, None, _cleaned(str(error).partition("\n")[0]))
    return _mapping(path, loaded)


def _refused(reader: YAML, text: str) -> Iterator[tuple[int, str]]:
    """Everything that YAML allows and a config does not need, with its line."""
    documents = depth = 0
    for event in reader.parse(text):
        line = int(event.start_mark.line) + 1
        kind = type(event).__name__
        documents += int(kind == "DocumentStartEvent")
        depth += int(kind.endswith(("MappingStartEvent", "SequenceStartEvent")))
        depth -= int(kind.endswith(("MappingEndEvent", "SequenceEndEvent")))
        if documents > 1:
            yield line, "a second document starts here: only one is read"
        if depth > MAX_DEPTH:
            yield line, TOO_DEEP
        if getattr(event, "version", None) or getattr(event, "tags", None):
            yield line, "directives (lines that start with %) are refused"
        if getattr(event, "anchor", None) is not None:
            yield line, "anchors (&) and aliases (*) are refused: write the value out"
        if getattr(event, "tag", None) is not None:
            yield line, f"tags are refused, found {str(event.tag)!r}"


def _mapping(path: str, loaded: object) -> Result[dict[str, object], Issues]:
    if loaded is None:
        return Success({})
    if not isinstance(loaded, dict):
        kind = "a list" if isinstance(loaded, list) else "a single value"
        return _invalid(path, None, f"it holds {kind}, not `name: value` lines")
    for key in loaded:
        if not isinstance(key, str):
            return _invalid(path, None, f"the key {key!r} is not a text: field names are texts")
    return Success(loaded)


def _cleaned(reason: str) -> str:
    """A reader's own words as they may stand in a sentence: one line, printable, cut."""
    if "integer string conversion" in reason:
        return "a number has too many digits"
    line = "".join(letter if letter.isprintable() else "?" for letter in reason)
    return line[:1].lower() + line[1:MAX_REASON]
