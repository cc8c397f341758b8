"""Files that must not be loaded as bundles, and the sentence that each of them gets."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch

from bundle_strategies import classification_bundle, regression_bundle
from kdtab.bundle import to_record
from kdtab.config.manifest import canonical_json
from kdtab.disk.bundles import encode_record
from kdtab.disk.layout import data_of, digest_of, header_of, places_of
from kdtab.errors.raised import CorruptBundleError, DiskError, MissingFileError
from kdtab.record import BundleRecord
from kdtab.serialization import load_bundle

RECORD = to_record(regression_bundle()).unwrap()
BUNDLE = encode_record(RECORD)
HEADER_END = 8 + int.from_bytes(BUNDLE[:8], "little")
FOREIGN = "{path} is no kdtab bundle but {found}; kdtab opens only what save_bundle wrote, and never unpickles"
CORRUPT = "{path} is not a whole bundle: {reason}; copy it again or save it anew"


class Trap:
    """What an attacker pickles: unpickling it would write a file."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.write_text, (Path("trapped"), "caught")


def pickled(protocol: int) -> bytes:
    """A pickle that does harm when it is opened."""
    return pickle.dumps(Trap(), protocol)


def torch_file(legacy: bool) -> bytes:
    """What torch.save writes."""
    file = io.BytesIO()
    torch.save({"weight": torch.zeros(2)}, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


def numpy_file() -> bytes:
    """What numpy.save writes."""
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


def zip_file() -> bytes:
    """A zip archive with a pickle in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickled(2))
    return file.getvalue()


def sealed(
    fields: dict[str, object] | None = None, record: BundleRecord = RECORD, **changes: object
) -> bytes:
    """A file with a lying manifest under a checksum that is true."""
    places = places_of(record.arrays)
    data = data_of(record.arrays, places)
    told = (manifest() if fields is None else fields) | changes
    told = {name: value for name, value in told.items() if value is not None}
    told["sha256"] = digest_of(told, places, data)
    return header_of(canonical_json(told), places) + data


def manifest(content: bytes = BUNDLE) -> dict[str, object]:
    """The manifest in a bundle."""
    fields = json.loads(header(content)["__metadata__"]["kdtab"])
    assert isinstance(fields, dict)
    return fields


def header(content: bytes = BUNDLE) -> dict[str, dict[str, str]]:
    """The header of a bundle."""
    values = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert isinstance(values, dict)
    return values


def with_header(text: str) -> bytes:
    """The bundle's arrays behind another header."""
    padded = text.encode() + b" " * (-len(text.encode()) % 8)
    return len(padded).to_bytes(8, "little") + padded + BUNDLE[HEADER_END:]


def with_entry(name: str, **changes: object) -> bytes:
    """The bundle with another description of one array, all else kept."""
    values: dict[str, dict[str, object]] = {**header()}  # type: ignore[dict-item]  # values widen
    values[name] = {**values[name], **changes}
    return with_header(json.dumps(values, separators=(",", ":")))


def text_in_header(old: str, new: str) -> bytes:
    """The bundle with a text of its header replaced, and the header's length corrected."""
    text = BUNDLE[8:HEADER_END].decode().rstrip()
    assert old in text
    return with_header(text.replace(old, new))


def record_without(name: str) -> BundleRecord:
    """The record without one of its arrays."""
    arrays = {key: array for key, array in RECORD.arrays.items() if key != name}
    return BundleRecord(RECORD.manifest, arrays)


def record_with(
    name: str, array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]
) -> BundleRecord:
    """The record with another array under a name."""
    return BundleRecord(RECORD.manifest, {**RECORD.arrays, name: array})


def flipped(at: int) -> bytes:
    """The bundle with all bits of one byte turned."""
    content = bytearray(BUNDLE)
    content[at] ^= 0xFF
    return bytes(content)


