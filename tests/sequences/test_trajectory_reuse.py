"""Trajectories that are there: used without a teacher's word if they fit, refused by name if not."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

import kdtab
from kdtab.config.sequences import DistillationConfig, TrajectoryRequest
from kdtab.disk.trajectories import read_trajectories
from kdtab.errors.issue import explain
from kdtab.errors.raised import KdtabError
from kdtab.errors.sequenceteachers import DimensionsDiffer, SequenceTeacherForeign
from kdtab.errors.trajectories import (
    TrajectoriesAbsent,
    TrajectoriesChanged,
    TrajectoriesNotFinite,
    TrajectoriesOfOtherRun,
    TrajectoriesTooNew,
    TrajectoriesUnrecorded,
    TrajectoryFileBroken,
    TrajectoryFileForeign,
    TrajectoryShapeInvalid,
)
from kdtab.recipes.trajectories import distillation_data
from kdtab.teachers.trajectories import generate_trajectories
from trajectory_cases import (
    REQUEST,
    LeakyTeacher,
    leaky_states,
    random_series,
    write_source,
    write_trajectories,
)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Trajectories beside their source `s.h5`."""
    source = write_source(tmp_path / "s.h5", train=random_series(11), val=random_series(5, seed=1))
    target = tmp_path / "d.hdf5"
    generate_trajectories(source, LeakyTeacher(), target, REQUEST).unwrap()
    return target


def again(made: Path, request: TrajectoryRequest = REQUEST, teacher: str = "leaky-1") -> object:
    asked = LeakyTeacher(fingerprint=teacher)
    outcome = generate_trajectories(made.with_name("s.h5"), asked, made, request)
    assert not asked.asked
    return outcome.failure().first


def test_what_is_there_is_used_without_a_word_of_the_teacher(made: Path) -> None:
    before, teacher = made.read_bytes(), LeakyTeacher()
    outcome = generate_trajectories(made.with_name("s.h5"), teacher, made, REQUEST).unwrap()
    assert (outcome.reused, teacher.asked) == (True, [])
    assert made.read_bytes() == before


def test_every_differing_key_is_named(made: Path) -> None:
    write_source(made.with_name("s.h5"), train=random_series(12))
    request = TrajectoryRequest(subset_fraction=0.5, target_seq_len=6, seed=1)
    found = again(made, request, "leaky-2")
    assert isinstance(found, TrajectoriesOfOtherRun)
    assert [key for key, _, _ in found.differing] == [
        "teacher_fingerprint",
        "source_sha256",
        "subset_fraction",
        "scale_min",
        "scale_max",
        "seed",
    ]


def test_a_file_that_is_no_trajectories_is_never_replaced(made: Path) -> None:
    made.write_bytes(b"my notes")
    assert isinstance(again(made), TrajectoryFileForeign)
    assert made.read_bytes() == b"my notes"
    write_trajectories(made)
    assert again(made) == TrajectoriesUnrecorded(path=str(made))


@pytest.mark.parametrize("place", ["/train/data", "/val/labels"])
def test_a_changed_number_is_noticed(made: Path, place: str) -> None:
    with h5py.File(made, "a") as file:
        file[place][1, 2, 0] += 1e-3
    assert again(made) == TrajectoriesChanged(path=str(made), place=place)
    assert read_trajectories(made).failure().first == TrajectoriesChanged(
        path=str(made), place=place
    )


def test_a_record_that_is_not_that_of_the_arrays_is_noticed(made: Path) -> None:
    with h5py.File(made, "a") as file:
        del file["val"]
    found = again(made)
    assert isinstance(found, TrajectoryFileBroken)
    assert found.reason == "its arrays are not those of its record"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda text: text.replace('"format_version":1', '"format_version":2'), TrajectoriesTooNew),
        (lambda text: text.replace('"seed":42', '"seed":-1'), TrajectoryFileBroken),
        (lambda text: text.replace('"seed":42', '"seed": 42'), TrajectoryFileBroken),
        (lambda text: text.replace('"trajectories"', '"labels"'), TrajectoryFileBroken),
        (lambda text: text[:-1], TrajectoryFileBroken),
        (lambda text: "[" * 100_000, TrajectoryFileBroken),
    ],
)
def test_a_forged_record_is_refused(made: Path, change, kind) -> None:  # type: ignore[no-untyped-def]  # lambdas
    with h5py.File(made, "a") as file:
        text = bytes(file.attrs["kdtab"]).decode()
        file.attrs["kdtab"] = np.bytes_(change(text).encode()[:60_000])
    assert isinstance(again(made), kind)


