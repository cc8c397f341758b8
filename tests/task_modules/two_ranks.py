"""What each of two processes does: `torchrun two_ranks.py FOLDER [--die]`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from kdtab.task_modules import FeatureDistillationTask, LogitDistillationTask

ROWS, COLUMNS, CLASSES = 8, 5, 3
KINDS = ("logits", "features")
Task = FeatureDistillationTask | LogitDistillationTask


def network(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(COLUMNS, width), nn.Tanh(), nn.Linear(width, CLASSES)).double()


def made_task(kind: str) -> Task:
    torch.manual_seed(7)
    student, teacher = network(4), network(6)
    if kind == "logits":
        return LogitDistillationTask(student, teacher, task_loss_weight=0.3, temperature=2.0)
    return FeatureDistillationTask(student, teacher, distill_loss_weight=5.0)


def global_batch() -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(11)
    rows = torch.randn(ROWS, COLUMNS, generator=draw, dtype=torch.float64)
    return rows, torch.randint(0, CLASSES, (ROWS,), generator=draw)


def gradients(task: Task) -> dict[str, list[float]]:
    return {
        name.replace(".module.", "."): [] if one.grad is None else one.grad.flatten().tolist()
        for name, one in task.named_parameters()
    }


def main(folder: Path, *, die: bool) -> None:
    distributed.init_process_group("gloo")
    rank = distributed.get_rank()
    (folder / f"{rank}.pid").write_text(str(os.getpid()), encoding="utf-8")
    distributed.barrier()
    for kind in KINDS:
        said = one_step(kind, rank, die=die)
        (folder / f"{kind}{rank}.json").write_text(json.dumps(said), encoding="utf-8")
    distributed.destroy_process_group()
    # A thread of gloo that is still there when torch is unloaded would now and then abort the process.
    os._exit(0)


def one_step(kind: str, rank: int, *, die: bool) -> dict[str, object]:
    task = made_task(kind).prepare_distributed()
    rows, labels = global_batch()
    half = slice(rank * ROWS // 2, (rank + 1) * ROWS // 2)
    if die and rank == 1:
        os._exit(3)
    terms = task(rows[half], labels[half])
    terms["loss"].backward()
    means = {name: terms[name].detach().clone() for name in ("loss", "task_loss", "kd_loss")}
    for mean in means.values():
        distributed.all_reduce(mean)
    return {
        "terms": {name: mean.item() / 2 for name, mean in means.items()},
        "gradients": gradients(task),
        "wrapped": wrapped_in(task),
        "wrapped_in_teacher": wrapped_in(task.teacher),
        "state": sorted(task.state_dict()),
    }


def wrapped_in(module: nn.Module) -> list[str]:
    every = module.named_modules()
    return [name for name, one in every if isinstance(one, DistributedDataParallel)]


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), die="--die" in sys.argv)
