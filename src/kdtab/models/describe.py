"""What can be said of a network's size, its own or a stranger's."""

from __future__ import annotations

from typing import NamedTuple

from torch import nn

from kdtab.config.networks import BatchEnsembleSpec, LinearSpec, MlpSpec, TabResNetSpec
from kdtab.models.network import TabularNetwork

DEFAULT_HIDDEN_DIM = 128
DEFAULT_NUM_HIDDEN_LAYERS = 2
DEFAULT_DROPOUT = 0.1
SMALLEST_STUDENT_HIDDEN_DIM = 16
LARGEST_STUDENT_DROPOUT = 0.5
ADDED_STUDENT_DROPOUT = 0.05


class StudentSize(NamedTuple):
    """The sizes of a student's network.

    Example:
        >>> StudentSize(hidden_dim=64, num_hidden_layers=1, dropout=0.15).hidden_dim
        64
    """

    hidden_dim: int
    num_hidden_layers: int
    dropout: float


def model_hidden_dim(model: nn.Module) -> int:
    """Units of a hidden layer.

    Args:
        model: Any module.

    Returns:
        What the spec says; for a module of another make the width of its first Linear when it has
        more than one; else 128.

    Example:
        >>> model_hidden_dim(nn.Sequential(nn.Linear(3, 40), nn.ReLU(), nn.Linear(40, 2)))
        40
        >>> model_hidden_dim(nn.Identity())
        128
    """
    if isinstance(model, TabularNetwork):
        hidden = _hidden_spec(model)
        return hidden.hidden_dim if hidden else DEFAULT_HIDDEN_DIM
    linears = _linears(model)
    return linears[0].out_features if len(linears) > 1 else DEFAULT_HIDDEN_DIM


def model_num_hidden_layers(model: nn.Module) -> int:
    """Hidden layers or residual blocks.

    Args:
        model: Any module.

    Returns:
        What the spec says; for a module of another make one fewer than its Linear layers when it
        has more than one; else 2.

    Example:
        >>> model_num_hidden_layers(nn.Sequential(nn.Linear(3, 40), nn.ReLU(), nn.Linear(40, 2)))
        1
        >>> model_num_hidden_layers(nn.Identity())
        2
    """
    if isinstance(model, TabularNetwork):
        hidden = _hidden_spec(model)
        return hidden.num_hidden_layers if hidden else DEFAULT_NUM_HIDDEN_LAYERS
    linears = _linears(model)
    return len(linears) - 1 if len(linears) > 1 else DEFAULT_NUM_HIDDEN_LAYERS


def model_dropout(model: nn.Module) -> float:
    """Share of hidden units set to zero in a training step.

    Args:
        model: Any module.

    Returns:
        What the spec says; for a module of another make the rate of its first Dropout; else 0.1.

    Example:
        >>> model_dropout(nn.Sequential(nn.Linear(3, 40), nn.Dropout(0.3)))
        0.3
        >>> model_dropout(nn.Identity())
        0.1
    """
    if isinstance(model, TabularNetwork):
        hidden = _hidden_spec(model)
        return hidden.dropout if hidden else DEFAULT_DROPOUT
    rates = [module.p for module in model.modules() if isinstance(module, nn.Dropout)]
    return rates[0] if rates else DEFAULT_DROPOUT


def student_defaults(teacher: nn.Module) -> StudentSize:
    """The sizes that a student takes from its teacher when none are given (PT-DISTILL-001).

    hidden = max(16, ⌊h / 2⌋), layers = max(1, L − 1), dropout = min(0.5, d + 0.05).

    Args:
        teacher: Any module.

    Returns:
        Hidden units, hidden layers and dropout, in this order.

    Example:
        >>> student_defaults(nn.Identity())
        StudentSize(hidden_dim=64, num_hidden_layers=1, dropout=0.15000000000000002)
    """
    return StudentSize(
        hidden_dim=max(SMALLEST_STUDENT_HIDDEN_DIM, model_hidden_dim(teacher) // 2),
        num_hidden_layers=max(1, model_num_hidden_layers(teacher) - 1),
        dropout=min(LARGEST_STUDENT_DROPOUT, model_dropout(teacher) + ADDED_STUDENT_DROPOUT),
    )


def parameter_count(model: nn.Module) -> int:
    """How many numbers training may change; BatchNorm's running statistics are none of them.

    Args:
        model: Any module.

    Returns:
        The sum over its parameters, a shared one counted once.

    Example:
        >>> parameter_count(nn.Linear(3, 2))
        8
    """
    return sum(parameter.numel() for parameter in model.parameters())


def _hidden_spec(network: TabularNetwork) -> MlpSpec | TabResNetSpec | BatchEnsembleSpec | None:
    return None if isinstance(network.spec, LinearSpec) else network.spec


def _linears(model: nn.Module) -> list[nn.Linear]:
    return [module for module in model.modules() if isinstance(module, nn.Linear)]