def test_a_report_counts_what_is_there(made: Path) -> None:
    report = kdtab.validate_distillation_dataset(made)
    assert report.is_valid
    assert [(one.name, one.series, one.steps, one.label_steps) for one in report.groups] == [
        ("train", 11, 6, 7),
        ("val", 5, 6, 7),
    ]
    assert {(one.input_dim, one.output_dim, one.states_not_finite) for one in report.groups} == {
        (2, 3, 0)
    }


def test_a_report_finds_all_that_is_wrong(tmp_path: Path) -> None:
    path = write_trajectories(tmp_path / "d.h5")
    with h5py.File(path, "a") as file:
        file["train/labels"][3, 1] = np.nan
        file["train/data"][0, 0, 0] = np.inf
    report = kdtab.validate_distillation_dataset(path)
    assert not report.is_valid
    assert (report.groups[0].inputs_not_finite, report.groups[0].states_not_finite) == (1, 3)
    assert list(report.issues) == [
        TrajectoriesNotFinite(path=str(path), place="/train/data", count=1, series=1),
        TrajectoriesNotFinite(path=str(path), place="/train/labels", count=3, series=4),
    ]


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (None, "absent"),
        (np.zeros((6, 10, 3)), "[6, 10, 3] of type f8"),
        (np.zeros((5, 9, 3)), "[5, 9, 3] of type f8"),
        (np.zeros((6, 9)), "[6, 9] of type f8"),
        (np.zeros(6, "i8"), "[6] of type i8"),
        (np.zeros((6, 9, 3), "i8"), "[6, 9, 3] of type i8"),
    ],
)
def test_a_report_names_mismatched_labels(tmp_path: Path, labels: object, found: str) -> None:
    path = write_source(tmp_path / "d.h5", train=random_series(6))
    if labels is not None:
        with h5py.File(path, "a") as file:
            file["train/labels"] = labels
    (issue,) = kdtab.validate_distillation_dataset(path).issues
    assert isinstance(issue, TrajectoryShapeInvalid)
    assert (issue.place, issue.found) == ("/train/labels", found)


def test_a_report_names_groups_and_lengths_that_do_not_fit(tmp_path: Path) -> None:
    path = write_trajectories(tmp_path / "d.h5")
    with h5py.File(path, "a") as file:
        file["val/data"] = np.zeros((2, 8, 2), "f4")
        file["val/labels"] = np.zeros((2, 9, 5), "f4")
    (issue,) = kdtab.validate_distillation_dataset(path).issues
    assert isinstance(issue, DimensionsDiffer)
    assert (issue.first, issue.second) == (3, 5)
    with h5py.File(path, "a") as file:
        del file["val"]
        file["train/lengths"] = np.array([8, 8, 9, 8, 8, 8])
    with pytest.raises(KdtabError, match="from 1 to 8"):
        kdtab.validate_distillation_dataset(path)


def test_a_run_uses_the_trajectories_that_it_names(made: Path, tmp_path: Path) -> None:
    config = DistillationConfig(distillation_data_path=made)
    outcome = distillation_data(config, TrajectoryRequest(), None, tmp_path / "run").unwrap()
    assert (outcome.path, outcome.reused) == (str(made), True)


def test_a_run_refuses_trajectories_that_differ_from_what_it_wrote_down(made: Path) -> None:
    config = DistillationConfig(distillation_data_path=made, subset_fraction=0.5)
    request = TrajectoryRequest(target_seq_len=100)
    found = distillation_data(config, request, None, made.parent).failure().first
    assert isinstance(found, TrajectoriesOfOtherRun)
    assert [key for key, _, _ in found.differing] == ["subset_fraction", "target_seq_len"]
    other = write_source(made.with_name("other.h5"), train=random_series(2))
    again = DistillationConfig(distillation_data_path=made)
    strange = distillation_data(again, TrajectoryRequest(), other, made.parent).failure().first
    assert isinstance(strange, TrajectoriesOfOtherRun)
    assert [key for key, _, _ in strange.differing] == ["source_sha256"]


