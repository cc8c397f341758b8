"""The tasks of timm and those of kdtab on the same models and batches: equal numbers, and time.

Run: make bench ONLY=timm, or where timm is installed: python -m benchmarks.peers.timm_task [--steps 30]
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

import torch
from benchmarks.peers.vision import import_torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

import kdtab

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
HALVES = {"mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}
TOLERANCE = 1e-5


class Table(nn.Module):
    """A small network for rows that tells timm what timm asks of a student."""

    num_classes, in_chans = 3, 3

    def __init__(self, width: int) -> None:
        super().__init__()
        self.pretrained_cfg = IMAGENET  # the constants of both are equal: nothing is normalised
        self.num_features = width
        self.trunk = nn.Sequential(nn.Linear(100, width), nn.ReLU(), nn.Linear(width, width))
        self.fc = nn.Linear(width, self.num_classes)

    def forward_features(self, inputs: Tensor) -> Tensor:
        """Before the pooling."""
        features: Tensor = self.trunk(inputs)
        return features

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Outputs, or what they are made of."""
        outputs: Tensor = features if pre_logits else self.fc(features)
        return outputs

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs."""
        return self.forward_head(self.forward_features(inputs))


@dataclass(frozen=True)
class Case:
    """Two models and a batch for both libraries."""

    name: str
    student: nn.Module
    teacher: nn.Module
    inputs: Tensor
    labels: Tensor
    kind: str
    options: Mapping[str, float]


def timm_package() -> ModuleType:
    """Import timm, for which the Python part of torchvision is enough."""
    import_torchvision()
    import_module("timm.task")
    return import_module("timm")


def cases(timm: ModuleType) -> list[Case]:
    """Rows and images, logits and features, with and without a normalisation."""
    torch.manual_seed(0)
    labels = torch.randint(0, 3, (256,))
    rows = torch.randn(256, 100)
    student = timm.create_model("resnet10t", pretrained=False, num_classes=3)
    student.pretrained_cfg.update(HALVES)
    teacher = timm.create_model("resnet18", pretrained=False, num_classes=3)
    images = torch.randn(8, 3, 64, 64)
    softened: dict[str, float] = {"task_loss_weight": 0.3, "temperature": 4.0}
    heavy: dict[str, float] = {"distill_loss_weight": 5.0}
    return [
        Case("rows, logits", Table(128), Table(256), rows, labels, "Logit", softened),
        Case("rows, features", Table(128), Table(256), rows, labels, "Feature", heavy),
        Case("images, logits", student, teacher, images, labels[:8], "Logit", softened),
        Case("images, features", student, teacher, images, labels[:8], "Feature", heavy),
    ]


def tasks(timm: ModuleType, case: Case) -> tuple[nn.Module, nn.Module]:
    """The task of kdtab and that of timm, of copies of the same models."""
    name = f"{case.kind}DistillationTask"
    made: list[nn.Module] = []
    for library in (kdtab, timm.task):
        torch.manual_seed(1)  # the projections start alike
        student, teacher = copy.deepcopy((case.student, case.teacher))
        made.append(getattr(library, name)(student, teacher, verbose=False, **case.options))
    return made[0].eval(), made[1].eval()


def gradients(task: nn.Module, terms: Mapping[str, Tensor]) -> list[Tensor]:
    """What the loss asks of the student and the projection."""
    terms["loss"].backward()
    found = [one.grad for name, one in task.named_parameters() if "teacher" not in name]
    return [one for one in found if one is not None]


def check_equal(case: Case, ours: nn.Module, theirs: nn.Module) -> float:
    """The largest difference between the numbers of both; it must be rounding."""
    terms = [task(case.inputs, case.labels) for task in (ours, theirs)]
    names = ("loss", "task_loss", "kd_loss", "output")
    pairs = [(terms[0][name], terms[1][name]) for name in names]
    pairs += zip(gradients(ours, terms[0]), gradients(theirs, terms[1]), strict=True)
    largest = max(float((one - other).detach().abs().max()) for one, other in pairs)
    assert largest < TOLERANCE, f"{case.name}: the libraries differ by {largest}"
    return largest


def timed_step(task: nn.Module, case: Case) -> Callable[[], float]:
    """One step as a loop takes it; the processor time that it took, which a busy machine leaves alone."""
    optimizer = torch.optim.SGD(
        [one for one in task.parameters() if one.requires_grad],
        lr=1e-4,
    )

    def step() -> float:
        start = time.process_time()
        optimizer.zero_grad()
        task(case.inputs, case.labels)["loss"].backward()
        optimizer.step()
        return time.process_time() - start

    return step


def in_turns(
    pair: tuple[Callable[[], float], Callable[[], float]], *, theirs_first: bool
) -> tuple[float, float]:
    """The time of timm's step and of ours, whichever is taken first."""
    if theirs_first:
        return pair[0](), pair[1]()
    our = pair[1]()
    return pair[0](), our


def check_named_teacher(timm: ModuleType) -> None:
    """A name with a file of weights is the model that timm itself would load."""
    model = timm.create_model("resnet10t", pretrained=False, num_classes=3).eval()
    images = torch.randn(2, 3, 64, 64)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        save_file(model.state_dict(), path)
        ours = kdtab.DistillationTeacher("resnet10t", 3, 3, os.fspath(path))
        theirs = timm.task.DistillationTeacher("resnet10t", 3, 3, os.fspath(path))
        with torch.no_grad():
            assert torch.equal(ours(images), theirs(images))
            assert torch.equal(ours(images, True), theirs(images, True))


def main() -> None:
    """Compare, then time both in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=30)
    steps = parser.parse_args().steps
    torch.set_num_threads(1)
    timm = timm_package()
    check_named_teacher(timm)
    print(f"timm {timm.__version__}, torch {torch.__version__}, one thread, {steps} steps")
    print(f"{'':18} {'difference':>10} {'timm ms':>9} {'kdtab ms':>9} {'times as fast':>14}")
    for case in cases(timm):
        ours, theirs = tasks(timm, case)
        largest = check_equal(case, ours, theirs)
        pair = timed_step(theirs, case), timed_step(ours, case)
        for step in pair:
            step()
        taken = [in_turns(pair, theirs_first=at % 2 == 0) for at in range(steps)]
        milliseconds = [1e3 * statistics.median(each) for each in zip(*taken, strict=True)]
        ratio = statistics.median(their / our for their, our in taken)
        print(
            f"{case.name:18} {largest:10.1e} {milliseconds[0]:9.2f} {milliseconds[1]:9.2f} {ratio:14.2f}"
        )
        print(f"figure\ttimm / kdtab, {case.name}\t{ratio}")


if __name__ == "__main__":
    main()
