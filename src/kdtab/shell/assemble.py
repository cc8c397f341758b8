"""From a fitted network to what a person gets: a bundle, its metrics and a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import torch
from returns.result import Result

from kdtab.bundle import Metrics, ModelBundle
from kdtab.config.base import revise
from kdtab.config.manifest import Provenance
from kdtab.config.training import TrainingConfig
from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.artifacts import network_targets
from kdtab.data.prepare import EncodedRows, PreparedTable
from kdtab.errors.issue import Issues
from kdtab.metrics.logits import accuracy_from_logits, log_losses_from_logits
from kdtab.metrics.numbers import root_mean_squared_error
from kdtab.results import Checked
from kdtab.shell.budget import resolve_settings
from kdtab.shell.fit import FitRows, FitSettings, FittedNetwork, fit_network
from kdtab.shell.infer import network_outputs
from kdtab.shell.progress import SILENT, Progress
from kdtab.shell.search import Candidate, fit_many
from kdtab.shell.trained import FitPlan, TrainedModel, TrainingReport

__all__ = [
    "FitPlan",
    "TrainedModel",
    "TrainingReport",
    "assembled_model",
    "fit_model",
    "fit_networks",
    "measure_bundle",
    "regression_values",
]


def fit_model(
    prepared: PreparedTable,
    plan: FitPlan,
    *,
    device: torch.device,
    progress: Progress = SILENT,
) -> Result[TrainedModel, Issues]:
    """Fit a network on a prepared table, measure it on the test rows, bind it with its artifacts.

    Args:
        prepared: The table, encoded and split.
        plan: What to fit, on which soft targets, and what to record.
        device: Where to fit.
        progress: Hears of every epoch.

    Returns:
        The bundle, its metrics (REQ-T15, REQ-KD23) and the report; or `NoValidBatch`,
        `LossNotFinite`.

    Example:
        >>> from kdtab.recipes.train import train_model
        >>> import polars as pl
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> train_model(frame, config, device="cpu").unwrap().metrics.test_metric_name
        'accuracy'
    """
    settings = resolve_settings(plan.config, len(prepared.training.targets), prepared.task)
    validated = len(prepared.validation.targets) > 0
    return fit_network(
        plan.spec,
        plan.task,
        _fit_rows(prepared, prepared.training, plan.soft_targets),
        _fit_rows(prepared, prepared.validation, None) if validated else None,
        settings,
        device=device,
        progress=progress,
    ).map(lambda fitted: assembled_model(prepared, plan, fitted))


def fit_networks(
    prepared: PreparedTable,
    plans: Sequence[FitPlan],
    *,
    device: torch.device,
    progress: Progress = SILENT,
) -> tuple[Checked[FittedNetwork], ...]:
    """Fit the networks of several plans on one prepared table, those of one shape in one pass.

    Args:
        prepared: The table, encoded and split.
        plans: What to fit; those that listen to a teacher listen to the same one.
        device: Where to fit.
        progress: Hears of every epoch.

    Returns:
        For each plan its network, to be made a model by `assembled_model`, or its own issues.

    Example:
        >>> fit_networks.__name__
        'fit_networks'
    """
    rows = len(prepared.training.targets)
    said = [plan.soft_targets for plan in plans if plan.soft_targets is not None]
    assert all(each is said[0] for each in said), "one teacher for all"
    training = _fit_rows(prepared, prepared.training, said[0] if said else None)
    validated = len(prepared.validation.targets) > 0
    validation = _fit_rows(prepared, prepared.validation, None) if validated else None
    found: dict[int, Checked[FittedNetwork]] = {}
    for spec in dict.fromkeys(plan.spec for plan in plans):
        places = [place for place, plan in enumerate(plans) if plan.spec == spec]
        candidates = [
            Candidate(plans[place].task, resolve_settings(plans[place].config, rows, prepared.task))
            for place in places
        ]
        fitted = fit_many(spec, candidates, training, validation, device=device, progress=progress)
        found |= dict(zip(places, fitted, strict=True))
    return tuple(found[place] for place in range(len(plans)))


def assembled_model(prepared: PreparedTable, plan: FitPlan, fitted: FittedNetwork) -> TrainedModel:
    """Bind a fitted network with its artifacts, and measure it on the test rows.

    Args:
        prepared: The table it was fitted on.
        plan: What it was fitted by.
        fitted: The network.

    Returns:
        As `fit_model` gives it.

    Example:
        >>> assembled_model.__name__
        'assembled_model'
    """
    settings = resolve_settings(plan.config, len(prepared.training.targets), prepared.task)
    notes = prepared.report.notes + plan.notes
    provenance = _recorded(
        revise(plan.provenance, notes=notes).unwrap(), prepared, fitted, settings
    )
    bundle = _bundle(prepared, fitted, plan.config, provenance)
    metrics = measure_bundle(bundle, prepared.test)
    return TrainedModel(
        bundle=bundle,
        metrics=_with_effort(metrics, provenance, fitted),
        report=TrainingReport(
            preparation=prepared.report, fitted=fitted, settings=settings, notes=notes
        ),
    )


def _fit_rows(
    prepared: PreparedTable, rows: EncodedRows, soft_targets: Float32Array | None
) -> FitRows:
    targets = network_targets(rows.targets, prepared.artifacts)
    return FitRows(inputs=rows.inputs, targets=targets, soft_targets=soft_targets)


def _with_effort(metrics: Metrics, provenance: Provenance, fitted: FittedNetwork) -> Metrics:
    return replace(
        metrics,
        train_loss=fitted.train_loss,
        validation_loss=fitted.history[fitted.best_epoch - 1].validation_loss,
        training_rows=provenance.training_rows,
        test_rows=provenance.test_rows,
        epochs=len(fitted.history),
        update_steps=fitted.update_steps,
    )


def measure_bundle(bundle: ModelBundle, rows: EncodedRows) -> Metrics:
    """Loss and metric of a bundle's network on encoded rows with known targets.

    Args:
        bundle: The model; left as it is.
        rows: Encoded inputs [N, D], and class codes [N] or values [N] in the target's unit.

    Returns:
        Accuracy and log loss (nats), or RMSE in the target's unit and the mean squared error in
        the unit of training; `train_loss` is NaN, since these rows were not trained on.

    Example:
        >>> from kdtab.recipes.train import train_model
        >>> import polars as pl
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> model = train_model(frame, config, device="cpu").unwrap()
        >>> rows = EncodedRows(np.zeros((1, 1), np.float32), np.zeros(1, np.int64))
        >>> measure_bundle(model.bundle, rows).task
        'classification'
    """
    outputs = network_outputs(bundle.model, rows.inputs)
    if bundle.task == "classification":
        codes = rows.targets.astype(np.int64)
        return Metrics(
            task=bundle.task,
            train_loss=float("nan"),
            test_loss=float(np.mean(log_losses_from_logits(outputs, codes))),
            test_metric_name="accuracy",
            test_metric_value=accuracy_from_logits(outputs, codes),
        )
    scaled = outputs.astype(np.float64).reshape(-1)
    truth = rows.targets.astype(np.float64)
    values = regression_values(bundle, outputs)
    wanted = truth if bundle.target_scaler is None else bundle.target_scaler.transform(truth)
    return Metrics(
        task=bundle.task,
        train_loss=float("nan"),
        test_loss=float(np.mean((scaled - wanted) ** 2)),
        test_metric_name="rmse",
        test_metric_value=root_mean_squared_error(values, truth),
    )


def regression_values(bundle: ModelBundle, outputs: Float32Array) -> FloatArray:
    """Network outputs as values in the target's unit (REQ-T21).

    Args:
        bundle: A regression model; without a target scaler its outputs are the values.
        outputs: [N, 1] float32.

    Returns:
        [N] float64.

    Example:
        >>> from dataclasses import replace
        >>> import polars as pl
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": [0.5, 1.5] * 20})
        >>> config = TrainingConfig(target_column="y", task="regression", epochs=1)
        >>> bundle = train_model(frame, config, device="cpu").unwrap().bundle
        >>> raw = replace(bundle, task="regression", target_scaler=None)
        >>> regression_values(raw, np.array([[2.5]], dtype=np.float32)).tolist()
        [2.5]
    """
    flat = outputs.astype(np.float64).reshape(-1)
    if bundle.target_scaler is None:
        return flat
    return bundle.target_scaler.inverse_transform(flat)


def _bundle(
    prepared: PreparedTable, fitted: FittedNetwork, config: TrainingConfig, provenance: Provenance
) -> ModelBundle:
    artifacts = prepared.artifacts
    encoder = artifacts.label_encoder
    return ModelBundle(
        model=fitted.network,
        task=prepared.task,
        vectorizer=artifacts.vectorizer,
        scaler=artifacts.scaler,
        feature_medians=artifacts.feature_medians,
        label_encoder=encoder,
        target_scaler=artifacts.target_scaler,
        target_column=config.target_column,
        input_dim=fitted.network.spec.input_dim,
        output_dim=fitted.network.spec.output_dim,
        class_names=encoder.classes if encoder is not None else (),
        schema=prepared.schema,
        provenance=provenance,
    )


def _recorded(
    provenance: Provenance, prepared: PreparedTable, fitted: FittedNetwork, settings: FitSettings
) -> Provenance:
    parts = (prepared.training, prepared.validation, prepared.test)
    training_rows, validation_rows, test_rows = (len(part.targets) for part in parts)
    return revise(
        provenance,
        kdtab_version=version("kdtab"),
        torch_version=str(torch.__version__),
        task_reason=prepared.task_reason,
        rows=training_rows + validation_rows + test_rows,
        training_rows=training_rows,
        validation_rows=validation_rows,
        test_rows=test_rows,
        epochs=settings.epochs,
        best_epoch=fitted.best_epoch,
        batch_size=settings.batch_size,
        update_steps=fitted.update_steps,
        threads=fitted.threads,
        device=str(next(fitted.network.parameters()).device),
    ).unwrap()
