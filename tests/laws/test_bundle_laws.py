"""Laws of bundles: nothing is lost, nothing else is believed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from returns.result import Failure, Success

from bundle_strategies import (
    bundles,
    classification_bundle,
    frame_for,
    logits_of,
    regression_bundle,
)
from kdtab.bundle import ModelBundle, from_record, to_record
from kdtab.config.manifest import canonical_json
from kdtab.disk.bundles import decode_record, encode_record
from kdtab.disk.layout import data_of, digest_of, header_of, places_of
from kdtab.errors.bundles import (
    BundleContradiction,
    BundleCorrupt,
    BundleForeign,
    BundleKindUnknown,
    BundleOfOtherKind,
    BundleTooNew,
)
from kdtab.errors.issue import explain
from kdtab.record import BundleRecord
from kdtab.serialization import load_bundle, save_bundle

CPU = torch.device("cpu")
REFUSALS = (
    BundleContradiction,
    BundleCorrupt,
    BundleForeign,
    BundleKindUnknown,
    BundleOfOtherKind,
    BundleTooNew,
)
SMALL = encode_record(to_record(regression_bundle()).unwrap())
LARGE = encode_record(to_record(classification_bundle()).unwrap())

json_values: st.SearchStrategy[object] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["table", "mlp", "linear", "vectorize", "scale", "impute", "regression"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def is_refused(content: bytes) -> bool:
    """Whether a content is a failure made of a bundle's issues, each with a sentence."""
    result = decode_record("t.kdtab", content)
    if isinstance(result, Success):
        return False
    issues = result.failure()
    return all(isinstance(issue, REFUSALS) and explain(issue).isprintable() for issue in issues)


@pytest.mark.requirement("REQ-T22", "REQ-T23", "REQ-KD02")
@given(bundles())
@settings(max_examples=60)
def test_what_is_saved_and_loaded_says_the_same_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, bundle: ModelBundle
) -> None:
    folder = tmp_path_factory.mktemp("laws")
    save_bundle(bundle, folder / "a.kdtab")
    loaded = load_bundle(folder / "a.kdtab")
    save_bundle(loaded, folder / "b.kdtab")
    frame = frame_for(bundle)
    said, repeated = logits_of(bundle, frame), logits_of(loaded, frame)
    assert said.tobytes() == repeated.tobytes()
    assert (folder / "a.kdtab").read_bytes() == (folder / "b.kdtab").read_bytes()
    assert loaded.fingerprint == bundle.fingerprint
    assert not loaded.model.training


@given(bundles())
def test_every_part_of_a_bundle_comes_back(bundle: ModelBundle) -> None:
    loaded = from_record(to_record(bundle).unwrap(), CPU).unwrap()
    assert loaded.vectorizer == bundle.vectorizer
    assert loaded.scaler == bundle.scaler
    assert loaded.scaler.mean.tobytes() == bundle.scaler.mean.tobytes()
    assert loaded.label_encoder == bundle.label_encoder
    assert loaded.target_scaler == bundle.target_scaler
    assert (loaded.feature_medians is None) == (bundle.feature_medians is None)
    if bundle.feature_medians is not None and loaded.feature_medians is not None:
        assert loaded.feature_medians.tobytes() == bundle.feature_medians.tobytes()
    for field in ("task", "target_column", "input_dim", "output_dim", "class_names", "schema"):
        assert getattr(loaded, field) == getattr(bundle, field)
    assert loaded.provenance == bundle.provenance
    for name, tensor in bundle.model.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], tensor)


@given(bundles())
def test_a_record_comes_back_from_its_bytes(bundle: ModelBundle) -> None:
    record = to_record(bundle).unwrap()
    assert decode_record("t.kdtab", encode_record(record)) == Success(record)


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80, 0xFF])
def test_no_byte_of_a_bundle_can_be_flipped(mask: int) -> None:
    survivors = []
    for at in range(len(SMALL)):
        content = bytearray(SMALL)
        content[at] ^= mask
        if not is_refused(bytes(content)):
            survivors.append(at)
    assert not survivors


