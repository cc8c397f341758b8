from typing import Any, Self

class LinearSVC:
    def __init__(
        self,
        penalty: Any = ...,
        loss: Any = ...,
        *,
        dual: Any = ...,
        tol: Any = ...,
        C: Any = ...,
        multi_class: Any = ...,
        fit_intercept: Any = ...,
        intercept_scaling: Any = ...,
        class_weight: Any = ...,
        verbose: Any = ...,
        random_state: Any = ...,
        max_iter: Any = ...,
    ) -> None: ...
    def fit(self, X: Any, y: Any, sample_weight: Any = ...) -> Self: ...
    def predict(self, X: Any) -> Any: ...
