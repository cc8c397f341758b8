"""Laws of whole runs: what must not change a model, a prediction, or the process around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clients import (
    DATES,
    FEATURES,
    client_frame,
    clients,
    config_for,
    features_of,
    own_teacher,
    teacher_of,
    write_clients,
)
from kdtab.bundle import ModelBundle
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import Task, TrainingConfig
from kdtab.data.artifacts import Artifacts, encode_features
from kdtab.data.prepare import PreparedTable, prepare_with_artifacts
from kdtab.models.network import TabularNetwork
from kdtab.recipes.compare import compare_models
from kdtab.recipes.distill import distill_student
from kdtab.recipes.predict import predict_frame
from kdtab.recipes.train import train_model
from kdtab.results import Checked
from kdtab.shell.infer import network_outputs
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import Batch
from kdtab.trainer import (
    distill_model_from_file,
    load_bundle,
    predict_rows,
    save_bundle,
    train_model_from_file,
)
from spies import random_states, stir_random_states, weights

tasks = st.sampled_from(["classification", "regression"])
seeds = st.integers(0, 2**32 - 1)
orders = st.permutations(range(len(client_frame().columns)))
few, several = settings(max_examples=6), settings(max_examples=25)

SMALL = {"epochs": 2, "hidden_dim": 6, "num_hidden_layers": 1}


def student(
    teacher: ModelBundle, config: TrainingConfig, alpha: float, frame: pl.DataFrame | None = None
) -> dict[str, bytes]:
    rows = client_frame(teacher.task) if frame is None else frame
    distilled = distill_student(rows, teacher, config, DistillConfig(alpha=alpha), device="cpu")
    return weights(distilled.unwrap().bundle.model)


@pytest.mark.requirement("REQ-T01", "AC-T01")
@few
@given(
    task=tasks, seed=seeds, mode=st.sampled_from(["mlp_dense", "tabresnet", "linear_glm_baseline"])
)
def test_the_same_seed_gives_the_same_bits(task: str, seed: int, mode: str) -> None:
    config = config_for(task, random_seed=seed, training_mode=mode, **SMALL)
    first, again = (train_model(client_frame(task), config).unwrap() for _ in range(2))
    assert weights(first.bundle.model) == weights(again.bundle.model)
    assert first.metrics == again.metrics


@pytest.mark.requirement("REQ-KD09", "AC-KD09", "INV-KD04")
@few
@given(task=tasks, seed=seeds, alpha=st.sampled_from([0.0, 0.4, 1.0]))
def test_a_teacher_from_a_file_gives_the_bits_of_one_from_memory(
    tmp_path_factory: pytest.TempPathFactory, task: str, seed: int, alpha: float
) -> None:
    path = tmp_path_factory.mktemp("laws") / "teacher.kdtab"
    save_bundle(teacher_of(task), path)
    config = config_for(task, random_seed=seed, **SMALL)
    assert student(teacher_of(task), config, alpha) == student(load_bundle(path), config, alpha)


@few
@given(task=tasks, order=orders)
def test_the_order_of_columns_changes_no_bit_of_teacher_or_student(
    task: str, order: list[int]
) -> None:
    frame = client_frame(task)
    turned = frame.select([frame.columns[at] for at in order])
    config = config_for(task, **SMALL)
    first, again = (train_model(rows, config, columns=DATES).unwrap() for rows in (frame, turned))
    assert weights(first.bundle.model) == weights(again.bundle.model)
    teacher = first.bundle
    assert student(teacher, config, 0.5) == student(teacher, config, 0.5, turned)


@pytest.mark.requirement("EC-KD02")
@few
@given(task=tasks, seed=seeds, scale=st.sampled_from([0.0, 1.0, 100.0]))
def test_at_alpha_one_any_finite_teacher_gives_the_same_bits(
    task: str, seed: int, scale: float
) -> None:
    other = own_teacher(task)
    drawn = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in other.model.parameters():
            parameter.copy_(scale * torch.randn(parameter.shape, generator=drawn))
    config = config_for(task, random_seed=seed, **SMALL)
    assert student(other, config, 1.0) == student(teacher_of(task), config, 1.0)


def student_of_other_targets(alpha: float, config: TrainingConfig, shift: int) -> dict[str, bytes]:
    """A student whose training targets, and nothing else, were dealt out anew."""

    def prepare(
        frame: pl.DataFrame,
        config: TrainingConfig,
        options: ColumnOptions,
        artifacts: Artifacts,
        task: Task,
        labels: LabelConfig | None = None,
    ) -> Checked[PreparedTable]:
        return prepare_with_artifacts(frame, config, options, artifacts, task, labels).map(
            lambda prepared: replace(
                prepared,
                training=replace(
                    prepared.training, targets=np.roll(prepared.training.targets, shift)
                ),
            )
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kdtab.teachers.instruction.prepare_with_artifacts", prepare)
        task = "classification" if config.target_column == "bought" else "regression"
        return student(teacher_of(task), config, alpha)


@pytest.mark.requirement("EC-KD01")
@few
@given(task=tasks, shift=st.integers(1, 60))
def test_at_alpha_zero_any_valid_targets_give_the_same_bits(task: str, shift: int) -> None:
    config = config_for(task, **SMALL)
    assert student_of_other_targets(0.0, config, shift) == student(teacher_of(task), config, 0.0)
    assert student_of_other_targets(0.5, config, shift) != student(teacher_of(task), config, 0.5)


@given(task=tasks, alpha=st.floats(0, 1, exclude_max=True), temperature=st.floats(0.5, 10))
def test_a_student_that_is_its_teacher_has_no_soft_loss(
    task: Task, alpha: float, temperature: float
) -> None:
    bundle = teacher_of(task)
    inputs = encode_features(client_frame(task), bundle.artifacts)
    spoken = torch.from_numpy(network_outputs(bundle.model, inputs))
    learn = SoftTargetTask(task, alpha=alpha, temperature=temperature)
    targets = torch.zeros(80, dtype=torch.int64) if task == "classification" else torch.zeros(80, 1)
    assert isinstance(bundle.model, TabularNetwork)
    terms = learn.terms(
        bundle.model, Batch(torch.from_numpy(inputs), targets, learn.prepare(spoken))
    )
    assert abs(terms["soft"].item()) < 1e-6


@several
@given(
    task=tasks,
    order=st.permutations(FEATURES),
    extra=st.dictionaries(st.text(), st.integers(), max_size=3),
)
def test_the_order_of_keys_and_foreign_keys_change_no_prediction(
    task: str, order: list[str], extra: dict[str, int]
) -> None:
    rows = features_of(clients(12))
    foreign = {name: cell for name, cell in extra.items() if name not in FEATURES}
    turned = [foreign | {name: row[name] for name in order} for row in rows]
    assert predict_rows(teacher_of(task), turned) == predict_rows(teacher_of(task), rows)
    frame = pl.DataFrame(rows).select(order).with_columns(other=pl.lit("x"))
    assert predict_rows(teacher_of(task), frame) == predict_rows(teacher_of(task), rows)


@several
@given(task=tasks, cuts=st.sets(st.integers(1, 79), max_size=6), order=st.permutations(range(80)))
def test_rows_are_predicted_alone_as_among_others(
    task: str, cuts: set[int], order: list[int]
) -> None:
    rows = features_of(clients())
    together = predict_frame(teacher_of(task), pl.DataFrame(rows)).unwrap()
    bounds = [0, *sorted(cuts), 80]
    pieces = [
        predict_frame(teacher_of(task), pl.DataFrame([rows[at] for at in order[low:high]])).unwrap()
        for low, high in pairwise(bounds)
    ]
    apart, expected = pl.concat(pieces), together[order]
    if task == "classification":
        assert apart["prediction"].to_list() == expected["prediction"].to_list()
        apart, expected = apart.drop("prediction"), expected.drop("prediction")
    np.testing.assert_allclose(apart.to_numpy(), expected.to_numpy(), rtol=1e-5, atol=1e-7)


def public_calls(folder: Path) -> dict[str, Callable[[], object]]:
    """Every public function, once so that it succeeds and once so that it raises."""
    path, frame, bundle = write_clients(folder), client_frame(), teacher_of()
    config, bad = config_for(**SMALL), config_for(batch_size=1)
    saved = folder / "saved.kdtab"
    save_bundle(bundle, saved)
    trees = config_for(training_mode="tree_teacher_distillation", **SMALL)
    return {
        "train": lambda: train_model_from_file(path, config),
        "train trees": lambda: train_model_from_file(path, trees),
        "train raises": lambda: train_model_from_file(path, bad),
        "train excluded": lambda: train_model_from_file(path, config, exclude_columns=["bought"]),
        "train nothing": lambda: train_model_from_file(folder / "none.csv", config),
        "distil": lambda: distill_model_from_file(path, config, teacher_bundle=bundle),
        "distil from a file": lambda: distill_model_from_file(path, config, teacher_path=saved),
        "distil raises": lambda: distill_model_from_file(path, bad, teacher_bundle=bundle),
        "distil cold": lambda: distill_model_from_file(path, config, temperature=0),
        "predict": lambda: predict_rows(bundle, clients()),
        "predict raises": lambda: predict_rows(replace(bundle, label_encoder=None), clients()),
        "save": lambda: save_bundle(bundle, saved),
        "save raises": lambda: save_bundle(bundle, folder / "no folder" / "saved.kdtab"),
        "load": lambda: load_bundle(saved),
        "load raises": lambda: load_bundle(path),
        "train a frame": lambda: train_model(frame, config).unwrap(),
        "distil a frame": lambda: distill_student(frame, bundle, config).unwrap(),
        "predict a frame": lambda: predict_frame(bundle, frame).unwrap(),
        "compare": lambda: compare_models(bundle, bundle, frame).unwrap(),
    }


RAISING = {
    "train raises", "train excluded", "train nothing", "distil raises", "distil cold",
    "predict raises", "save raises", "load raises",
}  # fmt: skip


@pytest.mark.requirement("INV-T01", "INV-KD04")
def test_no_public_function_leaves_a_trace_in_the_random_state_or_the_threads(
    tmp_path: Path,
) -> None:
    for at, (name, call) in enumerate(public_calls(tmp_path).items()):
        stir_random_states(at)
        before, threads = random_states(), torch.get_num_threads()
        if name in RAISING:
            with pytest.raises(ValueError, match=r"\w"):
                call()
        else:
            call()
        assert random_states() == before, name
        assert torch.get_num_threads() == threads, name
        assert torch.is_grad_enabled(), name


def test_ctrl_c_leaves_the_random_state_as_it_was() -> None:
    class Impatient:
        def start(self, epochs: int, steps_per_epoch: int) -> None: ...

        def step(self) -> None:
            raise KeyboardInterrupt

        def epoch(self, record: object) -> None: ...

        def finish(self) -> None: ...

    stir_random_states(5)
    before = random_states()
    with pytest.raises(KeyboardInterrupt):
        train_model(client_frame(), config_for(), progress=Impatient())
    assert random_states() == before
