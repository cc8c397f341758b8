from typing import Protocol

import numpy as np
import numpy.typing as npt
from h5py.h5d import _DatasetID
from h5py.h5g import _GroupID
from h5py.h5p import _Properties
from h5py.h5t import _TypeID

class _AttrID(Protocol):
    name: bytes
    shape: tuple[int, ...] | None
    def get_type(self) -> _TypeID: ...
    def read(self, arr: npt.NDArray[np.generic]) -> None: ...

def exists(
    loc: _GroupID | _DatasetID,
    name: bytes,
    *,
    obj_name: bytes = b".",
    lapl: _Properties | None = None,
) -> bool: ...
def get_num_attrs(loc: _GroupID | _DatasetID) -> int: ...
def open(loc: _GroupID | _DatasetID, name: bytes | None = None, index: int = -1) -> _AttrID: ...
