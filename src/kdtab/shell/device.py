"""Which device to compute on."""

from __future__ import annotations

import torch
from returns.result import Result, Success

from kdtab.errors.configs import DeviceUnusable
from kdtab.errors.issue import Issues
from kdtab.results import fail


def resolve_device(device: str | torch.device | None) -> Result[torch.device, Issues]:
    """The device that was asked for, or the best one there is (REQ-T07).

    Args:
        device: "cpu", "cuda", "cuda:1" or a torch device; None takes CUDA where torch finds it,
            else the CPU.

    Returns:
        A device of type cpu or cuda that exists, or `DeviceUnusable`.

    Example:
        >>> resolve_device("cpu").unwrap()
        device(type='cpu')
        >>> resolve_device("banana").failure().first.reason
        'torch knows no device of this name'
    """
    if device is None:
        return Success(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError):
        return _unusable(device, "torch knows no device of this name")
    if chosen.type == "cpu":
        return Success(torch.device("cpu"))
    if chosen.type != "cuda":
        return _unusable(device, "kdtab computes on cpu and cuda")
    if not torch.cuda.is_available():
        return _unusable(device, "torch finds no CUDA")
    if (chosen.index or 0) >= torch.cuda.device_count():
        return _unusable(device, f"torch finds {torch.cuda.device_count()} CUDA devices")
    return Success(chosen)


def _unusable(device: str | torch.device, reason: str) -> Result[torch.device, Issues]:
    return fail(DeviceUnusable(device=str(device), reason=reason))
