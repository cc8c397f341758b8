"""Metamorphic laws of the loop: what must not change a student, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from kdtab.config.networks import LinearSpec, MlpSpec, NetworkSpec, TabResNetSpec
from kdtab.data.arrays import Float32Array
from kdtab.losses.hard import cross_entropy_from_logits
from kdtab.losses.reduce import WeightedSum, weighted_sum
from kdtab.models.build import build_model
from kdtab.shell.fit import FitRows, FitSettings, fit_network
from kdtab.shell.infer import network_outputs
from kdtab.shell.seed import seeded
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import SupervisedTask, TrainingTask

CPU = torch.device("cpu")
CLASSES = 3
SIZES = {"input_dim": 4, "hidden_dim": 6, "num_hidden_layers": 1, "dropout": 0.3}
Weights = dict[str, Tensor]

SPECS: tuple[NetworkSpec, ...] = (
    MlpSpec.model_validate({**SIZES, "output_dim": CLASSES}),
    TabResNetSpec.model_validate({**SIZES, "output_dim": CLASSES}),
)

specs = st.sampled_from(SPECS)
run_settings = st.builds(
    FitSettings,
    epochs=st.integers(1, 3),
    batch_size=st.integers(2, 24),
    learning_rate=st.sampled_from([1e-3, 0.05]),
    random_seed=st.integers(0, 2**32 - 1),
)
few = settings(max_examples=15)


def example_rows(seed: int, soft: Float32Array | None = None) -> FitRows:
    drawn = np.random.default_rng(seed)
    inputs = drawn.standard_normal((17, 4)).astype(np.float32)
    labels = drawn.integers(0, CLASSES, 17)
    return FitRows(inputs, labels, soft)


def soft_targets(seed: int) -> Float32Array:
    return np.random.default_rng(seed).normal(0, 5, (17, CLASSES)).astype(np.float32)


def weights(spec: NetworkSpec, task: TrainingTask, rows: FitRows, run: FitSettings) -> Weights:
    return fit_network(spec, task, rows, None, run, device=CPU).unwrap().network.state_dict()


def same_bits(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.requirement("REQ-KD09", "AC-KD09", "REQ-T01", "AC-T01")
@few
@given(spec=specs, run=run_settings, noise=st.integers(0, 99))
def test_the_same_seed_gives_the_same_bits(spec: NetworkSpec, run: FitSettings, noise: int) -> None:
    rows = example_rows(0, soft_targets(1))
    first = weights(spec, SoftTargetTask("classification"), rows, run)
    with seeded(noise):
        torch.rand(noise)
        second = weights(spec, SoftTargetTask("classification"), rows, run)
    assert same_bits(first, second)


def test_another_seed_gives_other_bits() -> None:
    spec, rows = MlpSpec.model_validate({**SIZES, "output_dim": CLASSES}), example_rows(0)
    one, other = (
        weights(spec, SupervisedTask("classification"), rows, FitSettings(1, 8, 1e-3, seed))
        for seed in (1, 2)
    )
    assert not same_bits(one, other)


@pytest.mark.requirement("EC-KD02", "REQ-KD19")
@few
@given(spec=specs, run=run_settings, seed=st.integers(0, 99))
def test_at_alpha_one_the_teacher_changes_no_bit(
    spec: NetworkSpec, run: FitSettings, seed: int
) -> None:
    task = SoftTargetTask("classification", alpha=1.0)
    one = weights(spec, task, example_rows(0, soft_targets(seed)), run)
    other = weights(spec, task, example_rows(0, soft_targets(seed + 1) * 1e30), run)
    without = weights(spec, task, example_rows(0), run)
    assert same_bits(one, other)
    assert same_bits(one, without)


@pytest.mark.requirement("EC-KD01", "REQ-KD19")
@few
@given(spec=specs, run=run_settings, labels=st.lists(st.integers(0, 2), min_size=17, max_size=17))
def test_at_alpha_zero_the_labels_change_no_bit(
    spec: NetworkSpec, run: FitSettings, labels: list[int]
) -> None:
    task = SoftTargetTask("classification", alpha=0.0)
    rows = example_rows(0, soft_targets(1))
    relabelled = FitRows(rows.inputs, np.array(labels, dtype=np.int64), rows.soft_targets)
    assert same_bits(weights(spec, task, rows, run), weights(spec, task, relabelled, run))


@pytest.mark.requirement("EC-KD02", "REQ-KD19")
@few
@given(spec=specs, run=run_settings)
def test_alpha_one_is_plain_training_to_the_bit(spec: NetworkSpec, run: FitSettings) -> None:
    rows = example_rows(0, soft_targets(1))
    distilled = weights(spec, SoftTargetTask("classification", alpha=1.0), rows, run)
    plain = weights(spec, SupervisedTask("classification"), rows, run)
    assert same_bits(distilled, plain)


@pytest.mark.requirement("EC-KD02", "REQ-KD18")
@few
@given(run=run_settings)
def test_alpha_one_is_plain_training_for_regression_too(run: FitSettings) -> None:
    spec = MlpSpec.model_validate({**SIZES, "output_dim": 1})
    values = soft_targets(3)[:, :1]
    rows = FitRows(example_rows(0).inputs, values, values * 7)
    distilled = weights(spec, SoftTargetTask("regression", alpha=1.0), rows, run)
    assert same_bits(distilled, weights(spec, SupervisedTask("regression"), rows, run))


@few
@given(run=run_settings, shift=st.integers(-8, 8))
def test_a_constant_added_to_the_teachers_logits_barely_changes_the_student(
    run: FitSettings, shift: int
) -> None:
    spec = LinearSpec(input_dim=4, output_dim=CLASSES)
    task = SoftTargetTask("classification", alpha=0.0)
    soft = np.round(soft_targets(1))
    one = weights(spec, task, example_rows(0, soft), run)
    other = weights(spec, task, example_rows(0, soft + np.float32(shift)), run)
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-3, atol=2e-3)


def test_a_student_that_starts_as_its_teacher_has_no_soft_loss_in_its_first_step() -> None:
    spec = LinearSpec(input_dim=4, output_dim=CLASSES)
    rows = example_rows(0)
    with seeded(5):
        spoken = network_outputs(build_model(spec), rows.inputs)
    task = SoftTargetTask("classification", alpha=0.0)
    run = FitSettings(1, 17, 1e-3, random_seed=5, weight_decay=0.0)
    found = fit_network(
        spec, task, FitRows(rows.inputs, rows.targets, spoken), None, run, device=CPU
    ).unwrap()
    assert found.train_loss == pytest.approx(0.0, abs=1e-10)


@given(at=st.integers(1, 16))
def test_two_small_batches_have_the_loss_and_gradient_of_one_large_one(at: int) -> None:
    rows = example_rows(0)
    inputs, labels = torch.from_numpy(rows.inputs), torch.from_numpy(rows.targets)
    network = build_model(LinearSpec(input_dim=4, output_dim=CLASSES)).double()

    def sums(part: slice) -> WeightedSum:
        outputs = network(inputs[part].double())
        return weighted_sum(cross_entropy_from_logits(outputs, labels[part]))

    whole = sums(slice(None)).mean
    parts = sums(slice(0, at)).joined(sums(slice(at, None))).mean
    for one, other in zip(
        torch.autograd.grad(whole, list(network.parameters()), retain_graph=True),
        torch.autograd.grad(parts, list(network.parameters()), retain_graph=True),
        strict=True,
    ):
        torch.testing.assert_close(one, other)
    torch.testing.assert_close(whole, parts)
