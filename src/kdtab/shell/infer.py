"""What a network says about rows, without leaving a trace on it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

import numpy as np
import torch
from torch import Tensor, nn

from kdtab.data.arrays import Float32Array
from kdtab.shell.host import tensor_from_array

# Beyond these rows the units of a layer leave the cache of a processor, and their memory is asked
# of the system anew for each layer: 65,536 rows take twice the time. Other devices want more work.
CHUNK_ROWS_ON_CPU = 4_096
CHUNK_ROWS_ELSEWHERE = 65_536


def network_outputs(
    network: nn.Module,
    inputs: Float32Array,
    *,
    device: torch.device | None = None,
    chunk_rows: int | None = None,
) -> Float32Array:
    """Outputs in eval mode without gradients (REQ-KD16, REQ-T19).

    The network's weights, buffers, device and each submodule's mode are the same afterwards; on
    another device a copy of it computes.

    Args:
        network: Any module that maps [B, D] to [B, C] (or [B], taken as [B, 1]).
        inputs: [N, D] float32 encoded rows.
        device: Where to compute; None stays where the network is.
        chunk_rows: Rows at a time, at least 1; None chooses by the device.

    Returns:
        [N, C] float32 on the host.

    Example:
        >>> network_outputs(nn.Linear(3, 2), np.zeros((5, 3), dtype=np.float32)).shape
        (5, 2)
    """
    home, dtype = _home(network)
    place = home if device is None else device
    rows = chunk_rows or (CHUNK_ROWS_ON_CPU if place.type == "cpu" else CHUNK_ROWS_ELSEWHERE)
    working = network if place == home else copy.deepcopy(network).to(place)
    with in_eval_mode(working), torch.no_grad():
        chunks = (
            _outputs_of_chunk(working, tensor_from_array(chunk).to(place, dtype))
            for chunk in _chunks(inputs, rows)
        )
        return _in_one(chunks, len(inputs))


@contextmanager
def in_eval_mode(network: nn.Module) -> Iterator[None]:
    """Every submodule in eval mode, and afterwards each in the mode it had.

    A network that is wholly in eval mode is not touched, so threads may share it.

    Args:
        network: Any module.

    Yields:
        Nothing.

    Example:
        >>> network = nn.Sequential(nn.Dropout(0.5))
        >>> with in_eval_mode(network):
        ...     network[0].training
        False
        >>> network.training, network[0].training
        (True, True)
    """
    training = [module for module in network.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


def _home(network: nn.Module) -> tuple[torch.device, torch.dtype]:
    for tensor in (*network.parameters(), *network.buffers()):
        if tensor.is_floating_point():
            return tensor.device, tensor.dtype
    return torch.device("cpu"), torch.float32


def _chunks(inputs: Float32Array, rows: int) -> Iterator[Float32Array]:
    """At least one, so that no rows still give an output with its columns."""
    for start in range(0, max(len(inputs), 1), rows):
        yield inputs[start : start + rows]


def _in_one(chunks: Iterator[Float32Array], rows: int) -> Float32Array:
    """Written into one table as they come.

    Kept apart until the end, the outputs of chunks would lie between what the layers free, and
    hold the memory of many times their size.
    """
    first = next(chunks)
    table, end = np.empty((rows, *first.shape[1:]), dtype=np.float32), 0
    for chunk in chain((first,), chunks):
        if end + len(chunk) > rows:  # a module that does not answer row by row
            return np.concatenate([table[:end], chunk, *chunks])
        table[end : end + len(chunk)] = chunk
        end += len(chunk)
    return table[:end]


def _outputs_of_chunk(network: nn.Module, inputs: Tensor) -> Float32Array:
    outputs: Tensor = network(inputs)
    columns = outputs.unsqueeze(1) if outputs.ndim == 1 else outputs.flatten(1)
    table: Float32Array = columns.float().cpu().numpy()
    return table
