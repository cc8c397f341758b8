from typing import Literal

import numpy.typing as npt

def f1_score(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    *,
    labels: npt.ArrayLike | None = None,
    pos_label: int | str | None = 1,
    average: Literal["micro", "macro", "samples", "weighted", "binary"] | None = "binary",
    sample_weight: npt.ArrayLike | None = None,
    zero_division: Literal["warn"] | float = "warn",
) -> float: ...
def brier_score_loss(
    y_true: npt.ArrayLike,
    y_proba: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    pos_label: int | str | None = None,
    labels: npt.ArrayLike | None = None,
    scale_by_half: Literal["auto"] | bool = "auto",
) -> float: ...
