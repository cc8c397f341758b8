"""Weight matrices in half the bytes, where a bundle says that half precision holds them exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from kdtab.record import MATRIX_AXES, WEIGHTS, Array, BundleRecord


def stored_arrays(record: BundleRecord) -> Mapping[str, Array]:
    """The arrays of a record as a file holds them.

    Args:
        record: Any record.

    Returns:
        The same arrays; float16 the weight matrices of a network that was rounded to it. Biases and
        the statistics of norms, which are few, stay as they are.

    Example:
        >>> stored_arrays.__name__
        'stored_arrays'
    """
    if record.manifest.provenance.weight_precision is None:
        return record.arrays
    return {
        name: array.astype(np.float16) if _is_matrix(name, array) else array
        for name, array in record.arrays.items()
    }


def restored_arrays(arrays: Mapping[str, Array], precision: str | None) -> dict[str, Array]:
    """The arrays of a file as a record has them, weights always float32.

    Args:
        arrays: As the file holds them.
        precision: What its manifest says of its weights.

    Returns:
        The same arrays, float16 matrices as float32; without a word in the manifest they stay what
        they are, and are refused with every other form that does not fit.

    Example:
        >>> restored_arrays({"weights/a": np.ones((1, 1), np.float16)}, "float16")["weights/a"].dtype
        dtype('float32')
    """
    return {
        name: _widened(array)
        if precision is not None and _is_matrix(name, array) and array.dtype == np.float16
        else array
        for name, array in arrays.items()
    }


def precision_problems(arrays: Mapping[str, Array], precision: str | None) -> Iterator[str]:
    """What denies that a file's weights are stored as its manifest says.

    Args:
        arrays: As the file holds them.
        precision: What its manifest says of its weights.

    Yields:
        One reason for each weight matrix that is wider than it should be.

    Example:
        >>> list(precision_problems({"weights/a": np.ones((1, 1), np.float32)}, "float16"))
        ["array 'weights/a' is float32, its weights are said to be float16"]
    """
    if precision is None:
        return
    for name, array in sorted(arrays.items()):
        if _is_matrix(name, array) and array.dtype.name != precision:
            yield f"array {name!a} is {array.dtype.name}, its weights are said to be {precision}"


def _is_matrix(name: str, array: Array) -> bool:
    return name.startswith(WEIGHTS) and array.ndim == MATRIX_AXES


def _widened(array: Array) -> Array:
    wide = array.astype(np.float32)
    wide.setflags(write=False)
    return wide
