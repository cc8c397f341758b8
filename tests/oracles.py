"""Slow and obvious numpy twins of what kdtab computes, one number at a time where that is clearer."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def softmax_twin(logits: Numbers, temperature: float = 1.0) -> Numbers:
    """softmax(z / T), row by row."""
    rows = []
    for row in np.asarray(logits, dtype=np.float64):
        shifted = [(value - max(row)) / temperature for value in row]
        powers = [math.exp(value) for value in shifted]
        rows.append([power / sum(powers) for power in powers])
    return np.array(rows).reshape(np.shape(logits))


def log_softmax_twin(logits: Numbers, temperature: float = 1.0) -> Numbers:
    """log softmax(z / T), row by row, without taking the logarithm of a rounded zero."""
    rows = []
    for row in np.asarray(logits, dtype=np.float64):
        shifted = [(value - max(row)) / temperature for value in row]
        total = math.log(sum(math.exp(value) for value in shifted))
        rows.append([value - total for value in shifted])
    return np.array(rows).reshape(np.shape(logits))


def cross_entropy_twin(logits: Numbers, labels: Codes, smoothing: float = 0.0) -> Numbers:
    """−Σ_c r_c log softmax(z)_c with r = (1 − ε) onehot(y) + ε / C."""
    classes = logits.shape[1]
    losses = []
    for row, label in zip(log_softmax_twin(logits), labels, strict=True):
        wanted = [smoothing / classes] * classes
        wanted[label] += 1 - smoothing
        losses.append(-sum(share * value for share, value in zip(wanted, row, strict=True)))
    return np.array(losses)


def kl_divergence_twin(student: Numbers, teacher: Numbers, temperature: float) -> Numbers:
    """T² Σ_c p_c (log p_c − log q_c), leaving out classes with p_c = 0."""
    losses = []
    for p_row, q_row in zip(
        log_softmax_twin(teacher, temperature), log_softmax_twin(student, temperature), strict=True
    ):
        terms = [math.exp(p) * (p - q) for p, q in zip(p_row, q_row, strict=True) if p > -math.inf]
        losses.append(temperature**2 * sum(terms))
    return np.array(losses)


def kl_gradient_twin(student: Numbers, teacher: Numbers, temperature: float) -> Numbers:
    """∂/∂s of the sum over rows of T² · KL: T · (softmax(s / T) − softmax(t / T))."""
    return temperature * (softmax_twin(student, temperature) - softmax_twin(teacher, temperature))


def powered_probabilities_twin(probabilities: Numbers, temperature: float) -> Numbers:
    """p^(1/T), renormalised."""
    rows = []
    for row in probabilities:
        powered = [value ** (1 / temperature) for value in row]
        rows.append([value / sum(powered) for value in powered])
    return np.array(rows)


def weighted_mean_twin(values: Numbers, weights: Numbers) -> float:
    """Σ w·ℓ / Σ w."""
    pairs = list(zip(weights, values, strict=True))
    total = sum(float(weight * value) for weight, value in pairs)
    return total / sum(float(weight) for weight, _ in pairs)


def class_weights_twin(labels: Codes, classes: int) -> list[float]:
    """N / (K · count), and 0 for a class without rows."""
    counts = [sum(1 for label in labels if label == code) for code in range(classes)]
    return [len(labels) / (classes * count) if count else 0.0 for count in counts]


def mlp_parameters_twin(inputs: int, outputs: int, hidden: int, layers: int) -> int:
    """Weights and biases of each Linear, two numbers of BatchNorm for each unit."""
    count, width = 0, inputs
    for _ in range(layers):
        count += width * hidden + hidden + 2 * hidden
        width = hidden
    return count + width * outputs + outputs


def tabresnet_parameters_twin(inputs: int, outputs: int, hidden: int, blocks: int) -> int:
    """Stem, blocks of BatchNorm and two square Linears, BatchNorm, head."""
    square = hidden * hidden + hidden
    return (
        inputs * hidden
        + hidden
        + blocks * (2 * hidden + 2 * square)
        + 2 * hidden
        + hidden * outputs
        + outputs
    )


def batch_rows_twin(rows: int, batch_size: int) -> list[int]:
    """Sizes of an epoch's batches; one row alone is no batch."""
    sizes = [min(batch_size, rows - start) for start in range(0, rows, batch_size)]
    return [size for size in sizes if size >= 2]


def auc_twin(scores: Numbers, labels: Codes) -> float:
    """Over all pairs of a positive and a negative: 1 in the right order, 1/2 on a tie, else 0."""
    positive = [score for score, label in zip(scores, labels, strict=True) if label == 1]
    negative = [score for score, label in zip(scores, labels, strict=True) if label == 0]
    points = [1.0 if p > n else 0.5 if p == n else 0.0 for p in positive for n in negative]
    return sum(points) / len(points)


def calibration_error_twin(said: Numbers, found: Numbers, bins: int) -> float:
    """Rows in order of what was said, cut into bins of equal mass; ties go up together."""
    ordered = sorted(said.tolist())
    starts = [ordered[place * len(ordered) // bins] for place in range(1, bins)]
    gaps: dict[int, float] = {}
    for share, outcome in zip(said.tolist(), found.tolist(), strict=True):
        place = sum(1 for start in set(starts) if start <= share)
        gaps[place] = gaps.get(place, 0.0) + outcome - share
    return sum(abs(gap) for gap in gaps.values()) / len(ordered)


def resampled_means_twin(
    columns: Numbers, generator: np.random.Generator, draws: int, groups: Codes | None
) -> Numbers:
    """Draw whole groups with replacement, put their rows together, take the mean."""
    codes = np.arange(len(columns)) if groups is None else groups
    members = [np.flatnonzero(codes == code) for code in range(int(codes.max()) + 1)]
    means = []
    for _ in range(draws):
        drawn = generator.integers(0, len(members), len(members))
        rows = np.concatenate([members[group] for group in drawn])
        means.append(columns[rows].mean(axis=0))
    return np.array(means)
