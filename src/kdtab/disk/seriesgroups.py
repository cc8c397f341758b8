"""Which arrays of an HDF5 file are series, and which are states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from returns.result import Success

from kdtab.config.trajectories import GROUPS, GroupName
from kdtab.data.arrays import IntArray
from kdtab.disk.hdf5 import AnyNumbers, Hdf5File
from kdtab.errors.base import listed
from kdtab.errors.issue import Issue
from kdtab.errors.sequenceteachers import DimensionsDiffer
from kdtab.errors.trajectories import TrajectoryShapeInvalid
from kdtab.results import Checked, check, fail

ABSENT = "absent"


@dataclass(frozen=True)
class SeriesGroup:
    """One group of series in a file.

    Attributes:
        name: train, val or test.
        place: Where its arrays stand: `/train`, or nothing for a file without groups.
        series: N.
        steps: T.
        input_dim: D_in.
        label_steps: T + 1, or T where t = 0 is left out; None without states.
        output_dim: D_out; None without states.
        has_lengths: Whether the file says how many steps of each series are its own.

    Example:
        >>> SeriesGroup("train", "/train", 9, 4, 2, 5, 3, False).series
        9
    """

    name: GroupName
    place: str
    series: int
    steps: int
    input_dim: int
    label_steps: int | None
    output_dim: int | None
    has_lengths: bool


def series_groups(file: Hdf5File, *, with_labels: bool) -> Checked[tuple[SeriesGroup, ...]]:
    """The groups train, val and test as they are there; a file without groups is train.

    Args:
        file: Any harmless HDF5 file.
        with_labels: Whether states must be there; else labels of any kind are passed over.

    Returns:
        The groups in that order, or every one of `TrajectoryShapeInvalid` and `DimensionsDiffer`.

    Example:
        >>> from kdtab.disk.hdf5 import ArrayInfo
        >>> arrays = {"/data": ArrayInfo((9, 4, 2), "f4"), "/labels": ArrayInfo((9,), "i8")}
        >>> series_groups(Hdf5File("s.h5", arrays, None), with_labels=False).unwrap()[0].steps
        4
    """
    named = [name for name in GROUPS if f"/{name}/data" in file.arrays]
    places: list[tuple[GroupName, str]] = [(name, f"/{name}") for name in named]
    if not places and "/data" in file.arrays:
        places = [("train", "")]
    if not places:
        found = f"{ABSENT}: the file has {listed(tuple(file.arrays))}" if file.arrays else ABSENT
        return fail(_invalid(file, "/train/data", "an array of numbers [N, T, D]", found))
    problems = [
        problem
        for _, place in places
        for problem in (*_data_problems(file, place), *_length_problems(file, place))
    ]
    if with_labels and not problems:
        problems = [problem for _, place in places for problem in _label_problems(file, place)]
    return check(*problems).bind(
        lambda _: _alike(tuple(_group(file, name, place, with_labels) for name, place in places))
    )


def group_lengths(file: Hdf5File, group: SeriesGroup) -> Checked[IntArray]:
    """How many steps of each series are its own, from a source or from trajectories.

    Args:
        file: The file.
        group: A group of it.

    Returns:
        [N] from 1 to T; T for all where the file does not say. Or `TrajectoryShapeInvalid`.

    Example:
        >>> group_lengths.__name__
        'group_lengths'
    """
    if not group.has_lengths:
        return Success(np.full(group.series, group.steps, dtype=np.int64))
    place = f"{group.place}/lengths"

    def held(found: AnyNumbers) -> Checked[IntArray]:
        lengths = found.astype(np.int64)
        if lengths.min() >= 1 and lengths.max() <= group.steps:
            return Success(lengths)
        rule, found_range = f"[N] from 1 to {group.steps}", f"{lengths.min()} to {lengths.max()}"
        return fail(
            TrajectoryShapeInvalid(path=file.path, place=place, expected=rule, found=found_range)
        )

    return file.rows(place, np.arange(group.series), "<i8").bind(held)


def _group(file: Hdf5File, name: GroupName, place: str, with_labels: bool) -> SeriesGroup:
    series, steps, width = file.arrays[f"{place}/data"].shape
    labels = file.arrays[f"{place}/labels"].shape if with_labels else (None, None, None)
    has_lengths = f"{place}/lengths" in file.arrays
    return SeriesGroup(name, place, series, steps, width, labels[1], labels[2], has_lengths)


def _data_problems(file: Hdf5File, place: str) -> list[Issue]:
    shape = file.arrays[f"{place}/data"].shape
    if len(shape) == 3 and min(shape) > 0:
        return []
    return [_invalid(file, f"{place}/data", "[N, T, D], none of them 0", _shown(shape))]


def _length_problems(file: Hdf5File, place: str) -> list[Issue]:
    data, lengths = file.arrays[f"{place}/data"], file.arrays.get(f"{place}/lengths")
    if lengths is None:
        return []
    if lengths.shape == data.shape[:1] and lengths.type[0] in "iu":
        return []
    expected = f"{_shown(data.shape[:1])} whole numbers"
    found = f"{_shown(lengths.shape)} of type {lengths.type}"
    return [_invalid(file, f"{place}/lengths", expected, found)]


def _label_problems(file: Hdf5File, place: str) -> list[Issue]:
    series, steps, _ = file.arrays[f"{place}/data"].shape
    labels = file.arrays.get(f"{place}/labels")
    known = ((series, steps), (series, steps + 1))
    if labels is not None and labels.type[0] == "f" and _is_states(labels.shape, known):
        return []
    expected = f"[{series}, {steps + 1}, D] of floats: the states with t = 0"
    found = ABSENT if labels is None else f"{_shown(labels.shape)} of type {labels.type}"
    return [_invalid(file, f"{place}/labels", expected, found)]


def _is_states(shape: tuple[int, ...], known: tuple[tuple[int, int], ...]) -> bool:
    return len(shape) == 3 and shape[:2] in known and shape[2] > 0


def _alike(groups: tuple[SeriesGroup, ...]) -> Checked[tuple[SeriesGroup, ...]]:
    first = groups[0]
    problems: list[Issue] = []
    for group in groups[1:]:
        if group.input_dim != first.input_dim:
            problems.append(
                _differ("inputs", first.name, first.input_dim, group.name, group.input_dim)
            )
        if group.output_dim != first.output_dim:
            one, other = first.output_dim or 0, group.output_dim or 0
            problems.append(_differ("outputs", first.name, one, group.name, other))
    return check(*problems).map(lambda _: groups)


def _differ(
    what: Literal["inputs", "outputs"], one: str, first: int, other: str, second: int
) -> DimensionsDiffer:
    return DimensionsDiffer(what=what, one=one, first=first, other=other, second=second)


def _invalid(file: Hdf5File, place: str, expected: str, found: str) -> TrajectoryShapeInvalid:
    return TrajectoryShapeInvalid(path=file.path, place=place, expected=expected, found=found)


def _shown(shape: tuple[int, ...]) -> str:
    return str(list(shape))