FOREIGNERS = {
    "empty": (b"", "an empty file"),
    "one byte": (b"\x10", "a file of another format"),
    "pickle protocol 0": (pickled(0), "a Python pickle (protocol 0 or 1)"),
    "pickle protocol 1": (pickled(1), "a Python pickle (protocol 0 or 1)"),
    "pickle protocol 2": (pickled(2), "a Python pickle (protocol 2)"),
    "pickle protocol 5": (pickled(5), "a Python pickle (protocol 5)"),
    "torch.save": (
        torch_file(legacy=False),
        "a zip archive, as torch.save (.pt), numpy (.npz) and Excel write",
    ),
    "torch.save of old": (torch_file(legacy=True), "a Python pickle (protocol 2)"),
    "zip with a pickle": (
        zip_file(),
        "a zip archive, as torch.save (.pt), numpy (.npz) and Excel write",
    ),
    "joblib, zlib": (
        zlib.compress(pickled(4), 3),
        "a zlib-compressed file, as joblib writes",
    ),
    "joblib, gzip": (gzip.compress(pickled(4)), "a gzip-compressed file, as joblib can write"),
    "gzip of a bundle": (gzip.compress(BUNDLE), "a gzip-compressed file, as joblib can write"),
    "numpy": (numpy_file(), "a numpy array (.npy)"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(88), "an HDF5 file, as Keras writes (.h5)"),
    "ONNX": (b"\x08\x08\x12\x07pytorch\x1a\x052.4.0", "a protobuf message, as ONNX models are"),
    "Parquet": (b"PAR1" + bytes(40) + b"PAR1", "a Parquet table"),
    "CSV": (b"age,income\n39,low\n", "a text file (a table, JSON or a script)"),
    "JSON": (json.dumps(manifest()).encode(), "a text file (a table, JSON or a script)"),
    "HTML": (b"<!DOCTYPE html><html>404</html>", "an HTML or XML page"),
    "LFS pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "a Git LFS pointer; fetch the file itself with git lfs pull",
    ),
    "UTF-16": ("age,income\n".encode("utf-16"), "a file of another format"),
    "zeros": (bytes(4096), "a file of another format"),
    "safetensors": (
        safetensors.numpy.save({"weight": np.zeros(2, np.float32)}),
        "a safetensors file of another program",
    ),
    "safetensors with metadata": (
        safetensors.numpy.save({"weight": np.zeros(2, np.float32)}, {"format": "pt"}),
        "a safetensors file of another program",
    ),
    "a header length of 2**63": (
        (2**63).to_bytes(8, "little") + BUNDLE[8:],
        "a file of another format",
    ),
}

