"""Paths, suffixes, packings, encodings and the columnar formats."""

import gzip
import io
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from kdtab.config.tables import ReadOptions
from kdtab.disk.compression import unpack
from kdtab.disk.tables import read_table, table_suffixes
from kdtab.errors.formats import SuffixUnknown, UnpackedTooLarge
from kdtab.errors.issue import Issue
from kdtab.errors.tables import FileNotReadable
from kdtab.errors.texts import TextOfOtherEncoding, TextUndecodable

_CSV = "name;size\nMünchen;1,5\n北京;2\n".encode()
_ROWS = [("München", "1,5"), ("北京", "2")]


def _first_issue(path: Path, **options: object) -> Issue:
    return read_table(path, ReadOptions.model_validate(options)).failure().first


@pytest.mark.parametrize(
    "name", ["a[1].csv", "a*.csv", "{a,b}.csv", "ä ö.csv", "A.CSV", "a.b.csv", "~.csv", "%20.csv"]
)
def test_a_file_is_opened_by_exactly_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "a1.csv").write_text("other,file\n0,0\n")
    (tmp_path / name).write_bytes(_CSV)
    assert read_table(tmp_path / name).unwrap().rows() == _ROWS


@pytest.mark.parametrize("name", ["a[1].parquet", "a[1].arrow", "a[1].jsonl", "a*.parquet"])
def test_no_format_expands_a_name(tmp_path: Path, name: str) -> None:
    frame = pl.DataFrame({"x": [1, 2]})
    write: dict[str, Callable[[Path], object]] = {
        ".parquet": frame.write_parquet,
        ".arrow": frame.write_ipc,
        ".jsonl": frame.write_ndjson,
    }
    write[Path(name).suffix](tmp_path / "plain")
    (tmp_path / "plain").rename(tmp_path / name)
    assert read_table(tmp_path / name).unwrap().equals(frame)


def test_a_path_may_be_text_and_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_bytes(_CSV)
    monkeypatch.chdir(tmp_path)
    assert read_table("a.csv").unwrap().rows() == _ROWS


def test_a_symbolic_link_to_a_file_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_bytes(_CSV)
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    assert read_table(tmp_path / "link.csv").unwrap().rows() == _ROWS


