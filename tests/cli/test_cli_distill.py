"""`kdtab distill`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.conftest import Trained, kdtab


@pytest.mark.requirement("REQ-KD02", "AC-KD02", "REQ-KD24")
def test_a_student_is_smaller_and_says_whose_it_is(trained: Trained) -> None:
    told = json.loads(trained.student.out)
    teacher = (trained.folder / "teacher.kdtab").stat().st_size
    assert trained.student.code == 0
    assert told["output"] == "student.kdtab"
    assert told["bytes"] < teacher
    assert told["provenance"]["teacher_fingerprint"]
    assert told["provenance"]["distill_config"]["student_hidden_dim"] == 4


def test_target_exclusions_and_split_are_the_teachers(trained: Trained) -> None:
    record = json.loads(trained.student.out)["provenance"]
    assert record["training_config"]["target_column"] == "species"
    assert record["training_config"]["random_seed"] == 7
    assert record["column_options"]["exclude_columns"] == ["row"]


@pytest.mark.requirement("REQ-KD04", "REQ-KD05", "AC-KD04", "AC-KD05")
def test_config_output_and_teacher_are_refused_together(tmp_path: Path) -> None:
    run = kdtab(
        "distill", "iris.csv", "--teacher", "none.kdtab", "--temperature", "0", "--alpha", "1.5",
        "-o", "nowhere/s.kdtab", folder=tmp_path,
    )  # fmt: skip
    assert run.code == 2
    assert run.err == (
        "error: temperature must be > 0\n"
        "error: alpha must be between 0 and 1\n"
        "error: cannot write 'nowhere/s.kdtab': there is no folder 'nowhere'; create it first\n"
        "error: no bundle at 'none.kdtab': check the path and its spelling\n"
    )


@pytest.mark.requirement("REQ-KD07", "AC-KD07")
def test_another_task_than_the_teachers_is_refused(trained: Trained, tmp_path: Path) -> None:
    run = kdtab(
        "distill", trained.folder / "iris.csv", "--teacher", trained.folder / "teacher.kdtab",
        "--task", "regression", folder=tmp_path,
    )  # fmt: skip
    assert (run.code, run.err) == (2, "error: Requested task does not match teacher task.\n")


@pytest.mark.requirement("REQ-KD08", "AC-KD08")
def test_an_excluded_target_is_refused(trained: Trained, tmp_path: Path) -> None:
    run = kdtab(
        "distill", trained.folder / "iris.csv", "--teacher", trained.folder / "teacher.kdtab",
        "--exclude", "species", folder=tmp_path,
    )  # fmt: skip
    assert (run.code, run.err) == (2, "error: target_column cannot be excluded\n")


@pytest.mark.requirement("REQ-KD12", "REQ-T22")
def test_a_flipped_byte_of_the_teacher_ends_with_4(trained: Trained, tmp_path: Path) -> None:
    content = bytearray((trained.folder / "teacher.kdtab").read_bytes())
    content[-1] ^= 1
    (tmp_path / "broken.kdtab").write_bytes(bytes(content))
    run = kdtab(
        "distill", trained.folder / "iris.csv", "--teacher", "broken.kdtab", folder=tmp_path
    )
    assert run.code == 4
    assert run.err.startswith("error: 'broken.kdtab' ")
    assert not (tmp_path / "student.kdtab").exists()


@pytest.mark.requirement("INV-KD01")
def test_the_teachers_file_is_never_the_output(trained: Trained) -> None:
    before = (trained.folder / "teacher.kdtab").read_bytes()
    run = kdtab(
        "distill", "iris.csv", "--teacher", "teacher.kdtab", "-o", "teacher.kdtab",
        folder=trained.folder,
    )  # fmt: skip
    assert run.code == 2
    assert "is also the teacher, which would be overwritten" in run.err
    assert (trained.folder / "teacher.kdtab").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("iris.csv",), "missing option '-t' / '--teacher'. See `kdtab distill --help`"),
        (
            ("iris.csv", "-t", "t.kdtab", "--temprature", "3"),
            "no such option '--temprature'. Did you mean '--temperature'? "
            "See `kdtab distill --help`",
        ),
        (
            ("iris.csv", "-t", "t.kdtab", "--hidden-dim", "3"),
            "no such option '--hidden-dim'. Did you mean '--student-hidden-dim'? "
            "See `kdtab distill --help`",
        ),
        (("-t", "t.kdtab"), "missing argument 'TABLE'. See `kdtab distill --help`"),
    ],
)
def test_a_wrong_command_line_is_answered_in_a_sentence(
    arguments: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    run = kdtab("distill", *arguments, folder=tmp_path)
    assert (run.code, run.out, run.err) == (2, "", f"error: {sentence}\n")
