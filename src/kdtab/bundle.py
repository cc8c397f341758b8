"""A trained model with all that a prediction needs, and how it becomes plain data and back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from pydantic import ValidationError
from returns.result import Result, Success
from torch import nn

from kdtab.config.manifest import MANIFESTS, canonical_json, manifest_fields
from kdtab.config.networks import NetworkSpec
from kdtab.config.schema import TableSchema
from kdtab.config.training import Task
from kdtab.data.arrays import FloatArray
from kdtab.data.artifacts import Artifacts
from kdtab.data.scale import Scaler, TargetScaler
from kdtab.data.storage import (
    artifact_arrays,
    artifacts_fingerprint,
    artifacts_from_record,
    column_problems,
    label_classes,
    preprocessing_steps,
    target_scaling,
)
from kdtab.data.target import LabelEncoder
from kdtab.data.vectorize import Vectorizer
from kdtab.errors.base import quoted
from kdtab.errors.bundles import BundleContradiction, NetworkForeign
from kdtab.errors.issue import Issues
from kdtab.models.describe import parameter_count
from kdtab.models.network import TabularNetwork
from kdtab.models.weights import (
    KNOWN_NETWORKS,
    is_as_built,
    network_with_weights,
    weight_arrays,
    weight_problems,
    weights_fingerprint,
)
from kdtab.record import BundleRecord, Provenance, TableManifest, contradictions
from kdtab.results import fail

Value = TypeVar("Value")


@dataclass(frozen=True)
class Metrics:
    """How good a model is, and at what cost (REQ-T15, REQ-KD23).

    Attributes:
        task: What was predicted, never "auto" (INV-T03).
        train_loss: The last epoch's loss.
        test_loss: The loss on the held-out rows.
        test_metric_name: "accuracy", or "rmse" in the target's own unit.
        test_metric_value: The metric on the held-out rows.
        validation_loss: The loss that chose the epoch, after the calibration where there is one.
        training_rows: Rows that changed weights.
        test_rows: Rows of the metric.
        epochs: Passes over the training rows.
        update_steps: Steps that changed weights.

    Example:
        >>> Metrics("regression", 0.1, 0.2, "rmse", 3.5).test_metric_name
        'rmse'
    """

    task: Task
    train_loss: float
    test_loss: float
    test_metric_name: str
    test_metric_value: float
    validation_loss: float | None = None
    training_rows: int | None = None
    test_rows: int | None = None
    epochs: int | None = None
    update_steps: int | None = None


@dataclass(frozen=True, eq=False)
class ModelBundle:
    """A network with its preprocessing artifacts (REQ-T16); change one with `dataclasses.replace`.

    Nothing is validated here: what does not fit is met where it is used, and no contradiction can
    be saved. Two bundles are equal when they are the same object; compare contents by
    `fingerprint`.

    Attributes:
        model: [B, input_dim] encoded rows to [B, output_dim] logits or scaled values.
        task: What it predicts.
        vectorizer: From a frame to a float64 matrix.
        scaler: From that matrix to the network's input.
        feature_medians: [input_dim] what a missing number becomes; None: zero.
        label_encoder: Class codes and labels; None for regression.
        target_scaler: Target units and network units; None: the same.
        target_column: The column that it predicts.
        input_dim: Columns of the encoded matrix.
        output_dim: Classes, or 1 for regression, or quantiles.
        class_names: The label of each output; empty for regression.
        schema: The training table's columns.
        provenance: Where it comes from.
        quantiles: Levels of a regression's outputs; empty: its one output is the value.

    Example:
        >>> from dataclasses import replace
        >>> bundle = ModelBundle(nn.Linear(3, 2), "classification", *[None] * 11)
        >>> replace(bundle, target_column="income").target_column
        'income'
    """

    model: nn.Module
    task: Task
    vectorizer: Vectorizer
    scaler: Scaler
    feature_medians: FloatArray | None
    label_encoder: LabelEncoder | None
    target_scaler: TargetScaler | None
    target_column: str
    input_dim: int
    output_dim: int
    class_names: tuple[str, ...]
    schema: TableSchema
    provenance: Provenance = field(default_factory=Provenance)
    quantiles: tuple[float, ...] = ()

    @property
    def artifacts(self) -> Artifacts:
        """The five preprocessing artifacts as one value, the very objects of the bundle.

        Example:
            >>> ModelBundle(nn.Linear(3, 2), "classification", *[None] * 11).artifacts.scaler is None
            True
        """
        return Artifacts(
            vectorizer=self.vectorizer,
            scaler=self.scaler,
            feature_medians=self.feature_medians,
            label_encoder=self.label_encoder,
            target_scaler=self.target_scaler,
        )

    @property
    def parameter_count(self) -> int:
        """How many numbers training may change in the network.

        Example:
            >>> ModelBundle(nn.Linear(3, 2), "classification", *[None] * 11).parameter_count
            8
        """
        return parameter_count(self.model)

    @property
    def fingerprint(self) -> str:
        """The sha256 of weights and artifacts; provenance, device and mode do not count.

        Example:
            >>> from dataclasses import replace
            >>> import numpy as np
            >>> from kdtab.config.networks import LinearSpec
            >>> from kdtab.config.schema import NumericColumn
            >>> from kdtab.models.build import build_model
            >>> bundle = ModelBundle(
            ...     build_model(LinearSpec(input_dim=1, output_dim=1)), "regression",
            ...     Vectorizer((NumericColumn(name="x", reason=""),), ()),
            ...     Scaler(np.zeros(1), np.ones(1), 10.0), None, None, None, "y", 1, 1, (),
            ...     TableSchema(features=(), left_out=()),
            ... )
            >>> bundle.fingerprint == replace(bundle, provenance=Provenance(rows=7)).fingerprint
            True
            >>> bundle.fingerprint == replace(bundle, scaler=Scaler(np.ones(1), np.ones(1), 10.0)).fingerprint
            False
        """
        parts = f"{artifacts_fingerprint(self.artifacts)}\n{weights_fingerprint(self.model)}"
        told = f"\n{self.quantiles}" if self.quantiles else ""
        return hashlib.sha256(f"{parts}{told}".encode("ascii")).hexdigest()


def to_record(bundle: ModelBundle) -> Result[BundleRecord, Issues]:
    """A bundle as plain data; the network is only read, on whichever device it is.

    Args:
        bundle: Any bundle.

    Returns:
        The record, with copies of all numbers; or `NetworkForeign` for a network that is not one of
        kdtab's, `BundleContradiction` for each pair of parts that deny each other.

    Example:
        >>> to_record(ModelBundle(nn.Linear(3, 2), "regression", *[None] * 11)).failure().first.found
        'Linear'
    """
    model = bundle.model
    if not isinstance(model, TabularNetwork) or type(model) not in KNOWN_NETWORKS:
        known = tuple(network.__name__ for network in KNOWN_NETWORKS)
        return fail(NetworkForeign(found=type(model).__name__, known=known))
    problems = _model_problems(bundle, model)
    if problems:
        return _refused(problems)
    return _manifest(bundle, model.spec).bind(
        lambda manifest: _consistent(
            BundleRecord(manifest, artifact_arrays(bundle.artifacts) | weight_arrays(model))
        )
    )


def from_record(record: BundleRecord, device: torch.device) -> Result[ModelBundle, Issues]:
    """The bundle that a record describes (REQ-T22).

    Args:
        record: Any record; nothing in it is trusted.
        device: Where the network shall live.

    Returns:
        The bundle with its network in eval mode and weights equal to the bit, on copies of all
        numbers; or `BundleContradiction` for each way in which the record denies itself.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from_record(BundleRecord(TableManifest(
        ...     task="regression", target_column="y", network=LinearSpec(input_dim=1, output_dim=1),
        ...     preprocessing=(), class_names=(), table_schema=TableSchema(features=(), left_out=()),
        ... ), {}), torch.device("cpu")).failure().first.reason
        'its preprocessing steps are [], they must be vectorize, impute, scale'
    """
    return _consistent(record).map(lambda consistent: _bundle(consistent, device))


def _consistent(record: BundleRecord) -> Result[BundleRecord, Issues]:
    manifest = record.manifest
    reasons = (*contradictions(record), *weight_problems(record), *column_problems(manifest))
    return _refused(reasons) if reasons else Success(record)


def _refused(reasons: Iterable[str]) -> Result[Value, Issues]:
    return fail(*(BundleContradiction(reason=reason) for reason in reasons))


def _model_problems(bundle: ModelBundle, model: TabularNetwork) -> tuple[str, ...]:
    sizes = (model.spec.input_dim, model.spec.output_dim)
    changed = "its network was changed since it was built and is not what its spec says"
    other = (
        f"input_dim and output_dim are {bundle.input_dim} and {bundle.output_dim}, "
        f"the network has {sizes[0]} and {sizes[1]}"
    )
    return (
        *(() if is_as_built(model) else (changed,)),
        *(() if (bundle.input_dim, bundle.output_dim) == sizes else (other,)),
    )


def _manifest(bundle: ModelBundle, spec: NetworkSpec) -> Result[TableManifest, Issues]:
    try:
        manifest = TableManifest(
            task=bundle.task,
            target_column=bundle.target_column,
            network=spec,
            preprocessing=preprocessing_steps(bundle.artifacts),
            label_classes=label_classes(bundle.artifacts),
            target_scaling=target_scaling(bundle.artifacts),
            class_names=bundle.class_names,
            quantiles=bundle.quantiles,
            table_schema=bundle.schema,
            provenance=bundle.provenance,
        )
        # Parts that were made without validation are met here and not by the one who loads them.
        return Success(MANIFESTS.validate_json(canonical_json(manifest_fields(manifest))))
    except ValidationError as error:
        return _refused(
            f"{'.'.join(map(str, (error.title, *detail['loc'])))} is refused "
            f"({quoted(detail['msg'])})"
            for detail in error.errors()
        )


def _bundle(record: BundleRecord, device: torch.device) -> ModelBundle:
    manifest, artifacts = record.manifest, artifacts_from_record(record)
    return ModelBundle(
        model=network_with_weights(manifest.network, record.arrays, device),
        task=manifest.task,
        vectorizer=artifacts.vectorizer,
        scaler=artifacts.scaler,
        feature_medians=artifacts.feature_medians,
        label_encoder=artifacts.label_encoder,
        target_scaler=artifacts.target_scaler,
        target_column=manifest.target_column,
        input_dim=manifest.network.input_dim,
        output_dim=manifest.network.output_dim,
        class_names=manifest.class_names,
        quantiles=manifest.quantiles,
        schema=manifest.table_schema,
        provenance=manifest.provenance,
    )
