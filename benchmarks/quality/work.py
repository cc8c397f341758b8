"""One table and one seed: the teacher, then each student that is not measured yet.

    python -m benchmarks.quality.work WORK TABLE SEED [--data FOLDER] [--rows 20000]

A process of its own for each case: nothing is left of one in the next, and two run at a time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from benchmarks.quality.desk import Desk
from benchmarks.quality.records import TEACHER, Case, WorkFolder
from benchmarks.quality.sources import (
    TEST_SHARE,
    VALIDATION_SHARE,
    DrawnTable,
    Source,
    drawn_table,
    sources,
)
from benchmarks.quality.students import ladder
from benchmarks.quality.teaching import RecordedTeacher, Room, fitted_teacher

from kdtab.config.training import TrainingConfig
from kdtab.data.prepare import prepare_table

MOST_TRAINING_ROWS = 20_000


def room_of(source: Source, drawn: DrawnTable, seed: int) -> Room:
    """The table as teacher and students take it: 60 % training, 20 % validation, 20 % test."""
    config = TrainingConfig(
        target_column=source.target,
        task=source.task,
        random_seed=seed,
        test_size=TEST_SHARE,
        validation_size=VALIDATION_SHARE,
    )
    prepared = prepare_table(drawn.frame, config, source.columns).unwrap()
    return Room(drawn.frame, config, source.columns, prepared)


def measure(case: Case, drawn: DrawnTable, room: Room, folder: WorkFolder) -> Iterator[str]:
    """What is missing of a case, one line of text for each model."""
    done = folder.done(case)
    wanted = [rung for rung in ladder() if not set(rung.measured) <= set(done)]
    if not wanted and TEACHER in done:
        return
    teacher = RecordedTeacher(folder, case, room, fitted_teacher)
    desk = Desk(case, room, folder, drawn.numbers[room.prepared.split.test])
    if TEACHER not in done:
        yield desk.keep_teacher(teacher)
    for rung in wanted:
        yield from desk.keep_rung(rung, teacher)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure a case; it is done when nothing is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("table")
    parser.add_argument("seed", type=int)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, default=MOST_TRAINING_ROWS)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    [source] = sources(given.data, [given.table])
    drawn = drawn_table(source, given.seed, given.rows)
    room = room_of(source, drawn, given.seed)
    for line in measure(Case(given.table, given.seed), drawn, room, WorkFolder(given.work)):
        print(line, file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
