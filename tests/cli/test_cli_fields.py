"""What flags and a config file say together."""

from __future__ import annotations

from pathlib import Path

from kdtab.cli.fields import given_fields, parsed_run, run_fields
from kdtab.config.columns import ColumnOptions
from kdtab.config.run import DistillRun, TrainRun


def test_a_flag_is_of_its_fields_type_or_stays_a_text_for_the_config_to_refuse() -> None:
    flags = {
        "epochs": "7", "batch_size": "7.5", "dropout": "1e-1", "target_column": "5",
        "exclude_columns": ("a", "b"), "decimal_comma": False, "patience": None, "teacher": "x",
    }  # fmt: skip
    assert given_fields(TrainRun, flags) == {
        "target_column": "5", "epochs": 7, "batch_size": "7.5", "dropout": 0.1,
        "exclude_columns": ("a", "b"), "decimal_comma": False,
    }  # fmt: skip


def test_flags_win_over_the_file_and_the_file_over_what_is_inherited(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('epochs = 9\nalpha = 0.25\nexclude_columns = ["a"]\n', encoding="utf-8")
    run = parsed_run(
        DistillRun,
        str(file),
        {"epochs": "2", "exclude_columns": ("b",)},
        target_column="y",
        alpha=0.75,
        test_size=0.3,
    ).unwrap()
    assert (run.training.epochs, run.training.test_size, run.distill.alpha) == (2, 0.3, 0.25)
    assert run.columns.exclude_columns == ("b",)


def test_a_missing_marker_is_added_to_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("missing_markers: ['-']\n", encoding="utf-8")
    flags = {"missing_markers": ("-200", "x")}
    with_file = run_fields(TrainRun, str(file), flags).unwrap()
    assert with_file["missing_markers"] == ("-", "-200", "x")
    usual = ColumnOptions().missing_markers
    assert run_fields(TrainRun, None, flags).unwrap()["missing_markers"] == (*usual, "-200", "x")
