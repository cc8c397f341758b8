"""What is refused, in which words, and that nothing has changed then."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import kdtab.metamodel as mtd
from kdtab.errors.issue import Issue, explain
from kdtab.errors.layers import LayerOutputMissing, LayerOutputStale
from kdtab.errors.raised import KdtabError, WrongTypeError
from layer_models import Blocks

BATCH = torch.randn(6, 5, generator=torch.Generator().manual_seed(3))
HEADS = {("head", "head"): nn.MSELoss()}


def mode(**fields: object) -> list[tuple[str, dict[str, object]]]:
    return [("kd_loss", {"teacher_model": Blocks(), "criterion": HEADS} | fields)]


def issues_of(caught: pytest.ExceptionInfo[KdtabError]) -> list[Issue]:
    return list(caught.value.issues)


def test_a_loss_before_any_forward_names_pair_and_both_sides() -> None:
    model = mtd.convert(Blocks(), mode())
    with pytest.raises(KdtabError, match="the student has not run since") as caught:
        model.compute_kd_loss()
    assert issues_of(caught) == [
        LayerOutputMissing(pair=("head", "head"), side=side, ran=False)
        for side in ("student", "teacher")
    ]


def test_a_second_loss_of_one_forward_is_stale() -> None:
    model = mtd.convert(Blocks(), mode())
    model(BATCH)
    model.compute_kd_loss()
    with pytest.raises(KdtabError, match="was taken already") as caught:
        model.compute_kd_loss()
    assert {type(issue) for issue in issues_of(caught)} == {LayerOutputStale}
    model(BATCH)
    assert model.compute_kd_loss().requires_grad


def test_a_student_that_ran_alone_lacks_the_teacher() -> None:
    model = mtd.convert(Blocks(), mode())
    with model.only_student_forward():
        model(BATCH)
    with pytest.raises(KdtabError) as caught:
        model.compute_kd_loss()
    assert issues_of(caught) == [
        LayerOutputMissing(pair=("head", "head"), side="teacher", ran=False)
    ]


def test_both_can_run_one_after_the_other() -> None:
    model = mtd.convert(Blocks().eval(), mode())
    with model.only_teacher_forward():
        said = model(BATCH)
    with model.only_student_forward():
        outputs = model(BATCH)
    torch.testing.assert_close(model.compute_kd_loss(), functional.mse_loss(outputs, said))


def test_a_student_that_runs_again_does_not_meet_the_teacher_of_the_batch_before() -> None:
    model = mtd.convert(Blocks(), mode())
    model(BATCH)
    with model.only_student_forward():
        model(BATCH + 1)
    with pytest.raises(KdtabError, match="the teacher has not run"):
        model.compute_kd_loss()


def test_a_layer_that_is_called_alone_does_not_count() -> None:
    model = mtd.convert(Blocks().eval(), mode())
    outputs = model(BATCH)
    model.get_submodule("head")(torch.full((6, 4), 100.0))
    expected = functional.mse_loss(outputs, model.teacher_model(BATCH))
    torch.testing.assert_close(model.compute_kd_loss(), expected)


def test_an_output_that_was_changed_in_place_is_refused() -> None:
    model = mtd.convert(Blocks(), mode(criterion=nn.MSELoss()))
    outputs = model(BATCH)
    outputs.detach().mul_(2)
    with pytest.raises(KdtabError, match="changed in place"):
        model.compute_kd_loss()


class Skipping(Blocks):
    """Whose forward does not reach the first block."""

    def forward(self, inputs: Tensor, scale: float = 1.0) -> Tensor:
        outputs: Tensor = self.head(self.stem(inputs)) * scale
        return outputs


def test_a_layer_that_the_forward_does_not_reach_is_told_in_the_plan_too() -> None:
    asked = mode(criterion={("blocks.0", "stem"): nn.MSELoss()})
    with pytest.raises(KdtabError, match="did not reach its layer"):
        mtd.plan(Skipping(), asked, example=BATCH)
    model = mtd.convert(Skipping(), asked)
    model(BATCH)
    with pytest.raises(KdtabError, match="the student's last forward did not reach its layer"):
        model.compute_kd_loss()


@pytest.mark.parametrize("loss", [nn.MSELoss(), functional.l1_loss])
def test_widths_that_differ_are_told_without_an_example(loss: object) -> None:
    asked = mode(teacher_model=Blocks(8), criterion={("stem", "stem"): loss})
    model = mtd.convert(Blocks(), asked)
    model(BATCH)
    with pytest.raises(KdtabError, match=r"\[6, 4\].*\[6, 8\].*pass example=batch"):
        model.compute_kd_loss()


def test_a_loss_of_a_user_that_fails_on_two_shapes_names_the_pair() -> None:
    def difference(student: Tensor, teacher: Tensor) -> Tensor:
        return (student - teacher).square().mean()

    asked = mode(teacher_model=Blocks(8), criterion={("stem", "stem"): difference})
    model = mtd.convert(Blocks(), asked)
    model(BATCH)
    with pytest.raises(KdtabError, match="difference cannot compare the layers 'stem'"):
        model.compute_kd_loss()


def test_no_projection_is_put_between_classes() -> None:
    asked = mode(teacher_model=Blocks(classes=4), criterion=mtd.LogitsDistillationLoss())
    with pytest.raises(KdtabError, match="'' has 3 and the teacher's '' has 4"):
        mtd.convert(Blocks(), asked, example=BATCH)


class Gives(nn.Module):
    """A layer that gives a tuple."""

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        return inputs, inputs


def test_a_layer_that_gives_no_tensor_needs_a_loss_that_takes_it() -> None:
    asked = [("kd_loss", {"teacher_model": Gives(), "criterion": nn.MSELoss()})]
    with pytest.raises(KdtabError, match="gives a tuple, the loss takes a tensor"):
        mtd.plan(Gives(), asked, example=BATCH)

    def first(student: tuple[Tensor, Tensor], teacher: tuple[Tensor, Tensor]) -> Tensor:
        return functional.mse_loss(student[0], teacher[0])

    model = mtd.convert(Gives(), [("kd_loss", {"teacher_model": Gives(), "criterion": first})])
    model(BATCH)
    assert model.compute_kd_loss().item() == 0


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("kd_loss", "mode must be [('kd_loss', config)], got 'kd_loss'"),
        ([("layerwise_kd", {})], "mode must be [('kd_loss', config)], got"),
        ([("kd_loss", 3)], "kd_loss must be KDLossConfig or dict, got 'int'"),
        ([("kd_loss", {})], "teacher_model is required"),
        (mode(teacher_modle=1), "unknown field 'teacher_modle'. Did you mean 'teacher_model'?"),
        (mode(criterion={}), "criterion must be a loss, or {(student layer, teacher layer)"),
        (mode(teacher_model=3), "teacher_model must be a module, a class"),
        (mode(teacher_model=dict), "the teacher of type 'dict' cannot be used: it is no"),
        (mode(loss_balancer=3), "loss_balancer must be a balancer, a function"),
        (mode(expose_minimal_state_dict=False), "expose_minimal_state_dict must be True"),
        (mode(criterion={("haed", "head"): nn.MSELoss()}), "the student has no layer 'haed'"),
        (
            mode(criterion={("head", "head"): nn.MSELoss(), ("stem", "stem"): nn.MSELoss()}),
            "several losses need a loss_balancer",
        ),
        (mode(loss_balancer=mtd.StaticLossBalancer([0.5, 0.5])), "2 weights for 1 losses"),
    ],
)
def test_a_mode_that_does_not_fit_is_told_and_changes_nothing(asked: object, sentence: str) -> None:
    student = Blocks()
    with pytest.raises(KdtabError) as caught:
        mtd.convert(student, asked)  # type: ignore[arg-type]  # what a user may type
    assert sentence in str(caught.value)
    assert type(student) is Blocks
    assert not any(module._forward_hooks for module in student.modules())


def test_all_that_is_wrong_with_a_config_is_told_at_once() -> None:
    with pytest.raises(KdtabError) as caught:
        mtd.convert(Blocks(), [("kd_loss", {"criterion": {}, "ballancer": 1})])
    assert [explain(issue).split()[0] for issue in issues_of(caught)] == [
        "teacher_model",
        "criterion",
        "unknown",
    ]


def test_a_refused_conversion_leaves_the_teacher_alone() -> None:
    teacher = Blocks().train()
    with pytest.raises(KdtabError):
        mtd.convert(Blocks(), mode(teacher_model=teacher, criterion={("x", "y"): nn.MSELoss()}))
    assert teacher.training
    assert all(parameter.requires_grad for parameter in teacher.parameters())


def test_student_and_teacher_must_be_apart() -> None:
    student = Blocks()
    shared = nn.Sequential(student.stem)
    for teacher in (student, shared):
        with pytest.raises(KdtabError, match=r"share .*copy\.deepcopy"):
            mtd.convert(student, mode(teacher_model=teacher, criterion=nn.MSELoss()))


class Owned(Blocks):
    """With a name that a converted model needs."""

    teacher_model = 3


class Slotted(nn.Linear):
    """Which no other class can stand in front of."""

    def __init_subclass__(cls, *, needed: int) -> None:
        super().__init_subclass__()


def with_forward_of_its_own() -> nn.Module:
    student = nn.Linear(5, 3)
    vars(student)["forward"] = lambda inputs: inputs  # as some libraries do
    return student


@pytest.mark.parametrize(
    ("student", "reason"),
    [
        (nn.DataParallel(Blocks()), "it is wrapped"),
        (torch.compile(Blocks(), backend="eager"), "it is wrapped"),
        (torch.jit.ScriptModule(), "it is a script"),
        (with_forward_of_its_own(), "its forward is set on the object"),
        (Owned(), "it has an attribute 'teacher_model' of its own"),
        (Slotted(5, 3), "its class takes no other in front of it"),
        (lambda inputs: inputs, "model must be a torch.nn.Module"),
    ],
)
def test_a_student_that_cannot_be_converted_is_told_why(student: object, reason: str) -> None:
    teacher, before = Blocks(), dict(vars(student))
    with pytest.raises(KdtabError, match=reason):
        mtd.convert(student, mode(teacher_model=teacher, criterion=nn.MSELoss()))  # type: ignore[arg-type]  # any
    assert vars(student).keys() == before.keys()
    assert teacher.training
    assert all(parameter.requires_grad for parameter in teacher.parameters())


def test_a_converted_model_is_not_converted_again_and_does_not_teach() -> None:
    model = mtd.convert(Blocks(), mode())
    with pytest.raises(KdtabError, match="it is converted already"):
        mtd.convert(model, mode())
    with pytest.raises(KdtabError, match="it is converted itself"):
        mtd.convert(Blocks(), mode(teacher_model=model))


def test_only_what_was_converted_is_exported() -> None:
    with pytest.raises(KdtabError, match="this is of type 'Blocks'"):
        mtd.export(Blocks())
    model = mtd.convert(Blocks(), mode())
    mtd.export(model)
    with pytest.raises(KdtabError, match="this is of type 'Blocks'"):
        mtd.export(model)


def test_a_student_loss_needs_a_balancer_and_a_share_a_student_loss() -> None:
    model = mtd.convert(Blocks(), mode())
    model(BATCH)
    with pytest.raises(KdtabError, match="need a loss_balancer: 'student_loss', 'MSELoss_0'"):
        model.compute_kd_loss(torch.tensor(1.0))
    for weights in (0.25, [0.25]):
        model = mtd.convert(Blocks(), mode(loss_balancer=mtd.StaticLossBalancer(weights)))
        model(BATCH)
        with pytest.raises(KdtabError, match="which is not given"):
            model.compute_kd_loss()


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_a_temperature_must_be_finite_and_above_zero(temperature: float) -> None:
    for loss in (mtd.LogitsDistillationLoss, mtd.MFTLoss):
        with pytest.raises(KdtabError, match="temperature"):
            loss(temperature=temperature)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_must_be_a_share(threshold: float) -> None:
    with pytest.raises(KdtabError, match="threshold must be a number between 0 and 1"):
        mtd.MFTLoss(threshold=threshold)


def test_a_reduction_must_exist() -> None:
    with pytest.raises(KdtabError, match="must be one of mean, batchmean"):
        mtd.LogitsDistillationLoss(reduction="average")  # type: ignore[arg-type]  # a user may


@pytest.mark.parametrize("weights", [1.5, -0.1, float("nan"), [0.7, 0.5], []])
def test_static_weights_must_be_shares(weights: float | list[float]) -> None:
    with pytest.raises(KdtabError, match="weight"):
        mtd.StaticLossBalancer(weights)


def test_a_wrong_type_is_a_type_error() -> None:
    with pytest.raises(WrongTypeError):
        mtd.convert(3, mode())  # type: ignore[arg-type]  # what a user may type
