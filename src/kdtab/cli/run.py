"""`kdtab run`: one file, one run, of time series or of a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click
from returns.result import Result

from kdtab.cli.console import Answer
from kdtab.cli.options import SectionedCommand, plain_flags
from kdtab.config.sequencerun import SequenceRun
from kdtab.config.sequencerunfile import parse_sequence_run
from kdtab.disk.documents import read_document
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import Issues
from kdtab.results import Checked, fail

RUNS = "runs"


@click.command("run", cls=SectionedCommand)
@click.argument("config")
@click.option(
    "--log-dir",
    metavar="FOLDER",
    help="The run's folder. Without it the config's own, or runs/ and its name.",
)
@plain_flags
def run_file(config: str, log_dir: str | None, quiet: bool) -> Result[Answer, Issues]:
    """Do what CONFIG says: one file, one run.

    CONFIG is a YAML or TOML file with the sections model, data and training. The teacher's states
    over time are generated, or reused, as distillation_data.hdf5 in the run's folder; the student
    learns them; student.kdtab, metrics.json and trajectories.png are written beside them.

    Example:
        >>> run_file.name
        'run'
    """
    return read_document(config).bind(lambda document: _run(config, document, log_dir, quiet=quiet))


def _run(
    config: str, document: Mapping[str, object], log_dir: str | None, *, quiet: bool
) -> Checked[Answer]:
    if "training" not in document and "target_column" in document:
        return fail(_table_run(config))
    folder = Path(RUNS, Path(config).stem)
    return parse_sequence_run(document).bind(
        lambda run: _of_series(run, str(log_dir or run.log_dir or folder), quiet=quiet)
    )


def _of_series(run: SequenceRun, folder: str, *, quiet: bool) -> Checked[Answer]:
    """A mistake in the config is said before torch is loaded."""
    from kdtab.cli.sequencerun import run_distillation

    return run_distillation(run, folder, quiet=quiet)


def _table_run(config: str) -> FieldInvalid:
    rule = (
        "belongs to a run of a table, which takes its table as an argument: "
        f"kdtab train TABLE --config {config}"
    )
    return FieldInvalid(name="target_column", rule=rule, found="it")
