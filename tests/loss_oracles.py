"""Slow and obvious numpy twins of the losses, one row and one number at a time."""

from __future__ import annotations

import itertools
import math

import numpy as np

from oracles import Codes, Numbers, log_softmax_twin, softmax_twin


def _kl(p: list[float], log_p: list[float], log_q: list[float]) -> float:
    return sum(
        share * (one - other)
        for share, one, other in zip(p, log_p, log_q, strict=True)
        if share > 0
    )


def _rows(student: Numbers, teacher: Numbers, temperature: float) -> list[tuple[list[float], ...]]:
    """For each row: p, log p of the teacher, q, log q of the student."""
    tables = (
        softmax_twin(teacher, temperature),
        log_softmax_twin(teacher, temperature),
        softmax_twin(student, temperature),
        log_softmax_twin(student, temperature),
    )
    return [tuple(row.tolist() for row in rows) for rows in zip(*tables, strict=True)]


def reverse_kl_twin(student: Numbers, teacher: Numbers, temperature: float) -> Numbers:
    """T² Σ_c q_c (log q_c − log p_c)."""
    rows = _rows(student, teacher, temperature)
    return np.array([temperature**2 * _kl(q, log_q, log_p) for _, log_p, q, log_q in rows])


def jensen_shannon_twin(
    student: Numbers, teacher: Numbers, temperature: float, beta: float, *, of_teacher: float
) -> Numbers:
    """T² (w KL(p ‖ m) + (1 − w) KL(q ‖ m)), m = β p + (1 − β) q, w the weight of the teacher."""
    losses = []
    for p, log_p, q, log_q in _rows(student, teacher, temperature):
        log_m = [
            max(one, other)
            + math.log(
                beta * math.exp(one - max(one, other))
                + (1 - beta) * math.exp(other - max(one, other))
            )
            for one, other in zip(log_p, log_q, strict=True)
        ]
        to_p, to_q = _kl(p, log_p, log_m), _kl(q, log_q, log_m)
        losses.append(temperature**2 * (of_teacher * to_p + (1 - of_teacher) * to_q))
    return np.array(losses)


def total_variation_twin(student: Numbers, teacher: Numbers, temperature: float) -> Numbers:
    """T ½ Σ_c |p_c − q_c|."""
    rows = _rows(student, teacher, temperature)
    return np.array(
        [
            temperature * sum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2
            for p, _, q, _ in rows
        ]
    )


def soft_cross_entropy_twin(student: Numbers, teacher: Numbers, temperature: float) -> Numbers:
    """−T² Σ_c p_c log q_c."""
    rows = _rows(student, teacher, temperature)
    return np.array(
        [
            -(temperature**2) * sum(a * b for a, b in zip(p, log_q, strict=True))
            for p, _, _, log_q in rows
        ]
    )


def logit_squared_error_twin(student: Numbers, teacher: Numbers) -> Numbers:
    """The mean over classes of (s − t)²."""
    return np.array([np.mean((s - t) ** 2) for s, t in zip(student, teacher, strict=True)])


def teacher_label_twin(student: Numbers, teacher: Numbers) -> Numbers:
    """−log softmax(s) of the first of the teacher's likeliest classes."""
    chosen = [row.tolist().index(max(row.tolist())) for row in teacher]
    spoken = log_softmax_twin(student)
    return np.array([-row[k] for row, k in zip(spoken, chosen, strict=True)])


def binary_kl_twin(student: Numbers, teacher: Numbers, temperature: float) -> Numbers:
    """The forward KL of the two logits (0, z)."""
    pairs = [np.stack((np.zeros_like(values), values), axis=1) for values in (student, teacher)]
    rows = _rows(pairs[0], pairs[1], temperature)
    return np.array([temperature**2 * _kl(p, log_p, log_q) for p, log_p, _, log_q in rows])


