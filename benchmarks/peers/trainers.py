"""The training loop against Lightning's `Trainer` and skorch, on the work of `test_step.py`.

Lightning distils with the loss of the literal loop; skorch has no teacher and trains on labels
alone, as our loop does beside it. Run: `make bench ONLY=trainers`.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from importlib import import_module

import torch
from benchmarks.peers.vision import import_torchvision
from benchmarks.test_step import (
    ALPHA,
    BATCH_SIZE,
    EPOCHS,
    ROUNDS,
    SEED,
    TEMPERATURE,
    Workload,
    figure,
    in_turns,
    literal_loop,
    machine,
    our_loop,
    our_supervised_loop,
    ratio,
    table,
    workload,
)
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from kdtab.shell.seed import seeded

LOWEST_ACCURACY = 0.85
import_torchvision()
lightning, skorch = import_module("lightning"), import_module("skorch")


def distillation(work: Workload, student: nn.Module) -> nn.Module:
    """The loss of the literal loop as a Lightning module."""
    base: type[nn.Module] = lightning.LightningModule
    hard_loss, soft_loss = nn.CrossEntropyLoss(), nn.KLDivLoss(reduction="batchmean")

    def training_step(module: nn.Module, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        inputs, labels = batch
        with torch.no_grad():
            spoken = work.teacher(inputs)
        logits = student(inputs)
        soft: Tensor = soft_loss(
            torch.log_softmax(logits / TEMPERATURE, dim=1),
            torch.softmax(spoken / TEMPERATURE, dim=1),
        )
        hard: Tensor = hard_loss(logits, labels)
        return ALPHA * hard + (1 - ALPHA) * soft * TEMPERATURE**2

    def configure_optimizers(module: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.Adam(student.parameters(), lr=1e-3, weight_decay=1e-4)

    methods = {"training_step": training_step, "configure_optimizers": configure_optimizers}
    module: nn.Module = type("Distillation", (base,), methods)()
    module.add_module("student", student)
    return module


def lightning_loop(work: Workload) -> nn.Module:
    rows = TensorDataset(torch.from_numpy(work.inputs), torch.from_numpy(work.labels))
    with seeded(SEED):
        student = work.new_student(work.student)
        trainer = lightning.Trainer(
            max_epochs=EPOCHS,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(
            distillation(work, student),
            DataLoader(rows, batch_size=BATCH_SIZE, shuffle=True),
        )
    return student.eval()


def skorch_loop(work: Workload) -> nn.Module:
    with seeded(SEED):
        network = skorch.NeuralNetClassifier(
            work.new_student(work.student),
            criterion=nn.CrossEntropyLoss,
            optimizer=torch.optim.Adam,
            optimizer__weight_decay=1e-4,
            lr=1e-3,
            batch_size=BATCH_SIZE,
            max_epochs=EPOCHS,
            train_split=None,
            iterator_train__shuffle=True,
            verbose=0,
        )
        network.fit(work.inputs, work.labels)
    trained: nn.Module = network.module_
    return trained.eval()


def accuracy(student: nn.Module, work: Workload) -> float:
    with torch.no_grad():
        answers = student(torch.from_numpy(work.inputs)).argmax(dim=1)
    return float((answers == torch.from_numpy(work.labels)).float().mean())


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    sides: dict[str, Callable[[Workload], nn.Module]] = {
        "Lightning Trainer": lightning_loop,
        "literal": literal_loop,
        "kdtab": our_loop,
        "skorch, labels alone": skorch_loop,
        "kdtab, labels alone": our_supervised_loop,
    }
    print(f"{machine()}, lightning {lightning.__version__}, skorch {skorch.__version__}")
    for has_norm in (True, False):
        work = workload(dropout=0.15, has_norm=has_norm)
        for train in (skorch_loop, our_supervised_loop):
            assert accuracy(train(work), work) > LOWEST_ACCURACY
        found = in_turns(sides, work, ROUNDS)
        by_lightning = ratio(found["Lightning Trainer"], found["kdtab"])
        by_skorch = ratio(found["skorch, labels alone"], found["kdtab, labels alone"])
        print(f"\n{'with' if has_norm else 'without'} BatchNorm\n{table(found)}")
        print(f"Lightning / kdtab: {by_lightning.wall:.2f} wall, {by_lightning.cpu:.2f} CPU")
        print(f"skorch / kdtab: {by_skorch.wall:.2f} wall, {by_skorch.cpu:.2f} CPU", flush=True)
        norm = "with BatchNorm" if has_norm else "without BatchNorm"
        print(figure(f"Lightning Trainer / kdtab, {norm}", by_lightning))
        print(figure(f"skorch / kdtab, labels alone, {norm}", by_skorch), flush=True)


if __name__ == "__main__":
    main()
