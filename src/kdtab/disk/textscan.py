"""From the bytes of a text file to clean UTF-8, or the reason why it is no table's text."""

from __future__ import annotations

import codecs
import sys
from pathlib import Path

from returns.result import Success

from kdtab.errors.formats import ContentContradictsSuffix, FileEmpty
from kdtab.errors.issue import Issue
from kdtab.errors.texts import (
    EncodingUnknown,
    NulByte,
    PageNotTable,
    TextOfOtherEncoding,
    TextUndecodable,
)
from kdtab.results import Checked, fail

# In this order: the mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FOREIGN = (
    (b"\x1f\x8b", "gzip data", "rename it to end in '{suffix}.gz'"),
    (b"\x28\xb5\x2f\xfd", "zstd data", "rename it to end in '{suffix}.zst'"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "unpack it, or rename it to '.xlsx'"),
    (b"PAR1", "Parquet data", "rename it to end in '.parquet'"),
    (b"ARROW1", "Arrow data", "rename it to end in '.arrow'"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "rename it to end in '.xls'"),
    (b"BZh", "bzip2 data", "unpack it first"),
    (b"\xfd7zXZ\x00", "xz data", "unpack it first"),
    (b"%PDF-", "a PDF document", "export the table as CSV"),
    (b"SQLite format 3\x00", "an SQLite database", "export the table as CSV"),
    (b"\x89HDF\r\n", "HDF5 data", "export the table as CSV or Parquet"),
    (b"version https://git-lfs", "a Git LFS pointer", "fetch the file itself with 'git lfs pull'"),
)
_PAGES = (b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<!--")
_HEAD = 4096
_BLANKS = b" \t\r\n"


def clean_utf8(path: str, content: bytes, encoding: str, expected: str) -> Checked[bytes]:
    r"""The text as UTF-8 bytes without a byte order mark.

    Args:
        path: The file's name, for messages.
        content: Its bytes, unpacked.
        encoding: The encoding to read it by; `utf-16` without a mark is read by its zero bytes.
        expected: What the suffix promised, for messages.

    Returns:
        UTF-8 bytes without NUL, or `EncodingUnknown`, `FileEmpty`, `ContentContradictsSuffix`,
        `TextOfOtherEncoding`, `TextUndecodable`, `NulByte`, `PageNotTable`.

    Example:
        >>> clean_utf8("a.csv", "x\n5°".encode("latin-1"), "latin-1", "CSV text").unwrap().decode()
        'x\n5°'
        >>> clean_utf8("a.csv", "x\n5°".encode("latin-1"), "utf-8", "CSV text").failure().first
        TextUndecodable(path='a.csv', encoding='utf-8', byte=176, position=3, row=2)
    """
    codec = _codec_name(encoding)
    if codec is None:
        return fail(EncodingUnknown(name=encoding))
    refused = _foreign(path, content, expected) or _other_encoding(path, content, codec)
    if refused is not None:
        return fail(refused)
    return _decoded(path, content, codec, encoding).bind(lambda text: _checked(path, text))


def _codec_name(encoding: str) -> str | None:
    try:
        codec = codecs.lookup(encoding)
        "".encode(encoding)  # `base64` and its like are codecs, but of no text
    except (LookupError, ValueError):
        return None
    return codec.name


def _foreign(path: str, content: bytes, expected: str) -> Issue | None:
    suffix = Path(path).suffix
    for magic, found, remedy in _FOREIGN:
        if content.startswith(magic):
            advice = remedy.format(suffix=suffix)
            return ContentContradictsSuffix(
                path=path, found=found, expected=expected, remedy=advice
            )
    return None


def _other_encoding(path: str, content: bytes, codec: str) -> Issue | None:
    shown = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    shown = shown or ("utf-16" if _zero_side(content) else None)
    if shown is None or codec.startswith(shown):
        return None
    return TextOfOtherEncoding(path=path, asked=codec, found=shown)


def _zero_side(content: bytes) -> str | None:
    """`le` or `be` where every other byte of mostly ASCII text is zero."""
    head = content[:_HEAD]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > 0.4 * len(head) / 2 and even <= 0.02 * len(head):
        return "le"
    if even > 0.4 * len(head) / 2 and odd <= 0.02 * len(head):
        return "be"
    return None


def _decoded(path: str, content: bytes, codec: str, encoding: str) -> Checked[bytes]:
    try:
        if codec in {"utf-8", "utf-8-sig"}:
            text = content.removeprefix(codecs.BOM_UTF8)
            if not text.isascii():
                content.decode("utf-8")
            return Success(text)
        side = f"-{_zero_side(content) or sys.byteorder[0] + 'e'}"
        marked = any(content.startswith(mark) for mark, _ in _MARKS)
        exact = codec + side if codec == "utf-16" and not marked else codec
        return Success(content.decode(exact).removeprefix("\ufeff").encode("utf-8"))
    except UnicodeDecodeError as error:
        return fail(_undecodable(path, content, encoding, error))
    except UnicodeError:  # such codecs as `idna` refuse without saying where
        return fail(
            TextUndecodable(path=path, encoding=encoding, byte=content[0], position=0, row=1)
        )


def _undecodable(path: str, content: bytes, encoding: str, error: UnicodeDecodeError) -> Issue:
    return TextUndecodable(
        path=path,
        encoding=encoding,
        byte=content[error.start],
        position=error.start,
        row=content.count(b"\n", 0, error.start) + 1,
    )


def _checked(path: str, text: bytes) -> Checked[bytes]:
    if not text[:_HEAD].strip(_BLANKS) and not text.strip(_BLANKS):
        return fail(FileEmpty(path=path))
    nul = text.find(b"\0")
    if nul >= 0:
        return fail(NulByte(path=path, row=text.count(b"\n", 0, nul) + 1, position=nul))
    if text[:_HEAD].lstrip(_BLANKS).lower().startswith(_PAGES):
        return fail(PageNotTable(path=path))
    return Success(text)
