"""What was the user's stays the user's: conversion and export leave no trace."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import subprocess
import sys
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import kdtab.metamodel as mtd
from kdtab.errors.raised import KdtabError
from layer_models import Blocks, golden_student, golden_teacher
from spies import random_states

BATCH = torch.randn(6, 5, generator=torch.Generator().manual_seed(3))


def state_of(model: nn.Module) -> dict[str, object]:
    """All of a model that a user can see, but for where its numbers are going."""
    modules = dict(model.named_modules(remove_duplicate=False))
    return {
        "class": type(model),
        "weights": {name: (id(t), t.data_ptr(), t.clone()) for name, t in tensors(model).items()},
        "requires_grad": {name: t.requires_grad for name, t in tensors(model).items()},
        "training": {name: module.training for name, module in modules.items()},
        "attributes": {name: sorted(vars(module)) for name, module in modules.items()},
        "hooks": {
            name: [len(value) for key, value in sorted(vars(module).items()) if "hooks" in key]
            for name, module in modules.items()
        },
    }


def tensors(model: nn.Module) -> dict[str, Tensor]:
    return dict([*model.named_parameters(), *model.named_buffers()])


def same(one: object, two: object) -> bool:
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, tuple) and isinstance(two, tuple):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, Tensor) and isinstance(two, Tensor):
        return torch.equal(one, two)
    return one == two


Mode: TypeAlias = list[tuple[str, Mapping[str, object]]]


def layered(teacher: object, **more: object) -> Mode:
    criterion: dict[tuple[str, str], nn.Module] = {
        ("blocks.*.norm", "blocks.*.norm"): nn.MSELoss(),
        ("", ""): mtd.LogitsDistillationLoss(),
    }
    balancer = mtd.StaticLossBalancer(1.0)
    fields = {"teacher_model": teacher, "criterion": criterion, "loss_balancer": balancer}
    return [("kd_loss", fields | more)]


@given(
    frozen=st.lists(st.sampled_from(sorted(tensors(Blocks()))), unique=True),
    evaluated=st.lists(st.sampled_from([name for name, _ in Blocks().named_modules()])),
    steps=st.integers(0, 2),
)
@settings(max_examples=15, deadline=None)
def test_export_undoes_convert_on_student_and_teacher(
    frozen: list[str], evaluated: list[str], steps: int
) -> None:
    student, teacher = Blocks(), Blocks()
    for network in (student, teacher):
        for name in frozen:
            tensors(network)[name].requires_grad_(False)
        for name in evaluated:
            network.get_submodule(name).training = False
    before = state_of(student), state_of(teacher)
    model = mtd.convert(student, layered(teacher))
    for _ in range(steps):
        model(BATCH)
        model.compute_kd_loss()
    assert mtd.export(model) is student
    assert same(before[0], state_of(student))
    assert same(before[1], state_of(teacher))


def test_conversion_keeps_the_object_its_class_and_its_signature() -> None:
    student: nn.Module = Blocks()
    shown, expected = inspect.signature(student.forward), inspect.signature(Blocks.forward)
    model = mtd.convert(student, layered(Blocks()))
    assert model is student
    assert {Blocks, mtd.DistillationModel} < set(type(model).__mro__)
    assert inspect.signature(model.forward) == shown
    assert inspect.signature(type(model).forward) == expected
    assert model(BATCH, scale=0.0).abs().sum() == 0


def test_a_converted_model_has_the_state_and_the_outputs_of_the_student() -> None:
    student = Blocks().eval()
    names, expected = list(student.state_dict()), student(BATCH)
    model = mtd.convert(student, layered(Blocks(8)), example=BATCH)
    assert list(model.state_dict()) == names
    assert torch.equal(model(BATCH), expected)
    model.load_state_dict(Blocks().state_dict())


def test_a_sequential_runs_as_before() -> None:
    student = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
    expected = student(BATCH)
    config = {"teacher_model": Blocks(), "criterion": {("0", "stem"): nn.MSELoss()}}
    model = mtd.convert(student, [("kd_loss", config)], example=BATCH)
    assert torch.equal(model(BATCH), expected)
    assert len(list(model.children())) == 3


def test_the_teacher_never_learns_and_never_leaves_eval_mode() -> None:
    teacher = Blocks().train()
    model = mtd.convert(Blocks(), layered(teacher))
    assert model.train() is model
    assert model.eval() is model
    assert model.train(True).training
    assert not any(module.training for module in teacher.modules())
    model(BATCH)
    model.compute_kd_loss().backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    ours = {id(parameter) for parameter in model.parameters()}
    assert not ours & {id(parameter) for parameter in teacher.parameters()}


def test_conversion_leaves_the_random_state_alone() -> None:
    student, teacher = Blocks(), Blocks(8)
    before = random_states()
    mtd.plan(student, layered(teacher), example=BATCH)
    model = mtd.convert(student, layered(teacher), example=BATCH)
    mtd.export(model)
    assert random_states() == before


def test_projections_start_where_the_seed_says() -> None:
    made = [
        mtd.convert(Blocks(), layered(Blocks(8), random_seed=seed), example=BATCH)
        for seed in (1, 1, 2)
    ]
    first, again, other = (
        [p for name, p in model.named_parameters() if "projections" in name] for model in made
    )
    assert len(first) == 6
    assert all(map(torch.equal, first, again))
    assert not torch.equal(first[0], other[0])


@pytest.mark.parametrize("teacher", [Blocks, (Blocks,), (Blocks, (4,)), (Blocks, (), {"width": 4})])
def test_a_teacher_can_be_what_makes_it(teacher: object) -> None:
    model = mtd.convert(Blocks(), layered(teacher))
    assert isinstance(model.teacher_model, Blocks)
    assert model.teacher_model.stem.out_features == 4


def test_a_teacher_that_moved_with_the_model_comes_back_as_it_was() -> None:
    teacher = Blocks()
    before = state_of(teacher)
    model = mtd.convert(Blocks(), layered(teacher)).to(torch.bfloat16)
    assert next(teacher.parameters()).dtype is torch.bfloat16
    model(BATCH.to(torch.bfloat16))
    model.compute_kd_loss()
    mtd.export(model)
    assert same(before, state_of(teacher))


def test_a_copy_learns_on_its_own() -> None:
    model = mtd.convert(Blocks(), layered(Blocks(8)), example=BATCH)
    model(BATCH)
    made = copy.deepcopy(model)
    with pytest.raises(KdtabError, match="has not run"):
        made.compute_kd_loss()
    made(BATCH)
    made.compute_kd_loss().backward()
    assert all(parameter.grad is None for parameter in model.parameters())
    assert made.teacher_model is not model.teacher_model
    assert model.compute_kd_loss().requires_grad
    plain: nn.Module = mtd.export(made)
    assert type(plain) is Blocks
    assert all(not module._forward_hooks for module in plain.modules())
    assert isinstance(model, mtd.DistillationModel)


def test_a_converted_model_is_not_pickled() -> None:
    model = mtd.convert(Blocks(), layered(Blocks()))
    with pytest.raises(KdtabError, match="export it and pickle the student"):
        pickle.dumps(model)


def test_an_exported_student_loads_where_kdtab_is_not_installed(tmp_path: Path) -> None:
    model = mtd.convert(golden_student(), layered_whole())
    model(torch.zeros(2, 2, dtype=torch.float64))
    model.compute_kd_loss().backward()
    torch.save(mtd.export(model), tmp_path / "student.pt")
    script = f"""
