"""Networks of time series in Python: make, train, distil, ask, save and load them.

Everything here raises: `KdtabError` (a `ValueError`) or one of its subclasses that is also the
builtin exception that callers expect. `error.issues` holds every problem that was found.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from returns.result import Result, Success

from kdtab.config.base import parse_config
from kdtab.config.sequencenetworks import sequence_spec
from kdtab.config.sequencerun import SequenceTraining
from kdtab.config.sequences import Backend, check_backend
from kdtab.data.arrays import Float32Array
from kdtab.disk.sequencebundles import read_sequence_record, write_sequence_record
from kdtab.disk.trajectories import read_trajectories
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.raised import raise_issues
from kdtab.errors.sequenceteachers import DimensionsDiffer
from kdtab.models.sequences import (
    SequenceBundle,
    from_sequence_record,
    new_sequence_bundle,
    to_sequence_record,
)
from kdtab.recipes.sequences import LearnedTrajectories, learn_trajectories
from kdtab.recipes.series import train_on_series
from kdtab.results import Checked, Value, check, either, fail, gather
from kdtab.shell.device import resolve_device
from kdtab.shell.sequencebatches import SeriesRows
from kdtab.teachers.sequencebundle import bundle_as_sequence_teacher

__all__ = [
    "distill_sequence_model",
    "load_sequence_model",
    "save_sequence_model",
    "sequence_model",
    "sequence_states",
    "train_sequence_model",
]

AnyArray: TypeAlias = NDArray[np.generic]
Path: TypeAlias = str | os.PathLike[str]
Series: TypeAlias = tuple[ArrayLike, ArrayLike] | tuple[ArrayLike, ArrayLike, ArrayLike]


def sequence_model(
    layers: Sequence[Mapping[str, object]], input_dim: int | None = None, *, random_seed: int = 42
) -> SequenceBundle:
    """An untrained network from a list of layers.

    Args:
        layers: `[{"type": "SingleDendrite", "dim": 25}, {"type": "BasicLayer", "dim": 2}]`; types
            are SingleDendrite, BasicLayer, GRU and LSTM.
        input_dim: Inputs at a step; None: as many as the first layer has units.
        random_seed: Of its weights.

    Returns:
        The model.

    Raises:
        KdtabError: A `ValueError`: a layer that is not understood.

    Example:
        >>> sequence_model([{"type": "GRU", "dim": 16}, {"type": "BasicLayer", "dim": 2}], 8).output_dim
        2
    """
    seed = parse_config(SequenceTraining, {"random_seed": random_seed})
    spec = sequence_spec(layers, input_dim)
    made = gather(seed, spec).bind(lambda _: spec)
    return either(made, lambda found: new_sequence_bundle(found, random_seed), raise_issues)


def train_sequence_model(
    model: SequenceBundle,
    series: Series,
    validation: Series | None = None,
    **training: object,
) -> SequenceBundle:
    """Train a model without a teacher.

    Args:
        model: Where the weights start; not changed.
        series: Inputs [N, T, D_in], and class codes [N] or values [N, T + 1, D_out] at every step;
            third, where series are shorter than T, their lengths [N].
        validation: The same for the series that choose the epoch.
        **training: Fields of `SequenceTraining`: max_epochs, batch_size, learning_rate,
            random_seed, patience, time_pooling. Classes are told apart by the mean state over time,
            or by what `time_pooling` names.

    Returns:
        The trained model.

    Raises:
        KdtabError: A `ValueError`: a field out of range, or widths that differ.

    Example:
        >>> model = sequence_model([{"type": "GRU", "dim": 2}], 1)
        >>> x = np.repeat([-1.0, 1.0], 8)[:, None, None] * np.ones((16, 5, 1))
        >>> y = np.repeat([0, 1], 8)
        >>> trained = train_sequence_model(model, (x, y), max_epochs=30, learning_rate=0.05)
        >>> (sequence_states(trained, x).mean(1).argmax(1) == y).mean().item()
        1.0
    """
    config, rows = parse_config(SequenceTraining, training), _rows("series", series)
    none: Checked[SeriesRows | None] = Success(None)
    held_out = (
        none if validation is None else _rows("validation", validation).map(lambda rows: rows)
    )
    trained = Result.do(
        found
        for _ in gather(config, rows, held_out)
        for settings in config
        for fitted in rows
        for validated in held_out
        for found in train_on_series(model, fitted, validated, settings)
    )
    return either(trained, lambda found: found.bundle, raise_issues)


def distill_sequence_model(
    student: SequenceBundle,
    distillation_data_path: Path,
    *,
    backend: Backend = "torch",
    device: str = "cpu",
    **training: object,
) -> LearnedTrajectories:
    """Train a student on recorded trajectories; the group val chooses the epoch.

    Args:
        student: Where the weights start; not changed.
        distillation_data_path: What `generate_teacher_trajectories` wrote.
        backend: torch or jax.
        device: Where torch computes.
        **training: Fields of `SequenceTraining`: max_epochs, batch_size, learning_rate,
            random_seed, patience, time_pooling.

    Returns:
        The student, its errors by group, and the course of the training.

    Raises:
        KdtabError: A `ValueError`: a field out of range, widths that differ, a damaged file.
        ImportError: Without h5py (`kdtab[sequences]`), or without JAX where it is asked for.

    Example:
        >>> distill_sequence_model(sequence_model([{"type": "GRU", "dim": 2}]), "no such file.hdf5")
        Traceback (most recent call last):
        kdtab.errors.raised.MissingFileError: no file at 'no such file.hdf5': check the path and its spelling
    """
    config = parse_config(SequenceTraining, training)
    learned = Result.do(
        learned
        for _ in gather(config, check_backend(backend))
        for settings in config
        for place in resolve_device(device)
        for found in read_trajectories(distillation_data_path)
        for learned in learn_trajectories(
            student, found, distillation_data_path, settings, backend=backend, device=place
        )
    )
    return either(learned, lambda found: found, raise_issues)


def sequence_states(
    model: SequenceBundle, inputs: ArrayLike, *, backend: Backend = "torch"
) -> Float32Array:
    """A model's time courses.

    Args:
        model: Not changed.
        inputs: [N, T, D_in].
        backend: With what they are computed.

    Returns:
        [N, T + 1, D_out] float32 states, t = 0 included.

    Raises:
        KdtabError: A `ValueError`: inputs of another width.

    Example:
        >>> sequence_states(sequence_model([{"type": "LSTM", "dim": 2}]), np.zeros((1, 3, 2))).shape
        (1, 4, 2)
    """
    states = Result.do(
        found
        for _ in check_backend(backend)
        for values in _inputs("inputs", inputs)
        for _ in check(_other_width(values.shape[2], model))
        for found in bundle_as_sequence_teacher(model, backend).states(values)
    )
    return either(states, lambda found: found, raise_issues)


def save_sequence_model(model: SequenceBundle, path: Path) -> None:
    """Write a model as one file, whole or not at all; equal models give equal bytes.

    Args:
        model: What to save.
        path: Where; what is there already is replaced.

    Raises:
        KdtabError: A `RuntimeError` for a network that was changed, an `OSError` for what the disk
            refuses.

    Example:
        >>> save_sequence_model(sequence_model([{"type": "GRU", "dim": 2}]), "no such folder/m.soen")
        Traceback (most recent call last):
        kdtab.errors.raised.DiskError: cannot write 'no such folder/m.soen': ...
    """
    saved = to_sequence_record(model).bind(lambda record: write_sequence_record(path, record))
    either(saved, lambda _: None, raise_issues)


def load_sequence_model(path: Path) -> SequenceBundle:
    """The model in a file, equal to the bit; nothing is unpickled, executed or imported.

    Args:
        path: What `save_sequence_model` or `kdtab run` wrote; its suffix does not matter.

    Returns:
        The model, on the CPU.

    Raises:
        KdtabError: A `FileNotFoundError` for a missing file, a `RuntimeError` for a file that is no
            whole bundle of a sequence network.

    Example:
        >>> load_sequence_model("teacher.soen")
        Traceback (most recent call last):
        kdtab.errors.raised.MissingFileError: no bundle at 'teacher.soen': check the path and its spelling
    """
    found = read_sequence_record(path).bind(
        lambda record: from_sequence_record(record, torch.device("cpu"))
    )
    return either(found, lambda bundle: bundle, raise_issues)


def _rows(name: str, series: object) -> Checked[SeriesRows]:
    if not isinstance(series, tuple | list) or len(series) not in (2, 3):
        rule = "must be inputs and targets, and lengths where series are shorter"
        return fail(FieldInvalid(name=name, rule=rule, found=type(series).__name__))
    return _inputs(f"{name}[0]", series[0]).bind(lambda inputs: _beside(name, inputs, series))


def _beside(name: str, inputs: Float32Array, series: Sequence[ArrayLike]) -> Checked[SeriesRows]:
    targets, steps = np.asarray(series[1]), inputs.shape[1]
    lengths = np.asarray(series[2] if len(series) == 3 else np.full(len(inputs), steps))
    known = [(len(inputs),), (len(inputs), steps), (len(inputs), steps + 1)]
    if targets.shape[:2] not in known or targets.ndim not in (1, 3) or 0 in targets.shape:
        return _refused(name, "must have a class or states [T + 1, D] for each series", targets)
    whole = lengths.shape == (len(inputs),) and lengths.dtype.kind in "iu"
    if not whole or lengths.min() < 1 or lengths.max() > steps:
        return _refused(name, f"must have lengths from 1 to {steps}", lengths)
    own = lengths.astype(np.int64)
    if targets.ndim == 1:
        if targets.dtype.kind not in "iu" or targets.min() < 0:
            return _refused(name, "must have classes as whole numbers from 0", targets)
        return Success(SeriesRows(inputs, targets.astype(np.int64), own))
    return _finite(name, targets).map(lambda states: SeriesRows(inputs, states, own))


def _inputs(name: str, given: ArrayLike) -> Checked[Float32Array]:
    try:
        values = np.asarray(given)
    except ValueError:  # rows of different length
        values = np.empty(0, dtype=object)
    if values.ndim != 3 or 0 in values.shape:
        return _refused(name, "must be [N, T, D], none of them 0", values)
    return _finite(name, values)


def _finite(name: str, values: AnyArray) -> Checked[Float32Array]:
    if values.dtype.kind in "biuf":
        with np.errstate(over="ignore"):
            numbers = values.astype(np.float32)
        if np.isfinite(numbers).all():
            return Success(numbers)
    return _refused(name, "must hold finite numbers of float32", values)


def _other_width(width: int, model: SequenceBundle) -> DimensionsDiffer | None:
    differ = DimensionsDiffer(
        what="inputs", one="the data", first=width, other="the model", second=model.input_dim
    )
    return None if width == model.input_dim else differ


def _refused(name: str, rule: str, found: AnyArray) -> Checked[Value]:
    shown = f"an array {list(found.shape)} of {found.dtype}"
    return fail(FieldInvalid(name=name, rule=rule, found=shown))
