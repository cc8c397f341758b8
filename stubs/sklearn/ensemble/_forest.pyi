from abc import ABCMeta
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

class RandomForestClassifier(metaclass=ABCMeta):
    classes_: npt.NDArray[Any]
    estimators_: list[DecisionTreeClassifier]
    @property
    def estimators_samples_(self) -> list[npt.NDArray[np.int64]]: ...
    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: Literal["gini", "entropy", "log_loss"] = "gini",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | Literal["sqrt", "log2"] | None = "sqrt",
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = True,
        oob_score: bool = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        warm_start: bool = False,
        class_weight: Literal["balanced", "balanced_subsample"] | None = None,
        ccp_alpha: float = 0.0,
        max_samples: float | None = None,
        monotonic_cst: npt.ArrayLike | None = None,
    ) -> None: ...
    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> Self: ...
    def set_params(self, **params: object) -> Self: ...
    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]: ...
    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]: ...

class RandomForestRegressor(metaclass=ABCMeta):
    estimators_: list[DecisionTreeRegressor]
    @property
    def estimators_samples_(self) -> list[npt.NDArray[np.int64]]: ...
    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: Literal[
            "squared_error", "absolute_error", "friedman_mse", "poisson"
        ] = "squared_error",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | Literal["sqrt", "log2"] | None = 1.0,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = True,
        oob_score: bool = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        warm_start: bool = False,
        ccp_alpha: float = 0.0,
        max_samples: float | None = None,
        monotonic_cst: npt.ArrayLike | None = None,
    ) -> None: ...
    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> Self: ...
    def set_params(self, **params: object) -> Self: ...
    def predict(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]: ...
    def apply(self, X: npt.ArrayLike) -> npt.NDArray[np.int64]: ...

class ExtraTreesClassifier(metaclass=ABCMeta):
    classes_: npt.NDArray[Any]
    estimators_: list[DecisionTreeClassifier]
    @property
    def estimators_samples_(self) -> list[npt.NDArray[np.int64]]: ...
    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: Literal["gini", "entropy", "log_loss"] = "gini",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | Literal["sqrt", "log2"] | None = "sqrt",
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = False,
        oob_score: bool = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        warm_start: bool = False,
        class_weight: Literal["balanced", "balanced_subsample"] | None = None,
        ccp_alpha: float = 0.0,
        max_samples: float | None = None,
        monotonic_cst: npt.ArrayLike | None = None,
    ) -> None: ...
    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> Self: ...
    def set_params(self, **params: object) -> Self: ...
    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]: ...
    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]: ...

class ExtraTreesRegressor(metaclass=ABCMeta):
    estimators_: list[DecisionTreeRegressor]
    @property
    def estimators_samples_(self) -> list[npt.NDArray[np.int64]]: ...
    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: Literal[
            "squared_error", "absolute_error", "friedman_mse", "poisson"
        ] = "squared_error",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: float | Literal["sqrt", "log2"] | None = 1.0,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = False,
        oob_score: bool = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        warm_start: bool = False,
        ccp_alpha: float = 0.0,
        max_samples: float | None = None,
        monotonic_cst: npt.ArrayLike | None = None,
    ) -> None: ...
    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> Self: ...
    def set_params(self, **params: object) -> Self: ...
    def predict(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]: ...
    def apply(self, X: npt.ArrayLike) -> npt.NDArray[np.int64]: ...
