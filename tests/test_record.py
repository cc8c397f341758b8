"""A bundle as plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundle_strategies import bundles, classification_bundle, regression_bundle
from kdtab.bundle import ModelBundle, to_record
from kdtab.config.base import revise
from kdtab.config.manifest import (
    MANIFESTS,
    ImputeStep,
    ScaleStep,
    TargetScaling,
    VectorizeStep,
    canonical_json,
    manifest_fields,
)
from kdtab.config.networks import LinearSpec
from kdtab.record import Array, BundleRecord, contradictions


def record_with(
    changes: Mapping[str, object] = {}, arrays: Mapping[str, Array] = {}
) -> BundleRecord:
    """The regression example with some fields of its manifest and some arrays replaced."""
    record = to_record(regression_bundle()).unwrap()
    manifest = revise(record.manifest, **changes).unwrap()
    return BundleRecord(manifest, {**record.arrays, **arrays})


@given(bundles())
def test_a_manifest_comes_back_from_its_canonical_text(bundle: ModelBundle) -> None:
    manifest = to_record(bundle).unwrap().manifest
    text = canonical_json(manifest_fields(manifest))
    assert MANIFESTS.validate_json(text) == manifest
    assert canonical_json(json.loads(text)) == text


@given(mean=st.floats(allow_nan=False, allow_infinity=False), scale=st.floats(1e-300, 1e300))
def test_a_float_comes_back_from_its_text_to_the_bit(mean: float, scale: float) -> None:
    scaling = TargetScaling(mean=mean, scale=scale)
    again = TargetScaling.model_validate_json(canonical_json(scaling.model_dump(mode="json")))
    assert (again.mean.hex(), again.scale.hex()) == (mean.hex(), scale.hex())


@given(bundles())
def test_what_can_be_saved_contradicts_itself_nowhere(bundle: ModelBundle) -> None:
    assert contradictions(to_record(bundle).unwrap()) == ()


def test_records_are_equal_when_their_contents_are() -> None:
    assert record_with() == record_with()
    assert record_with() != record_with({"target_column": "z"})
    assert record_with() != record_with(arrays={"scale/mean": np.array([2.0])})
    assert record_with() != "a record"


def test_minus_zero_is_another_content_than_zero() -> None:
    minus, plus = (record_with(arrays={"scale/mean": np.array([zero])}) for zero in (-0.0, 0.0))
    assert minus != plus


def test_what_a_run_does_not_know_is_not_written() -> None:
    manifest = to_record(regression_bundle()).unwrap().manifest
    assert manifest_fields(manifest)["provenance"] == {
        "epochs": 3,
        "kdtab_version": "0.1.0",
        "notes": ["made by hand"],
    }


def test_the_arrays_of_a_record_cannot_be_exchanged() -> None:
    arrays = record_with().arrays
    with pytest.raises(TypeError):
        arrays["scale/mean"] = np.zeros(1)  # type: ignore[index]  # what is shown to fail


VECTORIZE = VectorizeStep(columns=(), missing_markers=())
TWO = {"network": LinearSpec(input_dim=1, output_dim=2), "task": "classification"}


@pytest.mark.parametrize(
    ("changes", "arrays", "reason"),
    [
        pytest.param(
            {"network": LinearSpec(input_dim=1, output_dim=2)},
            {},
            "a regression network has 1 output, this one has 2",
            id="two outputs",
        ),
        pytest.param(
            TWO | {"label_classes": ("a", "b", "c")},
            {},
            "it has 3 label classes for 2 outputs",
            id="too many labels",
        ),
        pytest.param(
            TWO | {"label_classes": ("a", "a")},
            {},
            "its label classes are not distinct",
            id="one label twice",
        ),
        pytest.param(
            TWO | {"class_names": ("a",)}, {}, "it has 1 class names for 2 outputs", id="no name"
        ),
        pytest.param(
            {"preprocessing": (ScaleStep(clip=1.0), VECTORIZE, ImputeStep())},
            {},
            "its preprocessing steps are ['scale', 'vectorize', 'impute'], "
            "they must be vectorize, impute, scale",
            id="steps out of order",
        ),
        pytest.param(
            {"preprocessing": (VECTORIZE, ScaleStep(clip=1.0))},
            {},
            "array 'impute/medians' belongs to nothing",
            id="an array too many",
        ),
        pytest.param(
            {},
            {"scale/mean": np.zeros(1, np.float32)},
            "array 'scale/mean' is float32 [1], it must be float64 [1]",
            id="another dtype",
        ),
        pytest.param(
            {},
            {"scale/mean": np.zeros(2)},
            "array 'scale/mean' is float64 [2], it must be float64 [1]",
            id="another shape",
        ),
        pytest.param(
            {},
            {"scale/scale": np.array([0.0])},
            "array 'scale/scale' holds a scale that is not above 0",
            id="a scale of zero",
        ),
        pytest.param(
            {},
            {"impute/medians": np.array([np.nan])},
            "array 'impute/medians' holds NaN or infinity",
            id="a median that is none",
        ),
        pytest.param(
            {},
            {"weights/head.bias": np.array([np.inf], np.float32)},
            "array 'weights/head.bias' holds NaN or infinity",
            id="an infinite weight",
        ),
        pytest.param(
            {},
            {"weights/more": np.zeros(1, np.complex64)},
            "array 'weights/more' is complex64 [1], stored are float32, float64, int64",
            id="a dtype that is not stored",
        ),
        pytest.param(
            {}, {"weights/more": np.zeros((0, 3))}, "array 'weights/more' is empty", id="no element"
        ),
    ],
)
def test_each_contradiction_has_its_reason(
    changes: Mapping[str, object], arrays: Mapping[str, Array], reason: str
) -> None:
    assert contradictions(record_with(changes, arrays)) == (reason,)


def test_all_contradictions_are_found_at_once() -> None:
    record = to_record(classification_bundle()).unwrap()
    bare = BundleRecord(record.manifest, {})
    assert contradictions(bare) == (
        "array 'impute/medians' is missing",
        "array 'scale/mean' is missing",
        "array 'scale/scale' is missing",
    )
