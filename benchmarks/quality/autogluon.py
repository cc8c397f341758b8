"""kdtab's default preset beside AutoGluon's `distill`: every case, then the section of the page.

    python -m benchmarks.quality.autogluon --interpreter PYTHON [--data FOLDER] [--work FOLDER]
                                           [--tables adult,letter] [--seeds 0] [--page docs/results.md]

PYTHON has AutoGluon (autogluon-requirements.txt). A case is one table and seed; both sides get the
same training, validation and test rows, fit a teacher of their own and distil a student of two
hidden layers of 256 units. Cases run one after the other, each with one thread; what is measured is
kept in the work folder.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from benchmarks.quality.__main__ import cases, ran_alone
from benchmarks.quality.autogluon_duel import (
    METHODS,
    REPORT,
    SINGLE,
    THEIR_TEACHER,
    add_options,
    student_of,
)
from benchmarks.quality.evaluation import Estimate, PooledTable, pooled_table, relative_lead
from benchmarks.quality.page import put_section
from benchmarks.quality.records import TEACHER, Case, Measured, WorkFolder
from benchmarks.quality.sources import sources
from benchmarks.quality.students import GATED
from benchmarks.run import WRITTEN, processor

MARKS = ("<!-- autogluon -->", "<!-- /autogluon -->")
TABLES_SHARE, TIME_SHARE = 0.7, 1 / 3
OURS = {GATED: "what kdtab's preset hands out", SINGLE: "one student of the preset alone"}
VERDICTS = {True: "met", False: "missed"}
INTRODUCTION = """## Beside AutoGluon's `distill`

AutoGluon 1.6.3: a `TabularPredictor` (`medium_quality`; LightGBM, forests and its network, without CatBoost and XGBoost),
then `distill` with its network as the student, two hidden layers of 256 units, everything else as it comes. kdtab: the kind
`ensemble`, then the preset `standard`, students of the same two layers. Both get the same training, validation and test rows
and fit teachers of their own; AutoGluon is told to choose by the loss that is measured here. Losses are mean log losses, or mean
squared errors in the unit of training, of the same test rows; the lead is paired over rows, with its 95 % interval. Absolute
errors are in that unit too. Seconds are the processor's, since other work shared the machine: `distill` is that call alone, one
network; the preset fits two weights of the hard loss, a student without a teacher for its gate, and makes one choice. *One
student* is the preset's usual one alone, without gate and choice. Teachers are in neither; synthetic rows are in both."""


@dataclass(frozen=True, eq=False)
class Duel:
    """All seeds of a table where both sides have a student.

    `seconds` are the processor's, means over seeds, by model; `outside` counts the rows of which
    AutoGluon's student said something outside of 0 to 1; `fitted_by` is what its network was fitted
    by, `epochs` how often it saw the rows; `was_stopped` says that it was still training when its
    time was up.
    """

    table: PooledTable
    method: str
    seconds: Mapping[str, float]
    outside: int
    fitted_by: str
    epochs: float
    was_stopped: bool

    @property
    def theirs(self) -> str:
        """The name of AutoGluon's student."""
        return student_of(self.method)

    def lead(self, ours: str) -> Estimate:
        """(their loss − our loss) / their loss: above 0 kdtab's is better."""
        return relative_lead(self.table, ours, self.theirs)

    def time_share(self, ours: str) -> float:
        """Seconds of kdtab for one of AutoGluon's `distill`."""
        return self.seconds[ours] / self.seconds[self.theirs]


@dataclass(frozen=True)
class Failure:
    """A table where AutoGluon gave no student, and its own words."""

    table: str
    method: str
    error: str


