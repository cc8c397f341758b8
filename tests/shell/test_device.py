from __future__ import annotations

import pytest
import torch

from kdtab.errors.configs import DeviceUnusable
from kdtab.shell.device import resolve_device


def pretend_cuda(monkeypatch: pytest.MonkeyPatch, devices: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: devices > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)


@pytest.mark.requirement("REQ-T07", "AC-T07")
def test_without_a_device_and_without_cuda_it_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_cuda(monkeypatch, 0)
    assert resolve_device(None).unwrap() == torch.device("cpu")


@pytest.mark.requirement("REQ-T07")
def test_without_a_device_cuda_is_taken_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pretend_cuda(monkeypatch, 2)
    assert resolve_device(None).unwrap() == torch.device("cuda")


@pytest.mark.requirement("REQ-T07")
@pytest.mark.parametrize("device", ["cpu", torch.device("cpu"), "cpu:0"])
def test_a_device_that_was_asked_for_is_taken(
    device: str | torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_cuda(monkeypatch, 2)
    assert resolve_device(device).unwrap() == torch.device("cpu")


def test_one_of_several_cuda_devices_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_cuda(monkeypatch, 2)
    assert resolve_device("cuda:1").unwrap() == torch.device("cuda:1")


@pytest.mark.parametrize(
    ("device", "present", "reason"),
    [
        ("cuda", 0, "torch finds no CUDA"),
        ("cuda:99", 0, "torch finds no CUDA"),
        ("cuda:99", 2, "torch finds 2 CUDA devices"),
        ("banana", 0, "torch knows no device of this name"),
        ("", 0, "torch knows no device of this name"),
        ("cuda:-1", 2, "torch knows no device of this name"),
        ("CPU", 0, "torch knows no device of this name"),
        ("meta", 0, "kdtab computes on cpu and cuda"),
    ],
)
def test_a_device_that_cannot_be_used_is_an_issue(
    device: str, present: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_cuda(monkeypatch, present)
    issues = resolve_device(device).failure()
    assert tuple(issues) == (DeviceUnusable(device=device, reason=reason),)
