"""Pairs of layers in a training task: values, gradients, and what is left behind."""

from __future__ import annotations

import copy
from typing import get_args

import pytest
import torch
from torch import Tensor, nn

import kdtab.metamodel as mtd
from kdtab.config.distillation import DistillConfig
from kdtab.config.layerpairs import LayerLossKind
from kdtab.config.networks import MlpSpec
from kdtab.errors.layers import LayerCountsDiffer, LayerUnknown
from kdtab.errors.objectives import WeightCountDiffers, WeightNameUnknown
from kdtab.models.build import build_model
from kdtab.models.network import TabularNetwork
from kdtab.shell.flat import FlatAdam
from kdtab.shell.torch_step import TorchState, take_torch_step
from kdtab.tasks.layerfit import layer_loss, layer_task
from kdtab.tasks.layertask import LayerTask
from kdtab.tasks.running import in_run, trained_beside
from kdtab.tasks.supervised import Batch

ROWS, CLASSES = 8, 3
KINDS: tuple[LayerLossKind, ...] = get_args(LayerLossKind)


def network(width: int, depth: int = 2, seed: int = 0) -> TabularNetwork:
    torch.manual_seed(seed)
    return build_model(
        MlpSpec(
            input_dim=5, output_dim=CLASSES, hidden_dim=width, num_hidden_layers=depth, dropout=0.0
        )
    )


def batch() -> Batch:
    drawn = torch.Generator().manual_seed(4)
    return Batch(
        torch.randn(ROWS, 5, generator=drawn),
        torch.randint(0, CLASSES, (ROWS,), generator=drawn),
        torch.randn(ROWS, CLASSES, generator=drawn),
    )


def made(student: nn.Module, teacher: nn.Module, **knobs: object) -> LayerTask:
    config = DistillConfig.model_validate(knobs)
    return layer_task(
        config, student, teacher, batch().inputs[:2], task="classification", classes=CLASSES
    ).unwrap()


def traces(model: nn.Module) -> list[object]:
    """All of a network that a run could leave a mark on."""
    found: list[object] = []
    for name, module in model.named_modules():
        hooks = [len(value) for key, value in sorted(vars(module).items()) if "hooks" in key]
        found += [name, module.training, sorted(vars(module)), *hooks]
    for name, tensor in model.state_dict(keep_vars=True).items():
        found += [name, id(tensor), tensor.requires_grad, tensor.grad is None, tensor.tolist()]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_pair_has_the_value_that_the_metamodel_gives_it(kind: LayerLossKind) -> None:
    student, teacher, rows = network(6), network(6, seed=1), batch()
    pair = {"student": "blocks.1", "teacher": "blocks.0", "loss": kind}
    with in_run(made(student, teacher, layers=[pair]), student) as running:
        term = running.terms(student, rows)["blocks.1:blocks.0"]
    criterion = {("blocks.1", "blocks.0"): layer_loss(kind)}
    fields = {"teacher_model": teacher, "criterion": criterion}
    model = mtd.convert(copy.deepcopy(student), [("kd_loss", fields)])
    model(rows.inputs)
    expected = model.compute_kd_loss()
    assert isinstance(expected, Tensor)
    torch.testing.assert_close(term, expected, rtol=0, atol=0)


def test_without_a_balancer_layers_are_added_with_their_weights() -> None:
    student, teacher, rows = network(4), network(4, seed=1), batch()
    pairs = [
        {"student": "blocks.*", "teacher": "blocks.*", "weight": 3.0},
        {"student": "head", "teacher": "head", "weight": 0.5},
    ]
    task = made(student, teacher, alpha=0.25, layers=pairs)
    terms = task.terms(student, rows)
    assert list(terms) == [
        "hard",
        "soft",
        "loss",
        "blocks.0:blocks.0",
        "blocks.1:blocks.1",
        "head:head",
    ]
    expected = 0.25 * terms["hard"] + 0.75 * terms["soft"] + 0.5 * terms["head:head"]
    expected = expected + 3 * (terms["blocks.0:blocks.0"] + terms["blocks.1:blocks.1"])
    torch.testing.assert_close(terms["loss"], expected)


def test_alpha_one_leaves_the_layers_alone_beside_the_labels() -> None:
    student, teacher = network(4), network(4, seed=1)
    pair = {"student": "head", "teacher": "head", "weight": 2.0}
    terms = made(student, teacher, alpha=1.0, layers=[pair]).terms(student, batch())
    assert set(terms) == {"hard", "head:head", "loss"}
    torch.testing.assert_close(terms["loss"], terms["hard"] + 2 * terms["head:head"])


@pytest.mark.parametrize(
    ("balancer", "weights"),
    [
        ({"kind": "static", "weights": [0.5, 0.25]}, (0.25, 0.5, 0.25)),
        ({"kind": "complementary", "student_weight": 0.25}, (0.25, 0.75, 0.75)),
        (
            {
                "kind": "named",
                "weights": [{"name": "head:head", "weight": 3.0}, {"name": "soft", "weight": 2.0}],
                "student_weight": 0.5,
            },
            (0.5, 2.0, 3.0),
        ),
        ({"kind": "uncertainty"}, (0.5, 0.5, 0.5)),
    ],
)
def test_a_balancer_weighs_layers_as_it_weighs_losses(
    balancer: dict[str, object], weights: tuple[float, float, float]
) -> None:
    student, teacher = network(4), network(4, seed=1)
    pair = {"student": "head", "teacher": "head"}
    task = made(student, teacher, objective={"balancer": balancer}, layers=[pair])
    terms = task.terms(student, batch())
    parts = [terms["hard"], terms["soft"], terms["head:head"]]
    expected = sum(w * part for w, part in zip(weights, parts, strict=True))
    torch.testing.assert_close(terms["loss"], expected)