def duels(folder: WorkFolder, found: Sequence[Case], method: str) -> Iterator[Duel]:
    """Of the cases that both sides have ended, table by table."""
    models = (TEACHER, *OURS, THEIR_TEACHER, student_of(method))
    whole = [case for case in found if set(models) <= set(folder.done(case))]
    for name in sorted({case.table for case in whole}):
        mine = [case for case in whole if case.table == name]
        done = [folder.done(case) for case in mine]
        rows = {case: {one: folder.rows(case, one) for one in models} for case in mine}
        facts = [_facts(case[student_of(method)]) for case in done]
        yield Duel(
            pooled_table(name, done[0][GATED].task, rows),
            method,
            {one: fmean([case[one].seconds for case in done]) for one in models},
            sum(one["outside"] for one in facts),
            facts[0]["loss"],
            fmean([one["trained"]["num_epochs"] for one in facts]),
            any(_was_stopped(folder, case, method) for case in mine),
        )


def failures(folder: WorkFolder, found: Sequence[Case], method: str) -> Iterator[Failure]:
    """What AutoGluon could not do; the words of the first seed."""
    seen: set[str] = set()
    for case in found:
        path = folder.root / "autogluon" / case.stem / REPORT
        if case.table in seen or not path.exists():
            continue
        report = json.loads(path.read_text(encoding="utf-8"))
        error = report.get("error") or report["students"].get(method, {}).get("error")
        if error:
            seen.add(case.table)
            yield Failure(case.table, method, error)


def _facts(one: Measured) -> Mapping[str, Any]:
    return one.facts or {}


def _was_stopped(folder: WorkFolder, case: Case, method: str) -> bool:
    """Whether its network was still training when its time was up: it ends just before."""
    path = folder.root / "autogluon" / case.stem / "job.json"
    job = json.loads(path.read_text(encoding="utf-8"))
    taken = _facts(folder.done(case)[student_of(method)])["wall"]
    return bool(taken >= 0.95 * float(job["distill_seconds"]))


def section(folder: WorkFolder, found: Sequence[Case], facts: str) -> str:
    """Everything between the marks."""
    lines = [INTRODUCTION, "", facts, ""]
    for method in METHODS:
        every = tuple(duels(folder, found, method))
        if every:
            lines += [f"Augmentation by `{method}`:", "", *_duel_table(every), ""]
            lines += [*_target_table(every), "", *_remarks(every)]
        lines += _failure_lines(tuple(failures(folder, found, method)), method)
    return "\n".join(lines).rstrip()


