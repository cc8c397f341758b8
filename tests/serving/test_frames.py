"""Frames of every type and size, in blocks or row by row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundle_strategies import bundles, frame_for
from kdtab.bundle import ModelBundle
from kdtab.data.coerce import frame_from_rows
from kdtab.recipes.predict import bundle_outputs, predict_frame
from kdtab.serving import frames, models
from kdtab.trainer import predict_rows
from serving.conftest import (
    KINDS,
    MARKERS,
    NAMES,
    TASKS,
    bundle_of,
    predictor_of,
    same_frames,
    same_values,
)
from strategies import columns


def plain_rows(count: int) -> list[dict[str, object]]:
    cities = ("Bern", " Bern", "東京", "Genf", None, "?")
    return [
        {
            "age": None if at % 7 == 3 else 18 + at % 60,
            "city": cities[at % 6],
            "born": f"{1950 + at % 60}-{1 + at % 12:02d}-{1 + at % 28:02d}",
            "spent": float(at % 9) / 3,
            "code": str(at % 5),
            "seen": f"{1 + at % 28:02d}/{1 + at % 12:02d}/2020 {at % 24:02d}:15",
            "member": at % 3 == 0,
            "size": "SML"[at % 3],
        }
        for at in range(count)
    ]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [0, 1, 2, 64, 65, 511, 1025])
def test_any_number_of_rows_has_the_answers_of_torch(kind: str, task: str, count: int) -> None:
    bundle, rows = bundle_of(kind, task), plain_rows(count)
    frame = frame_from_rows(rows, NAMES)
    predictor = predictor_of(bundle)
    same_frames(predictor.predict_frame(frame), predict_frame(bundle, frame, "cpu").unwrap())
    told, expected = predictor.predict_rows(rows), predict_rows(bundle, rows, "cpu")
    if task == "regression":
        same_values(told, expected)
    else:
        assert told == expected


@settings(max_examples=20)
@given(data=st.data())
def test_columns_of_every_type_have_the_answers_of_torch(data: st.DataObject) -> None:
    bundle = bundle_of("mlp", "classification", data.draw(st.sampled_from(MARKERS)))
    names = data.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    rows = data.draw(st.integers(1, 6))
    frame = pl.DataFrame([data.draw(columns(name, rows)) for name in names])
    expected = predict_frame(bundle, frame, "cpu").unwrap()
    predictor = predictor_of(bundle)
    same_frames(predictor.predict_frame(frame), expected)
    in_blocks = predictor.model.blocks.outputs(frame)
    same_frames(predictor.model.decoder.frame(in_blocks).unwrap(), expected)


@settings(max_examples=60)
@given(bundle=bundles())
def test_any_bundle_has_the_outputs_of_torch(bundle: ModelBundle) -> None:
    """Any scaler, medians or none, indicators that are scaled too, any categories and markers."""
    frame = frame_for(bundle)
    with np.errstate(over="ignore", invalid="ignore"):
        expected = bundle_outputs(bundle, frame, "cpu").unwrap()
        predictor = predictor_of(bundle)
        found = np.vstack([predictor.outputs(frame[:3]), predictor.model.blocks.outputs(frame[3:])])
    usual = np.abs(expected) < 1e6  # beyond, float32 has gone its own way
    np.testing.assert_allclose(found[usual], expected[usual], rtol=1e-4, atol=1e-3)


def test_blocks_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor, frame = predictor_of(bundle_of()), frame_from_rows(plain_rows(300), NAMES)
    whole = predictor.outputs(frame)
    monkeypatch.setattr(frames, "BLOCK_ROWS", 7)
    np.testing.assert_allclose(predictor.outputs(frame), whole, rtol=0, atol=1e-6)


def test_a_frame_is_read_by_name_in_any_order_and_never_changed() -> None:
    predictor, frame = predictor_of(bundle_of()), frame_from_rows(plain_rows(80), NAMES)
    before = frame.clone()
    told = predictor.predict_frame(frame)
    shuffled = frame.select(*reversed(NAMES)).with_columns(more=1)
    assert predictor.predict_frame(shuffled).equals(told)
    assert frame.equals(before)


def test_absent_columns_are_missing_in_blocks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, frame = bundle_of(), pl.DataFrame({"else": [1, 2]})
    monkeypatch.setattr(models, "MOST_SINGLE_ROWS", 0)
    expected = predict_frame(bundle, frame, "cpu").unwrap()
    same_frames(predictor_of(bundle).predict_frame(frame), expected)


def test_without_medians_a_missing_number_is_zero() -> None:
    bundle = replace(bundle_of(), feature_medians=None)
    rows: list[dict[str, object]] = [{}, {"age": 0, "spent": 0}]
    expected = predict_frame(bundle, frame_from_rows(rows, NAMES), "cpu").unwrap()
    same_frames(predictor_of(bundle).predict_frame(frame_from_rows(rows, NAMES)), expected)
