"""Distillation by objectives and pairs of layers: the loop, what it reports and what is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Literal

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.datasets import load_iris
from torch import nn
from torch.nn import functional

import kdtab.metamodel as mtd
from clients import DATES, client_frame, config_for, own_teacher, teacher_of, twin
from kdtab.bundle import ModelBundle, to_record
from kdtab.config.distillation import DistillConfig
from kdtab.config.manifest import canonical_json, manifest_fields
from kdtab.config.networks import LinearSpec, MlpSpec
from kdtab.config.objectives import DivergenceLoss
from kdtab.config.schedules import ConstantSchedule, RampSchedule
from kdtab.config.training import Task, TrainingConfig
from kdtab.data.prepare import prepare_with_artifacts
from kdtab.disk.bundles import encode_record
from kdtab.errors.issue import Issues
from kdtab.errors.layers import LayerUnknown
from kdtab.errors.objectives import LayersNeedBundle, LossNeedsMoreClasses, LossNeedsTask
from kdtab.losses.features import feature_squared_error
from kdtab.models.build import build_model
from kdtab.recipes.distill import distill_student
from kdtab.recipes.report import report_distillation
from kdtab.recipes.train import train_model
from kdtab.shell.assemble import TrainedModel
from kdtab.shell.batches import ShuffledBatches
from kdtab.shell.fit import FitRows, FitSettings, fit_network
from kdtab.shell.infer import network_outputs
from kdtab.shell.seed import seeded
from kdtab.tasks.layerfit import layer_task
from kdtab.tasks.objectives import ObjectiveTask
from kdtab.tasks.supervised import Batch
from kdtab.teachers.studenttask import Lesson, student_task
from spies import random_states, watched_training, weights

CPU = torch.device("cpu")
TASKS = pytest.mark.parametrize("task", ["classification", "regression"])
PAIRS = [
    {"student": "blocks.0", "teacher": "blocks.*", "loss": "squared_error"},
    {"student": "head", "teacher": "head", "loss": "similarity_preserving_over_batch"},
]


def knobs_of(**fields: object) -> DistillConfig:
    return DistillConfig.model_validate(fields)


def distilled(
    teacher: object, knobs: DistillConfig, task: Task = "classification", /, **changes: object
) -> TrainedModel:
    config = config_for(task, **changes)
    return distill_student(client_frame(task), teacher, config, knobs, device=CPU).unwrap()


def refused(teacher: object, knobs: DistillConfig, task: Task = "classification", /) -> Issues:
    config = config_for(task)
    return distill_student(client_frame(task), teacher, config, knobs, device=CPU).failure()


@cache
def one_layered() -> ModelBundle:
    """A teacher with one block, so that one pattern fits one layer."""
    config = config_for(num_hidden_layers=1)
    return train_model(client_frame(), config, device="cpu").unwrap().bundle


@TASKS
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_the_usual_loss_by_its_name_is_the_usual_distillation(task: Task, alpha: float) -> None:
    kind = "forward_kl" if task == "classification" else "squared_error"
    named = knobs_of(alpha=alpha, objective={"losses": [{"kind": kind}]})
    usual = distilled(teacher_of(task), knobs_of(alpha=alpha), task)
    found = distilled(teacher_of(task), named, task)
    for name, tensor in usual.bundle.model.state_dict().items():
        torch.testing.assert_close(
            found.bundle.model.state_dict()[name], tensor, rtol=1e-4, atol=1e-5, msg=name
        )
    for one, other in zip(usual.report.fitted.history, found.report.fitted.history, strict=True):
        assert other.loss == pytest.approx(one.loss, rel=1e-5)


def test_without_an_objective_nothing_of_it_is_recorded() -> None:
    record = to_record(distilled(teacher_of(), knobs_of(alpha=0.3)).bundle).unwrap()
    fields = json.loads(canonical_json(manifest_fields(record.manifest)))
    assert fields["provenance"]["distill_config"] == {"temperature": 2.0, "alpha": 0.3}


@pytest.mark.parametrize("kind", ["linear", "exponential", "cosine"])
def test_an_annealed_temperature_is_what_a_loop_by_hand_does(
    kind: Literal["linear", "exponential", "cosine"],
) -> None:
    drawn = np.random.default_rng(0)
    inputs = drawn.standard_normal((40, 3)).astype(np.float32)
    labels = (inputs[:, 0] > 0).astype(np.int64)
    soft = (3 * drawn.standard_normal((40, 3))).astype(np.float32)
    spec = LinearSpec(input_dim=3, output_dim=3)
    schedule = RampSchedule(kind=kind, start=5.0, end=1.0, steps=9, after=2)
    losses = (("soft", DivergenceLoss(kind="forward_kl")),)
    task = ObjectiveTask(task="classification", losses=losses, temperature=schedule)
    settings = FitSettings(epochs=4, batch_size=8, learning_rate=0.05, random_seed=3)
    rows = FitRows(inputs, labels, soft)
    found = fit_network(spec, task, rows, None, settings, device=CPU).unwrap().network
    constant = replace(task, temperature=ConstantSchedule(value=5.0))
    unchanged = fit_network(spec, constant, rows, None, settings, device=CPU).unwrap().network

    with seeded(3):
        network = build_model(spec)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.05, weight_decay=1e-4)
    batch = Batch(torch.from_numpy(inputs), torch.from_numpy(labels), torch.from_numpy(soft))
    batches = ShuffledBatches(batch, batch_size=8, seed=3)
    step = 0
    for _ in range(4):
        for x, y, z in batches():
            gone = min(max(step - 2, 0) / 9, 1.0)
            t = {
                "linear": 5 - 4 * gone,
                "exponential": 5 * (1 / 5) ** gone,
                "cosine": 5 - 4 * (1 - np.cos(np.pi * gone)) / 2,
            }[kind]
            assert z is not None
            outputs = network(x)
            soft_loss = t**2 * functional.kl_div(
                torch.log_softmax(outputs / t, 1), torch.softmax(z / t, 1), reduction="batchmean"
            )
            optimizer.zero_grad()
            torch.autograd.backward(0.5 * functional.cross_entropy(outputs, y) + 0.5 * soft_loss)
            optimizer.step()
            step += 1
    assert step == 20
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(found.state_dict()[name], tensor, rtol=1e-4, atol=1e-5)
    apart = (found.state_dict()["head.weight"] - unchanged.state_dict()["head.weight"]).abs().max()
    assert apart > 0.01


def test_every_term_is_reported_by_its_name() -> None:
    knobs = knobs_of(
        objective={
            "losses": [{"kind": "forward_kl"}, {"kind": "reverse_kl"}],
            "balancer": {"kind": "uncertainty"},
        },
        layers=PAIRS,
    )
    model = distilled(one_layered(), knobs)
    names = {"hard", "forward_kl", "reverse_kl", "blocks.0:blocks.0", "head:head", "loss"}
    for record in model.report.fitted.history:
        assert set(record.terms) == names
        assert all(np.isfinite(value) for value in record.terms.values())
    assert model.bundle.provenance.distill_config == knobs


def test_the_first_step_of_the_loop_has_the_metamodels_value() -> None:
    bundle, spec = one_layered(), MlpSpec(
        input_dim=one_layered().input_dim, output_dim=2, hidden_dim=16, num_hidden_layers=1,
        dropout=0.0,
    )  # fmt: skip
    drawn = np.random.default_rng(1)
    inputs = drawn.standard_normal((24, spec.input_dim)).astype(np.float32)
    rows = FitRows(inputs, np.arange(24) % 2, network_outputs(bundle.model, inputs))
    with seeded(7):
        student = build_model(spec)
    task = layer_task(
        knobs_of(layers=[{"student": "blocks.*", "teacher": "blocks.*"}]),
        student, bundle.model, torch.from_numpy(inputs[:2]), task="classification", classes=2,
    ).unwrap()  # fmt: skip
    settings = FitSettings(epochs=1, batch_size=24, learning_rate=0.01, random_seed=7)
    fitted = fit_network(spec, task, rows, None, settings, device=CPU).unwrap()
    criterion = {("blocks.0", "blocks.0"): feature_squared_error}
    fields = {"teacher_model": twin(bundle.model), "criterion": criterion}
    model = mtd.convert(student.train(), [("kd_loss", fields)])
    model(torch.from_numpy(inputs))
    expected = model.compute_kd_loss()
    assert isinstance(expected, torch.Tensor)
    assert fitted.history[0].terms["blocks.0:blocks.0"] == pytest.approx(expected.item(), rel=1e-5)


def test_the_teacher_is_the_same_to_the_byte_and_the_student_holds_nothing_else() -> None:
    teacher = one_layered()
    before = encode_record(to_record(teacher).unwrap()), weights(teacher.model)
    states = random_states()
    model = distilled(
        teacher, knobs_of(layers=PAIRS, student_hidden_dim=5, student_num_hidden_layers=1)
    )
    assert random_states() == states
    assert (encode_record(to_record(teacher).unwrap()), weights(teacher.model)) == before
    assert not any(module.training for module in teacher.model.modules())
    assert all(parameter.requires_grad for parameter in teacher.model.parameters())
    network = model.bundle.model
    assert isinstance(network, nn.Module)
    for module in (*network.modules(), *teacher.model.modules()):
        assert not module._forward_hooks
    plain = distilled(teacher, knobs_of(student_hidden_dim=5, student_num_hidden_layers=1))
    assert list(network.state_dict()) == list(plain.bundle.model.state_dict())
    assert model.bundle.parameter_count == plain.bundle.parameter_count
    assert weights(network) != weights(plain.bundle.model)


def test_weights_that_are_learnt_move_without_decay_and_are_in_no_bundle() -> None:
    knobs = knobs_of(
        objective={"balancer": {"kind": "uncertainty"}},
        layers=[PAIRS[0]],
        student_hidden_dim=5,
        student_num_hidden_layers=1,
    )
    with watched_training() as seen:
        distilled(one_layered(), knobs)
    optimizer = seen.optimizers[-1]
    assert optimizer.weight_decay == 1e-4
    assert [tuple(weights.shape) for weights in optimizer.undecayed] == [(3,), (16, 5), (16,)]
    assert all(value != 0 for value in optimizer.undecayed[0].tolist())


def test_the_same_call_gives_the_same_student() -> None:
    knobs = knobs_of(objective={"balancer": {"kind": "uncertainty"}}, layers=PAIRS)
    teacher = one_layered()
    one, other = distilled(teacher, knobs), distilled(teacher, knobs)
    assert weights(one.bundle.model) == weights(other.bundle.model)


def test_layers_teach_what_the_teacher_computes_inside() -> None:
    """With the layers as its only lesson a student comes near to the teacher's hidden units."""
    pair = {"student": "blocks.0", "teacher": "blocks.0"}
    objective = {
        "balancer": {
            "kind": "named",
            "weights": [
                {"name": "soft", "weight": 0.0}, {"name": "blocks.0:blocks.0", "weight": 1.0},
            ],
            "student_weight": 0.0,
        }
    }  # fmt: skip
    knobs = knobs_of(objective=objective, layers=[pair], student_dropout=0.0)
    model = distilled(one_layered(), knobs, epochs=40, learning_rate=0.01)
    terms = [record.terms["blocks.0:blocks.0"] for record in model.report.fitted.history]
    assert terms[-1] < 0.25 * terms[0]


