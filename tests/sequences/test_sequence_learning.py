"""Training on time courses: one loop, two backends, the same student."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from kdtab.config.base import parse_config
from kdtab.config.sequencerun import SequenceTraining
from kdtab.data.arrays import Float32Array
from kdtab.disk.trajectories import Trajectories, TrajectoryGroup
from kdtab.errors.issue import explain
from kdtab.models.sequences import SequenceBundle
from kdtab.models.weights import weight_arrays
from kdtab.recipes.sequences import LearnedTrajectories, learn_trajectories
from kdtab.sequence_models import (
    distill_sequence_model,
    sequence_model,
    sequence_states,
    train_sequence_model,
)

TEACHER = sequence_model(
    [{"type": "SingleDendrite", "dim": 5}, {"type": "BasicLayer", "dim": 2}], 3, random_seed=1
)
STUDENT = sequence_model(
    [{"type": "GRU", "dim": 3}, {"type": "BasicLayer", "dim": 2}], 3, random_seed=2
)
BRIEF = SequenceTraining(max_epochs=3, batch_size=7, learning_rate=0.02)


def group(series: int, seed: int, steps: int = 8) -> TrajectoryGroup:
    data = np.random.default_rng(seed).normal(size=(series, steps, 3)).astype(np.float32)
    return TrajectoryGroup(data, sequence_states(TEACHER, data), np.full(series, steps))


def lessons(**groups: TrajectoryGroup) -> Trajectories:
    known = {"train": group(20, 0), "val": group(6, 1)} | groups
    return Trajectories(None, known)  # type: ignore[arg-type]  # names of groups


def learned(
    trajectories: Trajectories, training: SequenceTraining = BRIEF, backend: str = "torch"
) -> LearnedTrajectories:
    return learn_trajectories(
        STUDENT, trajectories, "d.hdf5", training, backend="jax" if backend == "jax" else "torch"
    ).unwrap()


def weights(bundle: SequenceBundle) -> dict[str, np.ndarray]:
    return dict(weight_arrays(bundle.network))


def test_the_same_seed_gives_the_same_student_to_the_bit() -> None:
    first, second = (learned(lessons()).student for _ in range(2))
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize("pooling", ["none", "rms", "max"])
def test_both_backends_come_to_the_same_student(pooling: str) -> None:
    settings = {"max_epochs": 2, "batch_size": 10, "learning_rate": 0.02, "weight_decay": 1e-3}
    training = parse_config(SequenceTraining, {**settings, "time_pooling": pooling}).unwrap()
    in_torch, in_jax = (learned(lessons(), training, one) for one in ("torch", "jax"))
    for name, weight in weights(in_torch.student).items():
        np.testing.assert_allclose(weights(in_jax.student)[name], weight, atol=2e-5)
    assert in_jax.student.provenance.backend == "jax"
    assert in_jax.errors["val"].mse == pytest.approx(in_torch.errors["val"].mse, rel=1e-3)
    for one, other in zip(in_torch.history, in_jax.history, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-4)
        assert one.validation_loss == pytest.approx(other.validation_loss, rel=1e-4)


def test_a_call_leaves_student_teacher_and_random_state_as_they_were() -> None:
    before = (STUDENT.fingerprint, torch.get_rng_state(), torch.get_num_threads())
    trajectories = lessons()
    copies = [trajectories.groups["train"].data.copy(), trajectories.groups["train"].labels.copy()]
    learned(trajectories)
    assert STUDENT.fingerprint == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])
    assert torch.get_num_threads() == before[2]
    np.testing.assert_array_equal(trajectories.groups["train"].data, copies[0])
    np.testing.assert_array_equal(trajectories.groups["train"].labels, copies[1])


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_the_group_val_chooses_the_epoch(backend: str) -> None:
    training = SequenceTraining(max_epochs=12, batch_size=10, learning_rate=0.3)
    found = learned(lessons(), training, backend)
    losses = [one.validation_loss or 0.0 for one in found.history]
    assert losses[(found.student.provenance.best_epoch or 0) - 1] == min(losses)
    assert found.errors["val"].mse == pytest.approx(min(losses), rel=1e-4)


def test_a_student_that_is_its_teacher_stays_so() -> None:
    found = learn_trajectories(TEACHER, lessons(), "d.hdf5", BRIEF).unwrap()
    assert found.errors["val"].mse < 1e-9


def test_a_student_learns_dynamics_and_not_only_the_mean() -> None:
    training = SequenceTraining(max_epochs=60, batch_size=10, learning_rate=0.02)
    found = learned(lessons(train=group(80, 0)), training)
    assert found.errors["val"].explained is not None
    assert found.errors["val"].explained > 0.8


def test_what_fills_up_a_shorter_series_teaches_nothing() -> None:
    def shortened(filling: float) -> TrajectoryGroup:
        whole = group(20, 0)
        lengths = np.where(np.arange(20) % 2, 8, 5)
        data, labels = whole.data.copy(), whole.labels.copy()
        data[np.arange(8) >= lengths[:, None]] = filling
        labels[np.arange(9) > lengths[:, None]] = filling
        return TrajectoryGroup(data, labels, lengths)

    zeros, others = (learned(lessons(train=shortened(filling))).student for filling in (0.0, 3.0))
    for name, weight in weights(zeros).items():
        np.testing.assert_allclose(weights(others)[name], weight, atol=1e-6)


def test_labels_without_the_moment_zero_teach_the_rest() -> None:
    whole = lessons()
    short = {
        name: TrajectoryGroup(one.data, one.labels[:, 1:], one.lengths)
        for name, one in whole.groups.items()
    }
    found = learned(Trajectories(None, short))
    assert found.examples[0].first_step == 1
    # the state at t = 0 is zero on both sides, so it only dilutes the mean
    assert found.history[0].loss > learned(whole).history[0].loss


def test_a_batch_of_one_series_is_a_batch() -> None:
    found = learned(lessons(train=group(3, 0)), SequenceTraining(max_epochs=1, batch_size=1))
    assert found.student.provenance.update_steps == 3


def test_a_loss_that_is_not_finite_ends_the_run_with_its_epoch() -> None:
    broken = group(8, 0)
    broken.labels[0, 0, 0] = np.inf
    issue = learn_trajectories(STUDENT, lessons(train=broken), "d.hdf5", BRIEF).failure().first
    assert "epoch 1" in explain(issue)


def test_a_file_without_a_group_train_is_refused() -> None:
    only = Trajectories(None, {"val": group(3, 0)})
    issue = learn_trajectories(STUDENT, only, "d.hdf5", BRIEF).failure().first
    assert (
        explain(issue)
        == "'/train/data' of 'd.hdf5' must be an array of numbers [N, T, D], and is absent"
    )


def test_a_student_of_other_widths_is_refused_with_both_numbers() -> None:
    narrow = sequence_model([{"type": "GRU", "dim": 4}], 5)
    issues = learn_trajectories(narrow, lessons(), "d.hdf5", BRIEF).failure()
    assert [explain(issue) for issue in issues] == [
        "the data has 3 inputs at a step and the student has 5: they must be the same",
        "the data has 2 outputs at a step and the student has 4: they must be the same",
    ]


@pytest.mark.parametrize("missing", ["jax", "optax"])
def test_without_jax_the_error_names_the_extra(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    issue = learn_trajectories(STUDENT, lessons(), "d.hdf5", BRIEF, backend="jax").failure().first
    assert explain(issue) == (
        f"this needs the package '{missing}', which is not installed: pip install 'kdtab[jax]'"
    )


def test_jax_is_loaded_by_nobody_who_did_not_ask_for_it() -> None:
    script = (
        "import sys, numpy as np\n"
        "from kdtab.sequence_models import sequence_model, train_sequence_model\n"
        "import kdtab.cli.sequencerun\n"
        "x = np.ones((4, 3, 2))\n"
        "train_sequence_model(sequence_model([{'type': 'GRU', 'dim': 2}]), (x, x), max_epochs=1)\n"
        "print(sorted({'jax', 'optax'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    assert run.stdout == "[]\n"


def test_classes_are_learned_from_the_mean_state() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 2, 60)
    x = rng.normal(size=(60, 6, 1)) + (2 * classes - 1)[:, None, None]
    model = sequence_model([{"type": "GRU", "dim": 4}, {"type": "BasicLayer", "dim": 2}], 1)
    trained = train_sequence_model(model, (x, classes), max_epochs=30, learning_rate=0.02)
    right = sequence_states(trained, x).mean(1).argmax(1) == classes
    assert right.mean() > 0.9


@pytest.mark.parametrize(
    ("series", "sentence"),
    [
        (([1.0], [0]), r"series\[0\] must be \[N, T, D\].*an array \[1\]"),
        ((np.ones((2, 3, 1)), [0]), "a class or states .* for each series"),
        ((np.ones((2, 3, 1)), np.ones((2, 9, 1))), "a class or states"),
        ((np.ones((2, 3, 1)), [0, 0], [3, 4]), "lengths from 1 to 3"),
        ((np.ones((2, 3, 2)), [0, 0]), "the data has 2 inputs at a step and the student has 1"),
        ((np.ones((2, 3, 1)), [0, 0], [2.5, 3]), "lengths from 1 to 3"),
        ((np.ones((2, 3, 1)), [0, -1]), "classes as whole numbers from 0"),
        ((np.ones((2, 3, 1)), [0.5, 1.5]), "classes as whole numbers from 0"),
        ((np.ones((2, 3, 1)), ["a", "b"]), "classes as whole numbers from 0"),
        ((np.ones((2, 3, 1)), np.ones((2, 3))), "a class or states"),
        ((np.ones((2, 3, 1)), 3), "a class or states"),
        ((np.full((2, 3, 1), np.nan), [0, 0]), r"series\[0\] must hold finite numbers"),
        ((np.ones((2, 3, 1)), np.full((2, 4, 1), np.inf)), "series must hold finite numbers"),
        (([[1.0], [2.0, 3.0]], [0, 0]), r"series\[0\] must be \[N, T, D\]"),
        ((np.ones((2, 3, 1)),), "inputs and targets"),
        ((np.ones((2, 3, 1)), [0, 4]), "the data has 5 outputs at a step and the student has 1"),
    ],
)
def test_series_that_cannot_be_trained_on_are_refused(
    series: tuple[Float32Array, Float32Array], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        train_sequence_model(sequence_model([{"type": "GRU", "dim": 1}]), series)


@pytest.mark.parametrize(
    ("validation", "sentence"),
    [
        ((np.ones((2, 3, 2)), [0, 0]), "the validation data has 2 inputs"),
        ((np.ones((2, 3, 1)), [0, 7]), "the validation data has 8 outputs"),
        ((np.ones((2, 3, 1)), np.ones((2, 4, 1))), "what the training series have"),
    ],
)
def test_validation_series_must_be_like_those_that_train(
    validation: tuple[Float32Array, Float32Array], sentence: str
) -> None:
    model = sequence_model([{"type": "GRU", "dim": 1}])
    with pytest.raises(ValueError, match=sentence):
        train_sequence_model(model, (np.ones((2, 3, 1)), [0, 0]), validation)


@pytest.mark.parametrize(
    ("inputs", "backend", "sentence"),
    [
        (np.ones((2, 3)), "torch", r"must be \[N, T, D\]"),
        (np.ones((0, 3, 3)), "jax", "none of them 0"),
        (np.full((1, 3, 3), np.nan), "torch", "finite numbers"),
        ([[["a", "b", "c"]]], "torch", "finite numbers"),
        (np.ones((1, 3, 4)), "torch", "the data has 4 inputs at a step and the model has 3"),
        (np.ones((1, 3, 3)), "tf", "must be 'torch' or 'jax'|must be a backend"),
    ],
)
def test_inputs_without_states_are_refused_in_a_sentence(
    inputs: Float32Array, backend: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        sequence_states(STUDENT, inputs, backend=backend)  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize("given", [{"device": "warp"}, {"backend": "tf"}, {"random_seed": -1}])
def test_where_and_how_to_learn_is_checked_first(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(given))):
        distill_sequence_model(STUDENT, "no such file", **given)  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([], "layers must be a list of layers, at least one, got '[]'"),
        (None, "layers must be a list of layers, at least one, got 'None'"),
        ([{"type": "GRU"}], "layers.0.dim is required"),
        (
            [{"type": "GRU", "dim": 2, "tau": 1}],
            "unknown field 'layers.0.tau'. Known fields: 'type', 'dim'",
        ),
    ],
)
def test_a_wrong_layer_is_one_mistake(layers: list[dict[str, object]], said: str) -> None:
    with pytest.raises(ValueError, match="layers") as raised:
        sequence_model(layers)
    assert str(raised.value) == said


def test_the_seed_of_new_weights_is_checked() -> None:
    with pytest.raises(ValueError, match="random_seed must be greater than or equal to 0"):
        sequence_model([{"type": "GRU", "dim": 1}], random_seed=-1)


def test_every_mistake_is_in_the_error(tmp_path: Path) -> None:
    model = sequence_model([{"type": "GRU", "dim": 1}])
    with pytest.raises(ValueError, match="max_epochs must be") as raised:
        train_sequence_model(model, ([1.0], [0]), max_epochs=0, bach_size=2)
    assert len(getattr(raised.value, "issues", ())) == 3
