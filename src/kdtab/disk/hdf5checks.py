"""What an HDF5 file may hold, looked at before one number of it is read.

Plain numbers, stored in the file itself and all of them, and strings of fixed length. A link out of
the file reads another one; a variable-length string whose heap is damaged hangs the library; and a
few hundred bytes can declare, or unpack to, more than any disk holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from h5py import h5a, h5d, h5g, h5l, h5o, h5p, h5s, h5t

if TYPE_CHECKING:
    from h5py.h5a import _AttrID
    from h5py.h5d import _DatasetID
    from h5py.h5f import _FileID
    from h5py.h5g import _GroupID
    from h5py.h5l import _LinkInfo
    from h5py.h5p import _Access
    from h5py.h5t import _TypeID

RECORD = "kdtab"
MOST_OBJECTS = 1_000
MOST_DEPTH = 8
MOST_RECORD_BYTES = 2**20
MOST_BYTES = 2**40
MOST_ROW_BYTES = 2**28
MOST_ROWS = 2**27
MOST_PIECE_BYTES = 2**27
MOST_TIMES_PACKED = 200
SMALL_BYTES = 2**26
"""What unpacks to less than this is no bomb, however well it was packed."""
FILTERS = (1, 2, 3, 32_000)
"""deflate, shuffle, fletcher32 and h5py's lzf: all that works without loading a plugin."""
CACHE_SLOTS = 521


class HarmError(Exception):
    """Something in the file that must not be read.

    Example:
        >>> HarmError("/train/data", "is an external link").place
        '/train/data'
    """

    def __init__(self, place: str, found: str) -> None:
        super().__init__(f"{place} {found}")
        self.place, self.found = place, found


@dataclass(frozen=True, eq=False)
class FoundArray:
    """An array of plain numbers, all of which are in the file.

    Attributes:
        dataset: The library's.
        shape: Its axes.
        kind: numpy's letter: f, i or u.
        item_size: Bytes of one number.

    Example:
        >>> FoundArray.__name__
        'FoundArray'
    """

    dataset: _DatasetID
    shape: tuple[int, ...]
    kind: str
    item_size: int

    @property
    def described(self) -> dict[str, object]:
        """Shape and type as JSON values.

        Example:
            >>> isinstance(FoundArray.described, property)
            True
        """
        return {"shape": list(self.shape), "type": f"{self.kind}{self.item_size}"}

    def rows(self, first: int, end: int, code: str) -> bytes:
        """Consecutive rows as little-endian numbers of a type.

        Args:
            first: The first row.
            end: The row after the last.
            code: numpy's code of the type.

        Returns:
            Their bytes, row by row.

        Example:
            >>> FoundArray.rows.__name__
            'rows'
        """
        assert 0 <= first < end <= self.shape[0], "rows that the array has"
        shape = (end - first, *self.shape[1:])
        values = np.empty(shape, dtype=code)
        place = self.dataset.get_space()
        place.select_hyperslab((first, *(0 for _ in shape[1:])), shape)
        self.dataset.read(h5s.create_simple(shape), place, values)
        return values.tobytes()


@dataclass
class Found:
    """What a harmless file holds.

    Attributes:
        arrays: Its arrays of numbers by their place, `/train/data`.
        record: The text of its own record; None without one.

    Example:
        >>> Found().record is None
        True
    """

    arrays: dict[str, FoundArray] = field(default_factory=dict)
    record: str | None = None


def checked_content(file: _FileID, size: int) -> Found:
    """Look at every object of a file, and read none but the record.

    Args:
        file: An open file.
        size: Its bytes.

    Returns:
        What it holds.

    Raises:
        HarmError: At the first thing that must not be read.

    Example:
        >>> import io, h5py
        >>> with h5py.File(io.BytesIO(), "w") as file:
        ...     file["data"] = [[[1.0]]]
        ...     list(checked_content(file.id, 10**6).arrays)
        ['/data']
    """
    return _Look(size).over(file)


