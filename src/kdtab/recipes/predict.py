"""Predict: raw rows in, decoded predictions out."""

from __future__ import annotations

import numpy as np
import polars as pl
import torch
from returns.result import Result, Success

from kdtab.bundle import ModelBundle
from kdtab.data.arrays import Float32Array
from kdtab.errors.issue import Issues
from kdtab.errors.teachers import LabelEncoderMissing
from kdtab.metrics.logits import log_probabilities
from kdtab.results import fail
from kdtab.serving.answers import quantile_columns
from kdtab.shell.assemble import regression_values
from kdtab.shell.device import resolve_device
from kdtab.shell.scoring import frame_outputs


def bundle_outputs(
    bundle: ModelBundle, frame: pl.DataFrame, device: str | torch.device | None = None
) -> Result[Float32Array, Issues]:
    """What the network says about raw rows, before decoding (REQ-T18, REQ-T19).

    Args:
        bundle: A model and its preprocessing; left as it is, mode and device included.
        frame: [N rows] raw columns; absent ones are missing, extra ones are ignored.
        device: Where to compute; None takes CUDA where there is one.

    Returns:
        [N, C] float32 logits, or [N, 1] values in the unit of training; `DeviceUnusable`.

    Example:
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> bundle = train_model(frame, config, device="cpu").unwrap().bundle
        >>> bundle_outputs(bundle, pl.DataFrame({"x": [0.1]}), "cpu").unwrap().shape
        (1, 2)
    """
    return resolve_device(device).map(lambda chosen: frame_outputs(bundle, frame, chosen))


def predict_frame(
    bundle: ModelBundle, frame: pl.DataFrame, device: str | torch.device | None = None
) -> Result[pl.DataFrame, Issues]:
    """Predictions for the rows of a frame, with a probability for each class.

    Args:
        bundle: A trained model.
        frame: [N rows] raw columns in any order; absent ones are missing, extra ones are ignored.
        device: Where to compute; None takes CUDA where there is one.

    Returns:
        [N rows] `prediction` (label text, or value in the target's unit) and, for classification,
        `probability_<class>` for each class, in [0, 1], rows summing to 1; for a regression of
        quantiles `quantile_<level>` for each level, rising along a row. `LabelEncoderMissing` for
        a classification bundle without one; `DeviceUnusable`.

    Example:
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> bundle = train_model(frame, config, device="cpu").unwrap().bundle
        >>> predict_frame(bundle, pl.DataFrame({"x": [0.1]}), "cpu").unwrap().columns
        ['prediction', 'probability_no', 'probability_yes']
    """
    return bundle_outputs(bundle, frame, device).bind(lambda outputs: _decoded(bundle, outputs))


def _decoded(bundle: ModelBundle, outputs: Float32Array) -> Result[pl.DataFrame, Issues]:
    if bundle.task == "regression":
        told = quantile_columns(outputs, bundle.quantiles, bundle.target_scaler)
        return Success(pl.DataFrame({"prediction": regression_values(bundle, outputs)} | told))
    if bundle.label_encoder is None:
        return fail(LabelEncoderMissing())
    labels = bundle.label_encoder.inverse_transform(outputs.argmax(axis=1).astype(np.int64))
    shares = np.exp(log_probabilities(outputs))
    return Success(
        pl.DataFrame(
            {"prediction": pl.Series(labels.tolist(), dtype=pl.String)}
            | {
                f"probability_{name}": shares[:, code]
                for code, name in enumerate(bundle.label_encoder.classes)
            }
        )
    )
