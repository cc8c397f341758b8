from abc import ABCMeta
from typing import Any, Self

class LinearRegression(metaclass=ABCMeta):
    def __init__(
        self,
        *,
        fit_intercept: Any = ...,
        copy_X: Any = ...,
        tol: Any = ...,
        n_jobs: Any = ...,
        positive: Any = ...,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = ...) -> Self: ...
    def predict(self, X: Any) -> Any: ...
