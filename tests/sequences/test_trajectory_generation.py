"""What is written: the teacher's states of the chosen series, whatever the batch size."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import polars as pl
import pytest
from returns.result import Success

from kdtab.config.base import revise
from kdtab.config.sequences import SequenceColumns, TrajectoryRequest
from kdtab.config.trajectories import example_record
from kdtab.data.arrays import Float32Array
from kdtab.data.resampling import resampled_series
from kdtab.data.sampling import sampled_places
from kdtab.disk.trajectories import Trajectories, read_trajectories
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.extras import ExtraMissing
from kdtab.errors.sequences import InputsNotFinite, NoSeriesLeft, SequenceColumnsNeeded
from kdtab.errors.sequenceteachers import DimensionsDiffer, StatesInvalid
from kdtab.errors.tables import FileMissing, FolderMissing
from kdtab.errors.trajectories import (
    ScalingWithoutTrain,
    SourceChanged,
    SourceScaled,
    TrajectoryShapeInvalid,
)
from kdtab.results import Checked
from kdtab.teachers.sequenceinfo import SequenceTeacherInfo
from kdtab.teachers.trajectories import generate_trajectories
from trajectory_cases import REQUEST, LeakyTeacher, leaky_states, random_series, write_source

PLAIN = TrajectoryRequest()


def generated(
    source: Path, request: TrajectoryRequest = PLAIN, teacher: LeakyTeacher | None = None
) -> Trajectories:
    target = source.with_name("out.hdf5")
    target.unlink(missing_ok=True)
    generate_trajectories(source, teacher or LeakyTeacher(), target, request).unwrap()
    assert not target.with_name("out.hdf5.parts").exists()
    return read_trajectories(target).unwrap()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_source(tmp_path / "s.h5", train=random_series(23), val=random_series(5, seed=1))


def test_the_file_has_the_format_of_the_guide(source: Path) -> None:
    generated(source)
    with h5py.File(source.with_name("out.hdf5")) as file:
        assert sorted(file) == ["train", "val"]
        assert sorted(file["train"]) == ["data", "labels"]
        assert file["train/data"].shape == (23, 8, 2)
        assert file["train/labels"].shape == (23, 9, 3)
        assert file["val/labels"].dtype == np.dtype("<f4")
        assert file["val/data"].dtype == np.dtype("<f4")
        assert isinstance(file.attrs["kdtab"], np.bytes_)


def test_the_record_says_whose_states_they_are(source: Path) -> None:
    record = generated(source, REQUEST).record
    assert record is not None
    assert (record.teacher_fingerprint, record.request) == ("leaky-1", REQUEST)
    assert [(group.name, group.available, group.series) for group in record.groups] == [
        ("train", 23, 23),
        ("val", 5, 5),
    ]


def test_states_are_the_teachers_of_the_inputs_in_the_file(source: Path) -> None:
    found = generated(source, REQUEST)
    for group in found.groups.values():
        assert np.allclose(group.labels, leaky_states(group.data), rtol=0, atol=1e-6)
        assert (group.labels[:, 0] == 0).all()


def test_chosen_series_are_resampled_then_scaled_once(source: Path) -> None:
    request = revise(REQUEST, subset_fraction=0.5, max_samples=9, seed=5).unwrap()
    found = generated(source, request)
    places = {
        "train": sampled_places("train", 23, 0.5, 9, 5).unwrap(),
        "val": sampled_places("val", 5, 0.5, 9, 5).unwrap(),
    }
    train = resampled_series(random_series(23)[places["train"]], 6)
    least, greatest = train.min((0, 1)), train.max((0, 1))
    val = resampled_series(random_series(5, seed=1)[places["val"]], 6)
    for name, raw in (("train", train), ("val", val)):
        expected = -1 + 2 * (raw - least) / (greatest - least)
        assert np.allclose(found.groups[name].data, expected, atol=1e-6)  # type: ignore[index]
    assert found.groups["train"].data.min() == -1
    assert found.groups["train"].data.max() == 1
    with h5py.File(source.with_name("out.hdf5")) as file:
        assert np.array_equal(file["scaling/minimum"][:], least)
        assert np.array_equal(file["scaling/maximum"][:], greatest)


@pytest.mark.parametrize("batch_size", [1, 7, 23, 1_000])
def test_the_batch_size_changes_no_state(source: Path, batch_size: int) -> None:
    one = generated(source, revise(REQUEST, batch_size=batch_size).unwrap())
    other = generated(source, REQUEST)
    for name, group in other.groups.items():
        assert np.array_equal(one.groups[name].data, group.data)
        assert np.allclose(one.groups[name].labels, group.labels, rtol=0, atol=1e-6)


def test_one_batch_size_gives_the_same_bytes(source: Path) -> None:
    generated(source, REQUEST)
    first = source.with_name("out.hdf5").read_bytes()
    generated(source, REQUEST)
    assert source.with_name("out.hdf5").read_bytes() == first


def test_a_larger_fraction_contains_the_series_of_a_smaller_one(source: Path) -> None:
    few = generated(source, TrajectoryRequest(subset_fraction=0.4))
    more = generated(source, TrajectoryRequest(subset_fraction=0.8))
    kept = {series.tobytes() for series in more.groups["train"].data}
    assert {series.tobytes() for series in few.groups["train"].data} < kept


def test_a_file_without_groups_is_train(tmp_path: Path) -> None:
    found = generated(write_source(tmp_path / "s.h5", alone=random_series(4)))
    assert list(found.groups) == ["train"]


def test_labels_of_the_source_are_passed_over(tmp_path: Path) -> None:
    path = write_source(tmp_path / "s.h5", train=random_series(4))
    with h5py.File(path, "a") as file:
        file["train/labels"] = np.arange(4)
    assert generated(path).groups["train"].labels.shape == (4, 9, 3)


@pytest.mark.parametrize(
    ("kind", "packing"),
    [("<f8", None), (">f4", "gzip"), ("<f2", "lzf"), ("<i4", "gzip"), ("u1", None)],
)
def test_numbers_of_any_width_and_packing_are_read(
    tmp_path: Path, kind: str, packing: str | None
) -> None:
    whole = np.random.default_rng(0).integers(0, 100, (6, 8, 2)).astype(kind)
    with h5py.File(tmp_path / "s.h5", "w") as file:
        chunks = None if packing is None else (4, 3, 2)
        file.create_dataset("train/data", data=whole, compression=packing, chunks=chunks)
    found = generated(tmp_path / "s.h5", TrajectoryRequest(subset_fraction=0.5)).groups["train"]
    places = sampled_places("train", 6, 0.5, None, 42).unwrap()
    assert np.array_equal(found.data, whole[places].astype(np.float32))


def test_no_teacher_sees_what_fills_up_a_shorter_series(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": [0, 0, 0, 1, 2, 2, 2], "a": range(7), "b": [1.0] * 7})
    frame.write_parquet(tmp_path / "t.parquet")
    teacher = LeakyTeacher()
    request = TrajectoryRequest(columns=SequenceColumns(series_column="id"))
    group = generated(tmp_path / "t.parquet", request, teacher).groups["train"]
    assert sorted(teacher.asked) == [(1, 1, 2), (2, 3, 2)]
    assert group.lengths.tolist() == [3, 1, 3]
    assert not group.data[1, 1:].any()
    assert not group.labels[1, 2:].any()
    assert np.allclose(group.labels[1, :2], leaky_states(group.data[1:2, :1])[0])


def test_lengths_of_a_source_are_kept_and_its_filling_is_not(tmp_path: Path) -> None:
    data = random_series(3)
    data[1, 5:] = np.nan
    path = write_source(tmp_path / "s.h5", train=data)
    with h5py.File(path, "a") as file:
        file["train/lengths"] = np.array([8, 5, 8], dtype="i4")
    group = generated(path).groups["train"]
    assert group.lengths.tolist() == [8, 5, 8]
    assert not group.data[1, 5:].any()
    even = generated(path, TrajectoryRequest(target_seq_len=6)).groups["train"]
    assert np.allclose(even.data[1], resampled_series(data[1, :5], 6), atol=1e-6)
    assert even.lengths.tolist() == [6, 6, 6]


def test_nothing_of_the_source_changes(source: Path) -> None:
    before = source.read_bytes()
    generated(source, REQUEST)
    assert source.read_bytes() == before


def failed(source: Path, request: TrajectoryRequest = PLAIN, teacher: object = None) -> object:
    target = source.with_name("failed.hdf5")
    known = teacher or LeakyTeacher()
    outcome = generate_trajectories(source, known, target, request)  # type: ignore[arg-type]
    assert not target.exists()
    return outcome.failure().first


def test_numbers_that_are_not_finite_are_named(tmp_path: Path) -> None:
    data = random_series(9)
    data[7, 3] = [np.nan, 1e39]  # the second is infinite as float32
    path = write_source(tmp_path / "s.h5", train=random_series(2), val=data)
    assert failed(path) == InputsNotFinite(path=str(path), group="val", series=8, count=2)


def test_a_fraction_that_leaves_no_series_is_refused_before_the_teacher_is_asked(
    source: Path,
) -> None:
    teacher = LeakyTeacher()
    found = failed(source, TrajectoryRequest(subset_fraction=0.1), teacher)
    assert found == NoSeriesLeft(group="val", available=5, fraction=0.1)
    assert not teacher.asked


def test_other_inputs_than_the_teachers_are_refused_with_both_numbers(tmp_path: Path) -> None:
    teacher = LeakyTeacher()
    path = write_source(tmp_path / "s.h5", train=np.zeros((3, 4, 5)))
    found = failed(path, teacher=teacher)
    assert isinstance(found, DimensionsDiffer)
    assert (found.what, found.first, found.second) == ("inputs", 2, 5)
    assert not teacher.asked


def test_groups_of_other_width_are_refused(tmp_path: Path) -> None:
    path = write_source(tmp_path / "s.h5", train=random_series(3), val=np.zeros((3, 8, 4)))
    found = failed(path)
    assert isinstance(found, DimensionsDiffer)
    assert (found.one, found.first, found.other, found.second) == ("train", 2, "val", 4)


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 2, 1), (0, 4, 2), (3, 0, 2), (7,)])
def test_arrays_that_are_no_series_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    found = failed(write_source(tmp_path / "s.h5", train=np.zeros(shape)))
    assert isinstance(found, TrajectoryShapeInvalid)
    assert found.found == str(list(shape))


def test_scaled_inputs_are_never_scaled_again(source: Path) -> None:
    generated(source, REQUEST)
    scaled = source.with_name("out.hdf5")
    found = failed(scaled, TrajectoryRequest(scale_min=0.0, scale_max=1.0))
    assert found == SourceScaled(path=str(scaled))
    target = source.with_name("twice.hdf5")
    assert generate_trajectories(scaled, LeakyTeacher(), target).unwrap().record is not None


def test_a_course_too_long_for_the_memory_is_refused_before_the_teacher_is_asked(
    source: Path,
) -> None:
    found = failed(source, TrajectoryRequest(target_seq_len=2**24))
    assert isinstance(found, FieldInvalid)
    assert found.name == "target_seq_len"
    assert "for batches of 23 series" in found.rule
    assert not source.with_name("out.hdf5").exists()


def test_scaling_needs_a_group_to_fit_on(tmp_path: Path) -> None:
    path = write_source(tmp_path / "s.h5", val=random_series(3))
    assert failed(path, REQUEST) == ScalingWithoutTrain(path=str(path))
    assert list(generated(path).groups) == ["val"]


@pytest.mark.parametrize("wrong", ["short", "wide", "nan"])
def test_unusable_states_are_refused(source: Path, wrong: str) -> None:
    class Broken(LeakyTeacher):
        def states(self, x: Float32Array) -> Checked[Float32Array]:
            states = leaky_states(x)
            states[0, 1] = np.nan if wrong == "nan" else 0
            return Success({"short": states[:, 1:], "wide": states[..., :2]}.get(wrong, states))

    assert isinstance(failed(source, teacher=Broken()), StatesInvalid)


def test_a_teacher_of_one_length_is_refused_others_with_both_numbers(source: Path) -> None:
    class Fixed(LeakyTeacher):
        @property
        def info(self) -> SequenceTeacherInfo:
            return SequenceTeacherInfo("fixed", 2, 3, "fixed-1", steps=6)

    found = failed(source, teacher=Fixed())
    assert isinstance(found, DimensionsDiffer)
    assert (found.what, found.first, found.second) == ("steps", 6, 8)
    found_six = generated(source, TrajectoryRequest(target_seq_len=6), Fixed())
    assert found_six.groups["val"].data.shape == (5, 6, 2)


def test_a_source_that_changes_meanwhile_ends_in_an_issue(source: Path) -> None:
    class Meddler(LeakyTeacher):
        def states(self, x: Float32Array) -> Checked[Float32Array]:
            with source.open("ab") as file:
                file.write(b"\x00")
            return super().states(x)

    assert failed(source, teacher=Meddler()) == SourceChanged(path=str(source))


def test_a_missing_source_or_folder_is_an_issue(source: Path) -> None:
    lost = source.with_name("no.h5")
    assert failed(lost) == FileMissing(path=str(lost))
    target = source.parent / "no" / "d.hdf5"
    found = generate_trajectories(source, LeakyTeacher(), target).failure().first
    assert isinstance(found, FolderMissing)


def test_a_table_needs_its_columns_and_hdf5_has_none(source: Path, tmp_path: Path) -> None:
    pl.DataFrame({"x": [1.0]}).write_csv(tmp_path / "t.csv")
    assert failed(tmp_path / "t.csv") == SequenceColumnsNeeded(
        path=str(tmp_path / "t.csv"), is_table=True
    )
    request = TrajectoryRequest(columns=SequenceColumns())
    assert failed(source, request) == SequenceColumnsNeeded(path=str(source), is_table=False)


def test_progress_is_heard_of_after_each_batch(source: Path) -> None:
    heard: list[tuple[int, int]] = []
    request = TrajectoryRequest(batch_size=10)
    generate_trajectories(
        source,
        LeakyTeacher(),
        source.with_name("heard.hdf5"),
        request,
        heard=lambda done, series: heard.append((done, series)),
    ).unwrap()
    assert heard == [(10, 28), (20, 28), (23, 28), (28, 28)]


def test_a_plan_follows_everything_that_is_asked_for() -> None:
    record = example_record()
    other = revise(record, request=TrajectoryRequest(batch_size=1)).unwrap()
    assert record.plan != other.plan
    assert record.plan == revise(record, groups=()).unwrap().plan


def test_without_h5py_no_teacher_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kdtab.disk.hdf5.find_spec", lambda _: None)
    table, teacher = tmp_path / "t.csv", LeakyTeacher()
    table.write_text("id,a,b\n1,0.5,1\n1,2,3\n", encoding="utf-8")
    request = TrajectoryRequest(columns=SequenceColumns(series_column="id"))
    outcome = generate_trajectories(table, teacher, tmp_path / "d.hdf5", request)
    assert outcome.failure().every == (ExtraMissing(extra="sequences", package="h5py"),)
    assert (teacher.asked, [path.name for path in tmp_path.iterdir()]) == ([], ["t.csv"])
