"""The digest of any fitted object."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable

import lightgbm
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
import xgboost
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from kdtab.teachers.content import content_of
from strategies import json_cells

DRAWN = np.random.default_rng(0)
MATRIX = DRAWN.standard_normal((80, 3))
CODES = (MATRIX[:, 0] > 0).astype(int)
MODELS: dict[str, Callable[[int], object]] = {
    "forest": lambda seed: RandomForestClassifier(4, random_state=seed).fit(MATRIX, CODES),
    "linear": lambda seed: LogisticRegression(C=1.0 + seed).fit(MATRIX, CODES),
    "histograms": lambda seed: HistGradientBoostingClassifier(
        max_iter=3, l2_regularization=seed, random_state=0
    ).fit(MATRIX, CODES),
    "LightGBM": lambda seed: lightgbm.LGBMClassifier(
        n_estimators=3, verbose=-1, learning_rate=0.1 + seed
    ).fit(MATRIX, CODES),
    "XGBoost": lambda seed: xgboost.XGBClassifier(
        n_estimators=3, learning_rate=0.1 + seed / 10
    ).fit(MATRIX, CODES),
    "tensor": lambda seed: torch.full((2, 3), float(seed)),
    "polars": lambda seed: pl.DataFrame({"a": [seed, None]}),
    "pandas": lambda seed: pd.DataFrame({"a": [seed, None], "b": ["x", "y"]}),
}


@pytest.mark.parametrize("name", sorted(MODELS))
def test_equal_numbers_are_one_content_and_others_another(name: str) -> None:
    one, again, other = (content_of(MODELS[name](seed)) for seed in (0, 0, 1))
    assert one is not None
    assert one == again != other
    assert one.size_bytes > 0


@pytest.mark.parametrize("name", ["forest", "linear", "LightGBM", "XGBoost"])
def test_asking_a_model_leaves_its_content(name: str) -> None:
    model = MODELS[name](0)
    before = content_of(model)
    model.predict_proba(MATRIX)  # type: ignore[attr-defined]  # a classifier
    assert content_of(model) == before


@given(cell=json_cells())
def test_any_plain_value_has_a_content_and_its_copy_the_same(cell: object) -> None:
    first, again = content_of({"a": [cell, cell]}), content_of({"a": [cell, cell]})
    assert first is not None
    assert first == again


@given(items=st.dictionaries(st.text(max_size=3), st.integers(), max_size=5), data=st.data())
def test_the_order_of_keys_and_of_sets_does_not_count(
    items: dict[str, int], data: st.DataObject
) -> None:
    turned = dict(data.draw(st.permutations(list(items.items()))))
    assert content_of(items) == content_of(turned)
    assert content_of(set(items)) == content_of(set(turned))


def test_types_and_shapes_count() -> None:
    values = [1, 1.0, "1", b"1", True, np.int64(1), [1], (1,), np.ones(1), np.ones((1, 1))]
    prints = {content_of(value) for value in values}
    assert len(prints) == len(values) - 1  # a list and a tuple hold the same


def test_a_circle_ends() -> None:
    circle: list[object] = [1]
    circle.append(circle)
    assert content_of(circle) is not None


@pytest.mark.parametrize("value", [threading.Lock(), sys.stdout, (row for row in "a"), [iter]])
def test_what_does_not_say_what_it_holds_has_none(value: object) -> None:
    readable = isinstance(value, list)
    assert (content_of(value) is not None) == readable


def test_another_process_reads_the_same() -> None:
    script = (
        "from kdtab.teachers.content import content_of\n"
        "print(content_of({'a': {'x', 'y', 'z'}, 'b': lambda frame: frame['x'] * 2}).fingerprint)"
    )
    prints = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(prints) == 1
