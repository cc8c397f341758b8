"""The artifacts as plain data."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given

from bundle_strategies import bundles, classification_bundle
from kdtab.bundle import ModelBundle, to_record
from kdtab.data.artifacts import Artifacts
from kdtab.data.scale import TargetScaler
from kdtab.data.storage import artifact_arrays, artifacts_fingerprint, artifacts_from_record


@given(bundles())
def test_artifacts_come_back_from_their_record(bundle: ModelBundle) -> None:
    again = artifacts_from_record(to_record(bundle).unwrap())
    assert artifacts_fingerprint(again) == artifacts_fingerprint(bundle.artifacts)
    assert again.label_encoder == bundle.label_encoder
    assert again.target_scaler == bundle.target_scaler


def test_arrays_of_artifacts_are_copies_that_nobody_changes() -> None:
    artifacts = classification_bundle().artifacts
    arrays = artifact_arrays(artifacts)
    assert not any(array.flags.writeable for array in arrays.values())
    assert not np.shares_memory(arrays["scale/mean"], artifacts.scaler.mean)


@pytest.mark.parametrize("mean", [float("nan"), float("inf")])
def test_useless_artifacts_still_have_a_fingerprint(mean: float) -> None:
    artifacts: Artifacts = dataclasses.replace(
        classification_bundle().artifacts, target_scaler=TargetScaler(mean, 1.0)
    )
    assert len(artifacts_fingerprint(artifacts)) == 64