@dataclass
class _Look:
    size: int
    found: Found = field(default_factory=Found)
    seen: set[int] = field(default_factory=set)

    def over(self, file: _FileID) -> Found:
        root = h5g.open(file, b"/")
        self._group(root, "", 0)
        if h5a.exists(root, RECORD.encode()):
            self.found.record = self._text(h5a.open(root, RECORD.encode()))
        return self.found

    def _group(self, group: _GroupID, place: str, depth: int) -> None:
        self._attributes(group, place or "/")
        if depth > MOST_DEPTH:
            raise HarmError(place, f"is nested more than {MOST_DEPTH} groups deep")
        for name, kind in self._links(group, place):
            inside = f"{place}/{name.decode('utf-8', 'backslashreplace')}"
            if kind != h5l.TYPE_HARD:
                out = kind == h5l.TYPE_EXTERNAL
                raise HarmError(inside, f"is {'an external' if out else 'a soft'} link")
            about = h5o.get_info(group, name)
            if about.addr in self.seen:
                continue
            self.seen.add(about.addr)
            if about.type == h5o.TYPE_GROUP:
                self._group(h5g.open(group, name), inside, depth + 1)
            elif about.type == h5o.TYPE_DATASET:
                self._dataset(h5d.open(group, name, self._access()), inside)

    def _links(self, group: _GroupID, place: str) -> list[tuple[bytes, int]]:
        links: list[tuple[bytes, int]] = []

        def heard(name: bytes, info: _LinkInfo) -> bool | None:
            links.append((name, info.type))  # one object serves all links
            return len(links) > MOST_OBJECTS or None

        group.links.iterate(heard, info=True)
        if len(links) + len(self.seen) > MOST_OBJECTS:
            raise HarmError(place or "/", f"has more than {MOST_OBJECTS:,} objects")
        return links

    def _access(self) -> _Access:
        access = h5p.create(h5p.DATASET_ACCESS)
        access.set_chunk_cache(CACHE_SLOTS, MOST_PIECE_BYTES, 0.75)
        # Opening a virtual dataset looks for its sources; there are none in a folder of no name.
        access.set_virtual_prefix(b"/\x01")
        access.set_efile_prefix(b"/\x01")
        return access

    def _attributes(self, owner: _GroupID | _DatasetID, place: str) -> None:
        count = h5a.get_num_attrs(owner)
        if count > MOST_OBJECTS:
            raise HarmError(place, f"has more than {MOST_OBJECTS:,} attributes")
        for index in range(count):
            attribute = h5a.open(owner, index=index)
            name = attribute.name.decode("utf-8", "backslashreplace")
            self._type(attribute.get_type(), f"{place}@{name}", 0)

    def _text(self, attribute: _AttrID) -> str:
        kind = attribute.get_type()
        if kind.get_class() != h5t.STRING or attribute.shape != ():
            raise HarmError(f"/@{RECORD}", "is no fixed-length string")
        if kind.get_size() > MOST_RECORD_BYTES:
            raise HarmError(f"/@{RECORD}", f"has more than {MOST_RECORD_BYTES:,} bytes")
        text = np.empty((), dtype=f"S{kind.get_size()}")
        attribute.read(text)
        return bytes(text[()]).decode("utf-8")

    def _type(self, kind: _TypeID, place: str, depth: int) -> None:
        for problem in self._type_problems(kind):
            raise HarmError(place, problem)
        if depth > MOST_DEPTH:
            raise HarmError(place, "has a type that is nested too deep")
        if kind.get_class() == h5t.COMPOUND:
            for index in range(kind.get_nmembers()):
                self._type(kind.get_member_type(index), place, depth + 1)
        if kind.get_class() == h5t.ARRAY:
            self._type(kind.get_super(), place, depth + 1)

    def _type_problems(self, kind: _TypeID) -> Iterator[str]:
        group = kind.get_class()
        if group == h5t.VLEN:
            yield "holds values of variable length"
        if group == h5t.STRING and kind.is_variable_str():
            yield "holds strings of variable length"
        if group == h5t.REFERENCE:
            yield "holds references to objects"

    def _dataset(self, dataset: _DatasetID, place: str) -> None:
        self._attributes(dataset, place)
        kind = dataset.get_type()
        self._type(kind, place, 0)
        for problem in self._storage_problems(dataset, kind.get_size()):
            raise HarmError(place, problem)
        if kind.get_class() in (h5t.FLOAT, h5t.INTEGER) and dataset.shape:
            letter = kind.dtype.kind
            if letter in "fiu" and kind.get_size() <= 8:
                array = FoundArray(dataset, dataset.shape, letter, kind.get_size())
                self.found.arrays[place] = array

    def _storage_problems(self, dataset: _DatasetID, item: int) -> Iterator[str]:
        made = dataset.get_create_plist()
        shape = dataset.shape or ()
        declared = prod(shape) * item
        if made.get_layout() == h5d.VIRTUAL:
            yield "is a virtual dataset"
        if made.get_external_count():
            yield "keeps its numbers in another file"
        packings = [made.get_filter(index)[0] for index in range(made.get_nfilters())]
        if not set(packings) <= set(FILTERS):
            yield f"is packed in a way that is not read (filter {packings[0]})"
        if declared > MOST_BYTES or prod(shape[1:]) * item > MOST_ROW_BYTES:
            yield f"declares {declared:,} bytes"
        if shape and shape[0] > MOST_ROWS:
            yield f"declares {shape[0]:,} series"
        if made.get_layout() == h5d.CHUNKED:
            yield from self._piece_problems(dataset, made.get_chunk(), item)
        elif declared > min(dataset.get_storage_size(), self.size):
            yield f"declares {declared:,} bytes, and the file has {self.size:,}"
        elif made.get_layout() == h5d.CONTIGUOUS and declared:
            begin = dataset.get_offset()
            if begin is None or begin + declared > self.size:
                yield "lies outside of the file"

    def _piece_problems(
        self, dataset: _DatasetID, piece: tuple[int, ...], item: int
    ) -> Iterator[str]:
        shape, whole = dataset.shape or (), prod(piece) * item
        if len(shape) != len(piece) or not whole or whole > MOST_PIECE_BYTES:
            yield f"is stored in pieces of {whole:,} bytes"
        stored: list[tuple[int, int]] = []
        dataset.chunk_iter(lambda info: stored.append((info.byte_offset or 0, info.size)))
        wanted = prod([-(-length // step) for length, step in zip(shape, piece, strict=True)])
        if len(stored) != wanted:
            yield f"declares {wanted:,} pieces, of which {len(stored):,} are stored"
        if any(begin + size > self.size for begin, size in stored):
            yield "lies outside of the file"
        if any(size > whole + whole // 8 + 4_096 for _, size in stored):
            yield "has pieces that are longer packed than unpacked"
        packed, unpacked = sum(size for _, size in stored), wanted * whole
        if unpacked > SMALL_BYTES and unpacked > MOST_TIMES_PACKED * packed:
            yield f"unpacks {packed:,} bytes to {unpacked:,}"
