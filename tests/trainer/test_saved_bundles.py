"""`load_bundle` and `save_bundle` as the trainer shows them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch

from clients import clients, teacher_of
from kdtab import serialization, trainer
from spies import record_calls_everywhere, weights


@pytest.mark.requirement("REQ-T22", "AC-T22")
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_loading_gives_what_serialization_gives(tmp_path: Path, task: str) -> None:
    path = tmp_path / "model.kdtab"
    trainer.save_bundle(teacher_of(task), path)
    here, there = trainer.load_bundle(path), serialization.load_bundle(path)
    assert here.fingerprint == there.fingerprint == teacher_of(task).fingerprint
    assert weights(here.model) == weights(there.model)
    for field in fields(here):
        ours, theirs = getattr(here, field.name), getattr(there, field.name)
        if field.name == "feature_medians":
            np.testing.assert_array_equal(ours, theirs)
        elif field.name != "model":
            assert ours == theirs, field.name


@pytest.mark.requirement("REQ-T22")
def test_loading_is_one_read_of_the_file_with_the_device_handed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.kdtab"
    trainer.save_bundle(teacher_of(), path)
    reads = record_calls_everywhere(monkeypatch, "read_record")
    loaded = trainer.load_bundle(path, map_location="cpu")
    assert reads == ["read_record"]
    assert next(loaded.model.parameters()).device == torch.device("cpu")
    with pytest.raises(ValueError, match="device 'banana' cannot be used"):
        trainer.load_bundle(path, map_location="banana")


@pytest.mark.requirement("REQ-T22", "AC-T22")
def test_a_loaded_model_is_in_eval_mode_and_predicts_the_same(tmp_path: Path) -> None:
    path = tmp_path / "model.kdtab"
    trainer.save_bundle(teacher_of("regression"), path)
    loaded = trainer.load_bundle(path)
    assert not any(module.training for module in loaded.model.modules())
    said = trainer.predict_rows(loaded, clients())
    assert said == trainer.predict_rows(teacher_of("regression"), clients())


@pytest.mark.requirement("REQ-T23", "AC-T23")
def test_saving_is_serializations_very_function() -> None:
    assert trainer.save_bundle is serialization.save_bundle
    assert "save_bundle" in trainer.__all__
