from abc import ABCMeta
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

class DecisionTreeClassifier(metaclass=ABCMeta):
    classes_: npt.NDArray[Any]
    def __init__(
        self,
        *,
        criterion: Literal["gini", "entropy", "log_loss"] = "gini",
        splitter: Literal["best", "random"] = "best",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | Literal["sqrt", "log2"] | None = None,
        random_state: int | np.random.RandomState | None = None,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        class_weight: Literal["balanced"] | None = None,
        ccp_alpha: float = 0.0,
        monotonic_cst: npt.ArrayLike | None = None,
    ) -> None: ...
    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        check_input: bool = True,
    ) -> Self: ...
    def predict(self, X: npt.ArrayLike, check_input: bool = True) -> npt.NDArray[Any]: ...
    def predict_proba(
        self, X: npt.ArrayLike, check_input: bool = True
    ) -> npt.NDArray[np.float64]: ...

class DecisionTreeRegressor(metaclass=ABCMeta):
    def __init__(
        self,
        *,
        criterion: Literal[
            "squared_error", "friedman_mse", "absolute_error", "poisson"
        ] = "squared_error",
        splitter: Literal["best", "random"] = "best",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | Literal["sqrt", "log2"] | None = None,
        random_state: int | np.random.RandomState | None = None,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        ccp_alpha: float = 0.0,
        monotonic_cst: npt.ArrayLike | None = None,
    ) -> None: ...
    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        check_input: bool = True,
    ) -> Self: ...
    def predict(self, X: npt.ArrayLike, check_input: bool = True) -> npt.NDArray[np.float64]: ...
    def apply(self, X: npt.ArrayLike, check_input: bool = True) -> npt.NDArray[np.int64]: ...
