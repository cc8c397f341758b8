"""Several teachers as one."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients import client_frame, teacher_of
from kdtab.data.arrays import FloatArray
from kdtab.data.outputs import OutputKind
from kdtab.errors.sources import EnsembleTasksDiffer, EnsembleWeightsInvalid
from kdtab.errors.teachers import ClassesDiffer, TeacherOutputsInvalid
from kdtab.teachers.ensemble import ensemble_teacher
from kdtab.teachers.function import FunctionTeacher, function_teacher
from kdtab.teachers.hints import TeacherHints
from kdtab.teachers.network import NetworkTeacher

FRAME = pl.DataFrame({"x": [0.25, 0.5]})


def saying(
    values: object, classes: tuple[str, ...] = ("no", "yes"), kind: OutputKind = "probabilities"
) -> FunctionTeacher:
    hints = TeacherHints(classes=classes, output_kind=kind)
    return function_teacher(lambda _: values, hints).unwrap()


def number() -> FunctionTeacher:
    return function_teacher(lambda frame: frame["x"], TeacherHints(task="regression")).unwrap()


def test_weights_of_one_and_zero_are_the_first_alone() -> None:
    network, frame = NetworkTeacher(teacher_of()), client_frame()
    never = saying([[np.nan, np.nan]])
    both = ensemble_teacher([(network, 1), (never, 0)]).unwrap()
    alone, spoken = network.outputs(frame).unwrap(), both.outputs(frame).unwrap()
    np.testing.assert_array_equal(spoken.values, alone.values)
    assert (spoken.kind, spoken.classes) == (alone.kind, alone.classes)
    assert both.info == network.info


@given(
    weights=st.lists(
        st.one_of(st.just(0.0), st.floats(1e-3, 1e3), st.just(1e308)), min_size=1, max_size=5
    ).filter(any),
    factor=st.sampled_from([0.5, 3.0]),
)
def test_weights_become_shares_whatever_their_scale(weights: list[float], factor: float) -> None:
    made = ensemble_teacher([(saying([[0.3, 0.7]] * 2), weight) for weight in weights]).unwrap()
    assert all(weight >= 0 for weight in made.weights)
    assert sum(made.weights) == pytest.approx(1)
    np.testing.assert_allclose(made.outputs(FRAME).unwrap().values, [[0.3, 0.7]] * 2)
    if max(weights) < 1e300:
        again = ensemble_teacher([(number(), weight * factor) for weight in weights]).unwrap()
        assert again.weights == pytest.approx(made.weights)


def test_the_mean_is_of_probabilities_and_aligned_by_name() -> None:
    logits: FloatArray = np.log([[0.2, 0.8]] * 2) + 5
    parts = [
        (saying([[0.6, 0.4]] * 2), 1.0),
        (saying([[0.9, 0.1]] * 2, ("yes", "no")), 1.0),
        (saying(logits, kind="logits"), 2.0),
    ]
    spoken = ensemble_teacher(parts).unwrap().outputs(FRAME).unwrap()
    assert (spoken.kind, spoken.classes) == ("probabilities", ("no", "yes"))
    expected = (
        0.25 * np.array([0.6, 0.4]) + 0.25 * np.array([0.1, 0.9]) + 0.5 * np.array([0.2, 0.8])
    )
    np.testing.assert_allclose(spoken.values, [expected] * 2)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), -float("inf")])
def test_a_weight_that_is_no_share_is_refused_with_its_place(weight: float) -> None:
    issues = ensemble_teacher([(number(), 1.0), (number(), weight)]).failure()
    assert list(issues) == [EnsembleWeightsInvalid(reason=f"weight 2 is {weight}")]


def test_no_member_and_no_weight_are_refused() -> None:
    assert ensemble_teacher([]).failure().first == EnsembleWeightsInvalid(
        reason="there is no member"
    )
    issue = ensemble_teacher([(number(), 0), (number(), 0)]).failure().first
    assert issue == EnsembleWeightsInvalid(reason="every weight is 0")


def test_members_of_another_task_or_other_classes_are_refused() -> None:
    mixed = ensemble_teacher([(number(), 1), (saying([]), 1)]).failure().first
    assert isinstance(mixed, EnsembleTasksDiffer)
    other = ensemble_teacher([(saying([]), 1), (saying([], ("no", "maybe")), 1)]).failure().first
    assert other == ClassesDiffer(only_teacher=("maybe",), only_table=("yes",))


def test_every_member_that_fails_is_heard() -> None:
    parts = [(saying([[2.0, 0.0]] * 2), 1.0), (saying([[0.1, 0.1]] * 2), 1.0)]
    issues = ensemble_teacher(parts).unwrap().outputs(FRAME).failure()
    assert len(issues) == 3
    assert all(isinstance(issue, TeacherOutputsInvalid) for issue in issues)


def test_the_fingerprint_knows_members_and_weights() -> None:
    one, two = saying([[1.0, 0.0]]), saying([[0.0, 1.0]])
    prints = {
        ensemble_teacher([(first, 1), (second, weight)]).unwrap().info.fingerprint
        for first, second in ((one, two), (two, one))
        for weight in (1, 3)
    }
    assert len(prints) == 4
