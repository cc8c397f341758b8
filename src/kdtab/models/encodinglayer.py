"""A numeric encoding as a hand-written layer, before the first Linear of one network or of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from torch import Tensor

from kdtab.models.encoding import NumericEncoding
from kdtab.models.handwritten import Pullback


@final
@dataclass(frozen=True, eq=False)
class EncodingLayer:
    """An encoding before the first Linear, of one network or of many that share its numbers.

    Attributes:
        module: Of the first of the networks.

    Example:
        >>> import torch
        >>> from kdtab.config.encodings import PiecewiseLinearSpec
        >>> from kdtab.models.encoding import build_encoding
        >>> layer = EncodingLayer(build_encoding(PiecewiseLinearSpec(edges=((0.0, 1.0, 2.0),))))
        >>> layer.forward(torch.ones(5, 4, 1))[0].shape
        torch.Size([5, 4, 2])
    """

    module: NumericEncoding

    def parameters(self) -> tuple[Tensor, ...]:
        """None.

        Returns:
            Nothing: no number is learnt here.

        Example:
            >>> from kdtab.config.encodings import PiecewiseLinearSpec
            >>> from kdtab.models.encoding import build_encoding
            >>> spec = PiecewiseLinearSpec(edges=((0.0, 1.0, 2.0),))
            >>> EncodingLayer(build_encoding(spec)).parameters()
            ()
        """
        return ()

    def forward(self, inputs: Tensor) -> tuple[Tensor, Pullback]:
        """Encoded rows; nobody asks for the gradient of rows.

        Args:
            inputs: [B, D], or [S, B, D] of S networks.

        Returns:
            [B, W] or [S, B, W], and the pullback.

        Example:
            >>> import torch
            >>> from kdtab.config.encodings import PiecewiseLinearSpec
            >>> from kdtab.models.encoding import build_encoding
            >>> spec = PiecewiseLinearSpec(edges=((0.0, 1.0, 2.0),))
            >>> EncodingLayer(build_encoding(spec)).forward(torch.ones(4, 1))[0].shape
            torch.Size([4, 2])
        """

        def pull(gradient: Tensor, into: Sequence[Tensor]) -> Tensor | None:
            return None

        if inputs.ndim == 2:
            return self.module(inputs), pull
        if inputs.stride(0) == 0:  # the same rows for all
            encoded = self.module(inputs[0])
            return encoded.expand(len(inputs), *encoded.shape), pull
        encoded = self.module(inputs.flatten(0, 1))
        return encoded.unflatten(0, inputs.shape[:2]), pull
