"""Networks of kdtab as members of a teacher: the fit function that is handed to the kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import polars as pl
import torch
from returns.result import Success

from kdtab.config.base import revise
from kdtab.config.networks import MlpSpec
from kdtab.config.training import Task, TrainingConfig
from kdtab.data.arrays import BoolArray, Float32Array, FloatArray
from kdtab.data.artifacts import network_targets
from kdtab.data.folds import Folds, fold_rows
from kdtab.data.numericbins import numeric_encoding_spec
from kdtab.data.prepared import PreparedTable
from kdtab.data.shares import softmax
from kdtab.data.split import twin_groups
from kdtab.models.network import TabularNetwork
from kdtab.results import Checked
from kdtab.shell.budget import resolve_settings
from kdtab.shell.fit import FitRows, fit_network
from kdtab.shell.infer import network_outputs
from kdtab.tasks.supervised import SupervisedTask
from kdtab.teachers.crossfit import Says, Targets
from kdtab.teachers.kinds import NetworkFit
from kdtab.teachers.lesson import Lesson

PATIENT = TrainingConfig(
    target_column="target",
    numeric_encoding="piecewise_linear",
    batch_size=256,
    optimizer="adamw",
    learning_rate=3e-3,
    weight_decay=1e-3,
    learning_rate_schedule="cosine",
    warmup_steps=100,
)
NUM_HIDDEN_LAYERS = 2
MOST_EPOCHS, FEWEST_STEPS = 100, 300
INNER_PARTS = 8
"""One of so many parts of a network's rows chooses its epoch."""


@final
@dataclass(frozen=True)
class NetworkManner:
    """A size, and how long it is worth training: networks that differ are worth more together.

    Attributes:
        hidden_dim: Units of each of two hidden layers.
        dropout: Share of them set to zero in a step.
        steps: Weight updates at most, rounded up to whole epochs.
        learns_all: The tasks for which it learns from all rows and takes the last epoch; for others
            an eighth of the rows chooses the epoch.

    Example:
        >>> NetworkManner(hidden_dim=128, dropout=0.2, steps=1_000).steps_for(5_000)
        1000
    """

    hidden_dim: int
    dropout: float
    steps: int
    learns_all: frozenset[Task] = frozenset()

    def steps_for(self, rows: int) -> int:
        """Weight updates that so many rows are worth.

        Args:
            rows: That it learns from.

        Returns:
            Those of a hundred epochs, at least 300 and at most its own number.

        Example:
            >>> manner = NetworkManner(hidden_dim=128, dropout=0.2, steps=1_500)
            >>> [manner.steps_for(rows) for rows in (100, 2_560, 90_000)]
            [300, 1000, 1500]
        """
        worth = MOST_EPOCHS * rows // (PATIENT.batch_size or rows)
        return min(self.steps, max(FEWEST_STEPS, worth))


MANNERS = (
    NetworkManner(hidden_dim=128, dropout=0.2, steps=1_000),
    NetworkManner(hidden_dim=256, dropout=0.1, steps=1_500),
    NetworkManner(hidden_dim=256, dropout=0.3, steps=1_500, learns_all=frozenset({"regression"})),
)
"""Of classes the last epoch may be sure of what is noise: log loss 1.05 on adult, where the best one
has .33. Values gain by rows that nobody holds back: squared error .034 on seoul_bike, not .042."""


def supervised_network_fit(prepared: PreparedTable, device: torch.device) -> NetworkFit:
    """How a network of a teacher is fitted: on labels alone, with a patient schedule.

    It takes numbers by quantile bins of the rows of its own fit (Gorishniy et al. 2022,
    arXiv:2203.05556). The rows that choose an epoch have no twin among the others.

    Args:
        prepared: The table whose encoded rows it will be given; its classes and units.
        device: Where to fit.

    Returns:
        Rows, targets, a seed and the number of the network to a fitted network, as probabilities or
        values.

    Example:
        >>> from kdtab.config.columns import ColumnOptions
        >>> from kdtab.data.prepare import prepare_table
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["a", "b"] * 20})
        >>> config = TrainingConfig(target_column="y")
        >>> prepared = prepare_table(frame, config, ColumnOptions()).unwrap()
        >>> fit = supervised_network_fit(prepared, torch.device("cpu"))
        >>> says = fit(prepared.training.inputs, prepared.training.targets, 0, 0).unwrap()
        >>> says(prepared.test.inputs).unwrap().shape
        (8, 2)
    """
    lesson = Lesson(prepared.task, prepared.output_dim, prepared.artifacts.target_scaler)

    def fit(
        rows: Float32Array, targets: Targets, seed: int, number: int
    ) -> Checked[Says[Float32Array]]:
        manner = MANNERS[number % len(MANNERS)]
        chosen = np.zeros(len(rows), dtype=np.bool_)
        if prepared.task not in manner.learns_all:
            chosen = _choosing_rows(rows, targets, prepared, seed)
        learning = rows[~chosen]
        steps = manner.steps_for(len(learning))
        config = revise(PATIENT, random_seed=seed, steps=steps).unwrap()
        spec = MlpSpec(
            input_dim=rows.shape[1],
            output_dim=prepared.output_dim,
            hidden_dim=manner.hidden_dim,
            num_hidden_layers=NUM_HIDDEN_LAYERS,
            dropout=manner.dropout,
            encoding=numeric_encoding_spec(config.numeric_encoding, learning, config.encoding_bins),
        )
        coded = network_targets(targets, prepared.artifacts)
        return fit_network(
            spec,
            SupervisedTask(prepared.task),
            FitRows(learning, coded[~chosen]),
            FitRows(rows[chosen], coded[chosen]),
            resolve_settings(config, len(learning), prepared.task),
            device=device,
        ).map(lambda fitted: _NetworkSays(fitted.network, lesson))

    return fit


def _choosing_rows(
    rows: Float32Array, targets: Targets, prepared: PreparedTable, seed: int
) -> BoolArray:
    """[N] which rows choose the epoch; none where there are too few to leave some out."""
    by_class = prepared.task == "classification"
    strata = targets.astype(np.int64) if by_class else np.zeros(len(rows), dtype=np.int64)
    parts = fold_rows(strata, twin_groups(pl.DataFrame(rows)), count=INNER_PARTS, seed=seed)
    return parts.map(_of_first_part).value_or(np.zeros(len(rows), dtype=np.bool_))


def _of_first_part(folds: Folds) -> BoolArray:
    first: BoolArray = folds.parts == 0
    return first if len(folds.fits) == INNER_PARTS else np.zeros_like(first)


@dataclass(frozen=True)
class _NetworkSays:
    network: TabularNetwork
    lesson: Lesson

    def __call__(self, rows: Float32Array) -> Checked[FloatArray]:
        outputs = network_outputs(self.network, rows).astype(np.float64)
        if self.lesson.task == "regression":
            return Success(self.lesson.unscaled(outputs))
        return Success(softmax(outputs))
