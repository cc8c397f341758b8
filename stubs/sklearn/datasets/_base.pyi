from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

class _Numbers(Protocol):
    data: npt.NDArray[np.float64]
    target: npt.NDArray[Any]
    feature_names: Sequence[str]

class _Classes(_Numbers, Protocol):
    target_names: npt.NDArray[np.str_]

def load_breast_cancer(*, return_X_y: bool = False, as_frame: bool = False) -> _Classes: ...
def load_diabetes(
    *, return_X_y: bool = False, as_frame: bool = False, scaled: bool = True
) -> _Numbers: ...
def load_digits(
    *, n_class: int = 10, return_X_y: bool = False, as_frame: bool = False
) -> _Numbers: ...
def load_iris(*, return_X_y: bool = False, as_frame: bool = False) -> _Classes: ...
