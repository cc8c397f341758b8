from typing import Protocol

import numpy as np

ARRAY: int
COMPOUND: int
FLOAT: int
INTEGER: int
REFERENCE: int
STRING: int
VLEN: int

class _TypeID(Protocol):
    dtype: np.dtype[np.generic]
    def get_class(self) -> int: ...
    def get_member_type(self, member: int) -> _TypeID: ...
    def get_nmembers(self) -> int: ...
    def get_size(self) -> int: ...
    def get_super(self) -> _TypeID: ...
    def is_variable_str(self) -> bool: ...
