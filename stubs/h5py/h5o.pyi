from typing import Protocol

from h5py.h5g import _GroupID
from h5py.h5p import _Properties

TYPE_DATASET: int
TYPE_GROUP: int

class _ObjInfo(Protocol):
    addr: int
    type: int

def get_info(
    loc: _GroupID,
    name: bytes | None = None,
    index: int = -1,
    *,
    obj_name: bytes = b".",
    index_type: int = 0,
    order: int = 0,
    lapl: _Properties | None = None,
) -> _ObjInfo: ...
