"""The dry run: what it shows, that it changes nothing, and that convert does what it said."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import kdtab.metamodel as mtd
from kdtab.losses.relational import relational_distance_over_batch
from kdtab.tasks.layerplan import ProjectionPlan
from layer_models import Blocks
from spies import weights

BATCH = torch.randn(6, 5, generator=torch.Generator().manual_seed(3))

SHOWN = """\
student        teacher        loss                      student gives  teacher gives  projection
blocks.0.norm  blocks.0.norm  MSELoss_0                 [6, 4]         [6, 8]         4 -> 8
blocks.1.norm  blocks.1.norm  MSELoss_1                 [6, 4]         [6, 8]         4 -> 8
(model)        (model)        LogitsDistillationLoss_2  [6, 3]         [6, 3]         -
balancer: StaticLossBalancer"""


def mode(teacher: object, **more: object) -> list[tuple[str, dict[str, object]]]:
    criterion: dict[tuple[str, str], object] = {
        ("blocks.*.norm", "blocks.*.norm"): nn.MSELoss(),
        ("", ""): mtd.LogitsDistillationLoss(),
    }
    balancer = mtd.StaticLossBalancer([0.25, 0.25, 0.5])
    fields = {"teacher_model": teacher, "criterion": criterion, "loss_balancer": balancer}
    return [("kd_loss", fields | more)]


def test_a_plan_is_a_table_and_changes_nothing() -> None:
    student, teacher = Blocks(depth=2), Blocks(8, depth=2)
    student.blocks[0].eval()
    before = [weights(model) for model in (student, teacher)]
    assert str(mtd.plan(student, mode(teacher), example=BATCH)) == SHOWN
    assert [weights(model) for model in (student, teacher)] == before
    assert type(student) is Blocks
    assert (student.training, student.blocks[0].training, teacher.training) == (True, False, True)
    assert all(parameter.requires_grad for parameter in teacher.parameters())
    assert not any(module._forward_hooks for module in (*student.modules(), *teacher.modules()))


def test_a_plan_without_an_example_names_the_pairs() -> None:
    plan = mtd.plan(Blocks(depth=2), mode(lambda: Blocks(8, depth=2)))
    assert [pair.loss for pair in plan.pairs] == [
        "MSELoss_0",
        "MSELoss_1",
        "LogitsDistillationLoss_2",
    ]
    assert all(pair.student_gives is None for pair in plan.pairs)


def test_projections_learn_with_the_student_and_are_no_part_of_it() -> None:
    model = mtd.convert(Blocks(depth=2), mode(Blocks(8, depth=2)), example=BATCH)
    names = [name for name, _ in model.named_parameters() if name.startswith("distillation")]
    assert names == [
        f"distillation.projections.MSELoss_{number}.{kind}"
        for number in range(2)
        for kind in ("weight", "bias")
    ]
    model(BATCH)
    model.compute_kd_loss().backward()
    numbers = dict(model.named_parameters())
    assert all(numbers[name].grad is not None for name in names)
    assert not any("projection" in name for name in mtd.export(model).state_dict())


def test_a_projection_is_what_stands_between_the_layers() -> None:
    student, teacher = Blocks().eval(), Blocks(8)
    fields = {"teacher_model": teacher, "criterion": {("stem", "stem"): nn.MSELoss()}}
    model = mtd.convert(student, [("kd_loss", fields)], example=BATCH)
    model(BATCH)
    loss = model.compute_kd_loss()
    numbers = dict(model.named_parameters())
    weight, bias = (numbers[f"distillation.projections.MSELoss_0.{x}"] for x in ("weight", "bias"))
    expected = functional.mse_loss(
        functional.linear(student.stem(BATCH), weight, bias), teacher.stem(BATCH)
    )
    torch.testing.assert_close(loss, expected)


class Maps(nn.Module):
    """[B, 3, 8, 8] to maps of so many channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 3, padding=1)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.conv(inputs).mean((2, 3))
        return outputs


def test_maps_are_joined_along_their_channels() -> None:
    fields = {"teacher_model": Maps(6), "criterion": {("conv", "conv"): nn.MSELoss()}}
    plan = mtd.plan(Maps(4), [("kd_loss", fields)], example=torch.zeros(2, 3, 8, 8))
    assert plan.pairs[0].projection == ProjectionPlan(
        4, 6, "channels", torch.float32, torch.device("cpu")
    )


def norms(student: Tensor, teacher: Tensor) -> Tensor:
    difference: Tensor = student.norm() - teacher.norm()
    return difference.square()


norms.takes_any_width = True  # type: ignore[attr-defined]  # what kdtab looks for


@pytest.mark.parametrize("loss", [relational_distance_over_batch, norms])
def test_a_loss_that_takes_any_width_gets_no_projection(loss: object) -> None:
    fields = {"teacher_model": Blocks(8), "criterion": {("stem", "stem"): loss}}
    model = mtd.convert(Blocks(), [("kd_loss", fields)], example=BATCH)
    model(BATCH)
    assert model.compute_kd_loss().shape == ()
    assert not any("projections" in name for name, _ in model.named_parameters())


def test_projections_can_be_refused() -> None:
    with pytest.raises(ValueError, match="cannot compare"):
        mtd.plan(Blocks(depth=2), mode(Blocks(8, depth=2), project=False), example=BATCH)


def test_several_and_named_inputs_are_an_example_too() -> None:
    asked = mode(Blocks(8, depth=2))
    for example in ((BATCH, 2.0), {"inputs": BATCH, "scale": 2.0}):
        assert str(mtd.plan(Blocks(depth=2), asked, example=example)) == SHOWN


class Recurrent(Blocks):
    """Whose stem runs twice."""

    def forward(self, inputs: Tensor, scale: float = 1.0) -> Tensor:
        self.stem(inputs * 2)
        return super().forward(inputs, scale)


def test_a_layer_that_runs_twice_is_told_and_the_last_run_counts() -> None:
    fields = {"teacher_model": Blocks(), "criterion": {("stem", "stem"): nn.MSELoss()}}
    student = Recurrent().eval()
    plan = mtd.plan(student, [("kd_loss", fields)], example=BATCH)
    assert plan.pairs[0].cells[3:5] == ("[6, 4] (last of 2)", "[6, 4]")
    model = mtd.convert(student, [("kd_loss", fields)])
    model(BATCH)
    expected = functional.mse_loss(
        student.stem(BATCH), model.teacher_model.get_submodule("stem")(BATCH)
    )
    torch.testing.assert_close(model.compute_kd_loss(), expected)
