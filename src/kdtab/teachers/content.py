"""The content of any fitted object as one digest: two objects with equal numbers are one teacher.

Objects are read as their own protocol of copying describes them; nothing is written or executed.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import CodeType, FunctionType, ModuleType
from typing import cast

import numpy as np
import numpy.typing as npt
import torch

COPYING = 4
"""The version of the copying protocol that every class of today's Python answers to."""
LIBRARIES = frozenset(
    {"numpy", "scipy", "pandas", "polars", "sklearn", "lightgbm", "xgboost", "catboost", "torch"}
)
SIMPLE = (type(None), bool, int, float, complex, str, bytes, bytearray, type(...))


@dataclass(frozen=True)
class Content:
    """What an object holds.

    Attributes:
        fingerprint: sha256 of it, 64 hexadecimal digits.
        size_bytes: How many bytes were read: about what a file of it would take.

    Example:
        >>> Content("00", 8).size_bytes
        8
    """

    fingerprint: str
    size_bytes: int


def content_of(value: object) -> Content | None:
    """Read an object with all that it refers to.

    Numbers, arrays, texts, containers, and objects of any class whose copying protocol lays open
    what they hold (scikit-learn, LightGBM, XGBoost, polars, pandas, torch). A function is its code,
    its defaults, what it closes over and the global names that it uses; what it reaches through a
    module is not seen. A function of a numeric library is its name and the library's version.

    Args:
        value: Anything; not changed.

    Returns:
        The same content for the same numbers in another process of the same library versions; None
        for something that does not say what it holds: a lock, a generator, an open file.

    Example:
        >>> first, again = ({"a": np.arange(3), "b": {1, 2}} for _ in range(2))
        >>> content_of(first) == content_of(again)
        True
        >>> content_of(first) == content_of({"a": np.arange(4), "b": {1, 2}})
        False
        >>> content_of(letter for letter in "a") is None
        True
    """
    reader = _Reader()
    try:
        return Content(reader.digest(value).hex(), reader.size_bytes)
    except Exception:  # a foreign class may refuse to be read in any way it likes
        return None


@dataclass
class _Reader:
    size_bytes: int = 0
    open_objects: set[int] = field(default_factory=set)
    known: dict[int, tuple[object, bytes]] = field(default_factory=dict)
    """By identity; the object is kept, so that its identity is not given to another."""

    def digest(self, value: object) -> bytes:
        if isinstance(value, SIMPLE) and type(value) in SIMPLE:
            raw = bytes(value) if isinstance(value, bytes | bytearray) else repr(value).encode()
            return self._bytes(type(value).__name__, raw)
        if id(value) in self.known:
            return self.known[id(value)][1]
        if id(value) in self.open_objects:
            return self._bytes("cycle", b"")
        self.open_objects.add(id(value))
        found = self._content(value)
        self.open_objects.discard(id(value))
        self.known[id(value)] = (value, found)
        return found

    def _content(self, value: object) -> bytes:
        match value:
            case np.ndarray() if type(value) is np.ndarray:
                return self._array(cast("npt.NDArray[np.void]", value))
            case torch.Tensor():
                return self._parts("tensor", [value.detach().cpu().numpy()])
            case dict() if type(value) is dict:
                pairs = [self.digest(key) + self.digest(item) for key, item in value.items()]
                return self._joined("dict", sorted(pairs))
            case list() | tuple() if type(value) in (list, tuple):
                return self._parts("sequence", value)
            case set() | frozenset() if type(value) in (set, frozenset):
                return self._joined("set", sorted(self.digest(item) for item in value))
            case type():
                return self._bytes("class", f"{value.__module__}.{value.__qualname__}".encode())
            case ModuleType():
                version = getattr(value, "__version__", "")
                return self._bytes("module", f"{value.__name__} {version}".encode())
            case FunctionType() if _is_of_library(value):
                return self._parts("function", [_name_of(value), _version_of(value)])
            case FunctionType():
                return self._parts("function", _function_parts(value))
            case CodeType():
                return self._parts("code", _code_parts(value))
            case _:
                return self._object(value)

    def _array(self, array: npt.NDArray[np.void]) -> bytes:
        if array.dtype.names:
            # The gaps between the fields of a record hold whatever the memory held before.
            return self._parts("records", [(name, array[name]) for name in array.dtype.names])
        form = f"{array.dtype.str} {array.shape}"
        if array.dtype.hasobject:
            return self._parts(form, array.ravel().tolist())
        return self._bytes(form, np.ascontiguousarray(array).tobytes())

    def _object(self, value: object) -> bytes:
        arrays = getattr(value, "get_arrays", None)
        if callable(arrays):  # a search tree of scikit-learn, whose state counts its own calls
            return self._parts(type(value).__name__, arrays())
        parts = value.__reduce_ex__(COPYING)
        if isinstance(parts, str):
            return self._bytes("global", f"{type(value).__module__}.{parts}".encode())
        made, arguments, *rest = parts
        state, *items = (*rest[:3], None, None, None)[:3]
        held = [None if item is None else list(item) for item in items]
        return self._parts("object", [_name_of(made), arguments, state, *held])

    def _parts(self, kind: str, parts: Iterable[object]) -> bytes:
        return self._joined(kind, [self.digest(part) for part in parts])

    def _joined(self, kind: str, digests: Sequence[bytes]) -> bytes:
        return hashlib.sha256(f"{kind} {len(digests)}:".encode() + b"".join(digests)).digest()

    def _bytes(self, kind: str, raw: bytes) -> bytes:
        self.size_bytes += len(raw)
        return hashlib.sha256(f"{kind}:".encode() + raw).digest()


def _is_of_library(function: FunctionType) -> bool:
    """Found by its name in the module that it says it is from."""
    library = (function.__module__ or "").partition(".")[0]
    named = getattr(sys.modules.get(function.__module__ or ""), function.__qualname__, None)
    return library in LIBRARIES and named is function


def _version_of(function: FunctionType) -> object:
    library = sys.modules[(function.__module__ or "").partition(".")[0]]
    return getattr(library, "__version__", "")


def _name_of(made: object) -> object:
    name = getattr(made, "__qualname__", None)
    return f"{getattr(made, '__module__', '')}.{name}" if isinstance(name, str) else made


def _function_parts(function: FunctionType) -> list[object]:
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    used = {
        name: function.__globals__[name]
        for name in sorted(_names(function.__code__))
        if name in function.__globals__
    }
    return [function.__code__, function.__defaults__, function.__kwdefaults__, cells, used]


def _names(code: CodeType) -> set[str]:
    inner = (_names(part) for part in code.co_consts if isinstance(part, CodeType))
    return set(code.co_names).union(*inner)


def _code_parts(code: CodeType) -> list[object]:
    return [code.co_code, code.co_consts, code.co_names, code.co_varnames, code.co_freevars]
