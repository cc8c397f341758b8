"""Training with a converted model: whose losses, whose balancers, compiled and distributed."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, distributed, nn
from torch._dynamo.testing import CompileCounterWithBackend
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

import kdtab.losses as kl
import kdtab.metamodel as mtd
from kdtab.errors.issue import explain
from kdtab.errors.raised import KdtabError
from kdtab.losses.balance import StaticWeights
from kdtab.losses.uncertainty import UncertaintyWeights
from layer_models import Blocks

BATCH = torch.randn(6, 5, generator=torch.Generator().manual_seed(3))
LABELS = torch.tensor([0, 1, 2, 0, 1, 2])
HEADS = {("head", "head"): nn.MSELoss()}
STEMS_AND_HEADS = {("stem", "stem"): nn.MSELoss(), ("head", "head"): nn.MSELoss()}


def converted(criterion: object, balancer: object = None, **more: object) -> mtd.DistillationModel:
    torch.manual_seed(5)
    teacher, student = Blocks(), Blocks().eval()
    fields = {"teacher_model": teacher, "criterion": criterion, "loss_balancer": balancer}
    return mtd.convert(student, [("kd_loss", fields | more)])


def test_every_loss_is_between_what_the_layers_gave_before_the_next_one_changed_it() -> None:
    # The norm's output is overwritten by the ReLU(inplace=True) behind it.
    seen: list[tuple[Tensor, Tensor]] = []

    def look(student: Tensor, teacher: Tensor) -> Tensor:
        seen.append((student, teacher))
        return functional.mse_loss(student, teacher)

    model = converted({("blocks.0.norm", "blocks.0.norm"): look})
    model(BATCH)
    loss = model.compute_kd_loss()
    for network, found in zip((model, model.teacher_model), seen[0], strict=True):
        stem, linear, norm = map(
            network.get_submodule, ("stem", "blocks.0.linear", "blocks.0.norm")
        )
        expected = norm(linear(stem(BATCH)))
        assert torch.equal(found, expected)
        assert bool((expected < 0).any())
    loss.backward()
    assert model.get_parameter("stem.weight").grad is not None


class Adds(nn.Module):
    """Whose layer's output is overwritten without a word, where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(5, 5), nn.Linear(5, 3)
        self.in_place = True

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.one(inputs)
        if self.in_place:
            hidden += inputs
        outputs: Tensor = self.two(hidden)
        return outputs


def test_an_addition_in_place_behind_a_layer_is_found_by_the_first_forward() -> None:
    student, teacher = Adds(), Adds()
    fields = {"teacher_model": teacher, "criterion": {("one", "one"): nn.MSELoss()}}
    model = mtd.convert(student, [("kd_loss", fields)])
    expected = functional.mse_loss(student.one(BATCH), teacher.one(BATCH))
    for _ in range(3):
        model(BATCH)
        torch.testing.assert_close(model.compute_kd_loss(), expected)


def test_an_addition_in_place_that_begins_later_is_refused_once_and_then_copied() -> None:
    student, teacher = Adds(), Adds()
    student.in_place = False
    fields = {"teacher_model": teacher, "criterion": {("one", "one"): nn.MSELoss()}}
    model = mtd.convert(student, [("kd_loss", fields)])
    expected = functional.mse_loss(student.one(BATCH), teacher.one(BATCH))
    model(BATCH)
    torch.testing.assert_close(model.compute_kd_loss(), expected)
    student.in_place = True
    model(BATCH)
    with pytest.raises(KdtabError, match="what the student gave was changed in place"):
        model.compute_kd_loss()
    model(BATCH)
    torch.testing.assert_close(model.compute_kd_loss(), expected)


def test_validation_under_inference_mode_gives_a_loss() -> None:
    model = converted(STEMS_AND_HEADS, mtd.StaticLossBalancer(1.0))
    model(BATCH)
    expected = model.compute_kd_loss()
    with torch.inference_mode():
        model(BATCH)
        torch.testing.assert_close(model.compute_kd_loss(), expected)


def test_one_layer_can_stand_in_several_pairs() -> None:
    pairs = {("blocks.0", f"blocks.{number}"): nn.MSELoss() for number in range(3)}
    model = converted(pairs, mtd.StaticLossBalancer([0.5, 0.25, 0.25]))
    model(BATCH)
    terms = model.compute_kd_loss(skip_balancer=True)
    assert list(terms) == ["MSELoss_0", "MSELoss_1", "MSELoss_2"]
    assert len({term.item() for term in terms.values()}) == 3
    assert len(model.get_submodule("blocks.0")._forward_hooks) == 1


