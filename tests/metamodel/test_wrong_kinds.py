"""What a newcomer passes by mistake is told in words, not by a traceback from inside."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import kdtab.metamodel as mtd
from kdtab.errors.raised import KdtabError
from layer_models import Blocks

BATCH = torch.randn(6, 5, generator=torch.Generator().manual_seed(3))
HEADS = {("head", "head"): nn.MSELoss()}
LOSS = mtd.LogitsDistillationLoss()


def converted(**fields: object) -> mtd.DistillationModel:
    given = {"teacher_model": Blocks(), "criterion": HEADS} | fields
    return mtd.convert(Blocks(), [("kd_loss", given)])


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "a loss class": (
        lambda: converted(criterion=mtd.LogitsDistillationLoss),
        "criterion must have losses and not their classes",
    ),
    "a loss class in a pair": (
        lambda: converted(criterion={("head", "head"): nn.MSELoss}),
        "criterion must have losses and not their classes",
    ),
    "a balancer class": (
        lambda: converted(loss_balancer=mtd.StaticLossBalancer),
        "loss_balancer must be a balancer and not its class",
    ),
    "a teacher's class": (
        lambda: converted(teacher_model=nn.Linear),
        "the teacher of type 'Linear' cannot be used: it cannot be made: missing a required",
    ),
    "another example": (
        lambda: mtd.convert(
            Blocks(),
            [("kd_loss", {"teacher_model": Blocks(), "criterion": HEADS})],
            example=torch.zeros(2, 9),
        ),
        "the student of type 'Blocks' cannot be used: it does not take the example batch",
    ),
    "a label that no class has": (
        lambda: mtd.MFTLoss()(torch.zeros(2, 3), torch.zeros(2, 3), torch.tensor([3, 0])),
        "labels must be class codes from 0 to 2",
    ),
    "a label to ignore": (
        lambda: mtd.MFTLoss()(torch.zeros(2, 3), torch.zeros(2, 3), torch.tensor([0, -100])),
        "leave rows without a label out",
    ),
    "no weight": (
        lambda: mtd.StaticLossBalancer(None),  # type: ignore[arg-type]  # a user may
        "must be a number between 0 and 1, got 'None'",
    ),
    "a temperature in quotes": (
        lambda: mtd.LogitsDistillationLoss("2"),  # type: ignore[arg-type]  # a user may
        "temperature must be a finite number above 0, got '2'",
    ),
    "no threshold": (
        lambda: mtd.MFTLoss(threshold=None),  # type: ignore[arg-type]  # a user may
        "threshold must be a number between 0 and 1, got 'None'",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_of_a_wrong_kind_is_told(name: str) -> None:
    make, sentence = WRONG[name]
    with pytest.raises(KdtabError, match=sentence):
        make()


def test_weights_of_numpy_are_weights() -> None:
    balancer = mtd.StaticLossBalancer(np.array([0.25, 0.5], dtype=np.float32))  # type: ignore[arg-type]  # a sequence in all but name
    terms = {"a": torch.tensor(2.0), "b": torch.tensor(4.0), "student_loss": torch.tensor(10.0)}
    assert balancer(terms) == 5.0
    assert mtd.StaticLossBalancer(np.float32(1.0))({"a": terms["a"], "b": terms["b"]}) == 6.0  # type: ignore[arg-type]  # a number in all but name


@pytest.mark.parametrize("own", [1.0, torch.ones(3)], ids=["float", "vector"])
def test_a_students_loss_that_is_no_scalar_tensor_is_named(own: Tensor) -> None:
    model = converted(loss_balancer=mtd.StaticLossBalancer(0.5))
    model(BATCH)
    with pytest.raises(KdtabError, match=r"student_loss (float|\[3\])"):
        model.compute_kd_loss(own)


@pytest.mark.parametrize("labels", [torch.zeros(5, dtype=torch.int64), torch.zeros(6)])
def test_labels_that_fit_no_row_are_told(labels: Tensor) -> None:
    model = converted(criterion=mtd.MFTLoss())
    model(BATCH)
    with pytest.raises(KdtabError, match="labels must be one int64 class code for each row"):
        model.compute_kd_loss(labels=labels)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_a_padded_batch_of_torchs_encoder_is_no_tensor_with_a_shape() -> None:
    # The encoder packs a padded batch in eval mode, which the teacher is in.
    def encoder() -> nn.Module:
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        return nn.TransformerEncoder(layer, 2)

    padding = torch.tensor([[False] * 4 + [True]] * 3)
    example = {"src": torch.randn(3, 5, 8), "src_key_padding_mask": padding}
    config = {"teacher_model": encoder(), "criterion": {("layers.0", "layers.0"): nn.MSELoss()}}
    with pytest.raises(KdtabError, match="gives a nested tensor, the loss takes a tensor"):
        mtd.plan(encoder(), [("kd_loss", config)], example=example)
