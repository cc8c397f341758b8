"""The distillation that a user writes without kdtab: pandas, scikit-learn and the literal loop.

    python benchmarks/peers/handwritten.py TABLE FOLDER

FOLDER holds the teacher: `columns.joblib`, its fitted ColumnTransformer, and `teacher.pt`. The
student is left beside them as `student.pt`. The loop follows the specification word by word
(REQ-KD11, REQ-KD16 to REQ-KD23); sizes, epochs and batch are what kdtab's defaults come to.
"""

from __future__ import annotations

import sys
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

TARGET, SEED = "HeartDisease", 42
TEACHER, STUDENT = ((128, 128), 0.1), ((64,), 0.15)
EPOCHS, BATCH_SIZE, TEMPERATURE, ALPHA = 4, 512, 2.0, 0.5


def network(columns: int, widths: tuple[int, ...], dropout: float) -> nn.Sequential:
    """Linear, BatchNorm, ReLU and Dropout for each width, and a head of two classes."""
    layers: list[nn.Module] = []
    for before, after in pairwise((columns, *widths)):
        norm = nn.BatchNorm1d(after)
        layers += [nn.Linear(before, after), norm, nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(widths[-1], 2))


def loaded(path: Path, columns: int, sizes: tuple[tuple[int, ...], float]) -> nn.Sequential:
    """A network of a file, ready to answer."""
    model = network(columns, *sizes)
    model.load_state_dict(torch.load(path, weights_only=True))
    return model.eval()


def loss_of(logits: Tensor, spoken: Tensor, labels: Tensor) -> Tensor:
    """Of one batch: alpha · hard + (1 − alpha) · soft."""
    hard = nn.functional.cross_entropy(logits, labels)
    soft = nn.functional.kl_div(
        torch.log_softmax(logits / TEMPERATURE, dim=1),
        torch.softmax(spoken / TEMPERATURE, dim=1),
        reduction="batchmean",
    )
    return ALPHA * hard + (1 - ALPHA) * TEMPERATURE**2 * soft


def distilled(inputs: Tensor, labels: Tensor, teacher: nn.Module) -> nn.Module:
    """A student after all epochs; the teacher speaks of every batch again."""
    student = network(inputs.shape[1], *STUDENT)
    optimizer = torch.optim.Adam(student.parameters(), lr=1e-3, weight_decay=1e-4)
    student.train()
    for _ in range(EPOCHS):
        order, total = torch.randperm(len(inputs)), 0.0
        for index in torch.split(order, BATCH_SIZE):
            if len(index) < 2:
                continue
            rows = inputs[index]
            with torch.no_grad():
                spoken = teacher(rows)
            optimizer.zero_grad()
            loss = loss_of(student(rows), spoken, labels[index])
            torch.autograd.backward(loss)
            optimizer.step()
            total += loss.item()
    return student.eval()


def main() -> None:
    """Read, encode, split, distil, measure, save."""
    table, folder = Path(sys.argv[1]), Path(sys.argv[2])
    frame = pd.read_csv(table)
    columns = import_module("joblib").load(folder / "columns.joblib")
    matrix = columns.transform(frame.drop(columns=TARGET)).astype(np.float32)
    codes = (frame[TARGET] == "Yes").to_numpy().astype(np.int64)
    split = import_module("sklearn.model_selection").train_test_split
    parts = split(matrix, codes, test_size=0.2, stratify=codes, random_state=SEED)
    inputs, test, labels, truth = (torch.from_numpy(part) for part in parts)
    torch.manual_seed(SEED)
    student = distilled(inputs, labels, loaded(folder / "teacher.pt", inputs.shape[1], TEACHER))
    with torch.no_grad():
        accuracy = (student(test).argmax(dim=1) == truth).float().mean().item()
    torch.save(student.state_dict(), folder / "student.pt")
    print(f"accuracy on {len(test):,} rows: {accuracy:.4f}")


if __name__ == "__main__":
    main()
