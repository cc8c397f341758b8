"""`kdtab inspect`: what is in a bundle, without torch and without running anything."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import click
from returns.result import Result

from kdtab.cli.console import Answer, aligned
from kdtab.cli.options import SectionedCommand, plain_flags
from kdtab.config.networks import BatchEnsembleSpec, LinearSpec, NetworkSpec
from kdtab.config.schema import (
    BooleanColumn,
    CategoricalColumn,
    DateColumn,
    FeatureColumn,
    NumericColumn,
)
from kdtab.errors.base import listed
from kdtab.errors.bundles import BundleOfOtherKind
from kdtab.errors.issue import Issues
from kdtab.report.wording import size_text

if TYPE_CHECKING:
    from kdtab.record import BundleRecord, TableManifest

RUNNING_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@click.command(cls=SectionedCommand)
@click.argument("model")
@plain_flags
def inspect(model: str, quiet: bool) -> Result[Answer, Issues]:
    """Show what is in the bundle MODEL.

    Task, columns with their kinds, classes, sizes and where it comes from. Nothing in the file is
    run.

    Example:
        >>> inspect.name
        'inspect'
    """
    from kdtab.cli.sequenceinspect import inspected_sequence_model
    from kdtab.disk.bundles import read_record

    of_table = read_record(model).map(
        lambda record: Answer(
            text=record_text(model, record, Path(model).stat().st_size),
            plain=record_document(model, record, Path(model).stat().st_size),
            notes=() if quiet else record.manifest.provenance.notes,
        )
    )
    return of_table.lash(
        lambda issues: (
            inspected_sequence_model(model, quiet=quiet)
            if isinstance(issues.first, BundleOfOtherKind)
            else of_table
        )
    )


def learnt_numbers(record: BundleRecord) -> int:
    """How many numbers training may change, counted without building the network.

    Args:
        record: A record.

    Returns:
        The sizes of all weights but BatchNorm's running statistics.

    Example:
        >>> from kdtab.bundle import to_record
        >>> import polars as pl
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> model = train_model(frame, config, device="cpu").unwrap()
        >>> bundle = model.bundle
        >>> learnt_numbers(to_record(bundle).unwrap()) == bundle.parameter_count
        True
    """
    return sum(
        prod(array.shape)
        for name, array in record.arrays.items()
        if name.startswith("weights/") and not name.endswith(RUNNING_STATISTICS)
    )


def record_document(path: str, record: BundleRecord, size: int) -> dict[str, object]:
    """All that a bundle says about itself, as one JSON document.

    Args:
        path: Its file.
        record: Its record.
        size: Bytes of the file.

    Returns:
        The manifest's fields with the file's facts.

    Example:
        >>> from kdtab.bundle import to_record
        >>> import polars as pl
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> model = train_model(frame, config, device="cpu").unwrap()
        >>> record = to_record(model.bundle).unwrap()
        >>> record_document("m.kdtab", record, 900)["bytes"]
        900
    """
    from kdtab.config.manifest import manifest_fields

    facts = {"path": path, "bytes": size, "parameters": learnt_numbers(record)}
    return facts | manifest_fields(record.manifest)


def record_text(path: str, record: BundleRecord, size: int) -> str:
    """All that a bundle says about itself, for people.

    Args:
        path: Its file.
        record: Its record.
        size: Bytes of the file.

    Returns:
        Lines for a terminal: facts, then one line for each column, then the provenance.

    Example:
        >>> from kdtab.bundle import to_record
        >>> import polars as pl
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> model = train_model(frame, config, device="cpu").unwrap()
        >>> record = to_record(model.bundle).unwrap()
        >>> "target      'y'" in record_text("m.kdtab", record, 900)
        True
    """
    manifest = record.manifest
    schema = manifest.table_schema
    facts = aligned(
        [
            ("bundle", f"{path} ({size_text(size)}, format {manifest.format_version})"),
            ("task", manifest.task),
            ("target", repr(manifest.target_column)),
            *(
                [("classes", f"{len(manifest.class_names):,}: {listed(manifest.class_names)}")]
                if manifest.class_names
                else []
            ),
            ("network", network_text(manifest.network)),
            ("parameters", f"{learnt_numbers(record):,}"),
        ]
    )
    columns = aligned(
        [
            ("column", "kind", "what the network sees", "why"),
            *((item.name, item.kind, column_text(item), item.reason) for item in schema.features),
            *((item.name, "left out", "nothing", item.reason) for item in schema.left_out),
        ]
    )
    return f"{facts}\n{columns}\n{aligned(list(_origin(manifest)))}"


def column_text(column: FeatureColumn) -> str:
    """What becomes of a column.

    Args:
        column: A feature column.

    Returns:
        A few words.

    Example:
        >>> column_text(NumericColumn(name="age", reason="a number type"))
        'a number'
    """
    match column:
        case NumericColumn():
            return "a number"
        case BooleanColumn():
            return "0 or 1"
        case CategoricalColumn(categories=categories, has_rare=rare, has_missing=missing):
            kept = f"{len(categories):,} {'category' if len(categories) == 1 else 'categories'}"
            return kept + (" + rare" if rare else "") + (" + missing" if missing else "")
        case DateColumn(format=form, has_time=has_time):
            parts = "calendar features" + (" with hours" if has_time else "")
            return parts + (f", read as {form}" if form else "")
        case _:
            assert_never(column)


def network_text(spec: NetworkSpec) -> str:
    """The network in a few words.

    Args:
        spec: From which the network is built.

    Returns:
        Its kind and sizes.

    Example:
        >>> network_text(LinearSpec(input_dim=3, output_dim=2))
        'linear, 3 inputs, 2 outputs'
    """
    inputs = f"{spec.input_dim:,} inputs"
    if spec.encoding is not None:
        inputs += f" ({spec.encoding.kind} encoding, {spec.encoded_dim:,} columns)"
    ends = f"{inputs}, {spec.output_dim:,} outputs"
    if isinstance(spec, LinearSpec):
        return f"{spec.kind}, {ends}"
    layers = f"{spec.num_hidden_layers} x {spec.hidden_dim:,} hidden units"
    if isinstance(spec, BatchEnsembleSpec):
        layers = f"{spec.members} members of {layers}"
    return f"{spec.kind}, {layers}, dropout {spec.dropout:g}, {ends}"


def _origin(manifest: TableManifest) -> Iterator[tuple[str, str]]:
    yield ("trained with", "")
    for name, value in manifest.provenance.model_dump(mode="json", exclude_none=True).items():
        if isinstance(value, dict):
            shown = (f"{key}={item!r}" for key, item in value.items() if item is not None)
            yield (f"  {name}", ", ".join(shown))
        elif name != "notes":
            yield (f"  {name}", str(value))
