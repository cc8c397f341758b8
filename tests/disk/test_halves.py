"""Weights stored in half precision: the same bundle in half the bytes, or a refusal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from hypothesis import given

from bundle_strategies import bundles, classification_bundle
from kdtab.bundle import ModelBundle, from_record, to_record
from kdtab.config.base import revise
from kdtab.config.manifest import manifest_fields
from kdtab.disk.bundleparts import encode_parts
from kdtab.disk.bundles import decode_record, encode_record
from kdtab.errors.bundles import BundleContradiction, BundleCorrupt
from kdtab.models.network import TabularNetwork
from kdtab.record import WEIGHTS
from kdtab.shell.halving import halved_network, is_halved


def halved(bundle: ModelBundle) -> ModelBundle:
    assert isinstance(bundle.model, TabularNetwork)
    said = revise(bundle.provenance, weight_precision="float16").unwrap()
    return replace(bundle, model=halved_network(bundle.model), provenance=said)


@given(bundles())
def test_a_halved_bundle_comes_back_to_the_bit(bundle: ModelBundle) -> None:
    record = to_record(halved(bundle)).unwrap()
    again = decode_record("t", encode_record(record)).unwrap()
    assert again == record
    assert encode_record(again) == encode_record(record)
    model = from_record(again, torch.device("cpu")).unwrap().model
    assert is_halved(model)


def test_matrices_take_half_the_bytes_and_all_else_what_it_took() -> None:
    whole = to_record(classification_bundle()).unwrap()
    matrices = [a for n, a in whole.arrays.items() if n.startswith(WEIGHTS) and a.ndim == 2]
    small = encode_record(to_record(halved(classification_bundle())).unwrap())
    header = int.from_bytes(small[:8], "little") + 8
    stored = sum(array.nbytes for array in whole.arrays.values())
    assert len(small) - header == stored - sum(array.nbytes for array in matrices) // 2


def test_numbers_that_half_precision_does_not_hold_are_refused() -> None:
    bundle = classification_bundle()
    said = revise(bundle.provenance, weight_precision="float16").unwrap()
    failure = to_record(replace(bundle, provenance=said)).failure().first
    assert isinstance(failure, BundleContradiction)
    assert "float16, its stated precision" in failure.reason


def test_a_file_that_does_not_do_what_it_says_is_refused() -> None:
    record = to_record(halved(classification_bundle())).unwrap()
    wide = encode_parts(manifest_fields(record.manifest), record.arrays)
    failure = decode_record("t", wide).failure().first
    assert isinstance(failure, BundleCorrupt)
    assert "said to be float16" in failure.reason


def test_half_precision_without_a_word_of_it_is_refused() -> None:
    record = to_record(classification_bundle()).unwrap()
    arrays = {
        name: array.astype(np.float16) if name.startswith(WEIGHTS) and array.ndim == 2 else array
        for name, array in record.arrays.items()
    }
    failure = decode_record("t", encode_parts(manifest_fields(record.manifest), arrays)).failure()
    assert isinstance(failure.first, BundleCorrupt)
    assert "stored are float32, float64, int64" in failure.first.reason
