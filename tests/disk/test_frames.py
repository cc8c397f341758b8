"""Frames out."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kdtab.config.tables import ReadOptions
from kdtab.disk.frames import WRITERS, suffix_issue, write_frame
from kdtab.disk.tables import read_table
from kdtab.errors.configs import OutputFormatUnknown
from kdtab.errors.tables import FolderMissing

FRAME = pl.DataFrame({"prediction": ["a,b", 'say "x"', "ü\n2"], "probability_é": [0.1, 1e-9, 1.0]})


@pytest.mark.parametrize("suffix", [*WRITERS, ".CSV"])
def test_kdtab_reads_what_it_writes(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    write_frame(path, FRAME).unwrap()
    read = read_table(path, ReadOptions()).unwrap()
    assert_frame_equal(read.cast(FRAME.schema), FRAME, abs_tol=0, rel_tol=0)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["out", "out.xlsx", "out.csv.gz", ".csv"])
def test_another_suffix_is_refused_and_writes_nothing(name: str, tmp_path: Path) -> None:
    issue = OutputFormatUnknown(path=str(tmp_path / name), known=tuple(WRITERS))
    assert suffix_issue(tmp_path / name) == issue
    assert write_frame(tmp_path / name, FRAME).failure().every == (issue,)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_an_issue(tmp_path: Path) -> None:
    outcome = write_frame(tmp_path / "no" / "out.csv", FRAME)
    assert isinstance(outcome.failure().first, FolderMissing)
