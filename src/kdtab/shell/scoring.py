"""A bundle at work: raw rows to outputs, and what it weighs on disk."""

from __future__ import annotations

import polars as pl
import torch

from kdtab.bundle import ModelBundle, to_record
from kdtab.data.arrays import Float32Array
from kdtab.data.artifacts import encode_features
from kdtab.disk.bundles import encode_record
from kdtab.shell.infer import network_outputs


def frame_outputs(
    bundle: ModelBundle, frame: pl.DataFrame, device: torch.device | None = None
) -> Float32Array:
    """What the network says about raw rows, before decoding (REQ-T18, REQ-T19).

    Args:
        bundle: A model and its preprocessing; left as it is, mode and device included.
        frame: [N] raw rows; absent columns are missing, extra ones are ignored.
        device: Where to compute; None stays where the network is.

    Returns:
        [N, C] float32 logits, or [N, 1] values in the unit of training.

    Example:
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> bundle = train_model(frame, config, device="cpu").unwrap().bundle
        >>> frame_outputs(bundle, frame.head(3)).shape
        (3, 2)
    """
    return network_outputs(bundle.model, encode_features(frame, bundle.artifacts), device=device)


def stored_bytes(bundle: ModelBundle) -> int:
    """The size of a bundle's file, whether it was saved or not.

    Args:
        bundle: One that can be saved.

    Returns:
        Bytes.

    Example:
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> stored_bytes(train_model(frame, config, device="cpu").unwrap().bundle) > 1_000
        True
    """
    return len(to_record(bundle).map(encode_record).unwrap())
