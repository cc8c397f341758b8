"""The same conversion with nvidia-modelopt and with kdtab: same losses, and the time of a step.

Student and teacher run in every step, as both do it: the teacher is online. Run: `make bench ONLY=modelopt`.
"""

from __future__ import annotations

import copy
import platform
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from itertools import pairwise
from types import ModuleType

import numpy as np
import torch
from benchmarks.peers.vision import import_torchvision
from torch import Tensor, nn
from torch.nn import functional

import kdtab.metamodel

ROWS, FEATURES, CLASSES, STEPS, ROUNDS = 256, 100, 3, 40, 11
CORRECTED_TOLERANCE = 3e-6


class Network(nn.Module):
    """Hidden layers of one width, each with a norm, and a head."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        sizes = [FEATURES, *[width] * depth]
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(before, after), nn.LayerNorm(after), nn.ReLU())
            for before, after in pairwise(sizes)
        )
        self.head = nn.Linear(width, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        """[B, FEATURES] to [B, CLASSES]."""
        for block in self.blocks:
            inputs = block(inputs)
        outputs: Tensor = self.head(inputs)
        return outputs


@dataclass(frozen=True)
class Case:
    """One conversion, said in the words of both."""

    name: str
    criterion: Callable[[ModuleType], object]
    weights: list[float] | None
    depth: tuple[int, int] = (2, 3)
    labels: bool = False
    tolerance: float = 1e-6


def rows_mean(door: ModuleType) -> str:
    """What divides by the rows: ModelOpt's "mean" divides by the classes too."""
    return "mean" if door is kdtab.metamodel else "batchmean"


CASES = (
    Case("logits", lambda door: door.LogitsDistillationLoss(2.0, rows_mean(door)), None),
    Case(
        "logits, all elements",
        lambda door: door.LogitsDistillationLoss(
            2.0, "elementmean" if door is kdtab.metamodel else "mean"
        ),
        None,
    ),
    Case(
        "logits and labels", lambda door: door.LogitsDistillationLoss(2.0, rows_mean(door)), [0.5]
    ),
    Case(
        "corrected",
        lambda door: door.MFTLoss(threshold=0.2),
        None,
        labels=True,
        tolerance=CORRECTED_TOLERANCE,
    ),
    Case(
        "two layers and logits",
        lambda door: {
            ("blocks.0", "blocks.0"): nn.MSELoss(),
            ("blocks.1.0", "blocks.2.0"): nn.MSELoss(),
            ("head", "head"): door.LogitsDistillationLoss(2.0, rows_mean(door)),
        },
        [0.25, 0.25, 0.25],
    ),
)


@dataclass
class Run:
    """A model that one of the two converted, and what it learns from."""

    model: kdtab.metamodel.DistillationModel  # or theirs, which has the same methods
    inputs: Tensor
    labels: Tensor
    own_loss: bool
    says_labels: bool

    def __post_init__(self) -> None:
        """Plain descent: an optimizer of its own would be most of the time."""
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-3)

    def step(self) -> float:
        """One step, and its loss."""
        self.optimizer.zero_grad()
        outputs = self.model(self.inputs)
        own = functional.cross_entropy(outputs, self.labels) if self.own_loss else None
        compute = self.model.compute_kd_loss
        loss = compute(own, labels=self.labels) if self.says_labels else compute(own)
        torch.autograd.backward(loss)
        self.optimizer.step()
        return float(loss.detach())


def converted(door: ModuleType, case: Case, width: int) -> Run:
    """The same models and rows for either door."""
    torch.manual_seed(7)
    student, teacher = Network(width, case.depth[0]), Network(width, case.depth[1])
    inputs, labels = torch.randn(ROWS, FEATURES), torch.randint(0, CLASSES, (ROWS,))
    balancer = None if case.weights is None else door.StaticLossBalancer(case.weights)
    config = {
        "teacher_model": copy.deepcopy(teacher),
        "criterion": case.criterion(door),
        "loss_balancer": balancer,
    }
    model = door.convert(student, mode=[("kd_loss", config)])
    return Run(model, inputs, labels, case.weights is not None, case.labels)


def seconds(run: Run) -> float:
    """The processor's time for so many steps, which a busy machine does not stretch much."""
    begin = time.process_time()
    for _ in range(STEPS):
        run.step()
    return time.process_time() - begin


def compared(theirs: ModuleType, case: Case, width: int) -> float:
    """Same losses for ten steps; then how often ours is as fast, the median of several rounds."""
    ours, other = converted(kdtab.metamodel, case, width), converted(theirs, case, width)
    losses = np.array([(ours.step(), other.step()) for _ in range(10)])
    np.testing.assert_allclose(losses[:, 0], losses[:, 1], rtol=0, atol=case.tolerance)
    pairs = [(seconds(other), seconds(ours)) for _ in range(ROUNDS)]
    theirs_ms, ours_ms = (
        1000 * float(np.median(times)) / STEPS for times in zip(*pairs, strict=True)
    )
    ratio = float(np.median([old / new for old, new in pairs]))
    print(
        f"{case.name:24} width {width:4}: theirs {theirs_ms:6.3f} ms, ours {ours_ms:6.3f} ms a "
        f"step, {ratio:.2f} times as fast; largest difference of a loss "
        f"{np.abs(losses[:, 0] - losses[:, 1]).max():.1e}"
    )
    return ratio


def main() -> None:
    """Print the figures; end with an error where losses differ or a step takes longer."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    import_torchvision()
    theirs = import_module("modelopt.torch.distill")
    print(
        f"{platform.machine()}, torch {torch.__version__}, 1 thread, "
        f"nvidia-modelopt {version('nvidia-modelopt')}, {ROWS} rows of {FEATURES} numbers"
    )
    ratios = [compared(theirs, case, width) for case in CASES for width in (32, 128)]
    median = float(np.median(ratios))
    print(f"median of all: {median:.2f}")
    print(f"figure\tmodelopt / kdtab, a step of a converted model\t{median}")


if __name__ == "__main__":
    main()
