"""The two runs of docs/how-to/trajectories.md: numbers as JSON, figures as PNG.

python benchmarks/trajectories.py --data FOLDER --figures docs/figures
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from PIL import Image

from kdtab.config.sequences import SequenceColumns
from kdtab.config.trajectories import GroupName
from kdtab.data.sequences import SequenceGroup, sequences_from_frame
from kdtab.models.sequences import SequenceBundle
from kdtab.report.timecourses import draw_time_courses
from kdtab.sequence_models import (
    distill_sequence_model,
    save_sequence_model,
    sequence_model,
    sequence_states,
    train_sequence_model,
)
from kdtab.trajectories import generate_teacher_trajectories

Array = npt.NDArray[np.float64]
Layers = list[dict[str, object]]
SEEDS = (0, 1, 2, 3, 4)
VOWEL_TEACHER: Layers = [
    {"type": "BasicLayer", "dim": 32},
    {"type": "GRU", "dim": 48},
    {"type": "BasicLayer", "dim": 9},
]
VOWEL_STUDENT: Layers = [{"type": "GRU", "dim": 8}, {"type": "BasicLayer", "dim": 9}]
HOUR_TEACHER: Layers = [{"type": "GRU", "dim": 48}, {"type": "BasicLayer", "dim": 1}]
HOUR_STUDENT: Layers = [
    {"type": "SingleDendrite", "dim": 12},
    {"type": "BasicLayer", "dim": 8},
    {"type": "BasicLayer", "dim": 1},
]
HOURS, AHEAD, STRIDE = 24, 24, 4
COLOURS = 48


@dataclass(frozen=True, eq=False)
class Split:
    """Series of one group, and what is known of them."""

    x: Array
    y: Array
    lengths: npt.NDArray[np.int64]

    @property
    def series(self) -> tuple[Array, Array, npt.NDArray[np.int64]]:
        """As `train_sequence_model` takes them."""
        return self.x, self.y, self.lengths


def split_of(group: SequenceGroup, y: Array) -> Split:
    """All series of a group."""
    batch = group.batch(np.arange(len(group.series)))
    return Split(batch.values, y, batch.lengths)


def standardised(frame: pl.DataFrame, columns: list[str], training: pl.Expr) -> pl.DataFrame:
    """Columns in standard deviations of the training rows."""
    seen = frame.filter(training)
    return frame.with_columns(
        (pl.col(name) - seen[name].mean()) / seen[name].std() for name in columns
    )


def vowels(folder: Path, work: Path, figures: Path) -> dict[str, object]:
    """Nine speakers: the official 270 training series, of which each fifth chooses the epoch."""
    frame = pl.read_parquet(folder / "japanese_vowels.parquet").with_columns(
        split=pl.when(pl.col("source_split") == "test")
        .then(pl.lit("test"))
        .when(pl.col("series_id") % 5 == 0)
        .then(pl.lit("val"))
        .otherwise(pl.lit("train"))
    )
    inputs = [name for name in frame.columns if name.startswith("dim_")]
    frame = standardised(frame, inputs, pl.col("split") == "train")
    table = work / "vowels.parquet"
    frame.write_parquet(table)
    columns = SequenceColumns(
        series_column="series_id",
        time_column="t",
        split_column="split",
        feature_columns=tuple(inputs),
    )
    speakers = dict(frame.group_by("series_id").agg(pl.col("speaker").first()).iter_rows())
    groups = {
        group.name: split_of(
            group, np.array([int(speakers[int(name)]) - 1 for name in group.series])
        )
        for group in sequences_from_frame(frame, columns).unwrap()
    }

    def accuracy(model: SequenceBundle) -> float:
        test = groups["test"]
        states = sequence_states(model, test.x)
        own = np.arange(states.shape[1]) <= test.lengths[:, None]
        means = (states * own[..., None]).sum(1) / own.sum(1)[:, None]
        return float((means.argmax(1) == test.y).mean())

    return compared(
        (VOWEL_TEACHER, VOWEL_STUDENT, 12),
        groups,
        (table, columns, work / "vowels.hdf5"),
        ("accuracy", accuracy),
        figures / "trajectories_vowels.png",
        epochs=40,
        weight_decay=3e-3,
    )


def hours(folder: Path, work: Path, figures: Path) -> dict[str, object]:
    """By how much a transformer's oil warms within 24 hours, said anew at each hour of a day."""
    frame = pl.read_parquet(folder / "etth1.parquet").with_row_index("row")
    inputs = [name for name in frame.columns if name not in ("row", "date")]
    rows = frame.height - AHEAD
    ends = {"train": int(0.6 * rows), "val": int(0.8 * rows), "test": rows}
    spread = float(frame.head(ends["train"])["OT"].to_numpy().std(ddof=1))
    frame = standardised(frame, inputs, pl.col("row") < ends["train"])
    later = frame["OT"].to_numpy()
    frame = frame.head(rows).with_columns(
        split=pl.when(pl.col("row") < ends["train"])
        .then(pl.lit("train"))
        .when(pl.col("row") < ends["val"])
        .then(pl.lit("val"))
        .otherwise(pl.lit("test")),
        part=pl.when(pl.col("row") < ends["train"])
        .then(0)
        .when(pl.col("row") < ends["val"])
        .then(1)
        .otherwise(2),
    )
    table = work / "hours.parquet"
    frame.write_parquet(table)
    columns = SequenceColumns(
        series_column="part",
        time_column="date",
        split_column="split",
        feature_columns=tuple(inputs),
        window=HOURS,
        stride=STRIDE,
    )
    groups = {}
    for group in sequences_from_frame(frame, columns).unwrap():
        places = group.starts[:, None] + np.arange(HOURS)
        change = later[places + AHEAD] - later[places]
        groups[group.name] = split_of(group, change[..., None])

    def error(model: SequenceBundle) -> float:
        test = groups["test"]
        states = sequence_states(model, test.x)[:, 1:]
        return float(np.sqrt(np.square(states - test.y).mean())) * spread

    found = compared(
        (HOUR_TEACHER, HOUR_STUDENT, 7),
        groups,
        (table, columns, work / "hours.hdf5"),
        ("rmse", error),
        figures / "trajectories_hours.png",
        epochs=12,
    )
    return found | {"persistence": float(np.sqrt(np.square(groups["test"].y).mean())) * spread}


