"""Small modules of every kind that a task may be given."""

from __future__ import annotations

from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

from kdtab.config.networks import MlpSpec
from kdtab.models.build import build_model

STUDENT = torch.tensor([[1, 2, 0.5], [0.2, -0.3, 1.5]], dtype=torch.float64)
TEACHER = torch.tensor([[2, 1, 0.1], [0, 0.5, 3]], dtype=torch.float64)
LABELS = torch.tensor([0, 2])
ROWS = torch.zeros(2, 1, dtype=torch.float64)


class Says(nn.Module):
    """Outputs that the test wants, whatever the input; and the inputs that it got."""

    def __init__(self, outputs: Tensor) -> None:
        super().__init__()
        self.outputs = nn.Parameter(outputs.clone())
        self.seen: list[Tensor] = []

    def forward(self, inputs: Tensor) -> Tensor:
        self.seen.append(inputs)
        return self.outputs


class Parted(nn.Module):
    """A module with the two parts of timm's models: features as given, then a linear head."""

    def __init__(self, features: Tensor, head: nn.Linear | nn.Identity | None = None) -> None:
        super().__init__()
        self.features = nn.Parameter(features.clone())
        self.num_features = features.shape[-1]
        self.last = nn.Identity() if head is None else head

    def forward_features(self, inputs: Tensor) -> Tensor:
        return self.features

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        if pre_logits:
            return features
        outputs: Tensor = self.last(features)
        return outputs

    def forward(self, inputs: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(inputs))


class Image(nn.Module):
    """A convolution net without any attribute of timm's."""

    def __init__(self, width: int, classes: int = 3) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.classifier = nn.Sequential(nn.Dropout(0.5), nn.Linear(width, classes))

    def forward(self, inputs: Tensor) -> Tensor:
        pooled = functional.relu(self.norm(self.stem(inputs))).mean((2, 3))
        outputs: Tensor = self.classifier(pooled)
        return outputs


class Mapped(nn.Module):
    """A convolution net whose head is a convolution: its features are maps."""

    def __init__(self, width: int, classes: int = 3) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.head(torch.relu(self.stem(inputs)))
        return outputs.mean((2, 3))


class Tokens(nn.Module):
    """A transformer block over a row's columns, each a token."""

    def __init__(self, width: int, classes: int = 3) -> None:
        super().__init__()
        self.embedding = nn.Linear(1, width)
        self.block = nn.TransformerEncoderLayer(width, 2, 2 * width, batch_first=True)
        self.out = nn.Linear(width, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        tokens = self.block(self.embedding(inputs.unsqueeze(-1)))
        outputs: Tensor = self.out(tokens.mean(1))
        return outputs


class WithConstants(nn.Module):
    """A module that says how its images are normalised."""

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...], outputs: Tensor) -> None:
        super().__init__()
        self.pretrained_cfg = MappingProxyType({"mean": mean, "std": std})
        self.inner = Says(outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.inner(inputs)
        return outputs


def tabular(width: int, *, inputs: int = 5, classes: int = 3, dropout: float = 0.0) -> nn.Module:
    """One of kdtab's own networks."""
    return build_model(
        MlpSpec(
            input_dim=inputs,
            output_dim=classes,
            hidden_dim=width,
            num_hidden_layers=1,
            dropout=dropout,
        )
    )
