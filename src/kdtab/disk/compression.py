"""Unpack gzip and zstd, with an end in sight: a small file that never stops is refused."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import zstandard
from returns.result import Success

from kdtab.errors.formats import ContentContradictsSuffix, UnpackedTooLarge
from kdtab.errors.tables import FileNotReadable
from kdtab.results import Checked, fail

MOST_BYTES_FREE = 256 * 2**20
MOST_TIMES_LARGER = 200
_PIECE = 2**20
# One packed kilobyte of zstd unpacks to 32 MB at most, so the bound is met soon after it is passed.
_ZSTD_PIECE = 2**10


def unpack(path: str, packing: str, content: bytes, free: int = MOST_BYTES_FREE) -> Checked[bytes]:
    """The unpacked bytes of a gzip or zstd file.

    Args:
        path: The file's name, for messages.
        packing: Its last suffix: `.gz`, `.zst`, or an empty text for a file that is not packed.
        content: Its bytes.
        free: A file may unpack to so many bytes, or to 200 times its size if that is more.

    Returns:
        The unpacked bytes, or `ContentContradictsSuffix`, `FileNotReadable`, `UnpackedTooLarge`.

    Example:
        >>> import gzip
        >>> unpack("a.csv.gz", ".gz", gzip.compress(b"x,y"))
        <Success: b'x,y'>
        >>> unpack("a.csv.gz", ".gz", gzip.compress(b"0" * 9000), free=1000).failure().first
        UnpackedTooLarge(path='a.csv.gz', limit=8800)
    """
    if not packing:
        return Success(content)
    name, magic = ("gzip", b"\x1f\x8b") if packing == ".gz" else ("zstd", b"\x28\xb5\x2f\xfd")
    if not content.startswith(magic):
        return fail(_not_packed(path, name, packing))
    limit = max(free, MOST_TIMES_LARGER * len(content))
    pieces = _gunzip(content) if packing == ".gz" else _unzstd(content)
    return _joined(path, name, pieces, limit)


def _joined(path: str, name: str, pieces: Iterator[bytes], limit: int) -> Checked[bytes]:
    unpacked = bytearray()
    try:
        for piece in pieces:
            unpacked += piece
            if len(unpacked) > limit:
                return fail(UnpackedTooLarge(path=path, limit=limit))
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        reason = f"its {name} data are damaged or cut off ({error})"
        return fail(FileNotReadable(path=path, reason=reason))
    return Success(bytes(unpacked))


def _gunzip(content: bytes) -> Iterator[bytes]:
    rest = content
    while rest.strip(b"\0"):  # several members make one file; zeros may fill a last block
        member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        yield member.decompress(rest, _PIECE)
        while not member.eof and member.unconsumed_tail:
            yield member.decompress(member.unconsumed_tail, _PIECE)
        if not member.eof:
            raise EOFError("the end is missing")
        rest = member.unused_data


def _unzstd(content: bytes) -> Iterator[bytes]:
    frame = zstandard.ZstdDecompressor().decompressobj()
    for start in range(0, len(content), _ZSTD_PIECE):
        piece = content[start : start + _ZSTD_PIECE]
        while piece:
            yield frame.decompress(piece)
            piece = frame.unused_data if frame.eof else b""
            if piece:
                frame = zstandard.ZstdDecompressor().decompressobj()
        if frame.eof and start + _ZSTD_PIECE < len(content):
            frame = zstandard.ZstdDecompressor().decompressobj()
    if not frame.eof:
        raise EOFError("the end is missing")


def _not_packed(path: str, name: str, packing: str) -> ContentContradictsSuffix:
    return ContentContradictsSuffix(
        path=path,
        found="something else",
        expected=f"{name} data",
        remedy=f"rename it without {packing!r} if it is not packed, or pack it again",
    )
