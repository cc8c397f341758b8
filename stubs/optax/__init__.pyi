# Only what kdtab calls.
from typing import Any, NamedTuple, TypeAlias, TypeVar

OptState: TypeAlias = Any
_Weights = TypeVar("_Weights")

class GradientTransformation(NamedTuple):
    init: Any
    update: Any

def chain(*args: GradientTransformation) -> GradientTransformation: ...
def add_decayed_weights(weight_decay: Any = 0.0, mask: Any = None) -> GradientTransformation: ...
def adam(
    learning_rate: Any,
    b1: Any = 0.9,
    b2: Any = 0.999,
    eps: Any = 1e-08,
    eps_root: Any = 0.0,
    mu_dtype: Any = None,
    *,
    nesterov: bool = False,
) -> GradientTransformation: ...
def apply_updates(params: _Weights, updates: object) -> _Weights: ...