def compared(
    networks: tuple[Layers, Layers, int],
    groups: Mapping[GroupName, Split],
    files: tuple[Path, SequenceColumns, Path],
    judged: tuple[str, Callable[[SequenceBundle], float]],
    picture: Path,
    epochs: int,
    weight_decay: float = 0.0,
) -> dict[str, object]:
    """A teacher, and students with the same start: one taught by it, one without it."""
    (large, small, width), (table, columns, target), (name, judge) = networks, files, judged
    began = perf_counter()
    teacher = train_sequence_model(
        sequence_model(large, width, random_seed=0),
        groups["train"].series,
        groups["val"].series,
        max_epochs=epochs,
        learning_rate=3e-3,
        weight_decay=weight_decay,
        random_seed=0,
    )
    save_sequence_model(teacher, target.with_suffix(".kdtab"))
    generate_teacher_trajectories(
        target.with_suffix(".kdtab"), table, target, batch_size=256, columns=columns
    )
    students = []
    for seed in SEEDS:
        start = sequence_model(small, width, random_seed=seed)
        settings: dict[str, Any] = {
            "max_epochs": 3 * epochs,
            "learning_rate": 1e-2,
            "random_seed": seed,
        }
        learned = distill_sequence_model(start, target, **settings)
        alone = train_sequence_model(
            start,
            groups["train"].series,
            groups["val"].series,
            weight_decay=weight_decay,
            **settings,
        )
        if seed == SEEDS[0]:
            drawn = Image.open(BytesIO(draw_time_courses(learned.examples[:2]).unwrap()))
            drawn.convert("RGB").quantize(COLOURS).save(picture, optimize=True)
        students.append(
            {
                f"distilled_{name}": judge(learned.student),
                f"alone_{name}": judge(alone),
                "trajectory_rmse": learned.errors["test"].rmse,
                "explained": learned.errors["test"].explained,
                "parameters": start.parameter_count,
            }
        )
    return {
        "series": {name: len(group.x) for name, group in groups.items()},
        "teacher_parameters": teacher.parameter_count,
        f"teacher_{name}": judge(teacher),
        "students": students,
        "seconds": perf_counter() - began,
    }


def main() -> None:
    """Run both, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--figures", type=Path, required=True)
    parser.add_argument("--only", choices=["vowels", "hours"])
    given = parser.parse_args()
    torch.set_num_threads(1)
    runs = {"vowels": vowels, "hours": hours}
    with tempfile.TemporaryDirectory() as folder:
        for name, run in runs.items():
            if given.only in (None, name):
                found = run(given.data, Path(folder), given.figures)
                print(json.dumps({name: found}, indent=2), flush=True)


if __name__ == "__main__":
    main()
