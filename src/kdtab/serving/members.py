"""A batch ensemble without torch: its members side by side, h units of each in one row of K · h."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from kdtab.config.networks import BatchEnsembleSpec
from kdtab.data.arrays import FloatArray
from kdtab.record import WEIGHTS, Array, ArrayForm

Floats: TypeAlias = npt.NDArray[np.floating]
"""float64 as folded, and for single rows; float32 for blocks of rows."""


@dataclass(frozen=True, eq=False)
class SharedDense:
    """h_m ↦ ((relu(h_m) ∘ r_m) W) ∘ s_m + b_m for each of K members.

    Attributes:
        weight: W, [I, O].
        entering: r, [K, I].
        leaving: s, [K, O].
        bias: b, [K · O].

    Example:
        >>> layer = SharedDense(np.eye(2), np.ones((3, 2)), np.full((3, 2), 2.0), np.zeros(6))
        >>> layer.units(np.array([[1.0, -1.0, 1.0, 1.0, 0.0, 0.0]])).tolist()
        [[2.0, 0.0, 2.0, 2.0, 0.0, 0.0]]
    """

    weight: Floats
    entering: Floats
    leaving: Floats
    bias: Floats

    def units(self, hidden: Floats, out: Floats | None = None) -> Floats:
        """The units of the next layer.

        Args:
            hidden: [B, K · I], overwritten; memory without gaps.
            out: [B, K · O] where to write; None: new memory.

        Returns:
            [B, K · O].

        Example:
            >>> layer = SharedDense(np.eye(2), np.ones((2, 2)), np.ones((2, 2)), np.ones(4))
            >>> layer.units(np.zeros((1, 4))).tolist()
            [[1.0, 1.0, 1.0, 1.0]]
        """
        members, width = self.entering.shape
        hidden.clip(0.0, np.inf, out=hidden)  # relu; maximum takes three times as long
        entered = hidden.reshape(-1, members, width)
        entered *= self.entering
        made = np.empty((len(hidden), self.bias.size), hidden.dtype) if out is None else out
        np.dot(entered.reshape(-1, width), self.weight, out=made.reshape(-1, self.weight.shape[1]))
        left = made.reshape(-1, *self.leaving.shape)
        left *= self.leaving
        made += self.bias
        return made


@dataclass(frozen=True, eq=False)
class MeanOfHeads:
    """h ↦ log mean_m softmax(relu(h_m) W_m + b_m), or the mean value where there is one output.

    Attributes:
        weight: W, [K, I, C].
        bias: b, [K, 1, C].

    Example:
        >>> heads = MeanOfHeads(np.ones((2, 3, 1)), np.array([[[0.0]], [[4.0]]]))
        >>> heads.said(np.ones((1, 6))).tolist()
        [[5.0]]
    """

    weight: Floats
    bias: Floats

    def said(self, hidden: Floats) -> Floats:
        """What the ensemble says.

        Args:
            hidden: [B, K · I], overwritten; memory without gaps.

        Returns:
            [B, C] log-probabilities, or [B, 1] values.

        Example:
            >>> heads = MeanOfHeads(np.zeros((2, 3, 2)), np.zeros((2, 1, 2)))
            >>> np.exp(heads.said(np.ones((1, 6)))).round(6).tolist()
            [[0.5, 0.5]]
        """
        members, width, outputs = self.weight.shape
        np.maximum(hidden, 0.0, out=hidden)
        units = hidden.reshape(-1, members, width).transpose(1, 0, 2)
        said: Floats = np.matmul(units, self.weight)
        said += self.bias
        if outputs == 1:
            mean: Floats = said.mean(axis=0)
            return mean
        said -= said.max(axis=2, keepdims=True)
        said -= np.log(np.exp(said).sum(axis=2, keepdims=True))
        highest = said.max(axis=0)
        shares: Floats = np.log(np.exp(said - highest).sum(axis=0))
        shares += highest
        shares -= math.log(members)
        return shares


MemberLayer: TypeAlias = SharedDense | MeanOfHeads


def member_forms(spec: BatchEnsembleSpec) -> dict[str, ArrayForm]:
    """The arrays that a batch ensemble is stored as.

    Args:
        spec: Sizes and members.

    Returns:
        Forms by the name in torch's state dict.

    Example:
        >>> spec = BatchEnsembleSpec(
        ...     input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=1, dropout=0.1, members=8
        ... )
        >>> str(member_forms(spec)["heads.weight"])
        'float32 [8, 2, 4]'
    """
    own, width = spec.members, spec.hidden_dim
    shapes: dict[str, tuple[int, ...]] = {}
    for at in range(spec.num_hidden_layers):
        entering, name = width if at else spec.encoded_dim, f"blocks.{at}.linear"
        shapes |= {
            f"{name}.weight": (width, entering),
            f"{name}.entering": (own, entering),
            f"{name}.leaving": (own, width),
            f"{name}.bias": (own, width),
        }
    shapes |= {
        "heads.weight": (own, spec.output_dim, width),
        "heads.bias": (own, spec.output_dim),
    }
    return {name: ArrayForm("float32", shape) for name, shape in shapes.items()}


def folded_members(
    spec: BatchEnsembleSpec, arrays: Mapping[str, Array]
) -> tuple[FloatArray, FloatArray, tuple[MemberLayer, ...]]:
    """The members side by side: the first layer is one matrix, diag(r_m) W diag(s_m) of each.

    Args:
        spec: Sizes and members.
        arrays: The weights under `weights/…`, and others that are passed over.

    Returns:
        [D, K · H] and [K · H] of the first layer, and the layers that follow, in float64.

    Example:
        >>> spec = BatchEnsembleSpec(
        ...     input_dim=3, output_dim=1, hidden_dim=4, num_hidden_layers=2, dropout=0.1, members=8
        ... )
        >>> arrays = {WEIGHTS + name: np.ones(form.shape) for name, form in member_forms(spec).items()}
        >>> weight, bias, layers = folded_members(spec, arrays)
        >>> weight.shape, bias.shape, len(layers)
        ((3, 32), (32,), 2)
    """

    def floats(name: str) -> FloatArray:
        return np.asarray(arrays[WEIGHTS + name], dtype=np.float64)

    blocks = [
        SharedDense(
            np.ascontiguousarray(floats(f"{name}.weight").T),
            floats(f"{name}.entering"),
            floats(f"{name}.leaving"),
            floats(f"{name}.bias").reshape(-1),
        )
        for name in (f"blocks.{at}.linear" for at in range(spec.num_hidden_layers))
    ]
    first = blocks[0]
    of_each = first.entering[:, :, np.newaxis] * first.weight * first.leaving[:, np.newaxis]
    heads = MeanOfHeads(
        np.ascontiguousarray(floats("heads.weight").transpose(0, 2, 1)),
        floats("heads.bias")[:, np.newaxis],
    )
    side_by_side = np.concatenate(list(of_each), axis=1)
    return side_by_side, np.asarray(first.bias, dtype=np.float64), (*blocks[1:], heads)
