from typing import Any, Self

def make_column_transformer(
    *transformers: object,
    remainder: Any = ...,
    sparse_threshold: Any = ...,
    n_jobs: Any = ...,
    verbose: Any = ...,
    verbose_feature_names_out: Any = ...,
) -> Any: ...
