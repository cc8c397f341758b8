"""A table in which a teacher speaks to a student."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import torch

from kdtab.config.columns import ColumnOptions
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig


@dataclass(frozen=True, eq=False)
class Classroom:
    """A table, and how a teacher shall label it.

    Attributes:
        frame: The whole table as it was read.
        config: Target, task, split and seed.
        options: Which columns count.
        labels: How training rows are labelled.
        device: Where networks of an ensemble are fitted.

    Example:
        >>> Classroom.__dataclass_params__.frozen
        True
    """

    frame: pl.DataFrame
    config: TrainingConfig
    options: ColumnOptions
    labels: LabelConfig
    device: torch.device
