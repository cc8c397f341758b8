"""`kdtab distill` with lists in its flags."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.conftest import Trained, kdtab
from kdtab.cli.variants import asked_search
from kdtab.errors.configs import AlphaOutOfRange, FieldInvalid


def test_a_bundle_teaches_every_combination_and_the_best_is_saved(
    trained: Trained, tmp_path: Path
) -> None:
    run = kdtab(
        "distill", trained.folder / "iris.csv", "--teacher", trained.folder / "teacher.kdtab",
        "--alpha", ".3,.7", "--temperature", "1,4", "--epochs", "2", "-o", "s.kdtab", "--json",
        folder=tmp_path,
    )  # fmt: skip
    assert run.code == 0, run.err
    told = json.loads(run.out)
    assert [(each["alpha"], each["temperature"]) for each in told["students"]] == [
        (0.3, 1), (0.3, 4), (0.7, 1), (0.7, 4),
    ]  # fmt: skip
    (best,) = [each for each in told["students"] if each["is_best"]]
    assert best["validation_loss"] == min(each["validation_loss"] for each in told["students"])
    assert told["metrics"] == best["metrics"]
    saved = told["provenance"]
    assert saved["distill_config"]["alpha"] == best["alpha"]
    assert saved["training_config"]["validation_size"] == 0.15
    assert (tmp_path / "s.kdtab").exists()


def test_people_read_all_students_and_which_is_best(trained: Trained, tmp_path: Path) -> None:
    run = kdtab(
        "distill", trained.folder / "iris.csv", "--target", "species", "-t", "boosted",
        "--exclude", "row", "--alpha", ".3,1", "--validation-size", "0.2", "--epochs", "2",
        "-o", "s.kdtab", "--report", "r.txt", folder=tmp_path,
    )  # fmt: skip
    assert run.code == 0, run.err
    assert "best of 2 students by the loss of 30 validation rows:" in run.out
    (starred,) = [line for line in run.out.splitlines() if line.startswith("*")]
    assert starred.split()[1] in ("0.3", "1")
    assert (tmp_path / "s.scratch.kdtab").exists()
    assert (tmp_path / "r.txt").exists()


def test_a_search_without_validation_rows_is_refused(trained: Trained, tmp_path: Path) -> None:
    run = kdtab(
        "distill", trained.folder / "iris.csv", "--target", "species", "-t", "boosted",
        "--alpha", ".3,.5", "--validation-size", "0", folder=tmp_path,
    )  # fmt: skip
    assert run.code == 2
    assert "validation_size must leave validation rows" in run.err


def test_every_mistake_of_the_lists_is_said_at_once() -> None:
    issues = asked_search({"alpha": ".3,1.5", "random_seed": "1,x"}).failure().every
    assert [type(issue) for issue in issues] == [AlphaOutOfRange, FieldInvalid]


@pytest.mark.parametrize("flags", [{"alpha": ".3"}, {"exclude_columns": ("a,b",)}, {}])
def test_flags_without_a_list_are_left_as_they_are(flags: dict[str, object]) -> None:
    search = asked_search(flags).unwrap()
    assert (search.flags, search.variants) == (flags, ())


def test_a_value_that_is_given_twice_is_one_student() -> None:
    search = asked_search({"alpha": "0.3,.3,0.5", "epochs": "3"}).unwrap()
    assert [each.alpha for each in search.variants] == [0.3, 0.5]
    assert search.flags == {"epochs": "3"}
