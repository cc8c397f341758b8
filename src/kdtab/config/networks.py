"""Which network: plain data from which a module is built, and which a bundle records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from kdtab.config.base import FrozenConfig, fields_disagree
from kdtab.config.encodings import NumericEncodingSpec
from kdtab.config.training import TrainingMode

Dimension: TypeAlias = Annotated[int, Field(ge=1, le=10_000_000)]
HiddenDimension: TypeAlias = Annotated[int, Field(ge=1, le=65_536)]
Depth: TypeAlias = Annotated[int, Field(ge=1, le=64)]
DropoutRate: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
Members: TypeAlias = Annotated[int, Field(ge=2, le=64)]


class _TableNetwork(FrozenConfig):
    """What the networks of tables have in common: sizes, and how they take the numbers."""

    added_later = frozenset({"encoding"})

    kind: str
    input_dim: Dimension
    output_dim: Dimension
    encoding: NumericEncodingSpec | None = None

    @property
    def encoded_dim(self) -> int:
        """Columns that the first Linear takes: those of the input, or what its encoding makes of them.

        Example:
            >>> LinearSpec(input_dim=3, output_dim=2).encoded_dim
            3
        """
        return self.input_dim if self.encoding is None else self.encoding.width

    @model_validator(mode="after")
    def _encoding_fits(self) -> Self:
        if self.encoding is not None and len(self.encoding.edges) != self.input_dim:
            rule = f"must have edges for each of the {self.input_dim} inputs"
            raise fields_disagree("encoding", rule, len(self.encoding.edges))
        return self

    def __repr_args__(self) -> Iterable[tuple[str | None, object]]:
        return [part for part in super().__repr_args__() if part != ("encoding", None)]


class MlpSpec(_TableNetwork):
    """Blocks of Linear, BatchNorm, ReLU, Dropout, then one Linear.

    Example:
        >>> MlpSpec(input_dim=4, output_dim=2, hidden_dim=8, num_hidden_layers=1, dropout=0.1).kind
        'mlp'
    """

    kind: Literal["mlp"] = "mlp"
    hidden_dim: HiddenDimension
    num_hidden_layers: Depth
    dropout: DropoutRate


class TabResNetSpec(_TableNetwork):
    """One Linear, residual blocks, BatchNorm and ReLU, then one Linear (arXiv:2106.11959).

    Example:
        >>> TabResNetSpec(
        ...     input_dim=4, output_dim=2, hidden_dim=8, num_hidden_layers=1, dropout=0.1
        ... ).kind
        'tabresnet'
    """

    kind: Literal["tabresnet"] = "tabresnet"
    hidden_dim: HiddenDimension
    num_hidden_layers: Depth
    dropout: DropoutRate


class LinearSpec(_TableNetwork):
    """One Linear: a generalised linear model.

    Example:
        >>> LinearSpec(input_dim=4, output_dim=2).kind
        'linear'
    """

    kind: Literal["linear"] = "linear"


class BatchEnsembleSpec(_TableNetwork):
    """Networks that share their matrices, each with scales and a head of its own (arXiv:2410.24210).

    Members are blocks of Linear, ReLU, Dropout, then one Linear; what they say is averaged.

    Example:
        >>> BatchEnsembleSpec(
        ...     input_dim=4, output_dim=2, hidden_dim=8, num_hidden_layers=1, dropout=0.1, members=8
        ... ).kind
        'batch_ensemble'
    """

    kind: Literal["batch_ensemble"] = "batch_ensemble"
    hidden_dim: HiddenDimension
    num_hidden_layers: Depth
    dropout: DropoutRate
    members: Members


AnyNetworkSpec: TypeAlias = MlpSpec | TabResNetSpec | LinearSpec | BatchEnsembleSpec
NetworkSpec: TypeAlias = Annotated[AnyNetworkSpec, Field(discriminator="kind")]


def network_spec(
    mode: TrainingMode,
    *,
    input_dim: int,
    output_dim: int,
    hidden_dim: int,
    num_hidden_layers: int,
    dropout: float,
    encoding: NumericEncodingSpec | None = None,
    members: int = 8,
) -> AnyNetworkSpec:
    """The network that a training mode stands for.

    Args:
        mode: The training mode of a config.
        input_dim: Columns of the encoded matrix.
        output_dim: Classes, or 1 for regression.
        hidden_dim: Units of a hidden layer.
        num_hidden_layers: Hidden layers or residual blocks.
        dropout: Share of hidden units set to zero in a step.
        encoding: What becomes of the columns before the first layer; None: they pass.
        members: Of a `batch_ensemble`.

    Returns:
        A spec; `linear_glm_baseline` has no hidden layers and ignores their sizes and dropout.

    Example:
        >>> network_spec("linear_glm_baseline", input_dim=3, output_dim=2, hidden_dim=8,
        ...              num_hidden_layers=1, dropout=0.0)
        LinearSpec(kind='linear', input_dim=3, output_dim=2)
    """
    if mode == "linear_glm_baseline":
        return LinearSpec(input_dim=input_dim, output_dim=output_dim, encoding=encoding)
    if mode == "batch_ensemble":
        return BatchEnsembleSpec(
            input_dim=input_dim,
            output_dim=output_dim,
            hidden_dim=hidden_dim,
            num_hidden_layers=num_hidden_layers,
            dropout=dropout,
            encoding=encoding,
            members=members,
        )
    kind = TabResNetSpec if mode == "tabresnet" else MlpSpec
    return kind(
        input_dim=input_dim,
        output_dim=output_dim,
        hidden_dim=hidden_dim,
        num_hidden_layers=num_hidden_layers,
        dropout=dropout,
        encoding=encoding,
    )