CHECKSUM = "its checksum differs, so some byte is not what was saved"
SPELLING = "its header is not spelled as kdtab spells it"
CORRUPTED = {
    "half a header": (
        BUNDLE[:200],
        f"its header needs {HEADER_END:,} bytes, the file has 200",
    ),
    "no arrays": (BUNDLE[:HEADER_END], "its arrays need 32 bytes, 0 are there"),
    "the last byte lost": (BUNDLE[:-1], "its arrays need 32 bytes, 31 are there"),
    "one byte more": (BUNDLE + b"\0", "its arrays need 32 bytes, 33 are there"),
    "two bundles": (BUNDLE * 2, f"its arrays need 32 bytes, {32 + len(BUNDLE):,} are there"),
    "a flipped bit of a weight": (flipped(len(BUNDLE) - 1), CHECKSUM),
    "a flipped bit of a median": (flipped(HEADER_END), CHECKSUM),
    "another target column": (
        text_in_header('\\"target_column\\":\\"y\\"', '\\"target_column\\":\\"z\\"'),
        CHECKSUM,
    ),
    "no checksum": (
        text_in_header(f'\\"sha256\\":\\"{manifest()["sha256"]}\\",', ""),
        CHECKSUM,
    ),
    "a checksum that is a number": (
        text_in_header(f'\\"sha256\\":\\"{manifest()["sha256"]}\\"', '\\"sha256\\":7'),
        CHECKSUM,
    ),
    "a blank in the header": (text_in_header('{"__metadata__":', '{ "__metadata__":'), SPELLING),
    "a blank in the manifest": (text_in_header('\\"kind\\":', '\\"kind\\": '), SPELLING),
    "the same number otherwise": (text_in_header('\\"clip\\":10.0', '\\"clip\\":1e1'), SPELLING),
    "another key in the metadata": (
        text_in_header('{"__metadata__":{', '{"__metadata__":{"format":"pt",'),
        SPELLING,
    ),
    "a key twice": (
        text_in_header('{"__metadata__":{', '{"__metadata__":{"kdtab":"","kdtab":"",'),
        "its header has the same key twice",
    ),
    "a key of the manifest twice": (
        text_in_header('\\"kind\\":', '\\"kind\\":\\"table\\",\\"kind\\":'),
        "its header has the same key twice",
    ),
    "NaN": (text_in_header('\\"clip\\":10.0', '\\"clip\\":NaN'), "its header holds NaN"),
    "infinity": (
        text_in_header('\\"clip\\":10.0', '\\"clip\\":-Infinity'),
        "its header holds -Infinity",
    ),
    "1e999": (
        text_in_header('\\"clip\\":10.0', '\\"clip\\":1e999'),
        "its header holds a number beyond all floats",
    ),
    "broken JSON": (text_in_header('{"__metadata__"', '{"__metadata__'), "its header is no JSON"),
    "bottomless JSON": (
        with_header('{"a":' + "[" * 100_000),
        "its header is no JSON",
    ),
    "deep JSON": (
        with_header('{"a":' + "[" * 100 + "]" * 100 + "}"),
        "its header is no JSON object of a bundle",
    ),
    "a number of 5000 digits": (
        text_in_header('\\"format_version\\":1', '\\"format_version\\":' + "1" * 5000),
        "its header is no JSON",
    ),
    "not UTF-8": (with_header('{"a":0}').replace(b'"a"', b'"\xff"'), "its header is no JSON"),
    "a manifest that is a list": (
        with_header('{"__metadata__":{"kdtab":"[]"}}'),
        "its header is no JSON object of a bundle",
    ),
    "no version": (sealed(format_version=None), "its format_version is no version number"),
    "version 0": (sealed(format_version=0), "its format_version is no version number"),
    "version true": (sealed(format_version=True), "its format_version is no version number"),
    "version 1.0": (sealed(format_version=1.0), "its format_version is no version number"),
    "version '2'": (sealed(format_version="2"), "its format_version is no version number"),
    "no kind": (sealed(kind=None), "it does not say of which kind it is"),
    "an entry that is a number": (
        text_in_header('{"dtype":"F64"', '{"more":7,"dtype":"F64"'),
        "array 'impute/medians' is not described by dtype, shape and data_offsets",
    ),
    "a dtype that is not stored": (
        with_entry("scale/mean", dtype="BF16"),
        "array 'scale/mean' has a dtype that is none of F16, F32, F64, I64",
    ),
    "a dtype that is a list": (
        with_entry("scale/mean", dtype=[]),
        "array 'scale/mean' has a dtype that is none of F16, F32, F64, I64",
    ),
    "a negative length": (
        with_entry("scale/mean", shape=[-1]),
        "array 'scale/mean' has a shape that no array has",
    ),
    "a length that is true": (
        with_entry("scale/mean", shape=[True]),
        "array 'scale/mean' has a shape that no array has",
    ),
    "lengths that overflow": (
        with_entry("scale/mean", shape=[2**62, 2**62]),
        "array 'scale/mean' has a shape that no array has",
    ),
    "no element": (
        with_entry("scale/mean", shape=[0], data_offsets=[8, 8]),
        "array 'scale/mean' has a shape that no array has",
    ),
    "a hundred axes": (
        with_entry("scale/mean", shape=[1] * 100),
        "array 'scale/mean' has a shape that no array has",
    ),
    "a larger shape than bytes": (
        with_entry("scale/mean", shape=[1_000_000]),
        "array 'scale/mean' has offsets that do not fit its shape",
    ),
    "offsets before the arrays": (
        with_entry("scale/mean", data_offsets=[-8, 0]),
        "array 'scale/mean' has offsets that are not two byte positions",
    ),
    "three offsets": (
        with_entry("scale/mean", data_offsets=[8, 16, 24]),
        "array 'scale/mean' has offsets that are not two byte positions",
    ),
    "offsets backwards": (
        with_entry("scale/mean", data_offsets=[16, 8]),
        "array 'scale/mean' has offsets that do not fit its shape",
    ),
    "two arrays in one place": (
        with_entry("scale/mean", data_offsets=[0, 8]),
        "array 'scale/mean' does not begin where the one before it ends",
    ),
    "an unknown field": (
        sealed(importer="os.system"),
        "its field 'importer' is refused ('Extra inputs are not permitted')",
    ),
    "a network of another make": (
        sealed(network={"kind": "os.system", "input_dim": 1, "output_dim": 1}),
        "its field 'network' is refused (\"Input tag 'os.system' found using 'kin…"
        "'tabresnet', 'linear', 'batch_ensemble'\")",
    ),
    "a network of no units": (
        sealed(network={"kind": "linear", "input_dim": 0, "output_dim": 1}),
        "its field 'network.linear.input_dim' is refused "
        "('Input should be greater than or equal to 1')",
    ),
    "a text where a number belongs": (
        sealed(target_scaling={"mean": "0", "scale": 1.0}),
        "its field 'target_scaling.mean' is refused ('Input should be a valid number')",
    ),
    "a target scale of zero": (
        sealed(target_scaling={"mean": 0.0, "scale": 0.0}),
        "its field 'target_scaling.scale' is refused ('Input should be greater than 0')",
    ),
    "a step of another make": (
        sealed(preprocessing=[{"kind": "lambda"}]),
        "its field 'preprocessing.0' is refused (\"Input tag 'lambda' found using 'kind' …ed tags: "
        "'vectorize', 'impute', 'scale'\")",
    ),
    "no steps": (
        sealed(preprocessing=[]),
        "its preprocessing steps are [], they must be vectorize, impute, scale",
    ),
    "an artifact missing": (
        sealed(record=record_without("scale/mean")),
        "array 'scale/mean' is missing",
    ),
    "an artifact too many": (
        sealed(record=record_with("scale/more", np.zeros(1))),
        "array 'scale/more' belongs to nothing",
    ),
    "an artifact in float32": (
        sealed(record=record_with("scale/mean", np.zeros(1, np.float32))),
        "array 'scale/mean' is float32 [1], it must be float64 [1]",
    ),
    "an artifact of another length": (
        sealed(record=record_with("scale/mean", np.zeros(2))),
        "array 'scale/mean' is float64 [2], it must be float64 [1]",
    ),
    "a scale of zero": (
        sealed(record=record_with("scale/scale", np.zeros(1))),
        "array 'scale/scale' holds a scale that is not above 0",
    ),
    "a median that is NaN": (
        sealed(record=record_with("impute/medians", np.array([np.nan]))),
        "array 'impute/medians' holds NaN or infinity",
    ),
    "a weight that is NaN": (
        sealed(record=record_with("weights/head.bias", np.array([np.nan], np.float32))),
        "array 'weights/head.bias' holds NaN or infinity",
    ),
    "a weight missing": (
        sealed(record=record_without("weights/head.bias")),
        "array 'weights/head.bias' is missing",
    ),
    "a weight too many": (
        sealed(record=record_with("weights/tail", np.zeros(1, np.float32))),
        "array 'weights/tail' belongs to nothing",
    ),
    "a weight in float64": (
        sealed(record=record_with("weights/head.bias", np.zeros(1))),
        "array 'weights/head.bias' is float64 [1], it must be float32 [1]",
    ),
    "a weight of another shape": (
        sealed(record=record_with("weights/head.bias", np.zeros((1, 1), np.float32))),
        "array 'weights/head.bias' is float32 [1, 1], it must be float32 [1]",
    ),
    "a date format of another make": (
        sealed(
            preprocessing=[
                {
                    "kind": "vectorize",
                    "columns": [
                        {
                            "kind": "date",
                            "name": "d",
                            "reason": "",
                            "format": "%Q",
                            "has_time": False,
                        }
                    ],
                    "missing_markers": [],
                },
                {"kind": "impute"},
                {"kind": "scale", "clip": 1.0},
            ]
        ),
        "its date format '%Q' is none that kdtab reads",
    ),
    "columns that are not the network's": (
        sealed(
            preprocessing=[
                {"kind": "vectorize", "columns": [], "missing_markers": []},
                {"kind": "impute"},
                {"kind": "scale", "clip": 1.0},
            ]
        ),
        "its columns give 0 features, its network takes 1",
    ),
}


