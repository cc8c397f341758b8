"""Small models of layers with names, for tests of what learns layer by layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

GOLDEN_INPUTS = torch.tensor([[1.0, 2.0], [3.0, -1.0]], dtype=torch.float64)
GOLDEN_LABELS = torch.tensor([0, 2])


class TwoLayers(nn.Module):
    """x -> h -> o, without bias and activation."""

    def __init__(self, h: list[list[float]], o: list[list[float]]) -> None:
        super().__init__()
        self.h = linear(h)
        self.o = linear(o)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.o(self.h(inputs))
        return outputs


class Blocks(nn.Module):
    """Blocks of a linear layer and a norm, a head, and a dropout between."""

    def __init__(self, width: int = 4, depth: int = 3, classes: int = 3, inputs: int = 5) -> None:
        super().__init__()
        self.stem = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(width, classes)

    def forward(self, inputs: Tensor, scale: float = 1.0) -> Tensor:
        """A keyword beside the inputs."""
        hidden = self.stem(inputs)
        for block in self.blocks:
            hidden = block(hidden)
        outputs: Tensor = self.head(self.drop(hidden)) * scale
        return outputs


class Block(nn.Module):
    """linear -> norm -> ReLU that works in place."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.act = nn.ReLU(inplace=True)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.act(self.norm(self.linear(inputs)))
        return outputs


def linear(weight: list[list[float]]) -> nn.Linear:
    """A layer with this weight and no bias, float64."""
    layer = nn.Linear(len(weight[0]), len(weight), bias=False, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
    return layer


def golden_student() -> TwoLayers:
    """The student of the numbers that are given for two pairs."""
    return TwoLayers([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])


def golden_teacher() -> TwoLayers:
    """The teacher of the same."""
    return TwoLayers([[2.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
