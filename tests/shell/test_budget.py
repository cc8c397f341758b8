from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kdtab.config.training import TrainingConfig
from kdtab.shell import budget
from kdtab.shell.batches import steps_per_epoch
from kdtab.shell.budget import StepBudget, default_batch_size, default_epochs, resolve_settings

row_counts = st.integers(0, 10_000_000)
budgets = st.sampled_from([budget.CLASSIFICATION, budget.REGRESSION])


@given(rows=row_counts, steps=budgets)
def test_the_default_batch_is_a_power_of_two_within_bounds(rows: int, steps: StepBudget) -> None:
    size = default_batch_size(rows, steps)
    assert budget.SMALLEST_BATCH_SIZE <= size <= steps.largest_batch_size
    assert size & (size - 1) == 0


@given(rows=row_counts, more=row_counts, steps=budgets)
def test_more_rows_never_give_a_smaller_batch_or_more_epochs(
    rows: int, more: int, steps: StepBudget
) -> None:
    assert default_batch_size(rows, steps) <= default_batch_size(rows + more, steps)
    assert default_epochs(rows, 64, steps) >= default_epochs(rows + more, 64, steps)


@given(rows=st.integers(2, 10_000_000), whole=budgets)
def test_the_default_epochs_spend_the_budget_or_meet_a_bound(rows: int, whole: StepBudget) -> None:
    size = default_batch_size(rows, whole)
    epochs, steps = default_epochs(rows, size, whole), steps_per_epoch(rows, size)
    if epochs == budget.MOST_EPOCHS:
        assert (epochs - 1) * steps < whole.steps
    elif epochs == budget.FEWEST_EPOCHS:
        assert epochs * steps >= whole.steps
    else:
        assert (epochs - 1) * steps < whole.steps <= epochs * steps


@pytest.mark.requirement("REQ-T11", "EC-T01")
@given(rows=row_counts, epochs=st.integers(1, 10**6), batch_size=st.integers(1, 10**6))
def test_integers_mean_exactly_that_many(rows: int, epochs: int, batch_size: int) -> None:
    config = TrainingConfig(target_column="y", epochs=epochs, batch_size=batch_size)
    settings = resolve_settings(config, rows, "regression")
    assert (settings.epochs, settings.batch_size) == (epochs, batch_size)


@pytest.mark.requirement("REQ-KD20", "REQ-T10")
def test_everything_else_is_taken_from_the_config() -> None:
    config = TrainingConfig(
        target_column="y", learning_rate=0.01, random_seed=7, validation_size=0.1, patience=3
    )
    settings = resolve_settings(config, 1_000, "classification")
    assert settings.learning_rate == 0.01
    assert settings.random_seed == 7
    assert settings.patience == 3
    assert settings.weight_decay == 1e-4


@given(rows=st.integers(2, 10**6), steps=st.integers(1, 10**5), batch_size=st.integers(2, 600))
def test_steps_are_whole_epochs_and_no_more_than_it_takes(
    rows: int, steps: int, batch_size: int
) -> None:
    config = TrainingConfig(target_column="y", steps=steps, batch_size=batch_size)
    epochs = resolve_settings(config, rows, "regression").epochs
    in_one = steps_per_epoch(rows, batch_size)
    assert (epochs - 1) * in_one < steps <= epochs * in_one


def test_the_course_is_taken_from_the_config() -> None:
    usual = resolve_settings(TrainingConfig(target_column="y"), 1_000, "regression")
    assert (usual.optimizer, usual.learning_rate_schedule) == ("adam", "constant")
    assert (usual.warmup_steps, usual.ema_decay) == (0, None)
    config = TrainingConfig(
        target_column="y",
        optimizer="adamw",
        weight_decay=1e-3,
        learning_rate_schedule="cosine",
        warmup_steps=100,
        ema_decay=0.99,
    )
    settings = resolve_settings(config, 1_000, "regression")
    assert (settings.optimizer, settings.weight_decay) == ("adamw", 1e-3)
    assert (settings.learning_rate_schedule, settings.warmup_steps) == ("cosine", 100)
    assert settings.ema_decay == 0.99


def test_epochs_follow_from_a_batch_size_that_was_given() -> None:
    config = TrainingConfig(target_column="y", batch_size=1_000)
    settings = resolve_settings(config, 100_000, "classification")
    assert settings.epochs == budget.CLASSIFICATION.steps // 100


def test_steps_are_limited_by_passes_over_the_labelled_rows() -> None:
    config = TrainingConfig(target_column="y", steps=4_000, max_epochs=1_000, batch_size=256)
    small = resolve_settings(config, 450, "classification", labelled_rows=90)
    alone = resolve_settings(config, 90, "classification")
    large = resolve_settings(config, 25_000, "classification", labelled_rows=5_000)
    assert small.epochs * 2 == 352
    assert alone.epochs * 1 == 352
    assert large.epochs == 41


def test_a_limit_of_passes_without_steps_is_refused() -> None:
    with pytest.raises(ValidationError, match="max_epochs is a limit of steps"):
        TrainingConfig(target_column="y", max_epochs=3)
