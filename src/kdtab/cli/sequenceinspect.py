"""What `kdtab inspect` says of a sequence network, without torch and without running anything."""

from __future__ import annotations

from pathlib import Path

from kdtab.cli.console import Answer, aligned
from kdtab.config.sequencenetworks import layer_list
from kdtab.disk.sequencebundles import read_sequence_record
from kdtab.record import SequenceRecord
from kdtab.report.wording import size_text
from kdtab.results import Checked


def inspected_sequence_model(path: str, *, quiet: bool) -> Checked[Answer]:
    """A sequence bundle as an answer.

    Args:
        path: Its file.
        quiet: Leave the notes out.

    Returns:
        Layers, sizes and where it comes from; or the issues of `read_sequence_record`.

    Example:
        >>> inspected_sequence_model("no such file.soen", quiet=True).failure().first
        BundleMissing(path='no such file.soen')
    """
    return read_sequence_record(path).map(
        lambda record: _answer(path, record, Path(path).stat().st_size, quiet=quiet)
    )


def _answer(path: str, record: SequenceRecord, size: int, *, quiet: bool) -> Answer:
    manifest, origin = record.manifest, record.manifest.provenance
    parameters = sum(array.size for array in record.arrays.values())
    known = {
        "paradigm": origin.paradigm,
        "backend": origin.backend,
        "seed": origin.random_seed,
        "training series": origin.training_series,
        "best epoch": origin.best_epoch,
        "teacher": origin.teacher_fingerprint,
        "kdtab": origin.kdtab_version,
    }
    rows = [
        ("file", f"{path} ({size_text(size)})"),
        ("kind", "a network of time series"),
        ("layers", layer_list(manifest.network)),
        ("states", f"{manifest.network.output_dim:,} at a step, t = 0 included"),
        ("parameters", f"{parameters:,}"),
        *((name, f"{value}") for name, value in known.items() if value is not None),
    ]
    facts = {"path": path, "bytes": size, "parameters": parameters}
    plain = {**facts, **manifest.model_dump(mode="json")}
    return Answer(aligned(rows), plain, () if quiet else origin.notes)
