"""Series of a source as a teacher gets them, and what it answers, one batch at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from returns.result import Success

from kdtab.config.sequences import TrajectoryRequest
from kdtab.data.arrays import Float32Array, FloatArray, IntArray
from kdtab.data.rangescale import RangeScaler, SeenRange
from kdtab.data.resampling import resampled_series
from kdtab.data.sampling import sampled_places
from kdtab.data.sequences import SeriesBatch
from kdtab.disk.seriessource import SeriesSource, SourceGroup
from kdtab.disk.trajectoryparts import TrajectoryPart
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import Issue
from kdtab.errors.sequences import InputsNotFinite
from kdtab.errors.trajectories import ScalingWithoutTrain, SourceScaled
from kdtab.results import Checked, fail
from kdtab.teachers.sequenceteacher import SequenceTeacher, asked_states, fit_problems

MOST_BATCH_NUMBERS = 2**28
"""Numbers of one batch of states: 1 GiB in float32."""


@dataclass(frozen=True, eq=False)
class Asking:
    """A source, a teacher, and what is asked of it.

    Attributes:
        source: The series.
        teacher: Who has states.
        request: Which series, and what is done to them before.

    Example:
        >>> Asking.part.__name__
        'part'
    """

    source: SeriesSource
    teacher: SequenceTeacher
    request: TrajectoryRequest

    def problems(self) -> list[Issue]:
        """What speaks against asking at all, known without reading a series.

        Returns:
            `DimensionsDiffer`, `SourceScaled`, `ScalingWithoutTrain`, and `FieldInvalid` for a
            target_seq_len with which one batch would fill the memory, as they apply.

        Example:
            >>> Asking.problems.__name__
            'problems'
        """
        source, asked = self.source, self.request
        group = source.groups[0]
        steps = asked.target_seq_len or group.steps
        found = fit_problems(self.teacher.info, group.input_dim, steps, "the source")
        if asked.scale_min is not None and source.is_scaled:
            found.append(SourceScaled(path=source.path))
        if asked.scale_min is not None and group.name != "train":
            found.append(ScalingWithoutTrain(path=source.path))
        if asked.target_seq_len is not None:
            series = min(asked.batch_size, max(every.series for every in source.groups))
            width = max(group.input_dim, self.teacher.info.output_dim)
            most = MOST_BATCH_NUMBERS // (series * width) - 1
            if asked.target_seq_len > most:
                rule = f"must be at most {max(most, 1):,} for batches of {series:,} series"
                found.append(
                    FieldInvalid(name="target_seq_len", rule=rule, found=str(asked.target_seq_len))
                )
        return found

    def places(self, group: SourceGroup) -> Checked[IntArray]:
        """The chosen series of a group.

        Args:
            group: One of the source's.

        Returns:
            [k] places, ascending, or `NoSeriesLeft`.

        Example:
            >>> Asking.places.__name__
            'places'
        """
        asked = self.request
        return sampled_places(
            group.name, group.series, asked.subset_fraction, asked.max_samples, asked.seed
        )

    def batches(self, places: IntArray) -> list[IntArray]:
        """Chosen series in batches; the last may be smaller.

        Args:
            places: [k] as `places` gives them.

        Returns:
            At most `batch_size` places each.

        Example:
            >>> Asking.batches.__name__
            'batches'
        """
        size = self.request.batch_size
        return [places[begin : begin + size] for begin in range(0, len(places), size)]

    def scaler(self, places: IntArray) -> Checked[RangeScaler | None]:
        """The scaler fitted on the chosen training series, as they are after resampling.

        Args:
            places: [k] the chosen series of the first group, which is train.

        Returns:
            The scaler; None where nothing is to be scaled. Or the issues of the source.

        Example:
            >>> Asking.scaler.__name__
            'scaler'
        """
        low, high = self.request.scale_min, self.request.scale_max
        if low is None or high is None:
            return Success(None)
        group = self.source.groups[0]
        seen = SeenRange.of_nothing(group.input_dim)
        for some in self.batches(places):
            found = self._read(group, some)
            if not isinstance(found, Success):
                return fail(*found.failure())
            batch = found.unwrap()
            for length in np.unique(batch.lengths).tolist():
                seen = seen.with_values(self._moved(batch.values[batch.lengths == length, :length]))
        return Success(seen.scaler(low, high))

    def part(
        self, group: SourceGroup, scaler: RangeScaler | None, places: IntArray
    ) -> Checked[TrajectoryPart]:
        """One batch: read, resampled, scaled, cast once to float32, and the teacher's states.

        Args:
            group: One of the source's.
            scaler: As `scaler` gives it.
            places: [n] of the group.

        Returns:
            Inputs, states and lengths; or `InputsNotFinite`, `StatesInvalid`, `DimensionsDiffer`,
            and the issues of source and teacher.

        Example:
            >>> Asking.part.__name__
            'part'
        """
        return self._read(group, places).bind(partial(self._answered, group, scaler))

    def _read(self, group: SourceGroup, places: IntArray) -> Checked[SeriesBatch]:
        return self.source.batch(group.name, places).bind(partial(self._finite, group, places))

    def _finite(
        self, group: SourceGroup, places: IntArray, batch: SeriesBatch
    ) -> Checked[SeriesBatch]:
        with np.errstate(over="ignore"):
            wrong = ~np.isfinite(batch.values.astype(np.float32))
        counts = wrong.sum(axis=(1, 2))
        at = int(np.argmax(counts > 0))
        count, series = int(counts[at]), int(places[at]) + 1
        if not count:
            return Success(batch)
        path = self.source.path
        return fail(InputsNotFinite(path=path, group=group.name, series=series, count=count))

    def _answered(
        self, group: SourceGroup, scaler: RangeScaler | None, batch: SeriesBatch
    ) -> Checked[TrajectoryPart]:
        wanted, info = self.request.target_seq_len, self.teacher.info
        steps, count = wanted or group.steps, len(batch.values)
        data = np.zeros((count, steps, info.input_dim), dtype=np.float32)
        labels = np.zeros((count, steps + 1, info.output_dim), dtype=np.float32)
        for length in np.unique(batch.lengths).tolist():
            mine, own = batch.lengths == length, wanted or length
            data[mine, :own] = self._prepared(batch.values[mine, :length], scaler)
            states = asked_states(self.teacher, np.ascontiguousarray(data[mine, :own]))
            if not isinstance(states, Success):
                return fail(*states.failure())
            labels[mine, : own + 1] = states.unwrap()
        lengths = batch.lengths if wanted is None else np.full(count, wanted, dtype=np.int64)
        return Success(TrajectoryPart(data, labels, lengths))

    def _prepared(self, values: FloatArray, scaler: RangeScaler | None) -> Float32Array:
        moved = self._moved(values)
        return (moved if scaler is None else scaler.transform(moved)).astype(np.float32)

    def _moved(self, values: FloatArray) -> FloatArray:
        return resampled_series(values, self.request.target_seq_len, self.request.resampling)