@given(at=st.integers(0, len(LARGE) - 1), mask=st.integers(1, 255))
@settings(max_examples=100)
def test_no_byte_of_a_larger_bundle_can_be_flipped(at: int, mask: int) -> None:
    content = bytearray(LARGE)
    content[at] ^= mask
    assert is_refused(bytes(content))


def test_no_beginning_of_a_bundle_is_a_bundle() -> None:
    assert all(is_refused(SMALL[:length]) for length in range(len(SMALL)))


@given(st.binary(min_size=1, max_size=20))
def test_nothing_may_follow_a_bundle(more: bytes) -> None:
    assert is_refused(SMALL + more)


@given(st.binary(max_size=200))
def test_bytes_at_random_are_no_bundle(content: bytes) -> None:
    assert is_refused(content)


@given(
    begin=st.integers(0, len(SMALL)),
    length=st.integers(0, 64),
    instead=st.binary(max_size=64) | st.sampled_from([b"[" * 5000, b'"', b"\\", b"{", b"1" * 5000]),
)
@settings(max_examples=100)
def test_a_bundle_with_other_bytes_somewhere_is_refused_and_never_crashes(
    begin: int, length: int, instead: bytes
) -> None:
    content = SMALL[:begin] + instead + SMALL[begin + length :]
    assert content == SMALL or is_refused(content)


@given(seed=st.integers(0, 2**32), value=json_values)
@settings(max_examples=100)
def test_a_lie_under_a_true_checksum_is_a_typed_refusal_or_a_bundle_that_works(
    seed: int, value: object
) -> None:
    record = to_record(classification_bundle()).unwrap()
    places = places_of(record.arrays)
    data = data_of(record.arrays, places)
    fields = lied(json.loads(_manifest_text(LARGE)), random.Random(seed), value)
    fields["sha256"] = digest_of(fields, places, data)
    content = header_of(canonical_json(fields), places) + data
    result = decode_record("t.kdtab", content).bind(lambda found: from_record(found, CPU))
    if isinstance(result, Failure):
        assert all(isinstance(issue, REFUSALS) for issue in result.failure())
    else:
        assert np.isfinite(logits_of(result.unwrap(), frame_for(result.unwrap()))).all()


def lied(fields: dict[str, object], choices: random.Random, value: object) -> dict[str, object]:
    """The fields with one of them, at any depth, replaced, removed or added."""
    containers = list(_containers(fields))
    container = choices.choice(containers)
    deed = choices.choice(["replace", "replace", "remove", "add"])
    if isinstance(container, dict):
        key = "more" if deed == "add" or not container else choices.choice(sorted(container))
        container[key] = value
        if deed == "remove":
            del container[key]
    else:
        at = choices.randrange(len(container) + 1)
        container[at : at + (deed != "add")] = [] if deed == "remove" else [value]
    return fields


def _containers(node: object) -> Iterator[dict[str, object] | list[object]]:
    if isinstance(node, dict | list):
        yield node
        for child in node.values() if isinstance(node, dict) else node:
            yield from _containers(child)


def _manifest_text(content: bytes) -> str:
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    text = header["__metadata__"]["kdtab"]
    assert isinstance(text, str)
    return text


def test_saving_and_loading_draw_no_random_number(tmp_path: Path) -> None:
    bundle = classification_bundle()
    before = (random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist())
    save_bundle(bundle, tmp_path / "a.kdtab")
    load_bundle(tmp_path / "a.kdtab")
    after = (random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist())
    assert before == after


@given(bundles(), bundles())
def test_two_bundles_have_one_fingerprint_only_if_they_say_the_same(
    one: ModelBundle, other: ModelBundle
) -> None:
    records: tuple[BundleRecord, BundleRecord] = (
        to_record(one).unwrap(),
        to_record(other).unwrap(),
    )
    same = all(
        record.manifest.preprocessing == records[0].manifest.preprocessing for record in records
    ) and {name: array.tobytes() for name, array in records[0].arrays.items()} == {
        name: array.tobytes() for name, array in records[1].arrays.items()
    }
    assert same or one.fingerprint != other.fingerprint
