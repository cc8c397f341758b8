"""A step that is recorded and replayed, with a twin of the recorder that needs no device."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial

import pytest
import torch

from kdtab.config.networks import MlpSpec
from kdtab.models.build import build_model
from kdtab.shell.course import course_of_run
from kdtab.shell.recorded_step import FIRST_STEPS, RecordedStep, SideStream, Work, cuda_record
from kdtab.shell.seed import seeded
from kdtab.shell.settings import FitSettings
from kdtab.shell.torch_step import StepTerms, TorchState, adam, take_torch_step
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.trainingtask import Batch

SPEC = MlpSpec(input_dim=5, output_dim=3, hidden_dim=8, num_hidden_layers=2, dropout=0.0)
TASK = SoftTargetTask(task="classification", alpha=0.3, temperature=2.0)


class Twin:
    """Does the recorded work again, into the same memory each time, as a graph does."""

    def __init__(self) -> None:
        self.recorded, self.replays = 0, 0

    def __call__(self, work: Work) -> Work:
        self.recorded += 1
        kept: dict[str, torch.Tensor] = {}

        def replay() -> StepTerms:
            self.replays += 1
            found = work()
            for name, term in found.terms.items():
                kept.setdefault(name, torch.empty_like(term)).copy_(term)
            return StepTerms(found.rows, kept)

        return replay


def begun() -> TorchState:
    with seeded(1):
        network = build_model(SPEC).train()
    return TorchState(network, adam(network.parameters(), learning_rate=1e-2, weight_decay=1e-4))


def rows(sizes: list[int]) -> list[Batch]:
    generator = torch.Generator().manual_seed(0)
    soft = [TASK.prepare(torch.randn(size, 3, generator=generator)) for size in sizes]
    return [
        Batch(
            torch.randn(size, 5, generator=generator),
            torch.randint(0, 3, (size,), generator=generator),
            said,
        )
        for size, said in zip(sizes, soft, strict=True)
    ]


def test_replayed_steps_are_the_steps_themselves() -> None:
    batches = rows([8] * 6 + [3] + [8] * 4)
    plain, other = begun(), begun()
    twin = Twin()
    step = partial(take_torch_step, TASK)
    recorded = RecordedStep(step, twin, nullcontext)
    collected = []
    for place, batch in enumerate(batches):
        rate = 1e-2 / (place + 1)
        plain.optimizer.learning_rate = other.optimizer.learning_rate = rate
        plain, expected = step(plain, batch)
        other, found = recorded(other, batch)
        collected.append((expected, found))
    assert twin.recorded == 1
    assert twin.replays == len(batches) - FIRST_STEPS - 1
    assert other.steps == plain.steps == len(batches)
    expected_weights, weights = plain.network.state_dict(), other.network.state_dict()
    assert all(torch.equal(expected_weights[name], weights[name]) for name in expected_weights)
    for expected, found in collected:  # those of early steps have not been written over
        assert expected.rows == found.rows
        assert all(torch.equal(expected.terms[name], found.terms[name]) for name in expected.terms)


def test_rows_are_copied_and_a_batch_may_change_afterwards() -> None:
    batches = rows([8] * 5)
    step = RecordedStep(partial(take_torch_step, TASK), Twin(), nullcontext)
    state, found = begun(), []
    for batch in batches:
        state, terms = step(state, batch)
        batch.inputs.zero_()
        found.append(float(terms.terms["loss"]))
    again, expected = begun(), []
    for batch in rows([8] * 5):
        again, terms = take_torch_step(TASK, again, batch)
        expected.append(float(terms.terms["loss"]))
    assert found == expected


def test_a_run_on_a_device_that_launches_takes_recorded_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = FitSettings(
        epochs=2,
        batch_size=8,
        learning_rate=1e-2,
        random_seed=1,
        learning_rate_schedule="cosine",
        optimizer="adamw",
        ema_decay=0.9,
    )
    batches = rows([8] * 7 + [4])

    def trained() -> list[torch.Tensor]:
        with seeded(1):
            network = build_model(SPEC)
        with course_of_run(TASK, network, run, steps=len(batches)) as course:
            state = course.state
            for batch in batches:
                state, _ = course.step(state, batch)
            assert course.average is not None
            course.average.settle()
        return [weights.clone() for weights in network.state_dict().values()]

    monkeypatch.setattr("kdtab.shell.course.goes_directly", lambda task, network: False)
    plain = trained()
    twin = Twin()
    monkeypatch.setattr("kdtab.shell.course.is_on", lambda network, device: device == "cuda")
    monkeypatch.setattr("kdtab.shell.course.cuda_record", twin)
    monkeypatch.setattr("kdtab.shell.course.SideStream", nullcontext)
    for one, other in zip(plain, trained(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)
    assert (twin.recorded, twin.replays) == (1, 4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_graph_of_cuda_does_what_the_steps_do() -> None:
    device = torch.device("cuda")
    states = [begun(), begun()]
    for state in states:
        state.network.to(device)
    plain, other = (
        TorchState(s.network, adam(s.network.parameters(), learning_rate=1e-2, weight_decay=1e-4))
        for s in states
    )
    recorded = RecordedStep(partial(take_torch_step, TASK), cuda_record, SideStream)
    for place, batch in enumerate(rows([8] * 9 + [3])):
        moved = Batch(*(part.to(device) for part in batch if part is not None))
        plain.optimizer.learning_rate = other.optimizer.learning_rate = 1e-2 / (place + 1)
        plain, _ = take_torch_step(TASK, plain, moved)
        other, _ = recorded(other, moved)
    for one, two in zip(plain.network.parameters(), other.network.parameters(), strict=True):
        torch.testing.assert_close(one, two)
