"""The preprocessing artifacts as plain data, and the artifacts that a record describes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from kdtab.config.manifest import (
    ImputeStep,
    ScaleStep,
    Step,
    TableManifest,
    TargetScaling,
    VectorizeStep,
    canonical_json,
)
from kdtab.config.schema import DateColumn
from kdtab.data.arrays import FloatArray
from kdtab.data.artifacts import Artifacts
from kdtab.data.moments import DATE_FORMATS
from kdtab.data.scale import Scaler, TargetScaler
from kdtab.data.target import LabelEncoder
from kdtab.data.vectorize import Vectorizer
from kdtab.errors.base import quoted
from kdtab.record import Array, BundleRecord


def preprocessing_steps(artifacts: Artifacts) -> tuple[Step, ...]:
    """What happens to a row, step by step; the numbers are `artifact_arrays`.

    Args:
        artifacts: Any artifacts.

    Returns:
        Vectorize, impute where there are medians, scale.

    Raises:
        pydantic.ValidationError: On a clip that is no bound.

    Example:
        >>> artifacts = Artifacts(Vectorizer((), ()), Scaler(np.zeros(0), np.ones(0), 10.0),
        ...                       None, None, None)
        >>> [step.kind for step in preprocessing_steps(artifacts)]
        ['vectorize', 'scale']
    """
    vectorizer = artifacts.vectorizer
    return (
        VectorizeStep(columns=vectorizer.columns, missing_markers=vectorizer.missing_markers),
        *(() if artifacts.feature_medians is None else (ImputeStep(),)),
        ScaleStep(clip=float(artifacts.scaler.clip)),
    )


def label_classes(artifacts: Artifacts) -> tuple[str, ...] | None:
    """The label encoder as plain data.

    Args:
        artifacts: Any artifacts.

    Returns:
        Its classes in order, or None where there is no encoder.

    Example:
        >>> label_classes(Artifacts(Vectorizer((), ()), Scaler(np.zeros(0), np.ones(0), 10.0),
        ...                         None, LabelEncoder(("no", "yes")), None))
        ('no', 'yes')
    """
    return None if artifacts.label_encoder is None else artifacts.label_encoder.classes


def target_scaling(artifacts: Artifacts) -> TargetScaling | None:
    """The target scaler as plain data.

    Args:
        artifacts: Any artifacts.

    Returns:
        Its two numbers, or None where there is no scaler.

    Raises:
        pydantic.ValidationError: On numbers that scale nothing: NaN, infinity, a scale of zero.

    Example:
        >>> target_scaling(Artifacts(Vectorizer((), ()), Scaler(np.zeros(0), np.ones(0), 10.0),
        ...                          None, None, TargetScaler(mean=3.0, scale=2.0)))
        TargetScaling(mean=3.0, scale=2.0)
    """
    scaler = artifacts.target_scaler
    if scaler is None:
        return None
    return TargetScaling(mean=float(scaler.mean), scale=float(scaler.scale))


def artifact_arrays(artifacts: Artifacts) -> dict[str, Array]:
    """Read-only copies of the artifacts' numbers, dtypes kept.

    Args:
        artifacts: Any artifacts.

    Returns:
        `scale/mean`, `scale/scale` and, where there are medians, `impute/medians`, each [D].

    Example:
        >>> artifacts = Artifacts(Vectorizer((), ()), Scaler(np.zeros(0), np.ones(0), 10.0),
        ...                       None, None, None)
        >>> sorted(artifact_arrays(artifacts))
        ['scale/mean', 'scale/scale']
    """
    medians = artifacts.feature_medians
    arrays: dict[str, Array] = {
        **({} if medians is None else {"impute/medians": medians}),
        "scale/mean": artifacts.scaler.mean,
        "scale/scale": artifacts.scaler.scale,
    }
    return {name: _read_only_copy(array) for name, array in arrays.items()}


def artifacts_from_record(record: BundleRecord) -> Artifacts:
    """The artifacts that a record describes, on copies of its numbers.

    Args:
        record: A record without contradictions.

    Returns:
        The artifacts; those that the record does not hold are None.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.config.schema import TableSchema
        >>> manifest = TableManifest(
        ...     task="regression", target_column="y", network=LinearSpec(input_dim=1, output_dim=1),
        ...     preprocessing=(VectorizeStep(columns=(), missing_markers=()), ScaleStep(clip=4.0)),
        ...     class_names=(), table_schema=TableSchema(features=(), left_out=()),
        ... )
        >>> arrays = {"scale/mean": np.zeros(1), "scale/scale": np.ones(1)}
        >>> artifacts_from_record(BundleRecord(manifest, arrays)).scaler.clip
        4.0
    """
    manifest, arrays = record.manifest, record.arrays
    vectorize, scale = manifest.preprocessing[0], manifest.preprocessing[-1]
    assert isinstance(vectorize, VectorizeStep), "contradictions() asks for it"
    assert isinstance(scale, ScaleStep), "contradictions() asks for it"
    classes, target = manifest.label_classes, manifest.target_scaling
    return Artifacts(
        vectorizer=Vectorizer(vectorize.columns, vectorize.missing_markers),
        scaler=Scaler(_floats(arrays["scale/mean"]), _floats(arrays["scale/scale"]), scale.clip),
        feature_medians=_floats(arrays["impute/medians"]) if "impute/medians" in arrays else None,
        label_encoder=None if classes is None else LabelEncoder(classes),
        target_scaler=None if target is None else TargetScaler(target.mean, target.scale),
    )


def column_problems(manifest: TableManifest) -> Iterator[str]:
    """Whether the columns can be read, and give as many features as the network takes.

    Args:
        manifest: Any manifest.

    Yields:
        One reason for each date format that kdtab does not read, and for another width.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.config.schema import TableSchema
        >>> list(column_problems(TableManifest(
        ...     task="regression", target_column="y", network=LinearSpec(input_dim=1, output_dim=1),
        ...     preprocessing=(VectorizeStep(columns=(), missing_markers=()), ScaleStep(clip=4.0)),
        ...     class_names=(), table_schema=TableSchema(features=(), left_out=()),
        ... )))
        ['its columns give 0 features, its network takes 1']
    """
    for step in manifest.preprocessing:
        if isinstance(step, VectorizeStep):
            for column in step.columns:
                if isinstance(column, DateColumn) and column.format not in (None, *DATE_FORMATS):
                    yield f"its date format {quoted(column.format)} is none that kdtab reads"
            found = len(Vectorizer(step.columns, step.missing_markers).feature_names)
            taken = manifest.network.input_dim
            if found != taken:
                yield f"its columns give {found:,} features, its network takes {taken:,}"


def artifacts_fingerprint(artifacts: Artifacts) -> str:
    """The sha256 of all that the artifacts hold, numbers to the bit.

    Args:
        artifacts: Any artifacts, useless ones too.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> artifacts = Artifacts(Vectorizer((), ()), Scaler(np.zeros(0), np.ones(0), 10.0),
        ...                       None, None, None)
        >>> artifacts_fingerprint(artifacts)[:8]
        '97bdbab4'
    """
    scaler, target = artifacts.scaler, artifacts.target_scaler
    parts = (
        [column.model_dump(mode="json") for column in artifacts.vectorizer.columns],
        list(artifacts.vectorizer.missing_markers),
        [_hex(scaler.mean), _hex(scaler.scale), _hex(np.float64(scaler.clip))],
        None if artifacts.feature_medians is None else _hex(artifacts.feature_medians),
        label_classes(artifacts),
        None if target is None else [_hex(np.float64(target.mean)), _hex(np.float64(target.scale))],
    )
    return hashlib.sha256(canonical_json(parts).encode("ascii")).hexdigest()


def _hex(numbers: FloatArray | np.float64) -> list[str]:
    little = np.asarray(numbers, dtype="<f8")
    return [str(little.shape), little.tobytes().hex()]


def _floats(array: Array) -> FloatArray:
    return np.array(array, dtype=np.float64)


def _read_only_copy(array: Array) -> Array:
    copy = np.array(array, order="C", copy=True)
    copy.setflags(write=False)
    return copy
