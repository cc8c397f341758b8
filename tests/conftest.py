"""What every test stands on: hypothesis settings, threads, and small tables on disk."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

# Run with an intended mistake in each line, by mypy alone.
collect_ignore = ["typecheck/cases"]

# KDTAB_EXPLORE=1 looks for new counterexamples; without it every run tries the same ones.
settings.register_profile(
    "kdtab",
    derandomize="KDTAB_EXPLORE" not in os.environ,
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("kdtab")

MIXED_ROWS = 60


@pytest.fixture(scope="session", autouse=True)
def one_torch_thread() -> Iterator[None]:
    """Nets as small as those of the tests are slower on two threads, and differ by a bit."""
    if "torch" not in sys.modules:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    """The rows as a comma-separated file with a header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


@pytest.fixture
def iris_csv(tmp_path: Path) -> Path:
    """150 rows, 4 measurements, `species` with three values."""
    iris = load_iris()
    rows = [
        [*map(float, values), str(iris.target_names[code])]
        for values, code in zip(iris.data, iris.target, strict=True)
    ]
    names = [name.removesuffix(" (cm)").replace(" ", "_") for name in iris.feature_names]
    return write_csv(tmp_path / "iris.csv", [*names, "species"], rows)


@pytest.fixture
def breast_cancer_csv(tmp_path: Path) -> Path:
    """569 rows, 30 measurements, `diagnosis` malignant or benign."""
    table = load_breast_cancer()
    rows = [
        [*map(float, values), str(table.target_names[code])]
        for values, code in zip(table.data, table.target, strict=True)
    ]
    names = [str(name).replace(" ", "_") for name in table.feature_names]
    return write_csv(tmp_path / "breast_cancer.csv", [*names, "diagnosis"], rows)


@pytest.fixture
def diabetes_csv(tmp_path: Path) -> Path:
    """442 rows, 10 measurements, `progression`: a number from 25 to 346."""
    table = load_diabetes()
    rows = [
        [*map(float, values), float(target)]
        for values, target in zip(table.data, table.target, strict=True)
    ]
    return write_csv(tmp_path / "diabetes.csv", [*table.feature_names, "progression"], rows)


@pytest.fixture
def mixed_csv(tmp_path: Path) -> Path:
    """60 rows of every kind of column, each with missing cells, `bought` yes or no."""
    rows = [_mixed_row(number) for number in range(MIXED_ROWS)]
    header = ["age", "city", "member", "joined", "spent", "bought"]
    return write_csv(tmp_path / "mixed.csv", header, rows)


def _mixed_row(number: int) -> list[object]:
    """One row; which cells are missing differs from column to column."""
    cities = ["Bern", "Zürich", "São Paulo", "東京"]
    cells: list[Callable[[], object]] = [
        lambda: 18 + number * 7 % 60,
        lambda: cities[number % 4],
        lambda: number % 3 == 0,
        lambda: f"20{10 + number % 14:02d}-{1 + number % 12:02d}-{1 + number % 28:02d}",
        lambda: round(12.5 + number * 3.75 % 97, 2),
    ]
    missing = ["", "?", "", "n/a", "NaN"]
    every = [11, 13, 17, 19, 23]
    shown = [
        missing[index] if number % every[index] == 5 else cell() for index, cell in enumerate(cells)
    ]
    return [*shown, "yes" if (18 + number * 7 % 60) + number % 4 * 9 > 58 else "no"]
