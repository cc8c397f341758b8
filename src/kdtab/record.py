"""A bundle as plain data, without torch: one manifest and named numpy arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from kdtab.config.manifest import Provenance, TableManifest
from kdtab.config.quantiles import levels_problem
from kdtab.config.sequencemanifest import SequenceManifest
from kdtab.config.sequencenetworks import weight_shapes

__all__ = [
    "STORED_DTYPES",
    "WEIGHTS",
    "Array",
    "ArrayForm",
    "BundleRecord",
    "Provenance",
    "SequenceRecord",
    "TableManifest",
    "artifact_forms",
    "contradictions",
    "form_of",
    "form_problems",
    "sequence_contradictions",
]

WEIGHTS = "weights/"
MATRIX_AXES = 2
STORED_DTYPES = ("float32", "float64", "int64")
Array: TypeAlias = npt.NDArray[np.generic]


@dataclass(frozen=True)
class ArrayForm:
    """What an array must look like.

    Example:
        >>> str(ArrayForm("float64", (4,)))
        'float64 [4]'
    """

    dtype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


@dataclass(frozen=True, eq=False)
class BundleRecord:
    """A bundle as it is stored; equal when manifest, names, forms and bytes are.

    Attributes:
        manifest: All but the numbers.
        arrays: Weights under `weights/…` and the numeric artifacts, by name.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.config.schema import TableSchema
        >>> manifest = TableManifest(
        ...     task="regression", target_column="y", network=LinearSpec(input_dim=1, output_dim=1),
        ...     preprocessing=(), class_names=(), table_schema=TableSchema(features=(), left_out=()),
        ... )
        >>> BundleRecord(manifest, {"scale/mean": np.zeros(1)}) == BundleRecord(manifest, {})
        False
    """

    manifest: TableManifest
    arrays: Mapping[str, Array]

    def __post_init__(self) -> None:
        object.__setattr__(self, "arrays", MappingProxyType(dict(self.arrays)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BundleRecord):
            return NotImplemented
        return self.manifest == other.manifest and _contents(self) == _contents(other)

    __hash__ = None  # type: ignore[assignment]  # content-equal values that hold arrays have no hash


@dataclass(frozen=True, eq=False)
class SequenceRecord:
    """A bundle of a sequence network as it is stored.

    Attributes:
        manifest: All but the numbers.
        arrays: Weights under `weights/…`, by name.

    Example:
        >>> from kdtab.config.sequencenetworks import BasicLayer, SequenceSpec
        >>> spec = SequenceSpec(input_dim=1, layers=(BasicLayer(dim=1),))
        >>> sequence_contradictions(SequenceRecord(SequenceManifest(network=spec), {}))[0]
        "array 'weights/layers.0.bias' is missing"
    """

    manifest: SequenceManifest
    arrays: Mapping[str, Array]

    def __post_init__(self) -> None:
        object.__setattr__(self, "arrays", MappingProxyType(dict(self.arrays)))


def sequence_contradictions(record: SequenceRecord) -> tuple[str, ...]:
    """Every way in which the parts of a sequence bundle deny each other.

    Args:
        record: Any record; a network of any size costs nothing.

    Returns:
        One reason each; empty for a record that can be used.

    Example:
        >>> from kdtab.config.sequencenetworks import BasicLayer, SequenceSpec
        >>> spec = SequenceSpec(input_dim=1, layers=(BasicLayer(dim=1),))
        >>> arrays = {"weights/layers.0.bias": np.zeros(1, np.float32)}
        >>> sequence_contradictions(SequenceRecord(SequenceManifest(network=spec), arrays))
        ("array 'weights/layers.0.weight' is missing",)
    """
    expected = {
        WEIGHTS + name: ArrayForm("float32", shape)
        for name, shape in weight_shapes(record.manifest.network).items()
    }
    return (*form_problems(record.arrays, expected), *_value_problems(record.arrays))


def form_of(array: Array) -> ArrayForm:
    """An array's dtype and shape, as messages and checks name them.

    Args:
        array: Any numpy array.

    Returns:
        Its form.

    Example:
        >>> str(form_of(np.zeros((2, 3), dtype=np.float32)))
        'float32 [2, 3]'
    """
    return ArrayForm(array.dtype.name, array.shape)


def artifact_forms(manifest: TableManifest) -> dict[str, ArrayForm]:
    """The arrays that a manifest's preprocessing needs.

    Args:
        manifest: Any manifest.

    Returns:
        Forms by name: float64 [D] for `impute/medians`, `scale/mean` and `scale/scale`.

    Example:
        >>> from kdtab.config.manifest import ScaleStep
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.config.schema import TableSchema
        >>> sorted(artifact_forms(TableManifest(
        ...     task="regression", target_column="y", network=LinearSpec(input_dim=1, output_dim=1),
        ...     preprocessing=(ScaleStep(clip=10.0),), class_names=(),
        ...     table_schema=TableSchema(features=(), left_out=()),
        ... )))
        ['scale/mean', 'scale/scale']
    """
    form = ArrayForm("float64", (manifest.network.input_dim,))
    kinds = {step.kind for step in manifest.preprocessing}
    return ({"impute/medians": form} if "impute" in kinds else {}) | (
        {"scale/mean": form, "scale/scale": form} if "scale" in kinds else {}
    )


def form_problems(arrays: Mapping[str, Array], expected: Mapping[str, ArrayForm]) -> Iterator[str]:
    """What is missing, too much, or of another form.

    Args:
        arrays: What is there.
        expected: What must be there, and nothing else.

    Yields:
        One reason for each name that is wrong, in sorted order.

    Example:
        >>> list(form_problems({}, {"scale/mean": ArrayForm("float64", (2,))}))
        ["array 'scale/mean' is missing"]
    """
    for name in sorted(arrays.keys() | expected.keys()):
        if name not in arrays:
            yield f"array {name!a} is missing"
        elif name not in expected:
            yield f"array {name!a} belongs to nothing"
        elif form_of(arrays[name]) != expected[name]:
            yield f"array {name!a} is {form_of(arrays[name])}, it must be {expected[name]}"


def contradictions(record: BundleRecord) -> tuple[str, ...]:
    """Every way in which a record's parts deny each other, as far as numpy can tell.

    Args:
        record: Any record. Whether the weights fit the network, `bundle.from_record` tells.

    Returns:
        One reason each; empty for a record that can be used.

    Example:
        >>> from kdtab.config.manifest import ScaleStep, VectorizeStep
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.config.schema import TableSchema
        >>> contradictions(BundleRecord(TableManifest(
        ...     task="regression", target_column="y", network=LinearSpec(input_dim=1, output_dim=2),
        ...     preprocessing=(VectorizeStep(columns=(), missing_markers=()), ScaleStep(clip=1.0)),
        ...     class_names=(), table_schema=TableSchema(features=(), left_out=()),
        ... ), {"scale/mean": np.zeros(1), "scale/scale": np.ones(1)}))
        ('a regression network has 1 output, this one has 2',)
    """
    artifacts = {
        name: array for name, array in record.arrays.items() if not name.startswith(WEIGHTS)
    }
    return (
        *_manifest_problems(record.manifest),
        *form_problems(artifacts, artifact_forms(record.manifest)),
        *_value_problems(record.arrays),
        *_precision_problems(record),
    )


def _contents(record: BundleRecord) -> dict[str, tuple[ArrayForm, bytes]]:
    return {name: (form_of(array), array.tobytes()) for name, array in record.arrays.items()}


def _manifest_problems(manifest: TableManifest) -> Iterator[str]:
    kinds = tuple(step.kind for step in manifest.preprocessing)
    if kinds not in {("vectorize", "scale"), ("vectorize", "impute", "scale")}:
        yield f"its preprocessing steps are {list(kinds)}, they must be vectorize, impute, scale"
    outputs = manifest.network.output_dim
    yield from _quantile_problems(manifest, outputs)
    if manifest.task == "classification":
        for what, names in (
            ("label classes", manifest.label_classes),
            ("class names", manifest.class_names or None),
        ):
            if names is not None and len(names) != outputs:
                yield f"it has {len(names):,} {what} for {outputs:,} outputs"
            if names is not None and len(set(names)) != len(names):
                yield f"its {what} are not distinct"


def _quantile_problems(manifest: TableManifest, outputs: int) -> Iterator[str]:
    levels = manifest.quantiles
    if levels and manifest.task == "classification":
        yield "a classification tells no quantiles"
    elif levels:
        problem = levels_problem(levels)
        if problem is not None:
            yield f"its quantiles {problem}"
        if len(levels) != outputs:
            yield f"it has {len(levels):,} quantiles for {outputs:,} outputs"
    elif manifest.task == "regression" and outputs != 1:
        yield f"a regression network has 1 output, this one has {outputs:,}"


def _value_problems(arrays: Mapping[str, Array]) -> Iterator[str]:
    for name, array in sorted(arrays.items()):
        if array.dtype.name not in STORED_DTYPES:
            yield f"array {name!a} is {form_of(array)}, stored are {', '.join(STORED_DTYPES)}"
        if array.size == 0:
            yield f"array {name!a} is empty"
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            yield f"array {name!a} holds NaN or infinity"
    scale = arrays.get("scale/scale", np.ones(1))
    if scale.dtype.kind == "f" and not bool(np.greater(scale, 0).all()):
        yield "array 'scale/scale' holds a scale that is not above 0"


def _precision_problems(record: BundleRecord) -> Iterator[str]:
    """A matrix that half precision does not hold would be another one after saving."""
    if record.manifest.provenance.weight_precision is None:
        return
    for name, array in sorted(record.arrays.items()):
        if not name.startswith(WEIGHTS) or array.ndim != MATRIX_AXES:
            continue
        with np.errstate(over="ignore"):
            rounded = array.astype(np.float16).astype(array.dtype)
        if not np.array_equal(rounded, array):
            yield f"array {name!a} holds numbers that float16, its stated precision, does not"
