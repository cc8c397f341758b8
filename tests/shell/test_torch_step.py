from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from kdtab.config.networks import LinearSpec, MlpSpec
from kdtab.models.build import build_model
from kdtab.shell.flat import FlatAdam
from kdtab.shell.torch_step import (
    StepTerms,
    TorchState,
    join_terms,
    read_terms,
    take_torch_step,
)
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import Batch, SupervisedTask

INPUTS = torch.linspace(-1, 1, 12).reshape(4, 3)
LABELS = torch.tensor([0, 1, 0, 1])


@pytest.mark.requirement("REQ-KD20", "REQ-T10", "AC-T10")
def test_the_optimizer_is_adam_with_its_weight_decay() -> None:
    optimizer = FlatAdam(nn.Linear(2, 1).parameters(), learning_rate=0.02, weight_decay=1e-4)
    assert (optimizer.learning_rate, optimizer.weight_decay) == (0.02, 1e-4)
    assert not optimizer.decoupled


@pytest.mark.requirement("REQ-KD20", "REQ-T10")
def test_steps_are_those_of_plain_adam() -> None:
    ours = build_model(LinearSpec(input_dim=3, output_dim=2))
    plain = copy.deepcopy(ours)
    state = TorchState(ours, FlatAdam(ours.parameters(), learning_rate=0.01, weight_decay=1e-4))
    optimizer = torch.optim.Adam(plain.parameters(), lr=0.01, weight_decay=1e-4, foreach=False)
    for _ in range(5):
        take_torch_step(SupervisedTask("classification"), state, Batch(INPUTS, LABELS, None))
        optimizer.zero_grad()
        nn.functional.cross_entropy(plain(INPUTS), LABELS).backward()
        optimizer.step()
    for one, other in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_terms_of_a_step_carry_no_graph() -> None:
    network = build_model(LinearSpec(input_dim=3, output_dim=2))
    task = SoftTargetTask("classification")
    state = TorchState(
        network, FlatAdam(network.parameters(), learning_rate=0.01, weight_decay=1e-4)
    )
    batch = Batch(INPUTS, LABELS, task.prepare(torch.zeros(4, 2)))
    same, step = take_torch_step(task, state, batch)
    assert same.network is network
    assert same.steps == 1
    assert step.rows == 4
    assert {name: term.requires_grad for name, term in step.terms.items()} == {
        "hard": False,
        "soft": False,
        "loss": False,
    }


def test_the_batch_is_left_as_it_was() -> None:
    network = build_model(
        MlpSpec(input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=1, dropout=0.5)
    )
    state = TorchState(
        network, FlatAdam(network.parameters(), learning_rate=0.01, weight_decay=1e-4)
    )
    inputs, labels = INPUTS.clone(), LABELS.clone()
    take_torch_step(SupervisedTask("classification"), state, Batch(inputs, labels, None))
    assert torch.equal(inputs, INPUTS)
    assert torch.equal(labels, LABELS)


@given(
    steps=st.lists(st.tuples(st.integers(2, 500), st.floats(-1e3, 1e3)), min_size=1, max_size=9),
    at=st.integers(1, 9),
)
def test_joined_terms_are_the_mean_over_rows_however_they_are_joined(
    steps: list[tuple[int, float]], at: int
) -> None:
    terms = [StepTerms(rows, {"loss": torch.tensor(loss)}) for rows, loss in steps]
    whole = join_terms(terms)
    parts = join_terms([join_terms(terms[:at]), *terms[at:]])
    rows = sum(count for count, _ in steps)
    expected = sum(step.rows * float(step.terms["loss"]) for step in terms) / rows
    assert whole.rows == parts.rows == rows
    assert read_terms(whole)["loss"] == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert read_terms(parts)["loss"] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_term_that_a_step_lacks_is_left_out() -> None:
    with_soft = StepTerms(2, {"loss": torch.tensor(1.0), "soft": torch.tensor(5.0)})
    without = StepTerms(2, {"loss": torch.tensor(3.0)})
    assert read_terms(join_terms([with_soft, without])) == {"loss": 2.0}
    assert read_terms(join_terms([without, with_soft])) == {"loss": 2.0}
