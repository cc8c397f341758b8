"""A whole distillation: `distill_student` against the tasks of timm and ModelOpt in plain loops.

    python -m benchmarks.peers.loops

A frame of 40,960 rows of 100 numbers, of which 32,768 are learnt from; a teacher of 3×256; the
student of 2×128 with dropout .15 that kdtab gives it; five epochs of 256 rows. The peers get the
ready matrix and nothing but the loop: batches by index, the teacher in every batch, Adam. kdtab
gets the frame, so that its time has the preparation, the split, the teacher and the metrics in it.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module

import numpy as np
import polars as pl
import torch
from benchmarks.peers import handwritten
from benchmarks.peers.timm_task import IMAGENET, timm_package
from benchmarks.peers.vision import import_torchvision
from torch import Tensor, nn

import kdtab
from kdtab.bundle import ModelBundle
from kdtab.config.columns import ColumnOptions
from kdtab.data.prepare import prepare_table
from kdtab.data.prepared import PreparedTable

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
THREADS = int(os.environ.get("BENCH_THREADS", "1"))
ROWS, FEATURES, SEED = 40_960, 100, 7
WIDTHS, DROPOUT = (128, 128), 0.15
CONFIG = kdtab.TrainingConfig(target_column="y", epochs=5, batch_size=256)
KNOBS = kdtab.DistillConfig(temperature=2.0, alpha=0.5)
LARGEST_DIFFERENCE = 0.02


class Named(nn.Module):
    """A network that tells timm what timm asks of a model; ModelOpt takes no bare `Sequential`."""

    num_classes, in_chans, num_features = 2, 3, 128

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.pretrained_cfg = network, IMAGENET

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits."""
        outputs: Tensor = self.network(inputs)
        return outputs


def table() -> pl.DataFrame:
    """Numbers, and a label that a few of them decide."""
    random = np.random.default_rng(SEED)
    matrix = random.standard_normal((ROWS, FEATURES))
    label = matrix[:, :5].sum(axis=1) + random.standard_normal(ROWS) > 0
    names = [f"x{at}" for at in range(FEATURES)]
    return pl.DataFrame(matrix, schema=names).with_columns(y=np.where(label, "yes", "no"))


def copied(bundle: ModelBundle) -> nn.Module:
    """The teacher as plain modules of torch."""
    network = handwritten.network(FEATURES, (256, 256, 256), 0.1)
    values = bundle.model.state_dict().values()
    network.load_state_dict(dict(zip(network.state_dict(), values, strict=True)))
    return network.eval()


def loop(
    model: nn.Module, loss_of: Callable[[Tensor, Tensor], Tensor], rows: PreparedTable
) -> None:
    """All epochs."""
    inputs, labels = map(torch.from_numpy, (rows.training.inputs, rows.training.targets))
    learning = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.Adam(learning, lr=1e-3, weight_decay=1e-4)
    model.train()
    for _ in range(CONFIG.epochs or 0):
        for index in torch.split(torch.randperm(len(inputs)), CONFIG.batch_size or 0):
            optimizer.zero_grad()
            loss = loss_of(inputs[index], labels[index])
            torch.autograd.backward(loss)
            optimizer.step()
            loss.item()


def by_timm(teacher: nn.Module, rows: PreparedTable) -> nn.Module:
    student = handwritten.network(FEATURES, WIDTHS, DROPOUT)
    task = timm_package().task.LogitDistillationTask(
        Named(student), Named(teacher), task_loss_weight=0.5, temperature=2.0, verbose=False
    )
    loop(task, lambda inputs, labels: task(inputs, labels)["loss"], rows)
    return student.eval()


def by_modelopt(teacher: nn.Module, rows: PreparedTable) -> nn.Module:
    door = import_module("modelopt.torch.distill")
    student = handwritten.network(FEATURES, WIDTHS, DROPOUT)
    config = {
        "teacher_model": Named(teacher),
        "criterion": door.LogitsDistillationLoss(2.0, "batchmean"),
        "loss_balancer": door.StaticLossBalancer([0.5]),
    }
    model = door.convert(Named(student), mode=[("kd_loss", config)])

    def loss_of(inputs: Tensor, labels: Tensor) -> Tensor:
        loss: Tensor = model.compute_kd_loss(nn.functional.cross_entropy(model(inputs), labels))
        return loss

    loop(model, loss_of, rows)
    plain: nn.Module = door.export(model).eval()
    return plain


def accuracy(network: nn.Module, rows: PreparedTable) -> float:
    with torch.no_grad():
        answers = network(torch.from_numpy(rows.test.inputs)).argmax(dim=1).numpy()
    return float((answers == rows.test.targets).mean())


def in_turns(sides: Mapping[str, Callable[[], nn.Module]], rows: PreparedTable) -> dict[str, float]:
    """Median seconds of each side after one round to warm up, whose students must be alike."""
    clock = time.process_time if THREADS == 1 else time.perf_counter
    told = {name: accuracy(run(), rows) for name, run in sides.items()}
    assert max(told.values()) - min(told.values()) < LARGEST_DIFFERENCE, told
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, run in sides.items():
            begin = clock()
            run()
            times[name].append(clock() - begin)
    return {name: float(np.median(found)) for name, found in times.items()}


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(THREADS)
    import_torchvision()
    frame = table()
    teacher_config = CONFIG.model_copy(
        update={"hidden_dim": 256, "num_hidden_layers": 3, "epochs": 1}
    )
    bundle = kdtab.train_model(frame, teacher_config, device="cpu").unwrap().bundle
    rows = prepare_table(frame, CONFIG, ColumnOptions()).unwrap()

    def by_kdtab() -> nn.Module:
        return (
            kdtab.distill_student(frame, bundle, CONFIG, KNOBS, device="cpu").unwrap().bundle.model
        )

    sides: dict[str, Callable[[], nn.Module]] = {
        "kdtab": by_kdtab,
        "timm": lambda: by_timm(copied(bundle), rows),
        "modelopt": lambda: by_modelopt(copied(bundle), rows),
    }
    found = in_turns(sides, rows)
    for name, seconds in found.items():
        print(f"{name:10} {seconds:6.2f} s")
        if name != "kdtab":
            label = f"{name} in a plain loop / distill_student"
            print(f"figure\t{label}\t{seconds / found['kdtab']}")


if __name__ == "__main__":
    main()