def test_a_loss_that_would_teach_nothing_is_refused_before_the_teacher_is_fitted() -> None:
    class Heard(list[str]):
        def start(self, epochs: int, steps_per_epoch: int) -> None: ...
        def step(self) -> None: ...
        def epoch(self, record: object) -> None: ...
        def finish(self) -> None: ...
        def remark(self, sentence: str) -> None: ...
        def stage(self, name: str, detail: str = "") -> None:
            self.append(name)

    knobs = knobs_of(objective={"losses": [{"kind": "decoupled_kl"}, {"kind": "huber"}]})
    heard = Heard()
    issues = distill_student(
        client_frame(), "forest", config_for(), knobs, device=CPU, progress=heard
    ).failure()
    assert [type(issue) for issue in issues] == [LossNeedsMoreClasses, LossNeedsTask]
    assert heard == []
    assert refused(teacher_of(), knobs).every == issues.every


def test_layers_of_a_teacher_without_layers_are_refused_with_its_name() -> None:
    knobs = knobs_of(layers=[{"student": "head", "teacher": "head"}])
    assert refused("forest", knobs).every == (LayersNeedBundle(teacher="forest"),)


def test_a_misspelt_layer_is_told_with_what_is_near() -> None:
    knobs = knobs_of(layers=[{"student": "head", "teacher": "haed"}])
    (found,) = refused(own_teacher(), knobs).every
    assert found == LayerUnknown(side="teacher", name="haed", near=("head",))


