"""Layers by name: one by one or by pattern, in the order in which a person counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from returns.result import Success
from torch import nn

from kdtab.errors.layers import LayerCountsDiffer, LayerPairedTwice, LayerUnknown, Side
from kdtab.results import Checked, Value, collect, fail

WHOLE_MODEL = ""
ANY = "*"
MOST_NEAR = 4


@dataclass(frozen=True)
class LayerPair:
    """A layer of the student and the layer of the teacher that it learns from.

    Attributes:
        student: Its name as in `named_modules`; empty: the model itself.
        teacher: The same of the teacher.

    Example:
        >>> LayerPair("blocks.0", "layers.3").teacher
        'layers.3'
    """

    student: str
    teacher: str


def layer_names(model: nn.Module) -> tuple[str, ...]:
    """Every layer's name, shared layers under each of their names, the model itself first.

    Args:
        model: Any module.

    Returns:
        Names as `get_submodule` takes them.

    Example:
        >>> layer_names(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
        ('', '0', '1')
    """
    return tuple(name for name, _ in model.named_modules(remove_duplicate=False))


def natural_order(name: str) -> tuple[tuple[int, str], ...]:
    """What to sort names by, so that block 2 comes before block 10.

    Args:
        name: Of a layer.

    Returns:
        Its runs of digits as numbers and the text between them.

    Example:
        >>> sorted(["b.10", "b.2", "a"], key=natural_order)
        ['a', 'b.2', 'b.10']
    """
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return tuple((int(part), "") if part[0] in "0123456789" else (-1, part) for part in parts)


def layers_that_fit(pattern: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that a pattern fits, in natural order.

    A `*` stands for any characters but the dot: `blocks.*.norm` fits `blocks.3.norm` and not
    `blocks.3.attn.norm`. A name without one fits itself; no pattern fits the model itself.

    Args:
        pattern: A name, or one with stars.
        names: The names of a model.

    Returns:
        Those that fit, perhaps none.

    Example:
        >>> layers_that_fit("b.*.norm", ["b.10.norm", "b.2.norm", "b.2.x.norm"])
        ('b.2.norm', 'b.10.norm')
    """
    if ANY not in pattern:
        return (pattern,) if pattern in set(names) else ()
    fits = re.compile(r"[^.]*".join(re.escape(part) for part in pattern.split(ANY)))
    return tuple(sorted(filter(fits.fullmatch, filter(None, names)), key=natural_order))


def near_names(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that a person may have meant.

    Args:
        name: What was asked for, perhaps a pattern.
        names: What there is.

    Returns:
        At most four, the nearest first: by spelling, or with the same last part.

    Example:
        >>> near_names("blocks.0.nrom", ["blocks.0.norm", "blocks.0.act", "head"])
        ('blocks.0.norm', 'blocks.0.act')
    """
    known = [item for item in names if item]
    spelled = get_close_matches(name, known, n=MOST_NEAR, cutoff=0.6)
    last = name.rpartition(".")[2]
    cousins = [item for item in known if item.rpartition(".")[2] == last]
    return tuple(dict.fromkeys([*spelled, *cousins]))[:MOST_NEAR]


def paired_layers(
    wanted: Mapping[tuple[str, str], Value], student: nn.Module, teacher: nn.Module
) -> Checked[tuple[tuple[LayerPair, Value], ...]]:
    """Pairs of existing layers, patterns expanded, each with what was wanted for it.

    The layers that a pair of patterns fits are paired one after the other, each side in natural
    order.

    Args:
        wanted: By student layer and teacher layer, names or patterns.
        student: Where the first names are looked up.
        teacher: Where the second are.

    Returns:
        One entry for each pair in the order given; or, all at once, `LayerUnknown`,
        `LayerCountsDiffer`, `LayerPairedTwice`.

    Example:
        >>> two = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
        >>> [pair for pair, _ in paired_layers({("*", "*"): "loss"}, two, two).unwrap()]
        [LayerPair(student='0', teacher='0'), LayerPair(student='1', teacher='1')]
        >>> paired_layers({("o", "0"): "loss"}, two, two).failure().first
        LayerUnknown(side='student', name='o', near=())
    """
    names = (layer_names(student), layer_names(teacher))
    expanded = collect(_expanded(pair, names) for pair in wanted)
    return expanded.map(
        lambda every: tuple(
            (pair, value)
            for pairs, value in zip(every, wanted.values(), strict=True)
            for pair in pairs
        )
    ).bind(_each_once)


def _expanded(
    pair: tuple[str, str], names: tuple[tuple[str, ...], tuple[str, ...]]
) -> Checked[tuple[LayerPair, ...]]:
    found = collect(
        _found(side, name, known) for side, name, known in zip(_SIDES, pair, names, strict=True)
    )
    return found.bind(lambda both: _side_by_side(pair, both[0], both[1]))


_SIDES: tuple[Side, Side] = ("student", "teacher")


def _found(side: Side, name: str, known: tuple[str, ...]) -> Checked[tuple[str, ...]]:
    fitting = layers_that_fit(name, known)
    if fitting:
        return Success(fitting)
    return fail(LayerUnknown(side=side, name=name, near=near_names(name, known)))


def _side_by_side(
    pair: tuple[str, str], student: tuple[str, ...], teacher: tuple[str, ...]
) -> Checked[tuple[LayerPair, ...]]:
    if len(student) != len(teacher):
        return fail(LayerCountsDiffer(pair=pair, student=student, teacher=teacher))
    return Success(tuple(map(LayerPair, student, teacher)))


def _each_once(
    pairs: tuple[tuple[LayerPair, Value], ...],
) -> Checked[tuple[tuple[LayerPair, Value], ...]]:
    counts = Counter(pair for pair, _ in pairs)
    twice = [pair for pair, count in counts.items() if count > 1]
    if not twice:
        return Success(pairs)
    return fail(*(LayerPairedTwice(pair=(pair.student, pair.teacher)) for pair in twice))
