"""What hypothesis draws for losses and networks: logits of every size, labels, probabilities."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

LARGEST_LOGIT = 60.0


class LogitPair(NamedTuple):
    """Student and teacher logits of the same rows and classes, and a label for each row."""

    student: Tensor
    teacher: Tensor
    labels: Tensor


logit_values = st.one_of(
    st.floats(-LARGEST_LOGIT, LARGEST_LOGIT),
    st.sampled_from([0.0, -0.0, LARGEST_LOGIT, -LARGEST_LOGIT, 1e-300, -1e-12]),
)
temperatures = st.one_of(st.floats(0.25, 20.0), st.sampled_from([1.0, 2.0, 2.5, 4.0]))
alphas = st.one_of(st.floats(0.0, 1.0), st.sampled_from([0.0, 0.3, 0.5, 1.0]))


@st.composite
def logit_tables(draw: st.DrawFn, rows: int, classes: int) -> Tensor:
    """[rows, classes] float64 logits."""
    values = draw(st.lists(logit_values, min_size=rows * classes, max_size=rows * classes))
    return torch.tensor(values, dtype=torch.float64).reshape(rows, classes)


@st.composite
def logit_pairs(draw: st.DrawFn) -> LogitPair:
    """One to five rows of one to five classes, float64."""
    rows, classes = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=rows, max_size=rows))
    return LogitPair(
        draw(logit_tables(rows, classes)),
        draw(logit_tables(rows, classes)),
        torch.tensor(labels, dtype=torch.int64),
    )


@st.composite
def probability_tables(draw: st.DrawFn) -> Tensor:
    """Votes of a forest as shares, float64: exact zeros and ones among them."""
    rows, classes = draw(st.integers(1, 4)), draw(st.integers(2, 4))
    votes = draw(
        st.lists(
            st.lists(st.integers(0, 6), min_size=classes, max_size=classes).filter(any),
            min_size=rows,
            max_size=rows,
        )
    )
    counted = np.array(votes, dtype=np.float64)
    return torch.from_numpy(counted / counted.sum(axis=1, keepdims=True))
