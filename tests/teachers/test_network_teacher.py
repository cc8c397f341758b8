"""A kdtab bundle as a teacher."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clients import client_frame, own_teacher, teacher_of
from kdtab.data.artifacts import encode_features
from kdtab.errors.teachers import LabelEncoderMissing, NoTeacherColumns
from kdtab.metrics.logits import log_probabilities
from kdtab.recipes.predict import predict_frame
from kdtab.shell.infer import network_outputs
from kdtab.teachers.network import NetworkTeacher, network_teacher
from kdtab.teachers.targets import soft_targets


@pytest.mark.parametrize("task", ["classification", "regression"])
@settings(max_examples=8)
@given(data=st.data())
def test_outputs_do_not_depend_on_the_batch_nor_on_the_order_of_rows(
    task: str, data: st.DataObject
) -> None:
    frame, teacher = client_frame(task), NetworkTeacher(teacher_of(task))
    whole = teacher.outputs(frame).unwrap().values
    order = np.array(data.draw(st.permutations(range(frame.height))))
    shuffled = teacher.outputs(frame[order]).unwrap().values
    np.testing.assert_allclose(shuffled, whole[order], rtol=1e-5, atol=1e-6)
    start, rows = data.draw(st.integers(0, 79)), data.draw(st.integers(0, 9))
    part = teacher.outputs(frame.slice(start, rows)).unwrap().values
    np.testing.assert_allclose(part, whole[start : start + rows], rtol=1e-5, atol=1e-6)


def test_its_logits_are_the_predicted_probabilities_of_the_bundle() -> None:
    bundle, frame = teacher_of(), client_frame()
    spoken = NetworkTeacher(bundle).outputs(frame).unwrap()
    predicted = predict_frame(bundle, frame, "cpu").unwrap()
    shares = np.exp(log_probabilities(spoken.values.astype(np.float32)))
    for place, name in enumerate(spoken.classes):
        np.testing.assert_allclose(predicted[f"probability_{name}"], shares[:, place], rtol=1e-6)


def test_its_values_are_in_the_unit_of_the_target() -> None:
    bundle, frame = teacher_of("regression"), client_frame("regression")
    spoken = NetworkTeacher(bundle).outputs(frame).unwrap()
    predicted = predict_frame(bundle, frame, "cpu").unwrap()["prediction"]
    np.testing.assert_allclose(spoken.values[:, 0], predicted)
    assert (spoken.kind, spoken.classes, spoken.values.shape) == ("values", (), (80, 1))


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_its_soft_targets_are_the_outputs_of_the_network(task: str) -> None:
    bundle, frame = teacher_of(task), client_frame(task)
    spoken = NetworkTeacher(bundle).outputs(frame).unwrap()
    made = soft_targets(spoken, bundle.class_names, bundle.target_scaler).unwrap()
    raw = network_outputs(bundle.model, encode_features(frame, bundle.artifacts))
    np.testing.assert_allclose(made, raw, rtol=1e-6, atol=1e-6)
    if task == "classification":
        np.testing.assert_array_equal(made, raw)


def test_the_student_can_inherit_the_very_artifacts() -> None:
    bundle = teacher_of()
    info = NetworkTeacher(bundle).info
    assert info.artifacts is not None
    assert info.artifacts.scaler is bundle.scaler
    assert info.fingerprint == bundle.fingerprint
    assert info.size_bytes is not None


@pytest.mark.requirement("INV-KD01", "REQ-KD16")
def test_it_is_left_as_it_was() -> None:
    bundle = own_teacher()
    bundle.model.train()
    before = bundle.fingerprint
    state = torch.get_rng_state()
    NetworkTeacher(bundle).outputs(client_frame()).unwrap()
    assert bundle.model.training
    assert bundle.fingerprint == before
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.requirement("REQ-KD12")
def test_classes_without_names_are_refused() -> None:
    bundle = replace(teacher_of(), label_encoder=None)
    assert network_teacher(bundle).failure().first == LabelEncoderMissing()
    nameless = NetworkTeacher(replace(bundle, class_names=()))
    assert nameless.outputs(client_frame()).failure().first == LabelEncoderMissing()


def test_a_table_of_other_columns_is_refused() -> None:
    issue = NetworkTeacher(teacher_of()).outputs(pl.DataFrame({"x": [1]})).failure().first
    assert isinstance(issue, NoTeacherColumns)
    assert issue.found == ("x",)
