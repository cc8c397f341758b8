"""Bundle files of sequence networks: the same format as of tables, another manifest."""

from __future__ import annotations

import os

from returns.result import Success

from kdtab.config.sequencemanifest import SEQUENCE_MANIFESTS, SequenceManifest
from kdtab.disk.bundlebytes import corrupt
from kdtab.disk.bundleparts import (
    BundleParts,
    decode_parts,
    encode_parts,
    manifest_of,
    read_parts,
    write_content,
)
from kdtab.errors.bundles import BundleContradiction
from kdtab.record import SequenceRecord, sequence_contradictions
from kdtab.results import Checked, fail


def read_sequence_record(path: str | os.PathLike[str]) -> Checked[SequenceRecord]:
    """The record in a bundle file of a sequence network.

    Args:
        path: A regular file, or a link to one. Its suffix does not matter: `teacher.soen` is fine.

    Returns:
        The record, its arrays read-only; or the issues of `read_parts`.

    Example:
        >>> read_sequence_record("teacher.soen").failure().first
        BundleMissing(path='teacher.soen')
    """
    return read_parts(path, "sequence").bind(_recorded)


def decode_sequence_record(path: str, content: bytes) -> Checked[SequenceRecord]:
    """The record in a file's content, of which every byte is what kdtab would have written.

    Args:
        path: The file, for messages.
        content: The whole file.

    Returns:
        The record; or the issues of `read_sequence_record`.

    Example:
        >>> decode_sequence_record("t.soen", b"").failure().first
        BundleForeign(path='t.soen', found='an empty file')
    """
    return decode_parts(path, content, "sequence").bind(_recorded)


def encode_sequence_record(record: SequenceRecord) -> bytes:
    """The one content of the file that a record has.

    Args:
        record: A record without contradictions.

    Returns:
        A safetensors file.

    Example:
        >>> from kdtab.config.sequencenetworks import BasicLayer, SequenceSpec
        >>> spec = SequenceSpec(input_dim=1, layers=(BasicLayer(dim=1),))
        >>> b"sequence" in encode_sequence_record(SequenceRecord(SequenceManifest(network=spec), {}))
        True
    """
    return encode_parts(_fields(record.manifest), record.arrays)


def write_sequence_record(path: str | os.PathLike[str], record: SequenceRecord) -> Checked[None]:
    """Write a record as one file, whole or not at all.

    Args:
        path: Where; what is there already is replaced.
        record: What to store.

    Returns:
        None; or `BundleContradiction` for a record that could not be read again, `BundleTooLarge`,
        or what the disk refuses.

    Example:
        >>> from kdtab.config.sequencenetworks import BasicLayer, SequenceSpec
        >>> spec = SequenceSpec(input_dim=1, layers=(BasicLayer(dim=1),))
        >>> record = SequenceRecord(SequenceManifest(network=spec), {})
        >>> write_sequence_record("s.soen", record).failure().first.reason
        "array 'weights/layers.0.bias' is missing"
    """
    reasons = sequence_contradictions(record)
    if reasons:
        return fail(*(BundleContradiction(reason=reason) for reason in reasons))
    return write_content(path, encode_sequence_record(record))


def _fields(manifest: SequenceManifest) -> dict[str, object]:
    fields: dict[str, object] = manifest.model_dump(mode="json", exclude={"provenance"})
    return fields | {"provenance": manifest.provenance.model_dump(mode="json", exclude_none=True)}


def _recorded(parts: BundleParts) -> Checked[SequenceRecord]:
    return manifest_of(parts, SEQUENCE_MANIFESTS).bind(
        lambda manifest: _consistent(parts.path, SequenceRecord(manifest, parts.arrays))
    )


def _consistent(path: str, record: SequenceRecord) -> Checked[SequenceRecord]:
    reasons = sequence_contradictions(record)
    return corrupt(path, *reasons) if reasons else Success(record)
