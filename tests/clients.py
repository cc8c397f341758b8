"""A small table of clients with every kind of column, and models of it that train in an instant."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TypeAlias

import polars as pl
from torch import nn

from kdtab.bundle import ModelBundle
from kdtab.config.base import revise
from kdtab.config.columns import ColumnOptions
from kdtab.config.training import TrainingConfig
from kdtab.recipes.train import train_model

Row: TypeAlias = dict[str, str]

ROWS = 80
FEATURES = ("age", "city", "code", "joined", "member", "spent")
DATES = ColumnOptions(date_columns=("joined",))
CITIES = ("Bern", "Zürich", "東京", "São Paulo")


def client(number: int) -> Row:
    """One client as a file holds it: all cells are text, and `spent` names the row."""
    age = 18 + number * 37 % 61
    city = CITIES[number * 7 % 4]
    cells = {
        "age": str(age),
        "city": city,
        "code": f"00{number % 3}",
        "joined": f"20{10 + number % 9}-{1 + number * 5 % 12:02d}-{1 + number * 11 % 28:02d}",
        "member": "True" if number % 3 else "False",
        "spent": f"{number * 1.25 + 3:.2f}",
    }
    blanks = {"age": (17, ""), "city": (13, "?"), "joined": (11, ""), "member": (19, "n/a")}
    for name, (every, marker) in blanks.items():
        if number % every == 5:
            cells[name] = marker
    bought = age + 20 * (city == "Bern") + number % 5 > 50
    price = 250.25 + 3 * age + 60 * (city == "Bern")
    return cells | {"bought": "yes" if bought else "no", "price": f"{price:.2f}"}


def clients(count: int = ROWS) -> list[Row]:
    """The first clients."""
    return [client(number) for number in range(count)]


def features_of(rows: Sequence[Row]) -> list[Row]:
    """The rows without the two targets."""
    return [{name: row[name] for name in FEATURES} for row in rows]


def client_frame(task: str = "classification", count: int = ROWS) -> pl.DataFrame:
    """The clients as a CSV reader gives them, with the one target of a task."""
    other = "price" if task == "classification" else "bought"
    return pl.DataFrame(clients(count)).drop(other)


def write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """Rows as CSV, TSV or JSON lines, as the suffix says."""
    if path.suffix == ".jsonl":
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path
    with path.open("w", newline="", encoding="utf-8") as file:
        separator = "\t" if path.suffix == ".tsv" else ","
        writer = csv.DictWriter(file, list(rows[0]), delimiter=separator, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_clients(folder: Path, task: str = "classification", count: int = ROWS) -> Path:
    """The clients as a CSV with the one target of a task."""
    path = folder / f"{task}.csv"
    return write_rows(path, client_frame(task, count).to_dicts())


def config_for(task: str = "classification", /, **changes: object) -> TrainingConfig:
    """Three epochs of a net of sixteen units."""
    quick = TrainingConfig(
        target_column="bought" if task == "classification" else "price",
        epochs=3,
        batch_size=16,
        hidden_dim=16,
        num_hidden_layers=2,
    )
    return revise(quick, **changes).unwrap()


def teacher_of(task: str = "classification") -> ModelBundle:
    """A trained model that tests share: what changes it takes `own_teacher`."""
    return _trained(task)


@cache
def _trained(task: str) -> ModelBundle:
    config = config_for(task)
    return train_model(client_frame(task), config, columns=DATES, device="cpu").unwrap().bundle


def own_teacher(task: str = "classification") -> ModelBundle:
    """The same model with a network that nobody else has."""
    shared = teacher_of(task)
    return replace(shared, model=twin(shared.model))


def twin(network: nn.Module) -> nn.Module:
    """A network of the same make and weights, in eval mode."""
    return deepcopy(network)