class Scaled(nn.Module):
    """A user's loss with a number to train and a keyword."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, student: Tensor, teacher: Tensor, mask: Tensor | None = None) -> Tensor:
        difference = (self.scale * student - teacher).square().mean(-1)
        return difference.mean() if mask is None else (difference * mask).sum() / mask.sum()


class Largest(mtd.DistillationLossBalancer):
    """A user's balancer: only the largest loss counts, times a number to train."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0))
        self.names: list[str] = []

    def forward(self, loss: dict[str, Tensor]) -> Tensor:
        self.names = list(loss)
        return self.factor * torch.stack(list(loss.values())).max()


def test_losses_and_balancers_of_a_user_are_trained_with_the_student() -> None:
    scaled, largest = Scaled(), Largest()
    model = converted({("stem", "stem"): scaled, ("head", "head"): nn.MSELoss()}, largest)
    outputs = model(BATCH)
    total = model.compute_kd_loss(100 + functional.cross_entropy(outputs, LABELS))
    assert largest.names == ["student_loss", "Scaled_0", "MSELoss_1"]
    assert total.item() > 200
    names = [name for name, _ in model.named_parameters()]
    assert "distillation.losses.0.scale" in names
    assert "distillation.balancer.factor" in names
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    total.backward()
    optimizer.step()
    assert largest.factor.item() != 2.0
    assert model.loss_balancer is largest
    assert scaled in list(model.loss_modules)


def test_each_keyword_goes_to_the_losses_that_take_it() -> None:
    model = converted(
        {("stem", "stem"): Scaled(), ("head", "head"): nn.MSELoss(), ("", ""): mtd.MFTLoss()},
        mtd.StaticLossBalancer(1.0),
    )
    model(BATCH)
    mask = torch.tensor([1.0, 0, 0, 0, 0, 0])
    terms = model.compute_kd_loss(skip_balancer=True, mask=mask, labels=LABELS)
    stem = (
        model.get_submodule("stem")(BATCH[:1]),
        model.teacher_model.get_submodule("stem")(BATCH[:1]),
    )
    assert terms["Scaled_0"].item() == pytest.approx(functional.mse_loss(*stem).item())
    model(BATCH)
    with pytest.raises(KdtabError, match="no loss takes an argument 'lables'") as caught:
        model.compute_kd_loss(lables=LABELS)
    assert [explain(issue) for issue in caught.value.issues] == [
        "no loss takes an argument 'lables'; the losses take 'labels', 'mask'",
        "MFTLoss_2 needs 'labels': pass it by name to compute_kd_loss",
    ]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (functional.mse_loss, "mse_loss_0"),
        (kl.logit_squared_error, "logit_squared_error_0"),
        (
            functools.partial(kl.kl_divergence_from_logits, temperature=2.0),
            "kl_divergence_from_logits_0",
        ),
        (lambda student, teacher: (student - teacher).abs().sum(), "<lambda>_0"),
    ],
)
def test_a_function_is_a_loss_too(function: object, expected: str) -> None:
    model = converted(function)
    outputs = model(BATCH)
    terms = model.compute_kd_loss(skip_balancer=True)
    assert list(terms) == [expected]
    assert terms[expected].shape == ()
    assert outputs.requires_grad


def test_a_row_loss_of_kdtab_is_the_mean_over_rows() -> None:
    model = converted(functools.partial(kl.kl_divergence_from_logits, temperature=2.0))
    outputs = model(BATCH)
    loss = model.compute_kd_loss()
    teacher = model.teacher_model(BATCH)
    expected = mtd.LogitsDistillationLoss(temperature=2.0)(outputs, teacher)
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize(
    "balancer",
    [
        StaticWeights((0.25, 0.25)),
        UncertaintyWeights(("hard", "MSELoss_0", "MSELoss_1")),
        lambda losses: sum(losses.values()) / 4,
    ],
)
def test_any_balancer_of_kdtab_and_any_function_will_do(balancer: object) -> None:
    model = converted(STEMS_AND_HEADS, balancer)
    outputs = model(BATCH)
    total = model.compute_kd_loss(functional.cross_entropy(outputs, LABELS))
    total.backward()
    assert total.shape == ()
    assert set(model.last_losses) == {"student_loss", "MSELoss_0", "MSELoss_1", "loss"}
    assert not any(term.requires_grad for term in model.last_losses.values())


