"""Which network: plain data from which a module is built, and which a bundle records."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from kdtab.config.base import FrozenConfig
from kdtab.config.training import TrainingMode

Dimension: TypeAlias = Annotated[int, Field(ge=1, le=10_000_000)]
HiddenDimension: TypeAlias = Annotated[int, Field(ge=1, le=65_536)]
Depth: TypeAlias = Annotated[int, Field(ge=1, le=64)]
DropoutRate: TypeAlias = Annotated[float, Field(ge=0, lt=1)]


class MlpSpec(FrozenConfig):
    """Blocks of Linear, BatchNorm, ReLU, Dropout, then one Linear.

    Example:
        >>> MlpSpec(input_dim=4, output_dim=2, hidden_dim=8, num_hidden_layers=1, dropout=0.1).kind
        'mlp'
    """

    kind: Literal["mlp"] = "mlp"
    input_dim: Dimension
    output_dim: Dimension
    hidden_dim: HiddenDimension
    num_hidden_layers: Depth
    dropout: DropoutRate


class TabResNetSpec(FrozenConfig):
    """One Linear, residual blocks, BatchNorm and ReLU, then one Linear (arXiv:2106.11959).

    Example:
        >>> TabResNetSpec(
        ...     input_dim=4, output_dim=2, hidden_dim=8, num_hidden_layers=1, dropout=0.1
        ... ).kind
        'tabresnet'
    """

    kind: Literal["tabresnet"] = "tabresnet"
    input_dim: Dimension
    output_dim: Dimension
    hidden_dim: HiddenDimension
    num_hidden_layers: Depth
    dropout: DropoutRate


class LinearSpec(FrozenConfig):
    """One Linear: a generalised linear model.

    Example:
        >>> LinearSpec(input_dim=4, output_dim=2).kind
        'linear'
    """

    kind: Literal["linear"] = "linear"
    input_dim: Dimension
    output_dim: Dimension


NetworkSpec: TypeAlias = Annotated[
    MlpSpec | TabResNetSpec | LinearSpec, Field(discriminator="kind")
]


def network_spec(
    mode: TrainingMode,
    *,
    input_dim: int,
    output_dim: int,
    hidden_dim: int,
    num_hidden_layers: int,
    dropout: float,
) -> MlpSpec | TabResNetSpec | LinearSpec:
    """The network that a training mode stands for.

    Args:
        mode: The training mode of a config.
        input_dim: Columns of the encoded matrix.
        output_dim: Classes, or 1 for regression.
        hidden_dim: Units of a hidden layer.
        num_hidden_layers: Hidden layers or residual blocks.
        dropout: Share of hidden units set to zero in a step.

    Returns:
        A spec; `linear_glm_baseline` has no hidden layers and ignores the last three.

    Example:
        >>> network_spec("linear_glm_baseline", input_dim=3, output_dim=2, hidden_dim=8,
        ...              num_hidden_layers=1, dropout=0.0)
        LinearSpec(kind='linear', input_dim=3, output_dim=2)
    """
    if mode == "linear_glm_baseline":
        return LinearSpec(input_dim=input_dim, output_dim=output_dim)
    kind = TabResNetSpec if mode == "tabresnet" else MlpSpec
    return kind(
        input_dim=input_dim,
        output_dim=output_dim,
        hidden_dim=hidden_dim,
        num_hidden_layers=num_hidden_layers,
        dropout=dropout,
    )
