"""Many students in one pass: they share rows, teacher, draws and the price of every step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean
from typing import NamedTuple, final

import torch

from kdtab.config.networks import BatchEnsembleSpec, NetworkSpec
from kdtab.config.training import Task
from kdtab.models.describe import parameter_count
from kdtab.models.network import TabularNetwork
from kdtab.results import Checked
from kdtab.shell.averages import WeightAverage, averaged
from kdtab.shell.batches import steps_per_epoch
from kdtab.shell.direct_step import goes_directly
from kdtab.shell.fit import FitRows, FitSettings, FittedNetwork, fit_network
from kdtab.shell.host import tensor_from_array
from kdtab.shell.infer import network_outputs
from kdtab.shell.loop import LoopParts, LoopPlan, run_loop
from kdtab.shell.progress import SILENT, Progress
from kdtab.shell.pupil import Pupil
from kdtab.shell.stack import NetworkStack, StackState, network_stack
from kdtab.shell.stackedbatches import StackedBatches
from kdtab.shell.threads import limited_threads, threads_for_step
from kdtab.shell.torch_step import StepTerms, join_terms
from kdtab.tasks.openrows import task_of_open_rows
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.stacked_targets import StackedBatch, StackedTargets, taught_by
from kdtab.tasks.trainingtask import Batch, TrainingTask

NO_NUMBER = float("nan")


@final
@dataclass(frozen=True)
class Candidate:
    """One student of many.

    Attributes:
        task: What it learns.
        settings: How; students go together where all but learning rate, seed and patience is the
            same.

    Example:
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> run = FitSettings(epochs=1, batch_size=32, learning_rate=1e-3, random_seed=0)
        >>> Candidate(SupervisedTask("regression"), run).settings.patience is None
        True
    """

    task: TrainingTask
    settings: FitSettings


class _Pace(NamedTuple):
    """What the students of one pass have in common."""

    task: Task
    settings: FitSettings


class _Room(NamedTuple):
    spec: NetworkSpec
    training: FitRows
    validation: FitRows | None
    device: torch.device
    progress: Progress


def fit_many(
    spec: NetworkSpec,
    candidates: Sequence[Candidate],
    training: FitRows,
    validation: FitRows | None,
    *,
    device: torch.device,
    progress: Progress = SILENT,
) -> tuple[Checked[FittedNetwork], ...]:
    """Fit students of one shape that differ in seed, learning rate, patience, alpha, temperature.

    Each is what `fit_network` would make of it alone, up to the order of sums: it has its own
    weights, order of rows, dropout and best epoch. On the CPU students that learn from labels and
    soft targets go together, each matrix product one of all; on other devices, and with other
    tasks, they go one after the other.

    Args:
        spec: Which network.
        candidates: The students.
        training: The rows to fit; with soft targets where a task asks for them. Rows without a
            label are left out for whoever does not listen to a teacher.
        validation: Rows whose hard loss chooses each student's epoch; None takes the last.
        device: Where to compute.
        progress: Hears of steps and epochs: the means over the students that still learn.

    Returns:
        For each candidate the fitted network or its own issues: a student whose loss is not finite
        stops alone, and the others go on.

    Example:
        >>> import numpy as np
        >>> from dataclasses import replace
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> x = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
        >>> run = FitSettings(epochs=3, batch_size=16, learning_rate=0.1, random_seed=0)
        >>> task = SupervisedTask("classification")
        >>> students = fit_many(
        ...     LinearSpec(input_dim=1, output_dim=2),
        ...     [Candidate(task, replace(run, random_seed=seed)) for seed in (0, 1)],
        ...     FitRows(x, (x[:, 0] > 0).astype(np.int64)), None, device=torch.device("cpu"),
        ... )
        >>> [student.unwrap().update_steps for student in students]
        [12, 12]
    """
    room, labelled = _Room(spec, training, validation, device, progress), training.labelled
    if labelled.all():
        return _every(room, candidates)
    # Whoever does not listen to the teacher gets the rows with a label, as alone.
    listening = [task_of_open_rows(one.task) for one in candidates]
    pairs = list(zip(candidates, listening, strict=True))
    heard = [Candidate(task, one.settings) for one, task in pairs if task is not None]
    deaf = [one for one, task in pairs if task is None]
    taught = iter(_every(room, heard))
    untaught = iter(_every(room._replace(training=training.at(labelled)), deaf) if deaf else ())
    return tuple(next(untaught if task is None else taught) for task in listening)


def _every(room: _Room, candidates: Sequence[Candidate]) -> tuple[Checked[FittedNetwork], ...]:
    found: dict[int, Checked[FittedNetwork]] = {}
    for places, tasks, pace in _passes(room, candidates):
        settings = [candidates[place].settings for place in places]
        fitted = _fitted_together(room, tasks, settings, pace)
        found |= dict(zip(places, fitted, strict=True))
    return tuple(
        found[place]
        if place in found
        else fit_network(
            room.spec,
            one.task,
            room.training,
            room.validation,
            one.settings,
            device=room.device,
            progress=room.progress,
        )
        for place, one in enumerate(candidates)
    )


def _passes(
    room: _Room, candidates: Sequence[Candidate]
) -> list[tuple[list[int], list[SoftTargetTask], _Pace]]:
    """Those that can go together; whoever is in none of them goes alone."""
    rows = len(room.training.inputs)
    if isinstance(room.spec, BatchEnsembleSpec):  # each fills a step of its own
        return []
    groups: dict[_Pace, list[tuple[int, SoftTargetTask]]] = {}
    for place, (task, run) in enumerate((one.task, one.settings) for one in candidates):
        taught = taught_by(task)
        unseen = goes_directly(task, TabularNetwork(room.spec)) and room.device.type == "cpu"
        if taught is not None and unseen and steps_per_epoch(rows, run.batch_size) > 0:
            alike = replace(run, learning_rate=1.0, random_seed=0, patience=None)
            pace = _Pace(taught.task, alike)
            groups.setdefault(pace, []).append((place, taught))
    return [
        ([place for place, _ in group], [task for _, task in group], pace)
        for pace, group in groups.items()
        if len(group) > 1
    ]


def _fitted_together(
    room: _Room, tasks: Sequence[SoftTargetTask], settings: Sequence[FitSettings], pace: _Pace
) -> list[Checked[FittedNetwork]]:
    seeds, epochs = [run.random_seed for run in settings], pace.settings.epochs
    rows, batch_size = room.training, pace.settings.batch_size
    targets = StackedTargets(tasks, partial=rows.is_partial)
    steps = steps_per_epoch(len(rows.inputs), batch_size)
    with network_stack(room.spec, settings, steps=epochs * steps) as stack:
        count = threads_for_step(
            len(seeds) * parameter_count(stack.networks[0]),
            min(batch_size, len(rows.inputs)),
            at_most=torch.get_num_threads(),
        )
        pupils = [
            Pupil(network, run.patience)
            for network, run in zip(stack.networks, settings, strict=True)
        ]
        prepared = _tensors(rows, targets)
        batches = StackedBatches(prepared, targets, batch_size=batch_size, seeds=seeds)
        parts = _parts(stack, targets, batches, pupils, room.validation)
        with limited_threads(count) as threads:
            # An end without any finite loss is every pupil's own issue already.
            run_loop(
                StackState(stack.networks),
                LoopPlan(epochs, steps, patience=None),
                parts,
                room.progress,
            )
        if stack.average is not None and parts.validate is None:
            stack.average.settle()
    return [pupil.outcome(steps_per_epoch=steps, threads=threads) for pupil in pupils]


def _tensors(rows: FitRows, targets: StackedTargets) -> Batch:
    soft = rows.soft_targets
    return Batch(
        tensor_from_array(rows.inputs),
        tensor_from_array(rows.targets),
        targets.prepare(None if soft is None else tensor_from_array(soft)),
    )


def _parts(
    stack: NetworkStack,
    targets: StackedTargets,
    batches: StackedBatches,
    pupils: Sequence[Pupil],
    validation: FitRows | None,
) -> LoopParts[StackState, StackedBatch, StepTerms]:
    return LoopParts(
        batches=batches,
        step=partial(stack.step, targets),
        join=join_terms,
        read=partial(_read, targets.names, pupils),
        validate=_validation(targets, pupils, validation, stack.average),
        keep=lambda state: lambda: state,  # each pupil keeps its own
        is_done=lambda state: not any(pupil.is_learning for pupil in pupils),
    )


def _read(
    names: Sequence[Sequence[str]], pupils: Sequence[Pupil], terms: StepTerms
) -> Mapping[str, float]:
    """Each pupil hears its own terms; the loop hears the means over those that go on."""
    table = {name: each.tolist() for name, each in terms.terms.items()}
    going: list[dict[str, float]] = []
    for place, pupil in enumerate(pupils):
        if pupil.is_learning:
            own = {name: table[name][place] for name in names[place]}
            if pupil.hear(own):
                going.append(own)
    shared = [name for name in table if going and all(name in own for own in going)]
    return {"loss": NO_NUMBER} | {name: fmean(own[name] for own in going) for name in shared}


def _validation(
    targets: StackedTargets,
    pupils: Sequence[Pupil],
    rows: FitRows | None,
    average: WeightAverage | None,
) -> Callable[[StackState], float] | None:
    if rows is None or len(rows.inputs) == 0:
        return None
    inputs, truth = rows.inputs, tensor_from_array(rows.targets)

    def mean_loss(state: StackState) -> float:
        learning = [pupil for pupil in pupils if pupil.is_learning]
        losses = []
        with averaged(average):  # the pupils keep what they are validated with
            for pupil in learning:
                outputs = tensor_from_array(network_outputs(pupil.network, inputs))
                loss = float(targets.hard_loss(outputs, truth))
                pupil.validate(loss)
                losses.append(loss)
        finite = [loss for loss in losses if math.isfinite(loss)]
        return fmean(finite) if finite else NO_NUMBER

    return mean_loss
