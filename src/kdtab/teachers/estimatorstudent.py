"""A scikit-learn estimator that a teacher taught, with all that a prediction needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import polars as pl

from kdtab.bundle import Metrics
from kdtab.data.arrays import FloatArray
from kdtab.data.artifacts import LARGEST_TARGET, Artifacts
from kdtab.data.scale import impute
from kdtab.metrics.retention import Gain
from kdtab.results import Checked
from kdtab.shell.trained import DistillEvidence
from kdtab.teachers.pupils import FittedPupil
from kdtab.teachers.refit import Estimator

InputKind: TypeAlias = Literal["table", "network"]


@dataclass(frozen=True, eq=False)
class EstimatorStudent:
    """A fitted estimator, how good it is on rows it never saw, and what the teacher was good for.

    Attributes:
        pupil: The fitted estimator as kdtab asks it.
        alone: The same estimator fitted on the labels and nothing else.
        artifacts: From a frame to the columns that both take.
        inputs: "table": numbers in their own unit, for trees; "network": scaled and clipped.
        metrics: On the held-out rows of every student of this table, seed and sizes. The loss is
            NaN for a classifier without probabilities.
        metrics_alone: Of `alone` on the same rows.
        gain: The share of the teacher's lead over `alone` that the student kept; None without
            probabilities, or where the teacher gave no evidence.
        evidence: What the teacher said, and how.
        notes: Sentences that a person should read.

    Example:
        >>> EstimatorStudent.__dataclass_params__.frozen
        True
    """

    pupil: FittedPupil
    alone: FittedPupil
    artifacts: Artifacts
    inputs: InputKind
    metrics: Metrics
    metrics_alone: Metrics
    gain: Gain | None
    evidence: DistillEvidence | None
    notes: tuple[str, ...]

    @property
    def estimator(self) -> Estimator:
        """The fitted estimator itself, an object of its own library.

        Example:
            >>> EstimatorStudent(FittedPupil("a tree", ()), *[None] * 8).estimator
            'a tree'
        """
        return self.pupil.estimator

    @property
    def feature_names(self) -> tuple[str, ...]:
        """What the columns are called that the estimator was fitted on.

        Example:
            >>> EstimatorStudent.feature_names.fget.__name__
            'feature_names'
        """
        return self.artifacts.vectorizer.feature_names

    def matrix(self, frame: pl.DataFrame) -> FloatArray:
        """Raw rows as the estimator takes them.

        Args:
            frame: [N] raw columns; absent ones are missing, extra ones are ignored.

        Returns:
            [N, D] finite numbers, one column for each of `feature_names`.

        Example:
            >>> EstimatorStudent.matrix.__name__
            'matrix'
        """
        return encoded_matrix(frame, self.artifacts, self.inputs)

    def predicted(self, frame: pl.DataFrame) -> Checked[pl.DataFrame]:
        """Predictions for raw rows, as `kdtab.predict_frame` gives those of a network.

        Args:
            frame: [N] raw columns; absent ones are missing, extra ones are ignored.

        Returns:
            [N] `prediction`, and `probability_<class>` for each class of an estimator that gives
            probabilities; or `EstimatorFailed`.

        Example:
            >>> EstimatorStudent.predicted.__name__
            'predicted'
        """
        return self.pupil.outputs(self.matrix(frame)).map(self._decoded)

    def _decoded(self, outputs: FloatArray) -> pl.DataFrame:
        classes = self.pupil.classes
        if not classes:
            return pl.DataFrame({"prediction": outputs[:, 0]})
        labels = pl.Series(classes, dtype=pl.String).gather(outputs.argmax(axis=1))
        shares = zip(classes, outputs.T if self.pupil.gives_probabilities else (), strict=False)
        return pl.DataFrame(
            {"prediction": labels} | {f"probability_{name}": share for name, share in shares}
        )


def encoded_matrix(frame: pl.DataFrame, artifacts: Artifacts, inputs: InputKind) -> FloatArray:
    """Raw rows as numbers, without gaps.

    Args:
        frame: [N] raw columns; absent ones are missing, extra ones are ignored.
        artifacts: Fitted preprocessing.
        inputs: "table" leaves numbers in their unit; "network" scales and clips them.

    Returns:
        [N, D] float64, finite.

    Example:
        >>> from kdtab.config.schema import NumericColumn
        >>> from kdtab.data.artifacts import fit_artifacts
        >>> column, frame = NumericColumn(name="x", reason=""), pl.DataFrame({"x": [1.0, 5.0, None]})
        >>> artifacts = fit_artifacts(frame, (column,), ())
        >>> encoded_matrix(frame, artifacts, "table").tolist()
        [[1.0], [5.0], [3.0]]
    """
    numbers = impute(artifacts.vectorizer.transform(frame), artifacts.feature_medians)
    if inputs == "network":
        return artifacts.scaler.transform(numbers)
    # Trees compute in float32, and refuse what it does not hold.
    held: FloatArray = np.clip(numbers, -LARGEST_TARGET, LARGEST_TARGET)
    return held
