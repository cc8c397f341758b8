"""A step that is recorded and replayed, with a twin of the recorder that needs no device."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial

import numpy as np
import pytest
import torch
from torch.utils._pytree import tree_leaves

from kdtab.config.networks import BatchEnsembleSpec, MlpSpec, NetworkSpec
from kdtab.config.training import MatmulPrecision
from kdtab.models.build import build_model
from kdtab.shell.course import course_of_run
from kdtab.shell.fit import FitRows, FittedNetwork, fit_network
from kdtab.shell.flat import FlatAdam
from kdtab.shell.recorded_step import FIRST_STEPS, RecordedStep, SideStream, Work, cuda_record
from kdtab.shell.seed import seeded
from kdtab.shell.settings import FitSettings
from kdtab.shell.torch_step import StepTerms, TorchState, take_torch_step
from kdtab.tasks.members import task_for
from kdtab.tasks.partial_targets import PartialTargetTask
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import SupervisedTask
from kdtab.tasks.trainingtask import Batch, TrainingTask
from spies import Operations

SPEC = MlpSpec(input_dim=5, output_dim=3, hidden_dim=8, num_hidden_layers=2, dropout=0.0)
TASK = SoftTargetTask(task="classification", alpha=0.3, temperature=2.0)
PRECISIONS: tuple[MatmulPrecision, ...] = ("float32", "bfloat16")


class Twin:
    """Does the recorded work again, into the same memory each time, as a graph does."""

    def __init__(self) -> None:
        self.recorded, self.replays = 0, 0
        self.device: torch.device | None = None

    def __call__(self, work: Work, device: torch.device | None = None) -> Work:
        self.recorded += 1
        self.device = device
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
    return TorchState(
        network, FlatAdam(network.parameters(), learning_rate=1e-2, weight_decay=1e-4)
    )


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


@pytest.mark.parametrize("full", [1, 2, 3, 4])
def test_what_is_recorded_is_a_step_of_full_size(full: int) -> None:
    """After three full batches the tail is the first step that could be recorded."""
    sizes = ([8] * full + [5]) * 4
    plain, other, twin = begun(), begun(), Twin()
    step = RecordedStep(partial(take_torch_step, TASK), twin, nullcontext)
    for batch in rows(sizes):
        plain, _ = take_torch_step(TASK, plain, batch)
        other, _ = step(other, batch)
    assert (twin.recorded, twin.replays) == (1, sizes[FIRST_STEPS:].count(8))
    expected, found = plain.network.state_dict(), other.network.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


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
    monkeypatch.setattr("kdtab.shell.course.SideStream", lambda device: nullcontext())
    for one, other in zip(plain, trained(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)
    assert (twin.recorded, twin.replays) == (1, 4)
    assert twin.device == torch.device("cpu")


class Launched:
    """What of torch.cuda records, and on which device it was when it did."""

    def __init__(self) -> None:
        self.current, self.said = "cuda:0", list[str]()

    @contextmanager
    def device(self, device: torch.device) -> Iterator[None]:
        before, self.current = self.current, str(device)
        yield
        self.current = before

    @contextmanager
    def graph(self, graph: CudaGraph, stream: str) -> Iterator[None]:
        self.said.append(f"recorded on {self.current}, {stream}")
        yield


class CudaGraph:
    replays = 0

    def replay(self) -> None:
        self.replays += 1


def test_work_of_the_second_device_is_recorded_on_the_second_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Recorded on the first one the graph would be empty, and nothing would be learnt."""
    launched, made = Launched(), CudaGraph()
    monkeypatch.setattr("torch.cuda.CUDAGraph", lambda: made)
    monkeypatch.setattr("torch.cuda.device", launched.device)
    monkeypatch.setattr("torch.cuda.graph", launched.graph)
    monkeypatch.setattr("torch.cuda.Stream", lambda device: f"a stream of {device}")

    def work() -> StepTerms:
        launched.said.append(f"worked on {launched.current}")
        return StepTerms(1, {})

    replay = cuda_record(work, torch.device("cuda:1"))
    assert launched.said == ["recorded on cuda:1, a stream of cuda:1", "worked on cuda:1"]
    assert (launched.current, made.replays) == ("cuda:0", 0)
    assert replay() is replay()
    assert made.replays == 2
    assert len(launched.said) == 2


class NothingFromTheHost(Operations):
    """Refuses what a graph of CUDA cannot record: a tensor that comes from another device.

    What asks a device for a number (`item`, a mask as an index) torch itself refuses on "meta".
    """

    def hear(
        self,
        called: Callable[..., object],
        given: Sequence[object],
        named: Mapping[str, object],
        result: object,
    ) -> None:
        found = [each for each in tree_leaves((given, result)) if isinstance(each, torch.Tensor)]
        assert {each.device.type for each in found} == {"meta"}, called


ENSEMBLE = BatchEnsembleSpec(
    input_dim=5, output_dim=3, hidden_dim=8, num_hidden_layers=2, dropout=0.1, members=2
)
SOFT = SoftTargetTask(task="classification", alpha=0.3)


