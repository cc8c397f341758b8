"""A student beside its ensemble as ratios with targets, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

BATCHES = (10_000, 100_000)
LARGE_TEACHER = 100_000_000
"""From so many bytes a share of the teacher's is promised; of a smaller one any share says little."""
RATE_TARGETS = {64: 100.0, 256: 50.0}
BYTE_TARGETS = {64: 1 / 1_000, 256: 1 / 300}
ROW_TARGET, LOSS_TARGET = 20e-6, 1e-4


@dataclass(frozen=True)
class Answering:
    """How a model answers.

    `rates` are rows per second by batch, the teacher's of the first batch alone; `row` and `late` are
    the median and the 99th percentile of seconds for one row; `bytes` are its file's or its pickle's.
    """

    rates: tuple[float, ...]
    row: float
    late: float
    bytes: int


@dataclass(frozen=True)
class Compared:
    """A teacher and a student of one table; the student's file holds float16."""

    table: str
    columns: int
    width: int
    teacher: Answering
    student: Answering
    float32_bytes: int
    float32_loss: float
    float16_loss: float

    @property
    def rate_ratio(self) -> float:
        """Rows per second, by the slower of the student's batches."""
        return min(self.student.rates) / max(self.teacher.rates)

    @property
    def byte_share(self) -> float:
        """The student's bytes of the teacher's."""
        return self.student.bytes / self.teacher.bytes

    @property
    def loss_change(self) -> float:
        """What rounding to float16 adds to the loss on held-out rows."""
        return self.float16_loss - self.float32_loss


@dataclass(frozen=True)
class Promise:
    """A figure, what was promised of it, and whether it holds; None: nothing was promised."""

    what: str
    target: str
    found: str
    met: bool | None


def promises(one: Compared) -> Iterator[Promise]:
    """What was promised of a student of this width."""
    rate, share = RATE_TARGETS[one.width], BYTE_TARGETS[one.width]
    yield Promise(
        "rows per second, student / teacher",
        f"≥ {rate:.0f}",
        f"{one.rate_ratio:,.0f}",
        one.rate_ratio >= rate,
    )
    yield Promise(
        "one row, median",
        f"≤ {1e6 * ROW_TARGET:.0f} µs",
        f"{1e6 * one.student.row:.1f} µs",
        one.student.row <= ROW_TARGET,
    )
    large = one.teacher.bytes > LARGE_TEACHER
    yield Promise(
        "bytes, student / teacher",
        f"≤ 1/{1 / share:,.0f}" if large else "none: the teacher is small",
        f"1/{1 / one.byte_share:,.0f}",
        one.byte_share <= share if large else None,
    )
    yield Promise(
        "float16 adds to the loss",
        f"≤ {LOSS_TARGET:g}",
        f"{one.loss_change:+.1e}",
        one.loss_change <= LOSS_TARGET,
    )


def serving_page(found: Sequence[Compared], facts: str) -> str:
    """The promises, then the figures that they are made of."""
    return "\n".join(
        [
            f"One thread; {facts}.",
            "",
            "| table | student | what | target | found | |",
            "|---|---|---|---|---|---|",
            *(_promised(one, each) for one in found for each in promises(one)),
            "",
            "| table | model | 10,000 rows | 100,000 rows | one row, p50 | p99 | bytes | loss |",
            "|---|---|---|---|---|---|---|---|",
            *(line for one in found for line in _figures(one)),
        ]
    )


def _promised(one: Compared, promise: Promise) -> str:
    verdict = {True: "met", False: "**missed**", None: ""}[promise.met]
    cells = (one.table, f"2×{one.width}", promise.what, promise.target, promise.found, verdict)
    return f"| {' | '.join(cells)} |"


def _figures(one: Compared) -> Iterator[str]:
    """The teacher once for each table, before the narrowest student."""
    if one.width == min(RATE_TARGETS):
        yield _line(f"{one.table}, {one.columns} columns", "the ensemble", one.teacher, "")
    loss = f"{one.float16_loss:.4f}"
    yield _line(one.table, f"2×{one.width}, float16", one.student, loss)
    cells = (one.table, f"2×{one.width}, float32", "", "", "", "", f"{one.float32_bytes:,}")
    yield f"| {' | '.join(cells)} | {one.float32_loss:.4f} |"


def _line(table: str, model: str, one: Answering, loss: str) -> str:
    rates = [f"{rate:,.0f}/s" for rate in one.rates] + [""] * (len(BATCHES) - len(one.rates))
    row = (f"{1e6 * one.row:,.1f} µs", f"{1e6 * one.late:,.1f} µs")
    return f"| {' | '.join((table, model, *rates, *row, f'{one.bytes:,}', loss))} |"