@pytest.mark.requirement("REQ-T22", "REQ-KD02")
@pytest.mark.parametrize(("content", "found"), FOREIGNERS.values(), ids=FOREIGNERS.keys())
def test_what_is_no_bundle_is_refused_by_what_it_is(
    content: bytes, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.kdtab").write_bytes(content)
    with pytest.raises(CorruptBundleError) as caught:
        load_bundle("m.kdtab")
    assert str(caught.value) == FOREIGN.format(path="'m.kdtab'", found=found)
    assert [path.name for path in tmp_path.iterdir()] == ["m.kdtab"]


@pytest.mark.requirement("REQ-T22", "REQ-KD02")
@pytest.mark.parametrize(("content", "reason"), CORRUPTED.values(), ids=CORRUPTED.keys())
def test_what_is_no_whole_bundle_is_refused_with_the_reason(
    content: bytes, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.kdtab").write_bytes(content)
    with pytest.raises(CorruptBundleError) as caught:
        load_bundle("m.kdtab")
    assert str(caught.value) == CORRUPT.format(path="'m.kdtab'", reason=reason)


def test_a_bundle_of_a_later_kdtab_asks_for_that_kdtab(tmp_path: Path) -> None:
    path = tmp_path / "m.kdtab"
    path.write_bytes(sealed(format_version=2, more="what this version cannot know"))
    with pytest.raises(
        RuntimeError, match=r"has format version 2, this kdtab reads up to 1: upgrade kdtab"
    ):
        load_bundle(path)


def test_a_bundle_of_an_unknown_kind_asks_for_a_later_kdtab(tmp_path: Path) -> None:
    path = tmp_path / "m.kdtab"
    path.write_bytes(sealed(kind="hologram"))
    with pytest.raises(
        RuntimeError,
        match=r"a model of kind 'hologram', this kdtab knows 'table', 'sequence': upgrade",
    ):
        load_bundle(path)


def test_a_sparse_file_of_terabytes_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "m.kdtab"
    with path.open("wb") as file:
        file.write(BUNDLE)
        file.truncate(2**40)
    with pytest.raises(
        RuntimeError, match=r"has 1,099,511,627,776 bytes, kdtab takes at most 2,147,483,648"
    ):
        load_bundle(path)


def test_a_bundle_that_names_a_giant_network_takes_no_memory(tmp_path: Path) -> None:
    content = encode_record(to_record(classification_bundle()).unwrap())
    record = to_record(classification_bundle()).unwrap()
    network = {
        "kind": "mlp",
        "input_dim": 20,
        "output_dim": 2,
        "hidden_dim": 65_536,
        "num_hidden_layers": 64,
        "dropout": 0.1,
    }
    (tmp_path / "m.kdtab").write_bytes(sealed(manifest(content), record, network=network))
    with pytest.raises(RuntimeError, match=r"it must be float32 \[65536\]"):
        load_bundle(tmp_path / "m.kdtab")


def test_a_text_of_a_file_cannot_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "m.kdtab"
    path.write_bytes(sealed(kind="\x1b[2J\u202e" + "x" * 5000))
    with pytest.raises(RuntimeError) as caught:
        load_bundle(path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="is no kdtab bundle but a folder"):
        load_bundle(tmp_path)


@pytest.mark.requirement("REQ-KD02", "REQ-T22")
def test_a_missing_bundle_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        load_bundle(tmp_path / "no.kdtab")
    assert isinstance(caught.value, MissingFileError)
    assert isinstance(caught.value, ValueError)


def test_a_name_that_no_file_can_have_is_a_refusal_of_the_disk() -> None:
    with pytest.raises(DiskError, match="no file can have this name"):
        load_bundle("a\0b")
