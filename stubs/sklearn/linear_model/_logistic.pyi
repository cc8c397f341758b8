from typing import Any, Self

class LogisticRegression:
    def __init__(
        self,
        penalty: Any = ...,
        *,
        C: Any = ...,
        l1_ratio: Any = ...,
        dual: Any = ...,
        tol: Any = ...,
        fit_intercept: Any = ...,
        intercept_scaling: Any = ...,
        class_weight: Any = ...,
        random_state: Any = ...,
        solver: Any = ...,
        max_iter: Any = ...,
        verbose: Any = ...,
        warm_start: Any = ...,
        n_jobs: Any = ...,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = ...) -> Self: ...
    def predict(self, X: Any) -> Any: ...
    def predict_proba(self, X: Any) -> Any: ...
