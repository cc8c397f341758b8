from typing import Protocol

from h5py.h5p import _FileAccess

ACC_RDONLY: int

class _FileID(Protocol):
    name: bytes

def open(name: bytes, flags: int = 1, fapl: _FileAccess | None = None) -> _FileID: ...
