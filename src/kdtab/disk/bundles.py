"""Bundle files: records in, records out; nothing is executed, imported or opened but the file."""

from __future__ import annotations

import os

from returns.result import Result, Success

from kdtab.config.manifest import MANIFESTS, TableManifest, manifest_fields
from kdtab.disk.bundlebytes import corrupt
from kdtab.disk.bundleparts import (
    BundleParts,
    decode_parts,
    encode_parts,
    manifest_of,
    read_parts,
    write_content,
)
from kdtab.disk.halves import precision_problems, restored_arrays, stored_arrays
from kdtab.errors.bundles import BundleContradiction
from kdtab.errors.issue import Issues
from kdtab.record import BundleRecord, contradictions
from kdtab.results import fail


def read_record(path: str | os.PathLike[str]) -> Result[BundleRecord, Issues]:
    """The record in a bundle file (REQ-KD02, REQ-T22).

    Args:
        path: A regular file, or a link to one. Its suffix does not matter.

    Returns:
        The record, its arrays read-only; or `BundleMissing`, `BundleNotReadable`, `BundleForeign`,
        `BundleTooLarge`, `BundleTooNew`, `BundleKindUnknown`, `BundleOfOtherKind`, `BundleCorrupt`.

    Example:
        >>> read_record("no such file").failure().first
        BundleMissing(path='no such file')
    """
    return read_parts(path, "table").bind(_recorded)


def write_record(path: str | os.PathLike[str], record: BundleRecord) -> Result[None, Issues]:
    """Write a record as one file, whole or not at all.

    Args:
        path: Where; what is there already is replaced.
        record: What to store.

    Returns:
        None; or `BundleContradiction` for a record that could not be read again, `BundleTooLarge`,
        or what the disk refuses.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.config.schema import TableSchema
        >>> from kdtab.record import TableManifest
        >>> record = BundleRecord(TableManifest(
        ...     task="regression", target_column="y", network=LinearSpec(input_dim=1, output_dim=1),
        ...     preprocessing=(), class_names=(), table_schema=TableSchema(features=(), left_out=()),
        ... ), {})
        >>> write_record("t.kdtab", record).failure().first.reason
        'its preprocessing steps are [], they must be vectorize, impute, scale'
    """
    reasons = contradictions(record)
    if reasons:
        return fail(*(BundleContradiction(reason=reason) for reason in reasons))
    return write_content(path, encode_record(record))


def encode_record(record: BundleRecord) -> bytes:
    """The one content of the file that a record has.

    Args:
        record: A record without contradictions.

    Returns:
        A safetensors file: the header's length, the header, the arrays' bytes.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.config.schema import TableSchema
        >>> from kdtab.record import TableManifest
        >>> encode_record(BundleRecord(TableManifest(
        ...     task="regression", target_column="y", network=LinearSpec(input_dim=1, output_dim=1),
        ...     preprocessing=(), class_names=(), table_schema=TableSchema(features=(), left_out=()),
        ... ), {}))[8:35]
        b'{"__metadata__":{"kdtab":"{'
    """
    return encode_parts(manifest_fields(record.manifest), stored_arrays(record))


def decode_record(path: str, content: bytes) -> Result[BundleRecord, Issues]:
    r"""The record in a file's content, of which every byte is what kdtab would have written.

    Args:
        path: The file, for messages.
        content: The whole file.

    Returns:
        The record, its arrays read-only views on the content; or the issues of `read_record`.

    Example:
        >>> decode_record("t.kdtab", b"PK\x05\x06").failure().first
        BundleForeign(path='t.kdtab', found='an empty zip archive')
    """
    return decode_parts(path, content, "table").bind(_recorded)


def _recorded(parts: BundleParts) -> Result[BundleRecord, Issues]:
    return manifest_of(parts, MANIFESTS).bind(lambda manifest: _consistent(parts, manifest))


def _consistent(parts: BundleParts, manifest: TableManifest) -> Result[BundleRecord, Issues]:
    precision = manifest.provenance.weight_precision
    record = BundleRecord(manifest, restored_arrays(parts.arrays, precision))
    reasons = (*precision_problems(parts.arrays, precision), *contradictions(record))
    return corrupt(parts.path, *reasons) if reasons else Success(record)
