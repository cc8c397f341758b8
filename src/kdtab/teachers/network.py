"""A kdtab bundle as a teacher."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import polars as pl
from returns.result import Success

from kdtab.bundle import ModelBundle, to_record
from kdtab.data.arrays import Float32Array
from kdtab.data.artifacts import encode_features
from kdtab.data.outputs import TeacherOutputs, checked_outputs
from kdtab.disk.bundles import encode_record
from kdtab.errors.teachers import LabelEncoderMissing, NoTeacherColumns
from kdtab.results import Checked, either, fail
from kdtab.shell.assemble import regression_values
from kdtab.shell.infer import network_outputs
from kdtab.teachers.teacher import TeacherInfo


@final
@dataclass(frozen=True, eq=False)
class NetworkTeacher:
    """A network of kdtab's with its preprocessing, which a student inherits.

    Attributes:
        bundle: The model; left as it is, mode and device included.

    Example:
        >>> from torch import nn
        >>> bundle = ModelBundle(nn.Linear(3, 2), "classification", *[None] * 11)
        >>> NetworkTeacher(bundle).bundle is bundle
        True
    """

    bundle: ModelBundle

    @property
    def info(self) -> TeacherInfo:
        """What the teacher says of itself: logits, or values in the target's unit.

        Example:
            >>> from kdtab.config.training import TrainingConfig
            >>> from kdtab.recipes.train import train_model
            >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
            >>> config = TrainingConfig(target_column="y", epochs=1)
            >>> bundle = train_model(frame, config, device="cpu").unwrap().bundle
            >>> NetworkTeacher(bundle).info.classes
            ('no', 'yes')
        """
        return self._info

    def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        """What the network says of raw rows.

        Args:
            frame: [N] raw rows; absent columns are missing, others are passed over. Not changed.

        Returns:
            [N, C] logits or [N, 1] values, or `NoTeacherColumns`, `LabelEncoderMissing`,
            `TeacherOutputsInvalid`.

        Example:
            >>> from kdtab.config.training import TrainingConfig
            >>> from kdtab.recipes.train import train_model
            >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
            >>> config = TrainingConfig(target_column="y", epochs=1)
            >>> bundle = train_model(frame, config, device="cpu").unwrap().bundle
            >>> NetworkTeacher(bundle).outputs(frame).unwrap().values.shape
            (40, 2)
        """
        expected = tuple(column.name for column in self.bundle.vectorizer.columns)
        if expected and not set(expected) & set(frame.columns):
            return fail(NoTeacherColumns(expected=expected, found=tuple(frame.columns)))
        return self.outputs_of_matrix(encode_features(frame, self.bundle.artifacts))

    def outputs_of_matrix(self, inputs: Float32Array) -> Checked[TeacherOutputs]:
        """What the network says of rows that its own artifacts have encoded.

        Args:
            inputs: [N, D] float32; not changed.

        Returns:
            As `outputs`.

        Example:
            >>> from kdtab.config.training import TrainingConfig
            >>> from kdtab.recipes.train import train_model
            >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": [1.5, 2.5] * 20})
            >>> config = TrainingConfig(target_column="y", task="regression", epochs=1)
            >>> bundle = train_model(frame, config, device="cpu").unwrap().bundle
            >>> teacher = NetworkTeacher(bundle)
            >>> teacher.outputs_of_matrix(np.zeros((3, 1), np.float32)).unwrap().kind
            'values'
        """
        info = self._info
        if info.task == "classification" and not info.classes:
            return fail(LabelEncoderMissing())
        spoken = network_outputs(self.bundle.model, inputs)
        values = spoken.astype(np.float64)
        outputs_of_one = len(self.bundle.quantiles) or 1
        if info.task == "regression" and spoken.shape == (len(inputs), outputs_of_one):
            values = regression_values(self.bundle, spoken)[:, np.newaxis]
        outputs = TeacherOutputs(info.output_kind, info.classes, values)
        return checked_outputs(outputs, len(inputs))

    @cached_property
    def _info(self) -> TeacherInfo:
        bundle = self.bundle
        classes = (
            bundle.class_names if bundle.label_encoder is None else bundle.label_encoder.classes
        )
        is_classifier = bundle.task == "classification"
        return TeacherInfo(
            name="kdtab network",
            task=bundle.task,
            classes=tuple(classes or ()) if is_classifier else (),
            output_kind="logits" if is_classifier else "values",
            fingerprint=bundle.fingerprint,
            artifacts=bundle.artifacts,
            size_bytes=_size(bundle),
        )


def network_teacher(bundle: ModelBundle) -> Checked[NetworkTeacher]:
    """A bundle as a teacher, if it can name its classes (REQ-KD12).

    Args:
        bundle: A trained model.

    Returns:
        The teacher, or `LabelEncoderMissing`.

    Example:
        >>> from torch import nn
        >>> bundle = ModelBundle(nn.Linear(3, 2), "classification", *[None] * 11)
        >>> network_teacher(bundle).failure().first
        LabelEncoderMissing()
    """
    if bundle.task == "classification" and bundle.label_encoder is None:
        return fail(LabelEncoderMissing())
    return Success(NetworkTeacher(bundle))


def _size(bundle: ModelBundle) -> int | None:
    """None for a network that is not kdtab's: it cannot be stored."""
    return either(to_record(bundle), lambda record: len(encode_record(record)), lambda _: None)
