"""Every loss of logits beside its twin, under one signature, for tests that hold for all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

import loss_oracles as twins
from kdtab import losses
from oracles import Codes, Numbers, kl_divergence_twin
from tensor_strategies import LogitPair

Loss = Callable[[Tensor, Tensor, Tensor, float], Tensor]
Twin = Callable[[Numbers, Numbers, Codes, float], Numbers]


@dataclass(frozen=True)
class LossCase:
    """A loss of rows.

    `shifts`: a constant added to a row changes nothing. `proper`: it is 0, with a gradient of 0,
    where the student is its teacher.
    """

    name: str
    loss: Loss
    twin: Twin
    shifts: bool = True
    proper: bool = True

    def __str__(self) -> str:
        return self.name


CASES = (
    LossCase(
        "forward_kl",
        lambda s, t, _, T: losses.kl_divergence_from_logits(s, t, temperature=T),
        lambda s, t, _, T: kl_divergence_twin(s, t, T),
    ),
    LossCase(
        "reverse_kl",
        lambda s, t, _, T: losses.reverse_kl_divergence_from_logits(s, t, temperature=T),
        lambda s, t, _, T: twins.reverse_kl_twin(s, t, T),
    ),
    LossCase(
        "generalized_jsd",
        lambda s, t, _, T: losses.generalized_jensen_shannon_from_logits(
            s, t, temperature=T, beta=0.3
        ),
        lambda s, t, _, T: twins.jensen_shannon_twin(s, t, T, 0.3, of_teacher=0.7),
    ),
    LossCase(
        "gkd_jsd",
        lambda s, t, _, T: losses.gkd_jensen_shannon_from_logits(s, t, temperature=T, beta=0.3),
        lambda s, t, _, T: twins.jensen_shannon_twin(s, t, T, 0.3, of_teacher=0.3),
    ),
    LossCase(
        "total_variation",
        lambda s, t, _, T: losses.total_variation_from_logits(s, t, temperature=T),
        lambda s, t, _, T: twins.total_variation_twin(s, t, T),
    ),
    LossCase(
        "soft_cross_entropy",
        lambda s, t, _, T: losses.soft_cross_entropy_from_logits(s, t, temperature=T),
        lambda s, t, _, T: twins.soft_cross_entropy_twin(s, t, T),
        proper=False,
    ),
    LossCase(
        "logit_squared_error",
        lambda s, t, _y, _T: losses.logit_squared_error(s, t),
        lambda s, t, _y, _T: twins.logit_squared_error_twin(s, t),
        shifts=False,
    ),
    LossCase(
        "teacher_label",
        lambda s, t, _y, _T: losses.teacher_label_cross_entropy(s, t),
        lambda s, t, _y, _T: twins.teacher_label_twin(s, t),
        proper=False,
    ),
    LossCase(
        "label_corrected_kl",
        lambda s, t, y, T: losses.label_corrected_kl_divergence(
            s, t, y, temperature=T, threshold=0.2
        ),
        lambda s, t, y, T: twins.label_corrected_twin(s, t, y, T, 0.2),
        proper=False,
    ),
    LossCase(
        "target_class",
        lambda s, t, y, T: losses.target_class_divergence(s, t, y, temperature=T),
        lambda s, t, y, T: twins.decoupled_twins(s, t, y, T)[0],
    ),
    LossCase(
        "non_target_class",
        lambda s, t, y, T: losses.non_target_class_divergence(s, t, y, temperature=T),
        lambda s, t, y, T: twins.decoupled_twins(s, t, y, T)[1],
    ),
    LossCase(
        "decoupled_kl",
        lambda s, t, y, T: losses.decoupled_divergence_from_logits(
            s, t, y, temperature=T, target_weight=0.5, non_target_weight=3.0
        ),
        lambda s, t, y, T: np.array([0.5, 3.0]) @ twins.decoupled_twins(s, t, y, T),
    ),
    LossCase(
        "standardized_kl",
        lambda s, t, _, T: losses.standardized_kl_divergence_from_logits(s, t, temperature=T),
        lambda s, t, _, T: twins.standardized_kl_twin(s, t, T),
    ),
    LossCase(
        "inter_class_correlation",
        lambda s, t, _, T: losses.inter_class_correlation(s, t, temperature=T),
        lambda s, t, _, T: twins.inter_class_twin(s, t, T),
    ),
)

quarters = st.integers(-32, 32).map(lambda number: number / 4)


@st.composite
def graded_pairs(draw: st.DrawFn) -> LogitPair:
    """One to five rows of three to five classes; logits are quarters, so that ties are exact."""
    rows, classes = draw(st.integers(1, 5)), draw(st.integers(3, 5))
    drawn = st.lists(quarters, min_size=rows * classes, max_size=rows * classes)
    tables = [
        torch.tensor(draw(drawn), dtype=torch.float64).reshape(rows, classes) for _ in range(2)
    ]
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=rows, max_size=rows))
    return LogitPair(tables[0], tables[1], torch.tensor(labels, dtype=torch.int64))


def drawn_pair(rows: int = 4, classes: int = 4, seed: int = 0) -> LogitPair:
    """The same float64 logits at every call, no two of a row alike."""
    generator = torch.Generator().manual_seed(seed)
    tables = [
        2 * torch.randn(rows, classes, generator=generator, dtype=torch.float64) for _ in range(2)
    ]
    return LogitPair(tables[0], tables[1], torch.randint(0, classes, (rows,), generator=generator))
