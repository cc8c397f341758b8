"""From a fitted network to what a person gets: a bundle, its metrics and a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version

import torch
from returns.result import Result

from kdtab.bundle import Metrics, ModelBundle
from kdtab.config.base import revise
from kdtab.config.manifest import Provenance
from kdtab.data.prepare import PreparedTable
from kdtab.errors.issue import Issues
from kdtab.models.network import TabularNetwork
from kdtab.results import Checked
from kdtab.shell.calibrate import Calibration, calibrated_fit
from kdtab.shell.fit import FitSettings, FittedNetwork, fit_network
from kdtab.shell.halving import halved_network
from kdtab.shell.measure import measure_bundle, regression_values
from kdtab.shell.planrows import (
    extra_counts,
    extra_notes,
    fit_rows,
    heard_rows,
    plan_settings,
    training_rows,
)
from kdtab.shell.progress import SILENT, Progress
from kdtab.shell.rates import warmup_notes
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
    "network_bundle",
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
        >>> import polars as pl
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> train_model(frame, config, device="cpu").unwrap().metrics.test_metric_name
        'accuracy'
    """
    settings = plan_settings(prepared, plan)
    validated = len(prepared.validation.targets) > 0
    return fit_network(
        plan.spec,
        plan.task,
        training_rows(prepared, plan.soft_targets, heard_rows(plan)),
        fit_rows(prepared, prepared.validation, None) if validated else None,
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
    said = [plan.soft_targets for plan in plans if plan.soft_targets is not None]
    assert all(each is said[0] for each in said), "one teacher for all"
    spoken = said[0] if said else None
    validated = len(prepared.validation.targets) > 0
    validation = fit_rows(prepared, prepared.validation, None) if validated else None
    found: dict[int, Checked[FittedNetwork]] = {}
    for spec, extra in dict.fromkeys((plan.spec, heard_rows(plan)) for plan in plans):
        places = [
            place
            for place, plan in enumerate(plans)
            if plan.spec == spec and heard_rows(plan) is extra
        ]
        candidates = [
            Candidate(plans[place].task, plan_settings(prepared, plans[place])) for place in places
        ]
        training = training_rows(prepared, spoken, extra)
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
    settings = plan_settings(prepared, plan)
    fitted, calibration = _calibrated(prepared, plan, fitted)
    if plan.half_precision:
        fitted = replace(fitted, network=halved_network(fitted.network))
    found: tuple[str, ...] = () if calibration is None else (calibration.note,)
    steps = settings.epochs * fitted.update_steps // len(fitted.history)
    found += warmup_notes(settings, steps=steps)
    known = planned_provenance(prepared, plan, found)
    provenance = _recorded(known, prepared, fitted, settings)
    bundle = network_bundle(prepared, fitted.network, plan, provenance)
    metrics = measure_bundle(bundle, prepared.test)
    return TrainedModel(
        bundle=bundle,
        metrics=_with_effort(metrics, provenance, fitted, calibration),
        report=TrainingReport(
            preparation=prepared.report,
            fitted=fitted,
            settings=settings,
            notes=known.notes,
            calibration=calibration,
        ),
    )


def _calibrated(
    prepared: PreparedTable, plan: FitPlan, fitted: FittedNetwork
) -> tuple[FittedNetwork, Calibration | None]:
    if not plan.calibrate or not len(prepared.validation.targets):
        return fitted, None
    rows = fit_rows(prepared, prepared.validation, None)
    return calibrated_fit(fitted, plan.task, prepared.task, rows)


def _with_effort(
    metrics: Metrics,
    provenance: Provenance,
    fitted: FittedNetwork,
    calibration: Calibration | None,
) -> Metrics:
    chosen = fitted.history[fitted.best_epoch - 1].validation_loss
    return replace(
        metrics,
        train_loss=fitted.train_loss,
        validation_loss=chosen if calibration is None else calibration.loss_after,
        training_rows=provenance.training_rows,
        test_rows=provenance.test_rows,
        epochs=len(fitted.history),
        update_steps=fitted.update_steps,
    )


def planned_provenance(
    prepared: PreparedTable, plan: FitPlan, found: tuple[str, ...] = ()
) -> Provenance:
    """What a bundle says of its making, as far as that is known before a step is taken.

    Args:
        prepared: The table.
        plan: What to fit on it.
        found: More notes.

    Returns:
        The plan's provenance with all notes, counts of rows, and how weights are stored.

    Example:
        >>> planned_provenance.__name__
        'planned_provenance'
    """
    notes = prepared.report.notes + extra_notes(plan) + plan.notes + found
    precision = {"weight_precision": "float16"} if plan.half_precision else {}
    return revise(plan.provenance, notes=notes, **extra_counts(plan), **precision).unwrap()


def network_bundle(
    prepared: PreparedTable, network: TabularNetwork, plan: FitPlan, provenance: Provenance
) -> ModelBundle:
    """A network with the artifacts of its table.

    Args:
        prepared: The table.
        network: Of its inputs, fitted or not.
        plan: What it was to be.
        provenance: Where it comes from.

    Returns:
        The bundle.

    Example:
        >>> network_bundle.__name__
        'network_bundle'
    """
    artifacts = prepared.artifacts
    encoder = artifacts.label_encoder
    return ModelBundle(
        model=network,
        task=prepared.task,
        vectorizer=artifacts.vectorizer,
        scaler=artifacts.scaler,
        feature_medians=artifacts.feature_medians,
        label_encoder=encoder,
        target_scaler=artifacts.target_scaler,
        target_column=plan.config.target_column,
        input_dim=network.spec.input_dim,
        output_dim=network.spec.output_dim,
        class_names=encoder.classes if encoder is not None else (),
        schema=prepared.schema,
        provenance=provenance,
        quantiles=plan.quantiles,
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