def _duel_table(every: Sequence[Duel]) -> Iterator[str]:
    yield (
        "| table | AutoGluon: teacher → student | kdtab: teacher → handed out (one student) "
        "| kdtab's loss is lower by | accuracy, or absolute error | `distill`, s "
        "| kdtab: preset (one student), s | with teachers, s |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for duel in every:
        yield _row(_duel_cells(duel))


def _duel_cells(duel: Duel) -> Sequence[str]:
    losses = {one: float(values.mean()) for one, values in duel.table.losses.items()}
    seconds, lead = duel.seconds, duel.lead(GATED)
    whole = (
        seconds[THEIR_TEACHER] + seconds[duel.theirs],
        seconds[TEACHER] + seconds[GATED],
    )
    return [
        duel.table.name,
        f"{losses[THEIR_TEACHER]:.4f} → {losses[duel.theirs]:.4f}",
        f"{losses[TEACHER]:.4f} → {losses[GATED]:.4f} ({losses[SINGLE]:.4f})",
        f"{lead.value:+.1%} [{lead.interval.low:+.1%}, {lead.interval.high:+.1%}]",
        f"{_plain(duel.table, duel.theirs):.3f}, {_plain(duel.table, GATED):.3f}",
        f"{seconds[duel.theirs]:.0f}" + (" (stopped)" if duel.was_stopped else ""),
        f"{seconds[GATED]:.0f} ({seconds[SINGLE]:.0f})",
        f"{whole[0]:.0f}, {whole[1]:.0f}",
    ]


def _plain(table: PooledTable, model: str) -> float:
    """A measure that neither a floor under probabilities nor a square moves much."""
    if table.task == "classification":
        return float(table.right[model].mean())
    return float(np.sqrt(table.losses[model]).mean())


def _target_table(every: Sequence[Duel]) -> Iterator[str]:
    yield "| what | promised | found | |"
    yield "|---|---|---|---|"
    least = TABLES_SHARE * len(every)
    for ours, name in OURS.items():
        leads = [duel.lead(ours) for duel in every]
        beaten = sum(lead.value > 0 for lead in leads)
        certain = sum(lead.interval.low > 0 for lead in leads)
        lost = sum(lead.interval.high < 0 for lead in leads)
        what = f"tables where AutoGluon's student is beaten by {name}"
        found = f"{beaten} of {len(every)}, {certain} beyond chance; {lost} lost beyond chance"
        yield _row([what, "≥ 70 %", found, VERDICTS[beaten >= least]])
        shares = [duel.time_share(ours) for duel in every]
        pairs = zip(shares, leads, strict=True)
        quick = sum(share <= TIME_SHARE and lead.value > 0 for share, lead in pairs)
        spent, theirs = (
            sum(duel.seconds[one] for duel in every) for one in (ours, every[0].theirs)
        )
        what = f"of them, in at most 1/3 of the time of `distill`, by {name}"
        found = (
            f"{quick} of {len(every)}; {min(shares):.2f} to {max(shares):.2f} of the time, "
            f"{spent / theirs:.2f} over all tables"
        )
        yield _row([what, "≥ 70 %", found, VERDICTS[quick >= least]])


def _remarks(every: Sequence[Duel]) -> Iterator[str]:
    """What explains the figures: AutoGluon's own loss, and how its answers were made usable."""
    for loss in sorted({duel.fitted_by for duel in every}):
        names = ", ".join(
            f"{duel.table.name} ({duel.epochs:.0f})" for duel in every if duel.fitted_by == loss
        )
        yield f"AutoGluon fitted its network by `{loss}` on (epochs until it was best): {names}."
    yield ""
    found = [f"{duel.table.name} {duel.outside}" for duel in every if duel.outside]
    if found:
        yield (
            "Test rows of which AutoGluon's student gave a probability outside of 0 to 1, brought to "
            f"the nearest bound before anything was measured: {', '.join(found)}."
        )
        yield ""


def _failure_lines(failed: Sequence[Failure], method: str) -> Iterator[str]:
    for error in sorted({one.error for one in failed}):
        names = ", ".join(one.table for one in failed if one.error == error)
        yield f"AutoGluon's `{method}` failed on {names}: `{error}`."
        yield ""


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def run_case(case: Case, given: argparse.Namespace) -> bool:
    """One case in a process of its own; its last words where it fails."""
    options = (
        *("--interpreter", str(given.interpreter)),
        *("--fit-seconds", str(given.fit_seconds)),
        *("--distill-seconds", str(given.distill_seconds)),
    )
    return ran_alone("autogluon", "autogluon_duel", case, given, *options, AG_CPU_COUNT="1")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing, then say what it comes to."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.add_argument("--work", type=Path, default=WRITTEN / "autogluon")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--tables", default="", help="names, separated by commas; all by default")
    parser.add_argument("--page", type=Path, help="Markdown, such as docs/results.md")
    given = parser.parse_args(arguments)
    names = [name for name in given.tables.split(",") if name]
    seeds = [int(text) for text in given.seeds.split(",")]
    wanted = list(cases([one.name for one in sources(given.data, names)], seeds))
    ended = [run_case(case, given) for case in wanted]
    facts = (
        f"{processor()}, one thread, seeds {given.seeds}, at most {given.rows:,} training rows; "
        f"AutoGluon had {given.fit_seconds:.0f} s on the clock to fit and "
        f"{given.distill_seconds:.0f} s to distil."
    )
    text = section(WorkFolder(given.work), wanted, facts)
    print(text)
    if given.page is not None:
        put_section(given.page, text, MARKS)
    return 0 if all(ended) else 1


if __name__ == "__main__":
    sys.exit(main())
