"""Networks of kdtab as members of a teacher: the fit function that is handed to the kinds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from returns.result import Success
from scipy.special import log_softmax

from kdtab.config.networks import MlpSpec
from kdtab.config.training import TrainingConfig
from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.artifacts import network_targets
from kdtab.data.prepared import PreparedTable
from kdtab.models.network import TabularNetwork
from kdtab.results import Checked
from kdtab.shell.budget import resolve_settings
from kdtab.shell.fit import FitRows, fit_network
from kdtab.shell.infer import network_outputs
from kdtab.tasks.supervised import SupervisedTask
from kdtab.teachers.crossfit import Says, Targets
from kdtab.teachers.kinds import NetworkFit
from kdtab.teachers.lesson import Lesson

HIDDEN_DIM = 128
NUM_HIDDEN_LAYERS = 2
DROPOUT = 0.1


def supervised_network_fit(prepared: PreparedTable, device: torch.device) -> NetworkFit:
    """How a network of a teacher is fitted: on labels alone, with the usual budget of steps.

    Args:
        prepared: The table whose encoded rows it will be given; its classes and units.
        device: Where to fit.

    Returns:
        Rows, targets and a seed to a fitted network, as probabilities or values.

    Example:
        >>> import polars as pl
        >>> from kdtab.config.columns import ColumnOptions
        >>> from kdtab.data.prepare import prepare_table
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["a", "b"] * 20})
        >>> prepared = prepare_table(frame, TrainingConfig(target_column="y"), ColumnOptions()).unwrap()
        >>> fit = supervised_network_fit(prepared, torch.device("cpu"))
        >>> says = fit(prepared.training.inputs, prepared.training.targets, 0).unwrap()
        >>> says(prepared.test.inputs).unwrap().shape
        (8, 2)
    """
    spec = MlpSpec(
        input_dim=prepared.training.inputs.shape[1],
        output_dim=prepared.output_dim,
        hidden_dim=HIDDEN_DIM,
        num_hidden_layers=NUM_HIDDEN_LAYERS,
        dropout=DROPOUT,
    )
    lesson = Lesson(prepared.task, prepared.output_dim, prepared.artifacts.target_scaler)

    def fit(rows: Float32Array, targets: Targets, seed: int) -> Checked[Says[Float32Array]]:
        config = TrainingConfig(target_column="target", random_seed=seed)
        return fit_network(
            spec,
            SupervisedTask(prepared.task),
            FitRows(rows, network_targets(targets, prepared.artifacts)),
            None,
            resolve_settings(config, len(rows), prepared.task),
            device=device,
        ).map(lambda fitted: _NetworkSays(fitted.network, lesson))

    return fit


@dataclass(frozen=True)
class _NetworkSays:
    network: TabularNetwork
    lesson: Lesson

    def __call__(self, rows: Float32Array) -> Checked[FloatArray]:
        outputs = network_outputs(self.network, rows).astype(np.float64)
        if self.lesson.task == "regression":
            return Success(self.lesson.unscaled(outputs))
        shares: FloatArray = np.exp(log_softmax(outputs, axis=1))
        return Success(shares)
