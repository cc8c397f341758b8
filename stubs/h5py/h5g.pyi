from typing import Protocol

from h5py.h5f import _FileID
from h5py.h5l import _LinkProxy

class _GroupID(Protocol):
    links: _LinkProxy

def open(loc: _FileID | _GroupID, name: bytes) -> _GroupID: ...