def test_named_trajectories_teach_students_of_any_seed(made: Path) -> None:
    config = DistillationConfig(distillation_data_path=made)
    outcome = distillation_data(config, TrajectoryRequest(seed=7), None, made.parent)
    assert outcome.unwrap().reused


@pytest.mark.parametrize("name", ["data", "labels"])
def test_numbers_that_are_not_finite_are_named_before_anything_learns(
    tmp_path: Path, name: str
) -> None:
    path = write_trajectories(tmp_path / "d.h5")
    with h5py.File(path, "a") as file:
        file[f"train/{name}"][3, 1, 0] = np.nan
    place = f"/train/{name}"
    wrong = TrajectoriesNotFinite(path=str(path), place=place, count=1, series=4)
    assert read_trajectories(path).failure().every == (wrong,)


def test_a_file_of_other_groups_is_told_what_it_has(tmp_path: Path) -> None:
    path = write_source(tmp_path / "d.h5", validation=random_series(2))
    (issue,) = kdtab.validate_distillation_dataset(path).issues
    assert explain(issue).endswith("and is absent: the file has '/validation/data'")


def test_a_run_takes_trajectories_of_other_programs_as_they_are(tmp_path: Path) -> None:
    path = write_trajectories(tmp_path / "d.h5")
    config = DistillationConfig(distillation_data_path=path, max_samples=3)
    outcome = distillation_data(config, TrajectoryRequest(), None, tmp_path).unwrap()
    assert outcome.record is None


def test_without_trajectories_and_teacher_a_run_ends(tmp_path: Path) -> None:
    lost = tmp_path / "no.hdf5"
    config = DistillationConfig(distillation_data_path=lost)
    found = distillation_data(config, TrajectoryRequest(), tmp_path / "s.h5", tmp_path)
    assert found.failure().first == TrajectoriesAbsent(path=str(lost))


def test_a_run_generates_into_its_folder_what_is_not_there(tmp_path: Path) -> None:
    teacher = write_trajectories(tmp_path / "teacher.h5")
    config = DistillationConfig(
        teacher_model_path=teacher, distillation_data_path=tmp_path / "no.hdf5", max_samples=4
    )
    outcome = distillation_data(config, TrajectoryRequest(), teacher, tmp_path).unwrap()
    assert outcome.path == str(tmp_path / "distillation_data.hdf5")
    again = distillation_data(config, TrajectoryRequest(), teacher, tmp_path).unwrap()
    assert (outcome.reused, again.reused) == (False, True)
    labels = read_trajectories(outcome.path).unwrap().groups["train"].labels
    assert labels.shape == (4, 9, 3)


def test_the_door_takes_the_arguments_of_the_guide(tmp_path: Path) -> None:
    teacher = write_trajectories(tmp_path / "teacher.soen")
    outcome = kdtab.generate_teacher_trajectories(
        teacher_model_path=teacher,
        source_data_path=teacher,
        output_path=tmp_path / "distillation.hdf5",
        subset_fraction=1.0,
        max_samples=None,
        batch_size=32,
        target_seq_len=8,
        scale_min=None,
        scale_max=None,
        backend="jax",
    )
    group = read_trajectories(outcome.path).unwrap().groups["train"]
    assert np.array_equal(group.labels, leaky_states(group.data))


def test_the_door_raises_all_that_is_wrong_with_its_arguments(tmp_path: Path) -> None:
    with pytest.raises(KdtabError) as raised:
        kdtab.generate_teacher_trajectories(
            "t",
            "s",
            "o",
            subset_fraction=1.5,
            batch_size=0,
            backend="numpy",  # type: ignore[arg-type]  # that it is refused is the point
        )
    assert [getattr(issue, "name", "") for issue in raised.value.issues] == [
        "subset_fraction",
        "batch_size",
        "backend",
    ]
    (tmp_path / "t.pt").write_bytes(b"PK\x03\x04")
    with pytest.raises(KdtabError) as foreign:
        kdtab.generate_teacher_trajectories(tmp_path / "t.pt", "s.h5", "o.h5")
    assert isinstance(foreign.value.issues.first, SequenceTeacherForeign)
