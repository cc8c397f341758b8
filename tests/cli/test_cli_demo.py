"""`kdtab demo`."""

from __future__ import annotations

import time
from pathlib import Path

from cli.conftest import kdtab


def test_it_shows_the_whole_road_within_a_minute(tmp_path: Path) -> None:
    began = time.monotonic()
    run = kdtab("demo", "--folder", "shown", folder=tmp_path)
    assert run.code == 0
    assert time.monotonic() - began < 60
    assert sorted(path.name for path in (tmp_path / "shown").iterdir()) == [
        "digits.csv", "student.kdtab", "teacher.kdtab",
    ]  # fmt: skip
    assert run.out.splitlines()[0].split() == ["teacher", "student"]
    assert "359 rows: held out when both models were trained" in run.out
    assert "  kdtab inspect student.kdtab" in run.out
    assert run.err.startswith("teacher: epoch 1/")


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    run = kdtab("demo", "--folder", "file", folder=tmp_path)
    assert (run.code, run.err) == (6, "error: cannot write 'file': file exists\n")
