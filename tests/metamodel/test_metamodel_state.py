"""Saving and going on: to the bit, and nothing from a file that is not whole."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import kdtab.metamodel as mtd
from kdtab.disk.distillstate import decoded_model, encoded_model, read_model
from kdtab.errors.conversions import StateForeign
from kdtab.errors.raised import KdtabError
from kdtab.recipes.distillstate import CODES
from layer_models import Blocks

BATCH = torch.randn(6, 5, generator=torch.Generator().manual_seed(3))


class Scale(mtd.DistillationLossBalancer):
    """With numbers to train."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(1.0))

    def forward(self, loss: dict[str, Tensor]) -> Tensor:
        return self.factor * torch.stack(list(loss.values())).sum()


def seeded_blocks(seed: int, width: int = 4) -> Blocks:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Blocks(width)


def converted(teacher_seed: int = 2, balancer: nn.Module | None = None) -> mtd.DistillationModel:
    criterion: dict[tuple[str, str], nn.Module] = {
        ("blocks.*.norm", "blocks.*.norm"): nn.MSELoss(),
        ("", ""): mtd.LogitsDistillationLoss(),
    }
    fields = {
        "teacher_model": seeded_blocks(teacher_seed, 8),
        "criterion": criterion,
        "loss_balancer": balancer or Scale(),
    }
    return mtd.convert(seeded_blocks(1).eval(), [("kd_loss", fields)], example=BATCH)


def train(model: mtd.DistillationModel, steps: int) -> list[float]:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    losses = []
    for number in range(steps):
        optimizer.zero_grad()
        model(BATCH + number)
        loss = model.compute_kd_loss()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def numbers(model: nn.Module) -> dict[str, bytes]:
    return {name: value.detach().numpy().tobytes() for name, value in model.named_parameters()}


def test_training_goes_on_to_the_bit(tmp_path: Path) -> None:
    model = converted()
    train(model, 3)
    mtd.save(model, tmp_path / "state.safetensors")
    expected = train(model, 2)
    resumed = converted()
    assert mtd.restore(resumed, tmp_path / "state.safetensors") is resumed
    assert train(resumed, 2) == expected
    assert numbers(resumed) == numbers(model)


def test_the_step_is_counted_in_train_mode_and_kept(tmp_path: Path) -> None:
    model = converted().train()
    train(model, 3)
    model.eval()
    train(model, 2)
    mtd.save(model, tmp_path / "state.safetensors")
    lesson = read_model(tmp_path / "state.safetensors").unwrap().manifest.lesson
    assert lesson is not None
    assert lesson.step == 3


def test_a_plain_student_stays_plain(tmp_path: Path) -> None:
    model = converted()
    train(model, 1)
    mtd.save(model, tmp_path / "state.safetensors")
    student = Blocks()
    assert mtd.restore(student, tmp_path / "state.safetensors") is student
    assert type(student) is Blocks
    exported = mtd.export(model)
    assert numbers(student) == numbers(exported)
    mtd.save(exported, tmp_path / "plain.safetensors")
    assert numbers(mtd.restore(Blocks(), tmp_path / "plain.safetensors")) == numbers(student)


def test_no_number_of_the_teacher_is_in_the_file(tmp_path: Path) -> None:
    model = converted()
    mtd.save(model, tmp_path / "state.safetensors")
    stored = read_model(tmp_path / "state.safetensors").unwrap()
    student = {f"student/{name}" for name in Blocks().state_dict()}
    trained = {
        f"distillation/projections.MSELoss_{n}.{w}" for n in range(3) for w in ("weight", "bias")
    }
    assert set(stored.tensors) == student | trained | {"distillation/balancer.factor"}
    assert encoded_model(stored) == (tmp_path / "state.safetensors").read_bytes()


@pytest.mark.parametrize(
    "dtype",
    sorted(CODES, key=str),
)
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_tensors_of_every_kind_come_back(
    dtype: torch.dtype, shape: tuple[int, ...], tmp_path: Path
) -> None:
    model, other = nn.Module(), nn.Module()
    value = torch.randint(0, 2, shape, generator=torch.Generator().manual_seed(1)).to(dtype)
    model.register_buffer("value", value)
    other.register_buffer("value", torch.zeros_like(value))
    mtd.save(model, tmp_path / "a.safetensors")
    mtd.restore(other, tmp_path / "a.safetensors")
    assert torch.equal(other.get_buffer("value"), value)


def test_the_file_is_one_that_safetensors_reads(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    model = converted()
    mtd.save(model, tmp_path / "state.safetensors")
    found = safetensors.load_file(tmp_path / "state.safetensors")
    for name, value in model.state_dict().items():
        assert torch.equal(found[f"student/{name}"], value)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (lambda: converted(teacher_seed=3), "its teacher has other weights"),
        (lambda: converted(balancer=mtd.StaticLossBalancer(1.0)), "its balancer is 'Scale'"),
        (lambda: Blocks(8), r"'student/blocks.0.linear.bias' is float32 \[4\] in the file"),
        (lambda: Blocks().double(), "is float32"),
        (lambda: Blocks(depth=2), "the model has no tensor 'student/blocks.2.linear.bias'"),
        (lambda: Blocks(depth=4), "the file has no tensor 'student/blocks.3.linear.bias'"),
    ],
)
def test_a_state_of_another_model_changes_nothing(
    other: object, sentence: str, tmp_path: Path
) -> None:
    model = converted()
    mtd.save(model, tmp_path / "state.safetensors")
    assert callable(other)
    target: nn.Module = other()
    before = numbers(target)
    with pytest.raises(KdtabError, match=sentence):
        mtd.restore(target, tmp_path / "state.safetensors")
    assert numbers(target) == before


def test_a_plain_state_does_not_go_into_a_converted_model(tmp_path: Path) -> None:
    mtd.save(Blocks(), tmp_path / "plain.safetensors")
    with pytest.raises(KdtabError, match="export this one first"):
        mtd.restore(converted(), tmp_path / "plain.safetensors")


def test_a_state_that_is_no_tensor_is_not_saved(tmp_path: Path) -> None:
    class Extra(nn.Module):
        def get_extra_state(self) -> dict[str, int]:
            return {"epoch": 3}

    with pytest.raises(KdtabError, match="'student/_extra_state' cannot be saved: a dict"):
        mtd.save(Extra(), tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("state") / "whole.safetensors"
    mtd.save(converted(), path)
    return path.read_bytes()


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_no_changed_file_is_believed(whole: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(whole) - 1))
    change = data.draw(st.sampled_from(["flip", "cut", "insert"]))
    if change == "flip":
        changed = bytearray(whole)
        changed[place] ^= 1 << data.draw(st.integers(0, 7))
    elif change == "cut":
        changed = bytearray(whole[:place])
    else:
        changed = bytearray(
            whole[:place] + data.draw(st.binary(min_size=1, max_size=9)) + whole[place:]
        )
    issues = decoded_model("a", bytes(changed)).failure()
    assert all(isinstance(issue, StateForeign) for issue in issues)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(content: bytes) -> None:
    assert isinstance(decoded_model("a", content).failure().first, StateForeign)


def test_a_missing_file_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        mtd.restore(Blocks(), tmp_path / "none")
    with pytest.raises(OSError, match="none"):
        mtd.save(Blocks(), tmp_path / "none" / "a")
