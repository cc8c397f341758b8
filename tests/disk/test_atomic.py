"""A file is written whole or not at all."""

import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from returns.result import Success

from kdtab.disk.atomic import write_bytes
from kdtab.errors.issue import Issue
from kdtab.errors.tables import DiskFull, FolderMissing, NotWritable


def _issue(path: Path | str, content: bytes = b"new") -> Issue:
    return write_bytes(path, content).failure().first


@settings(max_examples=40, deadline=None)
@given(contents=st.lists(st.binary(max_size=2_000), min_size=1, max_size=3))
def test_the_last_content_written_is_the_content_read_and_nothing_else_remains(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("atomic")
    for content in contents:
        assert write_bytes(folder / "a.bin", content) == Success(None)
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [
        ("a.bin", contents[-1])
    ]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()])
def test_a_failure_or_an_interrupt_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, error: BaseException
) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")

    def fails(*_: object) -> None:
        raise error

    owner: object = os if failing == "fsync" else Path
    monkeypatch.setattr(owner, failing, fails)
    if isinstance(error, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            write_bytes(tmp_path / "a.bin", b"new")
    else:
        path = str(tmp_path / "a.bin")
        assert _issue(path) == NotWritable(path=path, reason="input/output error")
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]
    assert (tmp_path / "a.bin").read_bytes() == b"old"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def full(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)
    path = str(tmp_path / "a.bin")
    assert _issue(path, b"12345") == DiskFull(path=path, size=5)
    assert list(tmp_path.iterdir()) == []


def test_a_device_that_is_always_full_leaves_it_as_it_is() -> None:
    issue = _issue("/dev/full")
    assert issue == NotWritable(path="/dev/full", reason="it is a pipe, a device or a socket")
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no" / "a.bin"
    assert _issue(path) == FolderMissing(path=str(path), folder=str(tmp_path / "no"))


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    assert _issue(tmp_path) == NotWritable(path=str(tmp_path), reason="it is a folder")


@pytest.mark.parametrize("path", ["", "a\0b", "x" * 300])
def test_a_path_that_cannot_be_is_an_issue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert isinstance(_issue(path), NotWritable)
    assert list(tmp_path.iterdir()) == []


def test_a_relative_name_is_written_into_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert write_bytes("a.bin", b"1") == Success(None)
    assert (tmp_path / "a.bin").read_bytes() == b"1"


def test_a_name_as_long_as_the_system_allows_is_written(tmp_path: Path) -> None:
    assert write_bytes(tmp_path / ("x" * 255), b"1") == Success(None)


def test_a_symbolic_link_stays_a_link_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "real.bin").write_bytes(b"old")
    (tmp_path / "link.bin").symlink_to(tmp_path / "far" / "real.bin")
    assert write_bytes(tmp_path / "link.bin", b"new") == Success(None)
    assert (tmp_path / "link.bin").is_symlink()
    assert (tmp_path / "far" / "real.bin").read_bytes() == b"new"


def test_a_circle_of_links_is_an_issue(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert isinstance(_issue(tmp_path / "a"), NotWritable)


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_mode_is_what_the_umask_gives(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_bytes(tmp_path / "a.bin", b"1").unwrap()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == mode


def test_a_reader_of_the_old_file_keeps_it_whole(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"old" * 1_000)
    with (tmp_path / "a.bin").open("rb") as reader:
        write_bytes(tmp_path / "a.bin", b"new").unwrap()
        assert reader.read() == b"old" * 1_000
