"""What a student weighs before it has learnt anything, against what it weighs after."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.bundle import ModelBundle
from kdtab.config.choice import ChoiceOptions
from kdtab.config.columns import ColumnOptions
from kdtab.config.manifest import Provenance
from kdtab.config.networks import network_spec
from kdtab.config.training import TrainingConfig, TrainingMode
from kdtab.data.prepare import PreparedTable, prepare_table
from kdtab.errors.training import BudgetTooSmall
from kdtab.shell.assemble import FitPlan, fit_model
from kdtab.shell.device import resolve_device
from kdtab.shell.scoring import stored_bytes
from kdtab.tasks.supervised import SupervisedTask
from kdtab.teachers.footprint import Footprint, fitting_plans, small_enough

ENDLESS = 1e9
FIT_NOTES = 600
"""More bytes than a fit adds to a manifest: what it took, and what it notes."""

limits = st.none() | st.integers(1, 1_000)


def config_of(mode: TrainingMode) -> TrainingConfig:
    return TrainingConfig(target_column="y", epochs=1, validation_size=0.2, training_mode=mode)


@cache
def table() -> tuple[pl.DataFrame, PreparedTable]:
    drawn = np.random.default_rng(0)
    x = drawn.standard_normal((120, 3))
    frame = pl.DataFrame(x, schema=["a", "b", "c"]).with_columns(y=np.where(x[:, 0] > 0, "u", "v"))
    return frame, prepare_table(frame, config_of("mlp_dense"), ColumnOptions()).unwrap()


def plan_of(width: int, mode: TrainingMode = "mlp_dense", *, halved: bool = False) -> FitPlan:
    _, prepared = table()
    config = config_of(mode)
    spec = network_spec(
        mode,
        input_dim=prepared.training.inputs.shape[1],
        output_dim=prepared.output_dim,
        hidden_dim=width,
        num_hidden_layers=2,
        dropout=0.1,
    )
    return FitPlan(
        config=config,
        spec=spec,
        task=SupervisedTask(prepared.task),
        soft_targets=None,
        provenance=Provenance(training_config=config, table_fingerprint="0" * 64),
        half_precision=halved,
    )


def fitting(plans: list[FitPlan], choice: ChoiceOptions) -> tuple[int, ...]:
    frame, prepared = table()
    return fitting_plans(prepared, plans, frame, choice).unwrap()


def refused(plans: list[FitPlan], choice: ChoiceOptions) -> BudgetTooSmall:
    frame, prepared = table()
    (issue,) = fitting_plans(prepared, plans, frame, choice).failure()
    assert isinstance(issue, BudgetTooSmall)
    return issue


def measured_bytes(plan: FitPlan) -> int:
    """Of the plan alone, as a refusal tells them."""
    return refused([plan], ChoiceOptions(max_bytes=1)).smallest_bytes


def fitted(plan: FitPlan) -> ModelBundle:
    _, prepared = table()
    return fit_model(prepared, plan, device=resolve_device("cpu").unwrap()).unwrap().bundle


@given(size=st.integers(1, 1_000), time=st.integers(1, 1_000), max_bytes=limits, max_latency=limits)
def test_a_student_is_within_limits_where_it_exceeds_none_of_them(
    size: int, time: int, max_bytes: int | None, max_latency: int | None
) -> None:
    latency = None if max_latency is None else float(max_latency)
    found = Footprint(size, float(time)).within(
        ChoiceOptions(max_bytes=max_bytes, max_latency=latency)
    )
    exceeded = [
        (max_bytes is not None and max_bytes < size),
        (max_latency is not None and max_latency < time),
    ]
    assert found == (exceeded == [False, False])


@pytest.mark.parametrize("halved", [False, True])
@pytest.mark.parametrize(
    "mode", ["mlp_dense", "tabresnet", "linear_glm_baseline", "batch_ensemble"]
)
def test_the_bytes_are_those_of_the_file_but_for_what_the_fit_notes(
    mode: TrainingMode, halved: bool
) -> None:
    plan = plan_of(48, mode, halved=halved)
    before, after = measured_bytes(plan), stored_bytes(fitted(plan))
    assert before <= after <= before + FIT_NOTES


def test_a_student_that_will_be_stored_in_half_precision_is_measured_so() -> None:
    whole, half = (measured_bytes(plan_of(256, halved=halved)) for halved in (False, True))
    assert half < 0.6 * whole


def test_notes_that_are_known_before_the_fit_are_measured() -> None:
    plan = plan_of(8)
    assert measured_bytes(replace(plan, notes=("x" * 2_000,))) >= measured_bytes(plan) + 2_000


def test_a_limit_keeps_the_plans_that_are_no_larger_in_their_order() -> None:
    plans = [plan_of(width) for width in (32, 8, 64, 16)]
    sizes = [measured_bytes(plan) for plan in plans]
    for limit in sizes:
        kept = tuple(place for place, size in enumerate(sizes) if size <= limit)
        assert fitting(plans, ChoiceOptions(max_bytes=limit)) == kept
    assert fitting(plans, ChoiceOptions(max_latency=ENDLESS)) == (0, 1, 2, 3)


def test_one_byte_less_than_the_smallest_is_refused_with_its_bytes() -> None:
    plans = [plan_of(width) for width in (32, 8)]
    smallest = measured_bytes(plans[1])
    issue = refused(plans, ChoiceOptions(max_bytes=smallest - 1, max_latency=ENDLESS))
    assert (issue.max_bytes, issue.max_latency) == (smallest - 1, ENDLESS)
    assert issue.smallest_bytes == smallest
    assert issue.shortest_latency is not None


def test_no_student_answers_in_no_time() -> None:
    issue = refused([plan_of(8)], ChoiceOptions(max_latency=1e-6))
    assert issue.max_bytes is None
    assert issue.shortest_latency is not None
    assert issue.shortest_latency > 0


def test_a_fitted_student_that_grew_beyond_the_limit_is_none() -> None:
    large, small = fitted(plan_of(32)), fitted(plan_of(8))
    limit = ChoiceOptions(max_bytes=stored_bytes(small))
    assert small_enough([large, None, small], limit).unwrap() == (1, 2)
    assert small_enough([large, small], ChoiceOptions(max_latency=1.0)).unwrap() == (0, 1)


def test_where_all_fitted_students_grew_beyond_the_limit_the_smallest_is_named() -> None:
    bundles = [fitted(plan_of(32)), None, fitted(plan_of(8))]
    smallest = stored_bytes(fitted(plan_of(8)))
    (issue,) = small_enough(bundles, ChoiceOptions(max_bytes=smallest - 1)).failure()
    assert issue == BudgetTooSmall(
        max_bytes=smallest - 1, max_latency=None, smallest_bytes=smallest
    )


def test_a_search_without_a_fitted_student_has_other_issues_to_tell() -> None:
    assert small_enough([None, None], ChoiceOptions(max_bytes=1)).unwrap() == (0, 1)