import sys
import weakref
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "kdtab":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hidden())
sys.path.insert(0, {str(Path(__file__).parent.parent)!r})
import torch
student = torch.load({str(tmp_path / "student.pt")!r}, weights_only=False)
print(type(student).__name__, tuple(student(torch.ones(1, 2, dtype=torch.float64)).shape))
assert "kdtab" not in sys.modules
"""
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert run.stdout.split("\n")[0] == "TwoLayers (1, 3)", run.stderr


def layered_whole() -> Mode:
    config = {"teacher_model": golden_teacher(), "criterion": mtd.LogitsDistillationLoss()}
    return [("kd_loss", config)]


def test_a_mode_can_be_a_mapping_and_a_config_a_value() -> None:
    config = mtd.KDLossConfig(teacher_model=Blocks(), criterion=mtd.LogitsDistillationLoss())
    for mode in ([("kd_loss", config)], {"kd_loss": config}, (("kd_loss", config),)):
        model = mtd.convert(Blocks(), mode)
        model(BATCH)
        assert model.compute_kd_loss().shape == ()
        mtd.export(model)
    with pytest.raises(ValueError, match="frozen"):
        config.random_seed = 3  # type: ignore[misc]  # as a user may try


def test_a_graph_is_not_kept_longer_than_its_loss() -> None:
    model = mtd.convert(Blocks(), layered(Blocks()))
    model(BATCH)
    held = weakref.ref(model._lesson.student_taps.taps["blocks.0.norm"].output)
    model.compute_kd_loss()
    gc.collect()
    assert held() is None


def test_a_teacher_of_two_students_comes_back_with_the_last() -> None:
    teacher = Blocks(8)
    teacher.blocks[0].eval()
    teacher.head.weight.requires_grad_(False)
    before = state_of(teacher)
    first, second = (mtd.convert(Blocks(), layered(teacher), example=BATCH) for _ in range(2))
    mtd.export(first)
    assert not any(module.training for module in teacher.modules())
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    mtd.export(second)
    assert same(state_of(teacher), before)
