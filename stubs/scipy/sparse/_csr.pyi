from abc import ABCMeta
from typing import Any, Self

import numpy as np
import numpy.typing as npt

class csr_array(metaclass=ABCMeta):
    data: npt.NDArray[np.float64]
    indices: npt.NDArray[np.int32]
    indptr: npt.NDArray[np.int32]
    def __init__(
        self,
        arg1: Any,
        shape: tuple[int, int] | None = None,
        dtype: Any = None,
        copy: bool = False,
        *,
        maxprint: int | None = None,
    ) -> None: ...
    def __matmul__(self, other: csr_array) -> csr_array: ...
    def sorted_indices(self) -> Self: ...
