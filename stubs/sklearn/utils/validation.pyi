from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

def check_array(
    array: npt.ArrayLike,
    accept_sparse: bool | str = False,
    *,
    accept_large_sparse: bool = True,
    dtype: object = "numeric",
    order: Literal["F", "C"] | None = None,
    copy: bool = False,
    force_writeable: bool = False,
    ensure_all_finite: bool | Literal["allow-nan"] = True,
    ensure_non_negative: bool = False,
    ensure_2d: bool = True,
    allow_nd: bool = False,
    ensure_min_samples: int = 1,
    ensure_min_features: int = 1,
    estimator: object = None,
    input_name: str = "",
) -> npt.NDArray[np.float64]: ...
def check_X_y(
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    accept_sparse: bool | str = False,
    *,
    accept_large_sparse: bool = True,
    dtype: object = "numeric",
    order: Literal["F", "C"] | None = None,
    copy: bool = False,
    force_writeable: bool = False,
    ensure_all_finite: bool | Literal["allow-nan"] = True,
    ensure_2d: bool = True,
    allow_nd: bool = False,
    multi_output: bool = False,
    ensure_min_samples: int = 1,
    ensure_min_features: int = 1,
    y_numeric: bool = False,
    estimator: object = None,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[Any]]: ...
def check_is_fitted(
    estimator: object,
    attributes: str | list[str] | None = None,
    *,
    msg: str | None = None,
    all_or_any: Callable[[Iterable[object]], bool] = ...,
) -> None: ...
