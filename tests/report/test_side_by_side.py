"""A report's numbers against scikit-learn and the metrics that they are made of."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, roc_auc_score

from kdtab.data.arrays import FloatArray, IntArray
from kdtab.metrics.logits import log_probabilities
from kdtab.metrics.retention import Retained, TeacherNotBetter, TooFewRows
from kdtab.report.inputs import MeasuredRows, ModelOutputs, Segmentation
from kdtab.report.quality import ClassQuality, ValueQuality
from kdtab.report.side_by_side import summarize
from kdtab.report.summary import Summary
from oracles import kl_divergence_twin, softmax_twin
from report_cases import class_summary, value_summary
from strategies import logits as any_logits

Quality = tuple[FloatArray, IntArray]


def said(values: FloatArray) -> ModelOutputs:
    return ModelOutputs("model", "logits", values)


@settings(max_examples=40)
@given(st.integers(0, 500), st.integers(2, 4))
def test_the_figures_of_a_classification_are_those_of_scikit_learn(seed: int, classes: int) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, 30)
    values = generator.normal(0, 3, (30, classes))
    report = summarize(
        MeasuredRows("y", truth, tuple("abcd"[:classes])), said(values), said(values)
    )
    found, shares = report.models[1].quality, softmax_twin(values)
    assert isinstance(found, ClassQuality)
    assert found.accuracy.value == pytest.approx(np.mean(values.argmax(axis=1) == truth))
    assert found.log_loss.value == pytest.approx(-np.log(shares[np.arange(30), truth]).mean())
    two = classes == 2
    expected = brier_score_loss(truth, shares[:, 1] if two else shares, labels=range(classes))
    assert found.brier.value == pytest.approx(expected)
    chosen = values.argmax(axis=1)
    averaged = f1_score(truth, chosen, average="binary" if two else "macro", zero_division=0)
    assert found.f1.value == pytest.approx(averaged)
    if two and len(set(truth.tolist())) == 2:
        assert found.auc.value == pytest.approx(roc_auc_score(truth, shares[:, 1]))
        area = average_precision_score(truth, values[:, 1] - values[:, 0])
        assert found.average_precision.value == pytest.approx(area)


@settings(max_examples=40)
@given(st.data())
def test_agreement_and_divergence_are_those_of_the_twins(data: st.DataObject) -> None:
    teacher = data.draw(any_logits())
    student = data.draw(any_logits(*teacher.shape))
    truth = np.zeros(len(teacher), dtype=np.int64)
    names = tuple(map(str, range(teacher.shape[1])))
    report = summarize(MeasuredRows("y", truth, names), said(teacher), said(student))
    (found,) = report.fidelity
    said_by = (log_probabilities(logits).argmax(axis=1) for logits in (teacher, student))
    same = np.mean(next(said_by) == next(said_by))
    assert found.agreement.value == pytest.approx(same)
    assert found.divergence is not None
    expected = kl_divergence_twin(student, teacher, 1.0).mean()
    assert found.divergence.value == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert sum(map(sum, found.grid.counts)) == len(teacher)


@settings(max_examples=30)
@given(st.integers(0, 500), st.sampled_from([1e-6, 1.0, 1e9]))
def test_the_figures_of_a_regression_are_their_definitions(seed: int, unit: float) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.normal(3, 1, 40) * unit
    values = truth + generator.normal(0, 0.5, 40) * unit
    model = ModelOutputs("model", "values", values[:, None])
    found = summarize(MeasuredRows("y", truth), model, model).models[0].quality
    assert isinstance(found, ValueQuality)
    assert found.mse.value == pytest.approx(np.mean((values - truth) ** 2))
    assert found.rmse.value == pytest.approx(np.sqrt(np.mean((values - truth) ** 2)))
    assert found.mae.value == pytest.approx(np.mean(np.abs(values - truth)))
    explained = 1 - np.sum((values - truth) ** 2) / np.sum((truth - truth.mean()) ** 2)
    assert found.r_squared.value == pytest.approx(explained)
    assert found.rmse.interval is not None
    assert found.rmse.interval.covers(found.rmse.value or 0.0)


@settings(max_examples=15)
@given(st.integers(0, 50), st.sampled_from([2, 3]))
def test_the_order_of_the_rows_changes_no_figure(seed: int, classes: int) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, 15)
    values = generator.normal(size=(15, classes)).round(1)
    order = generator.permutation(15)
    names = tuple("abc"[:classes])
    first, second = (
        summarize(MeasuredRows("y", truth[rows], names), said(values[rows]), said(values[rows]))
        for rows in (np.arange(15), order)
    )
    assert_same(first.to_plain(), second.to_plain())


def assert_same(first: object, second: object) -> None:
    """Equal but for the last bits of a sum."""
    if isinstance(first, dict) and isinstance(second, dict):
        assert first.keys() == second.keys()
        for name in first:
            assert_same(first[name], second[name])
    elif isinstance(first, list) and isinstance(second, list):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            assert_same(one, other)
    else:
        assert first == (pytest.approx(second) if isinstance(second, float) else second)


@pytest.mark.parametrize(
    "summary",
    [
        class_summary(),
        class_summary(classes=4, scratch=False),
        class_summary(rows=3),
        class_summary(noise=(2.0, 0.4, 0.2)),
        value_summary(),
        value_summary(unit=1e200),
    ],
)
def test_a_report_goes_through_json_and_comes_back_the_same(summary: Summary) -> None:
    written = json.dumps(summary.to_plain(), allow_nan=False)
    assert json.loads(written) == summary.to_plain()
    if all(math.isfinite(number) for number in (summary.constant_loss, summary.constant_metric)):
        again = TypeAdapter(Summary).validate_python(json.loads(written))
        assert again.to_plain() == summary.to_plain()
        assert type(again.gain) is type(summary.gain)


def test_the_same_arguments_give_the_same_report_and_another_seed_other_intervals() -> None:
    assert class_summary() == class_summary()
    rows = MeasuredRows("y", np.arange(50.0))
    model = ModelOutputs("m", "values", np.arange(50.0)[:, None] ** 1.1)
    first, second = (summarize(rows, model, model, random_seed=seed) for seed in (0, 1))
    assert first.models[0].quality.loss.value == second.models[0].quality.loss.value
    assert first.models[0].quality.loss.interval != second.models[0].quality.loss.interval


def test_a_good_student_of_a_good_teacher_keeps_most_of_the_gain() -> None:
    kept = class_summary(rows=1_000).gain
    assert isinstance(kept, Retained)
    assert 0.7 < kept.value < 1.1
    assert kept.interval.covers(kept.value)


def test_the_lead_is_the_gap_of_scratch_and_teacher_with_the_same_interval() -> None:
    report = class_summary()
    assert isinstance(report.gain, Retained)
    (gap,) = [item.gap for item in report.gaps if (item.of, item.less) == ("scratch", "teacher")]
    assert gap.value == pytest.approx(report.gain.lead)
    assert gap.interval is not None
    ends = (report.gain.lead_interval.low, report.gain.lead_interval.high)
    assert (gap.interval.low, gap.interval.high) == pytest.approx(ends)


def test_without_a_scratch_student_there_is_no_gain() -> None:
    report = class_summary(scratch=False)
    assert report.gain is None
    assert [model.role for model in report.models] == ["teacher", "student"]


def test_a_teacher_that_is_worse_than_scratch_gets_a_verdict_and_no_number() -> None:
    assert isinstance(class_summary(noise=(2.0, 0.4, 0.2)).gain, TeacherNotBetter)


def test_copies_of_ten_rows_have_neither_intervals_nor_a_gain() -> None:
    report = class_summary(rows=200, groups=np.arange(200) % 10)
    assert report.gain == TooFewRows(rows=10, least=20)
    assert report.different_rows == 10
    assert report.models[0].quality.loss.interval is None


def test_a_forest_that_is_surely_wrong_has_a_finite_log_loss() -> None:
    rows = MeasuredRows("y", np.array([0, 1]), ("a", "b"))
    sure = np.array([[0.0, 1.0], [0.0, 1.0]])
    plain_votes = ModelOutputs("sure", "probabilities", sure)
    forest = ModelOutputs("forest", "probabilities", sure, trees=100)
    logarithms = ModelOutputs("sure", "log_probabilities", np.array([[-np.inf, 0.0]] * 2))
    report = summarize(rows, forest, plain_votes, logarithms)
    losses = [model.quality.loss.value for model in report.models]
    assert losses == pytest.approx([-math.log(0.5 / 101) / 2, *[-math.log(1e-7) / 2] * 2], rel=1e-2)


def test_logits_log_probabilities_and_probabilities_are_measured_alike() -> None:
    values = np.random.default_rng(0).normal(size=(30, 3))
    shares = softmax_twin(values)
    rows = MeasuredRows("y", shares.argmax(axis=1), ("a", "b", "c"))
    report = summarize(
        rows,
        said(values),
        ModelOutputs("model", "probabilities", shares),
        ModelOutputs("model", "log_probabilities", np.log(shares)),
    )
    first, *others = [model.quality for model in report.models]
    for other in others:
        assert other.loss.value == pytest.approx(first.loss.value)
    assert [item.agreement.value for item in report.fidelity] == [1.0, 1.0]


def test_segments_have_the_figures_of_their_rows_alone() -> None:
    generator = np.random.default_rng(0)
    truth, values = generator.integers(0, 2, 80), generator.normal(size=(80, 2))
    codes = generator.integers(0, 3, 80)
    by = Segmentation("column", ("a", "b", "c", "nobody"), codes)
    report = summarize(
        MeasuredRows("y", truth, ("no", "yes"), segments=(by,)), said(values), said(values[::-1])
    )
    assert [line.value for line in report.segments] == ["a", "b", "c"]
    for code, line in enumerate(report.segments):
        chosen = codes == code
        assert line.rows == chosen.sum()
        right = values[chosen].argmax(axis=1) == truth[chosen]
        assert line.metrics[0] == pytest.approx(right.mean())
        alone = summarize(
            MeasuredRows("y", truth[chosen], ("no", "yes")),
            said(values[chosen]),
            said(values[::-1][chosen]),
        )
        assert line.behind.value == pytest.approx(alone.gaps[0].gap.value)
        assert line.agreement == pytest.approx(alone.fidelity[0].agreement.value)


def test_the_constant_answer_is_the_entropy_or_the_variance() -> None:
    rows = MeasuredRows("y", np.array([0, 0, 0, 1]), ("a", "b"))
    values = said(np.zeros((4, 2)))
    report = summarize(rows, values, values)
    assert report.constant_metric == 0.75
    entropy = -0.75 * math.log(0.75) - 0.25 * math.log(0.25)
    assert report.constant_loss == pytest.approx(entropy)
    numbers = MeasuredRows("y", np.array([1.0, 3.0]))
    constant = ModelOutputs("m", "values", np.zeros((2, 1)))
    assert summarize(numbers, constant, constant).constant_metric == 1.0


def test_a_constant_truth_has_no_r_squared() -> None:
    constant = ModelOutputs("m", "values", np.ones((30, 1)))
    report = summarize(MeasuredRows("y", np.ones(30)), constant, constant)
    quality = report.models[0].quality
    assert isinstance(quality, ValueQuality)
    assert quality.r_squared.value is None
    assert report.fidelity[0].agreement.value is None
