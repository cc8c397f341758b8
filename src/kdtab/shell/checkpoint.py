"""The weights of the best epoch, kept in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from returns.result import Success
from torch import nn

from kdtab.errors.training import LossNotFinite
from kdtab.results import Checked, fail
from kdtab.shell.torch_step import TorchState

Module = TypeVar("Module", bound=nn.Module)


def keep_state(state: TorchState) -> Callable[[], TorchState]:
    """Copy all parameters and buffers, which later steps do not change.

    Args:
        state: A network and its optimizer; of the optimizer nothing is kept.

    Returns:
        A function that puts the copies back into the very network and returns the state.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.models.build import build_model
        >>> from kdtab.shell.flat import FlatAdam
        >>> network = build_model(LinearSpec(input_dim=1, output_dim=1))
        >>> before = network(torch.ones(1, 1)).item()
        >>> state = TorchState(network, FlatAdam(network.parameters(), learning_rate=1e-3))
        >>> restore = keep_state(state)
        >>> _ = nn.init.zeros_(network.head.weight)
        >>> restore().network(torch.ones(1, 1)).item() == before
        True
    """
    kept = {name: tensor.clone() for name, tensor in state.network.state_dict().items()}

    def restore() -> TorchState:
        state.network.load_state_dict(kept)
        return state

    return restore


def finished_network(network: Module, epoch: int) -> Checked[Module]:
    """A network after its last step, fit to be used.

    Args:
        network: With the weights of an epoch.
        epoch: Which.

    Returns:
        The same network in eval mode (REQ-T14), or `LossNotFinite` for a NaN or infinite weight.

    Example:
        >>> finished_network(nn.Linear(2, 1), epoch=3).unwrap().training
        False
    """
    if not all_finite(network):
        return fail(LossNotFinite(epoch=epoch, what="a weight"))
    return Success(network.eval())


def all_finite(network: nn.Module) -> bool:
    """Whether no parameter or buffer has a NaN or an infinity.

    Args:
        network: Any module.

    Returns:
        True when every number is finite.

    Example:
        >>> all_finite(nn.Linear(2, 1))
        True
    """
    return all(bool(torch.isfinite(tensor).all()) for tensor in network.state_dict().values())
