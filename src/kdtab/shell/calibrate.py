"""Calibration of a fitted network on validation rows, folded into its last layer."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from kdtab.config.training import Task, TrainingMode
from kdtab.data.arrays import Float32Array
from kdtab.errors.configs import FieldInvalid
from kdtab.metrics.recalibration import best_line, best_temperature
from kdtab.models.network import TabularNetwork
from kdtab.shell.fit import FitRows, FittedNetwork
from kdtab.shell.host import tensor_from_array
from kdtab.shell.infer import network_outputs
from kdtab.tasks.supervised import TrainingTask

UNFOLDED: frozenset[TrainingMode] = frozenset({"batch_ensemble"})
"""Networks whose answer is a mean over members: no last layer is left to fold anything into."""


@dataclass(frozen=True)
class Calibration:
    """What was folded into a network's last layer: z becomes scale · z + offset.

    Attributes:
        task: A classification has the offset 0 and the scale 1 / T.
        rows: Validation rows that decided it.
        scale: Of the outputs; 1 where nothing was better than nothing.
        offset: Added to the outputs, in the unit of training.
        loss_before: The loss of the validation rows without it, as it chose the epoch.
        loss_after: With it; never larger.

    Example:
        >>> Calibration("classification", 90, 0.5, 0.0, 0.41, 0.39).temperature
        2.0
    """

    task: Task
    rows: int
    scale: float
    offset: float
    loss_before: float
    loss_after: float

    @property
    def temperature(self) -> float:
        """T in softmax(z / T).

        Example:
            >>> Calibration("classification", 90, 1.0, 0.0, 0.4, 0.4).temperature
            1.0
        """
        return 1 / self.scale

    @property
    def note(self) -> str:
        """One sentence for people and for the provenance.

        Example:
            >>> Calibration("classification", 90, 0.5, 0.0, 0.41, 0.39).note
            'calibrated on 90 validation rows with T = 2: their loss went from 0.41 to 0.39'
        """
        if (self.scale, self.offset) == (1.0, 0.0):
            return f"calibration on {self.rows:,} validation rows found nothing to correct"
        found = (
            f"T = {self.temperature:.4g}"
            if self.task == "classification"
            else f"scale {self.scale:.4g} and offset {self.offset:.3g}"
        )
        losses = f"{self.loss_before:.4g} to {self.loss_after:.4g}"
        rows = f"{self.rows:,} validation rows"
        return f"calibrated on {rows} with {found}: their loss went from {losses}"


def calibration_issue(mode: TrainingMode, *, wanted: bool, validated: bool) -> FieldInvalid | None:
    """Why a student cannot be calibrated, before anything is fitted.

    Args:
        mode: Of the student's config.
        wanted: Whether calibration was asked for.
        validated: Whether there are validation rows.

    Returns:
        `FieldInvalid` without rows, or for a network without a last layer of its own; else None.

    Example:
        >>> calibration_issue("mlp_dense", wanted=True, validated=False).name
        'calibrate'
        >>> calibration_issue("mlp_dense", wanted=True, validated=True) is None
        True
    """
    if not wanted:
        return None
    if mode in UNFOLDED:
        rule = f"must be off with training_mode {mode}: its answer is a mean over its members"
        return FieldInvalid(name="calibrate", rule=rule, found="true")
    if not validated:
        rule = "needs a validation_size above 0, or there are no rows to calibrate on"
        return FieldInvalid(name="calibrate", rule=rule, found="true")
    return None


def calibrated_fit(
    fitted: FittedNetwork, task: TrainingTask, kind: Task, rows: FitRows
) -> tuple[FittedNetwork, Calibration]:
    """A copy of a fitted network with the calibration of its validation rows folded in.

    Classification divides the last weights and biases by one temperature (`best_temperature`), so
    that bundles, serving and exports need nothing; regression takes `best_line`.

    Args:
        fitted: The network; left as it is.
        task: Whose hard loss the validation rows are judged by.
        kind: Classification or regression.
        rows: The validation rows with their true labels, at least one.

    Returns:
        The same fit with the calibrated network, and what was done: nothing, where the loss of the
        validation rows would not be smaller.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.models.build import build_model
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> network = build_model(LinearSpec(input_dim=1, output_dim=1)).eval()
        >>> fitted = FittedNetwork(network, (), 0.0, 1, 1, 1)
        >>> x = np.linspace(-1, 1, 50, dtype=np.float32)[:, None]
        >>> rows = FitRows(x, 3 * network_outputs(network, x) + 1)
        >>> _, found = calibrated_fit(fitted, SupervisedTask("regression"), "regression", rows)
        >>> round(found.scale, 4), round(found.offset, 4)
        (3.0, 1.0)
    """
    outputs = network_outputs(fitted.network, rows.inputs)
    before = _loss(task, outputs, rows)
    scale, offset = _correction(kind, outputs, rows)
    network = _folded(fitted.network, scale, offset)
    after = _loss(task, network_outputs(network, rows.inputs), rows)
    if not after < before:
        return fitted, Calibration(kind, len(outputs), 1.0, 0.0, before, before)
    found = Calibration(kind, len(outputs), scale, offset, before, after)
    return replace(fitted, network=network), found


def _correction(kind: Task, outputs: Float32Array, rows: FitRows) -> tuple[float, float]:
    if kind == "classification":
        return 1 / best_temperature(outputs, rows.targets.astype(np.int64)), 0.0
    values, truth = (column.astype(np.float64).reshape(-1) for column in (outputs, rows.targets))
    return best_line(values, truth)


def _loss(task: TrainingTask, outputs: Float32Array, rows: FitRows) -> float:
    targets = tensor_from_array(rows.targets)
    return float(task.hard_loss(tensor_from_array(outputs), targets))


def _folded(network: TabularNetwork, scale: float, offset: float) -> TabularNetwork:
    own = copy.deepcopy(network)
    head = own.head
    assert isinstance(head, nn.Linear), "`calibration_issue` refuses networks without one"
    with torch.no_grad():
        head.weight.mul_(scale)
        head.bias.mul_(scale).add_(offset)
    return own
