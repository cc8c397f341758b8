"""A saved model that predicts without torch: load once, ask as often as you like.

Errors are those of `load_bundle` and `predict_rows`: `KdtabError`, a `ValueError`, or one of its
subclasses; `error.issues` holds every problem that was found.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar, final

import numpy as np
import polars as pl

from kdtab.data.arrays import Float32Array
from kdtab.data.coerce import frame_from_any
from kdtab.disk.bundles import decode_record, encode_record, read_record
from kdtab.errors.bundles import BundleContradiction, BundleCorrupt
from kdtab.errors.columns import RowsNotUnderstood
from kdtab.errors.issue import Issues
from kdtab.errors.raised import raise_issues
from kdtab.record import BundleRecord
from kdtab.results import Checked, either
from kdtab.serving.answers import row_probabilities
from kdtab.serving.models import ServedModel, served_model

Rows: TypeAlias = Sequence[Mapping[str, object]]
Value = TypeVar("Value")


@final
@dataclass(frozen=True, eq=False, slots=True)
class Predictor:
    """A model served by numpy and polars alone; `load` makes one.

    It is frozen, threads may share it, and it pickles as the bundle that it came from. Its answers
    are those of `predict_rows` and `predict_frame`, probabilities to 1e-6.

    Attributes:
        record: The bundle as plain data.
        model: The same, compiled.

    Example:
        >>> from kdtab.errors.raised import KdtabError
        >>> try:
        ...     Predictor.load("no such file.kdtab")
        ... except KdtabError as error:
        ...     error.issues.first
        BundleMissing(path='no such file.kdtab')
    """

    record: BundleRecord
    model: ServedModel

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Predictor:
        """The predictor of a saved bundle; its checksum is verified.

        Nothing is unpickled, executed, imported or opened but the file.

        Args:
            path: What `save_bundle` wrote.

        Returns:
            The predictor, compiled.

        Raises:
            KdtabError: A `FileNotFoundError` for a missing file, an `OSError` for an unreadable
                one, a `RuntimeError` for a file that is no whole bundle of a format that this
                kdtab knows.

        Example:
            >>> Predictor.load("no such file.kdtab")
            Traceback (most recent call last):
            kdtab.errors.raised.MissingFileError: no bundle at 'no such file.kdtab': check the path and its spelling
        """
        return _raised(read_predictor(path))

    @classmethod
    def from_record(cls, record: BundleRecord) -> Predictor:
        """The predictor of a bundle in memory, as `kdtab.bundle.to_record` gives it.

        Args:
            record: A bundle as plain data.

        Returns:
            The predictor, compiled.

        Raises:
            KdtabError: A `RuntimeError` for a record that contradicts itself.

        Example:
            >>> from kdtab.bundle import to_record
            >>> import kdtab
            >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
            >>> config = kdtab.TrainingConfig(target_column="y", epochs=1)
            >>> model = kdtab.train_model(frame, config, device="cpu").unwrap().bundle
            >>> Predictor.from_record(to_record(model).unwrap())
            Predictor(classification of 'y')
        """
        return cls(record, _raised(served_model(record)))

    def predict_rows(self, rows: Rows | object) -> list[str] | list[float]:
        """Decoded predictions for raw rows, as `kdtab.predict_rows` gives them.

        Args:
            rows: Dictionaries of raw cells (any JSON types), or a frame of polars, pandas or
                Arrow; never changed. An absent key is a missing cell.

        Returns:
            Label texts, or values in the target's unit; `[]` for no rows.

        Raises:
            KdtabError: A `ValueError` without the label encoder; a `TypeError` for other rows.

        Example:
            >>> import tempfile
            >>> import kdtab
            >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
            >>> config = kdtab.TrainingConfig(target_column="y", epochs=40, batch_size=16)
            >>> path = f"{tempfile.mkdtemp()}/model.kdtab"
            >>> kdtab.save_bundle(kdtab.train_model(frame, config).unwrap().bundle, path)
            >>> predictor = Predictor.load(path)
            >>> predictor.predict_rows([{"x": 1}, {"x": "0.0"}])
            ['yes', 'no']
        """
        if isinstance(rows, list | tuple) and not rows:
            return []
        decoder = self.model.decoder
        if self.record.manifest.task == "classification":
            _raised(decoder.checked_classes())
        if isinstance(rows, list | tuple) and all(type(row) is dict for row in rows):
            outputs = self.model.outputs_of_rows(rows)
        else:
            outputs = self.model.outputs_of_frame(_raised(frame_from_any(rows)))
        return decoder.plain(outputs)

    def predict_row(self, row: Mapping[str, object]) -> str | float:
        """The decoded prediction for one raw row.

        Args:
            row: Raw cells by column; an absent key is a missing cell.

        Returns:
            A label text, or a value in the target's unit.

        Raises:
            KdtabError: As `predict_rows`.

        Example:
            >>> import tempfile
            >>> import kdtab
            >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
            >>> config = kdtab.TrainingConfig(target_column="y", epochs=40, batch_size=16)
            >>> path = f"{tempfile.mkdtemp()}/model.kdtab"
            >>> kdtab.save_bundle(kdtab.train_model(frame, config).unwrap().bundle, path)
            >>> predictor = Predictor.load(path)
            >>> predictor.predict_row({"x": 1})
            'yes'
        """
        outputs = self._outputs_of(row)
        decoder = self.model.decoder
        if decoder.task == "regression":
            return decoder.value(outputs[decoder.place])
        if decoder.classes is None:
            _raised(decoder.checked_classes())
        return decoder.label(outputs)

    def probabilities(self, row: Mapping[str, object]) -> dict[str, float]:
        """The probability of each class for one raw row.

        Args:
            row: Raw cells by column; an absent key is a missing cell.

        Returns:
            Probabilities by label, in the order of the classes; nothing for a regression.

        Raises:
            KdtabError: As `predict_rows`.

        Example:
            >>> import tempfile
            >>> import kdtab
            >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
            >>> config = kdtab.TrainingConfig(target_column="y", epochs=40, batch_size=16)
            >>> path = f"{tempfile.mkdtemp()}/model.kdtab"
            >>> kdtab.save_bundle(kdtab.train_model(frame, config).unwrap().bundle, path)
            >>> predictor = Predictor.load(path)
            >>> list(predictor.probabilities({"x": 1}))
            ['no', 'yes']
        """
        decoder = self.model.decoder
        outputs = self._outputs_of(row)
        if decoder.task == "regression":
            return {}
        classes = decoder.classes or _raised(decoder.checked_classes())
        return dict(zip(classes, row_probabilities(outputs), strict=True))

    def predict_frame(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Predictions for the rows of a frame, as `kdtab.predict_frame` gives them.

        Args:
            frame: [N] raw columns; absent ones are missing, extra ones are ignored.

        Returns:
            [N] `prediction` (label text, or value in the target's unit) and, for classification,
            `probability_<class>` for each class, in [0, 1], rows summing to 1.

        Raises:
            KdtabError: As `predict_rows`.

        Example:
            >>> import tempfile
            >>> import kdtab
            >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
            >>> config = kdtab.TrainingConfig(target_column="y", epochs=40, batch_size=16)
            >>> path = f"{tempfile.mkdtemp()}/model.kdtab"
            >>> kdtab.save_bundle(kdtab.train_model(frame, config).unwrap().bundle, path)
            >>> predictor = Predictor.load(path)
            >>> predictor.predict_frame(pl.DataFrame({"x": [0.1]})).columns
            ['prediction', 'probability_no', 'probability_yes']
        """
        return _raised(self.model.predicted(frame))

    def outputs(self, frame: pl.DataFrame) -> Float32Array:
        """What the network says about the rows of a frame, before decoding.

        Args:
            frame: [N] raw columns; absent ones are missing, extra ones are ignored.

        Returns:
            [N, C] float32 logits, or [N, 1] values in the unit of training.

        Example:
            >>> import tempfile
            >>> import kdtab
            >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
            >>> config = kdtab.TrainingConfig(target_column="y", epochs=40, batch_size=16)
            >>> path = f"{tempfile.mkdtemp()}/model.kdtab"
            >>> kdtab.save_bundle(kdtab.train_model(frame, config).unwrap().bundle, path)
            >>> predictor = Predictor.load(path)
            >>> predictor.outputs(pl.DataFrame({"x": [0.1, 0.2]})).shape
            (2, 2)
        """
        return self.model.outputs_of_frame(frame).astype(np.float32, copy=False)

    def _outputs_of(self, row: Mapping[str, object]) -> list[float]:
        if type(row) is not dict and not isinstance(row, Mapping):
            raise_issues(Issues((RowsNotUnderstood(found=type(row).__name__, index=0),)))
        return self.model.outputs_of_row(row)

    def __repr__(self) -> str:
        manifest = self.record.manifest
        return f"Predictor({manifest.task} of {manifest.target_column!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (encode_record(self.record),)


def read_predictor(path: str | os.PathLike[str]) -> Checked[Predictor]:
    """`Predictor.load` for callers of values.

    Args:
        path: What `save_bundle` wrote.

    Returns:
        The predictor, or the issues of `read_record`.

    Example:
        >>> read_predictor("no such file.kdtab").failure().first
        BundleMissing(path='no such file.kdtab')
    """
    return read_record(path).bind(
        lambda record: (
            served_model(record)
            .map(lambda model: Predictor(record, model))
            .alt(lambda issues: _of_file(os.fspath(path), issues))
        )
    )


def _restored(content: bytes) -> Predictor:
    return Predictor.from_record(_raised(decode_record("a pickled predictor", content)))


def _of_file(path: str, issues: Issues) -> Issues:
    return Issues(
        tuple(
            BundleCorrupt(path=path, reason=issue.reason)
            if isinstance(issue, BundleContradiction)
            else issue
            for issue in issues
        )
    )


def _raised(result: Checked[Value]) -> Value:
    return either(result, lambda value: value, raise_issues)
