from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt
from h5py.h5g import _GroupID
from h5py.h5p import _Access, _Creation
from h5py.h5s import _SpaceID
from h5py.h5t import _TypeID

CHUNKED: int
CONTIGUOUS: int
VIRTUAL: int

class _StoreInfo(Protocol):
    byte_offset: int | None
    size: int

class _DatasetID(Protocol):
    shape: tuple[int, ...] | None
    def chunk_iter(self, func: Callable[[_StoreInfo], object]) -> None: ...
    def get_create_plist(self) -> _Creation: ...
    def get_offset(self) -> int | None: ...
    def get_space(self) -> _SpaceID: ...
    def get_storage_size(self) -> int: ...
    def get_type(self) -> _TypeID: ...
    def read(
        self, mspace: _SpaceID, fspace: _SpaceID, arr_obj: npt.NDArray[np.generic]
    ) -> None: ...

def open(loc: _GroupID, name: bytes, dapl: _Access | None = None) -> _DatasetID: ...
