from typing import Any, Self

class OneHotEncoder:
    def __init__(
        self,
        *,
        categories: Any = ...,
        drop: Any = ...,
        sparse_output: Any = ...,
        dtype: Any = ...,
        handle_unknown: Any = ...,
        min_frequency: Any = ...,
        max_categories: Any = ...,
        feature_name_combiner: Any = ...,
    ) -> None: ...
    def fit(self, X: Any, y: Any = ...) -> Self: ...
    def transform(self, X: Any) -> Any: ...
