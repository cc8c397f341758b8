from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from clients import client_frame, clients, own_teacher, teacher_of
from kdtab.data.artifacts import encode_features
from kdtab.errors.configs import DeviceUnusable
from kdtab.errors.teachers import LabelEncoderMissing
from kdtab.recipes.predict import bundle_outputs, predict_frame
from kdtab.trainer import predict_rows
from oracles import softmax_twin


@pytest.mark.requirement("REQ-T20")
def test_a_classification_gives_a_label_and_a_probability_for_each_class() -> None:
    found = predict_frame(teacher_of(), client_frame()).unwrap()
    assert found.columns == ["prediction", "probability_no", "probability_yes"]
    assert found.schema["prediction"] == pl.String
    assert found["prediction"].to_list() == predict_rows(teacher_of(), clients())
    shares = found.select(pl.exclude("prediction")).to_numpy()
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-12)
    inputs = torch.from_numpy(encode_features(client_frame(), teacher_of().artifacts))
    with torch.no_grad():
        logits = teacher_of().model(inputs).double().numpy()
    np.testing.assert_allclose(shares, softmax_twin(logits), rtol=1e-6)
    likeliest = np.array(["no", "yes"])[shares.argmax(axis=1)]
    assert found["prediction"].to_list() == likeliest.tolist()


@pytest.mark.requirement("REQ-T21")
def test_a_regression_gives_values() -> None:
    bundle = teacher_of("regression")
    found = predict_frame(bundle, client_frame("regression")).unwrap()
    assert found.columns == ["prediction"]
    assert found.schema["prediction"] == pl.Float64
    assert found["prediction"].to_list() == predict_rows(bundle, clients())


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_no_rows_keep_the_columns(task: str) -> None:
    full = predict_frame(teacher_of(task), client_frame(task)).unwrap()
    assert (
        predict_frame(teacher_of(task), client_frame(task).clear()).unwrap().schema == full.schema
    )


def test_outputs_are_the_networks_own() -> None:
    outputs = bundle_outputs(teacher_of(), client_frame(), "cpu").unwrap()
    assert outputs.shape == (80, 2)
    assert outputs.dtype == np.float32


def test_a_device_that_is_not_there_is_a_failure() -> None:
    failed = predict_frame(teacher_of(), client_frame(), "cuda:99")
    assert isinstance(failed.failure().first, DeviceUnusable)


def test_a_classification_without_its_encoder_is_a_failure() -> None:
    bundle = replace(teacher_of(), label_encoder=None)
    assert isinstance(predict_frame(bundle, client_frame()).failure().first, LabelEncoderMissing)


def test_huge_logits_give_probabilities_and_no_nan() -> None:
    bundle = own_teacher()
    with torch.no_grad():
        list(bundle.model.parameters())[-1].copy_(torch.tensor([3e4, -3e4]))
    found = predict_frame(bundle, client_frame()).unwrap()
    assert found["probability_no"].to_list() == [1.0] * 80
    assert found["probability_yes"].to_list() == [0.0] * 80
