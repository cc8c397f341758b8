"""What a bundle says about itself: all but the numbers, as one versioned manifest."""

from __future__ import annotations

import json
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from kdtab.config.base import FrozenConfig
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.networks import NetworkSpec
from kdtab.config.schema import FeatureColumn, TableSchema
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import Task, TrainingConfig

FORMAT_VERSION = 1
KINDS = ("table", "sequence")
MOST_CLIP = 1e6
Names: TypeAlias = Annotated[tuple[str, ...], Field(strict=False)]
Count: TypeAlias = Annotated[int, Field(ge=0)]


class VectorizeStep(FrozenConfig):
    """From a table's columns to a float64 matrix; missing cells are NaN.

    Example:
        >>> VectorizeStep(columns=(), missing_markers=("", "na")).kind
        'vectorize'
    """

    kind: Literal["vectorize"] = "vectorize"
    columns: Annotated[tuple[FeatureColumn, ...], Field(strict=False)]
    missing_markers: Names


class ImputeStep(FrozenConfig):
    """NaN becomes the feature's median: the array `impute/medians`, float64 [D].

    Example:
        >>> ImputeStep().kind
        'impute'
    """

    kind: Literal["impute"] = "impute"


class ScaleStep(FrozenConfig):
    """(x - mean) / scale, clipped to ±clip: `scale/mean` and `scale/scale`, float64 [D].

    The bound keeps inputs, and what the first layer makes of them, far inside of float32.

    Example:
        >>> ScaleStep(clip=10.0).clip
        10.0
    """

    kind: Literal["scale"] = "scale"
    clip: Annotated[float, Field(gt=0, le=MOST_CLIP)]


Step: TypeAlias = Annotated[VectorizeStep | ImputeStep | ScaleStep, Field(discriminator="kind")]


class TargetScaling(FrozenConfig):
    """y = output * scale + mean, in the target's own units.

    Example:
        >>> TargetScaling(mean=1.7e9, scale=2.5).scale
        2.5
    """

    mean: float
    scale: Annotated[float, Field(gt=0)]


class Provenance(FrozenConfig):
    """Where a network comes from; every field optional, none of them changes a prediction.

    Attributes:
        kdtab_version: The kdtab that trained it.
        torch_version: The torch that trained it.
        training_config: The config of the run.
        column_options: What was excluded, read as a date or taken as missing.
        distill_config: The knobs of the distillation.
        task_reason: Why the task is what it is.
        rows: Rows with a target; they are the rows of training, validation and test together.
        training_rows: Rows that changed weights.
        validation_rows: Rows that chose the epoch.
        test_rows: Rows that were held out for the metric.
        synthetic_rows: Rows that were made up and labelled by the teacher, beside the training
            rows; None where there were none.
        unlabelled_rows: Real rows without a label that the teacher labelled; None where there were
            none.
        table_fingerprint: sha256 of the table; with the seed and the sizes of `training_config` it
            tells which rows the network has seen.
        epochs: Passes over the training rows, as resolved.
        best_epoch: The epoch whose weights these are.
        batch_size: Rows of one step, as resolved.
        update_steps: Steps that changed weights.
        threads: Torch threads; another count gives other bits.
        device: Where it was trained.
        teacher_kind: What taught it.
        teacher_fingerprint: `ModelBundle.fingerprint` of the teacher.
        label_config: How the teacher was to label the training rows; with the seed of
            `training_config` it gives the folds again.
        label_method: How it did: out_of_fold, out_of_bag, in_sample, as_given.
        weight_precision: "float16" where every weight matrix was rounded to half precision, as it
            is then stored; None: as trained.
        notes: What a person should know.

    Example:
        >>> Provenance(epochs=20, notes=("singleton classes stayed in training",)).epochs
        20
    """

    kdtab_version: str | None = None
    torch_version: str | None = None
    training_config: TrainingConfig | None = None
    column_options: ColumnOptions | None = None
    distill_config: DistillConfig | None = None
    task_reason: str | None = None
    rows: Count | None = None
    training_rows: Count | None = None
    validation_rows: Count | None = None
    test_rows: Count | None = None
    synthetic_rows: Count | None = None
    unlabelled_rows: Count | None = None
    table_fingerprint: str | None = None
    epochs: Count | None = None
    best_epoch: Count | None = None
    batch_size: Count | None = None
    update_steps: Count | None = None
    threads: Count | None = None
    device: str | None = None
    teacher_kind: str | None = None
    teacher_fingerprint: str | None = None
    label_config: LabelConfig | None = None
    label_method: str | None = None
    weight_precision: Literal["float16"] | None = None
    notes: Names = ()


class TableManifest(FrozenConfig):
    """All of a table model but its numbers.

    Attributes:
        kind: "table"; "sequence" is another kind of the same format version.
        format_version: 1.
        task: What the network predicts.
        target_column: The column that it predicts.
        network: From which the module is built.
        preprocessing: From a row to the network's input, step by step.
        label_classes: The label encoder's classes in order; None when the bundle has none.
        target_scaling: The target scaler; None when the bundle has none.
        class_names: What the outputs are called; empty for regression.
        quantiles: The levels of a regression's outputs; empty where its one output is the value.
        table_schema: The training table's columns.
        provenance: Where it comes from.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> TableManifest(
        ...     task="regression", target_column="y", network=LinearSpec(input_dim=1, output_dim=1),
        ...     preprocessing=(), class_names=(), table_schema=TableSchema(features=(), left_out=()),
        ... ).format_version
        1
    """

    kind: Literal["table"] = "table"
    format_version: Literal[1] = 1
    task: Task
    target_column: str
    network: NetworkSpec
    preprocessing: Annotated[tuple[Step, ...], Field(strict=False)]
    label_classes: Names | None = None
    target_scaling: TargetScaling | None = None
    class_names: Names
    quantiles: Annotated[tuple[float, ...], Field(strict=False)] = ()
    table_schema: TableSchema
    provenance: Provenance = Provenance()


MANIFESTS: TypeAdapter[TableManifest] = TypeAdapter(TableManifest)


def canonical_json(value: object) -> str:
    r"""The one JSON text of a value: keys sorted, no blanks, ASCII, floats as their repr.

    Args:
        value: Dicts, lists, texts, finite numbers, booleans and None.

    Returns:
        One line; a float reads back as the same float.

    Raises:
        ValueError: On NaN and infinity, which no record holds.

    Example:
        >>> canonical_json({"b": 0.1, "a": ["é"]})
        '{"a":["\\u00e9"],"b":0.1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def manifest_fields(manifest: TableManifest) -> dict[str, object]:
    """The manifest as JSON values; what the provenance does not know, and no levels, are left out.

    Args:
        manifest: Any manifest.

    Returns:
        Fields by name, for `canonical_json` and back through `MANIFESTS.validate_json`.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> manifest_fields(TableManifest(
        ...     task="regression", target_column="y", network=LinearSpec(input_dim=1, output_dim=1),
        ...     preprocessing=(), class_names=(), table_schema=TableSchema(features=(), left_out=()),
        ... ))["provenance"]
        {'notes': []}
    """
    unset = {"provenance"} if manifest.quantiles else {"provenance", "quantiles"}
    fields: dict[str, object] = manifest.model_dump(mode="json", exclude=unset)
    return fields | {"provenance": manifest.provenance.model_dump(mode="json", exclude_none=True)}