@TASKS
def test_rows_of_which_no_teacher_spoke_make_the_task_partial(task: Task) -> None:
    teacher = teacher_of(task)
    config, frame = config_for(task), client_frame(task)
    prepared = prepare_with_artifacts(frame, config, DATES, teacher.artifacts, task).unwrap()
    spec = LinearSpec(input_dim=prepared.training.inputs.shape[1], output_dim=prepared.output_dim)
    spoken = np.zeros((len(prepared.training.inputs), prepared.output_dim), np.float32)
    for gap in (False, True):
        spoken[3] = np.nan if gap else 0.0
        lesson = Lesson(prepared, spec, spoken, None, seed=0)
        found = student_task(lesson, knobs_of(objective={})).unwrap()
        assert isinstance(found, ObjectiveTask)
        assert found.partial is gap


def test_a_table_of_the_world_learns_by_two_losses_and_layers() -> None:
    iris = load_iris()
    frame = pl.DataFrame(iris.data, schema=list("abcd")).with_columns(
        y=pl.Series([str(iris.target_names[code]) for code in iris.target])
    )
    config = TrainingConfig(target_column="y", epochs=20, batch_size=16, hidden_dim=16)
    teacher = train_model(frame, config, device="cpu").unwrap().bundle
    knobs = knobs_of(
        objective={
            "losses": [{"kind": "decoupled_kl"}, {"kind": "dist_over_batch"}],
            "balancer": {"kind": "magnitude", "logits": "decoupled_kl"},
            "temperature": {"kind": "cosine", "start": 4.0, "end": 1.0, "steps": 100},
        },
        layers=[{"student": "blocks.0", "teacher": "blocks.1", "loss": "cosine_distance"}],
        student_hidden_dim=8,
    )
    model = distill_student(frame, teacher, config, knobs, device=CPU).unwrap()
    assert model.metrics.test_metric_value > 0.8


def test_the_report_has_every_term_and_says_how_the_student_was_taught() -> None:
    knobs = knobs_of(
        objective={
            "losses": [{"kind": "forward_kl"}, {"kind": "reverse_kl"}],
            "balancer": {"kind": "static", "weights": [0.25, 0.25, 0.25]},
            "temperature": {"kind": "linear", "start": 4.0, "end": 1.0, "steps": 9},
        },
        layers=[PAIRS[0]],
    )
    taught = one_layered()
    model = distill_student(
        client_frame(), taught, config_for(), knobs, device=CPU, scratch=True
    ).unwrap()
    plain = report_distillation(client_frame(), model).unwrap().to_plain()
    summary = json.loads(json.dumps(plain))
    facts = str(summary["facts"])
    (student,) = [one for one in summary["models"] if one["role"] == "student"]
    last = model.report.fitted.history[-1]
    assert student["epochs"][-1]["terms"] == dict(last.terms)
    assert set(last.terms) == {"hard", "forward_kl", "reverse_kl", "blocks.0:blocks.0", "loss"}
    for fact in ("4 to 1", "static", "forward_kl, reverse_kl", "blocks.0:blocks.* squared_error"):
        assert fact in facts
    assert "alpha" not in facts