def test_a_term_of_weight_zero_does_not_enter() -> None:
    losses = {
        "student_loss": torch.tensor(torch.inf),
        "MSELoss_0": torch.tensor(torch.nan),
        "MSELoss_1": torch.tensor(2.0),
    }
    assert mtd.StaticLossBalancer([0.0, 1.0])(losses).item() == 2.0


def test_losses_that_are_not_reduced_can_be_masked_before_the_balancer() -> None:
    loss = mtd.LogitsDistillationLoss(reduction="none")
    model = converted(loss, mtd.StaticLossBalancer(1.0))
    outputs = model(BATCH)
    masked = model.compute_kd_loss(loss_reduction_fn=lambda rows: rows[:2].mean())
    expected = loss(outputs, model.teacher_model(BATCH))[:2].mean()
    torch.testing.assert_close(masked, expected)
    model(BATCH)
    with pytest.raises(KdtabError, match=r"not one number; the terms are .*\[6\]"):
        model.compute_kd_loss()


def test_a_loss_per_layer_gives_the_gradient_of_the_same_loss_by_hand() -> None:
    model = converted(STEMS_AND_HEADS, mtd.StaticLossBalancer([0.25, 0.5]))
    outputs = model(BATCH)
    model.compute_kd_loss(functional.cross_entropy(outputs, LABELS)).backward()
    student = mtd.export(model)
    found = {name: p.grad.clone() for name, p in student.named_parameters() if p.grad is not None}
    student.zero_grad()
    torch.manual_seed(5)
    teacher = Blocks().eval()
    hidden, outputs = student.get_submodule("stem")(BATCH), student(BATCH)
    (
        0.25 * functional.mse_loss(hidden, teacher.stem(BATCH).detach())
        + 0.5 * functional.mse_loss(outputs, teacher(BATCH).detach())
        + 0.25 * functional.cross_entropy(outputs, LABELS)
    ).backward()
    for name, parameter in student.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad, msg=name)


def compiled(model: nn.Module, backend: object, **options: bool) -> nn.Module:
    torch._dynamo.reset()
    made = torch.compile(model, backend=backend, **options)  # type: ignore[call-overload]  # any
    assert isinstance(made, nn.Module)
    return made


def test_a_compiled_model_gives_the_same_losses_and_gradients() -> None:
    eager, model = (converted(STEMS_AND_HEADS, mtd.StaticLossBalancer(1.0)) for _ in range(2))
    network = compiled(model, "aot_eager")
    for _ in range(3):
        eager(BATCH)
        network(BATCH)
        totals = [model.compute_kd_loss() for model in (eager, model)]
        torch.testing.assert_close(*totals)
        for total in totals:
            total.backward()
    for ours, theirs in zip(eager.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)
    assert type(mtd.export(network)) is Blocks
    torch._dynamo.reset()


def test_a_compiled_model_is_compiled_once_for_many_steps() -> None:
    counted = CompileCounterWithBackend("aot_eager")
    model = converted(STEMS_AND_HEADS, mtd.StaticLossBalancer(1.0))
    network = compiled(model, counted, fullgraph=True)
    for _ in range(4):
        network(BATCH)
        model.compute_kd_loss().backward()
    assert counted.frame_count == 1
    torch._dynamo.reset()


@pytest.fixture
def one_process(tmp_path: Path) -> Iterator[None]:
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1
    )
    yield
    distributed.destroy_process_group()


@pytest.mark.usefixtures("one_process")
def test_data_parallel_training_wraps_the_student_and_what_is_trained_with_it() -> None:
    torch.manual_seed(5)
    fields = {"teacher_model": Blocks(8), "criterion": HEADS | {("stem", "stem"): nn.MSELoss()}}
    mode = [("kd_loss", fields | {"loss_balancer": mtd.StaticLossBalancer(1.0)})]
    model = mtd.convert(Blocks(), mode, example=BATCH)
    wrapped = DistributedDataParallel(model)
    wrapped(BATCH)
    model.compute_kd_loss().backward()
    trained = {name for name, p in wrapped.module.named_parameters() if p.grad is not None}
    assert "distillation.projections.MSELoss_1.weight" in trained
    assert type(mtd.export(wrapped)) is Blocks
