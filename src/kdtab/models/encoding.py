"""Numeric encodings as modules; their edges are no weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, assert_never, final

import numpy as np
import torch
from torch import Tensor, nn

from kdtab.config.encodings import NumericEncodingSpec, PiecewiseLinearSpec, QuantileSpec
from kdtab.data.numericbins import bin_lines, binned_columns, passing_columns


class NumericEncoding(nn.Module, ABC):
    """Base of the encodings that a spec describes: [B, D] scaled rows to [B, W].

    Its numbers come from the spec; a state dict has none of them.

    Args:
        spec: The plain data that it was built from.

    Example:
        >>> spec = PiecewiseLinearSpec(edges=((0.0, 1.0, 2.0),))
        >>> dict(build_encoding(spec).state_dict())
        {}
    """

    if TYPE_CHECKING:

        def __call__(self, inputs: Tensor) -> Tensor:
            """`forward`, with the hooks of torch."""
            ...

    def __init__(self, spec: NumericEncodingSpec) -> None:
        super().__init__()
        self.spec = spec

    def forward(self, inputs: Tensor) -> Tensor:
        """Encoded rows.

        Args:
            inputs: [B, D] scaled rows.

        Returns:
            [B, W]; the bins or scores first, then the columns that pass.

        Example:
            >>> encoding = build_encoding(PiecewiseLinearSpec(edges=((0.0, 1.0, 2.0),)))
            >>> encoding(torch.tensor([[-1.0], [0.5], [1.5]])).tolist()
            [[0.0, 0.0], [0.5, 0.0], [1.0, 0.5]]
        """
        # One line for each column: what differs from line to line is one number of a long loop.
        return self.lines(inputs.t().contiguous()).t()

    @abstractmethod
    def lines(self, columns: Tensor) -> Tensor:
        """The same with a line for each column.

        Args:
            columns: [D, B].

        Returns:
            [W, B].

        Example:
            >>> encoding = build_encoding(PiecewiseLinearSpec(edges=((0.0, 1.0, 2.0),)))
            >>> encoding.lines(torch.tensor([[0.5, 1.5]])).tolist()
            [[0.5, 1.0], [0.0, 0.5]]
        """

    def extra_repr(self) -> str:
        """What `repr` says of it.

        Returns:
            How many columns come in and go out.

        Example:
            >>> build_encoding(PiecewiseLinearSpec(edges=((0.0, 1.0, 2.0),)))
            PiecewiseLinearEncoding(1 to 2)
        """
        return f"{len(self.spec.edges)} to {self.spec.width}"

    def _keep(self, **arrays: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> None:
        for name, values in arrays.items():
            # On the CPU although a skeleton is built elsewhere: no file brings these numbers.
            tensor = torch.tensor(values, device="cpu")
            self.register_buffer(name, tensor, persistent=False)


@final
class PiecewiseLinearEncoding(NumericEncoding):
    """How far a row has come through each bin: clip((x - low) / width, 0, 1).

    Args:
        spec: Edges of each column.

    Example:
        >>> PiecewiseLinearEncoding(PiecewiseLinearSpec(edges=((0.0, 2.0),)))(torch.ones(1, 1))
        tensor([[0.5000]])
    """

    columns: Tensor
    low: Tensor
    slope: Tensor

    def __init__(self, spec: PiecewiseLinearSpec) -> None:
        super().__init__(spec)
        found = bin_lines(spec)
        self._keep(
            columns=found.columns, low=found.low[:, np.newaxis], slope=found.slope[:, np.newaxis]
        )

    def lines(self, columns: Tensor) -> Tensor:
        """Bin by bin, then the columns that pass.

        Args:
            columns: [D, B].

        Returns:
            [W, B].

        Example:
            >>> encoding = PiecewiseLinearEncoding(PiecewiseLinearSpec(edges=((0.0, 2.0),)))
            >>> encoding.lines(torch.tensor([[1.0, 5.0]]))
            tensor([[0.5000, 1.0000]])
        """
        encoded = columns.index_select(0, self.columns)
        # The edge is taken off first: near it nothing is lost, however narrow the bin is.
        encoded[: len(self.low)].sub_(self.low).mul_(self.slope).clamp_(0.0, 1.0)
        return encoded


@final
class QuantileEncoding(NumericEncoding):
    """The normal score of a number's rank, in a line from edge to edge.

    Args:
        spec: Edges of each column, and their scores.

    Example:
        >>> spec = QuantileSpec(edges=((0.0, 2.0),), scores=((-3.0, 1.0),))
        >>> QuantileEncoding(spec)(torch.tensor([[1.0], [9.0]])).tolist()
        [[-1.0], [1.0]]
    """

    binned: Tensor
    passing: Tensor
    inner: Tensor
    starts: Tensor
    low: Tensor
    slope: Tensor
    score: Tensor
    rise: Tensor

    def __init__(self, spec: QuantileSpec) -> None:
        super().__init__(spec)
        edges = [np.array(column, np.float32) for column in spec.edges if column]
        scores = [np.array(column, np.float32) for column in spec.scores if column]
        counts = np.array([len(column) - 1 for column in edges], dtype=np.int64)
        inner = np.full((len(edges), max(counts, default=1) - 1), np.inf, dtype=np.float32)
        for line, column in zip(inner, edges, strict=True):
            line[: len(column) - 2] = column[1:-1]
        none, found = np.zeros(0, np.float32), bin_lines(spec)
        self._keep(
            binned=binned_columns(spec),
            passing=passing_columns(spec),
            inner=inner,
            starts=(np.cumsum(counts) - counts)[:, np.newaxis],
            low=found.low,
            slope=found.slope,
            score=np.concatenate([none, *(column[:-1] for column in scores)]),
            rise=np.concatenate([none, *(np.diff(column) for column in scores)]),
        )

    def lines(self, columns: Tensor) -> Tensor:
        """Score by score, then the columns that pass.

        Args:
            columns: [D, B].

        Returns:
            [D, B].

        Example:
            >>> spec = QuantileSpec(edges=((0.0, 2.0),), scores=((-3.0, 1.0),))
            >>> QuantileEncoding(spec).lines(torch.tensor([[1.0, 9.0]])).tolist()
            [[-1.0, 1.0]]
        """
        values = columns.index_select(0, self.binned)
        # Without the outer edges the place found is that of a bin, in a list of all bins.
        bins = torch.searchsorted(self.inner, values.detach(), right=True).add_(self.starts)
        low, slope, score, rise = (
            of_bins.index_select(0, bins.view(-1)).view(bins.shape)
            for of_bins in (self.low, self.slope, self.score, self.rise)
        )
        through = ((values - low) * slope).clamp_(0.0, 1.0)
        scores = torch.addcmul(score, rise, through)
        return torch.cat([scores, columns.index_select(0, self.passing)])


def build_encoding(spec: NumericEncodingSpec) -> NumericEncoding:
    """The module of a spec; nothing random is in it.

    Args:
        spec: Kind and edges.

    Returns:
        The module on the CPU.

    Example:
        >>> build_encoding(QuantileSpec(edges=((0.0, 1.0),), scores=((-1.0, 1.0),)))
        QuantileEncoding(1 to 1)
    """
    match spec:
        case PiecewiseLinearSpec():
            return PiecewiseLinearEncoding(spec)
        case QuantileSpec():
            return QuantileEncoding(spec)
        case _:
            assert_never(spec)


def start_from_columns(spec: NumericEncodingSpec | None, weight: Tensor) -> None:
    """Let a first layer begin as that of a network without bins, where the columns pass beside them.

    The weights of the bins begin at zero, and those of the columns as wide as if they were alone: a
    bin is used where the data ask for it. It is the second form of the encoding in
    `rtdl_num_embeddings` (Gorishniy et al. 2022, arXiv:2203.05556).

    Args:
        spec: The encoding before the layer; None, or one whose columns do not pass: nothing changes.
        weight: [H, W] just drawn from ±1 / √W; changed in place.

    Example:
        >>> spec = PiecewiseLinearSpec(edges=((0.0, 1.0, 2.0, 3.0),), columns_pass=True)
        >>> weight = torch.full((1, 4), 0.5)
        >>> start_from_columns(spec, weight)
        >>> weight.tolist()
        [[0.0, 0.0, 0.0, 1.0]]
    """
    if isinstance(spec, PiecewiseLinearSpec) and spec.columns_pass:
        columns = len(spec.edges)
        bins = spec.width - columns
        with torch.no_grad():
            weight[:, :bins] = 0.0
            weight[:, bins:] *= (spec.width / columns) ** 0.5
