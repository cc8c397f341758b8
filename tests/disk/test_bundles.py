"""Bundle files: what is written, what is read, what is never done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from returns.result import Success
from safetensors import safe_open

from bundle_strategies import bundles, classification_bundle, regression_bundle
from kdtab.bundle import ModelBundle, to_record
from kdtab.disk import bundleparts
from kdtab.disk.bundles import decode_record, encode_record, read_record, write_record
from kdtab.errors.bundles import (
    BundleContradiction,
    BundleCorrupt,
    BundleForeign,
    BundleMissing,
    BundleNotReadable,
    BundleTooLarge,
)
from kdtab.errors.tables import FolderMissing
from kdtab.record import BundleRecord

RECORD = to_record(regression_bundle()).unwrap()


@given(bundles())
def test_the_safetensors_library_reads_the_same_arrays_from_every_bundle(
    bundle: ModelBundle,
) -> None:
    record = to_record(bundle).unwrap()
    arrays = safetensors.numpy.load(encode_record(record))
    assert arrays.keys() == record.arrays.keys()
    for name, array in record.arrays.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].shape == array.shape
        assert arrays[name].tobytes() == array.tobytes()


def test_the_header_holds_one_key_with_one_canonical_manifest(tmp_path: Path) -> None:
    path = tmp_path / "t.kdtab"
    write_record(path, RECORD).unwrap()
    with safe_open(str(path), framework="numpy") as file:
        metadata = file.metadata()
    assert list(metadata) == ["kdtab"]
    fields = json.loads(metadata["kdtab"])
    assert json.dumps(fields, sort_keys=True, separators=(",", ":")) == metadata["kdtab"]
    assert metadata["kdtab"].isascii()
    assert (fields["kind"], fields["format_version"], len(fields["sha256"])) == ("table", 1, 64)


def test_every_array_is_aligned_to_its_elements() -> None:
    content = encode_record(to_record(classification_bundle()).unwrap())
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    widths = {"F32": 4, "F64": 8, "I64": 8}
    assert length % 8 == 0
    assert all(
        (8 + length + entry["data_offsets"][0]) % widths[entry["dtype"]] == 0
        for name, entry in header.items()
        if name != "__metadata__"
    )


def test_the_order_in_which_arrays_were_put_in_leaves_no_trace() -> None:
    backwards = BundleRecord(RECORD.manifest, dict(sorted(RECORD.arrays.items(), reverse=True)))
    assert encode_record(backwards) == encode_record(RECORD)


def test_dtypes_are_kept() -> None:
    record = decode_record("t", encode_record(to_record(classification_bundle()).unwrap())).unwrap()
    kinds = {array.dtype.name for name, array in record.arrays.items() if "batches" in name}
    assert kinds == {"int64"}
    assert record.arrays["scale/mean"].dtype == np.float64
    assert record.arrays["weights/head.bias"].dtype == np.float32


def test_arrays_of_a_file_cannot_be_written_to() -> None:
    record = decode_record("t", encode_record(RECORD)).unwrap()
    assert not any(array.flags.writeable for array in record.arrays.values())


@pytest.mark.requirement("REQ-KD02", "REQ-T22")
def test_a_file_comes_back_as_the_record_that_was_written(tmp_path: Path) -> None:
    write_record(tmp_path / "any name.pt", RECORD).unwrap()
    assert read_record(tmp_path / "any name.pt") == Success(RECORD)
    assert read_record(str(tmp_path / "any name.pt")) == Success(RECORD)


def test_a_link_to_a_bundle_is_that_bundle(tmp_path: Path) -> None:
    write_record(tmp_path / "t.kdtab", RECORD).unwrap()
    (tmp_path / "latest.kdtab").symlink_to(tmp_path / "t.kdtab")
    assert read_record(tmp_path / "latest.kdtab") == Success(RECORD)


def test_a_name_with_a_star_is_that_file_and_no_other(tmp_path: Path) -> None:
    write_record(tmp_path / "ab.kdtab", RECORD).unwrap()
    assert read_record(tmp_path / "a*.kdtab").failure().first == BundleMissing(
        path=str(tmp_path / "a*.kdtab")
    )


def test_what_is_not_there_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "no.kdtab", tmp_path / "no" / "no.kdtab", tmp_path / "file" / "no"):
        assert read_record(path).failure().first == BundleMissing(path=str(path))


def test_a_link_to_nowhere_or_in_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nowhere").symlink_to(tmp_path / "no.kdtab")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert isinstance(read_record(tmp_path / "nowhere").failure().first, BundleMissing)
    assert isinstance(read_record(tmp_path / "circle").failure().first, BundleNotReadable)


def test_a_name_that_no_file_can_have_is_refused() -> None:
    issue = read_record("a\0b").failure().first
    assert issue == BundleNotReadable(path="a\0b", reason="no file can have this name")


def test_a_folder_is_no_bundle(tmp_path: Path) -> None:
    assert read_record(tmp_path).failure().first == BundleForeign(
        path=str(tmp_path), found="a folder"
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_at_once_and_nobody_waits_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert isinstance(read_record(tmp_path / "pipe").failure().first, BundleForeign)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs devices")
def test_a_device_is_refused_and_never_read() -> None:
    assert isinstance(read_record("/dev/zero").failure().first, BundleForeign)


def test_a_file_that_the_system_keeps_is_an_issue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_record(tmp_path / "t.kdtab", RECORD).unwrap()

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    issue = read_record(tmp_path / "t.kdtab").failure().first
    assert issue == BundleNotReadable(path=str(tmp_path / "t.kdtab"), reason="Permission denied")


def test_a_file_beyond_the_cap_is_refused_by_its_size_without_reading(tmp_path: Path) -> None:
    path = tmp_path / "huge.kdtab"
    with path.open("wb") as file:
        file.truncate(2**31 + 1)
    issue = read_record(path).failure().first
    assert issue == BundleTooLarge(path=str(path), size=2**31 + 1, most=2**31)


def test_what_could_not_be_read_again_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundleparts, "MOST_HEADER_BYTES", 100)
    issue = write_record(tmp_path / "t.kdtab", RECORD).failure().first
    assert isinstance(issue, BundleTooLarge)
    assert list(tmp_path.iterdir()) == []


def test_a_record_that_contradicts_itself_is_not_written(tmp_path: Path) -> None:
    bare = BundleRecord(RECORD.manifest, {})
    issues = write_record(tmp_path / "t.kdtab", bare).failure()
    assert [type(issue) for issue in issues] == [BundleContradiction] * 3
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_not_made(tmp_path: Path) -> None:
    issue = write_record(tmp_path / "no" / "t.kdtab", RECORD).failure().first
    assert isinstance(issue, FolderMissing)
    assert not (tmp_path / "no").exists()


def test_a_refused_write_leaves_the_older_bundle(tmp_path: Path) -> None:
    write_record(tmp_path / "t.kdtab", RECORD).unwrap()
    write_record(tmp_path / "t.kdtab", BundleRecord(RECORD.manifest, {})).failure()
    assert read_record(tmp_path / "t.kdtab") == Success(RECORD)
    assert [path.name for path in tmp_path.iterdir()] == ["t.kdtab"]


def test_all_arrays_that_are_wrong_are_named_at_once() -> None:
    content = encode_record(RECORD).replace(b'"F64"', b'"F65"')
    reasons = [
        issue.reason
        for issue in decode_record("t", content).failure()
        if isinstance(issue, BundleCorrupt)
    ]
    assert reasons == [
        f"array '{name}' has a dtype that is none of F16, F32, F64, I64"
        for name in ("impute/medians", "scale/mean", "scale/scale")
    ]


AUDIT = """
import sys
from kdtab.serialization import load_bundle
load_bundle(sys.argv[1])
events = []
sys.addaudithook(lambda event, arguments: events.append((event, arguments[:1])))
load_bundle(sys.argv[1])
found = list(events)
opened = {first for event, first in found if event == "open" and not isinstance(first[0], int)}
print(*sorted({event for event, _ in found} - {"object.__getattr__"}), *opened)
"""


def test_loading_opens_the_one_file_and_does_nothing_else_that_python_audits(
    tmp_path: Path,
) -> None:
    path = tmp_path / "t.kdtab"
    write_record(path, to_record(classification_bundle()).unwrap()).unwrap()
    run = subprocess.run(
        [sys.executable, "-c", AUDIT, str(path)], capture_output=True, text=True, check=True
    )
    assert run.stdout == f"open ('{path}',)\n"


def test_bundle_files_are_read_without_torch() -> None:
    script = "import sys, kdtab.disk.bundles; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