@pytest.mark.parametrize("spec", [SPEC, ENSEMBLE])
@pytest.mark.parametrize(
    "task",
    [
        SOFT,
        PartialTargetTask(SOFT),
        SupervisedTask("classification", class_weights=(1.0, 2.0, 3.0), label_smoothing=0.1),
    ],
)
def test_a_step_that_is_recorded_takes_nothing_from_the_host(
    spec: NetworkSpec, task: TrainingTask
) -> None:
    network = build_model(spec).train().to("meta")
    soft = torch.empty(8, 3, device="meta")
    labels = torch.empty(8, dtype=torch.int64, device="meta")
    batch = Batch(torch.empty(8, 5, device="meta"), labels, soft)
    own = task_for(network, task)
    own.terms(network, batch)  # the first steps are taken as they are
    with NothingFromTheHost():
        torch.autograd.backward(own.terms(network, batch)["loss"])
    assert all(weights.grad is not None for weights in network.parameters())


def test_the_refusal_hears_of_a_number_from_the_host() -> None:
    """Else the test above would show nothing."""
    values = torch.empty(2, device="meta")
    with NothingFromTheHost(), pytest.raises(AssertionError):
        torch.zeros(()).to(values)


class Products(Operations):
    """In which number types matrix products are computed, and everything else."""

    def __init__(self) -> None:
        super().__init__()
        self.types: dict[bool, set[torch.dtype]] = {True: set(), False: set()}

    def hear(
        self,
        called: Callable[..., object],
        given: Sequence[object],
        named: Mapping[str, object],
        result: object,
    ) -> None:
        is_product = str(called) in {"aten.addmm.default", "aten.mm.default", "aten.bmm.default"}
        found = [each.dtype for each in tree_leaves(given) if isinstance(each, torch.Tensor)]
        self.types[is_product] |= {dtype for dtype in found if dtype.is_floating_point}


@pytest.fixture
def on_a_twin_of_cuda(monkeypatch: pytest.MonkeyPatch) -> Twin:
    """Runs take recorded steps, as on a device that launches."""
    twin = Twin()
    monkeypatch.setattr("kdtab.shell.course.goes_directly", lambda task, network: False)
    monkeypatch.setattr("kdtab.shell.course.is_on", lambda network, device: device == "cuda")
    monkeypatch.setattr("kdtab.shell.course.cuda_record", twin)
    monkeypatch.setattr("kdtab.shell.course.SideStream", lambda device: nullcontext())
    # Layers written by hand are for processors.
    monkeypatch.setattr("kdtab.shell.course.in_one_node", lambda network: nullcontext())
    return twin


def fitted(
    precision: MatmulPrecision, spec: NetworkSpec = SPEC, *, epochs: int, validated: bool = False
) -> FittedNetwork:
    drawn = np.random.default_rng(0)
    inputs = drawn.standard_normal((400, 5)).astype(np.float32)
    logits = (inputs[:, :3] * 2).astype(np.float32)
    rows_of = FitRows(inputs[:300], logits[:300].argmax(1), logits[:300])
    held_out = FitRows(inputs[300:], logits[300:].argmax(1), None)
    run = FitSettings(epochs, 64, learning_rate=1e-2, random_seed=3, matmul_precision=precision)
    validation, device = held_out if validated else None, torch.device("cpu")
    return fit_network(spec, TASK, rows_of, validation, run, device=device).unwrap()


@pytest.mark.parametrize("spec", [SPEC, ENSEMBLE])
@pytest.mark.usefixtures("on_a_twin_of_cuda")
def test_products_in_bfloat16_and_nothing_else(spec: NetworkSpec) -> None:
    with Products() as seen:
        narrow = fitted("bfloat16", spec, epochs=1).network
    assert seen.types[True] == {torch.bfloat16}
    assert {weights.dtype for weights in narrow.parameters()} == {torch.float32}
    with Products() as seen:
        fitted("float32", spec, epochs=1)
    assert seen.types == {True: {torch.float32}, False: {torch.float32, torch.float64}}


@pytest.mark.usefixtures("on_a_twin_of_cuda")
def test_what_is_learnt_with_narrow_products_is_as_good() -> None:
    wide, narrow = (fitted(kind, epochs=30, validated=True) for kind in PRECISIONS)
    best = [min(each.validation_loss or 9.0 for each in one.history) for one in (wide, narrow)]
    assert best[0] != best[1]
    assert best[1] == pytest.approx(best[0], rel=0.05)
    assert best[0] < 0.3  # log(3) is what nobody has to learn


def test_on_a_processor_the_precision_changes_no_bit() -> None:
    wide, narrow = (fitted(kind, epochs=2).network for kind in PRECISIONS)
    for one, other in zip(wide.parameters(), narrow.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_graph_of_cuda_does_what_the_steps_do() -> None:
    device = torch.device("cuda")
    states = [begun(), begun()]
    for state in states:
        state.network.to(device)
    plain, other = (
        TorchState(
            s.network, FlatAdam(s.network.parameters(), learning_rate=1e-2, weight_decay=1e-4)
        )
        for s in states
    )
    recorded = RecordedStep(
        partial(take_torch_step, TASK),
        partial(cuda_record, device=device),
        partial(SideStream, device),
    )
    for place, batch in enumerate(rows([8] * 9 + [3])):
        moved = Batch(*(part.to(device) for part in batch if part is not None))
        plain.optimizer.learning_rate = other.optimizer.learning_rate = 1e-2 / (place + 1)
        plain, _ = take_torch_step(TASK, plain, moved)
        other, _ = recorded(other, moved)
    for one, two in zip(plain.network.parameters(), other.network.parameters(), strict=True):
        torch.testing.assert_close(one, two)
