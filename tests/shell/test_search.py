"""Students that are fitted together against the same students, each fitted alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kdtab.config.networks import LinearSpec, MlpSpec, NetworkSpec, TabResNetSpec
from kdtab.config.training import Optimizer, Task
from kdtab.errors.training import LossNotFinite, NoValidBatch
from kdtab.models.tabresnet import TabResNetNetwork
from kdtab.shell import search
from kdtab.shell.fit import FitRows, FitSettings, FittedNetwork, fit_network
from kdtab.shell.progress import EpochRecord
from kdtab.shell.search import Candidate, fit_many
from kdtab.tasks.partial_targets import PartialTargetTask
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import SupervisedTask

CPU = torch.device("cpu")
CLASSES, ROWS = 3, 45
RUN = FitSettings(epochs=1, batch_size=8, learning_rate=1e-3, random_seed=3)
# Every row has the same of these, and the next norm takes it away: their gradient is nothing but
# the noise of rounding, which Adam makes as large as any.
FREE = ("stem.bias", "outer.bias", "running_mean")
kinds = st.sampled_from(["mlp", "tabresnet", "linear"])


class Heard:
    """Writes down what a run says."""

    def __init__(self) -> None:
        self.records: list[EpochRecord] = []
        self.steps = 0
        self.finished = False

    def start(self, epochs: int, steps_per_epoch: int) -> None: ...

    def step(self) -> None:
        self.steps += 1

    def finish(self) -> None:
        self.finished = True

    def epoch(self, record: EpochRecord) -> None:
        self.records.append(record)


def spec_for(kind: str, task: Task, dropout: float = 0.3) -> NetworkSpec:
    outputs = 1 if task == "regression" else CLASSES
    if kind == "linear":
        return LinearSpec(input_dim=5, output_dim=outputs)
    make = MlpSpec if kind == "mlp" else TabResNetSpec
    return make(input_dim=5, output_dim=outputs, hidden_dim=7, num_hidden_layers=2, dropout=dropout)


def rows_for(task: Task, rows: int = ROWS, seed: int = 0) -> FitRows:
    drawn = np.random.default_rng(seed)
    inputs = drawn.standard_normal((rows, 5)).astype(np.float32)
    if task == "regression":
        values = drawn.standard_normal((rows, 2)).astype(np.float32)
        return FitRows(inputs, values[:, :1], values[:, 1:])
    soft = drawn.normal(0, 3, (rows, CLASSES)).astype(np.float32)
    return FitRows(inputs, drawn.integers(0, CLASSES, rows), soft)


def alone(
    spec: NetworkSpec, one: Candidate, training: FitRows, validation: FitRows | None = None
) -> FittedNetwork:
    return fit_network(spec, one.task, training, validation, one.settings, device=CPU).unwrap()


def together(
    spec: NetworkSpec,
    candidates: list[Candidate],
    training: FitRows,
    validation: FitRows | None = None,
) -> list[FittedNetwork]:
    found = fit_many(spec, candidates, training, validation, device=CPU)
    return [each.unwrap() for each in found]


def assert_same(one: FittedNetwork, other: FittedNetwork, tolerance: float = 1e-5) -> None:
    assert len(one.history) == len(other.history)
    for mine, theirs in zip(one.history, other.history, strict=True):
        assert mine.terms == pytest.approx(theirs.terms, rel=tolerance, abs=tolerance)
        assert (mine.validation_loss is None) == (theirs.validation_loss is None)
        if mine.validation_loss is not None:
            assert mine.validation_loss == pytest.approx(theirs.validation_loss, rel=tolerance)
    assert one.best_epoch == other.best_epoch
    assert one.update_steps == other.update_steps
    expected = other.network.state_dict()
    for name, tensor in one.network.state_dict().items():
        is_free = isinstance(one.network, TabResNetNetwork) and name.endswith(FREE)
        bound = 10 * RUN.learning_rate if is_free else tolerance
        torch.testing.assert_close(tensor, expected[name], rtol=tolerance, atol=bound, msg=name)


@st.composite
def candidates(draw: st.DrawFn, task: Task) -> list[Candidate]:
    def one() -> Candidate:
        alpha = draw(st.sampled_from([0.0, 0.3, 0.7, 1.0]))
        run = replace(
            RUN,
            learning_rate=draw(st.sampled_from([1e-3, 3e-3])),
            random_seed=draw(st.integers(0, 2)),
        )
        if alpha == 1.0 and draw(st.booleans()):
            return Candidate(SupervisedTask(task), run)
        hot = draw(st.sampled_from([1.0, 2.5]))
        return Candidate(SoftTargetTask(task, alpha=alpha, temperature=hot), run)

    return [one() for _ in range(draw(st.integers(2, 4)))]


@settings(max_examples=25)
@given(
    data=st.data(),
    kind=kinds,
    task=st.sampled_from(["classification", "regression"]),
    dropout=st.sampled_from([0.0, 0.3]),
)
def test_each_student_is_the_one_fitted_alone(
    data: st.DataObject, kind: str, task: Task, dropout: float
) -> None:
    spec, rows = spec_for(kind, task, dropout), rows_for(task)
    wanted = data.draw(candidates(task))
    for student, one in zip(together(spec, wanted, rows), wanted, strict=True):
        assert_same(student, alone(spec, one, rows))


options = st.fixed_dictionaries(
    {
        "optimizer": st.sampled_from(["adam", "adamw"]),
        "weight_decay": st.sampled_from([0.0, 0.05]),
        "learning_rate_schedule": st.sampled_from(["constant", "cosine"]),
        "warmup_steps": st.sampled_from([0, 3]),
        "ema_decay": st.sampled_from([None, 0.8]),
    }
)


@settings(max_examples=15)
@given(
    data=st.data(),
    kind=st.sampled_from(["mlp", "linear"]),
    chosen=options,
    validated=st.booleans(),
)
def test_each_student_takes_the_course_that_it_takes_alone(
    data: st.DataObject, kind: str, chosen: dict[str, object], validated: bool
) -> None:
    spec, rows = spec_for(kind, "classification"), rows_for("classification")
    validation = rows_for("classification", rows=30, seed=1) if validated else None
    wanted = [
        replace(one, settings=replace(one.settings, **chosen))  # type: ignore[arg-type]  # a field each
        for one in data.draw(candidates("classification"))
    ]
    for student, one in zip(together(spec, wanted, rows, validation), wanted, strict=True):
        assert_same(student, alone(spec, one, rows, validation))


@pytest.mark.parametrize(
    ("kind", "optimizer"),
    # Without a decay in their gradient the free numbers of a residual network go where they like.
    [("mlp", "adamw"), ("linear", "adamw"), ("tabresnet", "adam")],
)
def test_every_option_at_once_goes_together(
    kind: str, optimizer: Optimizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, rows = spec_for(kind, "classification"), rows_for("classification")
    run = replace(
        RUN,
        optimizer=optimizer,
        weight_decay=0.05,
        learning_rate_schedule="cosine",
        warmup_steps=2,
        ema_decay=0.8,
    )
    wanted = [
        Candidate(SoftTargetTask("classification", alpha=0.3), replace(run, learning_rate=rate))
        for rate in (1e-3, 4e-3)
    ]
    expected = [alone(spec, one, rows) for one in wanted]
    monkeypatch.setattr(search, "fit_network", None)
    for student, lonely in zip(together(spec, wanted, rows), expected, strict=True):
        assert_same(student, lonely)


SAME = [
    Candidate(SoftTargetTask("classification", alpha=alpha), replace(RUN, epochs=4))
    for alpha in (0.2, 0.8)
]


@pytest.mark.parametrize("kind", ["mlp", "tabresnet", "linear"])
def test_each_student_gets_its_own_best_epoch_back(kind: str) -> None:
    spec, rows = spec_for(kind, "classification"), rows_for("classification", rows=40)
    validation = rows_for("classification", rows=30, seed=1)
    wanted = [
        Candidate(
            SoftTargetTask("classification", alpha=alpha),
            replace(RUN, epochs=12, learning_rate=rate, patience=patience, random_seed=seed),
        )
        for alpha, rate, patience, seed in (
            (0.3, 3e-2, 1, 3),
            (1.0, 1e-3, None, 3),
            (0.0, 5e-2, 3, 4),
        )
    ]
    students = together(spec, wanted, rows, validation)
    expected = [alone(spec, one, rows, validation) for one in wanted]
    assert [len(each.history) for each in students] == [len(each.history) for each in expected]
    assert len({len(each.history) for each in expected}) > 1
    for student, lonely in zip(students, expected, strict=True):
        losses = [record.validation_loss or 0.0 for record in student.history]
        assert student.best_epoch == lonely.best_epoch == 1 + losses.index(min(losses))
        assert losses == pytest.approx(
            [record.validation_loss for record in lonely.history], rel=0.02
        )
        assert student.train_loss == student.history[student.best_epoch - 1].loss


def test_the_loop_ends_when_the_last_student_stops() -> None:
    heard = Heard()
    rows, validation = rows_for("classification"), rows_for("classification", rows=30, seed=1)
    wanted = [
        replace(one, settings=replace(one.settings, epochs=500, learning_rate=0.05, patience=1))
        for one in SAME
    ]
    found = fit_many(
        spec_for("mlp", "classification"), wanted, rows, validation, device=CPU, progress=heard
    )
    longest = max(len(each.unwrap().history) for each in found)
    assert len(heard.records) == longest < 500
    assert heard.finished


def test_a_student_that_diverges_stops_alone() -> None:
    spec, rows = spec_for("mlp", "regression"), rows_for("regression")
    wild = Candidate(SupervisedTask("regression"), replace(RUN, epochs=3, learning_rate=1e38))
    calm = [
        Candidate(SoftTargetTask("regression", alpha=alpha), replace(RUN, epochs=3))
        for alpha in (0.4, 0.6)
    ]
    first, lost, last = fit_many(spec, [calm[0], wild, calm[1]], rows, None, device=CPU)
    (issue,) = lost.failure().every
    assert isinstance(issue, LossNotFinite)
    for student, one in ((first, calm[0]), (last, calm[1])):
        assert_same(student.unwrap(), alone(spec, one, rows), 2e-5)


def test_where_all_diverge_each_says_so() -> None:
    wild = Candidate(SupervisedTask("regression"), replace(RUN, epochs=3, learning_rate=1e38))
    found = fit_many(
        spec_for("mlp", "regression"), [wild, wild], rows_for("regression"), None, device=CPU
    )
    lonely = fit_network(
        spec_for("mlp", "regression"),
        wild.task,
        rows_for("regression"),
        None,
        wild.settings,
        device=CPU,
    )
    assert [each.failure() for each in found] == [lonely.failure()] * 2


def test_without_a_batch_of_two_rows_each_student_is_refused() -> None:
    single = [replace(one, settings=replace(one.settings, batch_size=1)) for one in SAME]
    for outcome in fit_many(
        spec_for("mlp", "classification"), single, rows_for("classification"), None, device=CPU
    ):
        assert outcome.failure().every == (NoValidBatch(rows=ROWS, batch_size=1),)


def test_other_tasks_and_other_paces_are_fitted_too() -> None:
    spec, rows = spec_for("mlp", "classification"), rows_for("classification")
    wanted = [
        *SAME,
        Candidate(PartialTargetTask(SoftTargetTask("classification")), RUN),
        Candidate(SupervisedTask("classification", label_smoothing=0.1), RUN),
        replace(SAME[0], settings=replace(RUN, epochs=2)),
    ]
    for student, one in zip(together(spec, wanted, rows), wanted, strict=True):
        assert_same(student, alone(spec, one, rows), 1e-4)


def test_students_of_one_pace_share_their_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    monkeypatch.setattr(search, "fit_network", None)
    fit_many(
        spec_for("mlp", "classification"),
        SAME * 4,
        rows_for("classification"),
        None,
        device=CPU,
        progress=heard,
    )
    assert heard.steps == 4 * len(range(0, ROWS - 1, RUN.batch_size))
    assert [record.epoch for record in heard.records] == [1, 2, 3, 4]


def test_alpha_one_is_the_student_without_a_teacher_to_the_bit() -> None:
    run = replace(RUN, epochs=3)
    wanted = [
        Candidate(SupervisedTask("classification"), run),
        Candidate(SoftTargetTask("classification", alpha=1.0, temperature=7.0), run),
        Candidate(SoftTargetTask("classification", alpha=0.5), run),
    ]
    scratch, one, other = together(
        spec_for("mlp", "classification"), wanted, rows_for("classification")
    )
    assert scratch.history == one.history
    for name, tensor in scratch.network.state_dict().items():
        assert torch.equal(tensor, one.network.state_dict()[name])
    assert scratch.history != other.history


def test_students_leave_each_other_and_the_process_alone() -> None:
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    first, second = together(
        spec_for("tabresnet", "classification"), SAME, rows_for("classification")
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads
    for tensor in first.network.state_dict().values():
        assert tensor.untyped_storage().nbytes() == tensor.nbytes
    kept = {name: each.clone() for name, each in second.network.state_dict().items()}
    for parameter in first.network.parameters():
        parameter.data.fill_(0.0)
    assert all(torch.equal(each, kept[name]) for name, each in second.network.state_dict().items())
    assert not first.network.training


def test_the_same_arguments_give_the_same_bits() -> None:
    spec, rows = spec_for("mlp", "classification"), rows_for("classification")
    one, other = (together(spec, SAME, rows)[1].network.state_dict() for _ in range(2))
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())