def label_corrected_twin(
    student: Numbers, teacher: Numbers, labels: Codes, temperature: float, threshold: float
) -> Numbers:
    """T² KL(p' ‖ q) with p' = (1 − m) p + m onehot(y)."""
    losses = []
    rows = _rows(student, teacher, temperature)
    for (p, _, _, log_q), label in zip(rows, labels.tolist(), strict=True):
        most, own = max(p), p[label]
        rest = math.fsum(share for code, share in enumerate(p) if code != label)
        if own < most:
            mixed = (most - own + threshold) / (1 + most - own)
        else:
            mixed = min(rest, threshold) / rest if rest > 0 else 0.0
        better = [(1 - mixed) * share + mixed * (code == label) for code, share in enumerate(p)]
        logs = [math.log(share) if share > 0 else 0.0 for share in better]
        losses.append(temperature**2 * _kl(better, logs, log_q))
    return np.array(losses)


def decoupled_twins(
    student: Numbers, teacher: Numbers, labels: Codes, temperature: float
) -> tuple[Numbers, Numbers]:
    """The target part and the non-target part, each times T²."""
    target, rest = [], []
    for s, t, label in zip(student, teacher, labels.tolist(), strict=True):
        two = []
        for z in (s, t):
            spoken = log_softmax_twin(z[None], temperature)[0].tolist()
            others = [value for code, value in enumerate(spoken) if code != label]
            top = max(others)
            two.append([spoken[label], top + math.log(sum(math.exp(v - top) for v in others))])
        target.append(temperature**2 * _kl([math.exp(value) for value in two[1]], two[1], two[0]))
        beside = [np.delete(z, label)[None] for z in (s, t)]
        ((p, log_p, _, log_q),) = _rows(beside[0], beside[1], temperature)
        rest.append(temperature**2 * _kl(p, log_p, log_q))
    return np.array(target), np.array(rest)


def standardized_twin(logits: Numbers) -> Numbers:
    """(z − mean) / (std with n − 1, + 1e-7)."""
    return np.array(
        [(row - np.mean(row)) / (np.std(row, ddof=1) + 1e-7) for row in np.asarray(logits)]
    )


def standardized_kl_twin(student: Numbers, teacher: Numbers, temperature: float) -> Numbers:
    """T² KL of the standardised logits."""
    rows = _rows(standardized_twin(student), standardized_twin(teacher), temperature)
    return np.array([temperature**2 * _kl(p, log_p, log_q) for p, log_p, _, log_q in rows])


def correlation_distance_twin(one: Numbers, other: Numbers) -> float:
    """1 − Pearson's ρ; 1 where either is constant."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 1.0
    first, second = one - np.mean(one), other - np.mean(other)
    lengths = math.sqrt(float(first @ first)) * math.sqrt(float(second @ second))
    return 1.0 - float(first @ second) / lengths


def inter_class_twin(student: Numbers, teacher: Numbers, temperature: float) -> Numbers:
    """T² (1 − ρ) of each row's probabilities."""
    q, p = softmax_twin(student, temperature), softmax_twin(teacher, temperature)
    return np.array(
        [temperature**2 * correlation_distance_twin(a, b) for a, b in zip(q, p, strict=True)]
    )


def intra_class_twin(student: Numbers, teacher: Numbers, temperature: float) -> float:
    """T² times the mean over classes of 1 − ρ of their probabilities."""
    q, p = softmax_twin(student, temperature), softmax_twin(teacher, temperature)
    columns = zip(q.T, p.T, strict=True)
    return temperature**2 * float(np.mean([correlation_distance_twin(a, b) for a, b in columns]))


def huber_twin(values: Numbers, targets: Numbers, delta: float) -> Numbers:
    """½ e² or δ (|e| − ½ δ)."""
    losses = []
    for error in (values - targets)[:, 0].tolist():
        far = abs(error) > delta
        losses.append(delta * (abs(error) - delta / 2) if far else error**2 / 2)
    return np.array(losses)