def test_the_gradient_is_that_of_the_same_sum_by_hand() -> None:
    student, teacher, rows = network(4), network(4, seed=1), batch()
    pair = {"student": "blocks.0", "teacher": "blocks.1", "weight": 2.0}
    task = made(student, teacher, alpha=1.0, layers=[pair])
    torch.autograd.backward(task.terms(student, rows)["loss"])
    twin = network(4)
    hidden = twin.get_submodule("blocks.0")(rows.inputs)
    logits = twin.get_submodule("head")(twin.get_submodule("blocks.1")(hidden))
    wanted = teacher.eval().get_submodule("blocks")(rows.inputs).detach()
    loss = nn.functional.cross_entropy(logits, rows.targets)
    torch.autograd.backward(loss + 2 * ((hidden - wanted) ** 2).mean())
    for name, weight in student.named_parameters():
        torch.testing.assert_close(weight.grad, twin.get_parameter(name).grad, msg=name)


@pytest.mark.parametrize("ends", ["well", "with an exception"])
def test_a_run_leaves_no_trace_on_student_and_teacher(ends: str) -> None:
    student, teacher = network(4), network(6, seed=1)
    teacher.get_submodule("blocks").eval()
    teacher.get_parameter("head.bias").requires_grad_(False)
    before = traces(student), traces(teacher)
    task = made(student, teacher, layers=[{"student": "blocks.*", "teacher": "blocks.*"}])
    assert (traces(student), traces(teacher)) == before
    try:
        with in_run(task, student):
            assert not teacher.training
            assert traces(student) != before[0]
            if ends != "well":
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert (traces(student), traces(teacher)) == before


def test_steps_move_the_student_and_its_projection_and_nothing_of_the_teacher() -> None:
    student, teacher, rows = network(4), network(6, seed=1), batch()
    task = made(student, teacher, layers=[{"student": "blocks.1", "teacher": "blocks.1"}])
    names, weights = list(student.state_dict()), copy.deepcopy(teacher.state_dict())
    with in_run(task, student) as running:
        beside = trained_beside(running)
        started = [parameter.detach().clone() for parameter in beside]
        assert [tuple(parameter.shape) for parameter in beside] == [(6, 4), (6,)]
        optimizer = FlatAdam([*student.parameters(), *beside], learning_rate=0.05, weight_decay=0.0)
        state, losses = TorchState(student, optimizer), []
        for _ in range(40):
            state, step = take_torch_step(running, state, rows)
            losses.append(float(step.terms["blocks.1:blocks.1"]))
        assert not any(map(torch.equal, started, beside))
    assert losses[-1] < 0.5 * losses[0]
    assert list(student.state_dict()) == names
    for name, tensor in teacher.state_dict().items():
        assert torch.equal(tensor, weights[name]), name
    assert all(parameter.grad is None for parameter in teacher.parameters())


def test_uncertainty_weights_begin_anew_in_every_run() -> None:
    student, teacher, rows = network(4), network(4, seed=1), batch()
    pairs = [{"student": "head", "teacher": "head"}]
    task = made(student, teacher, objective={"balancer": {"kind": "uncertainty"}}, layers=pairs)
    for _ in range(2):
        with in_run(task, student) as running:
            (log_variances,) = trained_beside(running)
            assert log_variances.tolist() == [0.0, 0.0, 0.0]
            optimizer = FlatAdam([log_variances], learning_rate=0.1, weight_decay=0.0)
            take_torch_step(running, TorchState(student, optimizer), rows)
            assert all(value != 0 for value in log_variances.tolist())


def test_a_loss_over_the_batch_needs_no_projection() -> None:
    pair = {"student": "head", "teacher": "blocks.0", "loss": "similarity_preserving_over_batch"}
    assert made(network(4), network(6), layers=[pair]).joined == ()


def test_what_does_not_fit_is_told_before_any_step() -> None:
    student, teacher = network(4, depth=1), network(4)

    def refused(**knobs: object) -> tuple[object, ...]:
        config = DistillConfig.model_validate(knobs)
        rows = batch().inputs[:2]
        task = layer_task(config, student, teacher, rows, task="classification", classes=CLASSES)
        return task.failure().every

    unknown, other = refused(
        layers=[{"student": "haed", "teacher": "head"}, {"student": "head", "teacher": "block.0"}]
    )
    assert isinstance(unknown, LayerUnknown)
    assert isinstance(other, LayerUnknown)
    assert (unknown.near, other.near[0]) == (("head",), "blocks.0")
    (count,) = refused(layers=[{"student": "blocks.*", "teacher": "blocks.*"}])
    assert isinstance(count, LayerCountsDiffer)
    pair = {"student": "head", "teacher": "head"}
    static = {"balancer": {"kind": "static", "weights": [0.5]}}
    assert isinstance(refused(objective=static, layers=[pair])[0], WeightCountDiffers)
    named = {"balancer": {"kind": "named", "weights": [{"name": "haed:head", "weight": 1.0}]}}
    assert any(
        isinstance(issue, WeightNameUnknown) and issue.known == ("soft", "head:head")
        for issue in refused(objective=named, layers=[pair])
    )


def test_the_teacher_is_asked_in_the_type_of_the_student() -> None:
    student, teacher, rows = network(4), network(4, seed=1), batch()
    pair = {"student": "head", "teacher": "head"}
    expected = made(student, teacher, layers=[pair]).terms(student, rows)
    found = made(student, copy.deepcopy(teacher).double(), layers=[pair])
    torch.testing.assert_close(found.terms(student, rows)["loss"], expected["loss"])
    assert {weight.dtype for weight in found.teacher.parameters()} == {torch.float64}
