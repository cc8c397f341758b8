"""The kinds of teacher that kdtab fits itself."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.artifacts import fit_artifacts
from kdtab.data.folds import fold_rows
from kdtab.results import Checked
from kdtab.teachers import kinds as kinds_module
from kdtab.teachers.crossfit import Says, Targets
from kdtab.teachers.kinds import Lessons, kind_teacher, label_by_kind
from kdtab.teachers.lesson import Lesson
from kdtab.teachers.trees import forest_fit

ROWS = 120


def lessons(folds: int = 2) -> Lessons:
    drawn = np.random.default_rng(0)
    rows = drawn.standard_normal((ROWS, 3)).astype(np.float32)
    codes = (rows[:, 0] + drawn.standard_normal(ROWS) > 0).astype(np.int64)
    return Lessons(
        Lesson("classification", 2),
        rows,
        codes,
        fold_rows(codes, np.arange(ROWS), count=folds, seed=0).unwrap(),
    )


class Networks:
    """Fits small forests in the place of networks, and counts the rows of each fit."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.numbers: list[int] = []

    def fit(
        self, rows: Float32Array, targets: Targets, seed: int, number: int
    ) -> Checked[Says[Float32Array]]:
        self.numbers.append(number)
        self.sizes.append(len(rows))
        lesson = Lesson("classification", 2, random_seed=seed)
        return forest_fit("forest", lesson, trees=3)(rows, targets)


@pytest.mark.parametrize(
    ("weights", "whole"),
    [([1.0, 0, 0, 0, 0, 0], 0), ([0.5, 0, 0, 0.5, 0, 0], 1), ([0, 0, 0, 0, 0.5, 0.5], 2)],
)
def test_a_member_without_weight_is_not_fitted_on_all_rows(
    weights: list[float], whole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chosen(*_: object, **__: object) -> FloatArray:
        return np.array(weights)

    monkeypatch.setattr(kinds_module, "mixture_weights", chosen)
    networks = Networks()
    told: list[str] = []
    asked = lessons()
    heard = Lessons(asked.lesson, asked.rows, asked.targets, asked.folds, heard=told.append)
    found = label_by_kind("ensemble", heard, networks.fit).unwrap()
    assert networks.sizes.count(ROWS) == whole
    assert len(networks.sizes) == 6 + whole
    assert networks.numbers[:6] == [0, 0, 1, 1, 2, 2]
    assert told.count("network, all training rows") == whole
    assert "boosted, all training rows" not in told
    assert [weight for _, weight in found.weights] == weights
    said = found.labelling.says(asked.rows[:5]).unwrap()
    assert said.sum(axis=1) == pytest.approx(np.ones(5))


def test_an_ensemble_of_its_first_member_alone_is_that_member(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        kinds_module, "mixture_weights", lambda *_, **__: np.array([1.0, 0, 0, 0, 0, 0])
    )
    asked = lessons()
    both = label_by_kind("ensemble", asked, Networks().fit).unwrap().labelling
    alone = label_by_kind("forest", asked, Networks().fit).unwrap().labelling
    np.testing.assert_array_equal(both.outputs, alone.outputs)
    np.testing.assert_array_equal(both.says(asked.rows).unwrap(), alone.says(asked.rows).unwrap())


@pytest.mark.parametrize("kind", ["forest", "boosted", "ensemble"])
def test_what_a_teacher_says_depends_neither_on_the_batch_nor_on_the_order(kind: str) -> None:
    asked = lessons()
    says = label_by_kind(kind, asked, Networks().fit).unwrap().labelling.says  # type: ignore[arg-type]  # a name
    whole = says(asked.rows).unwrap()
    order = np.random.default_rng(1).permutation(ROWS)
    np.testing.assert_array_equal(says(asked.rows[order]).unwrap(), whole[order])
    pieces = [says(asked.rows[at : at + 7]).unwrap() for at in range(0, ROWS, 7)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_the_size_is_that_of_the_arrays_of_the_fitted_trees() -> None:
    asked = lessons()
    artifacts = fit_artifacts(pl.DataFrame({"x": [1.0]}), (), ())
    sizes = []
    for trees in (10, 20):
        says = forest_fit("forest", asked.lesson, trees=trees)(asked.rows, asked.targets).unwrap()
        size = kind_teacher("forest", asked, says, artifacts).info.size_bytes
        nodes = sum(
            array.nbytes
            for tree in says.forest.estimators_  # type: ignore[attr-defined]  # a forest of kdtab
            for array in (tree.tree_.threshold, tree.tree_.value, tree.tree_.feature)
        )
        assert size is not None
        assert size >= nodes
        sizes.append(size)
    assert sizes[1] / sizes[0] == pytest.approx(2, rel=0.2)


def test_an_ensemble_has_a_size_as_well() -> None:
    asked = lessons()
    artifacts = fit_artifacts(pl.DataFrame({"x": [1.0]}), (), ())
    found = label_by_kind("ensemble", asked, Networks().fit).unwrap().labelling
    size = kind_teacher("ensemble", asked, found.says, artifacts).info.size_bytes
    assert size is not None
    assert size > 10_000