def test_the_reader_leaves_no_descriptor_open(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(_CSV)
    before = len(list(Path("/proc/self/fd").iterdir()))
    read_table(tmp_path / "a.csv").unwrap()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("suffix", [".csv.gz", ".csv.zst", ".CSV.GZ"])
def test_gzip_and_zstd_are_unpacked_by_suffix(tmp_path: Path, suffix: str) -> None:
    packed = zstandard.compress(_CSV) if suffix.lower().endswith("zst") else gzip.compress(_CSV)
    (tmp_path / f"a{suffix}").write_bytes(packed)
    assert read_table(tmp_path / f"a{suffix}").unwrap().rows() == _ROWS


@settings(max_examples=40, deadline=None)
@given(parts=st.lists(st.binary(max_size=5_000), min_size=1, max_size=4))
def test_packed_parts_one_behind_the_other_unpack_to_their_sum(parts: list[bytes]) -> None:
    zipped = b"".join(gzip.compress(part) for part in parts)
    framed = b"".join(zstandard.compress(part) for part in parts)
    assert unpack("a.gz", ".gz", zipped).unwrap() == b"".join(parts)
    assert unpack("a.zst", ".zst", framed).unwrap() == b"".join(parts)


@settings(max_examples=40, deadline=None)
@given(content=st.binary(min_size=1, max_size=3_000), keep=st.floats(0.05, 0.99))
def test_a_packed_file_that_was_cut_off_is_never_read_in_part(content: bytes, keep: float) -> None:
    for packing, whole in ((".gz", gzip.compress(content)), (".zst", zstandard.compress(content))):
        cut = whole[: max(4, int(len(whole) * keep))]
        if cut != whole:
            assert isinstance(unpack("a", packing, cut).failure().first, FileNotReadable)


@pytest.mark.parametrize("packing", [".gz", ".zst"])
def test_a_bomb_is_refused_before_it_is_unpacked_whole(packing: str) -> None:
    zeros = bytes(40_000_000)
    packed = gzip.compress(zeros) if packing == ".gz" else zstandard.compress(zeros)
    issue = unpack("a", packing, packed, free=1_000_000).failure().first
    assert isinstance(issue, UnpackedTooLarge)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"]
)
def test_every_encoding_reads_back_with_its_name(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes(_CSV.decode().encode(encoding))
    assert read_table(tmp_path / "a.csv", ReadOptions(encoding=encoding)).unwrap().rows() == _ROWS


def test_a_utf_8_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbf" + _CSV)
    assert read_table(tmp_path / "a.csv").unwrap().columns == ["name", "size"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_recognised_and_the_proposed_option_reads_it(
    tmp_path: Path, encoding: str
) -> None:
    text = "name;size\n" + "Köln;1\n" * 20
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    issue = _first_issue(tmp_path / "a.csv")
    assert isinstance(issue, TextOfOtherEncoding)
    frame = read_table(tmp_path / "a.csv", ReadOptions(encoding=issue.found)).unwrap()
    assert frame.row(19) == ("Köln", "1")


@pytest.mark.parametrize("name", ["latin-1", "cp1252"])
def test_a_wrong_guess_of_the_encoding_names_the_byte_and_the_proposed_one_reads_it(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "a.csv").write_bytes("t,u\n1,2\n5°,3\n".encode("latin-1"))
    issue = _first_issue(tmp_path / "a.csv")
    assert issue == TextUndecodable(
        path=str(tmp_path / "a.csv"), encoding="utf-8", byte=0xB0, position=9, row=3
    )
    assert read_table(tmp_path / "a.csv", ReadOptions(encoding=name)).unwrap()["t"][1] == "5°"


def test_every_known_suffix_is_listed_for_an_unknown_one(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(_CSV)
    issue = _first_issue(tmp_path / "a.txt")
    assert isinstance(issue, SuffixUnknown)
    assert set(issue.known) == set(table_suffixes())


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".feather", ".ipc"])
def test_columnar_files_keep_numbers_booleans_and_dates(tmp_path: Path, suffix: str) -> None:
    frame = pl.DataFrame(
        {
            "i": [1, None],
            "f": [0.5, float("nan")],
            "b": [True, None],
            "s": ["", None],
            "d": [date(2020, 2, 29), None],
            "t": [datetime(2020, 1, 2, 3, 4, 5), None],
        }
    )
    path = tmp_path / f"a{suffix}"
    (frame.write_parquet if suffix == ".parquet" else frame.write_ipc)(path)
    assert read_table(path).unwrap().equals(frame)


def test_an_arrow_stream_is_read_like_an_arrow_file(tmp_path: Path) -> None:
    frame = pl.DataFrame({"x": [1, 2]})
    frame.write_ipc_stream(tmp_path / "a.arrow")
    assert read_table(tmp_path / "a.arrow").unwrap().equals(frame)


def test_types_that_no_column_kind_is_made_of_become_text_or_floats(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "category": pl.Series(["a", None], dtype=pl.Categorical),
            "enum": pl.Series(["u", "v"], dtype=pl.Enum(["u", "v"])),
            "decimal": pl.Series([Decimal("1.50"), None], dtype=pl.Decimal(10, 2)),
            "list": [[1, 2], None],
            "struct": [{"k": "é"}, {"k": None}],
            "binary": [b"\xff\x00", None],
            "nothing": pl.Series([None, None], dtype=pl.Null),
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet").unwrap().to_dict(as_series=False) == {
        "category": ["a", None],
        "enum": ["u", "v"],
        "decimal": [1.5, None],
        "list": ["[1, 2]", None],
        "struct": ['{"k": "é"}', '{"k": null}'],
        "binary": ["ff00", None],
        "nothing": [None, None],
    }


def test_a_column_without_name_and_content_is_dropped_in_every_format(tmp_path: Path) -> None:
    frame = pl.DataFrame({"": pl.Series([None, None], dtype=pl.String), "x": [1, 2]})
    frame.write_parquet(tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet").unwrap().columns == ["x"]


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".xlsx", ".csv.gz", ".csv.zst", ".csv"])
def test_mutated_bytes_give_a_frame_or_an_issue_and_never_an_exception(
    tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(0)
    whole = _table_bytes(suffix)
    for _ in range(40):
        bytes_ = bytearray(whole)
        for place in generator.integers(0, len(bytes_), 3):
            bytes_[place] = generator.integers(0, 256)
        (tmp_path / f"a{suffix}").write_bytes(bytes_[: generator.integers(1, len(bytes_) + 1)])
        read_table(tmp_path / f"a{suffix}")
    capfd.readouterr()


def _table_bytes(suffix: str) -> bytes:
    frame, file = pl.DataFrame({"x": [1, 2, 3], "y": ["a", "b", None]}), io.BytesIO()
    if suffix == ".parquet":
        frame.write_parquet(file)
    elif suffix == ".arrow":
        frame.write_ipc(file)
    elif suffix == ".xlsx":
        book = Workbook()
        book.active.append(["x", "y"])
        book.active.append([1, "a"])
        book.save(file)
    else:
        text = frame.write_csv().encode() * 20
        return {".csv.gz": gzip.compress(text), ".csv.zst": zstandard.compress(text)}.get(
            suffix, text
        )
    return file.getvalue()