def pinball_twin(values: Numbers, targets: Numbers, quantiles: tuple[float, ...]) -> Numbers:
    """The mean over quantiles of τ e where the value is below, (1 − τ) |e| where it is above."""
    losses = []
    for row, (target,) in zip(values.tolist(), targets.tolist(), strict=True):
        parts = [
            level * (target - value) if value <= target else (1 - level) * (value - target)
            for value, level in zip(row, quantiles, strict=True)
        ]
        losses.append(sum(parts) / len(parts))
    return np.array(losses)


def teacher_bounded_twin(
    values: Numbers, targets: Numbers, teacher: Numbers, margin: float
) -> Numbers:
    """The squared error where, with the margin, it is above the teacher's."""
    own, bound = (values - targets)[:, 0] ** 2, (teacher - targets)[:, 0] ** 2
    return np.array([a if a + margin > b else 0.0 for a, b in zip(own, bound, strict=True)])


def gaussian_twin(values: Numbers, targets: Numbers, variances: Numbers) -> Numbers:
    """−log of the normal density at the value."""
    losses = []
    for value, mean, spread in np.hstack((values, targets, variances)).tolist():
        density = math.exp(-((value - mean) ** 2) / (2 * spread)) / math.sqrt(2 * math.pi * spread)
        losses.append(-math.log(density))
    return np.array(losses)


def cosine_distance_twin(student: Numbers, teacher: Numbers) -> Numbers:
    """1 − cos; 1 where either is zero."""
    losses = []
    for f, g in zip(student, teacher, strict=True):
        lengths = math.sqrt(float(f @ f)) * math.sqrt(float(g @ g))
        losses.append(1.0 - float(f @ g) / lengths if lengths > 0 else 1.0)
    return np.array(losses)


def _huber(difference: float) -> float:
    return difference**2 / 2 if abs(difference) <= 1 else abs(difference) - 0.5


def relational_distance_twin(student: Numbers, teacher: Numbers) -> float:
    """Over all ordered pairs: Huber of the difference of relative distances."""
    count, tables = len(student), []
    for points in (student, teacher):
        table = {
            (i, j): math.dist(points[i], points[j])
            for i, j in itertools.product(range(count), repeat=2)
        }
        apart = [distance for distance in table.values() if distance > 0]
        mean = sum(apart) / len(apart) if apart else 1.0
        tables.append({pair: distance / mean for pair, distance in table.items()})
    return sum(_huber(tables[0][pair] - tables[1][pair]) for pair in tables[0]) / count**2


def relational_angle_twin(student: Numbers, teacher: Numbers) -> float:
    """Over all ordered triples: Huber of the difference of cosines."""
    count, total = len(student), 0.0
    for corner, one, other in itertools.product(range(count), repeat=3):
        cosines = []
        for points in (student, teacher):
            a, b = points[one] - points[corner], points[other] - points[corner]
            lengths = math.sqrt(float(a @ a)) * math.sqrt(float(b @ b))
            cosines.append(float(a @ b) / lengths if lengths > 0 else 0.0)
        total += _huber(cosines[0] - cosines[1])
    return total / count**3


def similarity_preserving_twin(student: Numbers, teacher: Numbers) -> float:
    """The mean over ordered pairs of the squared difference of normalised inner products."""
    tables = []
    for points in (student, teacher):
        rows = []
        for row in points @ points.T:
            length = math.sqrt(float(row @ row))
            rows.append(row / length if length > 0 else row)
        tables.append(np.array(rows))
    return float(np.mean((tables[0] - tables[1]) ** 2))


def probabilistic_transfer_twin(student: Numbers, teacher: Numbers) -> float:
    """The mean over ordered pairs of p log((p + 1e-7) / (q + 1e-7))."""
    count, tables = len(student), []
    for points in (student, teacher):
        affinity = [
            [(1 + (1 - cosine_distance_twin(a[None], b[None])[0])) / 2 for b in points]
            for a in points
        ]
        tables.append([[value / sum(row) for value in row] for row in affinity])
    pairs = itertools.product(range(count), repeat=2)
    terms = [
        tables[1][i][j] * math.log((tables[1][i][j] + 1e-7) / (tables[0][i][j] + 1e-7))
        for i, j in pairs
    ]
    return float(sum(terms)) / count**2
