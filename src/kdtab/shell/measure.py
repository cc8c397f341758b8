"""How good a bundle is on encoded rows, and what its outputs are worth in the target's unit."""

from __future__ import annotations

import numpy as np

from kdtab.bundle import Metrics, ModelBundle
from kdtab.config.quantiles import median_place
from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.prepared import EncodedRows
from kdtab.metrics.logits import accuracy_from_logits, log_losses_from_logits
from kdtab.metrics.numbers import root_mean_squared_error
from kdtab.metrics.quantiles import pinball_losses, quantiles_from_outputs
from kdtab.shell.infer import network_outputs


def measure_bundle(bundle: ModelBundle, rows: EncodedRows) -> Metrics:
    """Loss and metric of a bundle's network on encoded rows with known targets.

    Args:
        bundle: The model; left as it is.
        rows: Encoded inputs [N, D], and class codes [N] or values [N] in the target's unit.

    Returns:
        Accuracy and log loss (nats), or RMSE in the target's unit and the mean squared error in
        the unit of training (of quantiles the RMSE of the median and the mean pinball loss);
        `train_loss` is NaN, since these rows were not trained on.

    Example:
        >>> import polars as pl
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> model = train_model(frame, config, device="cpu").unwrap()
        >>> rows = EncodedRows(np.zeros((1, 1), np.float32), np.zeros(1, np.int64))
        >>> measure_bundle(model.bundle, rows).task
        'classification'
    """
    outputs = network_outputs(bundle.model, rows.inputs)
    if bundle.task == "classification":
        codes = rows.targets.astype(np.int64)
        return Metrics(
            task=bundle.task,
            train_loss=float("nan"),
            test_loss=float(np.mean(log_losses_from_logits(outputs, codes))),
            test_metric_name="accuracy",
            test_metric_value=accuracy_from_logits(outputs, codes),
        )
    truth = rows.targets.astype(np.float64)
    values = regression_values(bundle, outputs)
    wanted = truth if bundle.target_scaler is None else bundle.target_scaler.transform(truth)
    return Metrics(
        task=bundle.task,
        train_loss=float("nan"),
        test_loss=_loss_of_values(bundle, outputs, wanted),
        test_metric_name="rmse",
        test_metric_value=root_mean_squared_error(values, truth),
    )


def regression_values(bundle: ModelBundle, outputs: Float32Array) -> FloatArray:
    """Network outputs as values in the target's unit (REQ-T21).

    Args:
        bundle: A regression model; without a target scaler its outputs are the values.
        outputs: [N, 1] float32, or [N, K] of a network of quantiles, whose median is the value.

    Returns:
        [N] float64.

    Example:
        >>> from dataclasses import replace
        >>> import polars as pl
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": [0.5, 1.5] * 20})
        >>> config = TrainingConfig(target_column="y", task="regression", epochs=1)
        >>> bundle = train_model(frame, config, device="cpu").unwrap().bundle
        >>> raw = replace(bundle, task="regression", target_scaler=None)
        >>> regression_values(raw, np.array([[2.5]], dtype=np.float32)).tolist()
        [2.5]
    """
    flat = outputs[:, median_place(bundle.quantiles)].astype(np.float64)
    if bundle.target_scaler is None:
        return flat
    return bundle.target_scaler.inverse_transform(flat)


def _loss_of_values(bundle: ModelBundle, outputs: Float32Array, wanted: FloatArray) -> float:
    levels = bundle.quantiles
    if levels:
        quantiles = quantiles_from_outputs(outputs, levels)
        return float(np.mean(pinball_losses(quantiles, wanted, levels)))
    return float(np.mean((outputs.astype(np.float64).reshape(-1) - wanted) ** 2))
