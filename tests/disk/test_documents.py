"""Config files in, and outputs that cannot be."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.disk.documents import MAX_DOCUMENT_BYTES, output_issue, read_document
from kdtab.errors.configs import OutputIsInput
from kdtab.errors.tables import FolderMissing, NotWritable

VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
)
KEYS = st.from_regex(r"\A[a-z][a-z_]{0,15}\Z")


def written(value: object) -> str:
    """A value as both formats spell it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)


@pytest.mark.parametrize(("suffix", "sign"), [(".toml", " = "), (".yaml", ": "), (".yml", ": ")])
@given(fields=st.dictionaries(KEYS, VALUES, max_size=6))
def test_what_is_written_is_read(
    suffix: str, sign: str, fields: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("documents") / f"run{suffix}"
    lines = (f"{name}{sign}{written(value)}\n" for name, value in fields.items())
    path.write_text("".join(lines), encoding="utf-8")
    read = read_document(path).unwrap()
    assert list(read) == list(fields)
    for name, value in fields.items():
        assert type(read[name]) is type(value)
        same = read[name] == value
        assert same or (isinstance(value, float) and math.isclose(value, float(str(read[name]))))


@given(content=st.binary(max_size=200), suffix=st.sampled_from([".toml", ".yaml"]))
def test_any_bytes_are_a_mapping_or_a_sentence(
    content: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("documents") / f"run{suffix}"
    path.write_bytes(content)
    read_document(path)


def test_yaml_is_of_version_1_2(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(
        "a: 1e-3\nb: no\nc: yes\nd: on\ne: 0o17\nf: 1:30\ng: true\nh: ~\n", encoding="utf-8"
    )
    assert read_document(path).unwrap() == {
        "a": 0.001, "b": "no", "c": "yes", "d": "on", "e": 15, "f": "1:30", "g": True, "h": None,
    }  # fmt: skip


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("suffix", [".toml", ".yaml"])
def test_an_empty_file_holds_no_fields(content: bytes, suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"run{suffix}").write_bytes(content)
    assert read_document(tmp_path / f"run{suffix}").unwrap() == {}


def test_the_largest_file_is_read_and_one_byte_more_is_not(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("a = 1\n#" + "x" * (MAX_DOCUMENT_BYTES - 7), encoding="utf-8")
    assert read_document(path).unwrap() == {"a": 1}
    path.write_text("a = 1\n#" + "x" * (MAX_DOCUMENT_BYTES - 6), encoding="utf-8")
    assert read_document(path).failure().first.model_dump()["reason"] == "it is larger than 64 KiB"


def test_an_existing_file_in_a_writable_folder_may_be_replaced(tmp_path: Path) -> None:
    place = tmp_path / "model.kdtab"
    assert output_issue(place, {}) is None
    place.write_bytes(b"old")
    assert output_issue(place, {"the table": tmp_path / "table.csv"}) is None
    assert place.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [place]


def test_an_output_that_is_an_input_is_found_through_any_path(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a\n1\n", encoding="utf-8")
    (tmp_path / "link.csv").symlink_to(table)
    for name in (table, tmp_path / "." / "table.csv", tmp_path / "link.csv"):
        assert output_issue(name, {"the table": table}) == OutputIsInput(
            path=str(name), role="the table"
        )


def test_two_outputs_that_are_not_there_yet_are_told_apart(tmp_path: Path) -> None:
    wanted, other = tmp_path / "sub" / ".." / "kept.html", tmp_path / "kept.html"
    (tmp_path / "sub").mkdir()
    assert output_issue(wanted, {"the student": other}) == OutputIsInput(
        path=str(wanted), role="the student"
    )
    assert output_issue(wanted, {"the student": tmp_path / "student.kdtab"}) is None


def test_an_output_where_nothing_can_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    missing = tmp_path / "no" / "m.kdtab"
    assert output_issue(missing, {}) == FolderMissing(
        path=str(missing), folder=str(tmp_path / "no")
    )
    assert output_issue(tmp_path, {}) == NotWritable(path=str(tmp_path), reason="it is a folder")
    assert isinstance(output_issue(tmp_path / "file" / "m.kdtab", {}), FolderMissing | NotWritable)
    assert isinstance(output_issue(tmp_path / ("x" * 5_000), {}), NotWritable)
    assert isinstance(output_issue("a\0b", {}), NotWritable | FolderMissing)
