"""A teacher without a network, tables of any size, and `label_table` as a process to be killed.

Run as `python labelling.py TABLE FOLDER [SECONDS]`: seconds of sleep before each batch.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from returns.result import Success

from kdtab.config.labels import LabelOptions, worker_share
from kdtab.data.outputs import TeacherOutputs
from kdtab.recipes.label import label_table
from kdtab.results import Checked
from kdtab.teachers.teacher import TeacherInfo

CLASSES = ("no", "yes")


@dataclass
class RuleTeacher:
    """P(yes) = 1 / (1 + exp(-x)), from one column of a table."""

    fingerprint: str = "rule-1"
    seconds: float = 0.0
    asked: list[int] = field(default_factory=list)

    @property
    def info(self) -> TeacherInfo:
        return TeacherInfo("rule", "classification", CLASSES, "probabilities", self.fingerprint)

    def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        time.sleep(self.seconds)
        self.asked.append(frame.height)
        return Success(TeacherOutputs("probabilities", CLASSES, expected(frame)))


def expected(frame: pl.DataFrame) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """What the rule says, row by row."""
    shares = 1 / (1 + np.exp(-frame["x"].cast(pl.Float64).to_numpy()))
    return np.stack([1 - shares, shares], axis=1)


def numbered_frame(rows: int) -> pl.DataFrame:
    """Rows that all differ, with quoted cells, an empty one now and then and a line break."""
    numbers = np.arange(rows)
    return pl.DataFrame(
        {
            "id": numbers,
            "x": np.sin(numbers) * 3,
            "text": [
                None if at % 7 == 0 else f'{at}, "quoted"\nü' if at % 5 == 0 else f"t{at % 11}"
                for at in range(rows)
            ],
        }
    )


def label_bytes(folder: Path) -> dict[str, bytes]:
    """What a label store holds, without what a killed writer left behind."""
    return {item.name: item.read_bytes() for item in folder.iterdir() if item.name[0] != "."}


if __name__ == "__main__":
    label_table(
        sys.argv[1],
        RuleTeacher(seconds=float((*sys.argv, "0")[3])),
        sys.argv[2],
        LabelOptions(rows_per_part=50),
        share=worker_share(os.environ).unwrap(),
    ).unwrap()
