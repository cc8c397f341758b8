"""Layers by name: patterns, the order of numbers, and what is said of a name that is not there."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from kdtab.errors.issue import explain
from kdtab.errors.layers import LayerCountsDiffer, LayerPairedTwice, LayerUnknown
from kdtab.models.layers import (
    LayerPair,
    layer_names,
    layers_that_fit,
    natural_order,
    near_names,
    paired_layers,
)
from layer_models import Blocks


@given(st.lists(st.integers(0, 10**6), unique=True), st.randoms(use_true_random=False))
def test_numbered_layers_are_ordered_as_a_person_counts(
    numbers: list[int], order: random.Random
) -> None:
    names = [f"blocks.{number}.norm" for number in numbers]
    order.shuffle(names)
    found = layers_that_fit("blocks.*.norm", names)
    assert found == tuple(f"blocks.{number}.norm" for number in sorted(numbers))


@given(st.lists(st.text("ab.19", min_size=1), unique=True))
def test_any_names_have_an_order(names: list[str]) -> None:
    ordered = sorted(names, key=natural_order)
    assert sorted(ordered) == sorted(names)
    assert [natural_order(name) for name in ordered] == sorted(map(natural_order, names))


@given(st.sampled_from(layer_names(Blocks())))
def test_a_name_fits_itself_and_nothing_else(name: str) -> None:
    assert layers_that_fit(name, layer_names(Blocks())) == (name,)


def test_a_star_stands_for_no_dot_and_not_for_the_model_itself() -> None:
    names = layer_names(Blocks(depth=2))
    assert layers_that_fit("*", names) == ("blocks", "drop", "head", "stem")
    assert layers_that_fit("blocks.*", names) == ("blocks.0", "blocks.1")
    assert layers_that_fit("*.1.*", names) == ("blocks.1.act", "blocks.1.linear", "blocks.1.norm")
    assert layers_that_fit("(blocks).*", names) == ()


def test_patterns_pair_layers_one_after_the_other() -> None:
    student, teacher = Blocks(depth=11), Blocks(depth=11)
    pairs = paired_layers({("blocks.*.norm", "blocks.*.linear"): 1}, student, teacher).unwrap()
    names = [(pair.student, pair.teacher) for pair, _ in pairs]
    assert names == [(f"blocks.{n}.norm", f"blocks.{n}.linear") for n in range(11)]


def test_each_pair_keeps_what_was_wanted_for_it_in_order() -> None:
    wanted = {("head", "head"): "a", ("blocks.*", "blocks.*"): "b", ("", ""): "c"}
    pairs = paired_layers(wanted, Blocks(depth=2), Blocks(depth=2)).unwrap()
    assert pairs == (
        (LayerPair("head", "head"), "a"),
        (LayerPair("blocks.0", "blocks.0"), "b"),
        (LayerPair("blocks.1", "blocks.1"), "b"),
        (LayerPair("", ""), "c"),
    )


def test_unequal_counts_are_refused_with_the_layers_that_fit() -> None:
    wanted = {("blocks.*.norm", "blocks.*.norm"): 1}
    (issue,) = paired_layers(wanted, Blocks(depth=1), Blocks(depth=2)).failure()
    assert isinstance(issue, LayerCountsDiffer)
    assert issue.student == ("blocks.0.norm",)
    assert issue.teacher == ("blocks.0.norm", "blocks.1.norm")
    assert "'blocks.1.norm'" in explain(issue)


def test_every_unknown_name_is_told_at_once_with_what_is_near_it() -> None:
    wanted = {("blocks.0.nrom", "haed"): 1, ("layers.*.norm", "head"): 1}
    issues = list(paired_layers(wanted, Blocks(), Blocks()).failure())
    assert [(issue.side, issue.name) for issue in issues if isinstance(issue, LayerUnknown)] == [
        ("student", "blocks.0.nrom"),
        ("teacher", "haed"),
        ("student", "layers.*.norm"),
    ]
    assert "'blocks.0.norm'" in explain(issues[0])
    assert "'head'" in explain(issues[1])
    assert "'blocks.0.norm'" in explain(issues[2])


def test_a_pair_that_two_patterns_fit_is_refused() -> None:
    wanted = {("blocks.*", "blocks.*"): 1, ("blocks.0", "blocks.0"): 2}
    issues = tuple(paired_layers(wanted, Blocks(), Blocks()).failure())
    assert issues == (LayerPairedTwice(pair=("blocks.0", "blocks.0")),)


def test_a_shared_layer_has_each_of_its_names() -> None:
    layer = nn.Linear(2, 2)
    assert layer_names(nn.Sequential(layer, layer)) == ("", "0", "1")


@given(st.text(max_size=20))
def test_near_names_are_few_and_exist(name: str) -> None:
    known = layer_names(Blocks())
    found = near_names(name, known)
    assert len(found) <= 4
    assert set(found) <= set(known) - {""}
